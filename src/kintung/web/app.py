"""The web application of a node: the FHIR API in front, then the pages, the few other addresses behind."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kintung.consent import Gate
from kintung.errors import Issue, KintungError
from kintung.web.counts import Counts
from kintung.web.fhir.answer import refusal
from kintung.web.fhir.headers import FHIR_JSON
from kintung.web.fhir.interactions import REGISTRY
from kintung.web.fhir.registry import Registry
from kintung.web.fhir.serve import MOUNT, FhirApi, Scope, Send, header_fields
from kintung.web.limits import Receive
from kintung.web.outcomes import outcome
from kintung.web.pages.pages import PAGES
from kintung.web.pages.registry import Pages
from kintung.web.pages.serve import PagesApp
from kintung.web.site import Node, Site, WebSettings
from kintung.web.traffic import Traffic

_HEALTH, _METRICS = "/healthz", "/metrics"
_OTHERS = (_HEALTH, _METRICS)
"""Addresses that are neither of the API nor of pages."""
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def create_app(
    node: Node,
    gate: Gate,
    *,
    settings: WebSettings | None = None,
    registry: Registry = REGISTRY,
    pages: Pages = PAGES,
    counts: Path | None = None,
    api: type[FhirApi] = FhirApi,
) -> AsgiApp:
    """The ASGI application that serves ``node`` to whom ``gate`` lets in.

    ``/fhir`` is the FHIR API, ``pages`` are those for people, ``/healthz`` says whether the record can be
    read, ``/metrics`` has the counts of all workers that share the file ``counts``, in the text format of
    Prometheus, for whom the gate lets in. ``api`` is another than ``FhirApi`` in measurements only.
    """
    site = Site.of(node, settings or WebSettings())
    names = [each.name for each in (*registry.interactions, *pages.pages)]
    traffic = Traffic(site.limits, Counts(["", *names], counts))
    fhir = api(site, gate, registry, traffic)
    people = PagesApp(site, gate, pages, traffic)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        yield
        fhir.close()
        people.close()

    others = Starlette(
        routes=_routes(site, gate, traffic), lifespan=lifespan, exception_handlers={HTTPException: _refused}
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_fhir(scope["path"]):
            await fhir(scope, receive, send)
        elif scope["type"] == "http" and _is_for_people(scope, people):
            await people(scope, receive, send)
        else:
            await others(scope, receive, send)

    return app


async def _refused(_request: Request, error: Exception) -> Response:
    """No such page, or not this method: said as the FHIR API says it."""
    assert isinstance(error, HTTPException)
    issue = Issue("not-supported", "This method is not offered here.")
    if error.status_code == 404:
        issue = Issue("not-found", f"There is nothing at this address; the FHIR API is at {MOUNT}.")
    headers = {"cache-control": "no-store", **(error.headers or {})}
    return Response(outcome([issue]), error.status_code, headers, FHIR_JSON.decode())


def _is_for_people(scope: Scope, people: PagesApp) -> bool:
    """Whether pages answer: at their addresses, and to browsers where there is nothing.

    The first page asked for as JSON is none.
    """
    path, accepted = scope["path"], header_fields(scope["headers"]).get(b"accept", b"")
    if b"text/html" in accepted:
        return path not in _OTHERS
    return people.holds(path) and not (path == "/" and b"json" in accepted)


def _is_fhir(path: str) -> bool:
    return path.startswith(MOUNT) and path[len(MOUNT) : len(MOUNT) + 1] in ("", "/")


def _routes(site: Site, gate: Gate, traffic: Traffic) -> list[Route]:
    def is_readable() -> bool:
        try:
            with site.store.view() as view:
                return view.sequence >= 0
        except KintungError:
            return False

    async def healthz(_request: Request) -> Response:
        if await asyncio.to_thread(is_readable):
            return PlainTextResponse("ok\n")
        return PlainTextResponse("the record cannot be read\n", 503)

    async def metrics(request: Request) -> Response:
        try:
            gate(header_fields(request.scope["headers"]))
        except KintungError as error:
            status, headers, body, *_ = refusal(error)
            return Response(body, status, {name.decode(): value.decode() for name, value in headers})
        said = traffic.metrics() + await asyncio.to_thread(_queue, site)
        return PlainTextResponse(said, media_type="text/plain; version=0.0.4")

    return [Route(_HEALTH, healthz), Route(_METRICS, metrics)]


def _queue(site: Site) -> str:
    """How much waits, in the text format of Prometheus; "" when not known now."""
    try:
        tally = site.store.notices.tally()
        later = site.store.asynchronous.waiting()
    except KintungError:
        return ""
    age = (site.clock.now_micros() - tally.oldest) / 1_000_000 if tally.oldest is not None else 0
    gauges = (
        ("kintung_asynchronous_waiting", "Requests to be answered later.", f"{later}"),
        ("kintung_subscriptions", "Subscriptions in force.", f"{tally.subscribers}"),
        ("kintung_notifications_waiting", "Notifications to be delivered.", f"{tally.waiting}"),
        ("kintung_notifications_dead", "Notifications given up; see kintung unsent.", f"{tally.dead}"),
        ("kintung_notifications_oldest_seconds", "Age of the longest waiting.", f"{max(age, 0):.3f}"),
    )
    return "".join(
        f"# HELP {name} {about}\n# TYPE {name} gauge\n{name} {value}\n" for name, about, value in gauges
    )
