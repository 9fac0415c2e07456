"""Cursors keep what they carry, and give it to nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.clock import SeededEntropy
from kintung.errors import ValueInvalid
from kintung.store.versions import Position
from kintung.web.cursor import Cursor, Cursors

KEY = bytes(range(32))
values = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.binary()
cursors = st.builds(
    Cursor,
    reader=st.text(),
    path=st.text(),
    asked=st.lists(st.tuples(st.text(), st.text())).map(tuple),
    at=st.integers(0, 2**62),
    sequence=st.integers(0, 2**62),
    after=st.builds(Position, values=st.lists(values).map(tuple), sequence=st.integers(0, 2**62)),
    total=st.none() | st.integers(0, 2**62),
    ignored=st.lists(st.text()).map(tuple),
)


@given(cursors, st.integers())
def test_a_cursor_comes_back_as_it_was(cursor: Cursor, seed: int) -> None:
    made = Cursors(KEY, SeededEntropy(seed))
    text = made.seal(cursor)
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert made.open(text, reader=cursor.reader, path=cursor.path) == cursor


def sealed() -> str:
    return Cursors(KEY, SeededEntropy(1)).seal(Cursor("r", "Patient", (), 0, 9, Position((1,), 5)))


@pytest.mark.parametrize(
    ("key", "reader", "path"),
    [(bytes(32), "r", "Patient"), (KEY, "other", "Patient"), (KEY, "r", "Observation")],
)
def test_a_cursor_of_another_node_reader_or_address_is_refused(key: bytes, reader: str, path: str) -> None:
    with pytest.raises(ValueInvalid):
        Cursors(key, SeededEntropy(1)).open(sealed(), reader=reader, path=path)


@given(st.integers(0, 10_000), st.sampled_from("ABCxyz019-_=é "))
def test_a_damaged_cursor_is_refused(place: int, letter: str) -> None:
    text = sealed()
    place %= len(text)
    damaged = text[:place] + letter + text[place + 1 :]
    made = Cursors(KEY, SeededEntropy(1))
    if letter == text[place]:
        assert made.open(damaged, reader="r", path="Patient").sequence == 9
        return
    try:
        found = made.open(damaged, reader="r", path="Patient")
    except ValueInvalid:
        return
    # The last letter holds bits that decode to nothing; any other change is seen.
    assert place == len(text) - 1
    assert found.sequence == 9
