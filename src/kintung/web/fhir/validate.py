"""$validate: POST /$validate, /{type}/$validate and /{type}/{id}/$validate.

Source: http://hl7.org/fhir/R4/resource-operation-validate.html. The answer is 200 with an
OperationOutcome whenever the body could be received: that it is not even JSON is a finding
like any other. Structure is checked; profiles are not. Nothing is stored and nothing of the
record is read.
"""

from typing import Any

from kintung.consent import Policy
from kintung.errors import BadInput, Issue, NotFound, StructureInvalid
from kintung.fhir.json import parse
from kintung.fhir.references import is_id
from kintung.fhir.structure import validate as issues_of
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.headers import PLAIN
from kintung.web.fhir.references import make_local
from kintung.web.fhir.registry import Interaction, Recordless
from kintung.web.fhir.request import HOW, Request, not_offered
from kintung.web.outcomes import all_well, outcome
from kintung.web.site import Site

_UNCHECKED = ("mode", "profile")
"""Parameters of the operation that are accepted and not heard; the answer says so."""
_OPERATION = "http://hl7.org/fhir/OperationDefinition/Resource-validate"


def validate(site: Site, request: Request) -> Answer:
    """What is wrong with the resource that was sent."""
    if request.id and not is_id(request.id):
        raise NotFound(
            "There is nothing at this address; an id is 1 to 64 letters, digits, hyphens and points."
        )
    named = [name for name, _ in request.pairs if name not in HOW]
    for name in named:
        if name not in _UNCHECKED:
            raise not_offered(name)
    try:
        resource = request.resource if request.resource is not None else parse(request.body, site.limits.json)
        make_local(resource, request.body, request.base)  # as storing it would
        found = [*_findings(resource, request.type), *map(_unchecked, named)]
    except BadInput as error:
        found = list(error.issues)
    return Answer(200, PLAIN, outcome(found) if found else all_well("The resource is structurally valid."))


def _findings(sent: dict[str, Any], type: str) -> list[Issue]:
    found: list[Issue] = []
    resource = sent
    if sent.get("resourceType") == "Parameters" and type != "Parameters":
        resource = _wrapped(sent)
        found += [_unchecked(name) for name in _names(sent) if name in _UNCHECKED]
    if type and resource.get("resourceType") != type:
        raise StructureInvalid(f"This address takes a resource of type {type}.", path=f"{type}.resourceType")
    return issues_of(resource) + found


def _wrapped(parameters: dict[str, Any]) -> dict[str, Any]:
    """The resource inside ``Parameters.parameter`` named ``resource``."""
    for parameter in _parameters(parameters):
        resource = parameter.get("resource")
        if parameter.get("name") == "resource" and isinstance(resource, dict):
            return resource  # pyright: ignore[reportUnknownVariableType]
    raise StructureInvalid("Parameters has no parameter named resource.", path="Parameters.parameter")


def _names(parameters: dict[str, Any]) -> list[Any]:
    return [parameter.get("name") for parameter in _parameters(parameters)]


def _parameters(parameters: dict[str, Any]) -> list[dict[str, Any]]:
    listed = parameters.get("parameter")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []  # pyright: ignore[reportUnknownVariableType]


def _unchecked(name: str) -> Issue:
    return Issue(
        "not-supported", f"The {name} was not checked: only structure is.", "Parameters.parameter", "warning"
    )


INTERACTIONS = tuple(
    Interaction(
        name,
        "POST",
        path,
        Recordless(validate),
        None,
        Policy.OPEN,
        "Say what is structurally wrong with a resource, and store nothing.",
        operation=_OPERATION,
    )
    for name, path in (
        ("validate", "/$validate"),
        ("validate-type", "/{type}/$validate"),
        ("validate-instance", "/{type}/{id}/$validate"),
    )
)
