"""One browser and one served record for all tests of pages that only look."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import HOW_TO_INSTALL, browser, is_ready
from tests.browser.world import site, world


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium without a window; its loop of events ends with the module, so that others may have theirs."""
    if not is_ready():
        pytest.skip(HOW_TO_INSTALL)
    with browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a record that nobody changes."""
    with world(tmp_path_factory.mktemp("looked-at")) as served:
        yield site(served)


@pytest.fixture
def decided(tmp_path: Path) -> Iterator[str]:
    """The address of a record of this test's own."""
    with world(tmp_path, more=20) as served:
        yield site(served)
