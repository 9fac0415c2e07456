"""The queue of notifications of the plain store: lists and dictionaries under one lock."""

# ruff: noqa: ARG002 - a System is asked for as proof and not otherwise used

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from kintung.clock import Clock
from kintung.store.notices import NEVER, REQUESTED, Advance, Dead, Notice, Subscriber, Taken, Tally
from kintung.store.reader import Reader
from kintung.store.system import System


@dataclass(slots=True)
class _Queued:
    notice: Notice
    queued: int
    due: int
    event: int = 0
    attempts: int = 0
    is_dead: bool = False
    error: str = ""

    @property
    def lane(self) -> tuple[str, str, str]:
        return (self.notice.subscription, self.notice.type, self.notice.id)


class MemoryNotices:
    """The queue beside a record in memory."""

    def __init__(
        self,
        clock: Clock,
        accesses: Callable[[str, int], bytes | None],
        is_seen: Callable[[Reader, str], bool],
    ) -> None:
        """Start empty.

        Args:
            clock: tells when what is due.
            accesses: gives what stands beside a Subscription's version.
            is_seen: whether a reader sees the Subscription of an id.
        """
        self._clock = clock
        self._is_seen = is_seen
        self._accesses = accesses
        self._lock = threading.Lock()
        self._cursor = self._said = self._given = self._until = 0
        self._holder = ""
        self._subscribers: dict[str, Subscriber] = {}
        self._queue: dict[int, _Queued] = {}

    def lead(self, system: System, holder: str, lease_micros: int) -> int | None:
        now = self._clock.now_micros()
        with self._lock:
            if self._holder not in ("", holder) and self._until > now:
                return None
            self._holder, self._until = holder, now + lease_micros
            return self._cursor

    def followed(self, system: System) -> int:
        with self._lock:
            return self._said

    def resign(self, system: System, holder: str) -> None:
        with self._lock:
            if self._holder == holder:
                self._until = 0

    def advance(self, system: System, holder: str, step: Advance) -> bool:
        with self._lock:
            if (self._cursor, self._said, self._holder) != (step.was, step.said_was, holder):
                return False
            for id in step.ended:
                self._end(id)
            for id, version_id, access in step.begun:
                before = self._subscribers.get(id)
                events = before.events if before else 0
                self._subscribers[id] = Subscriber(id, version_id, REQUESTED, events, access)
            for notice in step.notices:
                if notice.subscription in self._subscribers:
                    self._put(notice)
            self._cursor, self._said = step.now, step.said_now
            return True

    def access_of(self, system: System, id: str, version_id: int) -> bytes | None:
        return self._accesses(id, version_id)

    def subscribers(self, system: System) -> tuple[Subscriber, ...]:
        with self._lock:
            return tuple(self._subscribers[id] for id in sorted(self._subscribers))

    def take(self, system: System, lease_micros: int, busy: Collection[str] = ()) -> Taken | None:
        now = self._clock.now_micros()
        with self._lock:
            due = [
                (each.due, number)
                for number, each in self._queue.items()
                if each.due <= now
                and each.notice.subscription not in busy
                and (subscriber := self._subscribers.get(each.notice.subscription)) is not None
                and (subscriber.state > REQUESTED or each.notice.sequence == 0)
            ]
            if not due:
                return None
            _, number = min(due)
            each = self._queue[number]
            each.due, each.attempts = now + lease_micros, each.attempts + 1
            subscriber = self._subscribers[each.notice.subscription]
            return Taken(number, each.notice, subscriber, each.event, each.attempts, each.queued)

    def give_number(self, system: System, taken: Taken) -> int:
        with self._lock:
            each = self._queue.get(taken.number)
            subscriber = self._subscribers.get(taken.notice.subscription)
            if each is None or subscriber is None:
                return taken.event
            if not each.event:
                each.event = subscriber.events + 1
                self._subscribers[subscriber.id] = subscriber._replace(events=each.event)
            return each.event

    def done(self, system: System, taken: Taken) -> None:
        with self._lock:
            if self._held(taken) is not None:
                del self._queue[taken.number]
                self._promote(taken.notice)

    def later(self, system: System, taken: Taken, due: int, error: str, *, all_of_it: bool) -> None:
        with self._lock:
            held = self._held(taken)
            if held is None:
                return
            held.due, held.error = due, error
            if all_of_it:
                for each in self._queue.values():
                    if each.notice.subscription == taken.notice.subscription:
                        each.due = max(each.due, due)

    def bury(self, system: System, taken: Taken, error: str) -> None:
        with self._lock:
            held = self._held(taken)
            if held is not None:
                held.due, held.is_dead, held.error = NEVER, True, error
                self._promote(taken.notice)

    def mark(self, system: System, subscriber: Subscriber, state: int) -> None:
        with self._lock:
            now = self._subscribers.get(subscriber.id)
            if now is not None and now.version_id == subscriber.version_id:
                self._subscribers[now.id] = now._replace(state=state)

    def end(self, system: System, subscriber: Subscriber) -> None:
        with self._lock:
            now = self._subscribers.get(subscriber.id)
            if now is not None and now.version_id == subscriber.version_id:
                self._end(subscriber.id)

    def dead(self, system: System, limit: int = 1000) -> tuple[Dead, ...]:
        with self._lock:
            return tuple(
                Dead(number, each.notice, each.attempts, each.queued, each.error)
                for number, each in sorted(self._queue.items())
                if each.is_dead
            )[:limit]

    def replay(self, system: System, numbers: Collection[int] | None = None) -> int:
        with self._lock:
            wanted = [
                number
                for number, each in sorted(self._queue.items())
                if each.is_dead and (numbers is None or number in numbers)
            ]
            for number in wanted:
                self._put(self._queue.pop(number).notice)
            return len(wanted)

    def subscriber(self, reader: Reader, id: str) -> Subscriber | None:
        return self._subscribers.get(id) if self._is_seen(reader, id) else None

    def tally(self) -> Tally:
        with self._lock:
            waiting = [each.queued for each in self._queue.values() if not each.is_dead]
            dead = len(self._queue) - len(waiting)
            return Tally(len(self._subscribers), len(waiting), dead, min(waiting, default=None))

    # -- under the lock -----------------------------------------------------------------

    def _end(self, id: str) -> None:
        self._subscribers.pop(id, None)
        self._queue = {number: each for number, each in self._queue.items() if each.notice.subscription != id}

    def _put(self, notice: Notice) -> None:
        self._given += 1
        now = self._clock.now_micros()
        queued = _Queued(notice, now, now)
        if any(each.lane == queued.lane and not each.is_dead for each in self._queue.values()):
            queued.due = NEVER
        self._queue[self._given] = queued

    def _held(self, taken: Taken) -> _Queued | None:
        each = self._queue.get(taken.number)
        return each if each is not None and not each.is_dead and each.attempts == taken.attempts else None

    def _promote(self, of: Notice) -> None:
        lane = (of.subscription, of.type, of.id)
        waiting = [number for number, each in self._queue.items() if each.lane == lane and not each.is_dead]
        if waiting and (first := self._queue[min(waiting)]).due == NEVER:
            first.due = self._clock.now_micros()
