"""What a check digit catches: each slip of one sign, each pair of neighbours that changed places.

The shares stand in ``docs/reference/identifiers.md``.
"""

from collections.abc import Iterator
from datetime import date
from string import ascii_uppercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.identity.identifiers import hkid, is_valid, mainland_id
from tests.scale import seeded

HKID = "https://kintung.org/fhir/sid/hkid"
MAINLAND = "https://kintung.org/fhir/sid/mainland-id"

hkids = st.from_regex(r"\A[A-Z]{1,2}[0-9]{6}\Z").map(lambda body: body + hkid.check_digit(body))


def slips(number: str, place: int, alphabet: str) -> Iterator[str]:
    """The number with another sign at a place."""
    return (number[:place] + other + number[place + 1 :] for other in alphabet if other != number[place])


def swapped(number: str, place: int) -> str:
    return number[:place] + number[place + 1] + number[place] + number[place + 2 :]


@given(number=hkids)
def test_every_wrong_digit_of_an_hkid_is_caught(number):
    assert is_valid(HKID, number)
    for place in range(len(number) - 7, len(number) - 1):
        assert not any(is_valid(HKID, slip) for slip in slips(number, place, digits))
    assert not any(is_valid(HKID, slip) for slip in slips(number, len(number) - 1, digits + "A"))


@given(number=hkids)
def test_every_two_neighbouring_digits_of_an_hkid_that_change_places_are_caught(number):
    for place in range(len(number) - 7, len(number) - 1):
        other = swapped(number, place)
        assert is_valid(HKID, other) == (other == number)


def test_of_wrong_letters_of_an_hkid_those_eleven_apart_pass():
    """A=10 and L=21 leave the same rest by 11, so 38 of the 650 ways to mistake a letter are not seen."""
    for prefix in ("", "A"):
        missed = 0
        for letter in ascii_uppercase:
            body = f"{prefix}{letter}123456"
            number = body + hkid.check_digit(body)
            for slip in slips(number, len(prefix), ascii_uppercase):
                missed += is_valid(HKID, slip)
                assert is_valid(HKID, slip) == ((ord(slip[len(prefix)]) - ord(letter)) % 11 == 0)
        assert missed == 38


def test_of_two_letters_of_an_hkid_that_change_places_those_eleven_apart_pass():
    missed = 0
    for first in ascii_uppercase:
        for second in ascii_uppercase.replace(first, ""):
            body = f"{first}{second}123456"
            other = swapped(body + hkid.check_digit(body), 0)
            missed += is_valid(HKID, other)
            assert is_valid(HKID, other) == ((ord(first) - ord(second)) % 11 == 0)
    assert missed == 38


@st.composite
def mainland_ids(draw: st.DrawFn) -> str:
    born = draw(st.dates(min_value=date(1900, 1, 1), max_value=date(2026, 11, 22)))
    body = f"{draw(st.integers(110000, 659999))}{born:%Y%m%d}{draw(st.integers(0, 999)):03}"
    return body + mainland_id.check_digit(body)


@given(number=mainland_ids())
def test_every_wrong_sign_of_a_mainland_id_is_caught(number):
    assert is_valid(MAINLAND, number)
    for place in range(17):
        assert not any(is_valid(MAINLAND, slip) for slip in slips(number, place, digits))
    assert not any(is_valid(MAINLAND, slip) for slip in slips(number, 17, digits + "X"))


@given(number=mainland_ids())
def test_every_two_neighbours_of_a_mainland_id_that_change_places_are_caught(number):
    for place in range(17):
        other = swapped(number, place)
        assert is_valid(MAINLAND, other) == (other == number)


@pytest.mark.parametrize("system", [HKID, MAINLAND])
def test_of_two_wrong_digits_one_in_eleven_passes(system):
    """No digit of eleven values can do better: measured, and of a mainland number the birth date helps."""
    draw = seeded("two wrong digits")
    tried = missed = 0
    for _ in range(4_000):
        if system == HKID:
            body = draw.choice(ascii_uppercase) + "".join(draw.choices(digits, k=6))
            number, places = body + hkid.check_digit(body), draw.sample(range(1, 7), 2)
        else:
            body = (
                f"440106{draw.randrange(1930, 2020)}{draw.randrange(1, 13):02}{draw.randrange(1, 29):02}123"
            )
            number, places = body + mainland_id.check_digit(body), draw.sample(range(17), 2)
        signs = list(number)
        for place in places:
            signs[place] = draw.choice(digits.replace(signs[place], ""))
        tried += 1
        missed += is_valid(system, "".join(signs))
    share = missed / tried
    assert (0.07 < share < 0.13) if system == HKID else (0.02 < share < 0.11)
