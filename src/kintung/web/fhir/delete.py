"""delete: DELETE /{type}/{id}, and conditional delete: DELETE /{type}?criteria.

Source: http://hl7.org/fhir/R4/http.html#delete and #3.1.0.7.1. A resource that is absent,
hidden or deleted already answers 204 as one that is deleted now.
"""

from kintung.consent import Policy, Right
from kintung.web.fhir.deposit import Step, criteria_of, if_match
from kintung.web.fhir.headers import refuse_preconditions_but
from kintung.web.fhir.registry import Interaction, Submission, Writes
from kintung.web.fhir.request import Request, refuse_parameters
from kintung.web.fhir.submission import submission
from kintung.web.site import Site


def delete_step(_site: Site, request: Request) -> Step:
    """The step of a deletion by id."""
    refuse_preconditions_but(b"if-match", request.headers)
    refuse_parameters(request)
    return Step("DELETE", request.type, request.id, if_match=if_match(request))


def conditional_delete_step(site: Site, request: Request) -> Step:
    """The step of a conditional deletion: of one match; several are refused."""
    refuse_preconditions_but(b"if-match", request.headers)
    criteria = criteria_of(site, request, request.pairs, "criteria")
    return Step("DELETE", request.type, "", criteria=criteria, if_match=if_match(request))


def delete(site: Site, request: Request) -> Submission:
    return submission(site, request, "delete", delete_step(site, request))


def conditional_delete(site: Site, request: Request) -> Submission:
    return submission(site, request, "conditional-delete", conditional_delete_step(site, request))


INTERACTIONS = (
    Interaction(
        "delete",
        "DELETE",
        "/{type}/{id}",
        Writes(delete),
        Right.DEPOSIT,
        Policy.DEPOSITS,
        "Delete a resource; its earlier versions stay in its history.",
        ("delete",),
    ),
    Interaction(
        "conditional-delete",
        "DELETE",
        "/{type}",
        Writes(conditional_delete),
        Right.DEPOSIT,
        Policy.DEPOSITS,
        "Delete the one resource the criteria match.",
    ),
)
