"""Characters of names as Hong Kong and the mainland write them: which pairs fold alike.

The pairs are ours: 62 that a name of Hong Kong has in one form and a mainland document in the
other, older and newer variants among them.
"""

import pytest

from kintung.definitions.names import name_definitions
from kintung.identity.names import folded, surname_spellings, surnames, telegraph, telegraph_codes
from kintung.identity.names.table import row

WRITTEN = """
陳陈 黃黄 張张 劉刘 楊杨 趙赵 吳吴 馬马 鄭郑 謝谢 韓韩 鄧邓 許许 馮冯 蕭萧 葉叶 鍾钟 盧卢 蘇苏 譚谭
陸陆 韋韦 賈贾 鄒邹 錢钱 嚴严 龍龙 龔龚 羅罗 衞卫 衛卫 溫温 範范 餘余 於于 後后 薑姜 歐欧 區区 關关
鄺邝 麥麦 黎黎 單单 顏颜 駱骆 莊庄 簡简 華华 偉伟 強强 國国 囯国 栢柏 珮佩 邨村 鍳鉴 兪俞 淸清 廼乃 迺乃 寳宝
"""
PAIRS = WRITTEN.split()

SURNAMES = surnames()[:400]


def test_every_pair_of_forms_folds_alike() -> None:
    assert len(PAIRS) == len(set(PAIRS)) == 62
    assert [pair for pair in PAIRS if folded(pair[0]) != folded(pair[1])] == []


def test_telegraph_codes_of_a_pair_agree_or_one_is_merged() -> None:
    """In simplified text; a code of a character that nobody gave one is missing, never another."""
    apart = {
        pair
        for pair in PAIRS
        if (first := telegraph_codes(pair[0]))
        and (second := telegraph_codes(pair[1]))
        and not {*first} & {*second}
    }
    assert apart == {"珮佩", "邨村", "兪俞", "廼乃", "迺乃"}, (
        "characters of their own that variants tables join"
    )


def test_no_pair_of_the_definition_is_what_the_table_says_anyway() -> None:
    pairs = name_definitions().variants.pairs.split()
    assert [pair for pair in pairs if row(pair[0]).folded == pair[1]] == []


@pytest.mark.parametrize("system", ["hong_kong", "macao", "pinyin"])
def test_commonest_surnames_are_spelled(system) -> None:
    assert [each for each in SURNAMES if not surname_spellings(each, system)] == []


def test_commonest_surnames_have_telegraph_codes() -> None:
    assert [each for each in SURNAMES if None in telegraph(each)] == []


def test_few_spellings_are_made_of_a_surname() -> None:
    counts = [len(surname_spellings(each, "hong_kong")) for each in SURNAMES]
    assert sum(counts) / len(counts) < 2.5
    assert max(counts) <= 9
