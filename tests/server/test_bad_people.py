"""What is wrong with a person, at every door it can come in: a clear answer, nothing lost, all on record."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from kintung.cli.loading import Loader
from kintung.cli.loading.sources import Item
from kintung.cli.loading.tally import Tally
from kintung.errors import RuleFailed, VersionConflict
from kintung.identity import registry
from kintung.identity.registry import Steward
from kintung.store.links import LinkChange, LinkKind
from kintung.store.memory import MemoryStore
from kintung.store.reader import Reader
from kintung.store.writes import AuditRecord, Prepared
from tests.patients import name, number
from tests.server.api import BASE, Api, Resource, ids, outcome
from tests.server.api import api as opened
from tests.server.test_process_message import message, put

LOCAL = "urn:oid:1.3.6.1.4.1.21367.13.20.1000"


class Came(NamedTuple):
    """What a door answered: the status of the entry, and what was wrong with it."""

    status: int
    issue: Resource | None


@pytest.fixture
def api() -> Iterator[Api]:
    """In memory, where the audit can be looked at."""
    with opened() as found:
        yield found


def person(**members: Any) -> Resource:
    return {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": LOCAL, "value": "1"}],
        "name": [name("CHAN", "Tai Man")],
    } | members


def came(answer: Any) -> Came:
    failed = answer.status_code >= 400
    return Came(answer.status_code, answer.json()["issue"][0] if failed else None)


def create(api: Api, sent: Resource) -> Came:
    return came(api.post("Patient", {key: value for key, value in sent.items() if key != "id"}))


def update(api: Api, sent: Resource) -> Came:
    return came(api.put("Patient/p", sent))


def feed(api: Api, sent: Resource) -> Came:
    """ITI-104."""
    return came(api.put(f"Patient?identifier={LOCAL}|1", sent))


def bundled(sent: Resource, type: str) -> Resource:
    entry = {"resource": sent, "request": {"method": "PUT", "url": "Patient/p"}}
    return {"resourceType": "Bundle", "type": type, "entry": [entry]}


def transaction(api: Api, sent: Resource) -> Came:
    return came(api.post("", bundled(sent, "transaction")))


def batch(api: Api, sent: Resource) -> Came:
    response = api.post("", bundled(sent, "batch")).json()["entry"][0]["response"]
    issues = response.get("outcome", {}).get("issue", [None])
    return Came(int(response["status"][:3]), issues[0])


def pmir(api: Api, sent: Resource) -> Came:
    """ITI-93."""
    return came(api.post("$process-message", message(put(sent))))


def load(api: Api, sent: Resource) -> Came:
    tally = Tally()
    item = Item("people.ndjson", 1, "key", json.dumps(sent).encode())
    Loader(api.node, "memory:", None, processes=0).load([item], tally)
    assert tally.items == 1
    for reason, place in tally.first_refused.items():
        code, _, text = reason.partition(": ")
        return Came(400, {"code": code, "details": {"text": text}, "expression": [place]})
    return Came(201, None)


Door = Callable[[Api, Resource], Came]
DOORS: tuple[Door, ...] = (create, update, feed, transaction, batch, pmir, load)
doors = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)


def records(api: Api) -> list[AuditRecord]:
    store = api.node.store
    assert isinstance(store, MemoryStore)
    return [each.record for each in store._state.audit]


def stored(api: Api) -> list[Resource]:
    bundle = api.get("Patient").json()
    return [entry["resource"] for entry in bundle.get("entry", ())]


# --- Kept as it was sent --------------------------------------------------------------

KEPT = {
    "a wrong check digit": {"identifier": [{"system": LOCAL, "value": "1"}, number("hkid", "A123456(4)")]},
    "an unknown system": {
        "identifier": [{"system": LOCAL, "value": "1"}, {"system": "urn:x-nobody:knows", "value": "Z 9"}]
    },
    "a name in private use": {"name": [{"text": "陳\ue0f3"}]},
    "a birth date to come": {"birthDate": "2999-01-02"},
}


@doors
@pytest.mark.parametrize("members", KEPT.values(), ids=list(KEPT))
def test_what_may_be_so_is_kept_as_sent_and_on_record(api: Api, door: Door, members: Resource) -> None:
    before = len(records(api))
    assert door(api, person(**members)).status in (200, 201)
    written = records(api)[before:]
    (kept,) = stored(api)
    assert {key: kept[key] for key in members} == members
    assert [(each.status in (200, 201), len(each.patient_keys)) for each in written] == [(True, 1)] or (
        door is load and written == []
    )


def test_what_is_doubtful_is_said_to_who_asks(api: Api) -> None:
    wrong = person(**KEPT["a wrong check digit"])
    for method, path in (("POST", "Patient"), ("PUT", "Patient/p"), ("PUT", f"Patient?identifier={LOCAL}|1")):
        told = api.call(method, path, wrong, headers={"prefer": "return=OperationOutcome"}).json()["issue"]
        assert {(each["severity"], *each["expression"]) for each in told[1:]} == {
            ("warning", "Patient.identifier[0].system"),
            ("warning", "Patient.identifier[1].value"),
        }
        api.delete("Patient/p")
        for each in stored(api):
            api.delete(f"Patient/{each['id']}")


def test_a_name_in_private_use_is_found_by_its_character(api: Api) -> None:
    api.store(person(**KEPT["a name in private use"]))
    api.store(person(id="q", identifier=[{"system": LOCAL, "value": "2"}], name=[{"text": "陳大文"}]))
    assert ids(api.get("Patient?name=陳婷").json()) == ["p"]
    assert ids(api.get("Patient?name=CHAN Ting").json()) == ["p"]
    assert ids(api.get("Patient?name=陳\ue0f3").json()) == ["p"]
    asked = {"resourceType": "Patient", "name": [{"text": "陳婷"}], "birthDate": "1950-03-04"}
    assert api.post("Patient/$match", asked).status_code == 200


# --- Refused --------------------------------------------------------------------------


@doors
@pytest.mark.parametrize("born", ["2023-02-30", "1950-13-01", "yesterday"])
def test_an_impossible_birth_date_is_refused_with_its_place(api: Api, door: Door, born: str) -> None:
    before = len(records(api))
    status, issue = door(api, person(birthDate=born))
    assert status == 400
    assert issue is not None
    assert issue["expression"][0].endswith("birthDate"), issue
    assert issue["details"]["text"]
    assert [each.status for each in records(api)[before:]] == [400]
    assert stored(api) == []


@pytest.mark.parametrize("door", DOORS[1:], ids=lambda door: door.__name__)
def test_a_circular_merge_is_refused(api: Api, door: Door) -> None:
    """By all doors but create, which makes a record that nothing leads to yet."""
    q = person(id="q", identifier=[{"system": LOCAL, "value": "2"}])
    api.store(q, person(), q | replaced_by("p"))
    before, kept = len(records(api)), api.get("Patient/p").content
    status, issue = door(api, person(**replaced_by("q")))
    assert status in (400, 422)
    assert issue is not None
    assert "circular" in issue["details"]["text"]
    assert [each.status for each in records(api)[before:] if each.operation != "read"] == [422]
    assert api.get("Patient/p").content == kept


def replaced_by(id: str) -> Resource:
    return {"active": False, "link": [{"other": {"reference": f"Patient/{id}"}, "type": "replaced-by"}]}


# --- What asks ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"identifier": [number("hkid", "A123456(4)")]}, "Patient.identifier[0].value"),
        ({"birthDate": "2023-02-30"}, "Patient.birthDate"),
        ({"birthDate": "2999-01-02"}, "Patient.birthDate"),
    ],
)
def test_match_says_what_nobody_can_be(api: Api, members: Resource, path: str) -> None:
    status, _, place = outcome(api.post("Patient/$match", person(**members)))
    assert status == 400
    assert place is not None
    assert place in (path, path.removesuffix(".value"))
    assert (records(api)[-1].operation, records(api)[-1].status) == ("match", 400)


def test_match_compares_a_system_it_does_not_know_as_it_is_written(api: Api) -> None:
    unknown = person(**KEPT["an unknown system"])
    api.store(unknown)
    assert api.post("Patient/$match", unknown).status_code == 200
    assert (records(api)[-1].operation, records(api)[-1].status) == ("match", 200)


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("https://kintung.org/fhir/sid/hkid|A123456(4)", 404),
        ("urn:x-nobody:knows|Z9", 404),
        ("no uri|1", 400),
        ("|1", 400),
    ],
)
def test_pix_answers_and_is_on_record(api: Api, source: str, status: int) -> None:
    assert api.get(f"Patient/$ihe-pix?sourceIdentifier={source}").status_code == status
    assert (records(api)[-1].operation, records(api)[-1].status) == ("ihe-pix", status)


# --- A steward ------------------------------------------------------------------------


def test_the_second_of_two_stewards_looks_again(api: Api) -> None:
    api.store(person(), person(id="q"))
    api.prepared(Prepared(links=(LinkChange("p", "q", LinkKind.PROBABLE, "rule", "alike"),)))
    stewards = [Steward(who, "registry", "HOPERAT", Reader.everything(who)) for who in ("one", "two")]
    registry.merge(api.node.store, stewards[0], "p", "q", version=1)
    with pytest.raises(VersionConflict, match="look at the pair again"):
        registry.keep_apart(api.node.store, stewards[1], "p", "q", version=1)
    told = [(each.actor, each.operation, each.status) for each in records(api)[-2:]]
    assert told == [("one", "merge", 200), ("two", "keep-apart", 412)]
    with api.node.store.view() as view:
        assert view.person(Reader.everything(), "p") == ("p", "q")


def test_a_steward_is_shown_what_is_wrong(api: Api) -> None:
    api.store(person(**KEPT["a wrong check digit"]), person(id="q"))
    address = BASE.removesuffix("/fhir")
    page = api.call("GET", f"{address}/steward/pairs/p/q", headers={"accept-language": "en"})
    assert page.status_code == 200
    assert "not a valid number" in page.text


def test_a_steward_is_refused_a_circle(api: Api) -> None:
    api.store(person())
    steward = Steward("one", "registry", "HOPERAT", Reader.everything("one"))
    with pytest.raises(RuleFailed, match="one source record"):
        registry.merge(api.node.store, steward, "p", "p", version=0)
    assert (records(api)[-1].operation, records(api)[-1].status) == ("merge", 422)
