"""Names in Latin letters, read."""

import pytest

from kintung.errors import TooLong, ValueInvalid
from kintung.identity.names import latin_words, read_latin, surnames_spelled


@pytest.mark.parametrize(
    ("text", "system", "surname", "given", "others", "first"),
    [
        ("CHAN Tai Man", "hong_kong", "CHAN", "Tai Man", "", "陳"),
        ("Chan, Tai Man David", "hong_kong", "Chan", "Tai Man", "David", "陳"),
        ("David CHAN Tai-man", "hong_kong", "CHAN", "Tai man", "David", "陳"),
        ("David Chan Tai Man", "hong_kong", "Chan", "Tai Man", "David", "陳"),
        ("Amanda LEE Siu Ming", "hong_kong", "LEE", "Siu Ming", "Amanda", "李"),
        ("AU YEUNG Nga Na", "hong_kong", "AU YEUNG", "Nga Na", "", "歐陽"),
        ("Szeto Mei Ling", "hong_kong", "Szeto", "Mei Ling", "", "司徒"),
        ("CHAN LEE Mei Ling", "hong_kong", "CHAN LEE", "Mei Ling", "", "李"),
        ("Chan Lee, Mei Ling", "hong_kong", "Chan Lee", "Mei Ling", "", "李"),
        (", Mei Ling", "hong_kong", "Mei", "Ling", "", "糜"),
        ("AO IEONG Chi Keong", "macao", "AO IEONG", "Chi Keong", "", "歐陽"),
        ("VONG Kuok Weng", "macao", "VONG", "Kuok Weng", "", "王"),
        ("Chen Dawen", "pinyin", "Chen", "Dawen", "", "陳"),
        ("Ouyang Xi'an", "pinyin", "Ouyang", "Xi'an", "", "歐陽"),
        ("LÜ Xiaohong", "pinyin", "LÜ", "Xiaohong", "", "呂"),
        ("Zhāng Sān", "pinyin", "Zhāng", "Sān", "", "張"),
        ("John Smith", None, "", "", "John Smith", ""),
    ],
)
def test_name_is_read(text: str, system: str, surname: str, given: str, others: str, first: str) -> None:
    name = read_latin(text)
    found = (name.system, " ".join(name.surname), " ".join(name.given), " ".join(name.others))
    assert found == (system, surname, given, others)
    assert "".join(name.surnames[:1]) == first


def test_words_are_plain() -> None:
    assert latin_words("CHAN, Tai-man  d’Arcy Lü José 陳") == (
        "chan",
        "tai",
        "man",
        "d'arcy",
        "lü",
        "jose",
        "陳",
    )


def test_pinyin_word_is_divided_into_its_syllables() -> None:
    assert read_latin("Dawen").words[0].syllables["pinyin"] == ("da wen",)
    assert read_latin("Xian").words[0].syllables["pinyin"] == ("xian", "xi an")
    assert read_latin("Xi'an").words[0].syllables["pinyin"] == ("xi an",)


def test_surnames_of_a_spelling_begin_with_its_likeliest() -> None:
    assert surnames_spelled("lee", "hong_kong")[0] == "李"
    assert surnames_spelled("ng", "hong_kong")[:2] == ("吳", "伍")
    assert surnames_spelled("smith", "hong_kong") == ()


def test_what_has_no_latin_name_is_refused() -> None:
    for text in ("", "123", "陳大文", "Ωμέγα"):
        with pytest.raises(ValueInvalid, match="no name in Latin letters"):
            read_latin(text)
    with pytest.raises(TooLong):
        read_latin("a" * 201)
