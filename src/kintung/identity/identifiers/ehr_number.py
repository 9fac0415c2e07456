"""The eHealth record number: one for a person in all of eHealth, with no form that is published."""

from kintung.identity.identifiers.said import Said


def read(_normal: str) -> Said:
    """That it is of Hong Kong; it is no sign of being a resident."""
    return Said()
