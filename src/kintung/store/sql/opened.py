"""Whose records an actor opened, in SQL: along an index of the audit, the last opened first.

What the audit says of it is kept once for each Patient, by its last record, so that who reads the same record
all day has no more rows for it; see ADR 0038.
"""

from typing import NamedTuple

from kintung.store.audit import AuditBook
from kintung.store.sql.clauses import Clause, every, starting
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NUMBERS, Names
from kintung.store.sql.visibility import StoredReader, visible

PATIENT = TYPE_NUMBERS["Patient"]
_LAST = 2**62
"""A number that no audit record has."""


class By(NamedTuple):
    """Who opened records, in the numbers of the tables."""

    actor: int
    organisation: int


def by(db: Database, names: Names, actor: str, organisation: str) -> By | None:
    """An actor that asks for an organisation; None for who never opened any."""
    who = names.number(db, "actor", actor) if actor else None
    asking_for = names.number(db, "organisation", organisation) if organisation else 0
    return By(who, asking_for) if who is not None and asking_for is not None else None


def rows(db: Database, who: StoredReader, by: By, most: int) -> list[Row]:
    """Patients as a page of a search has them, with the audit record; each person once."""
    found: dict[int, Row] = {}
    before, step = _LAST, 2 * most
    while len(found) < most:
        statement = page(db, who, by, before, step)
        some = db.rows(statement.text, statement.values)
        for *columns, person in some:
            found.setdefault(person, tuple(columns))
        if len(some) < step:
            break
        before, step = some[-1][6], 4 * step
    return list(found.values())[:most]


def page(db: Database, who: StoredReader, by: By, before: int, limit: int) -> Clause:
    """The statement of some rows, and the person each is of."""
    patient = Clause(
        "r.patient_key = o.patient_key AND r.type = ? AND r.key = o.patient_key",
        (PATIENT,),
    )
    seen = every(Clause("r.deleted = 0"), visible(who, "r"))
    source = starting(db, Clause("opened o"), patient, seen)
    text = (
        "SELECT r.patient_key, r.type, r.key, r.version_id, r.seq, r.kind, o.audit,"
        " coalesce((SELECT m.person FROM member m WHERE m.patient_key = o.patient_key), o.patient_key)"
        f" FROM {source.text} WHERE o.actor = ? AND o.organisation = ? AND o.audit < ?"
        " ORDER BY o.audit DESC LIMIT ?"
    )
    return Clause(text, (*source.values, by.actor, by.organisation, before, limit))


def instants(db: Database, book: AuditBook, rows: list[Row]) -> list[int]:
    """When each was opened, as its audit record says it."""
    found = db.lookup(
        "SELECT a.number, a.record FROM wanted w CROSS JOIN audit a WHERE a.number = w.c0",
        ("int",),
        [(row[6],) for row in rows],
    )
    at = {number: book.stored(record).at for number, record in found}
    return [at[row[6]] for row in rows]
