"""FROM and WHERE of all that matches a search, with ``r`` the resource that does.

The reader's predicate stands on ``r`` here, and on each resource a link leads to in ``conditions``; index
rows are reached only through them.
"""

from kintung.fhir.search import Condition, Criterion, Query
from kintung.store.reader import Scope
from kintung.store.sql.clauses import ALWAYS, Clause, among, every, starting
from kintung.store.sql.database import Database
from kintung.store.sql.log import first_since
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.search.conditions import is_of_forms, is_updated, keys, probe
from kintung.store.sql.search.index_rows import is_absent
from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.search.plan import Asked, Plan
from kintung.store.sql.search.points import is_of, point_of
from kintung.store.sql.search.prefixes import updated_between
from kintung.store.sql.visibility import StoredReader, visible

_WALKED = "r.patient_key, r.type, r.key, r.seq, r.version_id, r.kind, r.organisation, r.labels"
"""All that the index of the walk has."""


def matches(lookups: Lookups, asked: Asked, plan: Plan, far: int | None = None) -> tuple[Clause, Clause]:
    """FROM and WHERE; ``far`` bounds the rows a walk visits."""
    query = asked.query
    current = current_of(lookups.db, asked, plan)
    others = every(visible(asked.who, "r"), *probes(lookups, asked.who, query, plan))
    if plan.start:
        found = _from_keys(lookups, asked, plan, current)
        return (_newest_first(found, _columns(query)) if _is_lazy(asked, plan) else found), others
    if plan.name == "grants":
        return _from_persons(lookups.db, asked, current), others
    current = every(of_person(plan, "r"), of_types(query), current)
    if plan.name == "dateless":
        others = every(others, is_absent(lookups.db, query.sort[0].parameter))
    walked = f"resource r{_walking(lookups.db, query, plan)}"
    if far is None:
        return Clause(walked), every(current, others)
    stretch = (
        f"(SELECT {_columns(query)} FROM {walked} WHERE {current.text} ORDER BY r.seq DESC LIMIT {far:d}) r"
    )
    return Clause(stretch, current.values), others


def _columns(query: Query) -> str:
    """What is asked of rows that are put in order before they are probed."""
    return _WALKED + ", r.at" * any(is_updated(condition) for condition in query.criteria)


def _is_lazy(asked: Asked, plan: Plan) -> bool:
    """Is a list put in order before it is probed, so that a page that is full ends the probing?

    For a name in all its forms, which takes ten times as long to probe as a row to be put in order.
    """
    is_slow = any(is_of_forms(each) for each in asked.query.criteria if each not in plan.start)
    return is_slow and plan.name == "candidates" and asked.limit > 0 and is_in_log_order(asked.query, plan)


def _newest_first(found: Clause, columns: str) -> Clause:
    """Rows in the log's order; the limit keeps SQLite from probing them while they are put in it."""
    text = f"(SELECT {columns} FROM {found.text} ORDER BY r.seq DESC LIMIT 9223372036854775807) r"
    return Clause(text, found.values)


def is_in_log_order(query: Query, plan: Plan) -> bool:
    """Do pages follow the log, the newest first?"""
    return not query.sort or plan.name == "dateless"


# -- what holds of r --------------------------------------------------------------------


def of_types(query: Query) -> Clause:
    """It is of the types asked for."""
    types = [TYPE_NUMBERS[name] for name in query.types]
    return among("r.type", types) if types else ALWAYS


def of_person(plan: Plan, alias: str) -> Clause:
    """It is of the person that all which matches is of, when that is known."""
    return ALWAYS if plan.person is None else Clause(f"{alias}.patient_key = ?", (plan.person,))


def current_of(db: Database, asked: Asked, plan: Plan) -> Clause:
    """It is there, as old as page one; and past the place, in the log's order."""
    upto = Clause("r.seq <= ?", (asked.sequence,)) if asked.sequence is not None else ALWAYS
    beyond = ALWAYS
    if asked.after is not None and is_in_log_order(asked.query, plan):
        beyond = Clause("r.seq < ?", (asked.after.sequence,))
    return every(Clause("r.deleted = 0"), upto, beyond, _updated(db, asked.query))


