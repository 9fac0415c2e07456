"""S5: what makes a resource visible is whose it is, and not whom it mentions."""

import ast

import pytest

from kintung.clock import SetClock
from kintung.consent import Right
from kintung.store.reader import Reader
from tests.leaks.readers import READER, given_a_reader_of
from tests.records import binary, group, listing, observation, patient
from tests.server.api import START, Api, Resource, outcome, persona
from tests.stores import Record

LINK = "urn:uuid:00000000-0000-4000-8000-000000000001"


def transaction(*entries: tuple[Resource, str]) -> Resource:
    """A transaction that creates resources under the links given."""
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": link,
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for resource, link in entries
        ],
    }


# --- Owners taken from another resource -------------------------------------------------

DERIVED = {
    "an Observation of a Group": lambda source: observation("o", None, subject={"reference": source}),
    "a Binary": lambda source: binary("b", source),
    "a List": lambda source: listing("l", source, "Observation/mine"),
}


SOURCES = ("never", "hidden", "label", "gone")
"""Ids of Groups the reader does not see: absent, of somebody else too, labelled, deleted."""


def given_groups_out_of_sight(api: Api) -> None:
    given_a_reader_of(api, "a")
    api.store(patient("a"), patient("h"), group("hidden", "a", "h"), group("label", "a"), group("gone", "h"))
    api.label("Group/label", "R")
    api.delete("Group/gone")


@pytest.mark.parametrize("kind", DERIVED)
def test_owners_are_not_taken_from_what_the_writer_cannot_see(api: Api, kind: str) -> None:
    """S7: else its writer would see the new resource, or not, as something hidden has owners or none."""
    given_groups_out_of_sight(api)
    said: set[str] = set()
    for source in SOURCES:
        resource = DERIVED[kind](f"Group/{source}")
        answer = api.post(resource["resourceType"], resource, persona=READER)
        assert outcome(answer)[:2] == (422, "business-rule")
        said.add(answer.text.replace(source, "*"))
    assert len(said) == 1


def test_an_update_takes_no_owners_from_what_its_writer_cannot_see(api: Api) -> None:
    given_groups_out_of_sight(api)
    mine = api.post("Observation", observation("o", None), persona=READER).json()["id"]
    said: set[str] = set()
    for source in SOURCES:
        changed = observation(mine, None, subject={"reference": f"Group/{source}"})
        answer = api.put(f"Observation/{mine}", changed, persona=READER)
        assert outcome(answer)[:2] == (422, "business-rule")
        said.add(answer.text.replace(source, "*"))
    assert len(said) == 1
    assert api.get(f"Observation/{mine}/_history", persona=READER).json()["total"] == 1


def test_who_sees_nothing_leaves_the_owners_to_the_record(api: Api) -> None:
    """A feed that only deposits learns nothing from whose its resource comes to be."""
    api.personas["feed"] = persona("feed", Reader.nothing("feed"), Right.DEPOSIT, organisation="clinic")
    given_a_reader_of(api, "a")
    api.store(patient("a"), observation("of-a", "a"))
    created = api.post("Binary", binary("b", "Observation/of-a"), persona="feed").headers["location"]
    assert api.get(created.partition("/_history")[0], persona=READER).status_code == 200


def test_owners_may_come_from_the_same_transaction_in_any_order(api: Api) -> None:
    given_a_reader_of(api, "a", "b")
    about = observation("o", None, subject={"reference": LINK})
    together = transaction((about, "urn:uuid:2"), (group("g", "a", "h"), LINK))
    answer = api.post("", together, persona=READER)
    assert answer.status_code == 200, answer.text
    for entry in answer.json()["entry"]:
        name = entry["response"]["location"].partition("/_history")[0]
        assert api.get(name, persona=READER).status_code == 404, "the Group has a member out of sight"
        with api.node.store.view() as view:
            owned = view.owners_of(*name.split("/"))
        assert owned is not None
        assert owned.persons == ("a", "h")


# --- S5: whose it is, not whom it mentions ----------------------------------------------

