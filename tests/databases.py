"""A new database of each kind that is kept on disk, for tests that start real processes."""

from pathlib import Path

import pytest

from tests.commands import sqlite_url

KINDS = ("sqlite", "postgres")


def fresh(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a new database; the PostgreSQL cluster is started when it is asked for."""
    if kind == "sqlite":
        return sqlite_url(folder / "record.db")
    return request.getfixturevalue("postgres").fresh_database()
