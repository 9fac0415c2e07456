"""Waiting for what the committing thread stores, from any other thread."""

from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as WaitedTooLong
from typing import TypeVar

from kintung.errors import Unavailable

T = TypeVar("T")


def settle(future: Future[T], seconds: float) -> T:
    """The result of ``future``.

    What is not under way after ``seconds`` is given up; what is, is waited for: its caller
    must not be told that nothing was stored.

    Raises:
        Unavailable: it was given up; nothing was stored.
    """
    try:
        return future.result(seconds)
    except WaitedTooLong:
        future.cancel()
    try:
        return future.result()
    except CancelledError:
        raise given_up() from None


def given_up() -> Unavailable:
    """What who waited is told when nothing came of it in time."""
    return Unavailable("The record could not be written in time, and nothing was stored; try again later.")
