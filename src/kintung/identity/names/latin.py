"""What a name in Latin letters may be: which syllables of which system, and of which surnames.

CHAN Tai Man, David and Chen Dawen are read; which characters were meant is not in them.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from kintung.errors import TooLong, ValueInvalid
from kintung.identity.names.readings import pinyin_spellings
from kintung.identity.names.romanisation import readings
from kintung.identity.names.spellings import SYSTEMS, System, surname_spellings
from kintung.identity.names.surnames import surnames
from kintung.identity.names.table import syllables

LONGEST = 200
"""Characters; the card of Hong Kong holds 40."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_LONGEST_WORD = 24
"""Letters of a word that is looked up as pinyin; the longest name of three syllables has 18."""


class Word(NamedTuple):
    """One word: ``text`` as written, ``plain`` in small letters without accents.

    ``syllables`` gives, for each system that has such, the ways to read it: Jyutping syllables
    without tones, one each, or a pinyin word divided into its syllables.
    """

    text: str
    plain: str
    syllables: Mapping[System, tuple[str, ...]]


class LatinName(NamedTuple):
    """A name as it is read: by ``system``, None where no system reads the most of it.

    ``surname`` and ``given`` are words of that system, ``others`` what it does not read (a
    Western given name, a spelling of another's). ``surnames`` are characters of surnames
    spelled so, the likeliest first; of two surnames, a married woman's (CHAN LEE Mei Ling),
    those of her own, the second.
    """

    words: tuple[Word, ...]
    system: System | None
    surname: tuple[str, ...]
    given: tuple[str, ...]
    others: tuple[str, ...]
    surnames: tuple[str, ...]


def latin_words(text: str) -> tuple[str, ...]:
    """Return the words of a name in small letters, without accents but the dots of ü."""
    return tuple(_plain(found[0]) for found in _WORD.finditer(text))


def read_latin(text: str) -> LatinName:
    """Return how a name in Latin letters is read.

    The system is that which reads most words; of several the one in which the front is a
    surname, then Hong Kong's, Macao's, pinyin. The surname is what stands before a comma, or
    is in capitals alone, or comes first.

    Raises:
        ValueInvalid: no word of Latin letters in it.
        TooLong: over 200 characters.
    """
    if len(text) > LONGEST:
        raise TooLong(f"a name of {len(text)} characters is over {LONGEST}")
    words = tuple(_word(found[0]) for found in _WORD.finditer(text))
    if not any(word.plain.isascii() for word in words):
        raise ValueInvalid("there is no name in Latin letters in it")
    found = {system: _reading(words, text, system) for system in SYSTEMS}
    system = max(SYSTEMS, key=lambda each: found[each][0])
    score, surname, spelled = found[system]
    if not any(score):
        return LatinName(words, None, (), (), tuple(word.text for word in words), ())
    given = tuple(word.text for word in words if system in word.syllables and word not in surname)
    others = tuple(word.text for word in words if system not in word.syllables and word not in surname)
    return LatinName(words, system, tuple(word.text for word in surname), given, others, spelled)


def surnames_spelled(spelling: str, system: System) -> tuple[str, ...]:
    """Return the surnames that a system spells so, first those it is the likeliest spelling of.

    Args:
        spelling: as :func:`latin_words` gives it, syllables with spaces between or none.
    """
    return _spelled(system).get(spelling, ())


def _reading(
    words: tuple[Word, ...], text: str, system: System
) -> tuple[tuple[int, int], tuple[Word, ...], tuple[str, ...]]:
    """Return how well a system reads the words, and the surname: words and characters."""
    read = [word for word in words if system in word.syllables]
    for front, whole in _fronts(words, text):
        own = surnames_spelled(front[-1].plain, system) if whole and len(front) == 2 else ()
        if own and surnames_spelled(front[0].plain, system):
            both = " ".join(word.plain for word in front)
            return (len(read), 1), front, surnames_spelled(both, system) or own
        for count in (2, 1):
            spelled = surnames_spelled(" ".join(word.plain for word in front[:count]), system)
            if spelled and len(front) >= count:
                extra = [word for word in front[:count] if word not in read]
                return (len(read) + len(extra), 1), tuple(front[:count]), spelled
    return (len(read), 0), (), ()


def _fronts(words: tuple[Word, ...], text: str) -> Iterator[tuple[tuple[Word, ...], bool]]:
    """Yield where the surname may begin, the surest first, and whether it is all of that."""
    before, comma, _ = text.partition(",")
    if comma:
        yield words[: len(latin_words(before))], True
    capitals = tuple(word for word in words if word.text.isupper() and len(word.text) > 1)
    if capitals and len(capitals) < len(words):
        yield capitals, True
    for start in range(len(words)):
        yield words[start:], False


def _word(text: str) -> Word:
    plain = _plain(text)
    found: dict[System, tuple[str, ...]] = {}
    for system in SYSTEMS:
        read = _pinyin(plain) if system == "pinyin" else readings(plain, system)
        if not read and surnames_spelled(plain, system):  # a compound in one word, Szeto
            read = (plain,)
        if read:
            found[system] = read
    return Word(text, plain, found)


@lru_cache(4096)
def _pinyin(plain: str) -> tuple[str, ...]:
    """Return the ways to divide a word into pinyin syllables, the fewest first; at most three."""
    word = plain.replace("'", " ")
    if len(word) > _LONGEST_WORD:
        return ()
    ways: list[list[str]] = [[] for _ in range(len(word) + 1)]
    ways[0] = [""]
    for end in range(1, len(word) + 1):
        if word[end - 1] == " ":
            ways[end] = ways[end - 1]
            continue
        for start in range(max(0, end - 6), end):
            if word[start:end] in _pinyin_syllables():
                ways[end] += [f"{way} {word[start:end]}".strip() for way in ways[start]]
        ways[end] = sorted(ways[end], key=lambda way: way.count(" "))[:3]
    return tuple(way for way in ways[-1] if way)


@cache
def _pinyin_syllables() -> frozenset[str]:
    """The syllables with a vowel, in each spelling; without one they are sounds, no names."""
    voiced = [each for each in syllables("pinyin") if set(each) & set("aeiouü")]
    return frozenset(spelling for each in voiced for spelling in pinyin_spellings(each))


@cache
def _spelled(system: System) -> Mapping[str, tuple[str, ...]]:
    ranked: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for order, surname in enumerate(surnames()):
        for rank, spelling in enumerate(surname_spellings(surname, system)):
            ranked[spelling].append((rank, order, surname))
    return {spelling: tuple(each for _, _, each in sorted(found)) for spelling, found in ranked.items()}


def _plain(text: str) -> str:
    """Small letters, no accents but the two dots of u, straight apostrophes."""
    marked = unicodedata.normalize("NFD", text.replace("’", "'").lower())
    kept = "".join(
        each
        for index, each in enumerate(marked)
        if not unicodedata.combining(each) or (each == "\u0308" and marked[index - 1] == "u")
    )
    return unicodedata.normalize("NFC", kept)
