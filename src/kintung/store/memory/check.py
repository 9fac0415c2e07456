"""What ``check`` proves of the plain store: the chain, the versions, each body and its index rows."""

from collections.abc import Iterator
from hashlib import sha256

from kintung.fhir.json import parse
from kintung.store.memory.chain import check_chain
from kintung.store.memory.state import Entry, State
from kintung.store.port import Finding
from kintung.store.scribe import Scribe


def check(state: State, scribe: Scribe) -> Iterator[Finding]:
    """All that is broken in a state."""
    yield from check_chain(state)
    yield from _check_links(state)
    for (type, id), versions in state.versions.items():
        where = f"{type}/{id}"
        if [entry.version_id for entry in versions] != list(range(1, len(versions) + 1)):
            yield Finding("versions", "The versions do not count 1, 2, 3.", where)
        for entry in versions:
            yield from _check_body(entry, where, scribe)


def _check_links(state: State) -> Iterator[Finding]:
    """How each pair stands is how it stood after the last that was said of it."""
    last = {uttered.link.pair: uttered.link for uttered in state.uttered}
    for pair in sorted(last.keys() | state.links.keys()):
        if last.get(pair) != state.links.get(pair):
            yield Finding("persons", "How a pair stands is not what was said of it last.", " ".join(pair))


def _check_body(entry: Entry, where: str, scribe: Scribe) -> Iterator[Finding]:
    if entry.sealed is None:
        return
    if sha256(entry.sealed.blob).digest() != entry.sealed.digest:
        yield Finding("bodies", f"Version {entry.version_id} is not what was stored.", where)
        return
    text = scribe.open(entry.sealed.blob, entry.type, entry.id)
    if scribe.index(parse(text)) != entry.adds:
        yield Finding("index", f"The index rows of version {entry.version_id} are not its own.", where)
