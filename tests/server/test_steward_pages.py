"""The steward's pages over HTTP: what they show, what they refuse, what is put on record."""

import re
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.clock import SetClock
from kintung.consent import Policy, Right, Undeclared
from kintung.store.links import LinkChange, LinkKind
from kintung.store.memory import MemoryStore
from kintung.store.reader import Reader
from kintung.store.writes import AuditRecord, Prepared
from kintung.web.pages.assets import MOST_BYTES, assets
from kintung.web.pages.pages import PAGES
from kintung.web.pages.registry import Page, Pages
from kintung.web.pages.steward import pair as pair_page
from kintung.web.pages.steward.pair import PLACES
from kintung.web.pages.steward.queue import EACH
from tests.records import patient
from tests.server.api import Api, persona
from tests.server.api import api as opened

ROOT = "http://record.example"
PAIR = "/steward/pairs/p1/p2"
FORM = {"content-type": "application/x-www-form-urlencoded"}
SECRETS = {"p1": "Secretone", "p2": "Secrettwo", "p3": "Secretthree"}


@pytest.fixture
def api() -> Iterator[Api]:
    """Three people: a pair that waits, and stewards who see all, one of them, or none."""
    with opened() as found:
        found.store(*(patient(id, secret) for id, secret in SECRETS.items()))
        say(found, LinkKind.PROBABLE, "p1", "p2")
        readers = {"all": Reader.everything("all"), "p1": found.grant(1, "p1"), "none": Reader.nothing()}
        for sight, reader in readers.items():
            found.personas[sight] = persona(sight, reader, Right.STEWARD, organisation="registry")
            found.personas[f"{sight}, no steward"] = persona(sight, reader, Right.VIEW, Right.DEPOSIT)
        yield found


def sought(api: Api, text: str, who: str) -> str:
    """The query of the address of what somebody looks for, as the form leads to it."""
    viewer = api.personas["viewer"] = replace(api.personas[who], rights=frozenset({Right.VIEW}))
    form = fields(get(api, "/find", "viewer"))
    location = send(api, "/find", {**form, "typed": text}, "viewer").headers["location"]
    assert viewer.client == api.personas[who].client
    return location.removeprefix("/find")


def say(api: Api, kind: LinkKind, one: str, other: str) -> None:
    api.prepared(Prepared(links=(LinkChange(one, other, kind, "rule", "in words of the rule", 812),)))


def get(api: Api, path: str, who: str = "all", **headers: str) -> httpx.Response:
    return api.get(f"{ROOT}{path}", persona=who, headers={"accept-language": "en", **headers})


