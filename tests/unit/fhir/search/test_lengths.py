"""Long texts in index rows and in searches: short, and equal when the whole is."""

import hashlib
from typing import Any

import pytest

from kintung.fhir.search import (
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    extract,
    fingerprint,
    parse_query,
)
from kintung.fhir.search.catalogue import packaged
from kintung.fhir.search.criteria import Criterion
from kintung.fhir.search.lengths import bounded
from kintung.fhir.search.match import matches, rows_of
from kintung.fhir.search.parameters import parameter
from kintung.fhir.search.rows import FORM
from kintung.fhir.search.text import folded

WIDE = "\U00020000"
"""A Chinese character of four bytes."""
LONG = "urn:x:" + "a" * 400
SHORT = LONG[:190] + "…" + hashlib.sha256(LONG.encode()).hexdigest()


@pytest.mark.parametrize("text", ["", "a", "陳", "a" * 255, WIDE * 255])
def test_up_to_255_characters_a_text_stands_as_it_is(text: str):
    assert bounded(text) == text


def test_a_longer_text_is_its_beginning_and_a_digest_of_the_whole():
    assert bounded(LONG) == SHORT
    assert len(SHORT) == 255
    assert bounded(SHORT) == SHORT


def test_texts_that_differ_anywhere_stay_different():
    base = "a" * 256
    others = [base + "a", base[:-1] + "b", "b" + base[1:], base[:200] + "b" + base[201:]]

    assert len({bounded(text) for text in (base, *others)}) == 5


def test_no_text_is_no_text():
    assert bounded(None) is None


def test_folded_texts_are_cut_after_folding():
    assert folded("É" * 300) == "e" * 255
    assert folded(" " * 300 + "A") == "a"


def test_two_texts_and_the_numbers_of_a_row_fit_in_a_row_of_postgresql():
    text = WIDE * 300

    assert len(bounded(text).encode()) + len(folded(text).encode()) + 100 < 2_704


RESOURCES: list[tuple[str, str, dict[str, Any]]] = [
    ("Patient", "identifier", {"identifier": [{"system": LONG, "value": LONG}]}),
    ("Patient", "family", {"name": [{"family": LONG}]}),
    ("Patient", "organization", {"managingOrganization": {"reference": LONG}}),
    ("Patient", "phone", {"telecom": [{"system": "phone", "value": LONG}]}),
    ("Questionnaire", "url", {"url": LONG}),
    ("Observation", "code", {"code": {"coding": [{"system": LONG, "code": LONG}]}}),
    (
        "Observation",
        "value-quantity",
        {"valueQuantity": {"value": 1, "system": LONG, "code": LONG, "unit": LONG + "b"}},
    ),
    ("Condition", "code", {"code": {"coding": [{"code": LONG}]}}),
    ("PlanDefinition", "depends-on", {"library": [LONG + "|" + LONG]}),
]


@pytest.mark.parametrize(("type", "code", "elements"), RESOURCES)
def test_no_row_holds_more_than_255_characters(type: str, code: str, elements: dict[str, Any]):
    rows = extract({"resourceType": type, **elements})

    found = rows_of(parameter(type, code), rows, id="", updated=0)

    assert found
    assert all(len(part) <= 255 for row in found for part in row if isinstance(part, str))


@pytest.mark.parametrize(
    ("type", "name", "text", "value"),
    [
        ("Patient", "identifier", LONG, TokenValue(None, SHORT, any_system=True)),
        ("Patient", "identifier", f"{LONG}|{LONG}", TokenValue(SHORT, SHORT, any_system=False)),
        ("Patient", "identifier", f"{LONG}|", TokenValue(SHORT, None, any_system=False)),
        ("Patient", "identifier", f"|{LONG}", TokenValue(None, SHORT, any_system=False)),
        ("Patient", "family", LONG, StringValue(SHORT, LONG[:255])),
        ("Patient", "family:exact", LONG, StringValue(SHORT, LONG[:255])),
        ("Patient", "organization", LONG, ReferenceValue(("",), SHORT)),
        ("Questionnaire", "url", LONG, UriValue(SHORT)),
    ],
)
def test_searches_hold_what_rows_hold(type: str, name: str, text: str, value: object):
    (criterion,) = parse_query(type, [(name, text)], now_micros=0).criteria

    assert isinstance(criterion, Criterion)
    assert criterion.values == (value,)


def test_units_are_bounded_on_both_sides():
    resource = {"resourceType": "Observation", **RESOURCES[6][2]}
    asked = parameter("Observation", "value-quantity")
    rows = rows_of(asked, extract(resource), id="", updated=0)

    for text in (f"1|{LONG}|{LONG}", f"1||{LONG}", f"1||{LONG}b"):
        (criterion,) = parse_query("Observation", [("value-quantity", text)], now_micros=0).criteria
        assert isinstance(criterion, Criterion)
        (value,) = criterion.values
        assert isinstance(value, QuantityValue)
        assert any(matches(value, row) for row in rows)


def test_the_fingerprint_changes_with_the_form_of_the_rows():
    """An index of another form is refused, although the parameters are the same."""
    artefact = packaged()

    assert fingerprint() != hashlib.sha256(artefact).hexdigest()
    assert fingerprint() == hashlib.sha256(b"%d\n" % FORM + artefact).hexdigest()
