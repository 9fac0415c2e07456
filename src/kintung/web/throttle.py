"""How often a client may ask what could be asked to enumerate: so many at once, then one by one.

Each worker counts for itself and in memory. That is enough: a count that is lost when a worker starts gives
a client one more burst, every question is in the audit whatever the count says, and an enumeration needs
thousands of bursts. In the database each question would be one more commit to wait for.
"""

from threading import Lock

from kintung.clock import Clock
from kintung.errors import Throttled

MOST_CLIENTS = 10_000
"""Clients that are remembered; of more, who has waited longest is forgotten."""


class Throttle:
    """Lets each client ask ``most`` times at once and ``most`` times in ``seconds``, evenly.

    What is kept of a client is one instant: when all that it asked will have been paid for
    (the generic cell rate algorithm).
    """

    def __init__(self, most: int, seconds: float, clock: Clock) -> None:
        self._span = int(seconds * 1_000_000)
        self._each = self._span // most
        self._clock = clock
        self._paid: dict[str, int] = {}
        self._lock = Lock()

    def take(self, client: str) -> None:
        """Count one question of a client.

        Raises:
            Throttled: it has asked as often as it may; ``after`` says in how many seconds it may again.
        """
        with self._lock:
            now = self._clock.now_micros()
            # A clock that was put back must not shut a client out for longer than the span.
            paid = min(max(self._paid.pop(client, now), now), now + self._span)
            wait = paid + self._each - self._span - now
            if wait > 0:
                self._paid[client] = paid
                seconds = -(-wait // 1_000_000)
                text = f"You have asked as often as one client may; ask again in {seconds} s."
                raise Throttled(text, after=seconds)
            self._paid[client] = paid + self._each
            if len(self._paid) > MOST_CLIENTS:
                del self._paid[next(iter(self._paid))]
