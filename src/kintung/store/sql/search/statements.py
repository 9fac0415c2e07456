"""The statements of a search: one page of it, or how many match."""

from dataclasses import dataclass
from typing import Literal

from kintung.fhir.search import Query
from kintung.store.sql.clauses import Clause
from kintung.store.sql.search.conditions import is_indexed, keys
from kintung.store.sql.search.cost import require_affordable
from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.search.matches import is_in_log_order, matches, shared_keys
from kintung.store.sql.search.plan import Asked, Plan, PlanName, merge, plan_of, visits_persons
from kintung.store.sql.search.sorting import beyond, sort_value
from kintung.store.sql.type_counts import how_many
from kintung.store.sql.visibility import StoredReader

COLUMNS = "r.patient_key, r.type, r.key, r.version_id, r.seq, r.kind"
"""Of a row of a page; the values it is sorted by follow."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, its values, and the plan it follows."""

    text: str
    values: tuple[object, ...]
    plan: PlanName | Literal["counts"]


def page(lookups: Lookups, asked: Asked, plan: Plan, far: int | None = None) -> Statement:
    """One page under any plan but ``dates``; ``far`` bounds the rows a walk visits."""
    query = asked.query
    source, where = matches(lookups, asked, plan, far)
    if is_in_log_order(query, plan):
        absent = ", NULL" * len(query.sort)
        text = (
            f"SELECT {COLUMNS}{absent} FROM {source.text} WHERE {where.text}"
            f" ORDER BY r.seq DESC LIMIT {asked.limit:d}"
        )
        return Statement(text, source.values + where.values, plan.name)
    sorts = [sort_value(lookups.db, sort, f"m{n}") for n, sort in enumerate(query.sort)]
    named = ", ".join(f"{sort.value.text} AS s{n}" for n, sort in enumerate(sorts))
    joins = [sort.join for sort in sorts if sort.join is not None]
    joined = source.text + "".join(join.text for join in joins)
    inner = f"SELECT {COLUMNS}, {named} FROM {joined} WHERE {where.text}"
    rest = beyond(query.sort, asked.after)
    order = ", ".join(f"(s{n} IS NULL), s{n}{' DESC' * s.descending}" for n, s in enumerate(query.sort))
    text = f"SELECT * FROM ({inner}) q WHERE {rest.text} ORDER BY {order}, seq DESC LIMIT {asked.limit:d}"
    clauses = [*(sort.value for sort in sorts), source, *joins, where, rest]
    return Statement(text, tuple(value for clause in clauses for value in clause.values), plan.name)


def total(lookups: Lookups, who: StoredReader, query: Query) -> Statement:
    """One row: how many match; from the index alone when it says all, for who sees all.

    Raises:
        TooCostly: more would be looked at than a search may.
    """
    if who.reader.sees_all and not query.criteria:
        sizes = how_many(query.types)
        return Statement(sizes.text, sizes.values, "counts")
    plan = plan_of(lookups, who, query)
    if who.reader.sees_all and plan.name == "walk" and query.criteria:
        plan = merge(lookups, who, query)
        if len(plan.start) == len(query.criteria):
            return _counted(shared_keys(lookups, who, plan), plan.name, query)
        only = query.criteria[0] if len(query.criteria) == 1 else None
        if only is not None and is_indexed(only):
            found = keys(lookups, who, only)
            once = f"SELECT DISTINCT k.patient_key, k.key FROM ({found.text}) k"
            return _counted(Clause(once, found.values), "candidates", query)
    if plan.name == "walk":
        require_affordable(lookups, who, query, plan.person, ordered=False)
        if plan.person is not None:
            plan = merge(lookups, who, query)
        elif visits_persons(lookups, who):
            plan = Plan("grants")
    source, where = matches(lookups, Asked(who, query), plan)
    found = Clause(f"SELECT 1 FROM {source.text} WHERE {where.text}", source.values + where.values)
    return _counted(found, plan.name, query)


def _counted(found: Clause, plan: PlanName, query: Query) -> Statement:
    """How many rows a query has, up to what the search has counted."""
    bounded = (
        found.text
        if query.most_counted is None
        else f"SELECT * FROM ({found.text}) f LIMIT {query.most_counted:d}"
    )
    return Statement(f"SELECT count(*) FROM ({bounded}) n", found.values, plan)
