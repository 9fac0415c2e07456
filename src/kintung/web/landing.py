"""Waiting on the event loop for what another thread commits."""

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import Any, TypeVar

from kintung.store.waiting import given_up

T = TypeVar("T")


class Landing:
    """Brings the results of Futures to one event loop.

    A group commit answers many Futures at once: one wake-up of the loop serves them all.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._landed: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._is_waking = False

    async def wait(self, future: Future[T], seconds: float) -> T:
        """The result of ``future``.

        What is not under way after ``seconds`` is given up; what is, is waited for: its
        caller must not be told that nothing was stored.

        Raises:
            Unavailable: it was given up; nothing was stored.
        """
        if future.done():
            return future.result()
        waiter: asyncio.Future[T] = self.loop.create_future()
        future.add_done_callback(lambda done: self._land(waiter, done))
        given_up = self.loop.call_later(seconds, future.cancel)
        try:
            return await waiter
        finally:
            given_up.cancel()

    def _land(self, waiter: "asyncio.Future[Any]", future: "Future[Any]") -> None:
        """Called on the thread that set the Future."""
        self._landed.append((waiter, future))
        if not self._is_waking:
            self._is_waking = True
            self.loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._is_waking = False  # first: what lands from here on wakes the loop again
        while self._landed:
            waiter, future = self._landed.popleft()
            if waiter.done():
                continue
            if future.cancelled():
                waiter.set_exception(given_up())
            elif (error := future.exception()) is not None:
                waiter.set_exception(error)
            else:
                waiter.set_result(future.result())
