"""The words beside a code: what a token parameter with ``:text`` reads.

``CodeableConcept.text``, ``Coding.display`` and ``Identifier.type.text`` of the elements the
parameter reads. Source: http://hl7.org/fhir/R4/search.html#token and
http://hl7.org/fhir/R4/codesystem-search-modifier-code.html.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from kintung.fhir.search.atoms import Either, Field, Having, Leaf, Only, Step
from kintung.fhir.search.catalogue import type_catalogue

_OF_A_CONCEPT = Field("coding", many=True)


def has_text(type: str, code: str) -> bool:
    """Has a parameter of a type elements with words beside them?"""
    return bool(_leaves(type, code))


def token_text(resource: dict[str, Any], code: str) -> Iterator[str]:
    """Yield the words beside the codes that a parameter reads in a resource."""
    for leaf in _leaves(resource["resourceType"], code):
        for element in _at(leaf.steps, resource):
            yield from _texts(leaf, element)


@cache
def _leaves(type: str, code: str) -> tuple[Leaf, ...]:
    """The leaves of a parameter; those of a CodeableConcept end there, and not at its codings."""
    catalogue = type_catalogue(type)
    entry = catalogue.parameters.get(code)
    numbers = {atom for atom, _ in entry.branches} if entry is not None else set[int]()
    found = (leaf for atom in catalogue.atoms if atom.number in numbers for leaf in atom.leaves)
    return tuple(
        Leaf(leaf.steps[:-1] if leaf.steps[-1:] == (_OF_A_CONCEPT,) else leaf.steps, leaf.conversion)
        for leaf in found
        if leaf.conversion in ("coding", "identifier")
    )


def _texts(leaf: Leaf, element: dict[str, Any]) -> Iterator[str]:
    if leaf.conversion == "identifier":
        texts = [element.get("type", {}).get("text")]
    elif "coding" in element or "text" in element:
        texts = [element.get("text"), *(coding.get("display") for coding in element.get("coding", ()))]
    else:
        texts = [element.get("display")]
    yield from (text for text in texts if text is not None)


def _at(steps: tuple[Step, ...], element: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a path leads to."""
    if not steps:
        yield element
        return
    step, rest = steps[0], steps[1:]
    match step:
        case Field(name, many, first):
            inner = element.get(name)
            several = (inner or ()) if many else () if inner is None else (inner,)
            for one in several[:1] if first else several:
                yield from _at(rest, one)
        case Only(name, values, negate):
            if (element.get(name) in values) != negate:
                yield from _at(rest, element)
        case Having(url):
            if any(extension.get("url") == url for extension in element.get("extension", ())):
                yield from _at(rest, element)
        case Either():
            return  # the truth of an element has no words
