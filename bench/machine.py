"""The machine and what runs on it: stated beside every figure."""

import os
import platform
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import apsw

import kintung
from bench.figures import Times, short

ROOT = Path(__file__).resolve().parents[1]


def description() -> list[str]:
    """Machine, versions, commit and load, one a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = f"Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}"
    return [
        f"machine: {os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, Linux {platform.release()}",
        f"software: {versions}, commit {_commit()}",
        f"load average before: {' '.join(f'{load:.1f}' for load in os.getloadavg())}",
        f"fsync of 4 KiB appended: {fsync_times()}",
    ]


def fsync_times(folder: Path | None = None, count: int = 50) -> Times:
    """How long the disk takes to make 4 KiB durable, appended as a log is."""
    taken: list[float] = []
    with tempfile.NamedTemporaryFile(dir=folder or ROOT) as file:
        for _ in range(count):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return Times.of(taken)


def fsync_note() -> str:
    """For the column beside a write."""
    return f"fsync {short(fsync_times().p50)}"


def memory(pid: int) -> tuple[int, int]:
    """RSS and PSS of a process, bytes."""
    kinds = {"Rss:": 0, "Pss:": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, *rest = line.split()
        if name in kinds:
            kinds[name] = int(rest[0]) * 1024
    return kinds["Rss:"], kinds["Pss:"]


def peak(pid: int) -> int:
    """The most a process ever held, bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def cpu(pid: int) -> float:
    """Seconds of processor a process has used; 0 when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_cpu() -> float:
    """Seconds of processor used by all that this process started and that has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descendants(pid: int) -> list[int]:
    below = children(pid)
    return [*below, *(each for child in below for each in descendants(child))]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    """Of the tree whose ``kintung`` is measured."""
    tree = Path(kintung.__file__).resolve().parents[2]

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=tree, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = " with changes in src" if git("status", "--porcelain", "--", "src") else ""
    return (git("rev-parse", "--short", "HEAD") or "unknown") + changed
