"""$everything: of a Patient and of an Encounter."""

from typing import Any

import pytest

from kintung.consent import Right
from tests.records import group, observation, organization, patient
from tests.server.api import Api, Resource, outcome, persona


@pytest.fixture
def record(api: Api) -> Api:
    """p1 with two visits; p2, of whom p1 measured something at a clinic of his."""
    room = {"resourceType": "Location", "id": "room"}
    encounter = {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}}
    encounter |= {"subject": {"reference": "Patient/p1"}}
    place = {
        "location": [{"location": {"reference": "Location/room"}}],
        "period": {"start": "2022-03-01", "end": "2022-03-01"},
    }
    api.store(
        organization("clinic"),
        organization("elsewhere"),
        organization("unused"),
        room | {"managingOrganization": {"reference": "Organization/unused"}},
        {"resourceType": "Practitioner", "id": "dr"},
        patient("p1", managingOrganization={"reference": "Organization/clinic"}),
        patient("p2"),
        encounter | place | {"id": "spring"},
        encounter | {"id": "autumn", "period": {"start": "2022-09-01"}},
        observation(
            "own", "p1", encounter={"reference": "Encounter/spring"}, effectiveDateTime="2022-03-01",
            performer=[{"reference": "Practitioner/dr"}],
        ),
        {"resourceType": "Coverage", "id": "cover", "status": "active",
         "beneficiary": {"reference": "Patient/p1"}, "payor": [{"reference": "Organization/clinic"}]},
        observation(
            "performed", "p2", effectiveDateTime="2022-09-02",
            performer=[{"reference": "Patient/p1"}, {"reference": "Organization/elsewhere"}],
        ),
        observation("others", "p2"),
    )  # fmt: skip
    return api


OWN = {"Patient/p1", "Encounter/spring", "Encounter/autumn", "Observation/own", "Coverage/cover"}
LED = {"Organization/clinic", "Practitioner/dr", "Location/room"}
BY_PERFORMING = {"Observation/performed", "Organization/elsewhere"}


def found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "searchset"
    return [entry["fullUrl"].partition("/fhir/")[2] for entry in answer.json().get("entry", ())]


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("Patient/p1/$everything", OWN | LED | BY_PERFORMING),
        ("Patient/p1/$everything?_type=Practitioner,Coverage", {"Practitioner/dr", "Coverage/cover"}),
        ("Patient/p1/$everything?_type=Practitioner&_type=Location", {"Practitioner/dr", "Location/room"}),
        (
            "Patient/p1/$everything?end=2022-06",
            {"Patient/p1", "Encounter/spring", "Observation/own", "Coverage/cover"} | LED,
        ),
        (
            "Patient/p1/$everything?start=2022-06&end=2022-09-01",
            {"Patient/p1", "Encounter/autumn", "Coverage/cover", "Organization/clinic"},
        ),
        (
            "Encounter/spring/$everything",
            {"Encounter/spring", "Observation/own", "Patient/p1", *LED} - {"Organization/clinic"},
        ),
        ("Encounter/autumn/$everything", {"Encounter/autumn", "Patient/p1"}),
    ],
)
def test_everything_of_one_person_is_given(record: Api, address: str, wanted: set[str]) -> None:
    names = found(record.get(address))

    assert set(names) == wanted
    assert len(names) == len(wanted), "each once"


def test_what_was_stored_since_an_instant(record: Api) -> None:
    newest = record.get("Patient/p1/$everything").json()["entry"][0]["resource"]
    since = newest["meta"]["lastUpdated"]

    assert found(record.get(f"Patient/p1/$everything?_since={since}")) == [f"Observation/{newest['id']}"]


@pytest.mark.parametrize("count", [1, 3, 4])
def test_each_resource_comes_once_over_all_pages(record: Api, count: int) -> None:
    """Also those that many lead to; what is stored meanwhile changes nothing of it."""
    names: list[str] = []
    address = f"Patient/p1/$everything?_count={count}"
    while address:
        page = record.get(address)
        names += found(page)
        assert len(found(page)) <= count
        links = {link["relation"]: link["url"] for link in page.json()["link"]}
        address = links.get("next", "")
        record.store(observation(f"later-{len(names)}", "p1", performer=[{"reference": "Practitioner/dr"}]))

    assert sorted(names) == sorted(OWN | LED | BY_PERFORMING)


def test_another_patient_is_not_led_to(record: Api) -> None:
    """A family or a roster holds other Patients: their records are their own."""
    record.store(group("family", "p1", "p2"))

    names = found(record.get("Patient/p1/$everything"))
    assert "Group/family" in names
    assert "Patient/p2" not in names


def parameters(**values: Any) -> Resource:
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": name.partition("__")[0], member: value} for name, (member, value) in values.items()
        ],
    }


