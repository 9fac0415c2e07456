"""S4: a cursor tells its holder nothing, is of no use to another, and opens nothing by itself."""

import pytest

from kintung.clock import SeededEntropy
from kintung.store.port import Position
from kintung.web.cursor import Cursor, Cursors

CURSORS = Cursors(bytes(32), SeededEntropy(1))


@pytest.mark.parametrize("sequence", [1, 127, 128, 255, 256, 65_535, 65_536, 2**31, 2**32, 2**62])
def test_the_length_of_a_cursor_says_nothing_of_the_log(sequence: int) -> None:
    """S6: a longer log is what others stored."""

    def sealed(sequence: int) -> str:
        place = Position(("weight", 3), sequence)
        return CURSORS.seal(Cursor("r", "Observation", (), 1_666_137_600_000_000, sequence, place))

    assert len(sealed(sequence)) == len(sealed(5))
    assert CURSORS.open(sealed(sequence), reader="r", path="Observation").after.sequence == sequence
