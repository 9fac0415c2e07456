"""The number of a Home Return Permit (回鄉證): ``H`` or ``M`` and eight digits kept for life.

Two digits that count re-issues may follow; they are no part of the normal form. There is no
check digit. Source: rule of the Ministry of Public Security, 2010.
"""

from kintung.identity.identifiers.said import Region, Said

_REGIONS: dict[str, Region] = {"H": "HK", "M": "MO"}


def read(normal: str) -> Said:
    """The region whose resident the holder is."""
    return Said(region=_REGIONS[normal[0]])


def masked(normal: str) -> str:
    """``H999*****``."""
    return normal[:4] + "*" * (len(normal) - 4)
