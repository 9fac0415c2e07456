"""What agreement between two records weighs, from ``matching/``: dated, trained, never typed in.

``scripts/train_matching_weights.py`` writes the files. For each level of each comparison of
``kintung.identity.matching`` they hold ``m``, the share of pairs of one person that agree so,
and ``u``, the share of pairs of two people; both are shares of the pairs that can be compared.
"""

from datetime import date
from functools import cache
from typing import Literal

import msgspec

from kintung.definitions.label import Label
from kintung.definitions.reader import read
from kintung.errors import ValueInvalid


class LevelWeight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``m`` and ``u`` of one level, decimal fractions above 0."""

    m: str
    u: str


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the weights were trained on: synthetic people of ``seed`` at ``rates`` times the defined rates."""

    people: int
    seed: int
    rates: str
    version: str


class MatchingWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One set of weights, in force from ``start`` until the next starts.

    ``certain`` and ``probable`` are the least scores of the two results, ``queue`` of what a batch
    puts before a steward where no number is shared. ``verified``: whether the number of a certain
    link was seen at both counters; or at one, and what is on no card bears it out; or at one.
    ``borne_out`` is the least score of the second. ``surnames`` are the shares of surnames, most
    frequent first.
    """

    id: str
    label: Label
    start: date
    source: str
    training: Training
    certain: str
    probable: str
    queue: str
    verified: Literal["both", "borne-out", "one"]
    borne_out: str
    comparisons: dict[str, dict[str, LevelWeight]]
    surnames: dict[str, str]


@cache
def matching_weights() -> MatchingWeights:
    """Return the weights with the latest start.

    Raises:
        ValueInvalid: two start on one day, or a share is not above 0 and at most 1.
    """
    return load_weights(read("matching", MatchingWeights))


def load_weights(files: dict[str, MatchingWeights]) -> MatchingWeights:
    """Check weights by file name and give the latest; raises as :func:`matching_weights`."""
    by_start = {weights.start: weights for weights in files.values()}
    if len(by_start) != len(files):
        raise ValueInvalid("definitions/matching: two sets of weights start on one day")
    for name, weights in files.items():
        shares = [
            share
            for ladder in weights.comparisons.values()
            for each in ladder.values()
            for share in (each.m, each.u)
        ]
        for share in (*shares, *weights.surnames.values()):
            if not 0 < _number(name, share) <= 1:
                raise ValueInvalid(f"definitions/matching/{name}: {share} is not above 0 and at most 1")
        if _number(name, weights.probable) > min(
            _number(name, weights.certain), _number(name, weights.queue)
        ):
            raise ValueInvalid(f"definitions/matching/{name}: probable is above certain or queue")
        if _number(name, weights.certain) > _number(name, weights.borne_out):
            raise ValueInvalid(f"definitions/matching/{name}: certain is above borne_out")
    return by_start[max(by_start)]


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueInvalid(f"definitions/matching/{name}: {text!r} is not a number") from None
