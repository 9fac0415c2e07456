"""What references lead to, as targets of index rows ``x`` of ``ix_reference``."""

from collections.abc import Sequence
from typing import NamedTuple

from kintung.fhir.search import Criterion
from kintung.store.sql.clauses import Clause, among, every, held, listed, some
from kintung.store.sql.database import Database
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.search.lookups import Lookups


class Ends(NamedTuple):
    """References of these atoms that lead to these targets; to those of the query, when they are more."""

    atoms: Sequence[int]
    targets: Sequence[int]
    query: Clause | None = None


def named_ends(lookups: Lookups, criterion: Criterion) -> list[Ends]:
    """What the values of a criterion name, by the type that branches lead to."""
    targets = lookups.targets(criterion.values)
    branches = criterion.parameter.branches
    ends: list[Ends] = []
    for wanted in dict.fromkeys(branch.target for branch in branches):
        atoms = [branch.atom for branch in branches if branch.target == wanted]
        number = None if wanted is None else TYPE_NUMBERS[wanted]
        ends.append(Ends(atoms, tuple(key for key, type in targets if number in (None, type))))
    return ends


def leading(db: Database, ends: Sequence[Ends]) -> Clause:
    """Index rows ``x`` that lead to one of the targets listed."""
    return some(*(every(among("x.atom", end.atoms), listed(db, "x.target", end.targets)) for end in ends))


def tested(db: Database, ends: Sequence[Ends]) -> Clause:
    """The same of the index rows of one resource: a long list is what they are held against."""
    return some(*(every(among("x.atom", end.atoms), held(db, "x.target", end.targets)) for end in ends))
