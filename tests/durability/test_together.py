"""Two workers and a bulk writer on one record at once, and a follower that reads meanwhile."""

import time
from bisect import bisect_left, bisect_right
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from kintung.store.port import LogEntry
from tests.durability.processes import DEADLINE_SECONDS, writing
from tests.durability.tables import tables
from tests.durability.test_kill import nothing_lost, orders_for
from tests.durability.writer import Orders, opened
from tests.scale import counts
from tests.stores import SYSTEM

WORKERS = ("one", "two")
BULK = "bulk"
MOST_WAITED = 20


class Run(NamedTuple):
    """What a follower saw, page by page, and what the writers were told."""

    orders: Orders
    pages: list[tuple[LogEntry, ...]]
    versions: int
    wanted: dict[str, int]
    """How many units each writer had to get in before the run ended."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three processes write until each has written enough; this one follows the log."""
    folder = tmp_path_factory.mktemp(request.param)

    def postgres_url() -> str:
        return request.getfixturevalue("postgres").fresh_database()

    orders = orders_for(request.param, folder, postgres_url)
    pages: list[tuple[LogEntry, ...]] = []
    with opened(orders) as (parts, _), ExitStack() as processes:
        bulk = replace(orders, name=BULK, threads=3, least=100, most=400)
        named = {name: replace(orders, name=name, threads=8) for name in WORKERS} | {BULK: bulk}
        wanted = {name: counts(60, 400) for name in WORKERS} | {BULK: counts(8, 60)}
        writers = {
            name: processes.enter_context(writing(replace(order, acks=f"{orders.acks}-{name}")))
            for name, order in named.items()
        }
        after = 0

        def going_on() -> bool:
            return any(writers[name].acknowledged() < count for name, count in wanted.items())

        end = time.monotonic() + DEADLINE_SECONDS
        while all(writer.alive() for writer in writers.values()) and going_on():
            assert time.monotonic() < end, {name: writer.acknowledged() for name, writer in writers.items()}
            page = parts.store.follow(SYSTEM, after, 200)
            if page:
                pages.append(page)
                after = page[-1].sequence
        for writer in writers.values():
            writer.kill()
        while page := parts.store.follow(SYSTEM, after, 200):
            pages.append(page)
            after = page[-1].sequence
    acks = "".join(Path(f"{orders.acks}-{name}").read_text() for name in named)
    Path(orders.acks).write_text(acks)
    return Run(orders, pages, nothing_lost(orders), wanted)


def test_a_follower_misses_nothing_and_repeats_nothing(run: Run) -> None:
    """Slow commits of two processes and a bulk writer: the log is read in order, without a gap."""
    followed = [entry.sequence for page in run.pages for entry in page]
    stored = tables(run.orders.url)["log"]

    assert followed == list(range(1, len(stored) + 1))
    assert len(run.pages) > 20
    print(f"a follower read {len(followed)} entries in {len(run.pages)} pages while three processes wrote")


def test_none_of_three_writers_starves(run: Run) -> None:
    """A unit waits for a bounded number of commits of others: measured in commits, not in time.

    With a fair lock it waits for one of each of the two others, and for the group before it
    of its own process.
    """
    ends = [row[2] for row in tables(run.orders.url)["chain"]]
    longest: dict[str, int] = {}
    for name in (*WORKERS, BULK):
        waits = [
            bisect_left(ends, done) - bisect_right(ends, seen)
            for seen, done in queued(Path(f"{run.orders.acks}-{name}"))
        ]
        longest[name] = max(waits)
        assert len(waits) >= run.wanted[name]
    print(f"{len(ends)} commits; a unit waited for at most so many others: {longest}")
    assert max(longest.values()) <= MOST_WAITED


def queued(acks: Path) -> list[tuple[int, int]]:
    """The end of the log when each unit was queued, and when it was done."""
    places = (line.split()[0].removeprefix("@").split(":") for line in acks.read_text().splitlines())
    return [(int(seen), int(done)) for seen, done in places]
