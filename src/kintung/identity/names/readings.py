"""How a character is read in Cantonese (Jyutping) and in Mandarin (pinyin), ranked.

Of a simplified character the readings of the traditional ones it stands for follow its own.
A surname may be read otherwise than the character elsewhere: 曾 is Zeng and 單 Shan.
"""

import unicodedata
from functools import lru_cache

from kintung.identity.names.surnames import surname_reading
from kintung.identity.names.table import REMEMBERED, row


@lru_cache(REMEMBERED)
def jyutping(character: str, surname: bool = False) -> tuple[str, ...]:
    """Return the readings in Jyutping with tones, the commonest first; each syllable once.

    Args:
        surname: how it is read as a surname of one character.
    """
    special = surname_reading(character).jyutping if surname else ()
    return _once((*special, *row(unicodedata.normalize("NFC", character)).jyutping))


@lru_cache(REMEMBERED)
def pinyin(character: str, surname: bool = False) -> tuple[str, ...]:
    """Return the readings in pinyin without tones (``lü`` with its dots), the commonest first."""
    special = surname_reading(character).pinyin if surname else ()
    return tuple(dict.fromkeys((*special, *row(unicodedata.normalize("NFC", character)).pinyin)))


def pinyin_spellings(syllable: str) -> tuple[str, ...]:
    """Return how passports and records write a pinyin syllable: ``lü`` is lyu, lv or lu."""
    if "ü" not in syllable:
        return (syllable,)
    return tuple(syllable.replace("ü", letters) for letters in ("yu", "v", "u"))


def _once(syllables: tuple[str, ...]) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for each in syllables:
        first.setdefault(each.rstrip("123456"), each)
    return tuple(first.values())
