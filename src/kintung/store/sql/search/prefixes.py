"""The prefixes of dates, numbers and quantities: eq, ne, gt, lt, ge, le, sa, eb, ap.

Source: http://hl7.org/fhir/R4/search.html#prefix and ``docs/explanation/spec-readings.md``.
"""

from collections.abc import Sequence

from kintung.fhir.search import (
    CompositeValue,
    Criterion,
    DateValue,
    NumberValue,
    QuantityValue,
    Value,
    bound_keys,
)
from kintung.store.sql.clauses import Clause


def date_holds(value: DateValue, low: str, high: str) -> Clause:  # noqa: PLR0911 - one a prefix
    """Does it hold of the span of time from column ``low`` up to ``high``?"""
    start, end = value.lo, value.hi
    match value.prefix:
        case "eq":
            return Clause(f"{low} >= ? AND {low} < ? AND {high} <= ?", (start, end, end))
        case "ne":
            return Clause(f"NOT ({low} >= ? AND {high} <= ?)", (start, end))
        case "gt":
            return Clause(f"{high} > ?", (end,))
        case "lt":
            return Clause(f"{low} < ?", (start,))
        case "ge":
            return Clause(f"{high} > ? AND ({high} > ? OR {low} >= ?)", (start, end, start))
        case "le":
            return Clause(f"{low} < ? AND ({low} < ? OR {high} <= ?)", (end, start, end))
        case "sa":
            return Clause(f"{low} >= ?", (end,))
        case "eb":
            return Clause(f"{high} <= ?", (start,))
        case "ap":
            return Clause(f"{low} < ? AND {high} > ?", (end, start))


def number_holds(  # noqa: PLR0911 - one a prefix
    value: NumberValue | QuantityValue, start: str = "x.low", end: str = "x.high"
) -> Clause:
    """Does it hold of the amount from column ``start`` to ``end`` of an index row?"""
    low, high = bound_keys(value.lo, value.hi)
    exact = bound_keys(value.value, value.value)[0]
    match value.prefix:
        case "eq":
            return Clause(f"{start} >= ? AND {start} < ? AND {end} < ?", (low, high, high))
        case "ne":
            return Clause(f"NOT ({start} >= ? AND {end} < ?)", (low, high))
        case "gt":
            return Clause(f"{end} > ?", (exact,))
        case "lt":
            return Clause(f"{start} < ?", (exact,))
        case "ge":
            return Clause(f"{end} >= ?", (exact,))
        case "le":
            return Clause(f"{start} <= ?", (exact,))
        case "sa":
            return Clause(f"{start} > ?", (exact,))
        case "eb":
            return Clause(f"{end} < ?", (exact,))
        case "ap":
            return Clause(f"{start} <= ? AND {end} >= ?", (high, low))


def is_range(value: Value) -> bool:
    """Do the index rows it holds of lie together?"""
    if isinstance(value, CompositeValue):  # of two numbers, the first is what rows are in order by
        first, second = value.parts
        return is_range(first if isinstance(first, NumberValue) else second)
    if isinstance(value, NumberValue | QuantityValue):
        return value.prefix in _RANGES
    return not isinstance(value, DateValue) or value.prefix != "ne"


_RANGES = ("eq", "lt", "le", "sa", "ap")
"""Prefixes that bound the start of a span, by which the index of numbers is ordered; that of
dates is by both ends."""


def widest(values: Sequence[Value]) -> list[Value]:
    """Without dates that hold of nothing that another of the same prefix does not hold of."""
    kept: list[Value] = []
    one_sided: dict[str, list[tuple[int, int, DateValue]]] = {}
    for value in values:
        if isinstance(value, DateValue) and (way := _ONE_SIDED.get(value.prefix)):
            one_sided.setdefault(value.prefix, []).append((way * value.lo, way * value.hi, value))
        else:
            kept.append(value)
    for bounds in one_sided.values():
        least = None
        for _, end, value in sorted(bounds, key=lambda bound: bound[:2]):
            if least is None or end < least:
                least = end
                kept.append(value)
    return kept


_ONE_SIDED = {"gt": 1, "ge": 1, "sa": 1, "lt": -1, "le": -1, "eb": -1}
"""Prefixes of dates that hold on to all time, and the direction of it."""


def updated_between(criterion: Criterion) -> tuple[int | None, int | None]:
    """Instants (microseconds) from which and before which all that meets ``_lastUpdated`` was updated."""
    starts: list[int | None] = []
    ends: list[int | None] = []
    for value in criterion.values:
        assert isinstance(value, DateValue)
        low, high = _UPDATED[value.prefix]
        starts.append(getattr(value, low) if low else None)
        ends.append(getattr(value, high) if high else None)
    known = [start for start in starts if start is not None]
    start = min(known) if len(known) == len(starts) else None
    known = [end for end in ends if end is not None]
    return start, max(known) if len(known) == len(ends) else None


_UPDATED: dict[str, tuple[str, str]] = {
    "eq": ("lo", "hi"),
    "ne": ("", ""),
    "gt": ("hi", ""),
    "sa": ("hi", ""),
    "ge": ("lo", ""),
    "lt": ("", "lo"),
    "eb": ("", "lo"),
    "le": ("", "hi"),
    "ap": ("lo", "hi"),
}
"""Which end of a date an instant of each prefix lies at or after, and before."""
