"""The plain store: the record in dictionaries and lists, for tests and as the reference.

SQLite and PostgreSQL are compared with it, so it is written to be obviously right and not
to be fast. A commit copies the whole state, changes the copy, and puts it in the place of
the old one; a view keeps the state it was opened on. So a commit that fails half-way leaves
no trace, and a view is consistent whatever is committed meanwhile. A unit is prepared once,
inside the lock, on the state it will change: there is nothing to prepare again.

Searches do not use the index rows of a Write. They use what is extracted here, at the
commit, from the body opened again: what this store answers depends on the bodies alone, and
a database whose rows are wrong cannot agree with it. The rows are kept only for ``check``.
The Reader is one function, :func:`_sees`, asked of every resource that is looked at, before
anything is sorted, counted or cut.
"""

# ruff: noqa: ARG002 - a System is asked for as proof and not otherwise used

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from kintung.clock import Clock
from kintung.errors import Deleted, Duplicate, NotFound, Unavailable, VersionConflict
from kintung.fhir.json import parse
from kintung.fhir.search import Extracted, Query, Sort, extract
from kintung.fhir.splice import served
from kintung.store.bell import Bell
from kintung.store.matching import Indexed, meets, normal_rows, sort_value
from kintung.store.port import (
    AuditRecord,
    Claimed,
    Current,
    Done,
    Finding,
    Grant,
    Idempotency,
    IndexRows,
    Job,
    LogEntry,
    Match,
    Method,
    Outcome,
    OwnerKind,
    Ownership,
    Page,
    Position,
    Prepared,
    Receipt,
    Rehearsal,
    Relabel,
    Sealed,
    Unit,
    Version,
    View,
    Write,
)
from kintung.store.reader import Reader, Scope
from kintung.store.scribe import Scribe
from kintung.store.system import System

IDEMPOTENCY_MICROS = 7 * 24 * 3_600 * 1_000_000
"""How long the key of a request is remembered."""

Name = tuple[str, str]
"""Type and id of a resource."""


class _Entry(NamedTuple):
    """One entry of the log. ``chained`` is the head of the hash chain after it."""

    sequence: int
    at: int
    method: Method
    type: str
    id: str
    version_id: int
    ownership: Ownership
    labels: frozenset[str]
    sealed: Sealed | None
    adds: IndexRows | None
    found: Extracted | None
    chained: bytes = b""


class _Persons(NamedTuple):
    """A scope: the persons now in it."""

    ids: frozenset[str] = frozenset()
    epoch: int = 0


class _Remembered(NamedTuple):
    """What came of an idempotency key, and until when that is known."""

    digest: bytes
    receipt: Receipt
    until: int


class _Audited(NamedTuple):
    at: int
    record: AuditRecord
    chained: bytes


class _Queued(NamedTuple):
    """A job; ``due`` moves on by the lease when it is claimed."""

    job: Job
    due: int
    attempts: int = 0


@dataclass(slots=True)
class _State:
    """All that is stored. ``versions`` are those of the log by resource, oldest first."""

    log: list[_Entry] = field(default_factory=list[_Entry])
    versions: dict[Name, tuple[_Entry, ...]] = field(default_factory=dict[Name, tuple[_Entry, ...]])
    labels: dict[Name, frozenset[str]] = field(default_factory=dict[Name, frozenset[str]])
    patient_keys: dict[str, int] = field(default_factory=dict[str, int])
    scopes: dict[int, _Persons] = field(default_factory=dict[int, _Persons])
    remembered: dict[tuple[str, str], _Remembered] = field(default_factory=dict[tuple[str, str], _Remembered])
    audit: list[_Audited] = field(default_factory=list[_Audited])
    jobs: dict[int, _Queued] = field(default_factory=dict[int, _Queued])
    jobs_made: int = 0
    at: int = 0
    """The instant of the last commit."""

    def copy(self) -> "_State":
        """A state that changes without changing this one; what it holds never changes."""
        return _State(
            log=self.log.copy(),
            versions=self.versions.copy(),
            labels=self.labels.copy(),
            patient_keys=self.patient_keys.copy(),
            scopes=self.scopes.copy(),
            remembered=self.remembered.copy(),
            audit=self.audit.copy(),
            jobs=self.jobs.copy(),
            jobs_made=self.jobs_made,
            at=self.at,
        )

    @property
    def sequence(self) -> int:
        return len(self.log)

    def labels_of(self, name: Name) -> frozenset[str]:
        return self.labels.get(name, frozenset())

    def patient_key(self, patient: str) -> int:
        """The key of a source Patient, allotted when it is first stored or referenced."""
        return self.patient_keys.setdefault(patient, len(self.patient_keys) + 1)


