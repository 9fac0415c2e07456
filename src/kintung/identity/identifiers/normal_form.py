"""The one normal form of the ways to write a number, and which systems are vaulted.

The rules are data of each naming system; the store hashes what comes out (``store.vault``).
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from kintung.definitions import NamingSystem, naming_systems
from kintung.errors import ValueInvalid
from kintung.identity.identifiers import hkid

NORMAL_FORM = 1
"""Of ``VaultedSystem.normalise``; to be raised when a value gets another normal form than before."""


_NOT_PLAIN = re.compile(r"[^0-9A-Z]+")
"""Of ASCII in capitals: what is neither letter nor digit."""


class VaultedSystem(NamedTuple):
    """The rule of a system as asked for: ``uri`` is the system URI that stands in the identifier.

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
        normal = plain(value)
        if self.adds_hkid_check_digit and hkid.lacks_check_digit(normal):
            return normal + hkid.check_digit(normal)
        if self.significant and self.format.fullmatch(normal):
            return normal[: self.significant]
        return normal


class _Vaulted:
    """What the store asks, as ``kintung.store.vault.VaultedSystems``."""

    def of(self, uri: str) -> VaultedSystem | None:
        return vaulted_system(uri)

    def normal_forms(self, value: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.normalise(value) for rule in _DIFFERENT_RULES))


VAULTED = _Vaulted()
"""For the store: the rule of a URI, and the normal forms of a value whose system is not known."""


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


def normalise(uri: str, value: str) -> str:
    """Bring a value to the normal form of its system; as it is when the system is not vaulted."""
    rule = vaulted_system(uri)
    return value if rule is None else rule.normalise(value)


def fingerprint() -> str:
    """Return what changes whenever a value would be hashed that was not, or another way.

    It is the SHA-256 of the number of the normal form and of the rule of each vaulted URI.
    """
    rules = sorted(
        (rule.uri, rule.format.pattern, rule.significant, rule.adds_hkid_check_digit) for rule in _ALL
    )
    return hashlib.sha256(repr((NORMAL_FORM, rules)).encode()).hexdigest()


def plain(value: str) -> str:
    """Letters and digits alone, in their plain and capital forms; the signs where there are no others."""
    if value.isascii():
        signs = value.upper()
        return _NOT_PLAIN.sub("", signs) or signs
    signs = unicodedata.normalize("NFKC", value).upper()
    kept = "".join(filter(str.isalnum, signs))
    return unicodedata.normalize("NFKC", kept or signs)


def require_examples(systems: Sequence[NamingSystem]) -> None:
    """Each example of a definition has the normal form that it says.

    Raises:
        ValueInvalid: one has another.
    """
    for system in systems:
        rule = _rule(system, "")
        for example in system.examples:
            if rule.normalise(example.written) != example.normal:
                raise ValueInvalid(
                    f"{system.id}: {example.written} has the normal form {rule.normalise(example.written)}"
                )


def _rule(system: NamingSystem, uri: str) -> VaultedSystem:
    adds = system.adds == "hkid check digit"
    return VaultedSystem(uri, system.id, re.compile(system.format), system.significant, adds)


require_examples(naming_systems())
_OF_VAULT = tuple(system for system in naming_systems() if system.vaulted)
_BY_URI = {uri: _rule(system, uri) for system in _OF_VAULT for uri in system.uris}
_FAMILIES = tuple(_rule(system, uri) for system in _OF_VAULT for uri in system.prefixes)
_PREFIXES = tuple(family.uri for family in _FAMILIES)
_ALL = (*_BY_URI.values(), *_FAMILIES)
_DIFFERENT_RULES = tuple({rule[2:]: rule for rule in _ALL}.values())
