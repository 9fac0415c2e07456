"""``Prefer: respond-async``: accepted, asked after, fetched, cancelled; by whom, how long, on record."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from kintung.clock import SetClock
from kintung.consent import Right
from kintung.store.memory import MemoryStore
from kintung.store.reader import Reader
from kintung.store.writes import Grant, Prepared
from kintung.web.fhir.asynchronous_work import ATTEMPTS, LEASE, Work
from kintung.web.fhir.interactions import INTERACTIONS, REGISTRY
from kintung.web.limits import LIMITS
from kintung.web.site import Site, WebSettings
from tests.records import observation, patient
from tests.server.api import BASE, Api, outcome, persona
from tests.server.api import api as opened
from tests.stores import HOUR

LATER = {"prefer": "respond-async"}
FORM = {**LATER, "content-type": "application/x-www-form-urlencoded"}
LASTN = "Observation/$lastn?patient=p1&code=http://example.org/codes|weight"
ASKED: dict[str, tuple[str, str, Any]] = {
    "search-type": ("GET", "Patient?_sort=_id", None),
    "search-type-post": ("POST", "Patient/_search", b"_sort=_id"),
    "search-system": ("GET", "?_id=p1", None),
    "search-system-post": ("POST", "_search", b"_id=p1"),
    "search-compartment-type": ("GET", "Patient/p1/Observation", None),
    "search-compartment-type-post": ("POST", "Patient/p1/Observation/_search", b""),
    "search-compartment": ("GET", "Patient/p1/*", None),
    "search-compartment-post": ("POST", "Patient/p1/_search", b""),
    "everything": ("GET", "Patient/p1/$everything", None),
    "everything-post": ("POST", "Patient/p1/$everything", {"resourceType": "Parameters"}),
    "lastn": ("GET", LASTN, None),
    "lastn-post": ("POST", LASTN, {"resourceType": "Parameters"}),
    "history-type": ("GET", "Patient/_history", None),
    "history-system": ("GET", "_history", None),
    "transaction": (
        "POST",
        "",
        {
            "resourceType": "Bundle",
            "type": "batch",
            "entry": [{"request": {"method": "GET", "url": url}} for url in ("Patient/p1", "Patient/none")],
        },
    ),
}
"""A request for each interaction that may be answered later."""


def sent(api: Api, name: str, headers: dict[str, str], who: str = "") -> httpx.Response:
    method, path, body = ASKED[name]
    form = {"content-type": "application/x-www-form-urlencoded"} if isinstance(body, bytes) else {}
    return api.call(method, path, body, headers={**headers, **form}, persona=who)


def accepted(answer: httpx.Response) -> str:
    """The address under the base where an accepted request is asked after."""
    assert (answer.status_code, answer.content) == (202, b""), answer.text
    assert answer.headers["preference-applied"] == "respond-async"
    return answer.headers["content-location"].removeprefix(f"{BASE}/")


def worker(api: Api) -> Work:
    return Work(Site.of(api.node, WebSettings()), REGISTRY)


def work(api: Api) -> int:
    """Do all that is due; how many those were."""
    own, done = worker(api), 0
    while own.step():
        done += 1
    return done


def entry(answer: httpx.Response) -> dict[str, Any]:
    """The one entry of the Bundle of an answer."""
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "batch-response")
    (found,) = bundle["entry"]
    return found


def jump(api: Api, micros: int) -> None:
    clock = api.node.clock
    assert isinstance(clock, SetClock)
    clock.jump(micros)


@pytest.fixture
def ward() -> Iterator[Api]:
    """Two persons; one caller sees the first, another both, a third may deposit only."""
    with opened(tick=0) as api:
        api.store(patient("p1", "Chan"), observation("o1", "p1"), patient("p2", "Wong"))
        readers = {"narrow": api.grant(1, "p1"), "wide": Reader.everything()}
        for name, reader in readers.items():
            api.personas[name] = persona(name, reader, Right.VIEW, Right.DEPOSIT)
        api.personas["depositor"] = persona("depositor", Reader.everything(), Right.DEPOSIT)
        yield api


def test_every_such_interaction_is_tried() -> None:
    assert set(ASKED) == {each.name for each in INTERACTIONS if each.may_be_later}


@pytest.mark.parametrize("name", ASKED)
def test_the_answer_is_that_which_is_given_at_once(ward: Api, name: str) -> None:
    at_once = sent(ward, name, {})
    address = accepted(sent(ward, name, LATER))
    before = ward.get(address)
    assert (before.status_code, before.content) == (202, b"")
    assert (before.headers["x-progress"], before.headers["retry-after"]) == ("waiting", "1")
    assert work(ward) == 1
    found = entry(ward.get(address))
    assert found["response"] == {"status": "200 OK"}
    assert found["resource"] == at_once.json()
    assert entry(ward.get(address)) == found, "fetched again"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "Patient?nonsense=1", None, 400, "not-supported"),
        ("GET", "Patient?birthdate=never", None, 400, "value"),
        ("POST", "Patient/_search", b"_id=%ff", 400, "value"),
        ("GET", "_history?_since=never", None, 400, "value"),
        ("GET", "Observation/$lastn", None, 400, "value"),
        ("GET", "Patient/p1/$everything?start=never", None, 400, "value"),
        ("POST", "", {"resourceType": "Bundle", "type": "collection"}, 400, "value"),
        ("GET", "Nonsense?_id=1", None, 404, "not-found"),
    ],
)
def test_what_cannot_be_understood_is_refused_at_once(
    ward: Api, method: str, path: str, body: Any, status: int, code: str
) -> None:
    headers = FORM if isinstance(body, bytes) else LATER
    assert outcome(ward.call(method, path, body, headers=headers))[:2] == (status, code)
    assert ward.node.store.asynchronous.waiting() == 0


def test_who_may_not_ask_is_refused_at_once(ward: Api) -> None:
    assert ward.get("Patient", persona="depositor", headers=LATER).status_code == 403
    refused = ward.get("Patient", headers={**LATER, "accept": "application/fhir+xml"})
    assert refused.status_code == 406


def test_the_wish_is_passed_over_where_it_is_not_offered(ward: Api) -> None:
    transaction = {"resourceType": "Bundle", "type": "transaction"}
    answers = [
        ward.get("Patient/p1", headers=LATER),
        ward.get("Patient/p1/_history", headers=LATER),
        ward.call("HEAD", "Patient", headers=LATER),
        ward.post("", transaction, headers=LATER),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert ward.post("Patient", {"resourceType": "Patient"}, headers=LATER).status_code == 201


def test_other_wishes_hold(ward: Api) -> None:
    lenient = {"prefer": "respond-async, handling=lenient, wait=5"}
    address = accepted(ward.get("Patient?nonsense=1", headers=lenient))
    work(ward)
    searchset = entry(ward.get(address))["resource"]
    assert searchset["entry"][-1]["search"]["mode"] == "outcome"


def test_a_refusal_that_comes_later_stands_in_the_entry(ward: Api) -> None:
    address = accepted(ward.get("Patient/p2/$everything", headers=LATER, persona="narrow"))
    work(ward)
    hidden = ward.get(address, persona="narrow")
    found = entry(hidden)
    assert found["response"]["status"] == "404 Not Found"
    assert found["response"]["outcome"]["issue"][0]["code"] == "not-found"


def test_expired_cancelled_unknown_and_of_another_are_the_same_in_every_byte(ward: Api) -> None:
    ours = accepted(ward.get("Patient", headers=LATER, persona="narrow"))
    cancelled = accepted(ward.get("Patient", headers=LATER, persona="wide"))
    gone = ward.delete(cancelled, persona="wide")
    assert (gone.status_code, gone.content) == (202, b"")
    expired = accepted(ward.get("Patient", headers=LATER, persona="wide"))
    assert work(ward) == 2
    jump(ward, int(LIMITS.asynchronous_seconds) * 1_000_000 - 1)
    assert ward.get(expired, persona="wide").status_code == 200
    jump(ward, 1)
    addresses = (ours, cancelled, expired, "_async/never", f"_async/{'9' * 64}")
    for method in ("GET", "DELETE"):
        answers = {
            (answer.status_code, answer.content, str(answer.headers))
            for answer in (ward.call(method, address, persona="wide") for address in addresses)
        }
        assert len(answers) == 1, answers
        assert next(iter(answers))[0] == 404
    assert work(ward) == 0
    assert ward.node.store.asynchronous.waiting() == 0


def test_another_person_of_the_same_client_is_another(ward: Api) -> None:
    address = accepted(ward.get("Patient", headers=LATER, persona="wide"))
    mine = ward.personas["wide"]
    ward.personas["colleague"] = replace(mine, actor="colleague")
    work(ward)
    assert ward.get(address, persona="colleague").status_code == 404
    assert ward.get(address, persona="wide").status_code == 200


def test_what_was_revoked_before_the_run_is_not_in_the_answer(ward: Api) -> None:
    ward.grant(1, "p2")
    address = accepted(ward.get("Patient", headers=LATER, persona="narrow"))
    ward.prepared(Prepared(grants=(Grant(1, (), ("p2",)),)))
    work(ward)
    assert shown(ward.get(address, persona="narrow")) == ["p1"]


def test_what_was_revoked_after_the_run_is_not_given(ward: Api) -> None:
    """The answer is thrown away and made again, by the access of who asks now."""
    ward.grant(1, "p2")
    address = accepted(ward.get("Patient?_sort=_id", headers=LATER, persona="narrow"))
    work(ward)
    ward.prepared(Prepared(grants=(Grant(1, (), ("p2",)),)))
    waits = ward.get(address, persona="narrow")
    assert (waits.status_code, waits.content) == (202, b"")
    assert ward.get(address, persona="narrow").status_code == 202, "it is gone, not only withheld"
    assert work(ward) == 1
    assert shown(ward.get(address, persona="narrow")) == ["p1"]


def test_whose_right_was_taken_is_told_so_in_the_entry(ward: Api) -> None:
    address = accepted(ward.get("Patient", headers=LATER, persona="wide"))
    work(ward)
    ward.personas["wide"] = persona("wide", Reader.everything(), Right.DEPOSIT)
    assert ward.get(address, persona="wide").status_code == 202
    work(ward)
    assert entry(ward.get(address, persona="wide"))["response"]["status"] == "403 Forbidden"


def shown(answer: httpx.Response) -> list[str]:
    return sorted(each["resource"]["id"] for each in entry(answer)["resource"]["entry"])


def test_the_run_and_every_fetch_are_on_record(ward: Api) -> None:
    records = audits(ward)
    address = accepted(ward.get("Patient?_id=p1", headers=LATER, persona="wide"))
    ward.get(address, persona="wide")
    assert audits(ward) == records, "nothing was disclosed yet"
    work(ward)
    ward.get(address, persona="wide")
    ward.get(address, persona="wide")
    added = audits(ward)[len(records) :]
    assert [operation for operation, *_ in added] == ["search-type", "async-status", "async-status"]
    assert [request for _, request, _ in added] == [
        "GET Patient?_id=p1",
        *[f"GET {address}?\nGET Patient?_id=p1"] * 2,
    ]
    assert {keys for *_, keys in added} == {added[0][2]}
    assert len(added[0][2]) == 1


def audits(api: Api) -> list[tuple[str, str, tuple[int, ...]]]:
    """Operation, request and persons of each audit record of a node in memory."""
    store = api.node.store
    assert isinstance(store, MemoryStore)
    records = (audited.record for audited in store._state.audit)
    return [(each.operation, each.request, each.patient_keys) for each in records]


def test_a_client_has_only_so_many(ward: Api) -> None:
    addresses = [accepted(ward.get("Patient", headers=LATER)) for _ in range(LIMITS.asynchronous_each)]
    refused = ward.get("Patient", headers=LATER)
    assert outcome(refused)[:2] == (429, "throttled")
    assert ward.get("Patient").status_code == 200
    accepted(ward.get("Patient", headers=LATER, persona="wide"))
    ward.delete(addresses[0])
    accepted(ward.get("Patient", headers=LATER))


BATCH = {
    "resourceType": "Bundle",
    "type": "batch",
    "entry": [{"resource": patient("x"), "request": {"method": "POST", "url": "Patient"}}],
}


def test_begun_again_a_batch_writes_once(ward: Api) -> None:
    """Its worker died before the answer was kept: all it wrote was written."""
    address = accepted(ward.post("", BATCH, headers=LATER))
    before = len(ward.get("Patient").json()["entry"])
    taken = ward.node.store.asynchronous.take(LEASE)
    assert taken is not None
    worker(ward).answered(taken)
    assert work(ward) == 0
    assert ward.get(address).headers["x-progress"] == "under way"
    jump(ward, LEASE)
    assert work(ward) == 1
    found = entry(ward.get(address))["resource"]
    assert found["entry"][0]["response"]["status"] == "201 Created"
    assert len(ward.get("Patient").json()["entry"]) == before + 1


def test_what_workers_die_of_is_given_up(ward: Api) -> None:
    address = accepted(ward.get("Patient", headers=LATER))
    for _ in range(ATTEMPTS):
        assert ward.node.store.asynchronous.take(LEASE) is not None
        assert work(ward) == 0
        jump(ward, LEASE)
    assert work(ward) == 1
    assert entry(ward.get(address))["response"]["status"] == "503 Service Unavailable"


def test_who_only_deposits_gets_the_answer_to_what_it_deposited(ward: Api) -> None:
    address = accepted(ward.post("", BATCH, headers=LATER, persona="depositor"))
    work(ward)
    answer = entry(ward.get(address, persona="depositor"))["resource"]["entry"][0]
    assert (answer["response"]["status"], "resource" in answer) == ("201 Created", False)


def test_what_nobody_answers_expires(ward: Api) -> None:
    address = accepted(ward.get("Patient", headers=LATER))
    jump(ward, 24 * HOUR)
    assert ward.get(address).status_code == 404
    assert work(ward) == 0


def test_a_batch_does_not_ask_after_another(ward: Api) -> None:
    address = accepted(ward.get("Patient", headers=LATER))
    batch = {**BATCH, "entry": [{"request": {"method": "GET", "url": address}}]}
    assert ward.post("", batch).json()["entry"][0]["response"]["status"] == "400 Bad Request"
