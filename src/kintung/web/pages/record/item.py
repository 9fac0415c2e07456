"""GET /record/{id}/{type}/{rid}: one thing of a record: what it says, its history, its source, its JSON."""

import re
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from kintung.errors import Deleted, NotFound
from kintung.fhir.json import parse
from kintung.fhir.references import is_id
from kintung.fhir.search import parse_query, resource_types
from kintung.fhir.search.narrative import narrative
from kintung.store.port import View
from kintung.store.versions import Method, Paging, Version
from kintung.web.fhir.answer import Answer
from kintung.web.pages.catalogues import N_
from kintung.web.pages.language import Language
from kintung.web.pages.page import page
from kintung.web.pages.record.attachments import attachments
from kintung.web.pages.record.differences import Changes, changes
from kintung.web.pages.record.elements import (
    Resource,
    concept,
    items,
    listed,
    plain_code,
    text,
    thing,
    time_of,
    told,
)
from kintung.web.pages.record.keepers import Keepers, Origin
from kintung.web.pages.record.kinds import NAMES
from kintung.web.pages.record.observed import Said, components, day_observed, is_measured, verdict_of
from kintung.web.pages.record.person import Person, Stored, day_asked, end_of, known, require_of
from kintung.web.pages.record.titles import title
from kintung.web.pages.registry import Asked
from kintung.web.pages.render import civil_day
from kintung.web.pages.units import number, quantity
from kintung.web.site import Site

MOST_VERSIONS = 20
MOST_PROVENANCES = 5
MOST_NAMED = 20
"""References to people and organisations whose names are looked up."""
_NAMED = re.compile(r"(?:Practitioner|Organization|Location)/[A-Za-z0-9.-]{1,64}")
MOST_JSON = 200_000
"""Bytes of indented JSON on a page; the API gives the whole."""

LABELS: dict[str, str] = {
    "status": N_("Status"),
    "clinicalStatus": N_("Clinical status"),
    "verificationStatus": N_("Certainty"),
    "category": N_("Category"),
    "type": N_("Type"),
    "code": N_("What it is"),
    "vaccineCode": N_("Vaccine"),
    "medicationCodeableConcept": N_("Medicine"),
    "medicationReference": N_("Medicine"),
    "subject": N_("The patient"),
    "patient": N_("The patient"),
    "encounter": N_("Visit"),
    "onsetDateTime": N_("Began"),
    "abatementDateTime": N_("Ended"),
    "effectiveDateTime": N_("When"),
    "occurrenceDateTime": N_("When"),
    "performedPeriod": N_("When"),
    "period": N_("When"),
    "date": N_("When"),
    "authoredOn": N_("Written"),
    "recordedDate": N_("Written"),
    "issued": N_("Issued"),
    "valueQuantity": N_("Value"),
    "valueString": N_("Value"),
    "valueCodeableConcept": N_("Value"),
    "component": N_("Single values"),
    "referenceRange": N_("Reference range"),
    "interpretation": N_("Interpretation"),
    "conclusion": N_("Conclusion"),
    "dosageInstruction": N_("How it is taken"),
    "dosage": N_("How it is taken"),
    "reaction": N_("Reactions"),
    "reasonCode": N_("Reason"),
    "note": N_("Note"),
    "performer": N_("By whom"),
    "author": N_("By whom"),
    "requester": N_("By whom"),
    "recorder": N_("By whom"),
    "participant": N_("By whom"),
    "serviceProvider": N_("Provider"),
    "custodian": N_("Provider"),
    "lotNumber": N_("Lot"),
    "content": N_("Content"),
    "activity": N_("Activities"),
    "addresses": N_("Reason"),
    "authored": N_("Written"),
    "basedOn": N_("Based on"),
    "class": N_("Kind"),
    "created": N_("Written"),
    "criticality": N_("Risk"),
    "description": N_("Description"),
    "docStatus": N_("Status"),
    "effectivePeriod": N_("When"),
    "end": N_("Ended"),
    "entry": N_("Entries"),
    "goal": N_("Goal"),
    "intent": N_("Intent"),
    "lifecycleStatus": N_("Status"),
    "member": N_("Members"),
    "performedDateTime": N_("When"),
    "priority": N_("Priority"),
    "reasonReference": N_("Reason"),
    "result": N_("Results"),
    "sent": N_("Written"),
    "severity": N_("Severity"),
    "specimen": N_("Specimen"),
    "start": N_("Began"),
    "startDate": N_("Began"),
    "title": N_("Title"),
}
"""Elements that people know by a name; others are shown by their own."""
_APART = ("resourceType", "id", "meta", "text", "implicitRules", "language")
"""Members that are no fields: they stand elsewhere on the page."""


