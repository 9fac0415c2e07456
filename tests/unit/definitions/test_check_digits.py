"""Check digits of identity numbers, on published vectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.definitions import hkid_check_digit, is_hkid, is_mainland_id, mainland_check_digit


@pytest.mark.parametrize("number", ["A1234563", "AB9876543", "G123456A", "QZ000002A"])
def test_hkid_with_its_check_digit(number):
    assert is_hkid(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "A1234564",
        "A123456",
        "A123456(3)",
        "a1234563",
        "ABC1234563",
        "A12345633",
        "Ａ1234563",
        "A1234563\n",
    ],
)
def test_what_is_no_hkid(number):
    assert not is_hkid(number)


@pytest.mark.parametrize(
    "number",
    [
        "11010519491231002X",
        "34052419800101001X",
        "440524188001010014",
        "370101190102039973",
        "810000196001010015",
        "820000195506150029",
        "830000197001011235",
    ],
)
def test_mainland_id_with_its_check_character(number):
    assert is_mainland_id(number)


@pytest.mark.parametrize("number", ["", "110105194912310021", "11010519491231002x", "1101051949123100２X"])
def test_what_is_no_mainland_id(number):
    assert not is_mainland_id(number)


@given(body=st.from_regex(r"[A-Z]{1,2}[0-9]{6}", fullmatch=True), data=st.data())
def test_one_wrong_digit_of_an_hkid_is_seen(body, data):
    number = body + hkid_check_digit(body)
    place = data.draw(st.integers(len(body) - 6, len(body) - 1))
    other = data.draw(st.sampled_from("0123456789".replace(number[place], "")))
    assert is_hkid(number)
    assert not is_hkid(number[:place] + other + number[place + 1 :])


@given(body=st.from_regex(r"[0-9]{17}", fullmatch=True), data=st.data())
def test_two_digits_of_a_mainland_id_that_change_places_are_seen(body, data):
    number = body + mainland_check_digit(body)
    place = data.draw(st.integers(0, 15))
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert is_mainland_id(number)
    assert is_mainland_id(swapped) == (swapped == number)
