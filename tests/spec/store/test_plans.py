"""The plans of a consented search are the ones we chose, on both databases (EXPLAIN).

Readers who may see much walk newest first and probe the scope at each step; readers who may
see little start from the persons of their scope. Neither plan reads the whole scope for a
page, builds a filter over it, or sorts the whole type.
"""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest

from kintung.fhir.search import Everything, Query, care_between, compartment, in_compartment, parse_query
from kintung.identity.name_search import name_forms
from kintung.store.notices import Advance, Notice
from kintung.store.port import Unit, View
from kintung.store.reader import Reader
from kintung.store.sql.asynchronous import DUE, EXPIRED, HELD, OF_CLIENT
from kintung.store.sql.clauses import Clause
from kintung.store.sql.database import Database, Row
from kintung.store.sql.keyed import IDENTIFIER_ATOM, Under, of_term, of_terms
from kintung.store.sql.names import TYPE_NUMBERS, Names
from kintung.store.sql.notices import ACCESS_OF, due_notice, seen_subscriber
from kintung.store.sql.search import Asked, Plan, Searcher, conditions
from kintung.store.sql.search import plan as planner
from kintung.store.sql.search import plan as search_plans
from kintung.store.sql.search.inclusion import statements
from kintung.store.sql.store import FOLLOWED, SqlStore
from kintung.store.sql.view import ExportPlace, exported
from kintung.store.sqlite import SqliteDatabase
from kintung.store.writes import KEY_ATOM, Outcome, Prepared
from tests.oracle.spoken import NAMES
from tests.postgres_cluster import Cluster
from tests.stores import ALL, HOUR, START, SYSTEM, Record, opened

PATIENTS = 600
FEW, MANY = 1, 2


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    folder: Path = tmp_path_factory.mktemp("plans")
    cluster: Cluster = request.getfixturevalue("postgres")
    with opened(request.param, folder, cluster.fresh_database) as record:
        _populate(record)
        if request.param == "postgres":
            _gather_statistics(record)
        yield record


def _gather_statistics(record: Record) -> None:
    """What a server does by itself within a minute."""
    store = record.store
    assert isinstance(store, SqlStore)
    with store.maintenance(SYSTEM) as db:
        db.run("ANALYZE")


def _populate(record: Record) -> None:
    resources = [
        {"resourceType": "Patient", "id": f"p{n}", "gender": ("male", "female")[n % 2]}
        for n in range(PATIENTS)
    ]
    resources += [
        {
            "resourceType": "Observation",
            "id": f"o{n}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": ("718-7", "4548-4")[n % 2]}]},
            "subject": {"reference": f"Patient/p{n % PATIENTS}"},
            "effectiveDateTime": f"2022-10-{1 + n % 28:02d}",
        }
        for n in range(4 * PATIENTS)
    ]

    resources += [_library(n) for n in range(PATIENTS)]

    def prepare(view: View) -> Prepared:
        writes = tuple(record.putting(resource, ALL, "")(view) for resource in resources)
        return Prepared(writes, tuple(Outcome(201, write=place) for place in range(len(writes))))

    record.store.commit(Unit(ALL, prepare))
    record.grant(FEW, "p1", "p2", "p3")
    record.grant(MANY, *(f"p{n}" for n in range(0, PATIENTS, 2)))


def _library(n: int) -> dict[str, Any]:
    """Knowledge of nobody, for an age and for a dose."""
    contexts = (("age", 20 + n % 60, "a"), ("dose", 1 + n % 30, "mg"))
    return {
        "resourceType": "Library",
        "id": f"l{n}",
        "status": "active",
        "type": {"coding": [{"code": "logic-library"}]},
        "useContext": [
            {
                "code": {"system": "http://example.org/context", "code": code},
                "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": unit},
            }
            for code, value, unit in contexts
        ],
    }


@contextmanager
def searching(record: Record, *, by_index: bool = False) -> Generator[Searcher]:
    """A search; ``by_index``: PostgreSQL does not read tables whole, as is right while they are small."""
    store = record.store
    assert isinstance(store, SqlStore)
    with store.searcher() as searcher:
        if by_index and searcher.db.dialect == "postgres":
            searcher.db.run("SET LOCAL enable_seqscan = off")
        yield searcher


def asked_by(
    searcher: Searcher, reader: Reader, pairs: list[tuple[str, str]], type: str = "Observation"
) -> Asked:
    query = parse_query(type, pairs, now_micros=0, offset_minutes=480)
    return Asked(Names().stored(searcher.db, reader), query, 21)


def explain(record: Record, scope: int, plan: Plan, pairs: list[tuple[str, str]]) -> str:
    """The plan of a page for who sees the persons of a scope."""
    reader = Reader("plan", persons=record.store.scope(scope))
    with searching(record, by_index=True) as searcher:
        asked = asked_by(searcher, reader, pairs)
        statement = searcher.page(asked, plan, far=2_000 if plan.name == "walk" else None)
        return _explained(searcher.db, statement.text, statement.values)


