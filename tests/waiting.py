"""Waiting for what another process or thread comes to: the one place that does, and never for ever."""

import time
from collections.abc import Callable

SECONDS = 120.0


def until(condition: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    """Wait for a condition; fail, naming it, when it does not come in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        time.sleep(0.001)
