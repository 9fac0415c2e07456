"""patch and conditional patch: both languages, preconditions, what is refused, and in a batch."""

import json
from base64 import b64encode
from typing import Any

import pytest

from kintung.consent import Right
from kintung.store.reader import Reader
from tests.records import observation, patient
from tests.server.api import BASE, Api, outcome, persona

JSON_PATCH = {"content-type": "application/json-patch+json"}
SET_MALE = [{"op": "add", "path": "/gender", "value": "male"}]


def parameters(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(operations)}


def add(name: str, value: dict[str, Any], path: str = "Patient") -> dict[str, Any]:
    parts = [{"name": "type", "valueCode": "add"}, {"name": "path", "valueString": path}]
    return {
        "name": "operation",
        "part": [*parts, {"name": "name", "valueString": name}, {"name": "value", **value}],
    }


MALE = parameters(add("gender", {"valueCode": "male"}))


def patch(api: Api, path: str, body: Any, **how: Any) -> Any:
    return api.call("PATCH", path, body, **how)


@pytest.mark.parametrize(
    ("body", "headers"), [(SET_MALE, JSON_PATCH), (MALE, {})], ids=["JSON Patch", "FHIRPath Patch"]
)
def test_a_patch_stores_a_new_version(api: Api, body: Any, headers: dict[str, str]) -> None:
    api.store(patient("p", "Chan"))

    answer = patch(api, "Patient/p", body, headers=headers)

    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"2"'
    assert answer.json()["gender"] == "male"
    assert answer.json()["meta"]["versionId"] == "2"
    assert api.get("Patient/p").content == answer.content
    assert "gender" not in api.get("Patient/p/_history/1").json()
    assert [entry["resource"]["id"] for entry in api.get("Patient?gender=male").json()["entry"]] == ["p"]


def test_what_is_not_patched_keeps_its_letters(api: Api) -> None:
    head = '{"resourceType":"Observation","id":"o",'
    rest = '"status":"final","code":{"text":"\\u00e9 \\/"},"valueQuantity":{"value":1.0E+2}}'
    api.put("Observation/o", (head + rest).encode())
    change = [{"op": "replace", "path": "/status", "value": "amended"}]

    after = patch(api, "Observation/o", change, headers=JSON_PATCH).text

    assert after.endswith(rest.replace("final", "amended"))


def test_an_answer_shows_what_is_preferred(api: Api) -> None:
    api.store(patient("p"))
    minimal = patch(api, "Patient/p", SET_MALE, headers={**JSON_PATCH, "Prefer": "return=minimal"})
    assert (minimal.status_code, minimal.content) == (200, b"")
    told = patch(api, "Patient/p", SET_MALE, headers={**JSON_PATCH, "Prefer": "return=OperationOutcome"})
    assert told.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(("version", "status"), [('W/"1"', 200), ('W/"2"', 412)])
def test_if_match_names_the_version_it_changes(api: Api, version: str, status: int) -> None:
    api.store(patient("p"))
    answer = patch(api, "Patient/p", SET_MALE, headers={**JSON_PATCH, "If-Match": version})
    assert answer.status_code == status


def test_a_patch_sent_again_under_its_key_is_done_once(api: Api) -> None:
    api.store(patient("p", "Chan"))
    twice = [{"op": "copy", "from": "/name/0", "path": "/name/-"}]
    for _ in range(2):
        answer = patch(api, "Patient/p", twice, headers={**JSON_PATCH, "Idempotency-Key": "k"})
        assert answer.headers["etag"] == 'W/"2"'
    assert len(api.get("Patient/p").json()["name"]) == 2