def _sees(reader: Reader, state: _State, ownership: Ownership, labels: frozenset[str]) -> bool:
    """Is what these own, under these labels, visible to the reader?"""
    if reader.hidden & labels:
        return False
    match ownership.kind:
        case OwnerKind.PUBLIC:
            return reader.public
        case OwnerKind.ORGANISATION:
            if isinstance(reader.organisations, bool):
                return reader.organisations
            return ownership.organisation in reader.organisations
        case OwnerKind.PERSON | OwnerKind.SEVERAL | OwnerKind.UNKNOWN:
            if isinstance(reader.persons, bool):
                return reader.persons
            persons = state.scopes.get(reader.persons.number, _Persons()).ids
            return len(ownership.persons) > 0 and persons.issuperset(ownership.persons)


class _Row(NamedTuple):
    """An entry, or the bookmark of a page that ended there, as it is put in order."""

    values: tuple[object, ...]
    sequence: int
    entry: _Entry | None


class MemoryView:
    """A consistent reading of one state."""

    def __init__(self, state: _State, scribe: Scribe) -> None:
        self._state = state
        self._scribe = scribe

    @property
    def sequence(self) -> int:
        return self._state.sequence

    def current(self, reader: Reader, type: str, id: str) -> Current | None:
        entry = self._visible(reader, (type, id))
        if entry is None:
            return None
        return Current(entry.version_id, entry.method is Method.DELETE, entry.ownership)

    def read(self, reader: Reader, type: str, id: str) -> Version:
        entry = self._visible(reader, (type, id))
        if entry is None:
            raise NotFound(f"{type}/{id} is not known.")
        return self._undeleted(entry)

    def vread(self, reader: Reader, type: str, id: str, version_id: int) -> Version:
        for entry in self._state.versions.get((type, id), ()):
            if entry.version_id == version_id and self._sees_version(reader, entry):
                return self._undeleted(entry)
        raise NotFound(f"{type}/{id}/_history/{version_id} is not known.")

    def history(
        self,
        reader: Reader,
        type: str | None = None,
        id: str | None = None,
        *,
        since: int | None = None,
        count: int,
        total: bool = True,
        sequence: int | None = None,
        after: Position | None = None,
    ) -> Page:
        assert type is not None or id is None, "an id without its type"
        if type is not None and id is not None and self._visible(reader, (type, id)) is None:
            raise NotFound(f"{type}/{id} is not known.")
        upto = self.sequence if sequence is None else sequence
        rows = [
            _Row((), entry.sequence, entry)
            for entry in self._state.log
            if entry.method is not Method.LABEL
            and type in (None, entry.type)
            and id in (None, entry.id)
            and (since is None or entry.at >= since)
            and entry.sequence <= upto
            and self._sees_version(reader, entry)
        ]
        return self._page(rows, (), count=count, total=total, sequence=upto, after=after)

    def search(
        self,
        reader: Reader,
        query: Query,
        *,
        count: int,
        total: bool = False,
        sequence: int | None = None,
        after: Position | None = None,
    ) -> Page:
        upto = self.sequence if sequence is None else sequence
        rows = [row for row in self._matching(reader, query) if row.sequence <= upto]
        return self._page(rows, query.sort, count=count, total=total, sequence=upto, after=after)

    def match(self, reader: Reader, query: Query, limit: int = 2) -> tuple[Match, ...]:
        rows = _in_order(self._matching(reader, query), query.sort)
        entries = [row.entry for row in rows if row.entry is not None]
        return tuple(Match(entry.type, entry.id, entry.version_id) for entry in entries[:limit])

    def owners_of(self, type: str, id: str) -> Ownership | None:
        versions = self._state.versions.get((type, id))
        return versions[-1].ownership if versions else None

    def _visible(self, reader: Reader, name: Name) -> _Entry | None:
        """The last version of a resource, a deletion too, if the reader sees it."""
        versions = self._state.versions.get(name)
        if not versions or not self._sees_version(reader, versions[-1]):
            return None
        return versions[-1]

    def _sees_version(self, reader: Reader, entry: _Entry) -> bool:
        """Are the owners of this version and those of the current one visible, labels as of now?"""
        name = (entry.type, entry.id)
        labels = self._state.labels_of(name)
        last = self._state.versions[name][-1]
        return _sees(reader, self._state, entry.ownership, labels) and _sees(
            reader, self._state, last.ownership, labels
        )

    def _matching(self, reader: Reader, query: Query) -> list[_Row]:
        """Every current resource that the reader sees and that meets the query, in no order."""

        def follow(type: str, id: str) -> Indexed | None:
            entry = self._visible(reader, (type, id))
            return _indexed(entry) if entry is not None else None

        found: list[_Row] = []
        for name in self._state.versions:
            if query.types and name[0] not in query.types:
                continue
            entry = self._visible(reader, name)
            resource = _indexed(entry) if entry is not None else None
            if entry is not None and resource is not None and meets(query, resource, follow):
                values = tuple(sort_value(sort, resource) for sort in query.sort)
                found.append(_Row(values, entry.sequence, entry))
        return found

    def _page(
        self,
        rows: list[_Row],
        sorts: Sequence[Sort],
        *,
        count: int,
        total: bool,
        sequence: int,
        after: Position | None,
    ) -> Page:
        ordered = _in_order(rows, sorts) if after is None else _in_order_after(after, rows, sorts)
        shown = ordered[:count]
        more = 0 < count < len(ordered)
        return Page(
            entries=tuple(self._version(row.entry) for row in shown if row.entry is not None),
            sequence=sequence,
            next=Position(shown[-1].values, shown[-1].sequence) if more else None,
            total=len(ordered) if total and after is None else None,
        )

    def _undeleted(self, entry: _Entry) -> Version:
        if entry.method is Method.DELETE:
            raise Deleted(f"{entry.type}/{entry.id} was deleted.")
        return self._version(entry)

    def _version(self, entry: _Entry) -> Version:
        keys = tuple(self._state.patient_keys[person] for person in entry.ownership.persons)
        body = _body(entry, self._scribe)
        return Version(entry.type, entry.id, entry.version_id, entry.at, entry.method, body, keys)


