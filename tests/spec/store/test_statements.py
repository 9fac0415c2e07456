"""Every statement stays with one person, so that the tables can be cut by ``patient_key``.

A statement that has several rows of tables cut by person joins them on ``patient_key``; other
joins are to tables declared ``reference``. What does otherwise stands in ``ELSEWHERE`` with
its reason.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from kintung.fhir.search import (
    Chain,
    Everything,
    Query,
    care_between,
    compartment,
    in_compartment,
    parse_query,
)
from kintung.identity.likeness import asked_keys
from kintung.identity.matching import record as matched
from kintung.store.asynchronous import Wanted
from kintung.store.links import LinkChange, LinkKind
from kintung.store.notices import ACTIVE, Advance, Notice
from kintung.store.port import Unit
from kintung.store.reader import Reader
from kintung.store.sql.names import Names
from kintung.store.sql.schema import BY_NAME
from kintung.store.sql.search import Asked, Plan
from kintung.store.sql.store import SqlStore
from kintung.store.sqlite import SqliteDatabase
from kintung.store.versions import Paging
from kintung.store.writes import AuditRecord, Grant, Prepared
from tests.people import HKID
from tests.records import subscription
from tests.stores import ALL, HOUR, SYSTEM, Record, opened

ELSEWHERE = {
    "owner": "the owners of a resource of several persons are looked up by the resource, whoever they are",
    "ix_reference": "a chain leads from one person's data to what is nobody's or another's: a set of targets",
    "wanted": "the values a look-up is made for, not a table",
    "job": "work of the node, nobody's data",
}
OF_CHECK = {
    "SELECT s.number FROM scope s": "a scope is a set of persons: its size is counted over all of them",
    "SELECT x.patient_key, x.audit": "a disclosure is compared with the audit record it belongs to",
    "SELECT x.actor, x.organisation": "and a record that was opened with the one that says so",
    "SELECT x.patient_key, x.key, x.version_id": "a version is compared with the log entry it came by",
}
"""Statements of ``kintung check``, which reads every table whole, by their beginning."""
OF_SEARCH = {
    "WITH RECURSIVE u(term)": "the units an amount is in are a set of terms, whoever's amounts they are",
    "WITH RECURSIVE u(second)": "and those beside a code",
    "SELECT w.c0 FROM wanted w WHERE (SELECT 1 FROM ix_token x": "so are codes",
}
"""Statements that look up what a search needs before it, by their beginning."""
OF_STEWARDS = {
    "SELECT d.patient_key, d.audit, a.record": "who was told of a person is in the audit",
}
"""Statements that only a steward's questions send, by their beginning."""
EXCUSED = {**OF_CHECK, **OF_SEARCH, **OF_STEWARDS}
CHAN = {"resourceType": "Patient", "id": "a", "name": [{"family": "Chan"}], "birthDate": "1950-03-04"}
SEARCHES = [
    "",
    "code=http://loinc.org|1",
    "code=1,2&status:not=final",
    "code:missing=true",
    "encounter:missing=false",
    "patient=a&date=ge2020&_sort=-date,code,value-quantity,subject",
    "subject.name=x",
    "subject:Patient.identifier:missing=true",
    "value-quantity=5.4|http://unitsofmeasure.org|mg&value-string=a",
    "_id=a,b&_lastUpdated=gt2020&_profile=http://x",
    "value-string:contains=b&performer=Practitioner/1",
    "value-quantity=5.4&code=" + ",".join(map(str, range(20))),
    "_include=*&_revinclude:iterate=Observation:subject&_include:iterate=Group:member",
    "date=" + ",".join(f"20{year}" for year in range(10, 30)),
    "code-value-quantity=1$5.4,2$7||kg",
    "combo-code-value-concept=http://loinc.org|1$2&combo-code-value-quantity=1$gt5",
    "component-code-value-quantity=x$" + ",x$".join(map(str, range(20))),
    "component-code-value-concept:missing=true&combo-code-value-quantity:missing=false",
    "subject:Patient.identifier:of-type=a|b|c",
    "has-member:Observation.combo-code-value-concept=1$2,3|$4",
]


