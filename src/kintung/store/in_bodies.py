"""A page of a search that only the texts of resources answer; see ADR 0016.

Every adapter gives what the rest of the search finds and the Reader may see, in the order of
the search from where the page begins: the **candidates**. They are opened one by one until the
page is full and one more is found, so that all adapters stop at the same place.
"""

from collections.abc import Iterator

from kintung.errors import NotSupported, TooCostly
from kintung.fhir.json import parse
from kintung.fhir.search import Query
from kintung.store.versions import Page, Paging, Position, Version

PAGE_BYTES = 32 * 1024 * 1024
"""Bodies of one page: beyond it a page ends early, and the next goes on."""
ONE = 4 * 1024
"""Bytes of a body that count as one candidate; a larger one counts as several."""


def page_in_bodies(
    candidates: Iterator[tuple[Position, Version]], query: Query, paging: Paging, sequence: int
) -> Page:
    """The page of those candidates whose texts meet the query.

    ``query.most_bodies`` bounds the candidates opened for it. When it is reached with the page
    full, the page stands, and the next one begins after its last entry.

    Args:
        sequence: the T of page one.

    Raises:
        TooCostly: it is reached and the page is not full, or the total not known.
    """
    counts = paging.total and paging.after is None
    found: list[Version] = []
    end: Position | None = None
    total = opened = size = 0
    for place, version in candidates:
        is_full = len(found) == paging.count or size >= PAGE_BYTES
        if opened >= query.most_bodies:
            if counts or not is_full:
                raise TooCostly(_advice(query, counts))
            return Page(tuple(found), sequence, end, None)
        opened += 1 + len(version.body) // ONE
        if not meets_in_body(query, version):
            continue
        total += 1
        if not is_full:
            found.append(version)
            size += len(version.body)
            end = place
        elif not counts:
            return Page(tuple(found), sequence, end, None)
    return Page(tuple(found), sequence, end if total > len(found) else None, total if counts else None)


def meets_in_body(query: Query, version: Version) -> bool:
    """Does the text of a version meet all that the query asks of it?"""
    resource = parse(version.body)
    return all(condition.holds(resource) for condition in query.in_bodies)


def refuse_in_bodies(query: Query) -> None:
    """Refuse what would open bodies where matches alone are asked for.

    Raises:
        NotSupported: the query asks for what only texts answer.
    """
    if query.in_bodies:
        raise NotSupported(
            f"{query.in_bodies[0].code} is read in the texts of resources, which decides no conditional "
            "interaction; ask for an identifier or another code.",
            path=query.in_bodies[0].code,
        )


def _advice(query: Query, counts: bool) -> str:
    less = "leave out _total, or " if counts else ""
    return (
        f"{query.in_bodies[0].code} is read in the text of each resource that the rest of the search finds, "
        f"and {query.most_bodies:,} were not enough; {less}narrow the search by patient, date, code or "
        "_lastUpdated."
    )
