"""From a Query and a Reader to one statement.

The plan picks what the statement starts from, and everything else is probed for each
resource it meets (``kintung.store.sql.criteria``):

- **walk**: newest first over the type, each resource probed; good when many match.
- **dates**: the same in order of a date, for ``_sort`` by it.
- **candidates**: the keys of the criterion with the fewest index rows; good when few match.
- **merge**: the keys that several common criteria share, whose index rows are in one order.
- **grants first**: the persons of the reader's scope; good for readers who may see little.

A walk goes a stretch first. Who has found little by its end starts from elsewhere, when
there is something to start from, and else walks on.

The reader's predicate stands on every alias of ``resource``: the match and each end of a
chain; index rows are reached only through them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, cast

from kintung.fhir.search import Chain, Criterion, DateValue, NumberValue, QuantityValue, Query, Sort
from kintung.store.port import Position
from kintung.store.reader import Scope
from kintung.store.sql.clauses import ALWAYS, Clause, among, every, some, starting
from kintung.store.sql.criteria import Criteria, Point, lists_all, updated_between
from kintung.store.sql.database import Database, Row
from kintung.store.sql.log import first_since
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.visibility import StoredReader, visible

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
STRETCH = 4_000
"""Rows walked before common criteria are merged: the walk takes 1.5 ms, and a page that a
quarter of it begins is filled by four times as much."""
BEGUN = 4
"""A page is begun when one in so many of its entries is found."""
FEWER = 8
"""How many times as many index rows a criterion has when it is better probed than merged:
a row merged takes 60 ns, a row probed 300 ns."""
COUNTED = 20_000
"""Index rows up to which criteria are counted to decide that."""

PlanName = Literal["walk", "dates", "dateless", "candidates", "merge", "grants"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, its values, and the plan it follows."""

    text: str
    values: tuple[object, ...]
    plan: PlanName


