"""What the commands say: results on standard output, progress on standard error."""

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self


def say(line: str = "") -> None:
    """One line of the result."""
    print(line, flush=True)  # noqa: T201 - this is a command


class Progress:
    """How far a long command is: a line written over each second on a terminal, a new line
    every ten seconds elsewhere; none for what is done before that.

    A thread writes the line, so it also comes while one step takes long.
    """

    def __init__(self, what: str, count: Callable[[], int] = lambda: 0) -> None:
        """``count`` says how many are done; nothing is counted when it says 0."""
        self._what = what
        self._count = count
        self._terminal = sys.stderr.isatty()
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._writer = threading.Thread(target=self._write, name="kintung-progress", daemon=True)

    def __enter__(self) -> Self:
        self._writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._writer.join()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def _write(self) -> None:
        written = False
        while not self._ended.wait(1.0 if self._terminal else 10.0):
            sys.stderr.write(f"\r\x1b[2K{self._line()}" if self._terminal else f"{self._line()}\n")
            sys.stderr.flush()
            written = True
        if written and self._terminal:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def _line(self) -> str:
        count = self._count()
        if not count:
            return f"{self._what}: {self.seconds:,.0f} s"
        return f"{self._what}: {count:,} ({count / self.seconds:,.0f}/s)"