def fields(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of a form."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


def send(api: Api, path: str, body: dict[str, str], who: str = "all", **headers: str) -> httpx.Response:
    content = str(httpx.QueryParams(body)).encode()
    sent = {**FORM, "accept-language": "en", **headers}
    return api.post(f"{ROOT}{path}", content, persona=who, headers=sent)


def decide(api: Api, decision: str, why: str = "Both cards were seen", who: str = "all") -> httpx.Response:
    """Open the page of a decision, and send its form."""
    return send(api, f"{PAIR}/{decision}", {**fields(get(api, f"{PAIR}/{decision}", who)), "why": why}, who)


def audit(api: Api, count: int = 1) -> list[AuditRecord]:
    store = api.node.store
    assert isinstance(store, MemoryStore)
    return [audited.record for audited in store._state.audit[-count:]]


# --- S17: every page, by everyone -----------------------------------------------------


PAIR_SHOWN = {"all": {"Secretone", "Secrettwo"}}
ONE_SHOWN = {"all": {"Secretone"}, "p1": {"Secretone"}}
SHOWN: dict[str, dict[str, set[str]]] = dict.fromkeys(
    ("find", "record", "record-pdf", "record-timeline", "record-item"), ONE_SHOWN
) | {"record-content": {}}
"""What a page that discloses shows by how much one sees, where it is not the pair."""


def address(api: Api, page: Page, who: str) -> str:
    asked = {
        "steward-find": sought(api, "secretone", who) + "&beside=p2",
        "find": sought(api, "secretone", who),
    }
    named = {"one": "p1", "other": "p2", "decision": "merge", "name": "nothing.css", "id": "p1", "rid": "p1"}
    path = page.path.format(type="Patient", n="0", **named)
    return path + asked.get(page.name, "")


@pytest.mark.parametrize("page", PAGES.pages, ids=lambda page: page.name)
@pytest.mark.parametrize("sight", ["all", "p1", "none"])
@pytest.mark.parametrize("right", [True, False])
def test_every_page_keeps_to_its_right_and_to_the_reader(
    api: Api, page: Page, sight: str, right: bool
) -> None:
    """Who has its right and no other is shown what the reader sees; who has every other, nothing."""
    its = {page.right} - {None}
    rights = its if right else set(Right) - its
    api.personas["who"] = replace(api.personas[sight], rights=frozenset(rights))
    answer = api.call(
        page.method,
        ROOT + address(api, page, sight),
        b"token=x",
        persona="who",
        headers={**FORM, "accept-language": "en"},
    )
    permitted = right or page.right is None
    if not permitted or page.method == "POST":  # without its token no form is taken
        assert answer.status_code == 403
    shown = {secret for secret in SECRETS.values() if secret in answer.text}
    is_seen = permitted and page.policy is Policy.DISCLOSES
    assert shown == (SHOWN.get(page.name, PAIR_SHOWN).get(sight, set()) if is_seen else set())


@pytest.mark.parametrize("page", PAGES.pages, ids=lambda page: page.name)
def test_a_page_without_its_policy_does_not_load(page: Page) -> None:
    other = Policy.OPEN if page.policy is not Policy.OPEN else Policy.DISCLOSES
    with pytest.raises(Undeclared):
        Pages((Page(page.name, page.method, page.path, page.action, page.right, other),))


@pytest.mark.parametrize("rest", ["", "/merge", "/un-merge"])
def test_absent_and_hidden_are_alike_in_every_byte(api: Api, rest: str) -> None:
    plain = {"accept-encoding": "identity"}  # else the length says which id was asked for
    hidden = get(api, f"/steward/pairs/p1/p2{rest}", "p1", **plain)
    absent = get(api, f"/steward/pairs/p1/p9{rest}", "p1", **plain)
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text.replace("p2", "p9") == absent.text
    assert {**hidden.headers} == {**absent.headers}


def test_a_form_for_what_is_hidden_is_answered_as_for_what_is_absent(api: Api) -> None:
    token = fields(get(api, f"{PAIR}/merge"))["token"]
    said = {
        send(api, f"/steward/pairs/p1/{id}/merge", {"token": token}, "p1").status_code for id in ("p2", "p9")
    }
    assert said == {403}, "there is no form to send"


# --- What is on record ----------------------------------------------------------------


def test_whom_a_page_shows_is_on_record_before_it_leaves(api: Api) -> None:
    with api.node.store.view() as view:
        keys = {
            key for id in ("p1", "p2") for key in view.read(Reader.everything(), "Patient", id).patient_keys
        }
    for path, name in (("/steward", "queue"), (PAIR, "pair"), (f"{PAIR}/merge", "decision")):
        get(api, path)
        (record,) = audit(api)
        assert (record.operation, record.status, set(record.patient_keys)) == (f"steward-{name}", 200, keys)
        assert (record.actor, record.organisation, record.request) == ("all", "registry", f"GET {path}?")


def test_what_is_refused_is_on_record(api: Api) -> None:
    get(api, "/steward/pairs/p1/p9")
    get(api, "/steward", "all, no steward")
    assert [(each.operation, each.status) for each in audit(api, 2)] == [
        ("steward-pair", 404),
        ("steward-queue", 403),
    ]


# --- The list -------------------------------------------------------------------------


def test_the_list_is_walked_page_by_page_and_hides_what_is_hidden(api: Api) -> None:
    more = [f"m{place:02}{side}" for place in range(EACH + 1) for side in "ab"]
    api.store(*(patient(id, id.upper()) for id in more))
    for place in range(EACH + 1):
        say(api, LinkKind.PROBABLE, f"m{place:02}a", f"m{place:02}b")
    api.personas["some"] = persona("some", api.grant(2, *more), Right.STEWARD)
    met: list[str] = []
    path = "/steward"
    while path and len(met) <= EACH:
        page = get(api, path, "some")
        met += re.findall(r"/steward/pairs/(\w+)/", page.text)
        found = re.search(r'href="(/steward\?after=[^"]+)" rel="next"', page.text)
        path = found[1] if found else ""
    assert met == [f"m{place:02}a" for place in range(EACH + 1)]


def test_a_place_in_the_list_is_of_one_reader(api: Api) -> None:
    assert get(api, "/steward?after=abc").status_code == 400


def test_nothing_waits(api: Api) -> None:
    decide(api, "keep-apart")
    assert "Nothing waits" in get(api, "/steward").text


# --- Find a record --------------------------------------------------------------------

FIND = "/steward/find"


def named(id: str, *names: dict[str, object]) -> dict[str, object]:
    return {"resourceType": "Patient", "id": id, "name": list(names), "birthDate": "1950-03-02"}


def found_at(api: Api, typed: str, who: str = "all", **more: str) -> str:
    """Where the form leads to; ``more`` are parameters beside what is typed."""
    form = fields(get(api, FIND, who))
    location = send(api, FIND, {**form, "typed": typed}, who).headers["location"]
    return location + "".join(f"&{name}={value}" for name, value in more.items())


def find(api: Api, typed: str, who: str = "all", **more: str) -> httpx.Response:
    return get(api, found_at(api, typed, who, **more), who)


def blind(page: httpx.Response) -> str:
    """A page without its token and without what is sealed, which are random."""
    return re.sub(r'(value="|sought=)[\w-]{40,}', r"\1", page.text)


@pytest.fixture
def chan(api: Api) -> Api:
    """One name as four systems write it, and another one."""
    api.store(
        named("c1", {"text": "陳大文", "family": "陳", "given": ["大文"]}),
        named("c2", {"text": "陈大文", "family": "陈", "given": ["大文"]}),
        named("c3", {"family": "CHAN", "given": ["Tai Man"]}),
        named("c4", {"family": "Chen", "given": ["Dawen"]}),
        named("c5", {"family": "CHAN", "given": ["Siu Ming"]}),
    )
    return api


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "陳大文",
            {
                "c1": "",
                "c2": "other characters that are compared alike",
                "c3": "as Hong Kong spells the characters",
                "c4": "as Pinyin spells the characters",
            },
        ),
        (
            "Chan Tai Man",
            {
                "c1": "characters that sound alike in Cantonese",
                "c2": "characters that sound alike in Cantonese",
                "c3": "",  # as it is written
            },
        ),
        (
            "Tai Man Chan",
            {
                "c1": "characters that sound alike in Cantonese",
                "c2": "characters that sound alike in Cantonese",
                "c3": "the same letters, spaced or ordered differently; or Pinyin",
            },
        ),
    ],
)
def test_a_name_in_any_script_finds_the_record_and_says_by_which_form(
    chan: Api, name: str, said: dict[str, str]
) -> None:
    cards = find(chan, name).text.split('<li class="card">')[1:]
    found: dict[str, str] = {}
    for card in cards:
        id, why = re.search(r"beside=(\w+)", card), re.search(r"</span>\u00a0· ([^<]+)</span>", card)
        assert id is not None
        found[id[1]] = why[1] if why else ""
    assert found == said


