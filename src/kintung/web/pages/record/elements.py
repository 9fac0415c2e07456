"""What elements of FHIR say in a line: codes, references, times. Pure; what is not there says "".

Source: http://hl7.org/fhir/R4/datatypes.html.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

from kintung.fhir.search import span

Resource = dict[str, Any]


def concept(value: Any) -> str:
    """What a CodeableConcept, a Coding or a code says: its text, else a display, else a code."""
    match value:
        case {"text": str(text)}:
            return text
        case {"coding": [*codings]}:
            return next((said for coding in codings if (said := concept(coding))), "")
        case {"display": str(display)}:
            return display
        case {"code": str(code)} | str(code):
            return code
        case _:
            return ""


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
