"""patch: PATCH /{type}/{id}, and conditional patch: PATCH /{type}?criteria.

Source: http://hl7.org/fhir/R4/http.html#patch. A patch is JSON Patch
(``application/json-patch+json``) or FHIRPath Patch (a Parameters resource); in a Bundle JSON
Patch is the data of a Binary. It is applied inside the commit, to the version that it changes.
What a ``test`` says is read, so that a patch takes the right to view.
"""

from base64 import b64decode
from collections.abc import Callable

from kintung.consent import Policy, Right
from kintung.errors import Deleted, NotFound, StructureInvalid, ValueInvalid
from kintung.fhir.json import parse
from kintung.fhir.patch import (
    apply_fhirpath_patch,
    apply_json_patch,
    parse_fhirpath_patch,
    parse_json_patch,
)
from kintung.fhir.structure import require_valid
from kintung.store.port import View
from kintung.web.fhir.deposit import Step, Target, accepted_text, criteria_of, if_match
from kintung.web.fhir.headers import JSON_PATCH, refuse_preconditions_but
from kintung.web.fhir.references import refuse_conditional
from kintung.web.fhir.registry import Interaction, Submission, Writes
from kintung.web.fhir.request import Request, refuse_parameters
from kintung.web.fhir.submission import submission
from kintung.web.site import Site

Patch = Callable[[bytes], bytes]
"""From the text of a resource to what it becomes."""


def patch_step(site: Site, request: Request) -> Step:
    """The step of a patch by id."""
    refuse_preconditions_but(b"if-match", request.headers)
    refuse_parameters(request)
    become = _patching(site, request)
    return Step("PATCH", request.type, request.id, if_match=if_match(request), become=become)


def conditional_patch_step(site: Site, request: Request) -> Step:
    """The step of a conditional patch: of one match; none or several are refused."""
    refuse_preconditions_but(b"if-match", request.headers)
    criteria = criteria_of(site, request, request.pairs, "criteria")
    become = _patching(site, request)
    return Step("PATCH", request.type, "", criteria=criteria, if_match=if_match(request), become=become)


def patch(site: Site, request: Request) -> Submission:
    return submission(site, request, "patch", patch_step(site, request))


def conditional_patch(site: Site, request: Request) -> Submission:
    return submission(site, request, "conditional-patch", conditional_patch_step(site, request))


def _patching(site: Site, request: Request) -> Callable[[View, Target], Step]:
    patched = _patch_of(site, request)
    return lambda view, target: _patched(site, view, request, target, patched)


def _patched(site: Site, view: View, request: Request, target: Target, patched: Patch) -> Step:
    """The update that the patch amounts to on the version that is there; where it changes nothing, none.

    Raises:
        NotFound, Deleted: there is nothing to patch.
        BadInput: the patch cannot be applied, or makes what is not a resource of this type and id.
        RuleFailed: what it tests for is not so.
    """
    type, id, current, _ = target
    if not id:
        raise NotFound("The criteria match nothing; a patch changes what is there.")
    if current is None:
        raise NotFound(f"{type}/{id} is not known.")
    if current.deleted:
        raise Deleted(f"{type}/{id} was deleted.")
    before = view.read(request.access.sight, type, id).body
    text = patched(before)
    if text == before:
        return Step("PATCH", type, id)
    resource = parse(text, site.limits.json)
    if (resource.get("resourceType"), resource.get("id")) != (type, id):
        raise ValueInvalid("A patch changes neither the type of a resource nor its id.", path=f"{type}.id")
    own = accepted_text(resource, text, request.base)
    refuse_conditional(text, resource)
    return Step("PUT", type, id, text, resource, own=own)


def _patch_of(site: Site, request: Request) -> Patch:
    """What the body asks for, read once."""
    limits = site.limits.json
    raw, is_json_patch = _json_patch_of(request)
    if is_json_patch:
        operations = parse_json_patch(raw, limits)
        return lambda text: apply_json_patch(text, operations, limits)
    parameters = request.resource or parse(raw, limits)
    if parameters.get("resourceType") != "Parameters":
        raise StructureInvalid(
            "A patch is Parameters, or JSON Patch (RFC 6902).", path="Parameters.resourceType"
        )
    require_valid(parameters)
    wanted = parse_fhirpath_patch(parameters, raw)
    return lambda text: apply_fhirpath_patch(text, request.type, wanted, limits)


def _json_patch_of(request: Request) -> tuple[bytes, bool]:
    """The body, and whether it is JSON Patch; an entry of a Bundle brings it as a Binary."""
    if request.resource is None:
        media = (request.headers.get(b"content-type") or b"").partition(b";")[0]
        return request.body, media.strip().lower() == JSON_PATCH
    if request.resource.get("resourceType") != "Binary":
        return request.body, False
    if request.resource.get("contentType") != JSON_PATCH.decode():
        raise StructureInvalid(f"The Binary of a patch is {JSON_PATCH.decode()}.", path="Binary.contentType")
    require_valid(request.resource)
    return b64decode(request.resource.get("data", "")), True


INTERACTIONS = (
    Interaction(
        "patch",
        "PATCH",
        "/{type}/{id}",
        Writes(patch),
        Right.DEPOSIT,
        Policy.DEPOSITS,
        "Change a part of a resource by JSON Patch or FHIRPath Patch; If-Match names the version it changes.",
        ("patch",),
        also=Right.VIEW,
    ),
    Interaction(
        "conditional-patch",
        "PATCH",
        "/{type}",
        Writes(conditional_patch),
        Right.DEPOSIT,
        Policy.DEPOSITS,
        "Change a part of the one resource the criteria match.",
        also=Right.VIEW,
    ),
)