def test_two_that_no_rule_found_are_chosen_and_compared(chan: Api) -> None:
    page = find(chan, "陳大文", beside="c1")
    others = re.findall(r'href="(/steward/pairs/c1/\w+)"', page.text)
    assert others == [f"/steward/pairs/c1/{id}" for id in ("c4", "c3", "c2")]
    assert get(chan, others[0]).status_code == 200


def test_what_is_found_is_walked_page_by_page(api: Api) -> None:
    ids = [f"w{place:02}" for place in range(EACH + 3)]
    api.store(*(named(id, {"family": "WONG", "given": [id]}) for id in ids))
    met: list[str] = []
    path = found_at(api, "wong")
    while path and len(met) <= len(ids):
        page = get(api, path)
        met += re.findall(r"beside=(w\d+)", page.text)
        found = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = found[1].replace("&amp;", "&") if found else ""
    assert met == ids[::-1]
    assert find(api, "wong", after="abc").status_code == 400


def test_a_place_in_what_was_found_is_of_the_name_that_was_looked_for(api: Api) -> None:
    api.store(*(named(f"w{place}", {"family": "WONG"}) for place in range(EACH + 1)))
    found = re.search(r'after=([\w-]+)[^"]*" rel="next"', find(api, "wong").text)
    assert found is not None

    assert find(api, "  wong ", after=found[1]).status_code == 200
    other, damaged = find(api, "chan", after=found[1]), find(api, "chan", after="abc")
    assert other.status_code == 400
    assert blind(other).replace(found[1], "abc") == blind(damaged)


