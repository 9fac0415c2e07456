"""What of a Patient is compared."""

from typing import Any

import msgspec
import pytest

from kintung.fhir.json import parse as parsed
from kintung.identity.identifiers import is_valid, normalise, parse
from kintung.identity.matching import record, record_of
from kintung.identity.matching.names import LatinName, latin_name
from kintung.identity.matching.phones import normal_phone
from kintung.synth import appearances, people, seeded
from tests.patients import SID, name, number, patient
from tests.scale import counts, seed


def test_characters_their_telegraph_codes_and_their_spellings_are_features() -> None:
    made = record(patient("a", name("陳", "大文")))
    assert made.surname_han == {"陳", "#7115"}
    assert made.given_han == {"大文", "#1129 2429"}
    assert (made.surname_folded, made.given_folded) == ({"陈"}, {"大文"})
    assert {"CHAN", "CHEN"} <= made.surname_spelled
    assert {"1TAI", "2MAN", "1DA", "2WEN"} <= made.given_spelled


@pytest.mark.parametrize("codes", ["7115 1129 2429", "7115-0 1129-0 2429-0"])
def test_recorded_telegraph_codes_stand_beside_derived_ones(codes: str) -> None:
    made = record(patient("a", name("陳", "大㜢", codes=codes)))
    assert "#1129 2429" in made.given_han


@pytest.mark.parametrize("codes", ["7115 1129", "7115 1129 242", "7115 1129 2429 0001", "x", " "])
def test_telegraph_codes_that_do_not_fit_the_name_are_left_out(codes: str) -> None:
    made = record(patient("a", name("陳", "大㜢", codes=codes)))
    assert made.given_han == {"大㜢"}


def test_a_compound_surname_is_whole_however_it_was_parted() -> None:
    whole, parted = (record(patient("a", each)) for each in (name("歐陽", "大文"), name("歐", "陽大文")))
    assert whole.surname_han == parted.surname_han
    assert whole.given_han == parted.given_han == {"大文", "#1129 2429"}


def test_a_married_woman_has_both_surnames() -> None:
    made = record(patient("a", name("陳", "李美玲")))
    assert made.surname_folded == {"陈李"}
    assert made.surname_other == {"陈", "李"}
    assert made.given_folded == {"美玲"}


@pytest.mark.parametrize(
    ("given", "syllables", "western"),
    [
        (("TAI", "MAN"), ("TAI", "MAN"), ()),
        (("TAI", "MAN", "DAVID"), ("TAI", "MAN"), ("DAVID",)),
        (("DAVID", "TAI", "MAN"), ("TAI", "MAN"), ("DAVID",)),
        (("DAWEN",), ("DA", "WEN"), ()),
        (("TAIMAN", "DAVID"), ("TAI", "MAN"), ("DAVID",)),
        (("DAVID",), (), ("DAVID",)),
        (("KAR", "MING", "JASON"), ("KAR", "MING"), ("JASON",)),
        (("JASON", "KAR", "MING"), ("KAR", "MING"), ("JASON",)),
        (("WINNIE", "KITHA"), ("KIT", "HA"), ("WINNIE",)),
        (("MEJ", "KAM", "SHIRLEY"), ("KAM",), ("MEJ", "SHIRLEY")),
        (("TSZ", "YUEN"), ("TSZ", "YUEN"), ()),
        ((), (), ()),
    ],
)
def test_syllables_are_told_from_western_names(
    given: tuple[str, ...], syllables: tuple[str, ...], western: tuple[str, ...]
) -> None:
    assert latin_name(("CHAN",), given) == LatinName(("CHAN",), syllables, western)


@pytest.mark.parametrize(
    "text", ["CHAN, Tai Man David", "CHAN Tai Man David", "David CHAN Tai Man", "Chan Tai Man David"]
)
def test_a_name_that_is_only_a_text_is_parted(text: str) -> None:
    made = record(patient("a", {"text": text}))
    assert made.surname_latin == {"CHAN"}
    assert made.given_latin == {"TAIMAN"}
    assert "DAVID" in made.given_other


def test_numbers_are_in_normal_form_and_only_valid_ones_count() -> None:
    made = record(patient("a", identifier=[number("hkid", "a123456（3）"), number("hkid", "B123456(3)")]))
    assert made.numbers == made.verified == {"hkid:A1234563"}
    assert made.number_kinds == {"hkid"}


