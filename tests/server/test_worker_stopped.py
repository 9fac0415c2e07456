"""One of two served workers stands still outside the commit section: clients of the other go on."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from kintung.app import sqlite_path
from tests.commands import SECONDS, serving
from tests.databases import KINDS, fresh, looking
from tests.durability.processes import is_held, lock_of
from tests.server.test_writers_together import Client, clients_of_both_workers
from tests.waiting import until

WRITES = 20
"""By each client of the worker that goes on."""

HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"


def is_inside(url: str) -> bool:
    """Is a process inside the commit section?"""
    if url.startswith("sqlite:"):
        return is_held(lock_of(sqlite_path(url)))
    with looking(url) as look:
        return look(HELD)[0][0] > 0


def stop_outside(worker: int, url: str) -> None:
    """Stop a worker, the only one that writes, at a moment when it is not inside the section."""
    end = time.monotonic() + SECONDS
    while True:
        assert time.monotonic() < end, "never stopped outside the commit section"
        os.kill(worker, signal.SIGSTOP)
        until(lambda: state_of(worker) == "T", "the worker to stop")
        if not is_inside(url):
            return
        os.kill(worker, signal.SIGCONT)


def state_of(process: int) -> str:
    """As the system names it: T is stopped."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("kind", KINDS)
def test_clients_of_the_other_worker_go_on(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = fresh(kind, tmp_path, request)
    stop = threading.Event()
    with (
        serving(tmp_path, url, "--workers", "2") as served,
        clients_of_both_workers(served) as clients,
    ):
        stopped = clients[0].worker
        held_up = [client for client in clients if client.worker == stopped]
        going_on = [client for client in clients if client.worker != stopped]
        threads = [threading.Thread(target=write_until, args=(client, stop)) for client in held_up]
        for thread in threads:
            thread.start()
        until(lambda: all(client.acknowledged for client in held_up), "a write of each client")
        stop_outside(stopped, url)
        try:
            for client in going_on:
                for _ in range(WRITES):
                    write(client)
            assert state_of(stopped) == "T"
            stored = [len(client.acknowledged) for client in held_up]
        finally:
            os.kill(stopped, signal.SIGCONT)
        until(
            lambda: all(len(c.acknowledged) > n + 1 for c, n in zip(held_up, stored, strict=True)),
            "two more writes of each client",
        )
        stop.set()
        for thread in threads:
            thread.join()
    told = {id for client in clients for id in client.acknowledged}
    with looking(url) as look:
        assert {id for (id,) in look("SELECT id FROM entity")} == told


def write_until(client: Client, stop: threading.Event) -> None:
    """Write one after the other; what waited too long while its worker was stopped is refused."""
    while not stop.is_set():
        write(client, 503)


def write(client: Client, *refusals: int) -> None:
    answer = client.connection.post("Basic", json={"resourceType": "Basic", "code": {"text": "x"}})
    assert answer.status_code in (201, *refusals), answer.text
    if answer.status_code == 201:
        client.acknowledged.append(answer.json()["id"])
