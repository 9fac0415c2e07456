"""Where the index rows of a parameter lie: its table, its atoms, and how those of one resource are reached.

``x`` is an index row, and ``e`` the entity it leads to, where the parameter asks for its type.
"""

from kintung.fhir.search import Parameter
from kintung.store.sql.clauses import Clause, among, every, is_short, some
from kintung.store.sql.database import Database
from kintung.store.sql.names import TYPE_NUMBERS

TABLES = {
    "token": "ix_token",
    "uri": "ix_token",
    "reference": "ix_reference",
    "date": "ix_date",
    "string": "ix_string",
    "number": "ix_quantity",
    "quantity": "ix_quantity",
    "composite": "ix_composite",
}
BY_KEY = ("ix_reference", "ix_date", "ix_string", "ix_quantity", "ix_composite")
"""Tables with an index that leads with the resource: a probe needs no value."""


def rows_of(parameter: Parameter) -> str:
    """FROM: the table of its rows, and of what they lead to when that must be of a type."""
    table = TABLES[parameter.kind]
    if any(branch.target is not None for branch in parameter.branches):
        return f"{table} x JOIN entity e ON e.key = x.target"
    return f"{table} x"


def atoms_of(parameter: Parameter) -> Clause:
    """WHERE: the rows of its table that are its own."""
    anywhere = [b.atom for b in parameter.branches if b.target is None]
    options = [among("x.atom", anywhere)] if anywhere else []
    for target in sorted({b.target for b in parameter.branches if b.target is not None}):
        atoms = among("x.atom", [b.atom for b in parameter.branches if b.target == target])
        options.append(every(atoms, Clause("e.type = ?", (TYPE_NUMBERS[target],))))
    return some(*options)


def of_resource(db: Database, source: str, rows: Clause, r: str) -> Clause:
    """A scalar: 1 when one of these index rows is of ``r``."""
    is_seek = source == "ix_reference x" and is_short(rows.values) and "SELECT" not in rows.text
    return Clause(
        f"(SELECT 1 FROM {source if is_seek else by_resource(db, source)} WHERE {rows.text}"
        f" AND x.patient_key = {r}.patient_key AND x.key = {r}.key LIMIT 1)",
        rows.values,
    )


def by_resource(db: Database, source: str) -> str:
    """SQLite is told which index has the rows of a resource: it takes one of values for better."""
    table = source.partition(" x")[0]
    if db.dialect == "sqlite" and table in ("ix_date", "ix_reference", "ix_composite"):
        return source.replace(f"{table} x", f"{table} x INDEXED BY {table}_of", 1)
    return source


def has_value(db: Database, parameter: Parameter, r: str = "r") -> Clause:
    """A scalar: 1 when the parameter has a row for ``r``, NULL when it has none."""
    atoms = atoms_of(parameter)
    if TABLES[parameter.kind] in BY_KEY:
        return of_resource(db, rows_of(parameter), atoms, r)
    inside = f"SELECT x.patient_key, x.key FROM {rows_of(parameter)} WHERE {atoms.text}"
    return Clause(f"(CASE WHEN ({r}.patient_key, {r}.key) IN ({inside}) THEN 1 END)", atoms.values)


def is_absent(db: Database, parameter: Parameter) -> Clause:
    """Has the resource at alias ``r`` no value for it?"""
    found = has_value(db, parameter)
    return Clause(f"{found.text} IS NULL", found.values)
