"""Under which secret the identity numbers in an index are hashed.

The database keeps the name of the secret among what its index rests on. Rows of hashes are
changed in the commit that changes this name, so a reading never sees the one without the other.
"""

from kintung.store.sql.database import Database
from kintung.store.vault import Vault, Vaults

FACT = "vault"
"""Name of the row of ``node``."""
KEPT = f"(SELECT value FROM node WHERE name = '{FACT}')"
"""A scalar: the name of the secret; NULL in a database that was made without one."""


def vault_of(db: Database, vaults: Vaults) -> Vault:
    """The vault whose hashes stand in what ``db`` reads; raises Unavailable as ``Vaults.named``."""
    (name,) = db.rows(f"SELECT {KEPT}")[0]
    return vaults.current if name is None else vaults.named(name)
