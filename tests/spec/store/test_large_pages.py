"""A page ends before it fills the memory, and the next one goes on from there."""

import base64
from pathlib import Path

import pytest

from tests.postgres_cluster import Cluster
from tests.stores import ALL, Record, opened

LARGE = 6 * 1024 * 1024


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def test_pages_of_large_bodies_end_early_and_lose_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    cluster: Cluster = request.getfixturevalue("postgres")
    with opened("sqlite" if kind == "sqlite" else "postgres", tmp_path, cluster.fresh_database) as record:
        _fill(record)

        pages = list(record.pages("Binary?", count=100))

        assert [len(page.entries) for page in pages] == [4, 4, 1]
        assert sorted(version.id for page in pages for version in page.entries) == sorted(
            f"b{n}" for n in range(9)
        )
        assert _versions(record, "Binary", count=100) == [
            [f"b{n}/1" for n in page] for page in ((8, 7, 6, 5), (4, 3, 2, 1), (0,))
        ]


def test_a_history_fetched_in_steps_has_every_version_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    cluster: Cluster = request.getfixturevalue("postgres")
    with opened("sqlite" if kind == "sqlite" else "postgres", tmp_path, cluster.fresh_database) as record:
        for n in range(60):
            record.put({"resourceType": "Basic", "id": f"b{n % 2}", "code": {"text": "x" * (n % 7) * 20_000}})
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
        page = view.history(ALL, type, id, count=count)
        found.append([f"{version.id}/{version.version_id}" for version in page.entries])
        while page.next is not None:
            page = view.history(ALL, type, id, count=count, sequence=page.sequence, after=page.next)
            found.append([f"{version.id}/{version.version_id}" for version in page.entries])
    return found


def _fill(record: Record) -> None:
    data = base64.b64encode(bytes(LARGE)).decode()
    for n in range(9):
        record.put({"resourceType": "Binary", "id": f"b{n}", "contentType": "text/plain", "data": data})
