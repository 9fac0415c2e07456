"""When to try again, over days: the clock is an argument."""

from hypothesis import given
from hypothesis import strategies as st

from kintung.subscriptions import pause_after
from kintung.subscriptions.schedule import FIRST_PAUSE, GIVEN_UP_AFTER, LONGEST_PAUSE, SECOND

ages = st.integers(0, 2 * GIVEN_UP_AFTER)


def _attempts(first: int = 0) -> list[int]:
    """Ages of a notification at its attempts, when all of them fail."""
    attempts = [first]
    while (pause := pause_after(attempts[-1])) is not None:
        attempts.append(attempts[-1] + pause)
    return attempts


def test_a_receiver_that_is_never_there_is_tried_for_four_days():
    attempts = _attempts()
    assert attempts[:5] == [0, 10 * SECOND, 20 * SECOND, 30 * SECOND, 45 * SECOND]
    assert GIVEN_UP_AFTER <= attempts[-1] <= GIVEN_UP_AFTER + LONGEST_PAUSE
    assert len(attempts) == 36


@given(ages, ages)
def test_pauses_never_shrink_and_have_bounds(one: int, other: int):
    younger, older = sorted((one, other))
    first, later = pause_after(younger), pause_after(older)
    if later is not None:
        assert first is not None
        assert FIRST_PAUSE <= first <= later <= LONGEST_PAUSE


@given(st.integers(0, GIVEN_UP_AFTER - 1), st.integers(0, 10**15))
def test_what_the_receiver_asks_for_is_heard_within_bounds(age: int, asked: int):
    pause = pause_after(age, asked=asked)
    assert pause is not None
    assert min(asked, LONGEST_PAUSE) <= pause <= LONGEST_PAUSE
