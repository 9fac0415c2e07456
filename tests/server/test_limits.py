"""Exactly the limit is taken, one more is refused: with a status, a code, a text and a place."""

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from kintung.fhir.json import LIMITS as JSON
from kintung.fhir.limits import MAX_DIGITS, MAX_EXPONENT
from kintung.fhir.search import SEARCH_LIMITS as SEARCH
from kintung.fhir.search import parameters as parameters_of
from kintung.fhir.subset import MOST_ELEMENTS
from kintung.store.inclusion import MOST_INCLUDED, MOST_ROUNDS
from kintung.web.limits import LIMITS, MEMBERS
from tests.server.api import outcome
from tests.server.started import Started, started

Client = httpx.Client
FHIR = {"content-type": "application/fhir+json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
NEW = b'{"resourceType":"Patient"}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with started(f"sqlite:///{tmp_path_factory.mktemp('limits')}/record.db") as found:
        yield found


@pytest.fixture(scope="module")
def client(server: Started) -> Iterator[Client]:
    with httpx.Client(base_url=f"{server.base}/", timeout=60) as found:
        yield found


class Limit(NamedTuple):
    """A request with ``n`` of something, how much is allowed, and what refuses one more."""

    ask: Callable[[Client, int], httpx.Response]
    most: int
    refusal: tuple[int, str, str | None]
    taken: int = 200


def posted(client: Client, body: bytes, **headers: str) -> httpx.Response:
    return client.post("Patient", content=body, headers={**FHIR, **headers})


def body_of(client: Client, size: int) -> httpx.Response:
    return posted(client, NEW + b" " * (size - len(NEW)))


def inflated_to(client: Client, size: int) -> httpx.Response:
    packed = gzip.compress(NEW + b" " * (size - len(NEW)), 1)
    return posted(client, packed, **{"content-encoding": "gzip"})


def members(client: Client, count: int) -> httpx.Response:
    empty = gzip.compress(b"", mtime=0)
    return posted(client, gzip.compress(NEW) + empty * (count - 1), **{"content-encoding": "gzip"})


def nested(client: Client, depth: int) -> httpx.Response:
    """Each extension opens two; the resource and a period at the end open one each."""
    inside: dict[str, Any] = {"url": "http://example.org/x", "valueBoolean": True}
    if depth % 2 == 0:
        inside = {"url": "http://example.org/x", "valuePeriod": {"start": "2022"}}
        depth -= 1
    for _ in range(depth // 2 - 1):
        inside = {"url": "http://example.org/x", "extension": [inside]}
    return posted(client, json.dumps({"resourceType": "Patient", "extension": [inside]}).encode())


def entries(client: Client, count: int) -> httpx.Response:
    entry = b'{"request":{"method":"GET","url":"metadata/"}}'
    body = b'{"resourceType":"Bundle","type":"batch","entry":[%s]}' % b",".join([entry] * count)
    return client.post("", content=body, headers=FHIR)


def alternatives(client: Client, count: int) -> httpx.Response:
    return client.get("Patient", params={"family": ",".join(f"n{n}" for n in range(count))})


def parameters(client: Client, count: int) -> httpx.Response:
    return client.get("Patient", params=[("family", f"n{n}") for n in range(count)])


def value_of(client: Client, length: int) -> httpx.Response:
    return client.get("Patient", params={"family": "a" * length})


def sort_keys(client: Client, count: int) -> httpx.Response:
    codes = [
        code
        for code, found in parameters_of("Patient").items()
        if found.kind in ("string", "token", "date") and found.answered != "bodies"
    ]
    return client.get("Patient", params={"_sort": ",".join(codes[:count])})


def words(client: Client, count: int) -> httpx.Response:
    return client.get("Patient", params={"_text": " ".join(f"w{n}" for n in range(count))})


def links(client: Client, count: int) -> httpx.Response:
    return client.get("Organization", params={f"{'partof.' * count}name": "x"})


def page_of(client: Client, count: int) -> httpx.Response:
    return client.get("Patient", params={"_count": count})


def form_of(client: Client, size: int) -> httpx.Response:
    return client.post("Patient/_search", content=padded("", size), headers=FORM)


def address_of(client: Client, length: int) -> httpx.Response:
    return client.get(f"Patient{padded('/fhir/Patient', length, mark='?')}")


def padded(before: str, length: int, mark: str = "") -> str:
    """Parameters that with ``before`` are so many characters; the question mark is none."""
    room = length - len(before)
    pairs: list[str] = []
    while room > 0:
        size = room if room <= SEARCH.value_length else min(room - 20, SEARCH.value_length)
        pairs.append(f"family={'a' * (size - len('family='))}")
        room -= size + 1
    return mark + "&".join(pairs)


def header_fields(client: Client, size: int) -> httpx.Response:
    request = client.build_request("GET", "metadata", headers={"x-long": ""})
    own = sum(len(name) + len(value) for name, value in request.headers.raw)
    request.headers["x-long"] = "a" * (size - own)
    return client.send(request)


def observed(client: Client, number: str) -> httpx.Response:
    quantity = (
        '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":%s}}'
    )
    return client.post("Observation", content=(quantity % number).encode(), headers=FHIR)


def batch(client: Client, *resources: dict[str, Any]) -> None:
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in resources
    ]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    client.post("", json=bundle, headers=FHIR).raise_for_status()


def included(client: Client, count: int) -> httpx.Response:
    """A clinic with so many patients, and all of them in its page."""
    clinic = f"clinic{count}"
    of = {"reference": f"Organization/{clinic}"}
    patients = [
        {"resourceType": "Patient", "id": f"{clinic}-{n}", "managingOrganization": of} for n in range(count)
    ]
    batch(client, {"resourceType": "Organization", "id": clinic, "name": "Clinic"}, *patients)
    return client.get(f"Organization?_id={clinic}&_revinclude=Patient:organization")


def steps(client: Client, count: int) -> httpx.Response:
    """So many organisations, each part of the next, from one that is part of the first."""
    organisations: list[dict[str, Any]] = [
        {"resourceType": "Organization", "id": f"s{count}-{n}", "name": "Part",
         **({"partOf": {"reference": f"Organization/s{count}-{n + 1}"}} if n < count else {})}
        for n in range(count + 1)
    ]  # fmt: skip
    batch(client, *organisations)
    return client.get(f"Organization?_id=s{count}-0&_include:iterate=Organization:partof")


def elements(client: Client, count: int) -> httpx.Response:
    return client.get(f"Patient?_elements={','.join(['id'] * count)}&_count=1")


NUMBER = (413, "too-long", "Observation.valueQuantity.value")
LIMIT = {
    "bytes of a body": Limit(body_of, JSON.bytes, (413, "too-long", "Patient"), 201),
    "bytes of a body, inflated": Limit(inflated_to, JSON.bytes, (413, "too-long", "Patient"), 201),
    "members of a gzip": Limit(members, MEMBERS, (413, "too-long", "Content-Encoding"), 201),
    "depth": Limit(nested, JSON.depth, (413, "too-long", "Patient.extension"), 201),
    "entries": Limit(entries, JSON.entries, (413, "too-long", "Bundle.entry")),
    "alternatives": Limit(alternatives, SEARCH.values, (413, "too-long", "family")),
    "parameters": Limit(parameters, SEARCH.parameters, (413, "too-long", "family")),
    "length of a value": Limit(value_of, SEARCH.value_length, (413, "too-long", "family")),
    "sort keys": Limit(sort_keys, SEARCH.sort_keys, (413, "too-long", "_sort")),
    "links": Limit(links, SEARCH.links, (413, "too-long", f"{'partof.' * (SEARCH.links + 1)}name")),
    "resources included": Limit(included, MOST_INCLUDED, (400, "too-costly", "_revinclude")),
    "steps of :iterate": Limit(steps, MOST_ROUNDS, (400, "too-costly", "_include")),
    "names of elements": Limit(elements, MOST_ELEMENTS, (413, "too-long", "_elements")),
    "words": Limit(words, SEARCH.words, (413, "too-long", "_text")),
    "bytes of a form": Limit(form_of, LIMITS.form, (413, "too-long", "Patient")),
    "characters of an address": Limit(address_of, LIMITS.address, (414, "too-long", None)),
    "bytes of header fields": Limit(header_fields, LIMITS.headers, (431, "too-long", "x-long")),
    "digits": Limit(lambda client, n: observed(client, "1" * n), MAX_DIGITS, NUMBER, 201),
    "digits after the point": Limit(
        lambda client, n: observed(client, f"0.{'1' * n}"), MAX_DIGITS, NUMBER, 201
    ),
    "exponent": Limit(lambda client, n: observed(client, f"1e{n}"), MAX_EXPONENT, NUMBER, 201),
    "exponent below zero": Limit(lambda client, n: observed(client, f"1E-{n}"), MAX_EXPONENT, NUMBER, 201),
}


@pytest.mark.parametrize("name", LIMIT)
def test_the_limit_is_taken_and_one_more_is_refused(client: Client, name: str) -> None:
    limit = LIMIT[name]
    taken = limit.ask(client, limit.most)
    assert taken.status_code == limit.taken, taken.text[:300]
    status, code, path = outcome(limit.ask(client, limit.most + 1))
    assert (status, code, path and path.partition("[")[0]) == limit.refusal


def test_a_count_over_the_limit_is_lowered(client: Client) -> None:
    for asked in (SEARCH.count, SEARCH.count + 1):
        answer = page_of(client, asked)
        assert answer.status_code == 200
        (own,) = (link["url"] for link in answer.json()["link"] if link["relation"] == "self")
        assert own.endswith(f"_count={SEARCH.count}")


def test_numbers_at_the_limits_are_kept_and_found(client: Client) -> None:
    for number in ("1" * MAX_DIGITS, f"1E-{MAX_EXPONENT}"):
        id = observed(client, number).json()["id"]
        assert f'"value":{number}}}'.encode() in client.get(f"Observation/{id}").content
        found = client.get("Observation", params={"value-quantity": number}).json()
        assert id in [entry["resource"]["id"] for entry in found["entry"]]


@pytest.mark.parametrize(("count", "status"), [(100, b"404"), (101, b"431")])
def test_header_fields_are_counted_by_the_server(server: Started, count: int, status: bytes) -> None:
    """Over a hundred the HTTP library refuses by itself: without a body."""
    fields = b"".join(b"x-%d: y\r\n" % n for n in range(count - 2))
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(
            b"GET /fhir/Patient/none HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n" + fields + b"\r\n"
        )
        assert connection.recv(65_536).startswith(b"HTTP/1.1 " + status)
