"""What the tests of leaks share: a node in memory, and a folder where nothing waits for a disk."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.api import Api
from tests.server.api import api as opened

IN_MEMORY = Path("/dev/shm")


@pytest.fixture
def api() -> Iterator[Api]:
    with opened() as found:
        yield found


@pytest.fixture(scope="session")
def quick_folder() -> Iterator[Path]:
    """An empty folder in memory where there is one: these tests promise nothing of power loss."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def folder(quick_folder: Path) -> Iterator[Path]:
    """``quick_folder`` for one test."""
    with tempfile.TemporaryDirectory(dir=quick_folder) as found:
        yield Path(found)
