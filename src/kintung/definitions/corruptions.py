"""What goes wrong when a person is written down again, and how often, from ``corruptions/``.

Rates stand here before any matcher is trained or measured on people made with them.
"""

from datetime import date
from decimal import Decimal
from functools import cache

import msgspec

from kintung.definitions.label import Label
from kintung.definitions.reader import read


class Corruption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way in which an appearance of a person differs from the person."""

    id: str
    label: Label
    feature: str
    """The feature of matching that it disturbs."""
    changes: tuple[str, ...]
    """Elements of Patient that may differ; no other does."""
    of: str
    rate: Decimal
    """Share, 0 to 1, of what ``of`` says."""
    start: date
    assumed: bool
    source: str


class Pairs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Characters taken for each other, two and two with spaces between."""

    id: str
    label: Label
    start: date
    pairs: str
    source: str


class Spellings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Spellings of a surname in Latin letters."""

    id: str
    label: Label
    start: date
    spellings: dict[str, tuple[str, ...]]
    source: str


class _Corruptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    corruptions: tuple[Corruption, ...] = ()
    pairs: tuple[Pairs, ...] = ()
    spellings: tuple[Spellings, ...] = ()


@cache
def _files() -> tuple[_Corruptions, ...]:
    return tuple(read("corruptions", _Corruptions).values())


def corruptions() -> dict[str, Corruption]:
    """Every corruption by its id."""
    return {each.id: each for file in _files() for each in file.corruptions}


def pairs() -> dict[str, Pairs]:
    """The tables of characters taken for each other."""
    return {each.id: each for file in _files() for each in file.pairs}


def spellings() -> dict[str, Spellings]:
    """The tables of spellings of surnames."""
    return {each.id: each for file in _files() for each in file.spellings}
