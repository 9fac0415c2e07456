"""vread: GET and HEAD /{type}/{id}/_history/{version}.

Source: http://hl7.org/fhir/R4/http.html#vread.
"""

import re

from kintung.consent import Policy, Right
from kintung.errors import Deleted, NotFound
from kintung.store.port import View
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.part import part_alone
from kintung.web.fhir.read import shown
from kintung.web.fhir.registry import Interaction, Reads
from kintung.web.fhir.request import Request
from kintung.web.site import Site

_VERSION = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
"""A version number of this node: 1, 2, 3; within 63 bits."""


def vread(_site: Site, request: Request, view: View) -> Answer:
    """One version, as it was served when it was current; 304 when the caller has it already."""
    part = part_alone(request) if request.query else None
    address = f"{request.type}/{request.id}/_history/{request.version}"
    if not _VERSION.fullmatch(request.version):
        raise NotFound(f"{address} is not known.")
    try:
        version = view.vread(request.access.reader, request.type, request.id, int(request.version))
    except NotFound:
        raise NotFound(f"{address} is not known.") from None
    except Deleted:
        raise Deleted(f"{address} is a deletion; earlier versions remain.") from None
    return shown(request, version, part)


INTERACTION = Interaction(
    "vread",
    "GET",
    "/{type}/{id}/_history/{version}",
    Reads(vread, by_id=True),
    Right.VIEW,
    Policy.DISCLOSES,
    "One version of a resource.",
    ("vread",),
)
