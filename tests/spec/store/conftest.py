"""Every test here runs on every adapter: it asks for ``record`` and knows nothing of the store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores import ADAPTERS, Record, opened


@pytest.fixture(params=ADAPTERS)
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Record]:
    """An empty store with a clock that stands at the start of the test."""
    with opened(request.param, tmp_path, lambda: request.getfixturevalue("postgres_url")) as record:
        yield record
