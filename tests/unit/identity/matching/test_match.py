"""What two records are to each other, on cases small enough to check by eye."""

from dataclasses import replace
from typing import Any

import pytest

from kintung.identity.matching import Result, explain, match, record
from kintung.identity.matching.levels import COMPARISONS
from kintung.identity.matching.weights import weights
from tests.patients import name, number, patient

HKID = number("hkid", "A123456(3)")
CARD = patient("card", name("陳", "大文"), name("CHAN", "Tai Man"), identifier=[HKID])


def levels(one: dict[str, object], other: dict[str, object]) -> dict[str, str]:
    """The comparisons that could be made, with their level."""
    found = match(record(one), record(other)).levels
    return {comparison.name: level for comparison, level in zip(COMPARISONS, found, strict=True) if level}


def test_one_verified_number_and_the_same_person_is_certain() -> None:
    clinic = patient("clinic", name("CHAN", "Tai-man", "David"), identifier=[number("hkid", "a1234563")])
    found = match(record(CARD), record(clinic))
    assert found.result is Result.CERTAIN
    assert levels(CARD, clinic) == {
        "number": "same",
        "surname-spelling": "same",
        "given-spelling": "same",
        "birth": "same",
        "sex": "same",
    }


def test_no_score_is_certain_without_a_number() -> None:
    contact = {
        "telecom": [{"system": "phone", "value": "91234567"}],
        "address": [{"line": ["Flat A, 1/F"], "district": "Sha Tin"}],
    }
    here = patient("here", name("冼", "大文"), name("SIN", "Tai Man"), **contact)
    there = patient("there", name("冼", "大文"), name("SIN", "Tai Man"), identifier=[HKID], **contact)
    found = match(record(here), record(there))
    assert found.result is Result.PROBABLE
    assert found.score > weights().certain


@pytest.mark.parametrize(
    "other",
    [
        {"birthDate": "1981-11-09"},
        {"name": [name("陳", "美玲")]},
    ],
)
def test_a_number_that_something_contradicts_is_not_certain(other: dict[str, object]) -> None:
    wife = patient("wife", name("陳", "大文"), identifier=[HKID]) | other
    assert match(record(CARD), record(wife)).result is Result.PROBABLE


@pytest.mark.parametrize(
    ("one", "other", "comparison", "level"),
    [
        (name("陳", "大文"), name("陈", "大文"), "surname", "same"),
        (name("余", "大文"), name("餘", "大文"), "surname", "folded"),
        (name("余", "大文"), name("俞", "大文"), "surname", "homophone"),
        (name("陳", "李美玲"), name("李", "美玲"), "surname", "other"),
        (name("陳", "大文"), name("Chen", "Dawen"), "surname-sound", "same"),
        (name("黃", "大文"), name("Vong", "Tai Man"), "surname-sound", "same"),
        (name("陳", "大文"), name("Chen", "Dawen"), "given-sound", "same"),
        (name("CHAN", "Tai Man"), name("Chen", "Dawen"), "surname-spelling", "sound"),
        (name("CHAN", "Tai Man"), name("TAI MAN", "Chan"), "surname-spelling", "other"),
        (name("CHAN LEE", "Mei Ling"), name("LEE", "Mei Ling"), "surname-spelling", "other"),
        (name("CHEUNG", "Tai Man"), name("CHEUNGG", "Tai Man"), "surname-spelling", "nearly"),
        (name("CHAN", "David"), name("CHAN", "Tai Man", "David"), "given-spelling", "other"),
        (name("CHAN", "Tai Man", "David"), name("CHAN", "Tai Ming", "David"), "given-spelling", "other"),
        (name("CHAN", "David"), name("CHAN", "Tai Man"), "given-spelling", "western"),
        (name("CHAN", "David"), name("CHAN", "Tai Man", "Peter"), "given-spelling", "differs"),
        (name("陳", "大文"), name("CHAN", "David"), "given-sound", "western"),
        (name("CHENG", "Mej Kam", "Shirley"), name("CHENG", "Mei Kam", "Shirley"), "given-spelling", "other"),
        (name("CHENG", "Mej Kam"), name("CHENG", "Mei Kam"), "given-spelling", "nearly"),
        (name("CHAN", "Tai Man"), name("CHAN", "Tai Ming"), "given-spelling", "syllable"),
        (name("梁", "希童"), name("梁", "希彤"), "given", "homophone"),
        (name("黄", "婉鈴"), name("黃", "婉玲"), "given", "homophone"),
        (name("廖", "涵梓"), name("廖", "梓涵"), "given", "order"),
        (name("陳", "大文"), name("陳", "大明"), "given", "part"),
        (name("陳", "大文"), name("陳", "小明"), "given", "differs"),
    ],
)
def test_names_agree_across_scripts(one: dict, other: dict, comparison: str, level: str) -> None:  # pyright: ignore[reportMissingTypeArgument]
    assert levels(patient("a", one), patient("b", other))[comparison] == level


