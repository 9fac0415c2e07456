"""Values that stand together: their rows, and what a composite asks of them."""

from decimal import Decimal
from typing import Any

import pytest

from kintung.errors import KintungError, NotSupported, TooCostly, ValueInvalid
from kintung.fhir.search import (
    AllOf,
    AnyOf,
    Composite,
    CompositeValue,
    Criterion,
    OfType,
    ReferenceValue,
    Target,
    TokenValue,
    extract,
    parameters,
    parse_query,
    resource_types,
)
from kintung.fhir.search.catalogue import type_catalogue
from kintung.identity.identifiers import VAULTED
from kintung.store.matching import indexed, meets_one
from tests import scale

BLOOD_PRESSURE: dict[str, Any] = {
    "resourceType": "Observation",
    "code": {"coding": [{"system": "s", "code": "bp"}]},
    "component": [
        {"code": {"coding": [{"code": "sys"}]}, "valueQuantity": {"value": 120, "unit": "mmHg"}},
        {"code": {"coding": [{"code": "dia"}]}, "valueQuantity": {"value": 80, "unit": "mmHg"}},
        {"code": {"coding": [{"code": "arm"}]}, "valueCodeableConcept": {"coding": [{"code": "left"}]}},
        {"code": {"coding": [{"code": "none"}]}},
    ],
}
SEQUENCE: dict[str, Any] = {
    "resourceType": "MolecularSequence",
    "referenceSeq": {"chromosome": {"coding": [{"code": "7"}]}, "windowStart": 1, "windowEnd": 9},
    "variant": [{"start": 3, "end": 4}, {"start": 5, "end": 8}, {"start": 6}],
}
DOCUMENT: dict[str, Any] = {
    "resourceType": "DocumentReference",
    "relatesTo": [
        {"code": "replaces", "target": {"reference": "DocumentReference/1"}},
        {"code": "appends", "target": {"reference": "DocumentReference/2"}},
    ],
}
GROUP: dict[str, Any] = {
    "resourceType": "Group",
    "characteristic": [
        {"code": {"coding": [{"code": "smoker"}]}, "valueBoolean": True},
        {"code": {"coding": [{"code": "sex"}]}, "valueCodeableConcept": {"coding": [{"code": "f"}]}},
    ],
}
LIBRARY: dict[str, Any] = {
    "resourceType": "Library",
    "useContext": [
        {"code": {"code": "age"}, "valueRange": {"low": {"value": 18}, "high": {"value": 65}}},
        {"code": {"code": "dose"}, "valueQuantity": {"value": 5, "system": "u", "code": "mg"}},
        {"code": {"code": "focus"}, "valueCodeableConcept": {"coding": [{"system": "s", "code": "copd"}]}},
    ],
}
WEIGHT: dict[str, Any] = {
    "resourceType": "Observation",
    "code": {"coding": [{"code": "weight"}, {"system": "s", "code": "w"}]},
    "valueQuantity": {"value": Decimal("71.5"), "unit": "kg", "code": "kg", "system": "u"},
    "component": [{"code": {"coding": [{"code": "scale"}]}, "valueQuantity": {"value": 2}}],
}
PERSON: dict[str, Any] = {
    "resourceType": "Patient",
    "identifier": [
        {"type": {"coding": [{"system": "v2", "code": "MR"}]}, "system": "hospital", "value": "12|3"},
        {"type": {"coding": [{"system": "v2", "code": "DL"}, {"code": "DL"}]}, "value": "9"},
        {"system": "other", "value": "77"},
        {"type": {"text": "MR"}, "value": "78"},
        {"type": {"coding": [{"system": "v2", "code": "SS"}]}, "system": "empty"},
    ],
}


def composites(resource: dict[str, Any]) -> list[Composite]:
    return extract(resource).composites


