"""D6, D7: a unit enters whole or not at all, whichever of its parts fails and wherever it is killed."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kintung.app import sqlite_path
from kintung.clock import SetClock
from kintung.errors import KintungError, NotFound, RuleFailed
from kintung.store.links import LinkChange, LinkKind
from kintung.store.port import Unit, View
from kintung.store.writes import AuditRecord, Grant, Idempotency, Job, Outcome, Prepared, Relabel
from tests.durability.dying import bundle
from tests.durability.nodes import Parts, assembled
from tests.durability.processes import lock_of, mortal
from tests.durability.tables import tables
from tests.durability.writer import backend_of
from tests.records import patient, weight
from tests.stores import ALL, START, SYSTEM, Record

Opened = tuple[str, Path, Parts, Record]


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    sqlite = f"sqlite:///{tmp_path}/record.db"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    keys, clock = tmp_path / "keys.db", SetClock(START, tick=1)
    with assembled(backend_of(url, 10), keys, clock=clock) as parts:
        yield url, keys, parts, Record(parts.store, parts.scribe, clock)


def failing(record: Record, place: int, error: Exception) -> Callable[[View], Prepared]:
    """Ten writes of which one fails, with everything a unit may hold besides."""

    def prepare(view: View) -> Prepared:
        writes = []
        for number in range(10):
            if number == place:
                raise error
            writes.append(record.putting(weight(f"w{number}", "p", number + 1))(view))
        raise AssertionError

    return prepare


@pytest.mark.parametrize("place", range(10))
def test_a_unit_whose_kth_write_fails_leaves_no_row(opened: Opened, place: int) -> None:
    """D6: no row of any table changes: no version, index row, audit record, job, key or name."""
    url, _, parts, record = opened
    record.put(patient("p"))
    before = tables(url)

    with pytest.raises(RuleFailed):
        parts.store.commit(Unit(ALL, failing(record, place, RuleFailed("no")), Idempotency("c", "k", b"")))

    assert tables(url) == before


def test_a_unit_refused_inside_the_commit_leaves_no_row(opened: Opened) -> None:
    """D6: prepared well, and refused when its writes, grants and jobs are about to enter."""
    url, _, parts, record = opened
    record.put(patient("p"))
    before = tables(url)
    units: list[Callable[[View], Prepared]] = [
        lambda view: _all_kinds(record, view, Relabel("Patient", "absent", frozenset("R"))),
        lambda view: _all_kinds(record, view, twice=True),
        lambda view: _all_kinds(record, view, stale=True),
        lambda view: replace(
            _all_kinds(record, view), links=(LinkChange("p", "p", LinkKind.CERTAIN, "rule"),)
        ),
    ]

    for prepare in units:
        with pytest.raises(KintungError):
            parts.store.commit(Unit(ALL, prepare, Idempotency("c", "k", b"")))
        assert tables(url) == before


def _all_kinds(
    record: Record, view: View, *relabels: Relabel, twice: bool = False, stale: bool = False
) -> Prepared:
    writes = [record.putting(weight("w", "p", 60))(view), record.putting(patient("new"))(view)]
    if twice:
        writes.append(record.putting(weight("w", "p", 61))(view))
    if stale:
        writes[1] = writes[1]._replace(expected=7)
    audit = AuditRecord("doctor", "o", "TREAT", "transaction", "POST", 200)
    return Prepared(
        tuple(writes),
        tuple(Outcome(201, write=place) for place in range(len(writes))),
        audit,
        relabels,
        (Grant(1, ("p",)),),
        (Job("send", b"", 0),),
        (LinkChange("p", "new", LinkKind.CERTAIN, "rule"),),
    )


@contextmanager
def holding(url: str) -> Iterator[None]:
    """Hold the commit lock, so that what is submitted meanwhile becomes one group."""
    file = os.open(lock_of(sqlite_path(url)), os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(file)


@pytest.mark.parametrize("error", [RuleFailed("no"), ValueError("a fault of ours")], ids=["refusal", "fault"])
def test_a_unit_that_fails_in_a_group_takes_no_other_with_it(tmp_path: Path, error: Exception) -> None:
    """D6: units of one group fail one by one, also with an error that nobody foresaw."""
    url, clock = f"sqlite:///{tmp_path}/record.db", SetClock(START, tick=1)
    with assembled(backend_of(url, 10), tmp_path / "keys.db", clock=clock) as parts:
        record = Record(parts.store, parts.scribe, clock)
        record.put(patient("p"))
        times: list[int] = []

        def fails_inside(view: View) -> Prepared:
            view.current(ALL, "Patient", "p")
            times.append(1)
            if len(times) > 1:
                raise error
            return Prepared((record.putting(weight("bad", "p", 1))(view),))

        with holding(url):
            first = parts.store.submit(record.unit(record.putting(patient("p", "Wong"))))
            bad = parts.store.submit(Unit(ALL, fails_inside))
            last = parts.store.submit(record.unit(record.putting(weight("good", "p", 1))))

        with pytest.raises(type(error)):
            bad.result(30)
        assert first.result(30).done[0].version_id == 2
        assert last.result(30).done[0].version_id == 1
        with pytest.raises(NotFound):
            record.read("Observation/bad")
        assert parts.findings() == []


def test_a_unit_killed_at_any_statement_is_there_whole_or_not_at_all(opened: Opened) -> None:
    """D7, D10, D11: killed before each statement of its commit, and before the answer; then sent again.

    Before the commit nothing is there, after it everything; the repetition with the same key
    finds which, and in the end each resource is there once, with its references.
    """
    url, keys, parts, record = opened
    statements, durable = 0, 0
    with mortal(url, keys) as die:
        while True:
            name = f"u{statements}"
            before = tables(url)
            if not die(statements, name):
                break
            after = tables(url)
            is_there = after != before

            receipt = parts.store.commit(bundle(record, name))

            assert receipt.replayed == is_there
            assert [done.version_id for done in receipt.done] == [1] * 5
            assert record.found(f"Observation?patient={name}-p") == [f"Observation/{name}-a"]
            assert record.found(f"Group?member={name}-q") == [f"Group/{name}-g"]
            if is_there:
                assert tables(url) == after
                durable += 1
            claimed = parts.store.claim(SYSTEM, "send", 1)
            assert claimed is not None
            assert claimed.payload == name.encode()
            parts.store.finish(SYSTEM, claimed.number)
            statements += 1
    print(f"D7: killed at {statements} boundaries of one commit, after it at {durable}")
    assert durable == 1
    assert statements > 15
    assert parts.findings() == []