class Plan(NamedTuple):
    """What a statement starts from; ``start`` are the criteria of ``candidates`` and ``merge``.

    ``person`` is the patient key that all which matches has, when that is known.
    """

    name: PlanName
    start: tuple[Criterion | Chain, ...] = ()
    person: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A page: who asks for what, how much, as the record was when, and from where on."""

    who: StoredReader
    query: Query
    limit: int
    sequence: int | None = None
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Searcher:
    """Compiles searches for one connection."""

    db: Database
    criteria: Criteria

    # -- pages --------------------------------------------------------------------------

    def rows(
        self,
        who: StoredReader,
        query: Query,
        *,
        limit: int,
        sequence: int | None = None,
        after: Position | None = None,
    ) -> list[Row]:
        """One page: (patient_key, type, key, version_id, seq, kind, sort values ...) a row."""
        asked = Asked(who, query, limit, sequence, after)
        if _is_newest_first(query):
            return self._by_update(asked)
        plan = self.plan(who, query)
        if plan.name == "walk" and _dated(query) is not None:
            return self._by_date(asked)
        if plan.name == "walk" and not query.sort:
            return self._walked(asked, plan)[0]
        return self._run(asked, plan)

    def _run(self, asked: Asked, plan: Plan, far: int | None = None) -> list[Row]:
        statement = self.page(
            asked.who,
            asked.query,
            plan,
            limit=asked.limit,
            sequence=asked.sequence,
            after=asked.after,
            far=far,
        )
        return self.db.rows(statement.text, statement.values)

    def _walked(self, asked: Asked, plan: Plan) -> tuple[list[Row], PlanName]:
        """Walk a stretch, and begin elsewhere when that has not even begun the page."""
        far = self._stretch(asked.who, asked.query, asked.limit) if plan.person is None else None
        if far is not None:
            rows = self._run(asked, plan, far)
            if len(rows) == asked.limit:
                return rows, plan.name
            if len(rows) * BEGUN < asked.limit:
                plan = self._elsewhere(asked.who, asked.query)
        return self._run(asked, plan), plan.name

    def _stretch(self, who: StoredReader, query: Query, limit: int) -> int | None:
        """Rows to walk before it is begun elsewhere; None when there is no elsewhere.

        For a reader with a scope they cost what visiting all its persons would: that fills the
        page of who may see much, and who may see little loses little by it.
        """
        size = self._scope_size(who)
        if size is not None:
            return max((PROBED_PER_PERSON if query.criteria else STEPS_PER_PERSON) * size, 10 * limit)
        return STRETCH if self._points(who, query) or self._wide(who, query) else None

    def _wide(self, who: StoredReader, query: Query) -> list[Criterion | Chain]:
        """Chains with so many ends that they were not counted."""
        return [criterion for criterion in query.criteria if self.criteria.is_wide(who, criterion)]

    def _elsewhere(self, who: StoredReader, query: Query) -> Plan:
        if self._scope_size(who) is not None:
            return Plan("grants")
        plan = self._merge(who, query)
        wide = self._wide(who, query)
        return Plan("candidates", (wide[0],)) if plan.name == "walk" and wide else plan

    def _by_update(self, asked: Asked) -> list[Row]:
        """Sorted by ``-_lastUpdated``, which is how a walk goes: the log never goes back in time."""
        after = None if asked.after is None else Position((), asked.after.sequence)
        rows = self.rows(
            asked.who,
            replace(asked.query, sort=()),
            limit=asked.limit,
            sequence=asked.sequence,
            after=after,
        )
        return [(*row, self.db.rows(_UPDATED_AT, row[:3])[0][0]) for row in rows]

    def _by_date(self, asked: Asked) -> list[Row]:
        """Those that have the date, in its order, then those that have none, newest first."""
        person = self._person(self._points(asked.who, asked.query).values())
        rows: list[Row] = []
        after = asked.after
        if after is None or after.values[0] is not None:
            rows, name = self._walked(asked, Plan("dates", person=person))
            if len(rows) == asked.limit or name != "dates":
                return rows
            after = None
        rest = replace(asked, limit=asked.limit - len(rows), after=after)
        return rows + self._run(rest, Plan("dateless", person=person))

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
        upto = Clause("r.seq <= ?", (sequence,)) if sequence is not None else ALWAYS
        is_newest_first = not query.sort or plan.name == "dateless"
        beyond = Clause("r.seq < ?", (after.sequence,)) if after is not None and is_newest_first else ALWAYS
        span = every(upto, beyond, self._updated(query))
        columns = "r.patient_key, r.type, r.key, r.version_id, r.seq, r.kind"
        if plan.name == "dates":
            return self._dates(who, query, plan, span, columns, limit=limit, after=after, far=far)
        source, where = self._matches(who, query, plan, span, far)
        if is_newest_first:
            absent = ", NULL" * len(query.sort)
            text = (
                f"SELECT {columns}{absent} FROM {source.text} WHERE {where.text}"
                f" ORDER BY r.seq DESC LIMIT {limit:d}"
            )
            return Statement(text, source.values + where.values, plan.name)
        sorts = [self.criteria.sort_value(sort, f"m{n}") for n, sort in enumerate(query.sort)]
        named = ", ".join(f"{sort.value.text} AS s{n}" for n, sort in enumerate(sorts))
        joins = [sort.join for sort in sorts if sort.join is not None]
        joined = source.text + "".join(join.text for join in joins)
        inner = f"SELECT {columns}, {named} FROM {joined} WHERE {where.text}"
        keyset = _keyset(query.sort, after)
        order = ", ".join(f"(s{n} IS NULL), s{n}{' DESC' * s.descending}" for n, s in enumerate(query.sort))
        text = f"SELECT * FROM ({inner}) q WHERE {keyset.text} ORDER BY {order}, seq DESC LIMIT {limit:d}"
        clauses = [*(sort.value for sort in sorts), source, *joins, where, keyset]
        return Statement(text, tuple(value for clause in clauses for value in clause.values), plan.name)

    def _dates(
        self,
        who: StoredReader,
        query: Query,
        plan: Plan,
        span: Clause,
        columns: str,
        *,
        limit: int,
        after: Position | None,
        far: int | None,
    ) -> Statement:
        """A page in order of a date: index rows in order, each resource at the first of its own."""
        atom = _dated(query)
        assert atom is not None
        order = _DESCENDING if query.sort[0].descending else _ASCENDING
        rows = Clause("x.atom = ?", (atom,))
        if plan.person is not None:
            rows = every(Clause("x.patient_key = ?", (plan.person,)), rows)
        index = order.of_person if plan.person is not None else order.of_all
        table = f"ix_date x INDEXED BY {index}" if index and self.db.dialect == "sqlite" else "ix_date x"
        reached = ALWAYS
        if after is not None:
            value = after.values[0]
            rows = every(rows, Clause(f"x.{order.column} {order.onward}= ?", (value,)))
            reached = Clause(f"(x.{order.column} {order.onward} ? OR r.seq < ?)", (value, after.sequence))
        if far is not None:
            skipped = self.db.rows(
                f"SELECT x.{order.column} FROM {table} WHERE {rows.text}"
                f" ORDER BY x.{order.column}{order.direction} LIMIT 1 OFFSET {far:d}",
                rows.values,
            )
            if skipped:
                rows = every(rows, Clause(f"x.{order.column} {order.back} ?", skipped[0]))
        live = every(_of_types(query), Clause("r.deleted = 0"), span)
        on = Clause("r.patient_key = x.patient_key AND r.key = x.key")
        source = starting(self.db, Clause(table), every(on, live))
        first = Clause(order.first)
        where = every(rows, first, visible(who, "r"), *self._probes(who, query), reached)
        text = (
            f"SELECT {columns}, x.{order.column} FROM {source.text} WHERE {where.text}"
            f" ORDER BY x.{order.column}{order.direction}, r.seq DESC LIMIT {limit:d}"
        )
        return Statement(text, source.values + where.values, plan.name)

    # -- totals -------------------------------------------------------------------------

    def total(self, who: StoredReader, query: Query) -> Statement:
        """One row: how many match; from the index alone when it says all, for who sees all."""
        plan = self.plan(who, query)
        if who.reader.sees_all and plan.name == "walk" and query.criteria:
            plan = self._merge(who, query)
            if len(plan.start) == len(query.criteria):
                keys = self._shared(who, plan)
                return Statement(f"SELECT count(*) FROM ({keys.text}) n", keys.values, plan.name)
            only = query.criteria[0] if len(query.criteria) == 1 else None
            if only is not None and _is_indexed(only):
                keys = self.criteria.keys(who, only)
                found = f"SELECT DISTINCT k.patient_key, k.key FROM ({keys.text}) k"
                return Statement(f"SELECT count(*) FROM ({found}) n", keys.values, "candidates")
        size = self._scope_size(who)
        if plan.name == "walk" and size is not None and size <= MANY_PERSONS:
            plan = Plan("grants")
        source, where = self._matches(who, query, plan, self._updated(query), None)
        text = f"SELECT count(*) FROM {source.text} WHERE {where.text}"
        return Statement(text, source.values + where.values, plan.name)

    # -- what a statement starts from ---------------------------------------------------

    def _matches(
        self, who: StoredReader, query: Query, plan: Plan, span: Clause, far: int | None
    ) -> tuple[Clause, Clause]:
        """FROM and WHERE of all that matches, with ``r`` the matching resource."""
        live = every(_of_types(query), Clause("r.deleted = 0"), span)
        others = every(visible(who, "r"), *self._probes(who, query, plan.start))
        if plan.start:
            return self._starting_from_keys(who, query, plan, live), others
        if plan.name == "grants":
            assert isinstance(who.reader.persons, Scope)
            persons = "(SELECT g.patient_key FROM scope_person g WHERE g.scope = ? UNION ALL SELECT 0) k"
            start = Clause(persons, (who.reader.persons.number,))
            return starting(self.db, start, every(Clause("r.patient_key = k.patient_key"), live)), others
        if plan.name == "dateless":
            others = every(others, self.criteria.is_absent(query.sort[0].parameter))
            if plan.person is not None:
                of_person = Clause("r.patient_key = ?", (plan.person,))
                return Clause("resource r"), every(of_person, live, others)
        walked = f"resource r{self._walking(query)}"
        if far is None:
            return Clause(walked), every(live, others)
        columns = _WALKED + ", r.at" * any(_is_updated(criterion) for criterion in query.criteria)
        stretch = f"(SELECT {columns} FROM {walked} WHERE {live.text} ORDER BY r.seq DESC LIMIT {far:d}) r"
        return Clause(stretch, live.values), others

    def _probes(
        self, who: StoredReader, query: Query, started: Sequence[Criterion | Chain] = ()
    ) -> list[Clause]:
        """All other criteria, for each resource met: first those that are one seek."""
        others = [criterion for criterion in query.criteria if criterion not in started]
        others.sort(key=_is_slow)
        return [self.criteria.probe(who, criterion) for criterion in others]

    def _starting_from_keys(self, who: StoredReader, query: Query, plan: Plan, live: Clause) -> Clause:
        """From the keys that the criteria of the plan share, each once."""
        if plan.name == "merge":
            keys = self._shared(who, plan)
        else:
            (criterion,) = plan.start
            point = self.criteria.point(who, criterion)
            all_keys = self.criteria.keys(who, criterion)
            keys = (
                all_keys
                if point is not None
                else Clause(
                    f"SELECT DISTINCT k0.patient_key, k0.key FROM ({all_keys.text}) k0", all_keys.values
                )
            )
        same = "r.patient_key = k.patient_key AND r.key = k.key"
        if len(query.types) == 1:
            return starting(self.db, Clause(f"({keys.text}) k", keys.values), every(Clause(same), live))
        typed = f"SELECT k1.patient_key, k1.key, n.type FROM ({keys.text}) k1 JOIN entity n ON n.key = k1.key"
        on = Clause(f"{same} AND r.type = k.type")
        return starting(self.db, Clause(f"({typed}) k", keys.values), every(on, live))

    def _shared(self, who: StoredReader, plan: Plan) -> Clause:
        """The keys that all criteria of ``merge`` have: their index rows are in one order."""
        points = [point for point in (self.criteria.point(who, c) for c in plan.start) if point is not None]
        clauses = [self._rows_of(point, plan.person) for point in points]
        text = " INTERSECT ".join(clause.text for clause in clauses)
        if len(clauses) > 1:
            text += " ORDER BY 1, 2 LIMIT 9223372036854775807"  # in this order, or SQLite sorts them first
        return Clause(text, tuple(value for clause in clauses for value in clause.values))

    @staticmethod
    def _rows_of(point: Point, person: int | None) -> Clause:
        of_person = Clause("x.patient_key = ?", (person,)) if person is not None else ALWAYS
        where = every(point.where, of_person)
        return Clause(f"SELECT x.patient_key, x.key FROM {point.table} x WHERE {where.text}", where.values)

    def _updated(self, query: Query) -> Clause:
        """Bounds of ``_lastUpdated`` as bounds of the sequence, which a walk follows."""
        bounds: list[Clause] = []
        for criterion in query.criteria:
            if isinstance(criterion, Chain) or not _is_updated(criterion):
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
            if not _has_range(criterion) or self.criteria.is_wide(who, criterion):
                continue
            size = self._count(self.criteria.keys(who, criterion), FEW + 1)
            if size < fewest:
                fewest, start = size, criterion
        if start is not None:
            return Plan("candidates", (start,))
        size = self._scope_size(who)
        return Plan("grants" if size is not None and size <= FEW_PERSONS else "walk")

    def _merge(self, who: StoredReader, query: Query) -> Plan:
        """Start from what the criteria with the fewest rows share; walk when none has rows in order."""
        points = self._points(who, query)
        if not points:
            return Plan("walk")
        person = self._person(points.values())
        sizes = {c: self._count(self._rows_of(point, person), COUNTED) for c, point in points.items()}
        fewest = min(sizes.values())
        return Plan("merge", tuple(c for c, size in sizes.items() if size <= FEWER * fewest), person)

    def _points(self, who: StoredReader, query: Query) -> dict[Criterion | Chain, Point]:
        found = ((criterion, self.criteria.point(who, criterion)) for criterion in query.criteria)
        return {criterion: point for criterion, point in found if point is not None}

    def _person(self, points: Iterable[Point]) -> int | None:
        """The patient key that all rows of a criterion have, when they have one: a seek at each end."""
        for point in points:
            ends = "SELECT x.patient_key FROM {0} x WHERE {1} ORDER BY x.patient_key{2} LIMIT 1"
            where = point.where
            low, high = (ends.format(point.table, where.text, way) for way in ("", " DESC"))
            first, last = self.db.rows(f"SELECT ({low}), ({high})", where.values * 2)[0]
            if first == last and first is not None:
                return cast(int, first)
        return None

    def _scope_size(self, who: StoredReader) -> int | None:
        """Persons in the reader's scope; None for a reader without one."""
        persons = who.reader.persons
        if not isinstance(persons, Scope):
            return None
        rows = self.db.rows("SELECT size FROM scope WHERE number = ?", (persons.number,))
        return rows[0][0] if rows else 0

    def _count(self, keys: Clause, most: int) -> int:
        text = f"SELECT count(*) FROM (SELECT 1 FROM ({keys.text}) k LIMIT {most:d}) n"
        return self.db.rows(text, keys.values)[0][0]


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
_WALKED = "r.patient_key, r.type, r.key, r.seq, r.version_id, r.kind, r.organisation, r.labels"
"""All that the index of the walk has."""
_UPDATED_AT = "SELECT r.at FROM resource r WHERE r.patient_key = ? AND r.type = ? AND r.key = ?"


