"""batch and transaction: order, references, atomicity, outcomes."""

from pathlib import Path
from typing import Any

import pytest

from kintung.consent import Policy, Right
from kintung.errors import ValueInvalid
from kintung.store.port import View
from kintung.store.writes import Receipt
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.bundle import at_entry
from kintung.web.fhir.create import create
from kintung.web.fhir.interactions import INTERACTIONS
from kintung.web.fhir.registry import Interaction, Reads, Registry, Submission, Writes
from kintung.web.fhir.request import Request
from kintung.web.outcomes import MethodNotAllowed, headers_of
from kintung.web.site import Site
from tests.records import binary, observation, patient
from tests.server.api import BASE, Api, Resource, ids, outcome
from tests.server.api import api as opened
from tests.stores import SYSTEM

NAMED = {"system": "http://example.org/mrn", "value": "7"}


def entry(
    method: str, url: str, resource: Resource | None = None, full_url: str = "", **request: str
) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    if full_url:
        made["fullUrl"] = full_url
    return made


def bundle(kind: str, *entries: dict[str, Any]) -> Resource:
    return {"resourceType": "Bundle", "type": kind, **({"entry": list(entries)} if entries else {})}


def transaction(*entries: dict[str, Any]) -> Resource:
    return bundle("transaction", *entries)


def statuses(answer: Any) -> list[str]:
    return [each["response"]["status"] for each in answer.json().get("entry", ())]


def about(reference: str) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "weight"},
        "subject": {"reference": reference},
    }


def new_patient(**more: Any) -> Resource:
    return {"resourceType": "Patient", **more}


def located(answer: Any, place: int) -> str:
    """``Patient/1``, from the location of an entry."""
    return answer.json()["entry"][place]["response"]["location"].split("/_history/")[0]


def count(api: Api, type: str) -> int:
    return api.get(f"{type}?_total=accurate").json()["total"]


# --- transaction ----------------------------------------------------------------------


def test_keys_of_many_new_patients_are_one_commit_of_the_key_store(tmp_path: Path) -> None:
    """None is made for a Patient that has one, is deleted, or is found by its condition."""
    with opened(f"sqlite:///{tmp_path}/record.db") as api:
        api.store(patient("there", identifier=[NAMED]))
        keys: Any = api.node.store._keys  # type: ignore[attr-defined]
        commits: list[int] = []
        keys._db.set_commit_hook(lambda: bool(commits.append(1)))
        answer = api.post(
            "",
            transaction(
                *(entry("POST", "Patient", new_patient()) for _ in range(40)),
                entry("PUT", "Patient/chosen", patient("chosen")),
                entry("PUT", "Patient/there", patient("there", identifier=[NAMED], active=True)),
                entry("DELETE", "Patient/never"),
            ),
        )
        assert statuses(answer) == ["201 Created"] * 41 + ["200 OK", "204 No Content"]
        assert len(commits) == 1
        assert set(keys.for_owners(["Patient/chosen"])) == {"Patient/chosen"}
        known = {row[0] for row in keys._read.execute("SELECT owner FROM data_key")}
        assert "Patient/never" not in known
        assert len([owner for owner in known if owner.startswith("Patient/")]) == 42


def test_references_inside_lead_to_what_was_created_forwards_and_backwards(api: Api) -> None:
    answer = api.post(
        "",
        transaction(
            entry("POST", "Observation", about("urn:uuid:1"), "urn:uuid:2"),
            entry("POST", "Patient", new_patient(), "urn:uuid:1"),
            entry("POST", "Observation", about("urn:uuid:1"), "urn:uuid:3"),
        ),
    )
    assert statuses(answer) == ["201 Created"] * 3
    assert answer.json()["type"] == "transaction-response"
    subject = located(answer, 1)
    for place in (0, 2):
        assert api.get(located(answer, place)).json()["subject"]["reference"] == subject
    assert len(ids(api.get(f"Observation?subject={subject}").json())) == 2


