"""Texts of a record made fit for paper: nothing in them acts, and each character is one that shows.

What is left out shows nothing and may mislead: controls, and marks that turn the direction of others.
What no font has is written by its number. Long words without a space get places to break at.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, cast

_JOINERS = "\u200c\u200d"
"""Join or part letters of scripts that need it, and parts of one sign."""
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Choose a shape of the character before them; where a font has one shape they do nothing."""
_SPACES = re.compile(r"[^\S\u00a0]+")
"""Spaces and ends of lines; what keeps a number with its unit stays."""
_LONG = re.compile(r"[^\s\u2e80-\U0010ffff]{24,}")
"""A word longer than any a line should hold; characters of Chinese part lines anywhere."""
_EACH = re.compile(r".{8}(?=..)", re.DOTALL)
_BREAK = "\u200b"
"""ZERO WIDTH SPACE."""
MOST_CHARACTERS = 1_000
"""Of one text; the rest is cut off and a sign says so."""


def fit(data: Any) -> Any:
    """Data whose texts are without what shows nothing, of at most ``MOST_CHARACTERS`` each."""
    return _mapped(data, _clean)


def characters(data: Any) -> frozenset[str]:
    """Every character that data shows."""
    return frozenset(character for text in _texts(data) for character in text if _shows(character))


def numbered(data: Any, lacking: frozenset[str]) -> Any:
    """Data with these characters written by their number: ``[U+1F600]``."""
    table = {ord(each): f"[U+{ord(each):04X}]" for each in lacking}
    return _mapped(data, lambda text: text.translate(table)) if lacking else data


def breaking(data: Any) -> Any:
    """Data whose long words may break: a name of 200 letters stays on its page."""
    return _mapped(data, lambda text: _LONG.sub(lambda found: _EACH.sub(rf"\g<0>{_BREAK}", found[0]), text))


def _clean(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        text = text[: MOST_CHARACTERS - 1] + "…"
    text = text if text.isprintable() else _SPACES.sub(" ", text).strip()
    return "".join(each for each in text if each in _JOINERS or unicodedata.category(each) not in _ACTING)


_ACTING = ("Cc", "Cf", "Cs")
"""Controls, marks of format, halves of characters."""


def _shows(character: str) -> bool:
    return character not in _JOINERS and not character.isspace() and not _SELECTORS.match(character)


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in cast(dict[str, Any], data).values():
            yield from _texts(value)
    elif isinstance(data, list | tuple):
        for value in cast(list[Any], data):
            yield from _texts(value)


def _mapped(data: Any, change: Callable[[str], str]) -> Any:
    if isinstance(data, str):
        return change(data)
    if isinstance(data, dict):
        return {name: _mapped(value, change) for name, value in cast(dict[str, Any], data).items()}
    if isinstance(data, list | tuple):
        return [_mapped(value, change) for value in cast(list[Any], data)]
    return data
