"""Whom somebody may be: ``$match`` over synthetic people, by the size of the record.

Those asked for are drawn by the frequency of names, as people are: each is stored as one system writes the
person down and asked for as another does, corruptions too. Of ten, one has the commonest surname and no
identifier. How many of them are found is said beside the times.
"""

import random
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec

from bench import population
from bench.figures import Figure, Size, Times, short
from bench.population import ALL
from bench.processes import serving
from bench.watch import WATCH
from kintung import synth
from kintung.app import Node, open_node
from kintung.identity.matching import Result
from kintung.identity.seeking import seek
from kintung.synth import appearances, people, seeded

GOAL = 0.003
SEED = 20221019
COMMONEST = "陳"
COUNTS = {Size.QUICK: 3_000, Size.NORMAL: 30_000, Size.LONG: 1_000_000}
"""Patients, one a person."""
OVER_HTTP = 500
"""Fewer than one client may ask in the time it takes, by ``match_each``."""
_QUERIES = "queries.json"
_MAKERS = (Path(__file__), *sorted(Path(synth.__file__).parent.rglob("*.py")))
_MADE_BY = sha256(b"".join(path.read_bytes() for path in _MAKERS)).hexdigest()[:8]
"""Who is stored and who is asked for are drawn together, and kept so while people are made alike."""


class Query(NamedTuple):
    """A Patient that is asked for, and the id it is stored under."""

    patient: dict[str, Any]
    id: str
    is_hard: bool
    """Of the commonest surname, and without an identifier."""


def measure(size: Size) -> list[Figure]:
    count = COUNTS[size]
    folder, queries = record(size)
    url = population.url(folder)
    with open_node(url) as node:
        figures = [
            _in_process(node, f"{count:,} Patients, {name}", some)
            for name, some in (
                ("all", queries),
                ("commonest surname and no identifier", [each for each in queries if each.is_hard]),
            )
        ]
    return [*figures, _over_http(url, count, queries[:OVER_HTTP])]


def record(size: Size) -> tuple[Path, list[Query]]:
    """The folder of a record of synthetic people, and whom of them to ask for; kept for the next run."""
    count = COUNTS[size]
    asked = {Size.QUICK: 300, Size.NORMAL: 1_000, Size.LONG: 2_000}[size]
    folder = population.made_once(f"people-{count}-{_MADE_BY}", lambda folder: _fill(folder, count, asked))
    queries = msgspec.json.decode((folder / _QUERIES).read_bytes(), type=list[Query])
    return folder, queries


def _fill(folder: Path, count: int, asked: int) -> None:
    """Store the people, and draw those to ask for."""
    kept: list[Query] = []
    with open_node(population.url(folder)) as node:
        for batch in population.batches(_drawn(count, asked, kept)):
            population.commit(node, batch)
    random.Random(SEED).shuffle(kept)
    (folder / _QUERIES).write_bytes(msgspec.json.encode(kept))


def _drawn(count: int, asked: int, kept: list[Query]) -> Iterator[dict[str, Any]]:
    """The Patients to store; those to ask for are put among ``kept`` as they pass."""
    every, hard = count // asked, asked // 10
    for number, (stored, other) in enumerate(_people(count)):
        is_common = any(name.get("family", "").startswith(COMMONEST) for name in other.get("name", ()))
        if is_common and hard:
            hard -= 1
            bare = {name: value for name, value in other.items() if name != "identifier"}
            kept.append(Query(bare, stored["id"], is_hard=True))
        elif number % every == 0 and len(kept) < asked:
            kept.append(Query(other, stored["id"], is_hard=False))
        yield stored


def _people(count: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each as two systems write the person down."""
    chance = seeded(SEED)
    for person in people(SEED, count):
        one, other = appearances(person, chance, count=2)
        yield one.patient, other.patient


def _in_process(node: Node, what: str, queries: list[Query]) -> Figure:
    for query in queries[:50]:
        with node.store.view() as view:
            seek(view, ALL, query.patient)
    taken: list[float] = []
    certain = probable = 0
    for query in queries:
        began = WATCH.now()
        with node.store.view() as view:
            sought = seek(view, ALL, query.patient)
        taken.append(WATCH.now() - began)
        found = {each.version.id: each.match.result for each in sought.found}
        certain += found.get(query.id) is Result.CERTAIN
        probable += found.get(query.id) is Result.PROBABLE
    times = Times.of(taken)
    of = len(queries)
    beside = f"{of} asked; found certain {certain / of:.1%}, probable {probable / of:.1%}"
    return Figure(f"{what}, in process", str(times), beside, f"p99 ≤ {short(GOAL)}", times.p99 <= GOAL)


def _over_http(url: str, count: int, queries: list[Query]) -> Figure:
    """One client, audit durable before each answer."""
    taken: list[float] = []
    headers = {"content-type": "application/fhir+json"}
    with serving(url) as server, httpx.Client(base_url=f"http://127.0.0.1:{server.port}/fhir/") as client:
        for query in queries:
            body = msgspec.json.encode(query.patient)
            began = time.perf_counter()
            answer = client.post("Patient/$match", content=body, headers=headers)
            taken.append(time.perf_counter() - began)
            # What was written down wrong (a check digit) is refused, in the time of an answer.
            assert answer.status_code in (200, 400), answer.text
    return Figure(f"{count:,} Patients, all, over HTTP", str(Times.of(taken)), "one client, 2 workers")
