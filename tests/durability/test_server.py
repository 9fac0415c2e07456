"""The PostgreSQL server restarts, has no connection left, or may lose what it is given."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from kintung.app import Settings, open_node
from kintung.clock import SeededEntropy, SetClock
from kintung.errors import Unavailable
from kintung.store.postgres import PostgresBackend
from kintung.store.postgres_connections import Server
from tests.postgres_cluster import Cluster
from tests.records import patient
from tests.stores import START, Record, together

READERS = 3


@contextmanager
def opened(url: str, folder: Path, read_seconds: float = 30) -> Iterator[Record]:
    """A record that reads on three connections and writes on one."""
    clock = SetClock(START, tick=1)
    settings = Settings(read_seconds=read_seconds, connections=READERS + 1)
    keys = folder / "keys.db"
    with open_node(url, keys=keys, clock=clock, entropy=SeededEntropy(1), settings=settings) as node:
        yield Record(node.store, node.scribe, clock)


@contextmanager
def all_readers_lent(record: Record) -> Iterator[None]:
    with ExitStack() as lent:
        for _ in range(READERS):
            lent.enter_context(record.store.view())
        yield


def connections_to(url: str) -> int:
    """How many connections there are to a database, but for the one that asks."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    assert row is not None
    return row[0]


def test_no_request_meets_a_connection_of_before_the_restart(own_postgres: Cluster, tmp_path: Path) -> None:
    """Each connection that reads, and the one that writes, serves the first who asks for it."""
    url = own_postgres.fresh_database()
    with opened(url, tmp_path) as record:
        record.put(patient("p", "Chan"))
        for _ in range(2):
            with all_readers_lent(record):
                assert connections_to(url) == READERS + 1

            own_postgres.kill()
            own_postgres.start()  # comes when the last session of the dead server has ended

            answers = together(*[lambda: record.read("Patient/p").id] * READERS)
            assert answers == ["p"] * READERS
            record.put(patient("p", "Chan"))
        assert record.read("Patient/p").version_id == 3


def test_no_request_meets_a_connection_the_server_ended(postgres_url: str, tmp_path: Path) -> None:
    """A server that stops in good order, or an administrator, ends sessions with a last message."""
    with opened(postgres_url, tmp_path) as record:
        record.put(patient("p", "Chan"))
        with all_readers_lent(record):
            pass
        with psycopg.connect(postgres_url, autocommit=True) as administrator:
            ended = administrator.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        assert ended == [(True,)] * (READERS + 1)

        with all_readers_lent(record):
            pass
        assert record.put(patient("p", "Chan")).version_id == 2


def test_a_server_that_goes_away_is_logged_once(
    own_postgres: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(own_postgres.fresh_database())
    server.connect().close()

    own_postgres.stop()
    for _ in range(3):
        with pytest.raises(Unavailable):
            server.connect()

    assert [entry.levelname for entry in caplog.records] == ["WARNING"]


def test_a_server_that_was_never_reached_is_told_by_the_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        Server(f"postgresql:///record?host={tmp_path}").connect()

    assert caplog.records == []


def test_readings_wait_for_a_connection(postgres_url: str, tmp_path: Path) -> None:
    with opened(postgres_url, tmp_path) as record:
        record.put(patient("p", "Chan"))

        answers = together(*[lambda: record.read("Patient/p").id] * (8 * READERS))

        assert answers == ["p"] * (8 * READERS)
        assert connections_to(postgres_url) <= READERS + 1


def test_a_reading_does_not_wait_for_ever(postgres_url: str, tmp_path: Path) -> None:
    with opened(postgres_url, tmp_path, read_seconds=0.5) as record:
        with all_readers_lent(record), pytest.raises(Unavailable, match="in use"):
            record.store.scope(1)

        assert record.store.scope(1).epoch == 0


def test_a_server_without_a_connection_left_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Cluster(max_connections="5", superuser_reserved_connections="0") as cluster:
        url = cluster.fresh_database()
        with ExitStack() as others:
            for _ in range(3):
                others.enter_context(closing(psycopg.connect(url)))
            with opened(url, tmp_path) as record:  # one connection to write with, and one to read with
                with record.store.view(), pytest.raises(Unavailable, match="max_connections"):
                    record.read("Patient/p")
                assert "too many clients" in caplog.text

                others.close()
                assert record.put(patient("p", "Chan")).version_id == 1


def test_a_node_does_not_open_without_a_connection_to_read_with(tmp_path: Path) -> None:
    with Cluster(max_connections="5", superuser_reserved_connections="0") as cluster:
        url = cluster.fresh_database()
        with ExitStack() as others:
            for _ in range(4):
                others.enter_context(closing(psycopg.connect(url)))
            with pytest.raises(Unavailable, match="max_connections"), opened(url, tmp_path):
                pass
        with opened(url, tmp_path) as record:
            assert record.put(patient("p", "Chan")).version_id == 1


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_may_lose_what_was_acknowledged(
    setting: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Cluster(**{setting: "off"}) as cluster, opened(cluster.fresh_database(), tmp_path):
        [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert f"{setting} = off" in warning.getMessage()


def test_a_node_commits_durably_whatever_the_server_does_by_itself(tmp_path: Path) -> None:
    with Cluster(synchronous_commit="off") as cluster:
        with psycopg.connect(cluster.url()) as other:
            assert other.execute("SHOW synchronous_commit").fetchone() == ("off",)
        with closing(PostgresBackend(cluster.fresh_database())) as backend, backend.committing() as database:
            assert database.rows("SHOW synchronous_commit") == [("on",)]