def test_who_is_hidden_is_found_as_little_as_who_is_absent(api: Api) -> None:
    hidden, absent = find(api, "Secrettwo", "p1"), find(api, "Secretnix", "p1")
    assert blind(hidden).replace("Secrettwo", "Secretnix") == blind(absent)
    assert "No record was found" in absent.text
    beside = [find(api, "Secretone", "p1", beside=id) for id in ("p2", "p9")]
    assert [page.status_code for page in beside] == [404, 404]


def test_before_anything_is_looked_for_there_is_the_form_alone(api: Api) -> None:
    for page in (get(api, FIND), find(api, "---")):
        assert page.status_code == 200
        assert 'name="typed"' in page.text
        assert 'class="card"' not in page.text
        assert "No record" not in page.text
    assert "at most 100 characters" in find(api, "x" * 101).text


def test_a_record_is_found_by_its_number_and_its_birth_date_too(chan: Api) -> None:
    number = {"system": "https://kintung.org/fhir/sid/hkid", "value": "A123456(3)"}
    chan.store({**named("c6", {"text": "黃小明"}), "identifier": [number]})
    for typed in ("a 123456 3", "黃小明 2/3/1950"):
        page = find(chan, typed)
        assert re.findall(r"beside=(\w+)", page.text) == ["c6"]
        assert "A123456" not in page.url.query.decode()


def test_the_record_that_waits_to_be_compared_goes_along_with_the_form(chan: Api) -> None:
    called = named("c1", {"text": "陳大文", "family": "陳", "given": ["大文"]})
    chan.store(called | {"birthDate": "1950-03-02"})
    form = fields(get(chan, f"{FIND}?beside=c1"))
    location = send(chan, FIND, {**form, "typed": "Chen"}).headers["location"]
    page = get(chan, location)
    assert re.findall(r'href="/steward/pairs/c1/(\w+)"', page.text) == ["c4", "c2"]
    chosen = page.text.partition('class="done beside"')[2].partition("<h2>")[0]
    assert "2\u00a0March 1950" in chosen, "by it two of one name are told apart"


@given(st.text(max_size=120))
def test_whatever_is_looked_for_is_answered(name: str) -> None:
    with opened() as api:
        api.store(named("c1", {"text": "陳大文"}, {"family": "Chan", "given": ["Tai Man"]}))
        api.personas["all"] = persona("all", Reader.everything("all"), Right.STEWARD)
        form = {**fields(get(api, FIND)), "typed": name}
        answer = send(api, FIND, form)
        assert answer.status_code == 303 or ("\0" in name and answer.status_code == 400)
        if answer.status_code == 303:
            assert get(api, answer.headers["location"]).status_code == 200


# --- Decisions ------------------------------------------------------------------------


def test_merge_undo_keep_apart_and_un_merge_with_their_history(api: Api) -> None:
    person = [
        (step, get(api, decide(api, step, f"why {step}").headers["location"]).text)
        for step in ("merge", "withdraw", "merge", "un-merge", "keep-apart", "withdraw")
    ]
    signs = [re.search(r'class="standing (\w+)"', page) for _, page in person]
    assert [found[1] for found in signs if found] == ["one", "open", "one", "open", "two", "open"]
    assert re.findall(r"why [a-z-]+", person[-1][1]) == [
        "why withdraw",
        "why keep-apart",
        "why un-merge",
        "why merge",
        "why withdraw",
        "why merge",
    ]


