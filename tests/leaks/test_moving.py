"""S9: nobody moves a resource to another person, or raises a sight, by writing."""

from typing import Any

import pytest

from kintung.consent import Right
from kintung.store.reader import Reader
from tests.leaks.readers import READER, given_a_reader_of
from tests.records import binary, group, listing, observation, patient
from tests.server.api import BASE, Api, Resource, outcome, persona

A = {"reference": "Patient/a"}
H = {"reference": "Patient/h"}
PERSONAS = {"of a": ("a",), "of b": ("b",), "of h": ("h",), "of a and b": ("a", "b")}
B = {"reference": "Patient/b"}


def given_a_record(api: Api) -> None:
    """What the reader of a and b may write, and one who sees each person alone."""
    given_a_reader_of(api, "a", "b")
    for number, (name, persons) in enumerate(PERSONAS.items(), 2):
        reader = Reader(name, persons=api.grant(number, *persons).persons, public=False)
        api.personas[name] = persona(name, reader, Right.VIEW)
    clinic = Reader("clinic", organisations=frozenset({"clinic"}))
    api.personas["clinic"] = persona("clinic", clinic, Right.VIEW)
    unlabelled = Reader("unlabelled", persons=True, organisations=True, hidden=frozenset({"N"}))
    api.personas["unlabelled"] = persona("unlabelled", unlabelled, Right.VIEW)
    for person in ("a", "b", "h"):
        document = {"resourceType": "DocumentReference", "id": f"d-{person}", "status": "current"}
        content = {
            "content": [{"attachment": {"title": "Letter"}}],
            "subject": {"reference": f"Patient/{person}"},
        }
        task = {"resourceType": "Task", "id": f"t-{person}", "status": "requested", "intent": "order"}
        api.store(
            patient(person, identifier=[{"system": "s", "value": person}]),
            observation(f"o-{person}", person),
            {**document, **content},
            binary(f"b-{person}", f"DocumentReference/d-{person}"),
            {**task, "for": {"reference": f"Patient/{person}"}},
        )
    api.store(group("ab", "a", "b"), listing("l-a", "Observation/o-a"), observation("labelled", "a"))
    api.label("Observation/labelled", "N")
    api.post("Observation", observation("o", None), persona=READER)


def sights(api: Api) -> dict[str, set[str]]:
    """What each persona sees of every version of everything."""
    seen: dict[str, set[str]] = {}
    for who in (*PERSONAS, "clinic", "unlabelled"):
        entries = api.get("_history?_count=500", persona=who).json().get("entry", [])
        seen[who] = {f"{entry['fullUrl']} {entry['response']['etag']}" for entry in entries}
    return seen


def single(method: str, url: str, resource: Resource | None = None, **request: str) -> Resource:
    """A Bundle of one entry."""
    entry = {
        "request": {"method": method, "url": url, **request},
        **({"resource": resource} if resource else {}),
    }
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


def moved(subject: Resource | None, id: str = "o-a", **more: Any) -> Resource:
    return observation(id, None, **({"subject": subject} if subject else {}), **more)


def letter(subject: Resource) -> Resource:
    content = [{"attachment": {"title": "Letter"}}]
    return {"resourceType": "DocumentReference", "id": "d-a", "status": "current", "content": content,
            "subject": subject}  # fmt: skip


TASK = {"resourceType": "Task", "id": "t-a", "status": "requested", "intent": "order", "for": B}
CONTAINED = {"resourceType": "Patient", "id": "p"}
UNBOUND = {"resourceType": "Binary", "id": "b-a", "contentType": "text/plain"}
BY_IDENTIFIER = {"reference": "Patient?identifier=s|b"}
ATTEMPTS: dict[str, tuple[int, str, str, Resource | None]] = {
    "to another person in sight": (422, "PUT", "Observation/o-a", moved(B)),
    "to a person out of sight": (422, "PUT", "Observation/o-a", moved(H)),
    "to nobody": (422, "PUT", "Observation/o-a", moved(None)),
    "to an address": (422, "PUT", "Observation/o-a", moved({"reference": f"{BASE}/Patient/b"})),
    "to an identifier alone": (422, "PUT", "Observation/o-a", moved({"identifier": {"value": "b"}})),
    "to a contained person": (
        422, "PUT", "Observation/o-a", moved({"reference": "#p"}, contained=[CONTAINED])
    ),
    "to a group": (422, "PUT", "Observation/o-a", moved({"reference": "Group/ab"})),
    "to a version of another": (422, "PUT", "Observation/o-a", moved({"reference": "Patient/b/_history/1"})),
    "by criteria": (422, "PUT", "Observation?_id=o-a", moved(B)),
    "in a transaction": (422, "POST", "", single("PUT", "Observation/o-a", moved(B))),
    "in a batch": (422, "POST", "", single("PUT", "Observation/o-a", moved(B)) | {"type": "batch"}),
    "by a conditional reference": (422, "POST", "", single("PUT", "Observation/o-a", moved(BY_IDENTIFIER))),
    "by criteria in a transaction": (422, "POST", "", single("PUT", "Observation?_id=o-a", moved(B))),
    "a Task": (422, "PUT", "Task/t-a", TASK),
    "a Binary by its document": (422, "PUT", "Binary/b-a", binary("b-a", "DocumentReference/d-b")),
    "a Binary to a document out of sight": (
        422, "PUT", "Binary/b-a", binary("b-a", "DocumentReference/d-h")
    ),
    "a Binary to a document that is absent": (
        422, "PUT", "Binary/b-a", binary("b-a", "DocumentReference/never")
    ),
    "a Binary to nobody": (422, "PUT", "Binary/b-a", UNBOUND),
    "a document": (422, "PUT", "DocumentReference/d-a", letter(B)),
    "over what is hidden": (404, "PUT", "Observation/o-h", moved(A, "o-h")),
    "over what is hidden, in a transaction": (
        404, "POST", "", single("PUT", "Observation/o-h", moved(A, "o-h"))
    ),
    "away what is hidden": (204, "DELETE", "Observation/o-h", None),
    "away what is hidden, by criteria": (204, "DELETE", "Observation?_id=o-h", None),
    "away what is hidden, in a transaction": (204, "POST", "", single("DELETE", "Observation/o-h")),
}  # fmt: skip


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_nothing_is_moved(api: Api, attempt: str) -> None:
    """S9: a resource stays whose it is; to give it to the right person it is deleted and created."""
    given_a_record(api)
    before = sights(api)
    status, method, path, body = ATTEMPTS[attempt]
    answer = api.call(method, path, body, persona=READER)
    entries = answer.json()["entry"] if answer.status_code == 200 and not path else []
    inside = [entry["response"]["status"] for entry in entries]
    assert {str(status)} == {said[:3] for said in inside or [str(answer.status_code)]}
    assert sights(api) == before


