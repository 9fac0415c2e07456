"""Pieces of SQL with their values, and how they are put together for either database."""

from collections.abc import Sequence, Sized
from typing import NamedTuple

from kintung.store.sql.database import Database

SHORT = 50
"""Numbers of a list that stand in a statement one by one."""


class Clause(NamedTuple):
    """A piece of SQL and the values of its ``?``, in order."""

    text: str
    values: tuple[object, ...] = ()

    @property
    def always(self) -> bool:
        return self.text == ALWAYS.text


ALWAYS = Clause("1 = 1")
NEVER = Clause("1 = 0")
_WIDE = 25
"""Half the alternatives that stand in one row."""


def every(*clauses: Clause) -> Clause:
    """All of them hold."""
    kept = [clause for clause in clauses if not clause.always]
    if not kept:
        return ALWAYS
    return Clause(
        " AND ".join(clause.text for clause in kept), tuple(v for clause in kept for v in clause.values)
    )


def some(*clauses: Clause) -> Clause:
    """At least one holds."""
    kept = [clause for clause in clauses if clause.text != NEVER.text]
    if not kept:
        return NEVER
    if len(kept) == 1:
        return kept[0]
    half = len(kept) // 2
    if half > _WIDE:  # SQLite parses at most 1,000 levels, and each OR of a row of them is one
        return some(some(*kept[:half]), some(*kept[half:]))
    return Clause(
        "(" + " OR ".join(f"({clause.text})" for clause in kept) + ")",
        tuple(v for clause in kept for v in clause.values),
    )


def among(column: str, values: Sequence[object]) -> Clause:
    """The column is one of the values; never when there is none."""
    if not values:
        return NEVER
    if len(values) == 1:
        return Clause(f"{column} = ?", tuple(values))
    return Clause(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))


def is_short(numbers: Sized) -> bool:
    """Do they stand in a statement one by one?"""
    return len(numbers) <= SHORT


def listed(db: Database, column: str, numbers: Sequence[int]) -> Clause:
    """``among`` for any number of numbers: a long list is one value."""
    if is_short(numbers):
        return among(column, numbers)
    rows = query_of(db, numbers)
    return Clause(f"{column} IN ({rows.text})", rows.values)


def held(db: Database, column: str, numbers: Sequence[int]) -> Clause:
    """``listed`` of a row that was found by other columns: a long list is not sought by instead."""
    if is_short(numbers):
        return among(column, numbers)
    if db.dialect == "sqlite":
        rows = query_of(db, numbers)
        return Clause(f"+{column} IN ({rows.text})", rows.values)
    return Clause(f"+{column} = ANY(?::bigint[])", (list(numbers),))


def query_of(db: Database, numbers: Sequence[int]) -> Clause:
    """A query of these numbers, with one value."""
    if db.dialect == "sqlite":
        return Clause("SELECT j.value FROM json_each(?) j", (f"[{', '.join(map(str, numbers))}]",))
    return Clause("SELECT unnest(?::bigint[])", (list(numbers),))


def starting(
    db: Database, start: Clause, by: Clause, rest: Clause = ALWAYS, to: str = "resource r"
) -> Clause:
    """From ``start`` to a table with its alias, in this order: neither planner may turn it round.

    ``by`` is what the row is sought by, its whole key where it can be. PostgreSQL tests the
    ``rest`` after that: while it has no statistics, an index that covers part of it seems as good
    to it as the key.
    """
    if db.dialect == "sqlite":
        both = every(by, rest)
        return Clause(f"{start.text} CROSS JOIN {to} ON {both.text}", start.values + both.values)
    alias = to.rpartition(" ")[2]
    found = f"(SELECT * FROM {to} WHERE {by.text} OFFSET 0) {alias}"
    if rest != ALWAYS:
        found = f"(SELECT * FROM {found} WHERE {rest.text} OFFSET 0) {alias}"
    return Clause(f"{start.text} CROSS JOIN LATERAL {found}", start.values + by.values + rest.values)
