"""Conditional create, update and delete: they match what their author may see, inside the commit."""

import json
from collections.abc import Iterator

import pytest

from kintung.consent import Right
from kintung.store.reader import Reader
from kintung.web.site import WebSettings
from tests.records import observation, patient
from tests.server.api import BASE, Api, ids, outcome, persona
from tests.server.api import api as opened

HKID = {"system": "http://example.org/hkid", "value": "A1234563"}
NEW = {"resourceType": "Patient", "identifier": [HKID]}
CRITERIA = "identifier=http://example.org/hkid|A1234563"


def twins(api: Api) -> None:
    api.store(patient("p1", identifier=[HKID]), patient("p2", identifier=[HKID]))


def test_a_conditional_create_creates_once(api: Api) -> None:
    first = api.post("Patient", NEW, headers={"If-None-Exist": CRITERIA})
    again = api.post("Patient", NEW, headers={"If-None-Exist": f"?{CRITERIA}"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content
    for field in ("etag", "last-modified", "location"):
        assert again.headers[field] == first.headers[field]
    assert api.get(f"Patient?{CRITERIA}&_total=accurate").json()["total"] == 1


def test_a_conditional_create_of_several_matches_is_refused(api: Api) -> None:
    twins(api)
    answer = api.post("Patient", NEW, headers={"If-None-Exist": CRITERIA})
    assert outcome(answer)[:2] == (412, "multiple-matches")


@pytest.mark.parametrize("prefer", ["return=minimal", "return=OperationOutcome", "return=representation"])
def test_what_matched_is_shown_as_preferred(api: Api, prefer: str) -> None:
    api.store(patient("p1", identifier=[HKID]))
    answer = api.post("Patient", NEW, headers={"If-None-Exist": CRITERIA, "Prefer": prefer})
    assert answer.status_code == 200
    assert answer.headers["location"] == f"{BASE}/Patient/p1/_history/1"
    kinds = {"return=minimal": None, "return=OperationOutcome": "OperationOutcome"}
    shown = answer.json()["resourceType"] if answer.content else None
    assert shown == kinds.get(prefer, "Patient")


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("", (400, "value")),
        ("_format=json", (400, "value")),
        ("_count=1", (400, "not-supported")),
        ("colour=red", (400, "not-supported")),
        ("birthdate=31", (400, "value")),
    ],
)
def test_criteria_select_or_are_refused(api: Api, criteria: str, expected: tuple[int, str]) -> None:
    answers = [
        api.post("Patient", NEW, headers={"If-None-Exist": criteria}),
        api.put(f"Patient?{criteria}", NEW),
        api.delete(f"Patient?{criteria}"),
    ]
    assert [outcome(answer)[:2] for answer in answers] == [expected] * 3


def test_a_conditional_update_creates_updates_or_is_refused(api: Api) -> None:
    created = api.put(f"Patient?{CRITERIA}", NEW)
    id = created.json()["id"]
    assert (created.status_code, created.headers["etag"]) == (201, 'W/"1"')
    updated = api.put(f"Patient?{CRITERIA}", {**NEW, "active": True})
    assert (updated.status_code, updated.json()["id"], updated.headers["etag"]) == (200, id, 'W/"2"')
    other = api.put(f"Patient?{CRITERIA}", {**NEW, "id": "other"})
    assert outcome(other) == (400, "value", "Patient.id")
    api.store(patient("p2", identifier=[HKID]))
    assert outcome(api.put(f"Patient?{CRITERIA}", NEW))[:2] == (412, "multiple-matches")


def test_a_conditional_update_with_an_id_places_it(api: Api) -> None:
    api.personas["clinic"] = persona("clinic", Reader.everything(), Right.VIEW, Right.DEPOSIT)
    named = {**NEW, "id": "mine"}
    refused = api.put(f"Patient?{CRITERIA}", named, persona="clinic")
    assert outcome(refused) == (403, "forbidden", "Patient.id")
    assert api.put(f"Patient?{CRITERIA}", named).headers["location"] == f"{BASE}/Patient/mine/_history/1"
    taken = api.put("Patient?identifier=another", named)
    assert outcome(taken) == (409, "conflict", "Patient.id")


def test_a_conditional_update_hears_if_match(api: Api) -> None:
    api.store(patient("p1", identifier=[HKID]))
    assert api.put(f"Patient?{CRITERIA}", NEW, headers={"If-Match": 'W/"3"'}).status_code == 412
    assert api.put(f"Patient?{CRITERIA}", NEW, headers={"If-Match": 'W/"1"'}).status_code == 200


def test_a_conditional_delete_deletes_one(api: Api) -> None:
    assert api.delete(f"Patient?{CRITERIA}").status_code == 204
    twins(api)
    assert outcome(api.delete(f"Patient?{CRITERIA}"))[:2] == (412, "multiple-matches")
    api.delete("Patient/p1")
    assert api.delete(f"Patient?{CRITERIA}").status_code == 204
    assert api.get("Patient/p2").status_code == 410
    assert api.delete(f"Patient?{CRITERIA}").status_code == 204


def test_criteria_that_need_encoding(api: Api) -> None:
    api.store(patient("p1", "陳"))
    answer = api.post("Patient", NEW, headers={"If-None-Exist": "family=%E9%99%B3"})
    assert (answer.status_code, answer.json()["id"]) == (200, "p1")
    assert outcome(api.post("Patient", NEW, headers={"If-None-Exist": "family=%FF"}))[:2] == (400, "value")


