"""Jyutping to the spellings of a system, by the rules of its definition, and back."""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import product
from typing import Literal

from kintung.definitions.names import Romanisation, name_definitions
from kintung.identity.names.table import syllables

Cantonese = Literal["hong_kong", "macao"]

_SYLLABLE = re.compile("(ng|gw|kw|[bpmfdtnlgkhwzcsj]?)([a-z]+)").fullmatch
_ALONE = frozenset({"m", "ng"})
"""Finals that are syllables; ``hm`` and ``hng`` are the only ones they are joined to."""


@lru_cache(4096)
def spellings(syllable: str, system: Cantonese) -> tuple[str, ...]:
    """Return how a system spells a Jyutping syllable, with a tone or without, the commonest first.

    Small letters; empty for what is no syllable of Jyutping.
    """
    plain = syllable.rstrip("123456")
    rules = _rules(system)
    if plain in rules.syllables:
        return rules.syllables[plain]
    initial, final = ("", plain) if plain in _ALONE else _parts(plain)
    if final not in rules.finals or initial not in rules.initials:
        return ()
    choices = product(enumerate(rules.initials[initial]), enumerate(rules.finals[final]))
    ranked = sorted(choices, key=lambda choice: choice[0][0] + choice[1][0])
    return tuple(dict.fromkeys(start[1] + end[1] for start, end in ranked))


def readings(spelling: str, system: Cantonese) -> tuple[str, ...]:
    """Return the Jyutping syllables, without tones, that a system may spell so, the likeliest first."""
    return _inverse(system).get(spelling.lower(), ())


def _parts(plain: str) -> tuple[str, str]:
    found = _SYLLABLE(plain)
    return (found[1], found[2]) if found else ("", "")


def _rules(system: Cantonese) -> Romanisation:
    found = name_definitions()
    return found.hong_kong if system == "hong_kong" else found.macao


@cache
def _inverse(system: Cantonese) -> Mapping[str, tuple[str, ...]]:
    ranked: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for syllable in sorted(syllables("jyutping")):
        for rank, spelling in enumerate(spellings(syllable, system)):
            ranked[spelling].append((rank, syllable))
    return {spelling: tuple(each for _, each in sorted(found)) for spelling, found in ranked.items()}
