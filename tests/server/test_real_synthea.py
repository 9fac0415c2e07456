"""100 Synthea patients, by ``kintung load``: all entries, links resolved, once; and searches.

On SQLite all of them; on PostgreSQL a part in an ordinary run and all in a long one.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests import synthea
from tests.commands import done, kintung, serving
from tests.databases import KINDS, fresh
from tests.oracle import corpus
from tests.oracle.counts import COUNTS, by_type
from tests.scale import counts
from tests.shared_data import shared

PAGED = 1_500
"""Searches with up to so many matches are also walked page by page."""


@dataclass
class Record:
    """A database that holds the first ``bundles`` of the Synthea patients."""

    url: str
    bundles: int
    home: Path
    file: Path

    def export(self, name: str) -> list[synthea.Resource]:
        done(kintung(self.home, "export", self.home / name, "--database", self.url))
        return synthea.exported(self.home / name)


@pytest.fixture(scope="module", params=KINDS)
def record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Record:
    home = tmp_path_factory.mktemp(f"synthea-{request.param}")
    bundles = synthea.BUNDLES if request.param == "sqlite" else counts(20, synthea.BUNDLES)
    url = fresh(request.param, home, request)
    file = synthea.first(bundles, home)
    said = done(kintung(home, "load", file, "--database", url, seconds=600))
    print(request.param, said)
    assert said.startswith(f"{bundles:,} items, {sum(synthea.sizes(bundles)):,} resources in ")
    return Record(url, bundles, home, file)


def test_every_entry_is_there_and_every_reference_leads_to_its_target(record: Record) -> None:
    stored = record.export("out")
    if record.bundles == synthea.BUNDLES:
        assert len(stored) == synthea.ENTRIES
        assert Counter(resource["resourceType"] for resource in stored) == synthea.counts_published()
    synthea.assert_is_them(stored, record.bundles)


def test_loading_again_adds_nothing(record: Record) -> None:
    before = record.export("before")
    said = done(kintung(record.home, "load", record.file, "--database", record.url, seconds=600))
    assert f"{record.bundles:,} items were loaded before" in said
    after = record.export("after")
    assert by_address(after) == by_address(before)


def by_address(resources: list[synthea.Resource]) -> dict[str, str]:
    return {f"{r['resourceType']}/{r['id']}": r["meta"]["versionId"] for r in resources}


@pytest.fixture(scope="module")
def client(record: Record) -> Iterator[httpx.Client]:
    """The record with the official examples added, served."""
    done(
        kintung(record.home, "load", shared("fhir-r4-examples/examples.ndjson.gz"), "--database", record.url)
    )
    with serving(record.home, record.url) as served, served.client() as client:
        yield client


@pytest.fixture(scope="module")
def expected(record: Record) -> dict[str, int]:
    files = by_type([*corpus.examples(), *corpus.synthea(record.bundles)])
    return {search: count(files) for search, count in COUNTS.items()}


def test_searches_find_what_is_in_the_files(client: httpx.Client, expected: dict[str, int]) -> None:
    assert len(expected) >= 40
    assert sum(1 for count in expected.values() if count) >= 40
    found = {search: total(client, search) for search in expected}
    assert found == expected


def test_pages_of_a_search_give_every_match_once(client: httpx.Client, expected: dict[str, int]) -> None:
    walked = {search: walk(client, search) for search, count in expected.items() if count <= PAGED}
    assert len(walked) >= 40
    assert {search: len(found) for search, found in walked.items()} == {s: expected[s] for s in walked}
    twice = [search for search, found in walked.items() if len(set(found)) < len(found)]
    assert twice == []


def address(search: str) -> str:
    """A search as written in the list, percent-encoded."""
    path, _, query = search.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&"))
    return f"{path}?" + "&".join(
        f"{quote(name, safe=':')}={quote(value, safe='')}" for name, _, value in pairs
    )


def total(client: httpx.Client, search: str) -> int:
    answer = client.get(f"{address(search)}&_total=accurate&_count=0")
    assert answer.status_code == 200, (search, answer.text)
    return json.loads(answer.text)["total"]


def walk(client: httpx.Client, search: str) -> list[str]:
    """Addresses of the matches on all pages, in order."""
    found: list[str] = []
    url: str | None = f"{address(search)}&_count=200"
    while url is not None:
        answer = client.get(url)
        assert answer.status_code == 200, (search, answer.text)
        page = answer.json()
        found += [
            f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
            for entry in page.get("entry", [])
        ]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
    return found
