"""Show every page in every language, width and theme: ``make screenshots`` writes PNG files to look at.

They go to ``screenshots/``, which git ignores: ``<page>-<language>-<view>.png``. Names of pages, as
``tests/browser/places.py`` has them, choose some: ``make screenshots ARGS="home seeds"``.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser

from kintung.web.pages.language import Language
from tests.browser.chromium import browser
from tests.browser.places import PLACES, Place, reached
from tests.browser.world import site, world
from tests.commands import demo

TALLEST = 16_000
"""Of a longer page the rest is not shown: Chromium draws no more, px."""
FOLDER = Path(__file__).resolve().parents[1] / "screenshots"
DEMO = (Place("home-demo", "/"), Place("api-demo", "/api"))
"""What a demo has otherwise than another node."""


@dataclass(frozen=True)
class View:
    """How a page is looked at: ``text`` is how many times larger the reader set it."""

    name: str
    width: int
    theme: Literal["light", "dark"] = "light"
    media: Literal["screen", "print"] = "screen"
    text: int = 1


VIEWS = (
    View("320", 320),
    View("390", 390),
    View("1280", 1280),
    View("390-dark", 390, theme="dark"),
    View("1280-dark", 1280, theme="dark"),
    View("390-text-200", 390, text=2),
    View("paper", 680, media="print"),  # A4 less its margins, at 96 px an inch
)


def shoot(browser: Browser, root: str, place: Place, language: Language, view: View) -> None:
    """One picture of a whole page."""
    with browser.new_context(viewport={"width": view.width, "height": 844}) as context:
        page = context.new_page()
        chosen = context.new_cdp_session(page)
        sizes = {"fontSizes": {"standard": 16 * view.text, "fixed": 13 * view.text}}
        chosen.send("Page.setFontSizes", sizes)
        page.emulate_media(color_scheme=view.theme)
        reached(page, root, place, language)
        page.emulate_media(color_scheme=view.theme, media=view.media)
        height = page.evaluate("() => document.documentElement.scrollHeight")
        page.set_viewport_size({"width": view.width, "height": min(height, TALLEST)})
        chosen.send("Page.setFontSizes", sizes)  # forgotten when the size of the window changes
        page.screenshot(path=FOLDER / f"{place.name}-{language}-{view.name}.png")


def shoot_all(browser: Browser, root: str, places: Collection[Place]) -> None:
    """Places in all languages and views."""
    for place in places:
        for language in Language:
            for view in VIEWS:
                shoot(browser, root, place, language, view)


def chosen(places: Collection[Place], names: Collection[str]) -> list[Place]:
    """The places of these names; all of them where none is given."""
    return [place for place in places if not names or place.name in names]


def main() -> None:
    """All pages, or those that are named."""
    known = sorted(place.name for place in (*PLACES, *DEMO))
    parser = argparse.ArgumentParser(description="Make pictures of pages.")
    parser.add_argument("pages", nargs="*", choices=[[], *known], metavar="PAGE", help=", ".join(known))
    names: list[str] = parser.parse_args().pages
    if not names:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser() as opened:
        if places := chosen(PLACES, names):
            with world(Path(folder)) as served:
                shoot_all(opened, site(served), places)
        if places := chosen(DEMO, names):
            with demo(Path(folder)) as shown:
                shoot_all(opened, shown.base.removesuffix("/fhir"), places)
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")


if __name__ == "__main__":
    main()
