"""References under the node's own address: local when stored, and as values of a search."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.records import observation, patient
from tests.server.api import BASE, Api, ids, outcome
from tests.server.test_bundles import about, bundle, entry, located, statuses, transaction
from tests.stores import SYSTEM

OTHER = "http://elsewhere.example/fhir"


def stored(api: Api, name: str) -> Any:
    return api.get(name).json()["subject"]["reference"]


@pytest.fixture
def own(api: Api) -> Iterator[Api]:
    """A node that knows Patient/p, and is sound when the test is over."""
    api.store(patient("p"))
    yield api
    assert list(api.node.store.check(SYSTEM)) == []


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (f"{BASE}/Patient/p", "Patient/p"),
        (f"{BASE}/Patient/p/_history/1", "Patient/p/_history/1"),
        (f"{BASE}/Patient/absent", "Patient/absent"),
        (f"{OTHER}/Patient/p", f"{OTHER}/Patient/p"),
        (f"{BASE}x/Patient/p", f"{BASE}x/Patient/p"),
        (f"{BASE}/Parrot/p", f"{BASE}/Parrot/p"),
        (f"{BASE}/Patient?identifier=7", f"{BASE}/Patient?identifier=7"),
        (f"{BASE}/Patient", f"{BASE}/Patient"),
    ],
)
def test_a_reference_under_the_own_address_is_local(own: Api, sent: str, expected: str) -> None:
    created = own.post("Observation", about(sent))
    updated = own.put("Observation/o", {**about(sent), "id": "o"})
    batched = own.post("", bundle("batch", entry("POST", "Observation", about(sent))))
    together = own.post("", transaction(entry("POST", "Observation", about(sent))))
    assert (created.status_code, updated.status_code) == (201, 201)
    names = [
        f"Observation/{created.json()['id']}",
        "Observation/o",
        located(batched, 0),
        located(together, 0),
    ]
    assert [stored(own, name) for name in names] == [expected] * 4
    found = 4 if expected.startswith("Patient/p") else 0
    assert len(ids(own.get("Observation?subject=Patient/p").json())) == found


def test_who_is_named_by_the_own_address_owns(own: Api) -> None:
    own.post("Observation", {**about(f"{BASE}/Patient/p"), "id": "o"})
    name = ids(own.get("Observation").json())[0]
    with own.node.store.view() as view:
        ownership = view.owners_of("Observation", name)
    assert ownership is not None
    assert ownership.persons == ("p",)


def test_an_escaped_slash_hides_nothing(own: Api) -> None:
    text = (
        b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},'
        b'"subject" : { "reference" : "%s" }}'
    )
    address = f"{BASE}/Patient/p".replace("/", "\\/").encode()
    assert own.put("Observation/o", text % address).status_code == 201
    assert b'"reference":"Patient/p"' in own.get("Observation/o").content


def test_the_type_of_what_became_local_is_judged(own: Api) -> None:
    wrong = about(f"{BASE}/Medication/m")
    for answer in (
        own.post("Observation", wrong),
        own.post("", transaction(entry("POST", "Observation", wrong))),
    ):
        status, _, path = outcome(answer)
        assert status == 400
        assert path is not None
        assert path.endswith("subject.reference") or path.endswith("subject")
    said = own.post("Observation/$validate", wrong).json()["issue"][0]
    assert said["severity"] == "error"


def test_references_alone_change(own: Api) -> None:
    letter = {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "subject": {"reference": f"{BASE}/Patient/p"},
        "content": [{"attachment": {"url": f"{BASE}/Patient/p", "title": f"{BASE}/Patient/p"}}],
    }
    own.store(letter)
    own.post("", transaction(entry("PUT", "DocumentReference/e", {**letter, "id": "e"})))
    for name in ("d", "e"):
        shown = own.get(f"DocumentReference/{name}").json()
        assert shown["subject"]["reference"] == "Patient/p"
        assert shown["content"] == letter["content"]


def test_a_bundle_that_is_stored_keeps_its_own(own: Api) -> None:
    kept = bundle(
        "collection", {"resource": observation("o", None, subject={"reference": f"{BASE}/Patient/p"})}
    )
    own.store({**kept, "id": "b"})
    own.post("", transaction(entry("PUT", "Bundle/c", {**kept, "id": "c"})))
    for name in ("b", "c"):
        inner = own.get(f"Bundle/{name}").json()["entry"][0]["resource"]
        assert inner["subject"]["reference"] == f"{BASE}/Patient/p"


def test_a_full_url_under_the_own_address_comes_first(own: Api) -> None:
    """A new resource may be named as if it were here already; another node's of that id is not it."""
    answer = own.post(
        "",
        transaction(
            entry("POST", "Patient", {"resourceType": "Patient"}, f"{BASE}/Patient/p"),
            entry("POST", "Observation", about(f"{BASE}/Patient/p")),
        ),
    )
    assert stored(own, located(answer, 1)) == located(answer, 0) != "Patient/p"
    answer = own.post(
        "",
        transaction(
            entry("POST", "Patient", {"resourceType": "Patient"}, f"{OTHER}/Patient/p"),
            entry("POST", "Observation", about(f"{BASE}/Patient/p")),
            entry("POST", "Observation", about("Patient/p")),
            entry("PUT", "Patient/q", patient("q"), f"{BASE}/Patient/q"),
            entry("POST", "Observation", about(f"{BASE}/Patient/q")),
            entry("POST", "Observation", about(f"{BASE}/Patient/q/_history/1")),
        ),
    )
    assert statuses(answer)[0] == "201 Created"
    assert [stored(own, located(answer, place)) for place in (1, 2, 4, 5)] == [
        "Patient/p",
        located(answer, 0),
        "Patient/q",
        "Patient/q/_history/1",
    ]


def test_the_own_address_is_a_value_of_a_search(own: Api) -> None:
    own.store(observation("o", "p"), observation("far", None, subject={"reference": f"{OTHER}/Patient/p"}))
    for asked in (
        f"subject={BASE}/Patient/p",
        f"patient={BASE}/Patient/p",
        f"subject:Patient={BASE}/Patient/p",
    ):
        assert ids(own.get(f"Observation?{asked}").json()) == ["o"]
    assert ids(own.get(f"Observation?subject={OTHER}/Patient/p").json()) == ["far"]
    once = own.post("Observation", about("Patient/p"), headers={"If-None-Exist": f"subject={BASE}/Patient/p"})
    assert once.json()["id"] == "o"


def test_a_canonical_under_the_own_address_is_found_as_it_stands(own: Api) -> None:
    plan = f"{BASE}/PlanDefinition/d"
    own.store(
        {"resourceType": "CarePlan", "id": "c", "status": "active", "intent": "plan"}
        | {"subject": {"reference": "Patient/p"}, "instantiatesCanonical": [f"{plan}|2.0"]}
    )
    for asked in (plan, f"{plan}%5C|2.0"):
        assert ids(own.get(f"CarePlan?instantiates-canonical={asked}").json()) == ["c"]
