"""Measurements that are shown as trends, from ``measurements/``: codes, units, reference ranges, names.

A measurement has lines (blood pressure has two), each with the LOINC codes an Observation or a component of
one may have. Values in another unit become the one shown: ``value * factor + add``. Numbers are decimal text.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, DecimalException
from functools import cache
from typing import NamedTuple

import msgspec

from kintung.definitions.reader import read
from kintung.errors import ValueInvalid

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


class Words(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"zh_hk": "zh-HK", "zh_cn": "zh-CN"}
):
    """A name in the three languages of the pages, in the words of each place."""

    en: str
    zh_hk: str
    zh_cn: str


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A unit that values may come in: UCUM code, other ways it is ``written``, what makes it that shown."""

    code: str
    source: str
    written: tuple[str, ...] = ()
    factor: str = "1"
    add: str = "0"

    @property
    def is_shown(self) -> bool:
        """Is a value in it shown as it is?"""
        return Decimal(self.factor) == 1 and not Decimal(self.add)


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reference range in force from ``start``: from ``low`` to under ``below``, "" for no bound.

    ``assumed``: no published source was found for it, and it is shown so.
    """

    start: date
    assumed: bool
    source: str
    low: str = ""
    below: str = ""


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value of a measurement; ``codes`` are of LOINC, ``ranges`` oldest first."""

    id: str
    label: Words
    codes: tuple[str, ...]
    ranges: tuple[Range, ...] = ()

    def range_on(self, day: date) -> Range | None:
        """The reference range in force on a day; None before the first."""
        after = bisect_right(self.ranges, day, key=lambda each: each.start)
        return self.ranges[after - 1] if after else None


class Measurement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is shown as one chart, in the unit ``unit`` (UCUM), which people write ``shown``.

    ``decimals`` are those of a converted value. ``panels`` are codes of Observations that have the lines as
    components. ``start`` is the day from which this definition holds.
    """

    id: str
    label: Words
    start: date
    source: str
    unit: str
    shown: str
    decimals: int
    units: tuple[Unit, ...]
    lines: tuple[Line, ...]
    panels: tuple[str, ...] = ()

    def converted(self, value: Decimal, code: str) -> Decimal | None:
        """A value in the unit that is shown; None where nothing is known of the unit it is in.

        None too of a number that no measurement has (1E+300).

        Args:
            code: the UCUM code of its unit, or the unit as it is written. "" is no unit.
        """
        for unit in self.units:
            if code == unit.code or code in unit.written:
                if unit.is_shown:
                    return value
                try:
                    found = value * Decimal(unit.factor) + Decimal(unit.add)
                    return found.quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_UP)
                except DecimalException:
                    return None
        return None


class _Measurements(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    measurements: tuple[Measurement, ...]


class Measured(NamedTuple):
    """What a LOINC code is a value of."""

    measurement: Measurement
    line: Line


@cache
def measurements() -> tuple[Measurement, ...]:
    """Every measurement, in the order it is shown."""
    return load_measurements(read("measurements", _Measurements).values())


@cache
def measured() -> Mapping[str, Measured]:
    """What each LOINC code is a value of."""
    return {
        code: Measured(measurement, line)
        for measurement in measurements()
        for line in measurement.lines
        for code in line.codes
    }


_ORDER = ("blood_pressure", "hba1c", "fasting_glucose", "glucose", "egfr")
"""Shown first, by how often they are looked for in primary care; the others follow as defined."""


def load_measurements(files: Iterable[_Measurements]) -> tuple[Measurement, ...]:
    """Check the definitions and give their measurements.

    Raises:
        ValueInvalid: an id or a code twice, a number that is none, bounds that leave nothing between them,
            ranges not oldest first, or a unit that is not among those it comes in.
    """
    found = [each for file in files for each in file.measurements]
    ids = [each.id for each in found]
    codes = [code for each in found for line in each.lines for code in line.codes]
    for name, values in (("id", ids), ("code", codes)):
        if len(values) != len(set(values)):
            raise ValueInvalid(f"definitions/measurements: an {name} is given twice")
    for each in found:
        _check(each)
    return tuple(sorted(found, key=lambda each: _ORDER.index(each.id) if each.id in _ORDER else len(_ORDER)))


def _check(measurement: Measurement) -> None:
    shown = [unit for unit in measurement.units if unit.code == measurement.unit]
    try:
        factors = [Decimal(unit.factor) for unit in measurement.units]
        sums = [Decimal(unit.add) for unit in measurement.units]
        if any(factor <= 0 for factor in factors) or not all(map(Decimal.is_finite, [*factors, *sums])):
            raise ValueInvalid(f"{measurement.id}: a factor is not above 0")
        if len(shown) != 1 or not shown[0].is_shown or not measurement.lines:
            raise ValueInvalid(f"{measurement.id}: {measurement.unit} is not one of its units, as it is")
        for line in measurement.lines:
            _check_ranges(measurement, line)
    except DecimalException:
        raise ValueInvalid(f"{measurement.id}: what should be a number is none") from None


def _check_ranges(measurement: Measurement, line: Line) -> None:
    starts = [each.start for each in line.ranges]
    if starts != sorted(set(starts)):
        raise ValueInvalid(f"{measurement.id}.{line.id}: ranges are not oldest first")
    for each in line.ranges:
        low, below = Decimal(each.low or "-1e9"), Decimal(each.below or "1e9")
        if not low < below or not (each.low or each.below):
            raise ValueInvalid(f"{measurement.id}.{line.id}: nothing is between the bounds of a range")
