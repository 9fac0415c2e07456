"""Which identifier systems are vaulted, and the normal form of their values."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.definitions import naming_systems, normal_forms, vaulted_system, vaulted_systems
from kintung.definitions.reader import decode
from kintung.definitions.vaulted import NamingSystems, load_systems
from kintung.errors import ValueInvalid
from tests.shared_data import shared

HKID = "https://kintung.org/fhir/sid/hkid"
PUBLISHED = ("http://hl7.org/fhir/sid/", "urn:oid:2.16.840.")
NOT_IN_HL7_TERMINOLOGY = {"synthea-passport"}


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
        assert rule.normalise(example.written) == example.normal
        assert rule.format.fullmatch(example.normal)


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


def test_numbers_of_the_region_are_vaulted():
    names = {rule.name for rule in vaulted_systems()}
    assert names >= {
        "hkid",
        "hk-birth-certificate",
        "ehr-number",
        "mainland-id",
        "mainland-residence-permit",
        "home-return-permit",
        "exit-entry-permit",
        "macao-bir",
        "passport",
    }


@pytest.mark.parametrize("system", naming_systems(), ids=lambda system: system.id)
def test_definition_says_where_it_comes_from(system):
    assert system.source.strip()
    assert system.label.en.strip()
    assert system.label.zh_hk.strip()
    for uri in (*system.uris, *system.prefixes):
        assumed = uri.startswith("https://kintung.org/")
        assert not assumed or "assumed" in system.source or "this project" in system.source


def test_types_are_codes_of_table_0203():
    with gzip.open(shared("hl7-terminology-r4-7.0.1/CodeSystem.ndjson.gz"), "rt", encoding="utf-8") as lines:
        table = next(found for line in lines if (found := json.loads(line))["id"] == "v2-0203")
    codes = {concept["code"] for concept in table["concept"]}
    assert {system.type for system in naming_systems()} <= codes


def test_published_uris_are_those_hl7_publishes():
    with gzip.open(
        shared("hl7-terminology-r4-7.0.1/NamingSystem.ndjson.gz"), "rt", encoding="utf-8"
    ) as lines:
        systems = [json.loads(line) for line in lines]
    published = {f"urn:oid:{id['value']}" for system in systems for id in system["uniqueId"]}
    published |= {id["value"] for system in systems for id in system["uniqueId"]}
    for system in naming_systems():
        assert {uri for uri in system.uris if uri.startswith(PUBLISHED)} <= published
        for prefix in system.prefixes:
            assert any(uri.startswith(prefix) for uri in published)


@given(value=st.text())
def test_any_text_has_a_normal_form_that_stays(value):
    for rule in vaulted_systems():
        normal = rule.normalise(value)
        assert rule.normalise(normal) == normal
        assert bool(normal) == bool(value)


@given(value=st.text(alphabet="QZ0123456789()- （）ａ", min_size=1))
def test_form_searched_for_without_a_system_is_among_the_normal_forms(value):
    forms = normal_forms(value)
    assert set(forms) == {rule.normalise(value) for rule in vaulted_systems()}


def test_signs_alone_do_not_become_one_value():
    rule = vaulted_system(HKID)
    assert rule is not None
    assert len({rule.normalise(value) for value in ("-", "()", "--", "不詳", "無")}) == 5


def systems(**changes: object) -> list[NamingSystems]:
    system = {
        "id": "a",
        "label": {"en": "A", "zh-HK": "甲"},
        "type": "NI",
        "vaulted": True,
        "start": "2026-11-22",
        "source": "s",
        "uris": ["https://a.example"],
    }
    text = json.dumps({"a.yaml": {"systems": [system | changes]}}).encode()
    return list(decode("naming_systems", text, NamingSystems).values())


@pytest.mark.parametrize(
    "changes",
    [
        {"vault": True},
        {"vaulted": "yes"},
        {"start": "2026-13-01"},
        {"label": {"en": "A"}},
        {"adds": "a star"},
        {"uris": []},
        {"format": "["},
        {"examples": [{"written": "a-1", "normal": "A-1"}]},
    ],
    ids=str,
)
def test_definition_that_is_wrong_does_not_load(changes):
    with pytest.raises(ValueInvalid):
        load_systems(systems(**changes))


def test_uri_of_two_systems_does_not_load():
    load_systems(systems())
    with pytest.raises(ValueInvalid, match="taken"):
        load_systems([*systems(), *systems(id="b")])
