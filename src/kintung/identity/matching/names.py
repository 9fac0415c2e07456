"""The names of a Patient, read: surname and given name of each, in characters or in Latin letters.

A name can often be read in more than one way: 陳李美玲 is a given name of three characters, or a
married woman's own name after her husband's surname. The first reading is the name; the others
are tried where it does not agree.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kintung.identity.matching.elements import listed, objects
from kintung.identity.name_search import is_syllable
from kintung.identity.names import from_private_use, is_han, split

TELEGRAPH = "https://kintung.org/fhir/StructureDefinition/chinese-commercial-code"
"""Extension of a HumanName: four digits for each character, parted by spaces."""

_MOST_NAMES = 10
_MOST_SIGNS = 120
_NOT_LETTERS = re.compile(r"[^A-Z]+")
_WORD = re.compile(r"[A-Z]+")
_CODE = re.compile(r"(\d{4})(?:-?\d)?")


@dataclass(frozen=True, slots=True)
class HanName:
    """A name in characters; ``codes`` are the telegraph codes recorded with it, one a character.

    The surname may be two: a married woman's, her husband's before or after her own.
    """

    surname: str
    given: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LatinName:
    """A name in Latin letters, in capitals.

    Attributes:
        surname: its parts, ``("AU", "YEUNG")``.
        syllables: of a Chinese given name, ``("TAI", "MAN")``.
        western: other given names.
    """

    surname: tuple[str, ...]
    syllables: tuple[str, ...]
    western: tuple[str, ...]


def read_names(names: Any) -> tuple[list[HanName], list[LatinName]]:
    """Read ``Patient.name``; what is no name is passed over."""
    han: list[HanName] = []
    latin: list[LatinName] = []
    for name in objects(names, _MOST_NAMES):
        _read(name, han, latin)
    return han, latin


def _read(name: dict[str, Any], han: list[HanName], latin: list[LatinName]) -> None:
    family, given = _text(name.get("family")), _given(name.get("given"))
    parted = family + "".join(given)
    text = "" if parted else _text(name.get("text"))
    if _is_han(parted) or (not family and not given and _is_han(text)):
        surname, rest = _han_parts(family, "".join(given), text)
        if surname:
            han.append(HanName(surname, rest, _codes(name.get("extension"), len(surname) + len(rest))))
        return
    surname_parts, given_parts = (_parts(family), [part for each in given for part in _parts(each)])
    if not surname_parts:
        surname_parts, given_parts = _latin_text(_text(name.get("text")))
    if surname_parts or given_parts:
        latin.append(latin_name(tuple(surname_parts), tuple(given_parts)))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    if value.isascii():
        return value[:_MOST_SIGNS]
    return unicodedata.normalize("NFC", from_private_use(value[:_MOST_SIGNS]).text)


def _given(value: Any) -> list[str]:
    return [_text(each) for each in listed(value, _MOST_NAMES)]


def _is_han(text: str) -> bool:
    return not text.isascii() and any(map(is_han, text))


def _han_parts(family: str, given: str, text: str) -> tuple[str, str]:
    """Surname and given name; a compound surname is kept whole however it was parted."""
    characters = "".join(filter(is_han, family + given or text))
    surname, rest = split(characters)
    one = "".join(filter(is_han, family))
    return (one, characters[len(one) :]) if len(one) > len(surname) else (surname, rest)


def _codes(extensions: Any, length: int) -> tuple[str, ...]:
    """The recorded telegraph codes, where there is one for each character."""
    for extension in objects(extensions, _MOST_NAMES):
        value = extension.get("valueString")
        if extension.get("url") == TELEGRAPH and isinstance(value, str):
            codes = [_CODE.fullmatch(code) for code in value.split()]
            found = tuple([code[1] for code in codes if code])
            return found if len(found) == len(codes) == length else ()
    return ()


def _parts(text: str) -> list[str]:
    """The words of a text in plain capitals; hyphens and spaces part them."""
    if text.isascii():
        return _WORD.findall(text.upper().replace("'", ""))
    plain = unicodedata.normalize("NFKD", text).upper().replace("'", "").replace("’", "")
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return [part for part in _NOT_LETTERS.split(plain) if part]


def _latin_text(text: str) -> tuple[list[str], list[str]]:
    """Part a whole name: the surname is before a comma, or in capitals, or comes first."""
    before, comma, after = text.partition(",")
    if comma:
        return _parts(before), _parts(after)
    words = text.split()
    capitals = [word for word in words if len(word) > 1 and word.isupper()]
    if capitals and len(capitals) < len(words):
        others = [word for word in words if word not in capitals]
        return _parts(" ".join(capitals)), _parts(" ".join(others))
    parts = _parts(text)
    return parts[:1], parts[1:]


@lru_cache(maxsize=1 << 16)
def latin_name(surname: tuple[str, ...], given: tuple[str, ...]) -> LatinName:
    """Tell the syllables of a Chinese given name from Western given names, in whichever order they stand.

    Words that are a syllable each are the Chinese name; where there are none, the one word that is made of
    two. Of several such words the first by letters is taken, so that their order says nothing.
    """
    single = [part for part in given if is_syllable(part.lower())]
    if single:
        return LatinName(surname, tuple(single), tuple(part for part in given if part not in single))
    joined = min((part for part in given if parted_syllables(part)), default=None)
    if joined is None:
        return LatinName(surname, (), given)
    return LatinName(surname, parted_syllables(joined), tuple(part for part in given if part != joined))


@lru_cache(maxsize=1 << 16)
def parted_syllables(word: str) -> tuple[str, ...]:
    """``DAWEN`` as ``DA`` and ``WEN``; nothing where it cannot be two syllables.

    A consonant between vowels begins the second syllable, as in the rules of pinyin.
    """
    ends = [
        end
        for end in range(1, len(word))
        if is_syllable(word[:end].lower()) and is_syllable(word[end:].lower())
    ]
    end = min(ends, key=lambda end: (word[end] in "AEIOU", end), default=None)
    return (word[:end], word[end:]) if end else ()
