"""What two records are compared by: small conditions that one machine and two databases understand.

A feature of a record is a set of texts (empty: not known), a text or a whole number (None:
not known); see :mod:`kintung.identity.matching.features`. A condition looks at features of
both records and is the same whichever of the two comes first. It is evaluated here, in
Python, and rendered as SQL over two joined rows ``l`` and ``r``, for the batch: what Python
says and what the database says cannot drift apart, since both are made of one table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal

Dialect = Literal["duckdb", "spark"]
Test = Callable[[Any, Any], bool]
"""Of two records; True where the condition holds."""

_OVERLAP = {"duckdb": "list_has_any({0}, {1})", "spark": "arrays_overlap({0}, {1})"}
_COVERS = {
    "duckdb": "(len({1}) > 0 and list_has_all({0}, {1}))",
    "spark": "(size({1}) > 0 and size(array_except({1}, {0})) = 0)",
}
_SIZE = {"duckdb": "len({0})", "spark": "size({0})"}


@dataclass(frozen=True, slots=True)
class Shared:
    """The two sets have a text in common."""

    feature: str

    def test(self) -> Test:
        get = attrgetter(self.feature)
        return lambda a, b: not get(a).isdisjoint(get(b))

    def sql(self, dialect: Dialect) -> str:
        return _OVERLAP[dialect].format(f"{self.feature}_l", f"{self.feature}_r")


@dataclass(frozen=True, slots=True)
class Crossed:
    """A text of one feature of either record is in another feature of the other."""

    one: str
    other: str

    def test(self) -> Test:
        one, other = attrgetter(self.one), attrgetter(self.other)
        return lambda a, b: not one(a).isdisjoint(other(b)) or not one(b).isdisjoint(other(a))

    def sql(self, dialect: Dialect) -> str:
        overlap = _OVERLAP[dialect]
        there = overlap.format(f"{self.one}_l", f"{self.other}_r")
        back = overlap.format(f"{self.one}_r", f"{self.other}_l")
        return f"({there} or {back})"


@dataclass(frozen=True, slots=True)
class Covered:
    """Every text of ``part`` of either record is in ``whole`` of the other, and there is one."""

    part: str
    whole: str

    def test(self) -> Test:
        part, whole = attrgetter(self.part), attrgetter(self.whole)

        def covered(a: Any, b: Any) -> bool:
            return (bool(part(a)) and part(a) <= whole(b)) or (bool(part(b)) and part(b) <= whole(a))

        return covered

    def sql(self, dialect: Dialect) -> str:
        covers = _COVERS[dialect]
        there = covers.format(f"{self.whole}_r", f"{self.part}_l")
        back = covers.format(f"{self.whole}_l", f"{self.part}_r")
        return f"({there} or {back})"


@dataclass(frozen=True, slots=True)
class Same:
    """The two texts are known and equal."""

    feature: str

    def test(self) -> Test:
        get = attrgetter(self.feature)
        return lambda a, b: get(a) is not None and get(a) == get(b)

    def sql(self, dialect: Dialect) -> str:
        del dialect
        return f"{self.feature}_l = {self.feature}_r"


@dataclass(frozen=True, slots=True)
class Different:
    """The two texts are known and not equal."""

    feature: str

    def test(self) -> Test:
        get = attrgetter(self.feature)
        return lambda a, b: get(a) is not None and get(b) is not None and get(a) != get(b)

    def sql(self, dialect: Dialect) -> str:
        del dialect
        return f"{self.feature}_l <> {self.feature}_r"


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A text of either record is another text of the other."""

    one: str
    other: str

    def test(self) -> Test:
        one, other = attrgetter(self.one), attrgetter(self.other)

        def mirrored(a: Any, b: Any) -> bool:
            return (one(a) is not None and one(a) == other(b)) or (one(b) is not None and one(b) == other(a))

        return mirrored

    def sql(self, dialect: Dialect) -> str:
        del dialect
        return f"({self.one}_l = {self.other}_r or {self.one}_r = {self.other}_l)"


