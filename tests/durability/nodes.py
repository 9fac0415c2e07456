"""A node put together by hand as ``kintung.app`` does, where a test needs a part of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kintung.app import Settings
from kintung.clock import Clock, Entropy, SystemClock, SystemEntropy
from kintung.identity.identifiers import VAULTED
from kintung.store.audit import AuditBook
from kintung.store.keys import WRITE_SECONDS, KeyStore
from kintung.store.scribe import Scribe
from kintung.store.sealing import Sealer
from kintung.store.sql.check import check
from kintung.store.sql.proofs.walk import Readable
from kintung.store.sql.store import Backend, SqlStore
from kintung.store.vault import Vaults


@dataclass(frozen=True, slots=True)
class Parts:
    """An open store and what it is made of."""

    store: SqlStore
    backend: Backend
    keys: KeyStore
    sealer: Sealer
    scribe: Scribe
    audit: AuditBook

    def findings(self, backend: Readable | None = None) -> list[str]:
        """What ``check`` finds, read through ``backend`` when one is given."""
        found = check(backend or self.backend, self.keys, self.sealer, self.scribe, self.audit)
        return sorted(f"{finding.proof} | {finding.where} | {finding.message}" for finding in found)


@contextmanager
def assembled(
    backend: Backend,
    keys: Path,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    key_seconds: float = WRITE_SECONDS,
) -> Iterator[Parts]:
    """Open a store on a backend, and close both at the end of the block.

    Args:
        key_seconds: how long a new key may wait for another process that writes keys.
    """
    clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
    key_store = KeyStore(keys, entropy, write_seconds=key_seconds)
    sealer = Sealer(key_store, entropy)
    vaults = Vaults(key_store, VAULTED)
    scribe = Scribe(sealer, vaults)
    audit = AuditBook(key_store, entropy)
    most_rows = Settings().search_rows
    store = SqlStore(backend, key_store, sealer, scribe, vaults, audit, clock, most_rows)
    try:
        yield Parts(store, backend, key_store, sealer, scribe, audit)
    finally:
        store.close()
        key_store.close()
