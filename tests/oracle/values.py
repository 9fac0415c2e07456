"""The values a search parameter finds in one raw resource, as plain comparable rows.

Times are whole microseconds since 1970-01-01T00:00Z, spans half-open ``[low, high)``;
numbers are exact fractions, spans closed ``[low, high]``; an open end is an infinity.
Source: https://hl7.org/fhir/R4/search.html with the readings in spec-readings.md.
"""

import math
import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from tests.oracle.tables import Parameter, Place

HONG_KONG = 480
"""Minutes east of Greenwich: the zone of dates and times that name none."""

MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE


class Held(NamedTuple):
    """A current resource and the instant of its last commit, in microseconds."""

    resource: dict[str, Any]
    updated: int


class Token(NamedTuple):
    system: str | None
    code: str | None


class Reference(NamedTuple):
    """A local ``type`` and ``id``, or ("", address)."""

    type: str
    id: str


class Span(NamedTuple):
    low: float
    high: float


class Amount(NamedTuple):
    """A quantity; numbers have no system, code and unit."""

    low: Fraction | float
    high: Fraction | float
    system: str | None = None
    code: str | None = None
    unit: str | None = None


# -- walking ------------------------------------------------------------------------------


def walk(resource: dict[str, Any], path: str) -> Iterator[Any]:
    """Every element at ``path``; lists are walked through, ``[name=value]`` filters."""
    steps = re.findall(r"([^.\[]+)(?:\[([^=]+)=([^\]]+)\])?", path)
    elements: list[Any] = [resource]
    for name, key, wanted in steps:
        found: list[Any] = []
        for element in elements:
            child = element.get(name) if isinstance(element, dict) else None
            children = child if isinstance(child, list) else [child]
            found += [c for c in children if c is not None and (not key or c.get(key) == wanted)]
        elements = found
    yield from elements


def rows(held: Held, parameter: Parameter, offset: int = HONG_KONG) -> list[Any]:
    """The rows of one parameter: Token, Reference, Span, Amount, or str for string and uri."""
    found: list[Any] = []
    for place in parameter.places:
        for element in _elements(held, place):
            found += _READERS[parameter.kind](element, place.type, offset)
    if parameter.only is not None:
        found = [row for row in found if row.type == parameter.only]
    return found


def _elements(held: Held, place: Place) -> Iterator[Any]:
    if place.path == "@id":
        yield held.resource["id"]
    elif place.path == "@updated":
        yield held.updated
    elif place.path == "@deceased":
        dead = held.resource.get("deceasedBoolean") is True or "deceasedDateTime" in held.resource
        yield dead
    else:
        yield from walk(held.resource, place.path)


# -- tokens -------------------------------------------------------------------------------


def tokens(element: Any, type: str, offset: int = HONG_KONG) -> list[Token]:
    """The tokens of one element of a FHIR type."""
    match type:
        case "CodeableConcept":
            found = [Token(c.get("system"), c.get("code")) for c in element.get("coding", [])]
        case "Coding":
            found = [Token(element.get("system"), element.get("code"))]
        case "Identifier" | "ContactPoint":
            found = [Token(element.get("system"), element.get("value"))]
        case "boolean":
            found = [Token(None, "true" if element else "false")]
        case _:
            found = [Token(None, element)]
    return [token for token in found if token != Token(None, None)]


# -- references and addresses -------------------------------------------------------------


def references(element: Any, type: str, offset: int = HONG_KONG) -> list[Reference]:
    """Where an element points: nowhere when it is a fragment, a search or only an identifier."""
    text = element.get("reference") if type == "Reference" else element
    if text is None or text.startswith("#") or (type == "Reference" and "?" in text):
        return []
    found = [target(text)]
    if type == "canonical" and "|" in text:
        found.append(target(text.partition("|")[0]))
    return found


def target(text: str) -> Reference:
    """``Patient/1`` (also with ``/_history/2``) is local, everything else an address."""
    local = re.fullmatch(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(/_history/[^/]+)?", text)
    return Reference(local[1], local[2]) if local else Reference("", text)


def addresses(element: Any, type: str, offset: int = HONG_KONG) -> list[str]:
    """An address as it stands; a canonical without its version too."""
    bare = element.partition("|")[0]
    return [element, bare] if type == "canonical" and bare != element else [element]


# -- dates --------------------------------------------------------------------------------

_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)


def span(text: str, offset: int = HONG_KONG) -> Span:
    """What a partial date, a date, a dateTime or an instant covers."""
    parts = _TIME.fullmatch(text)
    assert parts, f"not a FHIR date: {text!r}"
    year, month, day, hour, minute, second, fraction, zone = parts.groups()
    if hour is None:
        first, last = _days(int(year), int(month or 0), int(day or 0))
        return Span(first * DAY - offset * MINUTE, last * DAY - offset * MINUTE)
    first, _ = _days(int(year), int(month), int(day))
    low = first * DAY + (int(hour) * 60 + int(minute)) * MINUTE - _east(zone, offset) * MINUTE
    if second is None:
        return Span(low, low + MINUTE)
    low += int(second) * 1_000_000
    if fraction is None:
        return Span(low, low + 1_000_000)
    digits = fraction[:6]
    unit = 10 ** (6 - len(digits))
    return Span(low + int(digits) * unit, low + (int(digits) + 1) * unit)


def _days(year: int, month: int, day: int) -> tuple[int, int]:
    """First day and the day after the last, counted from 1970-01-01; 0 is a part not given."""
    first = date(year, month or 1, day or 1)
    last_month = month or 12
    last = date(year, last_month, day or monthrange(year, last_month)[1])
    epoch = date(1970, 1, 1).toordinal()
    return first.toordinal() - epoch, last.toordinal() + 1 - epoch


