"""The one write: what a unit may rely on, what refuses it, and what is left when it fails."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kintung.errors import (
    Conflict,
    Duplicate,
    KintungError,
    NotFound,
    RuleFailed,
    TimedOut,
    Unavailable,
    VersionConflict,
)
from kintung.fhir.search import parse_query
from kintung.store.port import Read, Rehearsal, Unit, View
from kintung.store.reader import Reader
from kintung.store.sql import commit
from kintung.store.sql.store import SqlStore
from kintung.store.sql.view import SqlView
from kintung.store.units import Recorder
from kintung.store.writes import (
    MOST_LABELS,
    AuditRecord,
    Done,
    Grant,
    Idempotency,
    Job,
    Outcome,
    Prepared,
    Receipt,
    Relabel,
    Write,
)
from tests.records import group, observation, patient
from tests.scale import counts
from tests.stores import ALL, DAY, HOUR, NOBODY, SECOND, SYSTEM, Record, content, opened, together

DIGEST, OTHER = b"d" * 32, b"o" * 32
AUDIT = AuditRecord("dr-lee", "a", "TREAT", "create", "POST /fhir/Patient", 201)


def whole_log(record: Record) -> list[str]:
    entries = record.store.follow(SYSTEM, 0)
    return [f"{entry.type}/{entry.id}/{entry.version_id}" for entry in entries]


# -- the receipt ------------------------------------------------------------------------


def test_the_receipt_says_what_each_entry_came_to(record: Record):
    record.put(patient("1"))

    def prepare(view: View) -> Prepared:
        writes = (record.putting(patient("1", "Wong"))(view), record.putting(observation("2", of="1"))(view))
        matched = Outcome(200, "Patient", "1", 1)
        return Prepared(writes, (Outcome(201, write=1), matched, Outcome(200, write=0)))

    receipt = record.store.commit(Unit(ALL, prepare))

    assert receipt.done == (
        Done(201, "Observation", "2", 1, receipt.at),
        Done(200, "Patient", "1", 1, 0),
        Done(200, "Patient", "1", 2, receipt.at),
    )
    assert not receipt.replayed
    assert record.read("Patient/1").at == receipt.at


def test_the_receipt_covers_all_the_unit_did(record: Record):
    relabel = Relabel("Patient", "1", frozenset("R"))

    def prepare(view: View) -> Prepared:
        return Prepared((record.putting(patient("1"))(view),), relabels=(relabel,))

    receipt = record.store.commit(Unit(ALL, prepare))

    assert len(record.store.follow(SYSTEM, 0)) == 2
    assert record.store.follow(SYSTEM, receipt.sequence) == ()


def test_a_unit_that_writes_nothing_is_answered(record: Record):
    before = record.put(patient("1"))

    receipt = record.store.commit(Unit(ALL, lambda _: Prepared(outcomes=(Outcome(200, "Patient", "1", 1),))))

    assert receipt.done == (Done(200, "Patient", "1", 1, 0),)
    assert receipt.at >= before.at
    assert whole_log(record) == ["Patient/1/1"]


def test_what_is_committed_is_seen_by_the_next_view(record: Record):
    receipt = record.store.submit(record.unit(record.putting(patient("1")))).result(30)

    with record.store.view() as view:
        assert view.sequence == receipt.sequence
        assert view.read(ALL, "Patient", "1").at == receipt.at


# -- all or nothing ---------------------------------------------------------------------


@pytest.mark.parametrize("place", range(4))
def test_a_unit_that_fails_leaves_nothing(record: Record, place: int):
    """D6: not a version, not an index row, not a grant, not a job."""
    record.put(patient("0", "Before"))
    failing: list[Callable[[View], Write]] = [record.putting(patient(str(n))) for n in range(4)]
    failing[place] = _stale(record)

    def prepare(view: View) -> Prepared:
        return Prepared(
            tuple(step(view) for step in failing),
            audit=AUDIT,
            relabels=(Relabel("Patient", "0", frozenset("R")),),
            grants=(Grant(1, ("0",)),),
            jobs=(Job("send", b"", 0),),
        )

    with pytest.raises(KintungError):
        record.store.commit(Unit(ALL, prepare))

    assert whole_log(record) == ["Patient/0/1"]
    assert record.found("Patient?") == ["Patient/0"]
    assert record.found("Patient?family=Chan") == []
    assert record.store.scope(1).epoch == 0
    assert record.store.claim(SYSTEM, "send", SECOND) is None
    assert list(record.store.check(SYSTEM)) == []


def _stale(record: Record) -> Callable[[View], Write]:
    """A write that insists on a version that was never there."""
    return lambda view: record.putting(patient("stale"))(view)._replace(expected=7)


@pytest.mark.parametrize("error", [RuleFailed("no"), NotFound("no"), ValueError("a fault of ours")])
def test_what_prepare_raises_is_raised(record: Record, error: Exception):
    def prepare(view: View) -> Prepared:
        record.putting(patient("1"))(view)
        raise error

    with pytest.raises(type(error), match=str(error)):
        record.store.commit(Unit(ALL, prepare))

    assert whole_log(record) == []
    assert record.put(patient("1")).version_id == 1


def test_a_unit_that_fails_takes_no_other_with_it(record: Record):
    """Units that commit in one group are answered one by one."""
    bad_label = Relabel("Patient", "never", frozenset("R"))
    relabelling = Unit(
        ALL, lambda view: Prepared((record.putting(patient("x"))(view),), relabels=(bad_label,))
    )
    good = [record.unit(record.putting(patient(str(n)))) for n in range(20)]
    units = [*good[:7], relabelling, *good[7:14], record.unit(_stale(record)), *good[14:]]

    futures = [record.store.submit(unit) for unit in units]

    refused = [unit for unit, future in zip(units, futures, strict=True) if future.exception(30) is not None]
    assert refused == [relabelling, units[15]]
    assert sorted(whole_log(record)) == sorted(f"Patient/{n}/1" for n in range(20))


@pytest.mark.parametrize(
    "second",
    [
        lambda record: record.putting(patient("1", "Wong")),
        lambda record: lambda view: record.putting(patient("1", "Wong"))(view)._replace(expected=1),
    ],
)
def test_a_unit_writes_a_resource_once(record: Record, second: Callable[[Record], Callable[[View], Write]]):
    other = record.unit(record.putting(patient("2")))
    both = record.unit(record.putting(patient("1")), second(record))

    refused, done = record.store.submit(both), record.store.submit(other)

    assert isinstance(refused.exception(30), VersionConflict)
    assert done.exception(30) is None
    assert whole_log(record) == ["Patient/2/1"]


# -- preconditions ----------------------------------------------------------------------


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_a_write_that_does_not_follow_the_current_version_is_refused(record: Record, expected: int):
    record.put(patient("1"))
    record.put(patient("1", "Wong"))

    def stale(view: View) -> Write:
        return record.putting(patient("1", "Lee"))(view)._replace(expected=expected)

    with pytest.raises(VersionConflict):
        record.commit(stale)

    assert whole_log(record) == ["Patient/1/1", "Patient/1/2"]


@pytest.mark.parametrize("deleted", [False, True])
def test_an_id_that_is_taken_out_of_sight_is_not_found(record: Record, deleted: bool):
    """S7: also for who may place ids."""
    reader = Reader("p1", persons=record.grant(1, "1"))
    record.put(patient("2"))
    if deleted:
        record.delete("Patient/2")
    before = whole_log(record)

    with pytest.raises(NotFound):
        record.put(patient("2", "Lee"), reader=reader)

    assert whole_log(record) == before


def test_who_may_see_nothing_may_still_deposit(record: Record):
    """Deposit and view are two rights: the new version need not be visible to its author."""
    record.put(patient("1"), reader=NOBODY)

    assert record.found("Patient?") == ["Patient/1"]
    with pytest.raises(NotFound):
        record.put(patient("1", "Wong"), reader=NOBODY)


def test_an_update_cannot_give_a_persons_data_to_another(record: Record):
    """S9."""
    record.put(observation("1", of="1"), organisation="a")

    for moved in (observation("1", of="2"), observation("1", of=None)):
        with pytest.raises(RuleFailed):
            record.put(moved, organisation="a")

    record.delete("Observation/1")
    with pytest.raises(RuleFailed):
        record.put(observation("1", of="2"))
    assert whole_log(record) == ["Observation/1/1", "Observation/1/2"]


def test_what_several_own_may_change_hands_among_them(record: Record):
    record.put(group("1", "1", "2"))
    record.put(group("1", "2", "3"))

    scope = record.grant(1, "2", "3")
    assert record.found("Group?", Reader("p", persons=scope)) == ["Group/1"]


def test_a_relabel_of_what_the_reader_does_not_see_is_not_found(record: Record):
    record.put(patient("1"))
    for id, reader in [("1", NOBODY), ("2", ALL)]:
        relabel = Relabel("Patient", id, frozenset("R"))
        with pytest.raises(NotFound):
            record.store.commit(Unit(reader, lambda _, relabel=relabel: Prepared(relabels=(relabel,))))

    assert whole_log(record) == ["Patient/1/1"]


def test_a_label_that_a_record_has_no_place_for_is_refused(record: Record):
    """Every label keeps its place, also when nothing bears it any more; other units of the group commit."""
    record.put(patient("1"))
    labels = [f"label {number}" for number in range(MOST_LABELS)]
    for label in labels:
        record.label("Patient/1", label)
    one_more = Relabel("Patient", "1", frozenset({labels[0], "one more"}))
    relabelling = Unit(ALL, lambda _: Prepared(relabels=(one_more,)))

    futures = [
        record.store.submit(unit)
        for unit in (record.unit(record.putting(patient("2"))), relabelling, record.unit())
    ]

    refusals = [future.exception(30) for future in futures]
    assert isinstance(refusals[1], RuleFailed)
    assert str(MOST_LABELS) in str(refusals[1])
    assert [refusals[0], refusals[2]] == [None, None]
    record.label("Patient/1", *labels)
    last = record.store.follow(SYSTEM, 0)[-1]
    assert last.labels == set(labels)
    assert record.found("Patient?", Reader("unlabelled", True, True, True, frozenset(labels[-1:]))) == [
        "Patient/2"
    ]
    assert list(record.store.check(SYSTEM)) == []


def conditional_create(record: Record, id: str, reader: Reader = ALL) -> Unit:
    """Create a Patient with this id unless one of the family Chan is found."""
    query = record.query("Patient?family=Chan")

    def prepare(view: View) -> Prepared:
        found = view.match(reader, query)
        if found:
            return Prepared(outcomes=(Outcome(200, *found[0]),))
        return Prepared((record.putting(patient(id, "Chan"), reader)(view),), (Outcome(201, write=0),))

    return Unit(reader, prepare)


def test_of_racing_conditional_creates_one_creates(record: Record):
    """D9: the criterion is asked again where the commit is."""
    for round in range(counts(5, 50)):
        units = [conditional_create(record, f"{round}-{n}") for n in range(16)]

        answers = together(*(lambda unit=unit: record.store.commit(unit) for unit in units))

        receipts = [answer for answer in answers if isinstance(answer, Receipt)]
        assert [answer for answer in answers if answer not in receipts] == []
        assert sorted(receipt.done[0].status for receipt in receipts) == [200] * 15 + [201]
        (created,) = record.found("Patient?family=Chan")
        assert {f"Patient/{receipt.done[0].id}" for receipt in receipts} == {created}
        record.delete(created)


def test_of_racing_updates_every_one_follows_the_one_before(record: Record):
    """D8: no version is lost, none is skipped."""
    record.put(patient("1"))

    answers = together(*(lambda n=n: record.put(patient("1", f"Chan {n}")) for n in range(12)))

    assert sorted(done.version_id for done in answers if isinstance(done, Done)) == list(range(2, 14))
    assert record.history("Patient/1") == [f"Patient/1/{n}" for n in range(13, 0, -1)]


def test_of_racing_updates_of_one_version_one_wins(record: Record):
    """D8: ``If-Match`` is asked again where the commit is."""
    record.put(patient("1"))

    def if_match(view: View) -> Write:
        current = view.current(ALL, "Patient", "1")
        if current is None or current.version_id != 1:
            raise VersionConflict("Patient/1 has changed.")
        return record.putting(patient("1", "Wong"))(view)

    answers = together(*[lambda: record.commit(if_match)] * 12)

    assert sum(isinstance(answer, Receipt) for answer in answers) == 1
    assert sum(isinstance(answer, VersionConflict) for answer in answers) == 11


@pytest.mark.parametrize("record", ["sqlite", "postgres"], indirect=True)
def test_what_a_unit_read_is_asked_again_inside_the_commit(record: Record):
    """Another commit comes between the preparation and the commit: the unit is prepared again.

    Not on the plain store, which prepares inside its lock and lets nothing between.
    """
    unit = conditional_create(record, "late")
    prepared: list[Prepared] = []

    def prepare(view: View) -> Prepared:
        prepared.append(unit.prepare(view))
        if len(prepared) == 1:
            together(lambda: record.put(patient("early", "Chan")))
        return prepared[-1]

    receipt = record.store.commit(Unit(ALL, prepare))

    assert receipt.done == (Done(200, "Patient", "early", 1, 0),)
    assert [len(each.writes) for each in prepared] == [1, 0]
    assert record.found("Patient?") == ["Patient/early"]


def test_a_conditional_create_matches_only_what_its_author_sees(record: Record):
    record.put(patient("2", "Chan"))
    reader = Reader("p1", persons=record.grant(1, "1"))

    receipt = record.store.commit(conditional_create(record, "1", reader))

    assert receipt.done[0].status == 201
    assert record.found("Patient?family=Chan") == ["Patient/1", "Patient/2"]


# -- grants -----------------------------------------------------------------------------


def test_each_change_of_a_scope_grows_its_epoch(record: Record):
    assert record.store.scope(1).epoch == 0
    assert record.grant(1, "1").epoch == 1
    assert record.grant(1, "1").epoch == 2
    assert record.grant(1, remove=["1"]).epoch == 3
    assert record.store.scope(2).epoch == 0


def test_who_is_added_and_removed_at_once_is_removed(record: Record):
    record.put(patient("1"))

    scope = record.grant(1, "1", remove=["1"])

    assert record.found("Patient?", Reader("p1", persons=scope)) == []


def test_a_unit_of_an_older_epoch_is_refused(record: Record):
    reader = Reader("p1", persons=record.grant(1, "1"))
    record.put(patient("1"), reader=reader)

    record.grant(1, "2")

    with pytest.raises(Unavailable):
        record.put(patient("1", "Wong"), reader=reader)
    with pytest.raises(Unavailable):
        record.put(observation("new", of="3"), reader=reader)
    assert whole_log(record) == ["Patient/1/1"]
    now = Reader("p1", persons=record.store.scope(1))
    assert record.put(patient("1", "Wong"), reader=now).version_id == 2


def test_a_grant_and_a_write_of_one_unit_enter_together(record: Record):
    def prepare(view: View) -> Prepared:
        return Prepared((record.putting(patient("1"))(view),), grants=(Grant(1, ("1",)),))

    record.store.commit(Unit(ALL, prepare))

    assert record.found("Patient?", Reader("p1", persons=record.store.scope(1))) == ["Patient/1"]


# -- idempotency ------------------------------------------------------------------------


def keyed(key: str = "k", digest: bytes = DIGEST, client: str = "c") -> Idempotency:
    return Idempotency(client, key, digest)


def test_a_repeated_key_gets_the_same_receipt_and_no_second_effect(record: Record):
    """D11."""
    first = record.commit(record.putting(patient("1")), idempotency=keyed())

    again = record.commit(record.putting(patient("1", "Other")), idempotency=keyed())

    assert (again.done, again.sequence, again.at) == (first.done, first.sequence, first.at)
    assert (first.replayed, again.replayed) == (False, True)
    assert content(record.read("Patient/1")) == patient("1")


def test_a_key_with_another_request_is_refused(record: Record):
    record.commit(record.putting(patient("1")), idempotency=keyed())

    with pytest.raises(Duplicate):
        record.commit(record.putting(patient("2")), idempotency=keyed(digest=OTHER))

    assert whole_log(record) == ["Patient/1/1"]


def test_a_key_is_its_clients_own(record: Record):
    record.commit(record.putting(patient("1")), idempotency=keyed())

    receipt = record.commit(record.putting(patient("2")), idempotency=keyed(digest=OTHER, client="d"))

    assert not receipt.replayed
    assert record.found("Patient?") == ["Patient/2", "Patient/1"]


def test_a_unit_that_failed_does_not_use_its_key_up(record: Record):
    with pytest.raises(Conflict):
        record.commit(record.putting(patient("1")), record.putting(patient("1")), idempotency=keyed())

    receipt = record.commit(record.putting(patient("1")), idempotency=keyed(digest=OTHER))

    assert not receipt.replayed


def test_a_key_is_kept_for_seven_days(record: Record):
    first = record.commit(record.putting(patient("1")), idempotency=keyed())

    record.clock.jump(7 * DAY - HOUR)
    assert record.commit(record.putting(patient("2")), idempotency=keyed()).replayed
    record.clock.jump(2 * HOUR)
    later = record.commit(record.putting(patient("3")), idempotency=keyed(digest=OTHER))

    assert not later.replayed
    assert later.sequence > first.sequence
    assert record.found("Patient?") == ["Patient/3", "Patient/1"]


def test_a_replay_does_not_start_the_seven_days_again(record: Record):
    record.commit(record.putting(patient("1")), idempotency=keyed())
    record.clock.jump(6 * DAY)
    assert record.commit(record.putting(patient("1")), idempotency=keyed()).replayed

    record.clock.jump(2 * DAY)

    assert not record.commit(record.putting(patient("2")), idempotency=keyed()).replayed


def test_a_clock_that_runs_back_forgets_no_key(record: Record):
    record.commit(record.putting(patient("1")), idempotency=keyed())

    record.clock.jump(-HOUR)

    assert record.commit(record.putting(patient("1")), idempotency=keyed()).replayed


def test_of_racing_repetitions_one_has_the_effect(record: Record):
    steps = [record.putting(patient(str(n))) for n in range(12)]

    answers = together(*(lambda step=step: record.commit(step, idempotency=keyed()) for step in steps))

    receipts = [answer for answer in answers if isinstance(answer, Receipt)]
    assert [receipt.replayed for receipt in receipts].count(False) == 1
    assert len({receipt.done for receipt in receipts}) == 1
    assert len(whole_log(record)) == 1


# -- time -------------------------------------------------------------------------------


def test_time_never_runs_back_in_commit_order(record: Record):
    """D18: the clock jumps an hour on, back, and far back."""
    instants: list[int] = []
    for number, jump in enumerate([0, HOUR, -HOUR, -DAY, 2 * DAY, -HOUR]):
        record.clock.jump(jump)
        instants.append(record.put(patient(str(number))).at)

    assert instants == sorted(instants)
    assert instants[2] == instants[1]
    assert [entry.at for entry in record.store.follow(SYSTEM, 0)] == instants
    assert record.found("Patient?_sort=_lastUpdated,_id") == [f"Patient/{n}" for n in (0, 1, 2, 3, 4, 5)]
    assert record.history(since=instants[4]) == ["Patient/5/1", "Patient/4/1"]
    assert list(record.store.check(SYSTEM)) == []


def test_all_of_a_unit_has_one_instant(record: Record):
    receipt = record.commit(*(record.putting(patient(str(n))) for n in range(5)))

    assert {version.at for version in record.search("Patient?").entries} == {receipt.at}
    assert {done.at for done in receipt.done} == {receipt.at}


def test_of_two_uses_of_a_key_at_once_only_the_second_fails(tmp_path: Path) -> None:
    """And nobody whose unit happens to be in their group."""
    with opened("sqlite", tmp_path, str) as record:
        store = record.store
        assert isinstance(store, SqlStore)
        with store.maintenance(SYSTEM):
            futures = [
                store.submit(record.unit(record.putting(patient(id)), idempotency=key))
                for id, key in (
                    ("a", Idempotency("client", "K", b"one")),
                    ("b", Idempotency("client", "K", b"other")),
                    ("c", None),
                )
            ]

        assert futures[0].result(30).done[0].status == 200
        assert isinstance(futures[1].exception(30), Duplicate)
        assert futures[2].result(30).done[0].status == 200


# -- what keeps others waiting ----------------------------------------------------------

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n"


def test_what_is_asked_inside_the_lock_ends(record: Record, monkeypatch: pytest.MonkeyPatch):
    """A unit that asks too much when it is prepared again is refused alone, and the lock is let go."""
    store = record.store
    if not isinstance(store, SqlStore):
        return  # the plain store asks nothing of a database
    monkeypatch.setattr(commit, "ASKED_SECONDS", 0.05)

    def endless(view: View) -> Prepared:
        assert isinstance(view, Recorder)
        assert isinstance(view._view, SqlView)
        view._view._db.rows(ENDLESS)
        raise AssertionError("an endless query ended")

    moved = record.putting(patient("1"))
    with store.view() as view:
        stale = Rehearsal(Prepared((moved(view)._replace(expected=7),), (Outcome(200, write=0),)), ())
    asked = store.submit_rehearsed(Unit(ALL, endless), stale)
    beside = store.submit(Unit(ALL, lambda view: Prepared((moved(view),), (Outcome(201, write=0),))))

    with pytest.raises(TimedOut, match="nothing of it was stored"):
        asked.result(60)
    assert beside.result(60).done[0].status == 201
    assert whole_log(record) == ["Patient/1/1"]


def test_what_was_asked_before_and_is_asked_again_ends(record: Record, monkeypatch: pytest.MonkeyPatch):
    store = record.store
    if not isinstance(store, SqlStore):
        return

    monkeypatch.setattr(commit, "ASKED_SECONDS", 0.05)
    monkeypatch.setattr(SqlView, "match", lambda view, *_: view._db.rows(ENDLESS))
    query = parse_query("Patient", [("family", "chan")], now_micros=0)
    with store.view() as view:
        write = record.putting(patient("1"))(view)
    prepared = Prepared((write,), (Outcome(201, write=0),))
    asked_of = Rehearsal(prepared, (Read("match", (ALL, query, 2), ()),))

    with pytest.raises(TimedOut):
        store.submit_rehearsed(Unit(ALL, lambda _: prepared), asked_of).result(60)
    assert whole_log(record) == []
