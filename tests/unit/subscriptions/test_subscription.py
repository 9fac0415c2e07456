"""What a Subscription asks for, in R4's own form and in that of the backport."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kintung.errors import KintungError, RuleFailed
from kintung.fhir.search import OFFSET_MINUTES
from kintung.fhir.structure import require_valid
from kintung.subscriptions import Content, allowed, require_acceptable, subscription_of
from kintung.subscriptions.subscription import BACKPORT, LEAST_HEARTBEAT_SECONDS, PROFILE
from tests.scale import counts

ALLOWED = allowed(["https://ward.example.hk"])
CHANGED = "https://kintung.org/fhir/SubscriptionTopic/resource-changed"
HOOK = {
    "type": "rest-hook",
    "endpoint": "https://ward.example.hk/hook",
    "payload": "application/fhir+json",
    "header": ["Authorization: Bearer secret"],
}
PLAIN = {
    "resourceType": "Subscription",
    "status": "requested",
    "reason": "test",
    "criteria": "Observation?status=final",
    "channel": HOOK,
}
TOPIC = PLAIN | {
    "meta": {"profile": [PROFILE]},
    "criteria": CHANGED,
    "_criteria": {
        "extension": [
            {"url": f"{BACKPORT}backport-filter-criteria", "valueString": "Observation?status=final"}
        ]
    },
    "channel": HOOK
    | {
        "extension": [{"url": f"{BACKPORT}backport-heartbeat-period", "valueUnsignedInt": 60}],
        "_payload": {"extension": [{"url": f"{BACKPORT}backport-payload-content", "valueCode": "id-only"}]},
    },
}


def _read(resource):
    return subscription_of(resource, ALLOWED, now_micros=0, offset_minutes=OFFSET_MINUTES, base="")


def _require(resource):
    require_acceptable(resource, ALLOWED, now_micros=0, offset_minutes=OFFSET_MINUTES, base="")


def test_form_of_r4():
    wanted = _read(PLAIN | {"end": "2023-01-01T00:00:00Z"})
    assert (wanted.topic, wanted.triggers, wanted.content) == (
        None,
        ("create", "update"),
        Content.FULL_RESOURCE,
    )
    assert wanted.filter.type == "Observation"
    assert wanted.headers == (("Authorization", "Bearer secret"),)
    assert wanted.end_micros == 1_672_531_200_000_000


def test_without_a_payload_nothing_of_the_resource_is_shown():
    channel = {name: value for name, value in HOOK.items() if name != "payload"}
    assert _read(PLAIN | {"channel": channel}).content is Content.EMPTY


def test_form_of_the_backport():
    wanted = _read(TOPIC)
    assert wanted.topic is not None
    assert wanted.triggers == ("create", "update", "delete")
    assert wanted.content is Content.ID_ONLY
    assert wanted.heartbeat_seconds == 60


def test_heartbeats_are_not_more_frequent_than_the_bound():
    channel = TOPIC["channel"] | {
        "extension": [{"url": f"{BACKPORT}backport-heartbeat-period", "valueUnsignedInt": 1}]
    }
    assert _read(TOPIC | {"channel": channel}).heartbeat_seconds == LEAST_HEARTBEAT_SECONDS


def _channel(**members):
    return PLAIN | {"channel": HOOK | members}


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (PLAIN | {"criteria": "nonsense"}, "criteria"),
        (PLAIN | {"criteria": "https://other.example/topic"}, "criteria"),
        (PLAIN | {"meta": {"profile": [PROFILE]}}, "criteria"),
        (TOPIC | {"_criteria": {}}, "criteria.extension"),
        (_channel(type="websocket"), "channel.type"),
        (_channel(type="email"), "channel.type"),
        (_channel(endpoint="https://other.example/hook"), "channel.endpoint"),
        (_channel(endpoint="http://169.254.169.254/"), "channel.endpoint"),
        (_channel(payload="application/fhir+xml"), "channel.payload"),
        (_channel(payload="text/plain"), "channel.payload"),
        (_channel(header=["no colon"]), "channel.header[0]"),
        (_channel(header=["A: b", "C: d\r\nHost: evil"]), "channel.header[1]"),
        (_channel(header=["Host: evil.example"]), "channel.header[0]"),
        (_channel(header=["Content-Length: 0"]), "channel.header[0]"),
        (_channel(header=["Transfer-Encoding: chunked"]), "channel.header[0]"),
        (_channel(header=["Na me: x"]), "channel.header[0]"),
        (_channel(header=["A: b"] * 21), "channel.header"),
        (PLAIN | {"status": "active"}, "status"),
        (PLAIN | {"status": "error"}, "status"),
    ],
)
def test_what_is_not_offered_is_refused_with_its_place(resource, path):
    with pytest.raises(RuleFailed) as refused:
        _require(resource)
    assert refused.value.path == f"Subscription.{path}"


def test_what_is_off_is_not_looked_at():
    _require(_channel(type="message") | {"status": "off", "criteria": "nonsense"})


def test_both_forms_are_acceptable():
    _require(PLAIN)
    _require(TOPIC)


def test_an_end_that_does_not_exist_is_refused():
    with pytest.raises(RuleFailed) as refused:
        _require(PLAIN | {"end": "2023-02-31T00:00:00Z"})
    assert refused.value.path == "Subscription.end"


odd = st.one_of(
    st.text(max_size=30), st.sampled_from(["", CHANGED, "Observation", "application/json", "Host: x"])
)


@st.composite
def subscriptions(draw: st.DrawFn) -> dict[str, Any]:
    """Subscriptions that are mostly valid R4, with odd values where one may stand."""
    channel: dict[str, Any] = HOOK | draw(
        st.fixed_dictionaries({}, optional={"endpoint": odd, "payload": odd})
    )
    channel |= draw(st.fixed_dictionaries({}, optional={"header": st.lists(odd, max_size=3)}))
    names = ("backport-heartbeat-period", "backport-payload-content", "backport-filter-criteria", "x")
    extension = st.fixed_dictionaries(
        {"url": st.sampled_from([BACKPORT + name for name in names])},
        optional={
            "valueString": odd,
            "valueCode": st.sampled_from(["empty", "id-only", "other"]),
            "valueUnsignedInt": st.integers(0, 2**31 - 1),
        },
    )
    extended = st.fixed_dictionaries({}, optional={"extension": st.lists(extension, min_size=1, max_size=3)})
    channel |= draw(extended)
    channel["_payload"] = draw(extended)
    resource = draw(st.sampled_from([PLAIN, TOPIC])) | {"channel": channel, "_criteria": draw(extended)}
    ends = st.sampled_from(["2023-02-31T00:00:00Z", "2016-12-31T23:59:60Z", "9999-12-31T23:59:59+14:00"])
    return resource | draw(st.fixed_dictionaries({}, optional={"criteria": odd, "end": ends}))


@given(subscriptions())
@settings(max_examples=counts(300, 20_000), suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_valid_is_understood_or_refused(resource: dict[str, Any]):
    """Nothing that was accepted makes the node fail."""
    with suppress(KintungError):
        require_valid(resource)
        _require(resource)
