"""Names that people of the region have: characters by their frequencies, Latin letters by their habits.

What is in Latin letters on a card is no function of the characters. Most surnames stand in the
commonest government spelling, some in another, of a dialect, chosen, or in pinyin.
"""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from kintung.definitions.corruptions import spellings
from kintung.definitions.name_frequencies import (
    GivenNames,
    LatinNames,
    WesternNames,
    given_names,
    latin_names,
    surnames,
    western_names,
)
from kintung.definitions.population import Sex, shares
from kintung.identity.names import System, given_spellings, pinyin, surname_spellings
from kintung.synth.chance import Chance, Weighted, by_rank
from kintung.synth.numbers import Region


class Han(NamedTuple):
    """A name in Chinese characters, in the script of the person's own document."""

    surname: str
    given: str


class Latin(NamedTuple):
    """A name in Latin letters as the card has it: ``CHAN``, ``(Tai, Man)``; pinyin has one given part."""

    surname: str
    given: tuple[str, ...]


@dataclass(frozen=True)
class Habits:
    """The shares of ``population/habits.yaml`` that names go by."""

    whole: float
    single: float
    western: float
    called: float
    pinyin: float
    dialect: float
    other: float
    first_syllable: float
    no_chinese_name: dict[str, float]


@cache
def habits() -> Habits:
    known = {name: float(share.share) for name, share in shares().items()}
    return Habits(
        whole=known["whole-given-name"],
        single=known["single-given-name"],
        western=known["legal-western-name"],
        called=known["informal-western-name"],
        pinyin=known["name-in-pinyin"],
        dialect=known["surname-dialect-spelling"],
        other=known["surname-other-spelling"],
        first_syllable=known["syllable-first-spelling"],
        no_chinese_name={
            "hong-kong": known["no-chinese-name-hong-kong"],
            "macao": known["no-chinese-name-macao"],
        },
    )


def surname(region: Region, chance: Chance) -> str:
    """A surname by its frequency in the region."""
    return _surnames(_names_of(region)).draw(chance)


def given(region: Region, sex: Sex, year: int, chance: Chance) -> str:
    """Given characters of a person born in a year."""
    table = _given(_names_of(region), sex, year)
    if table.whole and chance.random() < habits().whole:
        return table.whole.draw(chance)
    if table.single and chance.random() < habits().single:
        return table.single.draw(chance)
    first = table.first.draw(chance)
    second = table.second.draw(chance)
    while second == first:  # doubled characters are for pandas and pet names
        second = table.second.draw(chance)
    return first + second


def western(sex: Sex, year: int, chance: Chance) -> str:
    return _western(sex, year).draw(chance)


def without_chinese(region: Region, sex: Sex, chance: Chance) -> Latin:
    """The name of a resident who has none in Chinese."""
    surnames, men, women = _latin("macao" if region == "macao" else "hong-kong")
    return Latin(surnames.draw(chance), (((men if sex == "male" else women).draw(chance)),))


def in_pinyin(han: Han) -> Latin:
    """As mainland documents write it: ``CHEN``, ``(Dawen,)``."""
    syllables = [given_spellings(each, "pinyin")[0] for each in han.given]
    return Latin(surname_spellings(han.surname, "pinyin")[0].upper(), ("".join(syllables).capitalize(),))


def on_card(han: Han, region: Region, chance: Chance) -> tuple[Latin, str | None]:
    """As the identity card of Hong Kong or Macao has it, and the trait that is out of the common."""
    known = habits()
    lot = chance.random()
    if lot < known.pinyin:
        return in_pinyin(han), "pinyin-on-card"
    system: System = "macao" if region == "macao" else "hong_kong"
    given = tuple(_syllable(each, system, chance) for each in han.given)
    ranked = surname_spellings(han.surname, system)
    lot -= known.pinyin
    if lot < known.dialect and han.surname in _dialects():
        return Latin(_dialects()[han.surname].draw(chance), given), "dialect-spelling"
    lot -= known.dialect
    if 0 <= lot < known.other and ranked[1:]:
        return Latin(ranked[1].upper(), given), "other-spelling"
    return Latin(ranked[0].upper(), given), None


def respelled(character: str, region: Region) -> str:
    """The second spelling of a given character, or the first where there is but one."""
    return given_spellings(character, "macao" if region == "macao" else "hong_kong")[:2][-1].capitalize()


def other_reading(surname: str) -> str | None:
    """The pinyin of a surname's character as it is read elsewhere; None where that is the same."""
    own = surname_spellings(surname, "pinyin")[0]
    elsewhere = pinyin(surname)[:1] if len(surname) == 1 else ()
    return next((other.upper() for other in elsewhere if other != own and "ü" not in other), None)


def _syllable(character: str, system: System, chance: Chance) -> str:
    ranked = given_spellings(character, system)
    return ranked[: 1 if chance.random() < habits().first_syllable else 2][-1].capitalize()


def _names_of(region: Region) -> str:
    return "hong-kong" if region == "hong-kong-in-guangdong" else region


class _Given(NamedTuple):
    whole: Weighted[str] | None
    single: Weighted[str] | None
    first: Weighted[str]
    second: Weighted[str]


@cache
def _surnames(region: str) -> Weighted[str]:
    table = surnames(region)
    return Weighted(tuple(table), map(float, table.values()))


@cache
def _given(region: str, sex: Sex, year: int) -> _Given:
    tables = [names for names in given_names() if region in names.regions and names.sex == sex]
    return _weighed(
        max((names for names in tables if names.born_from <= year), key=lambda names: names.born_from)
    )


def _weighed(names: GivenNames) -> _Given:
    return _Given(
        by_rank(names.whole) if names.whole else None,
        by_rank(names.single) if names.single else None,
        by_rank(names.first),
        by_rank(names.second),
    )


@cache
def _western(sex: Sex, year: int) -> Weighted[str]:
    tables: list[WesternNames] = [
        names for names in western_names() if names.sex == sex and names.born_from <= year
    ]
    return by_rank(max(tables, key=lambda names: names.born_from).given)


@cache
def _latin(region: str) -> tuple[Weighted[str], Weighted[str], Weighted[str]]:
    table: LatinNames = latin_names()[region]
    return by_rank(table.family), by_rank(table.male), by_rank(table.female)


@cache
def _dialects() -> dict[str, Weighted[str]]:
    return {han: by_rank(forms) for han, forms in spellings()["dialects"].spellings.items()}


def dialect_spelling(surname: str, chance: Chance) -> str | None:
    """A spelling of a surname by another dialect or as chosen; None where we know none."""
    forms = _dialects().get(surname)
    return None if forms is None else forms.draw(chance)
