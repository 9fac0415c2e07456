"""A person is a set of source Patients: links, decisions, reach and what came of them, on every adapter."""

import msgspec
import pytest

from kintung.errors import Conflict, NotFound, RuleFailed, VersionConflict
from kintung.identity import registry
from kintung.identity.judge import matched
from kintung.store.links import LinkChange, LinkKind
from kintung.store.memory import MemoryStore
from kintung.store.port import Unit
from kintung.store.reader import Reader, Scope
from kintung.store.sql.schema import BY_NAME
from kintung.store.sql.store import SqlStore
from kintung.store.writes import AuditRecord, Grant, Prepared
from tests.patients import number
from tests.people import (
    CARDS,
    HKID,
    STEWARD,
    feed,
    feeding,
    keep_apart,
    link,
    merge,
    person,
    remove,
    say,
    unmerge,
    with_card,
    withdraw,
)
from tests.records import group, observation, patient
from tests.stores import ALL, SYSTEM, Record, together

CERTAIN, PROBABLE, NOTHING = LinkKind.CERTAIN, LinkKind.PROBABLE, LinkKind.NOTHING
MERGED, APART = LinkKind.MERGED, LinkKind.APART


def given_patients(record: Record, *ids: str) -> None:
    for id in ids:
        record.put(patient(id))
        record.put(observation(f"of-{id}", of=id))


def reader_of(scope: Scope, record: Record) -> Reader:
    """Who sees what a scope holds now."""
    return Reader("r", record.store.scope(scope.number))


def seen(record: Record, scope: int = 1) -> set[str]:
    """Whose Observations a reader of a scope finds with its next request."""
    found = record.found("Observation?", Reader("r", record.store.scope(scope)))
    return {name.removeprefix("Observation/of-") for name in found}


def sound(record: Record) -> bool:
    return list(record.store.check(SYSTEM)) == []


# --- Persons --------------------------------------------------------------------------


def test_a_source_patient_alone_is_a_person(record: Record):
    given_patients(record, "a")

    assert person(record, "a") == ("a",)
    assert person(record, "nobody") == ()


def test_certain_links_and_merges_join_and_probable_ones_do_not(record: Record):
    given_patients(record, "a", "b", "c", "d")
    say(record, CERTAIN, "b", "a", score=1800)
    merge(record, "b", "c")
    say(record, PROBABLE, "c", "d", score=900)

    assert person(record, "a") == person(record, "c") == ("a", "b", "c")
    assert person(record, "d") == ("d",)
    with record.store.view() as view:
        assert [each.pair for each in view.queue(ALL, 9)] == [("c", "d")]
        assert [(each.pair, each.found, each.score) for each in view.links_of(ALL, "b")] == [
            (("a", "b"), CERTAIN, 1800),
            (("b", "c"), NOTHING, 0),
        ]
    assert sound(record)


def test_a_person_that_would_hold_a_pair_kept_apart_falls_back_on_merges(record: Record):
    given_patients(record, "a", "b", "c", "d")
    keep_apart(record, "a", "c")
    say(record, CERTAIN, "a", "b")
    assert person(record, "a") == ("a", "b")
    merge(record, "c", "d")
    say(record, CERTAIN, "b", "c")

    assert [person(record, id) for id in "abcd"] == [("a",), ("b",), ("c", "d"), ("c", "d")]
    with record.store.view() as view:
        assert {each.pair for each in view.queue(ALL, 9)} == {("a", "b"), ("b", "c")}
    assert sound(record)


def test_a_link_of_those_that_are_one_person_already_waits_for_nobody(record: Record):
    given_patients(record, "a", "b", "c")
    say(record, PROBABLE, "a", "c", score=900)
    say(record, CERTAIN, "a", "b")
    say(record, CERTAIN, "b", "c")

    with record.store.view() as view:
        assert view.queue(ALL, 9) == ()
    say(record, NOTHING, "b", "c")
    with record.store.view() as view:
        assert [each.pair for each in view.queue(ALL, 9)] == [("a", "c")]
    assert sound(record)


