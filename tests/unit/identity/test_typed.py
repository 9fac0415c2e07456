"""What is typed into the box that finds a person: names, numbers and birth dates, and mixes of them."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.errors import BadInput
from kintung.identity.typed import FIRST_YEAR, Birth, Typed, card_of, is_doubtful, query, read, reasons

TODAY = date(2022, 10, 19)
HKID = "https://kintung.org/fhir/sid/hkid"
BORN = "1948-03-02"


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("1948-03-02", (BORN,)),
        ("1948/3/2", (BORN,)),
        ("1948.3.2", (BORN,)),
        ("2/3/1948", (BORN,)),
        ("02-03-1948", (BORN,)),
        ("2.3.1948", (BORN,)),
        ("1948年3月2日", (BORN,)),
        ("1948 年 3 月 2 號", (BORN,)),
        ("02031948", (BORN,)),
        ("19480302", (BORN,)),
        ("２/３/１９４８", (BORN,)),
        ("2/3/48", (BORN,)),
        ("2/3/15", ("1915-03-02", "2015-03-02")),
        ("民國37年3月2日", (BORN,)),
        ("民国 37 年 3 月 2 日", (BORN,)),
        ("民國37年", ("1948",)),
        ("民國37", ("1948",)),
        ("民國元年", ("1912",)),
        ("民國112年", ()),
        ("一九四八年三月二日", (BORN,)),
        ("一九四八 年 三 月 二 號", (BORN,)),
        ("一九四八年3月2日", (BORN,)),
        ("一九四八年三月二", (BORN,)),
        ("一九四八年十月三十一日", ("1948-10-31",)),
        ("一九四八年十一月廿一日", ("1948-11-21",)),
        ("一九四八年一二月三一日", ("1948-12-31",)),
        ("一九五○年十二月卅日", ("1950-12-30",)),
        ("二〇一五年三月", ("2015-03",)),
        ("二零一五年", ("2015",)),
        ("民國三十七年三月二日", (BORN,)),
        ("民国 三七 年", ("1948",)),
        ("民國一百零一年", ("2012",)),
        ("民國元年二月十五日", ("1912-02-15",)),
        ("一九四八年二月三十一日", ()),
        ("一九四八年百月", ()),
        ("2 3 1948", (BORN,)),
        ("02 03 1948", (BORN,)),
        ("1948 03 02", (BORN,)),
        ("3 13 1948", ("1948-03-13",)),
        ("31 2 1948", ()),
        ("2 Mar 1948", (BORN,)),
        ("02-MAR-1948", (BORN,)),
        ("2 March, 1948", (BORN,)),
        ("2Mar1948", (BORN,)),
        ("31 June 1948", ()),
        ("03/1948", ("1948-03",)),
        ("3.1948", ("1948-03",)),
        ("1948年3月", ("1948-03",)),
        ("1948-03", ("1948-03",)),
        ("1948", ("1948",)),
        ("1948年", ("1948",)),
        ("3/13/1948", ("1948-03-13",)),  # no 13th month: the month first
        ("29/2/2000", ("2000-02-29",)),
        ("31/2/1948", ()),
        ("2048-01-01", ()),
        ("2030", ()),
        ("1849年", ()),
    ],
)
def test_a_birth_date_in_the_forms_people_write(text: str, dates: tuple[str, ...]) -> None:
    typed = read(text, TODAY)
    assert (typed.name, [birth.dates for birth in typed.births], typed.numbers) == ("", [dates], ())
    assert bool(typed.impossible) == (not dates)


@pytest.mark.parametrize(
    "number",
    [
        "A123456(3)",
        "a123456 3",
        "A 123456 (3)",
        "A123456",
        "AB987654(3)",
        "440106194803021234",
        "440106 19480302 123X",
        "H99990001",
        "h99990001 02",
        "5/123456/7",
        "1234567(8)",
        "99990001",  # eight digits that are no day
        "999-12-3456",
        "MRN-0012345",
        "12345678901234",
        "13/1948",  # no month
        "3/2148",  # no year anybody is born in
    ],
)
def test_a_number_as_it_stands_on_cards(number: str) -> None:
    assert read(number, TODAY) == Typed("", (), (number,))


@pytest.mark.parametrize(
    ("text", "name", "dates", "numbers"),
    [
        ("陳大文 1948", "陳大文", ["1948"], ()),
        ("陳大文1948", "陳大文", ["1948"], ()),
        ("1948 Chan Tai Man", "Chan Tai Man", ["1948"], ()),
        ("Chan, Tai Man, 2/3/1948", "Chan, Tai Man", [BORN], ()),
        ("陳大文 A123456(3) 1948-03-02", "陳大文", [BORN], ("A123456(3)",)),
        ("Chan May 1948", "Chan May", ["1948"], ()),
        ("陳大文 民國37年", "陳大文", ["1948"], ()),
        ("陳民國", "陳民國", [], ()),
        ("陳民國 37", "陳民國", [], ()),
        ("陳民國 1948", "陳民國", ["1948"], ()),
        ("陳民國三", "陳民國三", [], ()),
        ("張三月", "張三月", [], ()),
        ("陳十一九四八年", "陳十", ["1948"], ()),
        ("陳一一九四八年三月二日", "陳一", [BORN], ()),
        ("一九四八年三月 一郎", "一郎", ["1948-03"], ()),
        ("陳大文 2 3 1948", "陳大文", [BORN], ()),
        ("1948 3 2 陳大文", "陳大文", [BORN], ()),
        ("A123456 2 3 1948", "", [BORN], ("A123456",)),
        ("A123456 3 2 3 1948", "", [BORN], ("A123456 3",)),
        ("1 2 3 1948", "", ["1948"], ()),
        ("1948 3", "", ["1948"], ()),
        ("民", "民", [], ()),
        ("2 Maria 1948", "Maria", ["1948"], ()),
        ("O'Neil", "O'Neil", [], ()),
        ("買買提·艾力", "買買提·艾力", [], ()),
        ("陳大文 1", "陳大文", [], ()),
        ("陳大文 194", "陳大文", [], ()),
        ("陳大文 1948年3", "陳大文", ["1948"], ()),
        ("Chan 2/3", "Chan", [], ()),
        ("2", "", [], ()),
        ("  ", "", [], ()),
        ("---", "", [], ()),
        ("(  )", "", [], ()),
    ],
)
def test_a_mix(text: str, name: str, dates: list[str], numbers: tuple[str, ...]) -> None:
    typed = read(text, TODAY)
    assert (typed.name, [each for birth in typed.births for each in birth.dates], typed.numbers) == (
        name,
        dates,
        numbers,
    )


DAYS = st.dates(date(FIRST_YEAR, 1, 1), TODAY)
FORMS = (
    "{0:%Y-%m-%d}",
    "{0.day}/{0.month}/{0.year}",
    "{0.year}年{0.month}月{0.day}日",
    "{0:%d%m%Y}",
    "{0:%Y%m%d}",
    "{0.day} {0:%b} {0.year}",
    "{0:%d %B %Y}",
    "{0.day} {0.month} {0.year}",
    "{0:%Y %m %d}",
)


@given(day=DAYS, form=st.sampled_from(FORMS), name=st.sampled_from(["陳大文", "Chan Tai Man"]))
def test_every_day_is_read_in_every_form(day: date, form: str, name: str) -> None:
    written = form.format(day)
    assert read(f"{name} {written}", TODAY) == Typed(name, (Birth(written, (day.isoformat(),)),), ())


@given(st.text(max_size=140))
def test_any_text_is_taken(text: str) -> None:
    typed = read(text, TODAY)
    if not typed.is_empty and not typed.impossible:
        try:
            query(typed)
        except BadInput:
            assert typed.name, "a name that no search takes"


PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "name": [{"text": "陳大文"}, {"family": "CHAN", "given": ["Tai Man"]}],
    "birthDate": BORN,
    "identifier": [{"system": HKID, "value": "A123456(3)"}, {"system": "urn:clinic", "value": "MRN-0012345"}],
}


@pytest.mark.parametrize(
    ("text", "form", "born", "numbers"),
    [
        ("陳大文", "written", "", []),
        ("陈大文", "variant", "", []),
        ("CHAN Tai-man", "letters", "", []),
        ("Chen Dawen", "pinyin", "", []),
        ("1948", None, "1948", []),
        ("chan tai man", "written", "", []),
        ("Tai Man", "written", "", []),
        ("a 123456 (3)", None, "", [HKID]),
        ("MRN-0012345 1948", None, "1948", ["urn:clinic"]),
        ("陳大文 A123456 2/3/1948", "written", BORN, [HKID]),
    ],
)
def test_why_a_patient_is_found(text: str, form: str | None, born: str, numbers: list[str]) -> None:
    found = reasons(read(text, TODAY), PATIENT)
    assert found is not None
    assert (found.name and found.name.kind, found.birth) == (form, born)
    assert [each["system"] for each in found.numbers] == numbers


@pytest.mark.parametrize("text", ["黃小明", "1949", "3/3/1948", "B123456(7)", "陳大文 1949", "mrn-0012345"])
def test_who_does_not_meet_all_of_it_is_not_found(text: str) -> None:
    assert reasons(read(text, TODAY), PATIENT) is None


def test_a_wrong_check_digit_is_noticed() -> None:
    doubtful = [
        number
        for number in ("A123456(3)", "A123456", "A123456(4)", "11010519491231002X")
        if is_doubtful(number)
    ]
    assert doubtful == ["A123456(4)"]
    assert card_of("A123456(4)") == HKID
    assert card_of("MRN-1") == ""
