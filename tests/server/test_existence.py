"""S7: absent, hidden and deleted-but-hidden are one answer in every byte. S8: writes show no more.

Three worlds differ only in what the doctor may not see; every request of the doctor is
answered alike in all of them, but for ids and instants the server gives.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from kintung.consent import Right
from kintung.store.reader import Reader
from tests.records import group, listing, observation, patient
from tests.server.api import Api, persona
from tests.server.api import api as opened

MRN = {"system": "http://example.org/mrn", "value": "7"}
HIDDEN = patient("p2", "Secretname", identifier=[MRN])
NEW = {"resourceType": "Patient", "identifier": [MRN]}
ABOUT = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "x"},
    "subject": {"reference": "Patient/p2"},
}
MATCH = {"If-Match": 'W/"1"'}


def absent(api: Api) -> None:
    """The first world: the hidden was never there."""


def hidden(api: Api) -> None:
    api.store(
        HIDDEN, observation("o2", "p2", "secretcode"), group("g", "p1", "p2"), listing("l", "Patient/p2")
    )


def deleted(api: Api) -> None:
    hidden(api)
    for name in ("Observation/o2", "Group/g", "List/l", "Patient/p2"):
        assert api.delete(name).status_code == 204


def labelled(api: Api) -> None:
    """p2 is a patient of the doctor's, and has a label the doctor does not see."""
    hidden(api)
    for name in ("Observation/o2", "Group/g", "List/l", "Patient/p2"):
        api.label(name, "R")


World = Callable[[Api], None]
GROUPS: dict[str, tuple[tuple[str, ...], tuple[World, ...]]] = {
    "p2 is another's patient": (("p1",), (absent, hidden, deleted)),
    "p2 has a hidden label": (("p1", "p2"), (absent, labelled)),
}
"""The doctor's patients, and the worlds that are one to the doctor."""


@pytest.fixture(scope="module", params=GROUPS)
def worlds(request: pytest.FixtureRequest) -> Iterator[list[Api]]:
    patients, makers = GROUPS[request.param]
    with ExitStack() as stack:
        found = [stack.enter_context(opened()) for _ in makers]
        for api, make in zip(found, makers, strict=True):
            api.store(patient("p1", "Chan"), observation("o1", "p1"))
            make(api)
            reader = Reader(
                "doctor",
                persons=api.grant(1, *patients).persons,
                organisations=frozenset({"clinic"}),
                hidden=frozenset({"R"}),
            )
            for name, rights in (("doctor", (Right.VIEW, Right.DEPOSIT)), ("depositor", (Right.DEPOSIT,))):
                api.personas[name] = persona(name, reader, *rights, organisation="clinic")
        yield found


def entry(method: str, url: str, resource: Any = None, **request: str) -> dict[str, Any]:
    return {
        "request": {"method": method, "url": url, **request},
        **({"resource": resource} if resource else {}),
    }


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


JSON_PATCH = {"content-type": "application/json-patch+json"}
NAMES = ("Patient/p2", "Observation/o2", "Group/g", "List/l")
CRITERIA = "identifier=http://example.org/mrn|7"
ABOUT_MATCH = {**ABOUT, "subject": {"reference": f"Patient?{CRITERIA}"}}