@pytest.mark.parametrize(
    ("one", "other", "comparison", "level"),
    [
        ("1950-03-04", "1950-03-04", "birth", "same"),
        ("1950-01-01", "1950-01-01", "birth", "new-year"),
        ("1950-01-01", "1950-07-09", "birth", "open"),
        ("1950", "1950-07-09", "birth-part", "same"),
        ("1950-07", "1950-08-09", "birth-part", "differs"),
        ("1950-03-04", "1950-04-03", "birth", "swapped"),
        ("1950-03-04", "1951-03-04", "birth", "two-parts"),
        ("1950-03-04", "1950-04-13", "birth", "lunar"),
        ("1950-03-04", "1981-11-09", "birth", "differs"),
    ],
)
def test_birth_dates_agree(one: str, other: str, comparison: str, level: str) -> None:
    assert levels(patient("a", birthDate=one), patient("b", birthDate=other))[comparison] == level


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (["Flat B, 12/F, Block 3", "Harbour Estate"], "same"),
        (["Flat B 12/F Block 3 Harbour Estate"], "same"),
        (["Flat B, 12/F, Blk 3", "Harbour Estate"], "nearly"),
        (["Harbour Estat", "Block 3, Flat B, 12/F"], "place"),
        (["Harbour Estat", "Flat B, 12/F, Block 3"], "nearly"),
        (["Flat B, 21/F, Block 3", "Harbour Estate"], "place"),
        (["Flat B, 12/F, Block 3", "Sunrise Garden"], "place"),
        (["Harbour Estate"], "place"),
    ],
)
def test_addresses_agree(line: list[str], level: str) -> None:
    here, there = (
        patient("a", address=[{"line": each, "district": "Sha Tin"}])
        for each in (["Flat B, 12/F, Block 3", "Harbour Estate"], line)
    )
    assert levels(here, there)["address"] == level
    line = ["Flat B, 12/F, Blk 3", "Harbour Estate"]
    elsewhere = patient("c", address=[{"line": line, "district": "Tuen Mun"}])
    assert levels(here, elsewhere)["address"] == "differs"


def test_a_rare_surname_says_more_than_a_common_one() -> None:
    def score(surname: str) -> float:
        one, other = (record(patient(each, name(surname, "大文"))) for each in "ab")
        return match(one, other).score

    assert score("冼") > score("陳") + 3


def test_every_term_is_explained_and_the_terms_are_the_score() -> None:
    other = record(patient("b", name("陈", "大文"), identifier=[number("home-return-permit", "H99990001")]))
    terms = explain(record(CARD), other)
    assert [term.comparison for term in terms] == ["surname", "given", "birth", "sex"]
    assert sum(term.bits for term in terms) == pytest.approx(match(record(CARD), other).score)
    assert "borne by" in terms[0].why
    assert all(term.why for term in terms)


def test_nothing_known_is_no_match() -> None:
    blank = record({"resourceType": "Patient", "id": "x"})
    found = match(blank, blank)
    assert (found.result, found.score) == (Result.NONE, 0.0)


