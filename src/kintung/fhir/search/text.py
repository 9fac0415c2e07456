"""Text as it is compared: folded, so that case, accents, width and spacing do not matter.

Source: http://hl7.org/fhir/R4/search.html#string.
"""

import unicodedata

from kintung.fhir.search.lengths import LONGEST

_ACCENTS = dict.fromkeys(range(0x300, 0x370))
"""Combining marks of Latin, Greek and Cyrillic. The marks of Thai, Indic and Japanese
scripts are letters of their own and stay."""


def fold(text: str) -> str:
    """Return the text case folded, without accents, in NFKC, white space collapsed and trimmed.

    ``fold(fold(x)) == fold(x)``. Chinese characters keep their form (no simplification), full
    width becomes half width.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    result = _fold_once(text)
    # Folding case may bring forth marks, and removing marks may let letters compose: repeat
    # until nothing changes. Two rounds are enough for every single character of Unicode.
    while (again := _fold_once(result)) != result:
        result = again
    return result


def folded(text: str) -> str:
    """Return the folded text as index rows and searches hold it: its first 255 characters."""
    return fold(text)[:LONGEST]


def _fold_once(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text).casefold()
    bare = unicodedata.normalize("NFKD", bare).translate(_ACCENTS)
    return " ".join(unicodedata.normalize("NFKC", bare).split())
