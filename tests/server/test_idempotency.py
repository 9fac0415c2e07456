"""A request that comes twice with one key has one effect and one answer."""

import json
from typing import Any

import httpx
import pytest

from kintung.clock import SetClock
from kintung.consent import Right
from kintung.store.reader import Reader
from kintung.store.writes import IDEMPOTENCY_MICROS
from tests.records import patient
from tests.server.api import Api, outcome, persona

NEW = {"resourceType": "Patient", "name": [{"family": "Chan"}]}
KEY = {"Idempotency-Key": "visit 2022-10-19/7"}


def seen(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    return answer.status_code, sorted(answer.headers.items()), answer.content


def total(api: Api, path: str = "Patient") -> int:
    return api.get(f"{path}?_total=accurate").json()["total"]


def versions(api: Api) -> int:
    return api.get("_history").json()["total"]


def transaction(*names: str) -> dict[str, Any]:
    entries = [
        {"resource": {**NEW, "name": [{"family": name}]}, "request": {"method": "POST", "url": "Patient"}}
        for name in names
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@pytest.mark.parametrize("prefer", ["", "return=minimal", "return=OperationOutcome"])
@pytest.mark.parametrize(
    ("method", "path", "body", "more"),
    [
        ("POST", "Patient", NEW, {}),
        ("POST", "Patient", NEW, {"If-None-Exist": "family=Chan"}),
        ("PUT", "Patient/p", patient("p", "Wong"), {"If-Match": 'W/"1"'}),
        ("PUT", "Patient/new", patient("new"), {}),
        ("PUT", "Patient?family=Lau", NEW, {}),
        ("DELETE", "Patient/p", None, {}),
        ("DELETE", "Patient/never", None, {}),
        ("DELETE", "Patient?family=Chan", None, {"If-Match": 'W/"1"'}),
        ("POST", "", transaction("a", "b"), {}),
        ("POST", "", {**transaction("a", "b"), "type": "batch"}, {}),
    ],
)
def test_a_replay_has_the_same_answer_and_no_effect(
    api: Api, method: str, path: str, body: Any, more: dict[str, str], prefer: str
) -> None:
    api.store(patient("p"))
    headers = {**KEY, **more, "Prefer": prefer}
    first = api.call(method, path, body, headers=headers)
    assert first.status_code < 300, first.text
    stored = versions(api)
    again = api.call(method, path, body, headers=headers)
    assert seen(again) == seen(first)
    assert versions(api) == stored


def test_a_replay_gives_the_version_of_then(api: Api) -> None:
    first = api.post("Patient", NEW, headers=KEY)
    api.put(f"Patient/{first.json()['id']}", {**first.json(), "active": True})
    assert seen(api.post("Patient", NEW, headers=KEY)) == seen(first)


def test_the_same_key_with_another_request_is_refused(api: Api) -> None:
    api.post("Patient", NEW, headers=KEY)
    others = [
        api.post("Patient", {**NEW, "active": True}, headers=KEY),
        api.post("Patient?_format=json", NEW, headers=KEY),
        api.put("Patient/p", patient("p"), headers=KEY),
        api.post("", transaction("a"), headers=KEY),
    ]
    assert [outcome(other)[:2] for other in others] == [(422, "duplicate")] * 4
    assert total(api) == 1


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ({"If-None-Exist": "family=Lau"}, {"If-None-Exist": "family=Ng"}),
        ({"If-None-Exist": "family=Lau"}, {}),
        ({}, {"If-None-Exist": "family=Lau"}),
    ],
)
def test_another_precondition_is_another_request(
    api: Api, first: dict[str, str], other: dict[str, str]
) -> None:
    assert api.post("Patient", NEW, headers={**KEY, **first}).status_code == 201
    assert outcome(api.post("Patient", NEW, headers={**KEY, **other}))[:2] == (422, "duplicate")
    assert total(api) == 1


