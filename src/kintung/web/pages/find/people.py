"""Persons from records, found or opened lately: each once, with what all its records say of it."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from kintung.consent import Access
from kintung.errors import NotFound
from kintung.identity.typed import Typed, reasons
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.web.pages.age import age
from kintung.web.pages.find.records import Found
from kintung.web.pages.numbers import ShownNumber, shown_numbers
from kintung.web.pages.steward.comparison import SEXES
from kintung.web.pages.steward.names import Shown, shown_name
from kintung.web.pages.steward.source import Source, source, source_of

MOST_RECORDS = 12
"""Records of one person that are looked at: a person has as many as there are places that keep one."""
MOST_NUMBERS = 3
MOST_RECENT = 8
"""People whose records were opened lately that are shown."""


class Person(NamedTuple):
    """A person as the list shows it.

    Attributes:
        id: of the source Patient that was found, of several the closest; or of the one that was opened.
        births, sexes: all that the records say; more than one is told.
        age: whole years today, of the first birth date; None where no day is known, or life has ended.
        keepers: who keeps the records, "" for one that does not say.
        records: how many source Patients it has that the reader sees.
        found, matched: why it was found, and the numbers it was found by; None and () for who was not.
        opened: when its record was, UTC microseconds; 0 for who was found.
    """

    id: str
    name: Shown
    births: tuple[str, ...]
    sexes: tuple[str, ...]
    age: int | None
    numbers: tuple[ShownNumber, ...]
    keepers: tuple[str, ...]
    records: int
    keys: tuple[int, ...]
    found: Found | None = None
    matched: tuple[ShownNumber, ...] = ()
    opened: int = 0


def recent(view: View, access: Access, today: date) -> list[Person]:
    """The persons whose records who asks opened last, and may see now."""
    shown: list[Person] = []
    for each in view.opened(access.reader, access.actor, access.organisation, MOST_RECENT):
        patient = source_of(view, access.reader, each.patient)
        person = _person([patient, *_others(view, access.reader, patient)], today)
        shown.append(person._replace(opened=each.at))
    return shown


def people(view: View, reader: Reader, typed: Typed, found: Sequence[Found], today: date) -> list[Person]:
    """The persons of a page of records, the closest to what was typed first, of equals the newest.

    A person stands where the newest of its records that was found does: whose newest one is on a page before
    is not shown again.
    """
    met: set[str] = set()
    shown: list[Person] = []
    for each in found:
        if each.source.id in met:
            continue
        others = list(_others(view, reader, each.source))
        met.update(each.source.person)
        newer = (other for other in others if other.at > each.source.at)
        if not any(reasons(typed, other.resource or {}) for other in newer):
            shown.append(_found(typed, each, others, today))
    return sorted(shown, key=lambda person: person.found.reasons.distance if person.found else 0)


def _others(view: View, reader: Reader, found: Source) -> Iterator[Source]:
    """The other records of the person that the reader sees; none that were deleted."""
    for id in found.person[:MOST_RECORDS]:
        if id == found.id:
            continue
        try:
            other = source(view, reader, id)
        except NotFound:
            continue
        if other.resource is not None:
            yield other


def _found(typed: Typed, found: Found, others: Sequence[Source], today: date) -> Person:
    """A person; its record whose name is closest to what was typed comes first."""
    matching = [found, *(Found(each, why) for each in others if (why := reasons(typed, each.resource or {})))]
    best = min(matching, key=lambda each: each.reasons.distance)
    sources = [best.source, *(each for each in (found.source, *others) if each.id != best.source.id)]
    return _person(sources, today)._replace(found=best, matched=shown_numbers(best.reasons.numbers))


def _person(sources: Sequence[Source], today: date) -> Person:
    """A person of all that is seen of it, in this order."""
    resources = [each.resource or {} for each in sources]
    names = [shown_name(each) for each in sources]
    sexes = dict.fromkeys(SEXES.get(each.get("gender") or "", "") for each in resources)
    births = _told_apart(
        tuple(filter(None, dict.fromkeys(each.get("birthDate") or "" for each in resources)))
    )
    lives = not any(each.get("deceasedBoolean") or each.get("deceasedDateTime") for each in resources)
    identifiers = [identifier for each in resources for identifier in each.get("identifier", ())]
    return Person(
        sources[0].id,
        Shown(
            next((name.characters for name in names if name.characters), ""),
            next((name.letters for name in names if name.letters), ""),
        ),
        births,
        tuple(filter(None, sexes)),
        age(births[0], today) if births and lives else None,
        shown_numbers(identifiers)[:MOST_NUMBERS],
        tuple(dict.fromkeys(each.keeper for each in sources)),
        len(sources[0].person),
        tuple(sorted({key for each in sources for key in each.keys})),
    )


def _told_apart(births: Sequence[str]) -> tuple[str, ...]:
    """Birth dates without those that say less than another: a year beside a day of that year."""
    return tuple(one for one in births if not any(other != one and other.startswith(one) for other in births))
