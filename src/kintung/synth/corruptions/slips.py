"""Slips of the hand, by chance: one of several, another digit, two signs swapped."""

from collections.abc import Sequence
from typing import TypeVar

from kintung.synth.chance import Chance

T = TypeVar("T")


def one_of(values: Sequence[T], chance: Chance) -> T:
    return values[int(chance.random() * len(values))]


def other_digit(text: str, place: int, chance: Chance) -> str:
    digit = (int(text[place]) + 1 + int(chance.random() * 9)) % 10
    return f"{text[:place]}{digit}{text[place + 1 :]}"


def swapped(text: str, place: int) -> str:
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
