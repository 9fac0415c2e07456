"""The number of a passport: up to twelve letters and digits, of the country its system names.

One number may be in use by two countries, so a number without its country says nobody. There is
no check digit in the number itself; that of ICAO Doc 9303 stands in the machine-readable zone.
"""

from kintung.identity.identifiers.said import Said


def read(_normal: str) -> Said:
    """Nothing: the country is that of the system."""
    return Said()
