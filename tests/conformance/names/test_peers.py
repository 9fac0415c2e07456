"""Our table beside libraries that know a part of it: where we differ is small, and known.

They build and test our tables and are not needed to run: pypinyin and ToJyutping take 0.3 s and
0.8 s to import.
"""

import unicodedata
import warnings
from functools import cache
from importlib import import_module

import opencc
import pytest
import ToJyutping
from pypinyin import Style
from pypinyin import pinyin as peers_pinyin

from kintung.identity.names import folded, from_private_use, jyutping, pinyin


@cache
def everyday() -> tuple[str, ...]:
    """The first levels of Big5 and of GB 2312: 5,401 and 3,755 characters."""
    trails = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    big5 = [bytes((lead, trail)) for lead in range(0xA4, 0xC7) for trail in trails]
    gb2312 = [bytes((lead, trail)) for lead in range(0xB0, 0xD8) for trail in range(0xA1, 0xFF)]
    found = [code.decode("big5", "ignore") for code in big5 if code < b"\xc6\xa1"]
    found += [code.decode("gb2312", "ignore") for code in gb2312]
    return tuple(sorted({each for each in found if each}))


def share(agreeing: list[bool]) -> float:
    return sum(agreeing) / len(agreeing)


def test_every_everyday_character_has_readings() -> None:
    assert len(everyday()) == 6_722
    assert [each for each in everyday() if not pinyin(each)] == []
    assert "".join(each for each in everyday() if not jyutping(each)) == ""


def test_pinyin_is_that_of_a_peer() -> None:
    """Where the first differs it is by what a name wants: 長 chang, 重 chong, 地 di."""
    theirs = {each: peers_pinyin(each, style=Style.NORMAL, v_to_u=True)[0][0] for each in everyday()}
    assert share([pinyin(each)[0] == said for each, said in theirs.items()]) >= 0.997
    assert share([said in pinyin(each) for each, said in theirs.items()]) >= 0.999


def test_cantonese_readings_hold_that_of_a_peer() -> None:
    ours = {each: {reading.rstrip("123456") for reading in jyutping(each)} for each in everyday()}
    theirs = {each: ToJyutping.get_jyutping_list(each)[0][1] for each in everyday()}
    agree = [said.rstrip("123456") in ours[each] for each, said in theirs.items() if said and " " not in said]
    assert share(agree) >= 0.998


@pytest.mark.parametrize("conversion", ["hk2s", "t2s"])
def test_folding_is_the_conversion_of_a_peer(conversion: str) -> None:
    """Where they differ it is mostly that we fold more variants (讚 to 赞), or keep a name's own (昇)."""
    convert = opencc.OpenCC(conversion).convert
    assert share([folded(convert(each)) == folded(each) for each in everyday()]) >= 0.991
    assert share([convert(each) == folded(each) for each in everyday()]) >= 0.984


def test_private_use_is_converted_as_by_a_peer() -> None:
    """Each code point that both know is the same character; we know 29 more, none fewer."""
    more = 0
    with warnings.catch_warnings(action="ignore"):  # it reads its tables in a way that is deprecated
        converter = import_module("hkscs_unicode_converter.converter")
    for point in range(0xE000, 0xF900):
        ours = from_private_use(chr(point))
        theirs = converter.convert_char(chr(point))
        if theirs == chr(point):
            more += bool(ours.converted)
            continue
        same = unicodedata.normalize("NFC", ours.text) == unicodedata.normalize("NFC", theirs)
        assert same, f"U+{point:04X}"
    assert more == 29
