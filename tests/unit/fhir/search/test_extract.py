"""Index rows of small resources, checked by eye: one test a type of the search tables."""

from decimal import Decimal
from typing import Any

import pytest

from kintung.errors import BadInput, ValueInvalid
from kintung.fhir.search import extract
from kintung.fhir.search.dates import MAX_MICROS, MIN_MICROS, span
from kintung.fhir.search.match import rows_of
from kintung.fhir.search.parameters import parameter

UCUM = "http://unitsofmeasure.org"


def found(resource: dict[str, Any], code: str) -> list[tuple[Any, ...]]:
    """Return the rows of one parameter without their atoms, sorted."""
    rows = rows_of(parameter(resource["resourceType"], code), extract(resource), id="", updated=0)
    return sorted((row[1:] for row in rows), key=repr)


def observation(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", **elements}


def patient(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **elements}


def test_tokens_of_codeable_concepts_are_their_codings():
    code = {
        "coding": [{"system": "http://loinc.org", "code": "8480-6"}, {"code": "sys"}, {"display": "no code"}],
        "text": "not a token",
    }

    assert found(observation(code=code), "code") == [("http://loinc.org", "8480-6"), (None, "sys")]


def test_a_coding_with_a_system_alone_is_found_by_that_system():
    assert found(observation(code={"coding": [{"system": "s"}]}), "code") == [("s", None)]


def test_tokens_of_codes_booleans_and_identifiers():
    resource = patient(
        gender="female",
        active=False,
        identifier=[{"system": "urn:hkid", "value": "A1"}, {"value": "B2"}, {"type": {"text": "none"}}],
    )

    assert found(resource, "gender") == [(None, "female")]
    assert found(resource, "active") == [(None, "false")]
    assert found(resource, "identifier") == [("urn:hkid", "A1"), (None, "B2")]


def test_tokens_of_contact_points_carry_the_kind_of_contact():
    resource = patient(
        telecom=[
            {"system": "phone", "value": "5551234"},
            {"system": "email", "value": "a@b.hk"},
            {"system": "fax", "value": "1"},
            {"value": "2"},
        ]
    )

    assert found(resource, "phone") == [("phone", "5551234")]
    assert found(resource, "email") == [("email", "a@b.hk")]
    assert found(resource, "telecom") == [
        ("email", "a@b.hk"),
        ("fax", "1"),
        ("phone", "5551234"),
        (None, "2"),
    ]


@pytest.mark.parametrize(
    ("elements", "deceased"),
    [
        ({}, "false"),
        ({"deceasedBoolean": False}, "false"),
        ({"deceasedBoolean": True}, "true"),
        ({"deceasedDateTime": "2020"}, "true"),
    ],
)
def test_every_patient_is_deceased_or_not(elements: dict[str, Any], deceased: str):
    assert found(patient(**elements), "deceased") == [(None, deceased)]


def test_meta_is_found_by_the_common_parameters():
    resource = patient(
        meta={
            "tag": [{"system": "t", "code": "1"}],
            "security": [{"code": "R"}],
            "source": "urn:here",
            "profile": ["http://p|2", "http://q"],
        }
    )

    assert found(resource, "_tag") == [("t", "1")]
    assert found(resource, "_security") == [(None, "R")]
    assert found(resource, "_source") == [(None, "urn:here")]
    assert found(resource, "_profile") == [(None, "http://p"), (None, "http://p|2"), (None, "http://q")]


@pytest.mark.parametrize(
    ("reference", "rows"),
    [
        ("Patient/1", [("Patient", "1")]),
        ("Patient/1/_history/2", [("Patient", "1")]),
        ("http://other.org/fhir/Patient/1", [("", "http://other.org/fhir/Patient/1")]),
        ("urn:uuid:0b", [("", "urn:uuid:0b")]),
        ("#contained", []),
        ("Nothing/1", [("", "Nothing/1")]),
        (None, []),
    ],
)
def test_references(reference: str | None, rows: list[tuple[str, str]]):
    subject = {"identifier": {"value": "x"}} if reference is None else {"reference": reference}

    assert found(observation(subject=subject), "subject") == rows


@pytest.mark.parametrize("more", [{}, {"reference": "Patient/1"}, {"type": "Group"}])
def test_the_identifier_in_a_reference_is_a_token(more: dict[str, str]):
    named = {"identifier": {"system": "urn:x", "value": "1"}}
    resource = observation(subject=named | more, performer=[{"identifier": {"system": "urn:y"}}, named])

    assert identifiers(resource, "subject") == [("urn:x", "1")]
    assert identifiers(resource, "patient") == [("urn:x", "1")]
    assert identifiers(resource, "performer") == [("urn:x", "1"), ("urn:y", None)]
    assert found(resource, "identifier") == []


def identifiers(resource: dict[str, Any], code: str) -> list[tuple[Any, ...]]:
    """What a reference parameter finds by ``:identifier``."""
    asked = parameter(resource["resourceType"], code).of_identifiers()
    return sorted((row[1:] for row in rows_of(asked, extract(resource), id="", updated=0)), key=repr)


def test_patient_finds_subjects_that_are_patients():
    assert found(observation(subject={"reference": "Group/1"}), "patient") == []
    assert found(observation(subject={"reference": "Patient/1"}), "patient") == [("Patient", "1")]


def test_canonicals_are_found_with_and_without_version():
    resource = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://q|1.0"}

    assert found(resource, "questionnaire") == [("", "http://q"), ("", "http://q|1.0")]


def test_a_document_is_found_by_its_composition_and_not_by_what_follows():
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"resource": {"resourceType": "Composition", "id": "c"}},
            {"resource": {"resourceType": "Composition", "id": "d"}},
        ],
    }

    assert found(bundle, "composition") == [("Composition", "c")]
    assert found(bundle, "message") == [("Composition", "c")]


