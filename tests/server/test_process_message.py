"""$process-message, the patient identity feed of PMIR (ITI-93); what a source says of its own duplicates."""

from collections.abc import Sequence
from typing import Any

import pytest

from kintung.consent import Right
from kintung.store.links import LinkChange, LinkKind
from kintung.store.memory import MemoryStore
from kintung.store.reader import Reader
from kintung.store.writes import Prepared
from tests.server.api import BASE, Api, Resource, outcome, persona

EVENT = "urn:ihe:iti:pmir:2019:patient-feed"


def ward(id: str, *, replaced_by: str = "", **members: Any) -> Resource:
    """A record of a ward, maybe one that another replaces."""
    found: Resource = {"resourceType": "Patient", "id": id, "active": not replaced_by, "name": [{"text": id}]}
    if replaced_by:
        found["link"] = [{"other": {"reference": f"Patient/{replaced_by}"}, "type": "replaced-by"}]
    return found | members


def put(resource: Resource) -> Resource:
    url = f"Patient/{resource['id']}"
    return {
        "fullUrl": f"https://ward.example/{url}",
        "resource": resource,
        "request": {"method": "PUT", "url": url},
        "response": {"status": "200"},
    }


def post(resource: Resource) -> Resource:
    return put(resource) | {"request": {"method": "POST", "url": "Patient"}, "response": {"status": "201"}}


def delete(id: str) -> Resource:
    return {"request": {"method": "DELETE", "url": f"Patient/{id}"}, "response": {"status": "204"}}


def message(*entries: Resource, id: str = "one", event: str = EVENT) -> Resource:
    """A message of the feed; ``entries`` are those of its history."""
    header = {
        "resourceType": "MessageHeader",
        "id": id,
        "eventUri": event,
        "source": {"endpoint": "https://ward.example"},
    }
    history = {"resourceType": "Bundle", "type": "history", "entry": list(entries)}
    return {
        "resourceType": "Bundle",
        "type": "message",
        "entry": [
            {"fullUrl": "urn:uuid:0b2d1b1c-0d3f-4f55-8a07-6a8f2f3d1a01", "resource": header},
            {"fullUrl": "urn:uuid:0b2d1b1c-0d3f-4f55-8a07-6a8f2f3d1a02", "resource": history},
        ],
    }


def feed(api: Api, *entries: Resource, id: str = "one", persona: str = "ward") -> Any:
    return api.post("$process-message", message(*entries, id=id), persona=persona)


def person(api: Api, id: str) -> tuple[str, ...]:
    with api.node.store.view() as view:
        return view.person(Reader.everything(), id)


def audited(api: Api) -> list[tuple[str, str, int]]:
    """Actor, operation and status of all that is on record."""
    store = api.node.store
    assert isinstance(store, MemoryStore)
    return [(each.record.actor, each.record.operation, each.record.status) for each in store._state.audit]


@pytest.fixture
def sources(api: Api) -> Api:
    """Two organisations that write; each sees all, so that only who deposited what tells them apart."""
    for name in ("ward", "clinic"):
        rights = (Right.VIEW, Right.DEPOSIT, Right.PLACE)
        api.personas[name] = persona(name, Reader.everything(name), *rights, organisation=name)
    for id in ("a", "b", "c"):
        assert api.put(f"Patient/{id}", ward(id), persona="ward").status_code == 201
    assert api.put("Patient/x", ward("x"), persona="clinic").status_code == 201
    return api


# --- The feed -------------------------------------------------------------------------


def test_patients_are_created_updated_and_deleted_as_one(sources: Api) -> None:
    """ITI-93, 2:3.93.4.1.3."""
    sent = (post(ward("theirs")), put(ward("a", gender="female")), delete("b"))
    answer = feed(sources, *sent)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    header = body["entry"][0]["resource"]
    assert (body["type"], len(body["entry"]), header["resourceType"]) == ("message", 1, "MessageHeader")
    assert (header["eventUri"], header["source"]) == (EVENT, {"endpoint": BASE})
    assert header["response"] == {"identifier": "one", "code": "ok"}
    created, *others = [each["reference"] for each in header["focus"]]
    assert others == ["Patient/a", "Patient/b"]
    assert created != "Patient/theirs"  # the id is the registry's to give
    assert sources.get(created).json()["name"] == [{"text": "theirs"}]
    assert sources.get("Patient/a").json()["gender"] == "female"
    assert sources.get("Patient/b").status_code == 410
    assert audited(sources)[-4] == ("ward", "process-message", 200)


