"""The command ``kintung`` as its users have it: real processes, real ports, real signals."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.waiting import until

KINTUNG = Path(sys.executable).with_name("kintung")
SECONDS = 120
"""How long any one step may take on a busy machine before it counts as hung."""

ESTABLISHED = "01"
"""The state of an open connection in /proc/net/tcp (Linux, include/net/tcp_states.h)."""


def environment(home: Path) -> dict[str, str]:
    """The environment with a data folder and a temporary folder of the test's own."""
    folders = {name: home / name for name in ("data", "temporary")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    return {
        **os.environ,
        "XDG_DATA_HOME": str(folders["data"]),
        "TMPDIR": str(folders["temporary"]),
        "PYTHONWARNINGS": "",
    }


def kintung(home: Path, *arguments: str | Path, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [KINTUNG, *arguments],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def done(finished: subprocess.CompletedProcess[str]) -> str:
    """What a command that went well printed."""
    assert finished.returncode == 0, (finished.stdout, finished.stderr)
    return finished.stdout


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def started(
    home: Path, *arguments: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start a command as the leader of a process group of its own."""
    return subprocess.Popen(
        [KINTUNG, *arguments],
        env={**environment(home), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str], *signals: int) -> tuple[int, str, str]:
    """Exit code and what is left of both outputs, after sending ``signals`` to the process."""
    for number in signals:
        process.send_signal(number)
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        kill_group(process)
        raise
    return process.returncode, out, err


def kill_group(process: subprocess.Popen[str]) -> None:
    """SIGKILL to the command and all it started, as a power switch would."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def complaints(errors: str) -> str:
    """What a command wrote on standard error less its progress."""
    return re.sub(r"^\w+: [\d,]+ (?:s|\([\d,]+/s\))\n", "", errors, flags=re.MULTILINE)


def group(process: subprocess.Popen[str]) -> list[int]:
    """The processes of the command's group that are still there (zombies are not)."""
    alive: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == process.pid and fields[0] != "Z":
            alive.append(int(stat.parent.name))
    return alive


def until_group_is_gone(process: subprocess.Popen[str]) -> None:
    """Wait until everything of the group has ended."""
    until(lambda: not group(process), "the processes of the group to end")


@dataclass(frozen=True)
class Served:
    """A node that is served by a process of its own. ``base`` is the address of its FHIR API."""

    base: str
    process: subprocess.Popen[str]

    @property
    def root(self) -> str:
        return self.base.removesuffix("/fhir")

    def client(self) -> httpx.Client:
        """A client that keeps its one connection, and so the worker that took it, however long it rests."""
        return httpx.Client(
            base_url=f"{self.base}/", timeout=SECONDS, limits=httpx.Limits(keepalive_expiry=None)
        )


@contextmanager
def serving(home: Path, url: str, *arguments: str | Path, complaint: str = "") -> Iterator[Served]:
    """Serve a database unprotected on a free port; stopped by SIGTERM at the end.

    Args:
        complaint: a pattern of the lines it may write on standard error, else none.
    """
    process = started(home, "serve", "--unprotected", "--port", "0", "--database", url, *arguments)
    try:
        yield Served(base_of(process), process)
        if process.poll() is None:
            code, _, err = ended(process, signal.SIGTERM)
            assert code == 0, f"exit code {code}: {err}"
            assert [line for line in err.splitlines() if not re.fullmatch(complaint, line)] == []
    finally:
        kill_group(process)


def worker_of(served: Served, client: httpx.Client) -> int:
    """The process that answers on the one connection of ``client``."""
    answer = client.get("metadata")
    port = answer.extensions["network_stream"].get_extra_info("client_addr")[1]
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    mine = (f":{httpx.URL(served.base).port:04X}", f":{port:04X}")
    # The system writes the table a page at a time while others connect: a row can come twice, and
    # beside an open connection one of the same two ports that has ended and waits.
    [inode] = {
        each[9]
        for each in lines
        if each[1].endswith(mine[0]) and each[2].endswith(mine[1]) and each[3] == ESTABLISHED
    }
    for process in group(served.process):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):
                if os.readlink(descriptor) == f"socket:[{inode}]":
                    return process
    raise AssertionError("no process of the node holds the connection")


def base_of(process: subprocess.Popen[str]) -> str:
    """The address a serving command prints once it takes requests."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("FHIR R4 at "):
            return line.removeprefix("FHIR R4 at ").strip()
    raise AssertionError(f"it ended before it served: {ended(process)}")


EXAMPLES = 6
"""Addresses to try that the demo prints."""


@dataclass(frozen=True)
class Demo:
    """A running demo, and the lines it printed until its examples were all there."""

    process: "subprocess.Popen[str]"
    lines: list[str]

    @property
    def examples(self) -> list[str]:
        return [line for line in self.lines if line.startswith("curl ")]

    @property
    def base(self) -> str:
        """The address of its FHIR API."""
        return self.examples[0].removeprefix("curl -s '").removesuffix("/metadata'")


@contextmanager
def demo(home: Path, *arguments: str | Path) -> Iterator[Demo]:
    """Run the demo on a free port; killed at the end if it still runs."""
    process = started(home, "demo", "--port", "0", *arguments)
    shown = Demo(process, [])
    try:
        assert process.stdout is not None
        for line in process.stdout:
            shown.lines.append(line.rstrip("\n"))
            if len(shown.examples) == EXAMPLES:
                break
        assert len(shown.examples) == EXAMPLES, (shown.lines, process.communicate())
        yield shown
    finally:
        kill_group(process)