def test_a_reader_is_told_of_those_it_sees(record: Record):
    given_patients(record, "a", "b", "c")
    merge(record, "a", "b")
    merge(record, "b", "c")
    record.label("Patient/b", "R")
    reader = Reader("r", persons=True, hidden=frozenset({"R"}))

    with record.store.view() as view:
        assert view.person(reader, "a") == ("a", "c")
        assert view.person(reader, "b") == ()
        assert view.link(reader, "a", "b") is None
        assert view.links_of(reader, "a") == view.links_of(reader, "b") == ()
        assert view.said(reader, "a", "b") == view.disclosed(reader, "a", "b") == ()


def test_the_queue_is_paged_and_holds_what_the_reader_sees(record: Record):
    given_patients(record, "a", "b", "c", "d")
    for other in "bcd":
        say(record, PROBABLE, "a", other, score=900)
    record.label("Patient/c", "R")
    reader = Reader("r", persons=True, hidden=frozenset({"R"}))

    with record.store.view() as view:
        (first,) = view.queue(reader, 1)
        rest = view.queue(reader, 9, after=first.number)
    assert [first.other, *(each.other for each in rest)] == ["b", "d"]


# --- Decisions ------------------------------------------------------------------------


def test_unmerge_gives_back_what_was_there(record: Record):
    given_patients(record, "a", "b")
    say(record, PROBABLE, "a", "b", score=900)
    before = link(record, "a", "b")
    merge(record, "a", "b")
    assert person(record, "b") == ("a", "b")

    after = unmerge(record, "a", "b")

    assert before is not None
    assert before[:5] == after[:5]
    assert person(record, "b") == ("b",)
    with record.store.view() as view:
        assert [each.pair for each in view.queue(ALL, 9)] == [("a", "b")]
        assert [(each.version, each.kind, each.by) for each in view.said(ALL, "b", "a")] == [
            (1, PROBABLE, "test"),
            (2, MERGED, "steward"),
            (3, LinkKind.WITHDRAWN, "steward"),
        ]
    assert sound(record)


def kept(record: Record) -> dict[str, object]:
    """All that a store holds but history: the log of what was said, audit, chain, and what it counts."""
    store = record.store
    if isinstance(store, MemoryStore):
        state = store._state
        links = {pair: link[:5] for pair, link in state.links.items() if any((link.found, link.decided))}
        scopes = {number: scope._replace(epoch=0) for number, scope in state.scopes.items()}
        return {"versions": state.versions, "links": links, "scopes": scopes}
    assert isinstance(store, SqlStore)
    with store.maintenance(SYSTEM) as db:
        tables = {
            name: sorted(db.rows(f"SELECT * FROM {name}")) for name in BY_NAME if name not in _OF_HISTORY
        }
        tables["link"] = db.rows("SELECT one, other, found, score, decided, waits FROM link ORDER BY 1, 2")
        tables["scope"] = db.rows("SELECT number, size FROM scope ORDER BY number")
        tables["reach"] = db.rows("SELECT scope, patient_key, origin FROM reach WHERE until = 0")
    return dict(tables)


_OF_HISTORY = ("said", "chain", "audit", "disclosure", "link", "scope", "reach", "node")


def test_to_merge_and_unmerge_leaves_history_alone(record: Record):
    given_patients(record, "a", "b", "c", "d")
    record.put(group("both", "a", "b"))
    say(record, CERTAIN, "a", "d")
    say(record, PROBABLE, "a", "b", score=900)
    say(record, PROBABLE, "b", "d", score=800)
    record.grant(1, "a")
    record.grant(2, "b", "c")
    before = kept(record)

    merge(record, "a", "b")
    merged = kept(record)
    unmerge(record, "b", "a")

    assert merged != before
    assert kept(record) == before
    assert sound(record)


def test_a_decision_sticks_whatever_a_rule_finds(record: Record):
    given_patients(record, "a", "b")
    say(record, CERTAIN, "a", "b")
    unmerge(record, "a", "b")
    say(record, NOTHING, "a", "b")
    say(record, CERTAIN, "a", "b", score=9900)

    assert person(record, "a") == ("a",)
    found = link(record, "a", "b")
    assert found is not None
    assert (found.found, found.decided) == (CERTAIN, APART)
    withdraw(record, "a", "b")
    assert person(record, "a") == ("a", "b")
    assert sound(record)


