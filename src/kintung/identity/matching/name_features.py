"""Features of names: what their surnames and given names may be written, spelled and sounded as.

What one surname or one given name gives is remembered, since they come again and again: a million
records have some ten thousand surnames and a hundred thousand given names.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kintung.identity.matching.names import HanName, LatinName
from kintung.identity.matching.spellings import (
    frequency,
    pivots,
    sounded,
    spelled_given,
    spelled_surname,
    telegraphed,
)
from kintung.identity.names import folded, surname_parts

Texts = frozenset[str]
_NONE: Texts = frozenset()


@dataclass(frozen=True, slots=True)
class _HanSurname:
    """``parts`` are the two of a married woman, folded; of one surname there are none."""

    written: Texts
    folded: Texts
    spelled: Texts
    parts: Texts


@dataclass(frozen=True, slots=True)
class _HanGiven:
    written: Texts
    folded: Texts
    parts: Texts
    spelled: Texts
    sounds: Texts
    sorted: Texts


def name_features(han: list[HanName], latin: list[LatinName]) -> Iterator[tuple[str, Any]]:
    """Give the features of the names of one Patient."""
    surnames = [_han_surname(name.surname) for name in han]
    givens = [_han_given(name.given) for name in han]
    given_latin = _set(filter(None, map(_given, latin)))
    yield from _surname_features(surnames, _set("".join(name.surname) for name in latin if name.surname))
    yield "surname_han", _with_codes(han, _union([each.written for each in surnames]), of_surname=True)
    yield "given_han", _with_codes(han, _union([each.written for each in givens]), of_surname=False)
    given_folded = _union([each.folded for each in givens])
    yield "given_folded", given_folded
    yield "given_parts", _union([each.parts for each in givens])
    yield "given_spelled", _union([each.spelled for each in givens])
    yield "given_sounds", _union([each.sounds for each in givens])
    yield "given_sorted", _union([each.sorted for each in givens])
    if given_folded or given_latin:
        yield "given_term", min(given_folded or given_latin)
    yield from _latin_features(latin, given_latin)
    western = _set(each for name in latin for each in name.western)
    yield "given_western", western
    if bool(western) != bool(given_folded or any(name.syllables for name in latin)):
        yield "given_manner", "western" if western else "chinese"
    yield from _other_features(surnames, latin)


def _surname_features(han: list[_HanSurname], latin: Texts) -> Iterator[tuple[str, Any]]:
    in_characters = _union([each.folded for each in han])
    may_be = in_characters or _union(list(map(pivots, latin)))
    yield "surname_folded", in_characters
    yield "surname_latin", latin
    yield "surname_text", min(latin, default=None)
    yield "surname_spelled", _union([*(each.spelled for each in han), latin])
    yield "surname_pivot", may_be
    if in_characters or latin:
        yield "surname_term", min(in_characters or latin)
        yield "surname_frequency", frequency(may_be)


def _latin_features(names: list[LatinName], givens: Texts) -> Iterator[tuple[str, Any]]:
    yield "given_latin", givens
    yield "given_text", min(givens, default=None)
    wholes = ["".join(sorted((*name.syllables, *name.western))) for name in names]
    yield "given_whole", min(filter(None, wholes), default=None)
    yield (
        "given_syllables",
        _set(f"{place}{part}" for name in names for place, part in enumerate(name.syllables, 1)),
    )


def _other_features(han: list[_HanSurname], latin: list[LatinName]) -> Iterator[tuple[str, Any]]:
    """Further readings: each of two surnames, Western given names, and the two in the other order."""
    surnames = [part for name in latin if len(name.surname) > 1 for part in name.surname]
    surnames += filter(None, map(_given, latin))
    yield "surname_other", _union([*(each.parts for each in han), _set(surnames)])
    givens = [western for name in latin for western in name.western]
    yield "given_other", _set([*givens, *("".join(name.surname) for name in latin if name.surname)])


def _given(name: LatinName) -> str:
    """The given name as one word: the Chinese one, or where there is none the Western."""
    return "".join(name.syllables or name.western)


@lru_cache(maxsize=1 << 13)
def _han_surname(surname: str) -> _HanSurname:
    parts = surname_parts(surname)
    return _HanSurname(
        _written(surname),
        frozenset({folded(surname)}),
        spelled_surname(surname),
        _set(map(folded, parts)) if len(parts) > 1 else _NONE,
    )


@lru_cache(maxsize=1 << 15)
def _han_given(given: str) -> _HanGiven:
    plain = folded(given)
    return _HanGiven(
        _written(given),
        _set(filter(None, (plain,))),
        frozenset(plain),
        spelled_given(given),
        frozenset(sounded(given)),
        frozenset({"".join(sorted(plain))}) if len(plain) > 1 else _NONE,
    )


def _written(part: str) -> Texts:
    """The characters, and the telegraph codes they have."""
    return frozenset((part, *telegraphed(part))) if part else _NONE


def _with_codes(names: list[HanName], written: Texts, *, of_surname: bool) -> Texts:
    """The telegraph codes recorded with the names too."""
    recorded: list[str] = []
    for name in names:
        at = len(name.surname)
        codes = name.codes[:at] if of_surname else name.codes[at:]
        if codes and (name.surname if of_surname else name.given):
            recorded.append("#" + " ".join(codes))
    return written.union(recorded) if recorded else written


def _union(sets: list[Texts]) -> Texts:
    """What any of the sets holds; of one set, itself."""
    return sets[0] if len(sets) == 1 else _NONE.union(*sets)


def _set(texts: Iterable[str]) -> Texts:
    return frozenset(texts) or _NONE
