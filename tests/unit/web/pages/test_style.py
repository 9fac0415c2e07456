"""The style sheet: every colour for words is read on its ground in both themes, and every piece is shown.

Source of the ratios: WCAG 2.2, success criteria 1.4.3 (4.5 for text) and 1.4.11 (3 for what is no text),
relative luminance as defined there.
"""

import re
from itertools import product
from pathlib import Path

import pytest

import kintung.web.pages
from kintung.web.pages.assets import STYLES, part

TEXT, SIGN = 4.5, 3.0
GROUNDS = ("ground", "surface")
KINDS = ("good", "warn", "bad", "info")
PAIRS: dict[tuple[str, str], float] = {
    **dict.fromkeys(product(("ink", "soft", "accent"), (*GROUNDS, "sunken")), TEXT),
    **{(kind, f"{kind}-ground"): TEXT for kind in KINDS},
    **dict.fromkeys(product(KINDS, GROUNDS), TEXT),
    **dict.fromkeys(product(("ink",), [f"{kind}-ground" for kind in KINDS]), TEXT),
    ("on-accent", "accent"): TEXT,
    ("bad-ground", "bad"): TEXT,
    **dict.fromkeys(product(("edge", "focus"), GROUNDS), SIGN),
    **dict.fromkeys(product([f"series-{n}" for n in range(1, 5)], (*GROUNDS, "band")), SIGN),
}
"""What stands on what, and the least contrast of it."""
DECORATION = {"line"}
"""Separates what its place separates too."""


def colours() -> dict[str, dict[str, str]]:
    """The colours of the two themes by name; the dark one says what differs."""
    text = part("tokens").decode()
    light, _, dark = text.partition("@media (prefers-color-scheme: dark)")
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", each)) for each in (light, dark)]
    return {"light": found[0], "dark": {**found[0], **found[1]}}


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_stands_on_a_colour_is_read_on_it(theme: str) -> None:
    of = colours()[theme]
    poor = {
        f"{front} on {ground}": round(found, 2)
        for (front, ground), least in PAIRS.items()
        if (found := contrast(of[front], of[ground])) < least
    }
    assert poor == {}


def test_no_colour_is_left_out() -> None:
    themes = colours()
    assert (
        set(themes["light"]) == set(themes["dark"]) == {each for pair in PAIRS for each in pair} | DECORATION
    )


def test_the_ratio_is_that_of_the_standard() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


def test_colours_are_said_once_and_used_by_name() -> None:
    """So that both themes have them; those of paper are said where they are used."""
    elsewhere = {
        name: found
        for name in STYLES
        if name not in ("tokens", "print")
        and (found := re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(", part(name).decode()))
    }
    assert elsewhere == {}


def test_every_name_that_is_used_is_said() -> None:
    sheet = b"".join(map(part, STYLES)).decode()
    assert set(re.findall(r"var\(--([\w-]+)", sheet)) <= set(re.findall(r"--([\w-]+):", sheet))


TEMPLATES = Path(kintung.web.pages.__file__).parent / "templates"
PAGE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "pages.md"


def pieces() -> set[str]:
    """Every macro of the parts that pages share, as ``file.macro``."""
    return {
        f"{file.stem}.{macro}"
        for file in (TEMPLATES / "parts").glob("*.html")
        for macro in re.findall(r"{% macro (\w+)\(", file.read_text())
    }


def test_every_piece_is_shown_and_said_what_it_is_for() -> None:
    shown = set(re.findall(r"(\w+\.\w+)\(", (TEMPLATES / "design.html").read_text()))
    said = set(re.findall(r"^\| `(\w+\.\w+)\(", PAGE.read_text(), re.MULTILINE))
    assert pieces() - shown == set()
    assert said == pieces()


def test_chinese_is_never_marked_without_its_place() -> None:
    """Fonts that hold the shapes of all places draw ``zh`` alone as on the mainland."""
    marked = {
        file.name: found
        for file in TEMPLATES.rglob("*.html")
        if (found := re.findall(r'lang="zh(?!-Han[st]-)[^"]*"', file.read_text()))
    }
    assert marked == {}