def test_decisions_that_contradict_others_are_refused(record: Record):
    given_patients(record, "a", "b", "c")
    keep_apart(record, "a", "c")
    merge(record, "a", "b")

    with pytest.raises(Conflict, match="kept apart"):
        merge(record, "b", "c")
    with pytest.raises(Conflict, match="kept apart"):
        merge(record, "a", "c")
    with pytest.raises(Conflict, match="merged already"):
        merge(record, "b", "a")
    with pytest.raises(RuleFailed, match="one source record"):
        merge(record, "a", "a")
    with pytest.raises(Conflict, match="not linked"):
        unmerge(record, "b", "c")
    with pytest.raises(Conflict, match="nothing to take back"):
        withdraw(record, "b", "c")
    with pytest.raises(NotFound):
        merge(record, "a", "nobody")
    assert link(record, "b", "c") is None
    assert [person(record, id) for id in "abc"] == [("a", "b"), ("a", "b"), ("c",)]
    assert sound(record)


def test_a_circle_of_merges_is_one_person(record: Record):
    given_patients(record, "a", "b", "c")
    for pair in ("ab", "bc", "ca"):
        merge(record, *pair)
    assert person(record, "a") == ("a", "b", "c")

    unmerge(record, "a", "b")

    assert person(record, "a") == ("a", "b", "c")
    with pytest.raises(Conflict, match="kept apart"):
        keep_apart(record, "a", "b")


def test_of_two_stewards_on_one_pair_the_second_is_told(record: Record):
    given_patients(record, "a", "b")

    answers = together(
        *(lambda: registry.merge(record.store, STEWARD, "a", "b", version=0) for _ in range(2)),
        *(lambda: registry.keep_apart(record.store, STEWARD, "a", "b", version=0) for _ in range(2)),
    )

    assert sum(isinstance(answer, VersionConflict) for answer in answers) == 3
    with record.store.view() as view:
        assert len(view.said(ALL, "a", "b")) == 1
    assert sound(record)


def test_a_unit_that_is_refused_leaves_nothing(record: Record):
    given_patients(record, "a", "b")
    step = record.putting(patient("new"))

    changes = (LinkChange("a", "b", CERTAIN, "rule"), LinkChange("a", "a", MERGED, "s", expected=0))
    with pytest.raises(RuleFailed):
        record.store.commit(Unit(ALL, lambda view: Prepared((step(view),), links=changes)))

    assert link(record, "a", "b") is None
    assert record.found("Patient?_id=new") == []


# --- Reach ----------------------------------------------------------------------------


def test_a_grant_reaches_the_person_until_unmerge(record: Record):
    """S15: probable links and Patient.link as sent give none; certain links exactly the granted reach."""
    given_patients(record, "a", "b", "c", "d")
    record.put(patient("a", link=[{"other": {"reference": "Patient/d"}, "type": "seealso"}]))
    say(record, PROBABLE, "a", "c", score=900)
    record.grant(1, "a")
    assert seen(record) == {"a"}

    say(record, CERTAIN, "a", "b")
    assert seen(record) == {"a", "b"}
    unmerge(record, "a", "b")
    assert seen(record) == {"a"}
    withdraw(record, "a", "b")
    assert seen(record) == {"a", "b"}
    assert sound(record)


def test_the_epoch_grows_where_a_scope_holds_others(record: Record):
    given_patients(record, "a", "b", "c", "d")
    one, other = record.grant(1, "a"), record.grant(2, "c")

    say(record, CERTAIN, "a", "b")

    assert record.store.scope(1).epoch == one.epoch + 1
    assert record.store.scope(2) == other
    say(record, PROBABLE, "a", "d")
    assert record.store.scope(1).epoch == one.epoch + 1


def test_a_grant_is_kept_apart_from_what_it_reaches(record: Record):
    given_patients(record, "a", "b")
    merge(record, "a", "b")
    record.grant(1, "a")
    record.grant(1, "b")
    assert seen(record) == {"a", "b"}

    record.grant(1, remove=["b"])
    assert seen(record) == {"a", "b"}
    unmerge(record, "a", "b")
    assert seen(record) == {"a"}
    record.grant(1, remove=["a"])
    assert seen(record) == set()
    assert sound(record)


