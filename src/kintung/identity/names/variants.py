"""One character written in several ways: the simplified form that all are compared as.

Simplified text merges characters that are different surnames (余 and 餘, 范 and 範), so two names
that fold alike are evidence and no proof; telegraph codes tell those apart. There is no way back:
what is stored and shown is what was written.
"""

import unicodedata
from functools import cache, lru_cache

from kintung.definitions.names import name_definitions
from kintung.identity.names.table import REMEMBERED, row


def folded(text: str) -> str:
    """Return ``text`` as it is compared: in NFC, each character in its simplified form.

    Characters that are no ideographs stay as they are. Folding twice is folding once.
    """
    if text.isascii():
        return text
    return _remembered(text) if len(text) <= _SHORT else _each_folded(text)


def variants(character: str) -> tuple[str, ...]:
    """Return the other characters that fold as this one does, in code point order."""
    fold = _folded(unicodedata.normalize("NFC", character))
    own = (each for each, to in _pairs().items() if to == fold)
    alike = {fold, *row(fold).members, *own} | {member for each in own for member in row(each).members}
    return tuple(sorted(each for each in alike - {character} if _folded(each) == fold))


def traditional(character: str) -> tuple[str, ...]:
    """Return what a character of simplified text may stand for in traditional text.

    Empty for one that is written alike in both. Several are several words, or surnames: which
    one is meant only the person knows.
    """
    return tuple(row(character).traditional)


def _each_folded(text: str) -> str:
    return "".join(map(_folded, unicodedata.normalize("NFC", text)))


_remembered = lru_cache(REMEMBERED)(_each_folded)
_SHORT = 4
"""Characters of a text that is remembered: surnames and given names come again, addresses do not."""


@lru_cache(REMEMBERED)
def _folded(character: str) -> str:
    first = _pairs().get(character) or row(character).folded
    return _pairs().get(first, first)


@cache
def _pairs() -> dict[str, str]:
    return {each[0]: each[1] for each in name_definitions().variants.pairs.split()}