def test_one_refused_entry_refuses_all(sources: Api) -> None:
    answer = feed(sources, put(ward("a", gender="female")), put(ward("b", gender="none")))
    where = "Bundle.entry[1].resource.entry[1].resource.gender"
    assert outcome(answer) == (400, "code-invalid", where)
    assert "gender" not in sources.get("Patient/a").json()


def test_a_message_sent_again_is_done_once(sources: Api) -> None:
    first, again = (feed(sources, post(ward("theirs"))).json() for _ in range(2))
    assert first["entry"][0]["resource"]["focus"] == again["entry"][0]["resource"]["focus"]
    other = feed(sources, post(ward("others")))
    assert outcome(other)[:2] == (422, "duplicate")


@pytest.mark.parametrize(
    ("sent", "code", "path"),
    [
        (message() | {"type": "transaction"}, "value", "Bundle.type"),
        (message() | {"entry": message()["entry"][:1]}, "structure", "Bundle.entry"),
        (message(event="urn:x"), "not-supported", "Bundle.entry[0].resource.eventUri"),
        (message(delete("a") | {"request": {"method": "GET", "url": "Patient/a"}}), "not-supported", None),
        (
            message(delete("a") | {"request": {"method": "DELETE", "url": "Observation/a"}}),
            "not-supported",
            None,
        ),
        (message({"resource": ward("a"), "response": {"status": "200"}}), "not-supported", None),
        ({"resourceType": "Patient"}, "structure", None),
    ],
)
def test_what_is_no_feed_is_refused_with_its_place(
    sources: Api, sent: Resource, code: str, path: str | None
) -> None:
    status, issue, place = outcome(sources.post("$process-message", sent, persona="ward"))
    assert (status, issue) == (400, code)
    assert path is None or place == path


def test_a_header_without_an_id_is_refused(sources: Api) -> None:
    sent = message()
    del sent["entry"][0]["resource"]["id"]
    answer = outcome(sources.post("$process-message", sent, persona="ward"))
    assert answer == (400, "structure", "Bundle.entry[0].resource.id")


# --- Merges ---------------------------------------------------------------------------


def test_a_source_merges_its_own_records_and_takes_it_back(sources: Api) -> None:
    before = sources.get("Patient/a").json()
    assert feed(sources, put(ward("a", replaced_by="b"))).status_code == 200
    assert person(sources, "a") == person(sources, "b") == ("a", "b")
    assert sources.get("Patient/a").json()["link"][0]["other"] == {"reference": "Patient/b"}
    assert feed(sources, put(ward("b", gender="male")), id="two").status_code == 200
    assert person(sources, "a") == ("a", "b")
    assert feed(sources, put(ward("a")), id="three").status_code == 200  # un-merge: local policy lets it
    assert (person(sources, "a"), person(sources, "b")) == (("a",), ("b",))
    after = sources.get("Patient/a").json()
    assert {**after, "meta": 0} == {**before, "meta": 0}


def test_a_steward_goes_before_a_source(sources: Api) -> None:
    sources.prepared(Prepared(links=(LinkChange("a", "b", LinkKind.APART, "steward", "two"),)))
    assert feed(sources, put(ward("a", replaced_by="b"))).status_code == 200
    assert person(sources, "a") == ("a",)


@pytest.mark.parametrize(
    ("replaced", "by"),
    [("a", "x"), ("a", "nobody")],
    ids=["of another source", "not known"],
)
def test_a_source_merges_no_record_but_its_own(sources: Api, replaced: str, by: str) -> None:
    answer = feed(sources, put(ward(replaced, replaced_by=by)))
    where = "Bundle.entry[1].resource.entry[0].resource.link"
    assert outcome(answer) == (422, "business-rule", where)
    assert person(sources, replaced) == (replaced,)
    assert sources.get(f"Patient/{replaced}").json()["active"] is True
    assert ("ward", "process-message", 422) in audited(sources)


def test_hidden_and_absent_records_are_alike(sources: Api) -> None:
    reader = sources.grant(3, "a")
    sources.personas["part"] = persona("part", reader, Right.VIEW, Right.DEPOSIT, organisation="ward")
    answers = [feed(sources, put(ward("a", replaced_by=by)), persona="part") for by in ("b", "z")]
    assert outcome(answers[0])[0] == 422
    assert answers[0].text == answers[1].text.replace("Patient/z", "Patient/b")