def test_dates_of_all_types():
    start, end = span("2013-01", 480), span("2013-03-05", 480)

    assert found(observation(effectiveDateTime="2013-01"), "date") == [start]
    assert found(observation(effectiveInstant="2013-01-01T00:00:00Z"), "date") == [
        span("2013-01-01T00:00:00Z", 480)
    ]
    assert found(observation(effectivePeriod={"start": "2013-01", "end": "2013-03-05"}), "date") == [
        (start[0], end[1])
    ]
    assert found(observation(effectivePeriod={"start": "2013-01"}), "date") == [(start[0], MAX_MICROS)]
    assert found(observation(effectivePeriod={"end": "2013-03-05"}), "date") == [(MIN_MICROS, end[1])]
    assert found(observation(effectivePeriod={"extension": []}), "date") == []


def test_a_timing_is_found_by_its_outer_limits():
    events = {"event": ["2013-03-05", None, "2013-01"]}
    bounded = {"repeat": {"boundsPeriod": {"start": "2013-01"}, "frequency": 1}}

    assert found(observation(effectiveTiming=events), "date") == [
        (span("2013-01", 480)[0], span("2013-03-05", 480)[1])
    ]
    assert found(observation(effectiveTiming=bounded), "date") == [(span("2013-01", 480)[0], MAX_MICROS)]
    assert found(observation(effectiveTiming={"repeat": {"frequency": 1}}), "date") == []


def test_the_zone_of_the_node_is_used_where_none_is_given():
    resource = patient(birthDate="2013-01-01")

    assert extract(resource, offset_minutes=0).dates != extract(resource, offset_minutes=480).dates


def test_a_day_that_does_not_exist_is_refused():
    with pytest.raises(ValueInvalid) as refusal:
        extract(patient(birthDate="2013-02-30"))

    assert "2013" not in str(refusal.value)


def test_names_and_addresses_are_strings_by_their_parts():
    resource = patient(
        name=[{"text": "CHAN Tai Man", "family": "Chan", "given": ["Tai  Man", None], "prefix": ["Mr"]}],
        address=[{"line": ["1 Queen's Road"], "district": "Wan Chai", "city": "香港", "use": "home"}],
    )

    assert found(resource, "family") == [("chan", "Chan")]
    assert found(resource, "given") == [("tai man", "Tai  Man")]
    assert found(resource, "name") == [
        ("chan tai man", "CHAN Tai Man"),
        ("chan", "Chan"),
        ("mr", "Mr"),
        ("tai man", "Tai  Man"),
    ]
    assert found(resource, "address-city") == [("香港", "香港")]
    assert found(resource, "address") == [
        ("1 queen's road", "1 Queen's Road"),
        ("wan chai", "Wan Chai"),
        ("香港", "香港"),
    ]


def test_a_string_may_be_the_text_of_a_concept():
    assert found(observation(valueCodeableConcept={"text": "Ja"}), "value-string") == [("ja", "Ja")]
    assert found(observation(valueString="Nein"), "value-string") == [("nein", "Nein")]


