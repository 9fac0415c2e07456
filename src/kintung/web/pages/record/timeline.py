"""GET /record/{id}/timeline: what happened, by place, kind and days, a page at a time."""

from datetime import date
from typing import NamedTuple

from kintung.errors import ValueInvalid
from kintung.store.port import View
from kintung.web.fhir.answer import Answer
from kintung.web.pages.language import Language
from kintung.web.pages.page import page
from kintung.web.pages.record.elements import Resource, concept, instant, listed, text, thing, time_of, told
from kintung.web.pages.record.keepers import Origin
from kintung.web.pages.record.kinds import EVERYTHING, KINDS, NAMES, OF_TYPE, Kind
from kintung.web.pages.record.observed import Said, said
from kintung.web.pages.record.person import Known, Stored, day_of, known
from kintung.web.pages.record.titles import title
from kintung.web.pages.registry import Asked
from kintung.web.site import Site

EACH = 20
"""Entries of one page."""


class Placed(NamedTuple):
    """What was when and where: ``day`` is "" where no time is said; ``at`` orders it."""

    stored: Stored
    kind: Kind
    at: int
    day: str
    origin: Origin


class Event(NamedTuple):
    """An entry that is shown: ``name`` is its type, a message; an Observation has values, others a note."""

    path: str
    name: str
    title: str
    day: str
    origin: Origin
    note: str
    values: tuple[Said, ...]


class Filter(NamedTuple):
    """What of a timeline is asked for; "" and None for all."""

    kind: str
    place: str
    first: str
    last: str
    number: int

    @property
    def kept(self) -> dict[str, str]:
        """Its parameters, without the number of the page."""
        named = {"kind": self.kind, "place": self.place, "from": self.first, "to": self.last}
        return {name: value for name, value in named.items() if value}

    def takes(self, event: Placed) -> bool:
        if self.kind not in ("", EVERYTHING.name, event.kind.name):
            return False
        if self.place and event.origin.recorded != self.place:
            return False
        if self.first and (not event.day or event.day < self.first):
            return False
        return not (self.last and (not event.day or event.day > self.last))


def filter_of(asked: Asked) -> Filter:
    """What an address asks for.

    Raises:
        ValueInvalid: ``from`` or ``to`` is no day, or ``page`` no number.
    """
    number = asked.first("page") or "1"
    if not (number.isascii() and number.isdigit() and 0 < len(number) <= 4 and int(number)):
        raise ValueInvalid("page is a number from 1.", path="page")
    kind = asked.first("kind")
    known = {kind.name for kind in (*KINDS, EVERYTHING)}
    return Filter(
        kind if kind in known else "",
        asked.first("place"),
        _day(asked, "from"),
        _day(asked, "to"),
        int(number),
    )


def _day(asked: Asked, name: str) -> str:
    try:
        return date.fromisoformat(told).isoformat() if (told := asked.first(name)) else ""
    except ValueError:
        raise ValueInvalid(f"{name} is a day such as 2025-03-01.", path=name) from None


def timeline(site: Site, asked: Asked, view: View) -> Answer:
    """One page of what happened, the latest first.

    Raises:
        NotFound, Deleted: as :func:`known`.
        ValueInvalid: a parameter cannot be understood.
    """
    wanted = filter_of(asked)
    kinds = [
        kind
        for kind in (*KINDS, EVERYTHING)
        if kind.name == wanted.kind or (not wanted.kind and kind.is_usual)
    ]
    found = known(site, asked, view, {type for kind in kinds for type in kind.types})
    events = sorted(
        (_placed(found, stored, site.offset_minutes) for stored in found.stored if not _is_error(stored)),
        key=lambda event: (event.at, event.stored.path),
        reverse=True,
    )
    origins = {*found.person.keepers, *(event.origin for event in events)}
    places = sorted((origin for origin in origins if origin.recorded), key=_by_words)
    named = {wanted.place: wanted.place} if wanted.place else {}
    named |= {origin.recorded: origin.words for origin in reversed(places)}
    taken = [event for event in events if wanted.takes(event)]
    start = (wanted.number - 1) * EACH
    answer = page(
        site,
        asked,
        "record/timeline.html",
        found.keys,
        kept=("as-at", "kind", "place", "from", "to", "page"),
        person=found.person,
        demo_at=found.person.demo_at("timeline", wanted.kept),
        is_cut=found.is_cut,
        today=site.today.isoformat(),
        wanted=wanted,
        kinds=(*KINDS, EVERYTHING),
        places=named,
        events=[_event(found, each, site.offset_minutes) for each in taken[start : start + EACH]],
        count=len(taken),
        first=start + 1,
        following=str(wanted.number + 1) if len(taken) > start + EACH else "",
    )
    return answer._replace(about=found.person.about, opened=found.person.key)


def _by_words(origin: Origin) -> str:
    return origin.words


def _is_error(stored: Stored) -> bool:
    return text(stored.resource, "status") == "entered-in-error"


_TIMES = (
    "period", "occurrenceDateTime", "occurrencePeriod", "performedDateTime", "performedPeriod",
    "effectiveDateTime", "effectivePeriod", "start", "onsetDateTime", "onsetPeriod", "authoredOn", "authored",
    "servicedPeriod", "date", "dateTime", "sent", "started", "startDate", "statusDate", "recordedDate",
    "recorded", "dateAsserted", "assertedDate", "identifiedDateTime", "detected", "timestamp", "receivedTime",
    "created", "createdDateTime", "whenHandedOver", "whenPrepared", "issued", "servicePeriod",
)  # fmt: skip
"""Elements that say when something was, the nearest first; of a type only few are there."""


def _placed(found: Known, stored: Stored, offset_minutes: int) -> Placed:
    at = instant(time_of(stored.resource, *_TIMES), offset_minutes)
    day = day_of(at, offset_minutes) if at else ""
    return Placed(stored, OF_TYPE[stored.version.type], at, day, found.origin(stored))


def _event(found: Known, placed: Placed, offset_minutes: int) -> Event:
    resource, type = placed.stored.resource, placed.stored.version.type
    is_observed = type == "Observation"
    return Event(
        placed.stored.path,
        NAMES[type],
        title(resource, found.language),
        placed.day,
        placed.origin,
        "" if is_observed else _note(resource, found.language),
        said(resource, found.language, offset_minutes) if is_observed else (),
    )


def _note(resource: Resource, language: Language) -> str:
    """What is said beside an entry: why a visit was, what a report concludes, what a document is."""
    reasons = [concept(each, language) for each in listed(resource, "reasonCode")]
    said = (
        *reasons,
        told(resource, "conclusion", language),
        concept(thing(resource.get("type")), language),
    )
    return next(filter(None, said), "")
