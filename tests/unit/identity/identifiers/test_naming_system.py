"""Every naming system is a valid NamingSystem, and says whether its values are vaulted."""

import re

import pytest

from kintung.definitions import naming_systems
from kintung.fhir.structure import validate
from kintung.identity.identifiers import naming_system_resources, vaulted_system
from kintung.identity.identifiers.naming_system import VAULTED

SYSTEMS = {system.id: system for system in naming_systems()}


@pytest.mark.parametrize("resource", naming_system_resources(), ids=lambda resource: resource["id"])
def test_resource_is_valid_and_says_what_the_definition_does(resource):
    system = SYSTEMS[resource["id"]]
    assert validate(resource) == []
    assert re.fullmatch(r"[A-Z]\w{0,254}", resource["name"]), "invariant nsd-0"
    assert sum(unique.get("preferred", False) for unique in resource["uniqueId"]) <= 1, "invariant nsd-2"
    assert resource["extension"] == [{"url": VAULTED, "valueBoolean": system.vaulted}]
    assert system.label.zh_hk in resource["description"]
    named = {
        f"urn:oid:{unique['value']}" if unique["type"] == "oid" else unique["value"]
        for unique in resource["uniqueId"]
    }
    assert named == {*system.uris, *system.prefixes}
    assert all((vaulted_system(uri) is not None) == system.vaulted for uri in system.uris)


def test_there_is_one_for_each():
    assert [resource["id"] for resource in naming_system_resources()] == list(SYSTEMS)