REQUESTS: list[tuple[str, str, Any, dict[str, str]]] = [
    *((method, name, None, {}) for name in NAMES for method in ("GET", "HEAD")),
    *(("GET", f"{name}/_history{rest}", None, {}) for name in NAMES for rest in ("", "/1", "/2")),
    ("GET", "Patient/p2", None, {"If-None-Match": 'W/"1"'}),
    ("GET", "Patient/p2", None, {"If-Modified-Since": "Wed, 19 Oct 2050 00:00:00 GMT"}),
    ("PUT", "Patient/p2", HIDDEN, {}),
    ("PUT", "Patient/p2", HIDDEN, MATCH),
    ("PUT", "Patient/p2", {**HIDDEN, "gender": "x"}, {}),
    ("PUT", "Group/g", group("g", "p1"), {}),
    ("PATCH", "Patient/p2", [], JSON_PATCH),
    ("PATCH", "Patient/p2", [{"op": "test", "path": "/id", "value": "x"}], JSON_PATCH),
    ("PATCH", f"Patient?{CRITERIA}", {"resourceType": "Parameters"}, MATCH),
    ("DELETE", "Patient/p2", None, MATCH),
    ("DELETE", "Patient/p2", None, {"If-Match": "*"}),
    ("DELETE", "Patient/p2", None, {}),
    ("DELETE", "Observation/o2", None, {}),
    ("DELETE", f"Patient?{CRITERIA}", None, {}),
    ("POST", "Patient", NEW, {"If-None-Exist": CRITERIA}),
    ("PUT", "Patient?_id=p2", {**HIDDEN}, {}),
    ("PUT", "Patient?_id=p2", {"resourceType": "Patient"}, MATCH),
    ("POST", "Observation", ABOUT, {}),
    ("POST", "Observation", ABOUT, {"Prefer": "return=representation"}),
    ("POST", "$validate", {**ABOUT, "hasMember": [{"reference": "Observation/o2"}]}, {}),
    ("GET", "Patient?_total=accurate&_sort=-family", None, {}),
    ("GET", "Patient?_id=p2&_total=accurate", None, {}),
    ("GET", "Patient?family=Secret&_count=0", None, {}),
    ("GET", f"Patient?{CRITERIA}", None, {}),
    ("GET", "Observation?code=secretcode&_total=accurate", None, {}),
    ("GET", "Observation?subject=Patient/p2", None, {}),
    ("GET", "Observation?subject:Patient.family=Secretname", None, {}),
    ("GET", "Group?member=Patient/p1", None, {}),
    ("GET", "List?item:missing=false", None, {}),
    ("GET", "?_type=Patient,Observation,Group,List&_sort=_id&_total=accurate", None, {}),
    *(("GET", f"{path}_history?_count=50", None, {}) for path in ("", "Patient/", "Observation/", "Group/")),
    ("POST", "", bundle("transaction", entry("POST", "Observation", ABOUT_MATCH)), {}),
    ("POST", "", bundle("transaction", entry("PUT", "Patient/p2", HIDDEN)), {}),
    ("POST", "", bundle("transaction", entry("DELETE", "Patient/p2"), entry("GET", "Patient/p2")), {}),
    ("POST", "", bundle("batch", entry("GET", "Patient/p2")), {}),
    ("POST", "", bundle("batch", entry("PUT", "Patient/p2", HIDDEN, ifMatch='W/"1"')), {}),
    ("POST", "", bundle("batch", entry("POST", "Patient", NEW, ifNoneExist=CRITERIA)), {}),
]  # fmt: skip


