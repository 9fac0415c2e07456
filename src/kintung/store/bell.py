"""A bell: threads wait for it to ring, and none misses a ring between two waits."""

import threading


class Bell:
    """Counts its rings; who waits says how many it has heard."""

    def __init__(self) -> None:
        self._rings = 0
        self._rung = threading.Condition()

    def ring(self) -> None:
        with self._rung:
            self._rings += 1
            self._rung.notify_all()

    def wait(self, heard: int, seconds: float) -> int:
        """Wait until it rang more than ``heard`` times, or ``seconds``; how often it rang by then."""
        with self._rung:
            self._rung.wait_for(lambda: self._rings > heard, seconds)
            return self._rings
