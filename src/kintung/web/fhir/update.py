"""update: PUT /{type}/{id}, and conditional update: PUT /{type}?criteria.

Source: http://hl7.org/fhir/R4/http.html#update and #cond-update. To choose the id of a new
resource, or to bring back a deleted one, is the right ``place``; without it the answer is the
404 of an absent resource.
"""

from kintung.consent import Policy, Right
from kintung.errors import ValueInvalid
from kintung.fhir.references import is_id
from kintung.web.fhir.deposit import Step, accepted, criteria_of, if_match
from kintung.web.fhir.headers import refuse_preconditions_but
from kintung.web.fhir.registry import Interaction, Submission, Writes
from kintung.web.fhir.request import Request, refuse_parameters
from kintung.web.fhir.submission import submission
from kintung.web.site import Site


def update_step(site: Site, request: Request) -> Step:
    """The step of an update by id."""
    refuse_preconditions_but(b"if-match", request.headers)
    refuse_parameters(request)
    if not is_id(request.id):
        raise ValueInvalid("An id is 1 to 64 letters, digits, hyphens and points.", path=f"{request.type}.id")
    resource, own = accepted(site, request)
    if resource.get("id") != request.id:
        raise ValueInvalid(
            f"The id of the resource must be that of the address: {request.id}.", path=f"{request.type}.id"
        )
    return Step("PUT", request.type, request.id, request.body, resource, if_match=if_match(request), own=own)


def conditional_update_step(site: Site, request: Request) -> Step:
    """The step of a conditional update: nothing matches, create; one, update; more, refused."""
    refuse_preconditions_but(b"if-match", request.headers)
    resource, own = accepted(site, request)
    return Step(
        "PUT",
        request.type,
        "",
        request.body,
        resource,
        criteria_of(site, request, request.pairs, "criteria"),
        if_match(request),
        fresh=site.entropy.new_id(),
        own=own,
    )


def update(site: Site, request: Request) -> Submission:
    return submission(site, request, "update", update_step(site, request))


def conditional_update(site: Site, request: Request) -> Submission:
    return submission(site, request, "conditional-update", conditional_update_step(site, request))


INTERACTIONS = (
    Interaction(
        "update",
        "PUT",
        "/{type}/{id}",
        Writes(update),
        Right.DEPOSIT,
        Policy.DEPOSITS,
        "Store a new version of a resource; If-Match names the version it must follow.",
        ("update",),
    ),
    Interaction(
        "conditional-update",
        "PUT",
        "/{type}",
        Writes(conditional_update),
        Right.DEPOSIT,
        Policy.DEPOSITS,
        "Update the one resource the criteria match, or create it.",
    ),
)
