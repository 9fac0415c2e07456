"""Which letters are a Chinese name, and what syllables and surnames they may stand for."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache, lru_cache

from kintung.identity.names import (
    SYSTEMS,
    System,
    jyutping,
    pinyin,
    pinyin_spellings,
    readings,
    spellings,
    surname_spellings,
    surnames,
)

_LONGEST_SYLLABLE = 7
_LONGEST_WORD = 24
MOST_SPELLED = 12
"""Spellings of a surname of two characters in one system."""
MOST_DIVISIONS = 4
"""Ways to divide a word into syllables that are looked at."""


def is_chinese(word: str) -> bool:
    """Is a word, in small letters, made of syllables of Cantonese names or of pinyin?"""
    return bool(divisions(word))


def is_of_names(word: str) -> bool:
    """Is it that, or the spelling of a surname, which may follow no rule?"""
    return is_surname_spelling(word) or is_chinese(word)


@lru_cache(16_384)
def divisions(word: str) -> tuple[tuple[str, ...], ...]:
    """The ways to divide a word into as few syllables as it can be, ``MOST_DIVISIONS`` at most."""
    if not word or len(word) > _LONGEST_WORD:
        return ()
    ends: list[list[tuple[str, ...]]] = [[()]]
    for start in range(len(word) - 1, -1, -1):
        found = [
            (word[start:end], *rest)
            for end in range(start + 1, min(start + _LONGEST_SYLLABLE, len(word)) + 1)
            if is_syllable(word[start:end])
            for rest in ends[end - start - 1]
        ]
        ends.insert(0, sorted(found, key=len)[:MOST_DIVISIONS])
    fewest = len(ends[0][0]) if ends[0] else 0
    return tuple(each for each in ends[0] if len(each) == fewest)


@lru_cache(4_096)
def is_syllable(letters: str) -> bool:
    """Is it one syllable as Hong Kong, Macao or the mainland spells them?"""
    return bool(cantonese(letters)) or letters in _pinyin_syllables()


@lru_cache(4_096)
def cantonese(spelling: str) -> tuple[str, ...]:
    """The syllables of Jyutping, without tones, that Hong Kong or Macao may spell so, the likeliest first."""
    return tuple(dict.fromkeys((*readings(spelling, "hong_kong"), *readings(spelling, "macao"))))


def surnames_spelled(letters: str) -> tuple[str, ...]:
    """The surnames, in characters, that are spelled so somewhere, the commonest first.

    Args:
        letters: small ones, without spaces.
    """
    return _surnames().get(letters, ())


def is_surname_spelling(letters: str) -> bool:
    """Is a surname we list spelled so somewhere?"""
    return letters in _surnames()


@cache
def _surnames() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for surname in surnames():
        for system in SYSTEMS:
            for spelled in spellings_of(surname, system):
                found["".join(spelled.split())][surname] = None
    return {spelled: tuple(named) for spelled, named in found.items()}


@lru_cache(4_096)
def spellings_of(surname: str, system: System) -> tuple[str, ...]:
    """How a surname is spelled, the likeliest first; ``v`` stands for ``ü`` in pinyin.

    As it is read as a surname: 單 is Shan, and not Dan or Chan as the character is elsewhere.
    """
    if len(surname) > 1:
        return surname_spellings(surname, system)[:MOST_SPELLED]
    if system == "pinyin":
        return tuple(read.replace("ü", "v") for read in pinyin(surname, True)[:1])
    first, *others = jyutping(surname, True) or ("",)
    otherwise = {spelled for read in others for spelled in spellings(read, system)}
    otherwise -= set(spellings(first, system))
    return tuple(each for each in surname_spellings(surname, system) if each not in otherwise)


@cache
def _pinyin_syllables() -> frozenset[str]:
    """Every syllable of pinyin, without tones; ``ü`` in each way it is written."""
    plain = (initial + final for initial, finals in _PINYIN.items() for final in finals.split())
    return frozenset(letters for syllable in plain for letters in pinyin_spellings(syllable))


_PINYIN: Mapping[str, str] = {
    "": "a ai an ang ao e ei en eng er o ou",
    "b": "a ai an ang ao ei en eng i ian iao ie in ing o u",
    "p": "a ai an ang ao ei en eng i ian iao ie in ing o ou u",
    "m": "a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u",
    "f": "a an ang ei en eng o ou u",
    "d": "a ai an ang ao e ei en eng i ia ian iao ie ing iu ong ou u uan ui un uo",
    "t": "a ai an ang ao e eng i ian iao ie ing ong ou u uan ui un uo",
    "n": "a ai an ang ao e ei en eng i ian iang iao ie in ing iu ong ou u uan uo ü üe",
    "l": "a ai an ang ao e ei eng i ia ian iang iao ie in ing iu ong ou u uan un uo ü üe",
    "g": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    "k": "a ai an ang ao e en eng ong ou u ua uai uan uang ui un uo",
    "h": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    "j": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "q": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "x": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "zh": "a ai an ang ao e ei en eng i ong ou u ua uai uan uang ui un uo",
    "ch": "a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo",
    "sh": "a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo",
    "r": "an ang ao e en eng i ong ou u uan ui un uo",
    "z": "a ai an ang ao e ei en eng i ong ou u uan ui un uo",
    "c": "a ai an ang ao e en eng i ong ou u uan ui un uo",
    "s": "a ai an ang ao e en eng i ong ou u uan ui un uo",
    "y": "a an ang ao e i in ing o ong ou u uan ue un",
    "w": "a ai an ang ei en eng o u",
}
"""Finals by initial: Scheme for the Chinese Phonetic Alphabet (1958), GB/T 16159."""
