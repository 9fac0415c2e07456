"""What a resource is called in a line: in the words of the definitions, else in its own."""

from collections.abc import Callable, Mapping
from typing import Any

from kintung.definitions.code_names import name_of
from kintung.definitions.measurements import LOINC, Words
from kintung.web.pages.language import Language, worded
from kintung.web.pages.record.elements import Resource, codes, concept, items, listed, text, thing, told
from kintung.web.pages.steward.names import names_of


def words(of: Words, language: Language) -> str:
    """A name in the language of a page."""
    by_language = {Language.HONG_KONG: of.zh_hk, Language.MAINLAND: of.zh_cn, Language.ENGLISH: of.en}
    return by_language[language]


def title(resource: Resource, language: Language) -> str:
    """The name of a resource; "" where it does not say."""
    type = text(resource, "resourceType")
    found = _BY_TYPE.get(type)
    if found is not None:
        return found(resource, language)
    paths = (*_PATHS.get(type, ()), *_USUAL)
    return next(filter(None, (_at(resource, path.split("."), language) for path in paths)), "")


_USUAL = ("code", "vaccineCode", "title", "description", "type", "category", "class", "topic", "name")
"""Where most types say what they are, the nearest first."""
_PATHS: Mapping[str, tuple[str, ...]] = {
    "Account": ("name",),
    "AdverseEvent": ("event",),
    "Appointment": ("description", "serviceType", "reasonCode"),
    "BodyStructure": ("description", "morphology", "location"),
    "CareTeam": ("name",),
    "ClinicalImpression": ("code", "summary", "description"),
    "Communication": ("topic", "payload.contentString", "reasonCode"),
    "CommunicationRequest": ("payload.contentString", "reasonCode"),
    "Consent": ("category", "scope"),
    "Device": ("deviceName.name",),
    "DeviceRequest": ("codeCodeableConcept", "codeReference.display"),
    "DeviceUseStatement": ("device.display", "reasonCode"),
    "DocumentManifest": ("description",),
    "FamilyMemberHistory": ("condition.code", "name", "relationship"),
    "Group": ("name",),
    "ImagingStudy": ("description", "procedureCode", "modality"),
    "ImmunizationEvaluation": ("targetDisease",),
    "ImmunizationRecommendation": ("recommendation.vaccineCode", "recommendation.targetDisease"),
    "List": ("title",),
    "Location": ("name",),
    "Media": ("content.title",),
    "NutritionOrder": ("oralDiet.type", "enteralFormula.baseFormulaType", "supplement.type"),
    "Organization": ("name",),
    "Practitioner": ("name",),
    "RelatedPerson": ("name", "relationship"),
    "RiskAssessment": ("code", "method", "prediction.outcome"),
    "Schedule": ("serviceType", "comment"),
    "SupplyDelivery": ("suppliedItem.itemCodeableConcept",),
    "SupplyRequest": ("itemCodeableConcept",),
    "Task": ("description", "code"),
}
"""Where a type says what it is, before where most do."""


def _at(value: Any, path: list[str], language: Language) -> str:
    """What the first element of a path says: a text, a code in words, or a name of a person."""
    if len(path) > 1:
        inside = items(thing(value).get(path[0]))
        return next(filter(None, (_at(each, path[1:], language) for each in inside)), "")
    name = path[0]
    if words := told(value, name, language):
        return words
    found = thing(value).get(name)
    if name == "name" and isinstance(found, list):
        names = names_of(thing(value))
        own = (each.text for each in names if each.is_han is not (language is Language.ENGLISH))
        return next(own, names[0].text if names else "")
    return next(filter(None, (concept(each, language) for each in items(found))), "")


def observed(resource: Resource, language: Language) -> str:
    """What an Observation, or a component of one, is of."""
    coded = resource.get("code")
    known = next(filter(None, (name_of(LOINC, code) for code in codes(coded, LOINC))), None)
    return worded(known, language) if known else concept(coded, language)


def _encounter(resource: Resource, language: Language) -> str:
    return _first(resource, "type", language) or concept(resource.get("class"), language)


def _composition(resource: Resource, language: Language) -> str:
    return told(resource, "title", language) or _first(resource, "type", language)


def _document(resource: Resource, language: Language) -> str:
    titles = [told(each.get("attachment"), "title", language) for each in listed(resource, "content")]
    named = (told(resource, "description", language), *titles, _first(resource, "type", language))
    return next(filter(None, named), "")


def _patient(resource: Resource, _language: Language) -> str:
    return next((name.text for name in names_of(resource)), "")


def _first(resource: Resource, name: str, language: Language) -> str:
    """What an element says, the first that says something where it is a list."""
    return next((said for each in items(resource.get(name)) if (said := concept(each, language))), "")


def _medicine(resource: Resource, language: Language) -> str:
    referred = resource.get("medicationReference")
    named = concept(resource.get("medicationCodeableConcept"), language) or told(
        referred, "display", language
    )
    if named:
        return named
    wanted = text(referred, "reference").removeprefix("#")
    inside = (each for each in listed(resource, "contained") if each.get("id") == wanted)
    return next((concept(each.get("code"), language) for each in inside), "")


_BY_TYPE: Mapping[str, Callable[[Resource, Language], str]] = {
    "Composition": _composition,
    "DocumentReference": _document,
    "Encounter": _encounter,
    "MedicationAdministration": _medicine,
    "MedicationDispense": _medicine,
    "MedicationRequest": _medicine,
    "MedicationStatement": _medicine,
    "Observation": observed,
    "Patient": _patient,
}
"""What stands elsewhere than most types have it."""
