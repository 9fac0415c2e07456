"""How a character is read in Cantonese (Jyutping) and in Mandarin (pinyin), ranked.

What ``definitions/names/characters.yaml`` says of a character in names goes before the packaged
table. A surname may be read otherwise than the character elsewhere: 曾 is Zeng and 單 Shan.
"""

import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Literal

from kintung.definitions.names import name_definitions
from kintung.identity.names.surnames import surname_reading
from kintung.identity.names.table import REMEMBERED, Row, row
from kintung.identity.names.variants import folded

Member = Literal["jyutping", "pinyin", "hong_kong"]


@lru_cache(REMEMBERED)
def jyutping(character: str, surname: bool = False) -> tuple[str, ...]:
    """Return the readings in Jyutping with tones, the commonest first; each syllable once.

    Args:
        surname: how it is read as a surname of one character.
    """
    special = surname_reading(character).jyutping if surname else ()
    first: dict[str, str] = {}
    for each in (*special, *(in_names(character, "jyutping") or _row(character).jyutping)):
        first.setdefault(each.rstrip("123456"), each)
    return tuple(first.values())


@lru_cache(REMEMBERED)
def pinyin(character: str, surname: bool = False) -> tuple[str, ...]:
    """Return the readings in pinyin without tones (``lü`` with its dots), the commonest first."""
    special = surname_reading(character).pinyin if surname else ()
    return tuple(dict.fromkeys((*special, *(in_names(character, "pinyin") or _row(character).pinyin))))


def pinyin_spellings(syllable: str) -> tuple[str, ...]:
    """Return how passports and records write a pinyin syllable: ``lü`` is lyu, lv, lu or lü."""
    if "ü" not in syllable:
        return (syllable,)
    return tuple(syllable.replace("ü", letters) for letters in ("yu", "v", "u", "ü"))


def in_names(character: str, member: Member) -> tuple[str, ...]:
    """Return what is written down of a character in names; of a simplified one, what of the traditional.

    Not of one that simplified text merges with it: 鬆 is not read as 松 is.
    """
    return _written(member).get(character, ())


def _row(character: str) -> Row:
    return row(unicodedata.normalize("NFC", character))


@cache
def _written(member: Member) -> Mapping[str, tuple[str, ...]]:
    """Return what is written of each character, and for its simplified form the same."""
    exact = {
        each: getattr(reading, member)
        for reading in name_definitions().characters.readings
        if getattr(reading, member)
        for each in reading.han
    }
    return {folded(each): said for each, said in reversed(exact.items())} | exact
