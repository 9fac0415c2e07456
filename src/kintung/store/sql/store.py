"""The Store of both databases: what differs between them is behind :class:`Backend`."""

# ruff: noqa: ARG002 - a System is asked for as proof and not otherwise used

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Protocol

from kintung.clock import Clock
from kintung.errors import KintungError
from kintung.store.asynchronous import Asynchronous
from kintung.store.audit import AuditBook
from kintung.store.bell import Bell
from kintung.store.committer import Committer
from kintung.store.keys import KeyStore, WouldWait
from kintung.store.links import Turned
from kintung.store.notices import Notices
from kintung.store.port import Claimed, Finding, Rehearsal, Unit, View
from kintung.store.reader import Scope
from kintung.store.scribe import Scribe
from kintung.store.sealing import Sealer
from kintung.store.sql.asynchronous import SqlAsynchronous
from kintung.store.sql.commit import Commit, Request
from kintung.store.sql.database import Database, Row
from kintung.store.sql.idempotency import replay
from kintung.store.sql.names import TYPE_NAMES, TYPE_NUMBERS, Names, label_names, labels_of
from kintung.store.sql.notices import SqlNotices
from kintung.store.sql.persons import turned
from kintung.store.sql.rehashing import hash_again
from kintung.store.sql.search import Searcher
from kintung.store.sql.vaulting import vault_of
from kintung.store.sql.view import FIRST_STEP, ExportPlace, SqlView, next_step, of_one_page
from kintung.store.system import System
from kintung.store.units import rehearse
from kintung.store.vault import Vaults
from kintung.store.versions import LogEntry, Method, Version
from kintung.store.waiting import settle
from kintung.store.writes import AuditRecord, Receipt

COMMIT_SECONDS = 10.0
"""How long a unit waits for the commit lock before it is given up and nothing is stored."""

SYSTEM_SECONDS = 5.0
"""How long a page of an export or of a follower may take: so long the database keeps for it what
others overwrite."""


class Backend(Protocol):
    """One database: how to read it, and how to be alone in its commit section."""

    waits: bool

    def reading(self, seconds: float | None = None) -> AbstractContextManager[Database]:
        """A consistent reading of this thread; raises Unavailable, TimedOut.

        Args:
            seconds: how long the whole of it may take; None leaves each statement its own time.
        """
        ...

    def autocommit(self) -> AbstractContextManager[Database]:
        """A connection on which each statement is a reading of its own."""
        ...

    def committing(self) -> AbstractContextManager[Database]:
        """The commit lock and one transaction, durable when the block has ended."""
        ...

    def close(self) -> None: ...


