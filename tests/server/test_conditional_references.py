"""Conditional references of a transaction: met by the record as it will be, on every store."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kintung.consent import Right, unprotected
from kintung.errors import MultipleMatches
from kintung.store.port import Unit
from kintung.store.reader import Reader
from kintung.store.units import rehearse
from kintung.web.fhir import conditional
from kintung.web.fhir.bundle import received
from kintung.web.fhir.request import Request
from kintung.web.fhir.transaction import Transaction
from kintung.web.site import Site, WebSettings
from tests.records import observation, organization, patient
from tests.server.api import BASE, Api, Resource, ids, outcome, persona
from tests.server.api import api as opened
from tests.server.test_bundles import about, entry, located, statuses, transaction
from tests.stores import ADAPTERS

NAMED = {"system": "http://example.org/mrn", "value": "7"}
OTHER = {"system": "http://example.org/mrn", "value": "8"}
HKID = "https://kintung.org/fhir/sid/hkid"
ABOUT_7 = entry("POST", "Observation", about("Patient?identifier=http://example.org/mrn|7"))


@pytest.fixture(params=ADAPTERS)
def api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    match request.param:
        case "sqlite":
            url = f"sqlite:///{tmp_path}/record.db"
        case "postgres":
            url = request.getfixturevalue("postgres_url")
        case _:
            url = "memory:"
    with opened(url) as found:
        yield found


def subject(api: Api, answer: Any, place: int) -> str:
    """What the stored Observation of an entry is about."""
    return api.get(located(answer, place)).json()["subject"]["reference"]


@pytest.mark.parametrize("first", [0, 1])
def test_what_the_transaction_creates_matches_wherever_it_stands(api: Api, first: int) -> None:
    created = entry("POST", "Patient", {"resourceType": "Patient", "identifier": [NAMED]})
    answer = api.post("", transaction(*([created, ABOUT_7] if first == 0 else [ABOUT_7, created])))
    assert statuses(answer) == ["201 Created"] * 2
    made = located(answer, first)
    assert subject(api, answer, 1 - first) == made
    assert len(ids(api.get(f"Observation?subject={made}").json())) == 1


def test_what_the_transaction_places_or_changes_matches_as_it_becomes(api: Api) -> None:
    api.store(patient("p", identifier=[OTHER]))
    changed = entry("PUT", "Patient/p", patient("p", identifier=[NAMED]))
    assert subject(api, api.post("", transaction(changed, ABOUT_7)), 1) == "Patient/p"
    placed = entry("PUT", "Patient/q", patient("q", identifier=[OTHER]))
    about_8 = entry("POST", "Observation", about("Patient?identifier=8"))
    assert subject(api, api.post("", transaction(placed, about_8)), 1) == "Patient/q"


def test_what_is_changed_matches_no_longer_as_it_was(api: Api) -> None:
    api.store(patient("p", identifier=[NAMED]))
    changed = entry("PUT", "Patient/p", patient("p", identifier=[OTHER]))
    answer = api.post("", transaction(changed, ABOUT_7))
    assert outcome(answer) == (412, "not-found", "Bundle.entry[1]")
    assert api.get("Patient/p").headers["etag"] == 'W/"1"'


def test_what_is_deleted_matches_no_longer(api: Api) -> None:
    api.store(patient("p", identifier=[NAMED]), patient("q", identifier=[NAMED]))
    answer = api.post("", transaction(ABOUT_7, entry("DELETE", "Patient/p")))
    assert statuses(answer) == ["201 Created", "204 No Content"]
    assert subject(api, answer, 0) == "Patient/q"
    alone = transaction(ABOUT_7, entry("DELETE", "Patient/q"))
    assert outcome(api.post("", alone)) == (412, "not-found", "Bundle.entry[0]")


def test_many_that_are_deleted_hide_none_that_stays(api: Api) -> None:
    api.store(patient("kept", identifier=[NAMED]))  # the first stored, and so the last to match
    names = [f"p{number}" for number in range(5)]
    api.store(*(patient(name, identifier=[NAMED]) for name in names))
    answer = api.post("", transaction(ABOUT_7, *(entry("DELETE", f"Patient/{name}") for name in names)))
    assert subject(api, answer, 0) == "Patient/kept"


def test_one_stored_and_one_created_are_two(api: Api) -> None:
    api.store(patient("p", identifier=[NAMED]))
    created = entry("POST", "Patient", {"resourceType": "Patient", "identifier": [NAMED]})
    answer = api.post("", transaction(created, ABOUT_7))
    assert outcome(answer) == (412, "multiple-matches", "Bundle.entry[1]")
    assert api.get("Patient?_total=accurate").json()["total"] == 1
    assert api.get("Observation?_total=accurate").json()["total"] == 0


def test_a_conditional_create_is_met_by_the_record_before(api: Api) -> None:
    """Two creates stay two; the reference then has two to choose from."""
    created = entry("POST", "Patient", {"resourceType": "Patient", "identifier": [NAMED]})
    once = {**created, "request": {**created["request"], "ifNoneExist": "identifier=7"}}
    assert statuses(api.post("", transaction(created, once))) == ["201 Created"] * 2
    assert outcome(api.post("", transaction(ABOUT_7)))[:2] == (412, "multiple-matches")


def test_links_inside_the_bundle_are_resolved_before(api: Api) -> None:
    visit = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": "urn:uuid:p"},
    }
    letter = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"url": "urn:uuid:e"}}],
    }
    answer = api.post(
        "",
        transaction(
            entry("PUT", "Patient/p", patient("p", identifier=[NAMED]), "urn:uuid:p"),
            entry("PUT", "Encounter/e", {**visit, "id": "e"}, "urn:uuid:e"),
            entry("POST", "DocumentReference", letter),
            entry(
                "POST",
                "Observation",
                {**about("urn:uuid:p"), "encounter": {"reference": "Encounter?subject=p"}},
            ),
            entry("POST", "List", items("DocumentReference?location=Encounter/e")),
            entry("POST", "List", items("Encounter?subject.identifier=7")),
        ),
    )
    assert answer.status_code == 200, answer.text
    assert api.get(located(answer, 3)).json()["encounter"]["reference"] == "Encounter/e"
    found = [api.get(located(answer, place)).json()["entry"][0]["item"]["reference"] for place in (4, 5)]
    assert found == [located(answer, 2), "Encounter/e"]


def items(reference: str) -> Resource:
    item = {"item": {"reference": reference}}
    return {"resourceType": "List", "status": "current", "mode": "working", "entry": [item]}


def test_conditional_references_wait_for_no_other(api: Api) -> None:
    """Whom the Observation is about is itself a search: it is nobody's yet when the List asks."""
    api.store(patient("p", identifier=[NAMED]))
    asks = entry("POST", "List", items("Observation?subject=Patient/p"))
    assert outcome(api.post("", transaction(ABOUT_7, asks))) == (412, "not-found", "Bundle.entry[1]")


