"""How names in characters may be spelled, and which surnames a spelling may stand for."""

from functools import cache, lru_cache

from kintung.definitions.matching import matching_weights
from kintung.identity.names import (
    SYSTEMS,
    folded,
    given_spellings,
    surname_spellings,
    surnames,
    telegraph,
)

_SURNAME = {"hong_kong": 8, "macao": 3, "pinyin": 3}
_SYLLABLE = {"hong_kong": 5, "macao": 2, "pinyin": 2}
"""Spellings by each system that are kept, the likeliest first; those after are rare."""

_RARE, _FOREIGN = 0.0001, 0.0005
"""Frequency of a surname that is not in the table, and of one that is known in Latin letters alone and is
no Chinese one. The second is assumed: the common ones of a people are borne by many of the few there are."""


@lru_cache(maxsize=1 << 13)
def spelled_surname(surname: str) -> frozenset[str]:
    """Spellings of a surname in capitals, one of several characters written together."""
    return frozenset(
        _plain(spelling)
        for system in SYSTEMS
        for spelling in surname_spellings(surname, system)[: _SURNAME[system]]
    )


@lru_cache(maxsize=1 << 15)
def spelled_given(given: str) -> frozenset[str]:
    """Syllables that the characters may have, each with its place: ``1TAI``, ``2MAN``."""
    return frozenset(
        f"{place}{_plain(spelling)}"
        for place, character in enumerate(given[:3], 1)
        for system in SYSTEMS
        for spelling in given_spellings(character, system)[: _SYLLABLE[system]]
    )


@lru_cache(maxsize=1 << 15)
def sounded(given: str) -> tuple[str, ...]:
    """A given name by its sounds in Cantonese and in pinyin, each character as it is read first."""
    found: list[str] = []
    for system in ("hong_kong", "pinyin"):
        read = [given_spellings(character, system) for character in given]
        if read and all(read):
            found.append(f"{system}:{' '.join(_plain(spellings[0]) for spellings in read)}")
    return tuple(found)


@lru_cache(maxsize=1 << 15)
def telegraphed(characters: str) -> tuple[str, ...]:
    """The telegraph codes of all the characters as one text after ``#``; nothing where one has none."""
    codes = telegraph(characters)
    return ("#" + " ".join(code for code in codes if code),) if all(codes) else ()


@lru_cache(maxsize=1 << 13)
def pivots(spelling: str) -> frozenset[str]:
    """Folded surnames, of those we list, that may be spelled so."""
    return frozenset(_pivots().get(spelling, ()))


@cache
def _pivots() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for surname in surnames():
        for spelling in spelled_surname(surname):
            found.setdefault(spelling, set()).add(folded(surname))
    return found


@cache
def _frequencies() -> dict[str, float]:
    return {surname: float(share) for surname, share in matching_weights().surnames.items()}


def frequency(of: frozenset[str]) -> float:
    """Share of people who bear one of the folded surnames; of none, that of a surname from elsewhere."""
    shares = _frequencies()
    return sum(sorted(shares[surname] for surname in of if surname in shares)) or (_RARE if of else _FOREIGN)


def _plain(spelling: str) -> str:
    return "".join(filter(str.isalpha, spelling)).upper().replace("Ü", "U")
