"""Characters of old Hong Kong records that stand in the private use area.

Before Unicode had them, characters of the Hong Kong Supplementary Character Set (HKSCS) were held at
U+E000 to U+F848, in the order of their codes in Big5. The codec Big5-HKSCS of the standard library
knows most; ``definitions/names/private_use.yaml`` has the rest.
"""

import re
from functools import cache
from typing import NamedTuple

from kintung.definitions.names import name_definitions

_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")

_BLOCKS = (
    (0xE000, 0xE310, 0xFA40),
    (0xE311, 0xEEB7, 0x8E40),
    (0xEEB8, 0xF6B0, 0x8140),
    (0xF6B1, 0xF848, 0xC6A1),
)
"""First and last private-use code point of a block, and the Big5 code of the first."""

_TRAILS = (*range(0x40, 0x7F), *range(0xA1, 0xFF))
"""The second bytes of Big5, in order: 157 to a first byte."""


class Converted(NamedTuple):
    """``text`` with what is known put in its place; ``converted`` and ``unknown`` as they stood."""

    text: str
    converted: tuple[str, ...]
    unknown: tuple[str, ...]


def from_private_use(text: str) -> Converted:
    """Replace private-use characters by those of Unicode; those nobody knows stay.

    The text as it was received is the caller's to keep.
    """
    if not _PRIVATE.search(text):  # all names but a few
        return Converted(text, (), ())
    found = list(dict.fromkeys(_PRIVATE.findall(text)))
    known = {each: to for each in found if (to := _meant(each))}
    replaced = text.translate({ord(each): to for each, to in known.items()})
    return Converted(replaced, tuple(known), tuple(each for each in found if each not in known))


def _meant(character: str) -> str | None:
    point = ord(character)
    if exception := _exceptions().get(point):
        return exception
    for first, last, big5 in _BLOCKS:
        if first <= point <= last:
            lead, trail = divmod(point - first + _TRAILS.index(big5 & 0xFF), len(_TRAILS))
            try:
                return bytes(((big5 >> 8) + lead, _TRAILS[trail])).decode("big5hkscs")
            except UnicodeDecodeError:
                return None
    return None


@cache
def _exceptions() -> dict[int, str]:
    return {int(point, 16): to for point, to in name_definitions().private_use.exceptions.items()}
