"""What FHIR R4 says of each type: its elements, and the codes some of them are bound to.

The packaged artefact ``fhir/data/structures.json.gz`` holds it. It is made from the HL7
definitions by ``scripts/build_fhir_definitions.py``, which writes these same structs.
"""

import gzip
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, cast

import msgspec

ARTEFACT = "structures.json.gz"

PRIMITIVES = frozenset(
    (
        "base64Binary",
        "boolean",
        "canonical",
        "code",
        "date",
        "dateTime",
        "decimal",
        "id",
        "instant",
        "integer",
        "markdown",
        "oid",
        "positiveInt",
        "string",
        "time",
        "unsignedInt",
        "uri",
        "url",
        "uuid",
        "xhtml",
    )
)


class Element(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One element of a type, as its StructureDefinition has it.

    ``types`` are names of primitives, of data types, of ``Resource``, or paths of
    backbone elements (``Observation.component``); more than one only for a choice.
    ``max`` 0 means without bound. ``targets`` are the resource types a Reference may
    lead to; none named means any. ``value_set`` is a required binding, by URL. What is
    an XML attribute (``Element.id``, ``Extension.url``) can have no extension. What ``is_summary``
    belongs to the summary of a resource; what ``is_modifier`` may change what the rest means.
    """

    name: str
    types: tuple[str, ...]
    min: int = 0
    max: int = 1
    is_choice: bool = False
    is_attribute: bool = False
    targets: tuple[str, ...] = ()
    value_set: str | None = None
    is_summary: bool = False
    is_modifier: bool = False


class Definitions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All types of one FHIR version.

    ``types`` maps a type, or the path of a backbone element, to its elements in the
    order of the definition; ``value_sets`` maps a URL to systems and their codes;
    ``unchecked`` maps the URL of a required value set that cannot be expanded from HL7's
    own code systems to the reason.
    """

    version: str
    resources: tuple[str, ...]
    types: dict[str, tuple[Element, ...]]
    value_sets: dict[str, dict[str, tuple[str, ...]]]
    unchecked: dict[str, str]


class Member(NamedTuple):
    """A JSON member of a type: an element, and which of its types the name tells.

    ``is_extensible``: ids and extensions may stand beside it, under ``_name``.
    """

    element: Element
    type: str
    is_primitive: bool
    is_extensible: bool


class Demand(NamedTuple):
    """An element that is required or a choice, and the member names it may have."""

    element: Element
    names: tuple[str, ...]


@cache
def definitions() -> Definitions:
    """Read the packaged artefact (once)."""
    packed = files("kintung.fhir").joinpath("data", ARTEFACT).read_bytes()
    return msgspec.json.decode(gzip.decompress(packed), type=Definitions)


@cache
def members(type: str) -> dict[str, Member]:
    """JSON member names of ``type`` (without the ``_name`` of primitive extensions)."""
    return {
        member_name(element, code): member_of(element, code)
        for element in definitions().types[type]
        for code in element.types
    }


def member_of(element: Element, type: str) -> Member:
    is_primitive = type in PRIMITIVES
    return Member(element, type, is_primitive, is_primitive and type != "xhtml" and not element.is_attribute)


@cache
def demands(type: str) -> tuple[Demand, ...]:
    """What may be missing from a ``type``, or be there twice."""
    return tuple(
        Demand(element, tuple(member_name(element, code) for code in element.types))
        for element in definitions().types[type]
        if element.min or element.is_choice
    )


def member_name(element: Element, type: str) -> str:
    """``value`` of type ``Quantity`` is ``valueQuantity`` in JSON; other elements keep their name."""
    if not element.is_choice:
        return element.name
    shown = "Quantity" if type == "SimpleQuantity" else type
    return element.name + shown[0].upper() + shown[1:]


def type_at(resource: dict[str, Any], type: str, path: Sequence[str | int]) -> str | None:
    """The type of what ``path`` leads to in a ``resource`` of ``type``; None where FHIR has none."""
    at: str | None = type
    value: Any = resource
    for step in path:
        value = value[step]
        if isinstance(step, str):
            member = members(at).get(step) if at in definitions().types else None
            at = member.type if member else None
        if at == "Resource" and isinstance(value, dict):
            value = cast(dict[str, Any], value)
            at = value.get("resourceType")
    return at
