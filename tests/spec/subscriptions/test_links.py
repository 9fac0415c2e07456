"""Subscribers are told that two Patients became one person, or are two again, as far as they saw both."""

import json
from collections.abc import Sequence

import pytest

from kintung.store.links import LinkChange, LinkKind
from kintung.store.port import Unit
from kintung.store.reader import Reader
from kintung.store.writes import Grant, Prepared, Relabel
from tests.spec.subscriptions.telling import BASE, Resource, Telling, parts
from tests.stores import ALL, SYSTEM

LINKED = "https://kintung.org/fhir/SubscriptionTopic/patients-linked"


def patient(id: str, **members: object) -> Resource:
    return {"resourceType": "Patient", "id": id, "active": True, **members}


def commit(telling: Telling, prepared: Prepared) -> None:
    telling.record.store.commit(Unit(ALL, lambda _: prepared))


def say(telling: Telling, kind: LinkKind, one: str = "a", other: str = "b") -> None:
    commit(telling, Prepared(links=(LinkChange(one, other, kind, "steward", "test"),)))


def subscribed(telling: Telling, reader: Reader = ALL, filter: str = "Patient?active=true") -> None:
    telling.record.put(patient("a"))
    telling.record.put(patient("b"))
    telling.subscribe(telling.topic(filter, topic=LINKED, content="full-resource"), reader)
    telling.run()


def events(telling: Telling) -> list[Resource]:
    """What came after the handshake."""
    handshake, *found = telling.bundles()
    assert parts(handshake)["type"] == "handshake"
    return found


def told(telling: Telling) -> Sequence[tuple[bool, str]]:
    """Whether each notice says that they are linked, and of whom."""
    telling.run()
    found: list[tuple[bool, str]] = []
    for bundle in events(telling):
        (entry,) = bundle["entry"][1:]
        items = [
            item["resource"]["reference"].removeprefix(f"{BASE}/Patient/")
            for item in entry["resource"]["item"]
        ]
        found.append((entry["resource"]["active"], " ".join(items)))
    return found


def granted(telling: Telling, *persons: str) -> Reader:
    commit(telling, Prepared(grants=(Grant(5, persons),)))
    return Reader("five", persons=telling.record.store.scope(5))


def test_a_merge_and_its_end_are_told(telling: Telling):
    subscribed(telling)
    say(telling, LinkKind.MERGED)
    assert told(telling) == [(True, "a b")]
    bundle = events(telling)[0]
    event = parts(bundle)["notification-event"]
    assert event["event-number"] == "1"
    entry = bundle["entry"][1]
    assert entry["request"] == {
        "method": "PUT",
        "url": f"Linkage?item={BASE}/Patient/a&item={BASE}/Patient/b",
    }
    say(telling, LinkKind.WITHDRAWN)
    assert told(telling) == [(True, "a b"), (False, "a b")]


def test_what_makes_no_link_is_not_told(telling: Telling):
    subscribed(telling)
    for kind in (LinkKind.PROBABLE, LinkKind.APART, LinkKind.CERTAIN):  # kept apart: no rule links them
        say(telling, kind)
    assert told(telling) == []
    say(telling, LinkKind.WITHDRAWN)  # and now the rule does
    assert told(telling) == [(True, "a b")]


def test_what_was_said_before_is_not_told_and_each_thing_once(telling: Telling):
    telling.record.put(patient("c"))
    telling.record.put(patient("d"))
    say(telling, LinkKind.MERGED, "c", "d")
    telling.record.clock.jump(1)
    subscribed(telling)
    assert told(telling) == []
    say(telling, LinkKind.MERGED)
    telling.follow()
    telling.restart()
    assert told(telling) == [(True, "a b")]
    telling.restart()
    assert told(telling) == [(True, "a b")]


def test_the_filter_is_of_either_patient(telling: Telling):
    subscribed(telling, filter="Patient?_id=b")
    for id in ("c", "d"):
        telling.record.put(patient(id))
    say(telling, LinkKind.MERGED, "c", "d")
    assert told(telling) == []
    say(telling, LinkKind.MERGED, "b", "c")
    assert told(telling) == [(True, "b c")]


def test_the_topic_is_of_patients(telling: Telling):
    telling.subscribe(telling.topic("Observation?status=final", topic=LINKED))
    telling.run()
    assert telling.status()[0] == "error"


def test_ids_alone_are_told_where_no_more_is_asked(telling: Telling):
    telling.record.put(patient("a"))
    telling.record.put(patient("b"))
    telling.subscribe(telling.topic("Patient?active=true", topic=LINKED, content="id-only"))
    telling.run()
    say(telling, LinkKind.MERGED)
    telling.run()
    (bundle,) = events(telling)
    event = parts(bundle)["notification-event"]
    assert event["focus"] == {"reference": f"{BASE}/Patient/a"}
    assert event["additional-context"] == {"reference": f"{BASE}/Patient/b"}
    assert "resource" not in bundle["entry"][1]


# -- Who may be told --------------------------------------------------------------------


def test_who_reaches_one_by_the_other_is_told_of_the_end_too(telling: Telling):
    telling.record.put(patient("a"))
    reader = granted(telling, "a")
    subscribed(telling, reader)
    say(telling, LinkKind.MERGED)
    assert told(telling) == [(True, "a b")]
    say(telling, LinkKind.WITHDRAWN)
    assert told(telling) == [(True, "a b"), (False, "a b")]


@pytest.mark.parametrize("first", ["label", "deny"])
def test_who_does_not_see_both_is_told_nothing(telling: Telling, first: str):
    """Neither that the link began nor that it ended, of a Patient that is hidden."""
    telling.record.put(patient("a"))
    telling.record.put(patient("b"))
    reader = granted(telling, "a")
    if first == "label":
        commit(telling, Prepared(relabels=(Relabel("Patient", "b", frozenset({"R"})),)))
        reader = Reader("five", persons=reader.persons, hidden=frozenset({"R"}))
    else:
        commit(telling, Prepared(grants=(Grant(5, deny=("b",)),)))
    telling.subscribe(telling.topic("Patient?active=true", topic=LINKED, content="full-resource"), reader)
    telling.run()
    say(telling, LinkKind.MERGED)
    say(telling, LinkKind.WITHDRAWN)
    assert told(telling) == []
    assert telling.record.store.notices.tally().waiting == 0


def test_a_link_that_is_over_when_it_would_be_told_is_not(telling: Telling):
    subscribed(telling)
    say(telling, LinkKind.MERGED)
    telling.follow()
    say(telling, LinkKind.WITHDRAWN)
    assert told(telling) == [(False, "a b")]


# -- The store --------------------------------------------------------------------------


def test_how_pairs_turned_is_followed_in_order(telling: Telling):
    store = telling.record.store
    for kind in (LinkKind.CERTAIN, LinkKind.MERGED, LinkKind.APART, LinkKind.WITHDRAWN, LinkKind.NOTHING):
        if kind is LinkKind.APART:
            say(telling, LinkKind.WITHDRAWN)
        say(telling, kind)
    say(telling, LinkKind.MERGED, "b", "c")
    turned = store.turned(SYSTEM, 0)
    assert [each.number for each in turned] == list(range(1, 8))
    assert [(each.was_linked, each.is_linked) for each in turned] == [
        (False, True),
        (True, True),
        (True, True),
        (True, False),
        (False, True),
        (True, False),
        (False, True),
    ]
    assert store.turned(SYSTEM, 2, 3) == turned[2:5]
    assert store.turned(SYSTEM, 7) == ()
    assert json.dumps([each.at for each in turned]) == json.dumps(sorted(each.at for each in turned))
