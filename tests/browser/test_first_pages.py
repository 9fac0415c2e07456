"""The first pages: from what the node is to what policy asks for, by keyboard alone, without JavaScript."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from kintung.definitions.seeds import CLAIMS, seed_map
from kintung.web.pages.catalogues import messages
from kintung.web.pages.language import Language
from tests.browser.test_every_page import AXE, SERIOUS, WIDER
from tests.browser.test_steward import follow, tab_to
from tests.commands import demo
from tests.javascript import BROWSER, are_installed

PHONE: Any = {"width": 390, "height": 844}
SMALL: Any = {"width": 320, "height": 700}
DESKTOP: Any = {"width": 1280, "height": 844}
SYSTEMS = seed_map().systems


def test_what_works_in_part_is_found_from_the_first_page_by_keyboard_alone(
    chromium: Browser, looked_at: str
) -> None:
    partly = sum(system.state == "partly" for system in SYSTEMS)
    with chromium.new_context(java_script_enabled=False, locale="en-GB") as context:
        page = context.new_page()
        page.goto(looked_at)
        follow(page, "Policy map")
        expect(page.locator("tbody tr")).to_have_count(len(SYSTEMS))
        follow(page, f"works in part {partly}")
        expect(page.locator("tbody tr")).to_have_count(partly)
        tab_to(page, "seed")
        page.keyboard.type("Blueprint")
        follow(page, "Show")
        expect(page.locator("#seed")).to_have_value("004")
        expect(page.locator("#s14")).to_have_count(0)
        expect(page.locator("#s3 blockquote")).to_have_count(1)


def test_what_a_type_is_searched_by_is_found_by_keyboard_alone_on_a_phone(
    chromium: Browser, looked_at: str
) -> None:
    with chromium.new_context(java_script_enabled=False, locale="zh-HK", viewport=PHONE) as context:
        page = context.new_page()
        page.goto(looked_at)
        follow(page, messages(Language.HONG_KONG).gettext("API"))
        follow(page, "Account")
        expect(page.locator("h1")).to_have_text("Account")
        expect(page.get_by_role("rowheader", name="patient", exact=True)).to_be_visible()
        follow(page, "English")
        expect(page.get_by_role("heading", name="Search parameters")).to_be_visible()


def sides(rows: Locator) -> list[int]:
    """How many cells stand beside the first of each row."""
    return rows.evaluate_all(
        "rows => rows.map(row => [...row.cells].filter(cell => cell.offsetParent && "
        "cell.getBoundingClientRect().top < row.cells[0].getBoundingClientRect().bottom).length)"
    )


def test_the_seed_map_is_a_table_on_a_desk_and_cards_on_a_phone(chromium: Browser, looked_at: str) -> None:
    for viewport, beside in ((DESKTOP, 5), (PHONE, 1)):
        with chromium.new_context(viewport=viewport, locale="zh-HK") as context:
            page = context.new_page()
            page.goto(f"{looked_at}/seeds")
            assert set(sides(page.locator("tbody tr"))) == {beside}
            claims = sum(system.state in CLAIMS for system in SYSTEMS)
            shown = 4 * len(SYSTEMS) if beside > 1 else 2 * len(SYSTEMS) + 2 * claims
            assert page.get_by_role("cell").count() == shown, "a card passes over what there is none of"
            assert page.get_by_role("rowheader").count() == len(SYSTEMS)
            quoted = page.locator("#s13 blockquote").first
            assert quoted.get_attribute("lang") == "zh-Hant-HK"


@pytest.mark.skipif(not are_installed(BROWSER), reason="axe-core not installed; make browser installs it")
def test_a_demo_begins_with_invented_people_in_three_languages(chromium: Browser, tmp_path: Path) -> None:
    found: list[str] = []
    with demo(tmp_path) as shown:
        (begins,) = [line for line in shown.lines if line.startswith("Begin at ")]
        root = begins.removeprefix("Begin at ")
        for language in Language:
            said = messages(language).gettext
            with chromium.new_context(viewport=SMALL, java_script_enabled=False) as context:
                page = context.new_page()
                page.goto(f"{root}?lang={language}")
                cards = page.locator(".invented")
                expect(cards).to_have_count(5)
                expect(cards.get_by_text(said("synthetic"), exact=True)).to_have_count(5)
                expect(cards.first).to_contain_text(re.compile("[\u4e00-\u9fff]+ [A-Z]"))
                pressed = said("Blood pressure: %(n)s\u00a0readings").partition(" %")[0]
                assert cards.get_by_text(pressed).count() >= 1
                name = cards.first.get_by_role("link").inner_text().split(" ")[0]
                cards.first.get_by_role("link").click()
                expect(page.locator("h1")).to_contain_text(name)
        for viewport in (SMALL, DESKTOP):
            with chromium.new_context(viewport=viewport) as context:
                page = context.new_page()
                page.goto(f"{root}?lang={Language.HONG_KONG}")
                page.evaluate(AXE.read_text())
                for theme in ("light", "dark"):
                    page.emulate_media(color_scheme=theme)
                    violations = page.evaluate("() => axe.run()")["violations"]
                    found += [each["id"] for each in violations if each["impact"] in SERIOUS]
                assert page.evaluate(WIDER) == 0
    assert found == []
