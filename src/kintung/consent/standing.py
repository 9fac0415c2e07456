"""An Access that is kept, for what is done later by the right of who asked.

What it may see is no part of it but the name of a scope: who is in that is asked when it is used,
so that a grant revoked meanwhile holds.
"""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from kintung.consent.access import Access
from kintung.store.reader import Scope

_DECODER = msgspec.msgpack.Decoder(Access)


def kept(access: Access) -> bytes:
    """An access as it is stored."""
    return msgspec.msgpack.encode(access, order="deterministic")


def standing(stored: bytes) -> Access:
    """The access of what ``kept`` gave; what is stored is the node's own, so no error is foreseen."""
    return _DECODER.decode(stored)


def of_now(access: Access, scope: Callable[[int], Scope]) -> Access:
    """The access with the persons its scope has at this moment; ``scope`` gives that of a number."""
    persons = access.reader.persons
    if not isinstance(persons, Scope):
        return access
    return replace(access, reader=replace(access.reader, persons=scope(persons.number)))
