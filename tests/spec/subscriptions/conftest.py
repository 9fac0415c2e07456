"""Every test here runs on every adapter: it asks for ``telling`` and knows nothing of the store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receivers import Receiver, receiver
from tests.spec.subscriptions.telling import Telling
from tests.stores import ADAPTERS, opened


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as listening:
        yield listening


@pytest.fixture(params=ADAPTERS)
def telling(request: pytest.FixtureRequest, tmp_path: Path, hook: Receiver) -> Iterator[Telling]:
    """An empty store whose follower and delivery do a step when told, and a receiver that listens."""
    with opened(request.param, tmp_path, lambda: request.getfixturevalue("postgres_url"), tick=0) as record:
        yield Telling(record, hook)
