"""Starting, watching, stopping and killing the writer processes of these tests."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tests.durability.writer import Orders
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 120.0


class WriterProcess:
    """One writer process; killed at the latest at the end of the test."""

    def __init__(self, orders: Orders) -> None:
        self.acks_file = Path(orders.acks)
        self._before = len(self.acks())
        command = [sys.executable, "-m", "tests.durability.writer", json.dumps(asdict(orders))]
        self._said = Path(f"{orders.acks}.stderr")  # a pipe nobody reads would stop who says much
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(command, cwd=ROOT, stderr=said)

    def acks(self) -> list[list[str]]:
        """All acknowledged units in the file, each a list of ``Type/id/version``."""
        if not self.acks_file.exists():
            return []
        return [line.split() for line in self.acks_file.read_text().splitlines()]

    def acknowledged(self) -> int:
        """Units this process was told are stored."""
        return len(self.acks()) - self._before

    def wait_for_acks(self, count: int) -> None:
        """Until so many more units are acknowledged than now."""
        wanted = self.acknowledged() + count
        until(lambda: self.alive() and self.acknowledged() >= wanted, f"{wanted} acknowledgements")

    def alive(self) -> bool:
        """True, or the test fails with what the process said when it ended."""
        if self._process.poll() is None:
            return True
        raise AssertionError(f"the writer ended:\n{self._said.read_text()}")

    def stop(self) -> None:
        """Stop it where it stands, all threads; returns when it has stopped."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL: no handler, no clean-up."""
        self._process.kill()
        self._process.wait()

    @property
    def killed(self) -> bool:
        return self._process.returncode is not None


@contextmanager
def writing(orders: Orders) -> Iterator[WriterProcess]:
    writer = WriterProcess(orders)
    try:
        yield writer
    finally:
        if not writer.killed:
            writer.kill()


def is_held(lock: Path) -> bool:
    """Is someone inside the commit section of a SQLite file?"""
    file = os.open(lock, os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(file)


def stop_where(writer: WriterProcess, wanted: Callable[[], bool], what: str) -> None:
    """Stop a running writer at a moment when ``wanted`` holds, and still does once it has stopped."""
    end = time.monotonic() + DEADLINE_SECONDS
    while True:
        assert time.monotonic() < end, f"never stopped {what}"
        until(wanted, what)
        writer.stop()
        if wanted():
            return
        writer.resume()


def lock_of(database: Path) -> Path:
    """The lock file beside a SQLite file."""
    return database.with_name(database.name + ".lock")


@contextmanager
def mortal(url: str, keys: Path) -> Iterator[Callable[[int, str], bool]]:
    """Start the process that dies on demand: give it a statement and a unit; True when it was killed."""
    command = [sys.executable, "-m", "tests.durability.dying", json.dumps({"url": url, "keys": str(keys)})]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def die(number: int, name: str) -> bool:
            stdin.write(f"{number} {name}\n")
            stdin.flush()
            answer = stdout.readline().strip()
            assert answer in ("killed", "done"), "the process ended"
            return answer == "killed"

        yield die
        stdin.close()
