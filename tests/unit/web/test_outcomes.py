"""Every error has a status and a code of FHIR; an outcome says enough and not too much."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from kintung.errors import Issue, KintungError, Throttled, Unavailable
from kintung.web import cursor, landing, limits, traffic  # noqa: F401 - their errors are walked too
from kintung.web.outcomes import MAX_ISSUES, STATUS, MethodNotAllowed, headers_of, outcome, status_of
from tests.shared_data import shared

# http://hl7.org/fhir/R4/valueset-issue-type.html
ISSUE_TYPES = frozenset(
    (
        "invalid",
        "structure",
        "required",
        "value",
        "invariant",
        "security",
        "login",
        "unknown",
        "expired",
        "forbidden",
        "suppressed",
        "processing",
        "not-supported",
        "duplicate",
        "multiple-matches",
        "not-found",
        "deleted",
        "too-long",
        "code-invalid",
        "extension",
        "too-costly",
        "business-rule",
        "conflict",
        "transient",
        "lock-error",
        "no-store",
        "exception",
        "timeout",
        "incomplete",
        "throttled",
        "informational",
    )
)


def every_error(error: type[KintungError] = KintungError) -> Iterator[type[KintungError]]:
    yield error
    for kind in error.__subclasses__():
        yield from every_error(kind)


def of_this_package() -> list[type[KintungError]]:
    """A test of another module may define errors of its own."""
    return [error for error in every_error() if error.__module__.startswith("kintung.")]


@pytest.mark.parametrize("error", of_this_package(), ids=lambda error: error.__name__)
def test_every_error_has_a_status_and_a_code_of_fhir(error: type[KintungError]) -> None:
    assert error in STATUS
    assert error.issue in ISSUE_TYPES
    assert STATUS[error] == 500 or 400 <= STATUS[error] < 500 or STATUS[error] == 503


def test_the_table_has_no_row_too_many() -> None:
    assert set(STATUS) == set(of_this_package())


def test_the_codes_are_those_of_the_value_set() -> None:
    lines = gzip.decompress(shared("fhir-r4-definitions/CodeSystem.ndjson.gz").read_bytes()).splitlines()
    systems = [json.loads(line) for line in lines if b'"id":"issue-type"' in line]
    assert len(systems) == 1

    def codes(concepts: list[dict[str, Any]]) -> Iterator[str]:
        for concept in concepts:
            yield concept["code"]
            yield from codes(concept.get("concept", []))

    published = {code for system in systems for code in codes(system.get("concept", []))}
    assert published == ISSUE_TYPES


def test_an_error_says_what_else_to_do() -> None:
    assert headers_of(MethodNotAllowed("no", ["PUT", "GET"])) == ((b"allow", b"GET, PUT"),)
    for error in (Throttled("slowly"), Unavailable("later")):
        assert headers_of(error) == ((b"retry-after", b"1"),)
        assert status_of(error) in (429, 503)


def test_an_outcome_has_code_text_and_path() -> None:
    said = json.loads(outcome([Issue("value", "wrong", "Patient.gender"), Issue("value", "wrong")]))
    assert said == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "value",
                "details": {"text": "wrong"},
                "expression": ["Patient.gender"],
            },
            {"severity": "error", "code": "value", "details": {"text": "wrong"}},
        ],
    }


def test_a_long_outcome_is_cut_and_says_so() -> None:
    said = json.loads(outcome([Issue("value", "wrong")] * (MAX_ISSUES + 7)))
    assert len(said["issue"]) == MAX_ISSUES + 1
    assert said["issue"][-1]["details"]["text"].startswith("7 more")
