"""From a Query and a Reader to one statement.

The plan picks what the statement starts from, and everything else is probed for each
resource it meets (``kintung.store.sql.criteria``):

- **walk**: newest first over the type, each resource probed; good when many match.
- **candidates**: the keys of the criterion with the fewest index rows; good when few match.
- **grants first**: the persons of the reader's scope; good for readers who may see little.

The reader's predicate stands on every alias of ``resource``: the match and each end of a
chain; index rows are reached only through them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

from kintung.fhir.search import Chain, Criterion, DateValue, NumberValue, QuantityValue, Query, Sort
from kintung.store.port import Position
from kintung.store.reader import Scope
from kintung.store.sql.criteria import Criteria, lists_all, updated_between
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.visibility import ALWAYS, Clause, StoredReader, among, every, some, visible

FEW = 1000
"""Index rows up to which a criterion is worth starting from; counting further is not."""
FEW_PERSONS = 256
"""Persons in a scope up to which they are visited without walking first."""
MANY_PERSONS = 10_000
"""Persons in a scope above which counting walks the type instead of visiting them."""
STEPS_PER_PERSON = 4
"""Rows walked for each person of a scope before its persons are visited (``make bench``)."""
PROBED_PER_PERSON = 1
"""The same when criteria are probed: fewer rows fill the page, and each costs more."""

PlanName = Literal["walk", "candidates", "grants"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, its values, and the plan it follows."""

    text: str
    values: tuple[object, ...]
    plan: PlanName


class Plan(NamedTuple):
    """What a statement starts from; ``start`` is the criterion of ``candidates``."""

    name: PlanName
    start: Criterion | Chain | None = None


