"""D1 on the real server: kill -9 of a served node and its workers under 16 clients."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from kintung.app import open_node
from tests.commands import base_of, complaints, done, group, kill_group, kintung, started
from tests.databases import KINDS, fresh
from tests.records import Resource, patient, weight
from tests.scale import counts, seeded
from tests.stores import ALL
from tests.waiting import until

CLIENTS = 16
WORKERS = 2


class Clients:
    """Sixteen clients that write until the server is gone, and what they were told is stored."""

    def __init__(self, base: str, name: str) -> None:
        self.acknowledged: list[tuple[str, str, int]] = []
        self.refused: list[str] = []
        self._base = base
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._write, args=(f"{name}-{number}",)) for number in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for(self, answers: int) -> None:
        """Until so many versions are acknowledged."""
        until(lambda: len(self.acknowledged) >= answers or bool(self.refused), f"{answers} answers")

    def stop(self) -> None:
        """Let each end with the answer it waits for."""
        self._stopped = True

    def wait(self) -> None:
        """Until all have noticed that the server is gone."""
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _write(self, name: str) -> None:
        with httpx.Client(base_url=f"{self._base}/", timeout=60) as client:
            turn = 0
            while not self._stopped:
                turn += 1
                try:
                    answer = self._send(client, f"{name}-{turn}", turn)
                except httpx.TransportError:
                    return  # killed: this one may be stored or not
                if answer.status_code >= 300:
                    self.refused.append(answer.text)
                    return
                self._acknowledge(answer.json())

    def _send(self, client: httpx.Client, id: str, turn: int) -> httpx.Response:
        """A create, an update of one id, or a transaction of three in turn."""
        match turn % 3:
            case 0:
                return client.post("Observation", json=_new_weight(id))
            case 1:
                return client.put(f"Patient/{id}", json=patient(id))
            case _:
                return client.post(
                    "", json=transaction([patient(id), weight(f"{id}-a", id, 1), weight(f"{id}-b", id, 2)])
                )

    def _acknowledge(self, answer: Resource) -> None:
        if answer["resourceType"] != "Bundle":
            self.acknowledged.append((answer["resourceType"], answer["id"], int(answer["meta"]["versionId"])))
            return
        for entry in answer["entry"]:
            type, id, _, version_id = entry["response"]["location"].split("/")[-4:]
            self.acknowledged.append((type, id, int(version_id)))


def _new_weight(of: str) -> Resource:
    resource = weight("x", of, 60)
    del resource["id"]
    return resource


def transaction(resources: list[Resource]) -> Resource:
    entries = [
        {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
        for r in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose data folder is that of this process too: PostgreSQL's keys lie there."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@contextmanager
def served(home: Path, url: str) -> Iterator[tuple[str, Any]]:
    arguments = ("serve", "--unprotected", "--port", "0", "--database", url, "--workers", str(WORKERS))
    process = started(home, *arguments)
    try:
        yield base_of(process), process
    finally:
        kill_group(process)


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_server_loses_nothing_it_answered(
    kind: str, home: Path, request: pytest.FixtureRequest
) -> None:
    """D1: every answer given before kill -9 is stored, bundles whole; ``kintung check`` finds nothing."""
    url = fresh(kind, home, request)
    random = seeded(f"served {kind}")
    loops, acknowledged = counts(2, 30), list[tuple[str, str, int]]()
    for loop in range(loops):
        with served(home, url) as (base, process):
            clients = Clients(base, f"l{loop}")
            clients.wait_for(random.randrange(10, 300))
            kill_group(process)
        clients.wait()
        assert clients.refused == []
        acknowledged += clients.acknowledged
        all_there(url, acknowledged)
    checked = kintung(home, "check", "--database", url)
    assert "sound" in done(checked)
    assert complaints(checked.stderr) == ""
    print(f"D1: {loops} kills of a server with {WORKERS} workers, {len(acknowledged)} answers, none lost")


@pytest.mark.parametrize("kind", KINDS)
def test_workers_that_take_too_much_memory_are_replaced(
    kind: str, home: Path, request: pytest.FixtureRequest
) -> None:
    """B16: the kernel kills workers, one right after it came; others come, what was answered is stored."""
    url, acknowledged = fresh(kind, home, request), list[tuple[str, str, int]]()
    with served(home, url) as (base, process):
        for turn in range(counts(3, 5)):
            clients = Clients(base, f"t{turn}")
            clients.wait_for(50)
            until(lambda: len(_workers(process)) == WORKERS, "as many workers as are wanted")
            workers = _workers(process)
            victim = workers.pop()
            os.kill(victim, signal.SIGKILL)  # as it does to who takes too much
            until(lambda before=workers | {victim}: _replaced(process, before), "another worker")
            later = Clients(base, f"t{turn}-later")
            later.wait_for(50)
            clients.stop()
            later.stop()
            for each in (clients, later):
                each.wait()
                assert each.refused == []
                acknowledged += each.acknowledged
        kill_group(process)
    all_there(url, acknowledged)
    assert "sound" in done(kintung(home, "check", "--database", url))


def _workers(process: Any) -> set[int]:
    return set(group(process)) - {process.pid}


def _replaced(process: Any, before: set[int]) -> bool:
    """Are there as many workers again, and one that was not there?"""
    now = _workers(process)
    return len(now) == WORKERS and bool(now - before)


def all_there(url: str, acknowledged: list[tuple[str, str, int]]) -> None:
    with open_node(url) as node, node.store.view() as view:
        for type, id, version_id in acknowledged:
            assert view.vread(ALL, type, id, version_id).id == id
        for _, id, _ in acknowledged:
            if id.endswith("-a"):
                assert view.read(ALL, "Observation", f"{id[:-2]}-b")
