"""What tests of stores side by side begin with."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.stores import ADAPTERS, Record, opened


@pytest.fixture
def records(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[list[Record]]:
    """One of each store, empty."""

    def postgres() -> str:
        return request.getfixturevalue("postgres_url")

    with ExitStack() as stack:
        for each in ADAPTERS:
            (tmp_path / each).mkdir()
        yield [stack.enter_context(opened(each, tmp_path / each, postgres)) for each in ADAPTERS]
