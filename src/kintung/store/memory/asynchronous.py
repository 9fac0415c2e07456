"""The requests of the plain store that are answered later: a dictionary under one lock."""

import threading
from dataclasses import dataclass

from kintung.clock import Clock
from kintung.store.asynchronous import NEVER, WAITING_MICROS, Found, Taken, Wanted
from kintung.store.bell import Bell


@dataclass(slots=True)
class _Kept:
    wanted: Wanted
    number: int
    due: int
    until: int
    attempts: int = 0
    answer: bytes | None = None


class MemoryAsynchronous:
    """The requests beside a record in memory."""

    def __init__(self, clock: Clock) -> None:
        self.queued = Bell()
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._given = 0

    def put(self, wanted: Wanted, most: int) -> bool:
        with self._lock:
            now = self._clock.now_micros()
            theirs = [each for each in self._kept.values() if each.wanted.client == wanted.client]
            if sum(each.until > now for each in theirs) >= most:
                return False
            self._given += 1
            self._kept[wanted.id] = _Kept(wanted, self._given, now, now + WAITING_MICROS)
        self.queued.ring()
        return True

    def look(self, id: str, client: str) -> Found | None:
        with self._lock:
            now = self._clock.now_micros()
            kept = self._of(id, client, now)
            return kept and Found(_is_under_way(kept, now), kept.answer)

    def again(self, id: str, client: str, access: bytes) -> bool:
        with self._lock:
            now = self._clock.now_micros()
            kept = self._of(id, client, now)
            if kept is None:
                return False
            kept.wanted = kept.wanted._replace(access=access)
            kept.due, kept.until, kept.attempts, kept.answer = now, now + WAITING_MICROS, 0, None
        self.queued.ring()
        return True

    def cancel(self, id: str, client: str) -> bool:
        with self._lock:
            if self._of(id, client, self._clock.now_micros()) is None:
                return False
            del self._kept[id]
            return True

    def take(self, lease_micros: int) -> Taken | None:
        with self._lock:
            now = self._clock.now_micros()
            due = [
                (each.due, each.number, each) for each in self._kept.values() if each.due <= now < each.until
            ]
            if not due:
                return None
            kept = min(due)[2]
            kept.due, kept.attempts = now + lease_micros, kept.attempts + 1
            return Taken(*kept.wanted, kept.attempts)

    def finish(self, taken: Taken, answer: bytes, until: int) -> bool:
        with self._lock:
            kept = self._of(taken.id, taken.client, self._clock.now_micros())
            if kept is None or kept.answer is not None:
                return False
            if (kept.wanted.access, kept.attempts) != (taken.access, taken.attempts):
                return False
            kept.due, kept.until, kept.answer = NEVER, until, answer
            return True

    def sweep(self) -> int:
        with self._lock:
            now = self._clock.now_micros()
            gone = [id for id, kept in self._kept.items() if kept.until <= now]
            for id in gone:
                del self._kept[id]
            return len(gone)

    def waiting(self) -> int:
        with self._lock:
            now = self._clock.now_micros()
            return sum(each.answer is None and each.until > now for each in self._kept.values())

    def _of(self, id: str, client: str, now: int) -> _Kept | None:
        kept = self._kept.get(id)
        is_there = kept is not None and kept.wanted.client == client and kept.until > now
        return kept if is_there else None


def _is_under_way(kept: _Kept, now: int) -> bool:
    return kept.answer is None and kept.attempts > 0 and kept.due > now
