"""The packaged table: loaded when it is asked, and small."""

import subprocess
import sys

from kintung.identity.names.table import characters, row, syllables

NOT_LOADED = """
import sys
from kintung.identity.names import table
from kintung.definitions.names import name_definitions
caches = (table._text, name_definitions)
sys.exit(any(cache.cache_info().currsize for cache in caches))
"""
NO_LIBRARIES = """
import sys
from kintung.identity.names import forms, read_latin
forms("陳大文"), read_latin("CHAN Tai Man")
sys.exit(bool({"pypinyin", "ToJyutping", "opencc", "yaml"} & set(sys.modules)))
"""


def run(program: str) -> int:
    return subprocess.run([sys.executable, "-c", program], check=False).returncode


def test_table_and_definitions_are_read_when_first_asked():
    assert run(NOT_LOADED) == 0


def test_no_library_of_readings_is_needed():
    assert run(NO_LIBRARIES) == 0


def test_row_of_a_character():
    found = row("叶")
    assert found.jyutping == ("jip6", "hip3", "sip3")
    assert found.pinyin[:2] == ("ye", "xie")
    assert (found.folded, found.traditional, found.telegraph) == ("叶", "叶葉", "0673")
    assert "葉" in found.members


def test_character_that_nobody_lists_is_itself():
    for character in ("A", "\ue000", "\U0010ffff", "\ud800", ""):
        assert row(character) == ((), (), character, "", "", "")


def test_table_is_searched_to_both_ends():
    every = characters()
    assert len(every) > 47_000
    for character in (every[0], every[1], every[len(every) // 2], every[-2], every[-1]):
        assert row(character) != ((), (), character, "", "", "")


def test_syllables_are_those_of_the_table():
    assert {"can", "daai", "man", "ng", "m"} <= syllables("jyutping")
    assert {"chen", "da", "wen", "lü"} <= syllables("pinyin")
    assert 600 < len(syllables("jyutping")) < 750
    assert 400 < len(syllables("pinyin")) < 450
