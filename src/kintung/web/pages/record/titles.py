"""What a resource is called in a line: in the words of the definitions, else in its own."""

from collections.abc import Callable, Mapping
from functools import cache

from kintung.definitions.measurements import LOINC, Words, measured, measurements
from kintung.web.pages.language import Language
from kintung.web.pages.record.elements import Resource, codes, concept, items, listed, text
from kintung.web.pages.steward.names import names_of


def words(of: Words, language: Language) -> str:
    """A name in the language of a page."""
    by_language = {Language.HONG_KONG: of.zh_hk, Language.MAINLAND: of.zh_cn, Language.ENGLISH: of.en}
    return by_language[language]


@cache
def _labels() -> dict[str, Words]:
    """The names of what LOINC codes measure, panels too."""
    panels = {code: each.label for each in measurements() for code in each.panels}
    return panels | {
        code: known.line.label if len(known.measurement.lines) > 1 else known.measurement.label
        for code, known in measured().items()
    }


def title(resource: Resource, language: Language) -> str:
    """The name of a resource; "" where it does not say."""
    found = _BY_TYPE.get(text(resource, "resourceType"))
    if found is not None:
        return found(resource, language)
    coded = (_first(resource, name) for name in ("code", "vaccineCode", "type", "category", "class"))
    return next(filter(None, coded), "")


def observed(resource: Resource, language: Language) -> str:
    """What an Observation, or a component of one, is of."""
    coded = resource.get("code")
    label = next((_labels()[code] for code in codes(coded, LOINC) if code in _labels()), None)
    return words(label, language) if label else concept(coded)


def _encounter(resource: Resource, _language: Language) -> str:
    return _first(resource, "type") or concept(resource.get("class"))


def _composition(resource: Resource, _language: Language) -> str:
    return text(resource, "title") or _first(resource, "type")


def _document(resource: Resource, _language: Language) -> str:
    titles = [text(each.get("attachment"), "title") for each in listed(resource, "content")]
    return text(resource, "description") or next(filter(None, titles), "") or _first(resource, "type")


def _patient(resource: Resource, _language: Language) -> str:
    return next((name.text for name in names_of(resource)), "")


def _first(resource: Resource, name: str) -> str:
    """What an element says, the first that says something where it is a list."""
    return next((said for each in items(resource.get(name)) if (said := concept(each))), "")


def _medicine(resource: Resource, _language: Language) -> str:
    referred = resource.get("medicationReference")
    named = concept(resource.get("medicationCodeableConcept")) or text(referred, "display")
    if named:
        return named
    wanted = text(referred, "reference").removeprefix("#")
    inside = (each for each in listed(resource, "contained") if each.get("id") == wanted)
    return next((concept(each.get("code")) for each in inside), "")


_BY_TYPE: Mapping[str, Callable[[Resource, Language], str]] = {
    "Composition": _composition,
    "DocumentReference": _document,
    "Encounter": _encounter,
    "MedicationRequest": _medicine,
    "MedicationStatement": _medicine,
    "Observation": observed,
    "Patient": _patient,
}
"""What stands elsewhere than most types have it."""
