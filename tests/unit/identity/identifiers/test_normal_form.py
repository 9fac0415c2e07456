"""Which identifier systems are vaulted, and the normal form of their values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.definitions import naming_systems
from kintung.identity.identifiers import VAULTED, normalise, vaulted_system, vaulted_systems

HKID = "https://kintung.org/fhir/sid/hkid"


@pytest.mark.parametrize(
    ("system", "example"),
    [(system, example) for system in naming_systems() for example in system.examples],
    ids=lambda value: getattr(value, "id", None) or value.written,
)
def test_every_way_to_write_a_number_has_its_normal_form(system, example):
    for uri in (*system.uris, *(f"{prefix}XXX" for prefix in system.prefixes)):
        rule = vaulted_system(uri)
        assert rule is not None
        assert rule.uri == uri
        assert rule.normalise(example.written) == normalise(uri, example.written) == example.normal
        assert rule.format.fullmatch(example.normal)


def test_brackets_capitals_and_width_make_no_other_number():
    assert (
        normalise(HKID, "A123456(3)")
        == normalise(HKID, "a1234563")
        == normalise(HKID, "Ａ１２３４５６（３）")
    )


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://kintung.org/fhir/sid/hkid/",
        "https://kintung.org/fhir/sid/sample-patient",
        "http://hl7.org/fhir/sid/us-npi",
        "http://hl7.org/fhir/sid/passport",
        "http://hospital.smarthealthit.org",
    ],
)
def test_other_systems_are_not_vaulted(uri):
    assert vaulted_system(uri) is None
    assert normalise(uri, "a-1") == "a-1"


def test_numbers_of_the_region_are_vaulted():
    names = {rule.name for rule in vaulted_systems()}
    assert names >= {
        "hkid",
        "hk-birth-certificate",
        "hk-certificate-of-exemption",
        "ehr-number",
        "mainland-id",
        "mainland-residence-permit",
        "home-return-permit",
        "exit-entry-permit",
        "macao-bir",
        "passport",
    }


@given(value=st.text())
def test_any_text_has_a_normal_form_that_stays(value):
    for rule in vaulted_systems():
        normal = rule.normalise(value)
        assert rule.normalise(normal) == normal
        assert bool(normal) == bool(value)


@given(value=st.text(alphabet="QZ0123456789()- （）ａ", min_size=1))
def test_form_searched_for_without_a_system_is_among_the_normal_forms(value):
    forms = VAULTED.normal_forms(value)
    assert set(forms) == {rule.normalise(value) for rule in vaulted_systems()}


def test_signs_alone_do_not_become_one_value():
    assert len({normalise(HKID, value) for value in ("-", "()", "--", "不詳", "無")}) == 5