def test_another_version_to_follow_is_another_request(api: Api) -> None:
    api.store(patient("p"))
    body = patient("p", "Wong")
    assert api.put("Patient/p", body, headers={**KEY, "If-Match": 'W/"1"'}).status_code == 200
    for other in ({"If-Match": 'W/"2"'}, {}):
        assert outcome(api.put("Patient/p", body, headers={**KEY, **other}))[:2] == (422, "duplicate")


def test_the_same_key_with_another_batch_is_refused(api: Api) -> None:
    batch = {**transaction("a", "b"), "type": "batch"}
    assert api.post("", batch, headers=KEY).status_code == 200
    for names in (("a", "b", "c"), ("a",), ("a", "c")):
        other = {**transaction(*names), "type": "batch"}
        assert outcome(api.post("", other, headers=KEY))[:2] == (422, "duplicate")
    assert total(api) == 2


def test_the_key_of_an_entry_is_no_key_of_a_client(api: Api) -> None:
    batch = {**transaction("a"), "type": "batch"}
    (done,) = api.post("", batch, headers={"Idempotency-Key": "K"}).json()["entry"]
    body = json.dumps(batch["entry"][0]["resource"], ensure_ascii=False).encode()
    own = api.post("Patient", body, headers={"Idempotency-Key": "K#0"})
    assert own.status_code == 201
    assert not own.headers["location"].endswith(done["response"]["location"])


def test_a_key_belongs_to_its_client(api: Api) -> None:
    api.personas["other"] = persona("other", Reader.everything(), Right.VIEW, Right.DEPOSIT)
    ids = {api.post("Patient", NEW, headers=KEY, persona=name).json()["id"] for name in ("", "other")}
    assert len(ids) == 2


def test_a_request_that_was_refused_does_not_use_its_key(api: Api) -> None:
    refused = api.put("Patient/p", patient("p"), headers={**KEY, "If-Match": 'W/"1"'})
    assert refused.status_code == 412
    api.store(patient("p"))
    assert api.put("Patient/p", patient("p"), headers={**KEY, "If-Match": 'W/"1"'}).status_code == 200


def test_an_entry_of_a_batch_that_failed_is_done_by_the_replay(api: Api) -> None:
    batch = {**transaction("a"), "type": "batch"}
    batch["entry"] += [
        {
            "resource": patient("p", "Wong"),
            "request": {"method": "PUT", "url": "Patient/p", "ifMatch": 'W/"1"'},
        }
    ]
    first = api.post("", batch, headers=KEY).json()["entry"]
    api.store(patient("p"))
    again = api.post("", batch, headers=KEY).json()["entry"]
    assert again[0] == first[0]
    assert [each["response"]["status"][:3] for each in (first[1], again[1])] == ["412", "200"]
    assert total(api) == 2


ALL_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


@pytest.mark.parametrize("key", ["a", "a" * 128, "of one visit", ALL_PRINTABLE, "~ ~"])
def test_a_key_is_1_to_128_printable_characters(api: Api, key: str) -> None:
    headers = {"Idempotency-Key": key}
    first = api.post("Patient", NEW, headers=headers)
    assert first.status_code == 201
    assert seen(api.post("Patient", NEW, headers=headers)) == seen(first)
    assert total(api) == 1


@pytest.mark.parametrize("key", ["", " ", "a" * 129, "a\tb", "clé", "\x7f"], ids=ascii)
def test_a_key_that_is_none_is_refused(api: Api, key: str) -> None:
    for path, body in (("Patient", NEW), ("", {"resourceType": "Bundle", "type": "batch"})):
        refused = api.post(path, body, headers=[(b"Idempotency-Key", key.encode())])
        assert outcome(refused) == (400, "value", "Idempotency-Key")
    assert total(api) == 0


def test_a_key_is_kept_for_seven_days(api: Api) -> None:
    clock = api.node.clock
    assert isinstance(clock, SetClock)
    first = api.post("Patient", NEW, headers=KEY).json()["id"]
    clock.jump(IDEMPOTENCY_MICROS - 1_000_000)
    assert api.post("Patient", NEW, headers=KEY).json()["id"] == first
    clock.jump(2_000_000)
    assert api.post("Patient", NEW, headers=KEY).json()["id"] != first
    assert total(api) == 2
