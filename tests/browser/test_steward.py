"""What a steward must be able to finish: by keyboard alone, without JavaScript, beside another steward."""

from typing import Any

from playwright.sync_api import Browser, Page, expect

from kintung.web.pages.catalogues import messages
from kintung.web.pages.language import Language
from kintung.web.pages.steward.queue import EACH
from tests.browser.places import CHAN

PHONE: Any = {"width": 390, "height": 844}


def tab_to(page: Page, words: str) -> None:
    """Press Tab until what has the focus says so, as who has no mouse does."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count():  # else it is on the browser's own
            said = [focused.get_attribute("aria-label"), focused.get_attribute("name"), focused.inner_text()]
            if words in filter(None, said):
                return
    raise AssertionError(f"nothing that says {words} takes the focus")


def follow(page: Page, words: str) -> None:
    """Go on by keyboard through a link or a button."""
    tab_to(page, words)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_pair_is_merged_and_taken_back_by_keyboard_alone_without_javascript(
    chromium: Browser, decided: str
) -> None:
    with chromium.new_context(java_script_enabled=False, locale="en-GB") as context:
        page = context.new_page()
        page.goto(f"{decided}/steward")
        follow(page, "Compare 陳大文 and 陈大文")
        follow(page, "Merge")
        tab_to(page, "why")
        page.keyboard.type("Both cards were seen at the counter")
        follow(page, "Merge")
        expect(page.get_by_role("status")).to_contain_text("Merged")
        expect(page.locator(".timeline")).to_contain_text("Both cards were seen at the counter")
        follow(page, "Undo")
        tab_to(page, "why")
        page.keyboard.type("Wrong person")
        follow(page, "Take the decision back")
        expect(page.locator(".standing")).to_contain_text("Waiting for a decision.")


def test_two_records_are_found_by_name_and_compared_by_keyboard_alone(
    chromium: Browser, looked_at: str
) -> None:
    with chromium.new_context(java_script_enabled=False, locale="en-GB") as context:
        page = context.new_page()
        page.goto(f"{looked_at}/steward")
        follow(page, "Find a record")
        expect(page.locator("#typed")).to_be_focused()
        page.keyboard.type("Chan Tai Man")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.locator("ol.queue")).to_contain_text("陈大文 · characters that sound alike in Cantonese")
        follow(page, "Compare 陈大文 with another")
        follow(page, "Compare 陈大文 and 陳大文")
        expect(page.locator("h1")).to_have_text("One person or two?")


def test_the_first_key_skips_to_the_content(chromium: Browser, looked_at: str) -> None:
    with chromium.new_context(locale="en-GB") as context:
        page = context.new_page()
        page.goto(f"{looked_at}{CHAN}")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_the_language_of_the_browser_is_kept_through_a_decision_on_a_phone(
    chromium: Browser, decided: str
) -> None:
    said = messages(Language.MAINLAND).gettext
    with chromium.new_context(viewport=PHONE, locale="zh-CN") as context:
        page = context.new_page()
        page.goto(f"{decided}/steward")
        page.get_by_role("link", name=said("Compare")).first.click()
        page.get_by_role("link", name=said("Keep apart")).click()
        page.get_by_label(said("Why")).fill("两张证件都核验过")
        page.get_by_role("button", name=said("Keep apart")).click()
        expect(page.get_by_role("status")).to_contain_text(
            said("Kept apart: the records are of two persons.")
        )
        page.get_by_role("link", name="繁體中文").click()
        expect(page.get_by_role("status")).to_contain_text("已維持分開")
        page.get_by_role("link", name="待決的成對紀錄").click()
        assert page.locator("html").get_attribute("lang") == Language.HONG_KONG


def test_two_stewards_on_one_pair(chromium: Browser, decided: str) -> None:
    with chromium.new_context(locale="en-GB") as first, chromium.new_context(locale="en-GB") as second:
        pages = [first.new_page(), second.new_page()]
        for page, decision in zip(pages, ("merge", "keep-apart"), strict=True):
            page.goto(f"{decided}{CHAN}/{decision}")
            page.get_by_label("Why").fill(f"My reason to {decision}")
        pages[0].get_by_role("button", name="Merge").click()
        pages[1].get_by_role("button", name="Keep apart").click()
        expect(pages[1].get_by_role("alert")).to_contain_text("Nothing was done")
        expect(pages[1].get_by_role("alert")).to_contain_text("My reason to merge")
        pages[1].get_by_role("link", name="Look at the pair again").click()
        expect(pages[1].locator(".standing")).to_contain_text("One person")


def test_the_list_goes_on_to_its_end(chromium: Browser, decided: str) -> None:
    with chromium.new_context(locale="en-GB") as context:
        page = context.new_page()
        page.goto(f"{decided}/steward")
        assert page.locator(".queue li.card").count() == EACH
        page.get_by_role("link", name="Further pairs").click()
        assert page.locator(".queue li.card").count() == 3
        page.get_by_role("link", name="From the beginning").click()
        assert page.locator(".queue li.card").count() == EACH
