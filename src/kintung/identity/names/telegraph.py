"""Telegraph codes: four digits a character, on Hong Kong identity cards (Chinese commercial code).

Both books, Taiwan's for traditional and the mainland's for simplified text, give one code to the
two forms of a character (陳 and 陈 are 7115), and different ones to surnames that simplified text
merges (范 5400, 範 4636). A mainland record that has the merged character has the code of the
plain one: compare by :func:`codes`, in which the others stand too.
"""

import unicodedata

from kintung.identity.names.table import row
from kintung.identity.names.variants import variants


def telegraph(han: str) -> tuple[str | None, ...]:
    """Return the code of each character, None where no book gives one.

    A character without a code has that of its variants when they have but one: 衛 has that of 衞.
    """
    return tuple(_code(each) for each in unicodedata.normalize("NFC", han))


def codes(character: str) -> tuple[str, ...]:
    """Return the codes of all that a character may stand for, its own first."""
    own = _code(character)
    others = [row(each).telegraph for each in row(character).traditional]
    return tuple(dict.fromkeys(each for each in (own, *others) if each))


def _code(character: str) -> str | None:
    own = row(character).telegraph
    if own:
        return own
    alike = {row(each).telegraph for each in variants(character)} - {""}
    return alike.pop() if len(alike) == 1 else None
