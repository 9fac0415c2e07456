"""Connections to a PostgreSQL server: made, looked at before they are used, lent to one reading each.

A server that restarts leaves broken connections behind. One is known by its socket, on
which the end of it waits to be read, and is replaced before anything is sent on it.
"""

import logging
import select
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import psycopg

from kintung.errors import Unavailable
from kintung.store.sql.database import Row, unreadable_address

Connection = psycopg.Connection[Row]

CONNECT_SECONDS = 10

_log = logging.getLogger(__name__)

_SETTINGS = (
    "SET synchronous_commit = on",  # whatever the server's is: what is answered is durable
    "SET default_transaction_isolation = 'repeatable read'",
    "SET jit = off",
    "SET client_encoding = 'UTF8'",
)
_NO_MORE = ("too many clients already", "remaining connection slots are reserved", "too many connections for")
"""How a server says that it has no connection left; it gives no code at this point."""


class Server:
    """A database server as this process knows it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_away = True  # until it was reached: who opens the record is told by the error

    def connect(self, statement_seconds: float = 0) -> Connection:
        """A connection whose every statement is a transaction, with the settings of a node.

        Args:
            statement_seconds: the longest a statement may take; 0 for as long as it needs.

        Raises:
            BadInput: the address of the server cannot be understood.
            Unavailable: the server cannot be reached, or has no connection left.
        """
        try:
            connection = self._connect(statement_seconds)
        except psycopg.OperationalError as error:
            self._warn_once(error)
            if any(phrase in str(error) for phrase in _NO_MORE):
                raise Unavailable(
                    "The database server has no connection left; raise its max_connections, or serve "
                    "with fewer --workers or --connections."
                ) from error
            raise Unavailable("The database cannot be reached.") from error
        except psycopg.ProgrammingError:
            raise unreadable_address() from None
        self._is_away = False
        return connection

    def _connect(self, statement_seconds: float) -> Connection:
        settings = (*_SETTINGS, f"SET statement_timeout = {int(statement_seconds * 1000):d}")
        connection = psycopg.connect(self._url, autocommit=True, connect_timeout=CONNECT_SECONDS)
        try:
            connection.execute("; ".join(settings).encode())
        except BaseException:
            connection.close()
            raise
        return connection

    def _warn_once(self, error: psycopg.OperationalError) -> None:
        """Say why, when it begins: while it lasts, every request meets it."""
        if not self._is_away:
            self._is_away = True
            _log.warning("no connection to the database: %s", " ".join(str(error).split()))


def is_broken(connection: Connection) -> bool:
    """Has an idle connection ended? Costs one system call and nothing on the network.

    An idle server says nothing, so that what is there to read is its farewell, or the end. A
    rare notice looks the same, and costs a new connection.
    """
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def warn_of_loss(connection: Connection) -> None:
    """Log one warning when this server may lose what was acknowledged: its fault, not the node's."""
    asked = connection.execute(
        "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'data_checksums')"
    )
    shown = dict(asked.fetchall())
    off = sorted(name for name in ("fsync", "full_page_writes") if shown.get(name) != "on")
    if off:
        _log.warning(
            "the database server runs with %s: what this node has acknowledged can be lost, and the "
            "record broken, when the server or its machine stops at the wrong moment; switch on",
            " and ".join(f"{name} = off" for name in off),
        )
    if shown.get("data_checksums") != "on":
        _log.info("the database server has no data checksums: a damaged page may go unnoticed")


class Readers:
    """The connections a process reads with: at most so many, each lent to one reading at a time."""

    def __init__(self, connect: Callable[[], Connection], most: int, seconds: float) -> None:
        """Open none yet.

        Args:
            most: as many as there are ever open.
            seconds: how long a reading waits for one.
        """
        self._connect = connect
        self._most = most
        self._seconds = seconds
        self._free: list[Connection] = []
        self._open = 0
        self._closed = False
        self._returned = threading.Condition()

    @contextmanager
    def lent(self) -> Generator[Connection]:
        """A connection that works, for the time of the block.

        Raises:
            Unavailable: all were in use for too long, or the server gives none.
        """
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Close those that are free now, and those that are lent when they come back."""
        with self._returned:
            self._closed = True
            while self._free:
                self._free.pop().close()

    def _take(self) -> Connection:
        with self._returned:
            if not self._returned.wait_for(lambda: self._free or self._open < self._most, self._seconds):
                raise Unavailable("Every connection to the database is in use; try again later.")
            while self._free:
                connection = self._free.pop()  # the one used last has its pages and plans at hand
                if not is_broken(connection):
                    return connection
                self._drop(connection)
            self._open += 1
        try:
            return self._connect()
        except BaseException:
            with self._returned:
                self._open -= 1
                self._returned.notify()
            raise

    def _give_back(self, connection: Connection) -> None:
        is_idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        with self._returned:
            if is_idle and not self._closed:
                self._free.append(connection)
            else:
                self._drop(connection)
            self._returned.notify()

    def _drop(self, connection: Connection) -> None:
        connection.close()
        self._open -= 1