REFUSED: list[tuple[Any, dict[str, str], tuple[int, str, str | None]]] = [
    ([{"op": "test", "path": "/gender", "value": "x"}], JSON_PATCH, (400, "value", "patch[0]")),
    ([{"op": "test", "path": "/id", "value": "x"}], JSON_PATCH, (422, "business-rule", "patch[0]")),
    ([{"op": "spam", "path": "/id"}], JSON_PATCH, (400, "structure", "patch[0].op")),
    ([{"op": "replace", "path": "/id", "value": "q"}], JSON_PATCH, (400, "value", "Patient.id")),
    (
        [{"op": "replace", "path": "/resourceType", "value": "Basic"}],
        JSON_PATCH,
        (400, "value", "Patient.id"),
    ),
    ([{"op": "add", "path": "/gender", "value": "x"}], JSON_PATCH, (400, "code-invalid", "Patient.gender")),
    ([{"op": "add", "path": "/gender", "value": 1}], JSON_PATCH, (400, "structure", "Patient.gender")),
    ([{"op": "replace", "path": "", "value": 1}], JSON_PATCH, (400, "structure", "Patient")),
    ({}, JSON_PATCH, (400, "structure", "Patient")),
    ({}, {}, (400, "structure", "Parameters.resourceType")),
    (patient("p"), {}, (400, "structure", "Parameters.resourceType")),
    (parameters(add("nix", {"valueCode": "x"})), {}, (400, "value", "Parameters.parameter[0]")),
    (parameters(add("gender", {"valueCode": "x"})), {}, (400, "code-invalid", "Patient.gender")),
    (parameters({"name": "operation"}), {}, (400, "structure", "Parameters.parameter[0].part")),
    (SET_MALE, {"content-type": "application/xml"}, (415, "not-supported", "Content-Type")),
    (SET_MALE, {"If-None-Match": "*"}, (400, "not-supported", "If-None-Match")),
]


