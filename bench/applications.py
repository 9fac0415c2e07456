"""Applications that only the benchmark serves: a bare route, a node without audit, readers by header.

    python -m bench.applications NAME DATABASE WORKERS

Served exactly as ``kintung serve`` serves its own.
"""

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bench.population import ALL
from bench.wrk import HOST
from kintung.app import Node, open_node
from kintung.cli.processes import keep_what_is_loaded
from kintung.consent import Access, unprotected
from kintung.store.reader import Reader
from kintung.store.writes import AuditRecord
from kintung.web.app import AsgiApp, create_app
from kintung.web.fhir.serve import FhirApi

_RESOURCES = ExitStack()


class Unaudited(FhirApi):
    """Puts nothing on record. No product can be served with it."""

    def on_record(self, record: AuditRecord) -> "asyncio.Future[None]":  # noqa: ARG002 - that is the point
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def bare(bodies: Mapping[str, bytes]) -> Starlette:
    """One Starlette route that answers ``/fhir/{type}/{id}`` with bytes it has in memory."""
    headers = {"etag": 'W/"1"', "last-modified": "Sun, 22 Nov 2026 01:02:03 GMT"}

    async def read(request: Request) -> Response:
        body = bodies[request.path_params["id"]]
        return Response(body, media_type="application/fhir+json", headers=headers)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    return Starlette(routes=[Route("/fhir/{type}/{id}", read), Route("/healthz", healthz)])


def unaudited(node: Node) -> AsgiApp:
    """The node's application, with its own path to the body, and no audit."""
    return create_app(node, unprotected, api=Unaudited)


def scoped(node: Node) -> AsgiApp:
    """The node's application; the header ``x-scope`` names the scope of the reader."""
    everyone = unprotected({})

    def gate(headers: Mapping[bytes, bytes]) -> Access:
        number = headers.get(b"x-scope")
        if number is None:
            return everyone
        return replace(everyone, reader=reader_of(node, int(number)))

    return create_app(node, gate)


def reader_of(node: Node, scope: int) -> Reader:
    """Who may see the persons of a scope, and what is nobody's."""
    return Reader(f"scope-{scope}", persons=node.store.scope(scope), organisations=True)


def bodies_of(node: Node) -> dict[str, bytes]:
    """The body of every resource read in ``bench.rows.reads``, by id."""
    with node.store.view() as view:
        return {id: view.read(ALL, "Observation", id).body for id in sample_ids()}


def sample_ids() -> list[str]:
    """Ids of Observations all over the record."""
    return [f"o{number * 37 % 9_000}" for number in range(2_000)]


def application() -> AsgiApp:
    """The application of one worker, as the environment names it."""
    name, database = os.environ["BENCH_SERVED"].split(" ", 1)
    node = _RESOURCES.enter_context(open_node(database))
    made: dict[str, Callable[[], Any]] = {
        "bare": lambda: bare(bodies_of(node)),
        "unaudited": partial(unaudited, node),
        "scoped": partial(scoped, node),
    }
    app = made[name]()
    keep_what_is_loaded()  # as a served worker does
    return app


def command(name: str, database: str, workers: int = 2) -> list[str]:
    return [sys.executable, "-m", "bench.applications", name, database, str(workers)]


def main() -> None:
    name, database, workers = sys.argv[1:]
    os.environ["BENCH_SERVED"] = f"{name} {database}"
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    server = MPServer(
        "bench.applications:application",
        address=HOST,
        port=port,
        workers=int(workers),
        interface=Interfaces.ASGI,
        factory=True,
        websockets=False,
        log_level=LogLevels.warning,
        working_dir=Path.cwd(),
    )

    def announce() -> None:
        while True:
            try:
                socket.create_connection((HOST, port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                print(f"http://{HOST}:{port}/fhir", flush=True)
                return

    threading.Thread(target=announce, daemon=True).start()
    server.serve()


if __name__ == "__main__":
    main()