def test_a_denial_of_one_holds_for_all_of_the_person(record: Record):
    given_patients(record, "a", "b", "c")
    record.grant(1, "a", "b", "c")
    deny(record, "a")
    assert seen(record) == {"b", "c"}

    merge(record, "a", "b")
    assert seen(record) == {"c"}
    unmerge(record, "a", "b")
    assert seen(record) == {"b", "c"}
    record.store.commit(Unit(ALL, lambda _: Prepared(grants=(Grant(1, lift=("a",)),))))
    assert seen(record) == {"a", "b", "c"}
    assert sound(record)


def deny(record: Record, *ids: str) -> None:
    record.store.commit(Unit(ALL, lambda _: Prepared(grants=(Grant(1, deny=ids),))))


def test_what_several_own_is_seen_when_all_are_reached(record: Record):
    given_patients(record, "a", "b")
    record.put(group("both", "a", "b"))
    record.grant(1, "a")
    reader = Reader("r", record.store.scope(1))
    assert record.found("Group?", reader) == []

    merge(record, "a", "b")

    assert record.found("Group?", Reader("r", record.store.scope(1))) == ["Group/both"]


# --- What was disclosed through a link ------------------------------------------------


def shown(record: Record, scope: Scope, *patients: str, about: str = "") -> None:
    """A reader of a scope was shown data of these, as of the epoch it read at."""
    keys = {id: record.read(f"Patient/{id}").patient_keys[0] for id in (*patients, *filter(None, [about]))}
    told = AuditRecord(
        "dr", "a", "TREAT", "read", "GET x", 200, patient_keys=tuple(keys[p] for p in patients)
    )
    told = msgspec.structs.replace(told, scope=scope.number, epoch=scope.epoch, about=keys.get(about, 0))
    record.store.record(told).result(30)


def disclosed(record: Record, one: str, other: str) -> list[tuple[str, str]]:
    with record.store.view() as view:
        return [(each.patient, each.operation) for each in view.disclosed(ALL, one, other)]


def test_disclosures_through_a_link_are_listed(record: Record):
    given_patients(record, "a", "b", "c")
    granted = record.grant(1, "a")
    record.grant(2, "b")
    shown(record, granted, "a")
    merge(record, "a", "b")
    linked = record.store.scope(1)
    shown(record, linked, "a", "b")
    shown(record, record.store.scope(2), "b")
    shown(record, record.store.scope(2), "a")
    assert disclosed(record, "a", "b") == [("b", "read"), ("a", "read")]

    unmerge(record, "a", "b")
    shown(record, linked, "b")  # read before the un-merge, recorded after it
    shown(record, record.store.scope(1), "a")

    assert disclosed(record, "b", "a") == [("b", "read"), ("a", "read"), ("b", "read")]
    assert sound(record)


def test_what_rested_on_a_grant_of_its_own_is_not_listed(record: Record):
    given_patients(record, "a", "b", "c")
    merge(record, "a", "b")
    record.grant(1, "a")
    both = record.grant(1, "b")
    shown(record, both, "a", "b")
    merge(record, "b", "c")
    shown(record, record.store.scope(1), "c")

    assert disclosed(record, "a", "b") == []
    assert disclosed(record, "b", "c") == [("c", "read")]


def test_a_request_for_the_whole_person_is_listed(record: Record):
    given_patients(record, "a", "b")
    merge(record, "a", "b")
    shown(record, Scope(0), "a", "b", about="a")

    assert disclosed(record, "a", "b") == [("b", "read")]


# --- What a record brings with it -----------------------------------------------------


def test_one_verified_number_is_one_person(record: Record):
    feed(record, with_card("a"))
    feed(record, with_card("b", "a1234563"))
    feed(record, with_card("other", CARDS[1]))
    feed(record, with_card("told", verified=False))

    assert person(record, "a") == ("a", "b")
    assert person(record, "told") == ("told",)
    assert sound(record)


def test_a_number_that_one_counter_saw_links_where_the_judge_says_so(record: Record):
    contact = {
        "name": [{"family": "CHAN", "given": ["Tai Man"]}],
        "telecom": [{"system": "phone", "value": "91234567"}],
    }
    for first, second in (("seen", "told"), ("told", "seen")):
        ids = {each: f"{first}-{each}" for each in (first, second)}
        card = CARDS[first == "seen"]
        for each in (first, second):
            feed(record, with_card(ids[each], card, verified=each == "seen", **contact), judge=matched)
        feed(record, with_card(f"{first}-moved", card, verified=False), judge=matched)
        assert person(record, ids["seen"]) == tuple(sorted(ids.values()))
    with record.store.view() as view:
        waiting = {each for link in view.queue(ALL, 9) for each in link.pair}
    assert waiting == {"seen-moved", "seen-seen", "told-moved", "told-seen"}
    assert sound(record)


