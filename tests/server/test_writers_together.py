"""Two worker processes and a ``kintung load`` write to one record at once; none starves.

Each writer's progress is read from the record itself, commit by commit: a commit is of the
load when it stored what the load's file holds, of a worker when it stored what clients of
that worker had acknowledged. How long a writer was kept out is counted in commits of the
others. A load that starves never ends, because the clients go on until it does.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import synthea
from tests.commands import Served, complaints, ended, serving, started, worker_of
from tests.databases import KINDS, fresh, looking
from tests.scale import counts

CLIENTS = 4
"""Of each worker."""

COMMITS = "SELECT number, at, last_seq FROM chain ORDER BY number"
WRITTEN = "SELECT l.seq, e.id FROM log l JOIN entity e ON e.key = l.key ORDER BY l.seq"


@dataclass
class Client:
    """Creates one Basic after another over one connection, and so through one worker."""

    connection: httpx.Client
    worker: int
    acknowledged: list[str] = field(default_factory=list)
    longest_wait: float = 0.0

    def write_until(self, stop: threading.Event) -> None:
        while not stop.is_set():
            began = time.monotonic()
            answer = self.connection.post("Basic", json={"resourceType": "Basic", "code": {"text": "x"}})
            assert answer.status_code == 201, answer.text
            self.longest_wait = max(self.longest_wait, time.monotonic() - began)
            self.acknowledged.append(answer.json()["id"])


@contextmanager
def clients_of_both_workers(served: Served) -> Iterator[list[Client]]:
    """Connections are spread by chance; those one worker has too many of are closed, all at the end."""
    found: dict[int, list[Client]] = {}
    with ExitStack() as open_ones:
        while sum(map(len, found.values())) < 2 * CLIENTS:
            connection = open_ones.enter_context(served.client())
            worker = worker_of(served, connection)
            of_worker = found.setdefault(worker, [])
            if len(of_worker) < CLIENTS:
                of_worker.append(Client(connection, worker))
            else:
                connection.close()
        yield [client for of_worker in found.values() for client in of_worker]


@pytest.mark.parametrize("kind", KINDS)
def test_each_of_three_writers_goes_on(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = fresh(kind, tmp_path, request)
    bundles = counts(60, synthea.BUNDLES)
    stop = threading.Event()
    with (
        serving(tmp_path, url, "--workers", "2") as served,
        clients_of_both_workers(served) as clients,
    ):
        threads = [threading.Thread(target=client.write_until, args=(stop,)) for client in clients]
        for thread in threads:
            thread.start()
        try:
            file = synthea.smallest(bundles, tmp_path)
            code, out, err = ended(started(tmp_path, "load", file, "--database", url, "--processes", "2"))
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert (code, complaints(err)) == (0, "")
    entries = sum(sorted(synthea.sizes())[:bundles])
    assert f" {entries:,} resources in " in out
    with looking(url) as look:
        commits = commits_by_writer(look, clients)
    stored = Counter({writer: sum(n for w, _, n in commits if w == writer) for writer, _, _ in commits})
    workers = {client.worker for client in clients}
    assert stored.keys() == {"load", *workers}
    assert stored["load"] == entries
    for worker in workers:
        assert stored[worker] == sum(len(c.acknowledged) for c in clients if c.worker == worker)
    order = while_loading([writer for writer, _, _ in commits])
    for writer in stored:
        share = f"{order.count(writer)} of {len(order)} commits, out for at most {longest_out(order, writer)}"
        print(f"{kind}: {writer}: {share}")
        assert order.count(writer) >= 5, share
        # The clients of a worker wait for it all the time, a load for its own preparing too.
        assert writer == "load" or longest_out(order, writer) < len(order) / 2, share
    print(f"{kind}: longest wait for an answer {max(c.longest_wait for c in clients):.2f} s; {out.strip()}")


def while_loading(writers: list[object]) -> list[object]:
    """Who made each commit, from the first of the load to its last."""
    first = writers.index("load")
    last = len(writers) - writers[::-1].index("load")
    return writers[first:last]


def longest_out(order: list[object], writer: object) -> int:
    """The most commits of others in a row."""
    return max(
        (len(list(run)) for mine, run in groupby(order, lambda who: who == writer) if not mine), default=0
    )


def commits_by_writer(
    look: Callable[[str], list[Any]], clients: list[Client]
) -> list[tuple[object, int, int]]:
    """Who made each commit, when (microseconds), and how many versions it stored."""
    of = {id: client.worker for client in clients for id in client.acknowledged}
    written: list[tuple[int, str]] = look(WRITTEN)
    found: list[tuple[object, int, int]] = []
    done = 0
    for _, at, last in look(COMMITS):
        writers = {of.get(id, "load") for _, id in written[done:last]}
        assert len(writers) <= 1, "a commit is of one process"
        found += [(writer, at, last - done) for writer in writers]
        done = last
    return found
