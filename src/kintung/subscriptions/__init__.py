"""Telling others what happens: R4 Subscription and the topic-based backport to R4.

``subscription`` understands what is asked for, ``filters`` says which changes it is about, and
``outbound`` is the one client by which anything leaves. ADR 0018.
"""

from kintung.subscriptions.filters import Change, Filter, parse_filter, wants
from kintung.subscriptions.outbound import Allowed, Outbound, Refused, Undelivered, allowed
from kintung.subscriptions.subscription import Content, Subscription, require_acceptable, subscription_of

__all__ = [
    "Allowed",
    "Change",
    "Content",
    "Filter",
    "Outbound",
    "Refused",
    "Subscription",
    "Undelivered",
    "allowed",
    "parse_filter",
    "require_acceptable",
    "subscription_of",
    "wants",
]