@pytest.mark.parametrize(("body", "headers", "refusal"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_cannot_be_done_stores_nothing(
    api: Api, body: Any, headers: dict[str, str], refusal: tuple[int, str, str | None]
) -> None:
    api.store(patient("p"))
    before = api.get("Patient/p").content
    assert outcome(patch(api, "Patient/p", body, headers=headers)) == refusal
    assert api.get("Patient/p").content == before


NOTHING: list[tuple[Any, dict[str, str]]] = [
    ([], JSON_PATCH),
    ([{"op": "test", "path": "/id", "value": "p"}], JSON_PATCH),
    ([{"op": "replace", "path": "/id", "value": "p"}], JSON_PATCH),
    ({"resourceType": "Parameters"}, {}),
]


@pytest.mark.parametrize(("body", "headers"), NOTHING, ids=["none", "test", "the same", "FHIRPath Patch"])
def test_a_patch_that_changes_nothing_makes_no_version(api: Api, body: Any, headers: dict[str, str]) -> None:
    api.store(patient("p"))
    before = api.get("Patient/p")
    for path, preferred in (
        ("Patient/p", "return=representation"),
        ("Patient?_id=p", "return=representation"),
        ("Patient/p", "return=minimal"),
        ("Patient/p", "return=OperationOutcome"),
    ):
        answer = patch(api, path, body, headers={**headers, "Prefer": preferred, "If-Match": 'W/"1"'})
        assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"1"')
        assert "location" not in answer.headers
        assert (answer.content == before.content) == (preferred == "return=representation")
    assert len(api.get("Patient/p/_history").json()["entry"]) == 1
    assert api.get("Patient/p").content == before.content


def test_a_transaction_whose_patch_changes_nothing_does_the_rest(api: Api) -> None:
    """What the patch leaves as it is can be referred to by criteria, as it stands."""
    api.store(patient("p", "Lee"))
    nothing = {"resourceType": "Binary", "contentType": JSON_PATCH["content-type"], "data": "W10="}
    new = observation("o", "p") | {"subject": {"reference": "Patient?family=Lee"}}
    del new["id"]
    entries = [
        {"request": {"method": "PATCH", "url": "Patient/p"}, "resource": nothing},
        {"request": {"method": "POST", "url": "Observation"}, "resource": new},
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = api.post("", bundle, headers={"Prefer": "return=representation"})
    assert answer.status_code == 200, answer.text
    unchanged, created = answer.json()["entry"]
    assert unchanged["response"]["etag"] == 'W/"1"'
    assert unchanged["resource"] == api.get("Patient/p").json()
    assert created["resource"]["subject"]["reference"] == "Patient/p"
    assert len(api.get("Patient/p/_history").json()["entry"]) == 1


@pytest.mark.parametrize(
    "media",
    ["text/plain", "application/xml-patch+xml", "application/merge-patch+json", "application/fhir+xml"],
)
def test_another_format_is_told_which_a_patch_may_have(api: Api, media: str) -> None:
    answer = patch(api, "Patient/p", SET_MALE, headers={"content-type": media})
    assert outcome(answer) == (415, "not-supported", "Content-Type")
    assert answer.headers["accept-patch"] == "application/json-patch+json, application/fhir+json"
    assert all(each in answer.text for each in ("application/json-patch+json", "application/fhir+json"))
    assert "accept-patch" not in api.put("Patient/p", b"", headers={"content-type": media}).headers


def test_there_must_be_something_to_patch(api: Api) -> None:
    assert outcome(patch(api, "Patient/never", SET_MALE, headers=JSON_PATCH))[0] == 404
    api.store(patient("p"))
    api.delete("Patient/p")
    assert outcome(patch(api, "Patient/p", SET_MALE, headers=JSON_PATCH))[0] == 410


def test_a_conditional_patch_changes_the_one_match(api: Api) -> None:
    api.store(patient("p", "Chan"), patient("q", "Chan"), patient("r", "Lee"))
    assert outcome(patch(api, "Patient?family=Wong", SET_MALE, headers=JSON_PATCH))[0] == 404
    assert outcome(patch(api, "Patient?family=Chan", SET_MALE, headers=JSON_PATCH))[:2] == (
        412,
        "multiple-matches",
    )
    answer = patch(api, "Patient?family=Lee", SET_MALE, headers=JSON_PATCH)
    assert (answer.status_code, answer.json()["id"]) == (200, "r")
    assert outcome(patch(api, "Patient", SET_MALE, headers=JSON_PATCH))[0] == 400


def test_references_under_the_nodes_own_address_become_local(api: Api) -> None:
    api.store(patient("p"), observation("o", "p"))
    change = [{"op": "replace", "path": "/subject/reference", "value": f"{BASE}/Patient/p"}]
    answer = patch(api, "Observation/o", change, headers=JSON_PATCH)
    assert answer.json()["subject"]["reference"] == "Patient/p"


def test_a_patch_gives_nothing_to_another_person(api: Api) -> None:
    api.store(patient("p"), patient("q"), observation("o", "p"))
    change = [{"op": "replace", "path": "/subject/reference", "value": "Patient/q"}]
    assert outcome(patch(api, "Observation/o", change, headers=JSON_PATCH))[:2] == (422, "business-rule")


def test_a_patch_takes_the_right_to_view(api: Api) -> None:
    api.store(patient("p"))
    api.personas["depositor"] = persona("depositor", Reader.everything(), Right.DEPOSIT)
    tested = [{"op": "test", "path": "/id", "value": "p"}]
    assert outcome(patch(api, "Patient/p", tested, headers=JSON_PATCH, persona="depositor"))[0] == 403


def test_a_batch_brings_both_languages(api: Api) -> None:
    api.store(patient("p"), patient("q"))
    binary = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": b64encode(json.dumps(SET_MALE).encode()).decode(),
    }
    other = {**binary, "contentType": "text/plain"}
    asked = [("p", binary), ("q", MALE), ("p", other)]
    entries = [
        {"request": {"method": "PATCH", "url": f"Patient/{id}"}, "resource": body} for id, body in asked
    ]
    answer = api.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert [entry["response"]["status"][:3] for entry in answer.json()["entry"]] == ["200", "200", "400"]
    assert {api.get(f"Patient/{id}").json()["gender"] for id in "pq"} == {"male"}


# --- in a transaction -------------------------------------------------------------------


def step(method: str, url: str, resource: dict[str, Any] | None = None, **request: str) -> dict[str, Any]:
    return {
        "request": {"method": method, "url": url, **request},
        **({"resource": resource} if resource else {}),
    }


def transaction(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def statuses(answer: Any) -> list[str]:
    return [entry["response"]["status"][:3] for entry in answer.json()["entry"]]


def test_a_transaction_patches_with_the_rest_or_not_at_all(api: Api) -> None:
    """By id and by criteria, after deletions, creates and updates, whatever their order in the Bundle."""
    api.store(patient("p"), patient("q", "Wong"), patient("r", "Lau"))
    binary = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": b64encode(json.dumps(SET_MALE).encode()).decode(),
    }
    entries = (
        step("PATCH", "Patient/p", MALE, ifMatch='W/"1"'),
        step("PATCH", "Patient?family=Wong", binary),
        step("PUT", "Patient/r", patient("r", "Wong")),
        step("DELETE", "Patient?family=Lee"),
    )
    answer = api.post("", transaction(*entries))
    assert statuses(answer) == ["200", "200", "200", "204"]
    shown = [entry["response"].get("etag") for entry in answer.json()["entry"]]
    assert shown == ['W/"2"', 'W/"2"', 'W/"2"', None]
    assert [api.get(f"Patient/{id}").json().get("gender") for id in "pqr"] == ["male", "male", None]
    assert outcome(api.post("", transaction(*entries)))[:2] == (412, "conflict")
    assert api.get("_history").json()["total"] == 6


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        (step("PATCH", "Patient/p", parameters(add("colour", {"valueCode": "red"}))), (400, None, "")),
        (
            step("PATCH", "Patient/p", parameters(add("gender", {"valueCode": "x"}))),
            (400, "code-invalid", ".resource.gender"),
        ),
        (step("PATCH", "Patient/p", patient("p")), (400, "structure", ".resource.resourceType")),
        (step("PATCH", "Patient/p"), (400, None, "")),
        (step("PATCH", "Patient/never", MALE), (404, "not-found", "")),
        (step("PATCH", "Patient?family=Lee", MALE), (404, "not-found", "")),
        (step("PATCH", "Patient?family=Chan", MALE), (412, "multiple-matches", "")),
        (step("PATCH", "Patient/p", MALE, ifMatch='W/"9"'), (412, "conflict", ".request.ifMatch")),
        (step("PATCH", "Patient/p", MALE, ifNoneExist="_id=p"), (400, "not-supported", "")),
        (step("PATCH", "Patient/q", MALE), (400, "value", ".request.url")),
        (
            step(
                "PATCH",
                "Patient/p",
                parameters(
                    add("managingOrganization", {"valueReference": {"reference": "Organization?name=x"}})
                ),
            ),
            (400, "not-supported", ".resource.managingOrganization.reference"),
        ),
    ],
)
def test_a_patch_that_is_refused_refuses_the_transaction(
    api: Api, failing: dict[str, Any], expected: tuple[int, str | None, str]
) -> None:
    api.store(patient("p"), patient("q"))
    status, code, path = outcome(api.post("", transaction(step("PUT", "Patient/q", patient("q")), failing)))
    assert (status, code) == (expected[0], expected[1] or code)
    assert str(path).startswith(f"Bundle.entry[1]{expected[2]}")
    assert api.get("_history").json()["total"] == 2


