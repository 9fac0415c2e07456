"""What is sent: a request, made of what the subscriber may see.

R4's own form: with a payload an update of the resource below the endpoint, else an empty POST.
The backport: a POST of a history Bundle that begins with the status as Parameters.

Sources: http://hl7.org/fhir/R4/valueset-subscription-channel-type.html and
http://hl7.org/fhir/uv/subscriptions-backport/STU1.1/notifications.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from kintung.definitions import Trigger
from kintung.subscriptions.outbound import Method, Target
from kintung.subscriptions.subscription import BACKPORT, Content, Subscription

Kind = Literal["handshake", "heartbeat", "event-notification", "query-status"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REQUESTS: Mapping[Trigger, tuple[str, str]] = {
    "create": ("POST", "201"),
    "update": ("PUT", "200"),
    "delete": ("DELETE", "204"),
    "link": ("PUT", "200"),
    "unlink": ("PUT", "200"),
}
_OF_LINKS = ("link", "unlink")


@dataclass(frozen=True, slots=True)
class Event:
    """One change as it is told. ``body`` is b"" for a deletion; ``at`` in UTC microseconds."""

    number: int
    trigger: Trigger
    type: str
    id: str
    version_id: int
    at: int
    body: bytes


@dataclass(frozen=True, slots=True)
class State:
    """How a subscription stands: its status, and how many events it has been told of."""

    id: str
    status: str
    events: int


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification, whatever form it is sent in.

    Attributes:
        name: of this one, new for each: a UUID.
        at: instant of sending, UTC microseconds.
        base: address of the FHIR API of the node.
        event: of an event-notification; None for others.
    """

    kind: Kind
    name: str
    at: int
    base: str
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A request to make."""

    method: Method
    target: Target
    headers: Mapping[str, str]
    body: bytes


def message(subscription: Subscription, state: State, told: Notification) -> Message:
    """The request that tells a subscriber."""
    headers = dict(subscription.headers) | {"User-Agent": "Kintung"}
    event = told.event
    if subscription.topic is not None:
        body = _bundle(subscription, state, told)
        return _message("POST", subscription, subscription.target, headers, body)
    if event is None or subscription.content is Content.EMPTY:
        return Message("POST", subscription.target, headers, b"")
    return _message("PUT", subscription, subscription.target.below(event.type, event.id), headers, event.body)


def _message(
    method: Method, subscription: Subscription, target: Target, headers: dict[str, str], body: bytes
) -> Message:
    return Message(method, target, headers | {"Content-Type": subscription.media_type}, body)


def _bundle(subscription: Subscription, state: State, told: Notification) -> bytes:
    """A notification of the backport as JSON; bodies stand in it letter for letter."""
    status = {
        "fullUrl": f"urn:uuid:{told.name}",
        "resource": _parameters(subscription, state, told),
        "request": {"method": "GET", "url": f"Subscription/{state.id}/$status"},
        "response": {"status": "200"},
    }
    entries = [status]
    if told.event is not None and subscription.content is not Content.EMPTY:
        entries.append(_entry(told.event, told.base, full=subscription.content is Content.FULL_RESOURCE))
    return msgspec.json.encode(
        {
            "resourceType": "Bundle",
            "id": told.name,
            "type": "history",
            "timestamp": instant(told.at),
            "entry": entries,
        }
    )


def status_parameters(
    id: str, status: str, *, topic: str, events: int | None, base: str, kind: Kind
) -> dict[str, Any]:
    """The status of a Subscription: a SubscriptionStatus, which in R4 is written as Parameters.

    Args:
        topic: its canonical URL; "" for none.
        events: told so far; None where that is not said.
    """
    listed: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": f"{base}/Subscription/{id}"}}
    ]
    if topic:
        listed.append({"name": "topic", "valueCanonical": topic})
    listed += [{"name": "status", "valueCode": status}, {"name": "type", "valueCode": kind}]
    if events is not None:
        listed.append({"name": "events-since-subscription-start", "valueString": str(events)})
    return {
        "resourceType": "Parameters",
        "meta": {"profile": [f"{BACKPORT}backport-subscription-status-r4"]},
        "parameter": listed,
    }


def _parameters(subscription: Subscription, state: State, told: Notification) -> dict[str, Any]:
    event = told.event
    topic = subscription.topic.url if subscription.topic is not None else ""
    said = status_parameters(
        state.id, state.status, topic=topic, events=state.events, base=told.base, kind=told.kind
    )
    if event is not None:
        part: list[dict[str, Any]] = [
            {"name": "event-number", "valueString": str(event.number)},
            {"name": "timestamp", "valueInstant": instant(event.at)},
        ]
        if subscription.content is not Content.EMPTY:
            names = ("focus", "additional-context")
            part += [
                {"name": name, "valueReference": {"reference": about}}
                for name, about in zip(names, _about(event, told.base), strict=False)
            ]
        said["parameter"].append({"name": "notification-event", "part": part})
    return {"resourceType": "Parameters", "id": told.name} | said


def _about(event: Event, base: str) -> list[str]:
    """Addresses of what an event is about: of a resource, or of the two Patients of a link."""
    if event.trigger in _OF_LINKS:
        return [f"{base}/Patient/{id}" for id in event.id.split("/")]
    return [f"{base}/{event.type}/{event.id}"]


def linkage(one: str, other: str, base: str, *, is_active: bool) -> bytes:
    """How a link of two Patients is told: http://hl7.org/fhir/R4/linkage.html. None of them is the first."""
    items = [{"type": "alternate", "resource": {"reference": f"{base}/Patient/{id}"}} for id in (one, other)]
    return msgspec.json.encode({"resourceType": "Linkage", "active": is_active, "item": items})


def _entry(event: Event, base: str, *, full: bool) -> dict[str, Any]:
    method, status = _REQUESTS[event.trigger]
    if event.trigger in _OF_LINKS:
        url = "Linkage?" + "&".join(f"item={about}" for about in _about(event, base))
        shown = {"resource": msgspec.Raw(event.body)} if full else {}
        told = {"status": status, "lastModified": instant(event.at)}
        return {**shown, "request": {"method": method, "url": url}, "response": told}
    url = event.type if event.trigger == "create" else f"{event.type}/{event.id}"
    entry: dict[str, Any] = {"fullUrl": f"{base}/{event.type}/{event.id}"}
    if full and event.body:
        entry["resource"] = msgspec.Raw(event.body)
    response = {"status": status, "etag": f'W/"{event.version_id}"', "lastModified": instant(event.at)}
    return entry | {"request": {"method": method, "url": url}, "response": response}


def instant(at: int) -> str:
    """An instant as FHIR writes it, to the microsecond as ``meta.lastUpdated`` is."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")
