"""When to try again: soon at first, then less and less often, for days.

A pause is half of the time that has passed, so that after it each attempt is half as far again
from the beginning as the one before: 36 attempts in four days, and the receiver that comes back is
met after half the time that it was away, or six hours.
"""

SECOND = 1_000_000
FIRST_PAUSE = 10 * SECOND
LONGEST_PAUSE = 6 * 3_600 * SECOND
GIVEN_UP_AFTER = 4 * 24 * 3_600 * SECOND
"""Four days: over a long weekend."""
HANDSHAKE_GIVEN_UP_AFTER = 3_600 * SECOND
"""An hour: who asked is likely to be looking."""


def pause_after(age: int, *, given_up_after: int = GIVEN_UP_AFTER, asked: int = 0) -> int | None:
    """How long to wait after an attempt failed, in microseconds; None to give up.

    Args:
        age: since it was queued, microseconds.
        asked: what the receiver asked for by Retry-After, microseconds; heard up to the longest pause.
    """
    if age >= given_up_after:
        return None
    return min(max(FIRST_PAUSE, age // 2, asked), LONGEST_PAUSE)
