"""Every form of a name in Chinese characters, as people of the field write it."""

import pytest

from kintung.errors import TooLong, ValueInvalid
from kintung.identity.names import (
    folded,
    forms,
    from_private_use,
    given_spellings,
    hong_kong_spellings,
    jyutping,
    macao_spellings,
    own_name,
    pinyin,
    split,
    surname_spellings,
    telegraph,
    telegraph_codes,
    traditional,
    variants,
)


def first(han: str, kind: str) -> str:
    return next(form.text for form in forms(han) if form.kind == kind)


@pytest.mark.parametrize(
    ("han", "kind", "text"),
    [
        ("陳大文", "folded", "陈大文"),
        ("陳大文", "telegraph", "7115 1129 2429"),
        ("陳大文", "jyutping", "can4 daai6 man4"),
        ("陳大文", "hong_kong", "CHAN Tai Man"),
        ("陳大文", "macao", "CHAN Tai Man"),
        ("陳大文", "pinyin", "Chen Dawen"),
        ("陈大文", "traditional", "陳大文"),
        ("欧阳志强", "hong_kong", "AU YEUNG Chi Keung"),
        ("歐陽志強", "macao", "AO IEONG Chi Keong"),
        ("司徒美玲", "hong_kong", "SZETO Mei Ling"),
        ("司徒美玲", "pinyin", "Situ Meiling"),
        ("陳李美玲", "hong_kong", "CHAN LEE Mei Ling"),
        ("陳李美玲", "own_name", "李美玲"),
        ("曾志偉", "pinyin", "Zeng Zhiwei"),
        ("楊麗華", "macao", "IEONG Lai Wa"),
        ("\ue0f3", "written", "婷"),
    ],
)
def test_first_form_of_a_kind(han: str, kind: str, text: str) -> None:
    assert first(han, kind) == text


def test_each_form_says_why_and_ranks_count_from_one() -> None:
    found = forms("陈大文")
    assert all(form.why for form in found)
    for kind in {form.kind for form in found}:
        ranks = [form.rank for form in found if form.kind == kind]
        assert ranks == sorted(set(ranks))
        assert len({form.text for form in found if form.kind == kind}) == len(ranks)


@pytest.mark.parametrize(
    ("han", "surname", "given"),
    [
        ("陳大文", "陳", "大文"),
        ("歐陽鋒", "歐陽", "鋒"),
        ("欧阳锋", "欧阳", "锋"),
        ("司徒", "司", "徒"),
        ("陳李美玲", "陳李", "美玲"),
        ("歐陽司徒美玲", "歐陽司徒", "美玲"),
        ("何文", "何", "文"),
        ("", "", ""),
        ("陳 大文 先生", "陳", "大文"),
        ("陳李美玲女士", "陳李", "美玲"),
        ("买买提·艾力", "", "买买提·艾力"),
        ("陳大文明", "陳", "大文明"),
    ],
)
def test_surname_is_divided_from_the_given_name(han: str, surname: str, given: str) -> None:
    assert split(han) == (surname, given)


def test_name_without_a_husbands_surname_is_nobody_elses() -> None:
    assert own_name("陳門李氏") == "李"
    assert own_name("李美玲") is None
    assert own_name("歐陽美玲") is None


@pytest.mark.parametrize(
    "pair", ["陳陈", "衞衛", "衞卫", "峯峰", "栢柏", "邨村", "寳宝", "淸清", "温溫", "鍾钟", "余餘", "於于"]
)
def test_forms_of_one_character_fold_alike(pair: str) -> None:
    assert folded(pair[0]) == folded(pair[1])
    assert pair[0] in variants(pair[1])


def test_folding_reads_compatibility_ideographs_as_what_they_stand_for() -> None:
    assert folded("\uf9d1") == folded("六") == "六"


@pytest.mark.parametrize(("one", "other"), ["余餘", "范範", "于於", "后後", "鍾鐘", "葉叶"])
def test_telegraph_codes_tell_surnames_apart_that_fold_alike(one: str, other: str) -> None:
    assert folded(one) == folded(other)
    assert telegraph(one) != telegraph(other)
    assert None not in (*telegraph(one), *telegraph(other))


@pytest.mark.parametrize(
    ("han", "code"), [("陳", "7115"), ("陈", "7115"), ("黄", "7806"), ("衛", "5898"), ("㜢", None)]
)
def test_telegraph_code_of_a_character(han: str, code: str | None) -> None:
    assert telegraph(han) == (code,)


def test_merged_character_has_the_codes_of_all_it_may_stand_for() -> None:
    assert telegraph_codes("叶") == ("0673", "5509")
    assert telegraph_codes("范") == ("5400", "4636")


def test_merged_character_may_be_several_in_traditional_text() -> None:
    assert traditional("余") == ("余", "餘")
    assert traditional("陈") == ("陳",)
    assert traditional("陳") == ()


@pytest.mark.parametrize(
    ("han", "cantonese", "mandarin"),
    [
        ("單", "sin6", "shan"),
        ("區", "au1", "ou"),
        ("仇", "kau4", "qiu"),
        ("查", "zaa1", "zha"),
        ("解", "haai6", "xie"),
    ],
)
def test_surname_is_read_otherwise_than_the_word(han: str, cantonese: str, mandarin: str) -> None:
    assert jyutping(han, surname=True)[0] == cantonese
    assert pinyin(han, surname=True)[0] == mandarin
    assert jyutping(han)[0] != cantonese
    assert pinyin(han)[0] != mandarin


def test_spellings_of_syllables() -> None:
    assert hong_kong_spellings("can4") == hong_kong_spellings("can")
    assert hong_kong_spellings("can4")[0] == "chan"
    assert macao_spellings("joeng4")[0] == "ieong"
    assert hong_kong_spellings("xyz") == macao_spellings("") == ()


def test_spellings_of_surnames_and_given_names() -> None:
    assert surname_spellings("李", "hong_kong")[:2] == ("lee", "li")
    assert surname_spellings("歐陽", "hong_kong")[:2] == ("au yeung", "auyeung")
    assert given_spellings("子", "hong_kong")[:2] == ("tsz", "chi")
    assert given_spellings("之", "hong_kong")[:2] == ("chi", "tsz")
    assert given_spellings("诗", "hong_kong")[0] == given_spellings("詩", "hong_kong")[0] == "sze"
    assert given_spellings("耀", "macao") == ("io", "iu")
    assert given_spellings("呂", "pinyin") == ("lyu", "lv", "lu", "lü")
    assert given_spellings("é", "pinyin") == ()


def test_reading_of_a_character_in_names_is_not_the_dictionarys_first() -> None:
    assert pinyin("晟")[0] == "sheng"
    assert jyutping("錫")[0] == jyutping("锡")[0] == "sik3"
    assert jyutping("國") == ("gwok3",)
    assert jyutping("松")[0] == "cung4"
    assert jyutping("鬆")[0] == "sung1"


def test_private_use_character_nobody_knows_is_kept_and_said() -> None:
    found = from_private_use("\ue000\uf8f8\ue000陳")
    assert found.text == "𠕇\uf8f8𠕇陳"
    assert found.converted == ("\ue000",)
    assert found.unknown == ("\uf8f8",)
    assert "U+F8F8 is in private use and known to nobody" in forms("\uf8f8陳")[0].why


def test_what_is_no_name_in_chinese_characters_is_refused() -> None:
    with pytest.raises(ValueInvalid, match="no Chinese character"):
        forms("CHAN Tai Man")
    with pytest.raises(TooLong, match="over 200"):
        forms("陳" * 201)
