"""Proof that what is read first, the resource row, is the last version, with the labels of the log; and
that the resources of each type are as many as is kept of them."""

from collections.abc import Iterator

from kintung.store.port import Finding
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NAMES
from kintung.store.sql.proofs.chain import ChainProof
from kintung.store.sql.proofs.walk import Pages, Readable, name_of, walk
from kintung.store.versions import Method
from kintung.store.writes import MOST_LABELS

_COLUMNS = (
    "x.version_id, x.labels, e.type, e.id,"
    " x.seq, x.at, x.kind, x.organisation, x.deleted, v.seq, v.at, v.kind, v.organisation, v.method,"
    " (SELECT max(w.version_id) FROM version w WHERE w.patient_key = x.patient_key AND w.key = x.key)"
)
_JOIN = (
    "LEFT JOIN entity e ON e.key = x.key LEFT JOIN version v"
    " ON v.patient_key = x.patient_key AND v.key = x.key AND v.version_id = x.version_id"
)


def prove_current(backend: Readable, chain: ChainProof) -> Iterator[Finding]:
    """Every resource row; call it after the chain was proved."""
    pages = Pages("resource", _COLUMNS, _JOIN)

    def step(db: Database, after: Row) -> tuple[list[Finding], Row | None]:
        rows, place = pages.after(db, after)
        return [finding for row in rows for finding in _judge(db, chain, row)], place

    yield from walk(backend, step, pages.start)
    with backend.reading() as db:
        rows = db.rows("SELECT l.number FROM label l WHERE l.number < 1 OR l.number > ?", (MOST_LABELS,))
    for (number,) in rows:
        yield Finding("versions", "has no place among the labels of a resource", f"label {number}")
    yield from _type_counts(backend)


def _type_counts(backend: Readable) -> Iterator[Finding]:
    with backend.reading() as db:
        counted = dict(db.rows("SELECT r.type, count(*) FROM resource r WHERE r.deleted = 0 GROUP BY r.type"))
        kept = dict(db.rows("SELECT n.type, n.current FROM type_count n WHERE n.current <> 0"))
    for type in sorted({*counted, *kept}):
        if counted.get(type) != kept.get(type):
            yield Finding(
                "versions", "its count is not that of its resources", TYPE_NAMES.get(type, str(type))
            )


def _judge(db: Database, chain: ChainProof, row: Row) -> Iterator[Finding]:
    _, _, key, version_id, labels, type, id = row[:7]
    seq, at, kind, organisation, deleted, *version, method, last = row[7:]
    where = name_of(key, type, id)
    if last is None:
        yield Finding("versions", "the resource row has no version", where)
    elif last != version_id:
        yield Finding("versions", f"the resource row is of version {version_id}, the last is {last}", where)
    elif [seq, at, kind, organisation] != version or bool(deleted) != (method == Method.DELETE):
        yield Finding("versions", "the resource row is not what its last version says", where)
    if labels != chain.labels.get(key, 0) and labels != _labels_since(db, chain, key):
        yield Finding("versions", "the labels are not those of the log", where)


def _labels_since(db: Database, chain: ChainProof, key: int) -> int:
    """Labels given after the chain was walked."""
    rows = db.rows(
        "SELECT labels FROM log WHERE seq > ? AND key = ? ORDER BY seq DESC LIMIT 1", (chain.last_seq, key)
    )
    return rows[0][0] if rows else chain.labels.get(key, 0)
