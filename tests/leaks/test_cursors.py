"""S4: a cursor tells its holder nothing, is of no use to another, and opens nothing by itself."""

from pathlib import Path

import pytest

from kintung.clock import SeededEntropy
from kintung.consent import Right
from kintung.store.reader import Reader
from kintung.store.versions import Position
from kintung.web.cursor import Cursor, Cursors
from tests.leaks.templates import next_of
from tests.records import observation, patient
from tests.server.api import Api, ids, persona
from tests.stores import NOBODY, Adapter, Record, names, opened

CURSORS = Cursors(bytes(32), SeededEntropy(1))
MANY_PERSONS = 300
"""Persons in a scope whose reader is answered by walking first."""


@pytest.mark.parametrize("sequence", [1, 127, 128, 255, 256, 65_535, 65_536, 2**31, 2**32, 2**62])
def test_the_length_of_a_cursor_says_nothing_of_the_log(sequence: int) -> None:
    """S6: a longer log is what others stored."""

    def sealed(sequence: int) -> str:
        place = Position(("weight", 3), sequence)
        return CURSORS.seal(Cursor("r", "Observation", (), 1_666_137_600_000_000, sequence, place))

    assert len(sealed(sequence)) == len(sealed(5))
    assert CURSORS.open(sealed(sequence), reader="r", path="Observation").after.sequence == sequence


WALKS = ("Observation?_count=2", "Observation?_sort=_id&_count=2", "?_type=Observation&_count=2")
HISTORIES = ("Observation/_history?_count=2", "_history?_count=2", "Observation/o1/_history?_count=1")


def given_two_doctors(api: Api) -> None:
    """One sees a, the other b; each has pages of Observations."""
    for person in ("a", "b"):
        api.store(patient(person), *(observation(f"{person}{n}", person) for n in range(5)))
    api.store(observation("o1", "a"), observation("o1", "a"))
    for number, person in enumerate(("a", "b"), 1):
        reader = Reader(f"doctor of {person}", persons=api.grant(number, person).persons)
        api.personas[person] = persona(person, reader, Right.VIEW)


@pytest.mark.parametrize("path", [*WALKS, *HISTORIES])
def test_anothers_cursor_is_refused_as_a_damaged_one(api: Api, path: str) -> None:
    given_two_doctors(api)
    onward = next_of(api.get(path, persona="a"))
    assert onward is not None
    theirs = api.get(onward, persona="b")
    damaged = api.get(f"{onward[:-6]}AAAAAA", persona="b")
    assert (theirs.status_code, theirs.content) == (400, damaged.content)
    assert api.get(onward, persona="a").status_code == 200


@pytest.mark.parametrize("path", [*WALKS, *HISTORIES])
def test_a_page_shows_what_its_reader_may_see_now(api: Api, path: str) -> None:
    """The cursor of one who has lost sight of a person leads to nothing of that person."""
    given_two_doctors(api)
    onward = next_of(api.get(path, persona="a"))
    assert onward is not None
    kept = api.personas["a"].reader
    api.personas["a"] = persona("a", Reader(kept.name, persons=api.personas["b"].reader.persons), Right.VIEW)
    answer = api.get(onward, persona="a")
    shown = [entry["resource"]["subject"]["reference"] for entry in answer.json().get("entry", ())]
    assert "Patient/a" not in shown
    assert answer.status_code == (404 if "/o1/" in path else 200)


def test_the_pages_of_a_walk_are_of_its_reader_only(api: Api) -> None:
    given_two_doctors(api)
    for person in ("a", "b"):
        found: list[str] = []
        onward: str | None = "Observation?_count=2"
        while onward is not None:
            answer = api.get(onward, persona=person)
            found += ids(answer.json())
            onward = next_of(answer)
        assert len(found) == len(set(found)) == len([id for id in found if id.startswith((person, "o"))])


def require_full_pages(record: Record) -> None:
    """Of 1,503 Observations the three a reader sees come on full pages."""
    for place, hidden in enumerate((0, 1_100, 400)):
        hide = [record.putting(observation(f"h{place}-{n}", "h")) for n in range(hidden)]
        if hide:
            record.commit(*hide)
        record.put(observation(f"a{place}", "a"))
    few = record.grant(1, "a")
    many = record.grant(2, "a", *(f"more{number}" for number in range(MANY_PERSONS)))
    for reader in (Reader("few", persons=few), Reader("many", persons=many)):
        pages = list(record.pages("Observation?", reader, count=2))
        assert [names(page) for page in pages] == [["Observation/a2", "Observation/a1"], ["Observation/a0"]]
        assert pages[0].total == 3
    assert record.found("Observation?", NOBODY) == []


def test_pages_are_full_however_much_lies_between(folder: Path) -> None:
    """The reader comes before order and limit, also where the store walks a stretch at a time."""
    with opened("sqlite", folder, str) as record:
        require_full_pages(record)


@pytest.mark.parametrize("adapter", ["memory", "postgres"])
def test_pages_are_full_on_other_stores(
    adapter: Adapter, folder: Path, request: pytest.FixtureRequest
) -> None:
    with opened(adapter, folder, lambda: request.getfixturevalue("postgres_url")) as record:
        require_full_pages(record)
