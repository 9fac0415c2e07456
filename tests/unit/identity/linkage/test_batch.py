"""A batch finds what comparing every record with every other finds."""

import random
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kintung.definitions.matching import matching_weights
from kintung.errors import BadInput
from kintung.identity.linkage.batch import Batch
from kintung.identity.matching import Result, blocking_keys, clusters, match, record
from kintung.identity.matching.weights import weights, weights_of
from kintung.synth import appearances, people, seeded
from tests.patients import name, number, patient
from tests.scale import counts

SECRET = bytes(32)


def made(count: int) -> list[dict[str, Any]]:
    """Synthetic Patients, three of each of a few people, and very corrupted."""
    chance = seeded("appearances of 7")
    return [each.patient for person in people(7, count) for each in appearances(person, chance, rates=4.0)]


def lines(patients: list[dict[str, Any]]) -> list[bytes]:
    return [msgspec.json.encode(each) for each in patients]


def run(folder: Path, source: list[bytes], **options: Any) -> Batch:
    folder.mkdir()
    batch = Batch(folder, SECRET, processes=1, **options)
    batch.run(source)
    return batch


@pytest.mark.parametrize("verified", ["both", "borne-out", "one"])
def test_a_batch_finds_what_the_nested_loop_finds(tmp_path: Path, verified: str) -> None:
    used = msgspec.structs.replace(matching_weights(), verified=verified)
    patients = made(counts(40, 400))
    for each in patients[::4]:
        for identifier in each["identifier"]:
            identifier.pop("extension", None)  # nobody saw these
    records = [record(each) for each in patients]
    results = {
        frozenset((a.id, b.id)): match(a, b, weights_of(used))
        for a, b in combinations(records, 2)
        if not blocking_keys(a).isdisjoint(blocking_keys(b))
    }
    certain = {pair for pair, found in results.items() if found.result is Result.CERTAIN}
    persons = clusters((min(pair), max(pair)) for pair in certain)

    batch = run(tmp_path / "one", lines(patients), weights=used)
    links = {frozenset((link.one, link.other)): link for link in batch.links()}
    assert {pair for pair, link in links.items() if link.is_certain} == certain
    assert certain
    for pair, link in links.items():
        assert link.score == pytest.approx(results[pair].score)
        assert link.levels == results[pair].levels
    asked = {
        frozenset(persons.get(id, id) for id in pair)
        for pair, found in results.items()
        if found.result is Result.PROBABLE and (found.score >= weights().queue or found.levels[0] == "same")
    }
    queued = {
        frozenset(persons.get(id, id) for id in pair) for pair, link in links.items() if not link.is_certain
    }
    assert queued == {pair for pair in asked if len(pair) == 2}
    assert queued
    assert {id: person for person, ids in batch.persons() for id in ids} == persons
    batch.close()


def test_the_order_of_records_changes_nothing(tmp_path: Path) -> None:
    source = lines(made(20))
    batches = [
        run(tmp_path / "straight", source),
        run(tmp_path / "turned", random.Random(3).sample(source, len(source))),
    ]
    straight, turned = ((list(each.links()), list(each.persons())) for each in batches)
    assert straight == turned


def test_several_processes_find_the_same(tmp_path: Path) -> None:
    source = lines(made(5))
    one, two = run(tmp_path / "one", source), Batch(tmp_path, SECRET, processes=2)
    two.run(source)
    assert list(one.links()) == list(two.links())


def test_no_number_lies_in_the_folder(tmp_path: Path) -> None:
    holder = patient("a", name("陳", "大文"), identifier=[number("hkid", "A123456(3)")])
    run(tmp_path / "x", lines([holder, holder | {"id": "b"}])).close()
    for file in (tmp_path / "x").iterdir():
        assert b"A1234563" not in file.read_bytes()


def test_since_an_instant_only_what_is_new_is_compared_by_name(tmp_path: Path) -> None:
    old, new = (
        {"meta": {"lastUpdated": "2026-01-01T00:00:00Z"}},
        {"meta": {"lastUpdated": "2026-02-02T00:00:00Z"}},
    )
    contact = {
        "telecom": [{"system": "phone", "value": "91234567"}],
        "address": [{"line": ["Flat A"], "district": "Sha Tin"}],
    }
    twins = [patient(each, name("冼", "大文"), **contact) for each in "abc"]
    source = lines([twins[0] | old, twins[1] | old, twins[2] | new])
    pairs = [
        {(link.one, link.other) for link in run(tmp_path / str(index), source, since=since).links()}
        for index, since in enumerate(("", "2026-01-15T08:00:00+08:00", "2026-03-01T00:00:00Z"))
    ]
    assert pairs == [{("a", "b"), ("a", "c"), ("b", "c")}, {("a", "c"), ("b", "c")}, set()]


def test_other_resources_among_the_patients_change_nothing(tmp_path: Path) -> None:
    source = lines(made(3))
    among = [each for line in source for each in (b'{"resourceType":"Group","id":"g"}', line)]
    alone, mixed = run(tmp_path / "alone", source), run(tmp_path / "mixed", among)
    assert list(alone.links()) == list(mixed.links())
    assert list(alone.persons()) == list(mixed.persons())


def test_what_is_no_patient_is_passed_over_and_an_id_twice_is_refused(tmp_path: Path) -> None:
    batch = Batch(tmp_path, SECRET, processes=1)
    found = batch.run([b"{", b"[]", b'{"resourceType":"Group","id":"g"}', *lines([patient("a")])])
    assert (found.records, found.refused) == (1, 1)
    with pytest.raises(BadInput, match="1 records have an id"):
        run(tmp_path / "twice", lines([patient("a"), patient("a")]))
