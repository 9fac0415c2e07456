"""The one place where time and chance enter.

Everything else is given a ``Clock`` and an ``Entropy`` as arguments, so that a run can
be repeated: with ``SetClock`` and ``SeededEntropy`` the same calls write the same log.
A test reads every other module of the package and refuses clocks, random numbers and
key generators there.

``now_micros`` is the civil clock and may jump or run backwards; the store sees to it
that ``lastUpdated`` never decreases in commit order. Durations and time-outs are not
civil time and use ``time.monotonic`` where they are needed.
"""

import os
import random
import threading
import time
from typing import Protocol

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PIECE = 4096
_ID_LENGTH = 22  # 62 ** 22 is just over 2 ** 128


class Clock(Protocol):
    """Tells civil time."""

    def now_micros(self) -> int:
        """Return whole microseconds since 1970-01-01T00:00:00Z."""
        ...


class Entropy(Protocol):
    """Makes what must not be guessed: ids, keys, nonces."""

    def new_id(self) -> str:
        """Return a new FHIR id: 22 characters of ``[A-Za-z0-9]`` that hold 128 random bits.

        Source: FHIR R4 datatypes, ``id`` (at most 64 of ``[A-Za-z0-9-.]``).
        """
        ...

    def bytes(self, n: int) -> bytes:
        """Return ``n`` random bytes."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_micros(self) -> int:
        return time.time_ns() // 1_000


class ShiftedClock:
    """The machine's clock so many microseconds later, or with a negative number earlier: for a demo."""

    def __init__(self, micros: int) -> None:
        self._micros = micros

    def now_micros(self) -> int:
        return time.time_ns() // 1_000 + self._micros


class SetClock:
    """A clock that stands where it is set; ``tick`` microseconds pass at each reading."""

    def __init__(self, at_micros: int, *, tick: int = 0) -> None:
        self._at = at_micros
        self._tick = tick

    def now_micros(self) -> int:
        at = self._at
        self._at += self._tick
        return at

    def jump(self, micros: int) -> None:
        """Move by ``micros``; a negative number moves the clock back."""
        self._at += micros


class SystemEntropy:
    """The operating system's random source, drawn from in pieces of a page.

    Each call to the system gives up the interpreter, which a busy thread then takes: drawn one
    nonce at a time, waiting to go on costs more than sealing does. A forked child starts with
    nothing drawn, so that no two processes ever use the same bytes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drawn = b""
        self._used = 0
        os.register_at_fork(after_in_child=self._forget)

    def new_id(self) -> str:
        return id_from(self.bytes(16))

    def bytes(self, n: int) -> bytes:
        if n > _PIECE:
            return os.urandom(n)
        with self._lock:
            end = self._used + n
            if end > len(self._drawn):
                self._drawn = os.urandom(_PIECE)
                self._used, end = 0, n
            taken = self._drawn[self._used : end]
            self._used = end
        return taken

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._drawn = b""
        self._used = 0


class SeededEntropy:
    """Repeats itself from a seed; never for a node that holds real data."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable is the point

    def new_id(self) -> str:
        return id_from(self._random.randbytes(16))

    def bytes(self, n: int) -> bytes:
        return self._random.randbytes(n)


def id_from(raw: bytes) -> str:
    """Write 16 bytes in base 62, most significant character first."""
    number = int.from_bytes(raw)
    pairs: list[str] = []
    for _ in range(_ID_LENGTH // 2):
        number, pair = divmod(number, _PAIRS)
        pairs.append(_PAIR_NAMES[pair])
    pairs.reverse()
    return "".join(pairs)


def uuid_of(raw: bytes) -> str:
    """16 random bytes as a version 4 UUID. Source: RFC 9562, section 5.4."""
    number = int.from_bytes(raw) & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


_PAIRS = 62 * 62
_PAIR_NAMES = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
