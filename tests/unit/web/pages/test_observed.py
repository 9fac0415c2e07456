"""Whether a value is high or low: as it says itself, by the range it brings, by ours of its day."""

from decimal import Decimal
from typing import Any

import pytest

from kintung.web.pages.language import Language
from kintung.web.pages.record.observed import INTERPRETATION, RANGE_MEANING, components, said

ZONE = 8 * 60
SODIUM, SYSTOLIC = "2951-2", "8480-6"


def amount(value: str, unit: str) -> dict[str, Any]:
    return {"value": Decimal(value), "code": unit}


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def within(low: str = "", high: str = "", unit: str = "mmol/L", **more: Any) -> dict[str, Any]:
    bounds = {"low": amount(low, unit) if low else None, "high": amount(high, unit) if high else None}
    return {name: bound for name, bound in bounds.items() if bound} | more


def interpreted(code: str, system: str = INTERPRETATION) -> dict[str, Any]:
    return {"interpretation": [coded(system, code)]}


def meant(code: str) -> dict[str, Any]:
    return {"type": coded(RANGE_MEANING, code)}


def observation(code: str, value: str, unit: str, **more: Any) -> dict[str, Any]:
    coding = coded("http://loinc.org", code)
    return {
        "resourceType": "Observation", "effectiveDateTime": "2022-02-01", "code": coding,
        "valueQuantity": amount(value, unit), **more,
    }  # fmt: skip


def pressure(value: str, unit: str = "mm[Hg]", *ranges: dict[str, Any], **more: Any) -> dict[str, Any]:
    return observation(SYSTOLIC, value, unit, **({"referenceRange": list(ranges)} if ranges else {}), **more)


def sodium(*ranges: dict[str, Any], **more: Any) -> dict[str, Any]:
    """150 mmol/L, which has no chart."""
    return observation(
        SODIUM, "150", "mmol/L", **({"referenceRange": list(ranges)} if ranges else {}), **more
    )


OF_WOMEN: dict[str, Any] = {"appliesTo": [{"text": "Women"}]}


@pytest.mark.parametrize(
    ("resource", "verdict"),
    [
        # Ours of its day: systolic pressure below 140 mmHg since December 2018.
        (pressure("139.9"), ""),
        (pressure("140"), "high"),
        (pressure("20", "kPa"), "high"),
        (pressure("150", effectiveDateTime="2018-11-30"), None),
        (pressure("150", "spoons"), None),
        # Its own range before ours, its bounds within it.
        (pressure("150", "mm[Hg]", within(high="150", unit="mm[Hg]")), ""),
        (pressure("89", "mm[Hg]", within(low="90", unit="mm[Hg]")), "low"),
        # What it says itself before both.
        (pressure("150", **interpreted("N")), ""),
        (pressure("120", **interpreted("HH")), "high"),
        (pressure("120", "spoons", **interpreted("L")), "low"),
        (pressure("150", **interpreted("A")), "high"),
        (pressure("120", **interpreted("H", "http://clinic.example")), ""),
        (pressure("120", **interpreted("<")), ""),
        # What has no chart: by its own range alone, in its own unit.
        (sodium(within("135", "145")), "high"),
        (sodium(within("135", "150")), ""),
        (sodium(within("135", "145", "mg/dL")), None),
        (sodium(), None),
        (sodium(**interpreted("LU")), "low"),
        # Of several ranges that which is usual, and is for all before it is for some.
        (sodium(within("140", "160", **meant("treatment"))), None),
        (sodium(within("140", "160", **meant("pre")), within("135", "145", **meant("normal"))), "high"),
        (sodium(within("140", "160", **OF_WOMEN), within("135", "145")), "high"),
        (sodium(within("140", "160", **OF_WOMEN)), ""),
        ({"resourceType": "Observation", "valueString": "cloudy", **interpreted("H")}, "high"),
    ],
)
def test_it_is_judged_by_whoever_measured_before_us(resource: dict[str, Any], verdict: str | None) -> None:
    (found,) = said(resource, Language.ENGLISH, ZONE)
    assert found.verdict == verdict


def test_a_value_with_a_comparator_is_judged_by_nobody_but_its_laboratory() -> None:
    above = pressure("300")
    above["valueQuantity"]["comparator"] = ">"
    assert [each.verdict for each in said(above, Language.ENGLISH, ZONE)] == [None]
    assert [each.verdict for each in said(above | interpreted("H"), Language.ENGLISH, ZONE)] == ["high"]


def test_each_component_is_judged_for_itself() -> None:
    parts = [
        {"code": coded("http://loinc.org", SYSTOLIC), "valueQuantity": amount("150", "mm[Hg]")},
        {"code": coded("http://loinc.org", "8462-4"), "valueQuantity": amount("80", "mm[Hg]")},
        {"code": {"text": "Cuff"}, "dataAbsentReason": {"text": "not noted"}},
        {"code": {"text": "Arm"}},
    ]
    panel = {"resourceType": "Observation", "effectiveDateTime": "2022-02-01", "component": parts}
    found = components(panel, Language.ENGLISH, ZONE)
    assert [(each.name, each.words, each.verdict) for each in found] == [
        ("Systolic", "150\u00a0mmHg", "high"),
        ("Diastolic", "80\u00a0mmHg", ""),
        ("Cuff", "not noted", None),
        ("Arm", "", None),
    ]
    assert said(panel, Language.ENGLISH, ZONE) == found[:3]


def test_why_there_is_no_value_is_said_where_nothing_else_is() -> None:
    nothing = {"resourceType": "Observation", "dataAbsentReason": {"text": "not done"}}
    assert [each.words for each in said(nothing, Language.ENGLISH, ZONE)] == ["not done"]
    assert said({"resourceType": "Observation"}, Language.ENGLISH, ZONE) == ()
