"""The log, and which of its sequence numbers an instant stands for."""

from typing import cast

from kintung.store.sql.database import Database


def first_since(db: Database, at: int) -> int:
    """The first sequence number committed at or after an instant; ``at`` never decreases in the log."""
    return cast(int, db.rows(_FIRST_SINCE, (at, at))[0][0])


_FIRST_SINCE = (
    "WITH RECURSIVE span(low, high) AS (SELECT CAST(1 AS bigint), (SELECT coalesce(max(seq), 0) + 1 FROM log)"
    " UNION ALL SELECT"
    " CASE WHEN (SELECT at FROM log WHERE seq = (low + high) / 2) < ? THEN (low + high) / 2 + 1 ELSE low END,"
    " CASE WHEN (SELECT at FROM log WHERE seq = (low + high) / 2) < ? THEN high ELSE (low + high) / 2 END"
    " FROM span WHERE low < high) SELECT low FROM span WHERE low >= high"
)
"""Halves the span of sequence numbers, in one round trip."""