def _indexed(entry: _Entry) -> Indexed | None:
    if entry.found is None:
        return None
    return Indexed(entry.type, entry.id, entry.at, entry.found)


def _body(entry: _Entry, scribe: Scribe) -> bytes:
    """The bytes that are served; b"" for a deletion or a label."""
    if entry.sealed is None:
        return b""
    text = scribe.open(entry.sealed.blob, entry.type, entry.id)
    return served(text, entry.sealed.meta_at, entry.version_id, entry.at)


def _in_order(rows: Iterable[_Row], sorts: Sequence[Sort]) -> list[_Row]:
    """Newest first, then by each sort key from the last to the first: Python's sort is stable."""
    ordered = sorted(rows, key=lambda row: row.sequence, reverse=True)
    for place, sort in reversed(list(enumerate(sorts))):
        with_value = [row for row in ordered if row.values[place] is not None]
        without = [row for row in ordered if row.values[place] is None]
        with_value.sort(key=_value_at(place), reverse=sort.descending)
        ordered = with_value + without
    return ordered


def _value_at(place: int) -> Callable[[_Row], Any]:
    """The value of a row for one sort key: of one Python type in all rows that have it."""
    return lambda row: row.values[place]


def _in_order_after(after: Position, rows: Iterable[_Row], sorts: Sequence[Sort]) -> list[_Row]:
    """What follows a bookmark when it is put in order among the others."""
    bookmark = _Row(after.values, after.sequence, None)
    others = [row for row in rows if row.sequence != after.sequence]
    ordered = _in_order([bookmark, *others], sorts)
    return ordered[ordered.index(bookmark) + 1 :]


