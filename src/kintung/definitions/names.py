"""What is written down of names: spellings, surnames, variants and private-use code points.

Dated definitions in ``names/``; see ``docs/reference/definitions.md``. They are read when first
asked for, since a node that searches no names needs none. What they mean is in
``kintung.identity.names``.
"""

from collections import Counter
from datetime import date
from functools import cache

import msgspec

from kintung.definitions.label import Label
from kintung.definitions.reader import read_whole
from kintung.errors import ValueInvalid


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every file says: what it is, from when, and where it is from."""

    label: Label
    start: date
    source: str


class Romanisation(Definition, frozen=True, kw_only=True):
    """How one system spells Jyutping, each list ranked.

    ``initials`` and ``finals`` are joined; a syllable (without tone) of ``syllables`` has
    those spellings instead. The initial ``""`` is none; finals ``m`` and ``ng`` stand alone.
    """

    initials: dict[str, tuple[str, ...]]
    finals: dict[str, tuple[str, ...]]
    syllables: dict[str, tuple[str, ...]]


class SurnameReading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a surname is read and spelled where that is not what its characters and the rules give.

    All stand before what the characters and the rules give, since a clerk may not know how a
    surname is read. ``jyutping`` has tones, ``pinyin`` none. Syllables of a compound surname are
    separated by spaces, in pinyin they are not.
    """

    han: str
    jyutping: tuple[str, ...] = ()
    pinyin: tuple[str, ...] = ()
    hong_kong: tuple[str, ...] = ()
    macao: tuple[str, ...] = ()


class Surnames(Definition, frozen=True, kw_only=True):
    """``single``: characters, the commonest first; ``compound``: surnames of two characters."""

    single: str
    compound: str
    readings: tuple[SurnameReading, ...]


class CharacterReading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How characters are read and spelled in given names.

    ``jyutping`` and ``pinyin`` stand in the place of the table's readings, ``hong_kong`` before
    the spellings of the rules; each goes for every character of ``han``.
    """

    han: str
    jyutping: tuple[str, ...] = ()
    pinyin: tuple[str, ...] = ()
    hong_kong: tuple[str, ...] = ()


class Characters(Definition, frozen=True, kw_only=True):
    """Characters whose reading in names is not the table's first."""

    readings: tuple[CharacterReading, ...]


class Variants(Definition, frozen=True, kw_only=True):
    """``pairs``: as written, and the character of simplified text it is compared as."""

    pairs: str


class PrivateUse(Definition, frozen=True, kw_only=True):
    """``exceptions``: private-use code point in hexadecimal to character."""

    exceptions: dict[str, str]


class Marriage(Definition, frozen=True, kw_only=True):
    """``between`` stands between a husband's surname and her own; ``titles`` after a name."""

    between: str
    titles: tuple[str, ...]


class NameDefinitions(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={
        each: f"{each}.yaml"
        for each in ("characters", "hong_kong", "macao", "marriage", "private_use", "surnames", "variants")
    },
):
    """The files of the folder."""

    characters: Characters
    hong_kong: Romanisation
    macao: Romanisation
    marriage: Marriage
    private_use: PrivateUse
    surnames: Surnames
    variants: Variants


@cache
def name_definitions() -> NameDefinitions:
    """Return the definitions of names; read once.

    Raises:
        ValueInvalid: a file is not of its shape, or contradicts itself.
    """
    return checked(read_whole("names", NameDefinitions))


def checked(found: NameDefinitions) -> NameDefinitions:
    """Refuse what no rule can use; see :func:`name_definitions`."""
    for reading in found.surnames.readings:
        syllables = {len(each.split()) for each in (*reading.jyutping, *reading.macao)}
        if syllables - {len(reading.han)}:
            raise ValueInvalid(
                f"definitions/names/surnames.yaml: {reading.han} has other syllables than characters"
            )
    for name, listed in (
        ("surnames.yaml: single", _unspaced(found.surnames.single)),
        ("surnames.yaml: compound", found.surnames.compound.split()),
        ("surnames.yaml: readings", [each.han for each in found.surnames.readings]),
        ("variants.yaml: pairs", [each[:1] for each in found.variants.pairs.split()]),
        *(
            (f"characters.yaml: {member}", _characters_with(member, found.characters.readings))
            for member in ("jyutping", "pinyin", "hong_kong")
        ),
    ):
        if twice := [each for each, count in Counter(listed).items() if count > 1]:
            raise ValueInvalid(f"definitions/names/{name}: {twice[0]} is given twice")
    if wrong := [each for each in found.variants.pairs.split() if len(each) != 2]:
        raise ValueInvalid(f"definitions/names/variants.yaml: {wrong[0]} is no pair")
    return found


def _unspaced(text: str) -> str:
    return "".join(text.split())


def _characters_with(member: str, readings: tuple[CharacterReading, ...]) -> list[str]:
    return [each for reading in readings if getattr(reading, member) for each in reading.han]