def test_a_reference_that_is_a_search_is_for_transactions(api: Api) -> None:
    api.store(patient("p", identifier=[{"value": "7"}]))
    about = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "weight"},
        "performer": [{"reference": "Patient/p"}, {"reference": "Patient?identifier=7"}],
    }
    where = "Observation.performer[1].reference"
    for refused in (
        api.post("Observation", about),
        api.put("Observation/o", about),
        api.put("Observation?status=final", about),
        api.post("Observation", json.dumps(about).replace("?", "\\u003f").encode()),
    ):
        assert outcome(refused) == (400, "not-supported", where)
    entry = {"resource": about, "request": {"method": "PUT", "url": "Observation/o"}}
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}
    (answered,) = api.post("", batch).json()["entry"]
    assert answered["response"]["status"] == "400 Bad Request"
    assert api.post("", {**batch, "type": "transaction"}).status_code == 200
    assert (
        api.post("Bundle", {**batch, "type": "collection", "entry": [{"resource": about}]}).status_code == 201
    )


# --- deleting several, where the operator allows it -----------------------------------------------


@pytest.fixture
def several() -> Iterator[Api]:
    with opened(settings=WebSettings(delete_at_most=3)) as found:
        yield found


def test_one_request_deletes_as_many_as_the_operator_allows_or_none(several: Api) -> None:
    several.store(*(patient(f"p{n}") for n in range(4)), patient("other", "Wong"))
    assert outcome(several.delete("Patient?family=Chan"))[:2] == (412, "multiple-matches")
    assert several.get("Patient?_total=accurate").json()["total"] == 5
    several.delete("Patient/p0")
    answer = several.delete("Patient?family=Chan")
    assert (answer.status_code, answer.content, "etag" in answer.headers) == (204, b"", False)
    assert several.get("Patient?_total=accurate").json()["total"] == 1
    instants = {
        several.get(f"Patient/p{n}/_history").json()["entry"][0]["response"]["lastModified"]
        for n in (1, 2, 3)
    }
    assert len(instants) == 1, "in one commit"
    assert several.delete("Patient?family=Chan").status_code == 204
    assert several.delete("Patient?family=Wong").headers["etag"] == 'W/"2"'
    assert outcome(several.delete("Patient"))[:2] == (400, "value")


def test_if_match_holds_for_all_that_one_request_deletes(several: Api) -> None:
    several.store(patient("p"), patient("p"), patient("q"))
    refused = several.delete("Patient?family=Chan", headers={"If-Match": 'W/"1"'})
    assert outcome(refused)[:2] == (412, "conflict")
    assert several.get("Patient?_total=accurate").json()["total"] == 2
    assert several.delete("Patient?family=Chan", headers={"If-Match": "*"}).status_code == 204


def test_what_is_hidden_is_neither_deleted_nor_counted(several: Api) -> None:
    several.store(*(patient(f"p{n}") for n in range(5)))
    several.personas["doctor"] = persona("doctor", several.grant(1, "p1", "p2"), Right.VIEW, Right.DEPOSIT)
    assert several.delete("Patient?family=Chan", persona="doctor").status_code == 204
    assert sorted(ids(several.get("Patient?family=Chan").json())) == ["p0", "p3", "p4"]
    several.personas["depositor"] = persona("depositor", Reader.everything(), Right.DEPOSIT)
    assert several.delete("Patient?family=Chan", persona="depositor").status_code == 204
    assert several.get("Patient?_total=accurate").json()["total"] == 3


def test_deleting_several_is_done_once_under_a_key(several: Api) -> None:
    several.store(patient("p1"), patient("p2"))
    for _ in range(2):
        answer = several.delete("Patient?family=Chan", headers={"Idempotency-Key": "k"})
        assert answer.status_code == 204
        several.store(patient("p3"))
    assert ids(several.get("Patient").json()) == ["p3"]


def test_in_a_transaction_a_conditional_delete_is_of_one(several: Api) -> None:
    several.store(patient("p1"), patient("p2"))
    entry = {"request": {"method": "DELETE", "url": "Patient?family=Chan"}}
    for kind, statuses in (("transaction", [412]), ("batch", [200, "204"])):
        answer = several.post("", {"resourceType": "Bundle", "type": kind, "entry": [entry]})
        found = [each["response"]["status"][:3] for each in answer.json().get("entry", ())]
        assert [answer.status_code, *found] == statuses


def test_the_statement_says_whether_several_are_deleted(api: Api, several: Api) -> None:
    for node, said in ((api, "single"), (several, "multiple")):
        (rest,) = node.get("metadata").json()["rest"]
        assert {each["conditionalDelete"] for each in rest["resource"]} == {said}


@pytest.mark.parametrize(
    "how",
    ["_include=*", "_revinclude=Observation:subject", "_include:iterate=Patient:organization", "_sort=_id",
     "_count=1", "_summary=true", "_elements=name", "_total=accurate"],
)  # fmt: skip
def test_what_says_how_a_search_is_answered_is_no_criterion(api: Api, how: str) -> None:
    twins(api)
    criteria = f"_id=p1&{how}"
    answers = [
        api.delete(f"Patient?{criteria}"),
        api.put(f"Patient?{criteria}", NEW),
        api.call("PATCH", f"Patient?{criteria}", {"resourceType": "Parameters"}),
        api.post("Patient", NEW, headers={"If-None-Exist": criteria}),
    ]
    refused = (400, "not-supported", how.partition("=")[0])
    assert [outcome(answer) for answer in answers] == [refused] * 4
    subject = {"reference": f"Patient?{criteria}"}
    written = {"resource": observation("o", "p1") | {"subject": subject},
               "request": {"method": "POST", "url": "Observation"}}  # fmt: skip
    answer = api.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [written]})
    assert outcome(answer)[:2] == (400, "not-supported")
    assert api.get("Patient/p1").headers["etag"] == 'W/"1"'
