"""Sealed bodies: compressed, then AES-256-GCM under the data key of the owner.

A blob is ``format (1) | number of the data key (4, big endian) | nonce (12) | ciphertext``;
the resource's ``Type/id`` is authenticated with it, so that no body can stand in for
another. Format 1 compresses with Zstandard and the dictionary ``bodies-1``.
"""

import threading
from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kintung.clock import Entropy
from kintung.errors import Unavailable
from kintung.store.keys import KeyStore
from kintung.store.versions import OwnerKind, Ownership
from kintung.store.writes import Sealed

_FORMAT = b"\x01"
_HEADER = 17
_LEVEL = 3


def owner_label(ownership: Ownership, type: str, id: str) -> str:
    """Whose data key seals a body: the person's, the organisation's, or the resource's own."""
    match ownership.kind:
        case OwnerKind.PERSON:
            return f"Patient/{ownership.persons[0]}"
        case OwnerKind.SEVERAL | OwnerKind.UNKNOWN:
            return f"{type}/{id}"
        case OwnerKind.ORGANISATION:
            return f"Organization/{ownership.organisation}"
        case OwnerKind.PUBLIC:
            return "public"


class _Codecs(threading.local):
    """Zstandard contexts may not be shared by threads that run at the same time."""

    def __init__(self, dictionary: zstandard.ZstdCompressionDict) -> None:
        self.compressor = zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=dictionary, write_dict_id=False, write_checksum=False
        )
        self.decompressor = zstandard.ZstdDecompressor(dict_data=dictionary)


class Sealer:
    """Seals and opens bodies with the keys of a key store."""

    def __init__(self, keys: KeyStore, entropy: Entropy) -> None:
        self._keys = keys
        self._entropy = entropy
        self._ciphers: dict[int, AESGCM] = {}
        text = files("kintung.store").joinpath("data/bodies-1.dict").read_bytes()
        dictionary = zstandard.ZstdCompressionDict(text)
        dictionary.precompute_compress(level=_LEVEL)  # pyright: ignore[reportUnknownMemberType]
        self._codecs = _Codecs(dictionary)

    def expect(self, persons: Iterable[str]) -> None:
        """Make the keys of new Patients durable in one group; ``seal`` would make them one by one."""
        self._keys.for_owners(f"Patient/{id}" for id in persons)

    def seal(self, text: bytes, meta_at: int, ownership: Ownership, type: str, id: str) -> Sealed:
        """Seal the text of a resource; a new key is made durable first where one is needed."""
        label = owner_label(ownership, type, id)
        number = self._keys.for_owners((label,))[label].number
        nonce = self._entropy.bytes(12)
        packed = self._codecs.compressor.compress(text)
        sealed = self._cipher(number).encrypt(nonce, packed, f"{type}/{id}".encode())
        blob = b"".join((_FORMAT, number.to_bytes(4, "big"), nonce, sealed))
        return Sealed(blob, meta_at, sha256(blob).digest())

    def open(self, blob: bytes, type: str, id: str) -> bytes:
        """Open what ``seal`` made.

        Raises:
            Unavailable: the bytes were altered, or the key was destroyed.
        """
        if blob[:1] != _FORMAT:
            raise Unavailable(f"The body of {type}/{id} is of a format this version cannot read.")
        number = int.from_bytes(blob[1:5], "big")
        try:
            packed = self._cipher(number).decrypt(blob[5:_HEADER], blob[_HEADER:], f"{type}/{id}".encode())
            return self._codecs.decompressor.decompress(packed)
        except (InvalidTag, zstandard.ZstdError) as error:
            raise Unavailable(f"The body of {type}/{id} was damaged; it is not served.") from error

    def sealed_for(self, blob: bytes) -> str | None:
        """Whose data key a blob is sealed under, as ``owner_label`` writes it; None when nobody's."""
        return self._keys.owner_of(int.from_bytes(blob[1:5], "big"))

    def _cipher(self, number: int) -> AESGCM:
        cipher = self._ciphers.get(number)
        if cipher is None:
            value = self._keys.by_number(number)
            if value is None:
                raise Unavailable("The data key of this body was destroyed.")
            if len(self._ciphers) > 50_000:
                self._ciphers.clear()
            cipher = self._ciphers[number] = AESGCM(value)
        return cipher
