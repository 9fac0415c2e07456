"""Making and moving a schema, recognised by its fingerprint.

A database says in ``node`` which schema it has. One without tables gets the present schema;
one with the present fingerprint is used as it is; one of an earlier version is brought
forward by its migrations, each in the transaction that also records it, so that an
interrupted upgrade goes on where it stopped. Anything else is refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from kintung.errors import Unavailable
from kintung.store.sql.database import Database
from kintung.store.sql.schema import FINGERPRINT, VERSION, ddl


@dataclass(frozen=True, slots=True)
class Migration:
    """From one fingerprint to the next; ``run`` is called in a transaction of its own."""

    before: str
    after: str
    run: Callable[[Database], None]


MIGRATIONS: tuple[Migration, ...] = ()
"""In order. Empty until a released schema changes."""


Facts = Mapping[str, str | tuple[str, ...]]
"""By name; of several values the database has one, the first when it is made."""
NO_FACTS: Facts = {}


def prepare_schema(db: Database, facts: Facts, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Bring the database to the present schema. Call it inside the commit lock.

    Args:
        facts: what the stored index rests on besides the bodies (``offset_minutes``, the zone
            of dates without one; ``search``, the fingerprint of the search parameters). Kept
            when the database is made, and the same ever after.

    Raises:
        Unavailable: the database has a schema this version does not know, or other facts.
    """
    found = _fingerprint(db)
    if found is None:
        _in_transaction(db, lambda db: _create(db, facts))
        return
    _require_schema(db, found, migrations)
    _require_facts(db, facts)


def _require_facts(db: Database, facts: Facts) -> None:
    kept = dict(db.rows("SELECT name, value FROM node"))
    for name, value in facts.items():
        values = (value,) if isinstance(value, str) else value
        if kept.get(name) not in values:
            raise Unavailable(
                f"The index of this database was made with {name} {str(kept.get(name))[:12]}, "
                f"and this node would ask it with {values[0][:12]}; use the setting or version that made it."
            )


def _require_schema(db: Database, found: str, migrations: tuple[Migration, ...]) -> None:
    while found != FINGERPRINT:
        step = next((m for m in migrations if m.before == found), None)
        if step is None:
            raise Unavailable(
                f"The database has a schema this version does not know (fingerprint {found[:12]}, "
                f"expected {FINGERPRINT[:12]}); use the version that wrote it, or restore a backup."
            )
        _in_transaction(db, step.run, step.after)
        found = step.after


def _create(db: Database, facts: Facts) -> None:
    dialect: Literal["sqlite", "postgres"] = "sqlite" if db.dialect == "sqlite" else "postgres"
    for statement in ddl(dialect):
        db.run(statement)
    made = [(name, value if isinstance(value, str) else value[0]) for name, value in facts.items()]
    db.insert("node", [("schema", FINGERPRINT), ("schema_version", str(VERSION)), *made])
    db.insert("system", [(1, "")])


def _in_transaction(db: Database, run: Callable[[Database], None], after: str | None = None) -> None:
    db.run("BEGIN")
    try:
        run(db)
        if after is not None:
            db.run("UPDATE node SET value = ? WHERE name = 'schema'", (after,))
        db.run("COMMIT")
    except BaseException:
        db.run("ROLLBACK")
        raise


def _fingerprint(db: Database) -> str | None:
    """The fingerprint the database says it has; None for one without tables."""
    catalogue = {
        "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'node'",
        "postgres": "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'node'",
    }
    if not db.rows(catalogue[db.dialect]):
        return None
    rows = db.rows("SELECT value FROM node WHERE name = 'schema'")
    return rows[0][0] if rows else ""
