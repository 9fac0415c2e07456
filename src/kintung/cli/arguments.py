"""Kinds of arguments that argparse does not know."""

import argparse
from collections.abc import Callable


def number_between(least: int, most: int) -> Callable[[str], int]:
    """A type of argument: a whole number, both bounds allowed."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")

    return parse
