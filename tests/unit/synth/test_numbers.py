"""Every number is of valid form where none is issued, and belongs to one person."""

import re
from collections import Counter
from datetime import date

import pytest

from kintung.definitions import naming_systems
from kintung.errors import BadInput
from kintung.identity.identifiers import hkid_check_digit, is_valid, mainland_check_digit
from kintung.synth import MOST_PEOPLE, people
from kintung.synth import numbers as made
from tests.unit.synth.given import NOT_ISSUED, some_people

URIS = {
    system.id: (*system.uris, *(f"{prefix}PHL" for prefix in system.prefixes))[0]
    for system in naming_systems()
}


def test_numbers_lie_where_none_is_issued_and_every_kind_is_there():
    kinds = Counter()
    for person in some_people():
        for kind, number in person.numbers.items():
            assert re.fullmatch(NOT_ISSUED[kind], number), kind
            kinds[kind] += 1
    assert kinds.keys() >= NOT_ISSUED.keys() - {
        "hk-certificate-of-exemption"
    }  # one in a hundred of the oldest
    assert re.fullmatch(NOT_ISSUED["hk-certificate-of-exemption"], made.exemption_certificate(7))


def test_numbers_are_of_the_format_of_their_naming_system():
    formats = {system.id: system.format for system in naming_systems()}
    for person in some_people():
        for kind, number in person.numbers.items():
            assert re.fullmatch(formats[kind] or ".+", number), kind
            assert is_valid(URIS[kind], number), kind


def test_check_digits_are_right_and_birth_dates_are_those_of_the_holder():
    for person in some_people():
        for kind, number in person.numbers.items():
            if kind in ("hkid", "hk-birth-certificate"):
                assert hkid_check_digit(number[:-1]) == number[-1]
            if kind in ("mainland-id", "mainland-residence-permit"):
                assert mainland_check_digit(number[:-1]) == number[-1]
                assert date.fromisoformat(number[6:14]) == person.born
                assert int(number[16]) % 2 == (person.sex == "male")


def test_no_number_is_two_peoples():
    given = Counter((kind, number) for person in some_people() for kind, number in person.numbers.items())
    assert max(given.values()) == 1
    assert len({person.id for person in some_people()}) == len(some_people())


@pytest.mark.parametrize(
    ("number", "below"),
    [
        (made.hkid, MOST_PEOPLE),
        (made.exit_entry_permit, MOST_PEOPLE),
        (made.macao_card, 100_000),
        (lambda n: made.home_return_permit("hong-kong", n), MOST_PEOPLE),
    ],
)
def test_the_range_suffices(number, below):
    """Each person of the largest population gets another; the bounds and a sample between."""
    wanted = [*range(2_000), *range(0, below, 997), *range(below - 2_000, below)]
    assert len({number(n) for n in wanted}) == len(set(wanted))


def test_residents_of_macao_are_no_more_than_their_cards():
    """They are counted by themselves: there is a card for one person in ten of the largest population."""
    assert MOST_PEOPLE * 0.055 * 1.01 < 100_000
    cards = [person.numbers["macao-bir"] for person in some_people() if "macao-bir" in person.numbers]
    assert cards
    assert set(cards) == {made.macao_card(number) for number in range(len(cards))}


def test_mainland_numbers_of_one_birth_date_go_on_in_another_area():
    given = made.BirthNumbers()
    day = date(1990, 5, 17)
    found = [given.mainland_id(day, "male") for _ in range(501)]
    assert len(set(found)) == 501
    assert (found[499][:6], found[500][:6]) == ("999999", "999998")


def test_residence_permits_of_one_birth_date_end():
    given = made.BirthNumbers()
    found = [given.residence_permit("macao", date(1990, 5, 17), "female") for _ in range(51)]
    assert found[49] is not None
    assert found[50] is None
    assert found[0]
    assert found[0][:6] == "820000"


@pytest.mark.parametrize("count", [0, -1, MOST_PEOPLE + 1])
def test_more_people_than_numbers_are_refused(count: int):
    with pytest.raises(BadInput):
        people(1, count)
