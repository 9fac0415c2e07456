"""The fast judge: one JSON Schema for all resource types, run by jsonschema-rs.

It accepts only what the definitions allow, and nearly all of it; a resource it does not
accept goes to ``kintung.fhir.structure.walk``, which decides and says why. Left to the
walk are things rare in practice that JSON Schema says badly or slowly: extensions of
repeating primitives (``_given``), a required element present by its extension alone,
and extensions of a primitive in a choice (``_valueString``).

A resource inside another is only required to be an object with a type: JSON Schema
cannot choose a definition by it without trying all 146.
"""

from functools import cache
from typing import Any

import jsonschema_rs

from kintung.fhir.structure.definitions import Definitions, Element, definitions, member_name, member_of
from kintung.fhir.structure.primitives import TABLE, compile_schema, reference_pattern

_INNER_RESOURCE = {"type": "object", "required": ["resourceType"]}


@cache
def validator() -> jsonschema_rs.Draft202012Validator:
    """Compile the schema (once: 0.3 s, 50 MB); its instances are ``{type: resource}``."""
    return compile_schema(schema(definitions()))


def schema(known: Definitions) -> dict[str, Any]:
    """Write the schema: a definition for each type, primitive, value set and set of targets."""
    defs: dict[str, Any] = {name: primitive.schema for name, primitive in TABLE.items()}
    for url, systems in known.value_sets.items():
        defs[_bound("code", url)] = {"enum": sorted({code for codes in systems.values() for code in codes})}
    for name, elements in known.types.items():
        defs[name] = _object(name, elements, known, defs)
    for name in known.resources:
        defs[name]["properties"]["resourceType"] = {"const": name}
        defs[name]["required"].append("resourceType")
    return {
        "type": "object",
        "properties": {name: {"$ref": f"#/$defs/{name}"} for name in known.resources},
        "additionalProperties": False,
        "$defs": defs,
    }


def _object(
    name: str, elements: tuple[Element, ...], known: Definitions, defs: dict[str, Any]
) -> dict[str, Any]:
    """One type; definitions it needs beside the types themselves are added to ``defs``."""
    properties: dict[str, Any] = {}
    rules: list[dict[str, Any]] = []
    for element in elements:
        for type in element.types:
            shape = (
                {"$ref": "#/$defs/" + _shape(element, type, known, defs)}
                if type != "Resource"
                else _INNER_RESOURCE
            )
            json_name = member_name(element, type)
            if element.max != 1:
                shape = {"type": "array", "items": shape, "minItems": 1}
            elif member_of(element, type).is_extensible and not element.is_choice:
                properties[f"_{json_name}"] = {"$ref": "#/$defs/Element"}
            properties[json_name] = shape
        if element.is_choice and name != "Extension":
            rules.append(_at_most_one(element))
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
        "dependentSchemas": {"id": {"minProperties": 2}},
        "required": [each.name for each in elements if each.min and not each.is_choice],
        **({"allOf": rules} if rules else {}),
        **(_extension_rule() if name == "Extension" else {}),
    }


def _shape(element: Element, type: str, known: Definitions, defs: dict[str, Any]) -> str:
    """The name of the definition for ``element`` when it is of ``type``."""
    if type == "Reference":
        targets = element.targets or known.resources
        name = "Reference-" + "-".join(element.targets)
        if name not in defs:
            base = _object("Reference", known.types["Reference"], known, defs)
            base["properties"]["reference"] = {"type": "string", "pattern": reference_pattern(targets)}
            defs[name] = base
        return name
    if element.value_set in known.value_sets:
        name = _bound(type, element.value_set)
        if name not in defs:
            base = _object(type, known.types[type], known, defs)
            base["required"].append("coding")
            base["properties"]["coding"]["contains"] = _coding_of(known.value_sets[element.value_set])
            defs[name] = base
        return name
    return type


def _bound(type: str, url: str) -> str:
    return f"{type}-in-{url.rpartition('/')[2]}"


def _coding_of(systems: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    return {
        "anyOf": [
            {
                "properties": {"system": {"const": system}, "code": {"enum": codes}},
                "required": ["system", "code"],
            }
            for system, codes in systems.items()
        ]
    }


def _at_most_one(element: Element) -> dict[str, Any]:
    """One member of a choice; none too where the element may be absent."""
    names = [member_name(element, type) for type in element.types]
    one = [{"required": [name]} for name in names]
    return {"oneOf": one if element.min else [*one, {"not": {"anyOf": one}}]}


def _extension_rule() -> dict[str, Any]:
    """Extensions inside, or a value: beside ``url`` and perhaps ``id`` exactly one member more."""
    return {
        "if": {"required": ["id"]},
        "then": {"minProperties": 3, "maxProperties": 3},
        "else": {"minProperties": 2, "maxProperties": 2},
    }
