"""Charts are read back from their SVG: where points are, what is written, and that nothing is in the way."""

import re
from datetime import UTC, datetime
from itertools import combinations
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kintung.charts import Chart, Line, Point, svg
from kintung.charts.drawing import HEIGHT, MOST_MARKS, TEXT, WIDTH, width_of

SVG = "{http://www.w3.org/2000/svg}"
LOCALES = ("zh_Hant_HK", "zh_Hans_CN", "en_HK")
DAY = 86_400_000_000


def at(year: int, month: int = 1, day: int = 1) -> int:
    """Midnight in Hong Kong."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() - 8 * 3600) * 1_000_000


def chart(*lines: Line, unit: str = "mmHg", locale: str = "en_HK", title: str = "Blood pressure") -> Chart:
    return Chart("bp", title, "What it tells.", lines, unit, locale, 480)


def line(*values: float, name: str = "", low: float | None = None, below: float | None = None) -> Line:
    """A value a month, from January 2024."""
    points = tuple(
        Point(
            at(2024 + month // 12, month % 12 + 1),
            value,
            (below is not None and value >= below) or (low is not None and value < low),
        )
        for month, value in enumerate(values)
    )
    return Line(name, points, low, below)


class Box(NamedTuple):
    text: str
    left: float
    right: float
    top: float
    bottom: float
    name: str

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


class Drawn:
    """A chart as it can be read."""

    def __init__(self, chart: Chart) -> None:
        self.root = ElementTree.fromstring(svg(chart))

    def marks(self, line: int = 0) -> list[tuple[float, float]]:
        found = self.root.findall(f".//{SVG}g[@class='line n{line}']/{SVG}path")
        return [
            (float(where[1]), float(where[2]))
            for path in found
            if (where := re.fullmatch(r"translate\((\S+) (\S+)\)", path.get("transform", "")))
        ]

    def outside(self) -> int:
        return len(self.root.findall(f".//{SVG}path[@class='mark outside']"))

    def run(self) -> list[tuple[float, float]]:
        path = self.root.find(f".//{SVG}path[@class='run line n0']")
        assert path is not None
        return [
            (float(x), float(y))
            for x, y in (each.split() for each in path.attrib["d"].lstrip("M").split("L"))
        ]

    def texts(self, name: str = "") -> list[Box]:
        boxes: list[Box] = []
        for each in self.root.iter(f"{SVG}text"):
            text, x, y = each.text or "", float(each.attrib["x"]), float(each.attrib["y"])
            width = width_of(text)
            left = {"end": x - width, "middle": x - width / 2}.get(each.get("text-anchor", ""), x)
            if name in each.attrib["class"]:
                box = Box(text, left, left + width, y - TEXT * 0.8, y + TEXT * 0.2, each.attrib["class"])
                boxes.append(box)
        return boxes

    def written(self, name: str = "") -> list[str]:
        return [box.text for box in self.texts(name)]


def test_points_stand_where_their_instants_and_values_say() -> None:
    drawn = Drawn(chart(line(100, 120, 110, 140)))
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = drawn.marks()
    assert x0 < x1 < x2 < x3
    assert y3 < y1 < y2 < y0, "higher values stand higher"
    assert (y0 - y1) / (y0 - y3) == pytest.approx(20 / 40, abs=0.01), "in proportion to the value"
    assert (x1 - x0) / (x3 - x0) == pytest.approx(31 / 91, abs=0.01), "and to the time: 31 days of 91"
    assert drawn.run() == drawn.marks()


def test_a_value_stands_at_the_mark_of_its_axis() -> None:
    drawn = Drawn(chart(line(120, 140)))
    marks = {box.text: box.bottom - TEXT * 0.2 - 4 for box in drawn.texts("tick")}
    assert marks["120"] == pytest.approx(drawn.marks()[0][1], abs=0.2)
    assert marks["140"] == pytest.approx(drawn.marks()[1][1], abs=0.2)


def test_two_lines_differ_without_colour_and_say_their_names() -> None:
    systolic, diastolic = line(130, 138, name="Systolic"), line(80, 84, name="Diastolic")
    drawn = Drawn(chart(systolic, diastolic))
    shapes = {
        place: {path.get("d") for path in drawn.root.findall(f".//{SVG}g[@class='line n{place}']/{SVG}path")}
        for place in (0, 1)
    }
    assert not shapes[0] & shapes[1]
    assert drawn.written("end") == ["Systolic 138", "Diastolic 84"]
    assert len(drawn.root.findall(f".//{SVG}path[@stroke-dasharray='6 3']")) == 1


def test_values_outside_the_range_have_filled_marks_and_the_range_its_bounds() -> None:
    drawn = Drawn(chart(line(5.2, 6.4, 7.1, low=4, below=6), unit="%", title="HbA1c"))
    assert drawn.outside() == 2
    assert drawn.written("limit") == ["< 6", "≥ 4"]
    assert "8" in drawn.written("tick")
    area = drawn.root.find(f".//{SVG}rect[@class='range']")
    assert area is not None
    top, height = float(area.attrib["y"]), float(area.attrib["height"])
    inside = [top <= y <= top + height for _, y in drawn.marks()]
    assert inside == [True, False, False]


def test_a_range_begins_where_it_is_known_and_its_bounds_are_no_end_of_the_axis() -> None:
    points = (
        Point(at(2018), 7.9, None),
        Point(at(2019), 6.5, outside=True),
        Point(at(2020), 6.4, outside=True),
        Point(at(2021), 6.2, outside=True),
    )
    drawn = Drawn(chart(Line("", points, below=6.0, since=at(2019)), unit="%"))
    assert drawn.outside() == 3
    assert len(drawn.root.findall(f".//{SVG}path[@class='mark unknown']")) == 1
    bound = drawn.root.find(f".//{SVG}path[@class='limit']")
    area = drawn.root.find(f".//{SVG}rect[@class='range']")
    assert bound is not None
    assert area is not None
    drawn_at = re.match(r"M(\S+) (\S+)H", bound.attrib["d"])
    assert drawn_at is not None
    left, y = drawn_at.groups()
    assert left == area.attrib["x"] == f"{drawn.run()[1][0]:.1f}"
    assert float(area.attrib["height"]) > 10
    (name,) = drawn.texts("limit")
    assert name.text == "< 6.0", "as many decimals as the axis has"
    assert name.top > float(y), "it stands on the side where a value is well"
    earlier = Drawn(chart(Line("", points, below=6.0, since=at(2018, 7)), unit="%"))
    area = earlier.root.find(f".//{SVG}rect[@class='range']")
    assert area is not None
    assert earlier.run()[0][0] < float(area.attrib["x"]) < earlier.run()[1][0], "since it holds"


def test_nothing_is_drawn_of_nothing() -> None:
    assert svg(chart()) == ""
    assert svg(chart(line())) == ""
    assert Drawn(chart(line(), line(120))).marks() == Drawn(chart(line(120))).marks()


@pytest.mark.parametrize("locale", LOCALES)
def test_one_point_stands_beside_its_value_above_its_day(locale: str) -> None:
    drawn = Drawn(chart(line(120), locale=locale))
    ((x, y),) = drawn.marks()
    dates = [box for box in drawn.texts("tick") if box.bottom > HEIGHT - 10]
    assert len(dates) == 1
    assert "2024" in dates[0].text
    (end,) = drawn.texts("end")
    assert dates[0].left < x < dates[0].right < end.right
    assert 0 < end.left - x < 10
    assert 0 < y < HEIGHT


def test_equal_values_stand_on_a_level_inside_the_frame() -> None:
    for value in (0.0, 0.001, 120, 1_000_000):
        heights = {y for _, y in Drawn(chart(line(value, value, value))).marks()}
        assert len(heights) == 1
        assert 24 < heights.pop() < HEIGHT - 26


def test_of_a_thousand_points_the_extremes_stay_and_the_text_is_small() -> None:
    values = [100 + (place * 37) % 41 for place in range(1_000)]
    values[500], values[700] = 30, 190
    points = tuple(Point(at(2020) + place * DAY, value) for place, value in enumerate(values))
    many = chart(Line("", points))
    drawn = Drawn(many)
    heights = [y for _, y in drawn.run()]
    marks = {box.text: box.bottom - TEXT * 0.2 - 4 for box in drawn.texts("tick")}
    assert min(heights) < marks["150"] < marks["100"] < marks["50"] < max(heights)
    assert len(drawn.marks()) == 1
    assert len(drawn.run()) < 1_000
    assert len(svg(many)) < 30_000
    assert MOST_MARKS < 1_000


@pytest.mark.parametrize(
    ("days_apart", "locale", "expected"),
    [
        (1, "en_HK", "2 Jan"),
        (1, "zh_Hant_HK", "1月2日"),
        (90, "en_HK", "Jul 2024"),
        (90, "zh_Hans_CN", "2024年7月"),
        (900, "en_HK", "2026"),
        (900, "zh_Hant_HK", "2026年"),
    ],
)
def test_dates_are_written_as_people_of_a_language_do(days_apart: int, locale: str, expected: str) -> None:
    points = tuple(Point(at(2024) + place * days_apart * DAY, 5.0 + place) for place in range(4))
    assert expected in Drawn(chart(Line("", points), locale=locale)).written("tick")


def test_numbers_have_their_separators() -> None:
    assert "1,500" in Drawn(chart(line(1_000, 1_500, 2_000))).written("tick")
    assert Drawn(chart(line(5.25, 6.125))).written("end") == ["6.125"]


def test_a_chart_without_a_unit_says_none() -> None:
    assert Drawn(chart(line(1, 2), unit="")).written("unit") == []


def test_who_cannot_see_is_told_what_it_is() -> None:
    root = Drawn(chart(line(120, 130), title="<血壓> & more")).root
    assert root.attrib["role"] == "img"
    ids = root.attrib["aria-labelledby"].split()
    told = [next(each.text for each in root.iter() if each.get("id") == id) for id in ids]
    assert told == ["<血壓> & more", "What it tells."]


def test_presentation_is_in_attributes_that_a_policy_lets_through() -> None:
    text = svg(chart(line(120, 150, below=140, name="a"), line(80, name="b")))
    assert "style" not in text
    assert "currentColor" in text


VALUES = st.lists(
    st.tuples(st.integers(0, 20_000), st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)),
    max_size=80,
)
LIMITS = st.none() | st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)


def _line(name: str, values: list[tuple[int, float]], low: float | None, below: float | None) -> Line:
    points = tuple(Point(at(1970) + day * DAY, value) for day, value in sorted(values))
    return Line(name, points, low, below)


@given(
    values=st.tuples(VALUES, VALUES),
    limits=st.tuples(LIMITS, LIMITS, LIMITS),
    locale=st.sampled_from(LOCALES),
    names=st.sampled_from([("收縮壓", "舒張壓"), ("Systolic", "Diastolic"), ("", "b")]),
)
@settings(max_examples=150, deadline=None)
def test_everything_is_within_the_frame_and_no_text_is_on_another(
    values: tuple[list[tuple[int, float]], list[tuple[int, float]]],
    limits: tuple[float | None, float | None, float | None],
    locale: str,
    names: tuple[str, str],
) -> None:
    one = _line(names[0], values[0], limits[0], limits[1])
    other = _line(names[1], values[1], None, limits[2])
    both = chart(one, other, locale=locale, unit="mmol/L")
    if not values[0] and not values[1]:
        assert svg(both) == ""
        return
    drawn = Drawn(both)
    for x, y in (*drawn.marks(0), *drawn.marks(1)):
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    for one_text, other_text in combinations([box for box in drawn.texts() if box.name != "limit"], 2):
        assert not one_text.meets(other_text), (one_text, other_text)
    for one_text, other_text in combinations(drawn.texts("limit"), 2):
        assert not one_text.meets(other_text), (one_text, other_text)
    for box in drawn.texts():
        assert box.left >= -1, box
        assert box.right <= WIDTH + 1, box
        assert box.top >= 0, box
        assert box.bottom <= HEIGHT, box
