"""read: GET and HEAD /{type}/{id}.

Source: http://hl7.org/fhir/R4/http.html#read. What is absent and what is hidden from the
caller give the same answer in every byte.
"""

from kintung.consent import Policy, Right
from kintung.errors import Deleted, NotFound
from kintung.fhir.subset import Subset
from kintung.store.port import View
from kintung.store.versions import Version
from kintung.web.fhir.answer import Answer, versioned
from kintung.web.fhir.binary import content, wants_content
from kintung.web.fhir.headers import PLAIN, etag, http_seconds, names_version, versions_held
from kintung.web.fhir.part import part_alone
from kintung.web.fhir.registry import Interaction, Reads
from kintung.web.fhir.request import Request
from kintung.web.site import Site

_SECOND = 1_000_000


def read(_site: Site, request: Request, view: View) -> Answer:
    """The current version; 304 when the caller has it already."""
    part = part_alone(request) if request.query else None
    try:
        version = view.read(request.access.reader, request.type, request.id)
    except NotFound:
        raise NotFound(f"{request.type}/{request.id} is not known.") from None
    except Deleted:
        raise Deleted(f"{request.type}/{request.id} was deleted; its history remains.") from None
    return shown(request, version, part)


def shown(request: Request, version: Version, part: Subset | None) -> Answer:
    """A version, or a part of it; 304 when the caller has it already."""
    if _has_it(request, version):
        headers = (*PLAIN[1:], (b"etag", etag(version.version_id)))
        return Answer(304, headers, b"", version.patient_keys)
    if version.type == "Binary" and part is None and wants_content(request):
        return content(version)
    headers = versioned(version.version_id, version.at)
    body = version.body if part is None else part.of(version.body)
    return Answer(200, headers, body, version.patient_keys, version.at)


def _has_it(request: Request, version: Version) -> bool:
    """Whether the caller's copy is this version; If-None-Match is heard before If-Modified-Since."""
    named = versions_held(request.headers.get(b"if-none-match"))
    if named is not None:
        return names_version(named, version.version_id)
    since = request.headers.get(b"if-modified-since")
    seconds = http_seconds(since) if since is not None else None
    return seconds is not None and version.at // _SECOND <= seconds


INTERACTION = Interaction(
    "read",
    "GET",
    "/{type}/{id}",
    Reads(read, by_id=True),
    Right.VIEW,
    Policy.DISCLOSES,
    "The current version of a resource.",
    ("read",),
)
