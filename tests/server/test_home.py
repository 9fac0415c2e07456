"""The first page: what the node is, where it leads, whom a demo shows; and what programs get there."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from kintung.web.about import JURISDICTIONS, About, Demo, Invented, Jurisdiction, Trait
from kintung.web.pages.catalogues import messages
from kintung.web.pages.home import JURISDICTIONS as NAMES
from kintung.web.pages.language import Language
from kintung.web.pages.render import civil_day
from kintung.web.site import WebSettings
from tests.server.api import Api, persona
from tests.server.api import api as opened

ROOT = "http://record.example/"
CASHEW = {"en": "Cashew <nuts>", "zh-Hant-HK": "腰果", "zh-Hans-CN": "腰果 <仁>"}
PEOPLE = (
    Invented("p1", "陳大文", "CHAN, Tai Man", (Trait("across", 3), Trait("pressure", 9))),
    Invented("p2", "", "SUSANTI, Sunita", (Trait("allergy", 1, CASHEW),)),
    Invented("p3", "", "", ()),
)


@contextmanager
def node(about: About) -> Iterator[Api]:
    with opened(settings=WebSettings(about=about)) as found:
        yield found


def get(api: Api, language: str = "en", **headers: str) -> httpx.Response:
    return api.get(ROOT, headers={"accept-language": language, **headers})


def links(page: httpx.Response) -> list[str]:
    """Where the content of a page leads."""
    main = page.text[page.text.index("<main") : page.text.index("</main")]
    return [html.unescape(to) for to in re.findall(r'<a [^>]*href="([^"]+)"', main)]


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_it_says_what_the_node_is(language: Language, jurisdiction: Jurisdiction) -> None:
    said = messages(language).gettext
    with node(About(jurisdiction)) as api:
        page = get(api, language)
        shown = html.unescape(page.text)
        assert page.status_code == 200
        assert said(NAMES[jurisdiction]) in shown
        unprotected = "Not protected: sign\u2011in is switched off, and it answers this machine alone."
        assert said(unprotected) in shown
        assert said("Not a demo: treat every record in it as a real person's.") in shown
        assert said("synthetic") not in shown
    with node(About(is_protected=True)) as api:
        assert said("Protected: who asks must sign in.") in get(api, language).text


def test_every_place_it_leads_to_is_there() -> None:
    with node(About()) as api:
        found = links(get(api))
        assert len(found) >= 2
        assert {to: api.get(httpx.URL(ROOT).join(to).__str__()).status_code for to in found} == dict.fromkeys(
            found, 200
        )


def test_it_leads_only_where_a_right_allows() -> None:
    with node(About()) as api:
        api.personas["nobody"] = persona("nobody", api.grant(1, "p1"))
        found = api.get(ROOT, persona="nobody", headers={"accept-language": "en"})
        assert "/steward" not in links(found)
        assert "/seeds" in links(found)


@pytest.mark.parametrize("language", list(Language))
def test_a_demo_lists_its_people_and_marks_them_as_invented(language: Language) -> None:
    said = messages(language).gettext
    with node(About(demo=Demo(PEOPLE))) as api:
        page = get(api, language)
        cards = page.text.split('<li class="invented">')[1:]
        assert len(cards) == len(PEOPLE)
        assert all(said("synthetic") in card for card in cards)
        assert said("Synthetic: nobody in it exists.") in html.unescape(page.text)
        assert f'<span lang="{language.han}">陳大文</span> CHAN, Tai Man' in cards[0]
        assert said("Blood pressure: %(n)s\u00a0readings") % {"n": "9"} in cards[0]
        assert html.escape(CASHEW[language.value]) in cards[1]
        assert said("without a name") in cards[2]


@pytest.mark.parametrize("language", list(Language))
def test_a_bar_says_on_every_page_of_a_demo_which_day_it_is(language: Language) -> None:
    bar = f'<aside class="demo" aria-label="{messages(language).gettext("Demo")}">'
    with node(About(demo=Demo())) as api:
        for path in (
            "",
            "seeds",
            "api",
            "design",
            "api/Patient",
            "steward",
            "steward/find",
            "find",
            "steward/nowhere",
        ):
            page = api.get(f"{ROOT}{path}", headers={"accept-language": language})
            assert page.text.count(bar) == 1, path
            assert civil_day("2022-10-19", language) in page.text  # where the clock of the test stands
    with node(About()) as api:
        assert 'class="demo"' not in get(api, language).text


def test_a_person_of_the_demo_leads_to_the_record() -> None:
    with node(About(demo=Demo(PEOPLE[:1]))) as api:
        api.store({"resourceType": "Patient", "id": "p1"})
        (to,) = [each for each in links(get(api, "zh-CN")) if "p1" in each]
        assert to == "/record/p1"
        assert api.get(httpx.URL(ROOT).join(to).__str__()).status_code == 200


@pytest.mark.parametrize(
    "accept", ["application/json", "application/fhir+json", "application/json, */*;q=0.1"]
)
def test_a_program_is_told_where_the_api_is_as_before(accept: str) -> None:
    with node(About()) as api:
        told = get(api, accept=accept)
        elsewhere = api.get(f"{ROOT}nowhere", headers={"accept": accept})
        assert told.status_code == elsewhere.status_code == 404
        assert told.json() == elsewhere.json()
        assert told.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "accept", ["*/*", "text/html", "text/html,application/xhtml+xml,application/json;q=0.9"]
)
def test_others_get_the_page(accept: str) -> None:
    with node(About()) as api:
        answer = get(api, accept=accept)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "path", ["nowhere", "favicon.ico", "record", "fhirs", "/evil.example", "\\\\evil.example"]
)
def test_a_browser_is_told_in_a_page_that_nothing_is_there(path: str) -> None:
    with node(About()) as api:
        asked = {"accept": "text/html,*/*;q=0.8", "accept-language": "zh-HK"}
        answer = api.get(f"{ROOT}{path}", headers=asked)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert messages(Language.HONG_KONG).gettext("There is nothing here") in answer.text
        leads = [html.unescape(to) for to in re.findall(r'href="([^"]+)"', answer.text)]
        assert [to for to in leads if not re.match(r"/(?![/\\\\])|#", to)] == [], "to this node alone"


@pytest.mark.parametrize("path", ["healthz", "metrics"])
def test_what_is_for_programs_stays_so_in_a_browser(path: str) -> None:
    with node(About()) as api:
        assert api.get(f"{ROOT}{path}", headers={"accept": "text/html"}).text.startswith(("ok", "#"))


def test_head_is_the_page_without_its_body() -> None:
    with node(About()) as api:
        head = api.call("HEAD", ROOT, headers={"accept-language": "en", "accept-encoding": "identity"})
        whole = get(api, **{"accept-encoding": "identity"})
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(whole.content))


def test_other_methods_and_addresses_are_refused() -> None:
    with node(About()) as api:
        assert api.post(ROOT, b"", headers={"accept-language": "en"}).status_code == 405
        assert api.get(f"{ROOT}/", headers={"accept": "text/html"}).status_code == 404
