"""What may tell of the hidden all the same: each exception the threat model declares, as far as it goes."""

from dataclasses import replace

import httpx

from kintung.consent import Right
from kintung.store.reader import Reader
from kintung.web.limits import LIMITS
from kintung.web.site import WebSettings
from tests.leaks.readers import READER, given_a_reader_of
from tests.leaks.worlds import serving
from tests.records import observation, patient
from tests.server.api import BASE, Api, outcome, persona
from tests.stores import DAY


def test_a_node_that_is_full_says_so_of_everything(api: Api) -> None:
    given_a_reader_of(api, "a")
    api.store(patient("a"), patient("h"))
    full = WebSettings(limits=replace(LIMITS, in_flight=0))
    with serving(api.node, lambda _headers: api.personas[READER], full) as (client, runner):
        answers = [runner.run(client.get(f"{BASE}/Patient/{id}")) for id in ("a", "h", "never")]
    assert {(answer.status_code, answer.content) for answer in answers} == {(503, answers[0].content)}


def test_who_may_place_ids_learns_that_one_is_taken(api: Api) -> None:
    """``place`` is a right of loaders and partner feeds: a hidden id cannot be given again."""
    given_a_reader_of(api, "a")
    api.store(patient("h"))
    feed = persona("feed", api.personas[READER].reader, Right.VIEW, Right.DEPOSIT, Right.PLACE)
    api.personas["feed"] = feed
    taken = api.put("Patient/h", patient("h"), persona="feed")
    assert outcome(taken)[:2] == (404, "not-found")
    assert api.put("Patient/free", patient("free"), persona="feed").status_code == 201
    told = {api.put(f"Patient/{id}", patient(id), persona=READER).status_code for id in ("h", "never")}
    assert told == {404}, "without the right both are the same"


def test_a_clock_that_ran_back_shows_when_somebody_wrote(api: Api) -> None:
    """``lastUpdated`` never decreases in commit order, so a write after a hidden one has its instant."""
    given_a_reader_of(api, "a")
    api.store(patient("h"))
    hidden = api.get("Patient/h").json()["meta"]["lastUpdated"]
    api.node.clock.jump(-DAY)  # type: ignore[attr-defined]
    later = api.post("Observation", observation("o", "a"), persona=READER)
    assert later.json()["meta"]["lastUpdated"] >= hidden


def test_the_counts_of_a_worker_are_of_all_its_callers(api: Api) -> None:
    """``/metrics`` is for whoever runs the node. It names interactions and statuses, never a resource."""
    api.store(patient("h", "Secretname"))
    given_a_reader_of(api, "a")
    with serving(api.node, lambda _headers: api.personas[READER]) as (client, runner):

        def counted() -> str:
            answer: httpx.Response = runner.run(client.get("http://record.example/metrics"))
            return answer.text

        before = counted()
        runner.run(client.get("http://record.example/fhir/Patient/h"))
        after = counted()
    assert before != after
    assert "Secretname" not in after
    assert "Patient" not in after


def test_an_earlier_version_out_of_sight_leaves_its_number(api: Api) -> None:
    """Version numbers count every version, and so tell how many there were; nothing of what was in them."""
    given_a_reader_of(api, "a")
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
    members = [{"entity": {"reference": f"Patient/{person}"}} for person in ("a", "h")]
    api.store({**group, "member": members}, {**group, "member": members[:1]})
    assert api.get("Group/g", persona=READER).headers["etag"] == 'W/"2"'
    assert api.get("Group/g/_history/1", persona=READER).status_code == 404
    assert api.get("Group/g/_history", persona=READER).json()["total"] == 1


def test_a_reader_of_nothing_may_deposit_and_learns_nothing(api: Api) -> None:
    """The owners of what it deposits may come from the hidden: no answer to it ever shows them."""
    api.personas["feed"] = persona("feed", Reader.nothing("feed"), Right.DEPOSIT, organisation="clinic")
    api.store(patient("h"), observation("of-h", "h"))
    said = set[tuple[int, str]]()
    for source in ("Observation/of-h", "Observation/never"):
        binary = {
            "resourceType": "Binary",
            "contentType": "text/plain",
            "securityContext": {"reference": source},
        }
        answer = api.post("Binary", binary, persona="feed")
        said.add((answer.status_code, answer.text))
    assert said == {(201, "")}
