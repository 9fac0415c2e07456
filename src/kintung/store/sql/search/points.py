"""Points: criteria whose index rows lie together in the order of (patient_key, key).

They can be merged with each other, and the person they are all of is found with two seeks.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

from kintung.fhir.search import (
    AllOf,
    AnyOf,
    Chain,
    Compartment,
    Condition,
    Criterion,
    Everything,
    Has,
    Query,
)
from kintung.store.sql.clauses import ALWAYS, Clause, every
from kintung.store.sql.database import Database
from kintung.store.sql.search.compartments import of_compartment
from kintung.store.sql.search.composites import WITHOUT_AMOUNT, token_pairs
from kintung.store.sql.search.conditions import ends_of
from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.search.references import Ends, named_ends
from kintung.store.sql.visibility import StoredReader

_FEW = 8
"""Points of a criterion that are looked at to find the one that has rows."""


class Point(NamedTuple):
    """All index rows of one atom and one number: each resource once, in order of (patient_key, key).

    Those of a composite have two numbers, and no amount that would come between.
    """

    table: Literal["ix_token", "ix_reference", "ix_composite"]
    atom: int
    number: int
    second: int = 0

    @property
    def where(self) -> Clause:
        if self.table == "ix_composite":
            pair = Clause(
                "x.atom = ? AND x.first = ? AND x.second = ?", (self.atom, self.number, self.second)
            )
            return every(pair, WITHOUT_AMOUNT)
        column = "term" if self.table == "ix_token" else "target"
        return Clause(f"x.atom = ? AND x.{column} = ?", (self.atom, self.number))

    def keys(self, person: int | None) -> Clause:
        """A query of (patient_key, key), of one person's rows when there is one."""
        of_person = Clause("x.patient_key = ?", (person,)) if person is not None else ALWAYS
        where = every(self.where, of_person)
        return Clause(f"SELECT x.patient_key, x.key FROM {self.table} x WHERE {where.text}", where.values)


def points_of(lookups: Lookups, who: StoredReader, query: Query) -> dict[Condition, Point]:
    """The criteria of a search that are points."""
    found = ((condition, point_of(lookups, who, condition)) for condition in query.criteria)
    return {condition: point for condition, point in found if point is not None}


def point_of(lookups: Lookups, who: StoredReader, condition: Condition) -> Point | None:
    """The one atom and number that say all of it; None when it takes several, or other rows."""
    return lookups.once(("point", who, condition), lambda: _look_up(lookups, who, condition))


def _look_up(lookups: Lookups, who: StoredReader, condition: Condition) -> Point | None:
    found = [point for point in _candidates(lookups, who, condition) if _has_rows(lookups.db, point)]
    return found[0] if len(found) == 1 else None


def _candidates(lookups: Lookups, who: StoredReader, condition: Condition) -> Sequence[Point]:
    """Every point of a criterion whose rows lie at few; none when they lie otherwise."""
    match condition:
        case Criterion():
            return _of_criterion(lookups, condition)
        case Chain():
            return _of_ends(ends_of(lookups, who, condition))
        case Compartment(itself=False):
            return _of_ends([of_compartment(lookups, condition)])
        case Has() | Compartment() | Everything() | AllOf() | AnyOf():
            return ()


def _of_criterion(lookups: Lookups, criterion: Criterion) -> Sequence[Point]:
    if criterion.modifier is not None or criterion.parameter.stored is not None:
        return ()
    match criterion.parameter.kind:
        case "reference":
            return _of_ends(named_ends(lookups, criterion))
        case "token" | "uri":
            return _of_terms(lookups, criterion)
        case "composite":
            return _of_pairs(lookups, criterion)
        case _:
            return ()


def _of_terms(lookups: Lookups, criterion: Criterion) -> Sequence[Point]:
    branches = criterion.parameter.branches
    if any(branch.target for branch in branches):
        return ()
    terms = lookups.terms(criterion.values)
    if terms.systems or len(terms.found) * len(branches) > _FEW:
        return ()
    return [Point("ix_token", branch.atom, number) for branch in branches for number in terms.found]


def _of_pairs(lookups: Lookups, criterion: Criterion) -> Sequence[Point]:
    branches = criterion.parameter.branches
    pairs = token_pairs(lookups, criterion.values, _FEW // len(branches))
    return [Point("ix_composite", branch.atom, *pair) for branch in branches for pair in pairs]


def _of_ends(ends: Sequence[Ends]) -> Sequence[Point]:
    if any(end.query is not None for end in ends):
        return ()
    if sum(len(end.targets) * len(end.atoms) for end in ends) > _FEW:
        return ()
    return [
        Point("ix_reference", atom, target) for end in ends for target in end.targets for atom in end.atoms
    ]


def _has_rows(db: Database, point: Point) -> bool:
    """A code without a system is a number in each system that has it: most are of other parameters."""
    where = point.where
    return bool(db.rows(f"SELECT 1 FROM {point.table} x WHERE {where.text} LIMIT 1", where.values))


def one_person(lookups: Lookups, who: StoredReader, query: Query) -> int | None:
    """The patient key that all which matches has, when a point says so and the reader may see that person's.

    Who may not begins elsewhere: nothing of the person's rows would be found.
    """
    points = points_of(lookups, who, query).values()
    found = next((person for point in points if (person := _person_of(lookups, point)) is not None), None)
    return found if found is not None and _may_see(lookups.db, who, found) else None


def is_of(lookups: Lookups, who: StoredReader, condition: Condition, person: int) -> bool:
    """Does only what is of this person meet it? Then most of the person's rows do."""
    point = point_of(lookups, who, condition)
    return point is not None and _person_of(lookups, point) == person


def _person_of(lookups: Lookups, point: Point) -> int | None:
    """The patient key that all rows of a point have, when they have one: a seek at each end."""

    def look() -> int | None:
        ends = "SELECT x.patient_key FROM {0} x WHERE {1} ORDER BY x.patient_key{2} LIMIT 1"
        where = point.where
        low, high = (ends.format(point.table, where.text, way) for way in ("", " DESC"))
        first, last = lookups.db.rows(f"SELECT ({low}), ({high})", where.values * 2)[0]
        return cast(int, first) if first == last and first is not None else None

    return lookups.once(("person", point), look)


def _may_see(db: Database, who: StoredReader, person: int) -> bool:
    """Is the person in the reader's scope? What is of nobody is of no scope."""
    scope = who.reader.persons
    if isinstance(scope, bool) or person == 0:
        return scope is not False or person == 0
    held = "SELECT 1 FROM scope_person g WHERE g.scope = ? AND g.patient_key = ?"
    return bool(db.rows(held, (scope.number, person)))