def test_what_nobody_owned_is_not_given_to_a_person(api: Api) -> None:
    given_a_record(api)
    created = api.post("Observation", observation("o", None), persona=READER).json()["id"]
    before = sights(api)
    for subject in (A, H):
        assert outcome(api.put(f"Observation/{created}", moved(subject, created), persona=READER))[0] == 422
    assert sights(api) == before


def test_a_hidden_match_is_neither_changed_nor_shown(api: Api) -> None:
    """The criteria match nothing the writer sees, so there is a new source record beside the hidden one."""
    given_a_record(api)
    hidden = sights(api)["of h"]
    new = {"resourceType": "Patient", "identifier": [{"system": "s", "value": "h"}]}
    updated = api.put("Patient?identifier=s|h", new, persona=READER)
    created = api.post("Patient", new, persona=READER, headers={"If-None-Exist": "identifier=s|h"})
    assert (updated.status_code, created.status_code) == (201, 201)
    assert sights(api)["of h"] == hidden
    for answer in (updated, created):
        name = answer.headers["location"].removeprefix(f"{BASE}/").partition("/_history")[0]
        assert api.get(name, persona=READER).status_code == 404, "a new person is in nobody's scope"


def test_a_link_between_patients_gives_no_reach(api: Api) -> None:
    """S15: neither the one who sends the link nor any other sees more by it."""
    given_a_record(api)
    before = sights(api)
    link = [{"other": H, "type": "seealso"}, {"other": B, "type": "replaces"}]
    assert api.put("Patient/a", patient("a", link=link), persona=READER).status_code == 200
    after = sights(api)
    added = {f'{BASE}/Patient/a W/"2"'}
    assert after == {
        who: seen | (added if who in ("of a", "of a and b", "unlabelled") else set())
        for who, seen in before.items()
    }


def test_who_leaves_a_group_still_owns_its_past(api: Api) -> None:
    """What a Group was while it had two members stays hidden from who may see one of them."""
    given_a_record(api)
    assert api.put("Group/ab", group("ab", "a"), persona=READER).status_code == 200
    assert api.get("Group/ab", persona="of a").status_code == 200
    assert api.get("Group/ab/_history/1", persona="of a").status_code == 404
    assert api.get("Group/ab/_history", persona="of a").json()["total"] == 1
    assert api.get("Group/ab", persona="of b").status_code == 404


def test_a_writer_takes_no_label_off(api: Api) -> None:
    """S12: labels are the server's; what a resource says of itself in ``meta.security`` changes none."""
    given_a_record(api)
    before = sights(api)["unlabelled"]
    for security in ([], [{"system": "http://example.org/labels", "code": "public"}]):
        said = {"meta": {"security": security}} if security else {}
        resource = observation("labelled", "a") | said
        changed = api.put("Observation/labelled", resource, persona=READER)
        assert changed.status_code == 200
    assert sights(api)["unlabelled"] == before


def test_an_id_that_is_sent_names_nothing_hidden(api: Api) -> None:
    """A create under a hidden id gets a new one; an update by criteria to one is refused as to a free one."""
    given_a_record(api)
    before = sights(api)["of h"]
    created = api.post("Observation", moved(A, "o-h"), persona=READER)
    assert created.json()["id"] != "o-h"
    refusals = [
        api.put("Observation?_id=nothing", moved(A, id), persona=READER).text.replace(id, "*")
        for id in ("o-h", "never")
    ]
    assert refusals[0] == refusals[1]
    assert sights(api)["of h"] == before
