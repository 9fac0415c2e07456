"""Atoms: the element paths that index rows come from, and how a value becomes a row.

A **leaf** is one path of JSON members with the conversion at its end. An atom is a set of
leaves of one resource type and one table that every parameter uses together or not at all.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

Kind = Literal["token", "reference", "date", "string", "number", "quantity", "uri", "composite", "special"]
"""The types of search parameter, as the standard names them."""

Table = Literal["tokens", "references", "dates", "strings", "quantities", "composites"]

TABLE: Mapping[Kind, Table] = {
    "token": "tokens",
    "uri": "tokens",
    "reference": "references",
    "date": "dates",
    "string": "strings",
    "number": "quantities",
    "quantity": "quantities",
    "composite": "composites",
}
"""The index table of each kind of parameter; special has none."""

IN_BODIES = frozenset(("_text", "_content", "near"))
"""Parameters that no table holds: what they ask for is read in the text of each resource (ADR 0016)."""

Conversion = Literal[
    "code",
    "boolean",
    "truth",
    "coding",
    "identifier",
    "contact",
    "reference",
    "canonical",
    "address",
    "entry",
    "date",
    "period",
    "timing",
    "text",
    "whole name",
    "quantity",
    "money",
    "range",
    "samples",
    "number",
]
"""How the value at the end of a path becomes rows; ``convert`` has one function for each."""


class Field(msgspec.Struct, frozen=True, array_like=True, tag="field"):
    """A JSON member; ``many`` when it holds a list, ``first`` when only its first item counts."""

    name: str
    many: bool = False
    first: bool = False


class Only(msgspec.Struct, frozen=True, array_like=True, tag="only"):
    """Go on only when the member is (``negate``: is not) one of the values."""

    name: str
    values: tuple[str, ...]
    negate: bool = False


class Having(msgspec.Struct, frozen=True, array_like=True, tag="having"):
    """Go on only when the element has an extension with this url."""

    url: str


class Either(msgspec.Struct, frozen=True, array_like=True, tag="either"):
    """The JSON members of a polymorphic element; for ``truth``: is there one, and not false?"""

    names: tuple[str, ...]


Step = Field | Only | Having | Either


class Leaf(msgspec.Struct, frozen=True, array_like=True):
    """A path from the resource and the conversion of what stands there."""

    steps: tuple[Step, ...]
    conversion: Conversion

    def __str__(self) -> str:
        return "".join(map(_written, self.steps)).lstrip(".") + " as " + self.conversion


class Atom(msgspec.Struct, frozen=True, array_like=True):
    """``number`` is given once and never used again for anything else."""

    number: int
    table: Table
    leaves: tuple[Leaf, ...]


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One of two values that stand together: leaves from the element they stand in."""

    table: Table
    leaves: tuple[Leaf, ...]


class Pair(msgspec.Struct, frozen=True, array_like=True):
    """An atom whose rows are two values that stand together in one element of a list.

    ``focus`` is the path to the elements; ``number`` is given as that of an Atom is.
    """

    number: int
    focus: tuple[Field, ...]
    parts: tuple[Part, Part]

    def __str__(self) -> str:
        """What it reads, without its number."""
        leaves = (" | ".join(map(str, part.leaves)) for part in self.parts)
        return f"{''.join(map(_written, self.focus)).lstrip('.')}: {' & '.join(leaves)}"


def _written(step: Step) -> str:
    match step:
        case Field(name, _, first):
            return f".{name}[0]" if first else f".{name}"
        case Only(name, values, negate):
            operator = "!=" if negate else "="
            return f"({name}{operator}{','.join(values)})"
        case Having(url):
            return f"(extension={url})"
        case Either(names):
            return "." + "|".join(names)
