"""``kintung names``: every form of a name on a line, under each other."""

import subprocess

import pytest

from tests.commands import KINTUNG, done, environment, kintung


def test_forms_of_a_name_are_printed_in_columns(tmp_path):
    lines = done(kintung(tmp_path, "names", "陳大文")).splitlines()
    assert lines[:4] == [
        "written         1  陳大文           as given",
        "compared as     1  陈大文           陳→陈",
        "telegraph code  1  7115 1129 2429   one a character",
        "Jyutping        1  can4 daai6 man4  surname 陳",
    ]
    assert "Hong Kong       1  CHAN Tai Man     陳 can4 chan, 大 daai6 tai, 文 man4 man" in lines
    assert "Macao           1  CHAN Tai Man     陳 can4 chan, 大 daai6 tai, 文 man4 man" in lines
    assert "pinyin          1  Chen Dawen       陳 chen, 大 da, 文 wen" in lines


def test_name_in_latin_letters_is_read(tmp_path):
    lines = done(kintung(tmp_path, "names", "CHAN", "Tai", "Man", "David")).splitlines()
    assert [line.split() for line in lines[:4]] == [
        ["read", "as", "Hong", "Kong"],
        ["surname", "CHAN", "陳", "昝", "甄"],
        ["given", "name", "Tai", "Man"],
        ["other", "words", "David", "spelled", "as", "in", "no", "system,", "or", "Western"],
    ]


def test_both_may_be_given(tmp_path):
    printed = done(kintung(tmp_path, "names", "欧阳美玲 AU YEUNG Mei Ling"))
    assert "Hong Kong       1  AU YEUNG Mei Ling" in printed
    assert "surname            AU YEUNG" in printed


def test_private_use_characters_are_converted_or_kept_and_said(tmp_path):
    printed = done(kintung(tmp_path, "names", "陳\ue0f3\uf8f8"))
    assert "陳婷\uf8f8" in printed.splitlines()[0]
    assert "U+E0F3 is 婷, held in private use; U+F8F8 is in private use and known to nobody; kept" in printed


def test_terminal_that_cannot_show_a_character_shows_its_number(tmp_path):
    shown = subprocess.run(
        [KINTUNG, "names", "陳", "--most", "1"],
        env={**environment(tmp_path), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "\\u9673" in shown.stdout
    assert shown.stderr == ""


def test_bytes_that_are_no_text_are_left_out(tmp_path):
    assert "陳" in done(kintung(tmp_path, "names", "\udcff陳"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("123", "there is no name in it: no Chinese character and no letter"),
        ("", "there is no name in it: no Chinese character and no letter"),
        ("陳" * 201, "a name of 201 characters is over 200"),
        ("Ωμέγα", "there is no name in Latin letters in it"),
    ],
)
def test_error_is_one_clear_line(tmp_path, name, reason):
    finished = kintung(tmp_path, "names", name)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == f"kintung names: {reason}\n"