def test_two_of_one_commit_are_linked(record: Record):
    feed(record, with_card("a"), with_card("b"))

    assert person(record, "a") == ("a", "b")


def test_a_birth_certificate_bears_the_number_of_the_card(record: Record):
    feed(record, with_card("a"))
    certificate = number("hk-birth-certificate", CARDS[0])
    feed(record, with_card("b") | {"identifier": [certificate]})
    feed(record, with_card("c") | {"identifier": [certificate | {"use": "old"}]})

    assert person(record, "a") == ("a", "b")


def test_what_contradicts_itself_waits_for_a_steward(record: Record):
    feed(record, with_card("a", birthDate="1950-02-03"))
    feed(record, with_card("b", birthDate="1951-02-03"))

    assert person(record, "a") == ("a",)
    with record.store.view() as view:
        assert [each.pair for each in view.queue(ALL, 9)] == [("a", "b")]


def test_what_was_found_is_judged_again(record: Record):
    feed(record, with_card("a"))
    feed(record, with_card("b"))
    feed(record, with_card("b", CARDS[1]))
    assert person(record, "a") == ("a",)

    feed(record, with_card("b"))
    assert person(record, "a") == ("a", "b")
    remove(record, "a")
    assert person(record, "b") == ("b",)
    assert sound(record)


def test_a_number_that_too_many_have_links_none_of_them(record: Record, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kintung.identity.feed.MOST_SAME", 3)
    for id in "abc":
        feed(record, with_card(id))
    assert person(record, "a") == ("a", "b", "c")

    for id in "de":
        feed(record, with_card(id))
    feed(record, with_card("b", family="Lee"))

    assert [person(record, id) for id in "abcde"] == [(id,) for id in "abcde"]
    assert sound(record)


def test_too_many_of_one_number_in_one_commit_are_not_linked(record: Record, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kintung.identity.feed.MOST_SAME", 3)
    feed(record, *(with_card(id) for id in "abcd"))

    assert [person(record, id) for id in "abcd"] == [(id,) for id in "abcd"]
    feed(record, with_card("a", CARDS[1]), with_card("e", CARDS[1]), with_card("f", CARDS[1]))
    assert person(record, "a") == ("a", "e", "f")
    feed(record, with_card("g", CARDS[1]), with_card("h", CARDS[1]))
    assert person(record, "a") == ("a",)
    assert sound(record)


def bearers(record: Record, *values: str, most: int = 9) -> list[tuple[str, int]] | None:
    """Who has an identity card of one of these numbers, with the versions that say so."""
    with record.store.view() as view:
        found = view.bearers(tuple((HKID, value) for value in values), most)
    return None if found is None else [(match.id, match.version_id) for match in found]


def test_who_bears_a_number_is_found_however_it_is_written(record: Record):
    record.put(with_card("b"))
    record.put(with_card("a", "a 123456(3)", verified=False))
    record.put(with_card("other", CARDS[1]))
    record.put(with_card("gone"))
    record.delete("Patient/gone")
    record.put({**with_card("person"), "resourceType": "Person", "id": "a"})

    assert bearers(record, "A1234563") == [("a", 1), ("b", 1)]
    assert bearers(record, "A123456(3)", CARDS[1]) == [("a", 1), ("b", 1), ("other", 1)]
    assert bearers(record, CARDS[2]) == []
    assert bearers(record, "A1234563", most=2) == [("a", 1), ("b", 1)]
    assert bearers(record, "A1234563", most=1) is None
    record.put(with_card("b", CARDS[1]))
    assert bearers(record, "A1234563") == [("a", 1)]
    assert bearers(record, CARDS[1]) == [("b", 2), ("other", 1)]


def test_concurrent_feeds_of_one_person_make_one_person(record: Record):
    ids = [f"p{number}" for number in range(8)]

    together(*(lambda id=id: record.store.commit(feeding(record, with_card(id))) for id in ids))

    assert person(record, "p0") == tuple(ids)
    assert sound(record)
