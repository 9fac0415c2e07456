"""The page that finds a person, over HTTP: what it shows, what it keeps out of addresses, the audit."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.clock import SetClock
from kintung.consent import Right
from kintung.identity.typed import query, read, reasons
from kintung.store.links import LinkChange, LinkKind
from kintung.store.memory import MemoryStore
from kintung.store.reader import Reader
from kintung.store.versions import Paging
from kintung.store.writes import AuditRecord, Prepared
from kintung.web.pages.find.people import MOST_RECENT
from kintung.web.pages.find.records import EACH
from kintung.web.pages.find.sought import GOOD_FOR_MICROS
from tests.server.api import Api, persona
from tests.server.api import api as opened

ROOT = "http://record.example"
HKID = "https://kintung.org/fhir/sid/hkid"
FORM = {"content-type": "application/x-www-form-urlencoded"}
BORN = "1948-03-02"


def person(
    id: str, *names: dict[str, Any], born: str = BORN, number: str = "", **more: Any
) -> dict[str, Any]:
    identifiers = {"identifier": [{"system": HKID, "value": number}]} if number else {}
    keeper = {"managingOrganization": {"display": f"Clinic of {id}"}}
    return {
        "resourceType": "Patient",
        "id": id,
        "name": list(names),
        "birthDate": born,
        "gender": "male",
        **keeper,
        **identifiers,
        **more,
    }


HAN, LETTERS = {"text": "陳大文"}, {"family": "CHAN", "given": ["Tai Man"]}
PEOPLE = [
    person("hk", HAN, LETTERS, number="A123456(3)"),
    person("sz", {"text": "陈大文"}, {"family": "Chen", "given": ["Dawen"]}, born="1948-02-03"),
    person("other", {"family": "CHAN", "given": ["Siu Ming"]}, born="1948"),
    person("young", HAN, born="2011-05-06", number="B123456(7)"),
]


@pytest.fixture
def api() -> Iterator[Api]:
    """Four people, two of them one person; readers of all, of one, and of nobody."""
    with opened() as found:
        found.store(*PEOPLE)
        found.prepared(Prepared(links=(LinkChange("hk", "sz", LinkKind.CERTAIN, "rule", "", 900),)))
        readers = {
            "all": Reader.everything("all"),
            "young": found.grant(1, "young"),
            "none": Reader.nothing(),
        }
        for sight, reader in readers.items():
            found.personas[sight] = persona(sight, reader, Right.VIEW, organisation="clinic")
        yield found


def get(api: Api, path: str, who: str = "all", **headers: str) -> httpx.Response:
    return api.get(f"{ROOT}{path}", persona=who, headers={"accept-language": "en", **headers})


def token(api: Api, who: str = "all") -> str:
    found = re.search(r'name="token" value="([^"]+)"', get(api, "/find", who).text)
    assert found is not None
    return found[1]


def send(api: Api, body: dict[str, str], who: str = "all", path: str = "/find") -> httpx.Response:
    return api.post(
        f"{ROOT}{path}",
        str(httpx.QueryParams(body)).encode(),
        persona=who,
        headers={**FORM, "accept-language": "en"},
    )


def address(api: Api, typed: str, who: str = "all") -> str:
    """Where the form leads to."""
    answer = send(api, {"token": token(api, who), "typed": typed}, who)
    assert answer.status_code == 303
    return answer.headers["location"]


def find(api: Api, typed: str, who: str = "all") -> httpx.Response:
    return get(api, address(api, typed, who), who)


def plain(text: str) -> str:
    return " ".join(re.sub(r"<[^<>]*>", " ", text).split())


def cards(page: httpx.Response) -> list[str]:
    """What each person of the page is shown by, without markup."""
    return [plain(card) for card in page.text.partition('<ol class="people">')[2].split("<li")[1:]]


def audit(api: Api) -> AuditRecord:
    store = api.node.store
    assert isinstance(store, MemoryStore)
    return store._state.audit[-1].record


@pytest.mark.parametrize("lang", ["zh-Hant-HK", "zh-Hans-CN"])
def test_no_space_stands_after_a_sign_as_wide_as_a_character(api: Api, lang: str) -> None:
    for typed in ("陳大文 1948", "1948", "2/3/1948", "A123456(3)"):
        page = get(api, address(api, typed), **{"accept-language": lang})
        lines = re.findall(r'<p class="(?:understood|why|note)"[^>]*>(.*?)</p>', page.text, re.DOTALL)
        said = [re.sub(r"<[^<>]*>", "", line) for line in lines]
        assert any("：" in line for line in said)
        assert not [line for line in said if re.search(r"[：。]\s", line)]


# --- Who is found, and why ------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("陳大文", ["Found by the name as written"] * 2),
        ("陳大文 1948", ["Found by the name as written the year of birth"]),
        ("chan tai man 2/3/1948", ["Found by the name as written the birth date"]),
        (
            "tai man chan 2/3/1948",
            ["the same letters, spaced or ordered differently; or Pinyin the birth date"],
        ),
        ("a 123456 (3)", ["Found by Hong Kong identity card number"]),
        ("06052011", ["Found by the birth date"]),
        ("陈大文 1948年2月3日", ["Found by the name as written the birth date"]),
        ("Siu Ming", ["Found by the name as written"]),
    ],
)
def test_each_result_says_why_it_is_one(api: Api, typed: str, said: list[str]) -> None:
    shown = cards(find(api, typed))
    assert len(shown) == len(said)
    assert [why for why, card in zip(said, shown, strict=True) if why not in card] == []


def test_a_person_of_several_records_is_shown_once_with_all_they_say(api: Api) -> None:
    (card,) = cards(find(api, "陳大文 1948"))
    for each in (
        "陳大文",
        "CHAN, Tai Man",
        "born 2 March 1948",
        "born 3 February 1948",
        "The records give different birth dates.",
        "A123***(*)",
        "Clinic of hk",
        "Clinic of sz",
        "one person with 2 records",
    ):
        assert each in card
    assert "A123456" not in card


def test_a_year_beside_a_day_of_it_is_no_other_birth_date(api: Api) -> None:
    api.store(
        person("year", {"text": "何伯"}, born="1936"), person("day", {"text": "何伯"}, born="1936-01-01")
    )
    api.prepared(Prepared(links=(LinkChange("year", "day", LinkKind.CERTAIN, "rule", "", 900),)))
    (card,) = cards(find(api, "何伯"))
    assert "born 1 January 1936 86 years old male" in card
    assert "different" not in card


def test_each_leads_to_the_record_of_the_person(api: Api) -> None:
    (path,) = re.findall(r'<a class="whole" href="([^"]+)"', find(api, "陳大文 1948").text)
    assert path == "/record/hk"
    assert get(api, path).status_code == 200


def test_what_was_understood_is_said(api: Api) -> None:
    text = plain(find(api, "陳大文 A123456(3) 2/3/48").text)
    assert "Looked for: the name 陳大文 born 2 March 1948 the number A123***(*)" in text


def test_a_person_is_on_one_page_of_the_list_alone(api: Api) -> None:
    """Linked ones that stand on different pages: the newest has the person, and no other page does."""
    ids = [f"w{place:02}" for place in range(EACH + 3)]
    for id in ids:
        api.store(person(id, {"family": "WONG", "given": [id]}))
        clock = api.node.clock
        assert isinstance(clock, SetClock)
        clock.jump(1_000_000)
    api.prepared(Prepared(links=(LinkChange(ids[0], ids[-1], LinkKind.CERTAIN, "rule", "", 900),)))
    met: list[str] = []
    path = address(api, "wong")
    while path and len(met) <= len(ids):
        page = get(api, path)
        met += re.findall(r"WONG, (w\d\d)", page.text)
        found = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = found[1].replace("&amp;", "&") if found else ""
    assert met == ids[:0:-1]


def test_who_is_called_as_was_typed_stands_before_who_is_called_alike(api: Api) -> None:
    for id, called in (("exact", "Siu Ming"), ("alike", "Siu-ming"), ("newest", "Xiaoming")):
        api.store(person(id, {"family": "LAU", "given": [called]}))
        clock = api.node.clock
        assert isinstance(clock, SetClock)
        clock.jump(1_000_000)
    shown = re.findall(r'href="/record/([a-z]+)', find(api, "LAU Siu Ming").text)
    assert shown[0] == "exact"


TEXTS = [
    "陳大文",
    "陈大文",
    "陳",
    "chan",
    "CHAN Tai Man",
    "Tai Man Chan",
    "dawen",
    "大文",
    "1948",
    "1948-03",
    "2/3/1948",
    "2011",
    "陳大文 1948",
    "chan 1948",
    "A123456(3)",
    "a123456",
    "A123456 陳大文",
    "B123456(7) 2011",
    "C999999",
    "mrn-1",
    "MRN-0001",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_reasons_are_those_of_the_search(api: Api, text: str) -> None:
    api.store(person("clear", HAN, identifier=[{"system": "urn:clinic", "value": "MRN-0001"}]))
    typed = read(text, date(2022, 10, 19))
    with api.node.store.view() as view:
        found = {each.id for each in view.search(Reader.everything(), query(typed), Paging(50)).entries}
    everyone = [*PEOPLE, person("clear", HAN, identifier=[{"system": "urn:clinic", "value": "MRN-0001"}])]
    assert found == {each["id"] for each in everyone if reasons(typed, each) is not None}


# --- What is wrong, and what is empty -------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("nobody", "Nobody was found"),
        ("A123456(4)", "The check digit of this number does not fit."),
        ("陳大文 31/2/1948", "Nobody can have been born on 31/2/1948."),
        ("x" * 101, "Give at most 100 characters."),
    ],
)
def test_what_is_found_to_be_wrong_is_said(api: Api, typed: str, said: str) -> None:
    page = find(api, typed)
    assert page.status_code == 200
    assert said in plain(page.text)
    assert cards(page) == []


@pytest.mark.parametrize("typed", ["", "  ", "---"])
def test_nothing_is_looked_for_without_anything(api: Api, typed: str) -> None:
    page = find(api, typed)
    assert (page.status_code, cards(page), "Nobody was found" in page.text) == (200, [], False)


def test_an_address_that_is_of_another_or_too_old_asks_to_type_again(api: Api) -> None:
    mine = address(api, "陳大文")
    assert isinstance(api.node.clock, SetClock)
    answers = [get(api, mine, "young"), get(api, mine[:-3]), get(api, "/find?sought=%ff")]
    api.node.clock.jump(GOOD_FOR_MICROS + 1)
    for page in (*answers, get(api, mine)):
        assert page.status_code == 400
        assert "Type it again" in page.text
        assert cards(page) == []


@given(st.text(max_size=120))
def test_whatever_is_typed_is_answered(typed: str) -> None:
    with opened() as api:
        api.store(PEOPLE[0])
        api.personas["all"] = persona("all", Reader.everything("all"), Right.VIEW)
        answer = send(api, {"token": token(api), "typed": typed})
        assert answer.status_code == 303 or ("\0" in typed and answer.status_code == 400)
        if answer.status_code == 303:
            assert get(api, answer.headers["location"]).status_code == 200


# --- What addresses and the audit have of it ------------------------------------------


def test_what_is_typed_is_in_no_address_and_in_no_line_of_the_audit(api: Api) -> None:
    where = address(api, "A123456(3) Chan")
    get(api, where)
    record = audit(api)
    assert record.request == f"GET {where.replace('?', '?', 1)}"
    for secret in ("A123456", "Chan", "chan"):
        assert secret not in where
        assert secret not in record.request


def test_whom_the_page_shows_is_on_record(api: Api) -> None:
    with api.node.store.view() as view:
        keys = {
            key for id in ("hk", "sz") for key in view.read(Reader.everything(), "Patient", id).patient_keys
        }
    find(api, "陳大文 1948")
    assert (audit(api).operation, set(audit(api).patient_keys)) == ("find", keys)


def test_a_form_without_its_token_is_refused_and_a_place_is_of_its_own_search(api: Api) -> None:
    assert send(api, {"typed": "chan"}).status_code == 403
    api.store(*(person(f"w{place:02}", {"family": "WONG"}) for place in range(EACH + 1)))
    found = re.search(r"after=([\w-]+)", find(api, "wong").text)
    assert found is not None
    assert get(api, f"{address(api, 'wong')}&after={found[1]}").status_code == 200
    assert get(api, f"{address(api, 'chan')}&after={found[1]}").status_code == 400


# --- The year alone -------------------------------------------------------------------


def test_a_day_finds_who_is_known_to_be_born_on_it_and_the_year_is_one_key_away(api: Api) -> None:
    """FHIR: a day matches what lies within it, and a year does not."""
    page = find(api, "Siu Ming 2/3/1948")
    assert (cards(page), "Nobody was found" in page.text) == ([], True)
    assert "Of some people only the year of birth is on record." in page.text
    (path,) = re.findall(r'<a class="phrase" href="([^"]+)">Look for people born in 1948</a>', page.text)
    following = get(api, path.replace("&amp;", "&"))
    (card,) = cards(following)
    assert "CHAN, Siu Ming born 1948" in card
    assert "Look for" not in following.text


@pytest.mark.parametrize(
    ("typed", "year"),
    [
        ("2/3/1948", "1948"),
        ("1948-03 陳大文 A123456(3)", "1948"),
        ("民國37年3月2日", "1948"),
        ("2/3/15", ""),  # of one century or of the other
        ("1948", ""),
        ("陳大文", ""),
        ("31/2/1948", ""),
        ("", ""),
    ],
)
def test_the_year_alone_is_offered_where_more_was_typed(api: Api, typed: str, year: str) -> None:
    page = find(api, typed)
    assert re.findall(r'<a class="phrase" href="[^"]+">Look for people born in (\d+)</a>', page.text) == (
        [year] if year else []
    )


# --- Recent people --------------------------------------------------------------------


def test_with_nothing_in_the_box_those_whose_records_one_opened_are_shown_the_last_first(api: Api) -> None:
    page = get(api, "/find")
    assert "Recent people" in page.text
    assert (cards(page), "Nobody yet" in page.text) == ([], True)
    for path in ("/record/young", "/record/hk/timeline", "/record/sz", "/record/young/Patient/young"):
        assert get(api, path).status_code == 200
    (young, chan) = cards(get(api, "/find"))
    for each in ("陳大文", "born 6 May 2011", "11 years old", "male", "Clinic of young", "Last opened"):
        assert each in young
    for each in ("陈大文", "Chen, Dawen", "born 3 February 1948", "one person with 2 records", "A123***(*)"):
        assert each in chan
    assert "Found by" not in young + chan
    assert re.findall(r'<a class="whole" href="([^"]+)"', get(api, "/find").text) == [
        "/record/young",
        "/record/sz",
    ]
    assert "Recent people" not in find(api, "陳大文").text


def test_recent_people_are_those_of_who_asks_that_it_may_see_now(api: Api) -> None:
    api.personas["nurse"] = persona("nurse", Reader.everything("nurse"), Right.VIEW, organisation="clinic")
    for path in ("/record/young", "/record/other"):
        get(api, path)
    assert cards(get(api, "/find", "nurse")) == []
    assert len(cards(get(api, "/find"))) == 2
    api.personas["all"] = replace(api.personas["all"], reader=api.personas["young"].reader)
    (card,) = cards(get(api, "/find"))
    assert "2011" in card
    api.personas["all"] = replace(api.personas["all"], reader=Reader.nothing())
    page = get(api, "/find")
    nobody = get(api, "/find", "none")
    blind = [re.sub(r'(value=")[\w-]{40,}', r"\1", each.text) for each in (page, nobody)]
    assert "Nobody yet" in page.text
    assert blind[0] == blind[1]


def test_who_asks_without_a_name_has_no_recent_people(api: Api) -> None:
    api.personas["all"] = replace(api.personas["all"], actor="")
    get(api, "/record/young")
    page = get(api, "/find")
    assert (page.status_code, cards(page), "Recent people" in page.text) == (200, [], False)


def test_whom_it_shows_is_on_record_and_is_no_more_recent_for_it(api: Api) -> None:
    get(api, "/record/hk")
    get(api, "/record/young")
    with api.node.store.view() as view:
        keys = {
            key
            for id in ("hk", "sz", "young")
            for key in view.read(Reader.everything(), "Patient", id).patient_keys
        }
    before = cards(get(api, "/find"))
    assert (audit(api).operation, set(audit(api).patient_keys), audit(api).opened) == ("find", keys, 0)
    assert isinstance(api.node.clock, SetClock)
    api.node.clock.jump(3_600_000_000)
    find(api, "陳大文 1948")
    assert cards(get(api, "/find")) == before


def test_a_record_that_is_refused_was_not_opened(api: Api) -> None:
    for path in ("/record/nobody", "/record/young?as-at=x", "/record/young/Patient/hk"):
        assert get(api, path).status_code >= 400
    assert cards(get(api, "/find")) == []


def test_recent_people_are_eight_and_are_shown_with_what_was_typed_wrong_no_more(api: Api) -> None:
    ids = [f"w{place}" for place in range(MOST_RECENT + 2)]
    api.store(*(person(id, {"family": "WONG", "given": [id]}) for id in ids))
    for id in ids:
        get(api, f"/record/{id}")
    shown = [re.search(r"WONG, (w\d)", card) for card in cards(get(api, "/find"))]
    assert [each and each[1] for each in shown] == ids[:1:-1]
    assert "Recent people" not in get(api, "/find?sought=%ff").text


# --- Absent and hidden ----------------------------------------------------------------


@pytest.mark.parametrize("typed", ["陳大文", "1948", "A123456(3)", "Chan Tai Man 1948"])
def test_who_is_hidden_is_found_as_little_as_who_is_absent(api: Api, typed: str) -> None:
    """In every byte, but for the token and the sealed text, which are random."""
    seen = find(api, typed, "young")
    assert all("2011" in card for card in cards(seen))
    with opened() as without:
        without.store(PEOPLE[3])
        without.personas["young"] = replace(api.personas["young"], reader=without.grant(1, "young"))
        absent = find(without, typed, "young")
    blind = [re.sub(r'(value="|sought=)[\w-]{40,}', r"\1", page.text) for page in (seen, absent)]
    assert blind[0] == blind[1]
    assert cards(find(api, typed, "none")) == []


# --- The script -----------------------------------------------------------------------


def test_the_page_brings_one_script_of_our_own_and_asks_nobody_else(api: Api) -> None:
    page = get(api, "/find")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'; connect-src 'self'" in policy
    assert "default-src 'none'" in policy
    (script,) = re.findall(r'<script src="(/assets/find\.[0-9a-f]+\.js)" defer></script>', page.text)
    assert re.findall(r"<script|style=|\son\w+=\"|(?:src|href)=\"(?:https?:)?//", page.text) == ["<script"]
    brought = get(api, script)
    assert (brought.status_code, brought.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert len(brought.content) < 2_500
