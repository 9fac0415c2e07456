"""How often people of the region have which name, from ``name_frequencies/``."""

from datetime import date
from decimal import Decimal
from functools import cache

import msgspec

from kintung.definitions.label import Label
from kintung.definitions.population import Sex
from kintung.definitions.reader import read


class Surnames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Surnames of a region and their shares in per cent, which add to a hundred."""

    id: str
    label: Label
    start: date
    source: str
    known: dict[str, Decimal] = {}
    """Shares that the source gives."""
    assumed: dict[str, Decimal] = {}
    same_as: str | None = None
    """Another table that stands for this one."""


class GivenNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Given names of one sex from a year of birth on; characters and names commonest first."""

    id: str
    label: Label
    regions: tuple[str, ...]
    sex: Sex
    born_from: int
    first: str
    second: str
    whole: tuple[str, ...]
    source: str
    single: str = ""
    """Names of one character."""


class WesternNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Western given names of Chinese people, commonest first."""

    id: str
    label: Label
    sex: Sex
    given: tuple[str, ...]
    source: str
    born_from: int = 0


class LatinNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of residents who have no Chinese name."""

    id: str
    label: Label
    region: str
    family: tuple[str, ...]
    male: tuple[str, ...]
    female: tuple[str, ...]
    source: str


class _Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    surnames: tuple[Surnames, ...] = ()
    given: tuple[GivenNames, ...] = ()
    western: tuple[WesternNames, ...] = ()
    latin: tuple[LatinNames, ...] = ()


@cache
def _files() -> tuple[_Names, ...]:
    return tuple(read("name_frequencies", _Names).values())


def surname_tables() -> tuple[Surnames, ...]:
    """Every table of surnames."""
    return tuple(table for file in _files() for table in file.surnames)


def surnames(region: str) -> dict[str, Decimal]:
    """The surnames of a region with their shares in per cent."""
    tables = {table.id: table for table in surname_tables()}
    table = tables[tables[region].same_as or region]
    return table.known | table.assumed


def given_names() -> tuple[GivenNames, ...]:
    """Every table of given names."""
    return tuple(table for file in _files() for table in file.given)


def western_names() -> tuple[WesternNames, ...]:
    """Every table of Western given names."""
    return tuple(table for file in _files() for table in file.western)


def latin_names() -> dict[str, LatinNames]:
    """Names of residents without a Chinese name, by region."""
    return {table.region: table for file in _files() for table in file.latin}
