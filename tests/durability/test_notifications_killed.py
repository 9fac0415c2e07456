"""D23: subscribers are told at least once, in order, across kill -9, and never of what was refused."""

import json
import os
import signal
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commands import base_of, done, group, kill_group, kintung, started
from tests.databases import KINDS, fresh
from tests.receivers import Got, Receiver, answering, receiver
from tests.scale import counts, seeded
from tests.waiting import until

WRITERS = 4
TURNS = 60
KILLS = counts(1, 30)


class Writers:
    """Clients that each change a few resources over and over, and what they were told became of it."""

    def __init__(self, base: str, run: int) -> None:
        self.acknowledged: list[tuple[str, int]] = []
        self.refused: list[str] = []
        self._base = base
        self._stopped = False
        self._threads = [threading.Thread(target=self._write, args=(f"r{run}w{n}",)) for n in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    @property
    def is_over(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def wait_for_more(self, answers: int) -> None:
        """Until so many more versions are acknowledged, or all are."""
        least = len(self.acknowledged) + answers
        until(lambda: len(self.acknowledged) >= least or self.is_over, f"{answers} more answers")

    def stop(self) -> None:
        self._stopped = True
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive()

    def _write(self, name: str) -> None:
        with httpx.Client(base_url=f"{self._base}/", timeout=60) as client:
            turn = 0
            while not self._stopped and turn < TURNS:
                turn += 1
                try:
                    self._send(client, f"{name}-{turn % 3}", turn)
                except httpx.TransportError:
                    self._stopped = True  # killed: this one may be stored or not

    def _send(self, client: httpx.Client, id: str, turn: int) -> None:
        """An update; every fourth time a transaction that is refused as a whole."""
        resource = _observation(id, turn)
        if turn % 4:
            answer = client.put(f"Observation/{id}", json=resource)
            if answer.status_code in (200, 201):
                self.acknowledged.append((id, int(answer.json()["meta"]["versionId"])))
            return
        refused = _observation(f"refused-{id}-{turn}", turn)
        misfit = {"method": "PUT", "url": f"Observation/{id}", "ifMatch": 'W/"999999"'}
        entries = [
            {"resource": refused, "request": {"method": "PUT", "url": f"Observation/{refused['id']}"}},
            {"resource": resource, "request": misfit},
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = client.post("", json=bundle)
        assert answer.status_code >= 400
        self.refused.append(refused["id"])


def _observation(id: str, turn: int) -> dict[str, Any]:
    code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    return {"resourceType": "Observation", "id": id, "status": "final", "code": code, "valueInteger": turn}


def _versions(got: list[Got]) -> dict[str, list[int]]:
    """Versions of each resource in the order they came first."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for each in got:
        id, version_id = _version(each)
        if version_id not in found[id]:
            found[id].append(version_id)
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose data folder is that of this process too: PostgreSQL's keys lie there."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_told_is_lost_or_out_of_order_or_untrue(
    kind: str, home: Path, request: pytest.FixtureRequest
) -> None:
    """A worker is killed under load, then the whole node; then it is served in peace."""
    url, draw = fresh(kind, home, request), seeded(f"told {kind}")
    acknowledged, refused = list[tuple[str, int]](), list[str]()
    with receiver() as hook:
        for run in range(KILLS):
            process = _served(home, url, hook)
            try:
                base = base_of(process)
                if not run:
                    _subscribe(base, hook)
                writers = Writers(base, run)
                _wait_for_more(hook, draw.randrange(1, 20))
                os.kill(draw.choice([pid for pid in group(process) if pid != process.pid]), signal.SIGKILL)
                hook.answer = answering(503)  # and meanwhile the receiver is away
                writers.wait_for_more(draw.randrange(20))
                hook.answer = answering(200)
            finally:
                kill_group(process)
            writers.stop()
            acknowledged += writers.acknowledged
            refused += writers.refused
        process = _served(home, url, hook)
        try:
            base_of(process)
            hook.wait(_all_of(acknowledged), 240)
        finally:
            kill_group(process)
        told = _versions(hook.got)
    _require_all(told, acknowledged, refused)
    assert "sound" in done(kintung(home, "check", "--database", url))
    print(f"D23 {kind}: {KILLS} kills, {len(acknowledged)} acknowledged, {len(hook.got)} came, none lost")


def _require_all(told: dict[str, list[int]], acknowledged: list[tuple[str, int]], refused: list[str]) -> None:
    assert len(acknowledged) > 5 * KILLS
    assert len(refused) > KILLS
    assert [each for each in acknowledged if each[1] not in told[each[0]]] == []
    assert [id for id, versions in told.items() if versions != sorted(versions)] == []
    assert not set(refused).intersection(told)


def _served(home: Path, url: str, hook: Receiver) -> Any:
    arguments = ("serve", "--unprotected", "--port", "0", "--database", url, "--workers", "2")
    return started(home, *arguments, "--notify-origin", hook.origin)


def _wait_for_more(hook: Receiver, notifications: int) -> None:
    least = len(hook.got) + notifications
    hook.wait(lambda got: len(got) >= least, 120)


def _subscribe(base: str, hook: Receiver) -> None:
    channel = {
        "type": "rest-hook",
        "endpoint": f"{hook.origin}/hook",
        "payload": "application/fhir+json",
    }
    resource = {
        "resourceType": "Subscription",
        "id": "s",
        "status": "requested",
        "reason": "test",
        "criteria": "Observation?code=8867-4",
        "channel": channel,
    }
    assert httpx.put(f"{base}/Subscription/s", json=resource, timeout=60).status_code == 201


def _all_of(acknowledged: list[tuple[str, int]]) -> Callable[[list[Got]], bool]:
    """Whether all these versions came; looks at each that comes once."""
    missing, looked_at = set(acknowledged), 0

    def came(got: list[Got]) -> bool:
        nonlocal looked_at
        missing.difference_update(_version(each) for each in got[looked_at:])
        looked_at = len(got)
        return not missing

    return came


def _version(got: Got) -> tuple[str, int]:
    resource = json.loads(got.body)
    return resource["id"], int(resource["meta"]["versionId"])
