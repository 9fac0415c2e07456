"""The official R4 examples, by ``kintung load`` and by PUT over HTTP, come back token for token."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.commands import Served, done, kintung, serving
from tests.databases import KINDS, fresh
from tests.json_tokens import as_sent
from tests.shared_data import shared

EXAMPLES = 426
ELSEWHERE = ("Subscription/example",)
"""Asks to be told at an origin that nobody listed: refused when it is sent, kept when it is loaded."""


class Example:
    """One example: its address (``Patient/f001``) and its text as published."""

    def __init__(self, text: str) -> None:
        self.text = text
        resource = json.loads(text)
        self.address = f"{resource['resourceType']}/{resource['id']}"


def file() -> Path:
    return shared("fhir-r4-examples/examples.ndjson.gz")


def examples() -> list[Example]:
    with gzip.open(file(), "rt", encoding="utf-8") as lines:
        return [Example(line) for line in lines]


def absent_targets(known: list[Example]) -> set[str]:
    """Literal references of the examples that lead to no example."""
    named = {
        found
        for example in known
        for found in re.findall(r'"reference":"([A-Z][A-Za-z]+/[A-Za-z0-9.-]+)"', example.text)
    }
    return named - {example.address for example in known}


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return fresh(request.param, tmp_path, request)


@pytest.fixture
def served(database: str, tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, database) as served:
        yield served


def read_back(client: httpx.Client, example: Example) -> str:
    answer = client.get(example.address, headers={"accept": "application/fhir+json"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == 'W/"1"'
    return answer.text


def assert_all_there(client: httpx.Client, known: list[Example], less: int = 0) -> None:
    assert len(known) == EXAMPLES - less
    assert len(absent_targets(known)) > 100
    changed = [e.address for e in known if as_sent(read_back(client, e)) != as_sent(e.text)]
    assert changed == []


def test_examples_loaded_from_their_file_come_back(database: str, tmp_path: Path) -> None:
    said = done(kintung(tmp_path, "load", file(), "--database", database))
    assert said.startswith(f"{EXAMPLES} items, {EXAMPLES} resources in ")
    with serving(tmp_path, database) as served, served.client() as client:
        assert_all_there(client, examples())


def test_examples_put_under_their_ids_come_back(served: Served) -> None:
    known = examples()
    with served.client() as client:
        for example in known:
            answer = client.put(
                example.address,
                content=example.text.encode(),
                headers={"content-type": "application/fhir+json"},
            )
            if example.address in ELSEWHERE:
                assert answer.status_code == 422, (example.address, answer.text)
                continue
            assert answer.status_code == 201, (example.address, answer.text)
            assert as_sent(answer.text) == as_sent(example.text), example.address
        stored = [example for example in known if example.address not in ELSEWHERE]
        assert_all_there(client, stored, len(ELSEWHERE))


def test_examples_put_again_are_second_versions_and_the_first_stay(served: Served) -> None:
    with served.client() as client:
        for example in examples()[:20]:
            for status in (201, 200):
                sent = example.text.encode()
                put = client.put(
                    example.address, content=sent, headers={"content-type": "application/fhir+json"}
                )
                assert put.status_code == status, put.text
            for version in ("1", "2"):
                answer = client.get(f"{example.address}/_history/{version}")
                assert answer.headers["etag"] == f'W/"{version}"'
                assert as_sent(answer.text) == as_sent(example.text)
