"""All rows of a record's database, read past the store."""

from contextlib import closing
from typing import Any

import apsw
import psycopg

from kintung.app import sqlite_path
from kintung.store.sql.schema import TABLES

Tables = dict[str, list[tuple[Any, ...]]]


def tables(url: str) -> Tables:
    """Every table in the order of its key."""
    statements = {
        table.name: f"SELECT * FROM {table.name} ORDER BY {', '.join(table.key)}" for table in TABLES
    }
    if url.startswith("sqlite:"):
        with closing(apsw.Connection(str(sqlite_path(url)))) as database, database:
            return {name: database.execute(text).fetchall() for name, text in statements.items()}
    with psycopg.connect(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return {name: connection.execute(text.encode()).fetchall() for name, text in statements.items()}
