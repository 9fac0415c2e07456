"""D23, S10, S19: subscribers are told at least once, in order, and of what they may see when it is sent."""

import json
from typing import Any

import pytest

from kintung.errors import NotFound
from kintung.store.reader import Reader
from kintung.subscriptions.schedule import GIVEN_UP_AFTER, HANDSHAKE_GIVEN_UP_AFTER
from tests.receivers import answering
from tests.spec.subscriptions.telling import BASE, Telling, observation, parts
from tests.stores import ALL, DAY, HOUR, SECOND, SYSTEM, Putting


def _seen(telling: Telling) -> list[tuple[str, str]]:
    return [(each.method, each.path) for each in telling.got]


# -- R4's own form ----------------------------------------------------------------------


def test_a_matching_resource_is_put_below_the_endpoint(telling: Telling):
    telling.subscribe(telling.plain(header=["Authorization: Bearer secret"]))
    telling.run()
    assert telling.status() == ("active", "")
    telling.record.put(observation("o", valueQuantity={"value": 1}))
    telling.record.put(observation("other", "preliminary"))
    telling.run()
    assert _seen(telling) == [("PUT", "/hook/Observation/o")]
    got = telling.got[0]
    assert got.headers["Authorization"] == "Bearer secret"
    assert got.headers["Content-Type"] == "application/fhir+json"
    with telling.record.store.view() as view:
        assert got.body == view.read(ALL, "Observation", "o").body


def test_without_a_payload_the_post_is_empty(telling: Telling):
    telling.subscribe(telling.plain(payload=None))
    telling.run()
    telling.record.put(observation("o"))
    telling.run()
    assert [(each.method, each.path, each.body) for each in telling.got] == [("POST", "/hook", b"")]


def test_a_deletion_and_what_leaves_the_criteria_are_not_told_in_r4s_own_form(telling: Telling):
    telling.subscribe(telling.plain())
    telling.record.put(observation("o"))
    telling.record.put(observation("o", "amended"))
    telling.record.delete("Observation/o")
    telling.run()
    telling.run()
    assert _seen(telling) == [("PUT", "/hook/Observation/o")]


def test_what_was_written_before_is_not_told(telling: Telling):
    telling.record.put(observation("before"))
    telling.subscribe(telling.plain())
    telling.record.put(observation("after"))
    telling.run()
    assert _seen(telling) == [("PUT", "/hook/Observation/after")]


def test_what_was_refused_is_not_told(telling: Telling):
    """D23: no send for a rolled-back change."""
    telling.subscribe(telling.plain())
    telling.run()
    misfit = Putting(telling.record.scribe, observation("o"), ALL, "", expected=7)
    with pytest.raises(NotFound):
        telling.record.commit(telling.record.putting(observation("fine")), misfit)
    telling.run()
    assert telling.got == []
    assert telling.record.store.notices.tally().waiting == 0


def test_what_is_off_is_not_told(telling: Telling):
    telling.subscribe(telling.plain())
    telling.run()
    telling.hook.answer = answering(503)
    telling.record.put(observation("waits"))
    telling.run()
    telling.subscribe(telling.plain() | {"status": "off"})
    telling.record.put(observation("o"))
    telling.run()
    assert telling.record.store.notices.tally()[:3] == (0, 0, 0)
    assert telling.status() == ("off", "")


def test_a_deleted_subscription_is_not_told(telling: Telling):
    telling.subscribe(telling.plain())
    telling.run()
    telling.record.delete("Subscription/s")
    telling.record.put(observation("o"))
    telling.run()
    assert telling.got == []
    assert telling.record.store.notices.tally().subscribers == 0


def test_a_subscription_ends_when_it_says(telling: Telling):
    telling.subscribe(telling.plain() | {"end": "2022-10-20T00:00:00Z"})
    telling.record.put(observation("in-time"))
    telling.run()
    telling.record.clock.jump(DAY)
    telling.record.put(observation("late"))
    telling.run()
    assert _seen(telling) == [("PUT", "/hook/Observation/in-time")]
    assert telling.status() == ("off", "")
    assert telling.record.store.notices.tally().subscribers == 0


def test_a_subscription_that_nobody_deposited_is_not_served(telling: Telling):
    """A file that was loaded has no right behind it."""
    telling.record.put(telling.plain() | {"status": "active"})
    telling.record.put(observation("o"))
    telling.run()
    assert telling.got == []
    status, error = telling.status()
    assert status == "error"
    assert "requested" in error


