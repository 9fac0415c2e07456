"""The key store: data keys of owners, the node's own secrets, and the witness of the log.

It is a file of its own, never in the backup that holds the sealed bodies, so that who has
one of the two has nothing. Erasing a person destroys the person's data key here.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# apsw describes its values by a type (Buffer) that Python 3.11 lacks

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import apsw

from kintung.clock import Entropy

_SCHEMA = """
CREATE TABLE IF NOT EXISTS data_key (number INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE, value BLOB);
CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS witness (number INTEGER PRIMARY KEY, head BLOB NOT NULL);
"""


_WITNESS_EVERY = 64


class DataKey(NamedTuple):
    """A 256-bit key and the number by which sealed bodies name it."""

    number: int
    value: bytes


class KeyStore:
    """Data keys by owner (``Patient/1``, ``Organization/2``, ``public``) and named secrets.

    A key is durable before it is given out: nothing is ever sealed under a key that a power
    loss could take away. Safe to use from several threads and processes.
    """

    def __init__(self, path: Path | None, entropy: Entropy) -> None:
        """Open or create the file at ``path``; None keeps the keys in memory only."""
        self._entropy = entropy
        self._lock = threading.Lock()
        self._by_owner: dict[str, DataKey] = {}
        self._by_number: dict[int, bytes] = {}
        self._unwitnessed: tuple[int, bytes] | None = None
        if path is not None:
            path.touch(mode=0o600, exist_ok=True)
        self._db = apsw.Connection(str(path) if path else ":memory:")
        self._db.set_busy_timeout(10_000)
        self._db.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
        self._db.execute(_SCHEMA)

    def for_owners(self, owners: Iterable[str]) -> dict[str, DataKey]:
        """The data keys of ``owners``, made where there is none yet."""
        found: dict[str, DataKey] = {}
        missing: list[str] = []
        for owner in owners:
            key = self._by_owner.get(owner)
            if key is None:
                missing.append(owner)
            else:
                found[owner] = key
        if missing:
            found.update(self._make(missing))
        return found

    def _make(self, owners: list[str]) -> dict[str, DataKey]:
        rows = [(owner, self._entropy.bytes(32)) for owner in owners]
        made: dict[str, DataKey] = {}
        with self._lock:
            known = {owner: self._select(owner) for owner in owners}
            if not all(known.values()):
                with self._db:
                    self._db.executemany("INSERT OR IGNORE INTO data_key (owner, value) VALUES (?, ?)", rows)
            for owner in owners:
                key = known[owner] or self._select(owner)
                assert key is not None
                made[owner] = self._by_owner[owner] = key
                self._by_number[key.number] = key.value
        return made

    def _select(self, owner: str) -> DataKey | None:
        row = self._db.execute("SELECT number, value FROM data_key WHERE owner = ?", (owner,)).fetchone()
        return DataKey(*row) if row else None

    def by_number(self, number: int) -> bytes | None:
        """The key that sealed bodies call ``number``; None when it was destroyed."""
        value = self._by_number.get(number)
        if value is None:
            with self._lock:
                row = self._db.execute("SELECT value FROM data_key WHERE number = ?", (number,)).fetchone()
            if row is None or row[0] is None:
                return None
            value = self._by_number[number] = row[0]
        return value

    def owner_of(self, number: int) -> str | None:
        """Whose key sealed bodies call ``number``."""
        with self._lock:
            row = self._db.execute("SELECT owner FROM data_key WHERE number = ?", (number,)).fetchone()
        return row[0] if row else None

    def secret(self, name: str, size: int = 32) -> bytes:
        """A secret of the node, made at its first use."""
        with self._lock:
            with self._db:
                self._db.execute(
                    "INSERT OR IGNORE INTO secret VALUES (?, ?)", (name, self._entropy.bytes(size))
                )
            row = self._db.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
        assert row is not None
        return row[0]

    def witness_soon(self, number: int, head: bytes) -> None:
        """Remember the head of the chain at a commit: what shows a log cut short.

        Written with every 64th commit and by ``witness_now``, so that it costs a commit little.
        """
        self._unwitnessed = (number, head)
        if number % _WITNESS_EVERY == 0:
            self.witness_now()

    def witness_now(self) -> None:
        """Write the head of the last commit."""
        if self._unwitnessed is None:
            return
        number, head = self._unwitnessed
        self._unwitnessed = None
        with self._lock, self._db:
            self._db.execute("INSERT OR REPLACE INTO witness VALUES (?, ?)", (number, head))
            self._db.execute("DELETE FROM witness WHERE number < ?", (number - 1000,))

    def witnesses(self) -> dict[int, bytes]:
        """The remembered heads, by number of the commit."""
        with self._lock:
            return dict(self._db.execute("SELECT number, head FROM witness"))

    def close(self) -> None:
        self._db.close()
