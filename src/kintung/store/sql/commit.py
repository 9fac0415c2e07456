"""One commit: a group of units, prepared again where needed, written sorted, chained.

Called inside the commit lock and one database transaction. Units of the group see each
other in order. What they write is staged, and goes to the tables in one sorted pass at the
end, or before a unit that must ask the database what others of its group have done.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple, cast

import msgspec

from kintung.errors import Duplicate, KintungError, NotFound, Unavailable, VersionConflict
from kintung.store.audit import AuditBook, ChainedAudit, ChainedVersion, next_head
from kintung.store.port import (
    AuditRecord,
    Done,
    Grant,
    Idempotency,
    Method,
    OwnerKind,
    Prepared,
    Receipt,
    Rehearsal,
    Relabel,
    Unit,
    Write,
)
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NUMBERS, Names
from kintung.store.sql.view import SqlView
from kintung.store.units import rehearse, scope_of, still_so

WEEK_MICROS = 7 * 24 * 3600 * 1_000_000
MOST_LABELS = 62

Entity = tuple[str, str]
"""A resource type and id; ("", address) for what is elsewhere."""


class State(NamedTuple):
    """What the tables hold of an entity; ``version_id`` 0 when it was never stored."""

    key: int
    patient_key: int
    version_id: int
    labels: int


@dataclass(slots=True)
class Request:
    """A unit on its way into a commit, or an audit record alone."""

    unit: Unit | None
    rehearsal: Rehearsal | None
    audit: AuditRecord | None = None


@dataclass(slots=True)
class _Staged:
    """A prepared unit whose rows are not written yet, and where its answer goes."""

    prepared: Prepared
    place: int
    idempotency: Idempotency | None


@dataclass(slots=True)
class _Rows:
    """Rows by table, gathered in a flush and written sorted."""

    adds: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    removes: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])

    def add(self, table: str, row: Row) -> None:
        self.adds.setdefault(table, []).append(row)

    def remove(self, table: str, row: Row) -> None:
        """``row`` is the primary key."""
        self.removes.setdefault(table, []).append(row)


class _Fault(Exception):
    """A unit met an error nobody foresaw while it was prepared: its own, not that of its group."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Commit:
    """One group in one transaction. Make it, call :meth:`run`, then commit the transaction."""

    def __init__(self, db: Database, names: Names, view: SqlView, audit: AuditBook, now_micros: int) -> None:
        self._db = db
        self._names = names
        self._view = view
        self._audit = audit
        (row,) = db.rows(
            "SELECT (SELECT coalesce(max(key), 0) FROM entity), (SELECT coalesce(max(seq), 0) FROM log),"
            " (SELECT coalesce(max(number), 0) FROM audit), (SELECT coalesce(max(number), 0) FROM chain)"
        )
        self._last_key, self._last_seq, self._last_audit, self._number = cast(tuple[int, int, int, int], row)
        head = db.rows("SELECT at, head FROM chain WHERE number = ?", (self._number,))
        last_at, self._head = head[0] if head else (0, bytes(32))
        self.at = max(now_micros, cast(int, last_at))
        self._staged: list[_Staged] = []
        self._overlay: dict[Entity, State] = {}
        self._keys: dict[Entity, int] = {}
        self._versions: list[ChainedVersion] = []
        self._audits: list[ChainedAudit] = []
        self._answers: dict[int, Receipt | Exception] = {}
        self.number = self._number + 1
        self._changed = False
        self.queued_jobs = False
        self.head = b""
        """The new head of the chain; b"" when all was refused, and then there is no commit."""

    def run(self, requests: Sequence[Request]) -> list[Receipt | Exception]:
        """Do all requests in order; each gets a receipt or the error that refused it."""
        for place, request in enumerate(requests):
            try:
                self._take(place, request)
            except KintungError as error:
                self._answers[place] = error
            except _Fault as fault:
                self._answers[place] = fault.error
        self._flush()
        if self._changed:
            self._close()
        return [self._answers[place] for place in range(len(requests))]

    # -- one unit -----------------------------------------------------------------------

    def _take(self, place: int, request: Request) -> None:
        if request.unit is None:
            self._staged.append(_Staged(Prepared(audit=request.audit), place, None))
            return
        unit = request.unit
        if unit.idempotency is not None:
            if any(staged.idempotency == unit.idempotency for staged in self._staged):
                self._flush()
            earlier = replay(self._db, unit.idempotency, self.at)
            if earlier is not None:
                self._answers[place] = earlier
                return
        prepared = self._prepared(unit, request.rehearsal)
        self._refuse_labels_out_of_sight(unit, prepared)
        if unit.idempotency is not None:
            self._db.remove("idempotency", [(unit.idempotency.client, _key_digest(unit.idempotency))])
        self._staged.append(_Staged(prepared, place, unit.idempotency))
        for write, state in zip(prepared.writes, self._states(prepared.writes), strict=True):
            labels = state.labels if state else 0
            key, patient_key = (state.key, state.patient_key) if state else (0, 0)
            self._overlay[write.type, write.id] = State(key, patient_key, write.expected + 1, labels)
        if prepared.relabels:
            self._flush()

    def _prepared(self, unit: Unit, rehearsal: Rehearsal | None) -> Prepared:
        """The unit as prepared outside when all it read is still so, else prepared here."""
        self._refuse_stale_scope(unit)
        if rehearsal is not None:
            if rehearsal.reads and self._staged:
                self._flush()
            if still_so(rehearsal.reads, self._view) and self._is_free(rehearsal.prepared):
                return rehearsal.prepared
        self._flush()
        try:
            prepared = rehearse(unit, self._view).prepared
        except KintungError:
            raise
        except Exception as error:
            raise _Fault(error) from error
        if not self._is_free(prepared):
            raise self._refusal(unit, prepared)
        return prepared

    def _refusal(self, unit: Unit, prepared: Prepared) -> KintungError:
        """Why a write that was prepared here does not fit: what it changes is out of sight, or not so."""
        for write, state in zip(prepared.writes, self._states(prepared.writes), strict=True):
            stored = state.version_id if state else 0
            if stored != write.expected and self._view.current(unit.reader, write.type, write.id) is None:
                return NotFound("There is nothing here that you may change.")
        return VersionConflict("What was to be changed is at another version; read it again.")

    def _refuse_labels_out_of_sight(self, unit: Unit, prepared: Prepared) -> None:
        """Only what the unit writes or its reader sees can be labelled."""
        written = {(write.type, write.id) for write in prepared.writes}
        for relabel in prepared.relabels:
            if (relabel.type, relabel.id) in written:
                continue
            self._flush()
            if self._view.current(unit.reader, relabel.type, relabel.id) is None:
                raise NotFound(f"There is no {relabel.type}/{relabel.id} here that you may label.")

    def _refuse_stale_scope(self, unit: Unit) -> None:
        scope = scope_of(unit.reader)
        if scope is None:
            return
        self._flush()
        rows = self._db.rows("SELECT epoch FROM scope WHERE number = ?", (scope.number,))
        if (rows[0][0] if rows else 0) != scope.epoch:
            raise Unavailable("What you may see has just changed; send the request again.")

    def _is_free(self, prepared: Prepared) -> bool:
        """Does each write follow the version it expects? An id taken out of sight is not free.

        Raises:
            VersionConflict: a resource is written twice.
        """
        if len({(write.type, write.id) for write in prepared.writes}) < len(prepared.writes):
            raise VersionConflict("One resource was to be written twice at once; write it once.")
        states = self._states(prepared.writes)
        return all(
            (state.version_id if state else 0) == write.expected
            for write, state in zip(prepared.writes, states, strict=True)
        )

    def _states(self, writes: Sequence[Write]) -> list[State | None]:
        entities = [(write.type, write.id) for write in writes]
        unknown = [entity for entity in entities if entity not in self._overlay]
        if unknown:
            found = self._db.lookup(
                "SELECT w.c0, w.c1, e.key, e.patient_key, coalesce(r.version_id, 0), coalesce(r.labels, 0)"
                " FROM wanted w CROSS JOIN entity e LEFT JOIN resource r"
                " ON r.patient_key = e.patient_key AND r.type = e.type AND r.key = e.key"
                " WHERE e.id = w.c1 AND e.type = w.c0",
                ("int", "text"),
                [(TYPE_NUMBERS[type], id) for type, id in unknown],
            )
            stored = {(type, id): State(*state) for type, id, *state in found}
            for entity in unknown:
                state = stored.get((TYPE_NUMBERS[entity[0]], entity[1]))
                if state is not None:
                    self._overlay[entity] = state
                    self._keys[entity] = state.key
        return [self._overlay.get(entity) for entity in entities]

    # -- writing ------------------------------------------------------------------------

    def _flush(self) -> None:
        """Write what is staged: numbers first, then each table in one sorted pass."""
        staged, self._staged = self._staged, []
        if not staged:
            return
        self._changed = True
        writes = [write for unit in staged for write in unit.prepared.writes]
        self._number_entities(writes, [g for unit in staged for g in unit.prepared.grants])
        terms = self._names.give_terms(self._db, _terms(writes))
        rows = _Rows()
        for unit in staged:
            receipt = self._write_unit(unit, terms, rows)
            self._answers[unit.place] = receipt
            if unit.idempotency is not None:
                rows.add("idempotency", _kept(unit.idempotency, receipt))
        self._store(rows)
        for unit in staged:
            for relabel in unit.prepared.relabels:
                self._relabel(relabel)
            for grant in unit.prepared.grants:
                self._grant(grant)

    def _number_entities(self, writes: Sequence[Write], grants: Sequence[Grant]) -> None:
        """Give keys to every entity the writes name; what is stored now gets its patient key."""
        homes = {(w.type, w.id): _home(w) for w in writes}
        wanted: dict[Entity, None] = dict.fromkeys(homes)
        for write in writes:
            wanted.update(dict.fromkeys(("Patient", person) for person in write.ownership.persons))
            if write.adds is not None:
                wanted.update(dict.fromkeys((type, id) for _, type, id in write.adds.references))
            if write.removes is not None:
                wanted.update(dict.fromkeys((type, id) for _, type, id in write.removes.references))
        for grant in grants:
            wanted.update(dict.fromkeys(("Patient", person) for person in (*grant.add, *grant.remove)))
        unknown = [entity for entity in wanted if entity not in self._keys]
        known_before = set(self._keys)
        if unknown:
            found = self._db.lookup(
                "SELECT e.type, e.id, e.key FROM wanted w CROSS JOIN entity e"
                " WHERE e.id = w.c1 AND e.type = w.c0",
                ("int", "text"),
                [(TYPE_NUMBERS[type], id) for type, id in unknown],
            )
            stored = {(type, id): key for type, id, key in found}
            for entity in unknown:
                key = stored.get((TYPE_NUMBERS[entity[0]], entity[1]))
                if key is not None:
                    self._keys[entity] = key
                    known_before.add(entity)
        fresh = [entity for entity in wanted if entity not in self._keys]
        for entity in fresh:
            self._last_key += 1
            self._keys[entity] = self._last_key
        self._db.insert("entity", [self._entity_row(entity, homes.get(entity)) for entity in fresh])
        self._house([entity for entity in homes if entity in known_before], homes)

    def _entity_row(self, entity: Entity, home: Entity | None) -> Row:
        patient_key = self._keys[home] if home is not None else 0
        return (self._keys[entity], TYPE_NUMBERS[entity[0]], entity[1], patient_key)

    def _house(self, entities: Sequence[Entity], homes: dict[Entity, Entity | None]) -> None:
        """Entities that were referenced before they were stored learn whose they are."""
        for entity in entities:
            home = homes[entity]
            state = self._overlay.get(entity)
            if home is not None and (state is None or state.patient_key == 0):
                self._db.run(
                    "UPDATE entity SET patient_key = ? WHERE key = ?", (self._keys[home], self._keys[entity])
                )

    def _write_unit(self, unit: _Staged, terms: dict[tuple[str, str], int], rows: _Rows) -> Receipt:
        prepared = unit.prepared
        persons: dict[int, None] = {}
        for write in prepared.writes:
            self._write(write, terms, rows)
            persons.update((self._keys["Patient", person], None) for person in write.ownership.persons)
        if prepared.audit is not None:
            persons.update(dict.fromkeys(prepared.audit.patient_keys))
            self._record(prepared.audit, tuple(persons), rows)
        done = tuple(
            Done(o.status, w.type, w.id, w.expected + 1, self.at)
            if o.write is not None and (w := prepared.writes[o.write])
            else Done(o.status, o.type, o.id, o.version_id, 0)
            for o in prepared.outcomes
        )
        self.queued_jobs = self.queued_jobs or bool(prepared.jobs)
        for job in prepared.jobs:
            self._db.insert("job", [(self._next_job(), job.kind, job.due, 0, job.payload)])
        return Receipt(done, self._last_seq + len(prepared.relabels), self.at)

    def _next_job(self) -> int:
        """A number no job ever had: who finishes late must not finish another's job."""
        rows = self._db.rows("SELECT value FROM node WHERE name = 'jobs'")
        number = int(rows[0][0]) + 1 if rows else 1
        self._db.remove("node", [("jobs",)])
        self._db.insert("node", [("jobs", str(number))])
        return number

    def _write(self, write: Write, terms: dict[tuple[str, str], int], rows: _Rows) -> None:
        self._last_seq += 1
        seq, at, version_id = self._last_seq, self.at, write.expected + 1
        entity = (write.type, write.id)
        key, type_number = self._keys[entity], TYPE_NUMBERS[write.type]
        home = _home(write)
        patient_key = self._keys[home] if home is not None else 0
        kind = int(write.ownership.kind)
        organisation = write.ownership.organisation
        org = self._names.give(self._db, "organisation", organisation) if organisation else 0
        state = self._overlay.get(entity)
        labels = state.labels if state is not None else 0
        sealed = write.sealed
        digest, meta_at, blob = (sealed.digest, sealed.meta_at, sealed.blob) if sealed else (b"", 0, b"")
        deleted = int(write.method == Method.DELETE)
        rows.add(
            "version",
            (patient_key, key, version_id, seq, at, int(write.method), kind, org, meta_at, digest, blob),
        )
        if write.expected:
            rows.remove("resource", (patient_key, type_number, key))
        rows.add("resource", (patient_key, type_number, key, seq, version_id, at, kind, org, labels, deleted))
        rows.add("log", (seq, patient_key, key, type_number, version_id, int(write.method), at, labels))
        if write.ownership.kind == OwnerKind.SEVERAL:
            for person in write.ownership.persons:
                rows.add("owner", (key, version_id, self._keys["Patient", person]))
        self._versions.append(
            ChainedVersion(seq, patient_key, key, version_id, int(write.method), kind, org, labels, digest)
        )
        self._overlay[entity] = State(key, patient_key, version_id, labels)
        self._index(write, patient_key, key, terms, rows)

    def _index(
        self, write: Write, patient_key: int, key: int, terms: dict[tuple[str, str], int], rows: _Rows
    ) -> None:
        for found, target in ((write.adds, rows.adds), (write.removes, rows.removes)):
            if found is None:
                continue
            where = (patient_key, key)
            keys = self._keys
            target.setdefault("ix_token", []).extend(
                [(atom, t if isinstance(t, int) else terms[t], *where) for atom, t in found.tokens]
            )
            target.setdefault("ix_reference", []).extend(
                [(atom, keys[type, id], *where) for atom, type, id in found.references]
            )
            target.setdefault("ix_date", []).extend([(*row, *where) for row in found.dates])
            target.setdefault("ix_string", []).extend([(*row, *where) for row in found.strings])
            target.setdefault("ix_quantity", []).extend(
                [(atom, terms[t], low, high, *where) for atom, t, low, high in found.quantities]
            )

    def _store(self, rows: _Rows) -> None:
        """Each table in one sorted pass; a row that is both removed and added stays as it is."""
        for table, removed in rows.removes.items():
            added = rows.adds.get(table, [])
            self._db.remove(table, sorted(set(removed).difference(added)))
            rows.adds[table] = list(set(added).difference(removed))
        for table, added in rows.adds.items():
            self._db.insert(table, sorted(added))

    def _record(self, audit: AuditRecord, persons: tuple[int, ...], rows: _Rows) -> None:
        self._last_audit += 1
        record = self._audit.write(audit, self.at)
        rows.add("audit", (self._last_audit, record))
        for person in persons:
            rows.add("disclosure", (person, self._last_audit))
        self._audits.append(ChainedAudit(self._last_audit, record, persons))

    def _relabel(self, relabel: Relabel) -> None:
        rows = self._db.rows(
            "SELECT r.patient_key, r.type, r.key, r.version_id, r.kind, r.organisation FROM entity e"
            " JOIN resource r ON r.patient_key = e.patient_key AND r.type = e.type AND r.key = e.key"
            " WHERE e.id = ? AND e.type = ?",
            (relabel.id, TYPE_NUMBERS[relabel.type]),
        )
        if not rows:
            raise NotFound(f"There is no {relabel.type}/{relabel.id} to label.")
        patient_key, type_number, key, version_id, kind, organisation = rows[0]
        mask = 0
        for label in sorted(relabel.labels):
            bit = self._names.give(self._db, "label", label)
            assert bit <= MOST_LABELS, f"more than {MOST_LABELS} labels"
            mask |= 1 << bit
        self._last_seq += 1
        self._db.run(
            "UPDATE resource SET labels = ? WHERE patient_key = ? AND type = ? AND key = ?",
            (mask, patient_key, type_number, key),
        )
        self._db.insert(
            "log",
            [(self._last_seq, patient_key, key, type_number, version_id, int(Method.LABEL), self.at, mask)],
        )
        self._overlay.pop((relabel.type, relabel.id), None)
        self._versions.append(
            ChainedVersion(
                self._last_seq, patient_key, key, version_id, int(Method.LABEL), kind, organisation, mask, b""
            )
        )

    def _grant(self, grant: Grant) -> None:
        number = grant.scope
        added = [(number, self._keys["Patient", person]) for person in grant.add]
        removed = [(number, self._keys["Patient", person]) for person in grant.remove]
        self._db.remove("scope_person", [*added, *removed])
        self._db.insert("scope_person", sorted(set(added).difference(removed)))
        rows = self._db.rows("SELECT epoch FROM scope WHERE number = ?", (number,))
        (size,) = self._db.rows("SELECT count(*) FROM scope_person WHERE scope = ?", (number,))[0]
        self._db.remove("scope", [(number,)])
        self._db.insert("scope", [(number, (rows[0][0] if rows else 0) + 1, size)])

    def _close(self) -> None:
        """Chain and sign the commit."""
        self.head = next_head(self._head, self.number, self.at, self._versions, self._audits)
        self._db.insert(
            "chain",
            [
                (
                    self.number,
                    self.at,
                    self._last_seq,
                    self._last_audit,
                    self.head,
                    self._audit.sign(self.head),
                )
            ],
        )


