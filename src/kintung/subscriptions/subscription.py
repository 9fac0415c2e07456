"""A Subscription resource, understood: what it is about, and where and how it is told.

Two forms are read. In that of R4 ``criteria`` is a search. In the topic-based backport it is the
canonical URL of a topic, and filters stand in an extension of it.

Sources: http://hl7.org/fhir/R4/subscription.html and
http://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription.html.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kintung.definitions import Topic, Trigger, topics
from kintung.errors import BadInput, RuleFailed
from kintung.fhir.search import span
from kintung.subscriptions.filters import Filter, parse_filter
from kintung.subscriptions.outbound import Allowed, Target

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
PROFILE = f"{BACKPORT}backport-subscription"
MOST_HEADERS = 20
LEAST_HEARTBEAT_SECONDS = 10
"""Heartbeats asked for more often come this often."""

_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}):[ \t]*([\x20-\x7e]{0,4096})")
_NOT_THEIRS = re.compile(
    r"connection|content-(?:length|type|encoding)|expect|host|keep-alive"
    r"|proxy-.*|te|trailer|transfer-encoding|upgrade"
)
"""Header fields the node sets itself, or that are about the connection."""
_JSON = re.compile(r"application/(?:fhir\+)?json(?:\s*;\s*charset\s*=\s*\"?utf-8\"?)?", re.IGNORECASE)


class Content(StrEnum):
    """What of a resource a notification shows."""

    EMPTY = "empty"
    ID_ONLY = "id-only"
    FULL_RESOURCE = "full-resource"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a subscriber wants.

    Attributes:
        topic: of the backport; None for R4's own form.
        content: of R4's own form, FULL_RESOURCE where it has a payload, else EMPTY.
        media_type: of the notifications.
        headers: to be sent along, as the subscriber wrote them.
        heartbeat_seconds: of silence after which it is told that all is well; 0 for never.
        end_micros: from when on it is off, UTC microseconds; None for no end.
    """

    filter: Filter
    triggers: tuple[Trigger, ...]
    topic: Topic | None
    target: Target
    content: Content
    media_type: str
    headers: tuple[tuple[str, str], ...]
    heartbeat_seconds: int = 0
    end_micros: int | None = None


def is_asking(resource: Mapping[str, Any]) -> bool:
    """Whether a Subscription asks to be told of anything; ``off`` asks for nothing."""
    return resource.get("status") != "off"


def require_acceptable(
    resource: Mapping[str, Any], allowed: Allowed, *, now_micros: int, offset_minutes: int, base: str
) -> None:
    """Refuse a Subscription that is sent to the node and could not be served.

    Raises:
        RuleFailed: all that is wrong, one issue each.
    """
    if not is_asking(resource):
        return
    if resource.get("status") != "requested":
        raise RuleFailed(
            "Send a Subscription as requested, or off; the node says active and error.",
            path="Subscription.status",
        )
    subscription_of(resource, allowed, now_micros=now_micros, offset_minutes=offset_minutes, base=base)


def subscription_of(
    resource: Mapping[str, Any], allowed: Allowed, *, now_micros: int, offset_minutes: int, base: str
) -> Subscription:
    """What a valid Subscription resource asks for.

    Args:
        allowed: where this node sends to.
        now_micros: the instant the resource was made, for the ``ap`` prefix of dates.
        base: the node's own address; references under it are local.

    Raises:
        RuleFailed: it asks for what is not offered; ``path`` says where.
    """
    criteria = str(resource.get("criteria", ""))
    channel: dict[str, Any] = resource.get("channel", {})
    topic = topics().get(criteria)
    if topic is None and (_is_backport(resource) or "://" in criteria.partition("?")[0]):
        offered = ", ".join(topics())
        raise RuleFailed(f"This topic is not offered; offered are: {offered}.", path="Subscription.criteria")
    filters = [criteria] if topic is None else _filters(resource)
    content = _content(channel, topic)
    path = "Subscription.criteria" if topic is None else "Subscription.criteria.extension"
    filter = parse_filter(filters, path=path, now_micros=now_micros, offset_minutes=offset_minutes, base=base)
    if topic is not None and "link" in topic.triggers and filter.type != "Patient":
        raise RuleFailed("This topic is of Patients; write its filter as Patient?identifier=...", path=path)
    return Subscription(
        filter=filter,
        triggers=("create", "update") if topic is None else topic.triggers,
        topic=topic,
        target=_target(channel, allowed),
        content=content,
        media_type=_media_type(channel, needed=topic is not None),
        headers=tuple(_headers(channel.get("header", ()))),
        heartbeat_seconds=_heartbeat(channel) if topic is not None else 0,
        end_micros=_end(resource["end"], offset_minutes) if "end" in resource else None,
    )


