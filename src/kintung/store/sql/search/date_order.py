"""A page in order of a date, ``_sort=-date``: the index rows in order, each resource at the first of its own.

The walk ends with the page; sorting would first find the date of all that matches.
"""

from typing import NamedTuple

from kintung.store.sql.clauses import ALWAYS, Clause, every, starting
from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.search.matches import current_of, of_person, of_types, probes
from kintung.store.sql.search.plan import Asked, Plan
from kintung.store.sql.search.sorting import date_sorted_by
from kintung.store.sql.search.statements import COLUMNS, Statement
from kintung.store.sql.visibility import visible


class _Order(NamedTuple):
    """How index rows of a date are walked: by the end of the span, or by its start.

    ``onward`` compares what comes later in the walk, ``back`` what comes before; ``first`` is
    true of the row of a resource that the walk meets first.
    """

    column: str
    direction: str
    onward: str
    back: str
    of_all: str
    of_person: str
    first: str


def _first(column: str, other: str, before: str) -> str:
    return (
        "NOT EXISTS (SELECT 1 FROM ix_date y WHERE y.patient_key = x.patient_key AND y.key = x.key"
        f" AND y.atom = x.atom AND (y.{column} {before} x.{column}"
        f" OR (y.{column} = x.{column} AND y.{other} {before} x.{other})))"
    )


_DESCENDING = _Order("high", " DESC", "<", ">", "ix_date_late", "ix_date_person", _first("high", "low", ">"))
_ASCENDING = _Order("low", "", ">", "<", "", "ix_date_person", _first("low", "high", "<"))


def dated_page(lookups: Lookups, asked: Asked, plan: Plan, far: int | None = None) -> Statement:
    """One page of what has the date; ``far`` bounds the index rows the walk visits."""
    db, after = lookups.db, asked.after
    order = _DESCENDING if asked.query.sort[0].descending else _ASCENDING
    index = order.of_person if plan.person is not None else order.of_all
    table = f"ix_date x INDEXED BY {index}" if index and db.dialect == "sqlite" else "ix_date x"
    rows = _rows(asked, plan)
    reached = ALWAYS
    if after is not None:
        value = after.values[0]
        rows = every(rows, Clause(f"x.{order.column} {order.onward}= ?", (value,)))
        reached = Clause(f"(x.{order.column} {order.onward} ? OR r.seq < ?)", (value, after.sequence))
    if far is not None:
        skipped = db.rows(
            f"SELECT x.{order.column} FROM {table} WHERE {rows.text}"
            f" ORDER BY x.{order.column}{order.direction} LIMIT 1 OFFSET {far:d}",
            rows.values,
        )
        if skipped:
            rows = every(rows, Clause(f"x.{order.column} {order.back} ?", skipped[0]))
    by = every(Clause("r.patient_key = x.patient_key AND r.key = x.key"), of_types(asked.query))
    source = starting(db, Clause(table), by, current_of(db, asked, plan))
    first = Clause(order.first)
    where = every(
        rows, first, visible(asked.who, "r"), *probes(lookups, asked.who, asked.query, plan), reached
    )
    text = (
        f"SELECT {COLUMNS}, x.{order.column} FROM {source.text} WHERE {where.text}"
        f" ORDER BY x.{order.column}{order.direction}, r.seq DESC LIMIT {asked.limit:d}"
    )
    return Statement(text, source.values + where.values, plan.name)


def _rows(asked: Asked, plan: Plan) -> Clause:
    """Index rows ``x`` of the date; of one person alone, when all that matches is that person's."""
    atom = date_sorted_by(asked.query)
    assert atom is not None
    return every(of_person(plan, "x"), Clause("x.atom = ?", (atom,)))
