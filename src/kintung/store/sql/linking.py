"""What a commit does to links and scopes: only what is near the source Patients it names is looked at."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from kintung.store.audit import AuditBook, ChainedSaid
from kintung.store.links import Link, LinkChange
from kintung.store.persons import expanded, person_of, persons_of, said, waits
from kintung.store.sql.database import Database, Row
from kintung.store.sql.persons import Near, near, persons_by_key
from kintung.store.writes import Grant

Keys = Mapping[tuple[str, str], int]
"""Keys of all entities that a commit names, by type and id."""


class Linking:
    """The links and scopes of one commit."""

    def __init__(self, db: Database, book: AuditBook, number: int, at: int) -> None:
        """``number``: how many things were said of pairs before."""
        self._db = db
        self._book = book
        self._at = at
        self.number = number
        self.said: list[ChainedSaid] = []
        """What was said in this commit, for its head."""
        self._epochs: dict[int, int] = {}

    def epoch(self, scope: int) -> int:
        """The epoch of a scope as the commit has left it so far; 0 of none."""
        if not scope:
            return 0
        if scope not in self._epochs:
            rows = self._db.rows("SELECT epoch FROM scope WHERE number = ?", (scope,))
            self._epochs[scope] = rows[0][0] if rows else 0
        return self._epochs[scope]

    # -- links --------------------------------------------------------------------------

    def require(self, changes: Sequence[LinkChange]) -> None:
        """Refuse what ``kintung.store.persons.said`` refuses; ask when all before is in the tables."""
        said(near(self._db, _named(changes)).links, changes, self.number, self._at)

    def change(self, changes: Sequence[LinkChange], entities: Keys) -> None:
        """Keep what is said of pairs; a scope that holds others after it has a new epoch.

        ``entities`` has the keys of all that is named.
        """
        around = near(self._db, _named(changes))
        done = said(around.links, changes, self.number, self._at)
        keys = {**around.keys, **{id: entities["Patient", id] for id in _named(changes)}}
        after = {**around.links, **{link.pair: link for _, link in done}}
        self._keep_said(done, keys)
        before, persons = persons_of(around.links.values()), persons_of(after.values())
        self._keep_links(around, after, persons, keys)
        moved = {id for id in keys if person_of(before, id) != person_of(persons, id)}
        parts = {frozenset(keys[each] for each in person_of(persons, id)) for id in moved}
        self._keep_members([keys[id] for id in moved], parts)
        self._expand_all(parts)

    def _keep_said(self, done: Sequence[tuple[LinkChange, Link]], keys: Mapping[str, int]) -> None:
        rows: list[Row] = []
        for change, link in done:
            self.number = link.number
            record = self._book.write_said(change.by, change.why)
            told = (link.version, int(change.kind), change.score)
            self.said.append(ChainedSaid(link.number, link.one, link.other, *told, record))
            rows.append((link.number, keys[link.one], keys[link.other], *told, self._at, record))
        self._db.insert("said", rows)

    def _keep_links(
        self,
        around: Near,
        after: Mapping[tuple[str, str], Link],
        persons: Mapping[str, frozenset[str]],
        keys: Mapping[str, int],
    ) -> None:
        rows: list[Row] = []
        for pair, link in after.items():
            is_waiting = waits(link, persons)
            if link != around.links.get(pair) or is_waiting != (pair in around.waiting):
                rows.append((keys[link.one], keys[link.other], *_state(link), int(is_waiting)))
        rows.sort()
        self._db.remove("link", [row[:2] for row in rows])
        self._db.insert("link", rows)

    def _keep_members(self, moved: Iterable[int], parts: Iterable[Collection[int]]) -> None:
        self._db.remove("member", sorted((key,) for key in moved))
        self._db.insert("member", sorted((key, min(part)) for part in parts if len(part) > 1 for key in part))

    # -- scopes -------------------------------------------------------------------------

    def grant(self, grant: Grant, entities: Keys) -> None:
        """What is granted and denied of a scope, which has a new epoch then."""
        number = grant.scope
        add, remove, deny, lift = (
            [entities["Patient", id] for id in ids]
            for ids in (grant.add, grant.remove, grant.deny, grant.lift)
        )
        stated = {
            *((number, key, 0) for key in set(add).difference(remove)),
            *((number, key, 1) for key in deny),
        }
        unstated = [(number, key, 0) for key in (*add, *remove)] + [
            (number, key, 1) for key in (*deny, *lift)
        ]
        self._db.remove("scope_stated", sorted(set(unstated)))
        self._db.insert("scope_stated", sorted(stated))
        named = {*add, *remove, *deny, *lift}
        persons = persons_by_key(self._db, named)
        parts = {persons.get(key, frozenset((key,))) for key in named}
        held = self._db.lookup(
            "SELECT s.patient_key, s.denied FROM wanted w CROSS JOIN scope_stated s"
            " WHERE s.scope = w.c0 AND s.patient_key = w.c1",
            ("int", "int"),
            [(number, key) for part in parts for key in sorted(part)],
        )
        self._expand(number, parts, _Stated.of(held), is_new=True)

    def _expand_all(self, parts: Collection[frozenset[int]]) -> None:
        """Expand every scope that grants or denies any of these persons."""
        rows = self._db.lookup(
            "SELECT s.scope, s.patient_key, s.denied FROM wanted w CROSS JOIN scope_stated s"
            " WHERE s.patient_key = w.c0",
            ("int",),
            [(key,) for part in parts for key in sorted(part)],
        )
        for number in sorted({row[0] for row in rows}):
            stated = _Stated.of(row[1:] for row in rows if row[0] == number)
            self._expand(number, parts, stated, is_new=False)

    def _expand(
        self, number: int, parts: Collection[frozenset[int]], stated: "_Stated", *, is_new: bool
    ) -> None:
        """Make what a scope holds of some persons what follows from what is stated of them."""
        found = [expanded(part, stated.granted, stated.denied) for part in parts]
        ids = frozenset[int]().union(*(reached for reached, _ in found))
        through = frozenset[tuple[int, int]]().union(*(through for _, through in found))
        held, spans = held_of(self._db, number, [key for part in parts for key in part])
        if not is_new and (ids, through) == (held, frozenset(spans)):
            return
        epoch = self.epoch(number) + 1
        rows = self._db.rows("SELECT size FROM scope WHERE number = ?", (number,))
        size = (rows[0][0] if rows else 0) + len(ids) - len(held)
        self._db.remove("scope_person", sorted((number, key) for key in held - ids))
        self._db.insert("scope_person", sorted((number, key) for key in ids - held))
        ended = [(*pair, since) for pair, since in spans.items() if pair not in through]
        self._db.remove("reach", sorted((key, origin, number, since) for key, origin, since in ended))
        self._db.insert(
            "reach",
            [(number, key, origin, since, epoch) for key, origin, since in sorted(ended)]
            + [(number, key, origin, epoch, 0) for key, origin in sorted(through - spans.keys())],
        )
        self._db.remove("scope", [(number,)])
        self._db.insert("scope", [(number, epoch, size)])
        self._epochs[number] = epoch


class _Stated(NamedTuple):
    """Who is granted and who denied of a scope."""

    granted: frozenset[int]
    denied: frozenset[int]

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> "_Stated":
        stated = [(key, denied) for key, denied in rows]
        return cls(*(frozenset(key for key, denied in stated if denied == which) for which in (0, 1)))


def held_of(
    db: Database, number: int, keys: Iterable[int]
) -> tuple[frozenset[int], dict[tuple[int, int], int]]:
    """Which of some Patients a scope holds, and who of them only through whom, since which epoch."""
    wanted = [(number, key) for key in sorted(keys)]
    held = db.lookup(
        "SELECT g.patient_key FROM wanted w CROSS JOIN scope_person g"
        " WHERE g.scope = w.c0 AND g.patient_key = w.c1",
        ("int", "int"),
        wanted,
    )
    spans = db.lookup(
        "SELECT h.patient_key, h.origin, h.since FROM wanted w CROSS JOIN reach h"
        " WHERE h.scope = w.c0 AND h.patient_key = w.c1 AND h.until = 0",
        ("int", "int"),
        wanted,
    )
    return frozenset(row[0] for row in held), {(key, origin): since for key, origin, since in spans}


def _named(changes: Iterable[LinkChange]) -> list[str]:
    return list(dict.fromkeys(id for change in changes for id in (change.one, change.other)))


def _state(link: Link) -> tuple[int, ...]:
    return (int(link.found), link.score, int(link.decided), link.version, link.number, link.at)