def test_references_follow_a_put_a_match_and_a_restful_full_url(api: Api) -> None:
    api.store(patient("known", identifier=[NAMED]))
    answer = api.post(
        "",
        transaction(
            entry("PUT", "Patient/placed", patient("placed"), "urn:uuid:1"),
            entry("POST", "Patient", new_patient(), "urn:uuid:2", ifNoneExist="identifier=7"),
            entry("PUT", "Patient?identifier=8", new_patient(), "urn:uuid:3"),
            entry("POST", "Patient", new_patient(), "http://elsewhere.example/fhir/Patient/5"),
            entry("POST", "Observation", about("urn:uuid:1")),
            entry("POST", "Observation", about("urn:uuid:2")),
            entry("POST", "Observation", about("urn:uuid:3")),
            entry("POST", "Observation", about("http://elsewhere.example/fhir/Patient/5")),
            entry("POST", "Observation", about("Patient/5")),
        ),
    )
    assert answer.status_code == 200, answer.text
    assert statuses(answer)[:4] == ["201 Created", "200 OK", "201 Created", "201 Created"]
    assert located(answer, 1) == "Patient/known"
    subjects = [api.get(located(answer, place)).json()["subject"]["reference"] for place in range(4, 9)]
    assert subjects == [*(located(answer, place) for place in range(4)), located(answer, 3)]


def test_conditional_references_are_resolved_or_refused(api: Api) -> None:
    api.store(patient("p1", identifier=[NAMED]))
    asked = transaction(entry("POST", "Observation", about("Patient?identifier=http://example.org/mrn|7")))
    answer = api.post("", asked)
    assert api.get(located(answer, 0)).json()["subject"]["reference"] == "Patient/p1"
    api.store(patient("p2", identifier=[NAMED]))
    assert outcome(api.post("", asked)) == (412, "multiple-matches", "Bundle.entry[0]")
    nobody = transaction(
        entry("POST", "Patient", new_patient()),
        entry("POST", "Observation", about("Patient?identifier=none")),
    )
    before = count(api, "Patient")
    assert outcome(api.post("", nobody)) == (412, "not-found", "Bundle.entry[1]")
    assert count(api, "Patient") == before


def test_a_full_url_names_one_resource(api: Api) -> None:
    one = entry("POST", "Patient", new_patient(), "urn:uuid:1")
    other = entry("POST", "Observation", about("urn:uuid:1"), "urn:uuid:1")
    for entries in ((one, other), (one, one)):
        assert outcome(api.post("", transaction(*entries))) == (400, "value", "Bundle.entry[1].fullUrl")
    assert count(api, "Patient") == 0
    same = entry("POST", "Patient", new_patient(identifier=[NAMED]), "urn:uuid:1", ifNoneExist="identifier=7")
    answer = api.post("", transaction(same, same, entry("POST", "Observation", about("urn:uuid:1"))))
    assert statuses(answer) == ["201 Created", "200 OK", "201 Created"]


def test_a_reference_to_either_of_two_servers_is_refused(api: Api) -> None:
    entries = [
        entry("POST", "Patient", new_patient(), f"http://{server}.example/fhir/Patient/5") for server in "ab"
    ]
    exact = entry("POST", "Observation", about("http://b.example/fhir/Patient/5"))
    answer = api.post("", transaction(*entries, exact))
    assert api.get(located(answer, 2)).json()["subject"]["reference"] == located(answer, 1)
    unclear = entry("POST", "Observation", about("Patient/5"))
    assert outcome(api.post("", transaction(*entries, unclear))) == (400, "value", "Bundle.entry[2].resource")


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_an_entry_that_stores_needs_a_resource(api: Api, kind: str) -> None:
    for wrong in (entry("POST", "Patient"), entry("PUT", "Patient/p")):
        answer = api.post("", bundle(kind, wrong))
        told = answer.json() if kind == "transaction" else answer.json()["entry"][0]["response"]["outcome"]
        assert told["issue"][0]["expression"] == ["Bundle.entry[0].resource"]
        assert "needs a resource" in told["issue"][0]["details"]["text"]


def test_a_link_to_no_entry_is_refused(api: Api) -> None:
    answer = api.post("", transaction(entry("POST", "Observation", about("urn:uuid:9"))))
    assert outcome(answer) == (400, "value", "Bundle.entry[0].resource")