def replay(db: Database, idempotency: Idempotency, now: int) -> Receipt | None:
    """The receipt of an earlier use of the key; None when there was none in seven days.

    Raises:
        Duplicate: the key came with another request.
    """
    rows = db.rows(
        "SELECT digest, at, receipt FROM idempotency WHERE client = ? AND key = ?",
        (idempotency.client, _key_digest(idempotency)),
    )
    if not rows or rows[0][1] <= now - WEEK_MICROS:
        return None
    digest, _, receipt = rows[0]
    if digest != idempotency.digest:
        raise Duplicate(
            "This Idempotency-Key was used for another request; use a new key.", path="Idempotency-Key"
        )
    kept = _receipts.decode(receipt)
    return Receipt(kept.done, kept.sequence, kept.at, replayed=True)


def _kept(idempotency: Idempotency, receipt: Receipt) -> Row:
    return (
        idempotency.client,
        _key_digest(idempotency),
        idempotency.digest,
        receipt.at,
        msgspec.msgpack.encode(receipt),
    )


def _key_digest(idempotency: Idempotency) -> bytes:
    return sha256(idempotency.key.encode()).digest()


_receipts = msgspec.msgpack.Decoder(Receipt)


def _home(write: Write) -> Entity | None:
    """The Patient whose range a resource lies in."""
    if write.ownership.kind == OwnerKind.PERSON:
        return ("Patient", write.ownership.persons[0])
    return None


def _terms(writes: Iterable[Write]) -> Iterable[tuple[str, str]]:
    for write in writes:
        for found in (write.adds, write.removes):
            if found is not None:
                yield from (term for _, term in found.tokens if isinstance(term, tuple))
                yield from (unit for _, unit, _, _ in found.quantities)
