"""Show every page in every width, language and theme: ``make screenshots`` writes PNG files to look at.

They go to ``screenshots/``, which git ignores: ``<page>-<language>-<width>-<theme>.png``.
"""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Page

from kintung.web.pages.language import Language
from tests.browser.chromium import browser
from tests.browser.places import PLACES, Place, reached
from tests.browser.world import site, world
from tests.commands import demo

FOLDER = Path(__file__).resolve().parents[1] / "screenshots"
WIDTHS = (320, 390, 1280)


def shoot(page: Page, root: str, place: Place, language: Language, width: int, theme: str = "light") -> None:
    """One picture of a whole page."""
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    reached(page, root, place, language)
    page.screenshot(path=FOLDER / f"{place.name}-{language}-{width}-{theme}.png", full_page=True)


def shoot_all(page: Page, root: str, places: Sequence[Place]) -> None:
    """Places in all languages and widths, and each once in the dark theme."""
    for place in places:
        for language in Language:
            for width in WIDTHS:
                shoot(page, root, place, language, width)
        shoot(page, root, place, Language.HONG_KONG, 1280, "dark")


def main() -> None:
    """All pages, and the first one as a demo has it."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as served, browser() as opened:
        page = opened.new_page()
        shoot_all(page, site(served), PLACES)
        with demo(Path(folder)) as shown:
            shoot_all(page, shown.base.removesuffix("/fhir"), [Place("home-demo", "/")])
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")


if __name__ == "__main__":
    main()
