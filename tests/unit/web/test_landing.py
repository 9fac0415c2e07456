"""Results of other threads come to the loop once, whatever they are."""

import asyncio
import threading
from concurrent.futures import Future

import pytest

from kintung.errors import Conflict, Unavailable
from kintung.store.waiting import settle
from kintung.web.landing import Landing


def test_many_results_land_in_one_loop() -> None:
    async def wait() -> list[int]:
        landing = Landing(asyncio.get_running_loop())
        futures = [Future[int]() for _ in range(500)]

        def commit() -> None:
            for number, future in enumerate(futures):
                future.set_running_or_notify_cancel()
                future.set_result(number)

        waiting = [asyncio.ensure_future(landing.wait(future, 10)) for future in futures]
        thread = threading.Thread(target=commit)
        thread.start()
        found = await asyncio.gather(*waiting)
        thread.join()
        return found

    assert asyncio.run(wait()) == list(range(500))


def test_an_error_lands_too() -> None:
    async def wait() -> None:
        landing = Landing(asyncio.get_running_loop())
        future = Future[int]()
        waiting = asyncio.ensure_future(landing.wait(future, 10))
        await asyncio.to_thread(future.set_exception, Conflict("no"))
        with pytest.raises(Conflict):
            await waiting
        done = Future[int]()
        done.set_result(3)
        assert await landing.wait(done, 10) == 3

    asyncio.run(wait())


def test_what_is_not_under_way_in_time_is_given_up() -> None:
    async def wait(future: Future[int]) -> int:
        return await Landing(asyncio.get_running_loop()).wait(future, 0.01)

    waiting = Future[int]()
    with pytest.raises(Unavailable):
        asyncio.run(wait(waiting))
    assert waiting.cancelled()
    with pytest.raises(Unavailable):
        settle(Future[int](), 0.01)


def test_what_is_under_way_is_waited_for() -> None:
    def committed_late() -> Future[int]:
        """A Future set only after it was tried to give it up."""

        class Tried(Future[int]):
            def cancel(self) -> bool:
                given_up = super().cancel()
                threading.Thread(target=self.set_result, args=(7,)).start()
                return given_up

        future = Tried()
        future.set_running_or_notify_cancel()
        return future

    async def wait() -> int:
        return await Landing(asyncio.get_running_loop()).wait(committed_late(), 0.01)

    assert asyncio.run(wait()) == 7
    assert settle(committed_late(), 0.01) == 7
