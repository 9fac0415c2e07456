"""Audit records and the chain that ties every commit to the one before.

A record is compact binary; its request text is sealed under the node's audit key. The head
of commit ``n`` is SHA-256 over the head before it, the instant, every log entry (with the
name of its resource and the digest of its sealed body), every audit record with the
persons it disclosed and everything said of a pair of Patients; it is signed with the node's
Ed25519 key. Dropping, swapping, renaming or changing anything changes every head after it.
See ADR 0010.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kintung.clock import Entropy
from kintung.store.keys import KeyStore
from kintung.store.writes import AuditRecord

GENESIS = bytes(32)
"""The head before the first commit."""


class StoredAudit(msgspec.Struct, array_like=True, frozen=True):
    """An audit record as it is stored: everything but the persons disclosed."""

    actor: str
    organisation: str
    purpose: str
    operation: str
    status: int
    grant: str
    at: int
    request: bytes
    """Sealed."""
    scope: int = 0
    epoch: int = 0
    until: int = 0
    """The epoch of the scope when the record was stored: what it tells of was read between the two."""
    about: int = 0
    opened: int = 0


class ChainedVersion(NamedTuple):
    """What the chain covers of a log entry, by name wherever a name says whose or what it is.

    Numbers of types, organisations and labels are given by other tables: a chain over them
    would hold while those tables are made to say something else.
    """

    seq: int
    patient_key: int
    key: int
    type: str
    id: str
    version_id: int
    method: int
    kind: int
    organisation: str
    labels: tuple[str, ...]
    """Sorted."""
    digest: bytes
    """SHA-256 of the sealed body, b"" for none."""


class ChainedSaid(NamedTuple):
    """What the chain covers of something said of a pair of Patients, which stand by their ids."""

    number: int
    one: str
    other: str
    version: int
    kind: int
    score: int
    record: bytes
    """Who said it and why, sealed."""


class ChainedAudit(NamedTuple):
    number: int
    record: bytes
    patient_keys: tuple[int, ...]


class AuditBook:
    """Writes audit records and heads with the node's secrets."""

    def __init__(self, keys: KeyStore, entropy: Entropy) -> None:
        self._entropy = entropy
        self._seal = AESGCM(keys.secret("audit"))
        self._sign = Ed25519PrivateKey.from_private_bytes(keys.secret("sign"))
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(StoredAudit)

    def write(self, record: AuditRecord, at: int, until: int = 0) -> bytes:
        """The stored form of a record made at ``at`` (UTC microseconds)."""
        request = self._sealed(record.request.encode())
        return self._encoder.encode(
            StoredAudit(
                record.actor,
                record.organisation,
                record.purpose,
                record.operation,
                record.status,
                record.grant,
                at,
                request,
                record.scope,
                record.epoch,
                until,
                record.about,
                record.opened,
            )
        )

    def read(self, stored: bytes, patient_keys: tuple[int, ...] = ()) -> AuditRecord:
        """The record again, with its request in clear."""
        kept = self.stored(stored)
        request = self._opened(kept.request).decode()
        return AuditRecord(
            kept.actor,
            kept.organisation,
            kept.purpose,
            kept.operation,
            request,
            kept.status,
            kept.grant,
            patient_keys,
            kept.scope,
            kept.epoch,
            kept.about,
            kept.opened,
        )

    def stored(self, stored: bytes) -> StoredAudit:
        """The record as it is stored, its request still sealed."""
        return self._decoder.decode(stored)

    def write_said(self, by: str, why: str) -> bytes:
        """The stored form of who said something of a pair of Patients, and why."""
        return self._sealed(self._encoder.encode((by, why)))

    def read_said(self, stored: bytes) -> tuple[str, str]:
        """By whom and why again; raises InvalidTag when it was altered."""
        return msgspec.msgpack.decode(self._opened(stored), type=tuple[str, str])

    def _sealed(self, text: bytes) -> bytes:
        nonce = self._entropy.bytes(12)
        return nonce + self._seal.encrypt(nonce, text, None)

    def _opened(self, sealed: bytes) -> bytes:
        return self._seal.decrypt(sealed[:12], sealed[12:], None)

    def is_readable(self, stored: bytes) -> bool:
        """Was this record written by this node, and is its request as it was sealed?"""
        try:
            self.read(stored)
        except (msgspec.DecodeError, InvalidTag):
            return False
        return True

    def is_said(self, stored: bytes) -> bool:
        """Was this said of a pair in this node, and is it as it was sealed?"""
        try:
            self.read_said(stored)
        except (msgspec.DecodeError, msgspec.ValidationError, InvalidTag, ValueError):
            return False
        return True

    def sign(self, head: bytes) -> bytes:
        return self._sign.sign(head)

    def is_signed(self, head: bytes, signature: bytes) -> bool:
        try:
            self._sign.public_key().verify(signature, head)
        except InvalidSignature:
            return False
        return True


_encode = msgspec.msgpack.Encoder().encode


def next_head(
    head: bytes,
    number: int,
    at: int,
    versions: Iterable[ChainedVersion],
    audits: Iterable[ChainedAudit],
    said: Iterable[ChainedSaid] = (),
) -> bytes:
    """The head after commit ``number``: entries, audit records and what is said of pairs, each in order.

    SHA-256 over the head before and one MessagePack array, each value in its shortest form:
    number, instant, an array of the fields of each entry, for each audit record its number, the SHA-256
    of the record and the sorted keys of whom it disclosed, and an array of the fields of each thing said.
    """
    audited = [(audit.number, sha256(audit.record).digest(), sorted(audit.patient_keys)) for audit in audits]
    return sha256(head + _encode((number, at, list(versions), audited, list(said)))).digest()
