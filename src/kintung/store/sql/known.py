"""What is known of persons in SQL: the range of each source Patient, as it is or as it was at an instant.

What is of one person alone lies in that Patient's range of ``resource`` and of ``version``, and nothing else
does; so one statement reads it, and another the bodies.
"""

from collections.abc import Collection, Sequence

from kintung.store.sql.clauses import Clause, among, every, listed, query_of, starting
from kintung.store.sql.database import Database, Row
from kintung.store.sql.log import first_since
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.visibility import StoredReader, visible
from kintung.store.versions import Method


def rows(
    db: Database,
    who: StoredReader,
    patients: Sequence[str],
    types: Collection[str],
    limit: int,
    at: int | None,
) -> list[Row]:
    """Versions that were known, newest first: patient_key, type, key, version_id, seq and kind of each."""
    found = db.lookup(
        "SELECT e.key FROM wanted w CROSS JOIN entity e WHERE e.id = w.c1 AND e.type = w.c0",
        ("int", "text"),
        [(TYPE_NUMBERS["Patient"], id) for id in dict.fromkeys(patients)],
    )
    keys = sorted(row[0] for row in found)
    numbers = sorted(TYPE_NUMBERS[type] for type in types if type in TYPE_NUMBERS)
    if not keys or not numbers:
        return []
    statement = (
        as_it_is(db, who, keys, numbers, limit)
        if at is None
        else as_it_was(db, who, keys, numbers, limit, first_since(db, at + 1))
    )
    return db.rows(statement.text, statement.values)


def as_it_is(db: Database, who: StoredReader, keys: list[int], types: list[int], limit: int) -> Clause:
    """The current versions, Patient by Patient: a planner left to itself walks all of a type in order."""
    wanted = query_of(db, keys)
    by = every(Clause("r.patient_key = w.patient_key"), among("r.type", types))
    found = starting(db, Clause("wanted w"), by, every(Clause("r.deleted = 0"), visible(who, "r")))
    text = (
        f"WITH wanted(patient_key) AS ({wanted.text})"
        " SELECT r.patient_key, r.type, r.key, r.version_id, r.seq, r.kind"
        f" FROM {found.text} ORDER BY r.seq DESC LIMIT ?"
    )
    return Clause(text, (*wanted.values, *found.values, limit))


def as_it_was(
    db: Database, who: StoredReader, keys: list[int], types: list[int], limit: int, before: int
) -> Clause:
    """Of each resource the last version in sight with a sequence number under ``before``."""
    seen = visible(who, "n", labels_of="r")
    later = Clause(
        "SELECT 1 FROM version n WHERE n.patient_key = v.patient_key AND n.key = v.key"
        f" AND n.version_id > v.version_id AND n.seq < ? AND {seen.text}",
        (before, *seen.values),
    )
    last = every(
        Clause("v.seq < ? AND v.method <> ?", (before, int(Method.DELETE))),
        visible(who, "v", labels_of="r"),
        Clause(f"NOT EXISTS ({later.text})", later.values),
    )
    of = Clause("v.patient_key = r.patient_key AND v.key = r.key")
    versions = starting(db, Clause("resource r"), of, last, "version v")
    where = every(listed(db, "r.patient_key", keys), among("r.type", types), visible(who, "r"))
    text = (
        "SELECT v.patient_key, r.type, v.key, v.version_id, v.seq, v.kind"
        f" FROM {versions.text} WHERE {where.text} ORDER BY v.seq DESC LIMIT ?"
    )
    return Clause(text, (*versions.values, *where.values, limit))
