"""Groups of waiting requests: who fails, and who does not."""

import threading
from collections.abc import Callable, Sequence

import pytest

from kintung.errors import Unavailable
from kintung.store.committer import MOST_WEIGHT, MOST_WEIGHT_IN_TURNS, Committer

PATIENCE_SECONDS = 30


class Held:
    """A commit section that is held until it is opened; answers each request with itself, doubled."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Event()
        self.groups: list[list[int]] = []

    def run(self, take: Callable[[], Sequence[int]]) -> list[int | Exception]:
        self.entered.set()
        assert self.opened.wait(PATIENCE_SECONDS)
        group = list(take())
        self.groups.append(group)
        if any(request < 0 for request in group):
            raise ZeroDivisionError("one of them")
        return [2 * request for request in group]


def test_what_waits_goes_in_one_group() -> None:
    held = Held()
    committer = Committer[int, int](held.run, lambda _: 1, "test")
    futures = [committer.put(number) for number in range(5)]
    held.opened.set()

    assert [future.result(PATIENCE_SECONDS) for future in futures] == [0, 2, 4, 6, 8]
    assert held.groups == [[0, 1, 2, 3, 4]]
    committer.close()


def test_a_group_is_lighter_for_a_while_after_another_held_the_lock() -> None:
    held = Held()
    readings = iter([10.0, 10.0, 10.1, 10.2, 10.2, 10.2, 11.3, 11.3])  # asked and entered, four times
    committer = Committer[int, int](held.run, lambda _: 100, "test", lambda: next(readings))
    futures = [committer.put(number) for number in range(2 * 10 + 2 * 2)]
    held.opened.set()

    assert [future.result(PATIENCE_SECONDS) for future in futures] == [2 * number for number in range(24)]
    assert [len(group) for group in held.groups] == [10, 2, 2, 10]
    assert (MOST_WEIGHT, MOST_WEIGHT_IN_TURNS) == (1_000, 250)
    committer.close()


def test_only_the_one_that_causes_a_fault_fails() -> None:
    held = Held()
    committer = Committer[int, int](held.run, lambda _: 1, "test")
    futures = [committer.put(number) for number in (1, -2, 3)]
    held.opened.set()

    assert futures[0].result(PATIENCE_SECONDS) == 2
    assert futures[2].result(PATIENCE_SECONDS) == 6
    with pytest.raises(ZeroDivisionError):
        futures[1].result(PATIENCE_SECONDS)
    committer.close()


def test_what_is_given_up_does_not_go_along_and_is_not_kept() -> None:
    held = Held()
    committer = Committer[int, int](held.run, lambda _: 1, "test")
    kept, given_up = committer.put(1), committer.put(2)
    assert held.entered.wait(PATIENCE_SECONDS)

    assert given_up.cancel()
    assert committer.waiting == 1

    held.opened.set()
    assert kept.result(PATIENCE_SECONDS) == 2
    assert held.groups == [[1]]
    committer.close()


def test_what_fails_a_whole_group_is_told_to_each_in_an_error_of_its_own() -> None:
    """Who adds a place in its Bundle to an error must not change another's."""

    def run(_take: Callable[[], Sequence[int]]) -> list[int | Exception]:
        raise Unavailable("The disk is full.")

    committer = Committer[int, int](run, lambda _: 1, "test")
    errors = [committer.put(number).exception(PATIENCE_SECONDS) for number in range(2)]

    assert [str(error) for error in errors] == ["The disk is full."] * 2
    assert errors[0] is not errors[1]
    committer.close()
