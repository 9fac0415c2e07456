"""The references of a parsed resource, and those that lead where only the request can say.

Source: http://hl7.org/fhir/R4/http.html#trules: conditional references are for transactions.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from kintung.errors import NotSupported
from kintung.fhir.references import conditional, relative
from kintung.fhir.search import resource_types


class Reference(NamedTuple):
    """A reference that may have to change: the Reference it stands in and its text as sent."""

    holder: dict[str, Any]
    text: str


def references_in(resource: dict[str, Any], raw: bytes) -> list[Reference]:
    """Every Reference in a resource that has a literal reference, the outer ones first.

    ``raw`` is the text the resource was parsed from: it tells how many there are at most, and
    with the last of them the search ends.
    """
    # A name may be written with escapes, and then is not counted.
    most = raw.count(b'"reference"') if b"\\" not in raw or b"\\u" not in raw else len(raw)
    found: list[Reference] = []
    level = [resource] if most else []
    while level:
        for element in level:
            if "reference" in element and isinstance(text := element["reference"], str):
                found.append(Reference(element, text))
        level = _below(level) if len(found) < most else []
    return found


def _below(elements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The complex elements right below some."""
    below: list[dict[str, Any]] = []
    for element in elements:
        for value in element.values():
            kind = value.__class__  # no isinstance: this looks at every element of every resource
            if kind is dict:
                below.append(value)
            elif kind is list:
                for each in value:
                    if each.__class__ is dict:
                        below.append(each)
    return below


class OwnReference(NamedTuple):
    """A reference under the node's own address: where it stands, as sent, and what it is here."""

    holder: dict[str, Any]
    text: str
    local: str


def make_local(resource: dict[str, Any], raw: bytes, base: str) -> tuple[OwnReference, ...]:
    """Make the references under the node's own address local, in the parsed resource.

    ``raw`` is the text it was parsed from, ``base`` the address without a slash at its end.
    ``http://node/fhir/Patient/1`` is ``Patient/1``: http://hl7.org/fhir/R4/references.html#literal.
    A Bundle keeps its own.
    """
    if not base or resource.get("resourceType") == "Bundle":
        return ()
    may_hide = b"\\" in raw and (b"\\/" in raw or b"\\u" in raw)  # in an escape
    if not may_hide and base.encode() not in raw:
        return ()
    found: list[OwnReference] = []
    for holder, text in references_in(resource, raw):
        local = text.removeprefix(f"{base}/")
        meant = relative(local) if local != text else None
        if meant and meant.type in resource_types():
            holder["reference"] = local
            found.append(OwnReference(holder, text, local))
    return tuple(found)


def refuse_conditional(raw: bytes, resource: dict[str, Any]) -> None:
    """Refuse a conditional reference; ``raw`` is the text of the resource. A Bundle keeps its own.

    Raises:
        NotSupported: it has one; outside a transaction nothing resolves it.
    """
    type = str(resource["resourceType"])
    if type == "Bundle" or (b"?" not in raw and b"\\" not in raw):
        return
    for reference in references_in(resource, raw):
        if conditional(reference.text):
            place = next(place for place, holder in _places(resource, type) if holder is reference.holder)
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