class MemoryStore:
    """The record of one process, gone when it ends."""

    waits = False

    def __init__(self, scribe: Scribe, clock: Clock, *, offset_minutes: int = 480) -> None:
        """Start empty.

        Args:
            scribe: opens the bodies of the Writes it made.
            clock: tells the instant of each commit, and when jobs are due.
            offset_minutes: zone of dates without one, minutes east of UTC, as the scribe has it.
        """
        self._scribe = scribe
        self._clock = clock
        self._offset = offset_minutes
        self._state = _State()
        self._lock = threading.Lock()
        self.jobs_queued = Bell()

    def view(self) -> AbstractContextManager[View]:
        return nullcontext(MemoryView(self._state, self._scribe))

    def glance(self) -> AbstractContextManager[View]:
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
            state = self._begin(self._clock.now_micros())
            for audit in audits:
                _audit(state, audit)
            self._state = state
        answer: Future[Receipt] = Future()
        answer.set_result(Receipt((), len(state.log), state.at))
        return answer

    def commit(self, unit: Unit) -> Receipt:
        with self._lock:
            now = self._clock.now_micros()
            if unit.idempotency is not None:
                earlier = _replay(self._state, unit.idempotency, now)
                if earlier is not None:
                    return earlier
            prepared = unit.prepare(MemoryView(self._state, self._scribe))
            _require_epoch(self._state, unit.reader)
            state = self._begin(now)
            receipt = self._apply(state, unit.reader, prepared)
            if unit.idempotency is not None:
                client, key, digest = unit.idempotency
                state.remembered[client, key] = _Remembered(digest, receipt, receipt.at + IDEMPOTENCY_MICROS)
            self._state = state
        if prepared.jobs:
            self.jobs_queued.ring()
        return receipt

    def scope(self, number: int) -> Scope:
        return Scope(number, self._state.scopes.get(number, _Persons()).epoch)

    def follow(self, system: System, after: int, limit: int = 1000) -> tuple[LogEntry, ...]:
        log = self._state.log
        return tuple(self._log_entry(entry) for entry in log[after : after + limit])

    def export(self, system: System, types: Sequence[str] = ()) -> Iterator[Version]:
        state = self._state
        view = MemoryView(state, self._scribe)
        for (type, id), versions in state.versions.items():
            if versions[-1].method is not Method.DELETE and (not types or type in types):
                yield view.read(Reader.everything(), type, id)

    def check(self, system: System) -> Iterator[Finding]:
        state = self._state
        yield from _check_chain(state)
        for (type, id), versions in state.versions.items():
            where = f"{type}/{id}"
            if [entry.version_id for entry in versions] != list(range(1, len(versions) + 1)):
                yield Finding("versions", "The versions do not count 1, 2, 3.", where)
            for entry in versions:
                yield from self._check_body(entry, where)

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
            state.jobs[number] = _Queued(job, now + lease_micros, attempts + 1)
            self._state = state
            return Claimed(number, job.kind, job.payload, attempts + 1)

    def finish(self, system: System, number: int) -> None:
        with self._lock:
            state = self._state.copy()
            state.jobs.pop(number, None)
            self._state = state

    def close(self) -> None:
        """Nothing is held open."""

    def _begin(self, now: int) -> _State:
        """A copy to change; its instant is now, or that of the last commit when the clock went back."""
        state = self._state.copy()
        state.at = max(now, state.at)
        return state

    def _apply(self, state: _State, reader: Reader, prepared: Prepared) -> Receipt:
        """Do what was prepared to a state nobody sees yet."""
        _refuse_misfits(state, reader, prepared.writes)
        for write in prepared.writes:
            self._write(state, write)
        written = {(write.type, write.id) for write in prepared.writes}
        for relabel in prepared.relabels:
            if (relabel.type, relabel.id) not in written:
                _require_sight(state, reader, relabel)
            _relabel(state, relabel)
        for grant in prepared.grants:
            _grant(state, grant)
        for job in prepared.jobs:
            state.jobs_made += 1
            state.jobs[state.jobs_made] = _Queued(job, job.due)
        if prepared.audit is not None:
            persons = [person for write in prepared.writes for person in write.ownership.persons]
            keys = (*prepared.audit.patient_keys, *(state.patient_key(person) for person in persons))
            _audit(state, msgspec.structs.replace(prepared.audit, patient_keys=tuple(dict.fromkeys(keys))))
        done = tuple(_done(outcome, prepared.writes, state.at) for outcome in prepared.outcomes)
        return Receipt(done, state.sequence, state.at)

    def _write(self, state: _State, write: Write) -> None:
        name = (write.type, write.id)
        found = None
        if write.sealed is not None:
            text = self._scribe.open(write.sealed.blob, write.type, write.id)
            found = normal_rows(extract(parse(text), offset_minutes=self._offset))
        ownership = replace(write.ownership, persons=tuple(sorted(set(write.ownership.persons))))
        for patient in _patients_named(ownership, found):
            state.patient_key(patient)
        entry = _Entry(
            sequence=0,
            at=state.at,
            method=write.method,
            type=write.type,
            id=write.id,
            version_id=write.expected + 1,
            ownership=ownership,
            labels=state.labels_of(name),
            sealed=write.sealed,
            adds=write.adds,
            found=found,
        )
        state.versions[name] = (*state.versions.get(name, ()), _append(state, entry))

    def _log_entry(self, entry: _Entry) -> LogEntry:
        return LogEntry(
            entry.sequence,
            entry.at,
            entry.method,
            entry.type,
            entry.id,
            entry.version_id,
            entry.ownership,
            entry.labels,
            _body(entry, self._scribe),
        )

    def _check_body(self, entry: _Entry, where: str) -> Iterator[Finding]:
        if entry.sealed is None:
            return
        if sha256(entry.sealed.blob).digest() != entry.sealed.digest:
            yield Finding("bodies", f"Version {entry.version_id} is not what was stored.", where)
            return
        text = self._scribe.open(entry.sealed.blob, entry.type, entry.id)
        if self._scribe.index(parse(text)) != entry.adds:
            yield Finding("index", f"The index rows of version {entry.version_id} are not its own.", where)