def meets(resource: dict[str, Any], name: str, value: str) -> bool:
    type: str = resource["resourceType"]
    query = parse_query(type, [(name, value)], now_micros=0)
    found = indexed(type, "1", 0, extract(resource), VAULTED)
    return all(meets_one(condition, found) for condition in query.criteria)


# -- rows -------------------------------------------------------------------------------------


def test_a_value_stands_with_the_code_of_its_own_component() -> None:
    codes = {row[1][1]: row[2][-1] for row in composites(BLOOD_PRESSURE)}

    assert codes == {"sys": Decimal(120), "dia": Decimal(80), "arm": "left"}


def test_what_is_together_in_the_resource_itself_has_no_rows() -> None:
    assert composites({**WEIGHT, "component": []}) == []
    assert len(composites(WEIGHT)) == 1


def test_a_row_holds_a_target_where_a_reference_stands() -> None:
    assert [row[1:] for row in composites(DOCUMENT)] == [
        (Target("DocumentReference", "1"), (None, "replaces")),
        (Target("DocumentReference", "2"), (None, "appends")),
    ]


def test_an_identifier_stands_under_each_full_coding_of_its_type() -> None:
    assert [row[1:] for row in composites(PERSON)] == [
        (("v2", "MR"), OfType("hospital", "12|3")),
        (("v2", "DL"), OfType(None, "9")),
    ]


def test_every_composite_has_somewhere_to_look() -> None:
    for type in resource_types():
        known = {code for code, found in parameters(type).items() if found.kind == "composite"}
        catalogue = type_catalogue(type)
        numbers = {atom.number for atom in catalogue.atoms} | {pair.number for pair in catalogue.pairs}
        assert catalogue.composites.keys() == known
        for composite in catalogue.composites.values():
            for focus in composite.foci:
                assert sorted(place for joint in focus for place in joint.places) == list(
                    range(len(composite.components))
                )
                assert all(joint.atoms and numbers.issuperset(joint.atoms) for joint in focus)


def test_a_number_is_given_to_one_atom_only() -> None:
    given = [
        number.number
        for type in resource_types()
        for number in (*type_catalogue(type).atoms, *type_catalogue(type).pairs)
    ]

    assert len(given) == len(set(given))


