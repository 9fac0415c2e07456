"""Every page, in every language, on the smallest screen and at twice the size of text, in both themes."""

from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from kintung.web.pages.language import Language
from tests.browser.places import CHAN, PLACES, reached
from tests.javascript import BROWSER, are_installed

AXE = BROWSER / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL: Any = {"width": 320, "height": 700}
PHONE: Any = {"width": 390, "height": 844}


def watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and what the browser complains of: a refused style, a missing file, a broken rule of ours.

    A status over 400 is what some places are for.
    """
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    return page, said


@pytest.mark.parametrize("language", list(Language))
def test_nothing_is_wider_than_the_smallest_screen(
    chromium: Browser, looked_at: str, language: Language
) -> None:
    with chromium.new_context(viewport=SMALL) as context:
        page, said = watched(context)
        for place in PLACES:
            reached(page, looked_at, place, language)
            assert page.evaluate(WIDER) == 0, place.name
            assert page.locator("html").get_attribute("lang") == language
            assert page.locator("h1").count() == 1
    assert [text for text in said if "status of 4" not in text] == []


@pytest.mark.parametrize(
    ("language", "shapes"), [(Language.HONG_KONG, "HK"), (Language.MAINLAND, "SC"), (Language.ENGLISH, "HK")]
)
def test_chinese_has_the_shapes_of_its_place(
    chromium: Browser, looked_at: str, language: Language, shapes: str
) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        asked = context.new_cdp_session(page)
        for path in ("/steward", CHAN, "/api"):
            page.goto(f"{looked_at}{path}?lang={language}")
            asked.send("DOM.enable")
            asked.send("CSS.enable")
            root = asked.send("DOM.getDocument")["root"]["nodeId"]
            used: set[str] = set()
            for selector in (".name", ".kept", ".text", "h1", "pre code"):
                of = {"nodeId": root, "selector": selector}
                for node in asked.send("DOM.querySelectorAll", of)["nodeIds"]:
                    fonts = asked.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
                    used |= {font["familyName"] for font in fonts}
            assert {family.split()[-1] for family in used if "CJK" in family} == {shapes}, path


def test_text_of_twice_the_size_is_still_usable(chromium: Browser, looked_at: str) -> None:
    with chromium.new_context(viewport=PHONE) as context:
        page = context.new_page()
        context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
        for place in PLACES:
            reached(page, looked_at, place, Language.ENGLISH)
            size = page.evaluate("() => parseFloat(getComputedStyle(document.body).fontSize)")
            assert size >= 30, "twice what is smallest, of a dense page"
            assert page.evaluate(WIDER) == 0, place.name


@pytest.mark.skipif(not are_installed(BROWSER), reason="axe-core not installed; make browser installs it")
def test_axe_finds_nothing_serious_in_either_theme(chromium: Browser, looked_at: str) -> None:
    found: list[str] = []
    with chromium.new_context(viewport=PHONE) as context:
        page = context.new_page()
        for place in PLACES:
            reached(page, looked_at, place, Language.HONG_KONG)
            for details in page.locator("summary").all():
                details.click()
            page.evaluate(AXE.read_text())
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)
                results = page.evaluate("() => axe.run()")
                assert len(results["passes"]) > 10, "axe looked"
                found += [
                    f"{place.name} {theme}: {each['id']} {each['nodes'][0]['html']}"
                    for each in results["violations"]
                    if each["impact"] in SERIOUS
                ]
    assert found == []


def test_paper_has_the_pair_and_its_history_and_no_buttons(chromium: Browser, looked_at: str) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{looked_at}{CHAN}?lang=en")
        page.emulate_media(media="print")
        assert page.get_by_role("link", name="Merge").count() == 0
        assert page.get_by_text("History of the pair").is_visible()
        assert page.locator("tbody.differs").first.is_visible()
