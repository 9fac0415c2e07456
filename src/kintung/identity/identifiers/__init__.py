"""Numbers that say who somebody is: read, checked, brought to one normal form, masked.

A module for each kind of document says what only that document has: its check digit, the birth
date inside. Pure: what changes with time (a birth date still to come) is asked with a day.
Formats, URIs and labels are in ``kintung/definitions/naming_systems``; the page is
``docs/reference/identifiers.md``.
"""

from kintung.identity.identifiers.documents import Number, is_known, is_valid, mask, parse
from kintung.identity.identifiers.hkid import check_digit as hkid_check_digit
from kintung.identity.identifiers.mainland_id import check_digit as mainland_check_digit
from kintung.identity.identifiers.naming_system import resources as naming_system_resources
from kintung.identity.identifiers.normal_form import (
    VAULTED,
    VaultedSystem,
    fingerprint,
    normalise,
    vaulted_system,
    vaulted_systems,
)
from kintung.identity.identifiers.said import Check, Region, Sex
from kintung.identity.identifiers.warnings import PEOPLE, warnings

__all__ = [
    "PEOPLE",
    "VAULTED",
    "Check",
    "Number",
    "Region",
    "Sex",
    "VaultedSystem",
    "fingerprint",
    "hkid_check_digit",
    "is_known",
    "is_valid",
    "mainland_check_digit",
    "mask",
    "naming_system_resources",
    "normalise",
    "parse",
    "vaulted_system",
    "vaulted_systems",
    "warnings",
]