def test_after_an_un_merge_the_page_lists_what_was_disclosed_through_the_link(api: Api) -> None:
    decide(api, "merge")
    reader = Reader("scope 1", persons=api.node.store.scope(1))
    api.personas["doctor"] = persona("doctor", reader, Right.VIEW)
    assert api.get("Patient/p2", persona="doctor").status_code == 200, "seen because p1 is granted"
    decide(api, "un-merge")
    reader = Reader("scope 1", persons=api.node.store.scope(1))
    api.personas["doctor"] = persona("doctor", reader, Right.VIEW)
    assert api.get("Patient/p2", persona="doctor").status_code == 404
    listed = get(api, PAIR).text.partition("Shown through the link")[2]
    assert "doctor" in listed
    assert "Patient/p2" in listed
    assert "<code>read</code>" in listed


def test_of_very_many_disclosures_the_newest_are_listed_and_it_is_said(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_page, "MOST_DISCLOSURES", 2)
    decide(api, "merge")
    api.personas["doctor"] = persona("doctor", Reader("scope 1", persons=api.node.store.scope(1)), Right.VIEW)
    for _ in range(3):
        assert api.get("Patient/p2", persona="doctor").status_code == 200
    listed = get(api, PAIR).text.partition("Shown through the link")[2]
    assert "3 in all. The newest 2 are here." in listed
    assert listed.count("doctor") == 2


def test_what_was_shown_on_a_page_is_said_in_words(api: Api) -> None:
    assert set(PLACES) == {page.name for page in PAGES.pages if page.policy is Policy.DISCLOSES}
    decide(api, "merge")
    reader = Reader("scope 1", persons=api.node.store.scope(1))
    api.personas["doctor"] = persona("doctor", reader, Right.VIEW)
    assert get(api, "/record/p2", "doctor").status_code == 200
    for lang, said in (("en", "Summary and results"), ("zh-HK", "摘要及結果"), ("zh-CN", "摘要与结果")):
        listed = get(api, f"{PAIR}?lang={lang}").text.partition('id="disclosed"')[2]
        assert said in listed


def test_the_second_of_two_stewards_is_told_what_was_decided_meanwhile(api: Api) -> None:
    form = fields(get(api, f"{PAIR}/keep-apart"))
    assert decide(api, "merge", "Seen at the counter").status_code == 303
    second = send(api, f"{PAIR}/keep-apart", {**form, "why": "They look unlike"})
    assert second.status_code == 412
    assert "Nothing was done" in second.text
    assert "Seen at the counter" in second.text
    assert [secret in second.text for secret in SECRETS.values()] == [True, True, False], (
        "whose decision it was"
    )
    assert [(each.operation, each.status) for each in audit(api, 2)] == [
        ("keep-apart", 412),
        ("steward-decide", 412),
    ]


def test_what_contradicts_other_decisions_is_not_done(api: Api) -> None:
    decide(api, "keep-apart")
    again = decide(api, "merge")
    assert (again.status_code, "Nothing was done" in again.text) == (409, True)


@pytest.mark.parametrize("why", ["", "   ", "x" * 501])
def test_a_decision_needs_a_reason(api: Api, why: str) -> None:
    answer = decide(api, "merge", why)
    assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (422, True)
    assert why.strip() in answer.text
    assert send(api, f"{PAIR}/merge", {**fields(answer), "why": "now with one"}).status_code == 303


# --- Forms of other places ------------------------------------------------------------


def test_a_form_without_the_token_of_its_page_is_refused(api: Api) -> None:
    form = fields(get(api, f"{PAIR}/merge"))
    api.personas["another"] = persona("another", Reader.everything("all"), Right.STEWARD)
    wrong = {
        "none": send(api, f"{PAIR}/merge", {"version": "1", "why": "y"}),
        "garbled": send(api, f"{PAIR}/merge", {**form, "token": form["token"][:-2] + "xx", "why": "y"}),
        "of another address": send(api, f"{PAIR}/keep-apart", {**form, "why": "y"}),
        "of another caller": send(api, f"{PAIR}/merge", {**form, "why": "y"}, "another"),
        "of another site": send(
            api, f"{PAIR}/merge", {**form, "why": "y"}, **{"sec-fetch-site": "cross-site"}
        ),
    }
    assert {name: answer.status_code for name, answer in wrong.items()} == dict.fromkeys(wrong, 403)
    assert audit(api)[0].status == 403
    assert send(api, f"{PAIR}/merge", {**form, "why": "y"}).status_code == 303


