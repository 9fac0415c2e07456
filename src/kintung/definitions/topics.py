"""Topics that may be subscribed to, from ``subscription_topics/``.

Source: http://hl7.org/fhir/uv/subscriptions-backport/STU1.1/components.html#subscription-topics-in-r4:
a topic is named by its canonical URL; the guide leaves it to the server how it is described.
"""

from functools import cache
from typing import Literal

import msgspec

from kintung.definitions.label import Label
from kintung.definitions.reader import read

Trigger = Literal["create", "update", "delete", "link", "unlink"]
"""What happens: to a resource, or to the link of two source Patients."""


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens that subscribers may be told of."""

    id: str
    url: str
    label: Label
    triggers: tuple[Trigger, ...]
    source: str


class _Topics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    topics: tuple[Topic, ...]


@cache
def topics() -> dict[str, Topic]:
    """Every topic by its canonical URL."""
    return {
        topic.url: topic for file in read("subscription_topics", _Topics).values() for topic in file.topics
    }
