"""Identifier systems whose values never stand in clear outside a sealed body.

Each is a definition in ``naming_systems/``, after the FHIR NamingSystem, with a mark
``vaulted`` and the rule that brings the ways to write one number to one normal form. The
store indexes a keyed hash of that form; see ``docs/reference/definitions.md``.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Literal, NamedTuple

import msgspec

from kintung.definitions.check_digits import hkid_check_digit
from kintung.definitions.reader import read
from kintung.errors import ValueInvalid

NORMAL_FORM = 1
"""Of ``VaultedSystem.normalise``; to be raised when a value gets another normal form than before."""

_HKID_WITHOUT_CHECK_DIGIT = re.compile(r"[A-Z]{1,2}[0-9]{6}").fullmatch


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to write a number, and its normal form. Never the number of a real person."""

    written: str
    normal: str


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"zh_hk": "zh-HK"}):
    en: str
    zh_hk: str


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


class VaultedSystem(NamedTuple):
    """A vaulted system as asked for: ``uri`` is the system URI that stands in the identifier.

    For a family in :func:`vaulted_systems` it is the prefix. ``name`` is the id of the
    definition.
    """

    uri: str
    name: str
    format: re.Pattern[str]
    significant: int
    adds_hkid_check_digit: bool

    def normalise(self, value: str) -> str:
        """Bring a value to its normal form; any text is taken, none is refused.

        Full-width forms become plain (NFKC), letters capital, and whatever is neither
        letter nor digit (brackets, spaces, hyphens, slashes) goes; a value that would be
        left empty keeps its signs, so that two such values do not become one. Then the
        rule of the system: the check digit added, the re-issue count cut off.
        """
        normal = _plain(value)
        if self.adds_hkid_check_digit and _HKID_WITHOUT_CHECK_DIGIT(normal):
            return normal + hkid_check_digit(normal)
        if self.significant and self.format.fullmatch(normal):
            return normal[: self.significant]
        return normal


def naming_systems() -> tuple[NamingSystem, ...]:
    """Return every naming system defined, vaulted or not."""
    return _SYSTEMS


def vaulted_system(uri: str) -> VaultedSystem | None:
    """Return the rule of a system URI, or None when its values may be indexed in clear."""
    system = _BY_URI.get(uri)
    if system is not None or not uri.startswith(_PREFIXES):  # asked for every token of every resource
        return system
    family = next(family for family in _FAMILIES if uri.startswith(family.uri))
    return family._replace(uri=uri)


def vaulted_systems() -> tuple[VaultedSystem, ...]:
    """Return every vaulted system once by each of its URIs, and each family by its prefix."""
    return _ALL


def vaulted_fingerprint() -> str:
    """Return what changes whenever a value would be hashed that was not, or another way.

    It is the SHA-256 of the number of the normal form and of the rule of each vaulted URI.
    """
    rules = sorted(
        (rule.uri, rule.format.pattern, rule.significant, rule.adds_hkid_check_digit) for rule in _ALL
    )
    return hashlib.sha256(repr((NORMAL_FORM, rules)).encode()).hexdigest()


def normal_forms(value: str) -> tuple[str, ...]:
    """Return each different normal form that ``value`` has under the vaulted systems.

    For a search by value without a system. There are few: most systems share one rule.
    """
    return tuple(dict.fromkeys(rule.normalise(value) for rule in _DIFFERENT_RULES))


def load_systems(files: Iterable[NamingSystems]) -> tuple[NamingSystem, ...]:
    """Check the definitions and give their systems.

    Raises:
        ValueInvalid: an id or URI twice, no URI at all, a ``format`` that is no regular
            expression, an example whose normal form is another.
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
        _check_examples(system)
    return systems


def _check_examples(system: NamingSystem) -> None:
    rule = _rule(system, "")
    for example in system.examples:
        if rule.normalise(example.written) != example.normal:
            raise ValueInvalid(
                f"{system.id}: {example.written} has the normal form {rule.normalise(example.written)}"
            )


def _rule(system: NamingSystem, uri: str) -> VaultedSystem:
    try:
        pattern = re.compile(system.format)
    except re.error as error:
        raise ValueInvalid(f"{system.id}: format is no regular expression: {error}") from error
    return VaultedSystem(uri, system.id, pattern, system.significant, system.adds == "hkid check digit")


def _plain(value: str) -> str:
    signs = unicodedata.normalize("NFKC", value).upper()
    kept = "".join(filter(str.isalnum, signs))
    return unicodedata.normalize("NFKC", kept or signs)


_SYSTEMS = load_systems(read("naming_systems", NamingSystems).values())
_BY_URI = {uri: _rule(system, uri) for system in _SYSTEMS if system.vaulted for uri in system.uris}
_FAMILIES = tuple(_rule(system, uri) for system in _SYSTEMS if system.vaulted for uri in system.prefixes)
_PREFIXES = tuple(family.uri for family in _FAMILIES)
_ALL = (*_BY_URI.values(), *_FAMILIES)
_DIFFERENT_RULES = tuple({rule[2:]: rule for rule in _ALL}.values())
