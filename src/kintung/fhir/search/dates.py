"""Dates as half-open spans of integer microseconds since 1970-01-01T00:00Z.

Every store compares the same integers, so a date search answers the same everywhere.
Source: http://hl7.org/fhir/R4/search.html#date and the readings in
``docs/explanation/spec-readings.md``.
"""

import re
from datetime import date
from functools import lru_cache

MIN_MICROS = -(2**62)
"""Before all time: the start of an open span. Fits a signed 64-bit integer."""

MAX_MICROS = 2**62
"""After all time: the end of an open span."""

_DAY = 86_400_000_000
_MINUTE = 60_000_000
OFFSET_MINUTES = 480
"""Zone of dates without one where no other is given: UTC+08:00."""

_SECOND = 1_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_FINEST = 6
"""Fraction digits a microsecond can tell apart."""

_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


@lru_cache(maxsize=16_384)
def span(text: str, offset_minutes: int) -> tuple[int, int]:
    """Return the half-open span of a ``date``, ``dateTime`` or ``instant``.

    ``2013-01`` is the whole month. Digits after the sixth of a fraction widen the span to the
    microsecond that holds them. A time to the minute, as searches may give it, is that minute;
    second 60 is the leap second after 59. Recent answers are kept: the resources of one visit
    repeat its instants.

    Args:
        text: FHIR date; the zone may be missing, and then it is of the node.
        offset_minutes: the node's zone, minutes east of UTC.

    Raises:
        ValueError: not a date, or a day or time that does not exist.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError("not a date")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    offset = offset_minutes * _MINUTE
    if hour is None:
        return _whole_days(int(year), month, day, offset)
    if zone is not None:
        offset = _zone(zone)
    at = (date(int(year), int(month), int(day)).toordinal() - _EPOCH) * _DAY - offset
    return _within_day(at, int(hour), int(minute), second, fraction)


def _whole_days(year: int, month: str | None, day: str | None, offset: int) -> tuple[int, int]:
    first = date(year, int(month or 1), int(day or 1)).toordinal()
    if day is not None:
        after = first + 1
    elif month is not None:
        after = first + _days_of_month(year, int(month))
    else:
        after = first + (366 if _is_leap(year) else 365)
    return (first - _EPOCH) * _DAY - offset, (after - _EPOCH) * _DAY - offset


def _within_day(at: int, hour: int, minute: int, second: str | None, fraction: str | None) -> tuple[int, int]:
    if hour > 23 or minute > 59 or int(second or 0) > 60:
        raise ValueError("not a time of day")
    at += (hour * 60 + minute) * _MINUTE
    if second is None:
        return at, at + _MINUTE
    at += int(second) * _SECOND
    if fraction is None:
        return at, at + _SECOND
    digits = fraction[:_FINEST]
    unit = 10 ** (_FINEST - len(digits))
    at += int(digits) * unit
    return at, at + unit


def _zone(zone: str) -> int:
    if zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 14 or minutes > 59 or (hours == 14 and minutes):
        raise ValueError("not a time zone")
    east = (hours * 60 + minutes) * _MINUTE
    return -east if zone[0] == "-" else east


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_of_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if _is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31
