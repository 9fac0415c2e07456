"""A dozen characters with their spellings, written down by hand, and what follows for names made of them.

Beside the node's tables, of which it takes nothing. Spellings that could be two of these characters are left
out, so that two names made here share a spelling only where they are one name.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple


class Character(NamedTuple):
    """A character in both scripts, and how Hong Kong, Macao and the mainland commonly spell it."""

    traditional: str
    simplified: str
    hong_kong: str
    macao: str
    pinyin: str


SURNAMES = (
    Character("陳", "陈", "chan", "chan", "chen"),
    Character("黃", "黄", "wong", "vong", "huang"),
    Character("劉", "刘", "lau", "lao", "liu"),
    Character("張", "张", "cheung", "cheong", "zhang"),
    Character("趙", "赵", "chiu", "chio", "zhao"),
    Character("馮", "冯", "fung", "fong", "feng"),
)
GIVEN = (
    Character("偉", "伟", "wai", "wai", "wei"),
    Character("強", "强", "keung", "keong", "qiang"),
    Character("儀", "仪", "yee", "i", "yi"),
    Character("國", "国", "kwok", "kuok", "guo"),
    Character("麗", "丽", "lai", "lai", "li"),
    Character("蘭", "兰", "lan", "lan", "lan"),
)
PLACES = ("hong_kong", "macao", "pinyin")


class Spoken(NamedTuple):
    """A name of a surname and two characters."""

    surname: Character
    first: Character
    second: Character

    def characters(self) -> tuple[str, str]:
        """Traditional and simplified."""
        return (
            self.surname.traditional + self.first.traditional + self.second.traditional,
            self.surname.simplified + self.first.simplified + self.second.simplified,
        )

    def letters(self, place: str) -> Iterator[str]:
        """As people type it: the surname first or last, with spaces, hyphens or neither, with others."""
        family, first, second = (getattr(each, place) for each in self)
        for between, surname_first in product((" ", "-", ""), (True, False)):
            given = f"{first}{between}{second}"
            yield f"{family} {given}" if surname_first else f"{given} {family}"
        yield f"{family.upper()}, {first.title()} {second.title()}"
        yield f"{family.upper()} {first.title()} {second.title()} David"
        yield f"David {family.upper()} {first.title()} {second.title()}"


NAMES = tuple(
    Spoken(surname, first, second)
    for surname, first, second in product(SURNAMES, GIVEN, GIVEN)
    if first != second
)
