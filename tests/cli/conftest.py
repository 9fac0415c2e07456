"""A new SQLite database for each test that asks for one, and the command on it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import kintung, sqlite_url

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "record.db")


@pytest.fixture
def run(tmp_path: Path, url: str) -> Run:
    """Run a command on the test's own database."""

    def on_the_database(command: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        return kintung(tmp_path, command, *arguments, "--database", url)

    return on_the_database
