"""The queue of notifications in both databases; see ``kintung.store.notices``."""

# ruff: noqa: ARG002 - a System is asked for as proof and not otherwise used

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import cast

from kintung.clock import Clock
from kintung.store.notices import (
    NEVER,
    REQUESTED,
    Advance,
    Dead,
    Notice,
    Subscriber,
    Taken,
    Tally,
)
from kintung.store.reader import Reader
from kintung.store.sql.clauses import Clause
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NUMBERS, Names
from kintung.store.sql.visibility import StoredReader, visible
from kintung.store.system import System

_FOLLOWER = "subscriptions"
_OF_PAIRS = "pairs"
"""The row that says how far what is said of pairs was followed; who follows is in the other."""
_AT_ONCE = 500
"""Dead notices queued again by one statement."""

Section = Callable[[], AbstractContextManager[Database]]


def _said(db: Database) -> int:
    rows = db.rows("SELECT cursor FROM follower WHERE name = ?", (_OF_PAIRS,))
    return rows[0][0] if rows else 0


class SqlNotices:
    """The queue beside a record."""

    def __init__(self, reading: Section, committing: Section, clock: Clock, names: Names) -> None:
        """``reading`` opens a reading, ``committing`` the commit section."""
        self._names = names
        self._reading = reading
        self._committing = committing
        self._clock = clock

    # -- following ----------------------------------------------------------------------

    def lead(self, system: System, holder: str, lease_micros: int) -> int | None:
        now = self._clock.now_micros()
        with self._reading() as db:
            if not _may_lead(db, holder, now):
                return None
        with self._committing() as db:
            if not _may_lead(db, holder, now):
                return None
            rows = db.rows("SELECT cursor, given FROM follower WHERE name = ?", (_FOLLOWER,))
            cursor, given = rows[0] if rows else (0, 0)
            _set_follower(db, cursor, given, holder, now + lease_micros)
            return cursor

    def followed(self, system: System) -> int:
        with self._reading() as db:
            return _said(db)

    def resign(self, system: System, holder: str) -> None:
        with self._committing() as db:
            db.run("UPDATE follower SET until = 0 WHERE name = ? AND holder = ?", (_FOLLOWER, holder))

    def advance(self, system: System, holder: str, step: Advance) -> bool:
        now = self._clock.now_micros()
        with self._committing() as db:
            rows = db.rows("SELECT cursor, given, until, holder FROM follower WHERE name = ?", (_FOLLOWER,))
            if not rows or (rows[0][0], rows[0][3]) != (step.was, holder):
                return False
            if _said(db) != step.said_was:
                return False
            _, given, until, _ = rows[0]
            for id in step.ended:
                _end(db, id)
            for begun in step.begun:
                _begin(db, *begun)
            lanes: set[tuple[str, str, str]] = set()
            queued: list[Row] = []
            in_force = {id for (id,) in db.rows("SELECT id FROM subscriber")}
            for notice in step.notices:
                if notice.subscription not in in_force:
                    continue
                given += 1
                lane = (notice.subscription, notice.type, notice.id)
                due = NEVER if lane in lanes or _waits(db, lane) else now
                lanes.add(lane)
                queued.append(_row(given, notice, queued=now, due=due))
            db.insert("notice", queued)
            _set_follower(db, step.now, given, holder, until)
            if step.said_now != step.said_was:
                db.remove("follower", [(_OF_PAIRS,)])
                db.insert("follower", [(_OF_PAIRS, step.said_now, 0, "", 0)])
        return True

    def access_of(self, system: System, id: str, version_id: int) -> bytes | None:
        with self._reading() as db:
            rows = db.rows(ACCESS_OF, (id, TYPE_NUMBERS["Subscription"], version_id))
        return bytes(rows[0][0]) if rows else None

    def subscribers(self, system: System) -> tuple[Subscriber, ...]:
        with self._reading() as db:
            rows = db.rows(f"{_SUBSCRIBER} ORDER BY id")
        return tuple(_subscriber(row) for row in rows)

    # -- delivering ---------------------------------------------------------------------

    def take(self, system: System, lease_micros: int, busy: Collection[str] = ()) -> Taken | None:
        now = self._clock.now_micros()
        statement = due_notice(len(busy))
        values = (now, *sorted(busy))
        with self._reading() as db:
            if not db.rows(statement, values):
                return None  # asked often and in vain: without the commit lock
        with self._committing() as db:
            rows = db.rows(statement, values)
            if not rows:
                return None
            taken = _taken(rows[0])
            db.run(
                "UPDATE notice SET due = ?, attempts = ? WHERE number = ?",
                (now + lease_micros, taken.attempts, taken.number),
            )
        return taken

    def give_number(self, system: System, taken: Taken) -> int:
        if taken.event:
            return taken.event
        with self._committing() as db:
            rows = db.rows(
                "SELECT n.event, s.events FROM notice n JOIN subscriber s ON s.id = n.subscription"
                " WHERE n.number = ?",
                (taken.number,),
            )
            if not rows or rows[0][0]:
                return rows[0][0] if rows else 0
            event = cast(int, rows[0][1]) + 1
            db.run("UPDATE subscriber SET events = ? WHERE id = ?", (event, taken.notice.subscription))
            db.run("UPDATE notice SET event = ? WHERE number = ?", (event, taken.number))
        return event

    def done(self, system: System, taken: Taken) -> None:
        with self._committing() as db:
            if _is_held(db, taken):
                db.remove("notice", [(taken.number,)])
                _promote(db, taken.notice, self._clock.now_micros())

    def later(self, system: System, taken: Taken, due: int, error: str, *, all_of_it: bool) -> None:
        with self._committing() as db:
            if not _is_held(db, taken):
                return
            db.run("UPDATE notice SET due = ?, error = ? WHERE number = ?", (due, error, taken.number))
            if all_of_it:
                db.run(
                    "UPDATE notice SET due = ? WHERE subscription = ? AND due < ?",
                    (due, taken.notice.subscription, due),
                )

    def bury(self, system: System, taken: Taken, error: str) -> None:
        with self._committing() as db:
            if not _is_held(db, taken):
                return
            db.run(
                "UPDATE notice SET due = ?, dead = 1, error = ? WHERE number = ?",
                (NEVER, error, taken.number),
            )
            _promote(db, taken.notice, self._clock.now_micros())

    def mark(self, system: System, subscriber: Subscriber, state: int) -> None:
        with self._committing() as db:
            db.run(
                "UPDATE subscriber SET state = ? WHERE id = ? AND version_id = ?",
                (state, subscriber.id, subscriber.version_id),
            )

    def end(self, system: System, subscriber: Subscriber) -> None:
        with self._committing() as db:
            if db.rows(
                "SELECT 1 FROM subscriber WHERE id = ? AND version_id = ?",
                (subscriber.id, subscriber.version_id),
            ):
                _end(db, subscriber.id)

    # -- what was given up --------------------------------------------------------------

    def dead(self, system: System, limit: int = 1000) -> tuple[Dead, ...]:
        with self._reading() as db:
            rows = db.rows(f"{_DEAD} ORDER BY n.number LIMIT ?", (limit,))
        return tuple(Dead(row[0], _notice(row[1:8]), *row[8:]) for row in rows)

    def replay(self, system: System, numbers: Collection[int] | None = None) -> int:
        wanted = sorted({dead.number for dead in self.dead(system, NEVER)}.intersection(numbers or ()))
        if numbers is None:
            wanted = [dead.number for dead in self.dead(system, NEVER)]
        return sum(
            self._replay(wanted[start : start + _AT_ONCE]) for start in range(0, len(wanted), _AT_ONCE)
        )

    def _replay(self, numbers: list[int]) -> int:
        now = self._clock.now_micros()
        with self._committing() as db:
            marks = ", ".join("?" * len(numbers))
            rows = db.rows(f"{_DEAD} AND n.number IN ({marks}) ORDER BY n.number", numbers)
            ((cursor, given, holder, until),) = db.rows(
                "SELECT cursor, given, holder, until FROM follower WHERE name = ?", (_FOLLOWER,)
            )
            db.remove("notice", [(row[0],) for row in rows])
            for row in rows:
                given += 1
                notice = _notice(row[1:8])
                due = NEVER if _waits(db, (notice.subscription, notice.type, notice.id)) else now
                db.insert("notice", [_row(given, notice, queued=now, due=due)])
            _set_follower(db, cursor, given, holder, until)
        return len(rows)

    def subscriber(self, reader: Reader, id: str) -> Subscriber | None:
        with self._reading() as db:
            statement = seen_subscriber(self._names.stored(db, reader), id)
            rows = db.rows(statement.text, statement.values)
        return _subscriber(rows[0]) if rows else None

    def tally(self) -> Tally:
        with self._reading() as db:
            ((subscribers, waiting, dead, oldest),) = db.rows(
                "SELECT (SELECT count(*) FROM subscriber), (SELECT count(*) FROM notice WHERE dead = 0),"
                " (SELECT count(*) FROM notice WHERE dead = 1),"
                " (SELECT min(queued) FROM notice WHERE dead = 0)"
            )
        return Tally(subscribers, waiting, dead, oldest)


