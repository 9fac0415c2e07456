"""Proof that the tables, columns and indexes are those that are declared, and no others."""

import re
from collections.abc import Iterator

from kintung.store.port import Finding
from kintung.store.sql.database import Database
from kintung.store.sql.proofs.walk import Readable
from kintung.store.sql.schema import FINGERPRINT, TABLES, VERSION, Table, ddl

Shapes = dict[str, str]
"""What a database object is, by its kind and name (``table log``), in normal form."""


def prove_schema(backend: Readable) -> Iterator[Finding]:
    """The catalogue of the database against ``kintung.store.sql.schema``."""
    with backend.reading() as db:
        said = dict(db.rows("SELECT name, value FROM node WHERE name IN ('schema', 'schema_version')"))
        found = _sqlite(db) if db.dialect == "sqlite" else _postgres(db)
    declared = _declared_sqlite() if db.dialect == "sqlite" else _declared_postgres()
    if said != {"schema": FINGERPRINT, "schema_version": str(VERSION)}:
        yield Finding("schema", "the fingerprint is not that of this version", "node")
    for name in sorted(declared.keys() - found.keys()):
        yield Finding("schema", "missing", name)
    for name in sorted(found.keys() - declared.keys()):
        yield Finding("schema", "not declared", name)
    for name in sorted(declared.keys() & found.keys()):
        if declared[name] != found[name]:
            yield Finding("schema", f"is {found[name]}, declared {declared[name]}", name)


def _declared_sqlite() -> Shapes:
    return {_title(statement): _normal(statement) for statement in ddl("sqlite")}


def _sqlite(db: Database) -> Shapes:
    """SQLite keeps the text of the statement that made each table and index."""
    rows = db.rows("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {f"{type} {name}": _normal(sql) for type, name, sql in rows if not name.startswith("sqlite_")}


def _title(statement: str) -> str:
    """``table log`` of CREATE TABLE log (...)."""
    _, kind, name, *_ = statement.split()
    return f"{kind.lower()} {name}"


def _normal(statement: str) -> str:
    return re.sub(r"\s+", " ", statement.partition("(")[2] if " ON " not in statement else statement).strip()


_POSTGRES_TYPES = {"int": "bigint", "text": "text C", "blob": "bytea"}


def _declared_postgres() -> Shapes:
    shapes: Shapes = {}
    for table in TABLES:
        shapes[f"table {table.name}"] = _columns(table)
        shapes[f"index {table.name}_pkey"] = f"unique ({', '.join(table.key)})"
        for columns in table.unique:
            shapes[f"index {table.name}_{'_'.join(columns)}_key"] = f"unique ({', '.join(columns)})"
        for name, columns, where in table.indexes:
            shapes[f"index {name}"] = f"({', '.join(columns)})" + (f" where {where}" if where else "")
    return shapes


def _columns(table: Table) -> str:
    return ", ".join(f"{name} {_POSTGRES_TYPES[kind]} not null" for name, kind in table.columns)


def _postgres(db: Database) -> Shapes:
    shapes: Shapes = {}
    here = "c.relnamespace = current_schema()::regnamespace"
    for kind, name in db.rows(
        f"SELECT c.relkind::text, c.relname FROM pg_class c WHERE {here} AND c.relkind NOT IN ('i', 't', 'c')"
    ):
        shapes[f"{'table' if kind == 'r' else f'relation of kind {kind}'} {name}"] = ""
    columns = db.rows(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, l.collname"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " LEFT JOIN pg_collation l ON l.oid = a.attcollation"
        f" WHERE {here} AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY c.relname, a.attnum"
    )
    for table, name, kind, fixed, collation in columns:
        shape = f"{name} {kind}{f' {collation}' if collation else ''}{' not null' if fixed else ''}"
        before = shapes[f"table {table}"]
        shapes[f"table {table}"] = f"{before}, {shape}" if before else shape
    indexes = db.rows(
        "SELECT c.relname, i.indisunique, i.indisvalid, ARRAY(SELECT pg_get_indexdef(c.oid, n, true)"
        " FROM generate_series(1, i.indnatts) n), pg_get_expr(i.indpred, i.indrelid) FROM pg_class c"
        f" JOIN pg_index i ON i.indexrelid = c.oid WHERE {here}"
    )
    for name, unique, valid, parts, where in indexes:
        condition = f" where {where.strip('()')}" if where else ""
        shapes[f"index {name}"] = (
            f"{'unique ' if unique else ''}({', '.join(parts)}){condition}{'' if valid else ' (not valid)'}"
        )
    triggers = db.rows(
        "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        f" WHERE {here} AND NOT t.tgisinternal"
    )
    shapes.update((f"trigger {name}", "") for (name,) in triggers)
    return shapes
