"""What a search means on the index rows of one resource, in plain Python.

The in-memory store is built on this and the two databases are compared with it, so it is
written to be obviously right.
"""

from kintung.fhir.search.criteria import Criterion, Modifier
from kintung.fhir.search.rows import Date, Extracted, Quantity, Reference, String, Token
from kintung.fhir.search.values import Value

Row = Token | Reference | Date | String | Quantity


def matches(value: Value, row: Row, modifier: Modifier | None = None) -> bool:
    """Does one index row meet one value? ``modifier`` matters to strings only."""
    raise NotImplementedError


def holds(criterion: Criterion, rows: Extracted, *, id: str, updated: int) -> bool:
    """Does a resource with these rows, id and ``meta.lastUpdated`` (microseconds) meet it?"""
    raise NotImplementedError
