"""What is known of persons: their resources as they are, or as they were at an instant."""

from tests.records import group, observation, patient
from tests.stores import ALL, HOUR, NOBODY, START, Record

TYPES = ("Patient", "Observation", "Group")


def known(record: Record, *patients: str, at: int | None = None, most: int = 100, reader=ALL) -> list[str]:
    """Names and versions, newest first."""
    with record.store.view() as view:
        found = view.known(reader, patients, TYPES, most=most, at=at)
    return [f"{each.type}/{each.id} {each.version_id}" for each in found.versions]


def stored(record: Record) -> None:
    """A Patient and an Observation at noon, changed at one, deleted at two; another's beside them."""
    record.put(patient("a"))
    record.put(observation("o", "a", valueString="first"))
    record.put(observation("x", "b"))
    record.clock.jump(HOUR)
    record.put(observation("o", "a", valueString="second"))
    record.clock.jump(HOUR)
    record.delete("Observation/o")
    record.put(observation("p", "a"))


def test_what_is_of_a_person_is_known_as_it_is_newest_first(record: Record):
    stored(record)
    assert known(record, "a") == ["Observation/p 1", "Patient/a 1"]
    assert known(record, "a", "b") == ["Observation/p 1", "Observation/x 1", "Patient/a 1"]
    assert known(record, "nobody") == known(record) == []


def test_it_was_known_as_it_was_at_an_instant(record: Record):
    stored(record)
    assert known(record, "a", at=START - 1) == []
    assert known(record, "a", at=START + HOUR // 2) == ["Observation/o 1", "Patient/a 1"]
    assert known(record, "a", at=START + 3 * HOUR // 2) == ["Observation/o 2", "Patient/a 1"]
    assert known(record, "a", at=START + 3 * HOUR) == ["Observation/p 1", "Patient/a 1"]


def test_what_several_own_is_not_of_one_person(record: Record):
    stored(record)
    record.put(group("g", "a", "b"))
    assert "Group/g 1" not in known(record, "a", "b")


def test_who_sees_nothing_knows_nothing_and_a_label_hides_all_versions(record: Record):
    stored(record)
    assert (
        known(record, "a", reader=NOBODY) == known(record, "a", reader=NOBODY, at=START + 3 * HOUR // 2) == []
    )
    record.label("Observation/o", "secret")
    clinic = ALL.__class__("clinic", persons=True, organisations=True, hidden=frozenset({"secret"}))
    assert known(record, "a", reader=clinic, at=START + 3 * HOUR // 2) == ["Patient/a 1"]


def test_a_scope_holds_for_each_source_patient(record: Record):
    stored(record)
    scope = record.grant(1, "a")
    reader = ALL.__class__("r", scope)
    assert known(record, "a", "b", reader=reader) == known(record, "a")


def test_more_than_was_asked_for_is_said(record: Record):
    stored(record)
    with record.store.view() as view:
        assert view.known(ALL, ["a"], TYPES, most=1).is_cut
        assert not view.known(ALL, ["a"], TYPES, most=2).is_cut
    assert known(record, "a", most=1) == ["Observation/p 1"]
