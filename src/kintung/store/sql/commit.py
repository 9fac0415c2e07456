"""One commit: a group of units, prepared again where needed, written sorted, chained.

Called inside the commit lock and one database transaction. Units of the group see each
other in order. What they write is staged, and goes to the tables in one sorted pass at the
end, or before a unit that must ask the database what others of its group have done.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kintung.errors import KintungError, Unavailable
from kintung.store.ahead import Ahead
from kintung.store.audit import GENESIS, AuditBook, ChainedAudit, ChainedVersion, next_head
from kintung.store.composites import composite_terms, numbered
from kintung.store.links import LinkChange
from kintung.store.port import Rehearsal, Unit
from kintung.store.refusals import moved_on, out_of_reach, written_twice
from kintung.store.scribe import Scribe
from kintung.store.sql.database import Database, Row
from kintung.store.sql.entities import Entities, State
from kintung.store.sql.idempotency import forget, forget_old, kept, replay
from kintung.store.sql.linking import Linking
from kintung.store.sql.names import TYPE_NUMBERS, Names, label_names
from kintung.store.sql.type_counts import count
from kintung.store.sql.vaulting import KEPT
from kintung.store.sql.view import SqlView
from kintung.store.units import decided_of, rehearse, require_place_for_labels, scope_of, still_so
from kintung.store.versions import Method, OwnerKind
from kintung.store.writes import (
    MOST_LABELS,
    AuditRecord,
    Done,
    Idempotency,
    Prepared,
    Receipt,
    Relabel,
    Write,
)

ASKED_SECONDS = 2.0
"""How long what a unit asks may keep all others waiting for the commit lock."""
TIDY_EVERY = 256
"""Commits between two removals of idempotency keys that are past their week."""


@dataclass(slots=True)
class Request:
    """A unit on its way into a commit, or audit records alone."""

    unit: Unit | None
    rehearsal: Rehearsal | None
    audits: tuple[AuditRecord, ...] = ()


@dataclass(slots=True)
class _Staged:
    """A prepared unit whose rows are not written yet, and where its answer goes."""

    prepared: Prepared
    place: int
    idempotency: Idempotency | None
    audits: tuple[AuditRecord, ...] = ()
    """Records that came without a unit."""


@dataclass(slots=True)
class _Rows:
    """Rows by table, gathered in a flush and written sorted."""

    adds: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    removes: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    """By primary key."""
    opened: dict[tuple[int, int, int], int] = field(default_factory=dict[tuple[int, int, int], int])
    """By actor, organisation and patient key the last audit record of a record that was opened."""


class _Fault(Exception):
    """A unit met an error nobody foresaw while it was prepared: its own, not that of its group."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Commit:
    """One group in one transaction. Make it, call :meth:`run`, then commit the transaction."""

    def __init__(
        self, db: Database, names: Names, view: SqlView, audit: AuditBook, scribe: Scribe, now_micros: int
    ) -> None:
        self._db = db
        self._names = names
        self._view = view
        self._ahead = Ahead(view, scribe)
        """What the tables hold, with what is staged."""
        self._audit = audit
        vaults = scribe.vaults
        last = _last(db)
        if last.vault is not None:  # before anything is prepared here, or hashed by others for the next
            vaults.turn_to(last.vault)
        self._vault = vaults.current.name
        self._last_seq, self._last_audit, self._number, self._head = last[:4]
        self.at = max(now_micros, last.at)
        self._linking = Linking(db, audit, last.said, self.at)
        self._staged: list[_Staged] = []
        self._keys: set[tuple[str, str]] = set()
        """Clients and idempotency keys of what is staged."""
        self._entities = Entities(db)
        self._versions: list[ChainedVersion] = []
        self._audits: list[ChainedAudit] = []
        self._type_counts: Counter[int] = Counter()
        """By how many the current resources of each type are more."""
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
            self._staged.append(_Staged(Prepared(), place, None, request.audits))
            return
        unit = request.unit
        if unit.idempotency is not None:
            if unit.idempotency[:2] in self._keys:
                self._flush()
            earlier = replay(self._db, unit.idempotency, self.at)
            if earlier is not None:
                self._answers[place] = earlier
                return
        prepared = self._prepared(unit, request.rehearsal)
        self._refuse_labels_out_of_sight(unit, prepared)
        if prepared.relabels:  # those of units before are in the tables: who relabels is flushed at once
            require_place_for_labels(label_names(self._db).values(), prepared.relabels)
        may_be_refused = any(map(_may_be_refused, prepared.links))
        if may_be_refused:
            self._flush()
            self._linking.require(prepared.links)
        if unit.idempotency is not None:
            forget(self._db, unit.idempotency)
            self._keys.add(unit.idempotency[:2])
        self._staged.append(_Staged(prepared, place, unit.idempotency))
        self._ahead.take(prepared)
        self._entities.expect(prepared.writes)
        if prepared.relabels or may_be_refused:
            self._flush()

    def _prepared(self, unit: Unit, rehearsal: Rehearsal | None) -> Prepared:
        """The unit as prepared outside when all it read is still so, else prepared here."""
        self._refuse_stale_scope(unit)
        if rehearsal is not None and self._still_so(rehearsal):
            prepared = rehearsal.prepared
            if self._is_hashed(prepared) and self._is_free(prepared):
                return prepared
        self._flush()
        try:
            with self._db.within(ASKED_SECONDS):
                prepared = rehearse(unit, self._view).prepared
        except KintungError:
            raise
        except Exception as error:
            raise _Fault(error) from error
        if not self._is_free(prepared):
            raise self._refusal(unit, prepared)
        return prepared

    def _is_hashed(self, prepared: Prepared) -> bool:
        """Were the numbers hashed under the secret of this index? It may have changed since."""
        rows = (rows for write in prepared.writes for rows in (write.adds, write.removes))
        return all(found is None or found.vault == self._vault for found in rows)

    def _still_so(self, rehearsal: Rehearsal) -> bool:
        if not rehearsal.reads:
            return True
        if self._staged and not self._ahead.knows(rehearsal.reads):
            self._flush()
        if not self._staged and rehearsal.sequence == self._last_seq:
            return True
        with self._db.within(ASKED_SECONDS):
            return still_so(rehearsal.reads, self._ahead)

    def _refusal(self, unit: Unit, prepared: Prepared) -> KintungError:
        """Why a write that was prepared here does not fit: what it changes is out of sight, or not so."""
        states = zip(prepared.writes, self._entities.states(prepared.writes), strict=True)
        moved = [w for w, state in states if (state.version_id if state else 0) != w.expected]
        for write in moved:
            if self._view.current(unit.reader, write.type, write.id) is None:
                return out_of_reach(write.type, write.id)
        return moved_on(moved[0].type, moved[0].id)

    def _refuse_labels_out_of_sight(self, unit: Unit, prepared: Prepared) -> None:
        """Only what the unit writes or its reader sees can be labelled."""
        written = {(write.type, write.id) for write in prepared.writes}
        for relabel in prepared.relabels:
            if (relabel.type, relabel.id) in written:
                continue
            self._flush()
            if self._view.current(unit.reader, relabel.type, relabel.id) is None:
                raise out_of_reach(relabel.type, relabel.id)

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
            raise written_twice()
        states = self._entities.states(prepared.writes)
        return all(
            (state.version_id if state else 0) == write.expected
            for write, state in zip(prepared.writes, states, strict=True)
        )

    # -- writing ------------------------------------------------------------------------

    def _flush(self) -> None:
        """Write what is staged: numbers first, then each table in one sorted pass."""
        staged, self._staged = self._staged, []
        if not staged:
            return
        self._keys.clear()
        self._ahead.clear()
        self._changed = True
        writes = [write for unit in staged for write in unit.prepared.writes]
        self._entities.number(
            writes,
            [grant for unit in staged for grant in unit.prepared.grants],
            [change for unit in staged for change in unit.prepared.links],
        )
        terms = self._names.give_terms(self._db, _terms(writes))
        rows = _Rows()
        for unit in staged:
            receipt = self._write_unit(unit, terms, rows)
            self._answers[unit.place] = receipt
            if unit.idempotency is not None:
                rows.adds["idempotency"].append(kept(unit.idempotency, receipt))
        self._store(rows)
        for unit in staged:
            for relabel in unit.prepared.relabels:
                self._relabel(relabel)
        said: list[LinkChange] = []
        for unit in staged:
            said += unit.prepared.links
            if unit.prepared.grants:
                self._link(said)
            for grant in unit.prepared.grants:
                self._linking.grant(grant, self._entities.keys)
        self._link(said)

    def _link(self, said: list[LinkChange]) -> None:
        """Keep what units in a row say of pairs, all at once; ``said`` is empty then."""
        if said:
            self._linking.change(said, self._entities.keys)
            said.clear()

    def _write_unit(self, unit: _Staged, terms: dict[tuple[str, str], int], rows: _Rows) -> Receipt:
        prepared = unit.prepared
        persons: dict[int, None] = {}
        for write in prepared.writes:
            self._write(write, terms, rows)
            for person in write.ownership.persons:
                persons[self._entities.keys["Patient", person]] = None
        for person in decided_of(prepared.links):
            persons[self._entities.keys["Patient", person]] = None
        if prepared.audit is not None:
            persons.update(dict.fromkeys(prepared.audit.patient_keys))
            self._record(prepared.audit, tuple(persons), rows)
        for audit in unit.audits:
            self._record(audit, tuple(dict.fromkeys(audit.patient_keys)), rows)
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
        key, type_number = self._entities.keys[write.type, write.id], TYPE_NUMBERS[write.type]
        patient_key = self._entities.patient_key(write)
        method, kind = int(write.method), int(write.ownership.kind)
        organisation = write.ownership.organisation
        org = self._names.give(self._db, "organisation", organisation) if organisation else 0
        before = self._entities.before(write)
        labels = before.labels
        sealed = write.sealed
        digest, meta_at, blob = (sealed.digest, sealed.meta_at, sealed.blob) if sealed else (b"", 0, b"")
        deleted = int(method == Method.DELETE)
        was_current = write.expected > 0 and not before.deleted
        self._type_counts[type_number] += (not deleted) - was_current
        rows.adds["version"].append(
            (patient_key, key, version_id, seq, at, method, kind, org, meta_at, digest, blob),
        )
        if write.expected:
            rows.removes["resource"].append((patient_key, type_number, key))
        rows.adds["resource"].append(
            (patient_key, type_number, key, seq, version_id, at, kind, org, labels, deleted)
        )
        rows.adds["log"].append((seq, patient_key, key, type_number, version_id, method, at, labels))
        if kind == OwnerKind.SEVERAL:
            for person in write.ownership.persons:
                rows.adds["owner"].append((key, version_id, self._entities.keys["Patient", person]))
        self._versions.append(
            ChainedVersion(
                seq,
                patient_key,
                key,
                write.type,
                write.id,
                version_id,
                method,
                kind,
                organisation,
                self._names.labels(self._db, labels),
                digest,
            )
        )
        if write.access:
            rows.adds["standing"].append((key, version_id, write.access))
        self._entities.stored(write, State(key, patient_key, version_id, labels, deleted))
        self._index(write, patient_key, key, terms, rows)

    def _index(
        self, write: Write, patient_key: int, key: int, terms: dict[tuple[str, str], int], rows: _Rows
    ) -> None:
        keys, where = self._entities.keys, (patient_key, key)
        for found, target in ((write.adds, rows.adds), (write.removes, rows.removes)):
            if found is None:
                continue
            target["ix_token"] += [
                (atom, terms[t] if isinstance(t, tuple) else t, *where) for atom, t in found.tokens
            ]
            target["ix_reference"] += [(atom, keys[type, id], *where) for atom, type, id in found.references]
            target["ix_date"] += [(*row, *where) for row in found.dates]
            target["ix_string"] += [(*row, *where) for row in found.strings]
            target["ix_quantity"] += [
                (atom, terms[t], low, high, *where) for atom, t, low, high in found.quantities
            ]
            if found.composites or found.relations:
                together = numbered(found, terms.__getitem__, keys.__getitem__)
                target["ix_composite"] += [(*row, *where) for row in together]

    def _store(self, rows: _Rows) -> None:
        """Each table in one sorted pass; a row that is both removed and added stays as it is."""
        if rows.opened:
            rows.removes["opened"] += rows.opened
            rows.adds["opened"] += [(*place, audit) for place, audit in rows.opened.items()]
        for table, removed in rows.removes.items():
            added = rows.adds.get(table, [])
            self._db.remove(table, sorted(set(removed).difference(added)))
            rows.adds[table] = list(set(added).difference(removed))
        for table, added in rows.adds.items():
            self._db.insert(table, sorted(added))

    def _record(self, audit: AuditRecord, persons: tuple[int, ...], rows: _Rows) -> None:
        self._last_audit += 1
        record = self._audit.write(audit, self.at, self._linking.epoch(audit.scope))
        rows.adds["audit"].append((self._last_audit, record))
        for person in persons:
            rows.adds["disclosure"].append((person, self._last_audit))
        if audit.opened and audit.actor:
            actor = self._names.give(self._db, "actor", audit.actor)
            asking_for = audit.organisation
            organisation = self._names.give(self._db, "organisation", asking_for) if asking_for else 0
            rows.opened[actor, organisation, audit.opened] = self._last_audit
        self._audits.append(ChainedAudit(self._last_audit, record, persons))

    def _relabel(self, relabel: Relabel) -> None:
        rows = self._db.rows(
            "SELECT r.patient_key, r.type, r.key, r.version_id, r.kind, coalesce(o.id, '') FROM entity e"
            " JOIN resource r ON r.patient_key = e.patient_key AND r.type = e.type AND r.key = e.key"
            " LEFT JOIN organisation o ON o.number = r.organisation"
            " WHERE e.id = ? AND e.type = ?",
            (relabel.id, TYPE_NUMBERS[relabel.type]),
        )
        if not rows:
            raise out_of_reach(relabel.type, relabel.id)
        patient_key, type_number, key, version_id, kind, organisation = rows[0]
        mask = 0
        for label in sorted(relabel.labels):
            bit = self._names.give(self._db, "label", label)
            assert bit <= MOST_LABELS, bit
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
        self._entities.forget(relabel.type, relabel.id)
        self._versions.append(
            ChainedVersion(
                self._last_seq,
                patient_key,
                key,
                relabel.type,
                relabel.id,
                version_id,
                int(Method.LABEL),
                kind,
                organisation,
                tuple(sorted(relabel.labels)),
                b"",
            )
        )

    def _close(self) -> None:
        """Chain and sign the commit; now and then, forget what is past its week."""
        if self.number % TIDY_EVERY == 0:
            forget_old(self._db, self.at)
        count(self._db, self._type_counts)
        self.head = next_head(
            self._head, self.number, self.at, self._versions, self._audits, self._linking.said
        )
        self._db.insert(
            "chain",
            [
                (
                    self.number,
                    self.at,
                    self._last_seq,
                    self._last_audit,
                    self._linking.number,
                    self.head,
                    self._audit.sign(self.head),
                )
            ],
        )


