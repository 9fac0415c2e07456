"""How long one request may be worked on, where the work has many steps."""

import time
from collections.abc import Callable
from math import inf

from kintung.errors import TimedOut


class Deadline:
    """An end of the time for something; looked at between steps, it interrupts none."""

    def __init__(self, seconds: float = inf, now: Callable[[], float] = time.monotonic) -> None:
        """``now`` tells seconds from any beginning."""
        self._seconds = seconds
        self._now = now
        self._end = now() + seconds

    @property
    def left(self) -> float:
        """Seconds until the end, 0 after it."""
        return max(self._end - self._now(), 0.0)

    def keep(self) -> None:
        """Go on.

        Raises:
            TimedOut: the end is past.
        """
        if self._now() >= self._end:
            raise TimedOut(f"This took longer than {self._seconds:g} seconds; send less at once.")
