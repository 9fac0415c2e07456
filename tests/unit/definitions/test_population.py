"""The tables that synthetic people are made by: whole, sourced, and fixed before any matcher."""

from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from kintung.definitions.corruptions import corruptions, pairs, spellings
from kintung.definitions.name_frequencies import (
    given_names,
    latin_names,
    surname_tables,
    surnames,
    western_names,
)
from kintung.definitions.population import age_tables, ages, place_tables, shares, systems
from kintung.errors import NotFound

REGIONS = ("hong-kong", "hong-kong-in-guangdong", "macao", "guangdong")

PITFALLS = {
    "family-card", "old-record-number", "identifier-typo", "permit-reissued",
    "telegraph-blank", "telegraph-wrong", "variant-character", "merged-surname", "given-name-reversed",
    "western-name-first", "western-name-only", "given-name-hyphenated", "given-name-joined", "truncated",
    "other-spelling", "polyphone", "compound-surname-split", "compound-surname-spacing",
    "married-prefix", "married-suffix", "private-use",
    "birth-lunar", "birth-swapped", "birth-year-only", "birth-first-of-january", "birth-year-off",
    "sex-code", "family-phone",
}  # fmt: skip
"""The pitfalls that matching across the border is known for; each must have a rate."""


def test_every_table_says_its_source_in_both_languages():
    tables = [
        *age_tables(), *place_tables().values(), *shares().values(), *surname_tables(), *given_names(),
        *western_names(), *latin_names().values(), *corruptions().values(), *pairs().values(),
        *spellings().values(), *systems().values(),
    ]  # fmt: skip
    assert len(tables) > 80
    for table in tables:
        assert table.source, table.id
        assert table.label.en, table.id
        assert table.label.zh_hk, table.id


def test_what_no_source_gives_is_marked_as_assumed():
    for each in [*shares().values(), *corruptions().values()]:
        unsourced = "ssumed" in each.source or "No rate was found" in each.source
        assert each.assumed or not unsourced, each.id


@pytest.mark.parametrize("region", ["hong-kong", "macao", "guangdong"])
def test_surnames_add_to_a_hundred(region: str):
    assert abs(sum(surnames(region).values()) - 100) < Decimal("0.01")


def test_the_six_commonest_surnames_of_hong_kong_have_the_published_sum():
    six = sum(surnames("hong-kong")[han] for han in "陳黃李梁張林")
    assert six == Decimal("36.75")


def test_residents_of_hong_kong_staying_in_guangdong_are_the_published_number():
    table = ages("hong-kong-in-guangdong")
    assert (table.total, table.start) == (558_600, date(2024, 12, 31))
    for dated in age_tables():
        if dated.total is not None:
            assert abs(sum(row.people for row in dated.rows) - dated.total) <= 200


def test_a_table_stands_until_the_next():
    found = ages("hong-kong-in-guangdong", date(2022, 7, 1))
    assert (found.start, found.total) == (date(2022, 6, 30), 529_500)
    with pytest.raises(NotFound):
        ages("hong-kong-in-guangdong", date(2020, 1, 1))


@pytest.mark.parametrize("region", REGIONS)
def test_age_groups_follow_one_another(region: str):
    for sex in ("male", "female"):
        groups = [row.ages for row in ages(region).rows if row.sex == sex]
        assert groups[0][0] == 0
        assert groups[-1][1] == 99
        assert all(after[0] == before[1] + 1 for before, after in pairwise(groups))


def test_places_are_those_of_the_region():
    places = place_tables()
    assert [len(places[region].rows) for region in ("hong-kong", "guangdong")] == [18, 21]
    assert sum(row.people for row in places["guangdong"].rows) == 126_012_510
    assert sum(row.people for row in places["hong-kong"].rows) == 7_413_070 - 1_125


def test_shares_are_shares():
    assert all(0 < share.share <= 1 for share in shares().values())
    assert sum(shares()[f"region-{region}"].share for region in REGIONS) == 1


@pytest.mark.parametrize("region", REGIONS)
def test_appearances_of_a_region_are_divided_among_the_systems(region: str):
    assert sum(system.seen[region] for system in systems().values()) == 1


def test_given_names_repeat_no_character_and_begin_at_birth_of_the_oldest():
    for table in given_names():
        for characters in (table.first, table.second, table.single):
            assert max(Counter(characters).values(), default=1) == 1, table.id
    for region in ("hong-kong", "macao", "guangdong"):
        for sex in ("male", "female"):
            begins = [
                names.born_from for names in given_names() if region in names.regions and names.sex == sex
            ]
            assert begins[0] == 1900
            assert begins == sorted(begins)


def test_every_pitfall_has_a_rate():
    assert corruptions().keys() >= PITFALLS
    assert all(0 < each.rate <= 1 for each in corruptions().values())
    elements = {"identifier", "name", "birthDate", "gender", "telecom", "address"}
    assert all(each.changes and set(each.changes) <= elements for each in corruptions().values())


def test_pairs_are_of_two_different_characters():
    for table in pairs().values():
        for pair in table.pairs.split():
            assert len(set(pair)) == len(pair) == 2, pair


def test_spellings_are_of_surnames_there_are():
    for han, forms in spellings()["dialects"].spellings.items():
        assert han in surnames("hong-kong")
        assert forms
