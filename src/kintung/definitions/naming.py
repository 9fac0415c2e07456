"""Identifier systems, from ``naming_systems/``, after the FHIR NamingSystem.

Those marked ``vaulted`` never stand in clear outside a sealed body. What their numbers are, and
the normal form of each, is in ``kintung.identity.identifiers``; see ``docs/reference/definitions.md``.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Literal

import msgspec

from kintung.definitions.label import Label
from kintung.definitions.reader import read
from kintung.errors import ValueInvalid


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to write a number, and its normal form. Never the number of a real person."""

    written: str
    normal: str


class NamingSystem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One system of identifiers.

    ``uris`` are its own, the canonical one first; ``prefixes`` begin the URIs of a family
    (one system for each country's passports). ``type`` is a code of HL7 table 0203.
    ``format`` is a regular expression of the normal form; a value that is otherwise is kept
    and normalised all the same. ``significant`` is how many leading characters of a value of
    that format say who; the rest counts re-issues. ``adds`` names a check digit that a value
    written without it gets. ``start`` is the day from which the mark holds.
    """

    id: str
    label: Label
    type: str
    vaulted: bool
    start: date
    source: str
    uris: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    format: str = ""
    significant: int = 0
    adds: Literal["", "hkid check digit"] = ""
    examples: tuple[Example, ...] = ()


class NamingSystems(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of ``naming_systems/``: the systems of one issuer or region."""

    systems: tuple[NamingSystem, ...]


def naming_systems() -> tuple[NamingSystem, ...]:
    """Return every naming system defined, vaulted or not."""
    return _SYSTEMS


def load_systems(files: Iterable[NamingSystems]) -> tuple[NamingSystem, ...]:
    """Check the definitions and give their systems.

    Raises:
        ValueInvalid: an id or URI twice, no URI at all, a ``format`` that is no regular
            expression.
    """
    systems = tuple(system for file in files for system in file.systems)
    ids: set[str] = set()
    uris: set[str] = set()
    for system in systems:
        own = {*system.uris, *system.prefixes}
        if system.id in ids or not own or own & uris:
            raise ValueInvalid(f"the naming system {system.id} has no URI, or its id or a URI is taken")
        ids.add(system.id)
        uris |= own
        _check_format(system)
    return systems


def _check_format(system: NamingSystem) -> None:
    try:
        re.compile(system.format)
    except re.error as error:
        raise ValueInvalid(f"{system.id}: format is no regular expression: {error}") from error


_SYSTEMS = load_systems(read("naming_systems", NamingSystems).values())
