"""Which versions a history is of, in SQL: of a resource by its key, of a type or of all from the log.

Source: http://hl7.org/fhir/R4/http.html#history.
"""

from typing import NamedTuple

from kintung.store.sql.clauses import ALWAYS, Clause, every, starting
from kintung.store.sql.database import Database
from kintung.store.sql.log import first_since
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.visibility import StoredReader, visible


class Walk(NamedTuple):
    """What a history reads: tables, which rows of them, their sequence number, and the order.

    ``source`` is joined in the order of the walk, so that a page ends with its last row;
    ``counted`` is left to the planner.
    """

    source: str
    counted: str
    scope: Clause
    seq: str
    order: str
    direction: str
    beyond: str
    """How the sequence number of a row compares to that of the page before."""

    def after(self, sequence: int | None) -> Clause:
        """What comes after the row of that number, which is all where there is none."""
        return ALWAYS if sequence is None else Clause(f"{self.seq} {self.beyond} ?", (sequence,))


def walk_of(db: Database, type: str | None, id: str | None, *, oldest_first: bool) -> Walk:
    """One resource's versions by their key; a type's, or all, from the log."""
    turned = ("ASC", ">") if oldest_first else ("DESC", "<")
    if id is not None:
        scope = Clause("e.id = ? AND e.type = ?", (id, TYPE_NUMBERS.get(type or "", -1)))
        return Walk(_VERSIONS, _VERSIONS, scope, "v.seq", "v.version_id", *turned)
    scope = Clause("l.type = ?", (TYPE_NUMBERS.get(type, -1),)) if type is not None else ALWAYS
    return Walk(_from_log(db), _LOG, scope, "l.seq", "l.seq", *turned)


def _from_log(db: Database) -> str:
    """The log, and to each entry what it is of: PostgreSQL would rather sort all that was ever written."""
    joined = Clause("log l")
    for table, key in _OF_LOG:
        joined = starting(db, joined, Clause(key), to=table)
    return joined.text


def within(
    db: Database, who: StoredReader, walked: Walk, since: int | None, at: tuple[int, int] | None, last: int
) -> Clause:
    """The rows of the time that was asked for, up to the sequence number ``last``."""
    first = 0 if since is None else first_since(db, since)
    upto = last if at is None else min(last, first_since(db, at[1]) - 1)
    span = Clause(f"{walked.seq} >= ? AND {walked.seq} <= ?", (first, upto))
    return span if at is None else every(span, _still_current(db, who, at[0], last))


def _still_current(db: Database, who: StoredReader, start: int, last: int) -> Clause:
    """Versions that no later one had replaced by ``start``, for this reader.

    What came after ``start`` asks nothing of the others: only what came before does, and most of
    that meets the version that replaced it at once.
    """
    made_after = min(first_since(db, start + 1), last + 1)
    seen = visible(who, "n", labels_of="r")
    replaced = (
        "SELECT 1 FROM version n WHERE n.patient_key = v.patient_key AND n.key = v.key"
        f" AND n.version_id > v.version_id AND n.seq < ? AND {seen.text}"
    )
    text = f"(v.seq >= ? OR NOT EXISTS ({replaced}))"
    return Clause(text, (made_after, made_after, *seen.values))


_VERSIONS = (
    "entity e JOIN resource r ON r.patient_key = e.patient_key AND r.type = e.type AND r.key = e.key"
    " JOIN version v ON v.patient_key = r.patient_key AND v.key = r.key"
)
_OF_LOG = (
    ("resource r", "r.patient_key = l.patient_key AND r.type = l.type AND r.key = l.key"),
    (
        "version v",
        "v.patient_key = l.patient_key AND v.key = l.key AND v.version_id = l.version_id AND v.seq = l.seq",
    ),
    ("entity e", "e.key = l.key"),
)
_LOG = "log l" + "".join(f" JOIN {table} ON {key}" for table, key in _OF_LOG)
