"""A node is linked again and again: a run takes what was written since the last, and loses nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kintung.app import judge
from kintung.identity.linkage.batch import Batch
from kintung.identity.linkage.following import tell, unlinked
from kintung.identity.matching import clusters
from kintung.store.links import LinkKind
from kintung.synth import appearances, people, seeded
from tests.stores import ALL, SYSTEM, Record

Pairs = set[frozenset[str]]


def made(count: int) -> list[dict[str, Any]]:
    """Synthetic Patients of very corrupted records, those of one person far from each other."""
    chance = seeded("appearances of 7")
    each = [[a.patient for a in appearances(person, chance, rates=4.0)] for person in people(7, count)]
    return [patient for turn in zip(*each, strict=True) for patient in turn]


def link(
    record: Record,
    folder: Path,
    *,
    said: Callable[[int], object] = lambda _: None,
    meanwhile: Callable[[], object] = lambda: None,
) -> int:
    """One run; ``meanwhile`` is called when it has begun."""
    stretch = unlinked(record.store, SYSTEM)
    meanwhile()
    folder.mkdir()
    batch = Batch(folder, bytes(32), new=stretch.patients, processes=1)
    batch.run(version.body for version in record.store.export(SYSTEM, ("Patient",)))
    try:
        return tell(record.store, SYSTEM, stretch, batch, judge, said=said)
    finally:
        batch.close()


def known(record: Record, patients: list[dict[str, Any]]) -> tuple[dict[str, str], Pairs]:
    """The persons, and which two of them a steward is asked about."""
    with record.store.view() as view:
        links = {each for patient in patients for each in view.links_of(ALL, patient["id"])}
    persons = clusters((each.one, each.other) for each in links if each.found is LinkKind.CERTAIN)
    asked = [each for each in links if each.found is LinkKind.PROBABLE]
    pairs = {frozenset(persons.get(id, id) for id in (each.one, each.other)) for each in asked}
    return persons, {pair for pair in pairs if len(pair) == 2}


def in_one_run(patients: list[dict[str, Any]], folder: Path) -> tuple[dict[str, str], Pairs]:
    folder.mkdir()
    batch = Batch(folder, bytes(32), processes=1)
    batch.run(map(msgspec.json.encode, patients))
    links = list(batch.links())
    batch.close()
    persons = clusters((each.one, each.other) for each in links if each.is_certain)
    asked = [(each.one, each.other) for each in links if not each.is_certain]
    return persons, {frozenset(persons.get(id, id) for id in pair) for pair in asked}


def test_several_runs_find_what_one_finds(record: Record, tmp_path: Path) -> None:
    patients = made(25)
    whole = in_one_run(patients, tmp_path / "whole")
    for turn in range(3):
        for patient in patients[turn * 25 : (turn + 1) * 25]:
            record.put(patient)
        link(record, tmp_path / str(turn))
    assert known(record, patients) == whole
    assert all(whole)
    assert unlinked(record.store, SYSTEM).patients == frozenset()


def test_a_run_that_is_cut_off_is_done_again_and_says_nothing_twice(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kintung.identity.linkage.registering.PAIRS", 4)
    patients = made(12)
    for patient in patients:
        record.put(patient)

    def cut_off(_changed: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        link(record, tmp_path / "cut", said=cut_off)
    whole = in_one_run(patients, tmp_path / "whole")
    assert known(record, patients) != whole
    record.put(patients[0])
    assert unlinked(record.store, SYSTEM).patients is None

    left = link(record, tmp_path / "again")
    assert known(record, patients) == whole
    with record.store.view() as view:
        links = {each for patient in patients for each in view.links_of(ALL, patient["id"])}
    assert len(links) == left + 4
    assert {each.version for each in links} == {1}


def test_what_is_written_while_a_run_goes_on_is_the_next_ones(record: Record, tmp_path: Path) -> None:
    patients = made(12)
    for patient in patients[:30]:
        record.put(patient)

    def write() -> None:
        for patient in patients[30:]:
            record.put(patient)

    link(record, tmp_path / "first", meanwhile=write)
    late = {patient["id"] for patient in patients[30:]}
    assert unlinked(record.store, SYSTEM).patients == late
    link(record, tmp_path / "second")
    assert known(record, patients) == in_one_run(patients, tmp_path / "whole")
    assert unlinked(record.store, SYSTEM).patients == frozenset()


def test_a_run_compares_by_name_only_with_what_is_new(record: Record, tmp_path: Path) -> None:
    patients = made(12)
    for patient in patients:
        record.put(patient)
    link(record, tmp_path / "first")
    record.put(patients[0])
    stretch = unlinked(record.store, SYSTEM)
    batch = Batch(tmp_path, bytes(32), new=stretch.patients, processes=1)
    batch.run(map(msgspec.json.encode, patients))
    persons = clusters((each.one, each.other) for each in batch.links() if each.is_certain)
    of_the_new = {id for id in persons if persons[id] == persons.get(patients[0]["id"])}
    for each in batch.links(new=True):
        assert {each.one, each.other} & {patients[0]["id"], *of_the_new}
    batch.close()
