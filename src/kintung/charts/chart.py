"""What a chart shows: lines of points in time, and the reference range of each line."""

from dataclasses import dataclass
from typing import NamedTuple


class Point(NamedTuple):
    """A value at an instant (UTC microseconds), in the unit of its chart.

    ``outside`` its reference range; None where that is not known of its day.
    """

    at: int
    value: float
    outside: bool | None = False


class Line(NamedTuple):
    """Points of one thing, oldest first. Its reference range is from ``low`` to under ``below``.

    ``said`` is how the last value is written, "" for the number itself. ``is_closed``: the range has its
    upper bound in it. ``since`` is the instant from which a range is known, and is drawn.
    """

    name: str
    points: tuple[Point, ...]
    low: float | None = None
    below: float | None = None
    said: str = ""
    is_closed: bool = False
    since: int = 0


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart in the words of one language.

    Attributes:
        id: of the drawing in its page: letters, digits and hyphens.
        description: what a chart tells who cannot see it; what it is of is its ``title``.
        unit: of all values; "" where there is none.
        locale: name in CLDR by which dates and numbers are written, ``zh_Hant_HK``.
        offset_minutes: zone of the dates, minutes east of UTC.
    """

    id: str
    title: str
    description: str
    lines: tuple[Line, ...]
    unit: str
    locale: str
    offset_minutes: int
