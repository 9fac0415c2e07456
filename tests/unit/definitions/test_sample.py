"""The sample the package ships: made from a seed, valid, and plainly nobody's."""

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from kintung.definitions import owners
from kintung.fhir.json import parse
from kintung.fhir.structure import validate
from kintung.identity import identifiers
from kintung.identity.identifiers import vaulted_system
from kintung.sample import HTEST, HTEST_SYSTEM, sample_bundles
from scripts.make_sample import SEED, text

LINES = gzip.decompress(sample_bundles().read_bytes()).splitlines()
BUNDLES = [parse(line) for line in LINES]
RESOURCES = [entry["resource"] for bundle in BUNDLES for entry in bundle["entry"]]
IDENTIFIERS = [
    number
    for resource in RESOURCES
    if resource["resourceType"] in ("Patient", "Organization", "Practitioner")
    for number in resource["identifier"]
]
NOT_ISSUED = {
    "hkid": r"QZ[0-9]{6}[0-9A]",
    "hk-birth-certificate": r"QZ[0-9]{6}[0-9A]",
    "hk-ehr-number": r"SYN[0-9]{9}",
    "home-return-permit": r"[HM]99[0-9]{6}",
    "mainland-id": r"9999[0-9]{13}[0-9X]",
    "mainland-residence-permit": r"810000[0-9]{8}9[0-9]{2}[0-9X]",
    "exit-entry-permit": r"CZ[0-9]{7}",
    "macao-bir": r"19[0-9]{6}",
    "passport-PHL": r"ZZ9[0-9]{6}",
}
"""Formats of identity numbers that stand for nobody, by the last part of their system."""


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(literal := node.get("reference"), str):
            yield literal
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def test_seed_gives_the_packaged_text():
    assert b"\n".join([*LINES, b""]) == text(SEED), "run scripts/make_sample.py"
    assert text(SEED) != text(SEED + 1)


def test_there_is_enough_of_it():
    counts = Counter(resource["resourceType"] for resource in RESOURCES)
    assert 1_500 <= counts.total() <= 2_000
    assert 280 <= counts["Patient"] <= 350
    assert counts.total() - counts["Patient"] >= 1_400
    assert len(counts) >= 30


@pytest.mark.parametrize("bundle", BUNDLES, ids=range(len(BUNDLES)))
def test_bundle_and_all_in_it_are_valid(bundle):
    assert validate(bundle) == []
    assert [issue for entry in bundle["entry"] for issue in validate(entry["resource"])] == []


def test_everything_is_marked_as_test_data():
    for resource in RESOURCES:
        tags = {(tag["system"], tag["code"]) for tag in resource["meta"]["tag"]}
        assert (HTEST_SYSTEM, HTEST) in tags
        if resource["resourceType"] == "Organization":
            assert resource["name"].startswith("Synthetic")


def test_identity_numbers_are_none_that_is_issued():
    vaulted = [number for number in IDENTIFIERS if vaulted_system(number["system"])]
    for number in vaulted:
        name = number["system"].rpartition("/")[2]
        assert re.fullmatch(NOT_ISSUED[name], identifiers.normalise(number["system"], number["value"])), name
    kinds = {number["system"].rpartition("/")[2] for number in vaulted}
    assert kinds >= {"hkid", "hk-birth-certificate", "home-return-permit", "mainland-id", "macao-bir"}


def test_check_digits_are_right_but_where_one_is_mistyped():
    checked = [
        identifiers.is_valid(number["system"], number["value"])
        for number in IDENTIFIERS
        if vaulted_system(number["system"])
    ]
    assert len(checked) > 300
    assert checked.count(False) <= 5


def test_people_are_known_to_several_systems_by_the_same_number():
    known: dict[str, set[str]] = {}
    for resource in RESOURCES:
        for number in resource["identifier"] if resource["resourceType"] == "Patient" else ():
            if vaulted_system(number["system"]):
                normal = identifiers.normalise(number["system"], number["value"])
                known.setdefault(normal, set()).add(resource["managingOrganization"]["reference"])
    assert sum(len(there) > 1 for there in known.values()) >= 50


def test_people_are_known_in_several_scripts():
    sources = Counter(
        extension["valueCode"]
        for resource in RESOURCES
        if resource["resourceType"] == "Patient"
        for name in resource["name"]
        for extension in name["extension"]
        if extension["url"].endswith("name-source")
    )
    assert min(sources[source] for source in ("HKIC", "HRP", "BIR", "MID")) >= 5


def test_every_reference_leads_to_something_in_the_sample():
    created = {
        f"{resource['resourceType']}?identifier={number['system']}|{number['value']}"
        for resource in RESOURCES
        for number in resource.get("identifier", [])
    }
    for bundle in BUNDLES:
        own = {entry["fullUrl"] for entry in bundle["entry"]}
        assert len(own) == len(bundle["entry"])
        for literal in references(bundle):
            assert literal in own or literal in created


def test_what_is_shared_is_created_once():
    for bundle in BUNDLES:
        for entry in bundle["entry"]:
            once = entry["resource"]["resourceType"] in ("Organization", "Practitioner")
            assert once == ("ifNoneExist" in entry["request"])


def test_every_kind_of_ownership_is_there():
    """References are resolved as a store would: each urn and each condition to an id."""
    kinds: Counter[str] = Counter()
    for bundle in BUNDLES:
        known = {
            entry["fullUrl"]: f"{entry['resource']['resourceType']}/{n}"
            for n, entry in enumerate(bundle["entry"])
        }
        for entry in bundle["entry"]:
            kinds[owners(_resolved(entry["resource"], known), "new").kind] += 1
    assert kinds["person"] > 1_000
    assert min(kinds[kind] for kind in ("several", "derived", "organisation", "public")) >= 3


def _resolved(node: Any, known: dict[str, str]) -> Any:
    if isinstance(node, list):
        return [_resolved(item, known) for item in node]
    if not isinstance(node, dict):
        return node
    literal = node.get("reference")
    if isinstance(literal, str):
        type, _, search = literal.partition("?identifier=")
        return node | {"reference": known.get(literal) or f"{type}/{search.rpartition('|')[2]}"}
    return {name: _resolved(value, known) for name, value in node.items()}
