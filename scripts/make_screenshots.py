"""Show every page in every language, width and theme: ``make screenshots`` writes PNG files to look at.

They go to ``screenshots/``, which git ignores: ``<page>-<language>-<view>.png``. Names of pages, as
``tests/browser/places.py`` has them, choose some: ``make screenshots ARGS="home seeds"``. ``record-pdf``
is the summary on paper, a picture of each page of it: ``record-pdf-<language>-<number>.png``.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
import typst
from playwright.sync_api import Browser
from pypdf import PdfReader

from kintung.web.pages.language import Language
from tests.browser.chromium import browser
from tests.browser.places import PLACES, Place, reached
from tests.browser.world import site, world
from tests.commands import demo

TALLEST = 16_000
"""A longer page is shown in parts, ``-2`` the second: Chromium draws no more at once, px."""
FOLDER = Path(__file__).resolve().parents[1] / "screenshots"
DEMO = (Place("home-demo", "/"), Place("api-demo", "/api"))
"""What a demo has otherwise than another node."""
PDF = Place("record-pdf", "/record/ho-a/summary.pdf")
"""What is fetched, not shown: Chromium without a window shows no PDF."""


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
    """A picture of a whole page, or several of a very long one."""
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
        for part in range(-(-height // TALLEST)):
            page.evaluate("top => window.scrollTo(0, top)", part * TALLEST)
            name = f"{place.name}-{language}-{view.name}{f'-{part + 1}' if part else ''}"
            page.screenshot(path=FOLDER / f"{name}.png")


def shoot_all(browser: Browser, root: str, places: Collection[Place]) -> None:
    """Places in all languages and views."""
    for place in places:
        for language in Language:
            for view in VIEWS:
                shoot(browser, root, place, language, view)


def shoot_pdf(root: str, place: Place) -> None:
    """A picture of each page of a PDF in each language, drawn from the PDF as it was fetched."""
    for language in Language:
        answer = httpx.get(f"{root}{place.path}", params={"lang": language})
        assert answer.status_code == place.status, (place.name, answer.status_code)
        for number, picture in enumerate(pictures(answer.content), 1):
            (FOLDER / f"{place.name}-{language}-{number}.png").write_bytes(picture)


def pictures(pdf: bytes) -> list[bytes]:
    """A PNG of each page of a PDF, which typst draws as a picture in a document of its own."""
    pages = range(1, len(PdfReader(BytesIO(pdf)).pages) + 1)
    each = "#pagebreak()\n".join(f'#image("shown.pdf", page: {number})\n' for number in pages)
    source = f"#set page(width: auto, height: auto, margin: 0pt)\n{each}"
    with tempfile.TemporaryDirectory() as folder:  # all that typst may read
        (Path(folder) / "shown.pdf").write_bytes(pdf)
        (document := Path(folder) / "shown.typ").write_text(source)
        drawn = typst.compile(document, root=Path(folder), format="png", ppi=144)
    return drawn if isinstance(drawn, list) else [drawn]


def chosen(places: Collection[Place], names: Collection[str]) -> list[Place]:
    """The places of these names; all of them where none is given."""
    return [place for place in places if not names or place.name in names]


def main() -> None:
    """All pages, or those that are named."""
    known = sorted(place.name for place in (*PLACES, *DEMO, PDF))
    parser = argparse.ArgumentParser(description="Make pictures of pages.")
    parser.add_argument("pages", nargs="*", choices=[[], *known], metavar="PAGE", help=", ".join(known))
    names: list[str] = parser.parse_args().pages
    if not names:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser() as opened:
        places, papers = chosen(PLACES, names), chosen([PDF], names)
        if places or papers:
            with world(Path(folder)) as served:
                shoot_all(opened, site(served), places)
                for paper in papers:
                    shoot_pdf(site(served), paper)
        if places := chosen(DEMO, names):
            with demo(Path(folder)) as shown:
                shoot_all(opened, shown.base.removesuffix("/fhir"), places)
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")


if __name__ == "__main__":
    main()
