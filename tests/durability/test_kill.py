"""D1, D2: a process or a server is killed at any moment, and nothing acknowledged is lost."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from kintung.app import sqlite_path
from tests.durability.processes import WriterProcess, is_held, lock_of, stop_where, writing
from tests.durability.writer import Orders, opened
from tests.postgres_cluster import Cluster
from tests.scale import counts, seeded
from tests.stores import SYSTEM
from tests.waiting import until

LOOPS = counts(5, 30)


@pytest.fixture(params=["sqlite", "postgres"])
def orders(request: pytest.FixtureRequest, tmp_path: Path) -> Orders:
    return orders_for(request.param, tmp_path, lambda: request.getfixturevalue("postgres_url"))


def orders_for(database: str, folder: Path, postgres_url: Callable[[], str]) -> Orders:
    url = f"sqlite:///{folder}/record.db" if database == "sqlite" else postgres_url()
    return Orders(url, keys=str(folder / "keys.db"), acks=str(folder / "acks"), name="w")


def loop_of(orders: Orders, loop: int) -> Orders:
    """The same orders with ids and draws of their own, on the same record."""
    return replace(orders, name=f"w{loop}")


def is_inside(orders: Orders) -> bool:
    """Is the writer inside the commit section?"""
    if orders.url.startswith("sqlite:"):
        return is_held(lock_of(sqlite_path(orders.url)))
    with psycopg.connect(orders.url) as database:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        row = database.execute(held).fetchone()
    return row is not None and row[0] > 0


def nothing_lost(orders: Orders) -> int:
    """Reopen the record: what was acknowledged is there, no unit is there in part, all is sound.

    Returns how many versions were acknowledged.
    """
    words = Path(orders.acks).read_text().split() if Path(orders.acks).exists() else []
    acknowledged = [word for word in words if not word.startswith("@")]
    stored = set[str]()
    units: dict[str, set[str]] = defaultdict(set)
    with opened(orders) as (parts, _):
        after = 0
        while entries := parts.store.follow(SYSTEM, after):
            after = entries[-1].sequence
            for entry in entries:
                assert f'"id":"{entry.id}"'.encode() in entry.body
                stored.add(f"{entry.type}/{entry.id}/{entry.version_id}")
                if entry.type == "Observation":
                    place, _, size = entry.id.rpartition("-of-")
                    units[f"{place.rpartition('-')[0]}-of-{size}"].add(entry.id)
        assert parts.findings() == []
    assert set(acknowledged) - stored == set()
    assert [unit for unit, ids in units.items() if len(ids) != int(unit.rpartition("-")[2])] == []
    return len(acknowledged)


def moment_any(writer: WriterProcess, orders: Orders, acks: int) -> None:
    """After so many acknowledgements, wherever it then is; 0: as soon as the record is being made."""
    if acks == 0 and orders.url.startswith("sqlite:"):
        until(sqlite_path(orders.url).exists, "the file")
    writer.wait_for_acks(acks)


def moment_inside(writer: WriterProcess, orders: Orders, acks: int) -> None:
    writer.wait_for_acks(acks + 1)
    stop_where(writer, lambda: is_inside(orders), "inside the commit section")


def moment_outside(writer: WriterProcess, orders: Orders, acks: int) -> None:
    writer.wait_for_acks(acks + 1)
    stop_where(writer, lambda: not is_inside(orders), "outside the commit section")


@pytest.mark.parametrize("moment", [moment_any, moment_inside, moment_outside], ids=lambda m: m.__name__)
def test_a_killed_writer_loses_nothing_it_acknowledged(
    orders: Orders, moment: Callable[[WriterProcess, Orders, int], None]
) -> None:
    """D1: kill -9 of a process with 16 writing threads, anywhere, inside and outside the section."""
    random = seeded(moment.__name__)
    loops, acks = LOOPS if moment is moment_any else counts(2, 15), 0
    for loop in range(loops):
        now = loop_of(orders, loop)
        with writing(now) as writer:
            moment(writer, now, random.choice((0, random.randrange(50), random.randrange(400))))
            writer.kill()
        acks = nothing_lost(orders)
    print(f"D1: {loops} kills ({moment.__name__}), {acks} versions acknowledged, none lost")
    assert acks > 0


def test_a_killed_server_loses_nothing_it_acknowledged(own_postgres: Cluster, tmp_path: Path) -> None:
    """D2: kill -9 of the PostgreSQL postmaster under 16 writers, which go on after its restart."""
    orders = orders_for("postgres", tmp_path, own_postgres.fresh_database)
    random = seeded("postmaster")
    loops = counts(3, 30)
    with writing(orders) as writer:
        for _ in range(loops):
            writer.wait_for_acks(random.randrange(5, 60))
            own_postgres.kill()
            own_postgres.start()
        writer.wait_for_acks(20)
    acks = nothing_lost(orders)
    print(f"D2: {loops} kills of the postmaster, {acks} versions acknowledged, none lost")
