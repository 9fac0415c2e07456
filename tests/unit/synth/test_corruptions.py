"""Each corruption changes what its definition says, and nothing else."""

import re
from datetime import date
from functools import cache
from random import Random

import pytest

from kintung.definitions.corruptions import corruptions
from kintung.fhir.structure import validate
from kintung.identity.names import folded, from_private_use
from kintung.synth.corruptions import CORRUPTIONS
from kintung.synth.corruptions.births import lunar_date
from kintung.synth.draft import CARD_WIDTH, Draft
from tests.unit.synth.given import NOT_ISSUED, SEED, drafts

DRAFTS = drafts(3_000)
SIGNS = {"home-return-permit": 9}
PREPARED_BY = {
    "western-name-only": ("western-name-added",),
    "western-name-first": ("western-name-added",),
    "western-name-dropped": (),
    "truncated": ("married-prefix",),
}
"""What is done first where a corruption needs something that few people have."""


@cache
def befallen(id: str) -> list[tuple[Draft, Draft]]:
    """Drafts before and after a corruption that could be."""
    chance, corrupt = Random(SEED), CORRUPTIONS[id]
    found: list[tuple[Draft, Draft]] = []
    for draft in DRAFTS:
        before = draft.copy()
        for earlier in PREPARED_BY.get(id, ()):
            CORRUPTIONS[earlier](before, chance)
        after = before.copy()
        if corrupt(after, chance):
            found.append((before, after))
        else:
            assert after == before, id
    return found


def test_every_corruption_defined_is_made():
    assert CORRUPTIONS.keys() == corruptions().keys()


@pytest.mark.parametrize("id", corruptions())
def test_a_corruption_changes_what_it_says_and_nothing_else(id: str):
    found = 0
    for draft_before, draft_after in befallen(id):
        before, after = draft_before.patient(), draft_after.patient()
        found += 1
        differing = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        assert differing == set(corruptions()[id].changes), (id, before, after)
        assert found > 300 or validate(after) == []
    assert found >= 3, f"{id} befell {found} of {len(DRAFTS)}"


def names(draft: Draft, code: str) -> dict:
    return next((name for name in draft.patient()["name"] if name["extension"][0]["valueCode"] == code), {})


@pytest.mark.parametrize(
    "id",
    ["telegraph-blank", "telegraph-wrong", "variant-character", "merged-surname", "given-name-reversed",
     "homophone-character", "private-use", "compound-surname-split"],
)  # fmt: skip
def test_corruptions_of_characters_leave_the_latin_name(id: str):
    for before, after in befallen(id):
        assert names(before, "ABC") == names(after, "ABC")


@pytest.mark.parametrize(
    "id",
    ["western-name-first", "western-name-only", "western-name-dropped", "western-name-added",
     "given-name-hyphenated", "given-name-joined", "truncated", "other-spelling", "other-syllable",
     "misspelt", "names-swapped", "polyphone", "compound-surname-spacing"],
)  # fmt: skip
def test_corruptions_of_the_latin_name_leave_the_characters(id: str):
    for before, after in befallen(id):
        assert names(before, "IDE") == names(after, "IDE")
        assert names(before, "ABC") != names(after, "ABC")


def test_a_reversed_given_name_has_the_same_characters():
    for before, after in befallen("given-name-reversed"):
        assert before.han is not None
        assert after.han is not None
        assert before.han.given == after.han.given[::-1]


def test_a_merged_surname_is_compared_as_the_same():
    alike = 0
    for before, after in befallen("merged-surname"):
        assert before.han is not None
        assert after.han is not None
        alike += folded(before.han.surname) == folded(after.han.surname)
    assert alike > 0


def test_private_use_is_read_back():
    for before, after in befallen("private-use"):
        assert before.han is not None
        assert after.han is not None
        assert from_private_use(after.han.given).text == before.han.given


def test_a_parted_compound_surname_is_the_same_text():
    for before, after in befallen("compound-surname-split"):
        assert before.han is not None
        assert after.han is not None
        assert "".join(before.han) == "".join(after.han)


@pytest.mark.parametrize(("id", "order"), [("married-prefix", (0, 1)), ("married-suffix", (1, 0))])
def test_a_husbands_surname_stands_where_it_is_said(id: str, order: tuple[int, int]):
    for before, after in befallen(id):
        assert before.person.husband
        both = (before.person.husband[1].surname, before.surname)
        assert after.surname == " ".join(both[place] for place in order)


def test_a_name_cut_has_the_width_of_the_card():
    for before, after in befallen("truncated"):
        assert len(before.latin_text) > CARD_WIDTH
        assert len(names(after, "ABC")["text"]) <= CARD_WIDTH
        assert before.latin_text.startswith(names(after, "ABC")["text"])


def test_a_card_of_the_family_is_a_relatives():
    for before, after in befallen("family-card"):
        numbers = {relative.number for relative in before.person.relatives}
        assert after.numbers[0].value.replace("(", "").replace(")", "") in numbers


def test_a_mistyped_number_differs_in_one_place_or_two_neighbours():
    for before, after in befallen("identifier-typo"):
        pairs = zip(before.numbers, after.numbers, strict=True)
        ((system, *changed),) = [(a.system, a.value, b.value) for a, b in pairs if a.value != b.value]
        assert re.fullmatch(NOT_ISSUED[system], re.sub(r"[()]", "", changed[1])[: SIGNS.get(system, 18)])
        places = [n for n, (a, b) in enumerate(zip(*changed, strict=True)) if a != b]
        assert len(places) == 1 or (len(places) == 2 and places[1] == places[0] + 1)


def test_a_reissued_permit_keeps_its_nine_signs():
    for before, after in befallen("permit-reissued"):
        kept = [number.value[:9] for number in before.numbers if number.system == "home-return-permit"]
        assert kept == [number.value[:9] for number in after.numbers if number.system == "home-return-permit"]


def test_birth_dates_are_wrong_as_they_are_said_to_be():
    for _, after in befallen("birth-year-only"):
        assert after.birth == str(after.person.born.year)
    for _, after in befallen("birth-first-of-january"):
        assert after.birth == f"{after.person.born.year}-01-01"
    for _, after in befallen("birth-swapped"):
        wrong = date.fromisoformat(after.birth)
        assert (wrong.month, wrong.day) == (after.person.born.day, after.person.born.month)
    for _, after in befallen("birth-year-off"):
        assert abs(int(after.birth[:4]) - after.person.born.year) == 1
        assert int(after.birth[:4]) <= after.registered.year


@pytest.mark.parametrize(
    ("born", "lunar"),
    [
        (date(2000, 2, 5), (2000, 1, 1)),
        (date(1985, 2, 20), (1985, 1, 1)),
        (date(1997, 2, 7), (1997, 1, 1)),
        (date(2024, 9, 17), (2024, 8, 15)),
        (date(1960, 1, 28), (1960, 1, 1)),
    ],
)
def test_a_day_of_the_chinese_calendar_is_right_to_a_day_or_so(born: date, lunar: tuple[int, int, int]):
    """New Year's days and a mid-autumn day; a day before the first is the thirtieth of the twelfth."""
    found = lunar_date(born)
    assert found is not None
    year, month, day = lunar
    exact = (year * 12 + month) * 30 + day
    assert abs((found.year * 12 + found.month) * 30 + found.day - exact) <= 2
