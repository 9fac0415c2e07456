"""Two records side by side: verdicts, notes, and that nothing depends on which stands on which side."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kintung.web.pages.steward.comparison import Verdict, compare

HKID = "https://kintung.org/fhir/sid/hkid"
PERMIT = "https://kintung.org/fhir/sid/home-return-permit"


def row(label: str, one: dict[str, Any], other: dict[str, Any]) -> tuple[str, list[list[str]]]:
    """The verdict on one thing, and the remarks on the values of the first."""
    found = next(row for row in compare(one, other) if row.label == label)
    return found.verdict, [[note.message for note in value.notes] for value in found.ones]


def named(*names: str | tuple[str, str]) -> dict[str, Any]:
    """A Patient with names: in characters whole, in letters by surname and given name."""
    return {
        "name": [
            {"text": name} if isinstance(name, str) else {"family": name[0], "given": name[1].split()}
            for name in names
        ]
    }


@pytest.mark.parametrize(
    ("one", "other", "verdict", "notes"),
    [
        (named("陳大文"), named("陳 大文"), Verdict.SAME, [[]]),
        (named("陳大文"), named("陈大文"), Verdict.NEAR, [["the same name when simplified"]]),
        (named("陳大文"), named(("CHAN", "Tai Man")), Verdict.NEAR, [["a Hong Kong spelling of %(name)s"]]),
        (named(("Chen", "Dawen")), named("陳大文"), Verdict.NEAR, [["the Pinyin of %(name)s"]]),
        (
            named(("LEE", "Ka Yan Grace")),
            named("李嘉欣"),
            Verdict.NEAR,
            [["each Chinese syllable is a spelling of its character"]],
        ),
        (named(("CHAN", "Tai Man")), named(("Chan", "TAI-MAN")), Verdict.SAME, [[]]),
        (named("黃小明"), named("黃少明"), Verdict.DIFFERS, [[]]),
        (named(("CHAN", "Tai Man")), named(("CHAN", "Tai Ming")), Verdict.DIFFERS, [[]]),
        (named("陳大文", "陳細文"), named("陳大文"), Verdict.NEAR, [[], []]),
        (named("陳大文"), {}, Verdict.ONE_SIDED, [[]]),
    ],
)
def test_names(one: dict[str, Any], other: dict[str, Any], verdict: str, notes: list[list[str]]) -> None:
    assert row("Names", one, other) == (verdict, notes)


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ("1950-03-02", "1950-03-02", Verdict.SAME),
        ("1950-03-02", "1950-02-03", Verdict.NEAR),
        ("1950", "1950-02-03", Verdict.NEAR),
        ("1950-03-02", "1951-03-02", Verdict.DIFFERS),
    ],
)
def test_birth_dates(one: str, other: str, verdict: str) -> None:
    assert row("Date of birth", {"birthDate": one}, {"birthDate": other})[0] == verdict


def numbered(*numbers: tuple[str, str]) -> dict[str, Any]:
    return {"identifier": [{"system": system, "value": value} for system, value in numbers]}


def test_numbers_of_one_mask_are_told_apart() -> None:
    one, other = numbered((HKID, "C123456(9)")), numbered((HKID, "C123457(7)"))
    found = compare(one, other)[0]
    assert [value.text for value in (*found.ones, *found.others)] == ["C123***(*)", "C123***(*)"]
    assert found.verdict is Verdict.DIFFERS


def test_a_number_is_the_same_however_it_is_written() -> None:
    assert row("Identity numbers", numbered((HKID, "A123456(3)")), numbered((HKID, "a 1234563")))[0] == "same"


def test_numbers_of_different_documents_say_nothing_of_each_other() -> None:
    one, other = numbered((HKID, "A123456(3)")), numbered((PERMIT, "H99990001"))
    assert row("Identity numbers", one, other)[0] == Verdict.ONE_SIDED


def test_a_number_with_a_wrong_check_digit_says_so() -> None:
    assert row("Identity numbers", numbered((HKID, "A123456(4)")), {}) == (
        Verdict.ONE_SIDED,
        [["not a valid number"]],
    )


def test_an_unknown_sex_differs_from_none() -> None:
    assert row("Sex", {"gender": "male"}, {"gender": "unknown"})[0] == Verdict.ONE_SIDED


RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "text": st.sampled_from(["陳大文", "陈大文", "CHAN Tai Man", " ", "A"]),
                    "family": st.sampled_from(["陳", "CHAN", "Chen"]),
                    "given": st.lists(st.sampled_from(["大文", "Tai Man", "Dawen"]), max_size=2),
                    "use": st.sampled_from(["official", "old", "else"]),
                },
            ),
            max_size=3,
        ),
        "birthDate": st.sampled_from(["1950", "1950-03", "1950-03-02", "1950-02-03"]),
        "gender": st.sampled_from(["male", "female", "unknown"]),
        "identifier": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "system": st.sampled_from([HKID, PERMIT, "urn:x"]),
                    "value": st.sampled_from(["A123456(3)", "A123456", "H99990001", "…"]),
                },
            ),
            max_size=3,
        ),
        "telecom": st.lists(
            st.fixed_dictionaries(
                {}, optional={"value": st.sampled_from(["+852 5123 4567", "51234567", "x"])}
            ),
            max_size=2,
        ),
        "address": st.lists(
            st.fixed_dictionaries({}, optional={"text": st.text(max_size=5), "line": st.just(["1", "2"])}),
            max_size=2,
        ),
    },
)


@settings(max_examples=50)
@given(one=RECORDS, other=RECORDS)
def test_sides_exchanged_are_the_same_comparison(one: dict[str, Any], other: dict[str, Any]) -> None:
    there, back = compare(one, other), compare(other, one)
    assert [(row.label, row.verdict) for row in there] == [(row.label, row.verdict) for row in back]
    assert [(row.ones, row.others) for row in there] == [(row.others, row.ones) for row in back]


@settings(max_examples=50)
@given(one=RECORDS)
def test_a_record_is_the_same_as_itself(one: dict[str, Any]) -> None:
    assert {row.verdict for row in compare(one, one)} <= {Verdict.SAME}
