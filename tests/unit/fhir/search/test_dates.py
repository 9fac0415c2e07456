"""Dates as spans of microseconds, worked out by hand."""

import pytest

from kintung.fhir.search.dates import span

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
NEW_YEAR_2013 = 15_706 * DAY  # 2013-01-01T00:00Z: 43 years of 365 days and 11 leap days


@pytest.mark.parametrize(
    ("text", "start", "length"),
    [
        ("2013", NEW_YEAR_2013, 365 * DAY),
        ("2013-01", NEW_YEAR_2013, 31 * DAY),
        ("2013-02", NEW_YEAR_2013 + 31 * DAY, 28 * DAY),
        ("2013-01-02", NEW_YEAR_2013 + DAY, DAY),
        ("2013-01-01T10:00", NEW_YEAR_2013 + 10 * HOUR, 60 * SECOND),
        ("2013-01-01T10:00:05", NEW_YEAR_2013 + 10 * HOUR + 5 * SECOND, SECOND),
        ("2013-01-01T10:00:05Z", NEW_YEAR_2013 + 10 * HOUR + 5 * SECOND, SECOND),
        ("2013-01-01T10:00:05+08:00", NEW_YEAR_2013 + 2 * HOUR + 5 * SECOND, SECOND),
        ("2013-01-01T10:00:05-05:30", NEW_YEAR_2013 + 15 * HOUR + 1_805 * SECOND, SECOND),
        ("2013-01-01T10:00:05.1Z", NEW_YEAR_2013 + 10 * HOUR + 5_100_000, 100_000),
        ("2013-01-01T10:00:05.123456Z", NEW_YEAR_2013 + 10 * HOUR + 5_123_456, 1),
        ("2013-01-01T10:00:05.123456789Z", NEW_YEAR_2013 + 10 * HOUR + 5_123_456, 1),
        ("2012-12-31T23:59:60Z", NEW_YEAR_2013, SECOND),
        ("1970-01-01", 0, DAY),
        ("1969-12-31", -DAY, DAY),
    ],
)
def test_a_date_is_the_span_its_precision_leaves_open(text: str, start: int, length: int):
    assert span(text, 0) == (start, start + length)


def test_a_day_without_zone_is_of_the_node():
    assert span("2013-01-01", 480) == (NEW_YEAR_2013 - 8 * HOUR, NEW_YEAR_2013 + 16 * HOUR)
    assert span("2013-01-01T08:00:00", 480)[0] == NEW_YEAR_2013
    assert span("2013-01-01T08:00:00Z", 480)[0] == NEW_YEAR_2013 + 8 * HOUR


def test_leap_years_follow_the_gregorian_rule():
    lengths = {year: span(year, 0)[1] - span(year, 0)[0] for year in ("1900", "2000", "2023", "2024")}

    assert lengths == {"1900": 365 * DAY, "2000": 366 * DAY, "2023": 365 * DAY, "2024": 366 * DAY}
    assert span("2024-02", 0)[1] - span("2024-02", 0)[0] == 29 * DAY


def test_the_last_day_of_the_calendar_has_an_end():
    start, end = span("9999-12-31", -720)

    assert end - start == DAY


@pytest.mark.parametrize(
    "text",
    [
        "", "13", "2013-1", "2013-13", "2013-02-30", "2013-01-01T", "2013-01-01T24:00:00Z", "0000",
        "2013-01-01T10:60:00Z", "2013-01-01T10:00:61Z", "2013-01-01T10:00:00+15:00", "2013-01-01Z",
        "2013-01-01T10:00:00+8", "٢٠١٣", "2013-01-01 ", "2013-01-01T10:00:00.Z", "20130101",
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str):
    with pytest.raises(ValueError):  # noqa: PT011 - the refusal carries no value from outside
        span(text, 480)
