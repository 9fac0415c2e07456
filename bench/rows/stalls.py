"""The longest a commit waits: while checkpoints run, and while a loader writes to the same record."""

import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec

from bench import bundles, population
from bench.figures import Figure, Size, Times, short
from bench.machine import fsync_note
from bench.population import ALL
from bench.processes import command
from kintung.app import Node, open_node
from kintung.fhir.json import parse
from kintung.store.port import Unit, View
from kintung.store.writes import AuditRecord, Outcome, Prepared


def measure(size: Size) -> list[Figure]:
    population.FOLDER.mkdir(parents=True, exist_ok=True)
    seconds = 6 if size is Size.QUICK else 30
    figures: list[Figure] = []
    for many in (1, 50):
        with tempfile.TemporaryDirectory(dir=population.FOLDER) as folder:
            times, checkpoints = _alone(Path(folder).resolve(), many, seconds)
        figures.append(
            _figure(
                f"commits of {many}, one after another",
                times,
                f"{checkpoints} checkpoints, {fsync_note()}",
            )
        )
    with tempfile.TemporaryDirectory(dir=population.FOLDER) as folder:
        times = _beside_a_loader(Path(folder).resolve())
    figures.append(_figure("commits of 1 while kintung load runs", times, fsync_note(), p95=True))
    return figures


def _figure(what: str, times: Times, beside: str, *, p95: bool = False) -> Figure:
    usual = f"p95 {short(times.p95)}, " if p95 else ""
    longest = f"longest {short(times.worst)}, p99.9 {short(times.quantile(0.999))}"
    return Figure(
        what,
        f"{longest}, {usual}p50 {short(times.p50)} of {len(times.seconds):,}",
        beside,
        "longest ≤ 200 ms",
        times.worst <= 0.2,
    )


def _alone(folder: Path, many: int, seconds: float) -> tuple[Times, int]:
    """Commit latencies, and how often a checkpoint made the database file grow meanwhile."""
    sizes: list[int] = []

    def go_on() -> bool:
        sizes.append((folder / "x.db").stat().st_size)
        return time.perf_counter() < ends

    with open_node(f"sqlite:///{folder}/x.db") as node:
        ends = time.perf_counter() + seconds
        times = _commit(node, many, go_on)
        assert _sequence(node) == many * len(times.seconds), "a commit is missing"
    return times, len(set(sizes)) - 1


def _beside_a_loader(folder: Path) -> Times:
    url = f"sqlite:///{folder}/x.db"
    resources, _ = bundles.write(folder / "people.ndjson", 1)
    with open_node(url) as node:
        loader = subprocess.Popen(
            command("load", folder / "people.ndjson", "--database", url),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            while _sequence(node) == 0:
                time.sleep(0.05)
            times = _commit(node, 1, lambda: loader.poll() is None)
        finally:
            if loader.poll() is None:
                loader.terminate()
            printed, _ = loader.communicate()
        assert loader.returncode == 0, printed
        assert _sequence(node) == resources + len(times.seconds), "something is missing"
    return times


def _sequence(node: Node) -> int:
    with node.store.view() as view:
        return view.sequence


def _commit(node: Node, many: int, go_on: Callable[[], bool]) -> Times:
    """Commit so many new Observations at a time, each commit as soon as the last is durable."""
    chance = Random(1)
    taken: list[float] = []
    while go_on():
        unit = _unit(node, chance, many)
        began = time.perf_counter()
        node.store.commit(unit)
        taken.append(time.perf_counter() - began)
    return Times.of(taken)


def _unit(node: Node, chance: Random, many: int) -> Unit:
    bodies: list[tuple[str, bytes]] = []
    for _ in range(many):
        resource = population.observation(0, chance.randrange(1_000), chance)
        id = resource["id"] = f"s{chance.getrandbits(60)}"
        bodies.append((id, msgspec.json.encode(resource)))

    def prepare(view: View) -> Prepared:
        writes = tuple(
            node.scribe.put(
                view,
                ALL,
                type="Observation",
                id=id,
                raw=raw,
                resource=parse(raw),
                current=None,
                organisation="clinic",
            )
            for id, raw in bodies
        )
        outcomes = tuple(Outcome(201, write=place) for place in range(len(writes)))
        return Prepared(writes, outcomes, AuditRecord("bench", "clinic", "TREAT", "create", "", 201))

    return Unit(ALL, prepare)