@pytest.fixture(scope="module")
def statements(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every statement that a walk through all the store does sends."""
    seen: set[str] = set()
    kept = {name: getattr(SqliteDatabase, name) for name in ("rows", "run", "lookup")}

    def spying(name: str) -> Any:
        def call(self: SqliteDatabase, statement: str, *rest: Any) -> Any:
            seen.add(statement)
            return kept[name](self, statement, *rest)

        return call

    folder: Path = tmp_path_factory.mktemp("statements")
    with pytest.MonkeyPatch.context() as patch, opened("sqlite", folder, str) as record:
        for name in kept:
            patch.setattr(SqliteDatabase, name, spying(name))
        _use_everything(record)
    return seen


def _use_everything(record: Record) -> None:
    record.put(CHAN)
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
    record.put({**group, "member": [{"entity": {"reference": f"Patient/{id}"}} for id in "ab"]})
    observation = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}}
    record.put({**observation, "subject": {"reference": "Patient/a"}, "valueString": "b"})
    part = {"code": {"coding": [{"code": "x"}]}, "valueQuantity": {"value": 5}}
    record.put({**observation, "id": "parts", "component": [part]})
    record.put({**observation, "subject": {"reference": "Patient/a"}, "valueString": "c"})
    record.label("Observation/o", "R")
    scope = record.grant(1, "a", "b")
    readers = (
        ALL,
        Reader("few", persons=scope, organisations=frozenset({"x"}), hidden=frozenset({"R"})),
    )
    store = record.store
    assert isinstance(store, SqlStore)
    for reader in readers:
        for search in SEARCHES:
            record.search(f"Observation?{search}", reader, total=True)
            _every_plan(store, reader, search)
        for type in ("Observation", None):
            whole = in_compartment(parse_query(type, [("_total", "accurate")], now_micros=0), "Patient", "a")
            with store.view() as view:
                view.search(reader, whole, Paging(5, total=True))
        with store.view() as view:
            for care in (None, care_between(["Observation"], 0, 1)):
                wanted = Everything(compartment("Patient", ("a",)), care, "Patient")
                view.search(reader, Query((), (wanted,)), Paging(5, total=True))
        with store.searcher() as searcher:
            who, around = Names().stored(searcher.db, reader), Everything(compartment("Patient", ("a",)))
            statement = searcher.page(Asked(who, Query(("Observation",), (around,)), 5), Plan("walk"))
            searcher.db.rows(statement.text, statement.values)
        record.history("", reader)
        record.history("Observation", reader)
        record.history("Patient/a", reader)
        with store.view() as view:
            keys = asked_keys(matched(CHAN))
            assert [each.opened().id for each in view.sharing(reader, keys, 5)] == ["a"]
            mine = ((HKID, "A1234563"), ("http://example.org/mrn", "7"))
            assert [each.id for each in view.bearing(reader, mine, 5) or ()] == []
        record.read("Patient/a", reader)
    record.delete("Observation/o")
    assert store.follow(SYSTEM, 0)
    assert store.follow(SYSTEM, 0, opening={"Patient"})
    record.put(subscription("s"), organisation="x")
    record.put({"resourceType": "Patient", "id": "b"})
    _use_persons(store, readers[:1])
    _use_the_queue(store, readers)
    _answer_later(store)
    assert list(store.export(SYSTEM))
    assert list(store.check(SYSTEM)) == []


def _use_persons(store: SqlStore, readers: Iterable[Reader]) -> None:
    def say(*kinds: tuple[str, str, LinkKind]) -> None:
        changes = tuple(LinkChange(one, other, kind, "x") for one, other, kind in kinds)
        store.commit(Unit(ALL, lambda _: Prepared(links=changes)))

    say(("a", "b", LinkKind.CERTAIN), ("b", "c", LinkKind.PROBABLE))
    store.commit(Unit(ALL, lambda _: Prepared(grants=(Grant(2, ("a",)), Grant(2, deny=("c",))))))
    say(("a", "b", LinkKind.NOTHING), ("a", "b", LinkKind.PROBABLE))
    with store.view() as view:
        (key,) = view.read(ALL, "Patient", "a").patient_keys
    store.record(AuditRecord("dr", "x", "", "record", "", 200, opened=key)).result()
    for reader in readers:
        with store.view() as view:
            assert view.person(reader, "a") == ("a",)
            view.links_of(reader, "a")
            assert view.known(reader, ["a", "b"], ["Observation", "Patient"], most=5).versions
            assert view.known(reader, ["a", "b"], ["Observation", "Patient"], most=5, at=2**62).versions
            view.queue(reader, 5)
            assert view.link(reader, "b", "a") is not None
            assert view.said(reader, "a", "b")
            view.disclosed(reader, "a", "b")
            assert view.bearers(((HKID, "A1234563"),), 9) == ()
            assert [each.patient.id for each in view.opened(reader, "dr", "x", 5)] == ["a"]


def _use_the_queue(store: SqlStore, readers: Iterable[Reader]) -> None:
    queue = store.notices
    sent = [Notice("s", n, "Observation", "o", n, "update", 0) for n in range(3)]
    assert queue.lead(SYSTEM, "a", HOUR) == 0
    assert queue.access_of(SYSTEM, "s", 1) is None
    assert queue.advance(SYSTEM, "a", Advance(0, 3, sent, [("s", 1, b"")]))
    queue.mark(SYSTEM, queue.subscribers(SYSTEM)[0], ACTIVE)
    for is_delivered in (True, False):
        taken = queue.take(SYSTEM, HOUR, ("other",))
        assert taken is not None
        assert queue.give_number(SYSTEM, taken)
        queue.later(SYSTEM, taken, 0, "", all_of_it=True)
        if is_delivered:
            queue.done(SYSTEM, taken)
        else:
            queue.bury(SYSTEM, taken, "dead")
    assert queue.replay(SYSTEM) == 1
    assert None not in [queue.subscriber(reader, "s") for reader in readers]
    assert queue.tally().waiting == 2
    queue.end(SYSTEM, queue.subscribers(SYSTEM)[0])
    queue.resign(SYSTEM, "a")


def _answer_later(store: SqlStore) -> None:
    later = store.asynchronous
    assert later.put(Wanted("x", "client", b"asked", b"access"), 1)
    assert later.again("x", "client", b"access")
    taken = later.take(HOUR)
    assert taken is not None
    assert later.finish(taken, b"answer", 2**62)
    assert later.look("x", "client") is not None
    assert later.waiting() == 0
    assert later.cancel("x", "client")
    assert later.put(Wanted("y", "client", b"asked", b"access"), 1)
    taken = later.take(HOUR)
    assert taken is not None
    assert later.finish(taken, b"answer", 1)
    assert later.sweep() == 1


def _every_plan(store: SqlStore, reader: Reader, search: str) -> None:
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in search.split("&") if part)]
    query = parse_query("Observation", pairs, now_micros=0)
    with store.searcher() as searcher:
        who = Names().stored(searcher.db, reader)
        plans = [Plan("walk")]
        plans += [Plan("candidates", (chain,)) for chain in query.criteria if isinstance(chain, Chain)]
        if reader is not ALL:
            plans.append(Plan("grants"))
        for plan in plans:
            statement = searcher.page(Asked(who, query, 5), plan)
            searcher.db.rows(statement.text, statement.values)


def test_every_join_is_on_the_patient_or_to_a_reference_table(statements: set[str]) -> None:
    assert len(statements) > 60
    wrong = {statement: why for statement in sorted(statements) if (why := _astray(statement))}
    excused = {begin for begin in EXCUSED for statement in wrong if statement.startswith(begin)}

    assert [statement for statement in wrong if not statement.startswith(tuple(EXCUSED))] == []
    assert excused == set(EXCUSED), "an exception that nothing needs"


def test_a_join_across_persons_is_found() -> None:
    across = "SELECT 1 FROM resource r JOIN version v ON v.key = r.key"

    assert _astray(across)
    assert not _astray(across + " AND v.patient_key = r.patient_key")


def _astray(statement: str) -> list[str]:
    """Tables of the statement that are joined to others but not on the patient."""
    tree = sqlglot.parse_one(re.sub(r" INDEXED BY \w+", "", statement), dialect="sqlite")
    return [why for select in tree.find_all(exp.Select) for why in _astray_in(select)]


def _astray_in(select: exp.Select) -> list[str]:
    tables = _tables(select)
    cut = {alias: table for alias, table in tables.items() if not _stands_everywhere(table)}
    aliases = {
        *tables,
        *(
            source.alias_or_name
            for source in _sources(select)
            if isinstance(source, exp.Subquery | exp.Values)
        ),
    }
    reaches_out = any(column.table and column.table not in aliases for column in _columns(select))
    if len(cut) < 2 and not reaches_out:
        return []
    linked = _linked(select)
    return [f"{table} {alias}" for alias, table in cut.items() if alias not in linked]


def _stands_everywhere(table: str) -> bool:
    return table in ELSEWHERE or (table in BY_NAME and BY_NAME[table].reference) or table not in BY_NAME


def _sources(select: exp.Select) -> Sequence[Any]:
    start = select.args.get("from_") or select.args.get("from")
    joins = select.args.get("joins") or []
    return [source.this for source in ([start] if start else []) + joins]


def _tables(select: exp.Select) -> dict[str, str]:
    return {source.alias_or_name: source.name for source in _sources(select) if isinstance(source, exp.Table)}


def _columns(select: exp.Select) -> list[exp.Column]:
    """Columns of this select itself, not of those inside it."""
    return [column for column in select.find_all(exp.Column) if column.find_ancestor(exp.Select) is select]


def _linked(select: exp.Select) -> set[str]:
    """Aliases whose patient key is compared with another's, or with one value."""
    linked: set[str] = set()
    for equal in select.find_all(exp.EQ):
        sides = (equal.this, equal.expression)
        keys = [side for side in sides if isinstance(side, exp.Column) and side.name == "patient_key"]
        if len(keys) == 2 or (keys and any(isinstance(side, exp.Placeholder) for side in sides)):
            linked.update(key.table for key in keys)
    for within in select.find_all(exp.In):
        if isinstance(within.this, exp.Tuple):
            linked.update(c.table for c in within.this.find_all(exp.Column) if c.name == "patient_key")
    return linked
