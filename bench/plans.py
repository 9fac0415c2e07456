# ruff: noqa: ARG002 - what only changes is refused, whatever it is given
"""What each named search asks of SQLite, and how SQLite answers it: a page of the reference.

The statements are those a page really sends, in order, each explained on the record it was
sent to.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Times, short
from kintung.app import Node
from kintung.fhir.search import Query
from kintung.store.reader import Reader
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import Names
from kintung.store.sql.search import Asked, Searcher
from kintung.store.sql.store import SqlStore

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "query-plans.md"
_HEAD = """# How the named searches are answered

What `make bench ARGS="--long searches"` asks for, a page of 20 on a record of {size:,} resources in SQLite:
the statements it sends, in order, as `EXPLAIN QUERY PLAN` has them, and how long the whole takes. `r` is a
resource, `x` an index row, `e` an entity, `k` the keys a search begins from, `n` what is counted. Why a
search begins where it does is said in [ADR 0009](../adr/0009-the-plan-is-ours.md), what else was measured in
[performance](../explanation/performance.md). Written by the bench on {day}.
"""


@dataclass(frozen=True, slots=True)
class Explained:
    """A search, what was measured of it, and the plans of what it sends."""

    name: str
    asked: str
    times: Times
    plans: tuple[str, ...]


@dataclass(slots=True)
class _Telling:
    """A connection that remembers what it is asked."""

    db: Database
    sent: list[tuple[str, Sequence[object]]] = field(default_factory=list[tuple[str, Sequence[object]]])

    @property
    def dialect(self) -> str:
        return self.db.dialect

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        self.sent.append((statement, values))
        return self.db.rows(statement, values)

    def lookup(self, statement: str, types: Sequence[str], rows: Iterable[Row]) -> list[Row]:
        return self.db.lookup(statement, types, rows)

    def within(self, seconds: float) -> AbstractContextManager[None]:
        return self.db.within(seconds)

    def run(self, statement: str, values: Sequence[object] = ()) -> None:
        raise AssertionError("a search only asks")

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        raise AssertionError("a search only asks")

    remove = insert


def plans(node: Node, reader: Reader, query: Query, count: int) -> tuple[str, ...]:
    """The plan of each statement that a page sends, those of the same plan once."""
    assert isinstance(node.store, SqlStore)
    with node.store.searcher() as searcher:
        telling = _Telling(searcher.db)
        who = Names().stored(searcher.db, reader)
        asking = Searcher(replace(searcher.lookups, db=telling))
        asking.rows(Asked(who, query, count + 1))
        if query.total != "none":
            total = asking.total(who, query)
            telling.rows(total.text, total.values)
        found = (_plan(searcher.db, statement, values) for statement, values in telling.sent)
        return tuple(dict.fromkeys(found))


def _plan(db: Database, statement: str, values: Sequence[object]) -> str:
    """A line for each step, indented by what it is part of."""
    depth: dict[object, int] = {0: -1}
    lines: list[str] = []
    for number, parent, _, text in db.rows(f"EXPLAIN QUERY PLAN {statement}", values):
        depth[number] = depth.get(parent, -1) + 1
        lines.append("  " * depth[number] + str(text))
    return "\n".join(lines)


def write(size: int, searches: Iterable[Explained]) -> None:
    """Write the page."""
    parts = [_HEAD.format(size=size, day=f"{datetime.now(UTC):%Y-%m-%d}")]
    for search in searches:
        took = f"p50 {short(search.times.p50)}, p99 {short(search.times.p99)}"
        steps = "\n\n".join(f"```text\n{plan}\n```" for plan in search.plans)
        parts.append(f"## {search.name}\n\n`{search.asked}`: {took}\n\n{steps}\n")
    PAGE.write_text("\n".join(parts))