@dataclass(frozen=True, slots=True)
class Within:
    """The two whole numbers are known and at most ``distance`` apart."""

    feature: str
    distance: int

    def test(self) -> Test:
        get, distance = attrgetter(self.feature), self.distance
        return lambda a, b: get(a) is not None and get(b) is not None and abs(get(a) - get(b)) <= distance

    def sql(self, dialect: Dialect) -> str:
        del dialect
        return f"abs({self.feature}_l - {self.feature}_r) <= {self.distance}"


@dataclass(frozen=True, slots=True)
class Nearly:
    """The two texts are known, and a quarter of the longer or less was added, lost or replaced."""

    feature: str

    def test(self) -> Test:
        get = attrgetter(self.feature)

        def nearly(a: Any, b: Any) -> bool:
            one, other = get(a), get(b)
            return one is not None and other is not None and is_nearly(one, other)

        return nearly

    def sql(self, dialect: Dialect) -> str:
        del dialect
        one, other = f"{self.feature}_l", f"{self.feature}_r"
        return f"levenshtein({one}, {other}) * 4 <= greatest(length({one}), length({other}))"


@dataclass(frozen=True, slots=True)
class Known:
    """Both sets have a text in them."""

    feature: str

    def test(self) -> Test:
        get = attrgetter(self.feature)
        return lambda a, b: bool(get(a)) and bool(get(b))

    def sql(self, dialect: Dialect) -> str:
        size = _SIZE[dialect]
        return f"({size.format(f'{self.feature}_l')} > 0 and {size.format(f'{self.feature}_r')} > 0)"


@dataclass(frozen=True, slots=True)
class Given:
    """Both texts or numbers are known."""

    feature: str

    def test(self) -> Test:
        get = attrgetter(self.feature)
        return lambda a, b: get(a) is not None and get(b) is not None

    def sql(self, dialect: Dialect) -> str:
        del dialect
        return f"({self.feature}_l is not null and {self.feature}_r is not null)"


@dataclass(frozen=True, slots=True)
class Not:
    """The condition, which must be :class:`Known` or :class:`Given`, does not hold."""

    condition: "Known | Given"

    def test(self) -> Test:
        test = self.condition.test()
        return lambda a, b: not test(a, b)

    def sql(self, dialect: Dialect) -> str:
        return f"not {self.condition.sql(dialect)}"


@dataclass(frozen=True, slots=True)
class All:
    """Every one of the conditions holds."""

    conditions: "tuple[Condition, ...]"

    def test(self) -> Test:
        tests = [condition.test() for condition in self.conditions]
        return lambda a, b: all(test(a, b) for test in tests)

    def sql(self, dialect: Dialect) -> str:
        return "(" + " and ".join(condition.sql(dialect) for condition in self.conditions) + ")"


@dataclass(frozen=True, slots=True)
class Either:
    """One of the conditions holds."""

    conditions: "tuple[Condition, ...]"

    def test(self) -> Test:
        tests = [condition.test() for condition in self.conditions]
        return lambda a, b: any(test(a, b) for test in tests)

    def sql(self, dialect: Dialect) -> str:
        return "(" + " or ".join(condition.sql(dialect) for condition in self.conditions) + ")"


Condition = (
    Shared
    | Crossed
    | Covered
    | Same
    | Different
    | Mirrored
    | Within
    | Nearly
    | Known
    | Given
    | Not
    | All
    | Either
)


def is_nearly(one: str, other: str) -> bool:
    """Whether the Levenshtein distance is a quarter of the longer length, or less."""
    most = max(len(one), len(other)) // 4
    if abs(len(one) - len(other)) > most:
        return False
    row = list(range(len(other) + 1))
    for index, sign in enumerate(one, 1):
        before, row[0] = row[0], index
        for column, against in enumerate(other, 1):
            cost = min(row[column] + 1, row[column - 1] + 1, before + (sign != against))
            before, row[column] = row[column], cost
        if min(row) > most:
            return False
    return row[-1] <= most
