"""$meta: which profiles, tags and security labels there are, on the whole node, of a type, of a version.

Source: http://hl7.org/fhir/R4/resource-operation-meta.html. Of a resource or a version it is the
``meta`` as reading it gives it. On the node and on a type it is what stands on the resources the
caller sees now: no more than ``MOST`` of them are looked at, and where more have any it is refused.
"""

from kintung.errors import StructureInvalid, TooCostly
from kintung.fhir.json import parse
from kintung.fhir.meta import joined, labels_of, meta_of
from kintung.fhir.search import parse_query
from kintung.fhir.structure import require_valid
from kintung.store.port import View
from kintung.store.versions import Paging, Version
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.headers import PLAIN
from kintung.web.fhir.operation import both_methods
from kintung.web.fhir.read import read
from kintung.web.fhir.registry import Reads
from kintung.web.fhir.request import Request, refuse_parameters
from kintung.web.fhir.vread import vread
from kintung.web.site import Site

MOST = 1_000
"""Resources with a profile, with a tag, with a label, that are looked at on the node or a type."""

_SAYING = ("_profile", "_tag", "_security")


def meta_of_version(site: Site, request: Request, view: View) -> Answer:
    """The ``meta`` of a resource, or of a version, as Parameters; else what reading it answers."""
    _refuse_input(site, request)
    refuse_parameters(request)  # reading takes some, which mean nothing here
    answer = (vread if request.version else read)(site, request, view)
    return answer if answer.status != 200 else answer._replace(body=returned(meta_of(answer.body)))


def meta_in_use(site: Site, request: Request, view: View) -> Answer:
    """What stands on the resources the caller sees: of a type, or of all.

    Raises:
        TooCostly: more resources have any than are looked at.
    """
    _refuse_input(site, request)
    refuse_parameters(request)
    found = [version for name in _SAYING for version in _having(site, request, view, name)]
    meta = joined(labels_of(meta_of(version.body)) for version in found)
    keys = {key for version in found for key in version.patient_keys}
    return Answer(200, PLAIN, returned(meta), tuple(keys))


def _having(site: Site, request: Request, view: View, name: str) -> tuple[Version, ...]:
    """The resources that have a value of a parameter."""
    query = parse_query(
        request.type or None,
        [(f"{name}:missing", "false")],
        now_micros=site.clock.now_micros(),
        offset_minutes=site.offset_minutes,
        limits=site.limits.search,
    )
    page = view.search(request.access.reader, query, Paging(MOST))
    if page.next is not None:
        raise TooCostly(
            f"More than {MOST:,} resources here have one of these; ask for the meta of a resource,"
            f" or search by {name}."
        )
    return page.entries


def returned(meta: bytes) -> bytes:
    """A Meta as the result of an operation."""
    return b'{"resourceType":"Parameters","parameter":[{"name":"return","valueMeta":%s}]}' % meta


def _refuse_input(site: Site, request: Request) -> None:
    """By POST a body may come; the operation takes no parameter."""
    if not request.body.strip():
        return
    sent = request.resource if request.resource is not None else parse(request.body, site.limits.json)
    if sent.get("resourceType") != "Parameters":
        raise StructureInvalid("The body of an operation is Parameters.", path="Parameters.resourceType")
    require_valid(sent)
    if sent.get("parameter"):
        raise StructureInvalid("This operation takes no parameter.", path="Parameters.parameter")


_OPERATION = "http://hl7.org/fhir/OperationDefinition/Resource-meta"
_ADDRESSES = (
    ("meta", "", Reads(meta_in_use), "Profiles, tags and security labels in use on what the caller sees."),
    ("meta-type", "/{type}", Reads(meta_in_use), "Profiles, tags and security labels in use on a type."),
    ("meta-instance", "/{type}/{id}", Reads(meta_of_version, by_id=True), "The meta of a resource."),
    (
        "meta-version",
        "/{type}/{id}/_history/{version}",
        Reads(meta_of_version, by_id=True),
        "The meta of one version of a resource.",
    ),
)
INTERACTIONS = tuple(
    interaction
    for name, path, reads, description in _ADDRESSES
    for interaction in both_methods(name, f"{path}/$meta", reads, description, _OPERATION)
)
