"""One record of a person as a system is about to write it, and as a FHIR Patient."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from kintung.definitions import naming_systems
from kintung.definitions.population import Sex, System
from kintung.sample import HTEST, HTEST_SYSTEM
from kintung.synth.names import Han
from kintung.synth.people import Address, Person, Telephone

SID = "https://kintung.org/fhir/sid/"
STRUCTURE = "https://kintung.org/fhir/StructureDefinition/"
EN_REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"

CARD_WIDTH = 40
"""Characters of the name in Latin letters that an identity card has room for (COM000022-27)."""

_SYSTEMS = {
    system.id: (system.uris[0] if system.uris else f"{system.prefixes[0]}PHL", system.type)
    for system in naming_systems()
    if system.uris or system.prefixes
}
"""URI and type of the number by the id of a naming system; passports are of the Philippines."""


@dataclass(slots=True)
class Number:
    """An identity number on record: the id of its naming system, and whether the document was seen."""

    system: str
    value: str
    verified: bool


@dataclass(slots=True)
class Draft:
    """What a system knows of a person. Corruptions change it, each its own part.

    ``telegraph`` has a code for each character, ``surname`` and ``given`` are in Latin letters
    (``surname`` empty: no such name on record), ``western`` stands where ``western_place`` says.
    ``source`` says which document the Chinese name was taken from.
    """

    person: Person
    system: System
    id: str
    record_number: str
    registered: date
    numbers: list[Number]
    han: Han | None
    telegraph: tuple[str, ...]
    source: str
    surname: str
    given: str
    in_pinyin: bool
    western: str
    western_place: str
    cut: bool
    birth: str
    sex: Sex
    telephone: Telephone | None
    address: Address
    died: date | None

    @property
    def latin_text(self) -> str:
        """The whole name in Latin letters, as it is shown."""
        if self.western_place == "first":
            return " ".join(part for part in (self.western, self.surname, self.given) if part)
        given = " ".join(part for part in (self.given, self.western) if part)
        if self.in_pinyin:
            return f"{self.surname} {given}"
        return f"{self.surname}, {given}"

    def copy(self) -> "Draft":
        """Return another draft that says the same."""
        return replace(self, numbers=[replace(number) for number in self.numbers])

    def patient(self) -> dict[str, Any]:
        """Return it as a Patient of FHIR R4."""
        patient: dict[str, Any] = {
            "resourceType": "Patient",
            "id": self.id,
            "meta": {"tag": [{"system": HTEST_SYSTEM, "code": HTEST, "display": "test health data"}]},
            "identifier": [self._record_number(), *map(self._identifier, self.numbers)],
            "active": True,
            "name": [*([self._latin()] if self.surname else []), *([self._han()] if self.han else [])],
        }
        if self.telephone:
            patient["telecom"] = [
                {"system": "phone", "value": written(self.telephone, self.system.country), "use": "mobile"}
            ]
        patient["gender"] = self.sex
        patient["birthDate"] = self.birth
        if self.died:
            patient["deceasedDateTime"] = self.died.isoformat()
        patient["address"] = [_address(self.address)]
        patient["managingOrganization"] = {
            "identifier": {"system": SID + "sample-organization", "value": self.system.number},
            "display": self.system.label.en,
        }
        return patient

    def _record_number(self) -> dict[str, Any]:
        return {"type": _type("MR"), "system": SID + "sample-patient", "value": self.record_number}

    def _identifier(self, number: Number) -> dict[str, Any]:
        uri, code = _SYSTEMS[number.system]
        found: dict[str, Any] = {"type": _type(code), "system": uri, "value": number.value}
        if number.verified:
            found["extension"] = [
                {"url": STRUCTURE + "identifier-verified", "valueDateTime": self.registered.isoformat()}
            ]
        return found

    def _latin(self) -> dict[str, Any]:
        text = self.latin_text
        given = [part for part in (self.given, self.western) if part]
        if self.western_place == "first":
            given.reverse()
        if self.cut and len(text) > CARD_WIDTH:
            text = text[:CARD_WIDTH].rstrip(" ,")
            given = [text[len(self.surname) :].lstrip(" ,")]
        return {
            "extension": [{"url": EN_REPRESENTATION, "valueCode": "ABC"}],
            "use": "official",
            "text": text,
            "family": self.surname,
        } | ({"given": given} if any(given) else {})

    def _han(self) -> dict[str, Any]:
        assert self.han is not None
        extensions = [{"url": EN_REPRESENTATION, "valueCode": "IDE"}]
        if self.telegraph:
            extensions.append(
                {"url": STRUCTURE + "chinese-commercial-code", "valueString": " ".join(self.telegraph)}
            )
        extensions.append({"url": STRUCTURE + "name-source", "valueCode": self.source})
        return {
            "extension": extensions,
            "use": "official",
            "text": self.han.surname + self.han.given,
            "family": self.han.surname,
            "given": [self.han.given],
        }


def written(telephone: Telephone, country: str) -> str:
    """Return a number as it is written in a country: its own plainly, others with their prefix."""
    if telephone.country == country:
        return telephone.number if country == "CN" else f"{telephone.number[:4]} {telephone.number[4:]}"
    prefix = {"HK": "852", "MO": "853", "CN": "86"}[telephone.country]
    return f"00{prefix}-{telephone.number}" if country == "CN" else f"+{prefix} {telephone.number}"


def _type(code: str) -> dict[str, Any]:
    return {"coding": [{"system": TYPES, "code": code}]}


def _address(address: Address) -> dict[str, Any]:
    found: dict[str, Any] = {"use": "home", "line": list(address.line)}
    if address.country == "CN":
        return found | {"city": address.place.han, "state": "广东省", "country": "CN"}
    return found | {"district": address.place.roman, "country": address.country}
