"""What a search means on the index rows of one resource, in plain Python.

The in-memory store is built on this and the two databases are compared with it, so it is
written to be obviously right. The meaning of each prefix and modifier is argued in
``docs/explanation/spec-readings.md``.
"""

from collections.abc import Sequence
from decimal import Decimal

from kintung.fhir.search.criteria import Criterion, Modifier
from kintung.fhir.search.parameters import Parameter
from kintung.fhir.search.rows import Composite, Date, Extracted, Quantity, Reference, String, Token
from kintung.fhir.search.values import (
    CompositeValue,
    DateValue,
    Missing,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriBelow,
    UriValue,
    Value,
)

Row = Token | Reference | Date | String | Quantity | Composite


def holds(criterion: Criterion, rows: Extracted, *, id: str, updated: int) -> bool:
    """Does a resource with these rows, id and ``meta.lastUpdated`` (microseconds) meet it?"""
    own = rows_of(criterion.parameter, rows, id=id, updated=updated)
    if criterion.modifier == "missing":
        return criterion.values == (Missing(missing=not own),)
    found = any(matches(value, row, criterion.modifier) for value in criterion.values for row in own)
    return not found if criterion.modifier == "not" else found


def rows_of(parameter: Parameter, rows: Extracted, *, id: str, updated: int) -> list[Row]:
    """Return the rows a parameter reads. ``_id`` and ``_lastUpdated`` have one, of atom 0."""
    if parameter.stored == "id":
        return [(0, None, id)]
    if parameter.stored == "updated":
        return [(0, updated, updated + 1)]
    table: Sequence[Row] = getattr(rows, parameter.table)
    return [
        row
        for branch in parameter.branches
        for row in table
        if row[0] == branch.atom and branch.target in (None, row[1])
    ]


def matches(  # noqa: PLR0911 - one case a kind
    value: Value, row: Row, modifier: Modifier | None = None
) -> bool:
    """Does one index row meet one value? ``modifier`` matters to strings only."""
    match value, row:
        case CompositeValue(parts), (atom, tuple() as first, tuple() as second):
            return matches(parts[0], (atom, *first)) and matches(parts[1], (atom, *second))
        case TokenValue(system, code, any_system), (_, row_system, row_code):
            return (any_system or row_system == system) and (code is None or row_code == code)
        case UriValue(uri), (_, _, row_uri):
            return row_uri == uri
        case UriBelow(uri), (_, _, str() as row_uri):
            return row_uri == uri or row_uri.startswith(value.folder)
        case ReferenceValue(types, id), (_, row_type, row_id):
            return row_id == id and (row_type in types or (not types and row_type != ""))
        case StringValue(text, folded), (_, str() as row_folded, str() as row_text):
            return _string(text, folded, row_folded, row_text, modifier)
        case DateValue(), (_, int() as start, int() as end):
            return _date(value, start, end)
        case NumberValue(), (_, _, _, lo, hi):
            return _number(value, lo, hi)
        case QuantityValue(), (_, row_system, row_code, lo, hi):
            return _unit(value, row_system, row_code) and _number(value, lo, hi)
        case _:
            raise AssertionError(f"{type(value).__name__} does not go with a row of {len(row)}")


def _string(text: str, folded: str, row_folded: str, row_text: str, modifier: Modifier | None) -> bool:
    if modifier == "exact":
        # What stands for a long text, digest and all, may be searched for too: it folds otherwise.
        return row_text == text and row_folded == folded
    if modifier == "contains":
        return folded in row_folded
    return row_folded.startswith(folded)


def _date(value: DateValue, start: int, end: int) -> bool:  # noqa: PLR0911 - one case a prefix
    """The span searched for is ``[s, e)``, that of the resource ``[start, end)``."""
    s, e = value.lo, value.hi
    within = s <= start and end <= e
    match value.prefix:
        case "eq":
            return within
        case "ne":
            return not within
        case "gt":
            return end > e
        case "lt":
            return start < s
        case "ge":
            return end > e or within
        case "le":
            return start < s or within
        case "sa":
            return start >= e
        case "eb":
            return end <= s
        case "ap":
            return start < e and s < end


_LEAST, _GREATEST = Decimal("-Infinity"), Decimal("Infinity")


def _number(  # noqa: PLR0911 - one case a prefix
    value: NumberValue | QuantityValue, low: Decimal | None, high: Decimal | None
) -> bool:
    """The stored value is the closed span ``[lo, hi]``, a point for most; None is no bound."""
    lo = _LEAST if low is None else low
    hi = _GREATEST if high is None else high
    within = value.lo <= lo and hi < value.hi
    match value.prefix:
        case "eq":
            return within
        case "ne":
            return not within
        case "gt":
            return hi > value.value
        case "lt":
            return lo < value.value
        case "ge":
            return hi >= value.value
        case "le":
            return lo <= value.value
        case "sa":
            return lo > value.value
        case "eb":
            return hi < value.value
        case "ap":
            return lo <= value.hi and value.lo <= hi


def _unit(value: QuantityValue, system: str | None, code: str | None) -> bool:
    if value.any_unit:
        return True
    return value.system in (None, system) and value.code in (None, code)