def _is_backport(resource: Mapping[str, Any]) -> bool:
    meta: dict[str, Any] = resource.get("meta", {})
    profiles: list[Any] = meta.get("profile", [])
    return any(str(profile).partition("|")[0] == PROFILE for profile in profiles)


def _filters(resource: Mapping[str, Any]) -> list[str]:
    found = [
        str(value)
        for value in _extensions(resource.get("_criteria"), "backport-filter-criteria", "valueString")
    ]
    if not found:
        raise RuleFailed(
            "A topic is of every resource type; say which by a backport-filter-criteria extension on"
            " criteria, such as Observation?code=8867-4.",
            path="Subscription.criteria.extension",
        )
    return found


def _content(channel: Mapping[str, Any], topic: Topic | None) -> Content:
    if topic is None:
        return Content.FULL_RESOURCE if "payload" in channel else Content.EMPTY
    found = _extensions(channel.get("_payload"), "backport-payload-content", "valueCode")
    try:
        return Content(found[0]) if found else Content.EMPTY
    except ValueError:
        raise RuleFailed(
            "The content of notifications is empty, id-only or full-resource.",
            path="Subscription.channel.payload.extension",
        ) from None


def _media_type(channel: Mapping[str, Any], *, needed: bool) -> str:
    given = channel.get("payload")
    if given is None and not needed:
        return ""
    if given is not None and not _JSON.fullmatch(given):
        raise RuleFailed("Notifications are application/fhir+json.", path="Subscription.channel.payload")
    return given or "application/fhir+json"


def _target(channel: Mapping[str, Any], allowed: Allowed) -> Target:
    if channel.get("type") != "rest-hook":
        raise RuleFailed("The only channel offered is rest-hook.", path="Subscription.channel.type")
    try:
        return allowed.require(str(channel.get("endpoint", "")))
    except BadInput as error:
        raise RuleFailed(str(error), path="Subscription.channel.endpoint") from None


def _headers(listed: Sequence[Any]) -> list[tuple[str, str]]:
    if len(listed) > MOST_HEADERS:
        raise RuleFailed(f"A channel has at most {MOST_HEADERS} headers.", path="Subscription.channel.header")
    found: list[tuple[str, str]] = []
    for place, text in enumerate(listed):
        match = _HEADER.fullmatch(str(text))
        if match is None or _NOT_THEIRS.fullmatch(match[1].lower()):
            raise RuleFailed(
                "A header is written as Name: value, and is none that the node sets itself.",
                path=f"Subscription.channel.header[{place}]",
            )
        found.append((match[1], match[2].strip()))
    return found


def _end(text: str, offset_minutes: int) -> int:
    try:
        return span(text, offset_minutes)[0]
    except ValueError:
        raise RuleFailed("The end is at a time that does not exist.", path="Subscription.end") from None


def _heartbeat(channel: Mapping[str, Any]) -> int:
    found = _extensions(channel, "backport-heartbeat-period", "valueUnsignedInt")
    seconds = found[0] if found else 0
    return max(int(seconds), LEAST_HEARTBEAT_SECONDS) if seconds else 0


def _extensions(element: Any, name: str, value: str) -> list[Any]:
    """The values of the extensions of an element that have this name."""
    listed = element.get("extension") if isinstance(element, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return [
        each[value]
        for each in (listed or ())  # pyright: ignore[reportUnknownVariableType]
        if isinstance(each, dict) and each.get("url") == BACKPORT + name and value in each  # pyright: ignore[reportUnknownMemberType]
    ]
