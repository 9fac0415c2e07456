"""What elements of FHIR say in a line: codes, references, times. Pure; what is not there says "".

Source: http://hl7.org/fhir/R4/datatypes.html.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from kintung.definitions.code_names import name_in, name_of
from kintung.fhir.search import span
from kintung.web.pages.language import Language, speaks, spoken, worded

Resource = dict[str, Any]
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"


def told(value: Any, name: str, language: Language) -> str:
    """A member that is text, in the language of a page where a translation of it stands beside it."""
    return _translated(value, name, language) or text(value, name)


def _translated(value: Any, name: str, language: Language) -> str:
    """The translation of a member, the nearest to a language; "" where there is none.

    Source: http://hl7.org/fhir/R4/extension-translation.html. Of written Chinese one form serves for want
    of the other.
    """
    beside = thing(value).get(f"_{name}")
    if beside is None:
        return ""
    found: dict[Language, str] = {}
    for each in listed(beside, "extension"):
        if each.get("url") == TRANSLATION:
            parts = {text(part, "url"): part for part in listed(each, "extension")}
            of = spoken(text(parts.get("lang"), "valueCode"))
            content = text(parts.get("content"), "valueString") or text(parts.get("content"), "valueMarkdown")
            if of is not None and content:
                found.setdefault(of, content)
    return next((found[each] for each in _SERVING[language] if each in found), "")


_SERVING: Mapping[Language, tuple[Language, ...]] = {
    Language.HONG_KONG: (Language.HONG_KONG, Language.MAINLAND),
    Language.MAINLAND: (Language.MAINLAND, Language.HONG_KONG),
    Language.ENGLISH: (Language.ENGLISH,),
}


def concept(value: Any, language: Language) -> str:
    """What a CodeableConcept, a Coding or a code says: its text, else a display, else a code.

    In the language of a page, by a translation that it brings or the name of a code. A text in another
    script may say more than its code: it stays as it was recorded, and the name follows it.
    """
    match value:
        case {"coding": [*_]} | {"text": str()}:
            return _concept(thing(value), language)
        case {"display": str()} | {"code": str()}:
            return _named(thing(value), language) or text(value, "display") or text(value, "code")
        case str(code):
            return code
        case _:
            return ""


def _concept(value: Resource, language: Language) -> str:
    recorded = text(value, "text")
    if recorded and speaks(recorded, language):
        return _translated(value, "text", language) or recorded
    if translated := _translated(value, "text", language):
        return translated
    codings = listed(value, "coding")
    name = next(filter(None, (_named(coding, language) for coding in codings)), "")
    if not recorded:
        return name or next(filter(None, (concept(coding, language) for coding in codings)), "")
    said = {text(coding, member).casefold() for coding in codings for member in ("display", "code")}
    if not name or recorded.casefold() in said:
        return name or recorded
    return f"{recorded} ({name})" if language is Language.ENGLISH else f"{recorded}（{name}）"


def _named(coding: Resource, language: Language) -> str:
    """The name of a Coding in a language; "" where it has none there."""
    display = text(coding, "display")
    if translated := _translated(coding, "display", language):
        return translated
    if language is Language.ENGLISH and display and speaks(display, language):
        return display
    known = name_of(text(coding, "system"), text(coding, "code"))
    if known is not None:
        return worded(known, language)
    return display if speaks(display, language) and display else ""


def plain_code(element: str, code: str, language: Language) -> str:
    """A code of a required binding, which stands without its system, in words where it has some."""
    known = name_in(element, code)
    return worded(known, language) if known is not None else code


def codes(value: Any, system: str) -> Iterator[str]:
    """The codes that a CodeableConcept has of one system."""
    for coding in listed(value, "coding"):
        if coding.get("system") == system and isinstance(coding.get("code"), str):
            yield coding["code"]


def code(value: Any) -> str:
    """The first code of a CodeableConcept of a required binding, such as a status."""
    return next((each["code"] for each in listed(value, "coding") if isinstance(each.get("code"), str)), "")


def thing(value: Any) -> Resource:
    """An object as it is; {} of anything else."""
    return cast(Resource, value) if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The items of a list; of anything else itself, of nothing none."""
    if isinstance(value, list):
        return cast(list[Any], value)
    return [] if value is None else [value]


def listed(value: Any, name: str) -> list[Resource]:
    """The objects of a list that an object has; [] of anything else."""
    found = thing(value).get(name)
    return [thing(each) for each in items(found) if isinstance(each, dict)] if isinstance(found, list) else []


def text(value: Any, name: str) -> str:
    """A member that is text, "" where there is none."""
    found = thing(value).get(name)
    return found if isinstance(found, str) else ""


def target(value: Any) -> str:
    """The literal reference of a Reference: ``Organization/1``."""
    return text(value, "reference")


def time_of(resource: Resource, *names: str) -> str:
    """The first time that one of these elements says: a date, or the start of a Period."""
    for name in names:
        found = resource.get(name)
        if isinstance(found, str) and found:
            return found
        said = text(found, "start") or text(found, "end")
        if said:
            return said
    return ""


def instant(said: str, offset_minutes: int) -> int:
    """The first microsecond of a FHIR date, UTC; 0 of none, and of one of no calendar here."""
    try:
        found = span(said, offset_minutes)[0] if said else 0
    except ValueError:
        return 0
    return found if _FIRST < found < _LAST else 0


_FIRST, _LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 for year in (2, 9999))
"""A year from the ends of the calendar, so that in every zone there is a day before and after."""
