"""The number of a mainland travel permit for Taiwan residents (台胞證): eight digits.

Two that count re-issues may follow; they are no part of the normal form. There is no check digit.
"""

from kintung.identity.identifiers.said import Said


def read(_normal: str) -> Said:
    """The region."""
    return Said(region="TW")


def masked(normal: str) -> str:
    """``999*****``."""
    return normal[:3] + "*" * (len(normal) - 3)
