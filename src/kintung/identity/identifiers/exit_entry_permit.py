"""The number of an exit-entry permit (往來港澳通行證): ``C``, a digit or letter, and seven digits.

The letter is none of I and O. A new permit has a new number. There is no check digit.
"""

from kintung.identity.identifiers.home_return_permit import masked
from kintung.identity.identifiers.said import Said

__all__ = ["masked", "read"]


def read(_normal: str) -> Said:
    """Nothing: the holder is a mainland resident."""
    return Said()
