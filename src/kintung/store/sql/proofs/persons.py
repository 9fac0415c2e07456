"""Proof that links, persons and scopes are what was said and granted.

How a pair stands is what was last said of it; the persons are what the links make; what a scope holds is
what was granted and denied of these persons.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from kintung.store.links import LinkKind
from kintung.store.persons import expanded, person_of, persons_of, waits
from kintung.store.port import Finding
from kintung.store.sql.database import Database, Row
from kintung.store.sql.linking import held_of
from kintung.store.sql.persons import near, persons_by_key
from kintung.store.sql.proofs.walk import Pages, Readable, walk

Prove = Callable[[Database, Sequence[Row]], Iterator[Finding]]


def prove_persons(backend: Readable) -> Iterator[Finding]:
    """Every link, every member of a person, everything granted and all that is in a scope."""
    ends = "LEFT JOIN entity a ON a.key = x.one LEFT JOIN entity b ON b.key = x.other"
    state = "a.id, b.id, x.found, x.score, x.decided, x.version, x.number, x.at"
    walks: tuple[tuple[Pages, Prove], ...] = (
        (Pages("link", state, ends), _links),
        (Pages("said", "x.one, x.other, l.one", _OF_LINK), _said),
        (Pages("member", "e.id, x.person", "LEFT JOIN entity e ON e.key = x.patient_key"), _members),
        (Pages("scope_stated"), _scopes),
        (Pages("scope_person"), _scopes),
        (Pages("reach", "x.until"), _reach),
    )
    for pages, prove in walks:

        def step(
            db: Database, after: Row, pages: Pages = pages, prove: Prove = prove
        ) -> tuple[list[Finding], Row | None]:
            rows, place = pages.after(db, after)
            return list(prove(db, rows)), place

        yield from walk(backend, step, pages.start)


_OF_LINK = "LEFT JOIN link l ON l.one = x.one AND l.other = x.other"


def _links(db: Database, rows: Sequence[Row]) -> Iterator[Finding]:
    """How pairs stand is what was said of them, and they wait for a steward where they should."""
    rows = list(rows)
    said: dict[tuple[int, int], list[Row]] = {}
    found = db.lookup(
        "SELECT s.one, s.other, s.version, s.kind, s.score, s.number, s.at FROM wanted w CROSS JOIN said s"
        " WHERE s.one = w.c0 AND s.other = w.c1",
        ("int", "int"),
        [row[:2] for row in rows],
    )
    for one, other, *rest in sorted(found):
        said.setdefault((one, other), []).append(tuple(rest))
    for one, other, first, second, *state in rows:
        if first is None or second is None or not first < second:
            yield _broken("it is not of two Patients in order", f"link {one} {other}")
        elif tuple(state) != _standing(said.get((one, other), ())):
            yield _broken("it does not stand as was said of it", _named(first, second))
    yield from _of_persons(db, [id for row in rows for id in row[2:4] if id is not None])


def _standing(said: Iterable[Row]) -> tuple[int, ...]:
    """found, score, decided, version, number and at, from what was said in order."""
    found, score, decided, last = int(LinkKind.NOTHING), 0, int(LinkKind.NOTHING), (0, 0, 0)
    for count, (version, kind, points, number, at) in enumerate(said, start=1):
        if LinkKind(kind).is_decision:
            decided = int(LinkKind.NOTHING) if kind == LinkKind.WITHDRAWN else kind
        else:
            found, score = kind, points if kind != LinkKind.NOTHING else 0
        last = (version if version == count else -1, number, at)
    return (found, score, decided, *last)


def _of_persons(db: Database, ids: Sequence[str]) -> Iterator[Finding]:
    """The persons that these are of, by their links, against the rows of members and of who waits."""
    around = near(db, ids)
    persons = persons_of(around.links.values())
    names = {key: id for id, key in around.keys.items()}
    asked = set(ids)
    by_rows = persons_by_key(db, [around.keys[id] for id in asked if id in around.keys])
    for id in sorted(asked & around.keys.keys()):
        key = around.keys[id]
        members = frozenset(names.get(each, "") for each in by_rows.get(key, frozenset((key,))))
        if members != person_of(persons, id):
            yield _broken("its person is not what its links make", f"Patient/{id}")
    for link in around.links.values():
        if link.one in asked and waits(link, persons) != (link.pair in around.waiting):
            yield _broken("it waits for a steward and should not, or the reverse", _named(*link.pair))


def _said(_db: Database, rows: Sequence[Row]) -> Iterator[Finding]:
    for number, _one, _other, link in rows:
        if link is None:
            yield _broken("it is of no link", f"what was said {number}")


def _members(db: Database, rows: Sequence[Row]) -> Iterator[Finding]:
    for key, id, _person in rows:
        if id is None:
            yield _broken("a member of a person that is no Patient", f"key {key}")
    yield from _of_persons(db, [row[1] for row in rows if row[1] is not None])
    parts = persons_by_key(db, [row[0] for row in rows])
    for key, _id, person in rows:
        if min(parts[key]) != person or len(parts[key]) == 1:
            yield _broken("a person does not stand under the least of its keys", f"key {key}")


def _reach(db: Database, rows: Sequence[Row]) -> Iterator[Finding]:
    return _scopes(db, [(scope, key) for key, _origin, scope, _since, until in rows if not until])


def _scopes(db: Database, rows: Sequence[Row]) -> Iterator[Finding]:
    """What scopes hold of the persons of some Patients; rows begin with scope and key."""
    by_scope: dict[int, set[int]] = {}
    for number, key, *_ in rows:
        by_scope.setdefault(number, set()).add(key)
    for number, keys in sorted(by_scope.items()):
        persons = persons_by_key(db, keys)
        parts = {persons.get(key, frozenset((key,))) for key in keys}
        members = [key for part in parts for key in part]
        stated = db.lookup(
            "SELECT s.patient_key, s.denied FROM wanted w CROSS JOIN scope_stated s"
            " WHERE s.scope = w.c0 AND s.patient_key = w.c1",
            ("int", "int"),
            [(number, key) for key in sorted(members)],
        )
        granted, denied = ({key for key, is_denied in stated if is_denied == which} for which in (0, 1))
        held, spans = held_of(db, number, members)
        for part in sorted(parts, key=min):
            ids, through = expanded(part, granted, denied)
            here = frozenset(pair for pair in spans if pair[0] in part)
            if ids != held & part or through != here:
                yield _broken(
                    "it does not hold what was granted of a person", f"scope {number} key {min(part)}"
                )


def _broken(message: str, where: str) -> Finding:
    return Finding("persons", message, where)


def _named(one: str, other: str) -> str:
    return f"Patient/{one} Patient/{other}"
