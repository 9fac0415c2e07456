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
        with record.store.view() as view:
            history = view.history(ALL, "Binary", count=100)
        assert len(history.entries) == 4
        assert history.next is not None


def _fill(record: Record) -> None:
    data = base64.b64encode(bytes(LARGE)).decode()
    for n in range(9):
        record.put({"resourceType": "Binary", "id": f"b{n}", "contentType": "text/plain", "data": data})
