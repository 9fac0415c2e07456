"""Starting what is measured as its users do: the command in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from bench.machine import cpu, descendants, memory
from bench.wrk import HOST

_MAIN = "import sys; from kintung.cli import main; sys.exit(main())"
SECONDS = 60
"""How long a server may take to start or stop before the row fails."""


def command(*arguments: str | Path) -> list[str]:
    """``kintung`` of this tree with these arguments."""
    return [sys.executable, "-c", _MAIN, *map(str, arguments)]


@dataclass(frozen=True, slots=True)
class Server:
    """A server that takes requests on loopback."""

    port: int
    pid: int

    def workers(self) -> list[int]:
        """The processes that answer."""
        return [pid for pid in descendants(self.pid) if memory(pid)[1] > 20_000_000]

    def processor(self) -> float:
        """Seconds of processor that all its processes have used so far."""
        return sum(map(cpu, (self.pid, *descendants(self.pid))))

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """One request on a connection of its own: status and body."""
        connection = HTTPConnection(HOST, self.port, timeout=SECONDS)
        try:
            content = {"content-type": "application/fhir+json"} if body else {}
            connection.request(method, path, body or None, {**content, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def serving(url: str, *, workers: int = 2) -> Generator[Server]:
    """``kintung serve`` on the record at ``url``, unprotected."""
    arguments = command("serve", "--unprotected", "--port", "0", "--workers", str(workers), "--database", url)
    with started(arguments) as server:
        yield server


@contextmanager
def started(arguments: list[str]) -> Generator[Server]:
    """A command that prints the address it serves; it and what it started end with the block."""
    process = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the server did not start"
        server = Server(int(line.rpartition(f"{HOST}:")[2].split("/")[0]), process.pid)
        _wait_until_all_answer(server)
        yield server
    finally:
        _end(process)


def _wait_until_all_answer(server: Server) -> None:
    """The first worker may take requests before the others have started."""
    for _ in range(20):
        status, _ = server.ask("GET", "/healthz")
        assert status == 200, status
        time.sleep(0.05)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
