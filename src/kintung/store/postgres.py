"""The PostgreSQL adapter: psycopg 3, rows sent as arrays, a transaction advisory lock as commit lock.

A process that dies inside the commit section loses its session and with it the lock; one
that hangs there is ended by the server (``idle_in_transaction_session_timeout``).
"""

import math
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg

from kintung.errors import TimedOut, Unavailable
from kintung.store.postgres_connections import Connection, Readers, Server, is_broken, warn_of_loss
from kintung.store.sql.database import Row, asked_too_long, outcome_unknown, reading_too_long
from kintung.store.sql.migrations import NO_FACTS, Facts, prepare_schema
from kintung.store.sql.schema import BY_NAME

COMMIT_LOCK = 0x6B696E74756E67
"""Key of the advisory lock ("kintung")."""
OLDEST_SERVER = 150_000
READ_SECONDS = 10.0
HUNG_SECONDS = 10.0
"""How long a session may stand still inside the commit section."""

CONNECTIONS = 9
"""As many as a process opens: one to write with, the others to read with."""

_ARRAYS = {"int": "bigint[]", "text": "text[]", "blob": "bytea[]"}


class PostgresDatabase:
    """A connection as the shared code uses it."""

    dialect = "postgres"

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        return self._execute(statement, values).fetchall()

    def run(self, statement: str, values: Sequence[object] = ()) -> None:
        self._execute(statement, values)

    def _execute(self, statement: str, values: Sequence[object]) -> "psycopg.Cursor[Row]":
        return self.connection.execute(statement.replace("?", "%s").encode(), values, prepare=True)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            self.connection.execute(_INSERT[table], _columns(rows), prepare=True)

    def remove(self, table: str, rows: Sequence[Row]) -> None:
        if rows:
            self.connection.execute(_DELETE[table], _columns(rows), prepare=True)

    def lookup(self, statement: str, types: Sequence[str], rows: Iterable[Row]) -> list[Row]:
        wanted = list(rows)
        if not wanted:
            return []
        names = ", ".join(f"c{n}" for n in range(len(types)))
        arrays = ", ".join(f"%s::{_ARRAYS[type]}" for type in types)
        text = f"WITH wanted({names}) AS (SELECT * FROM unnest({arrays})) {statement}"
        return self.connection.execute(text.encode(), _columns(wanted), prepare=True).fetchall()

    @contextmanager
    def within(self, seconds: float) -> Generator[None]:
        """Each statement is cut by the server, which leaves what came before the block as it is."""
        self.connection.execute(
            f"SAVEPOINT asked; SET LOCAL statement_timeout = {seconds * 1000:.0f}".encode()
        )
        try:
            yield
        except pg.QueryCanceled as error:
            self.connection.execute("ROLLBACK TO SAVEPOINT asked")
            raise asked_too_long() from error
        finally:
            if self.connection.info.transaction_status == _IN_TRANSACTION:
                self.connection.execute("SET LOCAL statement_timeout TO DEFAULT; RELEASE SAVEPOINT asked")


class _ShortReading(PostgresDatabase):
    """The server cuts a statement when the time of the whole reading is over.

    It is told of the time ahead, and again only when a tenth of it has gone: a round trip before
    every statement would double what a follower costs.
    """

    def __init__(self, connection: Connection, seconds: float) -> None:
        super().__init__(connection)
        self._deadline = time.monotonic() + seconds
        self._tenth = seconds / 10
        self._told = math.inf

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        with self._in_time():
            return super().rows(statement, values)

    def lookup(self, statement: str, types: Sequence[str], rows: Iterable[Row]) -> list[Row]:
        with self._in_time():
            return super().lookup(statement, types, rows)

    @contextmanager
    def _in_time(self) -> Generator[None]:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise reading_too_long()
        if left < self._told:
            self._told = max(left - self._tenth, left / 2)
            self.connection.execute(_TIME_LEFT, (f"{max(1, int(self._told * 1000))}",), prepare=True)
        try:
            yield
        except pg.QueryCanceled as error:
            raise reading_too_long() from error


_TIME_LEFT = b"SELECT set_config('statement_timeout', %s, true)"


def _columns(rows: Sequence[Row]) -> list[list[object]]:
    """Rows turned into one array for each column."""
    return [list(column) for column in zip(*rows, strict=True)]


def _arrays(table: str, columns: Sequence[str]) -> str:
    kinds = dict(BY_NAME[table].columns)
    return ", ".join(f"%s::{_ARRAYS[kinds[column]]}" for column in columns)


