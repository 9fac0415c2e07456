"""What a clinician must be able to read: by keyboard alone, without JavaScript, on a phone and on paper."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from kintung.web.pages.catalogues import messages
from kintung.web.pages.language import Language
from tests.browser.test_steward import follow, tab_to

PHONE: Any = {"width": 390, "height": 844}
DESKTOP: Any = {"width": 1280, "height": 844}
RECORD = "/record/ho-a"


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_record_is_read_by_keyboard_alone_without_javascript(
    chromium: Browser, looked_at: str, language: Language, viewport: Any
) -> None:
    said = messages(language).gettext
    with chromium.new_context(java_script_enabled=False, viewport=viewport) as context:
        page = context.new_page()
        page.goto(f"{looked_at}{RECORD}?lang={language}")
        expect(page.locator("h1")).to_contain_text("何伯")
        expect(page.locator(".subject")).to_contain_text(said("a steward decided it"))
        expect(page.locator("#h-allergies")).to_have_text(re.compile(said("Allergies")))
        expect(page.locator("svg.chart").first).to_be_visible()
        table = page.get_by_role("table").filter(has_text="mmHg")
        expect(table).to_be_hidden()
        tab_to(page, said("Table of %(n)s values") % {"n": "16"})
        page.keyboard.press("Enter")
        expect(table).to_be_visible()
        follow(page, said("Timeline"))
        expect(page.locator(".timeline li")).to_have_count(20)
        follow(page, said("Earlier"))
        expect(page.locator(".timeline li")).to_have_count(6)
        tab_to(page, "kind")
        page.keyboard.type(said("Documents and reports")[:2])
        follow(page, said("Show"))  # of the day
        expect(page.locator("h1")).to_contain_text("何伯")


def test_what_is_shown_is_chosen_and_one_thing_opened(chromium: Browser, looked_at: str) -> None:
    with chromium.new_context(java_script_enabled=False, locale="en-GB", viewport=PHONE) as context:
        page = context.new_page()
        page.goto(f"{looked_at}{RECORD}/timeline?lang=en")
        page.locator("#kind").select_option("documents")
        with page.expect_navigation():
            page.locator("form.filters button").click()
        expect(page.locator(".timeline li")).to_have_count(2)
        page.get_by_role("link", name="出院摘要").click()
        expect(page.get_by_role("heading", name="In its own words")).to_be_visible()
        expect(page.locator("main")).to_contain_text("一切安好。")
        expect(page.locator(".changes ins")).to_have_text("出院摘要（修訂）")
        page.get_by_text("JSON of version 2").click()
        expect(page.locator("pre")).to_contain_text('"resourceType": "DocumentReference"')
        page.get_by_role("link", name="← 何伯").click()
        expect(page.locator("h1")).to_contain_text("何伯")


def test_a_chart_is_told_to_who_cannot_see_it(chromium: Browser, looked_at: str) -> None:
    with chromium.new_context(viewport=PHONE) as context:
        page = context.new_page()
        page.goto(f"{looked_at}{RECORD}?lang=en")
        chart = page.get_by_role("img", name=re.compile("^Blood pressure"))
        expect(chart).to_have_count(1)
        expect(chart).to_have_accessible_name(re.compile("16 values from"))
        shapes = chart.locator("path.mark").evaluate_all("marks => marks.map(mark => mark.getAttribute('d'))")
        assert len(set(shapes)) == 2


def test_the_words_of_a_chart_grow_with_the_text(chromium: Browser, looked_at: str) -> None:
    scale = "drawing => drawing.getScreenCTM().a"
    with chromium.new_context(viewport=PHONE) as context:
        page = context.new_page()
        page.goto(f"{looked_at}{RECORD}?lang=en")
        chart = page.locator("svg.chart").first
        usual = chart.evaluate(scale)
        sizes = {"fontSizes": {"standard": 32, "fixed": 26}}
        context.new_cdp_session(page).send("Page.setFontSizes", sizes)
        assert chart.evaluate(scale) >= 2 * usual
        box = chart.locator(".end").first.bounding_box()
        assert box is not None
        assert 0 < box["x"] < box["x"] + box["width"] <= PHONE["width"], "in view before it is scrolled"


def test_a_day_is_chosen_and_left_again(chromium: Browser, looked_at: str) -> None:
    with chromium.new_context(java_script_enabled=False, locale="en-GB", viewport=PHONE) as context:
        page = context.new_page()
        page.goto(f"{looked_at}{RECORD}?lang=en")
        page.locator("#at").fill("2021-01-01")
        with page.expect_navigation():
            page.locator(".as-at button").click()
        expect(page.locator(".as-at.past")).to_contain_text("As it was known on 1 January 2021.")
        follow(page, "Today")
        expect(page.locator(".as-at.past")).to_have_count(0)


def test_other_results_stay_a_table_where_they_are_drawn_as_blocks(chromium: Browser, looked_at: str) -> None:
    for viewport in (PHONE, DESKTOP):
        with chromium.new_context(java_script_enabled=False, viewport=viewport) as context:
            page = context.new_page()
            page.goto(f"{looked_at}{RECORD}?lang=en")
            table = page.get_by_role("table", name="Other results, the latest of each")
            expect(table.get_by_role("columnheader")).to_have_count(4)
            expect(table.get_by_role("row")).to_have_count(4)
            expect(table.get_by_role("rowheader").first).to_have_text("Platelets")
            expect(table.get_by_role("cell").first).to_have_text("213 × 10⁹/L")
            is_stacked = table.evaluate("table => getComputedStyle(table).display") == "block"
            assert is_stacked == (viewport is PHONE)


def test_a_day_of_one_thing_is_chosen_and_one_that_cannot_be_is_mended(
    chromium: Browser, looked_at: str
) -> None:
    with chromium.new_context(java_script_enabled=False, locale="en-GB", viewport=PHONE) as context:
        page = context.new_page()
        page.goto(f"{looked_at}{RECORD}/List/recall?lang=en")
        page.locator("#at").fill("2021-01-01")
        follow(page, "Show")
        expect(page.locator("h1")).to_have_text("Not known on that day")
        follow(page, "Today")
        expect(page.locator("h1")).to_have_text("大便檢查召回名單")
        page.goto(f"{looked_at}{RECORD}?lang=en&as-at=2099-01-01")
        expect(page.locator("#at")).to_have_attribute("aria-invalid", "true")
        follow(page, "Today")
        expect(page.locator("#h-allergies")).to_be_visible()


def test_paper_has_the_record_and_nothing_to_press(chromium: Browser, looked_at: str) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{looked_at}{RECORD}?lang=en")
        page.emulate_media(media="print")
        expect(page.get_by_text("metformin 500 mg")).to_be_visible()
        expect(page.locator("svg.chart").first).to_be_visible()
        for gone in (".languages", ".tabs", ".as-at form", ".skip"):
            expect(page.locator(gone).first).to_be_hidden()
        assert page.pdf()[:5] == b"%PDF-"
