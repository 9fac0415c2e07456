"""What the commands say: results on standard output, progress on standard error."""

import sys
import time


def say(line: str = "") -> None:
    """One line of the result."""
    print(line, flush=True)  # noqa: T201 - this is a command


class Progress:
    """A line that is written over once a second on a terminal, and every ten seconds elsewhere."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._terminal = sys.stderr.isatty()
        self._every = 1.0 if self._terminal else 10.0
        self._started = self._last = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def show(self, count: int) -> None:
        now = time.monotonic()
        if now - self._last < self._every:
            return
        self._last = now
        end = "\r" if self._terminal else "\n"
        rate = count / max(now - self._started, 0.001)
        sys.stderr.write(f"{self._what}: {count:,} ({rate:,.0f}/s){end}")
        sys.stderr.flush()

    def end(self) -> None:
        if self._terminal:
            sys.stderr.write("\x1b[2K")