# -- what is asked ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "name", "value", "expected"),
    [
        (BLOOD_PRESSURE, "component-code-value-quantity", "sys$120", True),
        (BLOOD_PRESSURE, "component-code-value-quantity", "sys$80", False),
        (BLOOD_PRESSURE, "component-code-value-quantity", "sys$gt100", True),
        (BLOOD_PRESSURE, "component-code-value-quantity", "dia$gt100", False),
        (BLOOD_PRESSURE, "component-code-value-quantity", "dia$gt100,sys$gt100", True),
        (BLOOD_PRESSURE, "component-code-value-quantity", "sys$120||mmHg", True),
        (BLOOD_PRESSURE, "component-code-value-quantity", "sys$120||kPa", False),
        (BLOOD_PRESSURE, "component-code-value-quantity", "bp$120", False),
        (BLOOD_PRESSURE, "component-code-value-concept", "arm$left", True),
        (BLOOD_PRESSURE, "component-code-value-concept", "sys$left", False),
        (BLOOD_PRESSURE, "code-value-quantity", "bp$120", False),
        (WEIGHT, "code-value-quantity", "s|w$71.5|u|kg", True),
        (WEIGHT, "code-value-quantity", "scale$71.5", False),
        (WEIGHT, "combo-code-value-quantity", "scale$2", True),
        (WEIGHT, "combo-code-value-quantity", "weight$71.5", True),
        (WEIGHT, "combo-code-value-quantity", "weight$2", False),
        (WEIGHT, "combo-code-value-quantity", "scale$71.5,weight$2", False),
        (WEIGHT, "combo-code-value-quantity", "weight$1,weight$lt80,x$5", True),
        (WEIGHT, "code-value-quantity:missing", "false", True),
        (WEIGHT, "code-value-concept:missing", "false", False),
        (WEIGHT, "code-value-concept:missing", "true", True),
        (WEIGHT, "combo-code-value-quantity:missing", "true", False),
        (BLOOD_PRESSURE, "code-value-quantity:missing", "true", True),
        (BLOOD_PRESSURE, "combo-code-value-quantity:missing", "true", False),
        (SEQUENCE, "chromosome-variant-coordinate", "7$3$4", True),
        (SEQUENCE, "chromosome-variant-coordinate", "7$3$8", False),
        (SEQUENCE, "chromosome-variant-coordinate", "7$ge5$lt9", True),
        (SEQUENCE, "chromosome-variant-coordinate", "8$3$4", False),
        (SEQUENCE, "chromosome-variant-coordinate", "7$6$ge0", False),
        (SEQUENCE, "chromosome-window-coordinate", "7$1$9", True),
        (SEQUENCE, "chromosome-window-coordinate", "7$2$9", False),
        (DOCUMENT, "relationship", "DocumentReference/1$replaces", True),
        (DOCUMENT, "relationship", "1$replaces", True),
        (DOCUMENT, "relationship", "1$appends", False),
        (GROUP, "characteristic-value", "smoker$true", True),
        (GROUP, "characteristic-value", "smoker$f", False),
        (GROUP, "characteristic-value", "sex$f", True),
        (LIBRARY, "context-type-quantity", "age$ge60", True),
        (LIBRARY, "context-type-quantity", "dose$5|u|mg", True),
        (LIBRARY, "context-type-quantity", "age$5|u|mg", False),
        (LIBRARY, "context-type-value", "focus$s|copd", True),
        (LIBRARY, "context-type-value", "dose$s|copd", False),
        (PERSON, "identifier:of-type", r"v2|MR|12\|3", True),
        (PERSON, "identifier:of-type", "v2|MR|9", False),
        (PERSON, "identifier:of-type", "v2|DL|9", True),
        (PERSON, "identifier:of-type", "v2|SS|empty", False),
        (PERSON, "identifier:of-type", r"v2|MR|78,v2|DL|9", True),
    ],
)
def test_a_composite_holds(resource: dict[str, Any], name: str, value: str, *, expected: bool) -> None:
    assert meets(resource, name, value) is expected


def test_a_dollar_in_a_part_is_escaped() -> None:
    priced = {**WEIGHT, "code": {"coding": [{"code": "US$"}]}}

    assert meets(priced, "code-value-quantity", r"US\$$71.5")
    with pytest.raises(ValueInvalid, match="2 parts"):
        meets(priced, "code-value-quantity", "US$$71.5")


@pytest.mark.parametrize(
    ("type", "name", "value"),
    [
        ("Observation", "code-value-quantity", "a"),
        ("Observation", "code-value-quantity", "a$"),
        ("Observation", "code-value-quantity", "$5"),
        ("Observation", "code-value-quantity", "a$5$6"),
        ("Observation", "code-value-quantity", "a$b"),
        ("Observation", "code-value-quantity", "|$5"),
        ("Observation", "code-value-date", "a$2013-13"),
        ("Observation", "code-value-string", "a$\u0301"),
        ("Observation", "code-value-quantity:missing", "perhaps"),
        ("DocumentReference", "relationship", "Patient Zero$replaces"),
        ("Patient", "identifier:of-type", "a|b"),
        ("Patient", "identifier:of-type", "|b|c"),
        ("Patient", "identifier:of-type", "a|b|"),
        ("Patient", "identifier:of-type", "a|b|c|d"),
    ],
)
def test_what_cannot_be_read_is_refused_under_its_name(type: str, name: str, value: str) -> None:
    with pytest.raises(ValueInvalid) as refusal:
        parse_query(type, [(name, value)], now_micros=0)
    assert refusal.value.path == name
    assert name in str(refusal.value)


