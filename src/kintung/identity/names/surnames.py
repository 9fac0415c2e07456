"""Which characters of a name are the surname, and how surnames are read.

A surname has one character, or two (歐陽, 司徒); a married woman may put her husband's before her
own (陳李美玲). Surnames are looked up as they are compared, so 欧阳 is found as 歐陽.
"""

from functools import cache, lru_cache
from typing import NamedTuple

from kintung.definitions.names import SurnameReading, name_definitions
from kintung.identity.names.table import REMEMBERED
from kintung.identity.names.variants import folded

_NONE = SurnameReading("")
DOTS = frozenset("·‧•・．∙⋅")


class Name(NamedTuple):
    """Surname and given name; the two are the whole name, without spaces and title."""

    surname: str
    given: str


def without_title(han: str) -> str:
    """Return a name without spaces and without the title after it: 陳大文先生 is 陳大文."""
    text = "".join(han.split())
    for title in _titles():
        if text.endswith(title) and len(text) > len(title):
            return text[: -len(title)]
    return text


@cache
def _titles() -> tuple[str, ...]:
    """Titles as they are written, and folded."""
    titles = name_definitions().marriage.titles
    return tuple(dict.fromkeys(written for title in titles for written in (title, folded(title))))


@lru_cache(REMEMBERED)
def split(han: str) -> Name:
    """Divide a name in Chinese characters; a title after it is left out.

    A compound surname counts when a given name is left. Four characters or more that begin
    with two surnames are of a married woman (or of a child who has both parents'): both are
    the surname; :func:`own_name` gives the name without the first. A name with a dot in it
    (买买提·艾力) is of a people without Chinese surnames: all of it is the given name.
    """
    text = without_title(han)
    if DOTS & set(text):
        return Name("", text)
    first = surname_length(text)
    second = surname_length(text[first:])
    both = is_surname(text[:first]) and is_surname(text[first : first + second])
    if both and len(text) - first >= 3:
        return Name(text[: first + second], text[first + second :])
    return Name(text[:first], text[first:])


def own_name(han: str) -> str | None:
    """Return a name of two surnames without the first, the husband's; None for other names."""
    surname, given = split(han)
    parts = surname_parts(surname)
    if len(parts) == 2:
        return parts[-1] + given
    between = name_definitions().marriage.between  # 陳門李氏
    return given[1:] if given[:1] in {between, folded(between)} and is_surname(given[1:2]) else None


def surname_parts(surname: str) -> tuple[str, ...]:
    """Divide what :func:`split` gave as surname: two parts of a married woman's, else one."""
    first = surname_length(surname + "—")
    return (surname[:first], surname[first:]) if surname[first:] else (surname,)


def surname_length(text: str) -> int:
    """Return how many characters at the front are one surname: 2 where a given name follows them."""
    return 2 if len(text) > 2 and _fold(text[:2]) in _compound() else min(1, len(text))


def is_surname(text: str) -> bool:
    """Tell whether it is a surname that we list, of one character or two."""
    return _fold(text) in (_compound() if len(text) == 2 else _single())


def surname_reading(surname: str) -> SurnameReading:
    """Return what is written down of a surname's readings and spellings; empty where nothing is."""
    return _readings().get(surname) or _folded_readings().get(_fold(surname), _NONE)


def surnames() -> tuple[str, ...]:
    """Return the surnames we list, those of one character first, the commonest first."""
    found = name_definitions().surnames
    return (*"".join(found.single.split()), *found.compound.split())


@lru_cache(4096)
def _fold(text: str) -> str:
    return folded(text)


@cache
def _single() -> frozenset[str]:
    return frozenset(_fold(each) for each in surnames() if len(each) == 1)


@cache
def _compound() -> frozenset[str]:
    return frozenset(_fold(each) for each in surnames() if len(each) == 2)


@cache
def _readings() -> dict[str, SurnameReading]:
    return {each.han: each for each in name_definitions().surnames.readings}


@cache
def _folded_readings() -> dict[str, SurnameReading]:
    return {_fold(han): each for han, each in reversed(_readings().items())}
