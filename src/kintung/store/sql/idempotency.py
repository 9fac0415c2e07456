"""Idempotency keys: what an earlier use of a key had for an answer, kept for seven days.

Only the digest of a key is kept, and of its answer only statuses, ids and versions: the
answer is rendered again from those versions.
"""

from hashlib import sha256

import msgspec

from kintung.errors import Duplicate
from kintung.store.sql.database import Database, Row
from kintung.store.writes import IDEMPOTENCY_MICROS, Idempotency, Receipt

_receipts = msgspec.msgpack.Decoder(Receipt)


def replay(db: Database, idempotency: Idempotency, now: int) -> Receipt | None:
    """The receipt of an earlier use of the key; None when there was none in seven days.

    Raises:
        Duplicate: the key came with another request.
    """
    rows = db.rows(
        "SELECT digest, at, receipt FROM idempotency WHERE client = ? AND key = ?", _place(idempotency)
    )
    if not rows or rows[0][1] <= now - IDEMPOTENCY_MICROS:
        return None
    digest, _, receipt = rows[0]
    if digest != idempotency.digest:
        raise Duplicate(
            "This Idempotency-Key was used for another request; use a new key.", path="Idempotency-Key"
        )
    kept = _receipts.decode(receipt)
    return Receipt(kept.done, kept.sequence, kept.at, replayed=True)


def forget(db: Database, idempotency: Idempotency) -> None:
    """Make room for a new use of a key whose week has passed."""
    db.remove("idempotency", [_place(idempotency)])


def forget_old(db: Database, now: int) -> None:
    """Remove every key whose week has passed."""
    db.run("DELETE FROM idempotency WHERE at <= ?", (now - IDEMPOTENCY_MICROS,))


def kept(idempotency: Idempotency, receipt: Receipt) -> Row:
    """The row that keeps a use of a key."""
    return (*_place(idempotency), idempotency.digest, receipt.at, msgspec.msgpack.encode(receipt))


def _place(idempotency: Idempotency) -> tuple[str, bytes]:
    return (idempotency.client, sha256(idempotency.key.encode()).digest())
