"""The page of what policy asks for: its counts, its filters, the words of the documents."""

import html
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.definitions.seeds import STATES, seed_map
from kintung.web.about import About, Demo, Invented
from kintung.web.pages.catalogues import messages
from kintung.web.pages.language import Language, worded
from kintung.web.pages.seeds import LABELS
from kintung.web.site import WebSettings
from tests.server.api import Api
from tests.server.api import api as opened

ROOT = "http://record.example"
SYSTEMS = seed_map().systems


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with opened() as found:
        yield found


def get(api: Api, path: str, language: str = "en") -> httpx.Response:
    return api.get(f"{ROOT}{path}", headers={"accept-language": language})


def numbers(page: httpx.Response) -> list[int]:
    """The systems that a page shows."""
    return [int(number) for number in re.findall(r'<tr role="row" id="s(\d+)">', page.text)]


def counts(page: httpx.Response) -> dict[str, int]:
    """What the tabs say, by the state their address asks for; "" is all."""
    (tabs,) = re.findall(r'<nav class="tabs".*?</nav>', page.text, re.DOTALL)
    found = re.findall(r'<a href="([^"]+)".*?<span class="count">(\d+)</span>', tabs)
    return {httpx.URL(html.unescape(to)).params.get("state", ""): int(count) for to, count in found}


@pytest.mark.parametrize("language", list(Language))
def test_every_system_is_shown_with_its_words_and_its_state(api: Api, language: Language) -> None:
    page = get(api, "/seeds", language)
    shown = html.unescape(page.text)
    assert page.status_code == 200
    assert numbers(page) == [system.number for system in SYSTEMS]
    for system in SYSTEMS:
        assert worded(system.system, language) in shown
        for seed in system.seeds:
            assert f'<blockquote lang="zh-Hant-HK">{seed.quote}<' in shown
        if system.says:
            assert worded(system.says, language) in shown
    assert {messages(language).gettext(LABELS[state]) in shown for state in STATES} == {True}


def test_a_test_is_shown_as_what_it_says_and_where_it_is(api: Api) -> None:
    shown = html.unescape(get(api, "/seeds").text).replace("<wbr>", "")
    tests = {test for system in SYSTEMS for test in system.tests}
    assert "tests/leaks/test_noninterference.py::test_what_is_hidden_changes_no_answer" in tests
    assert '<span lang="en">What is hidden changes no answer</span>' in shown
    for test in tests:
        file, _, name = test.partition("::")
        assert f"<code>{file}</code>" in shown
        assert name.removeprefix("test_").replace("_", " ").casefold() in shown.casefold()
    assert ">A person is found by keyboard alone without JavaScript<" in shown


def test_the_counts_are_those_of_the_map(api: Api) -> None:
    assert counts(get(api, "/seeds")) == {"": len(SYSTEMS), **seed_map().counts()}


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_shown_alone(api: Api, state: str) -> None:
    page = get(api, f"/seeds?state={state}")
    assert numbers(page) == [system.number for system in SYSTEMS if system.state == state]
    assert counts(page)[state] == len(numbers(page))


@pytest.mark.parametrize("document", sorted(seed_map().documents))
def test_a_document_is_shown_alone_with_its_own_words(api: Api, document: str) -> None:
    page = get(api, f"/seeds?seed={document}")
    citing = [system for system in SYSTEMS if document in {seed.document for seed in system.seeds}]
    assert numbers(page) == [system.number for system in citing]
    assert counts(page)[""] == len(citing)
    quotes = re.findall(r"<blockquote [^>]+>(.+?)</blockquote>", html.unescape(page.text))
    assert quotes == [seed.quote for system in citing for seed in system.seeds if seed.document == document]


def test_paper_says_what_was_chosen_and_nothing_says_more_than_is_known(api: Api) -> None:
    assert "on-paper chosen" not in get(api, "/seeds").text
    page = get(api, "/seeds?state=works&seed=001")
    assert numbers(page) == []
    chosen = re.search(r'<p class="on-paper chosen">(.+?)</p>', page.text)
    assert chosen is not None
    assert (
        re.sub("<[^>]*>", "", html.unescape(chosen[1]))
        == "State: works; Policy document: Practice across the boundary, 2026"
    )
    assert "No system of this document is in this state" in page.text
    assert "No system is in this state" in get(api, "/seeds?state=works").text


def test_the_filters_stay_when_the_language_is_switched(api: Api) -> None:
    page = get(api, "/seeds?state=partly&seed=004")
    assert f"/seeds?state=partly&amp;seed=004&amp;lang={Language.MAINLAND}" in page.text
    both = [
        system.number
        for system in SYSTEMS
        if system.state == "partly" and "004" in {seed.document for seed in system.seeds}
    ]
    assert numbers(page) == both != []


@pytest.mark.parametrize("query", ["state=done", "seed=005", "state=works%00", "seed=../000"])
def test_a_filter_that_there_is_not_is_refused(api: Api, query: str) -> None:
    assert get(api, f"/seeds?{query}").status_code == 400


@given(st.dictionaries(st.sampled_from(["state", "seed", "lang", "x"]), st.text(max_size=20), max_size=4))
def test_whatever_is_asked_is_answered(query: dict[str, str]) -> None:
    with opened() as api:
        assert get(api, f"/seeds?{urlencode(query)}").status_code in (200, 400)


def test_a_screen_of_a_person_leads_to_one_of_the_demo() -> None:
    invented = Demo((Invented("p1", "陳大文", "", ()),))
    with opened(settings=WebSettings(about=About(demo=invented))) as api:
        api.store({"resourceType": "Patient", "id": "p1"})
        page = get(api, "/seeds").text
        for screen in ("/record/p1", "/record/p1/timeline"):
            assert f'<a href="{screen}">' in page
            assert get(api, screen).status_code == 200
        assert '<a href="/record/{id}' not in page


def test_screens_are_links_and_lead_somewhere(api: Api) -> None:
    page = get(api, "/seeds")
    table = page.text[page.text.index("<table") : page.text.index("</table")]
    links = set(re.findall(r'<a href="([^"]+)"', table))
    assert links == {screen for system in SYSTEMS for screen in system.screens if "{" not in screen}
    assert {link: get(api, link).status_code for link in links} == dict.fromkeys(links, 200)
