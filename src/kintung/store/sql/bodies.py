"""The bodies of what is current, looked up by key."""

from collections.abc import Iterable

from kintung.store.sql.database import Database, Row


def current_bodies(db: Database, keys: Iterable[int]) -> list[Row]:
    """Number of the type, id, patient_key, key and sealed body; none of what is deleted."""
    return db.lookup(
        "SELECT e.type, e.id, v.patient_key, v.key, v.body FROM wanted w CROSS JOIN entity e"
        " JOIN resource r ON r.patient_key = e.patient_key AND r.type = e.type AND r.key = e.key"
        " JOIN version v ON v.patient_key = r.patient_key AND v.key = r.key"
        " AND v.version_id = r.version_id WHERE e.key = w.c0 AND r.deleted = 0",
        ("int",),
        [(key,) for key in keys],
    )