def test_a_patch_links_to_what_its_transaction_creates(api: Api) -> None:
    """By a urn alone: what is stored under ``Organization/1`` is not the new one of another node."""
    api.store({"resourceType": "Organization", "id": "1", "name": "Here"}, patient("p"), patient("q"))
    api.put("Patient/q", patient("q", managingOrganization={"reference": "Organization/1"}))
    urn = "urn:uuid:0e4fd4b5-5b5c-4a8b-8a55-7a4d5f7c8c11"
    new = {"resourceType": "Organization", "name": "New"}
    linked = parameters(add("managingOrganization", {"valueReference": {"reference": urn}}))
    answer = api.post(
        "",
        transaction(
            step("PATCH", "Patient/p", linked),
            step("PATCH", "Patient/q", MALE),
            {**step("POST", "Organization", new), "fullUrl": urn},
            {**step("POST", "Organization", new), "fullUrl": "http://elsewhere.example/fhir/Organization/1"},
        ),
    )
    created = answer.json()["entry"][2]["response"]["location"].split("/_history")[0]
    assert api.get("Patient/p").json()["managingOrganization"]["reference"] == created
    assert api.get("Patient/q").json()["managingOrganization"]["reference"] == "Organization/1"
    assert api.get(f"Patient?organization={created}&_total=accurate").json()["total"] == 1


def test_a_conditional_reference_meets_what_a_patch_makes(api: Api) -> None:
    """And a resource of the same transaction may take its owner from it."""
    api.store(patient("p", "Chan"))
    about = observation("new", None, subject={"reference": "Patient?gender=male"})
    answer = api.post("", transaction(step("POST", "Observation", about), step("PATCH", "Patient/p", MALE)))
    assert statuses(answer) == ["201", "200"]
    assert api.get("Observation?subject=Patient/p&_total=accurate").json()["total"] == 1


def test_a_patch_in_a_transaction_takes_the_right_to_view(api: Api) -> None:
    api.store(patient("p"))
    api.personas["depositor"] = persona("depositor", Reader.everything(), Right.DEPOSIT)
    answer = api.post("", transaction(step("PATCH", "Patient/p", MALE)), persona="depositor")
    assert outcome(answer)[:2] == (403, "forbidden")
