"""Every connection has the settings that durability and privacy rest on: asked for is not yet so."""

from pathlib import Path

from kintung.store.sql.database import Database
from kintung.store.sqlite import SqliteBackend

FULL, MEMORY, FAST = 2, 2, 2
"""As the pragmas answer them (https://www.sqlite.org/pragma.html)."""
SETTINGS = {
    "journal_mode": "wal",
    "synchronous": FULL,
    "wal_autocheckpoint": 0,
    "temp_store": MEMORY,
    "secure_delete": FAST,
}


def settings(db: Database) -> dict[str, object]:
    return {name: db.rows(f"PRAGMA {name}")[0][0] for name in SETTINGS}


def test_who_writes_and_who_reads_has_all_settings(tmp_path: Path) -> None:
    """Synced at each commit; nothing spilled to temporary files; no deleted index row left in a page."""
    backend = SqliteBackend(tmp_path / "record.db")
    with backend.committing() as db:
        assert settings(db) == SETTINGS
        assert db.rows("PRAGMA cache_size") == [(-64 * 1024,)]
    with backend.reading() as db:
        assert settings(db) == SETTINGS
        assert db.rows("PRAGMA query_only") == [(1,)]
        assert db.rows("PRAGMA cache_size") == [(-16 * 1024,)]
    backend.close()
