"""Proof that the search index is what a new extraction from every body gives, exactly.

Rows of a body are looked up where they must stand, in the state of the record the body was
read from; and all rows of every index table are counted by the resource they are of. When
each row that must be there is there, and there are as many as there must be, there is no
other. Where the count differs, the rows are looked at one by one.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from kintung.errors import KintungError
from kintung.fhir.json import parse
from kintung.store.composites import composite_terms, numbered
from kintung.store.port import Finding
from kintung.store.scribe import Scribe
from kintung.store.sql.bodies import current_bodies
from kintung.store.sql.database import Database, Row
from kintung.store.sql.entities import keys_of
from kintung.store.sql.names import TYPE_NAMES
from kintung.store.sql.proofs.walk import Pages, Readable, name_of, walk
from kintung.store.sql.schema import BY_NAME, INDEX_TABLES
from kintung.store.sql.vaulting import vault_of
from kintung.store.writes import KEY_ATOM, IndexRows

SUSPECTS_A_READING = 200
_MOST_TERMS = 200_000


_LEADS_TO = {
    "ix_token": ("term", 1),
    "ix_quantity": ("term", 1),
    "ix_reference": ("entity", 1),
    "ix_composite": ("term", 2),
}
"""The table and the column of an index row that holds a number of it; hashes are below zero, keys have an
atom of their own.