@pytest.mark.parametrize(
    ("type", "name"),
    [
        ("Observation", "code-value-quantity:not"),
        ("Observation", "code-value-quantity:exact"),
        ("Patient", "gender:of-type"),
        ("Patient", "name:of-type"),
    ],
)
def test_other_modifiers_are_refused(type: str, name: str) -> None:
    with pytest.raises(NotSupported):
        parse_query(type, [(name, "a$1")], now_micros=0)


def test_a_composite_is_no_sort_key() -> None:
    with pytest.raises(NotSupported, match="no order"):
        parse_query("Observation", [("_sort", "code-value-quantity")], now_micros=0)


def test_what_stands_in_the_resource_is_asked_of_each_row_by_itself() -> None:
    query = parse_query("Observation", [("code-value-quantity", "a$5")], now_micros=0)

    assert [type(condition) for condition in query.criteria] == [Criterion, Criterion]


def test_values_of_one_code_are_alternatives_of_its_value() -> None:
    query = parse_query("Observation", [("combo-code-value-quantity", "a$5,a$6,a$7")], now_micros=0)

    (condition,) = query.criteria
    assert isinstance(condition, AnyOf)
    root, component = condition.conditions
    assert isinstance(root, AllOf)
    assert isinstance(component, Criterion)
    assert [len(one.values) for one in root.conditions if isinstance(one, Criterion)] == [1, 3]
    assert len(component.values) == 3


def test_a_reference_under_the_own_address_is_local_and_that_address() -> None:
    query = parse_query(
        "DocumentReference",
        [("relationship", "http://node/fhir/DocumentReference/1$replaces")],
        now_micros=0,
        base="http://node/fhir",
    )

    (criterion,) = query.criteria
    assert isinstance(criterion, Criterion)
    replaces = TokenValue(None, "replaces", any_system=True)
    assert criterion.values == (
        CompositeValue((ReferenceValue(("DocumentReference",), "1"), replaces)),
        CompositeValue((ReferenceValue(("",), "http://node/fhir/DocumentReference/1"), replaces)),
    )


def test_types_are_searched_together_by_what_they_share() -> None:
    pairs = [("_type", "Library,Measure"), ("context-type-value", "focus$copd")]

    (criterion,) = parse_query(None, pairs, now_micros=0).criteria

    assert isinstance(criterion, Criterion)
    assert len(criterion.parameter.branches) == 2


def test_what_is_asked_of_each_row_by_itself_costs_more() -> None:
    """Each alternative of values in the resource itself is two probes, planned one by one."""
    many = ",".join(f"c{n}${n}" for n in range(200))

    parse_query("Observation", [("component-code-value-quantity", many)], now_micros=0)
    with pytest.raises(TooCostly):
        parse_query("Observation", [("code-value-quantity", many)], now_micros=0)


def test_whatever_is_sent_is_read_or_refused() -> None:
    rng = scale.seeded("composite values")
    names = [
        ("Observation", "combo-code-value-quantity"),
        ("Observation", "code-value-date"),
        ("Observation", "code-value-string"),
        ("MolecularSequence", "chromosome-variant-coordinate"),
        ("DocumentReference", "relationship"),
        ("Patient", "identifier:of-type"),
    ]
    pieces = (
        "$",
        "$",
        "|",
        ",",
        "\\",
        "a",
        "1",
        "-1",
        "1e400",
        "gt",
        "2013",
        "é",
        " ",
        "DocumentReference/",
        "",
    )
    refused: list[tuple[str, str | None]] = []
    for _ in range(scale.counts(3_000, 100_000)):
        type, name = rng.choice(names)
        value = "".join(rng.choices(pieces, k=rng.randint(1, 9)))
        try:
            parse_query(type, [(name, value)], now_micros=0)
        except KintungError as refusal:
            refused.append((name, refusal.path))
    assert refused
    assert [pair for pair in refused if pair[0] != pair[1]] == []
