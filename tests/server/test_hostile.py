"""B7: what is too deep, too large, too many or too slow is refused while the node serves on."""

import gzip
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.api import outcome
from tests.server.started import Started, started

MEGABYTE = 1024 * 1024
JSON = {"content-type": "application/fhir+json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with started(f"sqlite:///{tmp_path_factory.mktemp('hostile')}/record.db") as found:
        yield found


@pytest.fixture
def client(server: Started) -> Iterator[httpx.Client]:
    """Calls the server; at the end of the test it must still be well, and hold little."""
    with httpx.Client(base_url=f"{server.base}/", timeout=30) as found:
        yield found
        assert found.get("../healthz").text == "ok\n"
        assert server.resident_bytes() < 900 * MEGABYTE


def chunks(size: int) -> Iterator[bytes]:
    """``size`` bytes whose length is not said beforehand."""
    for _ in range(size // MEGABYTE):
        yield bytes(MEGABYTE)


def nested(opening: bytes, inside: bytes, closing: bytes, depth: int) -> bytes:
    return opening * depth + inside + closing * depth


DEEP: list[tuple[str, bytes]] = [
    ("arrays", b"[" * 100_000),
    ("closed arrays", b"[" * 100_000 + b"]" * 100_000),
    ("objects", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    ("extensions", b'{"resourceType":"Patient",%s}' % nested(b'"extension":[{', b'"url":"x"', b"}]", 5_000)),
    ("a number", b'{"resourceType":"Patient","multipleBirthInteger":%s}' % (b"9" * 100_000)),
    ("an exponent", b'{"resourceType":"Patient","multipleBirthInteger":1E3000000}'),
    ("contained", nested(b'{"resourceType":"Patient","contained":[', b"{}", b"]}", 60)),
]  # fmt: skip


@pytest.mark.parametrize("body", [body for _, body in DEEP], ids=[name for name, _ in DEEP])
def test_what_is_too_deep_is_refused(client: httpx.Client, body: bytes) -> None:
    assert outcome(client.post("Patient", content=body, headers=JSON))[0] in (400, 413)
    assert outcome(client.post("", content=body, headers=JSON))[0] in (400, 413)
    assert outcome(client.post("Patient/$validate", content=body, headers=JSON))[0] == 200


def test_a_hundred_megabytes_are_refused_before_they_are_held(client: httpx.Client, server: Started) -> None:
    before = server.resident_bytes()
    for content in (bytes(100 * MEGABYTE), chunks(100 * MEGABYTE)):
        answer = client.post("Patient", content=content, headers=JSON)
        assert outcome(answer)[:2] == (413, "too-long")
    for content in (bytes(100 * MEGABYTE), chunks(100 * MEGABYTE)):
        answer = client.post("Parrot", content=content, headers=JSON)
        assert outcome(answer)[:2] == (404, "not-found")
    assert server.resident_bytes() - before < 200 * MEGABYTE


def test_a_gzip_bomb_is_refused(client: httpx.Client, server: Started) -> None:
    before = server.resident_bytes()
    bomb = gzip.compress(bytes(MEGABYTE)) * 1024
    answer = client.post("Patient", content=bomb, headers={**JSON, "content-encoding": "gzip"})
    assert outcome(answer)[:2] == (413, "too-long")
    layers = gzip.compress(bomb)
    answer = client.post("Patient", content=layers, headers={**JSON, "content-encoding": "gzip, gzip"})
    assert outcome(answer)[0] == 415
    assert server.resident_bytes() - before < 200 * MEGABYTE


def entries(count: int) -> bytes:
    entry = b'{"request":{"method":"GET","url":"Patient/x"}}'
    return b'{"resourceType":"Bundle","type":"batch","entry":[%s]}' % b",".join([entry] * count)


def test_a_bundle_of_a_hundred_thousand_entries_is_refused(client: httpx.Client) -> None:
    answer = client.post("", content=entries(100_000), headers=JSON)
    assert outcome(answer) == (413, "too-long", "Bundle.entry")
    assert client.post("", content=entries(500), headers=JSON).status_code == 200


def test_bundles_inside_bundles_are_refused(client: httpx.Client) -> None:
    inner: dict[str, Any] = {"resourceType": "Bundle", "type": "batch"}
    for _ in range(20):
        entry = {"resource": inner, "request": {"method": "POST", "url": "/"}}
        inner = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    answer = client.post("", json=inner, headers=JSON)
    assert answer.json()["entry"][0]["response"]["status"] == "400 Bad Request"


def test_resources_that_refer_to_each_other_in_a_circle_are_no_trouble(client: httpx.Client) -> None:
    def observation(own: int, other: int) -> dict[str, Any]:
        reference = {"reference": f"urn:uuid:{other}"}
        resource = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "x"},
            "hasMember": [reference],
        }
        request = {"method": "POST", "url": "Observation"}
        return {"fullUrl": f"urn:uuid:{own}", "resource": resource, "request": request}

    circle = [observation(own, (own + 1) % 50) for own in range(50)]
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": circle}
    answer = client.post("", json=sent, headers=JSON)
    assert len(answer.json()["entry"]) == 50


def test_thousands_of_faults_are_not_all_listed(client: httpx.Client) -> None:
    wrong = {"resourceType": "Patient", "name": [{"colour": "red"}] * 20_000}
    answer = client.post("Patient", json=wrong, headers=JSON)
    assert answer.status_code == 400
    assert len(answer.content) < 100_000


def test_a_slow_client_holds_nobody_up(server: Started, client: httpx.Client) -> None:
    """More callers that never finish than the node serves at once, and others are served."""
    slow: list[socket.socket] = []
    try:
        for number in range(800):
            connection = socket.create_connection(("127.0.0.1", server.port))
            slow.append(connection)
            head = b"POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
            connection.sendall(head + (b"\r\n{" if number % 4 else b"X-Slow: "))
        for _ in range(20):
            assert client.get("Patient/none").status_code == 404
    finally:
        for connection in slow:
            connection.close()


POST = b"POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /fhir/Patient HTTP/1.1\r\n\r\n",
        b"GET /fhir/Patient HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET /fhir/%00%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /fhir/病人 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
        b"GET /fhir/Patient?a=%zz&%=1&=&&& HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET //fhir//Patient HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /fhir/../metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example/fhir/Patient HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"BREW /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n\r\n",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        POST + b"Content-Length: -5\r\n\r\n{}",
        b"GET /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \xff\xfe\r\n\r\n",
        b"GET /fhir/Patient/1 HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \xff\xfe\r\nAccept: \xff\r\n\r\n",
        b"GET /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
        b"GET /fhir/Patient?" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\r\n\r\n",
    ],
    ids=lambda raw: raw[:40].decode("latin-1").encode("unicode_escape").decode(),
)
def test_no_bytes_on_the_wire_make_it_fail(server: Started, client: httpx.Client, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65_536)
        except ConnectionError:
            return
    assert not answer.startswith(b"HTTP/1.1 5"), answer[:300]