def test_a_number_that_was_typed_at_one_side_is_probable() -> None:
    """Also of two records of one source: whoever typed it saw no document."""
    typed = patient("typed", name("陳", "大文"), identifier=[number("hkid", "A123456(3)", seen=False)])
    assert match(record(CARD), record(typed)).result is Result.PROBABLE
    same_source = typed | {"managingOrganization": CARD["managingOrganization"]}
    assert match(record(CARD), record(same_source)).result is Result.PROBABLE


HOME = {
    "telecom": [{"system": "phone", "value": "91234567"}],
    "address": [{"line": ["Flat A, 1/F"], "district": "Sha Tin"}],
}
MOVED = {"line": ["Flat B, 2/F"], "district": "Tuen Mun"}


@pytest.mark.parametrize(
    ("other", "result"),
    [
        ({}, Result.CERTAIN),
        ({"telecom": []}, Result.CERTAIN),
        ({"address": [MOVED]}, Result.CERTAIN),
        ({"name": [name("CHAN", "Tai Man")]}, Result.CERTAIN),
        ({"telecom": [], "address": []}, Result.PROBABLE),
        ({"telecom": [{"system": "phone", "value": "97654321"}], "address": [MOVED]}, Result.PROBABLE),
        ({"birthDate": "1950-04-03"}, Result.PROBABLE),
        ({"birthDate": "1950"}, Result.PROBABLE),
        ({"name": [name("陳", "大明")]}, Result.PROBABLE),
        ({"name": [name("CHAN", "David")]}, Result.PROBABLE),
        ({"name": [name("李", "大文")]}, Result.PROBABLE),
    ],
)
def test_what_is_on_no_card_bears_out_a_number_that_one_counter_saw(
    other: dict[str, object], result: Result
) -> None:
    card = CARD | HOME
    typed = patient("typed", name("陳", "大文"), **HOME) | other
    typed |= {"identifier": [number("hkid", "A123456(3)", seen=False)]}
    assert match(record(card), record(typed)).result is result
    strict = replace(weights(), verified="both")
    assert match(record(card), record(typed), strict).result is Result.PROBABLE


def test_what_no_counter_saw_is_never_certain() -> None:
    typed = [number("hkid", "A123456(3)", seen=False)]
    here, there = (patient(each, name("陳", "大文"), identifier=typed, **HOME) for each in "ab")
    assert match(record(here), record(there)).result is Result.PROBABLE


def test_the_definition_says_at_how_many_counters_a_number_was_seen() -> None:
    typed = patient("typed", name("陳", "大文"), identifier=[number("hkid", "A123456(3)", seen=False)])
    trusting = replace(weights(), verified="one")
    assert match(record(CARD), record(typed), trusting).result is Result.CERTAIN


def test_a_name_that_sounds_alike_and_half_a_birth_date_contradict_a_number() -> None:
    brother = patient("brother", name("陳", "大雯"), birthDate="1952-03-04", identifier=[HKID])
    found = levels(CARD, brother)
    assert (found["given"], found["birth"]) == ("homophone", "two-parts")
    assert match(record(CARD), record(brother)).result is Result.PROBABLE
    for half in ({"birthDate": "1950-03-04"}, {"name": CARD["name"]}):
        assert match(record(CARD), record(brother | half)).result is Result.CERTAIN


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (name("陳", "大文"), name("陳", "大明")),
        (name("CHAN", "Tai Man"), name("CHAN", "Tai Ming")),
        (name("陳", "大文"), name("CHAN", "Tai Ming")),
    ],
)
def test_twins_on_one_card_are_a_stewards(one: dict[str, Any], other: dict[str, Any]) -> None:
    """A given name with one character in common contradicts a number that was seen twice."""
    here, there = (patient(id, named, identifier=[HKID], **HOME) for id, named in (("a", one), ("b", other)))
    assert match(record(here), record(there)).result is Result.PROBABLE
