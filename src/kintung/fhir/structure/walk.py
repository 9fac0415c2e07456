"""The thorough judge: every way in which a resource departs from its definition.

Written to be plainly right rather than fast: it reads the definitions element by
element. ``kintung.fhir.structure.schema`` only ever accepts what this finds no fault
with, and a property test holds it to that.

Messages name elements, types and rules, and never repeat what was sent, but for names
of elements and types.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, cast

import jsonschema_rs

from kintung.errors import Issue
from kintung.fhir.limits import LIMITS
from kintung.fhir.structure.definitions import (
    Demand,
    Element,
    Member,
    definitions,
    demands,
    member_name,
    members,
)
from kintung.fhir.structure.primitives import (
    TABLE,
    compile_schema,
    is_of_json_type,
    is_primitive,
    reference_pattern,
)

MAX_ISSUES = 500
"""After so many the walk ends: what remains is more of the same."""

_PLAIN_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9_]{0,63}")
_RELATIVE_TYPE = re.compile(r"([A-Za-z]+)[/?]")


class _EnoughFound(Exception):
    pass


def issues_of(resource: Any) -> list[Issue]:
    """All issues of a resource, in the order its members are written."""
    walk = _Walk()
    with suppress(_EnoughFound):
        walk.resource(resource, _root(resource), 0, is_contained=False)
    return walk.issues


def _root(resource: Any) -> str:
    type = cast(dict[str, Any], resource).get("resourceType") if isinstance(resource, dict) else None
    return type if isinstance(type, str) and type in definitions().resources else "Resource"


class _Walk:
    def __init__(self) -> None:
        self.issues: list[Issue] = []

    def report(self, code: str, path: str, message: str) -> None:
        self.issues.append(Issue(code, f"{path} {message}", path))
        if len(self.issues) >= MAX_ISSUES:
            raise _EnoughFound

    # --- objects ---

    def resource(self, value: Any, path: str, depth: int, *, is_contained: bool) -> None:
        if not isinstance(value, dict):
            return self.report("structure", path, "must be a resource: an object with a resourceType.")
        fields = cast(dict[str, Any], value)
        type = fields.get("resourceType")
        if "resourceType" not in fields:
            return self.report("required", path, "has no resourceType; add the name of its FHIR R4 type.")
        if not isinstance(type, str) or type not in definitions().resources:
            return self.report("structure", path, "has a resourceType that is no resource type of FHIR R4.")
        if is_contained and "contained" in fields:
            self.report("invariant", path, "is contained and may not contain resources itself.")
        self.fields(fields, type, path, depth)
        self.contained_ids(fields, path)
        return None

    def contained_ids(self, fields: dict[str, Any], path: str) -> None:
        contained = fields.get("contained")
        seen: set[str] = set()
        for index, each in enumerate(cast(list[Any], contained) if isinstance(contained, list) else ()):
            id = cast(dict[str, Any], each).get("id") if isinstance(each, dict) else None
            if isinstance(id, str):
                if id in seen:
                    self.report(
                        "invariant",
                        f"{path}.contained[{index}].id",
                        "is the id of another contained resource.",
                    )
                seen.add(id)

    def object(self, value: Any, type: str, path: str, depth: int) -> None:
        """A value of a data type or backbone element."""
        if not isinstance(value, dict):
            return self.report("structure", path, f"must be an object of type {type}.")
        fields = cast(dict[str, Any], value)
        if not fields.keys() - {"id"}:
            return self.report("structure", path, "is empty; leave it out or give it a value.")
        self.fields(fields, type, path, depth)
        if type == "Extension":
            self.extension(fields, path)
        return None

    def extension(self, fields: Mapping[str, Any], path: str) -> None:
        has_value = any(name.startswith(("value", "_value")) for name in fields)
        if has_value == ("extension" in fields):
            self.report(
                "invariant", path, "must have either a value or extensions of its own, not both or neither."
            )

    def fields(self, fields: dict[str, Any], type: str, path: str, depth: int) -> None:
        """The members of an object of ``type``, then what is missing from it."""
        if depth > LIMITS.depth:
            return self.report("too-long", path, f"is more than {LIMITS.depth} levels deep.")
        known = members(type)
        for name, value in fields.items():
            if name == "resourceType" and type in definitions().resources:
                continue
            member = known.get(name)
            if member is not None:
                self.member(fields, name, value, member, f"{path}.{name}", depth)
            elif (base := _extended(name, known)) is None:
                self.unknown(name, type, path)
            elif name[1:] not in fields:  # else judged with its value
                self.extensions_alone(value, base, f"{path}.{name[1:]}", depth)
        for demand in demands(type):
            self.presence(fields, demand, path)
        return None

    def unknown(self, name: str, type: str, path: str) -> None:
        shown = f".{name}" if _PLAIN_NAME.fullmatch(name) else ".`?`"
        for element in definitions().types[type]:
            if element.is_choice and name == element.name:
                example = member_name(element, element.types[0])
                return self.report("structure", path + shown, f"must name its type, such as {example}.")
        return self.report(
            "structure", path + shown, f"is no element of {type}; remove it or send an extension."
        )

    def presence(self, fields: Mapping[str, Any], demand: Demand, path: str) -> None:
        """A required element is there, a choice is made once."""
        element, names = demand
        present = [name for name in names if name in fields or f"_{name}" in fields]
        if element.min and not present:
            what = (
                "is required; add it."
                if len(names) == 1
                else f"is required; add {names[0]} or another of its types."
            )
            self.report("required", f"{path}.{element.name}", what)
        if len(present) > 1:
            sent = (name.removeprefix("_") for name in fields)
            first, second, *_ = dict.fromkeys(name for name in sent if name in names)
            self.report(
                "structure",
                f"{path}.{second}",
                f"stands beside {first}; only one {element.name}[x] may be sent.",
            )

    # --- members ---

    def member(
        self, fields: Mapping[str, Any], name: str, value: Any, member: Member, path: str, depth: int
    ) -> None:
        beside = fields.get(f"_{name}") if member.is_extensible else None
        if f"_{name}" in fields and member.is_extensible:
            self.extensions_beside(value, beside, member, path, depth)
        if member.element.max == 1:
            if isinstance(value, list):
                return self.report("structure", path, "does not repeat; send it without [ ].")
            return self.value(value, member, path, depth)
        if not isinstance(value, list):
            return self.report("structure", path, "repeats; send it as an array in [ ].")
        items = cast(list[Any], value)
        if not items:
            return self.report("structure", path, "is an empty array; leave it out.")
        for index, item in enumerate(items):
            if item is None and _has_extension_at(beside, index):
                continue
            self.value(item, member, f"{path}[{index}]", depth)
        return None

    def value(self, value: Any, member: Member, path: str, depth: int) -> None:
        """One value, not an array."""
        if value is None:
            return self.report("structure", path, "is null; leave it out.")
        if member.is_primitive:
            return self.primitive(value, member, path)
        if member.type == "Resource":
            return self.resource(value, path, depth + 1, is_contained=member.element.name == "contained")
        self.object(value, member.type, path, depth + 1)
        if isinstance(value, dict):
            fields = cast(dict[str, Any], value)
            if member.type == "Reference":
                self.target(fields.get("reference"), member.element, f"{path}.reference")
            if member.element.value_set:
                self.concept(fields, member.element.value_set, path)
        return None

    def primitive(self, value: Any, member: Member, path: str) -> None:
        rule = TABLE[member.type].rule
        if not is_of_json_type(member.type, value):
            return self.report("structure", path, f"must be {rule}.")
        if not is_primitive(member.type, value):
            return self.report("value", path, f"must be {rule}.")
        codes = _codes(member.element.value_set)
        if codes is not None and value not in codes:
            shown = ", ".join(sorted(codes)) if len(codes) <= 30 else "those codes"
            return self.report(
                "code-invalid", path, f"must be a code of {member.element.value_set}: {shown}."
            )
        return None

    def target(self, reference: Any, element: Element, path: str) -> None:
        """A reference leads to a type the element allows, as far as its text tells."""
        if not isinstance(reference, str) or _leads_to(element.targets).is_valid(reference):
            return
        relative = _RELATIVE_TYPE.match(reference)
        if relative and relative[1] in definitions().resources and _leads_to(()).is_valid(reference):
            allowed = ", ".join(element.targets)
            self.report("value", path, f"leads to a {relative[1]}; it may lead to: {allowed}.")
        elif is_primitive("string", reference):
            self.report(
                "value",
                path,
                "must be Type/id, an absolute address, or # and the id of a contained resource.",
            )

    def concept(self, fields: Mapping[str, Any], value_set: str, path: str) -> None:
        """A CodeableConcept under a required binding has a coding of the value set."""
        systems = definitions().value_sets.get(value_set)
        if systems is None:
            return
        codings = fields.get("coding")
        for coding in cast(list[Any], codings) if isinstance(codings, list) else ():
            if isinstance(coding, dict):
                pair = cast(dict[str, Any], coding)
                system, code = pair.get("system"), pair.get("code")
                if isinstance(system, str) and code in systems.get(system, ()):
                    return
        self.report("code-invalid", path, f"needs a coding with a system and code of {value_set}.")

    # --- ids and extensions of primitives ---

    def extensions_alone(self, value: Any, member: Member, path: str, depth: int) -> None:
        """``_name`` without ``name``: each must say something by itself."""
        if member.element.max == 1:
            return self.object(value, "Element", path, depth + 1)
        if not isinstance(value, list) or not value:
            return self.report(
                "structure", path, "repeats; send its extensions as an array in [ ], not empty."
            )
        for index, item in enumerate(cast(list[Any], value)):
            self.object(item, "Element", f"{path}[{index}]", depth + 1)
        return None

    def extensions_beside(self, value: Any, beside: Any, member: Member, path: str, depth: int) -> None:
        """``_name`` beside ``name``: in arrays the two are of one length, null where one has nothing."""
        if member.element.max == 1:
            return self.beside(beside, path, depth)
        if not isinstance(beside, list):
            return self.report("structure", path, "repeats; send its extensions as an array in [ ].")
        extensions = cast(list[Any], beside)
        values = cast(list[Any], value) if isinstance(value, list) else []
        if len(extensions) != len(values):
            self.report(
                "structure",
                path,
                "and its extensions must be arrays of one length, with null where one has nothing.",
            )
        for index, item in enumerate(extensions):
            if index < len(values) and values[index] is not None:
                if item is not None:
                    self.beside(item, f"{path}[{index}]", depth)
            else:
                self.object(item, "Element", f"{path}[{index}]", depth + 1)
        return None

    def beside(self, value: Any, path: str, depth: int) -> None:
        """The id and extensions of a primitive that has a value: an id alone is enough."""
        if not isinstance(value, dict) or not value:
            return self.report("structure", path, "has extensions that are no object, or an empty one.")
        return self.fields(cast(dict[str, Any], value), "Element", path, depth + 1)


def _extended(name: str, known: Mapping[str, Member]) -> Member | None:
    """The primitive that ``_name`` extends."""
    member = known.get(name[1:]) if name.startswith("_") else None
    return member if member and member.is_extensible else None


def _has_extension_at(beside: Any, index: int) -> bool:
    return isinstance(beside, list) and index < len(cast(list[Any], beside)) and beside[index] is not None


@cache
def _codes(value_set: str | None) -> frozenset[str] | None:
    systems = definitions().value_sets.get(value_set) if value_set else None
    return frozenset(code for codes in systems.values() for code in codes) if systems else None


@cache
def _leads_to(targets: tuple[str, ...]) -> jsonschema_rs.Draft202012Validator:
    return compile_schema({"pattern": reference_pattern(targets or definitions().resources)})