def _of_types(query: Query) -> Clause:
    return among("r.type", [TYPE_NUMBERS[name] for name in query.types]) if query.types else ALWAYS


def _is_newest_first(query: Query) -> bool:
    """Is it sorted by ``-_lastUpdated`` alone?"""
    return len(query.sort) == 1 and query.sort[0].descending and query.sort[0].parameter.stored == "updated"


def _dated(query: Query) -> int | None:
    """The atom of the one date that resources of one type are sorted by; None when it is otherwise."""
    if len(query.types) != 1 or len(query.sort) != 1:
        return None
    parameter = query.sort[0].parameter
    if parameter.kind != "date" or parameter.stored is not None or len(parameter.branches) != 1:
        return None
    return parameter.branches[0].atom


def _is_updated(criterion: Criterion | Chain) -> bool:
    return not isinstance(criterion, Chain) and criterion.parameter.stored == "updated"


def _is_slow(criterion: Criterion | Chain) -> bool:
    """Is its probe more than a seek for each of its values?"""
    if isinstance(criterion, Chain):
        return True
    return criterion.parameter.kind not in ("token", "uri", "reference") or criterion.modifier == "missing"


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
        value.prefix in _RANGES
        if isinstance(value, NumberValue | QuantityValue)
        else not isinstance(value, DateValue) or value.prefix != "ne"
        for value in criterion.values
    )


_RANGES = ("eq", "lt", "le", "sa", "ap")
"""Prefixes that bound the start of a span, by which the index of numbers is ordered; that of
dates is by both ends."""


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
