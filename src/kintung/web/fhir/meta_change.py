"""$meta-add and $meta-delete: POST /{type}/{id}/$meta-add and /{type}/{id}/$meta-delete.

Source: http://hl7.org/fhir/R4/resource-operation-meta-add.html and -meta-delete.html. What changes
is a new version like any other, as the log only grows; where nothing changes none is made. Security
labels are the node's to set: a caller who sends one is refused, for it would protect nothing. See
ADR 0017.
"""

from collections.abc import Callable
from functools import partial

from kintung.consent import Policy, Right
from kintung.errors import Deleted, NotFound, RuleFailed, StructureInvalid
from kintung.fhir.json import parse
from kintung.fhir.meta import Labels, labels_given, meta_given, meta_of, with_labels, without_labels
from kintung.fhir.structure import require_valid
from kintung.store.port import View
from kintung.store.writes import Receipt
from kintung.web.fhir.answer import Answer, versioned
from kintung.web.fhir.deposit import Step, Target, accepted_text, if_match
from kintung.web.fhir.headers import refuse_preconditions_but
from kintung.web.fhir.meta import returned
from kintung.web.fhir.registry import Interaction, Submission, Writes
from kintung.web.fhir.request import Request, refuse_parameters
from kintung.web.fhir.submission import submission
from kintung.web.site import Site

Change = Callable[[bytes, Labels], bytes]
"""From the text of a resource, and what was sent, to what it becomes."""


def changed(operation: str, change: Change, site: Site, request: Request) -> Submission:
    """The unit that changes the profiles and tags of a resource, answered with its ``meta`` after."""
    refuse_preconditions_but(b"if-match", request.headers)
    refuse_parameters(request)
    given = _given(site, request)

    def become(view: View, target: Target) -> Step:
        type, id, current, _ = target
        if current is None:
            raise NotFound(f"{type}/{id} is not known.")
        if current.deleted:
            raise Deleted(f"{type}/{id} was deleted.")
        before = view.read(request.access.sight, type, id).body
        text = change(before, given)
        if text == before:
            return step
        resource = parse(text, site.limits.json)
        own = accepted_text(resource, text, request.base)
        return Step("PUT", type, id, text, resource, own=own)

    step = Step("PATCH", request.type, request.id, if_match=if_match(request), become=become)
    submitted = submission(site, request, operation, step)
    return Submission(submitted.unit, partial(_answer, site, request))


def _given(site: Site, request: Request) -> Labels:
    """The profiles and tags that were sent.

    Raises:
        BadInput: not Parameters with one parameter meta.
        RuleFailed: a security label was sent.
    """
    sent = request.resource if request.resource is not None else parse(request.body, site.limits.json)
    if sent.get("resourceType") != "Parameters":
        raise StructureInvalid("The body of an operation is Parameters.", path="Parameters.resourceType")
    require_valid(sent)
    given = labels_given(meta_given(request.body))
    if sent["parameter"][0]["valueMeta"].get("security"):
        raise RuleFailed(
            "Security labels are set by the node, not by those who write; leave them out.",
            path="Parameters.parameter[0].valueMeta.security",
        )
    return given


def _answer(site: Site, request: Request, receipt: Receipt) -> Answer:
    done = receipt.done[0]
    try:
        with site.store.lookup() as view:
            version = view.vread(request.access.sight, done.type, done.id, done.version_id)
    except NotFound:  # it went out of sight since
        return Answer(200, versioned(done.version_id, done.at), at=done.at)
    headers = versioned(version.version_id, version.at)
    return Answer(200, headers, returned(meta_of(version.body)), version.patient_keys, version.at)


_DESCRIPTIONS: dict[str, tuple[Change, str]] = {
    "meta-add": (with_labels, "Add profiles and tags to a resource, as a new version of it."),
    "meta-delete": (without_labels, "Take profiles and tags from a resource, as a new version of it."),
}

INTERACTIONS = tuple(
    Interaction(
        name,
        "POST",
        f"/{{type}}/{{id}}/${name}",
        Writes(partial(changed, name, change)),
        Right.DEPOSIT,
        Policy.DEPOSITS,
        description,
        operation=f"http://hl7.org/fhir/OperationDefinition/Resource-{name}",
        also=Right.VIEW,
    )
    for name, (change, description) in _DESCRIPTIONS.items()
)
