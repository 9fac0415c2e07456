"""What the workers of a node have answered, counted where each of them can read it.

One file for a run of the node, mapped into every worker: a row of numbers for each. A worker
takes a free row by locking its place in the file. The lock ends with the worker, however it
ends; who comes after it counts on from its numbers, so that no total ever falls.
"""

import fcntl
import mmap
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kintung.errors import Unavailable

ROWS = 160
"""More workers than a node has, those that are being replaced included."""
STATUSES = 600
"""Numbers a status may be."""
_TAKEN, _IN_FLIGHT, _HEAD = 0, 1, 2
"""What a row begins with: 1 once it was taken, what is under way; then answers, by name and status."""


class Gathered(NamedTuple):
    """What all workers together have under way and have answered, by name and status."""

    workers: int
    in_flight: int
    answered: Counter[tuple[str, int]]


class Counts:
    """The counts of one worker, beside those of the others. Used on one thread."""

    def __init__(self, names: Sequence[str], file: Path | None = None) -> None:
        """Begin to count.

        Args:
            names: of what is answered; the same in all workers of a run.
            file: that the workers share, made by the first; None for a worker by itself.

        Raises:
            Unavailable: all rows are taken.
        """
        self._names = tuple(names)
        self._place = {name: _HEAD + number * STATUSES for number, name in enumerate(names)}
        self._length = _HEAD + len(names) * STATUSES
        size = 8 * self._length
        if file is None:
            self._rows, self._row = memoryview(bytearray(size)).cast("Q"), 0
            self._file = None
        else:
            self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.ftruncate(self._file, size * ROWS)  # of one length in all workers; nothing is cut
            self._rows = memoryview(mmap.mmap(self._file, size * ROWS)).cast("Q")
            self._row = next((row for row in range(ROWS) if self._is_free(row)), -1)
            if self._row < 0:
                raise Unavailable("there are more workers than can be counted.")
        self._at = self._row * self._length
        self._rows[self._at + _TAKEN] = 1
        self.in_flight(0)

    def in_flight(self, count: int) -> None:
        """So many requests are being served."""
        self._rows[self._at + _IN_FLIGHT] = count

    def answered(self, name: str, status: int) -> None:
        """One more answer."""
        self._rows[self._at + self._place[name] + status] += 1

    def gathered(self) -> Gathered:
        """The counts of all workers of the run; what died has nothing under way."""
        answered: Counter[tuple[str, int]] = Counter()
        workers = in_flight = 0
        for first in range(0, len(self._rows), self._length):
            row = self._rows[first : first + self._length].tolist()
            if not row[_TAKEN]:
                break  # rows are taken in their order
            if first == self._at or not self._is_free(first // self._length, keep=False):
                workers += 1
                in_flight += row[_IN_FLIGHT]
            for at, count in enumerate(row[_HEAD:]):
                if count:
                    answered[self._names[at // STATUSES], at % STATUSES] += count
        return Gathered(workers, in_flight, answered)

    def _is_free(self, row: int, *, keep: bool = True) -> bool:
        """Whether no other worker has a row; it is this one's then, if it is to ``keep`` it."""
        assert self._file is not None
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, row)
        except OSError:
            return False
        if not keep:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, row)
        return True
