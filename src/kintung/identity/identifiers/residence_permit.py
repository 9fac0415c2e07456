"""The number of a residence permit (居住證) of Hong Kong, Macao and Taiwan residents.

As a mainland identity number, with the area 810000, 820000 or 830000. Source: GB 11643-1999 and
the State Council's measures of 2018 for these permits.
"""

from kintung.identity.identifiers import mainland_id
from kintung.identity.identifiers.said import Region, Said

_REGIONS: dict[str, Region] = {"81": "HK", "82": "MO", "83": "TW"}


def read(normal: str) -> Said:
    """Birth date, sex and region; raises ValueInvalid as ``mainland_id.read_18``."""
    return mainland_id.read_18(normal)._replace(region=_REGIONS[normal[:2]])


masked = mainland_id.masked
