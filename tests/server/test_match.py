"""Patient/$match: who finds whom, what is told to whom, how often, and what is on record."""

from collections.abc import Iterator
from typing import Any

import pytest

from kintung.consent import Access, Right, Stranger
from kintung.store.links import LinkChange, LinkKind
from kintung.store.memory import MemoryStore
from kintung.store.reader import Reader
from kintung.store.writes import AuditRecord, Prepared
from kintung.web.fhir.match import GRADE, MOST, TERM, score
from kintung.web.limits import Limits
from kintung.web.site import WebSettings
from tests.patients import name, number, patient
from tests.server.api import BASE, Api, Resource, outcome, persona
from tests.server.api import api as opened

CARD, OTHER_CARD = "A123456(3)", "C123456(9)"
HAN, SPELLED = name("陳", "大文"), name("CHAN", "Tai Man")
PHONE = {"telecom": [{"system": "phone", "value": "+852 5123 4567"}]}

clinic = patient("clinic", SPELLED, identifier=[number("hkid", CARD)], **PHONE)
hospital = patient("hospital", name("陈", "大文"), identifier=[number("hkid", "a1234563")])
unverified = patient("told", HAN, identifier=[number("hkid", CARD, seen=False)])
alike = patient("alike", HAN, SPELLED, **PHONE)
other = patient("other", name("WONG", "Siu Ling"), birthDate="1960-01-02", gender="female")


def asked(*names: Resource, **members: Any) -> Resource:
    """A Patient as somebody writes it who asks."""
    found = patient("", *names) | members
    return {key: value for key, value in found.items() if value and key not in ("id", "managingOrganization")}


BY_CARD = asked(HAN, identifier=[number("hkid", CARD)])
BY_NAME = asked(HAN, SPELLED, **PHONE)


@pytest.fixture
def record(api: Api) -> Api:
    """One person in two systems, linked by the card; another of the same name; one of another name."""
    api.store(clinic, hospital, other)
    api.personas["office"] = persona("office", Reader.everything("office"), Right.VIEW, Right.MATCH)
    api.personas["few"] = persona("few", api.grant(7, "other"), Right.VIEW, Right.MATCH)
    api.personas["steward"] = persona(
        "steward", Reader.everything("steward"), Right.VIEW, Right.MATCH, Right.STEWARD
    )
    api.personas["stranger"] = stranger("stranger", tells_id=True)
    api.personas["border"] = stranger("border", tells_id=False)
    return api


def stranger(name: str, *, tells_id: bool) -> Access:
    among = Stranger(Reader.everything("registry"), tells_id)
    return Access(name, "", "TREAT", Reader.nothing(name), frozenset({Right.MATCH}), name, stranger=among)


def ask(api: Api, patient: Resource, persona: str = "", **more: Any) -> Any:
    members = {bool: "valueBoolean", int: "valueInteger"}
    parameters = [{"name": "resource", "resource": patient}]
    parameters += [{"name": each, members[type(value)]: value} for each, value in more.items()]
    sent = {"resourceType": "Parameters", "parameter": parameters}
    return api.post("Patient/$match", sent, persona=persona)


def found(answer: Any) -> list[tuple[str, str]]:
    """Id and grade of each match, in order."""
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    entries = bundle.get("entry", [])
    assert (bundle["type"], bundle["link"]) == (
        "searchset",
        [{"relation": "self", "url": f"{BASE}/Patient/$match"}],
    )
    scores = [entry["search"]["score"] for entry in entries]
    assert all(0 <= each <= 1 for each in scores)
    for entry in entries:
        assert entry["search"]["mode"] == "match"
        assert entry["fullUrl"] == f"{BASE}/Patient/{entry['resource']['id']}"
    return [(entry["resource"]["id"], grade(entry)) for entry in entries]


def grade(entry: Resource) -> str:
    grades = [each["valueCode"] for each in entry["search"]["extension"] if each["url"] == GRADE]
    assert len(grades) == 1
    return grades[0]


# --- Within reach ---------------------------------------------------------------------


def test_a_number_and_a_name_in_any_script_find_the_person(record: Api) -> None:
    for names in ((HAN,), (SPELLED,), (name("陈", "大文"),)):
        query = asked(*names, identifier=[number("hkid", CARD)])
        answer = ask(record, query, "office")
        assert sorted(found(answer)) == [("clinic", "certain"), ("hospital", "certain")]
        assert answer.json()["total"] == 2