def test_who_sees_one_of_two_gives_itself_no_reach(sources: Api) -> None:
    """By the other doors the link is kept as it is sent, and joins nobody."""
    sources.personas["part"] = persona(
        "part", sources.grant(3, "a"), Right.VIEW, Right.DEPOSIT, organisation="ward"
    )
    assert sources.put("Patient/a", ward("a", replaced_by="b"), persona="part").status_code == 200
    assert person(sources, "a") == ("a",)
    assert sources.get("Patient/b", persona="part").status_code == 404


@pytest.mark.parametrize(
    "said",
    [
        ward("a", replaced_by="b", active=True),
        ward("a", replaced_by="b") | {"link": []},
        ward("a") | {"active": False, "link": [{"other": {"display": "b"}, "type": "replaced-by"}]},
        ward("a")
        | {
            "active": False,
            "link": [{"other": {"reference": f"Patient/{id}"}, "type": "replaced-by"} for id in ("b", "c")],
        },
    ],
)
def test_a_merge_that_is_not_clear_is_refused(sources: Api, said: Resource) -> None:
    assert feed(sources, put(said)).status_code in (400, 422)
    assert person(sources, "a") == ("a",)


# --- Circles, at every door -----------------------------------------------------------


def circular(api: Api, *resources: Resource) -> Sequence[tuple[str, Any]]:
    """Each way of sending the same Patients, and its answer."""
    entries = [{"resource": each, "request": put(each)["request"]} for each in resources]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    batch = api.post("", bundle | {"type": "batch"}, persona="ward").json()["entry"][-1]["response"]
    last = resources[-1]
    return [
        ("message", feed(api, *map(put, resources), id="circle").json()["issue"][0]),
        ("update", api.put(f"Patient/{last['id']}", last, persona="ward").json()["issue"][0]),
        ("transaction", api.post("", bundle, persona="ward").json()["issue"][0]),
        ("batch", batch["outcome"]["issue"][0]),
    ]


def test_a_circular_merge_is_refused_at_every_door(sources: Api) -> None:
    assert feed(sources, put(ward("a", replaced_by="b")), put(ward("b", replaced_by="c"))).status_code == 200
    kept = sources.get("Patient/c").content
    for door, issue in circular(sources, ward("c", replaced_by="a")):
        assert (issue["code"], "circular" in issue["details"]["text"]) == ("business-rule", True), door
    assert sources.get("Patient/c").content == kept
    assert person(sources, "a") == ("a", "b", "c")
    refused = {operation for actor, operation, status in audited(sources) if status == 422}
    assert refused == {"process-message", "update", "transaction"}


def test_two_that_replace_each_other_in_one_message_are_refused(sources: Api) -> None:
    answer = feed(sources, put(ward("a", replaced_by="b")), put(ward("b", replaced_by="a")))
    assert outcome(answer)[:2] == (422, "business-rule")
    assert outcome(feed(sources, put(ward("a", replaced_by="a"))))[:2] == (422, "business-rule")
    assert person(sources, "a") == ("a",)


# --- The word of others ---------------------------------------------------------------


def test_another_source_neither_says_nor_takes_back(sources: Api) -> None:
    merged = ward("a", replaced_by="b")
    assert outcome(sources.put("Patient/a", merged, persona="clinic"))[:2] == (422, "business-rule")
    assert sources.put("Patient/a", merged, persona="ward").status_code == 200
    assert person(sources, "a") == ("a", "b")
    assert outcome(sources.put("Patient/a", ward("a"), persona="clinic"))[:2] == (422, "business-rule")
    changed = merged | {"gender": "male"}
    assert sources.put("Patient/a", changed, persona="clinic").status_code == 200
    assert person(sources, "a") == ("a", "b")


def test_many_records_may_not_be_replaced_by_one(sources: Api) -> None:
    for number in range(32):
        sent = ward(f"d{number}", replaced_by="b")
        assert sources.put(f"Patient/d{number}", sent, persona="ward").status_code == 201
    one_more = sources.put("Patient/more", ward("more", replaced_by="b"), persona="ward")
    assert outcome(one_more)[:2] == (422, "business-rule")
