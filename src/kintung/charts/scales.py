"""Where marks stand on an axis: round numbers, and days, months or years that people count in."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from math import ceil, floor, log10
from typing import NamedTuple


class Numbers(NamedTuple):
    """An axis of numbers: ``low`` and ``high`` are its ends, ``decimals`` those its marks have."""

    low: float
    high: float
    marks: tuple[float, ...]
    decimals: int


def numbers(values: Iterable[float], intervals: int = 4) -> Numbers:
    """The axis of values, with about so many intervals; of equal values one with some room about them."""
    found = list(values)
    low, high = min(found), max(found)
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-9):
        room = max(abs(high) * 0.05, 0.5)
        low, high = low - room, high + room
    step = _round(high - low, intervals)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    decimals = max(0, -floor(log10(step) + 1e-9))
    marks = tuple(round(place * step, decimals) for place in range(first, last + 1))
    return Numbers(marks[0], marks[-1], marks, decimals)


def _round(span: float, intervals: int) -> float:
    """The least of 1, 2 and 5 times a power of ten that parts a span into no more than so many."""
    rough = span / intervals
    power = 10.0 ** floor(log10(rough))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= rough * (1 - 1e-9))


class Days(NamedTuple):
    """Marks of an axis of days; ``skeleton`` is how CLDR calls what is written at each."""

    marks: tuple[date, ...]
    skeleton: str


def days(first: date, last: date, most: int, most_years: int) -> Days:
    """At most so many marks, from ``first`` to ``last``: days, else months, else years, which are shorter."""
    for step in (1, 2, 7, 14):
        if (last - first).days // step + 1 <= most:
            return Days(tuple(_every_day(first, last, step)), "MMMd" if first.year == last.year else "yMMMd")
    for months in (1, 3, 6):
        found = tuple(_every_month(first, last, months))
        if 1 < len(found) <= most:
            return Days(found, "yMMM")
    return Days(_years(first, last, most_years), "y")


def _every_day(first: date, last: date, step: int) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += timedelta(days=step)


def _every_month(first: date, last: date, step: int) -> Iterator[date]:
    start = first.year * 12 + first.month - 1
    for place in range(start, last.year * 12 + last.month):
        day = date(place // 12, place % 12 + 1, 1)
        if place % step == 0 and first <= day:
            yield day


def _years(first: date, last: date, most: int) -> tuple[date, ...]:
    for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 10_000):
        years = range(-(-first.year // step) * step, last.year + 1, step)
        found = tuple(date(year, 1, 1) for year in years if year and date(year, 1, 1) >= first)
        if len(found) <= most:
            return found or (first,)
    return (first,)