def _updated(db: Database, query: Query) -> Clause:
    """Bounds of ``_lastUpdated`` as bounds of the sequence, which a walk follows."""
    bounds: list[Clause] = []
    for condition in query.criteria:
        if not is_updated(condition):
            continue
        start, end = updated_between(condition)
        if start is not None:
            bounds.append(Clause("r.seq >= ?", (first_since(db, start),)))
        if end is not None:
            bounds.append(Clause("r.seq < ?", (first_since(db, end),)))
    return every(*bounds)


def probes(lookups: Lookups, who: StoredReader, query: Query, plan: Plan) -> list[Clause]:
    """All criteria but those of the start, for each resource met.

    First those that are one seek; among one person's rows last the one that says whose they are, which
    most of them meet.
    """

    def order(condition: Condition) -> tuple[bool, bool]:
        person = plan.person
        return _is_slow(condition), person is not None and is_of(lookups, who, condition, person)

    others = [condition for condition in query.criteria if condition not in plan.start]
    others.sort(key=order)
    return [probe(lookups, who, condition) for condition in others]


def _is_slow(condition: Condition) -> bool:
    """Is its probe more than a seek for each of its values?"""
    if not isinstance(condition, Criterion):
        return True
    return condition.parameter.kind not in ("token", "uri", "reference") or condition.modifier == "missing"


# -- where r comes from -----------------------------------------------------------------


def _walking(db: Database, query: Query, plan: Plan) -> str:
    """SQLite is told to walk the type in order; PostgreSQL has statistics of its own."""
    if db.dialect != "sqlite" or not query.types:
        return ""
    return f" INDEXED BY {'resource_walk' if plan.person is None else 'resource_person'}"


def _from_persons(db: Database, asked: Asked, current: Clause) -> Clause:
    """From each person of the scope, and what is of no one person."""
    scope = asked.who.reader.persons
    assert isinstance(scope, Scope)
    persons = "(SELECT g.patient_key FROM scope_person g WHERE g.scope = ? UNION ALL SELECT 0) k"
    of_person = every(Clause("r.patient_key = k.patient_key"), of_types(asked.query))
    return starting(db, Clause(persons, (scope.number,)), of_person, current)


def _from_keys(lookups: Lookups, asked: Asked, plan: Plan, current: Clause) -> Clause:
    """From the keys that the criteria of the plan share, each once."""
    share = shared_keys if plan.name == "merge" else _keys_of_one
    found = share(lookups, asked.who, plan)
    same = "r.patient_key = k.patient_key AND r.key = k.key"
    if len(asked.query.types) == 1:
        start = Clause(f"({found.text}) k", found.values)
        return starting(lookups.db, start, every(Clause(same), of_types(asked.query)), current)
    each = Clause(f"({found.text}) k1", found.values)
    named = starting(lookups.db, each, Clause("n.key = k1.key"), to="entity n")
    typed = Clause(f"(SELECT k1.patient_key, k1.key, n.type FROM {named.text}) k", named.values)
    by = every(Clause(f"{same} AND r.type = k.type"), of_types(asked.query))
    return starting(lookups.db, typed, by, current)


def _keys_of_one(lookups: Lookups, who: StoredReader, plan: Plan) -> Clause:
    """The keys of the one criterion of ``candidates``, each once."""
    (condition,) = plan.start
    is_point = point_of(lookups, who, condition) is not None
    found = keys(lookups, who, condition)
    if is_point:
        return found
    return Clause(f"SELECT DISTINCT k0.patient_key, k0.key FROM ({found.text}) k0", found.values)


def shared_keys(lookups: Lookups, who: StoredReader, plan: Plan) -> Clause:
    """The keys that all criteria of ``merge`` have: their index rows are in one order."""
    points = (point_of(lookups, who, condition) for condition in plan.start)
    clauses = [point.keys(plan.person) for point in points if point is not None]
    text = " INTERSECT ".join(clause.text for clause in clauses)
    if len(clauses) > 1:
        text += " ORDER BY 1, 2 LIMIT 9223372036854775807"  # in this order, or SQLite sorts them first
    return Clause(text, tuple(value for clause in clauses for value in clause.values))
