"""Subscriptions over HTTP: what is accepted, by whose right, and what the node says of them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kintung.app import open_node
from kintung.app import telling as telling_of
from kintung.clock import SeededEntropy, SetClock
from kintung.consent import Right, standing
from kintung.store.notices import Advance
from kintung.subscriptions import allowed
from kintung.web.site import WebSettings
from tests.commands import done, kintung, serving
from tests.receivers import answering, receiver
from tests.server.api import BASE, Api, persona
from tests.server.api import api as opened
from tests.spec.subscriptions.telling import Telling, observation
from tests.stores import ALL, DAY, START, SYSTEM, Record
from tests.waiting import until

LISTED = "https://ward.example.hk"
HOOK = {"type": "rest-hook", "endpoint": f"{LISTED}/hook", "payload": "application/fhir+json"}
SUBSCRIPTION = {
    "resourceType": "Subscription",
    "status": "requested",
    "reason": "test",
    "criteria": "Observation?status=final",
    "channel": HOOK,
}
OTHER = {"channel": HOOK | {"endpoint": "https://elsewhere.example/hook"}}
"""An endpoint that is not listed."""


@pytest.fixture
def ward(url: str) -> Iterator[Api]:
    with opened(url, settings=WebSettings(notified=allowed([LISTED]))) as found:
        yield found


def _refused_at(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [place for issue in answer.json()["issue"] for place in issue["expression"]]


def test_a_subscription_that_can_be_served_is_stored_as_requested(ward: Api):
    answer = ward.call("POST", "Subscription", SUBSCRIPTION)
    assert answer.status_code == 201
    assert answer.json()["status"] == "requested"


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        (OTHER, "Subscription.channel.endpoint"),
        ({"criteria": "Observation?nothing=1"}, "Subscription.criteria"),
        ({"channel": HOOK | {"type": "email"}}, "Subscription.channel.type"),
        ({"channel": HOOK | {"payload": "application/fhir+xml"}}, "Subscription.channel.payload"),
        ({"channel": HOOK | {"header": ["Host: evil"]}}, "Subscription.channel.header[0]"),
        ({"status": "active"}, "Subscription.status"),
    ],
)
def test_one_that_cannot_is_refused_however_it_comes(ward: Api, changed: dict[str, object], path: str):
    bad = SUBSCRIPTION | changed
    assert _refused_at(ward.call("POST", "Subscription", bad)) == [path]
    assert _refused_at(ward.call("PUT", "Subscription/s", bad | {"id": "s"})) == [path]
    assert _refused_at(ward.call("PUT", "Subscription?_id=s", bad)) == [path]
    assert ward.call("PUT", "Subscription/s", SUBSCRIPTION | {"id": "s"}).status_code == 201
    patch = [{"op": "add", "path": f"/{name}", "value": value} for name, value in changed.items()]
    media = {"content-type": "application/json-patch+json"}
    assert _refused_at(ward.call("PATCH", "Subscription/s", patch, headers=media)) == [path]
    request = {"method": "POST", "url": "Subscription"}
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": bad, "request": request}],
    }
    assert _refused_at(ward.call("POST", "", bundle)) == [f"Bundle.entry[0].resource{path[12:]}"]
    assert ward.call("GET", "Subscription?_total=accurate").json()["total"] == 1


def test_what_is_off_is_stored_whatever_it_asks_for(api: Api):
    answer = api.call("POST", "Subscription", SUBSCRIPTION | OTHER | {"status": "off"})
    assert answer.status_code == 201


def test_a_node_without_a_listed_origin_takes_no_subscription(api: Api):
    assert _refused_at(api.call("POST", "Subscription", SUBSCRIPTION)) == ["Subscription.channel.endpoint"]


def test_with_it_the_access_of_who_sent_it_is_kept(ward: Api):
    """Of each version its own: to edit a subscription gives nobody the sight of another."""
    ward.personas["nurse"] = persona("nurse", ALL, Right.VIEW, Right.DEPOSIT, organisation="ward-7")
    id = ward.call("POST", "Subscription", SUBSCRIPTION).json()["id"]
    edited = SUBSCRIPTION | {"id": id, "criteria": "Patient?active=true"}
    assert ward.call("PUT", f"Subscription/{id}", edited, persona="nurse").status_code == 200
    kept = [ward.node.store.notices.access_of(SYSTEM, id, version_id) for version_id in (1, 2)]
    assert [standing(each).actor for each in kept if each] == ["unprotected", "nurse"]


def test_its_status_tells_the_events_to_who_deposited_it(ward: Api):
    ward.personas["other"] = persona("other", ALL, Right.VIEW)
    id = ward.call("POST", "Subscription", SUBSCRIPTION).json()["id"]
    queue, entry = ward.node.store.notices, ward.node.store.follow(SYSTEM, 0)[0]
    access = queue.access_of(SYSTEM, id, 1)
    assert access is not None
    assert queue.lead(SYSTEM, "a", DAY) == 0
    assert queue.advance(SYSTEM, "a", Advance(0, entry.sequence, (), [(id, 1, access)]))
    for method in ("GET", "POST"):
        answer = ward.call(method, f"Subscription/{id}/$status").json()
        assert answer["link"] == [{"relation": "self", "url": f"{BASE}/Subscription/{id}/$status"}]
        assert answer["entry"][0]["fullUrl"].startswith("urn:uuid:")
        assert ward.call("POST", "Bundle/$validate", answer).json()["issue"][0]["severity"] == "information"
        own = answer["entry"][0]["resource"]
        said = {each["name"]: each for each in own["parameter"]}
        assert said["type"]["valueCode"] == "query-status"
        assert said["status"]["valueCode"] == "requested"
        assert said["events-since-subscription-start"]["valueString"] == "0"
        others = ward.call(method, f"Subscription/{id}/$status", persona="other").json()["entry"][0][
            "resource"
        ]
        assert [each["name"] for each in others["parameter"]] == ["subscription", "status", "type"]
    assert ward.call("GET", "Subscription/never/$status").status_code == 404
    assert ward.call("GET", "Patient/x/$status").status_code == 404
    given = {"resourceType": "Parameters", "parameter": [{"name": "id", "valueId": id}]}
    assert ward.call("POST", f"Subscription/{id}/$status", given).status_code == 400


def test_metrics_say_how_much_waits(ward: Api):
    text = ward.call("GET", "http://record.example/metrics").text
    for name in ("subscriptions", "notifications_waiting", "notifications_dead"):
        assert f"\nkintung_{name} 0\n" in text


# -- A node that is really served -------------------------------------------------------


def _subscribed(client: httpx.Client, origin: str, **changed: object) -> str:
    hook = HOOK | {"endpoint": f"{origin}/hook"}
    answer = client.post("Subscription", json=SUBSCRIPTION | {"channel": hook} | changed)
    assert answer.status_code == 201, answer.text
    id = answer.json()["id"]
    until(lambda: client.get(f"Subscription/{id}").json()["status"] == "active", "the subscription is active")
    return id


def test_a_served_node_tells_its_subscribers(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/record.db"
    with (
        receiver() as hook,
        serving(tmp_path, url, "--notify-origin", hook.origin) as served,
        served.client() as client,
    ):
        _subscribed(client, hook.origin)
        stored = client.put("Observation/o", json=observation("o"))
        (got,) = hook.wait(lambda got: len(got) == 1)
    assert (got.method, got.path) == ("PUT", "/hook/Observation/o")
    assert got.body == stored.content


def test_the_command_shows_what_was_given_up_and_sends_it_again(tmp_path: Path):
    """The days of trying pass on a clock that is set; the rest is the command and the node as they are."""
    url, keys = f"sqlite:///{tmp_path}/record.db", tmp_path / "keys"
    clock = SetClock(START)
    with receiver() as hook:
        listed = allowed([hook.origin])
        with open_node(url, keys=keys, clock=clock, entropy=SeededEntropy(1)) as node:
            telling = Telling(Record(node.store, node.scribe, clock), hook)
            telling.subscribe(telling.plain())
            telling.run()
            hook.answer = answering(500)
            telling.record.put(observation("o"))
            telling.run()
            clock.jump(4 * DAY)
            telling.run()
            telling.follower.resign()
        listing = done(kintung(tmp_path, "unsent", "--database", url, "--keys", keys))
        line, count, *_ = listing.splitlines()
        assert "Subscription/s  Observation/o/_history/1  2 attempts since 2022-10-19T00:00:00Z" in line
        assert line.endswith("The receiver answered 500.")
        assert count == "1 given up, 0 waiting, 1 subscriptions in force."
        number = line.split()[0]
        wrong = kintung(tmp_path, "unsent", "--database", url, "--keys", keys, "--replay", "some")
        assert wrong.returncode == 2
        done(kintung(tmp_path, "unsent", "--database", url, "--keys", keys, "--replay", number))
        hook.answer = answering(200)
        before = len(hook.got)
        with open_node(url, keys=keys) as node, telling_of(node, "http://node/fhir", listed):
            hook.wait(lambda got: len(got) > before)
            until(lambda: node.store.notices.tally().waiting == 0, "nothing waits")
