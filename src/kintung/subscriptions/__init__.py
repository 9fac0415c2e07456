"""Telling others what happens: R4 Subscription and the topic-based backport to R4.

``subscription`` understands what is asked for and ``filters`` says which changes it is about.
``follower`` turns the log into a queue, ``delivery`` sends what is queued as ``notifications``,
on the ``schedule``, by ``outbound``, the one client by which anything leaves. ADR 0018.
"""

from kintung.subscriptions.delivery import Delivery
from kintung.subscriptions.filters import Change, Filter, parse_filter, wants
from kintung.subscriptions.follower import Follower
from kintung.subscriptions.notifications import status_parameters
from kintung.subscriptions.outbound import Allowed, Outbound, Undelivered, allowed
from kintung.subscriptions.schedule import pause_after
from kintung.subscriptions.service import Service
from kintung.subscriptions.standing import Subscriptions, Told
from kintung.subscriptions.subscription import (
    BACKPORT,
    PROFILE,
    Content,
    Subscription,
    require_acceptable,
    subscription_of,
)

__all__ = [
    "BACKPORT",
    "PROFILE",
    "Allowed",
    "Change",
    "Content",
    "Delivery",
    "Filter",
    "Follower",
    "Outbound",
    "Service",
    "Subscription",
    "Subscriptions",
    "Told",
    "Undelivered",
    "allowed",
    "parse_filter",
    "pause_after",
    "require_acceptable",
    "status_parameters",
    "subscription_of",
    "wants",
]
