"""A person is found: by keyboard alone, with and without JavaScript, on a phone, in every language."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from kintung.web.pages.catalogues import messages
from kintung.web.pages.language import Language

SCREENS: dict[str, Any] = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 800}}


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("language", list(Language))
def test_a_person_is_found_by_keyboard_alone_without_javascript(
    chromium: Browser, looked_at: str, language: Language, screen: str
) -> None:
    """The box has the focus: type and press Enter. Then on, person by person, by Tab."""
    said = messages(language).gettext
    with chromium.new_context(
        java_script_enabled=False, locale=language.value, viewport=SCREENS[screen]
    ) as context:
        page = context.new_page()
        page.goto(f"{looked_at}/find")
        expect(page.locator("#typed")).to_be_focused()
        page.keyboard.type("Chan Tai Man 1950")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.locator("html").get_attribute("lang") == language
        expect(page.locator("ol.people > li")).to_have_count(2)
        expect(page.locator("ol.people")).to_contain_text(said("characters that sound alike in Cantonese"))
        expect(page.locator(".understood")).to_contain_text("Chan Tai Man")
        assert "Chan" not in page.url
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=said("Find"), exact=True)).to_be_focused()
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.locator("h1")).to_contain_text("CHAN, Tai Man")
        page.go_back()
        expect(page.locator("ol.people > li")).to_have_count(2)


def typed(page: Page, text: str) -> None:
    page.locator("#typed").press_sequentially(text)


def test_people_come_while_a_name_is_typed_and_no_page_is_loaded(chromium: Browser, looked_at: str) -> None:
    with chromium.new_context(locale="en-GB") as context:
        page = context.new_page()
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text))
        page.goto(f"{looked_at}/find")
        page.evaluate("window.same = true")
        typed(page, "Wong")
        expect(page.locator("ol.people > li")).to_have_count(2)
        expect(page.locator("#told")).to_have_text("People on this page: 2")
        typed(page, " Siu Ming 1989")
        expect(page.locator(".empty")).to_contain_text("Nobody was found")
        page.locator("#typed").fill("")
        expect(page.locator("#found h2")).to_have_text("Recent people")
        assert page.evaluate("window.same") is True
        expect(page.locator("#typed")).to_be_focused()
        assert wrong == []


def test_what_came_while_typing_is_there_again_when_one_comes_back(chromium: Browser, looked_at: str) -> None:
    with chromium.new_context(locale="en-GB") as context:
        page = context.new_page()
        page.goto(f"{looked_at}/find")
        typed(page, "A123456(3)")
        expect(page).to_have_url(re.compile("sought="))  # before that recent people may stand there
        expect(page.locator("ol.people > li")).to_have_count(2)
        assert "A123456" not in page.url
        page.goto(f"{looked_at}/design")
        page.go_back()
        expect(page.locator("#typed")).to_have_value("A123456(3)")
        expect(page.locator("ol.people > li")).to_have_count(2)


def test_characters_are_looked_for_when_they_are_chosen(chromium: Browser, looked_at: str) -> None:
    """What an input method composes is not looked for letter by letter."""
    with chromium.new_context(locale="zh-HK") as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.method))
        page.goto(f"{looked_at}/find")
        session = context.new_cdp_session(page)
        for text in ("h", "ho"):
            session.send("Input.imeSetComposition", {"text": text, "selectionStart": 1, "selectionEnd": 1})
        session.send("Input.insertText", {"text": "何伯"})
        expect(page.locator(".understood")).to_contain_text("何伯")  # in the place of recent people
        expect(page.locator("ol.people > li")).to_have_count(1)
        assert asked.count("POST") == 1


@pytest.mark.parametrize("screen", SCREENS)
def test_whose_record_was_opened_lately_is_two_keys_away_without_javascript(
    chromium: Browser, looked_at: str, screen: str
) -> None:
    """Others of this module open records too, as the same reader: the last opened comes first."""
    with chromium.new_context(java_script_enabled=False, locale="zh-HK", viewport=SCREENS[screen]) as context:
        page = context.new_page()
        page.goto(f"{looked_at}/record/ho-a")
        page.goto(f"{looked_at}/find")
        first = page.locator("ol.people > li").first
        expect(first).to_contain_text("何伯")
        expect(first).to_contain_text("上次取覽")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.locator("h1")).to_contain_text("何伯")


def test_the_language_that_is_chosen_is_kept(chromium: Browser, looked_at: str) -> None:
    with chromium.new_context(locale="zh-HK") as context:
        page = context.new_page()
        page.goto(f"{looked_at}/find")
        page.get_by_role("link", name="English").click()
        page.goto(f"{looked_at}/find")
        assert page.locator("html").get_attribute("lang") == Language.ENGLISH
