"""What parts of the node read: the log, the export, jobs, audit, and the proof that all is sound."""

import pytest

from kintung.store.port import Unit
from kintung.store.versions import LogEntry, Method, OwnerKind, Ownership
from kintung.store.writes import AuditRecord, Job, Prepared
from tests.records import group, observation, organization, patient
from tests.stores import ALL, HOUR, SECOND, START, SYSTEM, Record, together

AUDIT = AuditRecord("dr-lee", "a", "TREAT", "read", "GET /fhir/Patient/1", 200, "grant-1")


# -- the log ----------------------------------------------------------------------------


def test_the_log_tells_every_change_in_order(record: Record):
    record.put(patient("1"))
    record.label("Patient/1", "R", "S")
    record.put(patient("1", "Wong"))
    record.delete("Patient/1")

    entries = record.store.follow(SYSTEM, 0)

    assert [(entry.method, entry.version_id, entry.labels) for entry in entries] == [
        (Method.CREATE, 1, frozenset()),
        (Method.LABEL, 1, frozenset("RS")),
        (Method.UPDATE, 2, frozenset("RS")),
        (Method.DELETE, 3, frozenset("RS")),
    ]
    assert [bool(entry.body) for entry in entries] == [True, False, True, False]
    with record.store.view() as view:
        assert entries[2].body == view.vread(ALL, "Patient", "1", 2).body
    assert {(entry.type, entry.id) for entry in entries} == {("Patient", "1")}


def test_the_log_says_whose_each_version_is(record: Record):
    record.put(group("1", "2", "1"), organisation="a")
    record.put(group("1", "1"))
    record.put(observation("1", of=None), organisation="b")
    record.delete("Observation/1")
    record.put(organization("1"))

    assert [entry.ownership for entry in record.store.follow(SYSTEM, 0)] == [
        Ownership(OwnerKind.SEVERAL, ("1", "2"), "a"),
        Ownership(OwnerKind.SEVERAL, ("1",), "a"),
        Ownership(OwnerKind.ORGANISATION, (), "b"),
        Ownership(OwnerKind.ORGANISATION, (), "b"),
        Ownership(OwnerKind.PUBLIC),
    ]


def test_a_follower_finds_where_it_was_and_never_goes_back(record: Record):
    store = record.store
    assert store.reached(SYSTEM, "linkage") == 0
    store.reach(SYSTEM, "linkage", 7)
    store.reach(SYSTEM, "another", 2)
    store.reach(SYSTEM, "linkage", 5)
    assert (store.reached(SYSTEM, "linkage"), store.reached(SYSTEM, "another")) == (7, 2)


def test_the_log_is_followed_from_a_place_and_in_pieces(record: Record):
    for number in range(5):
        record.put(patient(str(number)))
    whole = record.store.follow(SYSTEM, 0)

    assert record.store.follow(SYSTEM, whole[1].sequence) == whole[2:]
    assert record.store.follow(SYSTEM, whole[1].sequence, limit=2) == whole[2:4]
    assert record.store.follow(SYSTEM, whole[-1].sequence) == ()


def test_a_follower_misses_nothing_while_others_write(record: Record):
    writers, each = 6, 15

    def write(writer: int) -> None:
        for number in range(each):
            record.put(patient(f"{writer}-{number}"))

    def follow() -> list[LogEntry]:
        seen: list[LogEntry] = []
        while len(seen) < writers * each:
            seen += record.store.follow(SYSTEM, seen[-1].sequence if seen else 0, limit=7)
        return seen

    *_, seen = together(*(lambda writer=writer: write(writer) for writer in range(writers)), follow)

    assert tuple(seen) == record.store.follow(SYSTEM, 0)
    assert len({entry.id for entry in seen}) == writers * each
    sequences = [entry.sequence for entry in seen]
    assert sequences == sorted(set(sequences))


# -- the export -------------------------------------------------------------------------


def test_the_export_has_every_current_resource_as_it_is_read(record: Record):
    record.put(patient("1"))
    record.put(patient("1", "Wong"))
    record.put(patient("2"))
    record.delete("Patient/2")
    record.put(group("1", "1", "2"))
    record.put(organization("1"))
    record.label("Group/1", "R")

    exported = {f"{version.type}/{version.id}": version for version in record.store.export(SYSTEM)}

    assert set(exported) == {"Patient/1", "Group/1", "Organization/1"}
    assert all(version == record.read(name) for name, version in exported.items())
    of_types = record.store.export(SYSTEM, ["Group", "Organization", "Task"])
    assert sorted(version.type for version in of_types) == ["Group", "Organization"]