def _explained(db: Database, text: str, values: tuple[object, ...]) -> str:
    return _explained_by(db.__class__.rows, db, text, values)


def _explained_by(rows: Any, db: Database, text: str, values: tuple[object, ...]) -> str:
    before, last = ("EXPLAIN QUERY PLAN ", -1) if db.dialect == "sqlite" else ("EXPLAIN ", 0)
    return "\n".join(str(row[last]) for row in rows(db, before + text, values))


def spied(monkeypatch: pytest.MonkeyPatch, db: Database) -> list[str]:
    """The statements that are asked of a connection from now on."""
    rows, sent = db.__class__.rows, list[str]()

    def spying(db: Database, statement: str, values: tuple[object, ...] = ()) -> list[Row]:
        sent.append(statement)
        return rows(db, statement, values)

    monkeypatch.setattr(db.__class__, "rows", spying)
    return sent


QUERIES = [[], [("code", "http://loinc.org|718-7")]]


@pytest.mark.parametrize("pairs", QUERIES, ids=["newest", "code"])
def test_walk_and_probe_seeks_the_scope_at_each_step(record: Record, pairs: list[tuple[str, str]]) -> None:
    plan = explain(record, MANY, Plan("walk"), pairs)

    assert re.search(r"USING COVERING INDEX resource_walk|resource_walk on", plan), plan
    assert re.search(
        r"SEARCH g USING PRIMARY KEY \(scope=\? AND patient_key=\?\)|scope_person_pkey on scope_person g",
        plan,
    ), plan
    assert "BLOOM" not in plan.upper(), plan
    assert "Hash" not in plan, plan
    assert "TEMP B-TREE" not in plan, plan


@pytest.mark.parametrize("pairs", QUERIES, ids=["newest", "code"])
def test_grants_first_starts_from_the_scope_and_seeks_each_person(
    record: Record, pairs: list[tuple[str, str]]
) -> None:
    plan = explain(record, FEW, Plan("grants"), pairs)

    assert "resource_walk" not in plan, plan
    assert re.search(r"SEARCH g USING PRIMARY KEY \(scope=\?\)|scope_person_pkey on scope_person g", plan), (
        plan
    )
    assert re.search(
        r"SEARCH r USING PRIMARY KEY \(patient_key=\? AND type=\?\)|resource_pkey on resource r", plan
    ), plan
    assert "BLOOM" not in plan.upper(), plan


@pytest.mark.parametrize("plan", [Plan("walk"), Plan("grants")], ids=["walk", "grants"])
def test_a_code_is_probed_by_one_seek(record: Record, plan: Plan) -> None:
    explained = explain(record, MANY, plan, QUERIES[1])

    assert re.search(
        r"SEARCH x USING PRIMARY KEY \(atom=\? AND term=\? AND patient_key=\? AND key=\?\)"
        r"|ix_token_pkey on ix_token x",
        explained,
    ), explained


def test_a_page_of_an_export_looks_through_a_span_of_keys(record: Record) -> None:
    """Bounded on both sides, it costs the same with statistics and without."""
    with searching(record, by_index=True) as searcher:
        statement = exported(searcher.db, TYPE_NUMBERS["Observation"], ExportPlace(1_000))
        explained = _explained(searcher.db, statement.text, statement.values)

    assert re.search(
        r"SEARCH e USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)"
        r"|Index Cond: \(\(key > [^)]*\) AND \(key <= ",
        explained,
    ), explained
    assert re.search(
        r"SEARCH r USING PRIMARY KEY \(patient_key=\? AND type=\? AND key=\?\)|resource_pkey on resource r",
        explained,
    ), explained


def test_a_page_of_a_follower_joins_its_own_entries_alone(record: Record) -> None:
    with searching(record) as searcher:
        explained = _explained(searcher.db, FOLLOWED, (1_000, 8))

    assert "Hash" not in explained, explained
    assert re.search(r"SEARCH log USING INTEGER PRIMARY KEY \(rowid>\?\)|log_pkey on log", explained), (
        explained
    )
    assert re.search(
        r"SEARCH v USING PRIMARY KEY \(patient_key=\? AND key=\? AND version_id=\?\)"
        r"|version_pkey on version v",
        explained,
    ), explained


def test_what_is_answered_later_is_found_by_its_client_and_by_when_it_is_due(record: Record) -> None:
    store = record.store
    assert isinstance(store, SqlStore)
    rows = [(n, f"id{n}", f"c{n % 50}", b"", b"", START + n, START + n, 0, 0, b"") for n in range(2_000)]
    with store.maintenance(SYSTEM) as db:
        db.insert("asynchronous", rows)
        db.run("ANALYZE")
    with searching(record) as searcher:
        found = {
            "due": _explained(searcher.db, DUE, (START + 5, START)),
            "client": _explained(searcher.db, HELD, ("c1", START)),
            "until": _explained(searcher.db, EXPIRED, (START + 5,)),
            "id": _explained(searcher.db, f"SELECT done {OF_CLIENT}", ("id1", "c1", START)),
        }
    assert "asynchronous_due" in found["due"], found
    assert "asynchronous_client" in found["client"], found
    assert "asynchronous_until" in found["until"], found
    assert re.search(r"autoindex_asynchronous|asynchronous_id_key", found["id"]), found