def test_entries_are_done_in_the_standards_order_and_answered_in_theirs(api: Api) -> None:
    api.store(patient("old", identifier=[NAMED]), patient("kept"))
    answer = api.post(
        "",
        transaction(
            entry("GET", "Patient?_total=accurate"),
            entry("PUT", "Patient/kept", patient("kept", "Wong"), ifMatch='W/"1"'),
            entry("POST", "Patient", new_patient(identifier=[NAMED]), ifNoneExist="identifier=7"),
            entry("DELETE", "Patient/old"),
        ),
    )
    # The deletion comes first: what it deletes matches nothing.
    assert statuses(answer) == ["200 OK", "200 OK", "201 Created", "204 No Content"]
    assert answer.json()["entry"][0]["resource"]["total"] == 2


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        (entry("PUT", "Patient/p", patient("p"), ifMatch='W/"9"'), (412, "conflict", "request.ifMatch")),
        (entry("POST", "Patient", patient("x", gender="x")), (400, "code-invalid", "resource.gender")),
        (
            entry("POST", "Patient", new_patient(), ifNoneExist="colour=red"),
            (400, "not-supported", "request.url"),
        ),
        (entry("PATCH", "Patient/p", new_patient()), (400, "structure", "resource.resourceType")),
        (entry("POST", "Patient/$validate", new_patient()), (400, "not-supported", "request.url")),
        (entry("POST", "/", bundle("batch")), (400, "not-supported", "request.url")),
        (entry("POST", "Parrot", new_patient()), (400, "not-supported", "request.url")),
        (entry("POST", "Patient/", new_patient()), (400, "not-supported", "request.url")),
        (entry("PUT", "http://elsewhere.example/Patient/1", patient("1")), (400, "value", "request.url")),
        (entry("DELETE", "Patient/p?_id=q"), (400, "not-supported", "request.url")),
        (entry("DELETE", "Patient?family=Chan"), (412, "multiple-matches", "")),
        (entry("PUT", "Patient/q", patient("q")), (400, "value", "request.url")),
        ({"resource": new_patient()}, (400, "structure", "request")),
    ],
)
def test_one_refused_entry_refuses_all(
    api: Api, failing: dict[str, Any], expected: tuple[int, str | None, str]
) -> None:
    api.store(patient("p"), patient("q"))
    whole = transaction(
        entry("POST", "Observation", about("Patient/p")), entry("PUT", "Patient/q", patient("q")), failing
    )
    status, code, path = outcome(api.post("", whole))
    assert (status, code) == (expected[0], expected[1] or code)
    assert path is not None
    assert path.startswith(f"Bundle.entry[2]{'.' if expected[2] else ''}{expected[2]}")
    assert count(api, "Observation") == 0
    assert api.get("Patient/q").headers["etag"] == 'W/"1"'


def test_the_faults_of_all_entries_are_listed(api: Api) -> None:
    wrong = new_patient(gender="x")
    answer = api.post("", transaction(*(entry("POST", "Patient", wrong) for _ in range(3))))
    paths = [issue["expression"][0] for issue in answer.json()["issue"]]
    assert paths == [f"Bundle.entry[{place}].resource.gender" for place in range(3)]


def test_two_entries_with_the_same_criteria_are_one_resource(api: Api) -> None:
    same = entry("POST", "Patient", new_patient(identifier=[NAMED]), ifNoneExist="identifier=7")
    answer = api.post("", transaction(same, same))
    assert statuses(answer) == ["201 Created", "200 OK"]
    assert located(answer, 0) == located(answer, 1)
    assert count(api, "Patient") == 1


def test_an_owner_of_the_same_transaction_is_found(api: Api) -> None:
    api.store(patient("other"))
    held = {**binary("b", "urn:uuid:1"), "id": "b"}
    answer = api.post(
        "", transaction(entry("PUT", "Binary/b", held), entry("PUT", "Patient/p", patient("p"), "urn:uuid:1"))
    )
    assert statuses(answer) == ["201 Created"] * 2
    with api.node.store.view() as view:
        ownership = view.owners_of("Binary", "b")
    assert ownership is not None
    assert ownership.persons == ("p",)


def test_what_is_shown_follows_prefer(api: Api) -> None:
    asked = transaction(entry("POST", "Patient", new_patient()), entry("PUT", "Patient/p", patient("p")))
    plain = api.post("", asked).json()["entry"]
    assert [each.keys() for each in plain] == [{"response"}, {"response"}]
    shown = api.post("", asked, headers={"Prefer": "return=representation"}).json()["entry"]
    assert [each["resource"]["resourceType"] for each in shown] == ["Patient", "Patient"]
    said = api.post("", asked, headers={"Prefer": "return=OperationOutcome"}).json()["entry"]
    assert [each["response"]["outcome"]["resourceType"] for each in said] == ["OperationOutcome"] * 2


