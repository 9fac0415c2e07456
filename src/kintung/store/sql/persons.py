"""Reading persons in SQL: who is one person, how pairs stand, what was disclosed through a link.

``a`` and ``b`` are the entities of the two Patients of a link, ``ra`` and ``rb`` their resources, on both of
which the reader's predicate stands.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from kintung.fhir.search import parameters
from kintung.store.audit import AuditBook, StoredAudit
from kintung.store.links import Disclosed, Link, LinkKind, Said, Turned, linked_after
from kintung.store.persons import Pair, person_of, persons_of
from kintung.store.sql.clauses import Clause, among, every, starting
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.search.index_rows import atoms_of
from kintung.store.sql.visibility import StoredReader, visible
from kintung.store.versions import Match

PATIENT = TYPE_NUMBERS["Patient"]
_IDENTIFIER = atoms_of(parameters("Patient")["identifier"])


# --- What a reader sees ---------------------------------------------------------------


def members(db: Database, who: StoredReader, id: str) -> tuple[str, ...]:
    """All source Patients the reader sees of the person of one that has links; () of one without."""
    seen = visible(who, "r")
    rows = db.rows(
        "SELECT n.id FROM entity e CROSS JOIN member a CROSS JOIN member m CROSS JOIN entity n"
        " CROSS JOIN resource r WHERE e.id = ? AND e.type = ? AND a.patient_key = e.key"
        " AND m.person = a.person AND n.key = m.patient_key"
        f" AND r.patient_key = n.patient_key AND r.type = n.type AND r.key = n.key AND {seen.text}",
        (id, PATIENT, *seen.values),
    )
    return tuple(sorted(row[0] for row in rows))


_COLUMNS = "a.id, b.id, l.found, l.score, l.decided, l.version, l.number, l.at"
_ENDS = "a.key = l.one AND b.key = l.other"


def _seen(who: StoredReader) -> Clause:
    resources = every(Clause(_resource("a")), Clause(_resource("b")))
    return every(resources, visible(who, "ra"), visible(who, "rb"))


def _resource(x: str) -> str:
    """The resource of an entity."""
    return f"r{x}.patient_key = {x}.patient_key AND r{x}.type = {x}.type AND r{x}.key = {x}.key"


def link(db: Database, who: StoredReader, pair: Pair) -> Link | None:
    """How a pair stands."""
    seen = _seen(who)
    rows = db.rows(
        f"SELECT {_COLUMNS} FROM entity a CROSS JOIN entity b CROSS JOIN link l"
        " CROSS JOIN resource ra CROSS JOIN resource rb"
        f" WHERE a.id = ? AND a.type = ? AND b.id = ? AND b.type = ? AND l.one = a.key AND l.other = b.key"
        f" AND {seen.text}",
        (pair[0], PATIENT, pair[1], PATIENT, *seen.values),
    )
    return _link(rows[0]) if rows else None


def links_of(db: Database, who: StoredReader, id: str) -> tuple[Link, ...]:
    """All links of one Patient."""
    seen = _seen(who)
    found = [
        row
        for end in ("one", "other")
        for row in db.rows(
            f"SELECT {_COLUMNS} FROM entity e CROSS JOIN link l CROSS JOIN entity a CROSS JOIN entity b"
            " CROSS JOIN resource ra CROSS JOIN resource rb"
            f" WHERE e.id = ? AND e.type = ? AND l.{end} = e.key AND {_ENDS} AND {seen.text}",
            (id, PATIENT, *seen.values),
        )
    ]
    return tuple(sorted((_link(row) for row in found), key=lambda link: link.pair))


def reached(db: Database, scope: int, origins: Sequence[str], patient: str) -> bool:
    """Did a scope hold a Patient only because of one of these, and does not any more?"""
    listed = among("o.id", origins)
    rows = db.rows(
        "SELECT 1 FROM entity e CROSS JOIN reach h CROSS JOIN entity o WHERE e.id = ? AND e.type = ?"
        f" AND h.patient_key = e.key AND h.scope = ? AND h.until <> 0 AND o.key = h.origin AND {listed.text}"
        " LIMIT 1",
        (patient, PATIENT, scope, *listed.values),
    )
    return bool(rows)


def queue(db: Database, who: StoredReader, limit: int, after: int) -> tuple[Link, ...]:
    """Links that wait for a steward."""
    statement = queued(db, who, limit, after)
    return tuple(_link(row) for row in db.rows(statement.text, statement.values))


def queued(db: Database, who: StoredReader, limit: int, after: int) -> Clause:
    """The statement of a page of the queue: along what waits, in its order."""
    found = Clause("link l")
    for end, x in (("one", "a"), ("other", "b")):
        found = starting(db, found, Clause(f"{x}.key = l.{end}"), to=f"entity {x}")
        found = starting(db, found, Clause(_resource(x)), visible(who, f"r{x}"), f"resource r{x}")
    return Clause(
        f"SELECT {_COLUMNS} FROM {found.text} WHERE l.waits = 1 AND l.number > ? ORDER BY l.number LIMIT ?",
        (*found.values, after, limit),
    )


def said(db: Database, book: AuditBook, pair: Pair) -> tuple[Said, ...]:
    """All that was said of a pair, whoever asks."""
    rows = db.rows(
        "SELECT s.version, s.kind, s.score, s.record, s.at FROM entity a CROSS JOIN entity b"
        " CROSS JOIN said s WHERE a.id = ? AND a.type = ? AND b.id = ? AND b.type = ?"
        " AND s.one = a.key AND s.other = b.key"
        " ORDER BY s.version",
        (pair[0], PATIENT, pair[1], PATIENT),
    )
    return tuple(
        Said(version, LinkKind(kind), score, *book.read_said(record), at)
        for version, kind, score, record, at in rows
    )


def turned(db: Database, after: int, limit: int) -> tuple[Turned, ...]:
    """What was said of pairs after a number, and what it made of each; whoever asks."""
    rows = db.rows(
        "SELECT s.number, s.at, a.id, b.id, s.one, s.other, s.version"
        " FROM (SELECT * FROM said WHERE number > ? ORDER BY number LIMIT ?) s"
        " JOIN entity a ON a.key = s.one JOIN entity b ON b.key = s.other ORDER BY s.number",
        (after, limit),
    )
    kinds = db.lookup(
        "SELECT s.one, s.other, s.version, s.kind FROM wanted w CROSS JOIN said s"
        " WHERE s.one = w.c0 AND s.other = w.c1",
        ("int", "int"),
        sorted({(row[4], row[5]) for row in rows}),
    )
    linked: dict[tuple[int, int], list[bool]] = {}
    for pair, of_pair in groupby(sorted(kinds), key=lambda row: (row[0], row[1])):
        linked[pair] = [False, *linked_after(LinkKind(row[3]) for row in of_pair)]
    return tuple(
        Turned(number, at, one, other, *linked[keys][version - 1 : version + 1])
        for number, at, one, other, *keys_, version in rows
        if (keys := (keys_[0], keys_[1]))
    )


def _link(row: Row) -> Link:
    one, other, found, score, decided, version, number, at = row
    return Link(one, other, LinkKind(found), score, LinkKind(decided), version, number, at)


# --- Who bears a number ---------------------------------------------------------------


def bearers(db: Database, terms: Sequence[int], most: int) -> tuple[Match, ...] | None:
    """The Patients that have a number, by the keyed hashes it may stand as; None of more than ``most``."""
    found = borne(db, terms, most * len(terms) + 1)  # one Patient may have it under every system
    matches = {Match("Patient", id, version) for id, version in db.rows(found.text, found.values)}
    return tuple(sorted(matches)) if len(matches) <= most else None


def borne(db: Database, terms: Sequence[int], limit: int) -> Clause:
    """The statement of ``bearers``: from the index to the resource, never the other way."""
    bears = every(_IDENTIFIER, among("x.term", terms))
    start = Clause(f"(SELECT x.patient_key, x.key FROM ix_token x WHERE {bears.text}) x", bears.values)
    of = Clause("r.patient_key = x.patient_key AND r.type = ? AND r.key = x.key", (PATIENT,))
    found = starting(db, starting(db, start, of), Clause("e.key = r.key"), to="entity e")
    return Clause(f"SELECT e.id, r.version_id FROM {found.text} LIMIT ?", (*found.values, limit))


# --- All that is near -----------------------------------------------------------------


class Near(NamedTuple):
    """Source Patients with all that links join to them: every pair that any of them is in."""

    links: dict[Pair, Link]
    keys: dict[str, int]
    waiting: frozenset[Pair]
    """Those that wait for a steward by their rows."""


def near(db: Database, ids: Iterable[str]) -> Near:
    """What is near source Patients, whoever asks."""
    found = db.lookup(
        "SELECT e.id, e.key FROM wanted w CROSS JOIN entity e WHERE e.id = w.c1 AND e.type = w.c0",
        ("int", "text"),
        [(PATIENT, id) for id in dict.fromkeys(ids)],
    )
    keys: dict[str, int] = dict(found)
    links: dict[Pair, Link] = {}
    waiting: set[Pair] = set()
    asked: set[int] = set()
    frontier = set(keys.values())
    while frontier:
        asked |= frontier
        reached: set[int] = set()
        for end in ("one", "other"):
            rows = db.lookup(
                f"SELECT {_COLUMNS}, l.one, l.other, l.waits FROM wanted w CROSS JOIN link l"
                f" CROSS JOIN entity a CROSS JOIN entity b WHERE l.{end} = w.c0 AND {_ENDS}",
                ("int",),
                [(key,) for key in sorted(frontier)],
            )
            for *columns, one, other, waits in rows:
                link = links[columns[0], columns[1]] = _link(tuple(columns))
                keys[link.one], keys[link.other] = one, other
                if waits:
                    waiting.add(link.pair)
                if link.is_linked:
                    reached |= {one, other}
        frontier = reached - asked
    return Near(links, keys, frozenset(waiting))


def persons_by_key(db: Database, keys: Collection[int]) -> dict[int, frozenset[int]]:
    """The persons of those keys that are not one alone, of all their members, by their rows."""
    rows = db.lookup(
        "SELECT a.person, m.patient_key FROM wanted w CROSS JOIN member a CROSS JOIN member m"
        " WHERE a.patient_key = w.c0 AND m.person = a.person",
        ("int",),
        [(key,) for key in sorted(keys)],
    )
    by_person: dict[int, set[int]] = {}
    for person, key in rows:
        by_person.setdefault(person, set()).add(key)
    found: dict[int, frozenset[int]] = {}
    for person in map(frozenset, by_person.values()):
        found.update(dict.fromkeys(person, person))
    return found


# --- What was disclosed through a link ------------------------------------------------


class _Span(NamedTuple):
    """From which epoch of a scope one was in it only because another is granted; ``until`` 0 for now."""

    scope: int
    patient: int
    origin: int
    since: int
    until: int

    def holds(self, scope: int, epoch: int) -> bool:
        return self.scope == scope and self.since <= epoch and (not self.until or epoch < self.until)


def disclosed(db: Database, book: AuditBook, link: Link) -> tuple[Disclosed, ...]:
    """What was disclosed through a link, whoever asks."""
    around = near(db, link.pair)
    persons = persons_of(each for each in around.links.values() if each.pair != link.pair)
    sides = person_of(persons, link.one), person_of(persons, link.other)
    if sides[0] == sides[1]:
        return ()
    found: list[Disclosed] = []
    for own, across in (sides, sides[::-1]):
        own_keys = {around.keys[id]: id for id in own}
        across_keys = {around.keys[id] for id in across}
        spans = _spans(db, own_keys)
        rows = db.lookup(
            "SELECT d.patient_key, d.audit, a.record FROM wanted w CROSS JOIN disclosure d CROSS JOIN audit a"
            " WHERE d.patient_key = w.c0 AND a.number = d.audit",
            ("int",),
            [(key,) for key in sorted(own_keys)],
        )
        for key, number, record in rows:
            audit = book.stored(record)
            theirs = [span for span in spans if span.patient == key]
            if audit.about in across_keys or _rests(audit, theirs, own_keys.keys(), across_keys):
                told = (audit.at, audit.actor, audit.organisation, audit.purpose, audit.operation)
                found.append(Disclosed(number, own_keys[key], *told))
    return tuple(sorted(found, key=lambda each: (each.audit, each.patient)))


def _spans(db: Database, keys: Iterable[int]) -> list[_Span]:
    rows = db.lookup(
        "SELECT h.scope, h.patient_key, h.origin, h.since, h.until FROM wanted w CROSS JOIN reach h"
        " WHERE h.patient_key = w.c0",
        ("int",),
        [(key,) for key in sorted(keys)],
    )
    return [_Span(*row) for row in rows]


def _rests(audit: StoredAudit, spans: Sequence[_Span], own: Collection[int], across: Collection[int]) -> bool:
    """Did a disclosure rest on one across, and on none of its own side?"""
    if not spans:
        return False
    for epoch in range(audit.epoch, audit.until + 1):
        holding = [span for span in spans if span.holds(audit.scope, epoch)]
        from_across = any(span.origin in across for span in holding)
        if from_across and not any(span.origin in own for span in holding):
            return True
    return False
