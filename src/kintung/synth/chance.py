"""Chance from a seed, and choosing by weight. Nothing here or above asks the machine for chance."""

from bisect import bisect
from collections.abc import Iterable, Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

Chance = Random
"""A generator that gives the same for the same seed on every machine."""

T = TypeVar("T")


def seeded(seed: int | str) -> Chance:
    """Return a generator of its own for a seed."""
    return Random(seed)  # noqa: S311 - people are invented, not kept secret


class Weighted(Generic[T]):
    """Values of which one is drawn in proportion to its weight.

    The cumulated weights are made once and bisected, which is half the time of ``random.choices``.
    """

    def __init__(self, values: Sequence[T], weights: Iterable[float]) -> None:
        self._values = tuple(values)
        self._cumulated = tuple(accumulate(map(float, weights)))

    def draw(self, chance: Chance) -> T:
        return self._values[bisect(self._cumulated, chance.random() * self._cumulated[-1])]


def by_rank(values: Sequence[T]) -> Weighted[T]:
    """Values whose weight falls with one over the rank."""
    return Weighted(values, (1 / (rank + 2) for rank in range(len(values))))
