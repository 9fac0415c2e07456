"""The most that two records can score, as SQL: few pairs that share a key can reach what is asked of them.

It is had of a number, a few telephones and addresses, and of the rest the most that could be said, with
surnames by how frequent they are. Sets are dear to fetch and to compare, so each is a signature here: 64
bits, one for each text by its hash. Sets with a text in common have a bit in common; of those with none
few do.
"""

import re
from math import log2

from kintung.definitions.matching import MatchingWeights
from kintung.identity.linkage.settings import FREQUENCY
from kintung.identity.matching.conditions import All, Condition, Crossed, Either, Known, Nearly, Same, Shared
from kintung.identity.matching.levels import COMPARISONS, Comparison, Level
from kintung.identity.matching.numbers import URIS

KNOWN = ("number", "phone", "address")
"""Comparisons of which signatures say the level."""
SLACK = 1e-6
"""Bits that sums in another order may differ by."""
KINDS = tuple(URIS)
"""Kinds of strong numbers. They have a bit each, so that their signatures say just what the sets say."""


def may_ask(weights: MatchingWeights) -> str:
    """Whether the bound lets two records come before a steward: what fails this never does."""
    number = COMPARISONS[0].levels[0].condition
    assert number is not None
    least = f"case when {_rough(number)} then {weights.probable} else {weights.queue} end"
    return f"{bound(weights)} >= {least}"


def signed(weights: MatchingWeights) -> list[str]:
    """The columns of ``signatures`` that the bound is of, but for their ``_l`` and ``_r``."""
    return sorted(set(re.findall(r"\b([a-z_]+)_l\b", may_ask(weights))))


def bound(weights: MatchingWeights) -> str:
    """An expression of the signatures of two records, as ``signed`` names them: no score is more.

    Of the ways to compare a name, and of the two to compare a date, one is used of a pair.
    """
    groups: dict[str, list[str]] = {}
    for comparison in COMPARISONS:
        bits = _of_level(comparison, weights) if comparison.name in KNOWN else _most(comparison, weights)
        groups.setdefault(comparison.name.partition("-")[0], []).append(bits)
    most = (
        each[0] if name in KNOWN else f"greatest(0.0, {', '.join(each)})" for name, each in groups.items()
    )
    return f"{SLACK} + {' + '.join(most)}"


def signatures(weights: MatchingWeights) -> str:
    """The query for the signatures of ``records``."""
    made = (_signature(each) for each in signed(weights))
    return f"select record, {', '.join(made)} from records"


def _signature(feature: str) -> str:
    match feature:
        case "tf_surname_term":
            return feature
        case "address_numbers":  # a text, not a set
            return f"hash({feature}) as {feature}"
        case "number_kinds":
            bit = f"list_position({list(KINDS)}, text)"
        case _:
            bit = "hash(text) % 64"
    bits = f"list_transform({feature}, lambda text: 1::ubigint << ({bit}))"
    return f"coalesce(list_bit_or({bits}), 0::ubigint) as {feature}"


def _of_level(comparison: Comparison, weights: MatchingWeights) -> str:
    """A level that seems to hold may not; then one below does, or nothing can be compared."""
    bits = [_bits(comparison, level, weights) for level in comparison.levels]
    steps = " ".join(
        f"when {_rough(level.condition)} then {max(0.0, *bits[place:])}"
        for place, level in enumerate(comparison.levels)
        if level.condition
    )
    return f"case when not {_rough(comparison.comparable)} then 0.0 {steps} else {bits[-1]} end"


def _rough(condition: Condition) -> str:
    """What holds of signatures whenever the condition holds of the records."""
    match condition:
        case Shared(feature):
            said = f"({feature}_l & {feature}_r) <> 0"
        case Crossed(one, other):
            said = f"({one}_l & {other}_r) <> 0 or ({one}_r & {other}_l) <> 0"
        case Known(feature):
            said = f"{feature}_l <> 0 and {feature}_r <> 0"
        case Same(feature):
            said = f"coalesce({feature}_l = {feature}_r, false)"
        case Nearly():
            said = "true"
        case All(conditions):
            said = " and ".join(map(_rough, conditions))
        case Either(conditions):
            said = " or ".join(map(_rough, conditions))
        case _:
            raise TypeError(f"{condition} has no rough form.")
    return f"({said})"


def _most(comparison: Comparison, weights: MatchingWeights) -> str:
    frequency = f"log2(coalesce(greatest(tf_{FREQUENCY}_l, tf_{FREQUENCY}_r), 1.0))"
    return ", ".join(
        f"{log2(float(weights.comparisons[comparison.name][level.name].m))} - {frequency}"
        if level.by_frequency
        else str(_bits(comparison, level, weights))
        for level in comparison.levels
    )


def _bits(comparison: Comparison, level: Level, weights: MatchingWeights) -> float:
    of_level = weights.comparisons[comparison.name][level.name]
    return log2(float(of_level.m) / float(of_level.u))