def test_a_patient_alone_is_asked_with_the_rest_in_the_address(record: Api) -> None:
    wanted = ask(record, BY_CARD, "office", count=1)
    answer = record.post("Patient/$match?count=1", BY_CARD, persona="office")
    assert answer.content == wanted.content
    assert len(found(answer)) == 1


def test_what_matches_without_a_number_is_probable(record: Api) -> None:
    record.store(alike)
    assert ("alike", "probable") in found(ask(record, BY_NAME, "office"))
    assert ("alike", "probable") not in found(ask(record, BY_CARD | PHONE, "office"))  # the card found him
    assert found(ask(record, BY_NAME, "office", onlyCertainMatches=True)) == []


def test_another_name_or_birth_date_is_no_match(record: Api) -> None:
    assert found(ask(record, asked(name("LEE", "Ka Yan")), "office")) == []
    assert found(ask(record, asked(HAN, birthDate="1990-12-30"), "office")) == []


def test_a_card_that_another_shows_is_not_certain(record: Api) -> None:
    """The card of her husband: the number agrees, and name, sex and birth date speak against it."""
    wife = asked(name("LEE", "Siu Ling"), birthDate="1961-08-09", gender="female")
    query = wife | {"identifier": [number("hkid", CARD)]}
    assert ("clinic", "certain") not in found(ask(record, query, "office"))
    assert found(ask(record, query, "office", onlyCertainMatches=True)) == []


def test_certain_matches_alone_are_told_of_one_person_only(record: Api) -> None:
    wanted = [("clinic", "certain"), ("hospital", "certain")]
    assert sorted(found(ask(record, BY_CARD, "office", onlyCertainMatches=True))) == wanted
    apart = LinkChange("clinic", "hospital", LinkKind.APART, "steward", "two people", expected=None)
    record.prepared(Prepared(links=(apart,)))
    assert found(ask(record, BY_CARD, "office", onlyCertainMatches=True)) == []
    assert sorted(found(ask(record, BY_CARD, "office"))) == wanted


def test_who_is_not_seen_is_not_found(record: Api) -> None:
    seen = asked(name("WONG", "Siu Ling"), birthDate="1960-01-02", gender="female", **PHONE)
    assert found(ask(record, BY_CARD, "few")) == []
    assert ask(record, BY_CARD, "few").content == ask(record, asked(name("Nobody", "At All")), "few").content
    assert [id for id, _ in found(ask(record, seen, "few"))] in ([], ["other"])


def test_count_bounds_the_matches_and_the_best_come_first(record: Api) -> None:
    record.store(alike, *(patient(f"p{place}", HAN, SPELLED, **PHONE) for place in range(MOST + 5)))
    everything = found(ask(record, BY_NAME, "office"))
    assert len(everything) == MOST
    assert found(ask(record, BY_NAME, "office", count=3)) == everything[:3]
    assert [each for _, each in found(ask(record, BY_CARD, "office"))] == ["certain", "certain"]
    assert found(ask(record, BY_CARD, "office", count=0)) == []


def test_a_steward_is_told_why_and_others_are_not(record: Api) -> None:
    entry = ask(record, BY_CARD, "steward").json()["entry"][0]
    terms = [each["extension"] for each in entry["search"]["extension"] if each["url"] == TERM]
    said = [{part["url"]: next(v for k, v in part.items() if k != "url") for part in term} for term in terms]
    assert {"number", "birth", "sex"} <= {each["comparison"] for each in said}
    assert all(set(each) == {"comparison", "level", "weight", "why"} for each in said)
    assert abs(entry["search"]["score"] - score(sum(each["weight"] for each in said))) < 0.001
    assert TERM not in ask(record, BY_CARD, "office").text


def test_a_match_may_stand_in_a_batch(record: Api) -> None:
    entry = {"request": {"method": "POST", "url": "Patient/$match"}, "resource": BY_CARD}
    answer = record.post("", {"resourceType": "Bundle", "type": "batch", "entry": [entry]}, persona="office")
    assert answer.json()["entry"][0]["response"]["status"] == "200 OK"
    assert answer.json()["entry"][0]["resource"]["total"] == 2


# --- A stranger -----------------------------------------------------------------------


def test_a_stranger_is_told_the_id_of_a_certain_person_and_nothing_else(record: Api) -> None:
    answer = ask(record, BY_CARD, "stranger")
    ((id, told),) = found(answer)
    assert (id in ("clinic", "hospital"), told) == (True, "certain")
    assert set(answer.json()["entry"][0]["resource"]) == {"resourceType", "id", "meta"}
    assert answer.json()["total"] == 1
    assert "1950" not in answer.text
    assert outcome(record.get(f"Patient/{id}", persona="stranger"))[0] == 403


