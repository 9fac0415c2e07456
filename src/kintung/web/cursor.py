"""Cursors: the place in a search or history where the next page begins, sealed.

A cursor says nothing to its holder. It carries the name of the Reader it was given to, the
sequence T of page one, what was asked, and the position after the last entry; every page is
authorised by the Reader of the request that brings it.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import NamedTuple, cast

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kintung.clock import Entropy
from kintung.errors import ValueInvalid
from kintung.store.versions import Position

_PURPOSE = b"kintung cursor 1"
_NONCE = 12


class Cursor(NamedTuple):
    """Where to go on.

    ``path`` is the address under the base (``Patient``, ``Patient/1/_history``) and ``asked``
    its parameters as sent; ``at`` is the instant of page one in UTC microseconds, so that
    what depends on now means the same on every page. ``total`` is what page one counted, None where
    it did not, and ``ignored`` names the parameters it left out: every page says both.
    """

    reader: str
    path: str
    asked: tuple[tuple[str, str], ...]
    at: int
    sequence: int
    after: Position
    total: int | None = None
    ignored: tuple[str, ...] = ()


class _Sealed(NamedTuple):
    """A cursor as it is sealed. Sequence numbers have a fixed width: else the length of a
    cursor would tell how long the log is, and so how much there is that its holder cannot see."""

    reader: str
    path: str
    asked: tuple[tuple[str, str], ...]
    at: int
    sequence: bytes
    values: list[object]
    last: bytes
    total: int | None = None
    ignored: tuple[str, ...] = ()


class Cursors:
    """Seals and opens cursors under the node's key (32 bytes, AES-256-GCM)."""

    def __init__(self, key: bytes, entropy: Entropy) -> None:
        self._cipher = AESGCM(key)
        self._entropy = entropy
        self._decoder = msgspec.msgpack.Decoder(_Sealed)

    def seal(self, cursor: Cursor) -> str:
        """The text of a cursor: letters, digits, ``-`` and ``_``."""
        reader, path, asked, at, sequence, after, total, ignored = cursor
        places = _fixed(sequence), list(after.values), _fixed(after.sequence)
        plain = msgspec.msgpack.encode(_Sealed(reader, path, asked, at, *places, total, ignored))
        nonce = self._entropy.bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, plain, _PURPOSE)
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, text: str, *, reader: str, path: str) -> Cursor:
        """Read a cursor back.

        Raises:
            ValueInvalid: damaged, of another node, of another Reader or of another address;
                which of these it is, is not said.
        """
        try:
            sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            plain = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _PURPOSE)
        except (InvalidTag, NotBase64, ValueError):
            raise refused() from None
        found = self._decoder.decode(plain)
        if found.reader != reader or found.path != path:
            raise refused()
        values = tuple(_frozen(value) for value in found.values)
        sequence, last = int.from_bytes(found.sequence), int.from_bytes(found.last)
        after = Position(values, last)
        return Cursor(
            found.reader, found.path, found.asked, found.at, sequence, after, found.total, found.ignored
        )


def _fixed(sequence: int) -> bytes:
    return sequence.to_bytes(8)


def _frozen(value: object) -> object:
    """Tuples inside a position were sealed as lists."""
    if isinstance(value, list):
        return tuple(_frozen(part) for part in cast(list[object], value))
    return value


def refused() -> ValueInvalid:
    """A cursor that is not of what it was sent with; which part of it is not, is not said."""
    return ValueInvalid("The cursor cannot be used here; start again from the first page.", path="_cursor")