def test_the_next_notice_is_found_by_when_it_is_due(record: Record) -> None:
    """However many wait: those behind others of their lane are due never."""
    store = record.store
    assert isinstance(store, SqlStore)
    sent = [Notice(f"s{n % 7}", n, "Observation", f"o{n % 50}", 1, "create", 0) for n in range(2_000)]
    store.notices.lead(SYSTEM, "plan", HOUR)
    store.notices.advance(SYSTEM, "plan", Advance(0, 1, sent, [(f"s{n}", 1, b"") for n in range(7)]))
    with store.maintenance(SYSTEM) as db:
        db.insert("standing", [(key, 1, b"") for key in range(2_000)])
        db.run("ANALYZE")
    with searching(record) as searcher:
        explained = _explained(searcher.db, due_notice(2), (START, "s1", "s2"))
        access = _explained(searcher.db, ACCESS_OF, ("s1", TYPE_NUMBERS["Subscription"], 1))

    assert re.search(r"SEARCH n USING INDEX notice_due \(due<\?\)|notice_due on notice n", explained), (
        explained
    )
    assert re.search(r"USING PRIMARY KEY \(key=\? AND version_id=\?\)|standing_pkey on standing a", access), (
        access
    )


def test_a_subscription_in_force_is_sought_by_its_id(record: Record) -> None:
    reader = Reader("plan", persons=record.store.scope(MANY), organisations=frozenset({"x"}))
    with searching(record) as searcher:
        statement = seen_subscriber(Names().stored(searcher.db, reader), "s1")
        explained = _explained(searcher.db, statement.text, statement.values)

    assert "SCAN" not in explained, explained
    assert re.search(r"SEARCH r USING PRIMARY KEY|resource_pkey on resource r", explained), explained
    assert re.search(r"SEARCH e USING \w* ?INDEX|entity_id_type_key on entity e", explained), explained


def test_the_plan_follows_the_size_of_the_scope(record: Record) -> None:
    readers = {scope: Reader("plan", persons=record.store.scope(scope)) for scope in (FEW, MANY)}
    with searching(record) as searcher:
        asked = {scope: asked_by(searcher, reader, []) for scope, reader in readers.items()}
        chosen = {scope: searcher.plan(page.who, page.query).name for scope, page in asked.items()}

    assert chosen == {FEW: "grants", MANY: "walk"}


def page_of(record: Record, plan: Plan, pairs: list[tuple[str, str]]) -> str:
    """The plan of a page for who sees all."""
    with searching(record, by_index=True) as searcher:
        asked = asked_by(searcher, ALL, pairs)
        started = plan._replace(start=asked.query.criteria) if plan.name == "merge" else plan
        statement = searcher.page(asked, started)
        return _explained(searcher.db, statement.text, statement.values)


def test_dates_are_walked_in_their_order(record: Record) -> None:
    plan = page_of(record, Plan("dates"), [("_sort", "-date")])

    assert re.search(r"ix_date_late", plan), plan
    assert re.search(
        r"SEARCH r USING PRIMARY KEY \(patient_key=\? AND type=\? AND key=\?\)|resource_pkey on resource r",
        plan,
    ), plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan, plan


def test_the_dates_of_one_person_are_walked_in_their_order(record: Record) -> None:
    plan = page_of(record, Plan("dates", person=1), [("_sort", "-date")])

    assert re.search(r"ix_date_person \(patient_key=\? AND atom=\?\)|on ix_date x", plan), plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan, plan


def test_what_one_person_has_is_walked_newest_first(record: Record) -> None:
    with searching(record, by_index=True) as searcher:
        asked = asked_by(searcher, ALL, [("subject", "Patient/p7"), ("code", "4548-4")])
        (key,) = searcher.lookups.owners("Patient", ("p7",))
        statement = searcher.page(asked, Plan("walk", person=key), far=1_000)
        found = searcher.db.rows(statement.text, statement.values)
        explained = _explained(searcher.db, statement.text, statement.values)

    assert len(found) == 4
    assert re.search(
        r"SEARCH r USING INDEX resource_person \(patient_key=\? AND type=\?\)"
        r"|resource_(person|pkey) on resource r",
        explained,
    ), explained
    assert "TEMP B-TREE" not in explained, explained
    probed = statement.text.index("ix_token"), statement.text.index("ix_reference")
    assert probed == tuple(sorted(probed)), "last what most of the person's rows meet"


OF_PERSON = {
    "all of them": ([("subject", "Patient/p7")], {}, ("walk", 0)),
    "few of them": ([("subject", "Patient/p7"), ("code", "4548-4")], {}, ("merge", 1)),
    "many of them": ([("subject", "Patient/p7"), ("code", "4548-4")], {"FEW_OF_PERSON": 3}, ("walk", 0)),
    "several, each of many": (
        [("subject", "Patient/p7"), ("code", "4548-4"), ("status", "final")],
        {"FEW_OF_PERSON": 3},
        ("merge", 2),
    ),
    "too many to count": (
        [("subject", "Patient/p7"), ("code", "4548-4"), ("status", "final")],
        {"FEW_OF_PERSON": 3, "COUNTED_OF_PERSON": 3},
        ("walk", 0),
    ),
}


