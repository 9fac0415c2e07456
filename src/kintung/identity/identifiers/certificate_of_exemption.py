"""The number of a Certificate of Exemption (Cap. 115): free text, with no form that is published."""

from kintung.identity.identifiers.said import Said


def read(_normal: str) -> Said:
    """That it is of Hong Kong."""
    return Said(region="HK")