class SqlStore:
    """A record store on SQLite or PostgreSQL; see ``kintung.store.port.Store``."""

    def __init__(
        self,
        backend: Backend,
        keys: KeyStore,
        sealer: Sealer,
        scribe: Scribe,
        vaults: Vaults,
        audit: AuditBook,
        clock: Clock,
        most_rows: int,
    ) -> None:
        """``most_rows``: a search estimated to look at more is refused.

        Raises:
            Unavailable: the key store is older than the secret of the vault; the backend is closed.
        """
        try:
            with backend.reading() as db:
                vaults.turn_to(vault_of(db, vaults).name)
        except BaseException:
            backend.close()
            raise
        self.waits = backend.waits
        self.jobs_queued = Bell()
        self.asynchronous: Asynchronous = SqlAsynchronous(backend.reading, backend.committing, clock)
        self._backend = backend
        self._keys = keys
        self._sealer = sealer
        self._scribe = scribe
        self._vaults = vaults
        self._audit = audit
        self._clock = clock
        self._most_rows = most_rows
        self._names = Names()
        self.notices: Notices = SqlNotices(backend.reading, backend.committing, clock, self._names)
        self._committer = Committer[Request, Receipt](self._run, _weight, "kintung-commit")

    # -- reading ------------------------------------------------------------------------

    @contextmanager
    def view(self) -> Generator[View]:
        with self._backend.reading() as db:
            yield self._on(db)

    def lookup(self) -> AbstractContextManager[View]:
        return _Lookup(self._backend.autocommit(), self._on)

    def _on(self, db: Database) -> SqlView:
        """A view of what a connection reads."""
        return SqlView(db, self._names, self._sealer, self._vaults, self._audit, self._most_rows)

    @contextmanager
    def searcher(self) -> Generator[Searcher]:
        """The planner of searches on a reading of its own: for EXPLAIN and measurements."""
        with self._backend.reading() as db:
            yield self._on(db).searcher()

    @contextmanager
    def maintenance(self, system: System) -> Generator[Database]:
        """Alone in the commit section: for what an operator does to the tables."""
        with self._backend.committing() as db:
            yield db

    def scope(self, number: int) -> Scope:
        with self._backend.reading() as db:
            rows = db.rows("SELECT epoch FROM scope WHERE number = ?", (number,))
        return Scope(number, rows[0][0] if rows else 0)

    def follow(
        self, system: System, after: int, limit: int = 1000, *, opening: Collection[str] | None = None
    ) -> tuple[LogEntry, ...]:
        with self._backend.reading(SYSTEM_SECONDS) as db:
            view, labels = self._on(db), label_names(db)
            entries = (_entry(view, labels, row) for row in _logged(db, after, limit, followed(opening)))
            return tuple(of_one_page(entries))

    def reached(self, system: System, name: str) -> int:
        with self._backend.reading() as db:
            return _reached(db, name)

    def reach(self, system: System, name: str, sequence: int) -> None:
        with self._backend.committing() as db:
            if sequence > _reached(db, name):
                db.remove("follower", [(name,)])
                db.insert("follower", [(name, sequence, 0, "", 0)])

    def turned(self, system: System, after: int, limit: int = 1000) -> tuple[Turned, ...]:
        with self._backend.reading(SYSTEM_SECONDS) as db:
            return turned(db, after, limit)

    def export(self, system: System, types: Sequence[str] = ()) -> Iterator[Version]:
        for type in sorted(types) or [name for name in TYPE_NUMBERS if name]:
            place: ExportPlace | None = ExportPlace()
            while place is not None:
                with self._backend.reading(SYSTEM_SECONDS) as db:
                    page, place = self._on(db).export_page(type, place)
                yield from page

    # -- writing ------------------------------------------------------------------------

    def submit(self, unit: Unit) -> "Future[Receipt]":
        try:
            with self._backend.reading() as db:
                if unit.idempotency is not None:
                    earlier = replay(db, unit.idempotency, self._clock.now_micros())
                    if earlier is not None:
                        return _answered(earlier)
                rehearsal = rehearse(unit, self._on(db))
        except KintungError as error:
            return _failed(error)
        return self._committer.put(Request(unit, rehearsal))

    def submit_at_once(self, unit: Unit) -> "Future[Receipt] | None":
        try:
            with self._keys.at_once():
                return self.submit(unit)
        except WouldWait:
            return None

    def submit_rehearsed(self, unit: Unit, rehearsal: Rehearsal) -> "Future[Receipt]":
        return self._committer.put(Request(unit, rehearsal))

    def record(self, *audits: AuditRecord) -> "Future[Receipt]":
        return self._committer.put(Request(None, None, audits))

    def commit(self, unit: Unit) -> Receipt:
        return settle(self.submit(unit), COMMIT_SECONDS)

    def _run(self, take: "Take") -> Sequence[Receipt | Exception]:
        try:
            with self._backend.committing() as db:
                requests = take()
                commit = Commit(
                    db, self._names, self._on(db), self._audit, self._scribe, self._clock.now_micros()
                )
                answers = commit.run(requests) if requests else []
        except BaseException:
            self._names.forget()
            raise
        if requests and commit.head:
            self._keys.witness_soon(commit.number, commit.head)
        if requests and commit.queued_jobs:
            self.jobs_queued.ring()
        return answers

    # -- jobs ---------------------------------------------------------------------------

    def claim(self, system: System, kind: str, lease_micros: int) -> Claimed | None:
        now = self._clock.now_micros()
        with self._backend.reading() as db:
            if not db.rows("SELECT 1 FROM job WHERE kind = ? AND due <= ? LIMIT 1", (kind, now)):
                return None  # asked often and in vain: without the commit lock
        with self._backend.committing() as db:
            rows = db.rows(
                "SELECT number, kind, payload, attempts FROM job WHERE kind = ? AND due <= ?"
                " ORDER BY due, number LIMIT 1",
                (kind, now),
            )
            if not rows:
                return None
            number, kind, payload, attempts = rows[0]
            db.run(
                "UPDATE job SET due = ?, attempts = ? WHERE number = ?",
                (now + lease_micros, attempts + 1, number),
            )
        return Claimed(number, kind, payload, attempts + 1)

    def finish(self, system: System, number: int) -> None:
        with self._backend.committing() as db:
            db.remove("job", [(number,)])

    # -- proof --------------------------------------------------------------------------

    def check(self, system: System) -> Iterator[Finding]:
        from kintung.store.sql.check import check  # noqa: PLC0415 - only ``check`` needs it

        return check(self._backend, self._keys, self._sealer, self._scribe, self._audit)

    # -- the secret of the vault --------------------------------------------------------

    def change_vault_secret(self, system: System) -> int | None:
        count: int | None = None
        following = self._vaults.following()
        try:
            with self._backend.committing() as db:
                if vault_of(db, self._vaults).name != following.name:
                    count = hash_again(db, self._names, self._scribe, following)
        except BaseException:
            self._names.forget()
            raise
        self._vaults.turn_to(following.name)
        self._vaults.settle()
        return count

    def close(self) -> None:
        self._committer.close()
        self._keys.witness_now()
        self._backend.close()