@pytest.mark.parametrize("case", OF_PERSON)
def test_a_person_with_much_is_where_the_search_of_them_starts(
    record: Record, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    pairs, bounds, wanted = OF_PERSON[case]
    for name, bound in {"FEW": 3, **bounds}.items():
        monkeypatch.setattr(planner, name, bound)
    with searching(record) as searcher:
        asked = asked_by(searcher, ALL, pairs)
        plan = searcher.plan(asked.who, asked.query)
        assert plan.person == searcher.lookups.owners("Patient", ("p7",))[0]
        assert (plan.name, len(plan.start)) == wanted
        assert len(searcher.rows(asked)) == 4


def test_all_of_a_person_is_found_from_what_says_whose_it_is(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A total, and an order that no index has, pass over nothing: a walk would read more."""
    monkeypatch.setattr(planner, "FEW", 3)
    reader = Reader("plan", persons=record.store.scope(FEW))
    with searching(record) as searcher:
        asked = asked_by(searcher, reader, [("subject", "Patient/p2"), ("_sort", "status")])
        assert searcher.plan(asked.who, asked.query).name == "walk"
        counted = searcher.total(asked.who, asked.query)
        assert (counted.plan, searcher.db.rows(counted.text, counted.values)) == ("merge", [(4,)])
        sent = spied(monkeypatch, searcher.db)
        assert len(searcher.rows(asked)) == 4

    assert "ix_reference x" in sent[-1].partition(" WHERE ")[0], sent[-1]


@pytest.mark.parametrize(("person", "held"), [("p2", True), ("p7", False)])
def test_only_who_may_see_a_person_starts_from_them(
    record: Record, monkeypatch: pytest.MonkeyPatch, person: str, held: bool
) -> None:
    monkeypatch.setattr(planner, "FEW", 3)
    reader = Reader("plan", persons=record.store.scope(FEW))
    with searching(record) as searcher:
        asked = asked_by(searcher, reader, [("subject", f"Patient/{person}")])
        plan = searcher.plan(asked.who, asked.query)
        found = searcher.rows(asked)

    assert (plan.name, plan.person is not None) == ("walk" if held else "grants", held)
    assert len(found) == (4 if held else 0)


def test_a_page_that_is_begun_is_walked_on_from_where_it_is(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "STRETCH", PATIENTS)
    monkeypatch.setattr(planner, "FEW", 1)
    for pairs, limit in (([("date", "2022-10-05")], 60), ([("code", "718-7"), ("_sort", "-date")], 400)):
        with searching(record) as searcher:
            asked = replace(asked_by(searcher, ALL, pairs), limit=limit)
            whole = searcher.page(asked, Plan("dates" if asked.query.sort else "walk"))
            wanted = searcher.db.rows(whole.text, whole.values)
            sent = spied(monkeypatch, searcher.db)
            found = searcher.rows(asked)

        assert found == wanted
        assert len(found) == limit
        first, second = (statement for statement in sent if "ORDER BY" in statement and "r.seq" in statement)
        assert "r.seq < ?" not in first
        assert "r.seq < ?" in second


def test_a_chain_to_a_list_is_held_against_it(record: Record) -> None:
    """Sought by, the list would be a seek for each of its targets, at each resource walked."""
    with searching(record) as searcher:
        asked = asked_by(searcher, ALL, [("subject:Patient.gender", "male")])
        statement = searcher.page(asked, Plan("walk"), far=2_000)
        explained = _explained(searcher.db, statement.text, statement.values)

    assert "resource t" not in statement.text
    assert re.search(
        r"SEARCH x USING COVERING INDEX ix_reference_of \(patient_key=\? AND key=\? AND atom=\?\)"
        r"|ix_reference_of on ix_reference x",
        explained,
    ), explained


def test_common_criteria_are_merged_in_the_order_of_their_rows(record: Record) -> None:
    pairs = [("code", "718-7"), ("code", "4548-4"), ("status", "final")]
    plan = page_of(record, Plan("merge"), pairs)

    assert re.search(r"MERGE \(INTERSECT\)|SetOp Intersect", plan), plan
    assert plan.count("TEMP B-TREE") <= 1, f"the page is sorted, and nothing else\n{plan}"


@pytest.mark.parametrize("value", ["age$60", "age$60|http://unitsofmeasure.org|a"])
def test_values_that_stand_together_are_one_seek(record: Record, value: str) -> None:
    """By atom, code, unit and amount, though no unit is named; then resource by resource."""
    pairs = [("context-type-quantity", value)]
    with searching(record, by_index=True) as searcher:
        asked = asked_by(searcher, ALL, pairs, "Library")
        plan = searcher.plan(asked.who, asked.query)
        statement = searcher.page(asked, plan)
        found = searcher.db.rows(statement.text, statement.values)
        explained = _explained(searcher.db, statement.text, statement.values)

    assert plan.name == "candidates"
    assert len(found) == PATIENTS // 60
    assert re.search(
        r"SEARCH x USING PRIMARY KEY \(atom=\? AND first=\? AND second=\? AND low>\? AND low<\?\)"
        r"|ix_composite_pkey(?s:.*?)Index Cond: .*atom = .*first = .*second = .*low >= .*low < ",
        explained,
    ), explained
    assert "Seq Scan on ix_" not in explained, explained


def test_of_several_days_each_is_a_seek(record: Record) -> None:
    with searching(record, by_index=True) as searcher:
        asked = asked_by(searcher, ALL, [("date", "2022-10-03,2022-10-09")])
        plan = searcher.plan(asked.who, asked.query)
        statement = searcher.page(asked, plan)
        explained = _explained(searcher.db, statement.text, statement.values)

    assert plan.name == "candidates"
    seeks = r"KEY \(atom=\? AND low>\? AND low<\?\)|Index Cond: \(\(atom = [^)]*\) AND \(low >="
    assert len(re.findall(seeks, explained)) == 2, explained


def test_what_stands_together_is_probed_by_its_resource(record: Record) -> None:
    pairs = [("context-type-quantity", "age$gt30,dose$lt9")]
    with searching(record, by_index=True) as searcher:
        asked = asked_by(searcher, ALL, pairs, "Library")
        statement = searcher.page(asked, Plan("walk"))
        explained = _explained(searcher.db, statement.text, statement.values)

    assert re.search(
        r"ix_composite_of \(patient_key=\? AND key=\? AND atom=\?\)|on ix_composite x", explained
    ), explained
    assert not re.search(r"SCAN x\b|Seq Scan on ix_", explained), explained


SENT = {
    "merge": ([("code", "718-7"), ("code", "4548-4")], "INTERSECT"),
    "walk alone": ([("code", "718-7"), ("status", "final")], None),
    "dates": ([("_sort", "-date")], "x.high DESC"),
    "dates AND code": ([("code", "718-7"), ("_sort", "date")], "x.low, "),
    "newest": ([("_sort", "-_lastUpdated")], "r.seq DESC"),
    "a chain to many": ([("subject:Patient.gender", "male")], "resource t "),
    "spans of which little is in both": (
        [("date", "lt2022-10-15"), ("date", "gt2022-10-16")],
        "x.high > ?) k0) k",
    ),
}


@pytest.mark.parametrize("case", SENT)
def test_a_page_begins_where_it_is_soonest_filled(
    record: Record, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    pairs, wanted = SENT[case]
    monkeypatch.setattr(planner, "STRETCH", PATIENTS)  # the record is small: this much is not all of it
    monkeypatch.setattr(conditions, "MANY_INDEXED", PATIENTS // 4)
    with searching(record) as searcher:
        sent = spied(monkeypatch, searcher.db)
        searcher.rows(asked_by(searcher, ALL, pairs))

    assert "INTERSECT" not in "".join(sent) or wanted == "INTERSECT", sent
    assert wanted is None or any(wanted in statement for statement in sent), sent


def test_what_is_common_is_counted_from_the_index(record: Record) -> None:
    with searching(record) as searcher:
        for pairs, wanted in (
            ([("code", "718-7")], 2 * PATIENTS),
            ([("code", "718-7"), ("status", "final")], 2 * PATIENTS),
        ):
            asked = asked_by(searcher, ALL, pairs)
            statement = searcher.total(asked.who, asked.query)
            assert "resource" not in statement.text
            assert searcher.db.rows(statement.text, statement.values) == [(wanted,)]


def test_the_history_of_one_resource_is_found_by_its_key(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    with searching(record) as searcher:
        database = searcher.db.__class__
    rows, plans = database.rows, list[str]()

    def explaining(db: Database, statement: str, values: tuple[object, ...] = ()) -> list[Row]:
        if "version v" in statement:
            plans.append(_explained_by(rows, db, statement, values))
        return rows(db, statement, values)

    monkeypatch.setattr(database, "rows", explaining)
    assert record.history("Patient/p7") == ["Patient/p7/1"]
    assert record.history("Patient/p7", oldest_first=True) == ["Patient/p7/1"]
    assert record.history("Patient/p7", at=(record.clock.now_micros(), 2**61)) == ["Patient/p7/1"]

    assert len(plans) == 6, "of each a page and a total"
    for plan in plans:
        assert re.search(
            r"SEARCH v USING PRIMARY KEY \(patient_key=\? AND key=\?\)|version_pkey on version v", plan
        ), plan
        assert " l" not in plan.replace(" loop", ""), plan
    for plan in plans[4:]:
        assert re.search(
            r"SEARCH n USING PRIMARY KEY \(patient_key=\? AND key=\?|version_pkey on version n", plan
        ), plan
    assert record.history("Patient", at=(record.clock.now_micros(), 2**61), oldest_first=True)
    walked = plans[6]
    assert re.search(r"SEARCH l USING INTEGER PRIMARY KEY|using log_pkey on log l", walked), walked
    assert not re.search("B-TREE|Sort", walked), "the log is read in its order"


def test_ids_are_where_a_search_by_them_starts(record: Record) -> None:
    with searching(record) as searcher:
        asked = asked_by(searcher, ALL, [("_id", "o5,o6")])
        plan = searcher.plan(asked.who, asked.query)
        statement = searcher.page(asked, plan)
        explained = _explained(searcher.db, statement.text, statement.values)

    assert plan.name == "candidates"
    assert re.search(
        r"SEARCH r USING PRIMARY KEY \(patient_key=\? AND type=\? AND key=\?\)|resource_pkey on resource r",
        explained,
    ), explained


def test_an_update_time_bounds_the_walk(record: Record) -> None:
    with searching(record) as searcher:
        statement = searcher.page(asked_by(searcher, ALL, [("_lastUpdated", "ge2023-01-01")]), Plan("walk"))
        explained = _explained(searcher.db, statement.text, statement.values)

    assert "r.seq >= ?" in statement.text
    assert re.search(r"resource_walk \(type=\? AND seq>\?\)|seq >= ", explained), explained


@pytest.mark.parametrize("type", ["Observation", None])
def test_a_compartment_is_where_its_search_starts(record: Record, type: str | None) -> None:
    """Its owner's references, a seek for each parameter; never a walk over all there is."""
    with searching(record, by_index=True) as searcher:
        query = in_compartment(parse_query(type, [("_total", "accurate")], now_micros=0), "Patient", "p7")
        asked = Asked(Names().stored(searcher.db, ALL), query, 21)
        plan = searcher.plan(asked.who, asked.query)
        for statement in (searcher.page(asked, plan), searcher.total(asked.who, query)):
            explained = _explained(searcher.db, statement.text, statement.values)
            assert re.search(
                r"SEARCH x USING (PRIMARY KEY|COVERING INDEX \w+) \(atom=\? AND target=\?\)"
                r"|ix_reference_pkey on ix_reference x",
                explained,
            ), explained
            assert not re.search(r"SCAN (x|r|e)\b|Seq Scan", explained), explained

    assert plan.name == "candidates"


def test_a_compartment_of_much_is_walked_only_where_its_rows_are_in_order(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_plans, "FEW", 1)
    names: dict[str | None, str] = {}
    with searching(record) as searcher:
        for type in ("Observation", None):
            query = in_compartment(parse_query(type, [], now_micros=0), "Patient", "p7")
            names[type] = searcher.plan(Names().stored(searcher.db, ALL), query).name

    assert names == {"Observation": "walk", None: "candidates"}


def test_everything_is_found_from_the_compartment(record: Record) -> None:
    """A seek for each resource in it, for its references, and for each target once."""
    with searching(record, by_index=True) as searcher:
        care = care_between(["Observation"], 0, 10**15)
        wanted = Everything(compartment("Patient", ("p7",)), care, "Patient")
        reader = Reader("plan", persons=record.store.scope(MANY))
        asked = Asked(Names().stored(searcher.db, reader), Query((), (wanted,)), 21)
        plan = searcher.plan(asked.who, asked.query)
        statement = searcher.page(asked, plan)
        explained = _explained(searcher.db, statement.text, statement.values)

    assert plan.name == "candidates"
    assert not re.search(r"SCAN (x|r|c|e|n|g)\b|Seq Scan", explained), explained
    for seek in (
        r"SEARCH c USING PRIMARY KEY \(patient_key=\? AND type=\? AND key=\?\)|resource_pkey on resource c",
        r"SEARCH r USING PRIMARY KEY \(patient_key=\? AND type=\? AND key=\?\)|resource_pkey on resource r",
        r"SEARCH x USING INDEX ix_reference_of|SEARCH x USING COVERING INDEX ix_reference_of"
        r"|ix_reference_of on ix_reference x",
        r"SEARCH x USING (COVERING )?INDEX ix_date_of|ix_date_of on ix_date x",
    ):
        assert re.search(seek, explained), explained


def test_a_chain_is_followed_by_its_references_before_the_server_has_statistics(
    tmp_path: Path, postgres: Cluster
) -> None:
    """Turned round, each resource met asked every Patient there is: ten seconds for 31,000 resources."""
    with opened("postgres", tmp_path, postgres.fresh_database) as record:
        _populate(record)
        reader = Reader("plan", persons=record.store.scope(MANY))
        with searching(record) as searcher:
            asked = asked_by(searcher, reader, [("subject:Patient.gender", "male")])
            statement = searcher.page(asked, Plan("walk"), far=2_000)
            plan = _explained(searcher.db, statement.text, statement.values)

    assert re.search(r"ix_reference_(of|pkey) on ix_reference x", plan), plan
    assert re.search(r"resource_pkey on resource t", plan), plan


# -- what a page includes ----------------------------------------------------------------


def plan_of_includes(record: Record, reader: Reader, type: str, name: str, value: str) -> str:
    """How the first step of an include goes from twenty resources of a type."""
    query = parse_query(type, [(name, value)], now_micros=0)
    with searching(record, by_index=True) as searcher:
        who = Names().stored(searcher.db, reader)
        rows = searcher.rows(Asked(who, query, 20))
        (statement,) = statements(searcher.lookups, who, query.includes, rows)
        return _explained(searcher.db, statement.text, statement.values)


SEEKS_RESOURCE = (
    r"SEARCH r USING PRIMARY KEY \(patient_key=\? AND type=\? AND key=\?\)|resource_pkey on resource r"
)


def assert_goes_from_the_matches(plan: str, references: str) -> None:
    assert re.search(references, plan), plan
    assert re.search(SEEKS_RESOURCE, plan), plan
    assert "BLOOM" not in plan.upper(), plan
    assert "Hash" not in plan, plan
    assert not re.search(r"SCAN [xr]\b", plan), plan


BY_SOURCE = (
    r"SEARCH x USING (COVERING )?INDEX ix_reference_of \(patient_key=\? AND key=\?"
    r"|ix_reference_of on ix_reference x"
)
BY_TARGET = r"SEARCH x USING PRIMARY KEY \(atom=\? AND target=\?|ix_reference_pkey on ix_reference x"


@pytest.mark.parametrize("scope", [FEW, MANY])
@pytest.mark.parametrize("value", ["Observation:subject", "Observation:*", "*"])
def test_an_include_goes_from_the_references_of_the_matches(record: Record, scope: int, value: str) -> None:
    reader = Reader("plan", persons=record.store.scope(scope))
    plan = plan_of_includes(record, reader, "Observation", "_include", value)

    assert_goes_from_the_matches(plan, BY_SOURCE)


@pytest.mark.parametrize("scope", [FEW, MANY])
def test_a_revinclude_goes_from_what_refers_to_the_matches(record: Record, scope: int) -> None:
    reader = Reader("plan", persons=record.store.scope(scope))
    plan = plan_of_includes(record, reader, "Patient", "_revinclude", "Observation:subject")

    assert_goes_from_the_matches(plan, BY_TARGET)


def test_includes_go_from_the_matches_before_the_server_has_statistics(
    tmp_path: Path, postgres: Cluster
) -> None:
    with opened("postgres", tmp_path, postgres.fresh_database) as record:
        _populate(record)
        reader = Reader("plan", persons=record.store.scope(MANY))
        forward = plan_of_includes(record, reader, "Observation", "_include", "Observation:subject")
        back = plan_of_includes(record, reader, "Patient", "_revinclude", "Observation:subject")

    assert_goes_from_the_matches(forward, BY_SOURCE)
    assert_goes_from_the_matches(back, BY_TARGET)


def test_sqlite_plans_a_statement_once_whatever_its_values(tmp_path: Path) -> None:
    with opened("sqlite", tmp_path, str) as record:
        store = record.store
        assert isinstance(store, SqlStore)
        with store.searcher() as reading, store.maintenance(SYSTEM) as writing:
            for db in (reading.db, writing):
                assert isinstance(db, SqliteDatabase)
                assert db.connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, -1) == 1


NAMED = ("Chan Tai Man", "陳大文", "Au Yeung Mei Yee", "Chen Dawen")


@pytest.mark.parametrize("name", NAMED)
def test_every_form_of_a_name_is_sought_in_the_index(record: Record, name: str) -> None:
    """However many forms there are, each is a seek, and the page starts from what they find."""
    people = [
        {
            "resourceType": "Patient",
            "id": f"n{n}",
            "name": [{"family": each.surname.traditional, "given": ["偉"]}],
        }
        for n, each in enumerate(NAMES * 2)
    ]
    record.commit(*map(record.putting, people))
    with searching(record, by_index=True) as searcher:
        query = parse_query("Patient", [("name", name)], now_micros=0, others=name_forms)
        asked = Asked(Names().stored(searcher.db, ALL), query, 21)
        plan = searcher.plan(asked.who, asked.query)
        statement = searcher.page(asked, plan)
        explained = _explained(searcher.db, statement.text, statement.values)

    assert plan.name == "candidates"
    assert re.search(
        r"SEARCH x USING PRIMARY KEY \(atom=\? AND folded[>=]|Index Cond: \(\(atom = [^)]*\) AND \(folded >=",
        explained,
    ), explained
    assert "SCAN x" not in explained, explained
    assert "SEARCH x USING PRIMARY KEY (atom=?)" not in explained, f"few forms are sought too\n{explained}"
    assert not re.search("Seq Scan on (ix_string|resource|entity)", explained), explained
    assert re.search(
        r"SEARCH r USING PRIMARY KEY \(patient_key=\? AND type=\? AND key=\?\)|resource_pkey on resource r",
        explained,
    ), explained


@pytest.mark.parametrize(("names", "plan"), [(search_plans.MANY_FORMS, "candidates"), (60, "walk")])
def test_the_forms_of_a_name_are_worth_more_rows_than_a_value(
    record: Record, monkeypatch: pytest.MonkeyPatch, names: int, plan: str
) -> None:
    """A walk asks each Patient for all of them."""
    surname = {search_plans.MANY_FORMS: "司徒", 60: "上官"}[names]
    people = [
        {"resourceType": "Patient", "id": f"{plan}{n}", "name": [{"text": surname}]} for n in range(names)
    ]
    record.commit(*map(record.putting, people))
    monkeypatch.setattr(planner, "FEW", 1)
    with searching(record) as searcher:
        query = parse_query("Patient", [("name", surname)], now_micros=0, others=name_forms)
        assert searcher.plan(Names().stored(searcher.db, ALL), query).name == plan


def _born(record: Record, kind: str) -> None:
    """People of one surname, of whom few are born in the year that all others are."""
    people = [
        {
            "resourceType": "Patient",
            "id": f"{kind}{n}",
            "name": [{"text": "諸葛" if n % 8 == 0 else f"Smith{n}"}],
            "birthDate": f"195{n % 2}",
        }
        for n in range(80)
    ]
    record.commit(*map(record.putting, people))


@pytest.mark.parametrize("scope", [None, MANY])
def test_a_list_is_put_in_order_before_a_name_is_probed_in_it(record: Record, scope: int | None) -> None:
    """A page that is full ends the probing: each probe of a name in all its forms is dear."""
    _born(record, "lazy")
    reader = ALL if scope is None else Reader("r", record.store.scope(scope))
    with searching(record, by_index=True) as searcher:
        pairs = [("birthdate", "1950"), ("name", "諸葛")]
        query = parse_query("Patient", pairs, now_micros=0, others=name_forms)
        asked = Asked(Names().stored(searcher.db, reader), query, 21)
        (year, name) = query.criteria
        by_year, by_name = (searcher.page(asked, Plan("candidates", (each,))) for each in (year, name))
        lazy = _explained(searcher.db, by_year.text, by_year.values)
        walked = searcher.page(asked, Plan("walk"))
        answers = [searcher.db.rows(each.text, each.values) for each in (by_year, by_name, walked)]

    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]) == (0 if scope else 10)
    if searcher.db.dialect == "sqlite":
        inner, _, outer = lazy.partition("SCAN r")
        assert "USE TEMP B-TREE FOR ORDER BY" in inner, lazy
        assert "folded>?" in outer, lazy
        assert "ORDER BY" not in outer, lazy
    else:
        assert re.search(r"Limit.*\n +-> +Subquery Scan on r ", lazy), lazy
        assert lazy.count("seq DESC") == 1, lazy
    assert "SELECT r.patient_key, r.type, r.key, r.seq" not in by_name.text, "a day is probed in a row's time"


