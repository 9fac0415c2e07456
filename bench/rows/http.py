"""Depositing over HTTP: transaction Bundles by 8 clients, single creates by 32."""

import tempfile
import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random

import msgspec

from bench import bundles, population, wrk
from bench.figures import Figure, Size, Times, short
from bench.machine import fsync_note, peak
from bench.processes import Server, serving
from bench.wrk import HOST

CLIENTS = 8
CONNECTIONS = 32
PATIENTS = 200


def measure(size: Size) -> list[Figure]:
    folder = population.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as made:
        url = f"sqlite:///{Path(made).resolve()}/x.db"
        with serving(url) as server:
            return [*_bundles(server, size), *_creates(server, size)]


def _bundles(server: Server, size: Size) -> list[Figure]:
    """Eight threads here, each with its connection: a client of 500 kB bodies costs little."""
    waiting: SimpleQueue[tuple[bytes, int]] = SimpleQueue()
    everyone = list(bundles.copies(0, 1))
    sent = everyone[: 16 if size is Size.QUICK else len(everyone)]
    for bundle in sent:
        waiting.put(bundle)
    taken: list[float] = []
    failures: list[str] = []
    threads = [
        threading.Thread(target=_post_all, args=(server, waiting, taken, failures)) for _ in range(CLIENTS)
    ]
    began, used = time.perf_counter(), server.processor()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, used = time.perf_counter() - began, server.processor() - used
    assert not failures, failures[:3]
    resources = sum(entries for _, entries in sent)
    assert _total(server) >= sum(1 for _ in sent), "patients are missing"
    rate = resources / seconds
    held = max(map(peak, server.workers())) / 2**20
    return [
        Figure(
            f"Bundles, {resources:,} resources in {len(sent)}, {CLIENTS} clients",
            f"{rate:,.0f} resources/s",
            f"{short(used / resources)} of processor each, {fsync_note()}",
            "≥ 3,000/s",
            rate >= 3_000,
        ),
        Figure("  a Bundle", str(Times.of(taken)), f"peak of a worker {held:,.0f} MiB"),
    ]


def _post_all(
    server: Server, waiting: SimpleQueue[tuple[bytes, int]], taken: list[float], failures: list[str]
) -> None:
    connection = HTTPConnection(HOST, server.port, timeout=120)
    while True:
        try:
            body, entries = waiting.get_nowait()
        except Empty:
            connection.close()
            return
        began = time.perf_counter()
        connection.request("POST", "/fhir", body, {"content-type": "application/fhir+json"})
        answer = connection.getresponse()
        text = answer.read()
        taken.append(time.perf_counter() - began)
        if answer.status != 200 or text.count(b'"201 Created"') + text.count(b'"200 OK"') != entries:
            failures.append(f"{answer.status}: {text[:200]!r}")


def _total(server: Server, type: str = "Patient") -> int:
    status, body = server.ask("GET", f"/fhir/{type}?_summary=count&_total=accurate&_count=0")
    if status != 200:
        status, body = server.ask("GET", f"/fhir/{type}?_count=0")
    assert status == 200, body
    return msgspec.json.decode(body)["total"]


def creates(patients: Sequence[int], count: int, seed: int = 1) -> list[bytes]:
    """Requests that create Observations without an id, of those patients."""
    chance = Random(seed)
    requests: list[bytes] = []
    for number in range(count):
        resource = population.observation(number, chance.choice(patients), chance)
        del resource["id"]
        requests.append(wrk.post("/fhir/Observation", msgspec.json.encode(resource)))
    return requests


def _creates(server: Server, size: Size) -> list[Figure]:
    requests = creates(range(PATIENTS), 5_000)
    before = _total(server, "Observation")
    used = server.processor()
    load = wrk.load(
        server.port, requests, connections=CONNECTIONS, seconds=3 if size is Size.QUICK else 10, warm=0
    )
    used = server.processor() - used
    stored = _total(server, "Observation") - before
    assert not load.failed, load
    # wrk leaves when the time is over; what was under way then may be stored all the same
    assert load.requests <= stored <= load.requests + CONNECTIONS, (load.requests, stored)
    return [
        Figure(
            f"single creates (Observation), {CONNECTIONS} clients",
            str(load),
            f"{short(used / load.requests)} of processor each, {fsync_note()}",
            "≥ 1,500/s, p99 ≤ 50 ms",
            load.rate >= 1_500 and load.p99 <= 50e3,
        )
    ]
