"""Results: the latest values and their trends, of Observations by the definitions of measurements."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from kintung.charts import MAX_INSTANT, Chart, Line, Point, svg
from kintung.definitions.measurements import LOINC, Measured, Measurement, measured, measurements
from kintung.definitions.measurements import Line as Defined
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
from kintung.web.pages.record.keepers import Origin
from kintung.web.pages.record.person import Known, Stored, day_of
from kintung.web.pages.record.titles import observed, words
from kintung.web.pages.units import number, quantity

TYPES = ("Observation",)
MOST_ROWS = 60
"""Readings of a table beside a chart, the newest; all are in the timeline."""
MOST_OTHERS = 40
"""Kinds of other results, the newest."""
Describe = Callable[[str, int, str, str], str]
_LEFT_OUT = ("entered-in-error", "cancelled")
_TIMES = ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued")


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


class Value(NamedTuple):
    """A value of one line of a measurement.

    ``value`` is in the unit that is shown, None where nothing is known of its unit; ``written`` is the value
    as it was written, "" where that is what is shown. ``verdict``: high, low or "".
    """

    value: Decimal | None
    written: str
    within: Within | None
    verdict: str


class Reading(NamedTuple):
    """One Observation of a measurement: a value for each of its lines, None where it has none."""

    path: str
    at: int
    day: str
    values: tuple[Value | None, ...]
    origin: Origin

    @property
    def is_in_unit(self) -> bool:
        """Is a value of it in the unit that is shown?"""
        return any(value is not None and value.value is not None for value in self.values)


class Trend(NamedTuple):
    """A measurement of a person, newest reading first, and its chart ("" where nothing can be drawn)."""

    measurement: Measurement
    title: str
    lines: tuple[str, ...]
    readings: tuple[Reading, ...]
    range: tuple[tuple[str, Within], ...]
    chart: str

    @property
    def since(self) -> str:
        """The civil day from which its ranges hold; "" where no reading is older."""
        first = min(filter(None, (reading.day for reading in self.readings)), default="")
        return max((within.since for _, within in self.range if first < within.since), default="")

    @property
    def rows(self) -> tuple[Reading, ...]:
        return self.readings[:MOST_ROWS]


class Other(NamedTuple):
    """The latest result of a code that has no chart."""

    path: str
    title: str
    value: str
    day: str
    origin: Origin


def trends(found: Known, language: Language, offset_minutes: int, describe: Describe) -> tuple[Trend, ...]:
    """The measurements that a person has values of, in the order of the definitions.

    Args:
        describe: from a title and how many readings, their first and last day, what a chart says to who
            cannot see it.
    """
    by_measurement: dict[str, list[Reading]] = {}
    for stored in found.stored:
        if stored.version.type == "Observation" and text(stored.resource, "status") not in _LEFT_OUT:
            for measurement, values in _measured(stored.resource, language, offset_minutes):
                reading = _reading(found, stored, measurement, values, offset_minutes)
                if reading is not None:
                    by_measurement.setdefault(measurement.id, []).append(reading)
    return tuple(
        _trend(measurement, by_measurement[measurement.id], language, offset_minutes, describe)
        for measurement in measurements()
        if measurement.id in by_measurement
    )


def _measured(
    resource: Resource, language: Language, offset_minutes: int
) -> Iterator[tuple[Measurement, dict[str, Value]]]:
    """The measurements that an Observation, or its components, have values of, by the id of the line."""
    day = _day(resource, offset_minutes)
    found: dict[str, dict[str, Value]] = {}
    by_id: dict[str, Measurement] = {}
    for each in (resource, *listed(resource, "component")):
        known = next(
            (measured()[code] for code in codes(each.get("code"), LOINC) if code in measured()), None
        )
        value = _value(known, each, day, language) if known is not None else None
        if known is not None and value is not None:
            by_id[known.measurement.id] = known.measurement
            found.setdefault(known.measurement.id, {}).setdefault(known.line.id, value)
    return ((by_id[id], values) for id, values in found.items())


def _value(known: Measured, of: Resource, day: date | None, language: Language) -> Value | None:
    said = thing(of.get("valueQuantity"))
    number = _decimal(said.get("value"))
    if number is None:
        return None
    unit = text(said, "code") or text(said, "unit")
    shown = known.measurement.converted(number, unit)
    if shown is None or text(said, "comparator"):
        return Value(None, quantity(said, language), None, "")
    within = _own_range(known.measurement, of) or _range(known.line, day)
    is_as_written = shown == number and unit in (known.measurement.unit, known.measurement.shown)
    verdict = _verdict(shown, within)
    if _decimals(shown) > known.measurement.decimals + 1:  # computed, not measured: 111.730860 mmHg
        shown, is_as_written = round(shown, known.measurement.decimals), False
    return Value(shown, "" if is_as_written else quantity(said, language), within, verdict)


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    found = Decimal(value)
    return found if abs(found) < 10**9 else None


def _own_range(measurement: Measurement, of: Resource) -> Within | None:
    """The range that an Observation brings: the first that is not for others than the usual."""
    for each in listed(of, "referenceRange"):
        bounds: list[Decimal | None] = []
        for name in ("low", "high"):
            bound = thing(each.get(name))
            number = _decimal(bound.get("value"))
            unit = text(bound, "code") or text(bound, "unit")
            bounds.append(measurement.converted(number, unit) if number is not None else None)
        if any(bound is not None for bound in bounds):
            return Within(bounds[0], bounds[1], is_own=True)
    return None


def _range(line: Defined, day: date | None) -> Within | None:
    """Ours, of that day; of an Observation without a day the last."""
    found = line.range_on(day or date.max)
    if found is None:
        return None
    low, below = (Decimal(each) if each else None for each in (found.low, found.below))
    return Within(
        low, below, is_own=False, is_assumed=found.assumed, source=found.source, since=found.start.isoformat()
    )


def _verdict(value: Decimal, within: Within | None) -> str:
    """Ours ends under its upper bound; one of FHIR has its bounds within it."""
    if within is None:
        return ""
    if within.low is not None and value < within.low:
        return "low"
    if within.high is not None and (value > within.high or (value == within.high and not within.is_own)):
        return "high"
    return ""


def _reading(
    found: Known, stored: Stored, measurement: Measurement, values: dict[str, Value], offset_minutes: int
) -> Reading | None:
    at = instant(time_of(stored.resource, *_TIMES), offset_minutes)
    in_order = tuple(values.get(line.id) for line in measurement.lines)
    day = day_of(at, offset_minutes) if at else ""
    return Reading(stored.path, at, day, in_order, found.origin(stored))


def _day(resource: Resource, offset_minutes: int) -> date | None:
    at = instant(time_of(resource, *_TIMES), offset_minutes)
    try:
        return date.fromisoformat(day_of(at, offset_minutes)) if at else None
    except (ValueError, OverflowError):
        return None


def _trend(
    measurement: Measurement,
    readings: list[Reading],
    language: Language,
    offset_minutes: int,
    describe: Describe,
) -> Trend:
    readings.sort(key=lambda reading: (reading.at, reading.path), reverse=True)
    title = words(measurement.label, language)
    names = tuple(words(line.label, language) for line in measurement.lines)
    lines = tuple(_line(name, place, readings, language, offset_minutes) for place, name in enumerate(names))
    drawn = [each for line in lines for each in line.points]
    chart = ""
    if drawn:
        days = [day_of(at, offset_minutes) for at in (min(drawn).at, max(drawn).at)]
        about = describe(title, len(lines[0].points) or len(drawn), *days)
        it = Chart(
            f"chart-{measurement.id.replace('_', '-')}", title, about, lines, measurement.shown,
            language.locale, offset_minutes,
        )  # fmt: skip
        chart = svg(it)
    ranges = tuple(
        (name, within)
        for place, name in enumerate(names)
        if (within := next((v.within for r in readings if (v := r.values[place]) and v.within), None))
    )
    return Trend(measurement, title, names, tuple(readings), ranges, chart)


def _line(
    name: str, place: int, readings: Iterable[Reading], language: Language, offset_minutes: int
) -> Line:
    """The values of one line that can be drawn, oldest first, with the range of the newest."""
    points: list[Point] = []
    within: Within | None = None
    last = ""
    for reading in readings:
        value = reading.values[place]
        if value is not None and value.value is not None and reading.at:
            if not points:
                within, last = value.within, shown(value.value, language)
            outside = bool(value.verdict) if value.within is not None else None
            points.append(Point(reading.at, float(value.value), outside))
    points.reverse()
    if within is None:
        return Line(name, tuple(points), said=last)
    low, high = _float(within.low), _float(within.high)
    since = instant(within.since, offset_minutes) if within.since else MAX_INSTANT
    return Line(name, tuple(points), low, high, last, within.is_own, since)


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def others(found: Known, offset_minutes: int) -> tuple[Other, ...]:
    """The latest of each kind of result that has no chart, newest first."""
    latest: dict[str, tuple[int, Stored]] = {}
    for stored in found.stored:
        resource = stored.resource
        if stored.version.type != "Observation" or text(resource, "status") in _LEFT_OUT:
            continue
        if any(code in measured() for each in (resource, *listed(resource, "component"))
               for code in codes(each.get("code"), LOINC)):  # fmt: skip
            continue
        title = observed(resource, found.language)
        at = instant(time_of(resource, *_TIMES), offset_minutes)
        if title and (title not in latest or at > latest[title][0]):
            latest[title] = (at, stored)
    newest = sorted(latest.items(), key=lambda each: each[1][0], reverse=True)[:MOST_OTHERS]
    return tuple(
        Other(
            stored.path,
            title,
            said(stored.resource, found.language),
            day_of(at, offset_minutes) if at else "",
            found.origin(stored),
        )
        for title, (at, stored) in newest
    )


def said(resource: Resource, language: Language) -> str:
    """The value of an Observation in a line; "" where it has none that fits one."""
    for name, value in resource.items():
        if name.startswith("value"):
            return told(resource, name, language) or _simple(value, language)
    parts = [(observed(each, language), said(each, language)) for each in listed(resource, "component")]
    absent = concept(resource.get("dataAbsentReason"), language)
    return language.signs.semicolon.join(f"{name} {value}" for name, value in parts if value) or absent


def _simple(value: Any, language: Language) -> str:
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, int | Decimal):
        return number(value, language)
    return quantity(value, language) or concept(value, language)


def shown(value: Decimal, language: Language) -> str:
    """A value with the digits it has, as a language writes numbers."""
    return number(value, language)
