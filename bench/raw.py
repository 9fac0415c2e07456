"""The raw limit of loading: parse, extract and insert what a record holds, and nothing else.

The same resources in the same order, the same sealed bodies and the same index rows, in one
process and one transaction for 3,000 resources, sorted, with the same durability. What the
product does besides (validation, sealing, ownership, audit, chain, log, idempotency) is the
difference.
"""

import gc
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from kintung.app import Node, open_node, system
from kintung.fhir.json import parse
from kintung.store.sql.schema import BY_NAME, INDEX_TABLES, ddl
from kintung.store.writes import Term

TRANSACTION = 3_000
_TABLES = ("entity", "version", "system", "term", *INDEX_TABLES)


class Stored(NamedTuple):
    """A resource as the record holds it, and the bytes its version has there."""

    type: str
    id: str
    text: bytes
    body: bytes


def stored(url: str, path: Path, most: int) -> list[Stored]:
    """The first resources of a loaded record, in the order of its log."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    bodies: dict[int, bytes] = dict(
        connection.execute("SELECT seq, body FROM version WHERE seq <= ?", (most,))
    )
    connection.close()
    with open_node(url) as node:
        return [
            Stored(entry.type, entry.id, entry.body, bodies[entry.sequence]) for entry in _log(node, most)
        ]


def _log(node: Node, most: int) -> Iterator:
    after = 0
    while after < most and (page := node.store.follow(system("bench"), after, min(1000, most - after))):
        yield from page
        after = page[-1].sequence


def index_rows(path: Path) -> dict[str, int]:
    """How many rows each index table holds."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    counts: dict[str, Any] = {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in INDEX_TABLES
    }
    connection.close()
    return counts


class Cost(NamedTuple):
    """Resources a second, and seconds of processor for one."""

    rate: float
    cpu: float


def cost(path: Path, resources: Sequence[Stored], node: Node) -> Cost:
    """Write the resources into a new database at ``path``."""
    connection = apsw.Connection(str(path))
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")
    for statement in ddl("sqlite"):
        if statement.split(" ON ")[-1].split(" ")[0] in _TABLES or statement.split(" ")[2] in _TABLES:
            connection.execute(statement)
    writer = _Writer(connection, node)
    gc.collect()
    gc.disable()
    began, used = time.perf_counter(), time.process_time()
    for start in range(0, len(resources), TRANSACTION):
        writer.write(resources[start : start + TRANSACTION])
    taken, used = time.perf_counter() - began, time.process_time() - used
    gc.enable()
    connection.close()
    return Cost(len(resources) / taken, used / len(resources))


class _Writer:
    """Numbers names in dictionaries and writes each table in one sorted pass."""

    def __init__(self, connection: apsw.Connection, node: Node) -> None:
        self._connection = connection
        self._scribe = node.scribe
        self._entities: dict[tuple[str, str], int] = {}
        self._terms: dict[tuple[str, str], int] = {}
        self._new: dict[str, list[tuple]] = {}
        self._seq = 0

    def write(self, resources: Sequence[Stored]) -> None:
        self._new = {table: [] for table in _TABLES}
        for resource in resources:
            self._take(resource)
        with self._connection:
            for table, rows in self._new.items():
                marks = ", ".join("?" * len(BY_NAME[table].columns))
                self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", sorted(rows))

    def _take(self, stored: Stored) -> None:
        resource = parse(stored.text)
        found = self._scribe.index(resource)
        self._seq += 1
        key = self._entity(stored.type, stored.id)
        patient = _patient(resource)
        home = self._entity("Patient", patient) if patient else 0
        where = (home, key)
        new = self._new
        new["version"].append((*where, 1, self._seq, 0, 1, 1, 0, 0, b"", stored.body))
        new["ix_token"] += [(atom, self._numbered(term), *where) for atom, term in found.tokens]
        new["ix_reference"] += [(atom, self._entity(type, id), *where) for atom, type, id in found.references]
        new["ix_date"] += [(*row, *where) for row in found.dates]
        new["ix_string"] += [(*row, *where) for row in found.strings]
        for atom, unit, low, high in found.quantities:
            new["ix_quantity"].append((atom, self._term(unit), low, high, *where))
        rows = new["ix_composite"]
        for atom, first, second, low, high in found.composites:
            rows.append((atom, self._numbered(first), self._numbered(second), low, high, *where))
        for atom, type, id, second in found.relations:
            rows.append((atom, self._entity(type, id), self._numbered(second), b"", b"", *where))

    def _numbered(self, term: Term) -> int:
        return term if isinstance(term, int) else self._term(term)

    def _entity(self, type: str, id: str) -> int:
        key = self._entities.get((type, id))
        if key is None:
            key = self._entities[type, id] = len(self._entities) + 1
            self._new["entity"].append((key, len(type), id, 0))
        return key

    def _term(self, term: tuple[str, str]) -> int:
        number = self._terms.get(term)
        if number is None:
            number = self._terms[term] = len(self._terms) + 1
            self._new["term"].append((number, 0, "|".join(term)))
        return number


def _patient(resource: dict) -> str:
    """The id of the patient a resource lies with, near enough for the order of its rows."""
    if resource["resourceType"] == "Patient":
        return resource["id"]
    for name in ("subject", "patient"):
        reference = resource.get(name, {}).get("reference", "")
        if reference.startswith("Patient/"):
            return reference.removeprefix("Patient/")
    return ""