@dataclass(frozen=True, slots=True)
class Searcher:
    """Compiles searches for one connection."""

    db: Database
    criteria: Criteria

    # -- statements ---------------------------------------------------------------------

    def rows(
        self,
        who: StoredReader,
        query: Query,
        *,
        limit: int,
        sequence: int | None = None,
        after: Position | None = None,
    ) -> list[Row]:
        """One page: (patient_key, type, key, version_id, seq, kind, sort values ...) a row.

        A reader with a scope of some size first walks as far as visiting all its persons
        would cost; that fills the page of who may see much, and who may see little loses
        little by it.
        """
        plan = self.plan(who, query)
        size = self._scope_size(who)
        if plan.name == "walk" and size is not None and not query.sort:
            far = max((PROBED_PER_PERSON if query.criteria else STEPS_PER_PERSON) * size, 10 * limit)
            first = self.page(who, query, plan, limit=limit, sequence=sequence, after=after, far=far)
            rows = self.db.rows(first.text, first.values)
            if len(rows) == limit:
                return rows
            plan = Plan("grants")
        statement = self.page(who, query, plan, limit=limit, sequence=sequence, after=after)
        return self.db.rows(statement.text, statement.values)

    def page(
        self,
        who: StoredReader,
        query: Query,
        plan: Plan,
        *,
        limit: int,
        sequence: int | None = None,
        after: Position | None = None,
        far: int | None = None,
    ) -> Statement:
        """The statement of one page under a plan; ``far`` bounds the rows a walk visits."""
        sorts = [self.criteria.sort_value(sort, f"m{n}") for n, sort in enumerate(query.sort)]
        upto = Clause("r.seq <= ?", (sequence,)) if sequence is not None else ALWAYS
        beyond = Clause("r.seq < ?", (after.sequence,)) if after is not None and not sorts else ALWAYS
        span = every(upto, beyond, self._updated(query))
        source, where = self._matches(who, query, plan, span, far)
        columns = "r.patient_key, r.type, r.key, r.version_id, r.seq, r.kind"
        if not sorts:
            text = (
                f"SELECT {columns} FROM {source.text} WHERE {where.text} ORDER BY r.seq DESC LIMIT {limit:d}"
            )
            return Statement(text, source.values + where.values, plan.name)
        named = ", ".join(f"{sort.value.text} AS s{n}" for n, sort in enumerate(sorts))
        joins = [sort.join for sort in sorts if sort.join is not None]
        joined = source.text + "".join(join.text for join in joins)
        inner = f"SELECT {columns}, {named} FROM {joined} WHERE {where.text}"
        keyset = _keyset(query.sort, after)
        order = ", ".join(f"(s{n} IS NULL), s{n}{' DESC' * s.descending}" for n, s in enumerate(query.sort))
        text = f"SELECT * FROM ({inner}) q WHERE {keyset.text} ORDER BY {order}, seq DESC LIMIT {limit:d}"
        clauses = [*(sort.value for sort in sorts), source, *joins, where, keyset]
        return Statement(text, tuple(value for clause in clauses for value in clause.values), plan.name)

    def total(self, who: StoredReader, query: Query) -> Statement:
        """One row: how many match; from the index alone for one criterion and who sees all."""
        only = query.criteria[0] if len(query.criteria) == 1 else None
        if who.reader.sees_all and only is not None and _is_indexed(only):
            keys = self.criteria.keys(who, only)
            found = f"SELECT DISTINCT k.patient_key, k.key FROM ({keys.text}) k"
            return Statement(f"SELECT count(*) FROM ({found}) n", keys.values, "candidates")
        plan = self.plan(who, query)
        size = self._scope_size(who)
        if plan.name == "walk" and size is not None and size <= MANY_PERSONS:
            plan = Plan("grants")
        source, where = self._matches(who, query, plan, self._updated(query), None)
        text = f"SELECT count(*) FROM {source.text} WHERE {where.text}"
        return Statement(text, source.values + where.values, plan.name)

    def _matches(
        self, who: StoredReader, query: Query, plan: Plan, span: Clause, far: int | None
    ) -> tuple[Clause, Clause]:
        """FROM and WHERE of all that matches, with ``r`` the matching resource."""
        types = among("r.type", [TYPE_NUMBERS[name] for name in query.types]) if query.types else ALWAYS
        live = every(types, Clause("r.deleted = 0"), span)
        others = every(
            visible(who, "r"), *(self.criteria.probe(who, c) for c in query.criteria if c is not plan.start)
        )
        if plan.start is not None:
            keys = self.criteria.keys(who, plan.start)
            found = (
                f"SELECT DISTINCT k0.patient_key, k0.key, n.type FROM ({keys.text}) k0"
                " JOIN entity n ON n.key = k0.key"
            )
            on = Clause("r.patient_key = k.patient_key AND r.type = k.type AND r.key = k.key")
            return starting(self.db, Clause(f"({found}) k", keys.values), every(on, live)), others
        if plan.name == "grants":
            assert isinstance(who.reader.persons, Scope)
            persons = "(SELECT g.patient_key FROM scope_person g WHERE g.scope = ? UNION ALL SELECT 0) k"
            start = Clause(persons, (who.reader.persons.number,))
            return starting(self.db, start, every(Clause("r.patient_key = k.patient_key"), live)), others
        walked = f"resource r{self._walking(query)}"
        if far is None:
            return Clause(walked), every(live, others)
        stretch = f"(SELECT * FROM {walked} WHERE {live.text} ORDER BY r.seq DESC LIMIT {far:d}) r"
        return Clause(stretch, live.values), others

    def _updated(self, query: Query) -> Clause:
        """Bounds of ``_lastUpdated`` as bounds of the sequence, which a walk follows."""
        bounds: list[Clause] = []
        for criterion in query.criteria:
            if isinstance(criterion, Chain) or criterion.parameter.stored != "updated":
                continue
            start, end = updated_between(criterion)
            if start is not None:
                bounds.append(Clause("r.seq >= ?", (first_since(self.db, start),)))
            if end is not None:
                bounds.append(Clause("r.seq < ?", (first_since(self.db, end),)))
        return every(*bounds)

    def _walking(self, query: Query) -> str:
        """SQLite is told to walk the type in order; PostgreSQL has statistics of its own."""
        return " INDEXED BY resource_walk" if self.db.dialect == "sqlite" and query.types else ""

    # -- the plan -----------------------------------------------------------------------

    def plan(self, who: StoredReader, query: Query) -> Plan:
        """What to start from, by counting the index rows of each criterion up to ``FEW``."""
        fewest, start = FEW + 1, None
        for criterion in query.criteria:
            if not _has_range(criterion):
                continue
            size = self._count(who, criterion)
            if size < fewest:
                fewest, start = size, criterion
        if start is not None:
            return Plan("candidates", start)
        size = self._scope_size(who)
        return Plan("grants" if size is not None and size <= FEW_PERSONS else "walk")

    def _scope_size(self, who: StoredReader) -> int | None:
        """Persons in the reader's scope; None for a reader without one."""
        persons = who.reader.persons
        if not isinstance(persons, Scope):
            return None
        rows = self.db.rows("SELECT size FROM scope WHERE number = ?", (persons.number,))
        return rows[0][0] if rows else 0

    def _count(self, who: StoredReader, criterion: Criterion | Chain) -> int:
        keys = self.criteria.keys(who, criterion)
        text = f"SELECT count(*) FROM (SELECT 1 FROM ({keys.text}) k LIMIT {FEW + 1:d}) n"
        return self.db.rows(text, keys.values)[0][0]


