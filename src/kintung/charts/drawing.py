"""A chart as SVG text.

Nothing in it needs colour: lines have marks of different shape and their names at their ends, a value
outside its reference range has a filled mark, one of a day of which no range is known a small one, the range
is bounded by broken lines. Presentation is said in
attributes, so that it is whole on paper and in a document too; a style sheet may say more by the classes.
Coordinates are of a frame of ``WIDTH`` by ``HEIGHT``.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from itertools import groupby, pairwise
from typing import NamedTuple

from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal

from kintung.charts.chart import Chart, Line, Point
from kintung.charts.scales import Numbers, days, numbers

WIDTH, HEIGHT = 360.0, 210.0
TEXT = 12.0
"""Size of the text."""
_LARGEST = 13.5
"""Size it may be given where the drawing is small."""
MOST_MARKS = 60
"""Points of a line that have each a mark; of more only the last."""
_TOP, _BOTTOM = 24.0, HEIGHT - 26.0
_BETWEEN_DATES = 6.0
_APART = 14.0
"""Between the names at the ends of two lines."""
_STEP = 6.0
"""Between two places of a line that are looked at."""
_CLEAR = 7.0
"""Beside the name of a bound, to the middle of a mark."""
_REACH = 4.0
"""Of a mark from its middle."""
_OF_MARK = 4
"""How much worse a mark is in the way than a piece of a line."""
_DAY_WIDTH = 74.0
_SHAPES = ("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", "M-3.5-3.5h7v7h-7z", "M0-5l5 5l-5 5l-5-5z", "M0-5l4.5 8h-9z")
_LOOKS = {True: ("mark outside", "currentColor"), False: ("mark", "#fff"), None: ("mark unknown", "#fff")}
"""Of a mark, by whether its value is outside its range."""
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
_DAY = 86_400 * 1_000_000
_ALONE = 15 * _DAY
"""Before a point that stands alone in time."""


def svg(chart: Chart) -> str:
    """The drawing of a chart; "" where no line has a point."""
    lines = [line for line in chart.lines if line.points]
    return "".join(_drawn(chart, lines)) if lines else ""


class _Frame(NamedTuple):
    """Where instants and values stand."""

    left: float
    right: float
    first: int
    last: int
    axis: Numbers

    def x(self, at: int) -> float:
        return self.left + (self.right - self.left) * (at - self.first) / (self.last - self.first)

    def y(self, value: float) -> float:
        share = (value - self.axis.low) / (self.axis.high - self.axis.low)
        return _BOTTOM - (_BOTTOM - _TOP) * share


class _End(NamedTuple):
    """What is written at the end of a line, and where."""

    text: str
    y: float


def _drawn(chart: Chart, lines: list[Line]) -> Iterator[str]:
    instants = [point.at for line in lines for point in line.points]
    first, last = min(instants), max(instants)
    is_alone = first == last
    if is_alone:
        first -= _ALONE
    axis = numbers([*(point.value for line in lines for point in line.points), *_shown_of(lines)])
    marks = [_number(mark, axis.decimals, chart) for mark in axis.marks]
    names = [_name(line, chart, alone=len(lines) == 1) for line in lines]
    left = max(map(width_of, marks)) + 14
    frame = _Frame(left, WIDTH - max(map(width_of, names)) - 12, first, last, axis)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img"'
        f' aria-labelledby="{chart.id}-title {chart.id}-desc" font-size="{TEXT:g}" fill="currentColor">'
        f'<title id="{chart.id}-title">{escape(chart.title)}</title>'
        f'<desc id="{chart.id}-desc">{escape(chart.description)}</desc>'
    )
    yield from _ranges(lines, frame)
    yield from _axes(chart, frame, marks, alone=datetime_of(instants[0], chart).date() if is_alone else None)
    for place, line in enumerate(lines):
        yield from _run(line, place, frame)
    yield from _limit_names(chart, lines, frame)
    for place, line in enumerate(lines):
        yield from _marks(line, place, frame)
    ends = _parted(
        [_End(name, frame.y(line.points[-1].value)) for name, line in zip(names, lines, strict=True)]
    )
    for place, end in enumerate(ends):
        yield _text(frame.right + 8, end.y + 4, end.text, f"end n{place}", bold=True)
    yield "</svg>"


def _shown_of(lines: Sequence[Line]) -> Iterator[float]:
    """The bounds, and a little of the side of each where a value is well: the axis does not end at one."""
    for line in lines:
        for limit, side in ((line.below, -1), (line.low, 1)):
            if limit is not None:
                yield from (limit, limit + side * max(abs(limit), 1) * 1e-6)


def datetime_of(at: int, chart: Chart) -> datetime:
    """An instant on the clocks of the zone of a chart."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at, minutes=chart.offset_minutes)