def test_an_identifier_of_a_vaulted_system_matches_in_any_of_its_forms(api: Api) -> None:
    holder = {"resourceType": "Patient", "identifier": [{"system": HKID, "value": "A123456(3)"}]}
    asked = [
        entry("POST", "Observation", about(f"Patient?identifier={form}"))
        for form in ("a1234563", f"{HKID}|A123456(3)")
    ]
    answer = api.post("", transaction(entry("POST", "Patient", holder), *asked))
    assert [subject(api, answer, place) for place in (1, 2)] == [located(answer, 0)] * 2


def test_a_chain_leads_through_what_the_transaction_writes(api: Api) -> None:
    api.store(organization("o", "Clinic"), patient("p", managingOrganization={"reference": "Organization/o"}))
    renamed = entry("PUT", "Organization/o", organization("o", "Hospital"))
    placed = entry("PUT", "Patient/q", patient("q", managingOrganization={"reference": "Organization/n"}))
    new = entry("PUT", "Organization/n", organization("n", "Bureau"))
    of_bureau = entry("POST", "Observation", about("Patient?organization.name=Bureau"))
    assert subject(api, api.post("", transaction(renamed, placed, new, of_bureau)), 3) == "Patient/q"


def test_a_chain_that_the_transaction_changes_for_the_record_is_refused(api: Api) -> None:
    api.store(organization("o", "Clinic"), patient("p", managingOrganization={"reference": "Organization/o"}))
    renamed = entry("PUT", "Organization/o", organization("o", "Hospital"))
    for name in ("Clinic", "Hospital"):
        asked = entry("POST", "Observation", about(f"Patient?organization.name={name}"))
        answer = api.post("", transaction(renamed, asked))
        assert outcome(answer) == (400, "not-supported", "Bundle.entry[1]")
    kept = entry("PUT", "Organization/o", organization("o", "Clinic of Sha Tin"))
    asked = entry("POST", "Observation", about("Patient?organization.name=Clinic"))
    assert subject(api, api.post("", transaction(kept, asked)), 1) == "Patient/p"


def test_the_writer_may_name_what_it_writes_and_nothing_hidden(api: Api) -> None:
    api.store(patient("hidden", identifier=[NAMED]), patient("own"))
    reader = api.grant(1, "own")
    api.personas["clinic"] = persona("clinic", reader, Right.VIEW, Right.DEPOSIT, Right.PLACE)
    api.personas["feed"] = persona("feed", Reader.everything(), Right.DEPOSIT, Right.PLACE)
    assert outcome(api.post("", transaction(ABOUT_7), persona="clinic"))[:2] == (412, "not-found")
    created = entry("POST", "Patient", {"resourceType": "Patient", "identifier": [NAMED]})
    answer = api.post("", transaction(created, ABOUT_7), persona="clinic")
    assert subject(api, answer, 1) == located(answer, 0)
    assert outcome(api.post("", transaction(created, ABOUT_7), persona="feed"))[:2] == (412, "not-found")


