"""Who lives where: ages, sexes, places and habits of the people of the region, from ``population/``.

Synthetic people are made by these tables (:mod:`kintung.synth`). What no public source gives is
marked as assumed.
"""

from datetime import date
from decimal import Decimal
from functools import cache
from typing import Literal

import msgspec

from kintung.definitions.label import Label
from kintung.definitions.reader import read
from kintung.errors import NotFound

Sex = Literal["male", "female"]


class AgeGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People of one sex between two ages, both included."""

    sex: Sex
    ages: tuple[int, int]
    people: int


class AgeTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The people of a region by age and sex, as counted at ``start``."""

    id: str
    label: Label
    start: date
    rows: tuple[AgeGroup, ...]
    source: str
    assumed: bool = False
    """Whether a division in it rests on no public source."""
    total: int | None = None
    """The published total, where rounded rows do not add to it."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A district or city; ``han`` in the script it uses itself."""

    han: str
    roman: str
    people: int


class PlaceTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The places of a region; ``country`` is a code of ISO 3166-1."""

    id: str
    label: Label
    start: date
    country: str
    rows: tuple[Place, ...]
    source: str


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A share, 0 to 1, of what ``of`` says."""

    id: str
    label: Label
    of: str
    share: Decimal
    start: date
    assumed: bool
    source: str


class System(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A system that writes people down; the organisation is invented."""

    id: str
    label: Label
    number: str
    """Of the organisation, in the system ``sample-organization``."""
    kind: Literal["public", "private", "across"]
    country: Literal["HK", "CN", "MO"]
    prefix: str
    """Begins the record numbers."""
    seen: dict[str, Decimal]
    """Share of the appearances of a person, by the region where the person lives."""
    start: date
    source: str


class _Population(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ages: tuple[AgeTable, ...] = ()
    places: tuple[PlaceTable, ...] = ()
    shares: tuple[Share, ...] = ()
    systems: tuple[System, ...] = ()


@cache
def _files() -> tuple[_Population, ...]:
    return tuple(read("population", _Population).values())


def age_tables() -> tuple[AgeTable, ...]:
    """Every table of ages and sexes, older ones of a region too."""
    return tuple(table for file in _files() for table in file.ages)


def ages(region: str, on: date = date.max) -> AgeTable:
    """Return the last table of a region that had begun by the day ``on``.

    Raises:
        NotFound: there is none.
    """
    known = [table for table in age_tables() if table.id == region and table.start <= on]
    if not known:
        raise NotFound(f"no table of ages of {region} had begun on {on}")
    return max(known, key=lambda table: table.start)


def place_tables() -> dict[str, PlaceTable]:
    """The districts of Hong Kong, the parts of Macao and the cities of Guangdong, by region."""
    return {table.id: table for file in _files() for table in file.places}


def shares() -> dict[str, Share]:
    """Every share by its id."""
    return {share.id: share for file in _files() for share in file.shares}


def systems() -> dict[str, System]:
    """The systems in which synthetic people appear, by id."""
    return {system.id: system for file in _files() for system in file.systems}
