"""The weights in force, as numbers ready to be added."""

from dataclasses import dataclass
from functools import cache
from math import log2
from typing import Literal

from kintung.definitions.matching import MatchingWeights, matching_weights
from kintung.errors import ValueInvalid
from kintung.identity.matching.levels import COMPARISONS


@dataclass(frozen=True, slots=True)
class Weights:
    """What each level adds to a score, in bits: log2 of ``m`` by ``u``.

    ``bits`` and ``shares`` (``u``, by which a frequency is judged) are by comparison and level.
    """

    id: str
    certain: float
    probable: float
    queue: float
    verified: Literal["both", "borne-out", "one"]
    borne_out: float
    bits: tuple[dict[str, float], ...]
    shares: tuple[dict[str, float], ...]


@cache
def weights() -> Weights:
    """The weights of the latest definition."""
    return weights_of(matching_weights())


def weights_of(definition: MatchingWeights) -> Weights:
    """Turn a definition into numbers.

    Raises:
        ValueInvalid: its comparisons or levels are not those of this version.
    """
    wanted = {each.name: {level.name for level in each.levels} for each in COMPARISONS}
    if {name: set(ladder) for name, ladder in definition.comparisons.items()} != wanted:
        raise ValueInvalid(f"the weights {definition.id} are not for the levels of this version")
    ladders = [definition.comparisons[each.name] for each in COMPARISONS]
    return Weights(
        id=definition.id,
        certain=float(definition.certain),
        probable=float(definition.probable),
        queue=float(definition.queue),
        verified=definition.verified,
        borne_out=float(definition.borne_out),
        bits=tuple(
            {name: log2(float(level.m) / float(level.u)) for name, level in ladder.items()}
            for ladder in ladders
        ),
        shares=tuple({name: float(level.u) for name, level in ladder.items()} for ladder in ladders),
    )
