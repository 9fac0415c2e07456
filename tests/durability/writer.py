"""A process that writes to a record until it is killed, and says what it was told is stored.

Started by the tests: ``python -m tests.durability.writer '{"url": ..., ...}'``. Every line
of the file ``acks`` is one acknowledged unit: ``@seen:sequence``, the end of the log when the
unit was queued and when it was done, then what it wrote, as ``Type/id/version``. A line is
written with one call on a file opened for appending, so it is whole or not there.
"""

import json
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from kintung.app import sqlite_path
from kintung.clock import SetClock, SystemClock
from kintung.errors import Unavailable
from kintung.store.postgres import PostgresBackend
from kintung.store.sql.database import Database
from kintung.store.sql.store import COMMIT_SECONDS, Backend
from kintung.store.sqlite import SqliteBackend
from kintung.store.waiting import settle
from kintung.store.writes import Receipt
from tests.durability.nodes import Parts, assembled
from tests.records import Resource, group, patient, weight
from tests.scale import seeded
from tests.stores import Record


@dataclass(frozen=True, slots=True)
class Orders:
    """What the writer is told to do."""

    url: str
    keys: str
    acks: str
    name: str
    """Ids it makes begin with this, and it draws what this name draws."""
    threads: int = 16
    most: int = 3
    """Units hold from one to so many writes."""
    least: int = 1
    hung_seconds: float = 10.0
    turns: str = ""
    """A file: for each commit a line with how many others came between asking for the lock and having it."""


class Turns:
    """A backend that counts the commits of others each of its own had to wait for at the lock itself.

    What a process waits for elsewhere (a processor, its own threads) is not counted: only who
    asks is in the queue, and may be passed over.
    """

    def __init__(self, backend: Backend, file: str) -> None:
        self.waits = backend.waits
        self._backend = backend
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def reading(self, seconds: float | None = None) -> AbstractContextManager[Database]:
        return self._backend.reading(seconds)

    def autocommit(self) -> AbstractContextManager[Database]:
        return self._backend.autocommit()

    @contextmanager
    def committing(self) -> Iterator[Database]:
        with self._backend.autocommit() as db:
            asked = _commits(db)
        with self._backend.committing() as db:
            os.write(self._file, f"{_commits(db) - asked}\n".encode())
            yield db

    def close(self) -> None:
        self._backend.close()


def _commits(db: Database) -> int:
    return db.rows("SELECT coalesce(max(number), 0) FROM chain")[0][0]


def backend_of(url: str, hung_seconds: float) -> Backend:
    if url.startswith("sqlite:"):
        return SqliteBackend(sqlite_path(url))
    return PostgresBackend(url, hung_seconds=hung_seconds)


@contextmanager
def opened(orders: Orders) -> Iterator[tuple[Parts, Record]]:
    backend = backend_of(orders.url, orders.hung_seconds)
    if orders.turns:
        backend = Turns(backend, orders.turns)
    with assembled(backend, Path(orders.keys), clock=SystemClock()) as parts:
        yield parts, Record(parts.store, parts.scribe, SetClock(0))


class Writer:
    """Threads that commit units one after the other."""

    def __init__(self, orders: Orders, record: Record) -> None:
        self._orders = orders
        self._record = record
        self._pause = threading.Event()
        self._acks = os.open(orders.acks, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def run(self) -> None:
        threads = [
            threading.Thread(target=self._work, args=(number,), daemon=True)
            for number in range(self._orders.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, thread: int) -> None:
        random = seeded(f"{self._orders.name}:{thread}")
        number = 0
        while True:
            number += 1
            resources = self._unit(f"{self._orders.name}-{thread}-{number}", thread, random)
            try:
                waiting = self._record.store.submit(self._record.unit(*map(self._record.putting, resources)))
                with self._record.store.view() as view:
                    seen = view.sequence
                receipt = settle(waiting, COMMIT_SECONDS)
            except Unavailable:
                self._pause.wait(0.02)
                continue
            self._acknowledged(seen, receipt)

    def _unit(self, id: str, thread: int, random: Random) -> list[Resource]:
        """New weights of one of a few patients, sometimes with a patient or a group written again."""
        person = f"{self._orders.name}-p{random.randrange(5)}"
        size = random.randint(self._orders.least, self._orders.most)
        unit: list[Resource] = [weight(f"{id}-{place}-of-{size}", person, place + 1) for place in range(size)]
        if random.random() < 0.2:
            unit.append(patient(f"{self._orders.name}-t{thread}", random.choice(["Chan", "Wong", "Lee"])))
        if random.random() < 0.1:
            unit.append(group(f"{self._orders.name}-g{thread}", person, "everyone"))
        return unit

    def _acknowledged(self, seen: int, receipt: Receipt) -> None:
        line = " ".join(f"{done.type}/{done.id}/{done.version_id}" for done in receipt.done)
        os.write(self._acks, f"@{seen}:{receipt.sequence} {line}\n".encode())


def fail(thread: threading.ExceptHookArgs) -> None:
    """A thread met an error no caller may meet: the process ends, and the test that started it fails."""
    assert thread.exc_value is not None
    traceback.print_exception(thread.exc_value)
    os._exit(1)


def main() -> None:
    threading.excepthook = fail
    orders = Orders(**json.loads(sys.argv[1]))
    with opened(orders) as (_, record):
        Writer(orders, record).run()


if __name__ == "__main__":
    main()
