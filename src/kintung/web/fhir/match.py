"""$match: POST /Patient/$match.

Source: http://hl7.org/fhir/R4/patient-operation-match.html; PDQm ITI-119 is the same. Whom of the record
a Patient may be, graded. What is told depends on who asks:

- within its reach (``Reader``), the certain and the probable ones, as they are stored; a steward is told
  why, term by term;
- of persons it does not see, a stranger is told of one that is certain and the only one, and of it the id,
  or across a border that there is one. That there are several is told like that there is none.

Every question is counted (``kintung.web.throttle``) and on record, those too that cannot be understood.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple, cast

import msgspec

from kintung.consent import Policy, Right, Stranger
from kintung.errors import BadInput, NotSupported, StructureInvalid, Throttled, TooLong, ValueInvalid
from kintung.fhir.json import parse
from kintung.identity.identifiers import parse as parse_number
from kintung.identity.matching import Result, explain
from kintung.identity.seeking import Found, Sought, seek
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.web.fhir import pages
from kintung.web.fhir.answer import Answer, refusal
from kintung.web.fhir.headers import PLAIN
from kintung.web.fhir.operation import pairs_with
from kintung.web.fhir.registry import Interaction, Reads
from kintung.web.fhir.request import HOW, Request
from kintung.web.site import Site

OPERATION = "http://hl7.org/fhir/OperationDefinition/Patient-match"
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
TERM = "https://kintung.org/fhir/StructureDefinition/match-term"
TYPE = "Patient"

MOST = 20
"""Matches that are told at most."""

_SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
_BITS = 8
"""The score is half where the weight of evidence is what a steward is asked from; so many bits double the
odds. It is an order, not a probability: names and birth dates that agree are not independent."""
_EVEN = 22.0
_EPOCH = date(1970, 1, 1).toordinal()


class Asked(NamedTuple):
    """Of whom is asked, and how much is told."""

    patient: dict[str, Any]
    only_certain: bool
    most: int


def match(site: Site, request: Request, view: View) -> Answer:
    """Whom of the record a Patient may be."""
    access = request.access
    try:
        throttle = site.matching if access.stranger is None else site.matching_of_strangers
        throttle.take(access.client)
        asked = _asked(site, request)
    except (BadInput, Throttled) as error:
        return refusal(error, TYPE)
    told = list(_within_reach(view, request, asked)) if Right.VIEW in access.rights else []
    if access.stranger is not None and not told:
        return _to_stranger(request, view, access.stranger, asked)
    keys = {key for each, _ in told for key in each.version.patient_keys}
    return _answer(request, len(told), [entry for _, entry in told], tuple(keys))


# --- What is told ---------------------------------------------------------------------


def _within_reach(view: View, request: Request, asked: Asked) -> Iterator[tuple[Found, bytes]]:
    """The Patients that the caller sees and that may be of the same person, each with its entry."""
    access = request.access
    sought = seek(view, access.sight, asked.patient, by_number_alone=asked.only_certain)
    found = sought.found
    if asked.only_certain:
        found = _of_one_person(view, access.sight, sought)
    for each in found[: asked.most]:
        yield each, _entry(request, sought, each, explained=Right.STEWARD in access.rights)


def _of_one_person(view: View, reader: Reader, sought: Sought) -> tuple[Found, ...]:
    """The certain matches, where all are source Patients of one person; else none."""
    certain = [found for found in sought.found if found.match.result is Result.CERTAIN]
    if not certain or not sought.is_whole:
        return ()
    person = view.person(reader, certain[0].version.id)
    return tuple(certain) if all(found.version.id in person for found in certain) else ()


def _to_stranger(request: Request, view: View, stranger: Stranger, asked: Asked) -> Answer:
    """One person that is certain and the only one, or nothing.

    Of a number that one side alone saw nothing is told, however well the rest bears it out.
    """
    sought = seek(view, stranger.among, asked.patient, by_number_alone=True)
    sought = sought._replace(found=tuple(each for each in sought.found if _is_seen_twice(sought, each)))
    one = _of_one_person(view, stranger.among, sought)[:1]
    if not one:
        return _answer(request, 0, [], ())
    if not stranger.is_told_id:
        return _answer(request, 1, [], one[0].version.patient_keys)
    id = one[0].version.id
    resource = {"resourceType": TYPE, "id": id, "meta": {"tag": [_SUBSETTED]}}
    search = {"extension": [{"url": GRADE, "valueCode": "certain"}], "mode": "match", "score": 1}
    entry = {"fullUrl": f"{request.base}/{TYPE}/{id}", "resource": resource, "search": search}
    shown = [msgspec.json.encode(entry)] if asked.most else []
    return _answer(request, 1, shown, one[0].version.patient_keys)


def _is_seen_twice(sought: Sought, found: Found) -> bool:
    return not sought.asked.verified.isdisjoint(found.record.verified)


def _entry(request: Request, sought: Sought, found: Found, *, explained: bool) -> bytes:
    """An entry with its grade and score; http://hl7.org/fhir/R4/extension-match-grade.html."""
    extensions: list[dict[str, Any]] = [{"url": GRADE, "valueCode": found.match.result.value}]
    if explained:
        extensions += _terms(sought, found)
    search = {"extension": extensions, "mode": "match", "score": score(found.match.score)}
    return b'{"fullUrl":"%s/Patient/%s","resource":%s,"search":%s}' % (
        request.base.encode(),
        found.version.id.encode(),
        found.version.body,
        msgspec.json.encode(search),
    )