def test_a_number_without_its_check_digit_is_not_verified() -> None:
    made = record(patient("a", identifier=[number("hkid", "A123456")]))
    assert (made.numbers, made.verified) == ({"hkid:A1234563"}, frozenset())


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("hkid", "A123456(4)"),
        ("hkid", "A132456(3)"),
        ("hkid", "AB12345(6)"),
        ("mainland-id", "11010519491231002A"),
        ("mainland-residence-permit", "830000199001010014"),
    ],
)
def test_all_valid_numbers_a_slip_away_are_near(kind: str, wrong: str) -> None:
    normal = normalise(SID + kind, wrong)
    letters, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789" + ("A" if kind == "hkid" else "X")
    slips = {
        f"{normal[:at]}{sign}{normal[at + 1 :]}"
        for at in range(len(normal))
        for sign in (letters if normal[at].isalpha() and at < 2 else digits)
    }
    slips |= {f"{normal[:at]}{normal[at + 1]}{normal[at]}{normal[at + 2 :]}" for at in range(len(normal) - 1)}
    valid = {
        each for each in slips if is_valid(SID + kind, each) and parse(SID + kind, each).check == "right"
    }
    made = record(patient("a", identifier=[number(kind, wrong)]))
    assert {near.split(":")[1] for near in made.near_numbers} == valid
    assert valid


def test_a_number_that_fails_its_check_gives_the_valid_ones_a_slip_away() -> None:
    made = record(patient("a", identifier=[number("hkid", "A132456(3)")]))
    assert made.numbers == frozenset()
    assert "hkid:A1234563" in made.near_numbers
    assert len(made.near_numbers) < 60


def test_a_birth_certificate_bears_the_number_of_the_card() -> None:
    made = record(patient("a", identifier=[number("hk-birth-certificate", "A123456(3)")]))
    assert made.numbers == {"hkid:A1234563"}


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("9123 4567", "85291234567"),
        ("+852-9123 4567", "85291234567"),
        ("００８５２ ９１２３４５６７", "85291234567"),
        ("138 0013 8000", "8613800138000"),
        ("+86 138 0013 8000", "8613800138000"),
        ("+853 6612 3456", "85366123456"),
        ("020-81234567", "862081234567"),
        ("ext. 3", None),
        ("", None),
    ],
)
def test_telephones_have_their_country_code(written: str, normal: str | None) -> None:
    assert normal_phone(written) == normal


@pytest.mark.parametrize("birth", ["1950-02-30", "1950-13", "50", "", "1950-3-4", None, 1950, "today"])
def test_what_is_no_date_is_not_known(birth: Any) -> None:
    assert record(patient("a", birthDate=birth)).birth is None


def test_the_first_of_january_is_a_day_and_may_be_a_year_alone() -> None:
    made = record(patient("a", birthDate="1950-01-01"))
    assert made.birth_day == made.birth_new_year == "1950-01-01"
    assert made.birth_open == {"1950"}


@pytest.mark.parametrize(
    "broken",
    [
        {"name": "x"},
        {"name": [None, {"family": 3, "given": "x"}, {"text": []}]},
        {"identifier": [{"system": SID + "hkid"}, {"system": 1, "value": 2}, "x"]},
        {"identifier": [number("hkid", "9" * 5000)]},
        {"telecom": [{"system": "phone"}, 1], "address": [{"line": [None, 3]}, {"line": "x"}]},
        {"managingOrganization": "x", "meta": {"source": 3}, "gender": 7, "id": 4},
    ],
)
def test_what_cannot_be_read_is_not_known(broken: dict[str, Any]) -> None:
    made = record(patient("a") | broken)
    assert made.numbers == frozenset()


def test_a_text_gives_the_features_of_the_resource() -> None:
    chance = seeded(f"texts of {seed()}")
    for person in people(seed() % 2**62, counts(200, 20_000)):
        for each in appearances(person, chance):
            text = msgspec.json.encode(each.patient)
            assert record_of(text) == record(parsed(text))


def test_a_text_may_hold_numbers_of_any_size_that_are_accepted() -> None:
    written = b'{"url":"u","valueDecimal":%b}'
    numbers = b",".join(written % digits for digits in (b"1E399", b"-0.00", b"1" * 40, b"0." + b"3" * 40))
    names = b'"name":[{"family":"CHAN","given":["Tai Man"],"extension":[%b]}]' % numbers
    text = b'{"resourceType":"Patient","id":"a",%b,"multipleBirthInteger":2,"extension":[%b]}' % (
        names,
        numbers,
    )
    assert record_of(text) == record(parsed(text))
    assert record_of(text).surname_latin == {"CHAN"}
