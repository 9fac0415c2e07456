"""A node that is really started: the command, a port the system picks, a socket."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import httpx


@dataclass(frozen=True)
class Started:
    """A served node: its address, and the process that serves it."""

    base: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        return cast(int, httpx.URL(self.base).port)

    def resident_bytes(self) -> int:
        """Memory held by the server and its workers."""
        pids = [self.process.pid, *_children(self.process.pid)]
        return sum(_resident(pid) for pid in pids)


@contextmanager
def started(url: str, workers: int = 1, *options: str) -> Iterator[Started]:
    """Serve the record at ``url`` unprotected on loopback; stopped at the end of the block."""
    command = [str(Path(sys.executable).with_name("kintung")), "serve", "--unprotected", "--port", "0"]
    with subprocess.Popen(
        [*command, "--database", url, "--workers", str(workers), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said: list[str] = []
        try:
            address = _address(process.stdout, said)
            # What it says later must not fill the pipe and stop it.
            drain = threading.Thread(target=said.extend, args=(process.stdout,), daemon=True)
            drain.start()
            yield Started(address, process)
        finally:
            process.terminate()
            process.wait(60)
        drain.join()


def _address(stdout: IO[str], said: list[str]) -> str:
    for line in stdout:
        said.append(line)
        if found := re.search(r"http://\S+/fhir", line):
            return found[0]
    raise AssertionError("".join(said))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += [int(child), *_children(int(child))]
    return found


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text() if status.exists() else "")
    return int(found[1]) * 1024 if found else 0
