"""What a resource yields to the index: plain rows, each naming the atom it comes from.

An **atom** is a set of element paths of one resource type that every search parameter uses
together or not at all, with a small stable integer. A row carries the atom, never the
parameter: ``Observation.combo-code`` is found by the rows of ``code`` and of
``component-code``, and ``patient`` by those of ``subject``.

Long texts are shortened: folded texts to their first 255 characters, all others as
``lengths.bounded`` does.
"""

from decimal import Decimal
from typing import Any, NamedTuple

FORM = 5
"""Of the rows; to be raised when the same resource yields other rows than before. 2: long texts
are bounded. 3: what only looks like a relative reference is an address.
4: nothing stands between two Chinese characters of a folded text. 5: composites."""

Token = tuple[int, str | None, str | None]
"""atom, system, code. ``uri`` parameters have no system; a boolean is the code true or false."""

Reference = tuple[int, str, str]
"""atom, type, id of a local literal reference; or atom, "", the absolute address."""

Date = tuple[int, int, int]
"""atom, first microsecond, first microsecond after; open ends are MIN_MICROS and MAX_MICROS."""

String = tuple[int, str, str]
"""atom, folded text, text as written."""

Quantity = tuple[int, str | None, str | None, Decimal | None, Decimal | None]
"""atom, system, code, low and high bound, both in; open ends are None. Numbers have no code."""


Part = tuple[Any, ...]
"""A row of another kind without its atom."""

Composite = tuple[int, Part, Part]
"""atom, and two values that stand together in one element: two tokens, a token and a quantity, a
Target and a token, or two numbers. For a typed identifier: a token that is its type, and OfType."""


class Target(NamedTuple):
    """What a reference leads to, as a part."""

    type: str
    id: str


class OfType(NamedTuple):
    """An identifier as ``:of-type`` has it, with the system that says how its value is kept."""

    system: str | None
    value: str


class Extracted(NamedTuple):
    """The index rows of one resource, without repetition, in the order of the elements."""

    tokens: list[Token]
    references: list[Reference]
    dates: list[Date]
    strings: list[String]
    quantities: list[Quantity]
    composites: list[Composite]