def test_a_read_that_fails_answers_for_itself(api: Api) -> None:
    answer = api.post("", transaction(entry("GET", "Patient/none"), entry("POST", "Patient", new_patient())))
    assert statuses(answer) == ["404 Not Found", "201 Created"]
    assert answer.json()["entry"][0]["response"]["outcome"]["issue"][0]["code"] == "not-found"


# --- batch ----------------------------------------------------------------------------


def test_each_entry_of_a_batch_answers_for_itself(api: Api) -> None:
    api.store(patient("p"), patient("gone"))
    api.delete("Patient/gone")
    answer = api.post(
        "",
        bundle(
            "batch",
            entry("GET", "Patient/p"),
            entry("GET", "Patient/none"),
            entry("GET", "Patient/gone"),
            entry("GET", "Parrot/1"),
            entry("GET", "Patient?family=Chan"),
            entry("GET", "Patient/p/_history"),
            entry("HEAD", "Patient/p"),
            entry("POST", "Patient", new_patient()),
            entry("POST", "Patient", new_patient(gender="x")),
            entry("PUT", "Patient/p", patient("p", "Wong"), ifMatch='W/"1"'),
            entry("PUT", "Patient/p", patient("p", "Wong"), ifMatch='W/"1"'),
            entry("DELETE", "Patient/none"),
            entry("POST", "Patient/$validate", new_patient(gender="x")),
            entry("POST", "/", bundle("batch")),
            entry("GET", "Patient/p", ifNoneMatch='W/"2"'),
            entry("GET", "metadata"),
            {"resource": new_patient()},
        ),
    )
    assert answer.json()["type"] == "batch-response"
    assert [status[:3] for status in statuses(answer)] == (
        [
            "200",
            "404",
            "410",
            "404",
            "200",
            "200",
            "200",
            "201",
            "400",
            "200",
            "412",
            "204",
            "200",
            "400",
            "304",
            "200",
            "400",
        ]
    )
    refused = answer.json()["entry"][8]["response"]["outcome"]["issue"][0]
    assert refused["expression"] == ["Bundle.entry[8].resource.gender"]


def test_reads_of_a_batch_see_its_writes(api: Api) -> None:
    api.store(patient("p"))
    answer = api.post(
        "", bundle("batch", entry("GET", "Patient/p"), entry("PUT", "Patient/p", patient("p", "Wong")))
    )
    assert answer.json()["entry"][0]["resource"]["name"][0]["family"] == "Wong"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (bundle("collection"), (400, "value", "Bundle.type")),
        ({"resourceType": "Bundle"}, (400, "required", "Bundle.type")),
        (patient("p"), (400, "structure", "Bundle.resourceType")),
        ({**bundle("batch"), "entry": []}, (400, "structure", "Bundle.entry")),
        ({**bundle("batch"), "entry": {}}, (400, "structure", "Bundle.entry")),
        ({**bundle("batch"), "entry": [{"request": {"method": "GET"}}]}, (400, "required", None)),
        ({**bundle("batch"), "colour": "red"}, (400, "structure", "Bundle.colour")),
        (b"[]", (400, "structure", None)),
    ],
)
def test_what_is_no_bundle_of_requests_is_refused(
    api: Api, sent: object, expected: tuple[int, str, str | None]
) -> None:
    found = outcome(api.post("", sent))
    assert found[:2] == expected[:2]
    assert expected[2] in (None, found[2])


def test_empty_bundles_have_empty_answers(api: Api) -> None:
    assert api.post("", bundle("batch")).json() == {"resourceType": "Bundle", "type": "batch-response"}
    assert api.post("", transaction()).json() == {"resourceType": "Bundle", "type": "transaction-response"}


def test_addresses_of_entries_may_be_absolute(api: Api) -> None:
    api.store(patient("p"))
    answer = api.post("", bundle("batch", entry("GET", f"{BASE}/Patient/p"), entry("GET", "/Patient/p")))
    assert statuses(answer) == ["200 OK", "200 OK"]


