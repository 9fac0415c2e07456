"""The keys a recorded name is found by in other scripts and other spellings.

A key is a given name, a bar, a surname and a bar, in one of four forms:

- ``daai.man.|can|``: the sounds of Chinese characters, in Jyutping without tones;
- ``~dawen|chen|``: their letters in pinyin, where ``v`` stands for ``ü``;
- ``taiman|chan|``: the letters a name is written in, without spaces and hyphens, in one order,
  and without names that are not Chinese (``David``);
- ``=李美玲|``: characters as they are compared, where no other row begins with them: a married
  woman's name without her husband's, the given name of a name that stands as one text.

The given name comes first so that it can be sought without the surname. Surnames alone need no
keys: those of a spelling are few, and are sought as they are written.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice, product
from math import prod
from typing import Any, NamedTuple

from kintung.fhir.search.text import HAN, fold
from kintung.identity.name_search.syllables import (
    is_chinese,
    is_of_names,
    is_surname_spelling,
    is_syllable,
)
from kintung.identity.names import (
    folded,
    from_private_use,
    jyutping,
    own_name,
    pinyin,
    split,
    surname_parts,
)

LONGEST = 40
"""Characters of a name on a Hong Kong identity card: longer ones are cut off there."""
MOST_KEYS = 4
"""Keys of one kind of one name."""
_READINGS = 2
"""Readings of one character of a given name that are indexed, and of a text that is a name."""
_MOST_CHARACTERS = 8
_MOST_CHOICES = 1_024
"""Combinations that are put in order to find the likeliest."""

_HAN = re.compile(f"[{HAN}]+")
_WORD = re.compile("[a-z]+")
_WITH_V = {"lyu": "lv", "nyu": "nv", "lyue": "lve", "nyue": "nve", "lue": "lve", "nue": "nve"}
"""Syllables of pinyin with ü as passports write them, and as keys do."""
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\uff21-\uff5a]")
_CAPITALS = re.compile(r"\b[A-Z]{2,}\b")


class Words(NamedTuple):
    """A name in Latin letters, in small ones: words of the surname, and of the given name."""

    family: tuple[str, ...]
    given: tuple[str, ...]


def _of_unicode(name: dict[str, Any]) -> dict[str, Any]:
    """A HumanName with the characters that its private-use ones stand for."""
    parts = ("text", "family")
    found: dict[str, Any] = {part: from_private_use(name[part]).text for part in parts if name.get(part)}
    if given := name.get("given"):
        found["given"] = [from_private_use(text).text if text else text for text in given]
    return name | found


def keys_of(name: dict[str, Any]) -> Iterator[str]:
    """Yield the keys of a HumanName, maybe some of them twice."""
    of_unicode = _of_unicode(name)
    if of_unicode != name:  # what is written stands in private use, and is not what is asked for
        yield from keys_of(of_unicode)
        whole = "".join(part for part in (of_unicode.get("family"), *of_unicode.get("given", ())) if part)
        yield f"={folded(of_unicode.get('text') or whole)}|"
        return
    for surname, given in _in_characters(name):
        if surname and given:
            yield from sounds(surname, given)
            yield from in_pinyin(surname, given)
            if "family" not in name:
                yield f"={folded(given)}|"
            own = own_name(surname + given) if len(surname) > 1 else None
            if own is not None:
                yield from sounds(*split(own))
                yield f"={folded(own)}|"
    for words in _in_letters(name):
        yield from in_letters(words)
        if (own_words := _own_of(words)) is not None:
            yield from in_letters(own_words)


def sounds(surname: str, given: str) -> Iterator[str]:
    """Yield the keys of a name in characters by its readings in Cantonese; none where one is not known."""
    family = ".".join(_surname_sounds(surname))
    readings = [_sounds(character) for character in given[:_MOST_CHARACTERS]]
    if family:
        for choice in ranked(readings, MOST_KEYS):
            yield f"{'.'.join(choice)}.|{family}|"


def in_pinyin(surname: str, given: str) -> Iterator[str]:
    """Yield the keys of a name in characters by its letters in pinyin; none where one is not known."""
    family = _surname_pinyin(surname)
    letters = [_pinyin(character) for character in given[:_MOST_CHARACTERS]]
    for choice in ranked([family, *letters], MOST_KEYS):
        yield f"~{''.join(choice[1:])}|{choice[0]}|"


def in_letters(words: Words) -> Iterator[str]:
    """Yield the keys of a name in letters; none of one without a Chinese given name."""
    family = "".join(words.family)
    for given in given_of(words.given):
        yield f"{''.join(given)}|{family}|"


def _own_of(words: Words) -> Words | None:
    """A married woman's name without the first of two surnames, her husband's; None of other names."""
    family = words.family
    is_own = len(family) == 2 and not is_surname_spelling("".join(family)) and is_surname_spelling(family[1])
    return Words(family[1:], words.given) if is_own else None


def given_of(words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Which words of a given name are Chinese, the likeliest first; none of a name without any.

    ``Tai Man Susan`` has two syllables that stand alone, and Susan, which is made of two as well.
    Of three that stand alone the first or the last may be of another name (``Ken Tai Man``).
    """
    single = tuple(word for word in words if is_syllable(word))
    if not single:
        joined = [word for word in words if is_chinese(word)]
        return tuple((word,) for word in joined[:2])
    return (single, single[1:], single[:-1]) if len(single) == 3 else (single,)


