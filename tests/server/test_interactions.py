"""read, vread, create, update, delete: statuses, header fields, bodies."""

import pytest

from kintung.consent import Right
from kintung.store.reader import Reader
from tests.records import patient
from tests.server.api import BASE, Api, outcome, persona

NEW = {"resourceType": "Patient", "name": [{"family": "Chan"}]}


def test_a_create_answers_where_the_version_is(api: Api) -> None:
    answer = api.post("Patient", NEW)
    created = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{BASE}/Patient/{created['id']}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert created["meta"]["versionId"] == "1"
    assert api.get(f"Patient/{created['id']}").content == answer.content


def test_an_id_sent_with_a_create_is_passed_over(api: Api) -> None:
    assert api.post("Patient", patient("mine")).json()["id"] != "mine"


def test_read_gives_the_stored_text_token_for_token(api: Api) -> None:
    text = b'{"resourceType":"Observation","id":"o",%b"status":"final","code":{"text":"\\u00e9 \\/ 1.0E+2"}}'
    api.put("Observation/o", text % b"")
    answer = api.get("Observation/o")
    at = answer.json()["meta"]["lastUpdated"]
    assert answer.text.encode() == text % f'"meta":{{"versionId":"1","lastUpdated":"{at}"}},'.encode()


def test_head_is_read_without_a_body(api: Api) -> None:
    api.store(patient("p"))
    read, head = api.get("Patient/p"), api.call("HEAD", "Patient/p")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == read.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": 'W/"1"'}, 304),
        ({"If-None-Match": '"1"'}, 304),
        ({"If-None-Match": 'W/"7", W/"1"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": 'W/"2"'}, 200),
        ({"If-Modified-Since": "Wed, 19 Oct 2022 00:00:01 GMT"}, 304),
        ({"If-Modified-Since": "Tue, 18 Oct 2022 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "no date"}, 200),
        # RFC 9110: with If-None-Match the other is not heard.
        ({"If-None-Match": 'W/"2"', "If-Modified-Since": "Wed, 19 Oct 2022 00:00:01 GMT"}, 200),
        ({"If-None-Match": "1"}, 304),
        ({"If-None-Match": "2"}, 200),
        ({"If-None-Match": "1, 2"}, 400),
        ({"If-None-Match": "one"}, 400),
    ],
)
def test_a_copy_that_is_current_is_not_sent_again(api: Api, headers: dict[str, str], status: int) -> None:
    api.store(patient("p"))
    for address in ("Patient/p", "Patient/p/_history/1"):
        answer = api.get(address, headers=headers)
        assert answer.status_code == status
        if status == 304:
            assert (answer.content, answer.headers["etag"]) == (b"", 'W/"1"')


def test_vread_gives_every_version_as_it_was(api: Api) -> None:
    first = api.put("Patient/p", patient("p", "Chan")).content
    second = api.put("Patient/p", patient("p", "Wong")).content
    assert api.get("Patient/p/_history/1").content == first
    assert api.get("Patient/p/_history/2").content == second == api.get("Patient/p").content
    for version in ("3", "0", "01", "x", "9" * 30):
        assert outcome(api.get(f"Patient/p/_history/{version}"))[:2] == (404, "not-found")


def test_an_update_follows_the_version_if_match_names(api: Api) -> None:
    api.store(patient("p"))
    assert outcome(api.put("Patient/p", patient("p"), headers={"If-Match": 'W/"2"'}))[:2] == (412, "conflict")
    answer = api.put("Patient/p", patient("p"), headers={"If-Match": 'W/"1"'})
    assert (answer.status_code, answer.headers["etag"], "location" in answer.headers) == (200, 'W/"2"', False)
    assert outcome(api.put("Patient/p", patient("p"), headers={"If-Match": "2"})) == (
        400,
        "value",
        "If-Match",
    )
    absent = api.put("Patient/q", patient("q"), headers={"If-Match": 'W/"1"'})
    assert absent.status_code == 412


@pytest.mark.parametrize(
    ("path", "resource", "expected"),
    [
        ("Patient/p", {**NEW, "id": "q"}, (400, "value", "Patient.id")),
        ("Patient/p", NEW, (400, "value", "Patient.id")),
        ("Patient/p_", {**NEW, "id": "p_"}, (400, "value", "Patient.id")),
        ("Observation/p", patient("p"), (400, "structure", "Observation.resourceType")),
        ("Patient/p", {**patient("p"), "gender": "neither"}, (400, "code-invalid", "Patient.gender")),
        ("Patient/p", b"{", (400, "structure", None)),
        ("Patient/p", b"", (400, "structure", None)),
    ],
)
def test_an_update_that_cannot_be_is_refused_with_its_place(
    api: Api, path: str, resource: object, expected: tuple[int, str, str | None]
) -> None:
    found = outcome(api.put(path, resource))
    assert found[:2] == expected[:2]
    assert expected[2] in (None, found[2])


def test_all_faults_are_listed(api: Api) -> None:
    wrong = {**NEW, "gender": 1, "birthDate": "2022-02-30", "colour": "red"}
    issues = api.post("Patient", wrong).json()["issue"]
    assert {issue["expression"][0] for issue in issues} >= {"Patient.gender", "Patient.birthDate"}
    assert len(issues) == 3


def test_delete_is_the_same_however_often(api: Api) -> None:
    api.store(patient("p"))
    answers = [api.delete("Patient/p"), api.delete("Patient/p"), api.delete("Patient/never")]
    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert [answer.content for answer in answers] == [b"", b"", b""]
    assert outcome(api.get("Patient/p"))[:2] == (410, "deleted")
    assert outcome(api.get("Patient/p/_history/2"))[:2] == (410, "deleted")
    assert api.get("Patient/p/_history/1").status_code == 200


def test_delete_hears_if_match(api: Api) -> None:
    api.store(patient("p"))
    assert api.delete("Patient/p", headers={"If-Match": 'W/"2"'}).status_code == 412
    assert api.delete("Patient/p", headers={"If-Match": 'W/"1"'}).status_code == 204


def test_to_choose_an_id_is_a_right(api: Api) -> None:
    api.store(patient("gone"))
    api.delete("Patient/gone")
    api.personas["clinic"] = persona("clinic", Reader.everything(), Right.VIEW, Right.DEPOSIT)
    for id in ("new", "gone"):
        assert outcome(api.put(f"Patient/{id}", patient(id), persona="clinic"))[:2] == (404, "not-found")
        answer = api.put(f"Patient/{id}", patient(id))
        assert answer.status_code == 201
    assert api.get("Patient/gone").json()["meta"]["versionId"] == "3"


@pytest.mark.parametrize(
    ("prefer", "body"),
    [("", "Patient"), ("return=representation", "Patient"), ("return=OperationOutcome", "OperationOutcome")],
)
def test_prefer_decides_what_a_write_shows(api: Api, prefer: str, body: str) -> None:
    answer = api.post("Patient", NEW, headers={"Prefer": prefer})
    assert (answer.status_code, answer.json()["resourceType"]) == (201, body)


def test_a_minimal_answer_has_no_body(api: Api) -> None:
    answer = api.post("Patient", NEW, headers={"Prefer": "handling=strict; return=minimal"})
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["content-length"] == "0"
    assert "content-type" not in answer.headers
    assert answer.headers["etag"] == 'W/"1"'


@pytest.mark.parametrize("precondition", ["If-None-Match", "If-None-Exist"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_precondition_that_is_not_tested_is_refused(api: Api, method: str, precondition: str) -> None:
    answer = api.call(method, "Patient/p", patient("p"), headers={precondition: "*"})
    assert outcome(answer) == (400, "not-supported", precondition)
    assert api.get("Patient/p").status_code == 404


def test_meta_of_the_server_is_the_servers(api: Api) -> None:
    sent = {**NEW, "meta": {"versionId": "99", "lastUpdated": "1999-01-01T00:00:00Z", "tag": [{"code": "t"}]}}
    meta = api.post("Patient", sent).json()["meta"]
    assert (meta["versionId"], meta["lastUpdated"][:4], meta["tag"]) == ("1", "2022", [{"code": "t"}])
