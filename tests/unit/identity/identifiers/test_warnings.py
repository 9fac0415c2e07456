"""What is doubtful about the numbers of a resource is a warning with its place, and never an error."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.identity.identifiers import warnings

SID = "https://kintung.org/fhir/sid/"
TODAY = date(2026, 11, 22)


def patient(*identifiers: object, type: str = "Patient") -> dict[str, object]:
    return {"resourceType": type, "identifier": list(identifiers)}


def identifier(system: str | None, value: str) -> dict[str, str]:
    return {"value": value} if system is None else {"system": system, "value": value}


def test_right_numbers_are_passed_over():
    right = [identifier(f"{SID}hkid", "A123456(3)"), identifier(f"{SID}mainland-id", "11010519491231002X")]
    assert warnings(patient(*right, {"system": f"{SID}hkid"}), TODAY) == []


@pytest.mark.parametrize(
    ("doubtful", "element", "code", "says"),
    [
        (identifier(f"{SID}hkid", "A123456(4)"), "value", "value", "check digit"),
        (
            identifier(f"{SID}mainland-id", "11010519490229002X"),
            "value",
            "value",
            "check character",
        ),
        (identifier(f"{SID}macao-bir", "1"), "value", "value", "not the form"),
        (identifier("urn:oid:1.2.3", "7"), "system", "not-supported", "not known"),
        (identifier(None, "7"), "system", "not-supported", "not known"),
    ],
)
@pytest.mark.parametrize("type", ["Patient", "Person", "RelatedPerson"])
def test_each_doubt_has_its_place(doubtful, element, code, says, type):
    found = warnings(patient(identifier(f"{SID}hkid", "A1234563"), doubtful, type=type), TODAY)
    assert [(issue.severity, issue.code, issue.path) for issue in found] == [
        ("warning", code, f"{type}.identifier[1].{element}")
    ]
    assert says in found[0].message
    assert len(doubtful["value"]) < 2 or doubtful["value"] not in found[0].message


def test_numbers_of_things_are_not_looked_at():
    assert warnings(patient(identifier(f"{SID}hkid", "x"), type="Observation"), TODAY) == []


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
near = st.fixed_dictionaries(
    {},
    optional={"system": st.sampled_from([f"{SID}hkid", f"{SID}mainland-id"]) | anything, "value": anything},
)


@given(
    listed=anything | st.lists(near | anything, max_size=4),
    type=st.sampled_from(["Patient", "Person"]) | anything,
)
def test_any_shape_is_taken(listed, type):
    """$validate gives what is not structurally valid too."""
    for issue in warnings({"resourceType": type, "identifier": listed}, TODAY):
        assert issue.severity == "warning"
        assert issue.path is not None
