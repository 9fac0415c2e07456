"""history: GET /{type}/{id}/_history, /{type}/_history and /_history.

Source: http://hl7.org/fhir/R4/http.html#history. ``_since``, ``_at``, ``_count``, and ``_sort``
as R5 has it, by ``_lastUpdated`` alone. ``_list`` is not offered.
"""

from dataclasses import dataclass

from kintung.consent import Policy, Right
from kintung.errors import NotFound, NotSupported, ValueInvalid
from kintung.fhir.search import count_of, span
from kintung.fhir.subset import Subset
from kintung.store.port import View
from kintung.web.fhir import pages
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.part import PART, part_of
from kintung.web.fhir.registry import Interaction, Reads
from kintung.web.fhir.request import Pairs, Request, not_offered
from kintung.web.site import Site


def history(site: Site, request: Request, view: View) -> Answer:
    """One page of versions, newest first unless asked otherwise; a deletion has no resource."""
    walked = pages.walk(site, request, request.path, request.pairs)
    asked = _asked(site, walked.asked, request.type)
    try:
        page = view.history(
            request.access.reader,
            request.type or None,
            request.id or None,
            since=asked.since,
            at=asked.at,
            oldest_first=asked.oldest_first,
            paging=walked.paging(asked.count, total=True),
        )
    except NotFound:
        raise NotFound(f"{request.type}/{request.id} is not known.") from None
    page = walked.counted(page)
    base = request.base.encode()
    entries = [pages.history_entry(base, version, asked.part) for version in page.entries]
    link = pages.links(site, request, request.path, walked, walked.asked, page)
    return pages.page_answer(pages.bundle(b"history", page.total, link, entries), page.entries)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which versions are asked for: ``since`` and ``at`` in UTC microseconds."""

    since: int | None
    at: tuple[int, int] | None
    oldest_first: bool
    count: int
    part: Subset | None


def _asked(site: Site, pairs: Pairs, type: str) -> _Asked:
    values = dict(pairs)
    for name in values:
        if name not in _PARAMETERS:
            raise not_offered(name)
    if len(values) < len(pairs):
        raise ValueInvalid("Each parameter of a history is given once.", path=_twice(pairs))
    count = min(count_of(values["_count"]), site.limits.search.count) if "_count" in values else None
    part, summary = part_of(values, type)
    if summary == "count":
        count = 0
    return _Asked(
        _span(site, "_since", values["_since"])[0] if "_since" in values else None,
        _span(site, "_at", values["_at"]) if "_at" in values else None,
        _is_oldest_first(values.get("_sort", "-_lastUpdated")),
        site.limits.search.default_count if count is None else count,
        part,
    )


def _twice(pairs: Pairs) -> str:
    names = [name for name, _ in pairs]
    return next(name for name in names if names.count(name) > 1)


def _span(site: Site, name: str, value: str) -> tuple[int, int]:
    """The span a date stands for: ``2022-10`` is the whole month."""
    try:
        return span(value.replace(" ", "+"), site.offset_minutes)
    except ValueError:
        raise ValueInvalid(f"{name} is a date or an instant such as {_EXAMPLE}.", path=name) from None


def _is_oldest_first(value: str) -> bool:
    if value not in _ORDERS:
        raise NotSupported("A history is sorted by _lastUpdated or by -_lastUpdated.", path="_sort")
    return value == "_lastUpdated"


_PARAMETERS = ("_since", "_at", "_sort", "_count", *PART)
_ORDERS = ("_lastUpdated", "-_lastUpdated")
_EXAMPLE = "2022-10-19T11:15:00+08:00"
_DESCRIPTION = "Versions, newest first unless sorted, a page at a time."

INTERACTIONS = tuple(
    Interaction(
        name,
        "GET",
        path,
        Reads(history),
        Right.VIEW,
        Policy.DISCLOSES,
        _DESCRIPTION,
        (name,),
        may_be_later=name != "history-instance",
    )
    for name, path in (
        ("history-instance", "/{type}/{id}/_history"),
        ("history-type", "/{type}/_history"),
        ("history-system", "/_history"),
    )
)
