"""The API of a node in this process, called as callers call it."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx

from kintung.app import Node, open_node
from kintung.clock import SeededEntropy, SetClock
from kintung.consent import Access, Right, unprotected
from kintung.errors import KintungError
from kintung.store.port import Unit
from kintung.store.reader import Reader
from kintung.store.writes import Grant, Prepared, Receipt, Relabel
from kintung.web.app import create_app
from kintung.web.fhir.interactions import INTERACTIONS, REGISTRY
from kintung.web.fhir.openapi import document
from kintung.web.fhir.registry import Registry
from kintung.web.site import WebSettings

START = 1_666_137_600_000_000
"""Where the clock of a test stands at first: 2022-10-19T00:00:00Z in microseconds."""

ALL_RIGHTS = frozenset({Right.VIEW, Right.DEPOSIT, Right.PLACE})
BASE = "http://record.example/fhir"

Resource = dict[str, Any]


def persona(name: str, reader: Reader, *rights: Right, organisation: str = "") -> Access:
    """A caller of a test; its client is its own."""
    return Access(name, organisation, "TREAT", reader, frozenset(rights), name)


class Api:
    """Calls a node as ``persona`` (a header the test's gate reads); "" is the unprotected one."""

    def __init__(
        self,
        node: Node,
        runner: asyncio.Runner,
        settings: WebSettings | None = None,
        registry: Registry = REGISTRY,
    ) -> None:
        self.node = node
        self._registry = registry
        app = create_app(node, self.gate, settings=settings, registry=registry)
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app))
        self._runner = runner
        self.personas: dict[str, Access] = {}

    def gate(self, headers: Mapping[bytes, bytes]) -> Access:
        name = headers.get(b"x-persona", b"").decode()
        return self.personas[name] if name else unprotected(headers)

    async def close(self) -> None:
        await self._client.aclose()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        persona: str = "",
        headers: Mapping[str, str] | Sequence[tuple[bytes, bytes]] | None = None,
    ) -> httpx.Response:
        """One request; ``body`` is JSON to be, or bytes. ``path`` is under ``/fhir``."""
        given = httpx.Headers(headers)
        own = {"content-type": "application/fhir+json", **({"x-persona": persona} if persona else {})}
        added = [(name.encode(), value.encode()) for name, value in own.items() if name not in given]
        sent = [*added, *given.raw]
        content = body if isinstance(body, bytes | None) else json.dumps(body, ensure_ascii=False).encode()
        url = path if path.startswith("http") else f"{BASE}/{path}".rstrip("/")
        answer = self._runner.run(self._client.request(method, url, content=content, headers=sent))
        if self._registry is REGISTRY:
            require_documented(method, answer, content or b"")
        return answer

    def get(self, path: str, **how: Any) -> httpx.Response:
        return self.call("GET", path, **how)

    def post(self, path: str, body: Any, **how: Any) -> httpx.Response:
        return self.call("POST", path, body, **how)

    def put(self, path: str, body: Any, **how: Any) -> httpx.Response:
        return self.call("PUT", path, body, **how)

    def delete(self, path: str, **how: Any) -> httpx.Response:
        return self.call("DELETE", path, **how)

    def store(self, *resources: Resource) -> None:
        """Place resources under their ids."""
        for resource in resources:
            answer = self.put(f"{resource['resourceType']}/{resource['id']}", resource)
            assert answer.status_code in (200, 201), answer.text

    def prepared(self, prepared: Prepared) -> Receipt:
        return self.node.store.commit(Unit(Reader.everything(), lambda _: prepared))

    def grant(self, scope: int, *persons: str) -> Reader:
        """A Reader who sees these persons and what is public."""
        self.prepared(Prepared(grants=(Grant(scope, persons),)))
        return Reader(f"scope {scope}", persons=self.node.store.scope(scope))

    def label(self, name: str, *labels: str) -> None:
        type, id = name.split("/")
        self.prepared(Prepared(relabels=(Relabel(type, id, frozenset(labels)),)))


def require_documented(method: str, answer: httpx.Response, body: bytes = b"") -> None:
    """Hold an answer, and those to the entries of a batch, to the OpenAPI document.

    The API pages are made of it, so that a status a test has seen is on the page.
    """
    mount, _, path = answer.request.url.path.removeprefix("/").partition("/")
    if mount != "fhir":
        return
    _require_status(method, path, answer.status_code)
    if method == "POST" and answer.status_code == 200 and b'"batch-response"' in answer.content[:100]:
        answers = answer.json().get("entry", ())
        for entry, answered in zip(json.loads(body).get("entry", ()), answers, strict=True):
            asked = entry.get("request", {})
            url = asked.get("url", "").partition("?")[0]
            _require_status(asked.get("method", ""), url, int(answered["response"]["status"][:3]))


def _require_status(method: str, path: str, status: int) -> None:
    try:
        name = REGISTRY.find(method, path).interaction.name
    except KintungError:
        return  # it is no interaction's
    # A fault of the node is none of an interaction; tests plant some.
    assert status == 500 or status in _documented()[name], f"{status} of {name} is not in OpenAPI"


@cache
def _documented() -> dict[str, set[int]]:
    """The statuses the OpenAPI document has for each interaction."""
    operations = [
        each for path in json.loads(document(INTERACTIONS, BASE))["paths"].values() for each in path.values()
    ]
    return {each["operationId"]: {int(status) for status in each["responses"]} for each in operations}


@contextmanager
def api(
    url: str = "memory:", *, settings: WebSettings | None = None, registry: Registry = REGISTRY, tick: int = 1
) -> Iterator[Api]:
    """A node at ``url`` and its API; the clock moves ``tick`` microseconds at each reading."""
    with (
        open_node(url, clock=SetClock(START, tick=tick), entropy=SeededEntropy(7)) as node,
        asyncio.Runner() as runner,
    ):
        found = Api(node, runner, settings, registry)
        yield found
        runner.run(found.close())


def outcome(response: httpx.Response) -> tuple[int, str, str | None]:
    """Status, code of the first issue, and its path."""
    assert response.content, f"{response.status_code} without an outcome"
    body = response.json()
    assert body["resourceType"] == "OperationOutcome", body
    issue = body["issue"][0]
    assert issue["details"]["text"], body
    return response.status_code, issue["code"], issue.get("expression", [None])[0]


def ids(bundle: Resource) -> list[str]:
    """Ids of the matches of a searchset, in order."""
    return [
        entry["resource"]["id"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"
    ]
