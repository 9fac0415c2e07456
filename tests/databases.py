"""Databases that are kept on disk, for tests that start real processes."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import psycopg
import pytest

from tests.commands import sqlite_url

KINDS = ("sqlite", "postgres")


def fresh(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a new database; the PostgreSQL cluster is started when it is asked for."""
    if kind == "sqlite":
        return sqlite_url(folder / "record.db")
    return request.getfixturevalue("postgres").fresh_database()


@contextmanager
def looking(url: str) -> Generator[Callable[[str], list[Any]]]:
    """A way to read tables past the store, each time as they are committed."""
    if url.startswith("sqlite:///"):
        sqlite = apsw.Connection(url.removeprefix("sqlite:///"), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            yield lambda statement: sqlite.execute(statement).fetchall()
        finally:
            sqlite.close()
        return
    with psycopg.connect(url, autocommit=True) as postgres:
        yield lambda statement: postgres.execute(statement.encode()).fetchall()
