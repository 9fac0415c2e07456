"""The key store: data keys of owners, the node's own secrets, and the witness of the log.

It is a file of its own, never in the backup that holds the sealed bodies, so that who has
one of the two has nothing. Erasing a person destroys the person's data key here.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# apsw describes its values by a type (Buffer) that Python 3.11 lacks

import logging
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

from kintung.clock import Entropy
from kintung.errors import Unavailable

_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS data_key (number INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE, value BLOB);
CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS witness (number INTEGER PRIMARY KEY, head BLOB NOT NULL);
"""


_VAULT, _FOLLOWING = "vault", "vault, to follow"
_WITNESS_EVERY = 64
_WITNESS_OVERDUE = 64 * _WITNESS_EVERY
"""Commits without a witness after which it is worth a word."""
WRITE_SECONDS = 5.0
"""How long a write waits for another of this process, and then for another process."""


class WouldWait(Exception):
    """A new key is needed, and who asks may not wait for a disk; see ``KeyStore.at_once``."""


class DataKey(NamedTuple):
    """A 256-bit key and the number by which sealed bodies name it."""

    number: int
    value: bytes


class KeyStore:
    """Data keys by owner (``Patient/1``, ``Organization/2``, ``public``) and named secrets.

    A key is durable before it is given out: nothing is ever sealed under a key that a power
    loss could take away. Safe to use from several threads and processes; one that stands
    still in the middle of a write holds up new keys only, never the reading of others.
    """

    def __init__(self, path: Path | None, entropy: Entropy, *, write_seconds: float = WRITE_SECONDS) -> None:
        """Open or create the file at ``path``; None keeps the keys in memory only.

        Raises:
            Unavailable: the file is no key store, or cannot be opened.
        """
        self._entropy = entropy
        self._write_seconds = write_seconds
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._by_owner: dict[str, DataKey] = {}
        self._by_number: dict[int, bytes] = {}
        self._asked: dict[str, None] = {}
        self._hurry = threading.local()
        self._unwitnessed: tuple[int, bytes] | None = None
        self._since_witness = 0
        if path is not None:
            path.touch(mode=0o600, exist_ok=True)
        # Two connections: what waits for a lock to write must not keep others from reading.
        try:
            self._db = apsw.Connection(str(path) if path else ":memory:")
            self._db.set_busy_timeout(int(write_seconds * 1000))
            if not self._is_made(self._db):
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute(_SCHEMA)
            self._db.execute("PRAGMA synchronous=FULL")
            # What is deleted here is destroyed, and that of the last page too.
            self._db.execute("PRAGMA secure_delete=ON").fetchall()
            self._read = apsw.Connection(str(path)) if path else self._db
        except apsw.Error as error:
            raise Unavailable(f"{path} cannot be opened as a key store: {error}.") from error

    @staticmethod
    def _is_made(db: apsw.Connection) -> bool:
        tables = db.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()
        mode = db.execute("PRAGMA journal_mode").fetchone()
        return tables == (3,) and mode == ("wal",)

    @contextmanager
    def at_once(self) -> Generator[None]:
        """In the block this thread raises WouldWait where it would have to wait for a disk."""
        self._hurry.is_set = True
        try:
            yield
        finally:
            self._hurry.is_set = False

    @contextmanager
    def _alone(self, seconds: float) -> Generator[None]:
        """Alone among the threads of this process.

        Raises:
            Unavailable: another thread did not end its write in time.
        """
        if not self._writing.acquire(timeout=seconds):
            raise Unavailable("The key store is held by another process; nothing was stored.")
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def _write(self, seconds: float) -> Generator[None]:
        """Alone among the threads of this process, in a transaction.

        Raises:
            Unavailable: another thread or process did not end its write in time.
        """
        with self._alone(seconds), self._transaction(seconds):
            yield

    @contextmanager
    def _transaction(self, seconds: float) -> Generator[None]:
        try:
            self._db.set_busy_timeout(int(seconds * 1000))
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
        except apsw.BusyError as error:
            raise Unavailable("The key store is held by another process; nothing was stored.") from error
        except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError) as error:
            raise Unavailable("The key store cannot be written now; nothing was stored.") from error

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
        """The keys of owners this process has not met: found, or made in one group with those of others.

        Threads that ask while one writes wait for it; the next writes for all of them.
        """
        missing = [owner for owner in owners if not self._find(owner)]
        if missing:
            if getattr(self._hurry, "is_set", False):
                raise WouldWait
            self._asked.update(dict.fromkeys(missing))
            with self._alone(self._write_seconds):
                if not all(map(self._find, missing)):
                    self._make_asked(missing)
        return {owner: self._by_owner[owner] for owner in owners}

    def _make_asked(self, owners: list[str]) -> None:
        """Make the keys of these owners durable, and those that others wait for."""
        asked = dict.fromkeys(owners)
        while self._asked:  # others add to it meanwhile
            asked[self._asked.popitem()[0]] = None
        rows = [(owner, self._entropy.bytes(32)) for owner in asked]
        with self._transaction(self._write_seconds):
            self._db.executemany("INSERT OR IGNORE INTO data_key (owner, value) VALUES (?, ?)", rows)
        for owner in asked:
            found = self._find(owner)
            assert found

    def _find(self, owner: str) -> bool:
        """Whether an owner has a key that is durable; it is remembered then."""
        if owner not in self._by_owner:
            key = self._select(owner)
            if key is None:
                return False
            self._by_owner[owner] = key
            self._by_number[key.number] = key.value
        return True

    def _select(self, owner: str) -> DataKey | None:
        with self._reading:
            row = self._read.execute(
                "SELECT number, value FROM data_key WHERE owner = ?", (owner,)
            ).fetchone()
        return DataKey(*row) if row else None

    def by_number(self, number: int) -> bytes | None:
        """The key that sealed bodies call ``number``; None when it was destroyed."""
        value = self._by_number.get(number)
        if value is None:
            with self._reading:
                row = self._read.execute("SELECT value FROM data_key WHERE number = ?", (number,)).fetchone()
            if row is None or row[0] is None:
                return None
            value = self._by_number[number] = row[0]
        return value

    def owner_of(self, number: int) -> str | None:
        """Whose key sealed bodies call ``number``."""
        with self._reading:
            row = self._read.execute("SELECT owner FROM data_key WHERE number = ?", (number,)).fetchone()
        return row[0] if row else None

    def secret(self, name: str, size: int = 32) -> bytes:
        """A secret of the node, made at its first use."""
        found = self._secret(name)
        if found is None:
            with self._write(self._write_seconds):
                self._db.execute(
                    "INSERT OR IGNORE INTO secret VALUES (?, ?)", (name, self._entropy.bytes(size))
                )
            found = self._secret(name)
        assert found is not None
        return found

    def _secret(self, name: str) -> bytes | None:
        with self._reading:
            row = self._read.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def vault_secrets(self) -> tuple[bytes, ...]:
        """The secret of the vault, made at its first use, and the one to follow it, while there is one."""
        following = self._secret(_FOLLOWING)
        now = self.secret(_VAULT)
        return (now,) if following is None else (now, following)

    def following_vault_secret(self) -> bytes:
        """The secret that is to follow that of the vault, made now if there is none."""
        return self.secret(_FOLLOWING)

    def replace_vault_secret(self, following: bytes) -> None:
        """Put the secret that was to follow in the place of the old one, and destroy that.

        Nothing is done when that has happened already. What was read from the disk stays in the
        memory of processes that did.

        Raises:
            Unavailable: another process holds the key store; ask again.
        """
        with self._write(self._write_seconds):
            if self._secret(_FOLLOWING) == following:
                self._db.execute("UPDATE secret SET value = ? WHERE name = ?", (following, _VAULT))
                self._db.execute("DELETE FROM secret WHERE name = ?", (_FOLLOWING,))
        # The old value stands in the log of writes, and in the file until that is carried over.
        with self._alone(self._write_seconds):
            ((busy, _, _),) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            raise Unavailable("The key store is in use; what it held before is not destroyed yet. Try again.")

    def witness_soon(self, number: int, head: bytes) -> None:
        """Remember the head of the chain at a commit: what shows a log cut short.

        Written with every 64th commit and by ``witness_now``, so that it costs a commit little.
        A commit never waits for it: when the file is held, a later one writes it.
        """
        self._unwitnessed = (number, head)
        self._since_witness += 1
        if self._since_witness >= _WITNESS_EVERY:
            error = self._witness(0)
            if error is not None and self._since_witness % _WITNESS_OVERDUE == 0:
                _warn_unwitnessed(error)

    def witness_now(self) -> None:
        """Write the head of the last commit, if the file is not held for long."""
        error = self._witness(self._write_seconds)
        if error is not None:
            _warn_unwitnessed(error)

    def _witness(self, seconds: float) -> Exception | None:
        """Write the newest head; why it could not be written.

        Never raises: the commit is durable, and what its callers are told must not hang on
        the witness.
        """
        if self._unwitnessed is None:
            return None
        number, head = self._unwitnessed
        try:
            with self._write(seconds):
                self._db.execute("INSERT OR REPLACE INTO witness VALUES (?, ?)", (number, head))
                self._db.execute("DELETE FROM witness WHERE number < ?", (number - 1000,))
        except (Unavailable, apsw.Error) as error:
            return error
        self._since_witness = 0
        if self._unwitnessed == (number, head):
            self._unwitnessed = None
        return None

    def witnesses(self) -> dict[int, bytes]:
        """The remembered heads, by number of the commit."""
        with self._reading:
            return dict(self._read.execute("SELECT number, head FROM witness"))

    def close(self) -> None:
        self._read.close()
        self._db.close()


def _warn_unwitnessed(error: Exception) -> None:
    _log.warning("the head of the log was not witnessed: %s", type(error).__name__)