def test_a_document_keeps_its_own_links(api: Api) -> None:
    inner = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "urn:uuid:5", "resource": observation("o", "p")}],
    }
    answer = api.post("", transaction(entry("POST", "Bundle", inner, "urn:uuid:5")))
    assert statuses(answer) == ["201 Created"]
    assert api.get(located(answer, 0)).json()["entry"][0]["fullUrl"] == "urn:uuid:5"


COMPOSED = {
    "resourceType": "Composition",
    "status": "final",
    "type": {"text": "Summary"},
    "subject": {"reference": "urn:uuid:2"},
    "date": "2022-10-19",
    "author": [{"reference": "Practitioner/d"}],
    "title": "Summary",
}
HEADER = {
    "resourceType": "MessageHeader",
    "eventUri": "http://example.org/admitted",
    "source": {"endpoint": "http://example.org/from"},
}
ASKED = {"request": {"method": "DELETE", "url": "Patient/p"}}
ANSWERED = {"response": {"status": "204"}}
STORED: dict[str, list[dict[str, Any]]] = {
    "document": [
        {"fullUrl": "urn:uuid:1", "resource": COMPOSED},
        {"fullUrl": "urn:uuid:2", "resource": new_patient()},
    ],
    "message": [{"fullUrl": "urn:uuid:1", "resource": HEADER}],
    "collection": [{"fullUrl": "urn:uuid:2", "resource": new_patient()}],
    "searchset": [{"resource": patient("p"), "search": {"mode": "match"}}],
    "history": [{**ASKED, **ANSWERED}],
    "batch": [ASKED],
    "transaction": [ASKED],
    "batch-response": [ANSWERED],
    "transaction-response": [ANSWERED],
}


@pytest.mark.parametrize("kind", STORED)
def test_a_bundle_of_every_type_is_stored_as_it_is(api: Api, kind: str) -> None:
    """At /Bundle nothing of it is done, and none of its links is changed."""
    api.store(patient("p"))
    sent = bundle(kind, *STORED[kind])
    if kind == "document":
        sent |= {"identifier": {"system": "s", "value": "1"}, "timestamp": "2022-10-19T00:00:00Z"}
    created = api.post("Bundle", sent)
    assert created.status_code == 201, created.text
    stored = api.get(f"Bundle/{created.json()['id']}").json()
    assert {name: value for name, value in stored.items() if name not in ("id", "meta")} == sent
    assert api.get("Patient/p").status_code == 200
    assert ids(api.get(f"Bundle?type={kind}").json()) == [stored["id"]]
    assert count(api, "Patient") == 1
    if kind not in ("batch", "transaction"):
        refused = api.post("", sent)
        assert outcome(refused) == (400, "value", "Bundle.type")
        assert "/Bundle" in refused.text


def test_links_outside_of_references_are_indexed_as_they_are_stored(tmp_path: Path) -> None:
    letter = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"url": "urn:uuid:1"}}],
    }
    with opened(f"sqlite:///{tmp_path}/record.db") as api:
        answer = api.post(
            "",
            transaction(
                entry("POST", "DocumentReference", letter, "urn:uuid:2"),
                entry(
                    "POST", "Binary", {"resourceType": "Binary", "contentType": "text/plain"}, "urn:uuid:1"
                ),
            ),
        )
        stored = api.get(located(answer, 0)).json()
        assert stored["content"][0]["attachment"]["url"] == located(answer, 1)
        assert ids(api.get(f"DocumentReference?location={located(answer, 1)}").json()) == [stored["id"]]
        assert list(api.node.store.check(SYSTEM)) == []


def test_what_a_transaction_creates_can_be_shown_for_each_entry_that_found_it(api: Api) -> None:
    asked = transaction(
        entry("POST", "Patient", new_patient(identifier=[NAMED]), ifNoneExist="identifier=7"),
        entry("POST", "Patient", new_patient(identifier=[NAMED]), ifNoneExist="identifier=7"),
    )
    answer = api.post("", asked, headers={"Prefer": "return=representation"})
    assert statuses(answer) == ["201 Created", "200 OK"]
    assert answer.json()["entry"][0]["resource"] == answer.json()["entry"][1]["resource"]


