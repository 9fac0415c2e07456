"""The chain of the plain store: each entry of the log, of the audit and of what is said of pairs is tied
to the one before."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import msgspec

from kintung.store.links import Link, LinkChange
from kintung.store.memory.state import Audited, Entry, Persons, State, Uttered
from kintung.store.port import Finding
from kintung.store.writes import AuditRecord


def append(state: State, entry: Entry) -> Entry:
    """Give an entry its place in the log and in the chain."""
    placed = replace(entry, sequence=state.sequence + 1)
    before = state.log[-1].chained if state.log else b""
    placed = replace(placed, chained=_link(before, _chained_of(placed)))
    state.log.append(placed)
    return placed


def append_audit(state: State, record: AuditRecord) -> None:
    """Give an audit record its place after the last."""
    before = state.audit[-1].chained if state.audit else b""
    until = state.scopes.get(record.scope, Persons()).epoch
    state.audit.append(Audited(state.at, record, _link(before, (state.at, record, until)), until))


def append_said(state: State, change: LinkChange, link: Link) -> None:
    """Keep what was said of a pair."""
    before = state.uttered[-1].chained if state.uttered else b""
    state.uttered.append(Uttered(change, link, _link(before, (change, link))))


def check_chain(state: State) -> Iterator[Finding]:
    """The first link of the log, of the audit and of what is said that does not follow from what is there."""
    before = b""
    for entry in state.log:
        before = _link(before, _chained_of(entry))
        if before != entry.chained:
            yield Finding("chain", "The log was altered here or before.", str(entry.sequence))
            return
    before = b""
    for number, audited in enumerate(state.audit, start=1):
        before = _link(before, (audited.at, audited.record, audited.until))
        if before != audited.chained:
            yield Finding("chain", "The audit was altered here or before.", str(number))
            return
    before = b""
    for number, uttered in enumerate(state.uttered, start=1):
        before = _link(before, (uttered.change, uttered.link))
        if before != uttered.chained:
            yield Finding("chain", "What was said of pairs was altered here or before.", str(number))
            return


def _chained_of(entry: Entry) -> tuple[object, ...]:
    """What the chain vouches for: the ciphertext of the body by its digest, and all beside it."""
    digest = entry.sealed.digest if entry.sealed is not None else b""
    made = (entry.sequence, entry.at, entry.method, entry.type, entry.id, entry.version_id)
    return (*made, entry.ownership, sorted(entry.labels), digest)


def _link(before: bytes, content: object) -> bytes:
    return sha256(before + msgspec.msgpack.encode(content)).digest()