def test_what_is_written_during_an_export_comes_once(record: Record):
    record.commit(*(record.putting(patient(str(n))) for n in range(600)))
    export = record.store.export(SYSTEM, ["Patient"])
    first = next(export)
    record.put(patient(first.id, "Wong"))
    record.put(patient("599", "Wong"))

    later = [version.id for version in export]

    assert sorted([first.id, *later], key=int) == [str(n) for n in range(600)]


def test_an_export_of_many_has_each_once(record: Record):
    record.commit(*(record.putting(patient(str(number))) for number in range(1200)))

    assert sorted(int(version.id) for version in record.store.export(SYSTEM)) == list(range(1200))


# -- jobs -------------------------------------------------------------------------------


def test_a_job_is_claimed_when_it_is_due_and_only_once(record: Record):
    record.queue(Job("send", b"later", START + 2 * HOUR), Job("send", b"sooner", START + HOUR))
    assert record.store.claim(SYSTEM, "send", SECOND) is None

    record.clock.jump(3 * HOUR)

    first, second = (record.store.claim(SYSTEM, "send", HOUR) for _ in range(2))
    assert first is not None
    assert second is not None
    assert (first.kind, first.payload, first.attempts) == ("send", b"sooner", 1)
    assert second.payload == b"later"
    assert record.store.claim(SYSTEM, "send", HOUR) is None


def test_a_job_whose_lease_ran_out_is_claimed_again(record: Record):
    record.queue(Job("send", b"x", START))
    first = record.store.claim(SYSTEM, "send", HOUR)
    assert first is not None
    record.clock.jump(HOUR + SECOND)

    again = record.store.claim(SYSTEM, "send", HOUR)

    assert again == first._replace(attempts=2)


def test_a_finished_job_is_over(record: Record):
    record.queue(Job("send", b"x", START))
    claimed = record.store.claim(SYSTEM, "send", HOUR)
    assert claimed is not None

    record.store.finish(SYSTEM, claimed.number)
    record.store.finish(SYSTEM, claimed.number)

    record.clock.jump(10 * HOUR)
    assert record.store.claim(SYSTEM, "send", HOUR) is None


def test_the_bell_rings_when_a_job_was_queued(record: Record):
    assert record.store.jobs_queued.wait(0, seconds=0) == 0

    record.put(patient("1"))
    assert record.store.jobs_queued.wait(0, seconds=0) == 0
    record.queue(Job("send", b"x", START))

    assert record.store.jobs_queued.wait(0, seconds=30) == 1


def test_kinds_of_jobs_are_apart(record: Record):
    record.queue(Job("send", b"x", START), Job("print", b"y", START))

    claimed = record.store.claim(SYSTEM, "print", HOUR)

    assert claimed is not None
    assert claimed.payload == b"y"
    assert record.store.claim(SYSTEM, "other", HOUR) is None


def test_a_number_is_never_given_to_another_job(record: Record):
    """Else who finishes late, after its lease ran out, would finish another's job."""
    record.queue(Job("send", b"x", START))
    first = record.store.claim(SYSTEM, "send", HOUR)
    assert first is not None
    record.store.finish(SYSTEM, first.number)

    record.queue(Job("send", b"y", START))

    second = record.store.claim(SYSTEM, "send", HOUR)
    assert second is not None
    assert second.number != first.number


def test_of_racing_workers_each_job_has_one(record: Record):
    record.queue(*(Job("send", str(number).encode(), START) for number in range(8)))

    claimed = together(*[lambda: record.store.claim(SYSTEM, "send", HOUR)] * 10)

    numbers = [claim.number for claim in claimed if claim is not None]
    assert len(numbers) == len(set(numbers)) == 8


# -- audit and proof --------------------------------------------------------------------


def test_an_audit_record_is_no_entry_of_the_log(record: Record):
    done = record.put(patient("1"))
    keys = record.read("Patient/1").patient_keys

    record.store.record(AUDIT).result(30)
    record.store.commit(Unit(ALL, lambda _: Prepared(audit=AUDIT)))
    record.store.record(AuditRecord("x", "", "", "", "", 200, patient_keys=keys)).result(30)

    assert [entry.at for entry in record.store.follow(SYSTEM, 0)] == [done.at]


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_store_proves_itself_sound(record: Record, jump: int):
    record.put(
        patient("1", identifier=[{"system": "https://kintung.org/fhir/sid/hkid", "value": "A123456(3)"}])
    )
    record.put(observation("1", of="1", valueQuantity={"value": 60.50, "unit": "kg"}))
    record.clock.jump(jump)
    record.store.record(AUDIT).result(30)
    record.put(group("1", "1", "2"))
    record.put(group("1", "3"))
    record.put(patient("1", "Wong"))
    record.label("Patient/1", "R")
    record.delete("Observation/1")
    record.grant(1, "1")
    record.queue(Job("send", b"", 0))
    record.commit(record.putting(organization("1")), record.putting(patient("4")))

    assert list(record.store.check(SYSTEM)) == []