ACCESS_OF = (
    "SELECT a.access FROM entity e JOIN standing a ON a.key = e.key"
    " WHERE e.id = ? AND e.type = ? AND a.version_id = ?"
)

_SUBSCRIBER = "SELECT id, version_id, state, events, access FROM subscriber"
_SEEN = (
    "SELECT s.id, s.version_id, s.state, s.events, s.access FROM subscriber s"
    " JOIN entity e ON e.id = s.id AND e.type = ?"
    " JOIN resource r ON r.patient_key = e.patient_key AND r.type = e.type AND r.key = e.key"
)
_NOTICE = "n.subscription, n.seq, n.type, n.id, n.version_id, n.cause, n.at"
_DEAD = f"SELECT n.number, {_NOTICE}, n.attempts, n.queued, n.error FROM notice n WHERE n.dead = 1"


def seen_subscriber(who: StoredReader, id: str) -> Clause:
    """The statement that finds a Subscription in force, if the reader sees it."""
    seen = visible(who, "r")
    text = f"{_SEEN} WHERE s.id = ? AND {seen.text}"
    return Clause(text, (TYPE_NUMBERS["Subscription"], id, *seen.values))


def due_notice(busy: int) -> str:
    """The statement that finds the notice due first, with so many subscriptions left out."""
    others = f" AND n.subscription NOT IN ({', '.join('?' * busy)})" if busy else ""
    return (
        f"SELECT n.number, n.event, n.attempts, n.queued, {_NOTICE},"
        " s.id, s.version_id, s.state, s.events, s.access"
        " FROM notice n JOIN subscriber s ON s.id = n.subscription"
        f" WHERE n.due <= ? AND (s.state > {REQUESTED} OR n.seq = 0){others} ORDER BY n.due, n.number LIMIT 1"
    )


