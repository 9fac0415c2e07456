"""S15: whom a grant reaches by links, as callers of the API meet it; and what a deposit links."""

from typing import Any

from kintung.identity import registry
from kintung.identity.registry import Steward
from kintung.store.links import LinkChange, LinkKind
from kintung.store.reader import Reader
from kintung.store.writes import Grant, Prepared
from tests.leaks.readers import READER, given_a_reader_of
from tests.people import CARDS, with_card
from tests.records import observation, patient
from tests.server.api import Api

STEWARD = Steward("steward", "registry", "HOPERAT", Reader.everything())


def everything(api: Api, id: str) -> set[str]:
    answer = api.get(f"Patient/{id}/$everything", persona=READER)
    return set() if answer.status_code == 404 else _names(answer.json())


def found(api: Api, search: str) -> set[str]:
    return _names(api.get(search, persona=READER).json())


def _names(bundle: dict[str, Any]) -> set[str]:
    resources = (entry["resource"] for entry in bundle.get("entry", ()))
    return {f"{resource['resourceType']}/{resource['id']}" for resource in resources}


def person(api: Api, id: str) -> tuple[str, ...]:
    with api.node.store.view() as view:
        return view.person(Reader.everything(), id)


def say(api: Api, kind: LinkKind, one: str, other: str) -> None:
    api.prepared(Prepared(links=(LinkChange(one, other, kind, "rule", "", 900),)))


def refresh(api: Api) -> None:
    """The persona's next request: its scope as of now."""
    access = api.personas[READER]
    scope = api.node.store.scope(1)
    reader = Reader(READER, scope, access.reader.organisations, hidden=access.reader.hidden)
    api.personas[READER] = access.__class__(
        access.actor, access.organisation, access.purpose, reader, access.rights, access.client
    )


def test_a_grant_reaches_a_person_by_certain_links_alone(api: Api) -> None:
    other = {"other": {"reference": "Patient/h"}, "type": "replaces"}
    api.store(patient("a", link=[other]), patient("b"), patient("h"))
    api.store(*(observation(f"{id}-o", id) for id in "abh"))
    given_a_reader_of(api, "a")
    say(api, LinkKind.PROBABLE, "a", "b")

    assert found(api, "Observation?") == {"Observation/a-o"}
    assert everything(api, "a") == {"Patient/a", "Observation/a-o"}

    say(api, LinkKind.CERTAIN, "a", "b")
    refresh(api)
    assert found(api, "Observation?") == {"Observation/a-o", "Observation/b-o"}
    assert found(api, "Observation?patient=a") == {"Observation/a-o"}
    assert found(api, "Patient/a/Observation") == {"Observation/a-o"}
    both = {f"{type}{id}{rest}" for id in "ab" for type, rest in (("Patient/", ""), ("Observation/", "-o"))}
    assert everything(api, "a") == everything(api, "b") == both

    registry.unmerge(api.node.store, STEWARD, "a", "b", version=2)
    assert found(api, "Observation?") == {"Observation/a-o"}  # whatever scope the request brings
    refresh(api)
    assert found(api, "Observation?") == {"Observation/a-o"}
    assert everything(api, "a") == {"Patient/a", "Observation/a-o"}
    assert everything(api, "b") == set()


def test_who_sees_part_of_a_person_is_shown_that_part(api: Api) -> None:
    api.store(patient("a"), patient("b"), observation("a-o", "a"), observation("b-o", "b"))
    given_a_reader_of(api, "a")
    made = observation("", None, performer=[{"reference": "Patient/b"}])
    del made["id"]
    assert api.post("Observation", made, persona=READER).status_code == 201
    say(api, LinkKind.CERTAIN, "a", "b")
    api.label("Patient/b", "R")
    refresh(api)

    assert everything(api, "a") == {"Patient/a", "Observation/a-o"}


def test_a_denial_of_one_record_holds_for_the_person(api: Api) -> None:
    api.store(patient("a"), patient("b"), observation("a-o", "a"), observation("b-o", "b"))
    given_a_reader_of(api, "a", "b")
    api.prepared(Prepared(grants=(Grant(1, deny=("b",)),)))
    refresh(api)
    assert found(api, "Observation?") == {"Observation/a-o"}

    say(api, LinkKind.CERTAIN, "a", "b")
    refresh(api)
    assert found(api, "Observation?") == everything(api, "a") == set()


def test_a_steward_is_told_of_pairs_in_sight(api: Api) -> None:
    api.store(*(patient(id) for id in "abc"))
    reader = given_a_reader_of(api, "a", "b")
    say(api, LinkKind.PROBABLE, "a", "b")
    say(api, LinkKind.PROBABLE, "a", "c")

    with api.node.store.view() as view:
        assert [link.pair for link in view.queue(reader, 9)] == [("a", "b")]
        assert [link.pair for link in view.links_of(reader, "a")] == [("a", "b")]
        assert view.link(reader, "a", "c") is None
        assert view.said(reader, "a", "c") == ()


def test_what_everything_of_a_person_shows_is_listed_for_the_steward(api: Api) -> None:
    api.store(patient("a"), patient("b"), observation("b-o", "b"))
    given_a_reader_of(api, "a")
    say(api, LinkKind.CERTAIN, "a", "b")
    refresh(api)

    everything(api, "a")
    found(api, "Observation?patient=b")
    api.get("Patient/a/$everything")  # who sees all rests on no grant; it asked for the person
    registry.unmerge(api.node.store, STEWARD, "a", "b", version=1)
    found(api, "Observation?patient=a")

    with api.node.store.view() as view:
        listed = view.disclosed(Reader.everything(), "a", "b")
    assert [(each.patient, each.actor, each.operation) for each in listed] == [
        ("b", READER, "everything"),
        ("b", READER, "search-type"),
        ("b", "unprotected", "everything"),
    ]


def test_every_way_to_write_a_patient_links_it(api: Api) -> None:
    api.store(with_card("a"))
    transaction = {"resourceType": "Bundle", "type": "transaction"}
    batch = {"resourceType": "Bundle", "type": "batch"}

    created = api.post("Patient", with_card("x")).json()["id"]
    api.put("Patient/put", with_card("put"))
    api.put(f"Patient?identifier=x|{created}", patient("cond") | {"identifier": with_card("x")["identifier"]})
    for id, bundle in (("transacted", transaction), ("batched", batch)):
        entry = {"request": {"method": "PUT", "url": f"Patient/{id}"}, "resource": with_card(id)}
        assert api.post("", {**bundle, "entry": [entry]}).status_code == 200
    assert {"a", created, "put", "transacted", "batched"} <= set(person(api, "a"))

    card = [{"op": "replace", "path": "/identifier/0/value", "value": CARDS[1]}]
    patched = api.call("PATCH", "Patient/put", card, headers={"content-type": "application/json-patch+json"})
    assert patched.status_code == 200, patched.text
    assert person(api, "put") == ("put",)
    api.delete("Patient/batched")
    assert "batched" not in person(api, "a")


def test_a_transaction_that_brings_two_of_one_person_links_them(api: Api) -> None:
    entries = [
        {"request": {"method": "PUT", "url": f"Patient/{id}"}, "resource": with_card(id)} for id in ("a", "b")
    ]
    api.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})

    assert person(api, "a") == ("a", "b")
