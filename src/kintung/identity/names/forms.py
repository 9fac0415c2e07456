"""Every form of a name, ranked, each with its reason: what ``kintung names`` prints."""

import re
import unicodedata
from itertools import islice, product
from typing import Literal, NamedTuple

from kintung.errors import TooLong, ValueInvalid
from kintung.identity.names.private_use import from_private_use
from kintung.identity.names.readings import jyutping
from kintung.identity.names.spellings import System, given_spellings, surname_spellings
from kintung.identity.names.surnames import own_name, split, surname_parts, surname_reading
from kintung.identity.names.telegraph import telegraph
from kintung.identity.names.variants import folded, traditional

Kind = Literal[
    "written", "folded", "traditional", "telegraph", "jyutping", "hong_kong", "macao", "pinyin", "own_name"
]

LONGEST = 200
"""Characters of a name; an HL7 field of a name is shorter."""

EACH = 8
"""Forms of one kind at most; the last are seldom anybody's."""

_HAN = re.compile("[\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


class Form(NamedTuple):
    """One form: ``rank`` counts from 1 within its kind, ``why`` says what it rests on."""

    text: str
    kind: Kind
    rank: int
    why: str


def is_han(character: str) -> bool:
    """Tell whether it is a Chinese character (or a private-use one that may be)."""
    return bool(_HAN.match(character))


def forms(text: str) -> tuple[Form, ...]:
    """Return the forms of a name in Chinese characters, by kind and rank.

    Private-use characters are converted where they are known, and the text is brought to NFC.

    Raises:
        ValueInvalid: nothing in it is a Chinese character.
        TooLong: over 200 characters.
    """
    if len(text) > LONGEST:
        raise TooLong(f"a name of {len(text)} characters is over {LONGEST}")
    received = from_private_use(text)
    written = unicodedata.normalize("NFC", "".join(received.text.split()))
    if not any(map(is_han, written)):
        raise ValueInvalid("there is no Chinese character in it")
    found = [*_written(written, text, received.converted, received.unknown), *_scripts(written)]
    for system in ("jyutping", "hong_kong", "macao", "pinyin"):
        found += _jyutping(written) if system == "jyutping" else _latin(written, system)
    if own := own_name(written):
        found.append(
            Form(own, "own_name", 1, f"without {surname_parts(split(written).surname)[0]}, a husband's")
        )
    return tuple(found)


def _written(written: str, text: str, converted: tuple[str, ...], unknown: tuple[str, ...]) -> list[Form]:
    why = [f"{_point(each)} is {from_private_use(each).text}, held in private use" for each in converted]
    why += [f"{_point(each)} is in private use and known to nobody; kept" for each in unknown]
    if not why and written != text:
        why = ["in NFC, without spaces"]
    return [Form(written, "written", 1, "; ".join(why) or "as given")]


def _scripts(written: str) -> list[Form]:
    found = [Form(folded(written), "folded", 1, _changed(written, folded(written)))]
    choices = [(traditional(each) or (each,)) for each in written]
    for rank, choice in enumerate(islice(product(*choices), EACH), start=1):
        text = "".join(choice)
        if text != written:
            found.append(Form(text, "traditional", rank, _changed(written, text) + "; never stored"))
    codes = telegraph(written)
    if any(codes):
        lacking = "".join(each for each, code in zip(written, codes, strict=True) if code is None)
        why = f"no code for {lacking}" if lacking else "one a character"
        found.append(Form(" ".join(code or "----" for code in codes), "telegraph", 1, why))
    return found


def _jyutping(written: str) -> list[Form]:
    surname, given = split(written)
    parts = [*_surname_jyutping(surname), *(jyutping(each) for each in given)]
    return [
        Form(" ".join(choice), "jyutping", rank, f"surname {surname}")
        for rank, choice in enumerate(_ranked(parts), start=1)
    ]


def _surname_jyutping(surname: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for part in surname_parts(surname):
        compound = surname_reading(part).jyutping if len(part) == 2 else ()
        found += [compound] if compound else [jyutping(each, len(part) == 1) for each in part]
    return found


def _latin(written: str, system: System) -> list[Form]:
    surname, given = split(written)
    parts = [surname_spellings(surname, system), *(given_spellings(each, system) for each in given)]
    found: list[Form] = []
    for rank, choice in enumerate(_ranked(parts), start=1):
        family, *syllables = choice
        if system == "pinyin":
            shown = f"{family.title()} {''.join(syllables).title()}"
        else:
            shown = f"{family.upper()} {' '.join(syllables).title()}"
        found.append(Form(shown.strip(), system, rank, _why(surname, given, choice)))
    return found


def _why(surname: str, given: str, choice: tuple[str, ...]) -> str:
    return ", ".join(f"{han} {spelled}" for han, spelled in zip((surname, *given), choice, strict=True))


def _ranked(parts: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the likeliest choices of one of each part; what has no reading is a question mark."""
    if not any(parts):
        return []
    best = [tuple(enumerate(part[:4] or ("?",))) for part in parts[:6]]
    rest = tuple((part or ("?",))[0] for part in parts[6:])  # no name of a person is so long
    ranked = sorted(product(*best), key=lambda choice: sum(rank for rank, _ in choice))[:EACH]
    return [(*(each for _, each in choice), *rest) for choice in ranked]


def _changed(before: str, after: str) -> str:
    pairs = dict.fromkeys(f"{a}→{b}" for a, b in zip(before, after, strict=True) if a != b)
    return ", ".join(pairs) or "the same"


def _point(character: str) -> str:
    return f"U+{ord(character):04X}"
