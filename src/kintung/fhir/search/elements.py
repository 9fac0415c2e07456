"""The elements of each FHIR type, as far as typing a search expression needs them.

Read from StructureDefinitions when the artefact is built; a running node has no use for it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

SYSTEM_STRING = "http://hl7.org/fhirpath/System.String"


class Element(NamedTuple):
    """One element: its types, whether JSON holds a list, whether the type is in the name.

    A type is a FHIR type name or, for elements defined in place, their own path
    (``Observation.component``).
    """

    types: tuple[str, ...]
    many: bool
    choice: bool


Elements = Mapping[str, Mapping[str, Element]]
"""Type name or path of an element defined in place, to its children by name."""


def read_elements(definitions: Iterable[Mapping[str, Any]]) -> Elements:
    """Return the elements of all types that are not profiles.

    Args:
        definitions: StructureDefinitions with snapshots; others are passed over.
    """
    elements: dict[str, dict[str, Element]] = {}
    for definition in definitions:
        if definition["kind"] == "logical" or definition.get("derivation") == "constraint":
            continue
        for element in definition.get("snapshot", {}).get("element", ()):
            context, _, name = element["path"].rpartition(".")
            if context and ":" not in element["id"]:
                elements.setdefault(context, {})[name.removesuffix("[x]")] = _element(element)
    return elements


def _element(element: Mapping[str, Any]) -> Element:
    return Element(
        types=_types(element),
        many=element["max"] not in ("0", "1"),
        choice=element["path"].endswith("[x]"),
    )


def _types(element: Mapping[str, Any]) -> tuple[str, ...]:
    if "contentReference" in element:
        return (element["contentReference"].removeprefix("#"),)
    codes = [type["code"] for type in element.get("type", ())]
    return tuple(
        element["path"]
        if code in ("BackboneElement", "Element")
        else "string"
        if code == SYSTEM_STRING
        else code
        for code in codes
    )