def test_a_walk_of_a_name_in_its_forms_is_short_and_then_the_name_is_listed_sooner(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    _born(record, "short")
    monkeypatch.setattr(planner, "FEW", 1)
    with searching(record) as searcher:
        who = Names().stored(searcher.db, ALL)

        def asked(*pairs: tuple[str, str]) -> Asked:
            return Asked(who, parse_query("Patient", pairs, now_micros=0, others=name_forms), 21)

        of_name, of_both = asked(("name", "諸葛")), asked(("birthdate", "1950"), ("name", "諸葛"))
        far = [
            planner.stretch(searcher.lookups, each, Plan("walk"))
            for each in (of_name, of_both, asked(("birthdate", "1950")), asked())
        ]
        assert far == [planner.STRETCH_OF_FORMS, planner.STRETCH_OF_FORMS, planner.STRETCH, None]
        (_, name) = of_both.query.criteria
        assert planner.elsewhere(searcher.lookups, who, of_both.query) == Plan("candidates", (name,))


@pytest.mark.parametrize("atom", [KEY_ATOM, IDENTIFIER_ATOM])
@pytest.mark.parametrize("scope", [None, FEW, MANY])
def test_who_has_a_key_or_a_number_is_found_by_it(record: Record, scope: int | None, atom: int) -> None:
    """One seek for a key and one for each who has it; nothing is put in order before the bound."""
    reader = ALL if scope is None else Reader("r", record.store.scope(scope))
    with searching(record, by_index=True) as searcher:
        who = Names().stored(searcher.db, reader)
        if searcher.db.dialect == "sqlite":
            of_one = of_term(searcher.db, who, Under(atom, 33), "?")
            statement = Clause(of_one.text, (5, *of_one.values))
        else:
            statement = of_terms(searcher.db, who, Under(atom, 33), range(20))
        explained = _explained(searcher.db, statement.text, statement.values)

    assert re.search(
        r"SEARCH x USING PRIMARY KEY \(atom=\? AND term=\?\)|ix_token_pkey on ix_token x", explained
    ), explained
    assert re.search(
        r"SEARCH r USING PRIMARY KEY \(patient_key=\? AND type=\? AND key=\?\)|resource_pkey on resource r",
        explained,
    ), explained
    assert not re.search("SCAN|Seq Scan|TEMP B-TREE|Sort|Hash|BLOOM", explained), explained