def _refuse_misfits(state: _State, reader: Reader, writes: Sequence[Write]) -> None:
    """Refuse writes of what is out of sight, of another version than expected, or of one thing twice."""
    names = [(write.type, write.id) for write in writes]
    if len(set(names)) < len(names):
        raise VersionConflict("One resource was to be written twice at once; write it once.")
    for name, write in zip(names, writes, strict=True):
        versions = state.versions.get(name, ())
        visible = versions and _sees(reader, state, versions[-1].ownership, state.labels_of(name))
        if not visible and (versions or write.expected):
            raise NotFound(f"{write.type}/{write.id} is not known.")
    for name, write in zip(names, writes, strict=True):
        if write.expected != len(state.versions.get(name, ())):
            raise VersionConflict(f"{write.type}/{write.id} is at another version; read it again.")


def _patients_named(ownership: Ownership, found: Extracted | None) -> list[str]:
    """Ids of the Patients a version belongs to or refers to."""
    references = found.references if found is not None else []
    return [*ownership.persons, *(id for _, type, id in references if type == "Patient")]


def _append(state: _State, entry: _Entry) -> _Entry:
    """Give an entry its place in the log and in the chain."""
    placed = entry._replace(sequence=state.sequence + 1)
    before = state.log[-1].chained if state.log else b""
    placed = placed._replace(chained=_link(before, _chained_of(placed)))
    state.log.append(placed)
    return placed