def normal(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], str]:
    """Every byte, but for ids and instants the server gave."""

    def plain(text: str) -> str:
        text = re.sub(r"\b[A-Za-z0-9]{22}\b", "ID", text)
        text = re.sub(r"_cursor=[A-Za-z0-9_-]+", "_cursor=C", text)
        return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "T", text)

    headers = sorted((name, plain(value)) for name, value in answer.headers.items())
    return answer.status_code, headers, plain(answer.text)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"), REQUESTS, ids=lambda part: part if isinstance(part, str) else ""
)
@pytest.mark.parametrize("who", ["doctor", "depositor"])
def test_the_worlds_cannot_be_told_apart(
    worlds: list[Api], who: str, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    sent = {**headers, "Accept-Encoding": "identity"}
    answers = [normal(api.call(method, path, body, headers=sent, persona=who)) for api in worlds]
    assert answers[1:] == answers[:1] * (len(worlds) - 1)
    assert "Secretname" in path or "Secretname" not in answers[0][2]


def test_a_write_about_the_hidden_is_answered_alike(worlds: list[Api]) -> None:
    held = {"resourceType": "Binary", "contentType": "text/plain"}
    for subject in ("Patient/p2", "Patient/never"):
        sent = {**held, "securityContext": {"reference": subject}}
        answers = [normal(api.post("Binary", sent, persona="doctor")) for api in worlds]
        assert answers[1:] == answers[:1] * (len(worlds) - 1)


def test_a_write_that_derives_its_owners_from_the_hidden_is_answered_alike(worlds: list[Api]) -> None:
    sent = {**ABOUT, "subject": {"reference": "Group/g"}}
    answers = [normal(api.post("Observation", sent, persona="doctor")) for api in worlds]
    assert answers[1:] == answers[:1] * (len(worlds) - 1)


def test_the_worlds_are_told_apart_by_who_may(worlds: list[Api]) -> None:
    """The requests are not blind: with the predicate off a third of them differ and more."""
    differing = 0
    for method, path, body, headers in REQUESTS:
        if method not in ("GET", "HEAD"):
            continue
        answers = {str(normal(api.call(method, path, body, headers=headers))) for api in worlds}
        differing += len(answers) > 1
    reads = sum(1 for method, *_ in REQUESTS if method in ("GET", "HEAD"))
    assert differing >= 0.3 * reads


def test_a_deletion_the_reader_could_see_is_410_with_history(worlds: list[Api]) -> None:
    for api in worlds:
        api.store(observation("mine", "p1"))
        api.delete("Observation/mine")
        answer = api.get("Observation/mine", persona="doctor")
        assert answer.status_code == 410
        history = api.get("Observation/mine/_history", persona="doctor").json()
        assert history["total"] >= 2


# --- S8 -------------------------------------------------------------------------------


@pytest.mark.parametrize("prefer", ["", "return=representation", "return=OperationOutcome"])
def test_who_may_not_view_sees_nothing_of_what_it_writes(worlds: list[Api], prefer: str) -> None:
    api = worlds[0]
    answer = api.post(
        "Observation",
        {**ABOUT, "subject": {"reference": "Patient/p1"}},
        persona="depositor",
        headers={"Prefer": prefer},
    )
    assert answer.status_code == 201
    assert "Patient/p1" not in answer.text
    path = answer.headers["location"].split("/_history/")[0]
    assert api.get(path, persona="depositor").status_code == 403


def test_criteria_match_nothing_for_who_may_not_view(worlds: list[Api]) -> None:
    api = worlds[0]
    api.store(patient("p1", "Chan"))
    created = api.post(
        "Patient", {"resourceType": "Patient"}, persona="depositor", headers={"If-None-Exist": "_id=p1"}
    )
    assert created.status_code == 201
    assert api.delete("Patient?_id=p1", persona="depositor").status_code == 204
    assert api.get("Patient/p1").status_code == 200
    reference = {**ABOUT, "subject": {"reference": "Patient?_id=p1"}}
    refused = api.post(
        "", bundle("transaction", entry("POST", "Observation", reference)), persona="depositor"
    )
    assert refused.status_code == 412


def test_reads_inside_a_bundle_need_the_right_to_view(worlds: list[Api]) -> None:
    for kind in ("batch", "transaction"):
        answer = worlds[0].post("", bundle(kind, entry("GET", "Patient/p1")), persona="depositor")
        assert answer.json()["entry"][0]["response"]["status"] == "403 Forbidden"


def test_who_may_only_view_writes_nothing(worlds: list[Api]) -> None:
    api = worlds[0]
    api.personas["viewer"] = persona("viewer", Reader.everything(), Right.VIEW)
    stored = api.get("_history?_count=0").json()["total"]
    write = entry("POST", "Patient", NEW)
    assert api.post("", bundle("transaction", write), persona="viewer").status_code == 403
    answer = api.post("", bundle("batch", write), persona="viewer")
    assert answer.json()["entry"][0]["response"]["status"] == "403 Forbidden"
    assert api.get("_history?_count=0").json()["total"] == stored
