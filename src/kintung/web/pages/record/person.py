"""The person of a record: all source Patients in sight over certain links, and what they have."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from kintung.errors import NotFound, ValueInvalid
from kintung.fhir.json import parse
from kintung.store.port import View
from kintung.store.versions import Paging, Version
from kintung.web.pages.age import age
from kintung.web.pages.language import Language
from kintung.web.pages.numbers import LABELS, shown_numbers
from kintung.web.pages.record.bonds import Bond, Kept, bonds
from kintung.web.pages.record.elements import Resource, listed, text
from kintung.web.pages.record.keepers import Keepers, Origin
from kintung.web.pages.record.shared import shared
from kintung.web.pages.registry import Asked
from kintung.web.pages.steward.comparison import SEXES
from kintung.web.pages.steward.names import Shown, names_of
from kintung.web.site import Site

MOST = 5_000
"""Resources of one page of a record, the newest."""
_SECOND = 1_000_000


class Stored(NamedTuple):
    """A resource of a person, parsed, with the version it is of."""

    version: Version
    resource: Resource

    @property
    def path(self) -> str:
        """Its address under that of the record."""
        return f"{self.version.type}/{self.version.id}"


class Number(NamedTuple):
    """An identifier as a screen shows it; ``label`` is a message where the system is known."""

    label: str
    masked: str


class Person(NamedTuple):
    """Who the record is of.

    Attributes:
        id: the source Patient that the address names.
        ids: all source Patients of the person in sight, itself among them.
        patients: those that are known, newest change first; () of a day when none was.
        on: the day it is shown as of, None for now.
        today: the day that ages are of.
        bonds: by what these records are of one person.
        key: of the source Patient that the address names, for the audit.
        began: the day when the first of them was stored, as FHIR writes it; where none was known on ``on``.
    """

    id: str
    ids: tuple[str, ...]
    patients: tuple[Stored, ...]
    keepers: tuple[Origin, ...]
    on: date | None
    today: date
    bonds: tuple[Bond, ...]
    keys: tuple[int, ...]
    about: int
    key: int
    began: str = ""

    @property
    def linked_by(self) -> tuple[str, ...]:
        """Messages, by what these records are of one person."""
        return tuple(dict.fromkeys(bond.message for bond in self.bonds))

    @property
    def name(self) -> Shown:
        """The name in characters and in letters, the official one before others."""
        names = [name for each in self._own_first() for name in names_of(each.resource)]
        names.sort(key=lambda name: name.use not in ("official", "usual"))
        names.sort(key=lambda name: name.use in ("old", "maiden"))
        han = next((name.text for name in names if name.is_han), "")
        return Shown(han, next((name.text for name in names if not name.is_han), ""))

    @property
    def others(self) -> tuple[str, ...]:
        """The other names on record."""
        shown = {self.name.characters, self.name.letters}
        names = [name.text for each in self._own_first() for name in names_of(each.resource)]
        return tuple(dict.fromkeys(name for name in names if name not in shown))

    @property
    def born(self) -> tuple[str, ...]:
        """Birth dates: one, unless the records differ; a year that another says to the day does not."""
        said = dict.fromkeys(filter(None, (text(each.resource, "birthDate") for each in self._own_first())))
        return tuple(
            date for date in said if not any(other != date and other.startswith(f"{date}-") for other in said)
        )

    @property
    def sexes(self) -> tuple[str, ...]:
        """Messages: the sexes on record, one unless the records differ."""
        found = (SEXES.get(text(each.resource, "gender"), "") for each in self._own_first())
        return tuple(dict.fromkeys(filter(None, found)))

    @property
    def died(self) -> str:
        """When it died, or "yes"; "" where no record says so."""
        for each in self.patients:
            if text(each.resource, "deceasedDateTime"):
                return text(each.resource, "deceasedDateTime")
            if each.resource.get("deceasedBoolean") is True:
                return "yes"
        return ""

    @property
    def age(self) -> int | None:
        """Whole years on the day; None where no day of birth is known, or life has ended."""
        return age(self.born[0], self.today) if self.born and not self.died else None

    @property
    def numbers(self) -> tuple[Number, ...]:
        """Identifiers, masked, each once."""
        identifiers = [it for each in self._own_first() for it in listed(each.resource, "identifier")]
        known = set(LABELS.values())
        return tuple(
            Number(each.label if each.label in known else "", each.masked)
            for each in shown_numbers(identifiers)
        )

    def _own_first(self) -> list[Stored]:
        return sorted(self.patients, key=lambda each: each.version.id != self.id)

    def address(self, path: str = "") -> str:
        """The address of a page of this record."""
        return f"/record/{self.id}/{path}" if path else f"/record/{self.id}"

    def demo_at(self, path: str = "", kept: Mapping[str, str] | None = None) -> dict[str, object]:
        """What the bar of a demo needs to ask for another day of a page."""
        on = self.on.isoformat() if self.on is not None else ""
        return {"on": on, "action": self.address(path), "kept": kept or {}}

    @property
    def kept(self) -> dict[str, str]:
        """The parameters that all links of the record keep."""
        return {"as-at": self.on.isoformat()} if self.on is not None else {}


class Known(NamedTuple):
    """A person, and what is known of it; ``is_cut`` when there is more than is read for a page.

    ``kept`` is who keeps each of its Patients, by their keys.
    """

    person: Person
    stored: tuple[Stored, ...]
    keepers: Keepers
    kept: Mapping[tuple[int, ...], Origin]
    is_cut: bool
    language: Language

    def origin(self, stored: Stored) -> Origin:
        """Where something is from: who provided it as far as it says, else who keeps the Patient it is of."""
        said = self.keepers.of(stored.resource)
        if said.words and said.place:
            return said
        kept = self.kept.get(stored.version.patient_keys, Origin())
        place = said.place or kept.place
        of = said if said.words or said.place == "patient" else kept
        return Origin(of.words, place, of.recorded)

    @property
    def keys(self) -> tuple[int, ...]:
        """Whose data it is, for the audit."""
        found = {key for each in self.stored for key in each.version.patient_keys}
        return tuple(sorted(found.union(self.person.keys)))


def day_asked(asked: Asked) -> date | None:
    """The day that ``as-at`` names, None for none.

    Raises:
        ValueInvalid: it is no day.
    """
    said = asked.first("as-at")
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise ValueInvalid("as-at is a day such as 2025-03-01.", path="as-at") from None


def end_of(day: date, offset_minutes: int) -> int:
    """The last microsecond of a civil day, UTC."""
    days = day.toordinal() - date(1970, 1, 1).toordinal() + 1
    return (days * 86_400 - offset_minutes * 60) * _SECOND - 1


def known(site: Site, asked: Asked, view: View, types: Collection[str], *, is_now: bool = False) -> Known:
    """The person whose source Patient an address names, and what it has of these types.

    Args:
        is_now: as it is now, whatever day is asked for.

    Raises:
        NotFound: that Patient is absent, or hidden from who asks.
        Deleted: it was deleted.
        ValueInvalid: ``as-at`` is no day, or one that is still to come.
    """
    reader, id, on = asked.access.reader, asked.named["id"], None if is_now else day_asked(asked)
    if on is not None and on > site.today:
        raise ValueInvalid("as-at is today or a day before it.", path="as-at")
    named = view.read(reader, "Patient", id)
    ids = view.person(reader, id)
    at = end_of(on, site.offset_minutes) if on is not None else None
    # Apart: however much there is, who it is of is not among what is left out.
    patients = _stored(view.known(reader, ids, ("Patient",), most=len(ids), at=at).versions)
    found = view.known(reader, ids, types, most=MOST, at=at)
    keepers = Keepers(view, reader, asked.language)
    kept = {
        each.version.patient_keys: keepers.named(each.resource.get("managingOrganization"))
        for each in patients
    }
    by_id = {each.version.id: Kept(each.resource, kept[each.version.patient_keys]) for each in patients}
    person = Person(
        id,
        ids,
        patients,
        tuple(dict.fromkeys(kept.values())),
        on,
        on or site.today,
        bonds(view, reader, ids, by_id),
        named.patient_keys,
        named.patient_keys[0] if len(ids) > 1 else 0,
        named.patient_keys[0],
        _began(site, asked, view, ids) if at is not None and not patients else "",
    )
    own = {key for each in patients for key in each.version.patient_keys}
    together = tuple(shared(view, reader, ids, own, types, at))
    return Known(person, _stored((*found.versions, *together)), keepers, kept, found.is_cut, asked.language)


def _began(site: Site, asked: Asked, view: View, ids: tuple[str, ...]) -> str:
    """The day when the first version in sight of a person's Patients was stored, as FHIR writes it."""
    first = (
        view.history(asked.access.reader, "Patient", id, oldest_first=True, paging=Paging(1)).entries
        for id in ids
    )
    return day_of(min(version.at for entries in first for version in entries), site.offset_minutes)


def _stored(versions: tuple[Version, ...]) -> tuple[Stored, ...]:
    return tuple(Stored(version, parse(version.body)) for version in versions)


def require_of(view: View, asked: Asked, type: str, id: str) -> tuple[str, ...]:
    """The source Patients of the person of the address, one of whom a resource is of.

    Raises:
        NotFound: the Patient is absent or hidden, or the resource is, or it is somebody else's.
    """
    reader = asked.access.reader
    ids = view.person(reader, asked.named["id"])
    current = view.current(reader, type, id) if ids else None
    if current is None or not set(ids).intersection(current.ownership.persons):
        raise NotFound("Nothing is here.")
    return ids


def day_of(micros: int, offset_minutes: int) -> str:
    """The civil day of an instant."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros, minutes=offset_minutes)
    return at.date().isoformat()