def test_parameters_ask_the_same(record: Api) -> None:
    asked = parameters(
        start=("valueDate", "2022-06"), _type=("valueCode", "Encounter"), _type__2=("valueCode", "Patient")
    )
    wanted = record.get("Patient/p1/$everything?start=2022-06&_type=Encounter&_type=Patient")

    assert record.post("Patient/p1/$everything", asked).json() == wanted.json()
    assert found(record.post("Patient/p1/$everything", None)) == found(record.get("Patient/p1/$everything"))


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (parameters(start=("valueString", "2022")), "Parameters.parameter[0]"),
        (parameters(_count=("valueQuantity", {"value": 3})), "Parameters.parameter[0]"),
        (parameters(_since=("valueInstant", "2022")), "Parameters.parameter[0].value"),
        ({"resourceType": "Parameters", "parameter": [{"name": "start"}]}, "Parameters.parameter[0]"),
        ({"resourceType": "Patient"}, "Parameters"),
    ],
)
def test_parameters_of_another_kind_are_refused(record: Api, sent: Resource, path: str) -> None:
    assert outcome(record.post("Patient/p1/$everything", sent))[0] == 400
    assert path in record.post("Patient/p1/$everything", sent).json()["issue"][0]["expression"][0]


@pytest.mark.parametrize(
    ("query", "code", "path"),
    [
        ("code=x", "not-supported", "code"),
        ("start=2022-13", "value", "start"),
        ("end=2022-01-01T10:00:00Z", "value", "end"),
        ("start=2023&end=2022", "value", "end"),
        ("start=2022&start=2023", "value", "start"),
        ("_since=yesterday", "value", "_since"),
        ("_type=Nonsense", "value", "_type"),
        ("_type=", "value", "_type"),
        ("_count=few", "value", "_count"),
    ],
)
def test_what_it_does_not_take_is_refused(record: Api, query: str, code: str, path: str) -> None:
    assert outcome(record.get(f"Patient/p1/$everything?{query}")) == (400, code, path)


@pytest.mark.parametrize("address", ["Patient/$everything", "Observation/own/$everything", "$everything"])
def test_it_is_not_offered_elsewhere(record: Api, address: str) -> None:
    assert outcome(record.get(address))[:2] == (404, "not-found")


def test_an_encounter_takes_no_care_dates(record: Api) -> None:
    assert outcome(record.get("Encounter/spring/$everything?start=2022")) == (400, "not-supported", "start")


def test_an_entry_of_a_batch_asks_it(record: Api) -> None:
    asked = {"method": "POST", "url": "Patient/p1/$everything"}
    entries = [
        {"request": {"method": "GET", "url": "Encounter/autumn/$everything"}},
        {"request": asked, "resource": parameters(_type=("valueCode", "Practitioner"))},
    ]
    answer = record.post("", {"resourceType": "Bundle", "type": "batch", "entry": entries})

    inner = [entry["resource"]["entry"] for entry in answer.json()["entry"]]
    assert [len(each) for each in inner] == [2, 1]


# --- Consent ----------------------------------------------------------------------------


def sees_p1(record: Api) -> str:
    record.personas["sees p1"] = persona("sees p1", record.grant(1, "p1"), Right.VIEW)
    return "sees p1"


def test_what_only_the_hidden_leads_to_is_not_shown(record: Api) -> None:
    """p1 measured something of p2, whom the reader does not see: neither that nor where it was."""
    names = found(record.get("Patient/p1/$everything", persona=sees_p1(record)))

    assert sorted(names) == sorted(OWN | LED)


def test_an_absent_and_a_hidden_patient_are_one_answer(record: Api) -> None:
    record.store(patient("gone"))
    record.delete("Patient/gone")
    who = sees_p1(record)
    said = {
        record.get(f"Patient/{id}/$everything", persona=who).text.replace(id, "x")
        for id in ("p2", "gone", "never")
    }

    assert len(said) == 1
    assert outcome(record.get("Patient/p2/$everything", persona=who))[0] == 404
    assert outcome(record.get("Patient/gone/$everything"))[0] == 410


def test_a_page_is_authorised_as_of_now(record: Api) -> None:
    who = sees_p1(record)
    link = record.get("Patient/p1/$everything?_count=2", persona=who).json()["link"][1]["url"]
    record.label("Patient/p1", "R")
    hiding = record.personas[who].reader
    record.personas[who] = persona(
        who, type(hiding)(hiding.name, hiding.persons, hidden=frozenset({"R"})), Right.VIEW
    )

    assert outcome(record.get(link, persona=who))[0] == 404


@pytest.mark.parametrize("path", ["Patient/p1/$everything", "Observation/$lastn", "Subscription/x/$status"])
def test_a_parameter_whose_name_is_only_extended_is_refused(record: Api, path: str) -> None:
    unnamed = {"_name": {"extension": [{"url": "http://a.example/x", "valueCode": "a"}]}, "valueCode": "a"}
    answer = record.post(path, {"resourceType": "Parameters", "parameter": [unnamed]})
    assert outcome(answer)[0] == 400
    assert outcome(answer)[2] == "Parameters.parameter[0].name"
