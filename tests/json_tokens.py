"""JSON text as nested tokens, so that two texts can be compared to the digit and the order.

Written for the tests alone; nothing of the node's own reading of JSON is used.
"""

import re
from typing import TypeAlias

Element: TypeAlias = "str | list[Element] | tuple[tuple[str, Element], ...]"
"""A literal as it is written; an array; an object as its members in order."""

_TOKEN = re.compile(
    r'"(?:[^"\\\x00-\x1f]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null|[][{}:,]'
)
_SPACE = re.compile(r"[ \t\r\n]*")


def tokens(text: str) -> list[str]:
    """The tokens of ``text`` in order, each as it is written."""
    found: list[str] = []
    at = 0
    while (at := _space(text, at)) < len(text):
        token = _TOKEN.match(text, at)
        assert token is not None, f"no token at {at}"
        found.append(token[0])
        at = token.end()
    return found


def _space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space is not None
    return space.end()


def nested(text: str) -> Element:
    """The one value of ``text``."""
    left = tokens(text)[::-1]
    value = _value(left)
    assert not left, "more than one value"
    return value


def _value(left: list[str]) -> Element:
    token = left.pop()
    if token == "[":
        return _array(left)
    return _object(left) if token == "{" else token


def _array(left: list[str]) -> Element:
    values: list[Element] = []
    while left[-1] != "]":
        values.append(_value(left))
        assert left[-1] in ",]"
        if left[-1] == ",":
            left.pop()
    left.pop()
    return values


def _object(left: list[str]) -> tuple[tuple[str, Element], ...]:
    members: list[tuple[str, Element]] = []
    while left[-1] != "}":
        name = left.pop()
        assert left.pop() == ":"
        members.append((name, _value(left)))
        assert left[-1] in ",}"
        if left[-1] == ",":
            left.pop()
    left.pop()
    return tuple(members)


def as_sent(text: str) -> Element:
    """A resource without what the server says of a version, and without a meta left empty."""
    resource = nested(text)
    assert isinstance(resource, tuple), "not an object"
    members: list[tuple[str, Element]] = []
    for name, value in resource:
        kept = _without_version(value) if name == '"meta"' else value
        if kept or name != '"meta"':
            members.append((name, kept))
    return tuple(members)


def _without_version(meta: Element) -> Element:
    assert isinstance(meta, tuple), "not an object"
    return tuple(member for member in meta if member[0] not in ('"versionId"', '"lastUpdated"'))
