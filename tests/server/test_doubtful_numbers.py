"""Numbers that are none: stored as they were sent, and told of where the caller asks."""

from typing import Any

import pytest

from kintung.consent import Right
from kintung.identity.identifiers import mainland_check_digit
from tests.records import observation, patient
from tests.server.api import Api, ids, persona
from tests.stores import ALL

SID = "https://kintung.org/fhir/sid/"
TOLD = {"Prefer": "return=OperationOutcome"}
WRONG = [
    {"system": f"{SID}hkid", "value": "A123456(4)"},
    {"system": f"{SID}mainland-id", "value": "110105194902300027"},
    {"system": "urn:oid:1.2.3", "value": "7"},
    {"system": f"{SID}hkid", "value": "A123456(3)"},
]
DOUBTS = [
    ("warning", "value", ["Patient.identifier[0].value"]),
    ("warning", "value", ["Patient.identifier[1].value"]),
    ("warning", "not-supported", ["Patient.identifier[2].system"]),
]


def doubts(outcome: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    """The warnings of an OperationOutcome, whose first issue says that all is well."""
    first, *others = outcome["issue"]
    assert (first["severity"], first["code"]) == ("information", "informational")
    return [(issue["severity"], issue["code"], issue["expression"]) for issue in others]


def wrong(id: str = "p") -> dict[str, Any]:
    return patient(id, identifier=WRONG)


def test_it_is_stored_as_it_was_sent_and_found(api: Api) -> None:
    answer = api.put("Patient/p", wrong())
    assert answer.status_code == 201
    assert api.get("Patient/p").json()["identifier"] == WRONG
    assert ids(api.get(f"Patient?identifier={SID}hkid|a1234564").json()) == ["p"]


def test_create_and_update_tell_who_asks(api: Api) -> None:
    assert doubts(api.put("Patient/p", wrong(), headers=TOLD).json()) == DOUBTS
    assert doubts(api.put("Patient/p", patient("p"), headers=TOLD).json()) == []
    new = wrong()
    del new["id"]
    key = {**TOLD, "Idempotency-Key": "k"}
    assert doubts(api.post("Patient", new, headers=key).json()) == DOUBTS
    assert doubts(api.post("Patient", new, headers=key).json()) == DOUBTS, "a replay tells the same"
    assert doubts(api.put("Observation/o", observation("o", "p"), headers=TOLD).json()) == []


def test_a_patch_tells_of_the_version_it_made(api: Api) -> None:
    api.put("Patient/p", wrong())
    change = b'[{"op": "add", "path": "/gender", "value": "male"}]'
    fields = {**TOLD, "Content-Type": "application/json-patch+json"}
    assert doubts(api.call("PATCH", "Patient/p", change, headers=fields).json()) == DOUBTS


def test_entries_of_a_bundle_tell_theirs(api: Api) -> None:
    for type in ("batch", "transaction"):
        entries = [
            {"resource": wrong("p"), "request": {"method": "PUT", "url": "Patient/p"}},
            {"resource": patient("q"), "request": {"method": "PUT", "url": "Patient/q"}},
        ]
        bundle = {"resourceType": "Bundle", "type": type, "entry": entries}
        told = api.post("", bundle, headers=TOLD).json()["entry"]
        assert [doubts(each["response"]["outcome"]) for each in told] == [DOUBTS, []]


def test_who_may_not_view_is_told_of_what_was_sent(api: Api) -> None:
    api.personas["depositor"] = persona("depositor", ALL, Right.DEPOSIT, Right.PLACE)
    told = api.put("Patient/p", wrong(), headers={**TOLD, "X-Persona": "depositor"})
    assert doubts(told.json()) == DOUBTS


@pytest.mark.parametrize("path", ["$validate", "Patient/$validate", "Patient/p/$validate"])
def test_validate_tells_and_stores_nothing(api: Api, path: str) -> None:
    sent = wrong()
    assert doubts(api.post(path, sent).json()) == DOUBTS
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": sent}]}
    assert doubts(api.post(path, wrapped).json()) == DOUBTS
    assert doubts(api.post(path, patient("p")).json()) == []
    assert ids(api.get("Patient").json()) == []


def test_validate_tells_errors_first(api: Api) -> None:
    said = api.post("$validate", wrong() | {"gender": "unclear"}).json()["issue"]
    assert [issue["severity"] for issue in said] == ["error", "warning", "warning", "warning"]


def test_a_number_of_a_day_to_come_is_doubtful_by_the_clock_of_the_node(api: Api) -> None:
    """The clock of these tests stands in October 2022."""
    for born, count in (("20231001", 1), ("20221001", 0)):
        body = f"110105{born}002"
        number = {"system": f"{SID}mainland-id", "value": body + mainland_check_digit(body)}
        said = api.post("$validate", patient("p", identifier=[number])).json()
        assert doubts(said) == DOUBTS[:count]
