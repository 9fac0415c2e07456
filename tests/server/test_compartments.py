"""Searches of compartments: what they hold, how they are asked, and that they make nothing visible."""

from typing import Any
from urllib.parse import urlencode

import pytest

from kintung.consent import Right
from tests.records import observation, organization, patient
from tests.server.api import Api, outcome, persona

FORM = {"content-type": "application/x-www-form-urlencoded"}
TO_P1 = [{"reference": "Patient/p1"}]


@pytest.fixture
def record(api: Api) -> Api:
    """p1 with an Encounter; p2, of whose Observations one was done by p1, and one is about p1's kin."""
    encounter = {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}}
    api.store(
        organization("org"),
        patient("p1", link=[{"other": {"reference": "Patient/p2"}, "type": "seealso"}]),
        patient("p2"),
        encounter | {"subject": {"reference": "Patient/p1"}},
        observation("own", "p1", encounter={"reference": "Encounter/e"}),
        observation("performed", "p2", performer=TO_P1),
        observation("focused", "p2", focus=TO_P1),
        observation("other", "p2"),
    )
    return api


def found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [entry["fullUrl"].partition("/fhir/")[2] for entry in answer.json().get("entry", ())]


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("Patient/p1/Observation", ["Observation/performed", "Observation/own"]),
        ("Patient/p1/Observation?status=final&_sort=_id", ["Observation/own", "Observation/performed"]),
        ("Patient/p1/Observation?performer=Patient/p1", ["Observation/performed"]),
        ("Patient/p1/Patient", ["Patient/p1"]),
        ("Patient/p2/Patient", ["Patient/p2", "Patient/p1"]),
        ("Patient/p1/*", ["Observation/performed", "Observation/own", "Encounter/e", "Patient/p1"]),
        ("Patient/p1/*?_type=Encounter,Patient", ["Encounter/e", "Patient/p1"]),
        ("Patient/p1/*?_id=own", ["Observation/own"]),
        ("Encounter/e/*", ["Observation/own", "Encounter/e"]),
        ("Practitioner/nobody/*", []),
    ],
)
def test_what_a_compartment_holds(record: Api, address: str, wanted: list[str]) -> None:
    assert found(record.get(address)) == wanted


@pytest.mark.parametrize("address", ["Patient/p1/Observation", "Patient/p1/*"])
def test_a_form_asks_the_same(record: Api, address: str) -> None:
    asked = {"_sort": "_id", "_total": "accurate"}
    by_form = record.post(f"{address.removesuffix('/*')}/_search", urlencode(asked).encode(), headers=FORM)

    assert by_form.json() == record.get(f"{address}?{urlencode(asked)}").json()


def test_pages_go_on_by_the_address_of_the_compartment(record: Api) -> None:
    first = record.get("Patient/p1/*?_count=3&_total=accurate").json()
    link = next(link["url"] for link in first["link"] if link["relation"] == "next")
    second = record.get(link)

    assert first["total"] == 4
    assert "/fhir/Patient/p1/*?_cursor=" in link
    assert found(second) == ["Patient/p1"]
    other = link.replace("Patient/p1", "Patient/p2")
    assert outcome(record.get(other)) == (400, "value", "_cursor")


@pytest.mark.parametrize(
    ("address", "status", "code", "path"),
    [
        ("Patient/p1/Medication", 400, "not-supported", "Patient"),
        ("Patient/p1/*?_type=Observation,Medication", 400, "not-supported", "_type"),
        ("Organization/org/Observation", 400, "not-supported", "Organization"),
        ("Patient/p1/*?code=x", 400, "not-supported", "code"),
        ("Patient/p1/Observation?_type=Observation", 400, "not-supported", "_type"),
        ("Patient/p1/Nonsense", 404, "not-found", None),
        ("Nonsense/p1/Observation", 404, "not-found", None),
    ],
)
def test_what_no_compartment_answers_is_refused(
    record: Api, address: str, status: int, code: str, path: str | None
) -> None:
    assert outcome(record.get(address)) == (status, code, path)


def test_what_is_in_a_compartment_includes_what_it_refers_to(record: Api) -> None:
    """An include reaches past the compartment, and as far as the reader sees."""
    asked = {
        "Patient/p1/Observation?_include=Observation:subject": ["p2", "p1"],
        "Patient/p1/*?_include=*&_id=own": ["e", "p1"],
    }
    for address, wanted in asked.items():
        entries = record.get(address).json()["entry"]
        modes = [(entry["search"]["mode"], entry["resource"]["id"]) for entry in entries]
        assert [id for mode, id in modes if mode == "include"] == wanted
    record.personas["sees p1"] = persona("sees p1", record.grant(1, "p1"), Right.VIEW)
    shown = record.get("Patient/p1/Observation?_include=Observation:subject", persona="sees p1")
    assert found(shown) == ["Observation/own", "Patient/p1"]


def test_an_entry_of_a_batch_asks_a_compartment(record: Api) -> None:
    entries = [{"request": {"method": "GET", "url": "Patient/p1/Observation?_sort=_id"}}]
    answer = record.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries})

    inner = answer.json()["entry"][0]["resource"]
    assert [entry["resource"]["id"] for entry in inner["entry"]] == ["own", "performed"]


def test_what_is_in_the_compartment_is_not_visible_by_that(record: Api) -> None:
    """S5: p1 performed an Observation of p2; who sees p1 does not see it, there or anywhere."""
    record.personas["sees p1"] = persona("sees p1", record.grant(1, "p1"), Right.VIEW)
    for address in ("Patient/p1/Observation", "Patient/p1/Observation?performer=Patient/p1", "Patient/p1/*"):
        shown = record.get(address, persona="sees p1")
        assert "Observation/performed" not in found(shown)
    everything = found(record.get("Patient/p1/Observation"))
    assert "Observation/performed" in everything
    assert "Observation/focused" not in everything, "a mention by another element is no membership"


def test_an_owner_that_is_absent_hidden_or_deleted_has_the_same_empty_compartment(record: Api) -> None:
    """S7: nothing tells whether there is a Patient, or whether it has anything."""
    record.personas["sees p1"] = persona("sees p1", record.grant(1, "p1"), Right.VIEW)
    record.store(*(patient(id) for id in ("gone", "hidden")), observation("of-hidden", "hidden"))
    record.delete("Patient/gone")
    for ask in ("{}/Observation?_total=accurate", "{}/*?_total=accurate", "{}/Patient?_total=accurate"):
        said = {
            record.get(ask.format(f"Patient/{id}"), persona="sees p1").text.replace(id, "x")
            for id in ("hidden", "gone", "never")
        }
        assert len(said) == 1, said
        assert '"total":0' in said.pop()
