"""The keys that Patients lie under in the index, so that who is alike is found: those of blocking.

The store is given :func:`key_rows` by ``kintung.app`` and asked with :func:`asked_keys`. Keys of
identity numbers are none of them: numbers are indexed as tokens, hashed with the secret of the
vault. A key here is hashed to be short and not to be secret; the index holds names and birth dates
in clear beside it. Pure.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import blake2b, sha256
from typing import Any

from kintung.identity.matching import Record, likeness_keys, record_again, stored_keys
from kintung.identity.name_search import names_fingerprint

FORM = 2
"""Of the keys; to be raised when the same Patient has other keys than before."""

_BYTES = 6
"""Of a hash. SQLite keeps six bytes as six; that a key of a million Patients meets one of another
text happens once in ten million: one more is compared then."""


def key_rows(resource: dict[str, Any]) -> Sequence[int]:
    """The keys of a resource as the index has them: of Patients alone.

    Pure, and the same wherever the packaged tables are the same (``likeness_fingerprint``).
    """
    if resource["resourceType"] != "Patient":
        return ()
    found = record_again(resource, with_numbers=False)
    return _hashed(stored_keys(found))


def asked_keys(asked: Record) -> Sequence[int]:
    """The keys that find who is like a record."""
    return _hashed(likeness_keys(asked))


@cache
def likeness_fingerprint() -> str:
    """What changes whenever the keys of any Patient may."""
    return sha256(b"%d\n%b" % (FORM, names_fingerprint().encode())).hexdigest()


def _hashed(keys: Iterable[str]) -> Sequence[int]:
    return sorted({_hash(key) for key in keys})


def _hash(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=_BYTES).digest()) >> 1