def _delete(table: str, key: Sequence[str]) -> bytes:
    names = ", ".join(f"k{n}" for n in range(len(key)))
    same = " AND ".join(f"{table}.{column} = w.k{n}" for n, column in enumerate(key))
    return f"DELETE FROM {table} USING unnest({_arrays(table, key)}) AS w({names}) WHERE {same}".encode()


_INSERT = {
    name: f"INSERT INTO {name} SELECT * FROM unnest({_arrays(name, table.names)})".encode()
    for name, table in BY_NAME.items()
}
_DELETE = {name: _delete(name, table.key) for name, table in BY_NAME.items()}


@contextmanager
def _reported() -> Generator[None]:
    """Faults of a reading as errors of ours."""
    try:
        yield
    except pg.QueryCanceled as error:
        raise TimedOut("The search took longer than it may; narrow it.") from error
    except (psycopg.OperationalError, psycopg.InternalError) as error:
        raise Unavailable("The record cannot be read now.") from error


class PostgresBackend:
    """A database and the connections of this process: one to commit, and a few to read."""

    waits = True

    def __init__(
        self,
        url: str,
        *,
        read_seconds: float = READ_SECONDS,
        hung_seconds: float = HUNG_SECONDS,
        connections: int = CONNECTIONS,
        facts: Facts = NO_FACTS,
    ) -> None:
        """Connect, and make or check the schema; log a warning when the server may lose commits.

        Args:
            read_seconds: the longest a statement that reads may take, and may wait for a connection.
            hung_seconds: how long the commit section may stand still.
            connections: as many as this process opens, two or more.

        Raises:
            Unavailable: no connection, a server before 15, or a schema this version does not know.
        """
        self._server = Server(url)
        self._hung_seconds = hung_seconds
        self._read_seconds = read_seconds
        self._readers = Readers(lambda: self._server.connect(read_seconds), connections - 1, read_seconds)
        self._in_commit = threading.Lock()
        self._writer = self._server.connect()
        try:
            if self._writer.info.server_version < OLDEST_SERVER:
                raise Unavailable("Kintung needs PostgreSQL 15 or later.")
            warn_of_loss(self._writer)
            self._prepare(facts)
        except BaseException:
            self._writer.close()
            raise

    def _prepare(self, facts: Facts) -> None:
        db = PostgresDatabase(self._writer)
        db.rows("SELECT pg_advisory_lock(?)", (COMMIT_LOCK,))
        try:
            prepare_schema(db, facts)
        finally:
            db.rows("SELECT pg_advisory_unlock(?)", (COMMIT_LOCK,))

    @contextmanager
    def reading(self, seconds: float | None = None) -> Generator[PostgresDatabase]:
        with _reported(), self._readers.lent() as connection:
            connection.execute("BEGIN READ ONLY")
            try:
                if seconds is None:
                    yield PostgresDatabase(connection)
                else:
                    yield _ShortReading(connection, min(seconds, self._read_seconds))
            finally:
                if not connection.closed:
                    connection.execute("ROLLBACK")

    @contextmanager
    def autocommit(self) -> Generator[PostgresDatabase]:
        with _reported(), self._readers.lent() as connection:
            yield PostgresDatabase(connection)

    @contextmanager
    def committing(self) -> Generator[PostgresDatabase]:
        with self._in_commit:
            try:
                if is_broken(self._writer):
                    self._writer.close()
                    self._writer = self._server.connect()
                db = PostgresDatabase(self._writer)
                db.run("BEGIN ISOLATION LEVEL READ COMMITTED")
                try:
                    db.run(
                        f"SET LOCAL idle_in_transaction_session_timeout = {int(self._hung_seconds * 1000):d}"
                    )
                    db.rows("SELECT pg_advisory_xact_lock(?)", (COMMIT_LOCK,))
                    yield db
                    _commit(db)
                finally:
                    if not self._writer.closed and self._writer.info.transaction_status != _IDLE:
                        db.run("ROLLBACK")
            except pg.ProgramLimitExceeded:
                raise  # of one unit, not of the server
            except (psycopg.OperationalError, psycopg.InternalError) as error:
                raise Unavailable("The record cannot be written now; nothing was stored.") from error

    def close(self) -> None:
        self._writer.close()
        self._readers.close()


def _commit(db: PostgresDatabase) -> None:
    try:
        db.run("COMMIT")
    except psycopg.OperationalError as error:
        raise outcome_unknown() from error


_IDLE = psycopg.pq.TransactionStatus.IDLE
_IN_TRANSACTION = psycopg.pq.TransactionStatus.INTRANS
