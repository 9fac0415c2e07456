"""Tuples of values that stand together."""

from decimal import Decimal
from typing import Any

from kintung.fhir.search import parameters, resource_types
from kintung.fhir.search.catalogue import type_catalogue
from kintung.fhir.search.composites import extract_composites

BLOOD_PRESSURE: dict[str, Any] = {
    "resourceType": "Observation",
    "code": {"coding": [{"code": "bp"}]},
    "component": [
        {"code": {"coding": [{"code": "sys"}]}, "valueQuantity": {"value": 120}},
        {"code": {"coding": [{"code": "dia"}]}, "valueQuantity": {"value": 80}},
        {"code": {"coding": [{"code": "none"}]}},
    ],
}


def point(value: int) -> tuple[None, None, Decimal, Decimal]:
    return (None, None, Decimal(value), Decimal(value))


def test_a_code_goes_with_the_value_of_its_own_component():
    tuples = extract_composites(BLOOD_PRESSURE)["component-code-value-quantity"]

    assert tuples == [((None, "sys"), point(120)), ((None, "dia"), point(80))]


def test_a_combination_also_reads_the_observation_itself():
    weighed = {**BLOOD_PRESSURE, "valueQuantity": {"value": 7}}

    assert ((None, "bp"), point(7)) in extract_composites(weighed)["combo-code-value-quantity"]
    assert len(extract_composites(weighed)["combo-code-value-quantity"]) == 3
    assert extract_composites(weighed)["code-value-quantity"] == [((None, "bp"), point(7))]


def test_a_component_may_be_read_from_the_resource():
    sequence = {
        "resourceType": "MolecularSequence",
        "referenceSeq": {"chromosome": {"coding": [{"code": "7"}]}, "windowStart": 1, "windowEnd": 9},
        "variant": [{"start": 3, "end": 4}],
    }
    found = extract_composites(sequence)

    assert found["chromosome-variant-coordinate"] == [((None, "7"), point(3), point(4))]
    assert found["chromosome-window-coordinate"] == [((None, "7"), point(1), point(9))]


def test_the_relation_of_documents_is_read_in_spite_of_the_misprint():
    document = {
        "resourceType": "DocumentReference",
        "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/1"}}],
    }

    assert extract_composites(document)["relationship"] == [(("DocumentReference", "1"), (None, "replaces"))]


def test_every_composite_has_its_extractor():
    for type in resource_types():
        composites = {code for code, found in parameters(type).items() if found.kind == "composite"}
        assert type_catalogue(type).composites.keys() == composites
        assert extract_composites({"resourceType": type}).keys() == composites
