"""What a search may have to look at, estimated before it runs; what is too much is refused.

When nothing tells more than the sizes of types, every resource of the types asked for is looked
at, with what is probed of it and what is gathered to put it in order. The time a statement may
take stands behind it. Sizes are of all there is: a refusal for cost is one of the capacity
errors that a Reader may tell from others (see ``docs/explanation/threat-model.md``).
"""

from typing import cast

from kintung.errors import TooCostly
from kintung.fhir.search import (
    AllOf,
    AnyOf,
    Chain,
    Compartment,
    Condition,
    Criterion,
    Everything,
    Has,
    Query,
)
from kintung.store.sql.clauses import Clause, every
from kintung.store.sql.search.conditions import count, is_wide
from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.search.matches import of_types
from kintung.store.sql.search.sorting import date_sorted_by, is_newest_first
from kintung.store.sql.type_counts import how_many
from kintung.store.sql.visibility import StoredReader

FOLLOWED = 2
"""Rows that lead on to one resource at the other end of a link, beside what is asked there."""
GATHERED = 2
"""Rows gathered for a key of ``_sort``: the value, and its place in the order."""


def require_affordable(
    lookups: Lookups, who: StoredReader, query: Query, person: int | None = None, *, ordered: bool = True
) -> None:
    """Refuse a search whose estimate is over ``lookups.most_rows``.

    Args:
        person: the one whose rows alone are looked at.
        ordered: it is put in the order of ``_sort``; a total is not.

    Raises:
        TooCostly: with what to ask instead.
    """
    most = lookups.most_rows
    if estimate(lookups, who, query, ordered=ordered) <= most:
        return
    if person is None or estimate(lookups, who, query, person, ordered=ordered) > most:
        raise TooCostly(_what_to_do(query, ordered=ordered))


def resources(lookups: Lookups, query: Query, person: int | None = None) -> int:
    """Current resources of the types asked for; one person's are counted up to ``most_rows``."""

    def look() -> int:
        if person is not None:
            where = every(Clause("r.patient_key = ?", (person,)), of_types(query), Clause("r.deleted = 0"))
            found = Clause(f"SELECT r.key FROM resource r WHERE {where.text}", where.values)
            return count(lookups.db, found, lookups.most_rows + 1)
        sizes = how_many(query.types)
        return cast(int, lookups.db.rows(sizes.text, sizes.values)[0][0])

    return lookups.once(("resources", query.types, person), look)


def estimate(
    lookups: Lookups, who: StoredReader, query: Query, person: int | None = None, *, ordered: bool = True
) -> int:
    """Rows of the tables that are looked at when little or nothing matches."""
    probed = sum(_weight(lookups, who, condition) for condition in query.criteria)
    gathered = GATHERED * len(query.sort) if ordered and not _in_order(query) else 0
    return resources(lookups, query, person) * (1 + probed + gathered)


def _weight(lookups: Lookups, who: StoredReader, condition: Condition) -> int:
    """Rows probed for one resource."""
    match condition:
        case Criterion() | Compartment() | Everything():
            return 1
        case Chain(_, inner):
            if not is_wide(lookups, who, condition):
                return 1
            return FOLLOWED + max(_weight(lookups, who, wanted) for _, wanted in inner)
        case Has(_, _, inner):
            return FOLLOWED + _weight(lookups, who, inner) if is_wide(lookups, who, condition) else 1
        case AllOf(conditions) | AnyOf(conditions):
            return sum(_weight(lookups, who, each) for each in conditions)


def _in_order(query: Query) -> bool:
    """Is there an index in the order asked for?"""
    return is_newest_first(query) or date_sorted_by(query) is not None


def _what_to_do(query: Query, *, ordered: bool) -> str:
    advice = ["add what few resources have: a patient, an identifier, a code or a short span of dates"]
    if not ordered:
        advice.append("leave out _total")
    elif query.sort and not _in_order(query):
        advice.append("sort by one date or by -_lastUpdated")
    return f"the search would look through too much of the record; {', or '.join(advice)}"