def ranked(parts: Sequence[Sequence[str]], most: int) -> Iterator[tuple[str, ...]]:
    """Yield one choice of each part, those of the first places first; none where a part is empty.

    Args:
        most: choices at most.
    """
    if all(len(part) == 1 for part in parts):  # as most are
        yield tuple(part[0] for part in parts)
        return
    parts = list(parts)
    while prod(map(len, parts)) > _MOST_CHOICES:  # the last of the longest are the least likely
        longest = max(range(len(parts)), key=lambda place: len(parts[place]))
        parts[longest] = parts[longest][:-1]
    choices = sorted(product(*(enumerate(part) for part in parts)), key=_rank)
    for choice in islice(choices, most):
        yield tuple(each for _, each in choice)


def _rank(choice: tuple[tuple[int, str], ...]) -> int:
    return sum(place for place, _ in choice)


def words_of(text: str) -> list[str]:
    """The words of a text in Latin letters, in small ones, without accents; ``lyu`` is ``lv``."""
    if not text.isascii():
        if not _LATIN.search(text):
            return []
        text = fold(text.replace("ü", "v").replace("Ü", "V"))
    return [with_v(word) for word in _WORD.findall(text.lower())]


def with_v(syllable: str) -> str:
    """A syllable of pinyin as keys have it: ``lyu`` is ``lv``; others as they are."""
    return _WITH_V.get(syllable, syllable)


def characters_of(text: str) -> str:
    """The Chinese characters of a text, whatever stands between them."""
    return "" if text.isascii() else "".join(_HAN.findall(text))


# -- what is written --------------------------------------------------------------------


def _in_characters(name: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Surname and given name, where they are in Chinese characters."""
    family = characters_of(name.get("family") or "")
    if family:
        yield family, "".join(characters_of(part) for part in name.get("given", ()) if part)
    else:
        text = characters_of(name.get("text") or "")
        if text:
            yield split(text)


def _in_letters(name: dict[str, Any]) -> Iterator[Words]:
    """Surname and given name, where they are in Latin letters; a text alone may be read in two ways."""
    family = words_of(name.get("family") or "")
    if family:
        parts = [part for part in name.get("given", ()) if part]
        given = [word for part in parts for word in words_of(part)]
        whole = len(name["family"]) + len(", ") + len(" ".join(parts))
        if whole >= LONGEST:
            given = given[:-1]
        if is_of_names("".join(family)):
            yield Words(tuple(family), tuple(given))
    elif (text := name.get("text")) and _LATIN.search(text):
        yield from readings_of(text, is_recorded=True)[:_READINGS]


def readings_of(text: str, *, is_recorded: bool = False) -> list[Words]:
    """The ways to divide a text in Latin letters into surname and given name, the likeliest first.

    Args:
        is_recorded: as a name is written, where a surname may stand in capitals; not as it is
            asked for.
    """
    if len(text) >= LONGEST:
        text = text[:LONGEST].rpartition(" ")[0]
    before, comma, after = text.partition(",")
    if comma:
        family, given = words_of(before), words_of(after)
        return [Words(tuple(family), tuple(given))] if given and is_of_names("".join(family)) else []
    if is_recorded and not text.isupper():
        capitals = tuple(word.lower() for word in _CAPITALS.findall(text))
        others = tuple(word for word in words_of(text) if word not in capitals)
        if others and is_of_names("".join(capitals)):
            return [Words(capitals, others)]
    words = [word for word in words_of(text) if is_of_names(word)]
    short = [word for word in words if is_syllable(word) or is_surname_spelling(word)]
    return list(dict.fromkeys((*_divided(short), *_divided(words))))


def _divided(words: Sequence[str]) -> Iterator[Words]:
    """Surnames come first, as they are written here, or last; of one word or two."""
    for family, given in (
        (words[:1], words[1:]),
        (words[-1:], words[:-1]),
        (words[:2], words[2:]),
        (words[-2:], words[:-2]),
    ):
        if given and is_surname(family):
            yield Words(tuple(family), tuple(given))


def is_surname(words: Sequence[str]) -> bool:
    """Are the words spellings of one surname, or of a married woman's two?"""
    return is_surname_spelling("".join(words)) or (len(words) == 2 and all(map(is_surname_spelling, words)))


# -- characters -------------------------------------------------------------------------


@lru_cache(8_192)
def _sounds(character: str) -> tuple[str, ...]:
    return tuple(each.rstrip("123456") for each in jyutping(character)[:_READINGS])


@lru_cache(8_192)
def _pinyin(character: str) -> tuple[str, ...]:
    return _spelled(pinyin(character)[:_READINGS])


@lru_cache(2_048)
def _surname_sounds(surname: str) -> tuple[str, ...]:
    return first_sounds(surname)


def first_sounds(surname: str) -> tuple[str, ...]:
    """The syllables a surname is read with first, of one character or two, or of both of a married woman."""
    found: list[str] = []
    for part in surname_parts(surname):
        for character in part:
            read = jyutping(character, len(part) == 1)[:1]
            if not read:
                return ()
            found.append(read[0].rstrip("123456"))
    return tuple(found)


@lru_cache(2_048)
def _surname_pinyin(surname: str) -> tuple[str, ...]:
    letters: list[tuple[str, ...]] = []
    for part in surname_parts(surname):
        letters += [_spelled(pinyin(character, len(part) == 1)[:1]) for character in part]
    return tuple("".join(choice) for choice in ranked(letters, MOST_KEYS))


def _spelled(syllables: Iterable[str]) -> tuple[str, ...]:
    return tuple(syllable.replace("ü", "v") for syllable in syllables)
