"""References of a parsed resource that lead where only the request can say.

Source: http://hl7.org/fhir/R4/http.html#trules: conditional references are for transactions.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from kintung.errors import NotSupported

CONDITIONAL = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?(?P<query>.+)", re.DOTALL)
"""A reference that is a search: ``Patient?identifier=…``."""


class Link(NamedTuple):
    """A reference that may have to change: the Reference it stands in and its text as sent."""

    holder: dict[str, Any]
    text: str


def links(element: dict[str, Any], found: list[Link]) -> list[Link]:
    """Add every Reference below an element that has a literal reference."""
    for name, value in element.items():
        kind = value.__class__  # no isinstance: this looks at every element of every resource
        if kind is dict:
            links(value, found)
        elif kind is list:
            for each in value:
                if each.__class__ is dict:
                    links(each, found)
        elif name == "reference" and kind is str:
            found.append(Link(element, value))
    return found


def refuse_conditional(raw: bytes, resource: dict[str, Any]) -> None:
    """Refuse a conditional reference; ``raw`` is the text of the resource. A Bundle keeps its own.

    Raises:
        NotSupported: it has one; outside a transaction nothing resolves it.
    """
    type = str(resource["resourceType"])
    if type == "Bundle" or (b"?" not in raw and b"\\" not in raw):
        return
    for link in links(resource, []):
        if CONDITIONAL.fullmatch(link.text):
            place = next(place for place, holder in _places(resource, type) if holder is link.holder)
            raise NotSupported(
                "Only a transaction resolves a reference that is a search; name the resource by its id.",
                path=f"{place}.reference",
            )


def _places(element: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every complex element, with its FHIRPath."""
    yield place, element
    for name, value in element.items():
        if value.__class__ is dict:
            yield from _places(value, f"{place}.{name}")
        elif value.__class__ is list:
            for index, each in enumerate(value):
                if each.__class__ is dict:
                    yield from _places(each, f"{place}.{name}[{index}]")
