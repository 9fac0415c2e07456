"""What the edge keeps in the database for a while, sealed: nobody who has the database alone can read it."""

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kintung.clock import Entropy
from kintung.errors import Unavailable

_NONCE = 12
_LEVEL = 3


class Sealed:
    """Compresses and seals texts under a key of the node (32 bytes, AES-256-GCM).

    What a text is, is authenticated with it: none can stand in for another.
    """

    def __init__(self, key: bytes, entropy: Entropy) -> None:
        self._cipher = AESGCM(key)
        self._entropy = entropy

    def seal(self, text: bytes, what: str) -> bytes:
        """The sealed form of a text; ``what`` it is must be said again to open it."""
        nonce = self._entropy.bytes(_NONCE)
        packed = zstandard.ZstdCompressor(level=_LEVEL).compress(text)
        return nonce + self._cipher.encrypt(nonce, packed, what.encode())

    def open(self, blob: bytes, what: str) -> bytes:
        """Open what ``seal`` made.

        Raises:
            Unavailable: the bytes were altered, or sealed under another key or as something else.
        """
        try:
            packed = self._cipher.decrypt(blob[:_NONCE], blob[_NONCE:], what.encode())
            return zstandard.ZstdDecompressor().decompress(packed)
        except (InvalidTag, ValueError, zstandard.ZstdError) as error:
            raise Unavailable("What was kept of a request was damaged; it is not served.") from error
