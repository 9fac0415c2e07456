"""``kintung check``: proves a record sound, or names what is broken.

Reads in short transactions while others go on reading and writing; what is committed
meanwhile is no finding. Findings name resources and rows, never what is in them.
"""

from collections.abc import Iterator

from kintung.store.audit import AuditBook
from kintung.store.keys import KeyStore
from kintung.store.port import Finding
from kintung.store.scribe import Scribe
from kintung.store.sealing import Sealer
from kintung.store.sql.proofs.chain import ChainProof
from kintung.store.sql.proofs.current import prove_current
from kintung.store.sql.proofs.entities import prove_entities
from kintung.store.sql.proofs.index import IndexProof
from kintung.store.sql.proofs.opened import prove_opened
from kintung.store.sql.proofs.persons import prove_persons
from kintung.store.sql.proofs.schema import prove_schema
from kintung.store.sql.proofs.versions import VersionProof
from kintung.store.sql.proofs.walk import Readable


def check(
    backend: Readable, keys: KeyStore, sealer: Sealer, scribe: Scribe, audit: AuditBook
) -> Iterator[Finding]:
    """Prove schema, chain, versions, bodies, ownership, index, entities and persons, in this order.

    Memory: four bytes for each resource stored or referenced, and bounded pages. A broken
    schema ends it: nothing else can be asked of the tables then.
    """
    sound = True
    for finding in prove_schema(backend):
        sound = False
        yield finding
    if not sound:
        return
    chain = ChainProof(backend, audit)
    yield from chain.prove(keys.witnesses())
    index = IndexProof(backend, scribe)
    yield from VersionProof(backend, sealer, scribe, index).prove()
    yield from prove_current(backend, chain)
    yield from prove_entities(backend)
    yield from prove_opened(backend, audit)
    yield from prove_persons(backend)
    yield from index.prove_no_other()
