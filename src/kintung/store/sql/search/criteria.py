"""What a criterion of a search means in SQL, on the index rows of one resource or of all.

It is asked in one of two ways. ``probe`` says whether the resource at hand meets it (a seek
into the index); ``keys`` lists all resources that do. Throughout, ``r`` is the resource and
``x`` an index row of it. Nothing here knows the reader: rows lead to resources, on which the
reader's predicate stands.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kintung.fhir.search import (
    CompositeValue,
    Criterion,
    DateValue,
    Missing,
    NumberValue,
    Parameter,
    QuantityValue,
    StringValue,
    Value,
)
from kintung.store.sql.clauses import ALWAYS, NEVER, Clause, every, is_short, listed, some, starting
from kintung.store.sql.database import Database
from kintung.store.sql.search.composites import pairs_hold
from kintung.store.sql.search.index_rows import atoms_of, has_value, of_resource, rows_of
from kintung.store.sql.search.lookups import Lookups, Numbers, Unit, among_terms
from kintung.store.sql.search.prefixes import date_holds, number_holds, widest
from kintung.store.sql.search.references import leading, named_ends

_ALIKE = 8
"""Alternatives of one form that stand in the statement one by one."""


def probe(lookups: Lookups, criterion: Criterion, r: str = "r") -> Clause:
    """Does the resource at alias ``r`` meet it?"""
    if criterion.parameter.stored:
        return _stored(lookups, criterion, r)
    negated = criterion.modifier == "not"
    if criterion.modifier == "missing":
        value = criterion.values[0]
        assert isinstance(value, Missing)
        negated = value.missing
        found = has_value(lookups.db, criterion.parameter, r)
    else:
        found = of_resource(lookups.db, _source(criterion), _rows(lookups, criterion), r)
    return Clause(f"{found.text} IS {'' if negated else 'NOT '}NULL", found.values)


def keys(lookups: Lookups, criterion: Criterion) -> Clause:
    """A query of (patient_key, key) of all resources that meet it, with repetitions."""
    if criterion.parameter.stored:
        named = listed(lookups.db, "e.key", lookups.ids(criterion.values))
        return Clause(f"SELECT e.patient_key, e.key FROM entity e WHERE {named.text}", named.values)
    source = _source(criterion)
    atoms, few, alike = _alternatives(lookups, criterion)
    # One by one: of an OR, SQLite seeks by the atom alone in tables that are in the order of their key.
    alone = [every(atoms, each) for each in few or ([] if alike else [NEVER])]
    wheres = [Clause(f"FROM {source} WHERE {each.text}", each.values) for each in alone]
    for each in alike:
        by = every(atoms, Clause(each.holds))
        sought = starting(lookups.db, Clause(each.listed, each.values), by, to=source)
        wheres.append(Clause(f"FROM {sought.text}", sought.values))
    return Clause(
        " UNION ALL ".join(f"SELECT x.patient_key, x.key {where.text}" for where in wheres),
        tuple(value for where in wheres for value in where.values),
    )


def asks_all(criterion: Criterion) -> bool:
    """Must it be asked of every resource? Index rows tell nothing of what is absent, nor of updates."""
    if criterion.parameter.stored == "updated" or criterion.modifier == "not":
        return True
    return any(isinstance(value, Missing) and value.missing for value in criterion.values)


# -- the resource itself ----------------------------------------------------------------


def _stored(lookups: Lookups, criterion: Criterion, r: str) -> Clause:
    """``_id`` and ``_lastUpdated``: columns of the resource itself."""
    if criterion.parameter.stored == "id":
        met = listed(lookups.db, f"{r}.key", lookups.ids(criterion.values))
        return Clause(f"NOT ({met.text})", met.values) if criterion.modifier == "not" else met
    options: list[Clause] = []
    for value in criterion.values:
        match value:
            case Missing(missing):
                return NEVER if missing else ALWAYS
            case DateValue():
                options.append(date_holds(value, f"{r}.at", f"({r}.at + 1)"))
            case _:
                raise AssertionError(f"{criterion.parameter.code} has no such value")
    return some(*options)


# -- index rows -------------------------------------------------------------------------


class _Alike(NamedTuple):
    """Alternatives that differ in their values alone: a list ``w``, and what holds of a row of it.

    SQLite plans each alternative of an OR, a millisecond each; a list is planned once.
    """

    listed: str
    holds: str
    values: tuple[object, ...]

    @classmethod
    def of(cls, clauses: Sequence[Clause]) -> "_Alike":
        row = f"({', '.join('?' * len(clauses[0].values))})"
        parts = clauses[0].text.split("?")
        holds = parts[0] + "".join(f"w.column{n}{part}" for n, part in enumerate(parts[1:], 1))
        values = tuple(value for clause in clauses for value in clause.values)
        return cls(f"(VALUES {', '.join([row] * len(clauses))}) w", holds, values)


def _source(criterion: Criterion) -> str:
    """The index rows ``x`` of a criterion; values of references know the types they lead to."""
    if criterion.parameter.kind == "reference" and criterion.modifier is None:
        return "ix_reference x"
    return rows_of(criterion.parameter)


def _rows(lookups: Lookups, criterion: Criterion) -> Clause:
    """Which index rows ``x`` meet one of the values."""
    atoms, few, alike = _alternatives(lookups, criterion)
    lists = [
        Clause(f"EXISTS (SELECT 1 FROM {each.listed} WHERE {each.holds})", each.values) for each in alike
    ]
    return every(atoms, some(*few, *lists))


def _alternatives(lookups: Lookups, criterion: Criterion) -> tuple[Clause, list[Clause], list[_Alike]]:
    """Which rows meet one of the values: what holds of all, those told one by one, lists of many alike."""
    parameter = criterion.parameter
    if parameter.kind == "reference" and criterion.modifier is None:
        return ALWAYS, [leading(lookups.db, named_ends(lookups, criterion))], []
    atoms = atoms_of(parameter)
    if criterion.modifier == "missing":
        return atoms, [ALWAYS], []
    if parameter.kind in ("token", "uri"):
        return atoms, [_in_terms(lookups.db, lookups.present_terms(criterion))], []
    shapes: dict[str, list[Clause]] = {}
    units = lookups.units(criterion.values)
    for value in widest(criterion.values):
        for clause in _clauses(lookups, criterion, value, units):
            shapes.setdefault(clause.text, []).append(clause)
    most = _ALIKE if parameter.kind != "composite" else _alone(shapes)
    few = [clause for clauses in shapes.values() if len(clauses) <= most for clause in clauses]
    many = [clauses for clauses in shapes.values() if len(clauses) > most and clauses[0].values]
    return atoms, few, [_Alike.of(clauses) for clauses in many]


# -- one value --------------------------------------------------------------------------


def _alone(shapes: Mapping[str, Sequence[Clause]]) -> int:
    """Pairs are sought one by one, each by all its columns: of an OR, SQLite sees the atom alone."""
    return 1 if sum(map(len, shapes.values())) == 1 else 0


def _clauses(
    lookups: Lookups, criterion: Criterion, value: Value, units: Mapping[Unit, Numbers]
) -> Sequence[Clause]:
    """Alternatives of which one holds when the value does."""
    if isinstance(value, CompositeValue):
        return pairs_hold(lookups, criterion.parameter, value)
    return [_value(lookups, criterion, value, units)]


def _value(lookups: Lookups, criterion: Criterion, value: Value, units: Mapping[Unit, Numbers]) -> Clause:
    match value:
        case DateValue():
            return date_holds(value, "x.low", "x.high")
        case StringValue():
            return _string(lookups.db, criterion, value)
        case NumberValue():
            return every(_any_unit(lookups, criterion.parameter), number_holds(value))
        case QuantityValue() if value.any_unit:
            return every(_any_unit(lookups, criterion.parameter), number_holds(value))
        case QuantityValue():
            unit = units.get((value.system, value.code), Numbers(()))
            return every(_in_terms(lookups.db, unit), number_holds(value))
        case _:
            raise AssertionError(f"{criterion.parameter.code} has no such value")


def _string(db: Database, criterion: Criterion, value: StringValue) -> Clause:
    if criterion.modifier == "exact":
        return Clause("x.folded = ? AND x.exact = ?", (value.folded, value.text))
    if criterion.modifier == "contains":
        within = "instr" if db.dialect == "sqlite" else "strpos"
        return Clause(f"{within}(x.folded, ?) > 0", (value.folded,))
    return Clause("x.folded >= ? AND x.folded < ?", (value.folded, value.folded + "\U0010ffff\U0010ffff"))


def _any_unit(lookups: Lookups, parameter: Parameter) -> Clause:
    """The units there are, while they are few: amounts are in order within each."""

    def named() -> Clause:
        terms = lookups.units_of(parameter)
        return Clause(f"x.term IN ({', '.join(map(str, terms))})") if terms and is_short(terms) else ALWAYS

    return lookups.once(("any unit", parameter.branches), named)  # the same for every value of a list


def _in_terms(db: Database, terms: Numbers) -> Clause:
    """The term of ``x`` is one of those found."""
    return among_terms(db, "x.term", terms)