def test_overload_is_refused_with_an_outcome(tmp_path: Path) -> None:
    """More at once than the limits allow, in process where the limits are small."""
    import asyncio  # noqa: PLC0415

    from kintung.web.limits import Limits  # noqa: PLC0415
    from kintung.web.site import WebSettings  # noqa: PLC0415
    from tests.server.api import BASE, api  # noqa: PLC0415

    async def together(client: httpx.AsyncClient) -> list[httpx.Response]:
        return list(await asyncio.gather(*(client.get(f"{BASE}/Patient") for _ in range(30))))

    for limits, status in ((Limits(in_flight=3), 503), (Limits(in_flight_each=3), 429)):
        with api(settings=WebSettings(limits=limits)) as found:
            answers = found._runner.run(together(found._client))
            refused = [answer for answer in answers if answer.status_code == status]
            assert 0 < len(refused) < 30
            assert {outcome(answer)[1] for answer in refused} <= {"transient", "throttled"}
            assert all(answer.headers["retry-after"] == "1" for answer in refused)
            assert found.get("Patient").status_code == 200


def test_an_answer_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    from kintung.web.limits import Limits  # noqa: PLC0415
    from kintung.web.site import WebSettings  # noqa: PLC0415
    from tests.server.api import api  # noqa: PLC0415

    with api(settings=WebSettings(limits=Limits(seconds=0))) as found:
        assert outcome(found.get("Patient"))[:2] == (503, "timeout")


def test_json_of_many_shapes_gives_no_5xx(client: httpx.Client) -> None:
    """Well-formed JSON that is no resource, at every address that takes one."""
    shapes: list[Any] = [
        None, True, 0, -1.5e300, "x", [], {}, [[]], [{}],
        {"resourceType": None}, {"resourceType": 1}, {"resourceType": []}, {"resourceType": {}},
        {"resourceType": "Patient", "id": 1}, {"resourceType": "Patient", "meta": []},
        {"resourceType": "Patient", "meta": {"versionId": {}}}, {"resourceType": "Patient", "name": {}},
        {"resourceType": "Patient", "contained": [1]}, {"resourceType": "Patient", "_gender": 1},
        *(
            {"resourceType": "Bundle", "type": type, "entry": [entry]}
            for type in ("transaction", "batch")
            for entry in (
                1, {"request": 1}, {"request": {"method": [], "url": {}}},
                {"resource": [], "request": {"method": "POST", "url": "Patient"}},
                {"resource": {"resourceType": 1}, "request": {"method": "POST", "url": "Patient"}},
                {"fullUrl": 1, "request": {"method": "GET", "url": "%ff?%ff"}},
                {"request": {"method": "GET", "url": "Patient", "ifModifiedSince": "x"}},
            )
        ),
        {"resourceType": "Bundle", "type": [], "entry": "x"},
        {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": 1}]},
    ]  # fmt: skip
    for shape in shapes:
        body = json.dumps(shape).encode()
        for method, path in (
            ("POST", ""), ("POST", "Patient"), ("PUT", "Patient/1"), ("PUT", "Patient?_id=1"),
            ("POST", "$validate"), ("POST", "Bundle/$validate"), ("POST", "Patient/_search"),
        ):  # fmt: skip
            answer = client.request(method, path, content=body, headers=JSON)
            assert answer.status_code < 500, (method, path, shape, answer.text)
