"""What an Observation says: its values, in the unit that is shown, and whether each is high or low.

Whoever measured knows best: what an Observation itself says of its value is believed, then the reference
range it brings, then ours of that day.

Source: http://hl7.org/fhir/R4/observation.html#interpretation, and notes 6.1.1.4 of reference ranges.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from kintung.definitions.measurements import LOINC, Line, Measured, measured
from kintung.web.pages.language import Language
from kintung.web.pages.record.elements import (
    Resource,
    codes,
    concept,
    instant,
    listed,
    text,
    thing,
    time_of,
    told,
)
from kintung.web.pages.record.person import day_of
from kintung.web.pages.record.titles import observed
from kintung.web.pages.units import number, quantity

TIMES = ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued")
Verdict = Literal["high", "low", ""]
"""Of a value: over its reference range, under it, or in it."""
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
RANGE_MEANING = "http://terminology.hl7.org/CodeSystem/referencerange-meaning"
_SAID: dict[str, Verdict] = {
    "H": "high", "HH": "high", "HU": "high", "H>": "high",
    "L": "low", "LL": "low", "LU": "low", "L<": "low",
    "N": "",
}  # fmt: skip
"""What its codes are; ``<`` and ``>`` are of what can be measured, not of what is well."""
Converted = Callable[[Decimal, str], Decimal | None]


class Within(NamedTuple):
    """A reference range: bounds as decimals, None for none; ``is_own``: the Observation brings it itself.

    ``since``: the civil day from which ours holds, "" of one's own.
    """

    low: Decimal | None
    high: Decimal | None
    is_own: bool
    is_assumed: bool = False
    source: str = ""
    since: str = ""

    def verdict(self, value: Decimal) -> Verdict:
        """Ours ends under its upper bound; one of FHIR has its bounds within it."""
        if self.low is not None and value < self.low:
            return "low"
        if self.high is not None and (value > self.high or (value == self.high and not self.is_own)):
            return "high"
        return ""


class Value(NamedTuple):
    """A value of one line of a measurement.

    ``value`` is in the unit that is shown, None where nothing is known of its unit; ``written`` is the value
    as it was written, "" where that is what is shown. ``verdict`` is None where nothing is known of it.
    """

    value: Decimal | None
    written: str
    within: Within | None
    verdict: Verdict | None


class Said(NamedTuple):
    """A value in a line: ``name`` is what it is of, "" where the name of its Observation says it.

    ``is_measured``: it is a number in a unit, so that a verdict of it is missed.
    """

    name: str
    words: str
    verdict: Verdict | None = None
    is_measured: bool = False


def said(resource: Resource, language: Language, offset_minutes: int) -> tuple[Said, ...]:
    """What an Observation says in a line: its value, or those of its components, or why there is none."""
    if alone := _words(resource, language):
        day = day_observed(resource, offset_minutes)
        return (Said("", alone, verdict_of(resource, day), is_measured(resource)),)
    parts = tuple(each for each in components(resource, language, offset_minutes) if each.words)
    absent = _absent(resource, language)
    return parts or ((Said("", absent),) if absent else ())


def components(resource: Resource, language: Language, offset_minutes: int) -> tuple[Said, ...]:
    """The components of an Observation; ``words`` is "" of one that says no value, nor why."""
    day = day_observed(resource, offset_minutes)
    return tuple(
        Said(
            observed(each, language),
            _words(each, language) or _absent(each, language),
            verdict_of(each, day),
            is_measured(each),
        )
        for each in listed(resource, "component")
    )


def day_observed(resource: Resource, offset_minutes: int) -> date | None:
    """The civil day of an Observation; None where it says none, or one of no calendar here."""
    at = instant(time_of(resource, *TIMES), offset_minutes)
    try:
        return date.fromisoformat(day_of(at, offset_minutes)) if at else None
    except (ValueError, OverflowError):
        return None


def value_of(known: Measured, of: Resource, day: date | None, language: Language) -> Value | None:
    """The value that an Observation, or a component, has of a measurement; None where it has none.

    Args:
        day: of the Observation, None where it says none.
    """
    quantified = thing(of.get("valueQuantity"))
    given = decimal_of(quantified)
    if given is None:
        return None
    unit = _unit(quantified)
    shown = known.measurement.converted(given, unit)
    if shown is None or text(quantified, "comparator"):
        return Value(None, quantity(quantified, language), None, _interpreted(of))
    within = _range(known, of, day)
    is_as_written = shown == given and unit in (known.measurement.unit, known.measurement.shown)
    verdict = _verdict(of, shown, within)
    if _decimals(shown) > known.measurement.decimals + 1:  # computed, not measured: 111.730860 mmHg
        shown, is_as_written = round(shown, known.measurement.decimals), False
    return Value(shown, "" if is_as_written else quantity(quantified, language), within, verdict)


def measurement_of(of: Resource) -> Measured | None:
    """What an Observation, or a component, is a value of; None where it has no chart."""
    return next((measured()[code] for code in codes(of.get("code"), LOINC) if code in measured()), None)


def is_measured(of: Resource) -> bool:
    """Has an Observation, or a component, a number for a value?"""
    return decimal_of(thing(of.get("valueQuantity"))) is not None


def decimal_of(of: Resource) -> Decimal | None:
    """The number of a Quantity; None of none, and of one that no measurement has."""
    value = of.get("value")
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    found = Decimal(value)
    return found if abs(found) < 10**9 else None


# --- High and low ---------------------------------------------------------------------


def verdict_of(of: Resource, day: date | None) -> Verdict | None:
    """Whether the value of an Observation, or of a component, is high or low; None where that is not known.

    What has no chart is judged by its own range, where that is in its unit.
    """
    quantified = thing(of.get("valueQuantity"))
    given, unit = decimal_of(quantified), _unit(quantified)
    if given is None or text(quantified, "comparator"):
        return _interpreted(of)
    known = measurement_of(of)
    if known is None:
        return _verdict(of, given, _own_range(of, lambda bound, its: bound if its in (unit, "") else None))
    shown = known.measurement.converted(given, unit)
    return _verdict(of, shown, _range(known, of, day)) if shown is not None else _interpreted(of)


def _verdict(of: Resource, value: Decimal, within: Within | None) -> Verdict | None:
    interpreted = _interpreted(of)
    if interpreted is not None or within is None:
        return interpreted
    return within.verdict(value)


def _interpreted(of: Resource) -> Verdict | None:
    """What an Observation says of its own value; None where that is neither high, low nor normal."""
    said = (code for each in listed(of, "interpretation") for code in codes(each, INTERPRETATION))
    return next((_SAID[code] for code in said if code in _SAID), None)


def _range(known: Measured, of: Resource, day: date | None) -> Within | None:
    return _own_range(of, known.measurement.converted) or _ours(known.line, day)


def _own_range(of: Resource, converted: Converted) -> Within | None:
    """The range that an Observation brings: that of healthy people, of several the first that is for all."""
    usual = [each for each in listed(of, "referenceRange") if _is_usual(each)]
    for each in sorted(usual, key=lambda it: "appliesTo" in it or "age" in it):
        low, high = (_bound(thing(each.get(name)), converted) for name in ("low", "high"))
        if low is not None or high is not None:
            return Within(low, high, is_own=True)
    return None


def _is_usual(given: Resource) -> bool:
    """Is a range what is usual, and no aim of a treatment or of a state such as pregnancy?"""
    meant = list(codes(given.get("type"), RANGE_MEANING))
    return not meant or "normal" in meant


def _bound(given: Resource, converted: Converted) -> Decimal | None:
    number = decimal_of(given)
    return converted(number, _unit(given)) if number is not None else None


def _ours(line: Line, day: date | None) -> Within | None:
    """Ours, of that day; of an Observation without a day the last."""
    found = line.range_on(day or date.max)
    if found is None:
        return None
    low, below = (Decimal(each) if each else None for each in (found.low, found.below))
    return Within(
        low, below, is_own=False, is_assumed=found.assumed, source=found.source, since=found.start.isoformat()
    )


# --- Words ----------------------------------------------------------------------------


def _words(of: Resource, language: Language) -> str:
    """The value of an Observation, or of a component, in a line."""
    values = (name for name in of if name.startswith("value"))
    return next((told(of, name, language) or _simple(of[name], language) for name in values), "")


def _absent(of: Resource, language: Language) -> str:
    """Why there is no value."""
    return concept(of.get("dataAbsentReason"), language)


def _simple(value: Any, language: Language) -> str:
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, int | Decimal):
        return number(value, language)
    return quantity(value, language) or concept(value, language)


def _unit(quantified: Resource) -> str:
    return text(quantified, "code") or text(quantified, "unit")


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
