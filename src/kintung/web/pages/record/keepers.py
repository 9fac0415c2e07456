"""Where things are from: the organisations that keep source Patients, and those that resources name."""

from typing import NamedTuple

from kintung.errors import Deleted, NotFound
from kintung.fhir.json import parse
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.web.pages.language import Language, speaks
from kintung.web.pages.record.elements import Resource, items, listed, target, text, thing, told

MOST_READ = 100
"""Organisations whose names are looked up for one page."""

_PLACES = {
    **dict.fromkeys(("HK", "HKG", "HONG KONG"), "hong-kong"),
    **dict.fromkeys(("MO", "MAC", "MACAO", "MACAU"), "macao"),
    **dict.fromkeys(("CN", "CHN", "CHINA"), "mainland"),
}


class Origin(NamedTuple):
    """Where something is from: the name of an organisation, "" where it is not said, and its jurisdiction.

    ``place``: hong-kong, macao, mainland, patient, elsewhere, or "" where it is not known. ``words`` are in
    the language of the page where a translation is recorded, ``recorded`` are those without it.
    """

    words: str = ""
    place: str = ""
    recorded: str = ""


class Keepers:
    """The organisations that a page speaks of, each looked up once, as the reader sees them."""

    def __init__(self, view: View, reader: Reader, language: Language) -> None:
        self._view = view
        self._reader = reader
        self._language = language
        self._known: dict[str, Origin] = {}

    def named(self, reference: object) -> Origin:
        """The origin that a Reference names; without a name where the organisation is not to be seen."""
        display, literal = text(reference, "display"), target(reference)
        shown = told(reference, "display", self._language)
        type, _, id = literal.partition("/")
        if type in ("Patient", "RelatedPerson"):
            return Origin(shown, "patient", display)
        if type != "Organization" or not id or "/" in id:
            return Origin(shown, recorded=display)
        found = self._organisation(id)
        if found.words and not (shown and speaks(shown, self._language)):
            shown = found.words
        return Origin(shown or literal, found.place, display or found.recorded or literal)

    def of(self, resource: Resource) -> Origin:
        """Who provided what a resource tells, as far as it says."""
        for reference in _providers(resource):
            found = self.named(reference)
            if found.words or found.place:
                return found
        return Origin()

    def organisation(self, id: str) -> Origin:
        """The organisation of an id; its reference for a name where it is not to be seen."""
        return self.named({"reference": f"Organization/{id}"}) if id else Origin()

    def _organisation(self, id: str) -> Origin:
        if id not in self._known:
            is_much = len(self._known) >= MOST_READ
            self._known[id] = Origin() if is_much else self._read(id)
        return self._known[id]

    def _read(self, id: str) -> Origin:
        try:
            resource = parse(self._view.read(self._reader, "Organization", id).body)
        except (Deleted, NotFound):
            return Origin()
        countries = [text(address, "country").strip().upper() for address in listed(resource, "address")]
        country = next(filter(None, countries), "")
        place = _PLACES.get(country, "elsewhere" if country else "")
        return Origin(told(resource, "name", self._language), place, text(resource, "name"))


def _providers(resource: Resource) -> list[Resource]:
    """References to who provided it, the likeliest first."""
    found = [thing(resource.get(name)) for name in ("serviceProvider", "custodian", "managingOrganization")]
    for name in ("performer", "author", "informationSource"):
        for each in map(thing, items(resource.get(name))):
            actor = thing(each.get("actor")) or each
            type = target(actor).partition("/")[0]
            if type in ("Organization", "Patient", "RelatedPerson"):
                found.append(actor)
    return [each for each in found if each]
