"""Walking a table in pages: short transactions, bounded memory, no gap between pages."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from kintung.store.port import Finding
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NAMES
from kintung.store.sql.schema import BY_NAME

Step = Callable[[Database, Row], tuple[list[Finding], Row | None]]
"""One page: what is broken in it, and the place after it; None when it was the last."""

PAGE_ROWS = 5_000
_LOWEST = {"int": -(2**63), "text": "", "blob": b""}


class Readable(Protocol):
    """What a proof needs of a backend: consistent readings, each kept short."""

    def reading(self) -> AbstractContextManager[Database]: ...


def walk(backend: Readable, step: Step, start: Row) -> Iterator[Finding]:
    """Take all steps, each in a reading of its own.

    A step sees one state of the record, so what it compares belongs together even while
    others commit. Findings are given outside the reading.
    """
    after: Row | None = start
    while after is not None:
        with backend.reading() as db:
            findings, after = step(db, after)
        yield from findings


class Pages(NamedTuple):
    """The rows of a table in the order of its primary key, with what is joined to them.

    ``columns`` are what is asked for beside the key, which comes first; the alias of the
    table is ``x``.
    """

    table: str
    columns: str = ""
    join: str = ""
    rows: int = PAGE_ROWS

    @property
    def start(self) -> Row:
        """Before every row. No table has a row with the lowest integer of all."""
        kinds = dict(BY_NAME[self.table].columns)
        return tuple(_LOWEST[kinds[name]] for name in BY_NAME[self.table].key)

    def after(self, db: Database, place: Row) -> tuple[list[Row], Row | None]:
        """The next page, and the place after it; None when nothing follows."""
        key = BY_NAME[self.table].key
        order = ", ".join(f"x.{name}" for name in key)
        marks = ", ".join("?" * len(key))
        columns = f", {self.columns}" if self.columns else ""
        rows = db.rows(
            f"SELECT {order}{columns} FROM {self.table} x {self.join}"
            f" WHERE ({order}) > ({marks}) ORDER BY {order} LIMIT {self.rows:d}",
            place,
        )
        return rows, tuple(rows[-1][: len(key)]) if len(rows) == self.rows else None


def name_of(key: int, type: int | None, id: str | None) -> str:
    """How a finding calls a resource; by the key alone when no entity has it."""
    if type is None or id is None:
        return f"key {key}"
    return f"{TYPE_NAMES.get(type, f'type {type}')}/{id}" if type else f"address {key}"
