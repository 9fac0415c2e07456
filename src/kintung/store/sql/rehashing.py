"""Hashing every identity number of the index again, under another secret of the vault."""

from collections.abc import Sequence

from kintung.errors import KintungError, Unavailable
from kintung.fhir.json import parse
from kintung.store.composites import composite_terms, numbered
from kintung.store.scribe import Scribe
from kintung.store.sql.bodies import current_bodies
from kintung.store.sql.database import Database, Row
from kintung.store.sql.entities import keys_of
from kintung.store.sql.names import TYPE_NAMES, Names
from kintung.store.sql.vaulting import FACT
from kintung.store.vault import Vault
from kintung.store.writes import IndexRows

RESOURCES_A_STEP = 200


def hash_again(db: Database, names: Names, scribe: Scribe, vault: Vault) -> int:
    """Make every keyed hash of the index again from the bodies, under the secret of ``vault``.

    Inside a commit only. Memory: eight bytes and more for each resource with such numbers,
    whose number it gives.

    Raises:
        Unavailable: a body cannot be opened.
    """
    keys = _keys(db)
    _delete(db)
    for start in range(0, len(keys), RESOURCES_A_STEP):
        _store(db, names, _hashed(db, scribe, vault, keys[start : start + RESOURCES_A_STEP]))
    db.remove("node", [(FACT,)])
    db.insert("node", [(FACT, vault.name)])
    return len(keys)


_HASHED = {"ix_token": "x.term < 0", "ix_composite": "(x.first < 0 OR x.second < 0)"}
"""Tables with keyed hashes, and which of their rows have one: those of no dictionary."""


def _keys(db: Database) -> list[int]:
    """Keys of the resources that have hashes, ascending."""
    found: set[int] = set()
    for table, hashed in _HASHED.items():
        statement = f"SELECT DISTINCT x.key FROM {table} x WHERE x.atom = ? AND {hashed}"
        found.update(key for atom in _atoms(db, table) for (key,) in db.rows(statement, (atom,)))
    return sorted(found)


def _delete(db: Database) -> None:
    for table, hashed in _HASHED.items():
        for atom in _atoms(db, table):
            db.run(f"DELETE FROM {table} AS x WHERE x.atom = ? AND {hashed}", (atom,))


def _atoms(db: Database, table: str) -> list[int]:
    """What a table is cut by first: asked atom by atom, its hashes are ranges of the primary key."""
    atoms = db.rows(
        f"WITH RECURSIVE a(atom) AS (SELECT min(x.atom) FROM {table} x UNION ALL"
        f" SELECT (SELECT min(x.atom) FROM {table} x WHERE x.atom > a.atom) FROM a WHERE a.atom IS NOT NULL)"
        " SELECT atom FROM a WHERE atom IS NOT NULL"
    )
    return [atom for (atom,) in atoms]


_Hashed = tuple[int, int, IndexRows]
"""Where the resource lies, and of its index rows those with a hash."""


def _hashed(db: Database, scribe: Scribe, vault: Vault, keys: Sequence[int]) -> list[_Hashed]:
    found: list[_Hashed] = []
    for type_number, id, patient_key, key, blob in current_bodies(db, keys):
        type = TYPE_NAMES[type_number]
        try:
            rows = scribe.hashed(parse(scribe.open(blob, type, id)), vault)
        except KintungError as error:
            raise Unavailable(
                f"The body of {type}/{id} cannot be opened; nothing was changed. Run kintung check."
            ) from error
        found.append((patient_key, key, rows))
    return found


def _store(db: Database, names: Names, found: Sequence[_Hashed]) -> None:
    terms = names.give_terms(db, (term for _, _, rows in found for term in composite_terms(rows)))
    targets = keys_of(db, {(type, id) for _, _, rows in found for _, type, id, _ in rows.relations})
    tokens: list[Row] = []
    composites: list[Row] = []
    for patient_key, key, rows in found:
        tokens += [(atom, term, patient_key, key) for atom, term in rows.tokens]
        together = numbered(rows, terms.__getitem__, targets.__getitem__)
        composites += [(*row, patient_key, key) for row in together]
    db.insert("ix_token", sorted(tokens))
    db.insert("ix_composite", sorted(composites))