def _entry(view: SqlView, labels: Mapping[int, str], row: Row) -> LogEntry:
    """An entry of the log, from a row of ``FOLLOWED``."""
    seq, at, method, number, id, version_id, kind, organisation, patient_key, key, mask, meta_at, blob = row
    type = TYPE_NAMES[number]
    body = b""
    if blob is not None and method != Method.LABEL:
        body = view.version(type, id, version_id, at, method, meta_at, blob, kind, patient_key, key).body
    return LogEntry(
        seq,
        at,
        Method(method),
        type,
        id,
        version_id,
        view.ownership(version_id, kind, organisation, patient_key, key),
        frozenset(labels_of(mask, labels)),
        body,
    )


def _logged(db: Database, after: int, limit: int, statement: str) -> Iterator[Row]:
    """Log entries with their bodies, fetched as they are taken."""
    step = FIRST_STEP
    while limit > 0:
        rows = db.rows(statement, (after, min(step, limit)))
        yield from rows
        if len(rows) < step:
            return
        limit -= len(rows)
        after = rows[-1][0]
        step = next_step(step, max(len(row[-1] or b"") for row in rows))


def _reached(db: Database, name: str) -> int:
    rows = db.rows("SELECT cursor FROM follower WHERE name = ?", (name,))
    return rows[0][0] if rows else 0


def followed(opening: Collection[str] | None) -> str:
    """The statement of a page of the log, with bodies of the types ``opening``; None for all."""
    if opening is None:
        return FOLLOWED
    numbers = ", ".join(str(TYPE_NUMBERS[type]) for type in sorted(opening)) or "-1"
    return FOLLOWED.replace("v.body", f"CASE WHEN l.type IN ({numbers}) THEN v.body END")


FOLLOWED = (
    "SELECT l.seq, l.at, l.method, e.type, e.id, l.version_id, v.kind, v.organisation,"
    " l.patient_key, l.key, l.labels, v.meta_at, v.body"
    " FROM (SELECT * FROM log WHERE seq > ? ORDER BY seq LIMIT ?) l JOIN version v"
    " ON v.patient_key = l.patient_key AND v.key = l.key AND v.version_id = l.version_id"
    " JOIN entity e ON e.key = l.key ORDER BY l.seq"
)
"""The limit stands inside: else PostgreSQL joins and sorts the whole rest of the log for each page."""


def _weight(request: Request) -> int:
    return len(request.rehearsal.prepared.writes) if request.rehearsal is not None else len(request.audits)


class _Lookup:
    """A view on an autocommit connection; written out because every read by id passes here."""

    __slots__ = ("_autocommit", "_on")

    def __init__(
        self, autocommit: AbstractContextManager[Database], on: Callable[[Database], SqlView]
    ) -> None:
        self._autocommit = autocommit
        self._on = on

    def __enter__(self) -> SqlView:
        return self._on(self._autocommit.__enter__())

    def __exit__(
        self, type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return self._autocommit.__exit__(type, error, traceback)


class Take(Protocol):
    def __call__(self) -> Sequence[Request]: ...


def _answered(receipt: Receipt) -> "Future[Receipt]":
    future = Future[Receipt]()
    future.set_result(receipt)
    return future


def _failed(error: KintungError) -> "Future[Receipt]":
    future = Future[Receipt]()
    future.set_exception(error)
    return future
