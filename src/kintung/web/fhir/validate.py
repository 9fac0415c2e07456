"""$validate: POST /$validate, /{type}/$validate and /{type}/{id}/$validate.

Source: http://hl7.org/fhir/R4/resource-operation-validate.html. The answer is 200 with an
OperationOutcome whenever the body was validated: that it is not even JSON is a finding like any
other. Structure is checked; identity numbers that are none are warnings. A profile, and a mode,
which ask whether the record would take it, are not, and asking for them is refused: an error says
that it is not known. Nothing is stored and nothing of the record is read.
"""

from typing import Any

from kintung.consent import Policy
from kintung.errors import BadInput, Issue, NotFound, NotSupported, StructureInvalid
from kintung.fhir.json import parse
from kintung.fhir.references import is_id
from kintung.fhir.structure import validate as issues_of
from kintung.identity.identifiers import warnings
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.headers import PLAIN
from kintung.web.fhir.references import make_local
from kintung.web.fhir.registry import Interaction, Recordless
from kintung.web.fhir.request import HOW, Request, not_offered
from kintung.web.outcomes import all_well, outcome
from kintung.web.site import Site

_UNCHECKED = ("mode", "profile")
"""Parameters of the operation that ask for more than is checked."""
_OPERATION = "http://hl7.org/fhir/OperationDefinition/Resource-validate"


def validate(site: Site, request: Request) -> Answer:
    """What is wrong with the resource that was sent.

    Raises:
        NotFound: the address is none of a resource.
        NotSupported: it is to be checked against a profile, or for a mode; or another parameter.
    """
    if request.id and not is_id(request.id):
        raise NotFound(
            "There is nothing at this address; an id is 1 to 64 letters, digits, hyphens and points."
        )
    for name, _ in request.pairs:
        if name in _UNCHECKED:
            raise _unchecked(name, name)
        if name not in HOW:
            raise not_offered(name)
    found = _found(site, request)
    if any(issue.severity == "error" for issue in found):
        return Answer(200, PLAIN, outcome(found))
    return Answer(200, PLAIN, all_well("The resource is structurally valid.", found))


def _found(site: Site, request: Request) -> list[Issue]:
    """What is wrong, and then what is doubtful."""
    try:
        resource = request.resource if request.resource is not None else parse(request.body, site.limits.json)
    except BadInput as error:
        return list(error.issues)
    if _is_input(resource, request.type):
        _refuse_unchecked(resource)
    try:
        make_local(resource, request.body, request.base)  # as storing it would
        return _findings(site, resource, request.type)
    except BadInput as error:
        return list(error.issues)


def _is_input(sent: dict[str, Any], type: str) -> bool:
    """Whether what was sent is the input of the operation, and not what is to be validated."""
    return sent.get("resourceType") == "Parameters" and type != "Parameters"


def _refuse_unchecked(sent: dict[str, Any]) -> None:
    for place, parameter in enumerate(_parameters(sent)):
        name = parameter.get("name")
        if isinstance(name, str) and name in _UNCHECKED:
            raise _unchecked(name, f"Parameters.parameter[{place}]")


def _findings(site: Site, sent: dict[str, Any], type: str) -> list[Issue]:
    resource = _wrapped(sent) if _is_input(sent, type) else sent
    if type and resource.get("resourceType") != type:
        raise StructureInvalid(f"This address takes a resource of type {type}.", path=f"{type}.resourceType")
    return [*issues_of(resource), *warnings(resource, site.today)]


def _wrapped(parameters: dict[str, Any]) -> dict[str, Any]:
    """The resource inside ``Parameters.parameter`` named ``resource``."""
    for parameter in _parameters(parameters):
        resource = parameter.get("resource")
        if parameter.get("name") == "resource" and isinstance(resource, dict):
            return resource  # pyright: ignore[reportUnknownVariableType]
    raise StructureInvalid("Parameters has no parameter named resource.", path="Parameters.parameter")


def _parameters(parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters, in their places; an empty one where what stands there is none."""
    listed = parameters.get("parameter")
    return [each if isinstance(each, dict) else {} for each in listed] if isinstance(listed, list) else []  # pyright: ignore[reportUnknownVariableType]


def _unchecked(name: str, path: str) -> NotSupported:
    return NotSupported(f"Only structure is checked here; leave {name} out.", path=path)


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
