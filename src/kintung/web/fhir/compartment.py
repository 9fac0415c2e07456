"""Search of a compartment: GET /{type}/{id}/{member}?… and /{type}/{id}/*?…, and both by POST.

Source: http://hl7.org/fhir/R4/search.html and compartmentdefinition.html. The compartment says what is
searched; what of it the caller sees follows from whose data it is. A resource that is absent, or hidden,
has a compartment like any other: what refers to it and the caller may see.
"""

from kintung.consent import Policy, Right
from kintung.errors import NotSupported
from kintung.fhir.search import Query, compartment_types, in_compartment
from kintung.store.port import View
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.registry import Interaction, Method, Reads
from kintung.web.fhir.request import Request
from kintung.web.fhir.search import answer
from kintung.web.site import Site


def search_compartment(site: Site, request: Request, view: View) -> Answer:
    """One page of what a compartment holds of one type, or of all."""
    if request.type not in compartment_types():
        known = ", ".join(sorted(compartment_types()))
        raise NotSupported(f"Resources of type {request.type} have no compartments; these have: {known}.")
    path = f"{request.type}/{request.id}/{request.member or '*'}"

    def narrowed(query: Query) -> Query:
        try:
            return in_compartment(query, request.type, request.id)
        except NotSupported as refusal:
            raise NotSupported(str(refusal), path=None if request.member else "_type") from refusal

    return answer(site, request, view, path, request.member, narrowed)


_OF_A_TYPE = "What a compartment holds of one type and the caller sees, a page at a time."
_OF_ALL = "What a compartment holds and the caller sees, a page at a time."

_ADDRESSES: tuple[tuple[str, Method, str, str], ...] = (
    ("search-compartment-type", "GET", "/{type}/{id}/{member}", _OF_A_TYPE),
    ("search-compartment-type-post", "POST", "/{type}/{id}/{member}/_search", _OF_A_TYPE),
    ("search-compartment", "GET", "/{type}/{id}/*", _OF_ALL),
    ("search-compartment-post", "POST", "/{type}/{id}/_search", _OF_ALL),
)

INTERACTIONS = tuple(
    Interaction(
        name,
        method,
        path,
        Reads(search_compartment),
        Right.VIEW,
        Policy.DISCLOSES,
        description,
        may_be_later=True,
    )
    for name, method, path, description in _ADDRESSES
)
