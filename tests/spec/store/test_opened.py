"""Whose records an actor opened lately, by what the audit says."""

from itertools import pairwise

import pytest

from kintung.store.links import LinkChange, LinkKind
from kintung.store.port import Unit
from kintung.store.reader import Reader
from kintung.store.writes import AuditRecord, Prepared
from tests.records import patient
from tests.stores import ALL, HOUR, NOBODY, START, SYSTEM, Record

DOCTOR, CLINIC = "doctor", "clinic"


def key(record: Record, id: str) -> int:
    return record.read(f"Patient/{id}").patient_keys[0]


def audited(record: Record, id: str, actor: str = DOCTOR, organisation: str = CLINIC) -> AuditRecord:
    """A page of the record of a Patient was shown."""
    who, number = (actor, organisation), key(record, id)
    return AuditRecord(*who, "", "record", "GET /record", 200, "", (number,), opened=number)


def open_(record: Record, *ids: str, actor: str = DOCTOR, organisation: str = CLINIC) -> None:
    """Each on its own, an hour after the one before."""
    for id in ids:
        record.store.record(audited(record, id, actor, organisation)).result()
        record.clock.jump(HOUR)


def opened(
    record: Record, reader: Reader = ALL, *, actor: str = DOCTOR, organisation: str = CLINIC, most: int = 8
) -> list[str]:
    with record.store.view() as view:
        return [each.patient.id for each in view.opened(reader, actor, organisation, most)]


def link(record: Record, one: str, other: str, kind: LinkKind) -> None:
    change = LinkChange(one, other, kind, "rule", "", 900)
    record.store.commit(Unit(ALL, lambda _: Prepared(links=(change,))))


@pytest.fixture(autouse=True)
def _people(record: Record) -> None:
    for id in "abcd":
        record.put(patient(id))


def test_the_last_opened_comes_first_and_each_once(record: Record) -> None:
    assert opened(record) == []
    open_(record, "a", "b", "c", "a")
    assert opened(record) == ["a", "c", "b"]
    assert opened(record, most=2) == ["a", "c"]
    assert opened(record, most=1) == ["a"]


def test_when_it_was_opened_is_told_with_the_patient_as_it_is_now(record: Record) -> None:
    open_(record, "a", "b", "a")
    record.put(patient("a", "Wong"))
    with record.store.view() as view:
        (first, second) = view.opened(ALL, DOCTOR, CLINIC, 8)
    assert (first.patient.version_id, second.patient.version_id) == (2, 1)
    assert first.patient == record.read("Patient/a")
    assert [(each.at - START) // HOUR for each in (first, second)] == [2, 1]


def test_records_of_one_commit_are_told_apart(record: Record) -> None:
    record.store.record(*(audited(record, id) for id in "abca")).result()
    assert opened(record) == ["a", "c", "b"]


def test_they_are_those_of_one_actor_that_asks_for_one_organisation(record: Record) -> None:
    open_(record, "a")
    open_(record, "b", actor="nurse")
    open_(record, "c", organisation="ward")
    open_(record, "d", organisation="")
    assert opened(record) == ["a"]
    assert opened(record, actor="nurse") == ["b"]
    assert opened(record, organisation="ward") == ["c"]
    assert opened(record, organisation="") == ["d"]
    assert opened(record, actor="nobody") == opened(record, organisation="elsewhere") == []


def test_who_has_no_name_opened_nothing(record: Record) -> None:
    open_(record, "a", actor="")
    assert opened(record, actor="") == []


def test_what_is_shown_by_a_search_is_not_opened(record: Record) -> None:
    number = key(record, "a")
    record.store.record(
        AuditRecord(DOCTOR, CLINIC, "", "find", "", 200, "", (number,), about=number)
    ).result()
    assert opened(record) == []


def test_several_records_of_one_person_are_one(record: Record) -> None:
    open_(record, "a", "c", "b")
    link(record, "a", "b", LinkKind.CERTAIN)
    assert opened(record) == ["b", "c"]
    open_(record, "a")
    assert opened(record) == ["a", "c"]
    link(record, "a", "b", LinkKind.NOTHING)
    assert opened(record) == ["a", "b", "c"]


def test_many_records_of_one_person_leave_room_for_others(record: Record) -> None:
    ids = [f"p{n}" for n in range(12)]
    for id in ids:
        record.put(patient(id))
    open_(record, "a", "b", *ids)
    for one, other in pairwise(ids):
        link(record, one, other, LinkKind.CERTAIN)
    assert opened(record, most=2) == ["p11", "b"]
    assert opened(record, most=3) == ["p11", "b", "a"]


def test_only_what_the_reader_sees_now_is_told(record: Record) -> None:
    open_(record, "a", "b", "c", "d")
    assert opened(record, NOBODY) == []
    assert opened(record, Reader("few", record.grant(1, "a", "c"))) == ["c", "a"]
    assert opened(record, Reader("few", record.grant(1, remove=["c"]))) == ["a"]
    record.label("Patient/d", "secret")
    record.delete("Patient/b")
    clinic = Reader("clinic", persons=True, hidden=frozenset({"secret"}))
    assert opened(record, clinic) == ["c", "a"]
    assert opened(record, clinic, most=1) == ["c"]


def test_of_one_person_another_record_stands_for_one_out_of_sight(record: Record) -> None:
    open_(record, "a", "b")
    link(record, "a", "b", LinkKind.CERTAIN)
    record.label("Patient/b", "secret")
    clinic = Reader("clinic", persons=True, hidden=frozenset({"secret"}))
    assert (opened(record), opened(record, clinic)) == (["b"], ["a"])


def test_the_record_is_sound_with_it(record: Record) -> None:
    open_(record, "a", "b", "a")
    open_(record, "a", organisation="")
    assert list(record.store.check(SYSTEM)) == []
