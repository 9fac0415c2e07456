"""delete: DELETE /{type}/{id}, and conditional delete: DELETE /{type}?criteria.

Source: http://hl7.org/fhir/R4/http.html#delete and #3.1.0.7.1. A resource that is absent,
hidden or deleted already answers 204 as one that is deleted now. How many a conditional delete
may delete is the operator's to say: all of them in one commit, or none.
"""

from functools import partial

from kintung.consent import Policy, Right
from kintung.errors import MultipleMatches
from kintung.store.port import Unit, View
from kintung.store.writes import Outcome, Prepared, Receipt, Write
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.audit import audit_record
from kintung.web.fhir.deposit import Step, Target, criteria_of, find, if_match, links_of, write
from kintung.web.fhir.headers import PLAIN, refuse_preconditions_but
from kintung.web.fhir.registry import Interaction, Submission, Writes
from kintung.web.fhir.request import Request, refuse_parameters
from kintung.web.fhir.submission import answer, idempotency_of, submission
from kintung.web.site import Site


def delete_step(_site: Site, request: Request) -> Step:
    """The step of a deletion by id."""
    refuse_preconditions_but(b"if-match", request.headers)
    refuse_parameters(request)
    return Step("DELETE", request.type, request.id, if_match=if_match(request))


def conditional_delete_step(site: Site, request: Request) -> Step:
    """The step of a conditional deletion: of one match; in a transaction several are refused."""
    refuse_preconditions_but(b"if-match", request.headers)
    criteria = criteria_of(site, request, request.pairs, "criteria")
    return Step("DELETE", request.type, "", criteria=criteria, if_match=if_match(request))


def delete(site: Site, request: Request) -> Submission:
    return submission(site, request, "delete", delete_step(site, request))


def conditional_delete(site: Site, request: Request) -> Submission:
    step = conditional_delete_step(site, request)
    if site.settings.delete_at_most == 1:
        return submission(site, request, "conditional-delete", step)
    unit = Unit(request.access.reader, partial(_several, site, request, step), idempotency_of(request))
    return Submission(unit, partial(_answer, site, request))


def _several(site: Site, request: Request, step: Step, view: View) -> Prepared:
    """Delete all that match.

    Raises:
        MultipleMatches: they are more than one request may delete.
        VersionConflict: one of them is not at a version of ``if_match``.
    """
    access, most = request.access, site.settings.delete_at_most
    assert step.criteria is not None
    matches = view.match(access.sight, step.criteria, most + 1)
    if len(matches) > most:
        raise MultipleMatches(
            f"The criteria match more than {most} resources, the most that one request deletes here;"
            " make them stricter."
        )
    writes: list[Write] = []
    deleted: list[tuple[Target, Step]] = []
    outcomes: list[Outcome] = []
    for match in matches:
        one = Step("DELETE", match.type, match.id, if_match=step.if_match)
        target = find(view, access, one)
        effect = write(site, view, access, one, target)
        assert effect.write is not None, "what matches is not deleted"
        outcomes.append(effect.outcome._replace(write=len(writes)))
        writes.append(effect.write)
        deleted.append((target, one))
    audit = audit_record(request, "conditional-delete", 204)
    links = links_of(site, view, access, deleted)
    return Prepared(tuple(writes), tuple(outcomes) or (Outcome(204, step.type),), audit, links=links)


def _answer(site: Site, request: Request, receipt: Receipt) -> Answer:
    """204: with the version where one was deleted."""
    done, *others = receipt.done
    return Answer(204, PLAIN[1:]) if others else answer(site, request, done)


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
        "Delete what the criteria match: one resource, or as many as the operator allows.",
    ),
)
