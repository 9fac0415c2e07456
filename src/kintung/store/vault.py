"""Vaulted identifiers: indexed as keyed hashes only.

An identifier of a vaulted system (HKID, mainland ID, permits ...) never stands in the index in
clear. Each gives two hashes, of (system, value) and of (value), and a mark of the system, so that
``system|value``, ``value`` and ``system|`` all work. Values are normalised by the rule of their
system first; which systems these are, and their rules, is for ``kintung.app`` to say.

A hash is an HMAC-SHA-256 cut to 63 bits and made negative, so that it never meets the
number of a term of the token dictionary: among 10 million identifiers the chance that any
two meet is about 5 in a million.
"""

import hmac
import threading
from collections.abc import Iterable
from hashlib import sha256
from typing import Protocol

from kintung.errors import Unavailable
from kintung.fhir.search import TokenValue
from kintung.store.writes import Term


class VaultedSystem(Protocol):
    """The rule of one system; ``uri`` is the one that stands in the identifier."""

    @property
    def uri(self) -> str: ...

    def normalise(self, value: str) -> str:
        """The one normal form of the ways to write a number; any text has one."""
        ...


class VaultedSystems(Protocol):
    """What the store must know of numbers."""

    def of(self, uri: str) -> VaultedSystem | None:
        """The rule of a system, None when its values may be indexed in clear."""
        ...

    def normal_forms(self, value: str) -> tuple[str, ...]:
        """Each different normal form that a value of an unknown system may have: a few."""
        ...


class Vault:
    """Turns tokens into what the index may hold, under one secret; ``name`` is that of the secret."""

    def __init__(self, secret: bytes, systems: VaultedSystems) -> None:
        self._secret = secret
        self.systems = systems
        self.name = name_of(secret)

    def index(self, tokens: Iterable[tuple[int, str | None, str | None]]) -> list[tuple[int, Term]]:
        """Index rows of extracted tokens (atom, system, code)."""
        rows: list[tuple[int, Term]] = []
        for atom, system, code in tokens:
            if system and self.systems.of(system) is not None:
                rows += [(atom, term) for term in self.forms(system, code)]
            else:
                rows.append((atom, (system or "", code or "")))
        return list(dict.fromkeys(rows))

    def forms(self, system: str | None, code: str | None) -> list[Term]:
        """The terms one token stands in the index as."""
        rule = self.systems.of(system) if system else None
        if rule is None:
            return [(system or "", code or "")]
        if code is None:
            return [(rule.uri, "")]
        value = rule.normalise(code)
        return [(rule.uri, ""), self._hash("pair", rule.uri, value), self._hash("value", value)]

    def of_value(self, system: str | None, value: str) -> Term:
        """The term of an identifier that is asked for by its value alone."""
        rule = self.systems.of(system) if system else None
        return (system or "", value) if rule is None else self._hash("value", rule.normalise(value))

    def of_number(self, system: str, value: str) -> int:
        """The hash of a number of a vaulted system, with its system."""
        rule = self.systems.of(system)
        assert rule is not None, system
        return self._hash("pair", rule.uri, rule.normalise(value))

    def terms(self, token: TokenValue) -> list[Term]:
        """The vaulted terms that a token searched for may stand in the index as."""
        if token.code is None:
            return []
        if token.any_system:
            return [self._hash("value", value) for value in self.systems.normal_forms(token.code)]
        rule = self.systems.of(token.system) if token.system else None
        return [self._hash("pair", rule.uri, rule.normalise(token.code))] if rule else []

    def _hash(self, *parts: str) -> int:
        digest = hmac.digest(self._secret, "\x1f".join(parts).encode(), sha256)
        return -1 - (int.from_bytes(digest[:8], "big") >> 1)


class Secrets(Protocol):
    """The secrets of the vault, as ``kintung.store.keys.KeyStore`` keeps them."""

    def vault_secrets(self) -> tuple[bytes, ...]: ...

    def following_vault_secret(self) -> bytes: ...

    def replace_vault_secret(self, following: bytes) -> None: ...


class Vaults:
    """The vaults of a node: the one in force, and while the secret is changed one that follows it.

    A database says under which secret its index is. Who reads it takes the vault of that
    name, in the same reading; who commits turns to it first, inside the lock. So a node that
    is served goes on when the secret is changed beside it (``kintung rekey``).
    """

    def __init__(self, secrets: Secrets, systems: VaultedSystems) -> None:
        self.systems = systems
        self._secrets = secrets
        self._lock = threading.Lock()
        vault = Vault(secrets.vault_secrets()[0], systems)
        self._known = {vault.name: vault}
        self.current = vault
        """Of what is written now."""

    def named(self, name: str) -> Vault:
        """The vault of a secret.

        Raises:
            Unavailable: the key store does not have it: it is older than the database.
        """
        found = self._known.get(name)
        return found if found is not None else self._found(name)

    def _found(self, name: str) -> Vault:
        with self._lock:
            for secret in self._secrets.vault_secrets():
                vault = Vault(secret, self.systems)
                self._known.setdefault(vault.name, vault)
        if name not in self._known:
            raise Unavailable("Identity numbers are hashed under a secret that the key store does not have.")
        return self._known[name]

    def turn_to(self, name: str) -> None:
        """Write under the secret of that name from now on; of the others only the last is remembered."""
        vault, last = self.named(name), self.current
        if vault is not last:
            with self._lock:
                self.current = vault
                self._known = {last.name: last, name: vault}

    def following(self) -> Vault:
        """The vault of the secret that is to follow."""
        return Vault(self._secrets.following_vault_secret(), self.systems)

    def settle(self) -> None:
        """Destroy the secret before the one in force; raises Unavailable as the key store does."""
        for secret in self._secrets.vault_secrets()[1:]:
            if name_of(secret) == self.current.name:
                self._secrets.replace_vault_secret(secret)


def name_of(secret: bytes) -> str:
    """What a database calls a secret: no help to who would guess at it."""
    return sha256(b"kintung vault " + secret).hexdigest()
