"""A process that commits a unit and is killed or stopped by its own hand between two statements.

``python -m tests.durability.dying '{"url": ..., "keys": ...}'`` reads lines ``number name`` and
for each forks a child that commits the unit ``name`` and dies before statement ``number`` of
the commit; it answers ``killed``, or ``done`` when the commit has fewer statements.

The name ``change-vault-secret`` changes the secret of the vault instead.

With ``"signal": "SIGSTOP"`` the child stands still there instead; the answer is ``stopped``, and
``done`` when it was told to go on by a line and has ended.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from kintung.clock import SetClock
from kintung.store.port import Unit, View
from kintung.store.sql.database import Database, Row
from kintung.store.sql.store import Backend
from kintung.store.writes import AuditRecord, Idempotency, Job, Outcome, Prepared
from tests.durability.nodes import assembled
from tests.durability.writer import backend_of
from tests.records import group, patient, weight
from tests.stores import ALL, START, SYSTEM, Record

CHANGE = "change-vault-secret"
"""Not a unit: hash the numbers again."""
HUNG_SECONDS = 60
"""How long PostgreSQL lets a session stand still inside the commit section; no test is so slow."""


def bundle(record: Record, name: str) -> Unit:
    """What a transaction Bundle becomes: new resources that refer to each other, an audit record, a job."""
    resources = [
        patient(f"{name}-p", "Chan", birthDate="1950-02-03"),
        patient(f"{name}-q", "Wong"),
        weight(f"{name}-a", f"{name}-p", 60),
        weight(f"{name}-b", f"{name}-q", 70),
        group(f"{name}-g", f"{name}-p", f"{name}-q"),
    ]
    audit = AuditRecord("doctor", "", "TREAT", "transaction", "POST", 200)

    def prepare(view: View) -> Prepared:
        writes = tuple(record.putting(resource)(view) for resource in resources)
        outcomes = tuple(Outcome(201, write=place) for place in range(len(writes)))
        return Prepared(writes, outcomes, audit, jobs=(Job("send", name.encode(), 0),))

    return Unit(ALL, prepare, Idempotency("clinic", name, name.encode()))


class Dying:
    """A backend whose commit kills or stops the process before the statement of a number.

    Statement 0 is the first after the lock is taken, and the one after the last is the answer
    to the caller, when the commit is durable.
    """

    def __init__(self, backend: Backend, number: int, end: signal.Signals) -> None:
        self.waits = backend.waits
        self._backend = backend
        self._left = number
        self._end = end

    def reading(self, seconds: float | None = None) -> AbstractContextManager[Database]:
        return self._backend.reading(seconds)

    def autocommit(self) -> AbstractContextManager[Database]:
        return self._backend.autocommit()

    @contextmanager
    def committing(self) -> Iterator[Database]:
        with self._backend.committing() as db:
            yield _Counted(db, self.step)
            self.step()
        self.step()

    def step(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), self._end)
        self._left -= 1

    def close(self) -> None:
        self._backend.close()


class _Counted:
    """A connection that counts what is asked of it, before it is done."""

    def __init__(self, db: Database, step: Callable[[], None]) -> None:
        self.dialect = db.dialect
        self._db = db
        self._step = step

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        self._step()
        return self._db.rows(statement, values)

    def run(self, statement: str, values: Sequence[object] = ()) -> None:
        self._step()
        self._db.run(statement, values)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        self._step()
        self._db.insert(table, rows)

    def remove(self, table: str, rows: Sequence[Row]) -> None:
        self._step()
        self._db.remove(table, rows)

    def lookup(self, statement: str, types: Sequence[str], rows: Iterable[Row]) -> list[Row]:
        self._step()
        return self._db.lookup(statement, types, rows)

    def within(self, seconds: float) -> AbstractContextManager[None]:
        return self._db.within(seconds)


def child(url: str, keys: Path, number: int, name: str, end: signal.Signals) -> None:
    clock = SetClock(START, tick=1)
    with assembled(Dying(backend_of(url, HUNG_SECONDS), number, end), keys, clock=clock) as parts:
        if name == CHANGE:
            parts.store.change_vault_secret(SYSTEM)
        else:
            parts.store.commit(bundle(Record(parts.store, parts.scribe, clock), name))


def main() -> None:
    orders = json.loads(sys.argv[1])
    end = signal.Signals[orders.get("signal", "SIGKILL")]
    for line in sys.stdin:
        number, name = line.split()
        pid = os.fork()
        if pid == 0:
            child(orders["url"], Path(orders["keys"]), int(number), name, end)
            os._exit(0)
        _, status = os.waitpid(pid, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            print("stopped", flush=True)
            sys.stdin.readline()
            os.kill(pid, signal.SIGCONT)
            _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert killed or status == 0, status
        print("killed" if killed else "done", flush=True)


if __name__ == "__main__":
    main()