def test_criteria_that_are_not_offered_are_said_in_the_subscription(telling: Telling):
    telling.subscribe(telling.plain("Observation?subject:Patient.name=Chan"))
    telling.run()
    assert telling.status()[0] == "error"
    assert telling.record.store.notices.tally().subscribers == 0


# -- The backport -----------------------------------------------------------------------


def _names(bundles: list[Any]) -> list[tuple[str, str]]:
    return [(parts(bundle)["type"], parts(bundle)["events-since-subscription-start"]) for bundle in bundles]


def test_a_topic_begins_with_a_handshake_and_counts_its_events(telling: Telling):
    telling.subscribe(telling.topic())
    telling.run()
    assert telling.status() == ("active", "")
    telling.record.put(observation("o"))
    telling.record.put(observation("o", "amended"))
    telling.record.delete("Observation/o")
    telling.run()
    bundles = telling.bundles()
    # The deletion is of what does not match any more.
    assert _names(bundles) == [("handshake", "0"), ("event-notification", "1"), ("event-notification", "2")]
    first = parts(bundles[1])
    assert parts(bundles[0])["status"] == "requested"
    assert first["status"] == "active"
    assert first["subscription"] == {"reference": f"{BASE}/Subscription/s"}
    assert first["notification-event"]["event-number"] == "1"
    assert first["notification-event"]["focus"] == {"reference": f"{BASE}/Observation/o"}
    assert all(bundle["type"] == "history" for bundle in bundles)
    requests = [bundle["entry"][1]["request"] for bundle in bundles[1:]]
    assert requests == [
        {"method": "POST", "url": "Observation"},
        {"method": "PUT", "url": "Observation/o"},
    ]


@pytest.mark.parametrize("content", ["empty", "id-only", "full-resource"])
def test_content_is_what_was_asked_for(telling: Telling, content: str):
    telling.subscribe(telling.topic(content=content))
    telling.record.put(observation("o"))
    telling.run()
    event = telling.bundles()[1]
    with telling.record.store.view() as view:
        body = view.read(ALL, "Observation", "o").body
    assert len(event["entry"]) == (1 if content == "empty" else 2)
    assert ("focus" in parts(event)["notification-event"]) is (content != "empty")
    assert (b"8867-4" in telling.got[1].body) is (content == "full-resource")
    assert (body in telling.got[1].body) is (content == "full-resource")


def test_a_deletion_is_told_without_a_body(telling: Telling):
    telling.subscribe(telling.topic(content="full-resource"))
    telling.record.put(observation("o"))
    telling.record.delete("Observation/o")
    telling.run()
    entry = telling.bundles()[-1]["entry"][1]
    assert entry["request"] == {"method": "DELETE", "url": "Observation/o"}
    assert "resource" not in entry


def test_before_the_handshake_nothing_else_is_sent(telling: Telling):
    telling.hook.answer = answering(503)
    telling.subscribe(telling.topic())
    telling.record.put(observation("o"))
    telling.run()
    assert _names(telling.bundles()) == [("handshake", "0")]
    telling.hook.answer = answering(200)
    telling.record.clock.jump(10 * SECOND)
    telling.run()
    assert _names(telling.bundles()[1:]) == [("handshake", "0"), ("event-notification", "1")]


def test_a_handshake_that_never_succeeds_ends_the_subscription(telling: Telling):
    telling.hook.answer = answering(404)
    telling.subscribe(telling.topic())
    telling.record.put(observation("o"))
    telling.run()
    telling.record.clock.jump(HANDSHAKE_GIVEN_UP_AFTER)
    telling.run()
    assert telling.status() == ("error", "The receiver answered 404.")
    assert telling.record.store.notices.tally()[:3] == (0, 0, 0)


def test_who_asked_for_heartbeats_hears_that_all_is_well(telling: Telling):
    telling.subscribe(telling.topic(heartbeat=60))
    telling.run()
    for _ in range(5):
        telling.record.clock.jump(30 * SECOND)
        telling.delivery.heartbeats()
    assert _names(telling.bundles()) == [("handshake", "0"), ("heartbeat", "0"), ("heartbeat", "0")]


# -- At least once, in order ------------------------------------------------------------