def _audit(state: _State, record: AuditRecord) -> None:
    before = state.audit[-1].chained if state.audit else b""
    state.audit.append(_Audited(state.at, record, _link(before, (state.at, record))))


def _chained_of(entry: _Entry) -> tuple[object, ...]:
    """What the chain vouches for: the ciphertext of the body by its digest, and all beside it."""
    digest = entry.sealed.digest if entry.sealed is not None else b""
    return (*entry[:7], sorted(entry.labels), digest)


def _link(before: bytes, content: object) -> bytes:
    return sha256(before + msgspec.msgpack.encode(content)).digest()


def _check_chain(state: _State) -> Iterator[Finding]:
    before = b""
    for entry in state.log:
        before = _link(before, _chained_of(entry))
        if before != entry.chained:
            yield Finding("chain", "The log was altered here or before.", str(entry.sequence))
            return
    before = b""
    for number, audited in enumerate(state.audit, start=1):
        before = _link(before, (audited.at, audited.record))
        if before != audited.chained:
            yield Finding("chain", "The audit was altered here or before.", str(number))
            return


def _done(outcome: Outcome, writes: Sequence[Write], at: int) -> Done:
    """An outcome with the version and instant the commit gave it, if it gave any."""
    if outcome.write is not None:
        write = writes[outcome.write]
        return Done(outcome.status, write.type, write.id, write.expected + 1, at)
    return Done(outcome.status, outcome.type, outcome.id, outcome.version_id, 0)


def _replay(state: _State, idempotency: Idempotency, now: int) -> Receipt | None:
    """The receipt of an earlier use of the key; None when the key is free (again)."""
    earlier = state.remembered.get((idempotency.client, idempotency.key))
    if earlier is None or now >= earlier.until:
        return None
    if earlier.digest != idempotency.digest:
        raise Duplicate("The idempotency key was used for another request; take a new one.")
    return replace(earlier.receipt, replayed=True)


def _require_epoch(state: _State, reader: Reader) -> None:
    if isinstance(reader.persons, bool):
        return
    if reader.persons.epoch != state.scopes.get(reader.persons.number, _Persons()).epoch:
        raise Unavailable("What you may see has just changed; send the request again.")


def _require_sight(state: _State, reader: Reader, relabel: Relabel) -> None:
    name = (relabel.type, relabel.id)
    versions = state.versions.get(name, ())
    if not versions or not _sees(reader, state, versions[-1].ownership, state.labels_of(name)):
        raise NotFound(f"{relabel.type}/{relabel.id} is not known.")


def _relabel(state: _State, relabel: Relabel) -> None:
    name = (relabel.type, relabel.id)
    state.labels[name] = relabel.labels
    last = state.versions[name][-1]
    _append(state, last._replace(at=state.at, method=Method.LABEL, labels=relabel.labels, sealed=None))


def _grant(state: _State, grant: Grant) -> None:
    persons, epoch = state.scopes.get(grant.scope, _Persons())
    for patient in grant.add:
        state.patient_key(patient)
    state.scopes[grant.scope] = _Persons((persons | set(grant.add)) - set(grant.remove), epoch + 1)
