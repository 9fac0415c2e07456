"""Requests that are answered later, in both databases; see ``kintung.store.asynchronous``."""

from kintung.clock import Clock
from kintung.store.asynchronous import NEVER, WAITING_MICROS, Found, Taken, Wanted
from kintung.store.bell import Bell
from kintung.store.sql.database import Database
from kintung.store.sql.notices import Section

_TABLE = "asynchronous"


class SqlAsynchronous:
    """The requests beside a record."""

    def __init__(self, reading: Section, committing: Section, clock: Clock) -> None:
        """``reading`` opens a reading, ``committing`` the commit section."""
        self.queued = Bell()
        self._reading = reading
        self._committing = committing
        self._clock = clock

    def put(self, wanted: Wanted, most: int) -> bool:
        with self._committing() as db:
            now = self._clock.now_micros()
            ((held,),) = db.rows(HELD, (wanted.client, now))
            if held >= most:
                return False
            ((last,),) = db.rows(f"SELECT coalesce(max(number), 0) FROM {_TABLE}")
            id, client, asked, access = wanted
            row = (last + 1, id, client, asked, access, now, now + WAITING_MICROS, 0, 0, b"")
            db.insert(_TABLE, [row])
        self.queued.ring()
        return True

    def look(self, id: str, client: str) -> Found | None:
        now = self._clock.now_micros()
        with self._reading() as db:
            rows = db.rows(f"SELECT attempts, due, done, answer {OF_CLIENT}", (id, client, now))
        if not rows:
            return None
        attempts, due, done, answer = rows[0]
        return Found(not done and attempts > 0 and due > now, bytes(answer) if done else None)

    def again(self, id: str, client: str, access: bytes) -> bool:
        with self._committing() as db:
            now = self._clock.now_micros()
            rows = db.rows(f"SELECT number {OF_CLIENT}", (id, client, now))
            for (number,) in rows:
                db.run(
                    f"UPDATE {_TABLE} SET access = ?, due = ?, until = ?, attempts = 0, done = 0, answer = ?"
                    " WHERE number = ?",
                    (access, now, now + WAITING_MICROS, b"", number),
                )
        if rows:
            self.queued.ring()
        return bool(rows)

    def cancel(self, id: str, client: str) -> bool:
        with self._committing() as db:
            rows = db.rows(f"SELECT number {OF_CLIENT}", (id, client, self._clock.now_micros()))
            db.remove(_TABLE, rows)
        return bool(rows)

    def take(self, lease_micros: int) -> Taken | None:
        now = self._clock.now_micros()
        with self._reading() as db:
            if not db.rows(DUE, (now, now)):
                return None  # asked often and in vain: without the commit lock
        with self._committing() as db:
            rows = db.rows(DUE, (now, now))
            if not rows:
                return None
            number, id, client, attempts = rows[0]
            ((asked, access),) = db.rows(f"SELECT asked, access FROM {_TABLE} WHERE number = ?", (number,))
            db.run(
                f"UPDATE {_TABLE} SET due = ?, attempts = ? WHERE number = ?",
                (now + lease_micros, attempts + 1, number),
            )
        return Taken(id, client, bytes(asked), bytes(access), attempts + 1)

    def finish(self, taken: Taken, answer: bytes, until: int) -> bool:
        with self._committing() as db:
            number = _held(db, taken, self._clock.now_micros())
            if number is None:
                return False
            db.run(
                f"UPDATE {_TABLE} SET due = ?, until = ?, done = 1, answer = ? WHERE number = ?",
                (NEVER, until, answer, number),
            )
        return True

    def sweep(self) -> int:
        now = self._clock.now_micros()
        with self._reading() as db:
            if not db.rows(EXPIRED, (now,)):
                return 0
        with self._committing() as db:
            rows = db.rows(EXPIRED, (now,))
            db.remove(_TABLE, rows)
        return len(rows)

    def waiting(self) -> int:
        with self._reading() as db:
            statement = f"SELECT count(*) FROM {_TABLE} WHERE done = 0 AND until > ?"
            ((count,),) = db.rows(statement, (self._clock.now_micros(),))
        return count


OF_CLIENT = f"FROM {_TABLE} WHERE id = ? AND client = ? AND until > ?"
HELD = f"SELECT count(*) FROM {_TABLE} WHERE client = ? AND until > ?"
EXPIRED = f"SELECT number FROM {_TABLE} WHERE until <= ?"
DUE = (
    f"SELECT number, id, client, attempts FROM {_TABLE}"
    " WHERE due <= ? AND until > ? ORDER BY due, number LIMIT 1"
)


def _held(db: Database, taken: Taken, now: int) -> int | None:
    """The number of one that nobody has taken or cancelled since."""
    statement = f"SELECT number {OF_CLIENT} AND access = ? AND attempts = ? AND done = 0"
    rows = db.rows(statement, (taken.id, taken.client, now, taken.access, taken.attempts))
    return rows[0][0] if rows else None
