"""$status of a Subscription: how it stands, as the Parameters that notifications begin with.

Source: http://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-status.html.
Of one Subscription, by its id. How many events there were is told to who deposited it alone: it
counts what that one may see, and others see other things.
"""

import msgspec

from kintung.clock import uuid_of
from kintung.consent import standing
from kintung.definitions import topics
from kintung.fhir.json import parse
from kintung.store.port import View
from kintung.subscriptions import status_parameters
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.headers import PLAIN
from kintung.web.fhir.operation import both_methods, pairs_of
from kintung.web.fhir.registry import Reads
from kintung.web.fhir.request import Request
from kintung.web.site import Site

OPERATION = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-status"


def subscription_status(site: Site, request: Request, view: View) -> Answer:
    """A searchset with the status of one Subscription that the caller sees."""
    pairs_of(site, request, OPERATION)  # none: of one Subscription it takes no parameter
    version = view.read(request.access.reader, "Subscription", request.id)
    resource = parse(version.body)
    criteria = str(resource["criteria"])
    said = status_parameters(
        request.id,
        str(resource["status"]),
        topic=criteria if criteria in topics() else "",
        events=_events(site, request),
        base=request.base,
        kind="query-status",
    )
    entry = {
        "fullUrl": f"urn:uuid:{uuid_of(site.entropy.bytes(16))}",  # what is said is no resource that is kept
        "resource": said,
        "search": {"mode": "match"},
    }
    link = {"relation": "self", "url": f"{request.base}/{request.path}"}
    body = {"resourceType": "Bundle", "type": "searchset", "total": 1, "link": [link], "entry": [entry]}
    return Answer(200, PLAIN, msgspec.json.encode(body))


def _events(site: Site, request: Request) -> int | None:
    """The events told so far, for who deposited it; None for others, and for one that is not in force."""
    found = site.store.notices.subscriber(request.access.reader, request.id)
    if found is None:
        return None
    owner, caller = standing(found.access), request.access
    is_own = (owner.actor, owner.organisation, owner.client) == (
        caller.actor,
        caller.organisation,
        caller.client,
    )
    return found.events if is_own else None


INTERACTIONS = both_methods(
    "subscription-status",
    "/{type}/{id}/$status",
    Reads(subscription_status, by_id=True),
    "How a Subscription stands.",
    OPERATION,
    ("Subscription",),
)
