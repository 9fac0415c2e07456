"""``_summary`` and ``_elements`` over HTTP, and what must not be stored again."""

from typing import Any

import pytest

from tests.records import observation, patient
from tests.server.api import BASE, Api, Resource, outcome

LENIENT = {"Prefer": "handling=lenient"}
TAG = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
NARRATIVE = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Chan</div>'}


@pytest.fixture
def ward(api: Api) -> Api:
    api.store(patient("p1", "Chan", text=NARRATIVE, gender="male", maritalStatus={"text": "single"}))
    api.store(observation("o1", "p1", note=[{"text": "Fasting"}]))
    return api


def resources(bundle: Resource) -> dict[str, Resource]:
    entries: list[Any] = bundle.get("entry", [])
    return {entry["resource"]["resourceType"]: entry["resource"] for entry in entries}


def shown(resource: Resource) -> set[str]:
    return set(resource) - {"resourceType", "id", "meta"}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("_summary=true", {"name", "gender"}),
        ("_summary=text", {"text"}),
        ("_summary=data", {"name", "gender", "maritalStatus"}),
        ("_elements=gender,maritalStatus", {"gender", "maritalStatus"}),
        ("_summary=false&_elements=name", {"name"}),
    ],
)
@pytest.mark.parametrize(
    "path", ["Patient/p1", "Patient/p1/_history/1", "Patient", "Patient/p1/_history", ""]
)
def test_each_reading_shows_the_part_asked_for(ward: Api, path: str, asked: str, expected: set[str]) -> None:
    found = ward.get(f"{path}?{asked}{'' if path else '&_type=Patient'}").json()
    part = resources(found)["Patient"] if found["resourceType"] == "Bundle" else found
    assert shown(part) == expected
    assert part["meta"]["tag"] == [TAG]
    assert part["meta"]["versionId"] == "1"


@pytest.mark.parametrize("path", ["Patient", "_history", "Patient/p1/_history"])
def test_a_count_is_the_total_alone(ward: Api, path: str) -> None:
    found = ward.get(f"{path}?_summary=count").json()
    assert "entry" not in found
    assert found["total"] == (2 if path == "_history" else 1)


def test_a_count_includes_nothing(ward: Api) -> None:
    found = ward.get("Observation?_summary=count&_include=Observation:subject").json()
    assert (found["total"], "entry" in found) == (1, False)


def test_a_summary_is_of_what_is_included_too_elements_are_of_the_matches(ward: Api) -> None:
    asked = "Observation?_include=Observation:subject"
    summary = resources(ward.get(f"{asked}&_summary=true").json())
    elements = resources(ward.get(f"{asked}&_elements=note").json())

    assert [shown(each) for each in summary.values()] == [{"status", "code", "subject"}, {"name", "gender"}]
    assert shown(elements["Observation"]) == {"status", "code", "note"}
    assert shown(elements["Patient"]) == {"name", "gender", "maritalStatus", "text"}


def test_pages_go_on_as_they_began(ward: Api) -> None:
    ward.store(patient("p2"))
    first = ward.get("Patient?_count=1&_elements=gender").json()
    links = {link["relation"]: link["url"] for link in first["link"]}
    assert links["self"] == f"{BASE}/Patient?_count=1&_elements=gender"
    assert shown(resources(ward.get(links["next"]).json())["Patient"]) == {"gender"}


def test_a_form_asks_for_a_part(ward: Api) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    found = ward.post("Patient/_search", b"_elements=gender", headers=form).json()
    assert shown(resources(found)["Patient"]) == {"gender"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Patient?_summary=yes", (400, "value", "_summary")),
        ("Patient?_summary=true&_summary=true", (400, "invalid", "_summary")),
        ("Patient?_elements=colour", (400, "not-supported", "_elements")),
        ("Patient?_elements=", (400, "invalid", "_elements")),
        ("Patient?_summary=true&_elements=name", (400, "invalid", "_elements")),
        ("Patient?_summary=text&_revinclude=Observation:subject", (400, "invalid", "_summary")),
        ("Patient/p1?_summary=count", (400, "not-supported", "_summary")),
        ("Patient/p1?_elements=colour", (400, "not-supported", "_elements")),
        ("Patient/p1?_summary=true&_summary=true", (400, "value", "_summary")),
        ("Patient/p1?_summary=true&colour=red", (400, "not-supported", "colour")),
        ("Patient/p1/_history?_summary=yes", (400, "value", "_summary")),
        ("Patient/p1/_history?_elements=colour", (400, "not-supported", "_elements")),
    ],
)
def test_what_is_refused(ward: Api, path: str, expected: tuple[int, str, str]) -> None:
    assert outcome(ward.get(path)) == expected


def test_an_element_that_is_not_known_may_be_left_out_with_a_word(ward: Api) -> None:
    found = ward.get("Patient?_elements=colour", headers=LENIENT).json()
    assert shown(found["entry"][0]["resource"]) == {"name", "gender", "maritalStatus", "text"}
    assert found["entry"][1]["resource"]["issue"][0]["expression"] == ["_elements"]


def test_a_part_is_not_stored_in_the_place_of_the_whole(ward: Api) -> None:
    part = ward.get("Patient/p1?_elements=gender").json()
    refused = (422, "business-rule", "Patient.meta.tag")

    assert outcome(ward.put("Patient/p1", part)) == refused
    assert outcome(ward.put("Patient?_id=p1", part)) == refused
    entry = {"resource": part, "request": {"method": "PUT", "url": "Patient/p1"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert outcome(ward.post("", bundle))[:2] == refused[:2]
    assert ward.get("Patient/p1").json()["meta"]["versionId"] == "1"
    whole = {name: value for name, value in ward.get("Patient/p1").json().items() if name != "gender"}
    assert ward.put("Patient/p1", whole).status_code == 200


def test_what_is_tagged_as_a_part_is_stored_by_no_way(ward: Api) -> None:
    part = patient("p1") | {"meta": {"tag": [TAG]}}
    tagging = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [TAG]}}]}
    patch = [{"op": "add", "path": "/meta/tag", "value": [TAG]}]
    json_patch = {"content-type": "application/json-patch+json"}
    posted = {"resource": part, "request": {"method": "POST", "url": "Patient"}}
    answers = [
        ward.post("Patient", part),
        ward.post("Patient", part, headers={"If-None-Exist": "_id=none"}),
        ward.put("Patient?_id=p1", part),
        ward.post("Patient/p1/$meta-add", tagging),
        ward.call("PATCH", "Patient/p1", patch, headers=json_patch),
    ]
    assert [outcome(answer) for answer in answers] == [(422, "business-rule", "Patient.meta.tag")] * 5
    whole = ward.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [posted]})
    assert outcome(whole) == (422, "business-rule", "Bundle.entry[0].resource.meta.tag")
    assert ward.put("Patient/p1", ward.get("Patient/p1").json()).status_code == 200
