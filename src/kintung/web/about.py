"""What a node says of itself: whose record it is, and whether it is a demo and who is worth opening in it."""

from typing import Literal, get_args

import msgspec

Jurisdiction = Literal["hong-kong", "macao", "guangdong"]
JURISDICTIONS: tuple[Jurisdiction, ...] = get_args(Jurisdiction)
Carried = Literal["across", "pressure", "glucose", "allergy", "vaccines"]
"""Something of a record that makes it worth opening."""


class Trait(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a record carries: how often, or ``what``, by the tag of each language of the pages."""

    kind: Carried
    count: int
    what: dict[str, str] = {}


class Invented(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A synthetic person worth opening.

    ``id`` is that of the source Patient with most on record. A name is "" in the script it has none in.
    """

    id: str
    characters: str
    letters: str
    traits: tuple[Trait, ...]


class Demo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A throw-away node with synthetic people. ``people`` are those worth opening."""

    people: tuple[Invented, ...] = ()


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node; ``demo`` is None where its record may be of real people.

    ``is_protected`` says whether who asks must sign in.
    """

    jurisdiction: Jurisdiction = "hong-kong"
    is_protected: bool = False
    demo: Demo | None = None
