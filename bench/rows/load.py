"""Loading transaction Bundles from files into SQLite, beside the raw limit of the same run."""

import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import apsw

from bench import bundles, raw
from bench.figures import Figure, Size, short, spread
from bench.machine import children_cpu, cpu, descendants, fsync_note, peak
from bench.processes import command
from kintung.app import open_node
from kintung.store.sqlite import CHECKPOINT_PAGES

_RAW_MOST = 60_000
"""Resources the raw limit is measured with: it keeps all of them in memory."""


class Loaded(NamedTuple):
    """One run of ``kintung load``."""

    seconds: float
    """Of the whole process."""
    rate: float
    """As it printed it: without the start of its process."""
    cpu: float
    """Seconds of processor, all its processes together."""
    peak: int
    """Bytes, all its processes together."""
    loading: float
    """Seconds of processor of the loading process alone; the others prepare."""
    progress: Sequence[tuple[float, int]]
    """(second, resources committed)."""


def measure(size: Size) -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=_folder()) as folder:
        return [*_ordinary(Path(folder), size), *(_million(Path(folder)) if size is Size.LONG else [])]


def _folder() -> Path:
    """On the disk of the project: /tmp may be memory."""
    folder = Path("build/bench")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _ordinary(folder: Path, size: Size) -> list[Figure]:
    source = folder / "people.ndjson"
    resources, bytes_read = bundles.write(source, 1)
    runs: list[Loaded] = []
    limits: list[raw.Cost] = []
    on_disk = 0
    for number in range(1 if size is Size.QUICK else 3):
        record = folder / f"r{number}"
        runs.append(load(source, record, resources))
        on_disk = _bytes(record)
        if number == 0:
            _prove(record)
        limits.append(_raw(record, folder / f"raw{number}.db"))
    rates = [run.rate for run in runs]
    raw_rates = [limit.rate for limit in limits]
    share = median(rates) / median(raw_rates)
    used = median(run.cpu for run in runs) / resources
    loading = median(run.loading for run in runs) / resources
    raw_cpu = median(limit.cpu for limit in limits)
    compact = sum(map(len, bundles.resource_texts()))
    held = max(run.peak for run in runs) / 2**20
    whole = [resources / run.seconds for run in runs]
    return [
        Figure(
            f"load {resources:,} resources ({bundles.name()})",
            spread(rates, "/s"),
            fsync_note(),
            "≥ 5,000/s",
            median(rates) >= 5_000,
        ),
        Figure(
            "  with the start of the process", spread(whole, "/s"), f"peak {held:,.0f} MiB, all processes"
        ),
        Figure("  against the raw limit", f"{share:.2f} ×", spread(raw_rates, "/s"), "≥ 0.5 ×", share >= 0.5),
        Figure(
            "  processor a resource, start included",
            f"{short(used)}, {short(loading)} of it where it is committed",
            f"{short(raw_cpu)} raw: {used / raw_cpu:.2f} ×",
        ),
        Figure(
            "  bytes on disk, all files",
            f"{on_disk / compact:.2f} × compact JSON",
            f"{on_disk / bytes_read:.2f} × the file of {bytes_read / 1e6:.1f} MB",
            "≤ 1.0 ×",
            on_disk <= compact,
        ),
    ]


def _million(folder: Path) -> list[Figure]:
    source = folder / "million.ndjson"
    copies = -(-1_020_000 // sum(bundles.entries_each()))
    resources, bytes_read = bundles.write(source, copies)
    record = folder / "million"
    loaded = load(source, record, resources)
    early = _rate_between(loaded.progress, 200_000, 300_000)
    late = _rate_between(loaded.progress, 900_000, 1_000_000)
    on_disk = _bytes(record)
    return [
        Figure(f"load {resources:,} resources", f"{loaded.rate:,.0f}/s", fsync_note()),
        Figure(
            "  900 k–1 M against 200–300 k",
            f"{late / early:.2f} × ({late:,.0f}/s)",
            f"{early:,.0f}/s",
            "≥ 0.8 ×",
            late >= 0.8 * early,
        ),
        Figure(
            "  bytes on disk, all files", f"{on_disk / bytes_read:.2f} × the file", f"{on_disk / 1e6:,.0f} MB"
        ),
        Figure("  WAL checkpointed from", f"{CHECKPOINT_PAGES:,} pages", "cache of the writer 64 MiB"),
        Figure("  peak memory", f"{loaded.peak / 2**20:,.0f} MiB", "all processes"),
    ]


def load(source: Path, record: Path, resources: int) -> Loaded:
    """Run ``kintung load`` on a new record, and see that all came in."""
    record.mkdir()
    began, used = time.perf_counter(), children_cpu()
    process = subprocess.Popen(
        command("load", source, "--database", _url(record)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    progress: list[tuple[float, int]] = []
    held, loading = 0, 0.0
    while process.poll() is None:
        time.sleep(0.5)
        progress.append((time.perf_counter() - began, _count(record)))
        held = max(held, _held(process.pid))
        loading = max(loading, cpu(process.pid))
    taken = time.perf_counter() - began
    assert process.stdout is not None
    printed = process.stdout.read()
    assert process.returncode == 0, printed
    found = re.search(r"([\d,]+) resources in ([\d.]+) s \(([\d,]+)/s\)", printed)
    assert found is not None, printed
    assert int(found[1].replace(",", "")) == resources == _count(record), printed
    return Loaded(taken, float(found[3].replace(",", "")), children_cpu() - used, held, loading, progress)


def _held(pid: int) -> int:
    """Peak memory of a process and those below it, as long as they are there."""
    total = 0
    for each in (pid, *_below(pid)):
        try:
            total += peak(each)
        except (OSError, ValueError):
            continue
    return total


def _below(pid: int) -> list[int]:
    try:
        return descendants(pid)
    except OSError:
        return []


def _count(record: Path) -> int:
    """Resources committed so far."""
    path = record / "x.db"
    if not path.exists():
        return 0
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(5_000)
        last: Any = connection.execute("SELECT coalesce(max(seq), 0) FROM log").fetchall()[0][0]
        return last
    except apsw.Error:
        return 0  # not made yet
    finally:
        connection.close()


def _prove(record: Path) -> None:
    subprocess.run(
        command("check", "--database", _url(record)),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _raw(record: Path, target: Path) -> raw.Cost:
    resources = raw.stored(_url(record), record / "x.db", _RAW_MOST)
    with open_node(_url(record)) as node:
        cost = raw.cost(target, resources, node)
    if len(resources) < _RAW_MOST:
        assert raw.index_rows(target) == raw.index_rows(record / "x.db"), "the raw limit wrote other rows"
    return cost


def _rate_between(progress: Sequence[tuple[float, int]], first: int, last: int) -> float:
    """Resources a second from one count to another, by linear interpolation."""
    return (last - first) / (_when(progress, last) - _when(progress, first))


def _when(progress: Sequence[tuple[float, int]], count: int) -> float:
    for (t0, n0), (t1, n1) in pairwise(progress):
        if n0 < count <= n1:
            return t0 + (t1 - t0) * (count - n0) / (n1 - n0)
    raise AssertionError(f"the load never reached {count:,}")


def _bytes(record: Path) -> int:
    return sum(file.stat().st_size for file in record.iterdir())


def _url(record: Path) -> str:
    return f"sqlite:///{record.resolve()}/x.db"
