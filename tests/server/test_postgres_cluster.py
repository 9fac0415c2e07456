"""The PostgreSQL harness itself: what later tests rely on when they kill it."""

import psycopg
import pytest

from tests.postgres_cluster import Cluster


def test_settings_are_those_a_node_asks_for(postgres: Cluster) -> None:
    with psycopg.connect(postgres.url()) as connection:
        shown = {
            name: connection.execute(f"SHOW {name}".encode()).fetchone()
            for name in ("synchronous_commit", "data_checksums", "fsync", "full_page_writes")
        }
    assert shown == dict.fromkeys(shown, ("on",))


def test_collation_is_not_byte_order(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT 'a' < 'B'").fetchone() == (True,)


def test_each_database_is_new_and_empty(postgres: Cluster) -> None:
    first, second = postgres.fresh_database(), postgres.fresh_database()
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE seen (number int)")
    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT to_regclass('seen')").fetchone() == (None,)


def test_a_killed_server_comes_back_with_what_it_acknowledged(own_postgres: Cluster) -> None:
    url = own_postgres.fresh_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (number int)")
    for number in range(3):
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO kept VALUES (%s)", (number,))
            connection.commit()
            own_postgres.kill()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        own_postgres.start()
    with psycopg.connect(url) as connection:
        kept = connection.execute("SELECT number FROM kept ORDER BY number").fetchall()
    assert kept == [(0,), (1,), (2,)]
