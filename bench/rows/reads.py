"""Read by id, beside a bare Starlette route that gives the same bytes.

Three paths: the bare route (a), our path without audit (b; nothing can be served like that)
and our path as it is served, with an audit record durable before each body leaves (c). (a)
and (b) are also called in this process, where no server, socket or client has a share.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from bench import applications, population, wrk
from bench.applications import sample_ids
from bench.figures import Figure, Size, short
from bench.machine import fsync_note
from bench.population import ALL, Shape
from bench.processes import Server, serving, started
from kintung.app import open_node
from kintung.web.app import AsgiApp

SHAPE = Shape(1_000, 9)
CONNECTIONS = 32


def measure(size: Size) -> list[Figure]:
    calls = 3_000 if size is Size.QUICK else 20_000
    seconds = 2 if size is Size.QUICK else 6
    with population.copy(SHAPE) as folder:
        url = population.url(folder)
        with open_node(url) as node:
            bodies = applications.bodies_of(node)
            a_inside, b_inside = _inside(
                [applications.bare(bodies), applications.unaudited(node)], bodies, calls
            )
            in_store = _in_store(node, calls)
        with started(applications.command("bare", url)) as server:
            a = _loaded(server, bodies, seconds)
        with started(applications.command("unaudited", url)) as server:
            b = _loaded(server, bodies, seconds)
        with serving(url) as server:
            c = _loaded(server, bodies, seconds)
            alone = wrk.load(server.port, _requests(), connections=1, seconds=seconds)
    assert not alone.failed, alone
    return [
        Figure("(a) bare Starlette route, HTTP", str(a), f"{CONNECTIONS} clients, 2 workers"),
        Figure(
            "(b) our path without audit, HTTP",
            str(b),
            b.beside(a),
            "≥ 0.6 ×",
            b.load.rate >= 0.6 * a.load.rate,
        ),
        Figure(
            "(c) as served: audit durable first",
            str(c),
            f"{c.beside(a)}; {fsync_note()}",
            "≥ 0.3 ×",
            c.load.rate >= 0.3 * a.load.rate,
        ),
        Figure("(c) one client", alone.latency(), fsync_note(), "p50 ≤ 2 ms", alone.p50 <= 2_000),
        Figure(
            "(a') bare route in this process", short(a_inside), "of processor a call; no server or socket"
        ),
        Figure(
            "(b') our path in this process", short(b_inside), f"{a_inside / b_inside:.2f} × the rate of (a')"
        ),
        Figure("    of which the store", short(in_store), "view, row, open the seal, splice"),
    ]


def _requests() -> list[bytes]:
    return [wrk.get(f"/fhir/Observation/{id}") for id in sample_ids()]


class Served(NamedTuple):
    """What wrk saw, and the processor time the server took for one request."""

    load: wrk.Load
    cpu: float

    def __str__(self) -> str:
        return f"{self.load}; {short(self.cpu)} of processor"

    def beside(self, bare: "Served") -> str:
        share = self.load.rate / bare.load.rate
        return f"{share:.2f} × (a); by processor {bare.cpu / self.cpu:.2f} ×"


def _loaded(server: Server, bodies: dict[str, bytes], seconds: int) -> Served:
    for id in sample_ids()[:20]:
        assert server.ask("GET", f"/fhir/Observation/{id}") == (200, bodies[id])
    wrk.load(server.port, _requests(), connections=CONNECTIONS, seconds=1, warm=0)
    used = server.processor()
    load = wrk.load(server.port, _requests(), connections=CONNECTIONS, seconds=seconds, warm=0)
    assert not load.failed, load
    return Served(load, (server.processor() - used) / load.requests)


def _inside(apps: list[AsgiApp], bodies: dict[str, bytes], calls: int) -> list[float]:
    """Seconds of processor a call of each application takes; in turns, on the same machine."""
    ids = sample_ids()
    totals = [0.0] * len(apps)

    async def run() -> None:
        for app in apps:
            for id in ids[:50]:
                assert await _call(app, id) == bodies[id]
        for start in range(0, calls, 500):
            for place, app in enumerate(apps):
                began = time.process_time()
                for number in range(start, start + 500):
                    await _call(app, ids[number % len(ids)])
                totals[place] += time.process_time() - began

    asyncio.run(run())
    return [total / (-(-calls // 500) * 500) for total in totals]


async def _call(app: Callable[..., Coroutine[Any, Any, None]] | AsgiApp, id: str) -> bytes:
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "http_version": "1.1",
        "path": f"/fhir/Observation/{id}",
        "raw_path": b"",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
    }
    sent: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200, message
        else:
            sent.append(message["body"])

    await app(scope, receive, send)
    return b"".join(sent)


def _in_store(node: Any, calls: int) -> float:
    ids = sample_ids()
    began = time.process_time()
    for number in range(calls):
        with node.store.view() as view:
            view.read(ALL, "Observation", ids[number % len(ids)])
    return (time.process_time() - began) / calls