def _east(zone: str | None, offset: int) -> int:
    if zone is None:
        return offset
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes


def spans(element: Any, type: str, offset: int = HONG_KONG) -> list[Span]:
    """The spans of one date, Period or Timing; the commit instant comes as an integer."""
    if isinstance(element, int):
        return [Span(element, element + 1)]
    match type:
        case "Period":
            return _period(element, offset)
        case "Timing":
            events = [span(event, offset) for event in element.get("event", [])]
            if events:
                return [Span(min(e.low for e in events), max(e.high for e in events))]
            return _period(element.get("repeat", {}).get("boundsPeriod", {}), offset)
        case _:
            return [span(element, offset)]


def _period(period: dict[str, Any], offset: int) -> list[Span]:
    start, end = period.get("start"), period.get("end")
    if start is None and end is None:
        return []
    low = -math.inf if start is None else span(start, offset).low
    high = math.inf if end is None else span(end, offset).high
    return [Span(low, high)]


# -- strings ------------------------------------------------------------------------------


def strings(element: Any, type: str, offset: int = HONG_KONG) -> list[str]:
    """A string, or the parts of a name or an address, each a value of its own."""
    match type:
        case "HumanName":
            parts = ("text", "family", "given", "prefix", "suffix")
            together = chinese_name(element)
        case "Address":
            parts = ("text", "line", "city", "district", "state", "postalCode", "country")
            together = []
        case _:
            return [element]
    return [*(value for part in parts for value in walk(element, part)), *together]


def chinese_name(name: dict[str, Any]) -> list[str]:
    """Family and given names that have Chinese characters, as one word, unless the text says it."""
    if not any(map(is_chinese, name.get("family", ""))):
        return []
    given = [part for part in name.get("given", []) if part and any(map(is_chinese, part))]
    whole = "".join([name["family"], *given])
    return [whole] if given and fold(whole) != fold(name.get("text", "")) else []


def is_chinese(letter: str) -> bool:
    """An ideograph by its name, or in the planes of ideographs; and three signs used like them."""
    named = unicodedata.name(letter, "").startswith(("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH"))
    return named or letter in "々〆〇" or 0x20000 <= ord(letter) < 0x40000


def fold(text: str) -> str:
    """Compatibility form, case folded, accents (U+0300 to U+036F) removed, white space collapsed.

    Spaces and middle dots between two Chinese characters are taken out.
    """
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(letter for letter in text if not 0x300 <= ord(letter) <= 0x36F)
    parts = re.split("([ ·•‧∙⋅・.]+)", " ".join(unicodedata.normalize("NFKC", bare).split()))
    for between in range(1, len(parts), 2):
        before, after = parts[between - 1], parts[between + 1]
        if before and after and is_chinese(before[-1]) and is_chinese(after[0]):
            parts[between] = ""
    return "".join(parts)


# -- numbers and quantities ---------------------------------------------------------------


def amounts(element: Any, type: str, offset: int = HONG_KONG) -> list[Amount]:
    """The span of a number, a Quantity (Age, Duration), Money or a Range."""
    match type:
        case "decimal" | "integer":
            value = Fraction(Decimal(element))
            return [Amount(value, value)]
        case "Money":
            if "value" not in element:
                return []
            value = Fraction(Decimal(element["value"]))
            return [Amount(value, value, "urn:iso:std:iso:4217", element.get("currency"))]
        case "Range":
            return _range(element)
        case "SampledData":
            return _samples(element)
        case _:
            return _quantity(element)


def _quantity(quantity: dict[str, Any]) -> list[Amount]:
    if "value" not in quantity:
        return []
    low = high = Fraction(Decimal(quantity["value"]))
    comparator = quantity.get("comparator", "")
    return [
        Amount(
            -math.inf if "<" in comparator else low,
            math.inf if ">" in comparator else high,
            quantity.get("system"),
            quantity.get("code"),
            quantity.get("unit"),
        )
    ]


def _range(range: dict[str, Any]) -> list[Amount]:
    low, high = range.get("low", {}), range.get("high", {})
    if "value" not in low and "value" not in high:
        return []
    units = low if "value" in low else high
    return [
        Amount(
            Fraction(Decimal(low["value"])) if "value" in low else -math.inf,
            Fraction(Decimal(high["value"])) if "value" in high else math.inf,
            units.get("system"),
            units.get("code"),
            units.get("unit"),
        )
    ]


def _samples(sampled: dict[str, Any]) -> list[Amount]:
    """From the least sample to the greatest; ``L`` and ``U`` lie beyond the limits, ``E`` is none."""
    origin = sampled["origin"]

    def measured(sample: Any) -> Fraction:
        factor = Fraction(Decimal(sampled.get("factor", 1)))
        return Fraction(Decimal(origin.get("value", 0))) + factor * Fraction(Decimal(sample))

    lows: list[Fraction | float] = []
    highs: list[Fraction | float] = []
    for word in sampled.get("data", "").split():
        if word == "L":
            lows.append(-math.inf)
            highs.append(measured(sampled["lowerLimit"]) if "lowerLimit" in sampled else math.inf)
        elif word == "U":
            lows.append(measured(sampled["upperLimit"]) if "upperLimit" in sampled else -math.inf)
            highs.append(math.inf)
        elif word != "E":
            lows.append(measured(word))
            highs.append(measured(word))
    if not lows:
        return []
    return [Amount(min(lows), max(highs), origin.get("system"), origin.get("code"), origin.get("unit"))]


_READERS = {
    "token": tokens,
    "reference": references,
    "uri": addresses,
    "date": spans,
    "string": strings,
    "number": amounts,
    "quantity": amounts,
}
