"""Systems of identifiers: where each comes from, and definitions that are refused."""

import gzip
import json

import pytest

from kintung.definitions import naming_systems
from kintung.definitions.naming import NamingSystems, load_systems
from kintung.definitions.reader import decode
from kintung.errors import ValueInvalid
from kintung.identity.identifiers.normal_form import require_examples
from tests.shared_data import shared

PUBLISHED = ("http://hl7.org/fhir/sid/", "urn:oid:2.16.840.")


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
        require_examples(load_systems(systems(**changes)))


def test_uri_of_two_systems_does_not_load():
    load_systems(systems())
    with pytest.raises(ValueInvalid, match="taken"):
        load_systems([*systems(), *systems(id="b")])
