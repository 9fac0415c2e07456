"""The number of a Hong Kong birth certificate.

Since 1980 it is the HKID number of the person, written without or with its check digit; an
earlier one has a number of another form, which is kept as it is and says nothing.
"""

from kintung.identity.identifiers import hkid
from kintung.identity.identifiers.said import Said

read = hkid.read
"""Of a number in the form of an HKID; raises ValueInvalid for a wrong check digit."""
masked = hkid.masked


def read_other(_normal: str) -> Said:
    """Of a number of an earlier form."""
    return Said(region="HK")
