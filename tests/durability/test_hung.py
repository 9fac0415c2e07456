"""One process stands still inside the commit section: others say so in time, and go on afterwards."""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from kintung.app import sqlite_path
from kintung.errors import NotFound, Unavailable
from kintung.store.sqlite import SqliteBackend
from kintung.store.waiting import settle
from kintung.store.writes import Receipt
from tests.databases import KINDS, fresh
from tests.durability.nodes import Parts
from tests.durability.processes import WriterProcess, is_held, lock_of, stop_where, writing
from tests.durability.test_kill import is_inside, orders_for
from tests.durability.writer import Orders, opened
from tests.records import organization
from tests.stores import Record

PATIENCE_SECONDS = 0.3
"""How long a unit of these tests waits for the commit lock."""


@pytest.fixture
def orders(tmp_path: Path) -> Orders:
    return Orders(f"sqlite:///{tmp_path}/record.db", str(tmp_path / "keys.db"), str(tmp_path / "acks"), "w")


@pytest.fixture
def other(orders: Orders) -> Iterator[tuple[Parts, Record]]:
    """This process, open on the same record before anything hangs.

    It writes public data, whose one key is there: new keys are a matter of ``test_keys_held``.
    """
    with opened(orders) as (parts, record):
        record.put(organization("before"))
        yield parts, record


def stop_inside(writer: WriterProcess, orders: Orders) -> None:
    writer.wait_for_acks(5)
    lock = lock_of(sqlite_path(orders.url))
    stop_where(writer, lambda: is_held(lock), "inside the commit section")


@pytest.mark.parametrize("ending", ["resumed", "killed"])
def test_others_answer_in_time_and_go_on(ending: str, orders: Orders, other: tuple[Parts, Record]) -> None:
    """Stopped inside the section: a write answers Unavailable and stores nothing; reads go on."""
    parts, record = other
    with writing(orders) as writer:
        stop_inside(writer, orders)

        waiting = parts.store.submit(record.unit(record.putting(organization("given-up"))))
        with pytest.raises(Unavailable):
            settle(waiting, PATIENCE_SECONDS)
        assert record.read("Organization/before").version_id == 1
        waits = parts.store.submit(record.unit(record.putting(organization("waits"))))

        if ending == "resumed":
            writer.resume()
        else:
            writer.kill()
        assert waits.result(30).done[0].version_id == 1
        record.put(organization("after"))
        if ending == "resumed":
            writer.wait_for_acks(5)

    with pytest.raises(NotFound):
        record.read("Organization/given-up")
    assert parts.findings() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_stopped_outside_the_section_holds_nobody(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    orders = orders_for(kind, tmp_path, lambda: fresh(kind, tmp_path, request))
    with opened(orders) as (parts, record), writing(orders) as writer:
        record.put(organization("before"))  # its key is there then: new ones are for ``test_keys_held``
        writer.wait_for_acks(5)
        stop_where(writer, lambda: not is_inside(orders), "outside the commit section")

        for number in range(20):
            record.put(organization(f"meanwhile{number}"))

        writer.resume()
        writer.wait_for_acks(5)
        assert parts.findings() == []


def test_a_record_is_not_opened_while_its_section_hangs(orders: Orders) -> None:
    """Opening needs the section too: it answers in time, and later it opens."""
    with opened(orders) as (_, record):
        record.put(organization("before"))
    with writing(orders) as writer:
        stop_inside(writer, orders)

        with pytest.raises(Unavailable):
            SqliteBackend(sqlite_path(orders.url), open_seconds=PATIENCE_SECONDS)

        writer.resume()
        with opened(orders) as (_, record):
            record.put(organization("after"))
        writer.wait_for_acks(5)


def test_the_server_ends_a_hung_session(postgres_url: str, tmp_path: Path) -> None:
    """On PostgreSQL a session that stands still inside the section is ended; both processes go on."""
    orders = Orders(postgres_url, str(tmp_path / "keys.db"), str(tmp_path / "acks"), "w", hung_seconds=0.5)
    patient = replace(orders, hung_seconds=60)  # this process may be slow, and is not what hangs
    with opened(patient) as (parts, record), writing(orders) as writer:
        record.put(organization("before"))
        writer.wait_for_acks(5)
        stop_where(writer, lambda: hangs_inside(postgres_url), "inside the commit section")

        waiting: Future[Receipt] = parts.store.submit(record.unit(record.putting(organization("waits"))))
        assert waiting.result(30).done[0].version_id == 1
        assert not hangs_inside(postgres_url)

        writer.resume()
        writer.wait_for_acks(20)
        assert parts.findings() == []


def hangs_inside(url: str) -> bool:
    """Does a session hold the commit lock, with no statement under way?"""
    with psycopg.connect(url) as database:
        row = database.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND a.state = 'idle in transaction'"
        ).fetchone()
    return row is not None and row[0] > 0
