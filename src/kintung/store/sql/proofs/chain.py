"""Proof that the log is the one that was written: every entry, every disclosure, in order.

The heads are computed again from the genesis. A commit is judged on the stored head of the
one before, so that one broken commit is one finding; a forger who also changes the heads
after it cannot sign them.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, cast

from kintung.store.audit import GENESIS, AuditBook, ChainedAudit, ChainedSaid, ChainedVersion, next_head
from kintung.store.port import Finding
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NAMES, label_names, labels_of
from kintung.store.sql.proofs.walk import Pages, Readable, name_of, walk
from kintung.store.versions import Method

COMMITS_A_PAGE = 200
ENTRIES_A_PAGE = 5_000
MOST_GAPS = 1_000
AUDITS_A_BAND = 200_000
"""Audit records whose disclosures are held in memory at once: the table lies by patient."""


class _Link(NamedTuple):
    """A commit in the chain."""

    number: int
    at: int
    last_seq: int
    last_audit: int
    last_said: int
    head: bytes
    signature: bytes


_GENESIS = _Link(0, 0, 0, 0, 0, GENESIS, b"")


class _Entry(NamedTuple):
    """A log entry with the version and the entity it is of; None where one is missing."""

    seq: int
    patient_key: int
    key: int
    type: int | None
    id: str | None
    version_id: int
    method: int
    kind: int | None
    organisation: str
    mask: int
    digest: bytes | None
    at: int

    @property
    def place(self) -> str:
        return f"log entry {self.seq} ({name_of(self.key, self.type, self.id)})"


class ChainProof:
    """Walks the chain from the genesis; afterwards ``labels`` and ``last_seq`` say what the log says.

    ``labels`` are the security labels of each resource that has any, by its key.
    """

    def __init__(self, backend: Readable, audit: AuditBook) -> None:
        self.labels: dict[int, int] = {}
        self.last_seq = 0
        self._backend = backend
        self._audit = audit
        self._before = _GENESIS
        self._disclosed: dict[int, list[int]] = {}
        self._band_end = 0
        self._label_names: dict[int, str] = {}

    def prove(self, witnesses: dict[int, bytes]) -> Iterator[Finding]:
        """Prove every commit that was made before this was called.

        Args:
            witnesses: heads the key store remembers, read before the chain.
        """
        with self._backend.reading() as db:
            ((last,),) = db.rows("SELECT coalesce(max(number), 0) FROM chain")
        yield from self._witnessed(witnesses, last)
        while self._before.number < last:
            with self._backend.reading() as db:
                links = self._page(db, last)
            self._hold_disclosures(links)
            with self._backend.reading() as db:
                findings = self._links(db, links)
            yield from findings
        yield from self._beyond()

    def _witnessed(self, witnesses: dict[int, bytes], last: int) -> Iterator[Finding]:
        newest = max(witnesses, default=0)
        if newest > last:
            yield Finding("chain", f"the log ends here; it once had {newest - last} more", f"commit {last}")
        with self._backend.reading() as db:
            for number, head in sorted(witnesses.items()):
                rows = db.rows("SELECT head FROM chain WHERE number = ?", (number,))
                if rows and bytes(rows[0][0]) != head:
                    yield Finding("chain", "the head is not the one that was witnessed", f"commit {number}")

    def _page(self, db: Database, last: int) -> list[_Link]:
        """The next commits, as many as have few enough entries together."""
        rows = db.rows(
            "SELECT number, at, last_seq, last_audit, last_said, head, signature FROM chain"
            f" WHERE number > ? AND number <= ? ORDER BY number LIMIT {COMMITS_A_PAGE:d}",
            (self._before.number, last),
        )
        links = [_Link(*row) for row in rows]
        bound = self._before.last_seq + ENTRIES_A_PAGE
        few = [link for link in links if link.last_seq <= bound]
        return few or links[:1]

    # -- one page of commits --------------------------------------------------------------

    def _links(self, db: Database, links: Sequence[_Link]) -> list[Finding]:
        first, last = self._before, links[-1]
        rows = db.rows(
            "SELECT l.seq, l.patient_key, l.key, e.type, e.id, l.version_id, l.method, v.kind,"
            " coalesce(o.id, ''), l.labels, v.digest, l.at FROM log l"
            " LEFT JOIN version v ON v.patient_key = l.patient_key AND v.key = l.key"
            " AND v.version_id = l.version_id LEFT JOIN entity e ON e.key = l.key"
            " LEFT JOIN organisation o ON o.number = v.organisation"
            " WHERE l.seq > ? AND l.seq <= ? ORDER BY l.seq",
            (first.last_seq, last.last_seq),
        )
        entries = [_Entry(*row) for row in rows]
        self._label_names = label_names(db)
        audits = db.rows(
            "SELECT number, record FROM audit WHERE number > ? AND number <= ? ORDER BY number",
            (first.last_audit, last.last_audit),
        )
        said = db.rows(
            "SELECT s.number, a.id, b.id, s.version, s.kind, s.score, s.record, s.at FROM said s"
            " LEFT JOIN entity a ON a.key = s.one LEFT JOIN entity b ON b.key = s.other"
            " WHERE s.number > ? AND s.number <= ? ORDER BY s.number",
            (first.last_said, last.last_said),
        )
        findings: list[Finding] = []
        entry, audit, saying = 0, 0, 0
        for link in links:
            entry_end = _end(entries, entry, link.last_seq)
            audit_end = _end(audits, audit, link.last_audit)
            saying_end = _end(said, saying, link.last_said)
            findings += self._link(
                link, entries[entry:entry_end], audits[audit:audit_end], said[saying:saying_end]
            )
            entry, audit, saying = entry_end, audit_end, saying_end
        return findings

    def _link(
        self, link: _Link, entries: Sequence[_Entry], audits: Sequence[Row], said: Sequence[Row]
    ) -> list[Finding]:
        before, self._before = self._before, link
        where = f"commit {link.number}"
        findings: list[Finding] = []

        def broken(message: str, place: str = where) -> None:
            findings.append(Finding("chain", message, place))

        if link.number != before.number + 1:
            broken(f"{link.number - before.number - 1} commits before it are missing")
        if link.at < before.at:
            broken("is dated before the commit it follows")
        if not self._audit.is_signed(link.head, link.signature):
            broken("the signature is not the node's")
        whole = self._entries(before, link, entries, broken)
        whole &= self._audits(before, link, audits, broken)
        whole &= self._said(before, link, said, broken)
        if whole and link.number == before.number + 1:
            versions, disclosures = self._versions(entries), self._disclosures(audits)
            uttered = (ChainedSaid(*row[:7]) for row in said)
            head = next_head(before.head, link.number, link.at, versions, disclosures, uttered)
            if head != link.head:
                broken("the head is not that of its entries")
        self.last_seq = link.last_seq
        return findings

    def _entries(
        self, before: _Link, link: _Link, entries: Sequence[_Entry], broken: Callable[..., None]
    ) -> bool:
        """The entries of a commit on their own; True when the head can be computed from them."""
        whole = True
        for missing in _gaps(entries, before.last_seq, link.last_seq):
            broken("missing", f"log entry {missing}")
            whole = False
        for entry in entries:
            if entry.at != link.at:
                broken("its instant is not that of its commit", entry.place)
            if entry.kind is None:
                broken(f"version {entry.version_id} is missing", entry.place)
            if entry.type is None:
                broken("its entity is missing", entry.place)
            whole &= entry.kind is not None and entry.type is not None
            if entry.method != Method.LABEL and entry.mask != self.labels.get(entry.key, 0):
                broken("its labels are not those the log gave before", entry.place)
            self.labels[entry.key] = entry.mask
            if not entry.mask:
                del self.labels[entry.key]
        return whole

    def _audits(self, before: _Link, link: _Link, audits: Sequence[Row], broken: Callable[..., None]) -> bool:
        whole = True
        for missing in _gaps(audits, before.last_audit, link.last_audit):
            broken("missing", f"audit record {missing}")
            whole = False
        for number, record in audits:
            if not self._audit.is_readable(record):
                broken("cannot be read", f"audit record {number}")
        return whole

    def _said(self, before: _Link, link: _Link, said: Sequence[Row], broken: Callable[..., None]) -> bool:
        whole = True
        for missing in _gaps(said, before.last_said, link.last_said):
            broken("missing", f"what was said {missing}")
            whole = False
        for number, one, other, *_, record, at in said:
            if not self._audit.is_said(record):
                broken("cannot be read", f"what was said {number}")
            if at != link.at:
                broken("its instant is not that of its commit", f"what was said {number}")
            if one is None or other is None:
                broken("its entity is missing", f"what was said {number}")
                whole = False
        return whole

    def _versions(self, entries: Sequence[_Entry]) -> Iterator[ChainedVersion]:
        """The entries as they were chained; each has its version and its entity."""
        for entry in entries:
            labelled = entry.method == Method.LABEL
            yield ChainedVersion(
                entry.seq,
                entry.patient_key,
                entry.key,
                TYPE_NAMES.get(cast(int, entry.type), ""),
                cast(str, entry.id),
                entry.version_id,
                entry.method,
                cast(int, entry.kind),
                entry.organisation,
                labels_of(entry.mask, self._label_names),
                b"" if labelled else cast(bytes, entry.digest),
            )

    def _disclosures(self, audits: Sequence[Row]) -> Iterator[ChainedAudit]:
        for number, record in audits:
            yield ChainedAudit(number, record, tuple(self._disclosed.get(number, ())))

    # -- what belongs to no commit ----------------------------------------------------------

    def _beyond(self) -> Iterator[Finding]:
        with self._backend.reading() as db:
            ((last_seq, last_audit, last_said),) = db.rows(
                "SELECT last_seq, last_audit, last_said FROM chain ORDER BY number DESC LIMIT 1"
            ) or [(0, 0, 0)]
            entries = db.rows("SELECT seq FROM log WHERE seq > ? ORDER BY seq LIMIT 1000", (last_seq,))
            audits = db.rows(
                "SELECT number FROM audit WHERE number > ? ORDER BY number LIMIT 1000", (last_audit,)
            )
            said = db.rows(
                "SELECT number FROM said WHERE number > ? ORDER BY number LIMIT 1000", (last_said,)
            )
        for (seq,) in entries:
            yield Finding("chain", "belongs to no commit", f"log entry {seq}")
        for (number,) in audits:
            yield Finding("chain", "belongs to no commit", f"audit record {number}")
        for (number,) in said:
            yield Finding("chain", "belongs to no commit", f"what was said {number}")

    # -- disclosures ------------------------------------------------------------------------

    def _hold_disclosures(self, links: Sequence[_Link]) -> None:
        """Have the disclosures of these commits at hand: one pass over the table for a band of them."""
        if not links or links[-1].last_audit <= self._band_end:
            return
        first = self._before.last_audit
        end = max(links[-1].last_audit, first + AUDITS_A_BAND)
        held: dict[int, list[int]] = {}
        pages = Pages("disclosure", rows=20_000)

        def step(db: Database, after: Row) -> tuple[list[Finding], Row | None]:
            rows, place = pages.after(db, after)
            for patient_key, audit in rows:
                if first < audit <= end:
                    held.setdefault(audit, []).append(patient_key)
            return [], place

        for _ in walk(self._backend, step, pages.start):
            pass
        self._disclosed, self._band_end = held, end


def _end(rows: Sequence[Row], start: int, last: int) -> int:
    """Where rows with a first column over ``last`` begin."""
    end = start
    while end < len(rows) and rows[end][0] <= last:
        end += 1
    return end


def _gaps(rows: Sequence[Row], before: int, last: int) -> list[int]:
    """Numbers over ``before`` up to ``last`` that no row has in its first column."""
    if len(rows) == last - before:
        return []
    present = {row[0] for row in rows}
    missing = (number for number in range(before + 1, last + 1) if number not in present)
    return list(islice(missing, MOST_GAPS))
