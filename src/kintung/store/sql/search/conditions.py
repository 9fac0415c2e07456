"""What a condition means in SQL, however far it leads: criteria, chains, ``_has``.

``subject:Patient.name=cheung`` is a condition on the resources that references lead to,
``_has:Observation:subject:code=1234-5`` one on the resources whose references lead here; either
may stand inside the other. What is at the other end is looked up before the search while it is
little: then a chain is a search for references, and a hub is one seek. The reader's predicate
stands on each resource on the way, and all else is reached through ``r``, the one asked.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeGuard, cast

from kintung.fhir.search import (
    AllOf,
    AnyOf,
    Chain,
    Compartment,
    Condition,
    Criterion,
    Everything,
    Has,
    Parameter,
)
from kintung.store.sql.clauses import ALWAYS, Clause, among, every, listed, some, starting
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.search import criteria
from kintung.store.sql.search.compartments import (
    keys_of_compartment,
    keys_of_everything,
    probe_compartment,
    probe_everything,
)
from kintung.store.sql.search.criteria import asks_all
from kintung.store.sql.search.index_rows import by_resource, of_resource
from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.search.prefixes import is_range
from kintung.store.sql.search.references import Ends, tested
from kintung.store.sql.visibility import StoredReader, visible

FEW = 1000
"""Index rows up to which a criterion is worth starting from; counting further is not."""
MANY_ENDS = 256
"""Resources at the other end, up to which they are listed before the search."""
MANY_INDEXED = 2_048
"""The same when index rows say all of them, which cost a twentieth."""
MANY_REFERENCES = 1_024
"""References of what ``_has`` asks for, up to which they are followed before the search."""


def probe(  # noqa: PLR0911 - one case a condition
    lookups: Lookups, who: StoredReader, condition: Condition, r: str = "r"
) -> Clause:
    """Does the resource at alias ``r`` meet it?"""
    match condition:
        case Criterion():
            return criteria.probe(lookups, condition, r)
        case Chain():
            return _probe_chain(lookups, who, condition, r)
        case Has():
            return _probe_has(lookups, who, condition, r)
        case Compartment():
            return probe_compartment(lookups, condition, r)
        case Everything():
            return probe_everything(lookups, who, condition, r)
        case AllOf(conditions):
            return every(*(probe(lookups, who, each, r) for each in conditions))
        case AnyOf(conditions):
            return some(*(probe(lookups, who, each, r) for each in conditions))


def keys(  # noqa: PLR0911 - one case a condition
    lookups: Lookups, who: StoredReader, condition: Condition
) -> Clause:
    """A query of (patient_key, key) of all resources that meet it, with repetitions."""
    match condition:
        case Criterion():
            return criteria.keys(lookups, condition)
        case Chain():
            ends = ends_of(lookups, who, condition)
            rows = some(*(every(among("x.atom", end.atoms), _led(lookups.db, end)) for end in ends))
            return Clause(f"SELECT x.patient_key, x.key FROM ix_reference x WHERE {rows.text}", rows.values)
        case Has():
            return _keys_referred_to(lookups, who, condition)
        case Compartment():
            return keys_of_compartment(lookups, condition)
        case Everything():
            return keys_of_everything(lookups, who, condition)
        case AllOf():
            return _keys_of_all(lookups, who, condition)
        case AnyOf(conditions):
            each = [keys(lookups, who, one) for one in conditions]
            text = " UNION ALL ".join(f"SELECT u.patient_key, u.key FROM ({one.text}) u" for one in each)
            return Clause(text, tuple(value for one in each for value in one.values))


def is_wide(lookups: Lookups, who: StoredReader, condition: Condition) -> bool:
    """Does it lead to more than ``MANY_ENDS``, or is every way to begin with it as wide as ``FEW``?"""
    match condition:
        case Criterion():
            return False
        case Compartment() | Everything():
            return False
        case AllOf():
            return not asks_of_all(condition) and _beginning(lookups, who, condition).rows > FEW
        case AnyOf(conditions):
            return any(is_wide(lookups, who, each) for each in conditions)
        case Chain():
            return any(end.query is not None for end in ends_of(lookups, who, condition))
        case Has():
            return _referred_to(lookups, who, condition).keys is None


def is_indexed(condition: Condition) -> bool:
    """Do index rows say all of it? They are of current resources of its types alone.

    What is referred to may be absent, or of another type; so may be the owner of a compartment.
    """
    match condition:
        case Criterion():
            return not asks_all(condition) and condition.parameter.stored is None
        case Chain():
            return True
        case Has() | Everything():
            return False
        case Compartment(itself=itself):
            return not itself
        case AllOf(conditions) | AnyOf(conditions):
            return all(is_indexed(each) for each in conditions)


def has_range(condition: Condition) -> bool:
    """Do the index rows that meet it lie together, so that listing them reads little else?"""
    match condition:
        case Criterion():
            if asks_all(condition) or condition.modifier in ("missing", "contains"):
                return False
            return all(is_range(value) for value in condition.values)
        case Chain() | Has() | Compartment() | Everything():
            return True
        case AllOf(conditions):
            return any(has_range(each) for each in conditions)
        case AnyOf(conditions):
            return all(has_range(each) for each in conditions)


def count(db: Database, keys: Clause, most: int) -> int:
    """How many keys there are, at most so many."""
    text = f"SELECT count(*) FROM (SELECT 1 FROM ({keys.text}) k LIMIT {most:d}) n"
    return cast(int, db.rows(text, keys.values)[0][0])


class _Beginning(NamedTuple):
    """The condition of several with the fewest index rows, counted up to a little over ``FEW``."""

    condition: Condition
    rows: int


def _beginning(lookups: Lookups, who: StoredReader, asked: AllOf) -> _Beginning:
    return lookups.once(("beginning", who, asked), lambda: _look_up_beginning(lookups, who, asked))


def _look_up_beginning(lookups: Lookups, who: StoredReader, asked: AllOf) -> _Beginning:
    conditions = [condition for condition in asked.conditions if has_range(condition)]
    counted = [
        _Beginning(condition, count(lookups.db, keys(lookups, who, condition), FEW + 1))
        for condition in conditions
    ]
    listable = [condition for condition in asked.conditions if not asks_of_all(condition)]
    return min(counted, key=lambda each: each.rows, default=_Beginning(listable[0], FEW + 1))


def _keys_of_all(lookups: Lookups, who: StoredReader, asked: AllOf) -> Clause:
    """The keys of the condition with the fewest, of which the others are asked."""
    start = _beginning(lookups, who, asked).condition
    begun = keys(lookups, who, start)
    others = (condition for condition in asked.conditions if condition != start)
    met = every(*(probe(lookups, who, condition, "b") for condition in others))
    return Clause(
        f"SELECT b.patient_key, b.key FROM ({begun.text}) b WHERE {met.text}", begun.values + met.values
    )


def asks_of_all(condition: Condition) -> bool:
    """Must it be asked of every resource, as no index row tells of it?"""
    match condition:
        case Criterion():
            return asks_all(condition)
        case Chain() | Has() | Compartment() | Everything():
            return False
        case AllOf(conditions):
            return all(asks_of_all(each) for each in conditions)
        case AnyOf(conditions):
            return any(asks_of_all(each) for each in conditions)


def is_of_forms(condition: Condition) -> bool:
    """Is it a name that is asked for in all its forms?"""
    match condition:
        case AnyOf((Criterion(parameter), *_)):
            return parameter.kind == "string"
        case _:
            return False


def is_updated(condition: Condition) -> TypeGuard[Criterion]:
    """Is it asked of the instant of the last update?"""
    return isinstance(condition, Criterion) and condition.parameter.stored == "updated"


def _meeting(lookups: Lookups, who: StoredReader, type: str, condition: Condition) -> Clause:
    """FROM, with its WHERE: resources ``r`` of a type that the reader sees and that meet a condition."""
    of_type = Clause("r.type = ?", (TYPE_NUMBERS[type],))
    seen = every(
        Clause("r.deleted = 0"),
        visible(who, "r"),
    )
    if asks_of_all(condition):
        where = every(of_type, seen, probe(lookups, who, condition))
        return Clause(f"resource r WHERE {where.text}", where.values)
    found = keys(lookups, who, condition)
    by = every(Clause("r.patient_key = k.patient_key AND r.key = k.key"), of_type)
    return starting(lookups.db, Clause(f"({found.text}) k", found.values), by, seen)


def _next(r: str, letter: str) -> str:
    """The alias of a resource one link on from ``r``: no other on the way has it."""
    return letter if r == "r" else r + letter


# -- forward ----------------------------------------------------------------------------


def _probe_chain(lookups: Lookups, who: StoredReader, chain: Chain, r: str) -> Clause:
    """By the targets, where they are listed; else by what each reference of ``r`` leads to."""
    ends = ends_of(lookups, who, chain)
    if all(end.query is None for end in ends):
        found = of_resource(lookups.db, "ix_reference x", tested(lookups.db, ends), r)
        return Clause(f"{found.text} IS NOT NULL", found.values)
    return some(*(_followed(lookups, who, chain.parameter, type, inner, r) for type, inner in chain.inner))


def _followed(
    lookups: Lookups, who: StoredReader, parameter: Parameter, type: str, inner: Condition, r: str
) -> Clause:
    """Does a reference of ``r`` lead to a resource ``t`` of the type that meets the inner condition?"""
    db, t = lookups.db, _next(r, "t")
    references = Clause(by_resource(db, "ix_reference x"))
    entities = starting(db, references, Clause("e.key = x.target"), to="entity e")
    by = Clause(
        f"{t}.patient_key = e.patient_key AND {t}.key = e.key AND {t}.type = ?", (TYPE_NUMBERS[type],)
    )
    met = every(Clause(f"{t}.deleted = 0"), visible(who, t), probe(lookups, who, inner, t))
    targets = starting(db, entities, by, met, f"resource {t}")
    atoms = among("x.atom", _atoms(parameter, type))
    return Clause(
        f"(SELECT 1 FROM {targets.text}"
        f" WHERE x.patient_key = {r}.patient_key AND x.key = {r}.key AND {atoms.text} LIMIT 1) IS NOT NULL",
        targets.values + atoms.values,
    )


def _led(db: Database, end: Ends) -> Clause:
    """All targets, those past ``MANY_ENDS`` too."""
    if end.query is None:
        return listed(db, "x.target", end.targets)
    return Clause(f"x.target IN ({end.query.text})", end.query.values)


def ends_of(lookups: Lookups, who: StoredReader, chain: Chain) -> Sequence[Ends]:
    """What a chain may end at, by type."""
    return lookups.once(
        ("ends", who, chain),
        lambda: [_end(lookups, who, chain.parameter, type, inner) for type, inner in chain.inner],
    )


def _end(lookups: Lookups, who: StoredReader, parameter: Parameter, type: str, inner: Condition) -> Ends:
    """Targets that are visible, of that type, and meet the inner condition."""
    atoms = _atoms(parameter, type)
    if who.reader.sees_all and is_indexed(inner):
        return _indexed_end(lookups, atoms, keys(lookups, who, inner))
    meeting = _meeting(lookups, who, type, inner)
    ends = Clause(f"SELECT r.key FROM {meeting.text}", meeting.values)
    found = lookups.db.rows(f"{ends.text} LIMIT {MANY_ENDS + 1:d}", ends.values)
    return Ends(atoms, _distinct(found), ends if len(found) > MANY_ENDS else None)


def _indexed_end(lookups: Lookups, atoms: Sequence[int], indexed: Clause) -> Ends:
    """Targets that index rows say all of, counted before they are listed: that costs a sixth."""
    ends = Clause(f"SELECT k.key FROM ({indexed.text}) k", indexed.values)
    if count(lookups.db, indexed, MANY_INDEXED + 1) > MANY_INDEXED:
        return Ends(atoms, (), ends)
    return Ends(atoms, _distinct(lookups.db.rows(ends.text, ends.values)))


def _distinct(found: Sequence[Row]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(cast(int, key) for (key,) in found))


def _atoms(parameter: Parameter, type: str) -> list[int]:
    """The atoms of references that may lead to a type."""
    return [branch.atom for branch in parameter.branches if branch.target in (None, type)]


# -- back -------------------------------------------------------------------------------


class _ReferredTo(NamedTuple):
    """What is referred to: ``keys`` while they are few, and a query of (patient_key, key) of all."""

    keys: tuple[int, ...] | None
    query: Clause


def _probe_has(lookups: Lookups, who: StoredReader, has: Has, r: str) -> Clause:
    """By what is referred to, where that is little; else by each reference that leads to ``r``."""
    found = _referred_to(lookups, who, has)
    if found.keys is not None:
        return listed(lookups.db, f"{r}.key", found.keys)
    h = _next(r, "h")
    by = Clause(
        f"{h}.patient_key = x.patient_key AND {h}.key = x.key AND {h}.type = ?", (TYPE_NUMBERS[has.type],)
    )
    met = every(Clause(f"{h}.deleted = 0"), visible(who, h), probe(lookups, who, has.inner, h))
    referring = starting(lookups.db, Clause("ix_reference x"), by, met, f"resource {h}")
    rows = every(Clause(f"x.target = {r}.key"), _leading_to(has.parameter, f"{r}.type"))
    return Clause(
        f"(SELECT 1 FROM {referring.text} WHERE {rows.text} LIMIT 1) IS NOT NULL",
        referring.values + rows.values,
    )


def _keys_referred_to(lookups: Lookups, who: StoredReader, has: Has) -> Clause:
    found = _referred_to(lookups, who, has)
    if found.keys is None:
        return found.query
    named = listed(lookups.db, "e.key", found.keys)
    return Clause(f"SELECT e.patient_key, e.key FROM entity e WHERE {named.text}", named.values)


def _referred_to(lookups: Lookups, who: StoredReader, has: Has) -> _ReferredTo:
    return lookups.once(("referred to", who, has), lambda: _look_up_referred_to(lookups, who, has))


def _look_up_referred_to(lookups: Lookups, who: StoredReader, has: Has) -> _ReferredTo:
    db = lookups.db
    meeting = _meeting(lookups, who, has.type, has.inner)
    referring = Clause(f"(SELECT r.patient_key, r.key FROM {meeting.text}) h", meeting.values)
    of_those = every(
        Clause("x.patient_key = h.patient_key AND x.key = h.key"),
        among("x.atom", [branch.atom for branch in has.parameter.branches]),
    )
    references = starting(db, referring, of_those, to=by_resource(db, "ix_reference x"))
    narrowed = _leading_to(has.parameter, "e.type")
    targets = starting(db, references, Clause("e.key = x.target"), narrowed, "entity e")
    query = Clause(f"SELECT e.patient_key, e.key FROM {targets.text}", targets.values)
    found = db.rows(f"{query.text} LIMIT {MANY_REFERENCES + 1:d}", query.values)
    targets = dict.fromkeys(cast(int, key) for _, key in found)
    is_little = len(found) <= MANY_REFERENCES and len(targets) <= MANY_ENDS
    few = tuple(targets) if is_little else None
    return _ReferredTo(few, query)


def _leading_to(parameter: Parameter, type_column: str) -> Clause:
    """WHERE: index rows ``x`` of a reference parameter, those of some branches to one type alone."""
    options: list[Clause] = []
    for target in dict.fromkeys(branch.target for branch in parameter.branches):
        atoms = among("x.atom", [branch.atom for branch in parameter.branches if branch.target == target])
        of_type = ALWAYS if target is None else Clause(f"{type_column} = ?", (TYPE_NUMBERS[target],))
        options.append(every(atoms, of_type))
    return some(*options)
