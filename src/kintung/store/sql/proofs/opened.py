"""Proof that what was opened lately is what the audit says of it."""

from collections.abc import Iterator, Sequence

import msgspec

from kintung.store.audit import AuditBook, StoredAudit
from kintung.store.port import Finding
from kintung.store.sql.database import Database, Row
from kintung.store.sql.proofs.walk import Pages, Readable, walk


def prove_opened(backend: Readable, book: AuditBook) -> Iterator[Finding]:
    """Every row names an audit record that says so, and none that does is later than its row."""
    rows = Pages(
        "opened",
        "x.audit, a.id, o.id, d.record",
        "LEFT JOIN actor a ON a.number = x.actor LEFT JOIN organisation o ON o.number = x.organisation"
        " LEFT JOIN audit d ON d.number = x.audit",
    )
    records = Pages("audit", "x.record")

    def of_rows(db: Database, after: Row) -> tuple[list[Finding], Row | None]:
        page, place = rows.after(db, after)
        wrong = [row for row in page if not _is_said(book, row)]
        return [_broken("it is not what the audit record says", row[3]) for row in wrong], place

    def of_records(db: Database, after: Row) -> tuple[list[Finding], Row | None]:
        page, place = records.after(db, after)
        read = ((number, _read(book, record)) for number, record in page)
        said = [(number, audit) for number, audit in read if audit is not None and audit.opened]
        return [_broken("it is not known as the last", number) for number in _unknown(db, said)], place

    yield from walk(backend, of_rows, rows.start)
    yield from walk(backend, of_records, records.start)


def _is_said(book: AuditBook, row: Row) -> bool:
    _actor, organisation, patient, _audit, actor_id, organisation_id, record = row
    audit = None if record is None else _read(book, record)
    if audit is None or (organisation and organisation_id is None):
        return False
    return (audit.actor, audit.organisation, audit.opened) == (actor_id, organisation_id or "", patient)


def _read(book: AuditBook, record: bytes) -> StoredAudit | None:
    """None for what cannot be read: the chain says so."""
    try:
        return book.stored(record)
    except msgspec.DecodeError:
        return None


def _unknown(db: Database, said: Sequence[tuple[int, StoredAudit]]) -> list[int]:
    """Those of which no row is of them or of a later one."""
    found = db.lookup(
        "SELECT w.c0 FROM wanted w CROSS JOIN actor a CROSS JOIN opened x WHERE a.id = w.c1"
        " AND x.actor = a.number AND x.organisation ="
        " coalesce((SELECT o.number FROM organisation o WHERE o.id = w.c2), 0)"
        " AND x.patient_key = w.c3 AND x.audit >= w.c0",
        ("int", "text", "text", "int"),
        [(number, audit.actor, audit.organisation, audit.opened) for number, audit in said],
    )
    known = {row[0] for row in found}
    return [number for number, audit in said if audit.actor and number not in known]


def _broken(message: str, audit: int) -> Finding:
    return Finding("entities", f"a record that was opened: {message}", f"audit record {audit}")
