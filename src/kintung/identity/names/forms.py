"""Every form of a name, ranked, each with its reason: what ``kintung names`` prints."""

import re
import unicodedata
from itertools import islice, product
from typing import Literal, NamedTuple

from kintung.errors import TooLong, ValueInvalid
from kintung.identity.names.private_use import Converted, from_private_use
from kintung.identity.names.readings import jyutping
from kintung.identity.names.spellings import (
    SYSTEMS,
    System,
    given_spellings,
    read_as,
    surname_spellings,
)
from kintung.identity.names.surnames import (
    DOTS,
    own_name,
    split,
    surname_parts,
    surname_reading,
    without_title,
)
from kintung.identity.names.telegraph import telegraph
from kintung.identity.names.variants import folded, traditional

Kind = Literal[
    "written", "folded", "traditional", "telegraph", "jyutping", "hong_kong", "macao", "pinyin", "own_name"
]

LONGEST = 200
"""Characters of a name; an HL7 field of a name is shorter."""

MOST = 8
"""Forms of one kind, unless more are asked for; the last are seldom anybody's."""

_HAN = re.compile("[\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\ue000-\ufaff\U00020000-\U0003ffff]")


class Form(NamedTuple):
    """One form: ``rank`` counts from 1 within its kind, ``why`` says what it rests on."""

    text: str
    kind: Kind
    rank: int
    why: str


def is_han(character: str) -> bool:
    """Tell whether it is a Chinese character (or a private-use one that may be)."""
    return bool(_HAN.match(character))


def forms(text: str, most: int = MOST) -> tuple[Form, ...]:
    """Return the forms of a name in Chinese characters, by kind and rank.

    Private-use characters are converted where they are known, and the text is brought to NFC.

    Args:
        most: forms of one kind at most.

    Raises:
        ValueInvalid: nothing in it is a Chinese character.
        TooLong: over 200 characters.
    """
    if len(text) > LONGEST:
        raise TooLong(f"a name of {len(text)} characters is over {LONGEST}")
    received = from_private_use(text)
    written = "".join(
        each for each in unicodedata.normalize("NFC", received.text) if is_han(each) or each in DOTS
    )
    if not any(map(is_han, written)):
        raise ValueInvalid("there is no Chinese character in it")
    name = without_title(written)
    found = [*_written(name, written, text, received), *_scripts(name, most)]
    found += _jyutping(name, most)
    for system in SYSTEMS:
        found += _latin(name, system, most)
    if own := own_name(written):
        husband = surname_parts(split(written).surname)[0]
        found.append(Form(own, "own_name", 1, f"without {husband}, a husband's"))
    return tuple(found)


def _written(name: str, written: str, text: str, received: Converted) -> list[Form]:
    why = [
        f"{_point(each)} is {from_private_use(each).text}, held in private use" for each in received.converted
    ]
    why += [f"{_point(each)} is in private use and known to nobody; kept" for each in received.unknown]
    if name != written:
        why.append(f"without {written.removeprefix(name)}")
    if written != unicodedata.normalize("NFC", received.text):
        why.append("without what is no Chinese character")
    if unicodedata.normalize("NFC", text) != text:
        why.append("compatibility characters as what they stand for (NFC)")
    return [Form(name, "written", 1, "; ".join(why) or "as given")]


def _scripts(written: str, most: int) -> list[Form]:
    found = [Form(folded(written), "folded", 1, _changed(written, folded(written)))]
    choices = product(*((traditional(each) or (each,)) for each in written))
    others = [text for text in map("".join, islice(choices, most)) if text != written]
    found += [
        Form(text, "traditional", rank, f"{_changed(written, text)}; never stored")
        for rank, text in enumerate(others, start=1)
    ]
    characters = "".join(each for each in written if each not in DOTS)
    codes = telegraph(characters)
    if any(codes):
        lacking = "".join(each for each, code in zip(characters, codes, strict=True) if code is None)
        why = f"no code for {lacking}" if lacking else "one a character"
        found.append(Form(" ".join(code or "----" for code in codes), "telegraph", 1, why))
    return found


def _jyutping(written: str, most: int) -> list[Form]:
    surname, given = _divided(written)
    parts = [*_surname_jyutping(surname), *(jyutping(each) for each in given)]
    why = f"surname {surname}" if surname else "no surname"
    return [
        Form(" ".join(choice), "jyutping", rank, why)
        for rank, choice in enumerate(_ranked(parts, most), start=1)
    ]


def _surname_jyutping(surname: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for part in surname_parts(surname):
        compound = surname_reading(part).jyutping if len(part) == 2 else ()
        found += [compound] if compound else [jyutping(each, len(part) == 1) for each in part]
    return found


def _latin(written: str, system: System, most: int) -> list[Form]:
    surname, given = _divided(written)
    parts = [surname_spellings(surname, system)] if surname else []
    parts += [given_spellings(each, system) for each in given]
    found: list[Form] = []
    for rank, choice in enumerate(_ranked(parts, most), start=1):
        family, syllables = (choice[:1], choice[1:]) if surname else ((), choice)
        if system == "pinyin":
            shown = [*map(str.title, family), "".join(syllables).title()]
        else:
            shown = [*map(str.upper, family), *map(str.title, syllables)]
        found.append(Form(" ".join(filter(None, shown)), system, rank, _why(surname, given, choice, system)))
    return found


def _why(surname: str, given: str, choice: tuple[str, ...], system: System) -> str:
    """Say of each part what it is read as and how that is spelled."""
    parts = (surname, *given) if surname else tuple(given)
    told = (
        _told(part, spelled, system, part == surname) for part, spelled in zip(parts, choice, strict=True)
    )
    return ", ".join(told)


def _told(part: str, spelled: str, system: System, surname: bool) -> str:
    reading = read_as(part, spelled, system, surname) if len(part) == 1 else ""
    return f"{part} {reading} {spelled}" if reading not in {"", spelled} else f"{part} {spelled}"


def _divided(name: str) -> tuple[str, str]:
    """Surname and the given name's characters, without the dots."""
    surname, given = split(name)
    return surname, "".join(each for each in given if each not in DOTS)


def _ranked(parts: list[tuple[str, ...]], most: int) -> list[tuple[str, ...]]:
    """Return the likeliest choices of one of each part; what has no reading is a question mark."""
    if not any(parts):
        return []
    best = [tuple(enumerate(part[:4] or ("?",))) for part in parts[:6]]
    rest = tuple((part or ("?",))[0] for part in parts[6:])  # no name of a person is so long
    ranked = sorted(product(*best), key=lambda choice: sum(rank for rank, _ in choice))[:most]
    return [(*(each for _, each in choice), *rest) for choice in ranked]


def _changed(before: str, after: str) -> str:
    pairs = dict.fromkeys(f"{a}→{b}" for a, b in zip(before, after, strict=True) if a != b)
    return ", ".join(pairs) or "the same"


def _point(character: str) -> str:
    return f"U+{ord(character):04X}"
