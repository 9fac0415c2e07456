"""Group commit: one thread of a process carries all waiting units through the commit lock."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from kintung.errors import Unavailable

R = TypeVar("R")
A = TypeVar("A")

MOST_IN_GROUP = 512
MOST_WAITING = 20_000
GATHER_SECONDS = 0.001
"""How long a group is held for those that are likely to come."""
MOST_WEIGHT = 1_000
"""Versions a group may write, unless its first unit alone writes more."""
MOST_WEIGHT_IN_TURNS = 250
"""The same where another process wants the lock too: it waits for as long as a group takes."""
FREE_SECONDS = 0.000_2
"""A lock that took longer to get was held by another,"""
TURNS_SECONDS = 1.0
"""who wants it again within this time, perhaps while it waits behind this process."""


@dataclass(slots=True, eq=False)
class Waiting(Generic[R, A]):
    """A request that waits for its commit. Until the group is formed it can be cancelled."""

    request: R
    future: "Future[A]" = field(default_factory=Future["A"])


class Committer(Generic[R, A]):
    """Forms groups and runs them, one at a time.

    ``run`` is called on the committer's thread with a function that gives the group: it calls
    it once it is inside the lock, so that what arrived while it waited goes along, and what
    was given up meanwhile does not. It returns the answers, in order, after the commit is
    durable.
    """

    def __init__(
        self,
        run: Callable[[Callable[[], Sequence[R]]], Sequence[A | Exception]],
        weigh: Callable[[R], int],
        name: str,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        weigh: how many versions a request writes.
        timer: seconds from any start.
        """
        self._timer = timer
        self._run = run
        self._weigh = weigh
        self._waiting: deque[Waiting[R, A]] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._last_group = 0
        self._in_turns_until = 0.0
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def put(self, request: R) -> "Future[A]":
        """Queue a request; the Future is answered after its commit."""
        waiting = Waiting[R, A](request)
        with self._wake:
            if self._closed:
                raise Unavailable("The store is closed.")
            if len(self._waiting) >= MOST_WAITING:
                raise Unavailable("Too much waits to be stored; nothing of this was. Try again later.")
            self._waiting.append(waiting)
            self._wake.notify()
        waiting.future.add_done_callback(lambda future: self._drop(waiting) if future.cancelled() else None)
        return waiting.future

    @property
    def waiting(self) -> int:
        """How many requests wait for their group to be formed."""
        with self._wake:
            return len(self._waiting)

    def _drop(self, waiting: Waiting[R, A]) -> None:
        """Given up: its body need not stay in memory while the lock is not to be had."""
        with self._wake, suppress(ValueError):
            self._waiting.remove(waiting)

    def close(self, timeout: float = 10.0) -> None:
        """Carry out what waits, then end the thread."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(timeout)

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._closed:
                    self._wake.wait()
                if not self._waiting:
                    return
                self._gather()
            self._commit_group()

    def _gather(self) -> None:
        """Wait a moment for as many as came last time: a commit costs the same for one or for many.

        Who is alone is not kept waiting. Called with ``_wake`` held.
        """
        if self._last_group > 1:
            self._wake.wait_for(
                lambda: len(self._waiting) >= self._last_group or self._closed, GATHER_SECONDS
            )

    def _commit_group(self) -> None:
        group: list[Waiting[R, A]] = []
        asked = self._timer()

        def take() -> Sequence[R]:
            most = self._most(asked, self._timer())
            weight = 0
            with self._wake:
                while self._waiting and len(group) < MOST_IN_GROUP:
                    weight += self._weigh(self._waiting[0].request)
                    if group and weight > most:
                        break
                    waiting = self._waiting.popleft()
                    if waiting.future.set_running_or_notify_cancel():
                        group.append(waiting)
            return [waiting.request for waiting in group]

        try:
            answers = self._run(take)
            self._last_group = len(group)
        except Unavailable as error:
            if not group:
                take()
            for waiting in group:
                waiting.future.set_exception(type(error)(str(error)))
        except BaseException as error:  # noqa: BLE001 - whatever happened, nobody is left waiting
            self._commit_alone(group, error)
        else:
            for waiting, answer in zip(group, answers, strict=True):
                _answer(waiting.future, answer)

    def _most(self, asked: float, entered: float) -> int:
        """The most a group may weigh that asked for the lock and had it at these times."""
        if entered - asked > FREE_SECONDS:
            self._in_turns_until = entered + TURNS_SECONDS
        return MOST_WEIGHT_IN_TURNS if entered < self._in_turns_until else MOST_WEIGHT

    def _commit_alone(self, group: list[Waiting[R, A]], error: BaseException) -> None:
        """A group failed for a reason nobody foresaw: only the one that caused it shall fail."""
        if len(group) == 1:
            group[0].future.set_exception(error)
            return
        for waiting in group:
            try:
                answers = self._run(lambda waiting=waiting: [waiting.request])
            except BaseException as own:  # noqa: BLE001
                waiting.future.set_exception(own)
            else:
                _answer(waiting.future, answers[0])


def _answer(future: "Future[A]", answer: A | Exception) -> None:
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
