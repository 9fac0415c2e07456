"""The test cases of the HL7 validator (R4, JSON), scored for what structure alone can judge.

A case the HL7 validator finds an error in must be refused, at an element it names; one
it finds none in must be accepted. What takes more than structure stands in ``BEYOND``
with the reason, held strictly: a case that is refused after all must leave the table.
"""

import gzip
import json
import re
from functools import cache
from typing import Any

import pytest

from kintung.errors import BadInput, Issue
from kintung.fhir.json import parse
from kintung.fhir.structure import validate
from tests.shared_data import shared

REASONS: dict[str, str] = {
    "profile": "judged against a profile, not the base definition",
    "questionnaire": "answers and reports judged against the Questionnaire or Measure they belong to",
    "terminology": "displays and codes of code systems HL7 does not publish with FHIR",
    "invariant": "a FHIRPath invariant of the definition",
    "bundle": "full URLs, links and references across the entries of a Bundle",
    "reference": "whether a reference or canonical resolves, and to what",
    "conformance": "the inner logic of a conformance resource",
    "extension": "whether an extension is defined",
    "narrative": "the XHTML of a narrative",
    "content": "the content of an attachment, or the form of a URI beyond having no spaces",
}

BEYOND: dict[str, str] = {
    "PulseOxBundle_25Oct2022": "terminology",
    "StructureDefinition-Slice23": "conformance",
    "ab-list-slicing": "narrative",
    "abstract-question-type-included-qr": "questionnaire",
    "ai5": "profile",
    "ai6": "profile",
    "attachment-max-size-qr": "questionnaire",
    "attachment-with-wrong-size": "content",
    "boolean-invalid-type-qr": "questionnaire",
    "bundle-document-versioned-references-bad": "reference",
    "bundle-duplicate-id": "bundle",
    "bundle-duplicate-ids-not": "terminology",
    "bundle-id-2": "bundle",
    "bundle-id-3": "bundle",
    "bundle-id-4": "bundle",
    "bundle-id-5": "terminology",
    "capstmt": "conformance",
    "choice-answer-option-exclusive-qr": "questionnaire",
    "choice-async-qr": "questionnaire",
    "date-invalid-type-qr": "questionnaire",
    "date-min-max-qr": "questionnaire",
    "date-time-invalid-type-qr": "questionnaire",
    "decimal-invalid-type-qr": "questionnaire",
    "decimal-min-max-qr": "questionnaire",
    "dr-example-org": "content",
    "encounter-period": "invariant",
    "ext-ccuk": "conformance",
    "fixed-quantity-binding-observation": "profile",
    "group-with-string-invalid-nesting-link-id-qr": "questionnaire",
    "group-with-string-qr": "questionnaire",
    "integer-answer-option-qr": "questionnaire",
    "integer-min-max-qr": "questionnaire",
    "invalid-link-id-qr": "questionnaire",
    "ips-htmlrefs-backwards": "bundle",
    "measure-report-ihe": "questionnaire",
    "mni-patientOverview-bundle-example1": "bundle",
    "mni-patientOverview-bundle-example1b": "bundle",
    "mr-covid-bnd1": "terminology",
    "mr-covid-m5": "terminology",
    "mr-covid-mr1": "questionnaire",
    "nested-questionnaire-nested-valueset": "extension",
    "obs-mz": "conformance",
    "obs-temp-bad": "profile",
    "opdef-params": "conformance",
    "open-choice-gender-coding-async-qr": "questionnaire",
    "parameters-reference-bad": "reference",
    "pat-example-extensions": "extension",
    "pat-security-bad-xhtml": "narrative",
    "q-enablewhen-me-wrong": "invariant",
    "qr-bad-ref2": "reference",
    "quantity-min-max-compat-units-qr": "questionnaire",
    "quantity-min-max-incompat-units-qr": "questionnaire",
    "quantity-min-max-qr": "questionnaire",
    "quantity-units-not-in-value-set-qr": "questionnaire",
    "questionnaire-enableWhen-dw": "invariant",
    "reference-invalid-resource-type-qr": "reference",
    "risk-assessment-probability-range": "invariant",
    "sp-composite": "conformance",
    "sp-diff-base": "conformance",
    "string-answer-option-qr": "questionnaire",
    "string-draft-downgrade-qr": "questionnaire",
    "string-invalid-type-qr": "questionnaire",
    "string-min-max-length-qr": "questionnaire",
    "string-regex-qr": "questionnaire",
    "string-required-qr": "questionnaire",
    "string-with-coding-async-qr": "questionnaire",
    "target-ref-profile-empty": "extension",
    "text-invalid-type-qr": "questionnaire",
    "time-qr": "questionnaire",
    "url-invalid-type-qr": "questionnaire",
    "url-value-qr": "content",
    "uuid-extension": "extension",
    "xml-bad-entities-json": "narrative",
}


@cache
def cases() -> dict[str, dict[str, Any]]:
    with gzip.open(shared("validator-r4-tests/cases.ndjson.gz"), "rt") as lines:
        found = [json.loads(line) for line in lines]
    return {case["name"]: case for case in found}


def issues(case: dict[str, Any]) -> list[Issue]:
    try:
        return validate(parse(case["resource_text"].encode()))
    except BadInput as error:
        return list(error.issues)


def expected_paths(case: dict[str, Any]) -> list[str]:
    """Where the HL7 validator finds errors, as paths of JSON names; "" where it names no place."""
    return [
        json_path(path)
        for issue in case["expected_outcome_hl7_java"].get("issue", ())
        if issue["severity"] in ("error", "fatal")
        for path in issue.get("expression", [""])
    ]


def json_path(path: str) -> str:
    """``Bundle.entry[0].resource/*Patient/1*/.value.ofType(Quantity)`` as we write it."""
    plain = re.sub(r"/\*.*?\*/", "", path)
    return re.sub(r"\.ofType\((\w)(\w*)\)", lambda type: type[1].upper() + type[2], plain)


@pytest.mark.parametrize("name", sorted(cases()))
def test_hl7_validator_case(name: str):
    case = cases()[name]
    expected = expected_paths(case)
    found = issues(case)
    if name in BEYOND:
        assert expected, "the HL7 validator finds no error; take the case off the table"
        assert found == [], "refused by structure after all; take the case off the table"
        return
    assert bool(found) == bool(expected)
    for issue in found:
        path = str(issue.path)
        assert any(
            path == place or path.startswith((f"{place}.", f"{place}[")) or not place for place in expected
        )


def test_the_table_names_cases_that_exist_and_reasons_that_are_known():
    assert BEYOND.keys() <= cases().keys()
    assert set(BEYOND.values()) == REASONS.keys()
    refused = sum(bool(expected_paths(case)) for case in cases().values())
    assert (len(cases()), refused, len(BEYOND)) == (143, 92, 73)
