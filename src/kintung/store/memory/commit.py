"""One commit: what was prepared is done to a state nobody sees yet, or refused with no trace."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from kintung.errors import Duplicate, Unavailable
from kintung.fhir.json import parse
from kintung.store.matching import Indexed, indexed
from kintung.store.memory.chain import append, append_audit
from kintung.store.memory.linking import change_grant, change_links
from kintung.store.memory.state import Entry, Persons, Queued, State
from kintung.store.memory.visibility import sees
from kintung.store.reader import Reader
from kintung.store.refusals import moved_on, out_of_reach, written_twice
from kintung.store.scribe import Scribe
from kintung.store.units import decided_of, require_place_for_labels
from kintung.store.versions import Method, Ownership
from kintung.store.writes import Done, Idempotency, Outcome, Prepared, Receipt, Relabel, Write


class Commit:
    """What one unit does to a state nobody sees yet."""

    def __init__(self, state: State, scribe: Scribe) -> None:
        self._state = state
        self._scribe = scribe

    def apply(self, reader: Reader, prepared: Prepared) -> Receipt:
        """Do all of it.

        Raises:
            NotFound, Conflict, RuleFailed: it does not fit the state, which is then of no more use.
        """
        state = self._state
        _refuse_misfits(state, reader, prepared.writes)
        for write in prepared.writes:
            self._write(write)
        written = {(write.type, write.id) for write in prepared.writes}
        for relabel in prepared.relabels:
            if (relabel.type, relabel.id) not in written:
                _require_sight(state, reader, relabel)
        if prepared.relabels:
            given = {label for entry in state.log for label in entry.labels}
            require_place_for_labels(given, prepared.relabels)
        for relabel in prepared.relabels:
            _relabel(state, relabel)
        if prepared.audit is not None:
            persons = [person for write in prepared.writes for person in write.ownership.persons]
            persons += decided_of(prepared.links)
            keys = (*prepared.audit.patient_keys, *(state.patient_key(person) for person in persons))
            audit = msgspec.structs.replace(prepared.audit, patient_keys=tuple(dict.fromkeys(keys)))
            append_audit(state, audit)
        change_links(state, prepared.links)
        for grant in prepared.grants:
            change_grant(state, grant)
        for job in prepared.jobs:
            state.jobs_made += 1
            state.jobs[state.jobs_made] = Queued(job, job.due)
        done = tuple(_done(outcome, prepared.writes, state.at) for outcome in prepared.outcomes)
        return Receipt(done, state.sequence, state.at)

    def _write(self, write: Write) -> None:
        state, name = self._state, (write.type, write.id)
        found = None
        if write.sealed is not None:
            text = self._scribe.open(write.sealed.blob, write.type, write.id)
            rows = self._scribe.extracted(parse(text))
            found = indexed(write.type, write.id, state.at, rows, self._scribe.vaulted)
        ownership = replace(write.ownership, persons=tuple(sorted(set(write.ownership.persons))))
        for patient in _patients_named(ownership, found):
            state.patient_key(patient)
        entry = Entry(
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
        if write.access:
            state.accesses[write.id, write.expected + 1] = write.access
        state.versions[name] = (*state.versions.get(name, ()), append(state, entry))


def _refuse_misfits(state: State, reader: Reader, writes: Sequence[Write]) -> None:
    """Refuse writes of what is out of sight, of another version than expected, or of one thing twice."""
    names = [(write.type, write.id) for write in writes]
    if len(set(names)) < len(names):
        raise written_twice()
    for name, write in zip(names, writes, strict=True):
        versions = state.versions.get(name, ())
        visible = versions and sees(reader, state, versions[-1].ownership, state.labels_of(name))
        if not visible and (versions or write.expected):
            raise out_of_reach(write.type, write.id)
    for name, write in zip(names, writes, strict=True):
        if write.expected != len(state.versions.get(name, ())):
            raise moved_on(write.type, write.id)


def _patients_named(ownership: Ownership, found: Indexed | None) -> list[str]:
    """Ids of the Patients a version belongs to or refers to."""
    references = found.rows.references if found is not None else []
    return [*ownership.persons, *(id for _, type, id in references if type == "Patient")]


def _done(outcome: Outcome, writes: Sequence[Write], at: int) -> Done:
    """An outcome with the version and instant the commit gave it, if it gave any."""
    if outcome.write is not None:
        write = writes[outcome.write]
        return Done(outcome.status, write.type, write.id, write.expected + 1, at)
    return Done(outcome.status, outcome.type, outcome.id, outcome.version_id, 0)


def replay(state: State, idempotency: Idempotency, now: int) -> Receipt | None:
    """The receipt of an earlier use of the key; None when the key is free (again)."""
    earlier = state.remembered.get((idempotency.client, idempotency.key))
    if earlier is None or now >= earlier.until:
        return None
    if earlier.digest != idempotency.digest:
        raise Duplicate("The idempotency key was used for another request; take a new one.")
    return replace(earlier.receipt, replayed=True)


def require_epoch(state: State, reader: Reader) -> None:
    if isinstance(reader.persons, bool):
        return
    if reader.persons.epoch != state.scopes.get(reader.persons.number, Persons()).epoch:
        raise Unavailable("What you may see has just changed; send the request again.")


def _require_sight(state: State, reader: Reader, relabel: Relabel) -> None:
    name = (relabel.type, relabel.id)
    versions = state.versions.get(name, ())
    if not versions or not sees(reader, state, versions[-1].ownership, state.labels_of(name)):
        raise out_of_reach(relabel.type, relabel.id)


def _relabel(state: State, relabel: Relabel) -> None:
    name = (relabel.type, relabel.id)
    state.labels[name] = relabel.labels
    last = state.versions[name][-1]
    append(state, replace(last, at=state.at, method=Method.LABEL, labels=relabel.labels, sealed=None))
