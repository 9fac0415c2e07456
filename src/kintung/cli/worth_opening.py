"""Who of a demo is worth opening, and why: found in what was loaded, by what the records carry."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kintung.app import Node, system
from kintung.fhir.json import parse
from kintung.store.reader import Reader
from kintung.web.about import Carried, Invented, Trait
from kintung.web.pages.language import Language
from kintung.web.pages.record.elements import concept
from kintung.web.pages.steward.names import names_of

Resource = dict[str, Any]

ORDER: tuple[Carried, ...] = ("across", "pressure", "glucose", "allergy", "vaccines")
"""Each is shown by the person who has most of it and was not chosen for one before."""
MOST_TRAITS = 3
LEAST: dict[Carried, int] = {"across": 2, "pressure": 3, "glucose": 2, "allergy": 1, "vaccines": 3}
"""Fewer are not worth a word."""
PRESSURE, HBA1C = "85354-9", "4548-4"
"""Of LOINC: the panel of a blood pressure, and glycated haemoglobin."""
_READ = ("Organization", "Patient", "Observation", "AllergyIntolerance", "Immunization")


@dataclass(eq=False)
class _Person:
    """What all records of one person carry together."""

    patients: list[Resource] = field(default_factory=list[Resource])
    countries: set[str] = field(default_factory=set[str])
    counts: dict[Carried, int] = field(default_factory=lambda: dict.fromkeys(ORDER, 0))
    allergies: list[Resource] = field(default_factory=list[Resource])
    of_patient: Counter[str] = field(default_factory=Counter[str])


def worth_opening(node: Node) -> tuple[Invented, ...]:
    """One person for each thing worth seeing, as far as the record has one."""
    people = list(_people(node))
    found: list[Invented] = []
    for kind in ORDER:
        chosen = _most(people, kind)
        if chosen is not None:
            people.remove(chosen)
            found.append(_invented(chosen, kind))
    return tuple(found)


def _most(people: list[_Person], kind: Carried) -> _Person | None:
    """Who has most of a thing, and then most on record; of equals who was stored first."""
    fitting = [each for each in people if each.counts[kind] >= LEAST[kind]]
    return max(fitting, key=lambda each: (each.counts[kind], each.of_patient.total()), default=None)


def _people(node: Node) -> Iterator[_Person]:
    by_type: dict[str, list[Resource]] = {type: [] for type in _READ}
    for version in node.store.export(system("demo"), _READ):
        resource = parse(version.body)
        by_type[resource["resourceType"]].append(resource)
    countries = {each["id"]: _country(each) for each in by_type["Organization"]}
    found: dict[str, _Person] = {}
    with node.store.view() as view:
        for patient in by_type["Patient"]:
            person = found.setdefault(view.person(Reader.everything(), patient["id"])[0], _Person())
            person.patients.append(patient)
            keeper = patient.get("managingOrganization", {}).get("reference", "").rpartition("/")[2]
            person.countries.add(countries.get(keeper, ""))
    of = {patient["id"]: person for person in found.values() for patient in person.patients}
    for resource in (*by_type["Observation"], *by_type["AllergyIntolerance"], *by_type["Immunization"]):
        about: Resource = resource.get("subject") or resource.get("patient") or {}
        id: str = about.get("reference", "").rpartition("/")[2]
        if id in of:
            _count(of[id], id, resource)
    for person in found.values():
        if {"HK", "CN"} <= person.countries and len(_scripts(person.patients)) == 2:
            person.counts["across"] = len(person.patients)
        yield person


def _count(person: _Person, id: str, resource: Resource) -> None:
    person.of_patient[id] += 1
    kind = _kind(resource)
    if kind is not None:
        person.counts[kind] += 1
    if kind == "allergy":
        person.allergies.append(resource.get("code", {}))


def _kind(resource: Resource) -> Carried | None:
    """What a resource adds to; None for nothing that is looked for."""
    match resource["resourceType"]:
        case "Immunization":
            return "vaccines"
        case "AllergyIntolerance":
            return "allergy"
        case _:
            codes = {each.get("code") for each in resource.get("code", {}).get("coding", [])}
            if PRESSURE in codes:
                return "pressure"
            return "glucose" if HBA1C in codes else None


def _invented(person: _Person, chosen_for: Carried) -> Invented:
    """A person, with what it was chosen for first."""
    best = max(person.patients, key=lambda each: person.of_patient[each["id"]])
    names = _scripts([best, *person.patients])
    others: list[Carried] = [
        kind for kind in ORDER if kind != chosen_for and person.counts[kind] >= LEAST[kind]
    ]
    traits = tuple(
        Trait(kind, person.counts[kind], _substances(person) if kind == "allergy" else {})
        for kind in (chosen_for, *others[: MOST_TRAITS - 1])
    )
    return Invented(best["id"], names.get(True, ""), names.get(False, ""), traits)


def _scripts(patients: Iterable[Resource]) -> dict[bool, str]:
    """A name in characters (True) and one in letters (False), the first of each."""
    found: dict[bool, str] = {}
    for patient in patients:
        for name in names_of(patient):
            found.setdefault(name.is_han, name.text)
    return found


def _country(organisation: Resource) -> str:
    return next((each.get("country", "") for each in organisation.get("address", [])), "")


def _substances(person: _Person) -> dict[str, str]:
    """What a person is allergic to, by the tag of each language."""
    by_language = {
        language.value: [concept(code, language) for code in person.allergies] for language in Language
    }
    return {tag: ", ".join(filter(None, names)) for tag, names in by_language.items()}