def test_a_form_is_good_for_a_working_day(api: Api) -> None:
    form = fields(get(api, f"{PAIR}/merge"))
    assert isinstance(api.node.clock, SetClock)
    api.node.clock.jump(12 * 3_600 * 1_000_000)
    assert send(api, f"{PAIR}/merge", {**form, "why": "y"}).status_code == 403


@given(body=st.binary(max_size=200), path=st.sampled_from([f"{PAIR}/merge", f"{PAIR}/x", "/steward"]))
def test_no_body_breaks_a_page(body: bytes, path: str) -> None:
    with opened() as api:
        api.personas["all"] = persona("all", Reader.everything("all"), Right.STEWARD)
        assert api.post(ROOT + path, body, persona="all", headers=FORM).status_code in (400, 403, 404, 405)


@pytest.mark.parametrize(
    "sent", ["version=&", "version=-1&", "version=99999999999&", "version=１&", "x=1&x=2&"]
)
def test_a_form_that_cannot_be_read_is_refused(api: Api, sent: str) -> None:
    token = fields(get(api, f"{PAIR}/merge"))["token"]
    answer = api.post(
        f"{ROOT}{PAIR}/merge", f"{sent}why=y&token={token}".encode(), persona="all", headers=FORM
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/steward/nowhere", 404),
        ("GET", f"{PAIR}/burn", 404),
        ("GET", "/steward/pairs/p1/p1", 422),
        ("DELETE", "/steward", 405),
        ("GET", "/steward/pairs/%00/p1", 404),
        ("GET", "/steward?lang=" + "x" * 60_000, 414),
        ("GET", "/steward?lang=%ff%fe&after=%ff", 400),
        ("GET", "/assets/kintung.0.css", 404),
    ],
)
def test_what_cannot_be_shown_is_a_page_that_says_so(api: Api, method: str, path: str, status: int) -> None:
    answer = api.call(method, ROOT + path, persona="all")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")


# --- How pages are sent ---------------------------------------------------------------


def test_a_page_runs_nothing_and_takes_nothing_from_elsewhere(api: Api) -> None:
    for path in ("/steward", PAIR, f"{PAIR}/merge", "/steward/nowhere"):
        page = get(api, path)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["cache-control"] == "no-store"
        assert re.findall(r"<script|style=|\son\w+=\"|(?:src|href)=\"(?:https?:)?//", page.text) == []


def test_styles_are_small_and_kept_for_ever(api: Api) -> None:
    assert sum(len(asset.body) for asset in assets().values()) <= MOST_BYTES
    for asset in assets().values():
        answer = get(api, asset.address)
        assert (answer.status_code, answer.content) == (200, asset.body)
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "en-GB,en;q=0.8", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans-CN"),
        ("", "fr, zh-TW;q=0.5, en;q=0.4", "zh-Hant-HK"),
        ("", "en;q=0, *", "zh-Hant-HK"),
        ("", "xx;;q=9,\xff", "zh-Hant-HK"),
        ("?lang=en", "zh-CN", "en"),
        ("?lang=klingon", "zh-SG", "zh-Hans-CN"),
    ],
)
def test_the_language_follows_the_address_then_the_browser(
    api: Api, query: str, accepted: str, language: str
) -> None:
    header = [(b"accept-language", accepted.encode("latin-1"))]
    page = api.get(f"{ROOT}/steward{query}", persona="all", headers=header)
    assert page.headers["content-language"] == language
    assert f'<html lang="{language}">' in page.text
    goes_on = f"/steward/pairs/p1/p2?lang={language}" in page.text
    assert goes_on == (query == "?lang=en")


def test_the_unprotected_node_has_a_steward(api: Api) -> None:
    assert "Secretone" in api.get(f"{ROOT}/steward").text
