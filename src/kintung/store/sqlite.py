"""The SQLite adapter: apsw with its own SQLite, WAL, synchronous FULL, one flock round each commit.

Writers of all processes queue at a lock file beside the database, fairly; SQLite's own busy
time-out is never reached (it starves a waiting writer for seconds). Checkpoints run PASSIVE
on a connection of their own, so no commit waits for one.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# apsw describes its values by a type (Buffer) that Python 3.11 lacks

import fcntl
import logging
import os
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

from kintung.errors import TimedOut, Unavailable
from kintung.store.sql.database import Row, asked_too_long, outcome_unknown, reading_too_long
from kintung.store.sql.migrations import NO_FACTS, Facts, prepare_schema
from kintung.store.sql.schema import BY_NAME

_log = logging.getLogger(__name__)

OLDEST_SQLITE = 3_051_003
"""Versions before 3.51.3 can corrupt a database when the WAL is reset."""
CHECKPOINT_PAGES = 4_000
READ_SECONDS = 10.0
_SETTINGS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "wal_autocheckpoint = 0",
    "temp_store = MEMORY",
    "secure_delete = FAST",
)
OPEN_SECONDS = 10.0
"""How long opening a record waits for the commit lock."""


class SqliteDatabase:
    """A connection as the shared code uses it."""

    dialect = "sqlite"

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        return self.connection.execute(statement, values).fetchall()  # pyright: ignore[reportArgumentType]

    def run(self, statement: str, values: Sequence[object] = ()) -> None:
        self.connection.execute(statement, values)  # pyright: ignore[reportArgumentType]

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            self.connection.executemany(_INSERT[table], rows)

    def remove(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            self.connection.executemany(_DELETE[table], rows)

    def lookup(self, statement: str, types: Sequence[str], rows: Iterable[Row]) -> list[Row]:
        names = ", ".join(f"c{n}" for n in range(len(types)))
        marks = ", ".join("?" * len(types))
        text = f"WITH wanted({names}) AS (VALUES ({marks})) {statement}"
        return self.connection.executemany(text, list(rows)).fetchall()

    @contextmanager
    def within(self, seconds: float) -> Generator[None]:
        deadline = time.monotonic() + seconds
        self.connection.set_progress_handler(lambda: time.monotonic() > deadline, 20_000)
        try:
            yield
        except apsw.InterruptError as error:
            raise asked_too_long() from error
        finally:
            self.connection.set_progress_handler(None)


_CANNOT_WRITE = (
    apsw.BusyError,
    apsw.FullError,
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.CorruptError,
    apsw.CantOpenError,
)

_CANNOT_READ = (apsw.BusyError, apsw.IOError, apsw.CantOpenError, apsw.CorruptError)


class _Reading(SqliteDatabase):
    """Begins its transaction with the first question: a unit that only creates asks none."""

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN")
        return super().rows(statement, values)

    def lookup(self, statement: str, types: Sequence[str], rows: Iterable[Row]) -> list[Row]:
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN")
        return super().lookup(statement, types, rows)


class _ShortReading(_Reading):
    """Asks nothing more once its time is over: small statements end before they are interrupted."""

    def __init__(self, connection: apsw.Connection, deadline: float) -> None:
        super().__init__(connection)
        self._deadline = deadline

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        self._require_time()
        return super().rows(statement, values)

    def lookup(self, statement: str, types: Sequence[str], rows: Iterable[Row]) -> list[Row]:
        self._require_time()
        return super().lookup(statement, types, rows)

    def _require_time(self) -> None:
        if time.monotonic() >= self._deadline:
            raise reading_too_long()


_INSERT = {
    name: f"INSERT INTO {name} VALUES ({', '.join('?' * len(table.columns))})"
    for name, table in BY_NAME.items()
}
_DELETE = {
    name: f"DELETE FROM {name} WHERE {' AND '.join(f'{column} = ?' for column in table.key)}"
    for name, table in BY_NAME.items()
}


class SqliteBackend:
    """A database file, its lock file and the connections of this process."""

    waits = False

    def __init__(
        self,
        path: Path,
        *,
        read_seconds: float = READ_SECONDS,
        open_seconds: float = OPEN_SECONDS,
        vfs: str | None = None,
        facts: Facts = NO_FACTS,
    ) -> None:
        """Open or create the file at ``path``.

        Raises:
            Unavailable: the SQLite library is too old to be trusted with a record, the file is
                no database or holds a schema this version does not know, or another process
                stands still in the commit section for ``open_seconds``.
        """
        refuse_old_sqlite(apsw.sqlite_lib_version())
        self._path = path
        self._vfs = vfs
        self._read_seconds = read_seconds
        self._local = threading.local()
        self._autocommit = _Autocommit(self)
        self._connections: list[apsw.Connection] = []
        self._lock_file = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        self._in_commit = threading.Lock()
        self._pages_waiting = threading.Event()
        self._closed = False
        if not _flock_within(self._lock_file, open_seconds):
            raise Unavailable("Another process holds the record and does not go on; end it and try again.")
        try:
            self._writer = self._connect(cache_kib=64 * 1024)
            self._writer.set_wal_hook(self._after_commit)
            prepare_schema(SqliteDatabase(self._writer), facts)
        except (apsw.NotADBError, apsw.CantOpenError, apsw.CorruptError, apsw.ReadOnlyError) as error:
            raise Unavailable(f"{path} cannot be opened as a database: {error}.") from error
        finally:
            fcntl.flock(self._lock_file, fcntl.LOCK_UN)
        self._checkpointer = threading.Thread(target=self._checkpoint, name="kintung-checkpoint", daemon=True)
        self._checkpointer.start()

    def _connect(self, cache_kib: int) -> apsw.Connection:
        connection = apsw.Connection(str(self._path), vfs=self._vfs, statementcachesize=400)
        connection.set_busy_timeout(10_000)
        # The plan is ours: without this SQLite plans a statement anew for each set of values,
        # which is four fifths of the time of a read.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        for setting in (*_SETTINGS, f"cache_size = -{cache_kib:d}"):
            # One at a time, and its answer taken: what follows a row that nobody takes is not run.
            connection.execute(f"PRAGMA {setting}").fetchall()
        self._connections.append(connection)
        return connection

    # -- reading ------------------------------------------------------------------------

    @contextmanager
    def reading(self, seconds: float | None = None) -> Generator[SqliteDatabase]:
        with self.autocommit() as db:
            try:
                yield _Reading(db.connection) if seconds is None else self._short(db.connection, seconds)
            except apsw.InterruptError as error:
                if seconds is None:
                    raise
                raise reading_too_long() from error
            finally:
                if db.connection.in_transaction:
                    db.connection.execute("ROLLBACK")

    def _short(self, connection: apsw.Connection, seconds: float) -> _ShortReading:
        local = self._local
        local.deadline = min(local.deadline, time.monotonic() + seconds)
        return _ShortReading(connection, local.deadline)

    def autocommit(self) -> "_Autocommit":
        """Two calls fewer than a reading: between calls another thread may take the interpreter."""
        return self._autocommit

    def begin_reading(self) -> SqliteDatabase:
        """The connection of this thread, for as many seconds as a reading may take."""
        local = self._local
        local.deadline = time.monotonic() + self._read_seconds
        try:
            return local.db
        except AttributeError:
            local.db = self._reader()
        return local.db

    def _reader(self) -> SqliteDatabase:
        connection = self._connect(cache_kib=16 * 1024)
        connection.execute("PRAGMA query_only = ON")
        local = self._local
        connection.set_progress_handler(lambda: time.monotonic() > local.deadline, 20_000)
        return SqliteDatabase(connection)

    # -- committing ---------------------------------------------------------------------

    @contextmanager
    def committing(self) -> Generator[SqliteDatabase]:
        with self._locked():
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield SqliteDatabase(self._writer)
                    self._commit()
                finally:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
            except _CANNOT_WRITE as error:
                raise Unavailable("The record cannot be written now; nothing was stored.") from error

    def _commit(self) -> None:
        try:
            self._writer.execute("COMMIT")
        except apsw.IOError as error:
            raise outcome_unknown() from error

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Alone among the threads of this process and among all processes on the file."""
        with self._in_commit:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    # -- checkpoints --------------------------------------------------------------------

    def _after_commit(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        if pages >= CHECKPOINT_PAGES:
            self._pages_waiting.set()
        return apsw.SQLITE_OK

    def _checkpoint(self) -> None:
        connection = self._connect(cache_kib=1024)
        while True:
            self._pages_waiting.wait()
            self._pages_waiting.clear()
            if self._closed:
                return
            try:
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            except (apsw.BusyError, apsw.LockedError):
                continue
            except apsw.Error as error:  # a full disk, for one: the WAL holds it until it can be done
                _log.warning("a checkpoint failed: %s", type(error).__name__)

    def close(self) -> None:
        self._closed = True
        self._pages_waiting.set()
        self._checkpointer.join()
        for connection in self._connections:
            connection.close()
        os.close(self._lock_file)


class _Autocommit:
    """The connection of whichever thread enters it; it holds nothing, so that one serves all.

    Written out because every read by id passes here: a generator costs 2 µs more.
    """

    def __init__(self, backend: SqliteBackend) -> None:
        self._backend = backend

    def __enter__(self) -> SqliteDatabase:
        try:
            return self._backend.begin_reading()
        except apsw.Error as error:
            self.__exit__(type(error), error, None)
            raise

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if error is None:
            return
        if isinstance(error, apsw.InterruptError):
            raise TimedOut("The search took longer than it may; narrow it.") from error
        if isinstance(error, _CANNOT_READ):
            raise Unavailable("The record cannot be read now.") from error


def _flock_within(file: int, seconds: float) -> bool:
    """Take the lock in turn with all others, or give up after so many seconds.

    A queued ``flock`` has no time-out, and one asked for again and again starves behind those
    that queue. So a thread queues; given up, it lets go of the lock when its turn comes.
    """
    decided = threading.Lock()
    answers: list[bool] = []

    def queue() -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
        with decided:
            answers.append(True)
            if len(answers) > 1:
                fcntl.flock(file, fcntl.LOCK_UN)

    thread = threading.Thread(target=queue, name="kintung-open", daemon=True)
    thread.start()
    thread.join(seconds)
    with decided:
        answers.append(False)
        return answers[0]


def refuse_old_sqlite(version: str) -> None:
    """Refuse a SQLite library with the WAL-reset bug.

    Raises:
        Unavailable: ``version`` ("3.40.1") is before 3.51.3.
    """
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    if major * 1_000_000 + minor * 1_000 + patch < OLDEST_SQLITE:
        raise Unavailable(f"SQLite {version} can lose a record; Kintung needs 3.51.3 or later.")
