"""create: POST /{type}, conditional with If-None-Exist.

Source: http://hl7.org/fhir/R4/http.html#create and #ccreate.
"""

from kintung.consent import Policy, Right
from kintung.errors import ValueInvalid
from kintung.web.fhir.deposit import Step, accepted, criteria_of
from kintung.web.fhir.headers import refuse_preconditions_but
from kintung.web.fhir.registry import Interaction, Submission, Writes
from kintung.web.fhir.request import Pairs, Request, decode_pairs, refuse_parameters
from kintung.web.fhir.submission import submission
from kintung.web.site import Site


def create_step(site: Site, request: Request) -> Step:
    """The step of a create. The id is the server's; one in the resource is passed over.

    With If-None-Exist: nothing matches, create; one matches, that is the answer; more, refused.
    """
    refuse_preconditions_but(b"if-none-exist", request.headers)
    refuse_parameters(request)
    resource, own = accepted(site, request)
    condition = request.headers.get(b"if-none-exist")
    criteria = None
    if condition is not None:
        criteria = criteria_of(site, request, _pairs(condition, request.type), "If-None-Exist")
    return Step("POST", request.type, site.entropy.new_id(), request.body, resource, criteria, own=own)


def _pairs(condition: bytes, type: str) -> Pairs:
    """The parameters of If-None-Exist, which some write with the type in front."""
    try:
        text = condition.decode().strip()
    except UnicodeDecodeError:
        raise ValueInvalid("If-None-Exist is not UTF-8.", path="If-None-Exist") from None
    return decode_pairs(text.removeprefix(f"{type}?").removeprefix("?"))


def create(site: Site, request: Request) -> Submission:
    return submission(site, request, "create", create_step(site, request))


INTERACTION = Interaction(
    "create",
    "POST",
    "/{type}",
    Writes(create),
    Right.DEPOSIT,
    Policy.DEPOSITS,
    "Store a new resource under an id the server gives; with If-None-Exist only if nothing matches.",
    ("create",),
)
