"""What who does not see a person learns of it: that one is certain, and nothing of what is only probable."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import quote

import pytest

from kintung.consent import Access, Right, Stranger
from kintung.store.links import LinkChange, LinkKind
from kintung.store.reader import Reader
from kintung.store.writes import Prepared
from tests.patients import name, number, patient
from tests.records import observation
from tests.server.api import BASE, Api, Resource, persona
from tests.server.api import api as opened

CARD = "A123456(3)"
NAME = name("CHAN", "Tai Man")
ASKED = {
    "resourceType": "Patient",
    "identifier": [number("hkid", CARD)],
    "name": [NAME],
    "birthDate": "1950-03-04",
    "gender": "male",
}
LOCAL = "urn:oid:1.3.6.1.4.1.21367.13.20.1000"


def stranger(name: str, *, is_told_id: bool) -> Access:
    among = Stranger(Reader.everything("registry"), is_told_id)
    return Access(name, "", "TREAT", Reader.nothing(name), frozenset({Right.MATCH}), name, stranger=among)


def given_strangers(api: Api) -> None:
    api.personas["stranger"] = stranger("stranger", is_told_id=True)
    api.personas["border"] = stranger("border", is_told_id=False)


def ask(api: Api, persona: str, patient: Resource = ASKED) -> Any:
    return api.post("Patient/$match", patient, persona=persona)


NOBODY = ASKED | {"identifier": [number("hkid", "C123456(9)")], "name": [name("WONG", "Siu Ling")]}


@pytest.mark.parametrize("who", ["stranger", "border"])
def test_who_is_only_probable_is_told_like_nobody(api: Api, who: str) -> None:
    """The number is the same, and no counter saw it; or another counter's record says another name."""
    given_strangers(api)
    nobody = ask(api, who, NOBODY).content
    api.store(patient("told", NAME, identifier=[number("hkid", CARD, seen=False)]))
    assert ask(api, who).content == nobody
    other = patient(
        "other", name("WONG", "Siu Ling"), identifier=[number("hkid", CARD)], birthDate="1961-07-08"
    )
    api.store(other)
    assert ask(api, who).content == nobody


@pytest.mark.parametrize("who", ["stranger", "border"])
def test_a_second_certain_match_is_told_like_nobody(api: Api, who: str) -> None:
    given_strangers(api)
    nobody = ask(api, who, NOBODY).content
    for id in ("one", "two"):
        api.store(patient(id, NAME, identifier=[number("hkid", CARD)]))
    assert ask(api, who).json()["total"] == 1  # of one person
    apart = LinkChange("one", "two", LinkKind.APART, "steward", "two people")
    api.prepared(Prepared(links=(apart,)))
    assert ask(api, who).content == nobody


def test_across_a_border_no_id_is_told(api: Api) -> None:
    given_strangers(api)
    api.store(patient("one", NAME, identifier=[number("hkid", CARD)]))
    answer = ask(api, "border")
    assert (answer.json()["total"], "Patient/one" in answer.text) == (1, False)


# --- What is probable crosses no border -----------------------------------------------


def one() -> Resource:
    return patient("a", NAME, identifier=[{"system": LOCAL, "value": "1"}, number("hkid", CARD, seen=False)])


def other() -> Resource:
    return patient("b", name("陳", "大文"), identifier=[{"system": LOCAL, "value": "2"}])


@contextmanager
def worlds() -> Iterator[tuple[Api, Api]]:
    """The same two records, waiting for a steward in one world; in the other nothing was said of them."""
    with ExitStack() as stack:
        pair: list[Api] = []
        for said in ((LinkChange("a", "b", LinkKind.PROBABLE, "rule", "alike", 2100),), ()):
            api = stack.enter_context(opened())
            api.store(one(), other(), observation("a-o", "a"), observation("b-o", "b"))
            api.prepared(Prepared(links=said))
            given_strangers(api)
            api.personas["office"] = persona(
                "office", api.grant(4, "a"), Right.VIEW, Right.MATCH, Right.DEPOSIT, organisation="office"
            )
            api.personas["both"] = persona("both", api.grant(5, "a", "b"), Right.VIEW, Right.MATCH)
            pair.append(api)
        yield pair[0], pair[1]


def asked_of_all() -> Iterator[tuple[str, str, Any]]:
    """Every operation and search by which a person may be met."""
    pix = quote(f"{LOCAL}|1")
    here = quote(f"{BASE}|Patient/a")
    for path in (
        "Patient/a",
        "Patient/b",
        "Patient/a/_history",
        "Patient/b/_history/1",
        "Patient/a/$everything",
        "Patient/b/$everything",
        "Patient?name=CHAN Tai Man",
        "Patient?name=陳大文&_total=accurate",
        "Patient?link=Patient/b",
        "Patient?_has:Observation:patient:code=8867-4",
        "Patient?_id=a,b&_include=Patient:link&_revinclude=Observation:subject",
        "Observation?patient=a",
        "Observation?subject:Patient.name=陳大文",
        "Patient/a/Observation",
        "Patient/a/*",
        "Observation/$lastn?patient=a&code=8867-4",
        "Patient/a/$meta",
        f"Patient/$ihe-pix?sourceIdentifier={pix}",
        f"Patient/$ihe-pix?sourceIdentifier={pix}&targetSystem={quote(BASE)}",
        f"Patient/$ihe-pix?sourceIdentifier={here}&targetSystem={LOCAL}",
        "_history",
        "metadata",
    ):
        yield "GET", quote(path, safe="/?=&$:,%*"), None
    for identity in (one(), other(), ASKED):
        sent = {name: value for name, value in identity.items() if name != "id"}
        yield "POST", "Patient/$match", sent
        yield "POST", "Patient/$match?onlyCertainMatches=true", sent
        yield "POST", "Patient/$match?count=0", sent


@pytest.mark.parametrize("who", ["stranger", "border", "office", "both"])
def test_nothing_is_answered_of_a_pair_that_is_probable(who: str) -> None:
    """To a stranger, to another region's office that sees one of the two, and to who sees both."""
    with worlds() as (waiting, silent):
        for method, path, body in asked_of_all():
            answers = [api.call(method, path, body, persona=who) for api in (waiting, silent)]
            assert len({(each.status_code, each.content) for each in answers}) == 1, (method, path)
            assert answers[0].status_code < 500


@pytest.mark.parametrize("who", ["stranger", "border", "office", "both"])
def test_only_a_steward_is_shown_what_waits(who: str) -> None:
    with worlds() as (waiting, silent):
        for path in ("steward", "steward/pairs/a/b"):
            pages = [
                api.call("GET", BASE.removesuffix("fhir") + path, persona=who) for api in (waiting, silent)
            ]
            assert [each.status_code for each in pages] in ([403, 403], [404, 404]), path
            assert pages[0].content == pages[1].content


def test_what_who_sees_one_writes_says_nothing_of_the_pair() -> None:
    """The rule judges the pair again, and the answer is the same."""
    with worlds() as pair:
        answers = [api.put("Patient/a", one() | {"active": True}, persona="office") for api in pair]
        assert len({(each.status_code, each.content) for each in answers}) == 1
        assert answers[0].status_code == 200
