"""One node in memory, called as callers call it, for each test that asks for it."""

from collections.abc import Iterator

import pytest

from tests.server.api import Api
from tests.server.api import api as opened


@pytest.fixture
def api() -> Iterator[Api]:
    with opened() as found:
        yield found
