"""Measurements: sourced, in three languages, and values of other units become the one shown."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kintung.definitions.measurements import Measurement, load_measurements, measured, measurements
from kintung.errors import ValueInvalid

BY_ID = {each.id: each for each in measurements()}


def test_what_primary_care_follows_is_there() -> None:
    assert set(BY_ID) >= {"blood_pressure", "hba1c", "fasting_glucose", "glucose", "egfr", "ldl", "weight"}
    assert next(iter(BY_ID)) == "blood_pressure"


def test_each_says_its_source_and_its_name_in_three_languages() -> None:
    for each in measurements():
        for words in (each.label, *(line.label for line in each.lines)):
            assert all((words.en, words.zh_hk, words.zh_cn))
        sources = [each.source, *(unit.source for unit in each.units)]
        sources += [within.source for line in each.lines for within in line.ranges]
        assert all(sources)


def test_a_range_without_a_source_says_so() -> None:
    for each in measurements():
        for line in each.lines:
            for within in line.ranges:
                assert within.source.startswith("Assumed") == within.assumed, line.id


def test_blood_pressure_is_two_lines_with_the_threshold_of_the_reference_framework() -> None:
    systolic, diastolic = BY_ID["blood_pressure"].lines
    assert [line.range_on(date(2026, 1, 1)) is not None for line in (systolic, diastolic)] == [True, True]
    assert [line.ranges[-1].below for line in (systolic, diastolic)] == ["140", "90"]
    assert systolic.range_on(date(2018, 11, 30)) is None
    assert measured()["8462-4"].line is diastolic


@pytest.mark.parametrize(
    ("id", "value", "unit", "expected"),
    [
        ("glucose", "100", "mg/dL", "5.6"),
        ("fasting_glucose", "126", "mg/dL", "7.0"),
        ("ldl", "130", "mg/dL", "3.4"),
        ("cholesterol", "200", "mg/dL", "5.2"),
        ("triglycerides", "150", "mg/dL", "1.7"),
        ("hba1c", "48", "mmol/mol", "6.5"),
        ("hba1c", "6.50", "%", "6.50"),
        ("weight", "150", "[lb_av]", "68.0"),
        ("weight", "3250", "g", "3.3"),
        ("blood_pressure", "16", "kPa", "120"),
        ("blood_pressure", "120", "mmHg", "120"),
        ("egfr", "88", "mL/min", "88"),
    ],
)
def test_values_are_shown_in_one_unit(id: str, value: str, unit: str, expected: str) -> None:
    assert str(BY_ID[id].converted(Decimal(value), unit)) == expected


@pytest.mark.parametrize("unit", ["", "mg", "MMOL/L", "stone"])
def test_nothing_is_guessed_of_a_unit(unit: str) -> None:
    assert BY_ID["glucose"].converted(Decimal(5), unit) is None


@pytest.mark.parametrize(
    "value", ["1E+300", "-1E+399", "1E-399", "0", "12345678901234567890123456789012345.5"]
)
def test_no_number_of_an_accepted_text_is_too_much(value: str) -> None:
    found = BY_ID["glucose"].converted(Decimal(value), "mg/dL")
    assert found is None or abs(found) <= abs(Decimal(value))


@dataclass
class File:
    measurements: tuple[Measurement, ...]


def measurement(**changes: Any) -> Measurement:
    words = {"en": "a", "zh-HK": "b", "zh-CN": "c"}
    whole = {
        "id": "x", "label": words, "start": "2020-01-01", "source": "s", "unit": "kg", "shown": "kg",
        "decimals": 1, "units": [{"code": "kg", "source": "s"}],
        "lines": [{"id": "x", "label": words, "codes": ["1-8"], "ranges": []}],
    } | changes  # fmt: skip
    return msgspec.convert(whole, Measurement)


def ranged(*ranges: dict[str, Any]) -> Measurement:
    words = {"en": "a", "zh-HK": "b", "zh-CN": "c"}
    return measurement(lines=[{"id": "x", "label": words, "codes": ["1-8"], "ranges": list(ranges)}])


def within(start: str, **bounds: str) -> dict[str, Any]:
    return {"start": start, "assumed": False, "source": "s", **bounds}


@pytest.mark.parametrize(
    "wrong",
    [
        (measurement(), measurement(id="y")),
        (measurement(), measurement()),
        (measurement(unit="g"),),
        (measurement(units=[{"code": "kg", "source": "s", "factor": "2"}]),),
        (measurement(units=[{"code": "kg", "source": "s", "factor": "many"}]),),
        (measurement(units=[{"code": "kg", "source": "s"}, {"code": "g", "source": "s", "factor": "0"}]),),
        (measurement(units=[{"code": "kg", "source": "s"}, {"code": "g", "source": "s", "factor": "NaN"}]),),
        (measurement(lines=[]),),
        (ranged(within("2020-01-01")),),
        (ranged(within("2020-01-01", low="5", below="5")),),
        (ranged(within("2020-01-01", low="five")),),
        (ranged(within("2021-01-01", low="1"), within("2020-01-01", low="2")),),
        (ranged(within("2021-01-01", low="1"), within("2021-01-01", low="2")),),
    ],
)
def test_a_definition_that_contradicts_itself_is_refused(wrong: tuple[Measurement, ...]) -> None:
    load_measurements([])
    with pytest.raises(ValueInvalid):
        load_measurements([File(wrong)])  # pyright: ignore[reportArgumentType] - only what is in it counts


def test_a_member_that_is_not_known_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        measurement(note="n")
