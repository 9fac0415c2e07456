"""What is asked of persons and links is sought, never read whole, on both databases (EXPLAIN)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from kintung.store.links import LinkChange, LinkKind
from kintung.store.port import Unit, View
from kintung.store.reader import Reader
from kintung.store.sql import known, persons
from kintung.store.sql import opened as openings
from kintung.store.sql.database import Database, Row
from kintung.store.sql.linking import held_of
from kintung.store.sql.names import Names
from kintung.store.sql.store import SqlStore
from kintung.store.sql.visibility import StoredReader
from kintung.store.writes import AuditRecord, Grant, Outcome, Prepared
from tests.postgres_cluster import Cluster
from tests.records import patient
from tests.stores import ALL, SYSTEM, Record, opened

PATIENTS = 900


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    """Every third source Patient is one person with the next; every other third waits for a steward."""
    folder: Path = tmp_path_factory.mktemp("plans")
    cluster: Cluster = request.getfixturevalue("postgres")
    with opened(request.param, folder, cluster.fresh_database) as record:
        kinds = (LinkKind.CERTAIN, LinkKind.NOTHING, LinkKind.PROBABLE)
        changes = tuple(LinkChange(f"p{n}", f"p{n + 1}", kinds[n % 3], "rule") for n in range(PATIENTS - 1))

        def prepare(view: View) -> Prepared:
            writes = tuple(record.putting(patient(f"p{n}"))(view) for n in range(PATIENTS))
            outcomes = tuple(Outcome(201, write=place) for place in range(len(writes)))
            granted = Grant(1, tuple(f"p{n}" for n in range(0, PATIENTS, 2)))
            return Prepared(writes, outcomes, grants=(granted,), links=changes)

        record.store.commit(Unit(ALL, prepare))
        with record.store.view() as view:
            keys = [view.read(ALL, "Patient", f"p{n}").patient_keys[0] for n in range(PATIENTS)]
        read = (AuditRecord(actor, "", "", "record", "", 200, opened=key) for actor in "xyz" for key in keys)
        record.store.record(*read).result()
        yield record


class Explaining:
    """A connection that remembers how each statement it is sent is answered."""

    def __init__(self, db: Database) -> None:
        self.dialect = db.dialect
        self.plans: list[str] = []
        self._db = db

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        before, last = ("EXPLAIN QUERY PLAN ", -1) if self.dialect == "sqlite" else ("EXPLAIN ", 0)
        told = self._db.rows(before + statement, values)
        self.plans.append("\n".join([statement, *(str(row[last]) for row in told)]))
        return self._db.rows(statement, values)

    def lookup(self, statement: str, types: Sequence[str], rows: Iterable[Row]) -> list[Row]:
        rows = list(rows)
        for row in rows[:1]:
            kinds = {"int": "bigint", "text": "text", "blob": "bytea"}
            marks = "?" if self.dialect == "sqlite" else "unnest(ARRAY[?]::{}[])"
            columns = ", ".join(f"{marks.format(kinds[kind])} AS c{n}" for n, kind in enumerate(types))
            self.rows(f"WITH wanted AS (SELECT {columns}) {statement}", row)
        return self._db.lookup(statement, types, rows)


def plans_of(record: Record, who: Reader) -> list[str]:
    """How all that is asked of persons is answered."""
    store = record.store
    assert isinstance(store, SqlStore)
    with store.searcher() as searcher:
        if searcher.db.dialect == "postgres":  # tables so small are rightly read whole
            searcher.db.run("SET LOCAL enable_seqscan = off")
        reader: StoredReader = Names().stored(searcher.db, who)
        found = Explaining(searcher.db)
        db: Database = found  # pyright: ignore[reportAssignmentType] - it only asks
        assert persons.members(db, reader, "p3") == ("p3", "p4")
        assert persons.link(db, reader, ("p3", "p4")) is not None
        assert len(persons.links_of(db, reader, "p3")) == 2
        assert len(persons.queue(db, reader, 5, 30)) == 5
        for at in (None, 2**62):
            for types in (["Patient"], ["Patient", "Observation"]):
                assert len(known.rows(db, reader, ["p3"], types, 9, at)) == 1
                assert len(known.rows(db, reader, ["p3", "p4"], types, 9, at)) == 2
        around = persons.near(db, ["p3"])
        assert set(around.keys) == {"p2", "p3", "p4"}
        assert persons.bearers(db, [-5, -6], 9) == ()
        assert persons.persons_by_key(db, [around.keys["p3"]])
        by = openings.by(db, Names(), "y", "")
        assert by is not None
        assert len(openings.rows(db, reader, by, 8)) == 8
        assert held_of(db, 1, [around.keys["p3"], around.keys["p4"]])[1]
    return found.plans


@pytest.mark.parametrize("who", ["all", "scope"])
@pytest.mark.parametrize("statistics", [False, True], ids=["no statistics", "statistics"])
def test_what_is_asked_of_persons_is_sought(record: Record, who: str, *, statistics: bool) -> None:
    store = record.store
    assert isinstance(store, SqlStore)
    if statistics:
        with store.maintenance(SYSTEM) as db:
            db.run("ANALYZE")
    reader = ALL if who == "all" else Reader("r", store.scope(1))

    plans = plans_of(record, reader)

    whole = [plan for plan in plans if re.search(_WHOLE, plan)]
    assert whole == []
    assert [plan for plan in plans if "resource_walk" in plan] == [], "one person's among everybody's"
    (lately,) = (plan for plan in plans if "opened o" in plan)
    assert "opened_lately" in lately, lately
    assert not re.search("Sort|TEMP B-TREE", lately), lately
    (queue,) = (plan for plan in plans if "ORDER BY l.number" in plan)
    assert "link_waits" in queue, queue


_WHOLE = r"SCAN (?!w\b|j VIRTUAL|span\b|wanted|CONSTANT|l USING \w* ?INDEX link_waits)\w+|Seq Scan on"
