"""The plain store itself: one state, one lock."""

# ruff: noqa: ARG002 - a System is asked for as proof and not otherwise used

import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from kintung.clock import Clock
from kintung.fhir.json import parse
from kintung.store.asynchronous import Asynchronous
from kintung.store.bell import Bell
from kintung.store.links import Turned
from kintung.store.memory import persons
from kintung.store.memory.asynchronous import MemoryAsynchronous
from kintung.store.memory.chain import append_audit
from kintung.store.memory.check import check
from kintung.store.memory.commit import Commit, replay, require_epoch
from kintung.store.memory.notices import MemoryNotices
from kintung.store.memory.state import Entry, Persons, Queued, Remembered, State
from kintung.store.memory.view import MemoryView, body_of
from kintung.store.notices import Notices
from kintung.store.port import Claimed, Finding, Rehearsal, Unit, View
from kintung.store.reader import Reader, Scope
from kintung.store.scribe import Scribe
from kintung.store.system import System
from kintung.store.vault import Vault
from kintung.store.versions import LogEntry, Method, Version
from kintung.store.writes import IDEMPOTENCY_MICROS, AuditRecord, Receipt


class MemoryStore:
    """The record of one process, gone when it ends."""

    waits = False

    def __init__(self, scribe: Scribe, clock: Clock) -> None:
        """Start empty.

        Args:
            scribe: opens the bodies of the Writes it made, and knows the zone of dates.
            clock: tells the instant of each commit, and when jobs are due.
        """
        self._scribe = scribe
        self._clock = clock
        self._state = State()
        self._lock = threading.Lock()
        self._reached: dict[str, int] = {}
        self.jobs_queued = Bell()
        self.asynchronous: Asynchronous = MemoryAsynchronous(clock)
        self.notices: Notices = MemoryNotices(
            clock,
            lambda id, version_id: self._state.accesses.get((id, version_id)),
            lambda reader, id: self._now().current(reader, "Subscription", id) is not None,
        )

    def view(self) -> AbstractContextManager[View]:
        return nullcontext(self._now())

    def _now(self) -> MemoryView:
        return MemoryView(self._state, self._scribe)

    def lookup(self) -> AbstractContextManager[View]:
        return self.view()

    def submit(self, unit: Unit) -> Future[Receipt]:
        answer: Future[Receipt] = Future()
        try:
            answer.set_result(self.commit(unit))
        except Exception as error:  # noqa: BLE001 - whatever prepare raises is the caller's
            answer.set_exception(error)
        return answer

    def submit_at_once(self, unit: Unit) -> Future[Receipt]:
        return self.submit(unit)

    def submit_rehearsed(self, unit: Unit, rehearsal: Rehearsal) -> Future[Receipt]:
        return self.submit(unit)

    def record(self, *audits: AuditRecord) -> Future[Receipt]:
        with self._lock:
            state = self._state.begin(self._clock.now_micros())
            for audit in audits:
                append_audit(state, audit)
            self._state = state
        answer: Future[Receipt] = Future()
        answer.set_result(Receipt((), len(state.log), state.at))
        return answer

    def commit(self, unit: Unit) -> Receipt:
        with self._lock:
            now = self._clock.now_micros()
            if unit.idempotency is not None:
                earlier = replay(self._state, unit.idempotency, now)
                if earlier is not None:
                    return earlier
            prepared = unit.prepare(MemoryView(self._state, self._scribe))
            require_epoch(self._state, unit.reader)
            state = self._state.begin(now)
            receipt = Commit(state, self._scribe).apply(unit.reader, prepared)
            if unit.idempotency is not None:
                client, key, digest = unit.idempotency
                state.remembered[client, key] = Remembered(digest, receipt, receipt.at + IDEMPOTENCY_MICROS)
            self._state = state
        if prepared.jobs:
            self.jobs_queued.ring()
        return receipt

    def scope(self, number: int) -> Scope:
        return Scope(number, self._state.scopes.get(number, Persons()).epoch)

    def follow(
        self, system: System, after: int, limit: int = 1000, *, opening: Collection[str] | None = None
    ) -> tuple[LogEntry, ...]:
        log = self._state.log
        return tuple(
            self._log_entry(entry, is_open=opening is None or entry.type in opening)
            for entry in log[after : after + limit]
        )

    def reached(self, system: System, name: str) -> int:
        return self._reached.get(name, 0)

    def reach(self, system: System, name: str, sequence: int) -> None:
        with self._lock:
            self._reached[name] = max(sequence, self.reached(system, name))

    def turned(self, system: System, after: int, limit: int = 1000) -> tuple[Turned, ...]:
        return tuple(persons.turned(self._state))[after : after + limit]

    def export(self, system: System, types: Sequence[str] = ()) -> Iterator[Version]:
        state = self._state
        view = MemoryView(state, self._scribe)
        for (type, id), versions in state.versions.items():
            if versions[-1].method is not Method.DELETE and (not types or type in types):
                yield view.read(Reader.everything(), type, id)

    def check(self, system: System) -> Iterator[Finding]:
        return check(self._state, self._scribe)

    def change_vault_secret(self, system: System) -> int:
        vaults = self._scribe.vaults
        with self._lock:
            following = vaults.following()
            state = self._state.copy()
            changed = 0
            for name, versions in state.versions.items():
                again = tuple(self._hashed_again(entry, following) for entry in versions)
                state.versions[name] = again
                changed += self._has_numbers(again[-1], following)
            self._state = state
            vaults.turn_to(following.name)
            vaults.settle()
        return changed

    def _has_numbers(self, entry: Entry, vault: Vault) -> bool:
        if entry.sealed is None:
            return False
        text = self._scribe.open(entry.sealed.blob, entry.type, entry.id)
        return any(self._scribe.hashed(parse(text), vault)[:-1])

    def _hashed_again(self, entry: Entry, vault: Vault) -> Entry:
        if entry.sealed is None:
            return entry
        text = self._scribe.open(entry.sealed.blob, entry.type, entry.id)
        return replace(entry, adds=self._scribe.index(parse(text), vault))

    def claim(self, system: System, kind: str, lease_micros: int) -> Claimed | None:
        with self._lock:
            now = self._clock.now_micros()
            due = [
                (queued.due, number)
                for number, queued in self._state.jobs.items()
                if queued.job.kind == kind and queued.due <= now
            ]
            if not due:
                return None
            _, number = min(due)
            job, _, attempts = self._state.jobs[number]
            state = self._state.copy()
            state.jobs[number] = Queued(job, now + lease_micros, attempts + 1)
            self._state = state
            return Claimed(number, job.kind, job.payload, attempts + 1)

    def finish(self, system: System, number: int) -> None:
        with self._lock:
            state = self._state.copy()
            state.jobs.pop(number, None)
            self._state = state

    def close(self) -> None:
        """Nothing is held open."""

    def _log_entry(self, entry: Entry, *, is_open: bool) -> LogEntry:
        return LogEntry(
            entry.sequence,
            entry.at,
            entry.method,
            entry.type,
            entry.id,
            entry.version_id,
            entry.ownership,
            entry.labels,
            body_of(entry, self._scribe) if is_open else b"",
        )
