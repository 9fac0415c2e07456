"""The score of two records, term by term, and what follows from it."""

from dataclasses import dataclass
from enum import StrEnum
from math import log2

from kintung.identity.matching.features import Record
from kintung.identity.matching.levels import (
    COMPARISONS,
    CONTRADICTIONS,
    HALVES,
    NOT_ON_CARD,
    WHOLE,
    Level,
    Levels,
    levels,
)
from kintung.identity.matching.weights import Weights, weights

_BY_FREQUENCY = tuple(
    {level.name: level.by_frequency for level in comparison.levels} for comparison in COMPARISONS
)
_LEVELS: dict[tuple[str, str], Level] = {
    (comparison.name, level.name): level for comparison in COMPARISONS for level in comparison.levels
}


class Result(StrEnum):
    """What two records are to each other."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Term:
    """One addend of a score: the comparison, its level, the bits, and why in words."""

    comparison: str
    level: str
    bits: float
    why: str


@dataclass(frozen=True, slots=True)
class Match:
    """What comparing two records gave; ``score`` is in bits."""

    result: Result
    score: float
    levels: Levels


def match(a: Record, b: Record, by: Weights | None = None) -> Match:
    """Compare two records; the same whichever comes first.

    Args:
        by: other weights than those in force.
    """
    used = by or weights()
    agreed = levels(a, b)
    total = sum(_bits(a, b, agreed, used))
    return Match(_result(a, b, agreed, total, used), total, agreed)


def explain(
    a: Record, b: Record, by: Weights | None = None, *, agreed: Levels | None = None
) -> tuple[Term, ...]:
    """The addends of the score of :func:`match`, in the order of the comparisons.

    Args:
        agreed: the levels that a match gave, where there is one.
    """
    used = by or weights()
    agreed = agreed or levels(a, b)
    bits = _bits(a, b, agreed, used)
    return tuple(
        Term(comparison.name, level, added, _why(a, b, _LEVELS[comparison.name, level]))
        for comparison, level, added in zip(COMPARISONS, agreed, bits, strict=True)
        if level is not None
    )


def _bits(a: Record, b: Record, agreed: Levels, used: Weights) -> list[float]:
    added: list[float] = []
    for index, level in enumerate(agreed):
        bits = used.bits[index][level] if level is not None else 0.0
        if level is not None and _BY_FREQUENCY[index][level]:
            bits += log2(used.shares[index][level]) - log2(surname_frequency(a, b))
        added.append(bits)
    return added


def surname_frequency(a: Record, b: Record) -> float:
    """How frequent the surname is, of two that agree: that of the commoner."""
    return max(a.surname_frequency or 0.0, b.surname_frequency or 0.0) or 1.0


def _why(a: Record, b: Record, level: Level) -> str:
    if not level.by_frequency:
        return level.says
    return f"{level.says}; borne by {surname_frequency(a, b):.2%} of people"


def _result(a: Record, b: Record, agreed: Levels, total: float, used: Weights) -> Result:
    if is_settled(a, b, used):
        return Result.CERTAIN if total >= used.certain and not contradicts(agreed) else Result.PROBABLE
    if used.verified == "borne-out" and total >= used.borne_out and is_seen(a, b) and is_borne_out(agreed):
        return Result.CERTAIN
    return Result.PROBABLE if total >= used.probable else Result.NONE


def is_settled(a: Record, b: Record, used: Weights) -> bool:
    """Whether a strong identity number on both says that they are one, if nothing contradicts it.

    Its document was seen at the counters of both, or of one where the weights ask no more.
    """
    return is_seen(a, b) if used.verified == "one" else not a.verified.isdisjoint(b.verified)


def is_seen(a: Record, b: Record) -> bool:
    """Whether a strong identity number is on both, and its document was seen at a counter of one."""
    return not a.verified.isdisjoint(b.numbers) or not b.verified.isdisjoint(a.numbers)


def is_borne_out(agreed: Levels) -> bool:
    """Whether all that stands on a card agrees, and something besides that stands on none.

    Nothing contradicts then, as whole names and dates do not.
    """
    found = _named(agreed)
    return all(not found.isdisjoint(part) for part in (*WHOLE, NOT_ON_CARD))


def contradicts(agreed: Levels) -> bool:
    """Whether something speaks against one person, whatever the score."""
    found = _named(agreed)
    return not found.isdisjoint(CONTRADICTIONS) or all(not found.isdisjoint(half) for half in HALVES)


def _named(agreed: Levels) -> set[tuple[str, str]]:
    names = (comparison.name for comparison in COMPARISONS)
    return {(name, level) for name, level in zip(names, agreed, strict=True) if level is not None}
