"""Observation/$lastn: how it is asked, what it answers, and of whom."""

from typing import Any

import pytest

from kintung.consent import Right
from kintung.web.fhir import lastn
from tests.records import observation, patient
from tests.server.api import Api, Resource, outcome, persona

LAB = {"category": [{"coding": [{"code": "laboratory"}]}]}
VITAL = {"category": [{"coding": [{"code": "vital-signs"}]}]}


def day(number: int) -> Resource:
    return {"effectiveDateTime": f"2022-03-{number:02}"}


@pytest.fixture
def record(api: Api) -> Api:
    """Weights of three days, two of one; a pulse; a glucose by two names; and p2's, newer than all."""
    codings = [{"system": "http://example.org/codes", "code": code} for code in ("glucose", "sugar")]
    both = {"coding": codings, "text": "Sugar in blood"}
    api.store(
        patient("p1"),
        patient("p2"),
        observation("w1", "p1", "weight", **VITAL, **day(1)),
        observation("w3", "p1", "weight", **VITAL, **day(3)),
        observation("w2", "p1", "weight", **VITAL, **day(2)),
        observation("w2b", "p1", "weight", **VITAL, **day(2)),
        observation("pulse", "p1", "pulse", **VITAL, **day(4), valueQuantity={"value": 72}),
        observation("glucose", "p1", "glucose", **LAB, **day(5)),
        observation("sugar", "p1", "sugar", **LAB, **day(6)),
        observation("both", "p1", **LAB, **day(1)) | {"code": both},
        observation("undated", "p1", "weight", **VITAL),
        observation("theirs", "p2", "weight", **VITAL, **day(9)),
    )
    return api


def found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    entries = [
        entry["resource"]["id"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"
    ]
    assert (bundle["type"], bundle["total"]) == ("searchset", len(entries))
    assert [link["relation"] for link in bundle["link"]] == ["self"]
    return entries


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("patient=p1&category=vital-signs", ["pulse", "w3"]),
        ("subject=Patient/p1&category=vital-signs&max=2", ["pulse", "w3", "w2b", "w2"]),
        ("patient=p1&category=vital-signs&max=9", ["pulse", "w3", "w2b", "w2", "w1", "undated"]),
        ("patient=p1&category=laboratory", ["sugar"]),
        ("patient=p1&category=laboratory&max=2", ["sugar", "glucose"]),
        ("patient=p1&code=glucose", ["glucose"]),
        ("patient=p1&category=laboratory,vital-signs&date=le2022-03-03", ["w3", "both"]),
        ("patient=p1&code=weight&date=lt2022-03-02&status=final", ["w1"]),
        ("patient=p1&code=nothing", []),
        ("patient=p1&code:text=blood", ["both"]),
        ("patient=p1&code-value-quantity=pulse$gt70", ["pulse"]),
        ("patient=nobody&code=weight", []),
    ],
)
def test_the_last_of_each_code(record: Api, query: str, wanted: list[str]) -> None:
    assert found(record.get(f"Observation/$lastn?{query}")) == wanted


def test_parameters_ask_the_same(record: Api) -> None:
    asked = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "max", "valuePositiveInt": 2},
            {"name": "patient", "valueString": "p1"},
            {"name": "category", "valueCode": "vital-signs"},
        ],
    }
    wanted = record.get("Observation/$lastn?max=2&patient=p1&category=vital-signs")

    assert record.post("Observation/$lastn", asked).json() == wanted.json()
    asked["parameter"][0] = {"name": "max", "valueInteger": 2}
    assert outcome(record.post("Observation/$lastn", asked))[:2] == (400, "structure")


