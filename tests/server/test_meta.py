"""$meta, $meta-add and $meta-delete."""

from typing import Any

import pytest

from kintung.consent import Right
from kintung.store.reader import Reader
from kintung.web.fhir import meta
from tests.records import observation, patient
from tests.server.api import Api, outcome, persona

S = "http://example.org/tags"
PROFILE = "http://example.org/profile"


def sent(**given: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": given}]}


def shown(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    (parameter,) = answer.json()["parameter"]
    assert parameter["name"] == "return"
    return parameter["valueMeta"]


def tagged(id: str, *codes: str, **more: Any) -> dict[str, Any]:
    tags = [{"system": S, "code": code} for code in codes]
    return observation(id, "p", meta={"tag": tags, **more})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_meta_is_what_reading_shows(api: Api, method: str) -> None:
    api.store(patient("p"), tagged("o", "a", profile=[PROFILE]), tagged("o", "b"))
    for address in ("Observation/o", "Observation/o/_history/1"):
        answer = api.call(method, f"{address}/$meta")
        assert shown(answer) == api.get(address).json()["meta"]
        assert answer.headers["etag"] == api.get(address).headers["etag"]
        checked = api.post("Parameters/$validate", answer.content).json()
        assert checked["issue"][0]["severity"] == "information"
    api.delete("Observation/o")
    assert outcome(api.call(method, "Observation/o/$meta"))[:2] == (410, "deleted")
    assert outcome(api.call(method, "Observation/never/$meta"))[:2] == (404, "not-found")
    assert outcome(api.call(method, "Observation/o/_history/3/$meta"))[:2] == (410, "deleted")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_meta_in_use_is_what_stands_on_what_is_seen_now(api: Api, method: str) -> None:
    api.store(patient("p", meta={"security": [{"system": S, "code": "r"}]}))
    api.store(
        tagged("o", "a", "b"), tagged("q", "b", profile=[PROFILE]), tagged("gone", "c"), tagged("o", "d")
    )
    api.delete("Observation/gone")
    tags = [{"system": S, "code": code} for code in "bd"]
    assert shown(api.call(method, "Observation/$meta")) == {"profile": [PROFILE], "tag": tags}
    assert shown(api.call(method, "Patient/$meta")) == {"security": [{"system": S, "code": "r"}]}
    assert shown(api.call(method, "Group/$meta")) == {}
    whole = shown(api.call(method, "$meta"))
    assert whole == {"profile": [PROFILE], "security": [{"system": S, "code": "r"}], "tag": tags}
    api.personas["nobody"] = persona("nobody", Reader.nothing(), Right.VIEW)
    assert shown(api.call(method, "$meta", persona="nobody")) == {}


def test_meta_of_more_than_is_looked_at_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meta, "MOST", 2)
    api.store(patient("p"), tagged("1", "a"), tagged("2", "a"))
    assert shown(api.get("Observation/$meta")) == {"tag": [{"system": S, "code": "a"}]}
    api.store(tagged("3", "a"))
    assert outcome(api.get("Observation/$meta"))[:2] == (400, "too-costly")


def test_a_tag_is_put_on_and_taken_off_as_a_new_version(api: Api) -> None:
    api.store(patient("p"), tagged("o", "a"))
    added = api.post("Observation/o/$meta-add", sent(tag=[{"system": S, "code": "b"}], profile=[PROFILE]))
    assert [tag["code"] for tag in shown(added)["tag"]] == ["a", "b"]
    assert (shown(added)["versionId"], added.headers["etag"]) == ("2", 'W/"2"')
    assert shown(added) == api.get("Observation/o").json()["meta"]
    assert api.get(f"Observation?_tag={S}|b&_profile={PROFILE}&_total=accurate").json()["total"] == 1

    again = api.post("Observation/o/$meta-add", sent(tag=[{"system": S, "code": "b", "display": "B"}]))
    assert (shown(again), again.headers["etag"]) == (shown(added), 'W/"2"')

    without = api.post("Observation/o/$meta-delete", sent(tag=[{"system": S, "code": "a"}, {"code": "b"}]))
    assert shown(without)["tag"] == [{"system": S, "code": "b"}]
    assert api.post("Observation/o/$meta-delete", sent(tag=[{"code": "zz"}])).headers["etag"] == 'W/"3"'
    assert api.get("Observation/o/_history").json()["total"] == 3


def test_a_change_of_meta_keeps_to_its_version_and_its_key(api: Api) -> None:
    api.store(patient("p"), tagged("o", "a"))
    change = sent(tag=[{"code": "b"}])
    stale = api.post("Observation/o/$meta-add", change, headers={"If-Match": 'W/"9"'})
    assert outcome(stale)[:2] == (412, "conflict")
    for _ in range(2):
        answer = api.post(
            "Observation/o/$meta-add", change, headers={"Idempotency-Key": "k", "If-Match": 'W/"1"'}
        )
        assert (shown(answer)["versionId"], answer.headers["etag"]) == ("2", 'W/"2"')
    assert api.get("Observation/o/_history").json()["total"] == 2


@pytest.mark.parametrize("operation", ["$meta-add", "$meta-delete"])
@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("Observation/o", sent(security=[{"code": "R"}]), (422, "business-rule")),
        ("Observation/o", sent(tag=[{"display": "x"}]), (400, "value")),
        ("Observation/o", sent(tag="x"), (400, "structure")),
        ("Observation/o", {"resourceType": "Parameters"}, (400, "structure")),
        ("Observation/o", observation("o", "p"), (400, "structure")),
        ("Observation/o", b"{", (400, "structure")),
        ("Observation/o", b"", (400, "structure")),
        ("Observation/never", sent(tag=[{"code": "x"}]), (404, "not-found")),
        ("Observation/gone", sent(tag=[{"code": "x"}]), (410, "deleted")),
        ("Observation/o/_history/1", sent(tag=[{"code": "x"}]), (404, "not-found")),
    ],
)
def test_what_cannot_be_done_is_refused(
    api: Api, operation: str, path: str, body: Any, refusal: tuple[int, str]
) -> None:
    api.store(patient("p"), tagged("o", "a"), tagged("gone", "a"))
    api.delete("Observation/gone")
    answer = api.post(f"{path}/{operation}", body)
    assert outcome(answer)[:2] == refusal
    if refusal[0] == 422:
        assert outcome(answer)[2] == "Parameters.parameter[0].valueMeta.security"
    assert api.get("_history").json()["total"] == 4