A = {"reference": "Patient/a"}
H = {"reference": "Patient/h"}
ORDERED = {"status": "active", "intent": "order"}
MENTIONS: list[tuple[str, dict[str, Resource | list[Resource] | str], str]] = [
    ("Observation", {"subject": H, "performer": [A]}, "performer"),
    ("Observation", {"subject": H, "focus": [A]}, "focus"),
    ("Task", {**ORDERED, "for": H, "requester": A}, "requester"),
    ("Task", {**ORDERED, "for": H, "owner": A}, "owner"),
    ("Task", {**ORDERED, "for": H, "focus": A}, "focus"),
    ("Claim", {"patient": H, "payee": {"type": {"text": "p"}, "party": A}}, "payee"),
    ("ExplanationOfBenefit", {"patient": H, "payee": {"party": A}}, "payee"),
    ("Coverage", {"beneficiary": H, "payor": [A]}, "payor"),
    ("Coverage", {"beneficiary": H, "policyHolder": A}, "policy-holder"),
    ("Coverage", {"beneficiary": H, "subscriber": A}, "subscriber"),
    ("Invoice", {"subject": H, "recipient": A}, "recipient"),
    ("Account", {"subject": [H], "guarantor": [{"party": A}]}, ""),
    ("Condition", {"subject": H, "asserter": A}, "asserter"),
    ("AllergyIntolerance", {"patient": H, "recorder": A}, "recorder"),
    ("Communication", {"subject": H, "sender": A}, "sender"),
    ("Communication", {"subject": H, "recipient": [A]}, "recipient"),
    ("CommunicationRequest", {"subject": H, "requester": A}, "requester"),
    ("Composition", {"subject": H, "author": [A]}, "author"),
    ("DocumentReference", {"subject": H, "author": [A]}, "author"),
    ("DocumentReference", {"subject": H, "context": {"sourcePatientInfo": A}}, ""),
    ("ServiceRequest", {**ORDERED, "subject": H, "performer": [A]}, "performer"),
    ("MedicationStatement", {"subject": H, "informationSource": A}, "source"),
    ("Procedure", {"subject": H, "performer": [{"actor": A}]}, "performer"),
    ("QuestionnaireResponse", {"subject": H, "author": A}, "author"),
    ("QuestionnaireResponse", {"subject": H, "source": A}, "source"),
    ("Consent", {"patient": H, "performer": [A]}, "consentor"),
    ("CareTeam", {"subject": H, "participant": [{"member": A}]}, "participant"),
    ("Basic", {"subject": H, "author": A}, "author"),
    ("Flag", {"subject": H, "author": A}, "author"),
    ("Media", {"subject": H, "operator": A}, "operator"),
    ("Patient", {"link": [{"other": A, "type": "seealso"}]}, "link"),
    ("RelatedPerson", {"patient": H}, ""),
    ("List", {"subject": H, "source": A}, "source"),
    ("Provenance", {"target": [H], "agent": [{"who": A}]}, "agent"),
    ("AuditEvent", {"agent": [{"who": A}], "entity": [{"what": H}]}, "agent"),
    ("Group", {"member": [{"entity": A}, {"entity": H}]}, "member"),
    ("Appointment", {"participant": [{"actor": A}, {"actor": H}]}, "actor"),
    ("Person", {"link": [{"target": A}, {"target": H}]}, "link"),
    ("Linkage", {"item": [{"resource": A}, {"resource": H}]}, "item"),
]  # fmt: skip
"""Resources that mention a without being hers alone, and the parameter that finds the mention."""


@pytest.mark.parametrize(
    ("type", "elements", "code"),
    MENTIONS,
    ids=[f"{type}.{list(elements)[-1]}" for type, elements, _ in MENTIONS],
)
def test_to_be_mentioned_gives_no_sight(api: Api, type: str, elements: Resource, code: str) -> None:
    """S5: a payer, performer, author, focus or member of many opens nothing by itself."""
    given_a_reader_of(api, "a")
    record = Record(api.node.store, api.node.scribe, SetClock(START))
    id = "h" if type == "Patient" else "it"
    record.put({"resourceType": type, "id": id, **elements}, organisation="elsewhere")
    paths = [f"{type}/{id}", f"{type}/{id}/_history/1", f"{type}/{id}/_history"]
    assert {api.get(path, persona=READER).status_code for path in paths} == {404}
    searches = [type, f"{type}/_history", "_history", *([f"{type}?{code}=Patient/a"] if code else [])]
    for path in searches:
        assert api.get(path, persona=READER).json().get("entry", []) == [], path
        assert len(api.get(path).json()["entry"]) == 1, path
    owner = Reader("h", persons=api.grant(2, "a", "h").persons)
    api.personas["owner"] = persona("owner", owner, Right.VIEW)
    assert {api.get(path, persona="owner").status_code for path in paths} == {200}


def test_the_owner_sees_what_others_pay_perform_and_write(api: Api) -> None:
    """S5, the other way: whoever is mentioned, it stays the owner's."""
    given_a_reader_of(api, "a")
    record = Record(api.node.store, api.node.scribe, SetClock(START))
    for place, (type, elements, _) in enumerate(MENTIONS):
        owned = str(elements).replace("Patient/a", "Patient/x").replace("Patient/h", "Patient/a")
        record.put({"resourceType": type, "id": f"it-{place}", **ast.literal_eval(owned)})
    seen = {entry["resource"]["id"] for entry in api.get("?_count=100", persona=READER).json()["entry"]}
    together = {"Patient", "Group", "Appointment", "Person", "Linkage"}
    assert seen == {f"it-{place}" for place, (type, *_) in enumerate(MENTIONS) if type not in together}
