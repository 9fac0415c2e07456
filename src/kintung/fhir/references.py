"""References: relative ones (``Patient/1``, ``Patient/1/_history/2``) and conditional ones.

One grammar for whoever asks: whether a reference may stand, whose data it makes a resource,
and what finds it. Sources: http://hl7.org/fhir/R4/references.html#literal,
http://hl7.org/fhir/R4/datatypes.html#id and http://hl7.org/fhir/R4/http.html#trules.
"""

import re
from typing import NamedTuple

ID = "[A-Za-z0-9.-]{1,64}"
"""A regular expression of the datatype ``id``; so are versions."""

LITERAL = f"{ID}(?:/_history/{ID})?"
"""What follows ``Type/`` in a relative reference."""

TYPE = "[A-Z][A-Za-z]+"
"""A regular expression of what is written as the name of a type, not surely of R4."""

_IS_ID = re.compile(ID).fullmatch
_RELATIVE = re.compile(f"({TYPE})/({ID})(?:/_history/{ID})?").fullmatch
_CONDITIONAL = re.compile(rf"({TYPE})\?(.+)", re.DOTALL).fullmatch


class Relative(NamedTuple):
    """The resource a relative reference means; the type is one that is written so, not surely of R4."""

    type: str
    id: str


class Conditional(NamedTuple):
    """What a conditional reference searches: a type, and the parameters as they are written."""

    type: str
    query: str


def is_id(text: str) -> bool:
    """Whether ``text`` may be the id of a resource."""
    return _IS_ID(text) is not None


def relative(text: str) -> Relative | None:
    """The resource that ``Type/id`` or ``Type/id/_history/version`` means; None for any other text."""
    match = _RELATIVE(text)
    return Relative(*match.groups()) if match else None


def conditional(text: str) -> Conditional | None:
    """What ``Patient?identifier=…`` searches; None for a reference that is no search."""
    match = _CONDITIONAL(text)
    return Conditional(*match.groups()) if match else None