@pytest.mark.parametrize(
    "since", ["9999-12-31T23:59:59-14:00", "2022-12-31T23:59:60Z", "0001-01-01T00:00:00+14:00"]
)
def test_an_instant_at_the_end_of_the_calendar_is_a_time_like_others(api: Api, since: str) -> None:
    api.store(patient("p"))
    for kind in ("batch", "transaction"):
        answer = api.post("", bundle(kind, entry("GET", "Patient/p", ifModifiedSince=since)))
        expected = "200 OK" if since.startswith("0001") else "304 Not Modified"
        assert statuses(answer) == [expected]


def test_an_entry_on_which_the_node_fails_leaves_the_others_alone() -> None:
    def fails(_site: Site, request: Request, _view: View) -> Answer:
        raise RuntimeError(request.path)

    def fails_to_store(_site: Site, request: Request) -> Submission:
        raise RuntimeError(request.path)

    def fails_to_answer(site: Site, request: Request) -> Submission:
        def answer(_receipt: Receipt) -> Answer:
            raise RuntimeError(request.path)

        return Submission(create(site, request).unit, answer)

    more = (
        Interaction("failing", "GET", "/$fail", Reads(fails), Right.VIEW, Policy.DISCLOSES, "Fails."),
        Interaction(
            "unstored",
            "POST",
            "/{type}/$unstored",
            Writes(fails_to_store),
            Right.DEPOSIT,
            Policy.DEPOSITS,
            "Fails.",
        ),
        Interaction(
            "stored",
            "POST",
            "/{type}/$stored",
            Writes(fails_to_answer),
            Right.DEPOSIT,
            Policy.DEPOSITS,
            "Fails.",
        ),
    )
    with opened(registry=Registry((*INTERACTIONS, *more))) as api:
        api.store(patient("p"))
        reads = (entry("GET", "$fail"), entry("GET", "Patient/p"))
        answer = api.post("", transaction(entry("POST", "Patient", new_patient()), *reads))
        failed = "500 Internal Server Error"
        assert statuses(answer) == ["201 Created", failed, "200 OK"]
        answer = api.post(
            "",
            bundle(
                "batch",
                entry("POST", "Patient/$unstored", new_patient()),
                entry("POST", "Patient/$stored", new_patient()),
                entry("POST", "Patient", new_patient()),
                *reads,
            ),
        )
        assert statuses(answer) == [failed, failed, "201 Created", failed, "200 OK"]
        (issue,) = answer.json()["entry"][3]["response"]["outcome"]["issue"]
        assert issue["code"] == "exception"
        assert issue["expression"] == ["Bundle.entry[3]"]


def test_an_error_leads_through_its_entry_and_stays_as_it_is() -> None:
    for error in (ValueInvalid("no", path="Patient.id"), MethodNotAllowed("no", ["GET"])):
        before = error.path, error.issues
        placed = at_entry(at_entry(error, 1), 2)
        assert (error.path, error.issues) == before
        assert type(placed) is type(error)
        assert str(placed) == "no"
        assert placed.path is not None
        assert placed.path.startswith("Bundle.entry[2].")
        assert headers_of(placed) == headers_of(error)


def test_a_bundle_holds_no_answer_that_is_no_resource(api: Api) -> None:
    for kind in ("batch", "transaction"):
        (refused,) = api.post("", bundle(kind, entry("GET", "openapi.json"))).json()["entry"]
        assert refused["response"]["status"].startswith("400")
        assert "resource" not in refused
        assert refused["response"]["outcome"]["issue"][0]["code"] == "not-supported"


def test_an_entry_of_head_has_no_resource(api: Api) -> None:
    api.store(patient("p"))
    for kind in ("batch", "transaction"):
        shown, headed = api.post(
            "", bundle(kind, entry("GET", "Patient/p"), entry("HEAD", "Patient/p"))
        ).json()["entry"]
        assert "resource" in shown
        assert headed == {"response": shown["response"]}


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_an_address_that_is_only_extended_asks_for_nothing(api: Api, kind: str) -> None:
    extended = {"_url": {"extension": [{"url": "http://a.example/x", "valueCode": "a"}]}, "method": "GET"}
    answer = api.post("", bundle(kind, {"request": extended})).json()
    told = answer["entry"][0]["response"]["outcome"] if kind == "batch" else answer
    assert told["issue"][0]["expression"] == ["Bundle.entry[0].request.url"]
