"""Composite values in SQL: what holds of a row ``x`` of ``ix_composite``.

Its columns are those of ``kintung.store.composites``: two terms, or a target and a term, or a
term and a unit with an amount, or two plain numbers.
"""

from collections.abc import Sequence
from itertools import product

from kintung.fhir.search import (
    CompositeValue,
    NumberValue,
    Parameter,
    QuantityValue,
    ReferenceValue,
    TokenValue,
    Value,
)
from kintung.store.sql.clauses import Clause, every, is_short
from kintung.store.sql.search.lookups import Lookups, Numbers, among_terms
from kintung.store.sql.search.prefixes import number_holds

WITHOUT_AMOUNT = Clause("x.low = ? AND x.high = ?", (b"", b""))
"""Holds of all rows of an atom without amounts: said so that they are known to be in the order of keys."""

_FEW = 6
"""Pairs of numbers that one value stands for, up to which each is an alternative of its own: of one
form with those of other values, and so planned once with them."""


def pairs_hold(lookups: Lookups, parameter: Parameter, value: CompositeValue) -> list[Clause]:
    """Alternatives of which one holds when both parts do."""
    first, second = value.parts
    if isinstance(first, NumberValue):
        assert isinstance(second, NumberValue), second
        return [every(number_holds(first, "x.low", "x.low"), number_holds(second, "x.high", "x.high"))]
    amount = number_holds(second) if isinstance(second, QuantityValue) else WITHOUT_AMOUNT
    firsts = numbers_of(lookups, first)
    seconds = _seconds(lookups, parameter, firsts, second)
    if seconds is None:
        return [every(among_terms(lookups.db, "x.first", firsts), amount)]
    pairs = list(product(firsts.found, seconds.found))
    if not firsts.systems and not seconds.systems and len(pairs) <= _FEW:
        return [every(Clause("x.first = ? AND x.second = ?", pair), amount) for pair in pairs]
    return [
        every(
            among_terms(lookups.db, "x.first", firsts),
            among_terms(lookups.db, "x.second", seconds),
            amount,
        )
    ]


def token_pairs(lookups: Lookups, values: Sequence[Value], most: int) -> list[tuple[int, int]]:
    """The numbers that values without an amount stand for; none when there are more than ``most``."""
    pairs: dict[tuple[int, int], None] = {}
    for value in values:
        assert isinstance(value, CompositeValue), value
        first, second = value.parts
        if isinstance(second, NumberValue | QuantityValue):
            return []
        firsts, seconds = numbers_of(lookups, first), numbers_of(lookups, second)
        if firsts.systems or seconds.systems or len(firsts.found) * len(seconds.found) > most:
            return []
        pairs.update(dict.fromkeys(product(firsts.found, seconds.found)))
    return list(pairs) if len(pairs) <= most else []


def numbers_of(lookups: Lookups, part: Value) -> Numbers:
    """What a token, or a reference, is in the tables."""
    if isinstance(part, ReferenceValue):
        return Numbers(tuple(key for key, _ in lookups.targets((part,))))
    assert isinstance(part, TokenValue), part
    return lookups.terms((part,))


def _seconds(lookups: Lookups, parameter: Parameter, firsts: Numbers, part: Value) -> Numbers | None:
    """The terms of a second part; None for any: amounts are in order within each unit."""
    if not isinstance(part, QuantityValue):
        return numbers_of(lookups, part)
    if not part.any_unit:
        return lookups.units((part,)).get((part.system, part.code), Numbers(()))
    if firsts.systems or not is_short(firsts.found):
        return None
    atoms = [branch.atom for branch in parameter.branches]
    units = lookups.once(
        ("units beside", parameter.branches, firsts), lambda: lookups.units_beside(atoms, firsts.found)
    )
    return Numbers(tuple(units)) if is_short(units) else None