def _may_be_refused(change: LinkChange) -> bool:
    """Does it depend on what other pairs are? What a rule says of two Patients is taken as it is."""
    return change.kind.is_decision or change.expected is not None or change.one == change.other


class _Last(NamedTuple):
    """The last numbers of the tables that only grow, the head of the chain and its instant."""

    seq: int
    audit: int
    number: int
    head: bytes
    at: int
    said: int
    vault: str | None
    """Name of the secret under which numbers are hashed."""


def _last(db: Database) -> _Last:
    """In one statement: every commit asks, and while a statement runs others take the interpreter."""
    (row,) = db.rows(
        "SELECT (SELECT coalesce(max(seq), 0) FROM log), (SELECT coalesce(max(number), 0) FROM audit),"
        f" {KEPT}, c.number, c.head, c.at, c.last_said FROM (SELECT max(number) AS number FROM chain) m"
        " LEFT JOIN chain c ON c.number = m.number"
    )
    seq, audit, vault, number, head, at, said = row
    return _Last(seq, audit, number or 0, head or GENESIS, at or 0, said or 0, vault)


def _terms(writes: Iterable[Write]) -> dict[tuple[str, str], None]:
    terms: dict[tuple[str, str], None] = {}
    for write in writes:
        for found in (write.adds, write.removes):
            if found is not None:
                for _, term in found.tokens:
                    if isinstance(term, tuple):
                        terms[term] = None
                for _, unit, _, _ in found.quantities:
                    terms[unit] = None
                terms.update((term, None) for term in composite_terms(found))
    return terms
