"""One node for each test that asks for its API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import scale
from tests.server.api import Api
from tests.server.api import api as opened


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Stores have cases of their own; in a long run those of the API are held to all three too."""
    if "url" in metafunc.fixturenames:
        stores = ("memory", "sqlite", "postgres") if scale.is_long() else ("memory",)
        metafunc.parametrize("url", stores, indirect=True)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty record."""
    match request.param:
        case "sqlite":
            return f"sqlite:///{tmp_path}/record.db"
        case "postgres":
            return request.getfixturevalue("postgres_url")
        case _:
            return "memory:"


@pytest.fixture
def api(url: str) -> Iterator[Api]:
    with opened(url) as found:
        yield found
