"""Reading the left side of a search parameter: chains, ``_has`` and modifiers.

``subject:Patient.general-practitioner.name:exact`` leads forward twice,
``_has:Observation:patient:code`` back once; both may follow each other.
Source: http://hl7.org/fhir/R4/search.html#chaining and #has.
"""

from typing import NamedTuple

from kintung.errors import BadInput, TooLong


class Forward(NamedTuple):
    """``code.`` or ``code:type.``: to what the reference leads to; "" for a type of any kind."""

    code: str
    type: str


class Reverse(NamedTuple):
    """``_has:type:code:``: to what of this type leads here by this reference."""

    type: str
    code: str


class Path(NamedTuple):
    """The links of a name in order, and the parameter at their end; "" for no modifier."""

    links: tuple[Forward | Reverse, ...]
    code: str
    modifier: str

    @property
    def next_code(self) -> str:
        """The parameter that comes next: of the first link, or at the end."""
        return self.links[0].code if self.links else self.code


_HAS = "_has:"
_PIECES = 4
_FORM = "it is written _has:Observation:patient:code"


def path(name: str, most: int) -> Path:
    """Take a name apart.

    Raises:
        TooLong: it has more links than ``most``.
        BadInput: a ``_has`` lacks its type, its reference or its parameter.
    """
    links: list[Forward | Reverse] = []
    rest = name
    while rest.startswith(_HAS) or "." in rest:
        if len(links) == most:
            raise TooLong(f"a chain has at most {most} links")
        if rest.startswith(_HAS):
            pieces = rest.split(":", 3)
            if len(pieces) != _PIECES or not all(pieces):
                raise BadInput(_FORM)
            _, type, code, rest = pieces
            links.append(Reverse(type, code))
        else:
            head, _, rest = rest.partition(".")
            code, _, type = head.partition(":")
            links.append(Forward(code, type))
    code, _, modifier = rest.partition(":")
    if code == "_has":
        raise BadInput(_FORM)
    return Path(tuple(links), code, modifier)
