"""S5, S9: what makes a resource visible is whose it is, and nobody can change that by writing."""

import pytest

from kintung.consent import Right
from kintung.store.reader import Reader
from tests.records import binary, group, listing, observation, patient
from tests.server.api import Api, Resource, outcome, persona

READER = "r"
LINK = "urn:uuid:00000000-0000-4000-8000-000000000001"


def given_a_reader_of(api: Api, *persons: str) -> Reader:
    """A clinician of one clinic who sees these persons, and may write."""
    scope = api.grant(1, *persons).persons
    reader = Reader(READER, scope, organisations=frozenset({"clinic"}), hidden=frozenset({"R"}))
    api.personas[READER] = persona(READER, reader, Right.VIEW, Right.DEPOSIT, organisation="clinic")
    return reader


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
    locations = [
        entry["response"]["location"] for entry in api.post("", together, persona=READER).json()["entry"]
    ]
    for location in locations:
        name = location.partition("/_history")[0]
        assert api.get(name, persona=READER).status_code == 404, "the Group has a member out of sight"
        with api.node.store.view() as view:
            owned = view.owners_of(*name.split("/"))
        assert owned is not None
        assert owned.persons == ("a", "h")
