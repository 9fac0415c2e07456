"""The press: what it is given is bounded, and a template that fails says nothing of the data."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kintung.documents import Press, setting
from kintung.documents.fonts import chosen, family
from kintung.errors import TimedOut, Unavailable
from tests import scale
from tests.documents import Document

DATA = """#let data = json(bytes(sys.inputs.data))
#set document(title: "x")
#set text(font: data.fonts, fallback: false)
#let said = data.said.said
"""


ENDLESS = "#for n in range(100000) { for j in range(100000) { IT } }"
"""Longer than any test waits; a loop without a bound typst refuses by itself."""


def set_(source: str, said: object = None, seconds: float = 20.0, at_once: int = 1) -> bytes:
    return Press("", seconds, at_once).pdf(DATA + source, {"said": said}, (), "hong-kong", 0)


def test_it_sets_what_it_is_told() -> None:
    document = Document(set_("#said", "*陳大文* #panic()"))
    assert document.text == "*陳大文* #panic()"


@settings(max_examples=scale.counts(3, 60), deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=60))
def test_any_text_is_set_in_glyphs_that_are_there(said: list[str]) -> None:
    document = Document(set_("#for each in said { par(each) } x", said))
    assert [each for each in document.drawn() if each.glyph == 0] == []


def test_what_never_ends_is_ended() -> None:
    with pytest.raises(TimedOut):
        set_(ENDLESS.replace("IT", "let x = n * j"), seconds=0.5)


def test_it_makes_no_more_at_once_than_it_may() -> None:
    with pytest.raises(Unavailable):
        set_("x", at_once=0)


def test_what_a_template_fails_at_is_not_told() -> None:
    with pytest.raises(RuntimeError) as failed:
        set_("#panic(said)", "陳大文")
    assert str(failed.value) == "typst refused the template at 5:1"


def test_after_a_failure_there_is_a_place_again() -> None:
    press = Press("", 20.0, 1)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            press.pdf("#panic()", {}, (), "mainland", 0)


def test_memory_is_bounded() -> None:
    """What asks for more than the bound is ended, as one that takes too long."""
    with pytest.raises((TimedOut, RuntimeError)):
        set_('#let s = "x" * 1000000000')


@pytest.mark.parametrize("path", ["/etc/hostname", "etc/hostname", "../../../../etc/hostname", __file__])
def test_no_file_is_read(path: str) -> None:
    with pytest.raises(RuntimeError):
        set_(f'#read("{path}")')


def test_an_empty_box_is_refused_by_the_program() -> None:
    """Whatever is decided before it: a character without a glyph makes no document."""
    folders = chosen("x", "hong-kong").folders
    source = f"{DATA}#said"
    asked = {
        "source": source,
        "data": {"said": {"said": "\ue123"}, "fonts": family("hong-kong")},
        "folders": folders,
        "made": 0,
        "seconds": 20,
    }
    done = subprocess.run(
        [sys.executable, "-I", setting.__file__],
        input=json.dumps(asked).encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (setting.LACKING, b"", b"5:1")