def width_of(text: str) -> float:
    """About how wide a text is, as large as a style sheet makes it: a Chinese character is a square."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return _LARGEST * (wide + 0.6 * (len(text) - wide))


# --- Axes and ranges ------------------------------------------------------------------


def _axes(chart: Chart, frame: _Frame, marks: Sequence[str], alone: date | None) -> Iterator[str]:
    yield '<g class="axis" stroke="currentColor" stroke-opacity=".25">'
    for value in frame.axis.marks:
        yield f'<path d="M{frame.left:.1f} {frame.y(value):.1f}H{frame.right:.1f}"/>'
    yield "</g>"
    for value, said in zip(frame.axis.marks, marks, strict=True):
        yield _text(frame.left - 10, frame.y(value) + 4, said, "tick", anchor="end")
    if chart.unit:
        yield _text(2, 12, chart.unit, "unit")
    yield from _dates(chart, frame, alone)


def _dates(chart: Chart, frame: _Frame, alone: date | None) -> Iterator[str]:
    """What is written below: of a point that is alone its own day."""
    if alone is not None:
        said = format_date(alone, "medium", locale=chart.locale)
        yield _text(frame.right + 4, HEIGHT - 8, said, "tick", anchor="end")
        return
    first, last = datetime_of(frame.first, chart).date(), datetime_of(frame.last, chart).date()
    width = frame.right - frame.left
    year = width_of(format_skeleton("y", last, locale=chart.locale)) + _BETWEEN_DATES
    found = days(first, last, max(2, int(width // _DAY_WIDTH)), max(2, int(width // year)))
    free = 0.0
    for mark in found.marks:
        midnight = (mark - date(1970, 1, 1)).days * _DAY - chart.offset_minutes * 60_000_000
        at = min(max(midnight, frame.first), frame.last)
        said = format_skeleton(found.skeleton, mark, locale=chart.locale)
        half = width_of(said) / 2
        x = min(max(frame.x(at), half + 1), WIDTH - half - 1)
        if x - half >= free:
            yield f'<path class="axis" stroke="currentColor" d="M{frame.x(at):.1f} {_BOTTOM:.1f}v4"/>'
            yield _text(x, HEIGHT - 8, said, "tick", anchor="middle")
            free = x + half + _BETWEEN_DATES


def _ranges(lines: Sequence[Line], frame: _Frame) -> Iterator[str]:
    """The reference ranges: shaded where there is one line, bounded by broken lines always."""
    if len(lines) == 1 and (lines[0].low, lines[0].below) != (None, None):
        low, below = lines[0].low, lines[0].below
        top = frame.y(below) if below is not None else _TOP
        bottom = frame.y(low) if low is not None else _BOTTOM
        left = _since(lines[0], frame)
        yield (
            f'<rect class="range" x="{left:.1f}" y="{top:.1f}" width="{frame.right - left:.1f}"'
            f' height="{bottom - top:.1f}" fill-opacity=".08"/>'
        )
    for line, limit, _ in _limits(lines):
        left = _since(line, frame)
        yield (
            f'<path class="limit" d="M{left:.1f} {frame.y(limit):.1f}H{frame.right:.1f}"'
            ' fill="none" stroke="currentColor" stroke-dasharray="4 3" stroke-opacity=".7"/>'
        )


def _since(line: Line, frame: _Frame) -> float:
    """Where the range of a line begins: since when one is known, or with the axis."""
    return frame.x(min(max(line.since, frame.first), frame.last))


def _limits(lines: Sequence[Line]) -> Iterator[tuple[Line, float, str]]:
    for line in lines:
        for limit, sign in ((line.below, "≤" if line.is_closed else "<"), (line.low, "≥")):
            if limit is not None:
                yield line, limit, sign


def _limit_names(chart: Chart, lines: Sequence[Line], frame: _Frame) -> Iterator[str]:
    """What the bounds are, each over or under its own, where the least of the lines is in the way."""
    spots = [spot for line in lines for spot in _along(list(_sparse(line.points, frame)), frame)]
    taken: list[float] = []
    for line, limit, sign in _limits(lines):
        decimals = frame.axis.decimals if round(limit, frame.axis.decimals) == limit else None
        said = f"{sign} {_number(limit, decimals, chart)}"
        beside = _beside(frame.y(limit), is_upper=limit == line.below)
        places = [place for place in beside if all(abs(place - other) >= _APART for other in taken)]
        if places:
            x, y = _freest(places, _since(line, frame), width_of(said), spots, frame)
            taken.append(y)
            yield _text(x, y, said, "limit", haloed=True)


def _beside(limit: float, *, is_upper: bool) -> list[float]:
    """Where a name stands under a bound and over it, as far as the frame has room; within the range first."""
    under = [limit + TEXT] if limit < _BOTTOM - TEXT - 4 else []
    over = [limit - 4] if limit > _TOP + TEXT + 4 else []
    return under + over if is_upper else over + under


def _freest(
    places: Sequence[float],
    since: float,
    width: float,
    spots: Sequence[tuple[float, float, int]],
    frame: _Frame,
) -> tuple[float, float]:
    """Of all places at these heights that with the least of the lines in it; the first of equals."""
    first = min(since + 4, frame.right - width - 4)
    room = frame.right - 4 - width - first

    def in_the_way(place: tuple[float, float]) -> float:
        """All that is under it or beside it, the less the further it is from its middle."""
        x, y = place
        return sum(
            weight * min(1.0, (min(at - x, x + width - at) + _CLEAR) / (_CLEAR - _REACH)) ** 2
            for at, of, weight in spots
            if x - _CLEAR <= at <= x + width + _CLEAR and y - TEXT - 5 <= of <= y + 6
        )

    return min(((first + room * part / 32, y) for y in places for part in range(33)), key=in_the_way)


def _along(points: Sequence[Point], frame: _Frame) -> Iterator[tuple[float, float, int]]:
    """Where a line goes, and how much is there: its points, and between two a place every few steps."""
    places = [(frame.x(point.at), frame.y(point.value)) for point in points]
    yield from ((left, top, _OF_MARK) for left, top in places)
    for (left, top), (right, bottom) in pairwise(places):
        steps = int(max(right - left, abs(bottom - top)) // _STEP)
        for step in range(1, steps):
            yield left + (right - left) * step / steps, top + (bottom - top) * step / steps, 1


# --- Lines ----------------------------------------------------------------------------


def _run(line: Line, place: int, frame: _Frame) -> Iterator[str]:
    """The way from point to point."""
    if len(line.points) > 1:
        steps = "L".join(
            f"{frame.x(point.at):.1f} {frame.y(point.value):.1f}" for point in _sparse(line.points, frame)
        )
        dash = _DASHES[place % len(_DASHES)]
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        yield (
            f'<path class="run line n{place % len(_SHAPES)}" d="M{steps}" fill="none" stroke="currentColor"'
            f' stroke-width="1.5"{dashes}/>'
        )


def _marks(line: Line, place: int, frame: _Frame) -> Iterator[str]:
    """The points, over all that is written near them."""
    points, shape = line.points, _SHAPES[place % len(_SHAPES)]
    yield f'<g class="line n{place % len(_SHAPES)}">'
    for point in points if len(points) <= MOST_MARKS else points[-1:]:
        name, fill = _LOOKS[point.outside]
        where = f"translate({frame.x(point.at):.1f} {frame.y(point.value):.1f})"
        where += " scale(.5)" if point.outside is None else ""
        yield (
            f'<path class="{name}" transform="{where}" d="{shape}" fill="{fill}" stroke="currentColor"'
            ' stroke-width="1.5"/>'
        )
    yield "</g>"


def _sparse(points: Sequence[Point], frame: _Frame) -> Iterator[Point]:
    """All of a few points; of many, of each step of the drawing the first, the extremes and the last."""
    if len(points) <= 2 * MOST_MARKS:
        yield from points
        return
    for _, near in groupby(points, key=lambda point: round(frame.x(point.at))):
        group = list(near)
        kept = {
            id(each): each for each in (group[0], min(group, key=_value), max(group, key=_value), group[-1])
        }
        yield from (point for point in group if id(point) in kept)


def _value(point: Point) -> float:
    return point.value


def _name(line: Line, chart: Chart, *, alone: bool) -> str:
    """What stands at the end of a line: its last value, and its name where there are others."""
    value = line.said or _number(line.points[-1].value, None, chart)
    return value if alone or not line.name else f"{line.name} {value}"


def _parted(ends: list[_End]) -> list[_End]:
    """The ends, moved so that none is on another and all are in the frame."""
    order = sorted(range(len(ends)), key=lambda place: ends[place].y)
    places = [ends[place].y for place in order]
    for below in range(1, len(places)):
        places[below] = max(places[below], places[below - 1] + _APART)
    reach = _BOTTOM
    for place in range(len(places) - 1, -1, -1):
        places[place] = min(places[place], reach)
        reach = places[place] - _APART
    moved = dict(zip(order, places, strict=True))
    return [_End(end.text, moved[place]) for place, end in enumerate(ends)]


# --- Text -----------------------------------------------------------------------------


def _text(
    x: float,
    y: float,
    text: str,
    name: str,
    *,
    anchor: str = "start",
    bold: bool = False,
    haloed: bool = False,
) -> str:
    halo = ' stroke="#fff" stroke-width="3" paint-order="stroke"' if haloed else ""
    weight = ' font-weight="600"' if bold else ""
    anchored = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}"{anchored}{weight}{halo}>{escape(text)}</text>'


def _number(value: float, decimals: int | None, chart: Chart) -> str:
    """A number of a language: with so many decimals, or with those it has, three at most."""
    if decimals is None:
        return str(format_decimal(round(value, 3), format="#,##0.###", locale=chart.locale))
    return str(
        format_decimal(value, format="#,##0" + "." * bool(decimals) + "0" * decimals, locale=chart.locale)
    )
