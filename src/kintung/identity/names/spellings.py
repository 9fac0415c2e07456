"""How a surname or a character of a given name is spelled in Latin letters, ranked.

Hong Kong and Macao spell Cantonese, each by its own rules; the mainland spells Mandarin in pinyin.
A spelling is a function of nobody's name: the recorded one is kept, these are for search and
comparison.
"""

from functools import lru_cache
from itertools import product
from typing import Literal

from kintung.identity.names.readings import in_names, jyutping, pinyin, pinyin_spellings
from kintung.identity.names.romanisation import spellings
from kintung.identity.names.surnames import surname_parts, surname_reading

System = Literal["hong_kong", "macao", "pinyin"]
SYSTEMS: tuple[System, ...] = ("hong_kong", "macao", "pinyin")

AT_MOST = 24
"""Spellings of one surname or syllable; the products of long ones are cut off there."""


@lru_cache(8192)
def given_spellings(character: str, system: System) -> tuple[str, ...]:
    """Return the spellings of a character of a given name, in small letters, the likeliest first.

    Those of the first reading stand before those of the second. Empty when it has no reading.
    """
    return _spelled(character, False, system)


@lru_cache(8192)
def surname_spellings(surname: str, system: System) -> tuple[str, ...]:
    """Return the spellings of a surname, in small letters, the likeliest first.

    Args:
        surname: of one character or two, or both surnames of a married woman; as
            :func:`~kintung.identity.names.surnames.split` gives it. Spaces divide syllables.
    """
    if not surname:
        return ()
    parts = surname_parts(surname)
    if len(parts) == 1:
        return _of_one(surname, system)
    return _products([_of_one(part, system) for part in parts], " ")


@lru_cache(8192)
def read_as(character: str, spelled: str, system: System, surname: bool = False) -> str:
    """Return the reading of a character that a spelling of it is of; empty where none is.

    A spelling that is written down of a surname or character may be of no reading by rule.
    """
    if system == "pinyin":
        return next((each for each in pinyin(character, surname) if spelled in pinyin_spellings(each)), "")
    return next((each for each in jyutping(character, surname) if spelled in spellings(each, system)), "")


def _of_one(surname: str, system: System) -> tuple[str, ...]:
    written = surname_reading(surname)
    if len(surname) == 1:
        listed = () if system == "pinyin" else getattr(written, system)
        return _cut((*map(str.lower, listed), *_spelled(surname, True, system)))
    if system == "pinyin" and written.pinyin:
        return written.pinyin
    joined = _products([_spelled(each, False, system) for each in surname], "" if system == "pinyin" else " ")
    if system == "pinyin":
        return joined
    by_rule = [
        spelled
        for reading in written.jyutping
        for spelled in _products([spellings(each, system) for each in reading.split()], " ")
    ]
    listed = tuple(map(str.lower, getattr(written, system)))
    together = (each.replace(" ", "") for each in (by_rule or joined)[:1])
    return _cut((*listed, *by_rule, *together, *(() if by_rule else joined)))


def _spelled(character: str, surname: bool, system: System) -> tuple[str, ...]:
    if system == "pinyin":
        return _cut(tuple(each for read in pinyin(character, surname) for each in pinyin_spellings(read)))
    listed = in_names(character, "hong_kong") if system == "hong_kong" else ()
    by_rule = (each for read in jyutping(character, surname) for each in spellings(read, system))
    return _cut((*listed, *by_rule))


def _products(parts: list[tuple[str, ...]], between: str) -> tuple[str, ...]:
    ranked = sorted(
        product(*(enumerate(part) for part in parts)), key=lambda choice: sum(rank for rank, _ in choice)
    )
    return _cut(tuple(between.join(each for _, each in choice) for choice in ranked))


def _cut(spelled: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(spelled))[:AT_MOST]