_ATTACHED = ("content", "presentedForm", "photo", "sourceAttachment")
"""Members that hold what is attached, and little else: it is listed."""


class Field(NamedTuple):
    """One element: ``label`` is a message where the element has one, else its name; a line of each value."""

    name: str
    label: str
    values: tuple[Said, ...]


class Step(NamedTuple):
    """A version in the history, newest first, and what it changed; None for the first and for a deletion."""

    number: int
    at: int
    is_deletion: bool
    changes: Changes | None


class Source(NamedTuple):
    """Where it came from: what it says itself, who deposited it, and what provenance says."""

    uri: str
    depositor: Origin
    provenances: tuple[tuple[str, str], ...]


def item(site: Site, asked: Asked, view: View) -> Answer:
    """The page of one resource, as it is or as it was on a day.

    Raises:
        NotFound: it is absent or hidden, or is of somebody else than the address says.
        Deleted: it was deleted.
        ValueInvalid: ``as-at`` is no day.
    """
    type, id, on = asked.named["type"], asked.named["rid"], day_asked(asked)
    if type not in resource_types() or not is_id(id):
        raise NotFound("Nothing is here.")
    require_of(view, asked, type, id)
    upto = end_of(on, site.offset_minutes) if on is not None else None
    versions = _history(view, asked, type, id, upto)
    found = known(site, asked, view, ())
    if not versions:
        return _not_yet(site, asked, found.person)
    shown = versions[0]
    if shown.method is Method.DELETE:
        raise Deleted("This was deleted.")
    resource = parse(shown.body)
    files = attachments(view, asked.access.reader, resource, asked.language, upto, asked.base)
    apart = _ATTACHED if files else ()
    told_of = tuple(
        each for each in fields(resource, asked.language, site.offset_minutes) if each.name not in apart
    )
    answer = page(
        site,
        asked,
        "record/item.html",
        tuple(sorted({*found.keys, *(key for version in versions for key in version.patient_keys)})),
        kept=("as-at",),
        person=found.person,
        demo_at=found.person.demo_at(f"{type}/{id}"),
        today=site.today.isoformat(),
        type=type,
        rid=id,
        title=title(resource, asked.language),
        name=NAMES.get(type, ""),
        attached=files,
        on=time_of(resource, *_TIMES),
        narrative=" ".join(" ".join(narrative(resource)).split()),
        fields=told_of,
        labels=LABELS,
        names=NAMES,
        who=_who(view, asked, found.person, told_of),
        steps=_steps(versions),
        origin=found.origin(Stored(shown, resource)),
        source=_source(view, asked, found.keepers, resource, type, id),
        json=_json(shown.body),
        version=shown,
    )
    return answer._replace(about=found.person.about, opened=found.person.key)


def _who(view: View, asked: Asked, person: Person, shown: tuple[Field, ...]) -> dict[str, str]:
    """What the people and organisations are called that fields refer to, by reference, as far as in sight."""
    name = person.name
    found = {f"Patient/{id}": name.characters or name.letters for id in person.ids}
    named = (value.words for field in shown for value in field.values if _NAMED.fullmatch(value.words))
    for reference in list(dict.fromkeys(named))[:MOST_NAMED]:
        try:
            version = view.read(asked.access.reader, *reference.split("/"))
        except (Deleted, NotFound):
            continue
        found[reference] = title(parse(version.body), asked.language)
    return {reference: words for reference, words in found.items() if words}


def _not_yet(site: Site, asked: Asked, person: Person) -> Answer:
    """That what is there now was not on the day."""
    answer = page(
        site,
        asked,
        "record/not_yet.html",
        person.keys,
        status=404,
        kept=("as-at",),
        person=person,
        here=asked.path,
        today=site.today.isoformat(),
    )
    return answer._replace(about=person.about, opened=person.key)


_TIMES = ("onsetDateTime", "effectiveDateTime", "effectivePeriod", "occurrenceDateTime", "performedPeriod",
          "performedDateTime", "authoredOn", "period", "date", "recordedDate", "issued")  # fmt: skip


def _history(view: View, asked: Asked, type: str, id: str, upto: int | None) -> tuple[Version, ...]:
    """Its versions, newest first; with an instant those until then."""
    at = (0, upto + 1) if upto is not None else None
    found = view.history(asked.access.reader, type, id, at=at, paging=Paging(MOST_VERSIONS + 1))
    return found.entries


def _steps(versions: tuple[Version, ...]) -> tuple[Step, ...]:
    texts = [parse(version.body) if version.body else {} for version in versions]
    steps: list[Step] = []
    for place, version in enumerate(versions[:MOST_VERSIONS]):
        before = texts[place + 1] if place + 1 < len(texts) else None
        is_deletion = version.method is Method.DELETE
        differs = None if before is None or is_deletion else changes(before, texts[place])
        steps.append(Step(version.version_id, version.at, is_deletion, differs))
    return tuple(steps)


