"""A page ends before it fills the memory, and the next one goes on from there."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from kintung.store.sql.view import EXPORT_ROWS, LEAST_SPAN
from kintung.store.versions import Paging
from tests.postgres_cluster import Cluster
from tests.stores import ALL, SYSTEM, Record, opened, walk

LARGE = 6 * 1024 * 1024


@pytest.fixture(params=["sqlite", "postgres"])
def record(request: pytest.FixtureRequest, tmp_path: Path, postgres: Cluster) -> Iterator[Record]:
    with opened(request.param, tmp_path, postgres.fresh_database) as record:
        yield record


def test_pages_of_large_bodies_end_early_and_lose_nothing(record: Record) -> None:
    _fill(record)

    pages = list(record.pages("Binary?", count=100))

    assert [len(page.entries) for page in pages] == [4, 4, 1]
    assert sorted(version.id for page in pages for version in page.entries) == sorted(
        f"b{n}" for n in range(9)
    )
    assert _versions(record, "Binary", count=100) == [
        [f"b{n}/1" for n in page] for page in ((8, 7, 6, 5), (4, 3, 2, 1), (0,))
    ]


def test_a_page_of_a_follower_ends_early_and_the_next_goes_on(record: Record) -> None:
    _fill(record)
    pages: list[list[int]] = []
    while page := record.store.follow(SYSTEM, sum(map(len, pages))):
        pages.append([entry.sequence for entry in page])

    assert pages == [[1, 2, 3, 4], [5, 6, 7, 8], [9]]


def test_a_log_followed_in_steps_has_every_entry_once(record: Record) -> None:
    _write_versions(record)
    for limit in (1, 7, 8, 9, 24, 25, 59, 60, 100):
        seen: list[int] = []
        while page := record.store.follow(SYSTEM, len(seen), limit):
            assert len(page) == min(limit, 60 - len(seen))
            seen += [entry.sequence for entry in page]
        assert seen == list(range(1, 61))


def test_a_page_of_an_export_holds_few_large_bodies(record: Record) -> None:
    """While the reader of the export stands between two pages, a write comes into a later one."""
    _fill(record)
    exported: list[tuple[str, int]] = []
    for version in record.store.export(SYSTEM, ["Binary"]):
        exported.append((version.id, version.version_id))
        if version.id == "b3":
            for n in (3, 4, 8):
                record.put({"resourceType": "Binary", "id": f"b{n}", "contentType": "text/plain"})

    assert exported == [(f"b{n}", 2 if n in {4, 8} else 1) for n in range(9)]


def test_an_export_has_every_resource_of_a_type_once_wherever_it_stands(record: Record) -> None:
    """Many of one type, then few among very many others, then none: spans of keys grow and shrink."""
    many, few = EXPORT_ROWS * 2 + 7, LEAST_SPAN * 4
    _put(record, "Basic", range(many))
    _put(record, "Flag", [0])
    _refer(record, few)
    _put(record, "Basic", range(many, many + 3))
    _put(record, "Flag", [1])
    record.delete("Basic/b5")

    exported = [version.id for version in record.store.export(SYSTEM, ["Basic", "Flag", "Slot"])]

    assert exported == [f"b{n}" for n in range(many + 3) if n != 5] + ["b0", "b1"]


def _put(record: Record, type: str, numbers: Iterable[int]) -> None:
    record.commit(*(record.putting({"resourceType": type, "id": f"b{n}"}) for n in numbers))


def _refer(record: Record, count: int) -> None:
    """Give keys to so many resources that are only mentioned."""
    for first in range(0, count, 500):
        entries = [{"item": {"reference": f"Location/l{n}"}} for n in range(first, first + 500)]
        record.put({"resourceType": "List", "id": f"l{first}", "entry": entries})


def test_a_history_fetched_in_steps_has_every_version_once(record: Record) -> None:
    _write_versions(record)
    whole = [f"b{n % 2}/{n // 2 + 1}" for n in reversed(range(60))]
    for count in (1, 8, 9, 24, 25, 59, 60, 100):
        expected = [whole[at : at + count] for at in range(0, 60, count)]
        assert _versions(record, "Basic", count=count) == expected
        of_one = [name for name in whole if name.startswith("b1")]
        expected = [of_one[at : at + count] for at in range(0, 30, count)]
        assert _versions(record, "Basic", "b1", count=count) == expected


def _versions(record: Record, type: str, id: str | None = None, *, count: int) -> list[list[str]]:
    """Ids and versions of a history, page by page."""
    found: list[list[str]] = []
    with record.store.view() as view:
        for page in walk(lambda paging: view.history(ALL, type, id, paging=paging), Paging(count)):
            found.append([f"{version.id}/{version.version_id}" for version in page.entries])
    return found


def _write_versions(record: Record) -> None:
    """Sixty versions of two resources in turn, of 0 to 120 kB."""
    for n in range(60):
        record.put({"resourceType": "Basic", "id": f"b{n % 2}", "code": {"text": "x" * (n % 7) * 20_000}})


def _fill(record: Record) -> None:
    data = base64.b64encode(bytes(LARGE)).decode()
    for n in range(9):
        record.put({"resourceType": "Binary", "id": f"b{n}", "contentType": "text/plain", "data": data})
