"""``_total``: all that match and are seen, or an estimate that is exact up to a number and then says so."""

from dataclasses import replace

import pytest

from kintung.store.reader import Reader
from kintung.store.versions import Paging
from tests.records import observation, patient
from tests.stores import ALL, Record

SEEN, HIDDEN = 7, 5


@pytest.fixture
def filled(record: Record) -> Record:
    """A store of each adapter with Observations of one Patient, and of another who is not seen."""
    record.put(patient("a"))
    record.put(patient("h"))
    for number in range(SEEN + HIDDEN):
        record.put(observation(f"o{number}", "a" if number < SEEN else "h"))
    record.grant(1, "a")
    return record


@pytest.mark.parametrize(
    "search", ["Observation?", "Observation?code=weight", "Observation?status:not=draft"]
)
@pytest.mark.parametrize("most", [1, SEEN - 1, SEEN, SEEN + 1, SEEN + HIDDEN, 100])
def test_an_estimate_is_exact_up_to_a_number(filled: Record, search: str, most: int) -> None:
    reader = Reader("r", filled.store.scope(1))
    for who, matching in ((reader, SEEN), (ALL, SEEN + HIDDEN)):
        query = replace(filled.query(search), most_counted=most)
        with filled.store.view() as view:
            page = view.search(who, query, Paging(2, total=True))
        assert page.total == min(matching, most)
        assert len(page.entries) == 2