What is ``first`` in ``ix_composite``, a term or a target, is proved by the rows that must be there.
"""


class Body(NamedTuple):
    """The current body of a resource, extracted."""

    name: str
    patient_key: int
    key: int
    extracted: IndexRows


IndexRow = tuple[str, Row]
"""The table and the row, all columns of it."""


class IndexProof:
    """Holds how many index rows each resource must have and has: four bytes for each key."""

    def __init__(self, backend: Readable, scribe: Scribe) -> None:
        self._backend = backend
        self._scribe = scribe
        self._balance = array("i")
        self._suspects: set[int] = set()
        self._unknown: set[int] = set()
        self._reported: set[IndexRow] = set()
        self._terms: dict[tuple[str, str], int] = {}

    # -- every row that must be there ---------------------------------------------------------

    def expect(self, db: Database, bodies: Sequence[Body]) -> list[Finding]:
        """Look up the rows of bodies that are current in this reading."""
        wanted = self._rows(db, bodies)
        findings: list[Finding] = []
        for body in bodies:
            self._count(body.key, len(wanted[body.key]))
        for body, (table, row) in self._missing(db, bodies, wanted):
            self._suspects.add(body.key)
            self._reported.add((table, row))
            findings.append(_missing(body.name, table, row))
        return findings

    def skip(self, key: int) -> None:
        """Nothing can be said of the index rows of this resource: its body cannot be read."""
        self._unknown.add(key)

    def _rows(self, db: Database, bodies: Sequence[Body]) -> dict[int, set[IndexRow]]:
        """What must stand in the tables, by key of the resource.

        A term or target that has no number is -1, which no row has.
        """
        terms = self._numbers_of_terms(db, bodies)
        named = {(t, i) for body in bodies for _, t, i in body.extracted.references}
        named.update((t, i) for body in bodies for _, t, i, _ in body.extracted.relations)
        targets = keys_of(db, named)
        rows: dict[int, set[IndexRow]] = {}
        for body in bodies:
            tail = (body.patient_key, body.key)
            index = body.extracted
            found = rows.setdefault(body.key, set())
            for atom, term in index.tokens:
                number = term if isinstance(term, int) else terms.get(term, -1)
                found.add(("ix_token", (atom, number, *tail)))
            for atom, type, id in index.references:
                found.add(("ix_reference", (atom, targets.get((type, id), -1), *tail)))
            found.update(("ix_date", (*row, *tail)) for row in index.dates)
            found.update(("ix_string", (*row, *tail)) for row in index.strings)
            for atom, unit, low, high in index.quantities:
                found.add(("ix_quantity", (atom, terms.get(unit, -1), low, high, *tail)))
            together = numbered(index, _or_none(terms), _or_none(targets))
            found.update(("ix_composite", (*row, *tail)) for row in together)
        return rows

    def _numbers_of_terms(self, db: Database, bodies: Sequence[Body]) -> dict[tuple[str, str], int]:
        if len(self._terms) > _MOST_TERMS:
            self._terms.clear()
        wanted = {term for body in bodies for _, term in body.extracted.tokens if isinstance(term, tuple)}
        wanted.update(unit for body in bodies for _, unit, _, _ in body.extracted.quantities)
        wanted.update(term for body in bodies for term in composite_terms(body.extracted))
        unknown = sorted(wanted - self._terms.keys())
        found = db.lookup(
            "SELECT s.uri, t.code, t.number FROM wanted w CROSS JOIN system s CROSS JOIN term t"
            " WHERE s.uri = w.c0 AND t.code = w.c1 AND t.system = s.number",
            ("text", "text"),
            unknown,
        )
        self._terms.update({(system, code): number for system, code, number in found})
        return self._terms

    def _missing(
        self, db: Database, bodies: Sequence[Body], wanted: dict[int, set[IndexRow]]
    ) -> Iterator[tuple[Body, IndexRow]]:
        for name in INDEX_TABLES:
            rows = {row for body in bodies for table, row in wanted[body.key] if table == name}
            absent = rows - _present(db, name, rows)
            by_key = {body.key: body for body in bodies}
            for row in sorted(absent):
                yield by_key[row[-1]], (name, row)

    # -- no row that must not ---------------------------------------------------------------

    def prove_no_other(self) -> Iterator[Finding]:
        """Count all rows, and look at those of every resource whose count is not right."""
        for table in INDEX_TABLES:
            yield from walk(self._backend, _Counted(table, self).step, Pages(table).start)
        self._suspects.update(key for key, balance in enumerate(self._balance) if balance)
        self._suspects -= self._unknown
        suspects = sorted(self._suspects)
        for start in range(0, len(suspects), SUSPECTS_A_READING):
            keys = suspects[start : start + SUSPECTS_A_READING]
            with self._backend.reading() as db:
                bodies = self._current(db, keys)
                wanted = self._rows(db, bodies)
                missing = [
                    _missing(body.name, *row)
                    for body, row in self._missing(db, bodies, wanted)
                    if row not in self._reported
                ]
            yield from missing
        if suspects:
            for table in INDEX_TABLES:
                yield from walk(self._backend, _Looked(table, self).step, Pages(table).start)

    def _count(self, key: int, rows: int) -> None:
        if key >= len(self._balance):
            self._balance.extend([0] * (key + 1 - len(self._balance)))
        self._balance[key] += rows

    def counted(self, key: int) -> None:
        """A row of a resource stands in the index."""
        self._count(key, -1)

    def surplus(self, db: Database, table: str, rows: Sequence[Row]) -> list[Finding]:
        """Which of these rows no body gives, as the record is in this reading."""
        doubtful = [row for row in rows if row[-1] in self._suspects]
        if not doubtful:
            return []
        bodies = self._current(db, sorted({row[-1] for row in doubtful}))
        wanted = self._rows(db, bodies)
        names = _names_of(db, [row[-1] for row in doubtful])
        return [
            Finding("index", f"index row of {table} that its body does not give{_atom(row)}", names[row[-1]])
            for row in doubtful
            if row[-1] in names and (table, row) not in wanted.get(row[-1], ())
        ]

    def _current(self, db: Database, keys: Sequence[int]) -> list[Body]:
        """The bodies of what is current; those that cannot be read are left out."""
        vault = vault_of(db, self._scribe.vaults)
        bodies: list[Body] = []
        for type_number, id, patient_key, key, blob in current_bodies(db, keys):
            type = TYPE_NAMES[type_number]
            try:
                resource = parse(self._scribe.open(blob, type, id))
            except KintungError:
                continue
            bodies.append(Body(f"{type}/{id}", patient_key, key, self._scribe.index(resource, vault)))
        return bodies


class _Counted:
    """Counts the rows of one table, and sees that what each names is there."""

    def __init__(self, table: str, proof: IndexProof) -> None:
        self._table = table
        self._proof = proof
        self._known: set[int] = set()
        self._orphans: set[int] = set()
        self._pages = Pages(table, "e.type, e.id", "LEFT JOIN entity e ON e.key = x.key")

    def step(self, db: Database, after: Row) -> tuple[list[Finding], Row | None]:
        rows, place = self._pages.after(db, after)
        findings: list[Finding] = []
        for row in rows:
            key, type = row[-3:-1]
            if type is not None:
                self._proof.counted(key)
            elif key not in self._orphans:
                self._orphans.add(key)
                findings.append(
                    Finding("entities", f"index rows of {self._table} of no resource", f"key {key}")
                )
        return findings + self._dangling(db, rows), place

    def _dangling(self, db: Database, rows: Sequence[Row]) -> list[Finding]:
        """Rows that lead to a term or a reference target that is not there."""
        if self._table not in _LEADS_TO:
            return []
        table, column = _LEADS_TO[self._table]
        (key,) = BY_NAME[table].key
        numbers = {row[column] for row in rows if row[column] > 0 and row[0] != KEY_ATOM} - self._known
        found = db.lookup(
            f"SELECT x.{key} FROM wanted w CROSS JOIN {table} x WHERE x.{key} = w.c0",
            ("int",),
            [(number,) for number in sorted(numbers)],
        )
        if len(self._known) > _MOST_TERMS:
            self._known.clear()
        self._known.update(number for (number,) in found)
        lost = numbers - self._known
        what = "term" if table == "term" else "reference target"
        return [
            Finding(
                "entities",
                f"index row of {self._table} leads to {what} {row[column]}, which is missing",
                name_of(*row[-3:]),
            )
            for row in rows
            if row[column] in lost and row[0] != KEY_ATOM
        ]


class _Looked:
    """Looks at the rows of resources whose count is not right."""

    def __init__(self, table: str, proof: IndexProof) -> None:
        self._table = table
        self._proof = proof
        self._pages = Pages(table)

    def step(self, db: Database, after: Row) -> tuple[list[Finding], Row | None]:
        rows, place = self._pages.after(db, after)
        return self._proof.surplus(db, self._table, rows), place


def _or_none(numbers: Mapping[tuple[str, str], int]) -> Callable[[tuple[str, str]], int]:
    """Finds a number, or -1."""
    return lambda named: numbers.get(named, -1)


def _present(db: Database, table: str, rows: Iterable[Row]) -> set[Row]:
    """Which of these rows stand in the table."""
    shape = BY_NAME[table]
    names = shape.key
    columns = ", ".join(f"x.{name}" for name in names)
    same = " AND ".join(f"x.{name} = w.c{place}" for place, name in enumerate(names))
    kinds = dict(shape.columns)
    found = db.lookup(
        f"SELECT {columns} FROM wanted w CROSS JOIN {table} x WHERE {same}",
        [kinds[name] for name in names],
        sorted(rows),
    )
    return {tuple(row) for row in found}


def _names_of(db: Database, keys: Iterable[int]) -> dict[int, str]:
    found = db.lookup(
        "SELECT e.key, e.type, e.id FROM wanted w CROSS JOIN entity e WHERE e.key = w.c0",
        ("int",),
        [(key,) for key in sorted(set(keys))],
    )
    return {key: name_of(key, type, id) for key, type, id in found}


def _missing(name: str, table: str, row: Row) -> Finding:
    return Finding("index", f"index row of {table} missing{_atom(row)}", name)


def _atom(row: Row) -> str:
    return f" (atom {row[0]})"