def test_meta_takes_no_parameter(api: Api) -> None:
    api.store(patient("p"))
    for path in ("$meta", "Patient/$meta", "Patient/p/$meta", "Patient/p/_history/1/$meta"):
        assert outcome(api.post(path, sent(tag=[{"code": "x"}])))[:2] == (400, "structure")
        assert outcome(api.post(path, patient("p")))[:2] == (400, "structure")
        for name in ("_tag", "_summary", "_elements"):
            assert outcome(api.get(f"{path}?{name}=text"))[:2] == (400, "not-supported")
        assert api.post(path, {"resourceType": "Parameters"}).status_code == 200


def test_a_batch_changes_and_reads_meta(api: Api) -> None:
    api.store(patient("p"))
    entries = [
        {"request": {"method": "GET", "url": "Patient/$meta"}},
        {"request": {"method": "POST", "url": "Patient/p/$meta-add"}, "resource": sent(tag=[{"code": "x"}])},
    ]
    answer = api.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries}).json()
    assert [each["response"]["status"][:3] for each in answer["entry"]] == ["200", "200"]
    assert answer["entry"][0]["resource"]["parameter"][0]["valueMeta"] == {"tag": [{"code": "x"}]}


def test_the_statement_says_what_of_meta_is_offered(api: Api) -> None:
    (rest,) = api.get("metadata").json()["rest"]
    assert {"meta", "validate"} <= {each["name"] for each in rest["operation"]}
    patients = next(each for each in rest["resource"] if each["type"] == "Patient")
    names = [each["name"] for each in patients["operation"]]
    assert {"meta", "meta-add", "meta-delete", "validate"} <= set(names)
    assert len(names) == len(set(names))
