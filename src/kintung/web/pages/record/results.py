"""Results: the latest values and their trends, of Observations by the definitions of measurements."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from kintung.charts import Chart, Line, Point, svg
from kintung.definitions.measurements import Measurement, measurements
from kintung.web.pages.catalogues import N_
from kintung.web.pages.language import Language
from kintung.web.pages.record.elements import Resource, instant, listed, text, time_of
from kintung.web.pages.record.keepers import Origin
from kintung.web.pages.record.observed import (
    TIMES,
    Said,
    Value,
    Verdict,
    Within,
    day_observed,
    measurement_of,
    said,
    value_of,
)
from kintung.web.pages.record.person import Known, Stored, day_of
from kintung.web.pages.record.titles import observed, words
from kintung.web.pages.units import number

TYPES = ("Observation",)
MOST_ROWS = 60
"""Readings of a table beside a chart, the newest; all are in the timeline."""
MOST_OTHERS = 40
"""Kinds of other results, the newest."""
Describe = Callable[[str, int, str, str], str]
_LEFT_OUT = ("entered-in-error", "cancelled")


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
    def verdicts(self) -> set[Verdict | None]:
        """Of the values that its chart has, where any is judged."""
        values = [value for reading in self.readings if reading.at for value in reading.values if value]
        found: set[Verdict | None] = {value.verdict for value in values if value.value is not None}
        return found if found != {None} else set()

    @property
    def rows(self) -> tuple[Reading, ...]:
        return self.readings[:MOST_ROWS]


_LEGEND: dict[Verdict | None, str] = {
    "high": N_("In a chart, a filled mark is outside the reference range."),
    "low": N_("In a chart, a filled mark is outside the reference range."),
    None: N_("A small mark is of a day of which no range is known."),
}


def legend(trends: Iterable[Trend]) -> tuple[str, ...]:
    """What the marks of these charts mean, messages: of those only that are in one."""
    there = {verdict for trend in trends for verdict in trend.verdicts}
    return tuple(dict.fromkeys(said for verdict, said in _LEGEND.items() if verdict in there))


class Other(NamedTuple):
    """The latest result of a code that has no chart."""

    path: str
    title: str
    values: tuple[Said, ...]
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
    day = day_observed(resource, offset_minutes)
    found: dict[str, dict[str, Value]] = {}
    by_id: dict[str, Measurement] = {}
    for each in (resource, *listed(resource, "component")):
        known = measurement_of(each)
        value = value_of(known, each, day, language) if known is not None else None
        if known is not None and value is not None:
            by_id[known.measurement.id] = known.measurement
            found.setdefault(known.measurement.id, {}).setdefault(known.line.id, value)
    return ((by_id[id], values) for id, values in found.items())


def _reading(
    found: Known, stored: Stored, measurement: Measurement, values: dict[str, Value], offset_minutes: int
) -> Reading | None:
    at = instant(time_of(stored.resource, *TIMES), offset_minutes)
    in_order = tuple(values.get(line.id) for line in measurement.lines)
    day = day_of(at, offset_minutes) if at else ""
    return Reading(stored.path, at, day, in_order, found.origin(stored))


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
    last, since = "", 0
    for reading in readings:
        value = reading.values[place]
        if value is not None and value.value is not None and reading.at:
            if not points:
                within, last = value.within, shown(value.value, language)
            outside = bool(value.verdict) if value.verdict is not None else None
            points.append(Point(reading.at, float(value.value), outside))
            since = reading.at if value.within is not None else since
    if not any(point.outside is not None for point in points):  # nothing that one could be in
        points = [point._replace(outside=False) for point in points]
    points.reverse()
    if within is None:
        return Line(name, tuple(points), said=last)
    low, high = _float(within.low), _float(within.high)
    if within.since:
        since = min(since, instant(within.since, offset_minutes))
    if since <= points[0].at:  # known of all of them
        since = 0
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
        if any(map(measurement_of, (resource, *listed(resource, "component")))):
            continue
        title = observed(resource, found.language)
        at = instant(time_of(resource, *TIMES), offset_minutes)
        if title and (title not in latest or at > latest[title][0]):
            latest[title] = (at, stored)
    newest = sorted(latest.items(), key=lambda each: each[1][0], reverse=True)[:MOST_OTHERS]
    return tuple(
        Other(
            stored.path,
            title,
            said(stored.resource, found.language, offset_minutes),
            day_of(at, offset_minutes) if at else "",
            found.origin(stored),
        )
        for title, (at, stored) in newest
    )


def shown(value: Decimal, language: Language) -> str:
    """A value with the digits it has, as a language writes numbers."""
    return number(value, language)
