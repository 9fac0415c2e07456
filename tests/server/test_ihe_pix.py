"""PIXm and PDQm: $ihe-pix (ITI-83), the feed (ITI-104), and the search of Patients (ITI-78)."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from kintung.consent import Right
from kintung.store.links import LinkChange, LinkKind
from kintung.store.memory import MemoryStore
from kintung.store.reader import Reader
from kintung.store.writes import Prepared
from kintung.web.limits import Limits
from kintung.web.site import WebSettings
from tests.patients import name, number, patient
from tests.server.api import BASE, Api, Resource, ids, outcome, persona
from tests.server.api import api as opened

RED, BLUE = "urn:oid:1.3.6.1.4.1.21367.13.20.1000", "urn:oid:1.3.6.1.4.1.21367.13.20.3000"
MOTHER = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"
HKID = "https://kintung.org/fhir/sid/hkid"
CARD = number("hkid", "A123456(3)")


def at(system: str, value: str) -> Resource:
    return {"system": system, "value": value}


red = patient("red", name("MOHR", "Alice"), identifier=[at(RED, "IHERED-994"), CARD])
blue = patient(
    "blue",
    name("MOHR", "Alice"),
    identifier=[at(BLUE, "IHEBLUE-994"), CARD, at(BLUE, "old") | {"use": "old"}],
)
other = patient("other", name("WONG", "Siu Ling"), identifier=[at(RED, "IHERED-1")])


@pytest.fixture
def record(api: Api) -> Api:
    """One person of two domains, linked by a card, and another."""
    api.store(red, blue, other)
    return api


def pix(api: Api, source: str, *targets: str, **how: Any) -> Any:
    pairs = [("sourceIdentifier", source), *(("targetSystem", target) for target in targets)]
    return api.get(f"Patient/$ihe-pix?{urlencode(pairs)}", **how)


def told(answer: Any) -> tuple[list[str], list[str]]:
    """The identifiers and the Patients of an answer."""
    assert answer.status_code == 200, answer.text
    parameters = answer.json().get("parameter", [])
    of_kind = {
        kind: [each for each in parameters if each["name"] == kind]
        for kind in ("targetIdentifier", "targetId")
    }
    identifiers = [each["valueIdentifier"] for each in of_kind["targetIdentifier"]]
    return (
        [f"{each['system']}|{each['value']}" for each in identifiers],
        [each["valueReference"]["reference"] for each in of_kind["targetId"]],
    )


def test_an_identifier_leads_to_those_elsewhere(record: Api) -> None:
    card = f"{HKID}|{CARD['value']}"
    wanted = ([f"{BLUE}|IHEBLUE-994", card], ["Patient/blue", "Patient/red"])
    assert told(pix(record, f"{RED}|IHERED-994")) == wanted
    assert told(pix(record, f"{RED}|IHERED-994", BLUE)) == ([f"{BLUE}|IHEBLUE-994"], ["Patient/blue"])
    assert told(pix(record, f"{RED}|IHERED-994", BLUE, HKID)) == wanted
    assert told(pix(record, f"{RED}|IHERED-994", "urn:oid:1.2.3")) == ([], [])
    both = ([f"{BLUE}|IHEBLUE-994", f"{RED}|IHERED-994"], ["Patient/blue", "Patient/red"])
    assert told(pix(record, f"{HKID}|a1234563")) == both
    assert told(pix(record, f"{RED}|IHERED-1")) == ([], [])


def test_the_id_of_a_patient_is_an_identifier_too(record: Api) -> None:
    assert told(pix(record, f"{BASE}|Patient/red", BLUE)) == ([f"{BLUE}|IHEBLUE-994"], ["Patient/blue"])
    assert told(pix(record, f"{BASE}|Patient/other", BASE)) == ([], ["Patient/other"])
    assert outcome(pix(record, f"{BASE}|Patient/never"))[:2] == (404, "not-found")
    assert outcome(pix(record, f"{BASE}|Patient/no id"))[:2] == (404, "not-found")


def test_parameters_ask_the_same(record: Api) -> None:
    parameters = [
        {"name": "sourceIdentifier", "valueString": f"{RED}|IHERED-994"},
        {"name": "targetSystem", "valueUri": BLUE},
    ]
    sent = {"resourceType": "Parameters", "parameter": parameters}
    assert record.post("Patient/$ihe-pix", sent).content == pix(record, f"{RED}|IHERED-994", BLUE).content


def test_a_decision_takes_the_identifiers_away_and_gives_them_back(record: Api) -> None:
    def say(kind: LinkKind) -> None:
        record.prepared(Prepared(links=(LinkChange("blue", "red", kind, "steward", "test"),)))

    before = pix(record, f"{RED}|IHERED-994", BLUE).content
    say(LinkKind.APART)
    assert told(pix(record, f"{RED}|IHERED-994", BLUE)) == ([], [])
    assert outcome(pix(record, f"{HKID}|{CARD['value']}"))[:2] == (404, "not-found")  # two persons bear it
    say(LinkKind.WITHDRAWN)
    assert pix(record, f"{RED}|IHERED-994", BLUE).content == before


def test_probable_links_give_nothing(record: Api) -> None:
    record.prepared(Prepared(links=(LinkChange("other", "red", LinkKind.PROBABLE, "rule", "alike"),)))
    assert told(pix(record, f"{RED}|IHERED-1")) == ([], [])


def test_hidden_absent_and_of_several_persons_are_alike(record: Api) -> None:
    record.store(other | {"id": "third", "identifier": [at(RED, "IHERED-7")]})
    record.store(other | {"id": "fourth", "identifier": [at(RED, "IHERED-7")]})
    record.personas["few"] = persona("few", record.grant(7, "other", "third", "fourth"), Right.VIEW)
    answers = [
        pix(record, f"{RED}|{value}", persona="few") for value in ("IHERED-994", "nothing", "IHERED-7")
    ]
    assert {(each.status_code, each.content) for each in answers} == {(404, answers[0].content)}
    assert told(pix(record, f"{RED}|IHERED-1", persona="few")) == ([], [])


def test_what_is_linked_and_hidden_is_not_told(record: Api) -> None:
    record.prepared(Prepared(links=(LinkChange("blue", "red", LinkKind.APART, "steward", "test"),)))
    reader = record.grant(7, "red")
    record.prepared(Prepared(links=(LinkChange("blue", "red", LinkKind.WITHDRAWN, "steward", "test"),)))
    record.personas["few"] = persona("few", Reader("few", reader.persons), Right.VIEW)
    record.label("Patient/blue", "R")
    record.personas["few"] = persona("few", Reader("few", True, hidden=frozenset({"R"})), Right.VIEW)
    identifiers, patients = told(pix(record, f"{RED}|IHERED-994", persona="few"))
    assert (identifiers, patients) == ([f"{HKID}|{CARD['value']}"], ["Patient/red"])


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("", "sourceIdentifier"),
        ("sourceIdentifier=IHERED-994", "sourceIdentifier"),
        ("sourceIdentifier=|IHERED-994", "sourceIdentifier"),
        (f"sourceIdentifier={RED}|", "sourceIdentifier"),
        (f"sourceIdentifier={RED}|1&sourceIdentifier={RED}|2", "sourceIdentifier"),
        ("sourceIdentifier=http://[|1", "sourceIdentifier"),
        ("sourceIdentifier=no%20uri|1", "sourceIdentifier"),
        (f"sourceIdentifier={RED}|1&targetSystem=here", "targetSystem"),
        (f"sourceIdentifier={RED}|1&targetsystem={BLUE}", "targetsystem"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_place(record: Api, query: str, path: str) -> None:
    status, _, place = outcome(record.get(f"Patient/$ihe-pix?{query}"))
    assert (status, place) == (400, path)


def test_only_json_is_spoken(record: Api) -> None:
    source = quote(f"{RED}|IHERED-994")
    assert record.get(f"Patient/$ihe-pix?sourceIdentifier={source}&_format=json").status_code == 200
    assert record.get(f"Patient/$ihe-pix?sourceIdentifier={source}&_format=xml").status_code == 406


@pytest.fixture
def bounded() -> Iterator[Api]:
    with opened(settings=WebSettings(limits=Limits(match_each=2))) as api:
        api.store(red, blue)
        yield api


def test_it_is_bounded_and_on_record_for_the_whole_person(bounded: Api) -> None:
    statuses = [pix(bounded, f"{RED}|IHERED-994").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    store = bounded.node.store
    assert isinstance(store, MemoryStore)
    records = [each.record for each in store._state.audit if each.record.operation == "ihe-pix"]
    assert [(each.status, len(each.patient_keys), each.about > 0) for each in records] == [
        (200, 2, True),
        (200, 2, True),
        (429, 0, False),
    ]


# --- The feed: ITI-104 ----------------------------------------------------------------

ALISSA = {
    "resourceType": "Patient",
    "identifier": [at(RED, "IHERED-994")],
    "active": True,
    "name": [{"family": "MOHR", "given": ["ALISSA"]}],
    "gender": "female",
    "birthDate": "1958-01-30",
}
MAIDEN = ALISSA | {
    "identifier": [at(RED, "IHERED-m94")],
    "active": False,
    "link": [{"other": {"identifier": at(RED, "IHERED-994")}, "type": "replaced-by"}],
}
"""After the examples of ITI-104: added, revised, subsumed by another."""


def test_a_patient_is_added_revised_and_removed_by_its_identifier(api: Api) -> None:
    """ITI-104: 2:3.104.4.1 to 2:3.104.4.3."""
    place = f"Patient?identifier={RED}|IHERED-994"
    assert api.put(place, ALISSA).status_code == 201
    revised = api.put(place, ALISSA | {"name": [{"family": "MOHR", "given": ["ALICE"]}]})
    assert (revised.status_code, revised.json()["meta"]["versionId"]) == (200, "2")
    assert api.put(f"Patient?identifier={RED}|IHERED-m94", MAIDEN).status_code == 201
    assert told(pix(api, f"{RED}|IHERED-m94")) == ([], [])  # a link that is sent gives no reach
    assert api.delete(place).status_code == 204
    assert outcome(pix(api, f"{RED}|IHERED-994"))[:2] == (404, "not-found")


def test_the_feed_links_who_shows_the_same_card(api: Api) -> None:
    for system, value in ((RED, "IHERED-994"), (BLUE, "IHEBLUE-994")):
        fed = ALISSA | {"identifier": [at(system, value), CARD]}
        assert api.put(f"Patient?identifier={system}|{value}", fed).status_code == 201
    assert told(pix(api, f"{RED}|IHERED-994", BLUE))[0] == [f"{BLUE}|IHEBLUE-994"]


# --- The search: ITI-78 ---------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "_id=mohr",
        "active=true",
        "family=MOHR",
        "given=ALICE",
        f"identifier={RED}|IHERED-994",
        "telecom=+852 5123 4567",
        "birthdate=1958-01-30",
        "address=Sha Tin",
        "address-city=Sha Tin",
        "address-country=HK",
        "address-postalcode=999077",
        "address-state=NT",
        "gender=female",
        "family:exact=MOHR",
        "family=MOHR&given=AL&gender=female&birthdate=le1960",
        "mothersMaidenName=O'CONN",
        "mothersMaidenName:exact=O'Connor",
    ],
)
def test_every_parameter_of_pdqm_finds(api: Api, query: str) -> None:
    """ITI-78, 2:3.78.4.1.2: the parameters a supplier takes."""
    address = {"city": "Sha Tin", "country": "HK", "postalCode": "999077", "state": "NT"}
    api.store(
        ALISSA
        | {
            "id": "mohr",
            "name": [{"family": "MOHR", "given": ["ALICE"]}],
            "telecom": [{"system": "phone", "value": "+852 5123 4567"}],
            "address": [address],
            "extension": [{"url": MOTHER, "valueString": "O'Connor"}],
        },
        {"resourceType": "Patient", "id": "nobody"},
    )
    assert ids(api.get(f"Patient?{query.replace('+', '%2B')}").json()) == ["mohr"]
