"""A reading that takes longer than it may is ended, and the next one on its connection is answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kintung.app import Settings, open_node
from kintung.clock import SeededEntropy, SetClock
from kintung.errors import TimedOut
from kintung.fhir.search import Query, SearchLimits, parse_query
from kintung.store.port import View
from kintung.store.versions import Paging
from tests.databases import KINDS, fresh
from tests.durability.writer import backend_of
from tests.records import patient
from tests.stores import ALL, START, SYSTEM, Record

READ_SECONDS = 0.5
PATIENTS = 1_500
FAMILY = "x" * 40 + "Chan"
CRITERIA, VALUES = 80, 390
"""The long search: so many criteria, each met by a patient through the last of so many values only.

46,800,000 comparisons of texts, seconds of work in either database; to ask for them over HTTP is
refused before.
"""


ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < 10000000000)"
    " SELECT count(*) FROM n"
)


def long_query() -> Query:
    values = [f"no{number:03}" for number in range(VALUES - 1)] + ["chan"]
    pairs = [("family:contains", ",".join(values))] * CRITERIA
    return parse_query("Patient", pairs, now_micros=START, limits=SearchLimits(cost=1_000_000))


def search(view: View) -> None:
    view.search(ALL, long_query(), Paging(PATIENTS, total=True))


def match(view: View) -> None:
    """As a conditional interaction asks."""
    view.match(ALL, long_query(), PATIENTS + 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ask", [search, match], ids=lambda ask: ask.__name__)
def test_a_long_reading_is_ended_and_the_next_is_answered(
    kind: str, ask: Callable[[View], None], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = fresh(kind, tmp_path, request)
    with opened(url, tmp_path) as record:
        for first in range(0, PATIENTS, 100):
            record.commit(
                *(record.putting(patient(f"p{number}", FAMILY)) for number in range(first, first + 100))
            )
    # One connection to read with, so that the next reading has that of the one which was ended.
    with opened(url, tmp_path, Settings(read_seconds=READ_SECONDS, connections=2)) as record:
        for _ in range(2):
            with pytest.raises(TimedOut, match="took longer than it may"), record.store.view() as view:
                ask(view)
            assert record.read("Patient/p0").version_id == 1
            assert record.found("Patient?_id=p1") == ["Patient/p1"]
        assert record.put(patient("p0", "Wong")).version_id == 2


@contextmanager
def opened(url: str, folder: Path, settings: Settings | None = None) -> Iterator[Record]:
    clock, entropy = SetClock(START, tick=1), SeededEntropy(1)
    with open_node(
        url, keys=folder / "keys.db", clock=clock, entropy=entropy, settings=settings or Settings()
    ) as node:
        yield Record(node.store, node.scribe, clock)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_the_node_itself_has_a_time_of_its_own(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a follower nor an export asks anything once its time is over; no search was meant."""
    url = fresh(kind, tmp_path, request)
    with opened(url, tmp_path, Settings(connections=2)) as record:
        record.put(patient("p0", "Chan"))
        with monkeypatch.context() as patch:
            patch.setattr("kintung.store.sql.store.SYSTEM_SECONDS", 0.0)
            with pytest.raises(TimedOut, match="page of the record"):
                record.store.follow(SYSTEM, 0)
            with pytest.raises(TimedOut, match="page of the record"):
                next(record.store.export(SYSTEM))
        assert [entry.id for entry in record.store.follow(SYSTEM, 0)] == ["p0"]
        assert [version.id for version in record.store.export(SYSTEM)] == ["p0"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_statement_is_cut_when_its_reading_is_over(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = fresh(kind, tmp_path, request)
    backend = backend_of(url, hung_seconds=10.0)
    try:
        for _ in range(2):
            with pytest.raises(TimedOut, match="page of the record"), backend.reading(READ_SECONDS) as db:
                db.rows(ENDLESS)
        with backend.reading() as db:
            assert db.rows("SELECT 1") == [(1,)]
    finally:
        backend.close()
