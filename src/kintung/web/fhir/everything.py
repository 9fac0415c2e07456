"""$everything: GET and POST /Patient/{id}/$everything and /Encounter/{id}/$everything.

Source: http://hl7.org/fhir/R4/patient-operation-everything.html and encounter-operation-everything.html.
What the compartment holds and the caller sees, and what that leads to: each resource once over all pages,
newest change first. Of a Patient it is everything of the person: the compartments of all source Patients that
certain links and merges make one with it. Nothing of it follows from what is hidden: neither what hidden
resources lead to, nor whether a Patient that is not shown is there.
"""

import re
from dataclasses import dataclass

from kintung.errors import Deleted, NotFound, ValueInvalid
from kintung.fhir.search import (
    Care,
    Criterion,
    DateValue,
    Everything,
    Query,
    care_between,
    compartment,
    count_of,
    members,
    parameters,
    resource_types,
    span,
)
from kintung.fhir.search.dates import MAX_MICROS, MIN_MICROS
from kintung.store.port import View
from kintung.web.fhir import pages
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.operation import both_methods, pairs_of
from kintung.web.fhir.registry import Reads
from kintung.web.fhir.request import Pairs, Request
from kintung.web.site import Site

OPERATION = "http://hl7.org/fhir/OperationDefinition/{type}-everything"
TYPES = ("Encounter", "Patient")

_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


def everything(site: Site, request: Request, view: View) -> Answer:
    """One page of everything of a Patient or an Encounter."""
    asked = pairs_of(site, request, OPERATION.format(type=request.type))
    walked = pages.walk(site, request, request.path, asked)
    wanted = _wanted(site, request, walked.asked)
    current = view.current(request.access.reader, request.type, request.id)
    if current is None:
        raise NotFound(f"{request.type}/{request.id} is not known.")
    if current.deleted:
        raise Deleted(f"{request.type}/{request.id} was deleted; its history remains.")
    person = _person(view, request)
    query = wanted.of(person)
    page = view.search(request.access.reader, query, walked.paging(query.count, total=query.count == 0))
    link = pages.links(site, request, request.path, walked, walked.asked, page)
    entries = [pages.found_entry(request.base.encode(), version) for version in page.entries]
    answer = pages.page_answer(pages.bundle(b"searchset", page.total, link, entries), page.entries)
    if len(person) == 1:
        return answer
    (about,) = view.read(request.access.reader, request.type, request.id).patient_keys
    return answer._replace(about=about)


def _person(view: View, request: Request) -> tuple[str, ...]:
    """Whose compartments are searched as one: of a Patient, those of all of its person in sight."""
    if request.type != "Patient":
        return (request.id,)
    return view.person(request.access.reader, request.id)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the parameters ask for, whosesoever it is."""

    type: str
    types: tuple[str, ...]
    care: Care | None
    since: tuple[Criterion, ...]
    count: int

    def of(self, ids: tuple[str, ...]) -> Query:
        """That of Patients or Encounters, newest change first."""
        # Another Patient that the record mentions (of one family, say) is another's record; an Encounter's
        # is its subject.
        apart = "Patient" if self.type == "Patient" else ""
        whole = Everything(compartment(self.type, ids), self.care, apart)
        return Query(self.types, (whole, *self.since), count=self.count)


def _wanted(site: Site, request: Request, asked: Pairs) -> _Wanted:
    """Read the parameters, before the record is asked; a whole Bundle where none is said."""
    first = dict(asked)
    types = tuple(
        dict.fromkeys(_type(type) for name, value in asked if name == "_type" for type in value.split(","))
    )
    care = None
    if "start" in first or "end" in first:
        low = _day("start", first["start"], site.offset_minutes)[0] if "start" in first else MIN_MICROS
        high = _day("end", first["end"], site.offset_minutes)[1] if "end" in first else MAX_MICROS
        if high <= low:
            raise ValueInvalid("end is before start.", path="end")
        care = care_between(members(request.type), low, high)
    since = (_since(first["_since"], site.offset_minutes),) if "_since" in first else ()
    most = site.limits.search.count
    count = min(count_of(first["_count"]), most) if "_count" in first else most
    return _Wanted(request.type, types, care, since, count)


def _type(type: str) -> str:
    if type not in resource_types():
        raise ValueInvalid(f"{type[:64]!r} is not a resource type of FHIR R4.", path="_type")
    return type


def _day(name: str, value: str, offset_minutes: int) -> tuple[int, int]:
    try:
        if _DAY.fullmatch(value):
            return span(value, offset_minutes)
    except ValueError:
        pass
    raise ValueInvalid(f"{name} is a date such as 2022-10-19.", path=name)


def _since(value: str, offset_minutes: int) -> Criterion:
    """Stored at that instant or later."""
    try:
        low, high = span(value.replace(" ", "+"), offset_minutes)
    except ValueError:
        raise ValueInvalid("_since is an instant such as 2022-10-19T11:15:00+08:00.", path="_since") from None
    return Criterion(parameters("Patient")["_lastUpdated"], None, (DateValue("ge", low, high),))


_DESCRIPTION = (
    "What the compartment holds and the caller sees, and what that leads to;"
    " of a Patient, what the compartments of all records of the person hold."
)

INTERACTIONS = both_methods(
    "everything",
    "/{type}/{id}/$everything",
    Reads(everything),
    _DESCRIPTION,
    OPERATION,
    TYPES,
    may_be_later=True,
)