def starting(db: Database, start: Clause, on: Clause) -> Clause:
    """From ``start`` to ``resource r``, in this order: neither planner may turn it round."""
    if db.dialect == "sqlite":
        text = f"{start.text} CROSS JOIN resource r ON {on.text}"
    else:
        text = f"{start.text} CROSS JOIN LATERAL (SELECT * FROM resource r WHERE {on.text} OFFSET 0) r"
    return Clause(text, start.values + on.values)


def first_since(db: Database, at: int) -> int:
    """The first sequence number committed at or after an instant; ``at`` never decreases in the log."""
    return cast(int, db.rows(_FIRST_SINCE, (at, at))[0][0])


_FIRST_SINCE = (
    "WITH RECURSIVE span(low, high) AS (SELECT CAST(1 AS bigint), (SELECT coalesce(max(seq), 0) + 1 FROM log)"
    " UNION ALL SELECT"
    " CASE WHEN (SELECT at FROM log WHERE seq = (low + high) / 2) < ? THEN (low + high) / 2 + 1 ELSE low END,"
    " CASE WHEN (SELECT at FROM log WHERE seq = (low + high) / 2) < ? THEN high ELSE (low + high) / 2 END"
    " FROM span WHERE low < high) SELECT low FROM span WHERE low >= high"
)
"""Halves the span of sequence numbers, in one round trip."""


def _is_indexed(criterion: Criterion | Chain) -> bool:
    """Do index rows say all of it? They are of current resources of its types alone."""
    return not lists_all(criterion) and criterion.parameter.stored is None


def _has_range(criterion: Criterion | Chain) -> bool:
    """Do the index rows that meet it lie together, so that listing them reads little else?"""
    if isinstance(criterion, Chain):
        return True
    if lists_all(criterion) or criterion.modifier in ("missing", "contains"):
        return False
    return all(
        value.prefix in _RANGES if isinstance(value, DateValue | NumberValue | QuantityValue) else True
        for value in criterion.values
    )


_RANGES = ("eq", "lt", "le", "sa", "ap")
"""Prefixes that bound the start of a span, by which the index is ordered."""


def _keyset(sorts: Sequence[Sort], after: Position | None) -> Clause:
    """Rows that come after a position: later in the first key that differs."""
    if after is None:
        return ALWAYS
    options: list[Clause] = []
    equal: list[Clause] = []
    for n, (sort, value) in enumerate(zip(sorts, after.values, strict=True)):
        if value is None:
            equal.append(Clause(f"s{n} IS NULL"))
            continue
        beyond = Clause(f"(s{n} {'<' if sort.descending else '>'} ? OR s{n} IS NULL)", (value,))
        options.append(every(*equal, beyond))
        equal.append(Clause(f"s{n} = ?", (value,)))
    options.append(every(*equal, Clause("seq < ?", (after.sequence,))))
    return some(*options)
