"""There are as many people of each region, sex and age as the tables say, in families that could be."""

from collections import Counter
from itertools import islice
from random import Random

import pytest

from kintung.definitions.population import ages
from kintung.synth import people
from kintung.synth.demography import AS_OF, Group, apportioned, shares_of_groups
from tests.unit.synth.given import SEED, some_people


def test_shares_of_groups_add_to_one():
    assert sum(shares_of_groups().values()) == pytest.approx(1)


@pytest.mark.parametrize("count", [1, 37, 1_000, 20_000])
def test_every_group_is_within_a_person_of_its_share(count: int):
    made = Counter(islice(apportioned(Random(SEED)), count))
    assert made.total() == count
    for group, share in shares_of_groups().items():
        assert abs(made[group] - share * count) < 1.5, group


def test_residents_staying_in_guangdong_are_the_published_table():
    """Scaled to 558,600, each sex and age group is within 200 of the published number."""
    made = Counter(islice(apportioned(Random(SEED)), 200_000))
    staying = {group: n for group, n in made.items() if group.region == "hong-kong-in-guangdong"}
    scale = 558_600 / sum(staying.values())
    table = {
        Group("hong-kong-in-guangdong", row.sex, row.ages): row.people
        for row in ages("hong-kong-in-guangdong").rows
    }
    assert staying.keys() == table.keys()
    for group, people_there in table.items():
        assert abs(staying[group] * scale - people_there) <= 200, group


def test_people_have_the_ages_of_their_groups():
    """Twins take the birth date of the older one, so a few children are counted a year off."""
    made = Counter((person.region, person.sex) for person in some_people())
    expected = Counter[tuple[str, str]]()
    for group, share in shares_of_groups().items():
        expected[group.region, group.sex] += share * 4_000  # type: ignore[assignment]
    for key, number in expected.items():
        assert abs(made[key] - number) < 6, key
    over_65 = sum(person.born <= AS_OF.replace(year=AS_OF.year - 65) for person in some_people())
    share = sum(share for group, share in shares_of_groups().items() if group.ages[0] >= 65)
    assert abs(over_65 / 4_000 - share) < 0.01


def test_nobody_is_born_after_the_day_ages_are_counted_on():
    assert all(person.born <= AS_OF for person in some_people())
    assert all(person.died is None or person.born < person.died <= AS_OF for person in some_people())


def test_children_live_with_parents_who_could_have_them():
    families: dict[tuple[str, ...], list] = {}
    for person in some_people():
        families.setdefault((*person.address.line, person.address.place.roman), []).append(person)
    with_children = 0
    for members in families.values():
        wives = [one for one in members if one.husband]
        children = [one for one in members if one.relatives and one.born.year > AS_OF.year - 25]
        if len(wives) != 1 or len(members) != len(wives[0].relatives) + 1:
            continue  # another family has the same address by chance, or is cut by nothing
        for child in children:
            with_children += 1
            assert 18 <= child.born.year - wives[0].born.year <= 44
            if child.han and wives[0].husband[0]:
                assert child.han.surname == wives[0].husband[0].surname
    assert with_children > 200


def test_a_household_shares_an_address_and_numbers_of_relatives_are_theirs():
    by_card = {next(iter(person.numbers.values())): person for person in some_people()}
    related = [(person, other) for person in some_people() for other in person.relatives]
    assert len(related) > 2_000
    for person, other in related:
        assert by_card[other.number].address == person.address


def test_married_women_know_their_husbands_name():
    wives = [person for person in some_people() if person.husband]
    assert len(wives) > 500
    assert all(wife.sex == "female" for wife in wives)


def test_another_seed_makes_other_people():
    assert [person.latin for person in people(1, 50)] != [person.latin for person in people(2, 50)]
