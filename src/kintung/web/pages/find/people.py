"""Persons from the records that were found: each once, with what all its records say of it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kintung.errors import NotFound
from kintung.identity.typed import Typed, reasons
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.web.pages.find.records import Found
from kintung.web.pages.numbers import ShownNumber, shown_numbers
from kintung.web.pages.steward.comparison import SEXES
from kintung.web.pages.steward.names import Shown, shown_name
from kintung.web.pages.steward.source import Source, source

MOST_RECORDS = 12
"""Records of one person that are looked at: a person has as many as there are places that keep one."""
MOST_NUMBERS = 3


class Person(NamedTuple):
    """A person as the list shows it.

    Attributes:
        id: of the source Patient that was found, of several the closest.
        found: that record, and why it was.
        births, sexes: all that the records say; more than one is told.
        keepers: who keeps the records, "" for one that does not say.
        records: how many source Patients it has that the reader sees.
    """

    id: str
    name: Shown
    found: Found
    births: tuple[str, ...]
    sexes: tuple[str, ...]
    numbers: tuple[ShownNumber, ...]
    matched: tuple[ShownNumber, ...]
    keepers: tuple[str, ...]
    records: int
    keys: tuple[int, ...]


def people(view: View, reader: Reader, typed: Typed, found: Sequence[Found]) -> list[Person]:
    """The persons of a page of records, where their newest record that was found stands in the list.

    A person whose newest one stands on a page before is not shown again.
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
            shown.append(_person(typed, each, others))
    return shown


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


def _person(typed: Typed, found: Found, others: Sequence[Source]) -> Person:
    """A person; its record whose name is closest to what was typed comes first."""
    matching = [found, *(Found(each, why) for each in others if (why := reasons(typed, each.resource or {})))]
    best = min(matching, key=lambda each: each.reasons.distance)
    sources = [best.source, *(each for each in (found.source, *others) if each.id != best.source.id)]
    resources = [each.resource or {} for each in sources]
    names = [shown_name(each) for each in sources]
    sexes = dict.fromkeys(SEXES.get(each.get("gender") or "", "") for each in resources)
    births = dict.fromkeys(each.get("birthDate") or "" for each in resources)
    identifiers = [identifier for each in resources for identifier in each.get("identifier", ())]
    return Person(
        best.source.id,
        Shown(
            next((name.characters for name in names if name.characters), ""),
            next((name.letters for name in names if name.letters), ""),
        ),
        best,
        _told_apart(tuple(filter(None, births))),
        tuple(filter(None, sexes)),
        shown_numbers(identifiers)[:MOST_NUMBERS],
        shown_numbers(best.reasons.numbers),
        tuple(dict.fromkeys(each.keeper for each in sources)),
        len(found.source.person),
        tuple(sorted({key for each in sources for key in each.keys})),
    )


def _told_apart(births: Sequence[str]) -> tuple[str, ...]:
    """Birth dates without those that say less than another: a year beside a day of that year."""
    return tuple(one for one in births if not any(other != one and other.startswith(one) for other in births))
