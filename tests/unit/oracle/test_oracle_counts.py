"""The counts by hand and the oracle agree: neither knows how the other finds its answer."""

import pytest

from tests.oracle.corpus import examples, synthea
from tests.oracle.counts import COUNTS, raw_counts
from tests.oracle.search import Oracle
from tests.oracle.values import Held


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    held = [Held(resource, n) for n, resource in enumerate([*examples(), *synthea()])]
    return Oracle(held, now=0)


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    return dict(raw_counts())


def test_there_are_enough_searches_of_every_kind(counts: dict[str, int]) -> None:
    assert len(counts) >= 48
    empty = [search for search, count in counts.items() if count == 0]
    assert empty == []


@pytest.mark.parametrize("search", COUNTS)
def test_the_oracle_counts_the_same(oracle: Oracle, counts: dict[str, int], search: str) -> None:
    type, _, query = search.partition("?")
    parameters: list[tuple[str, str]] = []
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        parameters.append((name, value))
    assert len(oracle.search(type or None, parameters)) == counts[search]