def _source(view: View, asked: Asked, keepers: Keepers, resource: Resource, type: str, id: str) -> Source:
    current = view.current(asked.access.reader, type, id)
    depositor = keepers.organisation(current.ownership.organisation) if current else Origin()
    query = parse_query("Provenance", [("target", f"{type}/{id}")], now_micros=0)
    found = view.search(asked.access.reader, query, Paging(MOST_PROVENANCES)).entries
    provenances: list[tuple[str, str]] = []
    for version in found:
        told = parse(version.body)
        agents = [_reference(each.get("who"), asked.language) for each in listed(told, "agent")]
        provenances.append((time_of(told, "recorded", "occurredDateTime"), ", ".join(filter(None, agents))))
    return Source(text(resource.get("meta"), "source"), depositor, tuple(provenances))


def _json(body: bytes) -> str:
    text = msgspec.json.format(body, indent=2).decode()
    return text if len(text) <= MOST_JSON else text[:MOST_JSON] + " …"


# --- Fields -----------------------------------------------------------------------------


_DAY = re.compile(r"\d{4}-\d{2}(?:-\d{2})?")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
"""Said to the minute; seconds and zone are in the JSON."""
_IN_A_LINE = {
    "code", "coding", "comparator", "display", "id", "identifier", "reference", "system", "text", "type",
    "unit", "userSelected", "value", "version",
}  # fmt: skip
"""Members of what is said by its one line alone."""


def fields(resource: Resource, language: Language, offset_minutes: int) -> tuple[Field, ...]:
    """The elements of a resource as terms and what they say; values in a line, others by their leaves."""
    return tuple(
        Field(name, LABELS.get(name, ""), values)
        for name in resource
        if name not in _APART
        and not name.startswith("_")
        and (values := _said(resource, name, language, offset_minutes))
    )


def _said(resource: Resource, name: str, language: Language, offset_minutes: int) -> tuple[Said, ...]:
    """The lines of an element; of a value of an Observation with whether it is high or low."""
    if name == "component":
        parts = components(resource, language, offset_minutes)
        return tuple(each._replace(name=_headed(each.name, language)) for each in parts)
    lines = _values(resource, name, language)
    if name.startswith("value") and text(resource, "resourceType") == "Observation":
        verdict = verdict_of(resource, day_observed(resource, offset_minutes))
        return tuple(Said("", line, verdict, is_measured(resource)) for line in lines)
    return tuple(Said("", line) for line in lines)


def _headed(name: str, language: Language) -> str:
    """A name and the colon after it, as wide as a character after one."""
    return f"{name}{language.signs.colon if name and not name[-1].isascii() else ': '}"


def _values(resource: Resource, name: str, language: Language) -> tuple[str, ...]:
    """What an element says, a line for each of its values."""
    value = resource[name]
    if isinstance(value, str) and not (_INSTANT.match(value) or _DAY.fullmatch(value)):
        return tuple(filter(None, [plain_code(name, told(resource, name, language), language)]))
    return tuple(filter(None, (_line(each, language, of=name) for each in items(value))))


def _plain(value: Any, of: str, language: Language) -> str:
    """A value that is no object; null, where a list of plain values has an extension alone, says nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return number(value, language)
    if not isinstance(value, str):
        return ""
    if _INSTANT.match(value):
        return f"{civil_day(value[:10], language)} {value[11:16]}"
    return civil_day(value, language) if _DAY.fullmatch(value) else plain_code(of, value, language)


def _line(value: Any, language: Language, depth: int = 0, of: str = "") -> str:
    """A value in a line; ``of`` is the element it is a value of."""
    if not isinstance(value, dict):
        return _plain(value, of, language)
    it = thing(value)
    said = quantity(it, language) or concept(it, language) or _reference(it, language)
    if said and (depth or not {name for name in it if not name.startswith("_")} - _IN_A_LINE):
        return said
    if it.keys() <= {"start", "end", "id"}:
        return " – ".join(_line(text(it, name), language) for name in ("start", "end"))
    parts = [
        words if name in ("attachment", "display", "text", "title") else f"{name}: {words}"
        for name, each in it.items()
        if name not in ("extension", "id", "data")
        and not name.startswith("_")
        and depth < 4
        and (words := _member(it, name, each, language, depth + 1))
    ]
    return "; ".join(parts)


def _member(it: Resource, name: str, value: Any, language: Language, depth: int) -> str:
    if isinstance(value, str) and (words := told(it, name, language)) != value:
        return words
    return ", ".join(filter(None, (_line(each, language, depth, name) for each in items(value))))


def _reference(value: Any, language: Language) -> str:
    return told(value, "display", language) or text(value, "reference")
