"""How much of a long text an index row holds.

A row of a database index has a greatest size (2,704 bytes in PostgreSQL). A resource may hold
strings of a million characters, and one of them must not keep it, or what is stored together
with it, from being stored. All stores hold and ask for the same short forms.
"""

from hashlib import sha256
from typing import overload

LONGEST = 255
"""Characters of a text in an index row: two of them, at 4 bytes a character, are 2,040 bytes."""

BEGINNING = 190
"""Characters of a longer text that stand before its digest; 190 + 1 + 64 are 255."""


@overload
def bounded(text: str) -> str: ...
@overload
def bounded(text: str | None) -> str | None: ...
def bounded(text: str | None) -> str | None:
    """Return what stands in the index for a text that is compared for equality.

    Up to 255 characters it is the text itself. A longer one is its first 190 characters,
    U+2026 and the SHA-256 of the whole as UTF-8, in hexadecimal: two long texts are equal when
    these are. ``bounded(bounded(x)) == bounded(x)``; None stays None.
    """
    if text is None or len(text) <= LONGEST:
        return text
    return f"{text[:BEGINNING]}\u2026{sha256(text.encode()).hexdigest()}"
