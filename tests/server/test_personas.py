"""S17: every interaction of the registry is called by twelve personas; none sees what it may not."""

from collections.abc import Iterator
from typing import Any

import pytest

from kintung.consent import Policy, Right
from kintung.store.reader import Reader
from kintung.web.fhir.interactions import INTERACTIONS
from kintung.web.fhir.registry import Interaction
from tests.records import observation, organization, patient
from tests.server.api import Api, persona
from tests.server.api import api as opened

RIGHTS: dict[str, tuple[Right, ...]] = {
    "none": (),
    "view": (Right.VIEW,),
    "deposit": (Right.DEPOSIT,),
    "view and deposit": (Right.VIEW, Right.DEPOSIT),
}
SIGHTS = ("nothing", "p1", "everything")
PERSONAS = [(sight, rights) for sight in SIGHTS for rights in RIGHTS]
SECRETS = {"p1": "Secretone", "p2": "Secrettwo"}


@pytest.fixture
def api() -> Iterator[Api]:
    with opened() as found:
        for id, secret in SECRETS.items():
            found.store(patient(id, secret), observation(f"o-{id}", id, secret))
        found.store(organization("org", "Clinic"))
        readers = {
            "nothing": Reader.nothing(),
            "p1": found.grant(1, "p1"),
            "everything": Reader.everything(),
        }
        for sight, rights in PERSONAS:
            name = f"{sight}, {rights}"
            found.personas[name] = persona(name, readers[sight], *RIGHTS[rights])
        yield found


def body(interaction: Interaction) -> Any:
    """Something the interaction can take."""
    if interaction.method not in ("POST", "PUT", "PATCH"):
        return None
    if interaction.path.endswith("_search"):
        return b"_count=50"
    if interaction.path == "":
        reads = [{"request": {"method": "GET", "url": url}} for url in ("Patient/p2", "Patient", "_history")]
        return {"resourceType": "Bundle", "type": "batch", "entry": reads}
    if interaction.method == "PATCH" or "$meta" in interaction.path or interaction.types:
        return {"resourceType": "Parameters"}
    return patient("p2", "Changed") if "{id}" in interaction.path else {"resourceType": "Patient"}


def call(api: Api, interaction: Interaction, who: str) -> Any:
    type = "Patient" if not interaction.types or "Patient" in interaction.types else interaction.types[0]
    path = interaction.path.strip("/").format(type=type, id="p2", version="1", member="Observation")
    if interaction.name.startswith("lastn"):
        path += "?patient=p2&code=http://example.org/codes|"
    if interaction.name.startswith("conditional"):
        path += "?_id=none"
    form = interaction.path.endswith("_search")
    headers = {"content-type": "application/x-www-form-urlencoded"} if form else {}
    return api.call(interaction.method, path, body(interaction), persona=who, headers=headers)


READS_FIRST = sorted(INTERACTIONS, key=lambda interaction: interaction.policy is Policy.DEPOSITS)
"""What writes comes last, so that no probe is blind because what it looks for was deleted."""


@pytest.mark.parametrize(("sight", "rights"), PERSONAS)
def test_every_entry_keeps_to_its_right_and_to_the_reader(api: Api, sight: str, rights: str) -> None:
    seen = {"nothing": set[str](), "p1": {"p1"}, "everything": {"p1", "p2"}}[sight]
    if Right.VIEW not in RIGHTS[rights]:
        seen = set[str]()
    shown_at_all = set[str]()
    for interaction in READS_FIRST:
        answer = call(api, interaction, f"{sight}, {rights}")
        asked = {interaction.right, interaction.also} - {None}
        permitted = asked <= set(RIGHTS[rights])
        assert (answer.status_code != 403) == permitted, (interaction.name, answer.text)
        shown = {id for id, secret in SECRETS.items() if secret in answer.text + str(answer.headers)}
        assert shown <= seen, interaction.name
        shown_at_all |= shown
    assert shown_at_all == seen, "the probes are not blind"


@pytest.mark.parametrize("sight", SIGHTS)
def test_a_refusal_for_want_of_a_right_says_nothing_of_the_record(api: Api, sight: str) -> None:
    refusals = {
        (interaction.right, call(api, interaction, f"{sight}, none").content)
        for interaction in INTERACTIONS
        if interaction.right is not None
    }
    rights = {interaction.right for interaction in INTERACTIONS} - {None}
    assert len(refusals) == len(rights), "one for each right"