def test_quantities_are_found_by_code_and_by_a_unit_that_differs():
    coded = {"value": Decimal("5.40"), "unit": "mg", "system": UCUM, "code": "mg"}
    spelled = {**coded, "unit": "milligram"}
    bare = {"value": 5}
    point = (Decimal("5.40"), Decimal("5.40"))

    assert found(observation(valueQuantity=coded), "value-quantity") == [(UCUM, "mg", *point)]
    assert found(observation(valueQuantity=spelled), "value-quantity") == [
        (UCUM, "mg", *point),
        (None, "milligram", *point),
    ]
    assert found(observation(valueQuantity=bare), "value-quantity") == [(None, None, Decimal(5), Decimal(5))]
    assert found(observation(valueQuantity={"unit": "mg"}), "value-quantity") == []


@pytest.mark.parametrize(
    ("comparator", "bounds"),
    [("<", (None, 5)), ("<=", (None, 5)), (">", (5, None)), (">=", (5, None))],
)
def test_a_comparator_leaves_one_side_open(comparator: str, bounds: tuple[int | None, int | None]):
    quantity = {"value": 5, "comparator": comparator}

    assert found(observation(valueQuantity=quantity), "value-quantity") == [(None, None, *bounds)]


def test_ranges_money_and_plain_numbers():
    condition = {"resourceType": "Condition", "onsetRange": {"low": {"value": 40, "unit": "a"}}}
    invoice = {"resourceType": "Invoice", "totalNet": {"value": Decimal("9.50"), "currency": "HKD"}}
    risk = {"resourceType": "RiskAssessment", "prediction": [{"probabilityDecimal": Decimal("0.2")}]}
    either = {"resourceType": "RiskAssessment", "prediction": [{"probabilityRange": {"high": {"value": 1}}}]}

    assert found(condition, "onset-age") == [(None, "a", 40, None)]
    assert found(invoice, "totalnet") == [("urn:iso:std:iso:4217", "HKD", Decimal("9.50"), Decimal("9.50"))]
    assert found(risk, "probability") == [(None, None, Decimal("0.2"), Decimal("0.2"))]
    assert found(either, "probability") == [(None, None, None, 1)]


@pytest.mark.parametrize(
    ("data", "bounds"),
    [
        ("1 3 E 2", (11, 13)),
        ("-1.5 1e1", (Decimal("8.5"), 20)),
        ("1 L", (None, 15)),
        ("9 U", (18, None)),
        ("nonsense 4", (14, 14)),
    ],
)
def test_samples_span_from_the_least_to_the_greatest(data: str, bounds: tuple[Any, Any]):
    samples = {
        "origin": {"value": 10, "unit": "mV"},
        "lowerLimit": 5,
        "upperLimit": 8,
        "period": 1,
        "dimensions": 1,
    }

    assert found(observation(valueSampledData={**samples, "data": data}), "value-quantity") == [
        (None, "mV", *bounds)
    ]


def test_an_extension_is_found_by_its_value():
    url = "http://hl7.org/fhir/StructureDefinition/observation-geneticsGene"
    gene = {"url": url, "valueCodeableConcept": {"coding": [{"code": "BRCA1"}]}}

    assert found(observation(extension=[gene, {"url": "http://x", "valueCode": "y"}]), "gene-identifier") == [
        (None, "BRCA1")
    ]


def test_answers_are_subjects_only_where_their_item_says_so():
    flag = {
        "url": "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-isSubject",
        "valueBoolean": True,
    }
    answer = [{"valueReference": {"reference": "Patient/1"}}, {"valueString": "x"}]
    response = {
        "resourceType": "QuestionnaireResponse",
        "item": [{"linkId": "1", "extension": [flag], "answer": answer}, {"linkId": "2", "answer": answer}],
    }
    assert found(response, "item-subject") == [("Patient", "1")]
    assert found({**response, "item": response["item"][1:]}, "item-subject") == []


def test_rows_are_given_once():
    resource = observation(category=[{"coding": [{"code": "a"}]}, {"coding": [{"code": "a"}]}])

    assert found(resource, "category") == [(None, "a")]


def test_contained_resources_yield_nothing_of_their_container():
    assert extract(observation(contained=[patient(gender="male")])) == extract(observation())


def test_a_resource_of_no_known_type_is_refused():
    with pytest.raises(BadInput):
        extract({"resourceType": "Nothing"})
