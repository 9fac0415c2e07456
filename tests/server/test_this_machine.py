"""A node without sign-in answers programs of its machine, and no website in a browser there."""

from pathlib import Path

import httpx
import pytest

from kintung.errors import Forbidden
from kintung.web.outcomes import MediaTypeRefused
from kintung.web.this_machine import this_machine
from tests.server.api import outcome
from tests.server.started import started

JSON = b"application/fhir+json"


@pytest.mark.parametrize(
    "host", [b"localhost", b"LOCALHOST:8080", b"127.0.0.1:1", b"127.0.0.2", b"[::1]", b"[::1]:8080"]
)
def test_this_machine_has_several_names(host: bytes) -> None:
    assert this_machine({b"host": host}).actor == "unprotected"
    assert this_machine({b"host": host, b"origin": b"http://" + host}).actor == "unprotected"
    body = {b"content-length": b"2", b"content-type": JSON}
    assert this_machine({b"host": host, **body}).actor == "unprotected"


@pytest.mark.parametrize(
    "host",
    [b"", b"record.example", b"localhost.record.example", b"127.0.0.1.record.example", b"10.1.2.3:8080",
     b"0.0.0.0", b"[::]", b"localhost, record.example", b"localhost@record.example", b"localhost:x"],
)  # fmt: skip
def test_another_host_is_refused(host: bytes) -> None:
    with pytest.raises(Forbidden):
        this_machine({b"host": host})
    with pytest.raises(Forbidden):
        this_machine({b"host": b"localhost", b"origin": b"http://" + host})


@pytest.mark.parametrize("origin", [b"null", b"", b"localhost", b"file://", b"http://localhost/x"])
def test_an_origin_that_is_no_page_of_this_machine_is_refused(origin: bytes) -> None:
    with pytest.raises(Forbidden):
        this_machine({b"host": b"localhost", b"origin": origin})


@pytest.mark.parametrize("sent", [{b"content-length": b"2"}, {b"transfer-encoding": b"chunked"}])
def test_a_body_says_what_it_is(sent: dict[bytes, bytes]) -> None:
    with pytest.raises(MediaTypeRefused):
        this_machine({b"host": b"localhost", **sent})
    assert this_machine({b"host": b"localhost", b"content-length": b"0"}).actor == "unprotected"


def test_a_served_node_hears_what_its_operator_allows(tmp_path: Path) -> None:
    """Several deletions at once, and pages of an origin: from the command line to the answer."""
    options = (
        "--delete-at-most",
        "2",
        "--allow-origin",
        "https://app.example",
        "--allow-origin",
        "http://b.example:8",
    )
    with started(f"sqlite:///{tmp_path}/record.db", 1, *options) as server, httpx.Client() as client:
        for origin in ("https://app.example", "http://b.example:8"):
            answer = client.get(f"{server.base}/metadata", headers={"origin": origin})
            assert answer.headers["access-control-allow-origin"] == origin
            (rest,) = answer.json()["rest"]
            assert {each["conditionalDelete"] for each in rest["resource"]} == {"multiple"}
        refused = client.get(f"{server.base}/Patient", headers={"origin": "https://other.example"})
        assert outcome(refused)[:2] == (403, "forbidden")
        assert "access-control-allow-origin" not in refused.headers
        asked = {"origin": "https://app.example", "access-control-request-method": "DELETE"}
        preflight = client.options(f"{server.base}/Patient/p", headers=asked)
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (
            204,
            asked["origin"],
        )
        for _ in range(2):
            client.post(f"{server.base}/Patient", json={"resourceType": "Patient", "active": True})
        assert client.delete(f"{server.base}/Patient?active=true").status_code == 204
        assert client.get(f"{server.base}/Patient?_total=accurate").json()["total"] == 0


def test_a_served_node_holds_to_it(tmp_path: Path) -> None:
    with started(f"sqlite:///{tmp_path}/record.db") as server, httpx.Client() as client:
        base = server.base
        for foreign in ({"host": "record.example"}, {"origin": "https://record.example"}):
            refused = client.get(f"{base}/Patient", headers=foreign)
            assert outcome(refused)[:2] == (403, "forbidden")
        body = b'{"resourceType":"Patient"}'
        assert client.post(f"{base}/Patient", content=body).status_code == 415
        assert client.get(f"{base}/Patient?_total=accurate").json()["total"] == 0
        stored = client.post(f"{base}/Patient", content=body, headers={"content-type": JSON.decode()})
        assert stored.status_code == 201
