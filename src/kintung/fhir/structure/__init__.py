"""Structure validation: is a resource what FHIR R4 defines its type to be?

Cardinality, types, choices, primitive formats and calendar dates, required bindings
whose codes HL7 publishes, contained resources, extensions of primitives, target types of
references. What it does not judge is listed in ``docs/explanation/spec-readings.md``.

Two judges share the work. The fast one accepts (``schema``, a few microseconds); what it
does not accept goes to the thorough one (``walk``), which decides and says why.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from kintung.errors import Issue, StructureInvalid
from kintung.fhir.structure import schema, walk

__all__ = ["is_valid", "require_valid", "validate"]


def validate(resource: dict[str, Any]) -> list[Issue]:
    """All issues of a decoded resource; none means valid.

    Paths are FHIRPath from its type, with choices as JSON names them
    (``Observation.component[1].valueQuantity.value``). No message repeats a value.
    """
    return [] if _is_surely_valid(resource) else walk.issues_of(resource)


def is_valid(resource: dict[str, Any]) -> bool:
    """Whether ``validate`` finds nothing."""
    return _is_surely_valid(resource) or not walk.issues_of(resource)


def require_valid(resource: dict[str, Any]) -> None:
    """Raise StructureInvalid with every issue, unless there is none."""
    if issues := validate(resource):
        first = issues[0]
        raise StructureInvalid(first.message, path=first.path, issues=issues)


def _is_surely_valid(resource: Any, *, is_contained: bool = False) -> bool:
    """The fast judge, for a resource and those inside it; False means: ask the walk."""
    if not isinstance(resource, dict):
        return False
    fields = cast(dict[str, Any], resource)
    type = fields.get("resourceType")
    if not isinstance(type, str):
        return False
    try:
        if not schema.validator().is_valid({type: fields}):
            return False
    except ValueError:  # nested too deep, or not made of JSON types
        return False
    return _are_inner_valid(fields, type, is_contained)


def _are_inner_valid(resource: dict[str, Any], type: str, is_contained: bool) -> bool:
    """The fast judge for the resources inside one whose own definition is met."""
    contained = resource.get("contained")
    if contained is not None:
        if is_contained or not all(_is_surely_valid(each, is_contained=True) for each in contained):
            return False
        ids = [each["id"] for each in contained if "id" in each]
        if len(set(ids)) < len(ids):
            return False
    if type == "Bundle":
        return all(map(_is_surely_valid, _resources_of_bundle(resource)))
    if type == "Parameters":
        return all(map(_is_surely_valid, _resources_of_parameters(resource.get("parameter", ()))))
    return True


def _resources_of_bundle(bundle: dict[str, Any]) -> Iterator[Any]:
    for entry in bundle.get("entry", ()):
        if "resource" in entry:
            yield entry["resource"]
        if "outcome" in entry.get("response", ()):
            yield entry["response"]["outcome"]


def _resources_of_parameters(parameters: Iterable[dict[str, Any]]) -> Iterator[Any]:
    for parameter in parameters:
        if "resource" in parameter:
            yield parameter["resource"]
        yield from _resources_of_parameters(parameter.get("part", ()))
