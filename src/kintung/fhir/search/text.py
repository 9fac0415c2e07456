"""Text as it is compared: folded, so that case, accents, width and spacing do not matter.

Between two Chinese characters neither spaces nor the middle dots of names count: 陳 大文 is
陳大文, and 买买提·艾力 is 买买提艾力. Between others one space stays.

Source: http://hl7.org/fhir/R4/search.html#string.
"""

import re
import unicodedata

from kintung.fhir.search.lengths import LONGEST

_ACCENTS = dict.fromkeys(range(0x300, 0x370))
"""Combining marks of Latin, Greek and Cyrillic. The marks of Thai, Indic and Japanese
scripts are letters of their own and stay."""


HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters, as a class of a regular expression holds them: the ideographs of all planes,
also those that are only compatible, with 々, 〆 and 〇."""

_GAP = re.compile(rf"(?<=[{HAN}])[ .\u00b7\u2022\u2027\u2219\u22c5\u30fb]+(?=[{HAN}])")
"""What does not count between two Chinese characters: spaces, and the dots that part the names of
those who have no family name: ``·`` in its many forms, as a rule U+00B7, and the full stop."""


def has_han(text: str) -> bool:
    """Is a Chinese character in it?"""
    return not text.isascii() and _HAN.search(text) is not None


_HAN = re.compile(f"[{HAN}]")


def fold(text: str) -> str:
    """Return the text case folded, without accents, in NFKC, white space collapsed and trimmed.

    ``fold(fold(x)) == fold(x)``. Chinese characters keep their form (no simplification), full
    width becomes half width, and nothing stands between two of them.
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
    return _GAP.sub("", " ".join(unicodedata.normalize("NFKC", bare).split()))