def test_after_a_kill_what_was_under_way_comes_again(telling: Telling):
    """D23: killed before and after each step; nothing is lost, and only what was under way comes twice."""
    telling.subscribe(telling.plain())
    telling.follow()
    telling.restart()
    telling.deliver()
    telling.record.put(observation("o"))
    telling.restart()
    telling.follow()
    telling.restart()
    taken = telling.record.store.notices.take(SYSTEM, 60 * SECOND)  # by one that dies
    assert taken is not None
    telling.restart()
    telling.run()
    assert telling.got == []
    telling.record.clock.jump(60 * SECOND)
    telling.run()
    assert _seen(telling) == [("PUT", "/hook/Observation/o")]


def test_versions_of_one_resource_come_in_order_and_others_pass(telling: Telling):
    telling.subscribe(telling.plain("Observation"))
    telling.run()

    def answer(handler: Any, got: Any) -> None:
        answering(422 if got.path.endswith("/bad") else 200)(handler, got)

    telling.hook.answer = answer
    for status in ("preliminary", "final", "amended"):
        telling.record.put(observation("bad", status))
        telling.record.put(observation("good", status))
    telling.run()
    assert [each.path for each in telling.got].count("/hook/Observation/bad") == 1
    good = [json.loads(each.body)["status"] for each in telling.got if each.path.endswith("good")]
    assert good == ["preliminary", "final", "amended"]
    telling.hook.answer = answering(200)
    telling.record.clock.jump(10 * SECOND)
    telling.run()
    bad = [json.loads(each.body)["status"] for each in telling.got if each.path.endswith("bad")]
    assert bad == ["preliminary", "preliminary", "final", "amended"]


def test_a_receiver_that_is_away_is_asked_once_for_all_that_waits(telling: Telling):
    telling.subscribe(telling.plain())
    telling.run()
    telling.hook.answer = answering(503)
    for number in range(5):
        telling.record.put(observation(f"o{number}"))
    telling.run()
    assert len(telling.got) == 1
    telling.hook.answer = answering(200)
    telling.record.clock.jump(10 * SECOND)
    telling.run()
    assert len(telling.got) == 6


def test_a_receiver_away_for_three_days_misses_nothing(telling: Telling):
    telling.subscribe(telling.plain())
    telling.run()
    telling.hook.answer = answering(503)
    for number in range(3):
        telling.record.put(observation(f"o{number}"))
    for _ in range(3 * 24):
        telling.run()
        telling.record.clock.jump(HOUR)
    assert len(telling.got) < 40
    telling.hook.answer = answering(200)
    tried = len(telling.got)
    telling.record.clock.jump(6 * HOUR)
    telling.run()
    assert {path for _, path in _seen(telling)[tried:]} == {f"/hook/Observation/o{n}" for n in range(3)}
    assert telling.record.store.notices.tally()[1:3] == (0, 0)


def test_retry_after_is_heard(telling: Telling):
    telling.subscribe(telling.plain())
    telling.run()
    telling.hook.answer = answering(429, Retry_After="120")
    telling.record.put(observation("o"))
    telling.run()
    telling.record.clock.jump(119 * SECOND)
    telling.run()
    assert len(telling.got) == 1
    telling.record.clock.jump(SECOND)
    telling.run()
    assert len(telling.got) == 2


def test_what_is_given_up_is_seen_and_can_be_sent_again(telling: Telling):
    telling.subscribe(telling.plain())
    telling.run()
    telling.hook.answer = answering(500)
    telling.record.put(observation("o"))
    telling.run()
    telling.record.clock.jump(GIVEN_UP_AFTER)
    telling.run()
    notices = telling.record.store.notices
    (dead,) = notices.dead(SYSTEM)
    assert (dead.notice.id, dead.attempts, dead.error) == ("o", 2, "The receiver answered 500.")
    assert notices.tally()[1:3] == (0, 1)
    assert telling.status() == ("error", "The receiver answered 500.")
    telling.hook.answer = answering(200)
    assert notices.replay(SYSTEM, [dead.number]) == 1
    telling.run()
    assert len(telling.got) == 3
    assert notices.tally()[1:3] == (0, 0)
    assert telling.status() == ("active", "")


# -- By whose right ---------------------------------------------------------------------


def _scoped(telling: Telling, *persons: str) -> Reader:
    return Reader("ward", persons=telling.record.grant(1, *persons))


