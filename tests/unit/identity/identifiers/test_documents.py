"""Numbers of each kind of document: read, refused with what to do, masked."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.definitions import naming_systems
from kintung.errors import NotSupported, ValueInvalid
from kintung.identity.identifiers import Number, is_valid, mainland_id, mask, normalise, parse

SID = "https://kintung.org/fhir/sid/"
HKID = f"{SID}hkid"
MAINLAND = f"{SID}mainland-id"
PERMIT = f"{SID}mainland-residence-permit"
PASSPORT = "http://hl7.org/fhir/sid/passport-HKG"
ALL_URIS = [
    uri for system in naming_systems() for uri in (*system.uris, *(f"{p}HKG" for p in system.prefixes))
]


@pytest.mark.parametrize(
    "written",
    [
        "A123456(3)",
        "AB987654(3)",
        "E364912(5)",
        "D288754(2)",
        "P131609(9)",
        "G123456(A)",
        "g123456(a)",
        "QZ000002A",
    ],
)
def test_hkid_with_its_check_digit(written):
    number = parse(HKID, written)
    assert (number.document, number.check, number.region) == ("hkid", "right", "HK")
    assert number.normal == written.upper().replace("(", "").replace(")", "")


def test_hkid_without_its_check_digit_is_valid_and_says_so():
    number = parse(HKID, "A123456")
    assert (number.normal, number.check) == ("A1234563", "missing")
    assert parse(HKID, "Ａ １２３４５６ （３）").check == "right"


@pytest.mark.parametrize(
    ("written", "born", "sex"),
    [
        ("11010519491231002X", date(1949, 12, 31), "female"),
        ("34052419800101001X", date(1980, 1, 1), "male"),
        ("440524188001010014", date(1880, 1, 1), "male"),
        ("370101190102039973", date(1901, 2, 3), "male"),
    ],
)
def test_mainland_number_says_birth_date_and_sex(written, born, sex):
    number = parse(MAINLAND, written)
    assert (number.check, number.birth_date, number.sex, number.region) == ("right", born, sex, None)
    assert parse("urn:oid:2.16.156.10011.1.3", written.lower()).birth_date == born


@pytest.mark.parametrize(
    ("written", "born", "sex", "region"),
    [
        ("810000196001010015", date(1960, 1, 1), "male", "HK"),
        ("820000195506150029", date(1955, 6, 15), "female", "MO"),
        ("830000197001011235", date(1970, 1, 1), "male", "TW"),
    ],
)
def test_residence_permit_says_the_region_too(written, born, sex, region):
    number = parse(PERMIT, written)
    assert (number.check, number.birth_date, number.sex, number.region) == ("right", born, sex, region)


@pytest.mark.parametrize(
    ("system", "written", "normal", "region"),
    [
        ("home-return-permit", "H99990001", "H99990001", "HK"),
        ("home-return-permit", "m9999000103", "M99990001", "MO"),
        ("taiwan-compatriot-permit", "9999000102", "99990001", "TW"),
        ("exit-entry-permit", "CA1234567", "CA1234567", None),
        ("macao-bir", "1234567(8)", "12345678", "MO"),
        ("hk-birth-certificate", "A123456(3)", "A1234563", "HK"),
        ("hk-birth-certificate", "1950/1234", "19501234", "HK"),
        ("hk-certificate-of-exemption", "ce 123/a", "CE123A", "HK"),
        ("hk-ehr-number", "1234 5678", "12345678", None),
    ],
)
def test_numbers_of_other_documents(system, written, normal, region):
    number = parse(SID + system, written)
    assert (number.normal, number.region) == (normal, region)
    assert is_valid(SID + system, written)


def test_passport_is_of_the_country_of_its_system():
    number = parse(PASSPORT, "h 99990001")
    assert (number.document, number.uri, number.normal) == ("passport", PASSPORT, "H99990001")


@pytest.mark.parametrize(
    ("system", "written", "says"),
    [
        ("hkid", "A123456(4)", "check digit"),
        ("hkid", "A12345(6)", "as A123456.3. is"),
        ("hkid", "1234567", "not the form"),
        ("hkid", "()", "no number"),
        ("hkid", "", "no number"),
        ("hkid", "不詳", "not the form"),
        ("hk-birth-certificate", "A123456(4)", "check digit"),
        ("mainland-id", "110105194912310021", "check character"),
        ("mainland-id", "110105491231002", "not the form"),
        ("mainland-id", "810000196001010015", "residence permit"),
        ("mainland-residence-permit", "11010519491231002X", "not the form"),
        ("macao-bir", "9999999(9)", "not the form"),
        ("exit-entry-permit", "CI1234567", "not the form"),
        ("home-return-permit", "A12345678", "not the form"),
    ],
)
def test_what_is_no_number_is_refused_with_what_to_do(system, written, says):
    with pytest.raises(ValueInvalid, match=says) as raised:
        parse(SID + system, written, path="Patient.identifier[2]")
    assert re.search("compare|leave it out|give it", str(raised.value))
    assert raised.value.path == "Patient.identifier[2].value"
    assert not is_valid(SID + system, written)
    assert len(written) < 4 or written not in str(raised.value)


@pytest.mark.parametrize("day", ["19490229", "19491301", "00000000", "17991231", "20261123"])
def test_impossible_birth_date_is_refused(day):
    """The check character is right: only the day is not."""
    body = f"110105{day}002"
    with pytest.raises(ValueInvalid, match="birth date"):
        parse(MAINLAND, body + mainland_id.check_digit(body), on=date(2026, 11, 22))


def test_birth_date_to_come_is_impossible_only_when_a_day_is_given():
    number = "11010520991231002" + mainland_id.check_digit("11010520991231002")
    assert is_valid(MAINLAND, number)
    with pytest.raises(ValueInvalid, match="to come"):
        parse(MAINLAND, number, on=date(2026, 11, 22))
    assert parse(MAINLAND, number, on=date(2099, 12, 31)).birth_date == date(2099, 12, 31)


@pytest.mark.parametrize(
    "uri", ["", "urn:oid:1.2.3", "http://hospital.example/mrn", "http://hl7.org/fhir/sid/passport-"]
)
def test_system_that_is_not_known_is_refused(uri):
    with pytest.raises(NotSupported) as raised:
        parse(uri, "A1234563", path="Patient.identifier[0]")
    assert raised.value.path == "Patient.identifier[0].system"
    assert not is_valid(uri, "A1234563")


@pytest.mark.parametrize(
    ("uri", "written", "masked"),
    [
        (HKID, "A123456(3)", "A123***(*)"),
        (HKID, "a123456", "A123***(*)"),
        (HKID, "AB987654(3)", "AB98****(*)"),
        (HKID, "A1234", "A****"),
        (MAINLAND, "11010519491231002X", "1101**************"),
        (PERMIT, "810000196001010015", "8100**************"),
        (f"{SID}home-return-permit", "H9999000102", "H999*****"),
        (f"{SID}taiwan-compatriot-permit", "99990001", "999*****"),
        (f"{SID}exit-entry-permit", "CA1234567", "CA12*****"),
        (f"{SID}macao-bir", "1234567(8)", "123****(*)"),
        (f"{SID}hk-birth-certificate", "QZ000002", "QZ00****(*)"),
        (f"{SID}hk-certificate-of-exemption", "CE 123456", "CE******"),
        (PASSPORT, "H99990001", "H9*******"),
        ("http://hospital.example/mrn", "12", "**"),
        ("", "", ""),
    ],
)
def test_mask_of_each_kind(uri, written, masked):
    assert mask(uri, written) == masked


numbers = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="AHMCXQZ0123456789()/- （）ａＡ９", max_size=24),
    st.from_regex(r"\A[A-Z]{1,2}[0-9]{6}[0-9A]\Z"),
    st.from_regex(r"\A[1-8][0-9]{16}[0-9X]\Z"),
    st.from_regex(r"\A[HMC][A-Z0-9][0-9]{7,9}\Z"),
)


def read_or_refused(uri: str, value: str) -> Number | None:
    try:
        return parse(uri, value, path="p", on=date(2026, 11, 22))
    except (NotSupported, ValueInvalid):
        return None


@given(uri=st.sampled_from([*ALL_URIS, "", "http://x.example"]), value=numbers)
def test_any_text_is_read_or_refused(uri, value):
    """No other exception; what is read is read again from its normal form; a mask never shows the whole."""
    number = read_or_refused(uri, value)
    if number is not None:
        assert number.normal == normalise(uri, value)
        again = parse(uri, number.normal)
        assert (again.normal, again.birth_date, again.sex) == (number.normal, number.birth_date, number.sex)
    masked = mask(uri, value)
    shown = sum(sign not in "*()" for sign in masked)
    assert masked.count("*") >= shown
    assert mask(uri, normalise(uri, value)) == masked
