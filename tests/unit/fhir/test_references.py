"""One grammar says what a reference leads to, whoever asks."""

import pytest

from kintung.definitions import owners
from kintung.fhir.references import conditional, is_id, relative
from kintung.fhir.search import extract
from kintung.fhir.structure import validate


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Patient/1", ("Patient", "1")),
        ("Patient/a-B.9/_history/2", ("Patient", "a-B.9")),
        ("Patient/" + "a" * 64, ("Patient", "a" * 64)),
        ("Patient/" + "a" * 65, None),
        ("Patient/", None),
        ("Patient/1/", None),
        ("Patient/1/_history", None),
        ("Patient/a_b", None),
        ("Patient/1|2", None),
        ("Patient/1\n", None),
        ("Patient?identifier=1", None),
        ("http://example.org/fhir/Patient/1", None),
        ("#p", None),
    ],
)
def test_a_relative_reference(text: str, meant: tuple[str, str] | None) -> None:
    assert relative(text) == meant


@pytest.mark.parametrize(
    ("text", "searched"),
    [
        ("Patient?identifier=1", ("Patient", "identifier=1")),
        ("Patient?identifier=http://example.org|a\nb?c", ("Patient", "identifier=http://example.org|a\nb?c")),
        ("Patient?", None),
        ("patient?identifier=1", None),
        ("Patient/1?identifier=1", None),
        ("http://example.org/fhir/Patient?identifier=1", None),
        ("Patient/1", None),
    ],
)
def test_a_conditional_reference(text: str, searched: tuple[str, str] | None) -> None:
    assert conditional(text) == searched


@pytest.mark.parametrize(
    "text", ["Patient/1", "Patient/1/_history/2", "Patient/a_b", "Patient/1/", "Patient/1|2"]
)
def test_validation_ownership_and_search_agree(text: str) -> None:
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": text},
    }
    leads = relative(text) is not None
    assert (validate(observation) == []) == leads
    assert (owners(observation, "o").persons == ("1",)) == leads
    assert any(row[1:] == ("Patient", "1") for row in extract(observation).references) == leads


def test_an_id() -> None:
    assert is_id("a-B.9")
    assert not is_id("")
    assert not is_id("a b")
    assert not is_id("1\n")