def test_what_the_depositor_does_not_see_is_not_told(telling: Telling):
    """S10: and no number of an event betrays it."""
    telling.subscribe(telling.topic(), _scoped(telling, "seen"))
    for number, patient in enumerate(("seen", "hidden", "hidden", "seen")):
        telling.record.put(observation(f"o{number}", patient=patient))
    telling.run()
    events = [parts(bundle)["notification-event"] for bundle in telling.bundles()[1:]]
    assert [event["event-number"] for event in events] == ["1", "2"]
    assert [event["focus"]["reference"][-2:] for event in events] == ["o0", "o3"]


def test_a_grant_revoked_between_the_change_and_the_sending_holds(telling: Telling):
    """S19: nothing is sent, not even that something happened."""
    telling.subscribe(telling.topic(), _scoped(telling, "seen"))
    telling.run()
    telling.record.put(observation("o", patient="seen"))
    telling.follow()
    telling.record.grant(1, remove=["seen"])
    telling.deliver()
    assert _names(telling.bundles()) == [("handshake", "0")]
    assert telling.record.store.notices.tally().waiting == 0
    telling.record.grant(1, "seen")
    telling.record.put(observation("o2", patient="seen"))
    telling.run()
    assert _names(telling.bundles()[1:]) == [("event-notification", "1")]


def test_a_grant_revoked_between_two_attempts_holds(telling: Telling):
    telling.subscribe(telling.plain(), _scoped(telling, "seen"))
    telling.run()
    telling.hook.answer = answering(503)
    telling.record.put(observation("o", patient="seen"))
    telling.run()
    telling.record.grant(1, remove=["seen"])
    telling.hook.answer = answering(200)
    telling.record.clock.jump(HOUR)
    telling.run()
    assert len(telling.got) == 1


def test_a_label_set_meanwhile_holds(telling: Telling):
    reader = Reader("ward", persons=True, hidden=frozenset({"R"}))
    telling.subscribe(telling.topic(content="full-resource"), reader)
    telling.run()
    telling.record.put(observation("o"))
    telling.follow()
    telling.record.label("Observation/o", "R")
    telling.deliver()
    telling.record.delete("Observation/o")
    telling.run()
    assert _names(telling.bundles()) == [("handshake", "0")]


def test_what_left_the_filter_from_out_of_sight_is_not_told(telling: Telling):
    """The version before was another's: that it matched is not the depositor's to know."""
    telling.subscribe(telling.topic("List?status=current"), _scoped(telling, "seen"))
    telling.run()

    def listed(status: str, patient: str) -> dict[str, Any]:
        entry = {"item": {"reference": f"Patient/{patient}"}}
        return {"resourceType": "List", "id": "l", "status": status, "mode": "working", "entry": [entry]}

    telling.record.put(listed("current", "hidden"))
    telling.record.put(listed("retired", "seen"))
    telling.run()
    assert _names(telling.bundles()) == [("handshake", "0")]


def test_who_edits_a_subscription_gets_what_they_may_see_themselves(telling: Telling):
    telling.subscribe(telling.plain(), ALL)
    telling.run()
    telling.subscribe(telling.plain(), _scoped(telling, "seen"))
    telling.record.put(observation("o", patient="hidden"))
    telling.run()
    assert telling.got == []


def test_without_the_right_to_view_nothing_is_told(telling: Telling):
    telling.subscribe(telling.plain(), Reader.nothing())
    telling.record.put(observation("o"))
    telling.run()
    assert telling.got == []


def test_each_attempt_is_on_record_before_it_leaves(telling: Telling, monkeypatch: pytest.MonkeyPatch):
    told: list[Any] = []
    record = telling.record.store.record

    def spying(*audits: Any) -> Any:
        assert telling.got == [] or len(telling.got) == len(told)
        told.extend(audits)
        return record(*audits)

    monkeypatch.setattr(telling.record.store, "record", spying)
    telling.subscribe(telling.plain())
    telling.record.put({"resourceType": "Patient", "id": "p"})
    telling.record.put(observation("o"))
    telling.run()
    (audit,) = told
    assert (audit.actor, audit.organisation, audit.grant) == ("ward", "ward-7", "g1")
    assert audit.operation == "notification"
    assert "Observation/o/_history/1" in audit.request
    assert len(audit.patient_keys) == 1
    assert len(telling.got) == 1
