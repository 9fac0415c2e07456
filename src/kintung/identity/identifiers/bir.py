"""The number of a Macao resident identity card (BIR): ``1234567(8)``, normal form ``12345678``.

Seven digits, of which the first is 1, 5 or 7, and one in brackets, by a rule that is not published.
"""

from kintung.identity.identifiers.said import Said


def read(_normal: str) -> Said:
    """The region."""
    return Said(region="MO")


def masked(normal: str) -> str:
    """``123****(*)``."""
    return f"{normal[:3]}****(*)"
