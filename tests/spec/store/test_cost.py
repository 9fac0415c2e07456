"""B10: what a search may have to look at is estimated before it runs, and refused with advice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kintung.app import Settings, open_node
from kintung.clock import SeededEntropy, SetClock
from kintung.errors import TooCostly
from kintung.store.sql.search import plan as planner
from tests.postgres_cluster import Cluster
from tests.records import observation, patient
from tests.stores import NOBODY, START, Record

SIZE = 60
STRETCH = 20
"""Rows walked before it is asked what the rest would cost."""


@contextmanager
def opened(url: str, folder: Path, search_rows: int) -> Iterator[Record]:
    clock = SetClock(START)
    settings = Settings(search_rows=search_rows, connections=2)
    with open_node(
        url, keys=folder / "keys.db", settings=settings, clock=clock, entropy=SeededEntropy(1)
    ) as node:
        yield Record(node.store, node.scribe, clock)


@pytest.fixture(params=["sqlite", "postgres"])
def record(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Record]:
    """A record in which a search may look at three rows for every two Observations."""
    monkeypatch.setattr(planner, "STRETCH", STRETCH)
    cluster: Cluster = request.getfixturevalue("postgres")
    urls = {"sqlite": lambda: f"sqlite:///{tmp_path}/record.db", "postgres": cluster.fresh_database}
    with opened(urls[request.param](), tmp_path, SIZE * 3 // 2) as record:
        record.put(patient("1"))
        for number in range(SIZE):
            code = "rare" if number == 0 else "common"
            record.put(
                observation(f"o{number}", "1", code, effectiveDateTime=f"2022-01-{number % 28 + 1:02}")
            )
        yield record


@pytest.mark.parametrize(
    "search",
    [
        "Observation?_sort=code",
        "Observation?_sort=-date,status",
        "Observation?date:missing=true",
        "Observation?code:not=common,rare",
        "?_sort=_id",
    ],
)
def test_what_would_look_through_all_is_refused(record: Record, search: str) -> None:
    with pytest.raises(TooCostly, match="add what few resources have"):
        record.search(search, count=5)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("Observation?", 5),
        ("Observation?_sort=-date", 5),
        ("Observation?_sort=-_lastUpdated", 5),
        ("Observation?code=common", 5),
        ("Observation?code=rare&_sort=code", 1),
        ("Observation?code:not=rare", 5),
        ("Observation?subject=Patient/1&code=common", 5),
        ("Observation?subject:Patient.family:contains=nobody", 0),
        ("Patient?_sort=family", 1),
        ("Patient?gender:missing=true", 1),
    ],
)
def test_what_is_found_soon_is_answered(record: Record, search: str, found: int) -> None:
    assert len(record.search(search, count=5).entries) == found


def test_a_total_is_refused_with_its_own_advice(record: Record) -> None:
    with pytest.raises(TooCostly, match="leave out _total"):
        record.search("Observation?date:missing=true", total=True, count=0)


def test_the_total_of_a_type_is_kept_with_the_log(record: Record) -> None:
    """Given creates, a deletion and an undeletion, when all are counted, then the count is read, not made."""
    record.delete("Observation/o1")
    record.delete("Observation/o2")
    record.put(observation("o2", "1"))
    record.put(observation("o3", "1"))
    assert record.search("Observation?", count=0, total=True).total == SIZE - 1
    assert record.search("Observation?", NOBODY, count=0, total=True).total == 0