def _may_lead(db: Database, holder: str, now: int) -> bool:
    rows = db.rows("SELECT holder, until FROM follower WHERE name = ?", (_FOLLOWER,))
    return not rows or rows[0][0] == holder or rows[0][1] <= now


def _set_follower(db: Database, cursor: int, given: int, holder: str, until: int) -> None:
    db.remove("follower", [(_FOLLOWER,)])
    db.insert("follower", [(_FOLLOWER, cursor, given, holder, until)])


def _begin(db: Database, id: str, version_id: int, access: bytes) -> None:
    """Put a Subscription in force; the numbers of its events go on."""
    rows = db.rows("SELECT events FROM subscriber WHERE id = ?", (id,))
    db.remove("subscriber", [(id,)])
    db.insert("subscriber", [(id, version_id, REQUESTED, rows[0][0] if rows else 0, access)])


def _end(db: Database, id: str) -> None:
    db.run("DELETE FROM notice WHERE subscription = ?", (id,))
    db.remove("subscriber", [(id,)])


def _waits(db: Database, lane: tuple[str, str, str]) -> bool:
    return bool(
        db.rows(
            "SELECT 1 FROM notice WHERE subscription = ? AND type = ? AND id = ? AND dead = 0 LIMIT 1", lane
        )
    )


def _is_held(db: Database, taken: Taken) -> bool:
    """Whether nobody has taken it since."""
    rows = db.rows("SELECT attempts FROM notice WHERE number = ? AND dead = 0", (taken.number,))
    return bool(rows) and rows[0][0] == taken.attempts


def _promote(db: Database, of: Notice, now: int) -> None:
    """The oldest that waits in a lane becomes due."""
    db.run(
        "UPDATE notice SET due = ? WHERE due = ? AND number ="
        " (SELECT min(number) FROM notice WHERE subscription = ? AND type = ? AND id = ? AND dead = 0)",
        (now, NEVER, of.subscription, of.type, of.id),
    )


def _row(number: int, notice: Notice, *, queued: int, due: int) -> Row:
    """A row of ``notice`` that was never tried."""
    subscription, sequence, type, id, version_id, trigger, at = notice
    return (number, subscription, type, id, version_id, sequence, trigger, at, queued, due, 0, 0, 0, "")


def _notice(row: Row) -> Notice:
    subscription, sequence, type, id, version_id, trigger, at = row
    return Notice(subscription, sequence, type, id, version_id, trigger, at)


def _taken(row: Row) -> Taken:
    number, event, attempts, queued = row[:4]
    return Taken(number, _notice(row[4:11]), _subscriber(row[11:]), event, attempts + 1, queued)


def _subscriber(row: Row) -> Subscriber:
    id, version_id, state, events, access = row
    return Subscriber(id, version_id, state, events, bytes(access))
