"""A number under the URI of its system: understood, or refused with what to do; and masked.

What each kind of document adds to the format of its naming system stands in the table here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from kintung.definitions import NamingSystem, naming_systems
from kintung.errors import NotSupported, ValueInvalid
from kintung.identity.identifiers import (
    bir,
    birth_certificate,
    certificate_of_exemption,
    ehr_number,
    exit_entry_permit,
    hkid,
    home_return_permit,
    mainland_id,
    passport,
    residence_permit,
    taiwan_compatriot_permit,
)
from kintung.identity.identifiers.normal_form import normalise, plain
from kintung.identity.identifiers.said import Check, Region, Said, Sex

MOST_SIGNS = 40
"""Longer values are masked as if they were so long."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that its document may bear.

    Attributes:
        document: id of the naming system, ``hkid``.
        uri: system URI that it came with.
        normal: normal form; two numbers of one ``document`` are the same when these are.
        check: see ``Check``. A check digit that was added is ``missing``: no slip was ruled out.
        birth_date, sex, region: as the number itself says; None where it does not.
    """

    document: str
    uri: str
    normal: str
    check: Check
    birth_date: date | None
    sex: Sex | None
    region: Region | None


class _Document(NamedTuple):
    """How numbers of the format are read and masked, and how others are read, where they may be."""

    read: Callable[[str], Said]
    masked: Callable[[str], str] | None = None
    read_other: Callable[[str], Said] | None = None


DOCUMENTS = {
    "hkid": _Document(hkid.read, hkid.masked),
    "hk-birth-certificate": _Document(
        birth_certificate.read, birth_certificate.masked, birth_certificate.read_other
    ),
    "hk-certificate-of-exemption": _Document(certificate_of_exemption.read),
    "ehr-number": _Document(ehr_number.read),
    "mainland-id": _Document(mainland_id.read, mainland_id.masked),
    "mainland-residence-permit": _Document(residence_permit.read, residence_permit.masked),
    "home-return-permit": _Document(home_return_permit.read, home_return_permit.masked),
    "taiwan-compatriot-permit": _Document(taiwan_compatriot_permit.read, taiwan_compatriot_permit.masked),
    "exit-entry-permit": _Document(exit_entry_permit.read, exit_entry_permit.masked),
    "macao-bir": _Document(bir.read, bir.masked),
    "passport": _Document(passport.read),
}
"""By id of the naming system."""


def _says_nothing(_normal: str) -> Said:
    return Said()


_OTHER = _Document(_says_nothing)

_SYSTEMS = {uri: system for system in naming_systems() for uri in system.uris}
_FAMILIES = tuple((prefix, system) for system in naming_systems() for prefix in system.prefixes)
_FORMATS = {system.id: re.compile(system.format) for system in naming_systems()}


def parse(uri: str, value: str, *, path: str | None = None, on: date | None = None) -> Number:
    """Read a number as it is written, with brackets, spaces and full-width signs or without.

    Args:
        uri: system of the identifier.
        path: FHIRPath to the identifier, for what is raised.
        on: a day; a birth date after it is impossible. None leaves that open.

    Raises:
        NotSupported: the system is not known here.
        ValueInvalid: not a number of this system, a wrong check digit, an impossible birth date.
    """
    system = _system(uri)
    if system is None:
        raise NotSupported(
            "The system of this identifier is not known here, so its value is compared as it is written; "
            "use the URI of a naming system of this node, or have the system defined.",
            path=_below(path, "system"),
        )
    normal = normalise(uri, value)
    try:
        said = _read(system, normal, on)
        if system.adds and plain(value) != normal:
            said = _without_check_digit(system, value, said)
    except ValueInvalid as error:
        raise ValueInvalid(str(error), path=_below(path, "value")) from None
    return Number(system.id, uri, normal, *said)


def is_known(uri: str) -> bool:
    """Whether a system is one of ours, so that its numbers can be read."""
    return _system(uri) is not None


def is_valid(uri: str, value: str) -> bool:
    """Whether a value may be a number of its system; what is of an unknown system is not."""
    try:
        parse(uri, value)
    except (NotSupported, ValueInvalid):
        return False
    return True


def mask(uri: str, value: str) -> str:
    """What a screen or a log may show of a number: ``A123***(*)``, never the whole.

    Of what is no number of its system, a quarter of the signs, and never more than four.
    """
    system = _system(uri)
    normal = normalise(uri, value) if system is not None else plain(value)
    masked = DOCUMENTS.get(system.id, _OTHER).masked if system is not None else None
    if masked is not None and system is not None and _FORMATS[system.id].fullmatch(normal):
        return masked(normal)
    shown = min(4, len(normal) // 4)
    return normal[:shown] + "*" * (min(len(normal), MOST_SIGNS) - shown)


@lru_cache(1024)
def _system(uri: str) -> NamingSystem | None:
    found = _SYSTEMS.get(uri)
    if found is not None:
        return found
    families = (system for prefix, system in _FAMILIES if uri.startswith(prefix) and uri != prefix)
    return next(families, None)


def _read(system: NamingSystem, normal: str, on: date | None) -> Said:
    document = DOCUMENTS.get(system.id, _OTHER)
    if not any(map(str.isalnum, normal)):
        raise ValueInvalid("The identifier holds no number; leave it out, or give the number.")
    if not system.format or _FORMATS[system.id].fullmatch(normal):
        said = document.read(normal)
    elif document.read_other is not None:
        said = document.read_other(normal)
    else:
        raise _of_another_form(system)
    if said.birth_date is not None and on is not None and said.birth_date > on:
        raise ValueInvalid("The birth date inside the number is still to come; compare it with the card.")
    return said


def _without_check_digit(system: NamingSystem, value: str, said: Said) -> Said:
    """``A123456`` lacks its check digit; ``A12345(6)`` has one, and lacks another."""
    if value.rstrip().endswith((")", "）")):
        raise _of_another_form(system)
    return said._replace(check="missing")


def _of_another_form(system: NamingSystem) -> ValueInvalid:
    example = f", as {system.examples[0].written.strip()} is" if system.examples else ""
    return ValueInvalid(f"This is not the form of a number of its system{example}; compare it.")


def _below(path: str | None, element: str) -> str | None:
    return None if path is None else f"{path}.{element}"