def score(bits: float) -> float:
    """A weight of evidence as ``Bundle.entry.search.score``: between 0 and 1, rising with it."""
    return round(1 / (1 + 2 ** ((_EVEN - bits) / _BITS)), 4)


def _terms(sought: Sought, found: Found) -> Iterator[dict[str, Any]]:
    """Why: what was compared, how it agrees, and what that adds in bits."""
    for term in explain(sought.asked, found.record):
        said = [
            {"url": "comparison", "valueCode": term.comparison},
            {"url": "level", "valueCode": term.level},
            {"url": "weight", "valueDecimal": round(term.bits, 2)},
            {"url": "why", "valueString": term.why},
        ]
        yield {"url": TERM, "extension": said}


def _answer(request: Request, total: int, entries: list[bytes], keys: tuple[int, ...]) -> Answer:
    link = msgspec.json.encode([{"relation": "self", "url": f"{request.base}/{TYPE}/$match"}])
    return Answer(200, PLAIN, pages.bundle(b"searchset", total, link, entries), keys)


# --- What is asked --------------------------------------------------------------------


def _asked(site: Site, request: Request) -> Asked:
    """What was sent: Parameters, or the Patient alone and the rest in the address.

    Raises:
        BadInput: no Patient, or one that nobody can be: a wrong check digit, an impossible day.
    """
    if len(request.body) > site.limits.form:
        raise TooLong(f"What $match is sent has {site.limits.form} bytes at most; leave photos out.")
    sent = request.resource if request.resource is not None else parse(request.body, site.limits.json)
    pairs, patient, path = pairs_with(request, sent, OPERATION, TYPE)
    _require_sense(patient, _today(site), path)
    first = {name: value for name, value in pairs if name not in HOW}
    return Asked(patient, _flag(first), _count(first))


def _today(site: Site) -> date:
    """The civil day in the zone of the node."""
    minutes = site.clock.now_micros() // 60_000_000 + site.offset_minutes
    return date.fromordinal(_EPOCH + minutes // 1440)


def _require_sense(patient: Mapping[str, Any], today: date, path: str) -> None:
    """Refuse numbers that no document bears; those of systems not known here are compared as written.

    Raises:
        ValueInvalid: of another form than its document, a wrong check digit, a birth date to come.
        StructureInvalid: there is nothing to find anyone by.
    """
    for place, identifier in enumerate(cast(list[dict[str, Any]], patient.get("identifier", ()))):
        system, value = identifier.get("system"), identifier.get("value")
        if not system or not value or identifier.get("use") == "old":
            continue
        try:
            parse_number(system, value, path=f"{path}.identifier[{place}]", on=today)
        except NotSupported:
            continue
    born = patient.get("birthDate", "")
    if born > today.isoformat()[: len(born)]:
        text = "The birth date is still to come; compare it with the document."
        raise ValueInvalid(text, path=f"{path}.birthDate")
    if not any(patient.get(element) for element in ("identifier", "name", "telecom")):
        raise StructureInvalid("Nobody can be found by this; give an identifier or a name.", path=path)


def _flag(sent: Mapping[str, str]) -> bool:
    value = sent.get("onlyCertainMatches", "false")
    if value not in ("true", "false"):
        raise ValueInvalid("onlyCertainMatches is true or false.", path="onlyCertainMatches")
    return value == "true"


def _count(sent: Mapping[str, str]) -> int:
    value = sent.get("count", str(MOST))
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise ValueInvalid("count is a whole number, 0 or more.", path="count")
    return min(int(value), MOST)


INTERACTIONS = (
    Interaction(
        "match",
        "POST",
        "/{type}/$match",
        Reads(match),
        Right.MATCH,
        Policy.DISCLOSES,
        "Who in the record a Patient may be: certain matches and probable ones, graded.",
        operation=OPERATION,
        types=(TYPE,),
    ),
)
