"""A request that is answered later is answered, and done once, though the worker that does it is killed."""

import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commands import SECONDS, base_of, done, ended, group, kill_group, kintung, started
from tests.databases import KINDS, fresh
from tests.records import patient
from tests.waiting import until

LATER = {"prefer": "respond-async"}
CREATED, SEARCHES = 20, 2_000


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose data folder is that of this process too: PostgreSQL's keys lie there."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


def _served(home: Path, url: str) -> Any:
    return started(home, "serve", "--unprotected", "--port", "0", "--database", url, "--workers", "2")


def _place(answer: httpx.Response) -> str:
    assert (answer.status_code, answer.content) == (202, b""), answer.text
    return httpx.URL(answer.headers["content-location"]).path.removeprefix("/fhir/")


def _asked(client: httpx.Client, place: str) -> httpx.Response | None:
    """How a request stands; None while no worker listens."""
    try:
        return client.get(place)
    except httpx.TransportError:
        return None


def _answer(client: httpx.Client, place: str, seconds: float = 60) -> dict[str, Any]:
    """The entry of the answer, once there is one."""
    last: list[httpx.Response] = []

    def is_there() -> bool:
        answer = _asked(client, place)
        if answer is not None:
            assert answer.status_code in (200, 202), answer.text
            last.append(answer)
        return answer is not None and answer.status_code == 200

    until(is_there, "an answer", seconds)
    (entry,) = last[-1].json()["entry"]
    return entry


def _long() -> dict[str, Any]:
    """A batch that takes seconds; what it writes comes first."""
    creates = [
        {"resource": patient(f"n{n}", "Once"), "request": {"method": "POST", "url": "Patient"}}
        for n in range(CREATED)
    ]
    asked = {"request": {"method": "GET", "url": "Patient?name=chan&_total=accurate&_summary=count"}}
    return {"resourceType": "Bundle", "type": "batch", "entry": creates + [asked] * SEARCHES}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_killed_worker_had_begun_is_answered_once(
    kind: str, home: Path, request: pytest.FixtureRequest
) -> None:
    url = fresh(kind, home, request)
    process = _served(home, url)
    try:
        with httpx.Client(base_url=f"{base_of(process)}/", timeout=SECONDS) as client:
            assert client.put("Patient/p", json=patient("p")).status_code == 201
            _fetch_and_cancel(client)
            place = _place(client.post("", json=_long(), headers=LATER))
            until(lambda: _progress(client, place) == "under way", "it is under way", 60)
            for worker in group(process):
                if worker != process.pid:
                    os.kill(worker, signal.SIGKILL)
            until(lambda: (answer := _asked(client, place)) is not None and answer.status_code == 202, "202")
            found = _answer(client, place, 300)
            _require_once(client, found)
        ended(process, signal.SIGTERM)
    finally:
        kill_group(process)
    process = _served(home, url)
    try:
        with httpx.Client(base_url=f"{base_of(process)}/", timeout=SECONDS) as client:
            assert _answer(client, place) == found, "kept while the node was not served"
    finally:
        kill_group(process)
    assert "sound" in done(kintung(home, "check", "--database", url))


def _progress(client: httpx.Client, place: str) -> str:
    answer = client.get(place)
    assert answer.status_code == 202, "it was over before anything was killed"
    return answer.headers["x-progress"]


def _fetch_and_cancel(client: httpx.Client) -> None:
    place = _place(client.get("Patient", headers=LATER))
    found = _answer(client, place)
    assert found["response"]["status"] == "200 OK"
    assert [each["resource"]["id"] for each in found["resource"]["entry"]] == ["p"]
    assert client.delete(place).status_code == 202
    assert client.get(place).status_code == 404
    cancelled = _place(client.get("Patient", headers=LATER))
    assert client.delete(cancelled).status_code == 202
    assert client.get(cancelled).content == client.get(place).content


def _require_once(client: httpx.Client, found: dict[str, Any]) -> None:
    statuses = [each["response"]["status"] for each in found["resource"]["entry"]]
    assert statuses == ["201 Created"] * CREATED + ["200 OK"] * SEARCHES
    assert client.get("Patient?family=Once&_summary=count").json()["total"] == CREATED