def test_criteria_are_tested_again_when_another_commit_comes_between(api: Api) -> None:
    site = Site.of(api.node, WebSettings())
    created = entry("POST", "Patient", {"resourceType": "Patient", "identifier": [NAMED]})
    body = json.dumps(transaction(created, ABOUT_7)).encode()

    def asked() -> Unit:
        outer = Request("POST", "", "", {}, unprotected({}), BASE, body)
        return Transaction(site, outer, received(site, body)).unit()

    unit = asked()
    with api.node.store.view() as view:
        rehearsal = rehearse(unit, view)
    api.store(patient("p", identifier=[NAMED]))
    refused = api.node.store.submit_rehearsed(unit, rehearsal)
    assert isinstance(refused.exception(), MultipleMatches)
    assert api.get("Patient?_total=accurate").json()["total"] == 1
    api.delete("Patient/p")
    again = api.node.store.submit_rehearsed(unit, rehearsal).result()
    stored = api.get(f"Observation/{again.done[1].id}").json()
    assert stored["subject"]["reference"] == f"Patient/{again.done[0].id}"


def test_an_observation_is_met_by_what_it_measures(api: Api) -> None:
    api.store(patient("p"), observation("o", "p", code="weight"))
    new = entry("PUT", "Observation/o", observation("o", "p", code="height"))
    asked = [
        entry("POST", "List", items(f"Observation?code={code}&subject=Patient/p"))
        for code in ("height", "weight")
    ]
    answer = api.post("", transaction(new, asked[0]))
    assert api.get(located(answer, 1)).json()["entry"][0]["item"]["reference"] == "Observation/o"
    assert outcome(api.post("", transaction(new, asked[1]))) == (412, "not-found", "Bundle.entry[1]")


def test_what_stands_together_is_met_as_it_becomes(api: Api) -> None:
    """Composites and identifiers of a type, of the match itself and of what a chain of it leads to."""
    typed = {
        "type": {"coding": [{"system": "http://types", "code": "NI"}]},
        "system": HKID,
        "value": "A1234563",
    }
    part = {"code": {"coding": [{"code": "sys"}]}, "valueQuantity": {"value": 150}}
    measured = {**about("Patient/p"), "component": [part]}
    by_type = about("Patient?identifier:of-type=http://types|NI|a123456(3)")
    links = {
        "component": "Observation?combo-code-value-quantity=sys$gt140",
        "chain": "Observation?subject:Patient.identifier:of-type=http://types|NI|A1234563&component-code-value-quantity"
        "=sys$gt140",
    }
    for link in links.values():
        mentions = {**by_type, "hasMember": [{"reference": link}]}
        answer = api.post(
            "",
            transaction(
                entry("POST", "Observation", mentions),
                entry("POST", "Observation", {**measured, "code": {"text": link}}),
                entry("PUT", "Patient/p", patient("p", identifier=[typed])),
            ),
        )
        assert statuses(answer)[:2] == ["201 Created"] * 2
        made = located(answer, 1)
        assert api.get(located(answer, 0)).json()["hasMember"] == [{"reference": made}]
        assert subject(api, answer, 0) == "Patient/p"
        api.delete(made)


def test_what_stored_resources_refer_to_before_it_is_there_is_refused_in_a_chain(api: Api) -> None:
    api.store(patient("p", managingOrganization={"reference": "Organization/n"}))
    asked = transaction(
        entry("PUT", "Organization/n", organization("n", "Bureau")),
        entry("POST", "Observation", about("Patient?organization.name=Bureau")),
    )
    assert outcome(api.post("", asked)) == (400, "not-supported", "Bundle.entry[1]")
    gone = entry("DELETE", "Patient/p")
    alone = {**asked, "entry": [*asked["entry"], gone]}
    assert outcome(api.post("", alone)) == (412, "not-found", "Bundle.entry[1]")


def test_references_by_a_code_are_cheap_and_others_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven names looked for among eleven Patients are 121 comparisons; as many identifiers are eleven."""
    monkeypatch.setattr(conditional, "COMPARISONS", 120)
    named = [patient(f"p{n}", f"n{n}", identifier=[{"value": str(n)}]) for n in range(11)]

    def asking(criterion: str) -> Resource:
        asked = [entry("POST", "Basic", of(f"Patient?{criterion}{n}")) for n in range(11)]
        return transaction(*(entry("PUT", f"Patient/{each['id']}", each) for each in named), *asked)

    with opened() as api:
        assert outcome(api.post("", asking("family:exact=n"))) == (400, "too-costly", "Bundle.entry[21]")
        assert set(statuses(api.post("", asking("identifier=")))) == {"201 Created"}


def of(reference: str) -> Resource:
    return {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": reference}}