def test_across_a_border_there_is_yes_or_no(record: Api) -> None:
    yes, no = ask(record, BY_CARD, "border"), ask(record, asked(name("Nobody", "At All")), "border")
    assert (yes.json()["total"], no.json()["total"]) == (1, 0)
    assert "entry" not in yes.json()
    assert yes.text.replace('"total":1', '"total":0') == no.text


@pytest.mark.parametrize("persona", ["stranger", "border"])
def test_several_are_told_like_none(record: Api, persona: str) -> None:
    none = ask(record, asked(HAN, identifier=[number("hkid", OTHER_CARD)]), persona)
    assert found(ask(record, BY_NAME, persona)) == []
    apart = LinkChange("clinic", "hospital", LinkKind.APART, "steward", "two people", expected=None)
    record.prepared(Prepared(links=(apart,)))
    several = ask(record, BY_CARD, persona)
    assert several.content == none.content
    assert several.json()["total"] == 0


def test_a_stranger_is_not_told_of_the_probable(record: Api) -> None:
    record.store(alike)
    assert found(ask(record, BY_NAME, "stranger")) == []


def test_a_number_counts_that_was_seen_on_both_sides(api: Api) -> None:
    """Where no counter of this node has seen it, or not that of who asks, it was only told."""
    api.personas["stranger"] = stranger("stranger", tells_id=True)
    told = asked(HAN, identifier=[number("hkid", CARD, seen=False)])
    for stored, query in ((unverified, BY_CARD), (clinic | {"id": "told", "name": [HAN]}, told)):
        api.store(stored)
        assert found(ask(api, query)) == [("told", "probable")]
        assert found(ask(api, query, "stranger")) == []
    assert found(ask(api, BY_CARD, "stranger")) == [("told", "certain")]


def test_who_sees_some_may_be_a_stranger_to_others(record: Api) -> None:
    among = Stranger(Reader.everything("registry"), is_told_id=True)
    few = record.personas["few"]
    record.personas["ward"] = Access(
        "ward", "", "TREAT", few.reader, frozenset({Right.VIEW, Right.MATCH}), "ward", stranger=among
    )
    answer = ask(record, BY_CARD, "ward")
    assert [told for _, told in found(answer)] == ["certain"]
    assert "birthDate" not in answer.text


# --- How often, and what is on record -------------------------------------------------


def test_who_asks_too_often_waits(record: Api) -> None:
    del record
    limits = Limits(match_each=5, match_stranger_each=2, match_seconds=60)
    with opened(settings=WebSettings(limits=limits)) as api:
        api.personas["stranger"] = stranger("stranger", tells_id=True)
        api.personas["border"] = stranger("border", tells_id=False)
        for _ in range(2):
            assert ask(api, BY_CARD, "stranger").status_code == 200
        refused = ask(api, BY_CARD, "stranger")
        assert outcome(refused)[:2] == (429, "throttled")
        assert 28 <= int(refused.headers["retry-after"]) <= 30
        assert ask(api, BY_CARD, "border").status_code == 200  # another client has its own count
        for _ in range(5):
            assert ask(api, BY_CARD).status_code == 200
        assert ask(api, BY_CARD).status_code == 429
        clock(api).jump(31_000_000)
        assert ask(api, BY_CARD, "stranger").status_code == 200
        assert ask(api, BY_CARD, "stranger").status_code == 429
        assert [each.status for each in records(api)].count(429) == 3


def clock(api: Api) -> Any:
    return api.node.clock


def records(api: Api) -> list[AuditRecord]:
    store = api.node.store
    assert isinstance(store, MemoryStore)
    return [each.record for each in store._state.audit if each.record.operation == "match"]


@pytest.fixture
def audited() -> Iterator[Api]:
    """In memory, where the records can be looked at."""
    with opened() as api:
        api.store(clinic)
        api.personas["stranger"] = stranger("stranger", tells_id=True)
        api.personas["border"] = stranger("border", tells_id=False)
        yield api


