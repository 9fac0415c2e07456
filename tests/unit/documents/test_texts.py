"""Texts for paper: nothing acts, nothing is without a glyph, long words break."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.documents import texts
from kintung.documents.fonts import chosen

ANY: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-16", exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "fitted"),
    [
        ("陳大文 𠮷", "陳大文 𠮷"),
        ("a\tb\r\nc", "a b c"),
        (" 1\u00a0December  2018 ", "1\u00a0December 2018"),
        ("\u202egnik\u202c \u2066x\u2069\u200e", "gnik x"),
        ("\ufeffx\u00ad\u200b\x00\x07\x9b", "x"),
        ("क\u094d\u200dष", "क\u094d\u200dष"),
        ("x" * 1_001, "x" * 999 + "…"),
        ("", ""),
    ],
)
def test_what_shows_nothing_and_may_mislead_is_left_out(text: str, fitted: str) -> None:
    assert texts.fit({"a": [text, 1, None]}) == {"a": [fitted, 1, None]}


@given(ANY)
def test_what_is_fit_holds_nothing_that_acts_and_stays_so(data: Any) -> None:
    fitted = texts.fit(data)
    assert texts.fit(fitted) == fitted
    shown = "".join(texts.characters(fitted))
    assert shown == "" or shown.isprintable() or not set("\n\r\t\u202e\u2066").intersection(shown)


@given(st.frozensets(st.characters(codec="utf-8"), max_size=20))
def test_every_character_has_a_font_or_is_written_by_its_number(characters: frozenset[str]) -> None:
    data = texts.fit(list(characters))
    fonts = chosen(texts.characters(data), "hong-kong")
    after = texts.numbered(data, fonts.lacking)
    assert chosen(texts.characters(after), "hong-kong").lacking == frozenset()


def test_a_character_is_written_by_its_number_in_four_digits_at_least() -> None:
    assert texts.numbered(["\ue123a😀"], frozenset("\ue123😀")) == ["[U+E123]a[U+1F600]"]


def test_long_words_may_break_and_others_may_not() -> None:
    broken = texts.breaking("A" * 30 + " hydroxychloroquine " + "甲" * 200)
    assert broken.replace("\u200b", "") == "A" * 30 + " hydroxychloroquine " + "甲" * 200
    assert max(map(len, broken.split()[0].split("\u200b"))) <= 9
    assert "\u200b" not in broken.partition(" ")[2]
