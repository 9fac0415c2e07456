"""Nobody is answered before what is answered is on record, and nobody waits for ever."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, cast

import pytest

from kintung.errors import Unavailable
from kintung.store.port import Store
from kintung.store.writes import AuditRecord, Receipt
from kintung.web.desk import Desk


class Ledger:
    """A store that keeps the batches it is given; the test says what becomes of each."""

    def __init__(self) -> None:
        self.batches: list[tuple[list[str], Future[Receipt]]] = []

    def record(self, *audits: AuditRecord) -> Future[Receipt]:
        future: Future[Receipt] = Future()
        self.batches.append(([audit.request for audit in audits], future))
        return future

    def commit(self, number: int) -> None:
        """Make a batch durable, on another thread's behalf."""
        _, future = self.batches[number]
        if future.set_running_or_notify_cancel():
            future.set_result(Receipt((), 0, 0))


def record(request: str) -> AuditRecord:
    return AuditRecord("a", "", "", "read", request, 200)


def with_desk(test: Callable[[Desk, Ledger, list[Exception]], Any], seconds: float = 30) -> None:
    """Run a test on a loop with a desk over a ledger; ``list`` has what was reported."""

    async def run() -> None:
        ledger, reported = Ledger(), list[Exception]()
        desk = Desk(asyncio.get_running_loop(), cast(Store, ledger), seconds, reported.append)
        await test(desk, ledger, reported)

    asyncio.run(run())


async def sent(ledger: Ledger, batches: int) -> None:
    """Until so many batches were sent."""
    async with asyncio.timeout(30):
        while len(ledger.batches) < batches:
            await asyncio.sleep(0)


def test_what_comes_in_one_turn_goes_in_one_batch() -> None:
    async def test(desk: Desk, ledger: Ledger, _reported: list[Exception]) -> None:
        waiting = [desk.put(record(name)) for name in "abc"]
        await sent(ledger, 1)
        assert [names for names, _ in ledger.batches] == [["a", "b", "c"]]
        assert not any(waiter.done() for waiter in waiting)
        ledger.commit(0)
        await asyncio.gather(*waiting)

    with_desk(test)


def test_what_comes_during_a_batch_goes_with_the_next() -> None:
    async def test(desk: Desk, ledger: Ledger, _reported: list[Exception]) -> None:
        first = desk.put(record("a"))
        await sent(ledger, 1)
        later = [desk.put(record(name)) for name in "bc"]
        ledger.commit(0)
        await first
        assert not any(waiter.done() for waiter in later)
        await sent(ledger, 2)
        assert ledger.batches[1][0] == ["b", "c"]
        ledger.commit(1)
        await asyncio.gather(*later)

    with_desk(test)


def test_fewer_than_last_time_go_after_a_moment() -> None:
    async def test(desk: Desk, ledger: Ledger, _reported: list[Exception]) -> None:
        waiting = [desk.put(record(name)) for name in "abc"]
        await sent(ledger, 1)
        ledger.commit(0)
        await asyncio.gather(*waiting)
        alone = desk.put(record("d"))
        await sent(ledger, 2)
        ledger.commit(1)
        await alone

    with_desk(test)


def test_a_refused_batch_refuses_all_in_it_and_none_after_it() -> None:
    async def test(desk: Desk, ledger: Ledger, reported: list[Exception]) -> None:
        waiting = [desk.put(record(name)) for name in "ab"]
        await sent(ledger, 1)
        later = desk.put(record("c"))
        ledger.batches[0][1].set_exception(Unavailable("the disk is full"))
        for waiter in waiting:
            with pytest.raises(Unavailable):
                await waiter
        await sent(ledger, 2)
        ledger.commit(1)
        await later
        assert reported == []

    with_desk(test)


def test_an_unforeseen_error_refuses_only_the_record_that_caused_it() -> None:
    async def test(desk: Desk, ledger: Ledger, reported: list[Exception]) -> None:
        good, bad = desk.put(record("good")), desk.put(record("bad"))
        await sent(ledger, 1)
        ledger.batches[0][1].set_exception(ValueError("bad"))
        await sent(ledger, 3)
        assert [names for names, _ in ledger.batches[1:]] == [["good"], ["bad"]]
        ledger.commit(1)
        ledger.batches[2][1].set_exception(ValueError("bad"))
        await good
        with pytest.raises(Unavailable):
            await bad
        assert [type(error) for error in reported] == [ValueError]

    with_desk(test)


def test_a_store_that_takes_nothing_refuses() -> None:
    async def test(desk: Desk, ledger: Ledger, reported: list[Exception]) -> None:
        def closed(*_audits: AuditRecord) -> Future[Receipt]:
            raise Unavailable("closed")

        ledger.record = closed
        with pytest.raises(Unavailable):
            await desk.put(record("a"))
        assert reported == []

    with_desk(test)


def test_what_is_not_under_way_in_time_is_given_up_sent_or_not() -> None:
    async def test(desk: Desk, ledger: Ledger, reported: list[Exception]) -> None:
        first = desk.put(record("a"))
        await sent(ledger, 1)
        ledger.batches[0][1].set_running_or_notify_cancel()
        waiting = desk.put(record("b"))
        with pytest.raises(Unavailable):
            await waiting
        assert not first.done(), "it is being committed, and may be answered"
        ledger.batches[0][1].set_result(Receipt((), 0, 0))
        await first
        stuck = desk.put(record("c"))
        with pytest.raises(Unavailable):
            await stuck
        assert ledger.batches[-1] == (["c"], ledger.batches[-1][1])
        assert ledger.batches[-1][1].cancelled()
        assert reported == []

    with_desk(test, seconds=0.05)


def test_who_has_gone_keeps_nobody_waiting() -> None:
    async def test(desk: Desk, ledger: Ledger, _reported: list[Exception]) -> None:
        gone, stays = desk.put(record("a")), desk.put(record("b"))
        await sent(ledger, 1)
        gone.cancel()
        ledger.commit(0)
        await stays
        assert ledger.batches[0][0] == ["a", "b"], "it was asked, and is on record"

    with_desk(test)