def test_every_question_is_on_record_with_whom_it_disclosed(audited: Api) -> None:
    with audited.node.store.view() as view:
        keys = view.read(Reader.everything(), "Patient", "clinic").patient_keys
    nobody = asked(name("Nobody", "At All"))
    wrong = asked(HAN, identifier=[number("hkid", "A123456(4)")])
    for query, who, status, disclosed in (
        (BY_CARD, "stranger", 200, keys),
        (BY_CARD, "border", 200, keys),
        (BY_CARD, "", 200, keys),
        (nobody, "stranger", 200, ()),
        (wrong, "stranger", 400, ()),
    ):
        ask(audited, query, who)
        last = records(audited)[-1]
        assert (last.status, last.patient_keys) == (status, disclosed)
        assert last.actor == (who or "unprotected")
        assert query.get("identifier", query["name"])[0].get("value", "Nobody") in last.request


def test_to_match_is_a_right(record: Api) -> None:
    record.personas["viewer"] = persona("viewer", Reader.everything("v"), Right.VIEW)
    assert outcome(ask(record, BY_CARD, "viewer"))[:2] == (403, "forbidden")


# --- What cannot be asked -------------------------------------------------------------


def card(value: str, system: str = "hkid") -> list[Resource]:
    return [number(system, value)]


@pytest.mark.parametrize(
    ("patient", "code", "path"),
    [
        (asked(HAN, identifier=card("A123456(4)")), "value", "identifier[0].value"),
        (asked(HAN, identifier=card("440106195013041234", "mainland-id")), "value", "identifier[0].value"),
        (asked(HAN, identifier=[*card(CARD), *card("nothing")]), "value", "identifier[1].value"),
        (asked(HAN, birthDate="1950-02-30"), "value", "birthDate"),
        (asked(HAN, birthDate="2022-10-20"), "value", "birthDate"),
        (asked(HAN, birthDate="2023"), "value", "birthDate"),
        (asked(HAN, gender="neither"), "code-invalid", "gender"),
        ({"resourceType": "Patient"}, "structure", ""),
    ],
)
def test_who_nobody_can_be_is_refused_with_its_place(
    record: Api, patient: Resource, code: str, path: str
) -> None:
    place = "Parameters.parameter[0].resource" + (f".{path}" if path else "")
    assert outcome(ask(record, patient)) == (400, code, place)
    alone = outcome(record.post("Patient/$match", patient))
    assert alone == (400, code, f"Patient.{path}" if path else "Patient")


def test_a_system_that_is_not_known_is_compared_as_written(record: Api) -> None:
    mine = {"system": "http://clinic.example/number", "value": "a,1|2$3\\4"}
    record.store(clinic | {"identifier": [mine, number("hkid", CARD)]})
    assert found(ask(record, asked(HAN, SPELLED, identifier=[mine]) | PHONE))[0][0] == "clinic"
    assert ask(record, asked(identifier=[mine])).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "structure"),
        (b"[]", "structure"),
        ({"resourceType": "Parameters"}, "structure"),
        ({"resourceType": "Observation", "status": "final", "code": {"text": "x"}}, "structure"),
        ({"resourceType": "Parameters", "parameter": [{"name": "resource"}]}, "structure"),
        (
            {"resourceType": "Parameters", "parameter": [{"name": "resource", "valueString": "x"}]},
            "structure",
        ),
        (
            {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": BY_CARD}] * 2},
            "structure",
        ),
        (BY_CARD | {"text": {"status": "generated", "div": "x" * 40_000}}, "too-long"),
    ],
)
def test_what_is_no_patient_is_refused(record: Api, body: Any, code: str) -> None:
    answer = record.post("Patient/$match", body)
    assert outcome(answer)[:2] == (400 if code == "structure" else 413, code)


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("count=-1", "count"),
        ("count=x", "count"),
        ("count=1&count=2", "count"),
        ("onlyCertainMatches=yes", "onlyCertainMatches"),
        ("resource=x", "resource"),
        ("onlySingleMatch=true", "onlySingleMatch"),
    ],
)
def test_parameters_that_are_not_understood_are_refused(record: Api, query: str, path: str) -> None:
    status, _, place = outcome(record.post(f"Patient/$match?{query}", BY_CARD))
    assert (status, place) == (400, path)


def test_the_statement_declares_it(record: Api) -> None:
    rest = record.get("metadata").json()["rest"][0]
    of_patient = next(each for each in rest["resource"] if each["type"] == "Patient")
    assert {
        "name": "match",
        "definition": "http://hl7.org/fhir/OperationDefinition/Patient-match",
    } in of_patient["operation"]
    assert record.get("Patient/$match").status_code == 405
    assert record.post("Observation/$match", BY_CARD).status_code == 404