@pytest.mark.parametrize(
    ("query", "code", "path"),
    [
        ("category=vital-signs", "value", "patient"),
        ("patient=p1,p2&category=vital-signs", "value", "patient"),
        ("patient:missing=false&category=vital-signs", "value", "patient"),
        ("subject:Patient.family=Chan&category=vital-signs", "value", "patient"),
        ("patient=p1", "value", "category"),
        ("patient=p1&status=final", "value", "category"),
        ("patient=p1&code:not=weight", "value", "category"),
        ("patient=p1&code:missing=false", "value", "category"),
        ("patient=p1&_text=blood", "value", "category"),
        ("patient=p1&has-member:Observation.code=weight", "value", "category"),
        ("patient=p1&_has:Observation:has-member:code=weight", "value", "category"),
        ("patient=p1&code=weight&max=0", "value", "max"),
        ("patient=p1&code=weight&max=many", "value", "max"),
        ("patient=p1&code=weight&max=1&max=2", "value", "max"),
        ("patient=p1&code=weight&_sort=date", "not-supported", "_sort"),
        ("patient=p1&code=weight&_count=5", "not-supported", "_count"),
        ("patient=p1&code=weight&_include=Observation:subject", "not-supported", "_include"),
        (
            "patient=p1&code=weight&_revinclude:iterate=Provenance:target",
            "not-supported",
            "_revinclude:iterate",
        ),
        ("patient=p1&code=weight&_cursor=x", "not-supported", "_cursor"),
        ("patient=p1&code=weight&colour=red", "not-supported", "colour"),
    ],
)
def test_what_it_does_not_take_is_refused(record: Api, query: str, code: str, path: str) -> None:
    assert outcome(record.get(f"Observation/$lastn?{query}")) == (400, code, path)


def test_what_is_passed_over_is_said(record: Api) -> None:
    lenient = {"prefer": "handling=lenient"}
    answer = record.get("Observation/$lastn?patient=p1&code=pulse&colour=red", headers=lenient)

    assert found(answer) == ["pulse"]
    assert answer.json()["entry"][-1]["search"] == {"mode": "outcome"}


def test_more_than_is_looked_at_is_refused(record: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lastn, "MOST", 4)
    monkeypatch.setattr(lastn, "_AT_ONCE", 2)

    assert found(record.get("Observation/$lastn?patient=p1&category=laboratory")) == ["sugar"]
    refused = record.get("Observation/$lastn?patient=p1&category=vital-signs")
    assert outcome(refused)[:2] == (400, "too-costly")
    assert "by code" in refused.text


@pytest.mark.parametrize(
    "address", ["Patient/$lastn?patient=p1&code=weight", "Observation/w1/$lastn", "$lastn"]
)
def test_it_is_not_offered_elsewhere(record: Api, address: str) -> None:
    assert outcome(record.get(address))[:2] == (404, "not-found")


def test_an_entry_of_a_batch_asks_it(record: Api) -> None:
    entries = [{"request": {"method": "GET", "url": "Observation/$lastn?patient=p1&code=pulse"}}]
    answer = record.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries})

    assert [entry["resource"]["id"] for entry in answer.json()["entry"][0]["resource"]["entry"]] == ["pulse"]


def test_the_hidden_is_not_among_those_that_are_grouped(record: Api) -> None:
    """S10: neither the newest, nor one that would make two codes equal, may be what is not seen."""
    reader = record.grant(1, "p1")
    record.personas["sees p1"] = persona("sees p1", reader, Right.VIEW)
    hiding = type(reader)(reader.name, reader.persons, hidden=frozenset({"R"}))
    record.personas["no labels"] = persona("no labels", hiding, Right.VIEW)
    for name in ("Observation/w3", "Observation/both"):
        record.label(name, "R")
    weights = "Observation/$lastn?patient=p1&code=weight"
    sugars = "Observation/$lastn?patient=p1&category=laboratory"

    assert found(record.get(weights, persona="no labels")) == ["w2b", "w2"]
    assert found(record.get(sugars, persona="no labels")) == ["sugar", "glucose"]
    assert found(record.get(weights.replace("p1", "p2"), persona="sees p1")) == []
    assert found(record.get(weights.replace("p1", "p2"))) == ["theirs"]
