"""How people write units, from ``units/``: symbols that no rule tells, and words in three languages."""

from collections.abc import Iterable
from datetime import date
from functools import cache

import msgspec

from kintung.definitions.reader import read
from kintung.errors import ValueInvalid


class Symbol(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a UCUM code, between points, strokes and exponents, and its sign in every language."""

    code: str
    written: str


class Word(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"zh_hk": "zh-HK", "zh_cn": "zh-CN"}
):
    """A whole UCUM code that is said in words; ``one`` and ``en`` are English, of 1 and of more."""

    code: str
    one: str
    en: str
    zh_hk: str
    zh_cn: str


class Units(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: what holds from ``start``."""

    id: str
    start: date
    source: str
    symbols: tuple[Symbol, ...]
    words: tuple[Word, ...]


@cache
def symbols() -> dict[str, str]:
    """The sign of each part of a code that no rule tells."""
    return {each.code: each.written for file in units() for each in file.symbols}


@cache
def words() -> dict[str, Word]:
    """Whole codes that are said in words."""
    return {each.code: each for file in units() for each in file.words}


@cache
def units() -> tuple[Units, ...]:
    """Every file of units."""
    return load_units(read("units", Units).values())


def load_units(files: Iterable[Units]) -> tuple[Units, ...]:
    """Check the definitions.

    Raises:
        ValueInvalid: a code twice, or a source that is not said.
    """
    found = tuple(files)
    codes = [each.code for file in found for each in (*file.symbols, *file.words)]
    if len(codes) != len(set(codes)) or not all(file.source for file in found):
        raise ValueInvalid("definitions/units: a code is given twice, or a source is not said")
    return found
