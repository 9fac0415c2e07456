"""A JSON text that is opened only where it is changed.

What a patch does not touch is written again letter for letter: the digits of numbers, escapes,
the order of members. A value is text (``msgspec.Raw``) until something inside it is asked for;
then it becomes a dict or a list of such values.
"""

from copy import deepcopy
from typing import Any, NamedTuple, cast

import msgspec

from kintung.fhir.limits import NUMBERS

Value = msgspec.Raw | dict[str, Any] | list[Any]
"""A JSON value: its text, or an object or array of which some part was asked for."""

Step = str | int
"""A member's name, or a place in an array."""

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_PLAIN: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=NUMBERS.create_decimal)
_OBJECT, _ARRAY = b"{"[0], b"["[0]


class Place(NamedTuple):
    """Where a value stands, or may be put: a member of an object, an item of an array."""

    container: Value
    step: Step

    @property
    def value(self) -> Value:
        """What stands there, opened if it is an object or array; LookupError when nothing does."""
        container = _opened(self.container)
        value = container[self.step]
        if isinstance(value, msgspec.Raw):
            text = bytes(value)
            if text[0] == _OBJECT:
                value = container[self.step] = cast(Value, _MEMBERS.decode(text))
            elif text[0] == _ARRAY:
                value = container[self.step] = cast(Value, _ITEMS.decode(text))
        return value

    def put(self, value: Value) -> None:
        """Set the value of this member, or of this item that is there."""
        _opened(self.container)[self.step] = value

    def insert(self, value: Value) -> None:
        """Set the value of this member, or make an item of this place; later ones move on.

        Raises:
            LookupError: the place is past the end of the array.
        """
        if not isinstance(self.container, list):
            self.put(value)
            return
        place = cast(int, self.step)
        if place > len(self.container):
            raise IndexError(place)
        self.container.insert(place, value)

    def take(self) -> Value:
        """Take the value away and return it; LookupError when there is none."""
        value = self.value
        del _opened(self.container)[self.step]
        return value


def _opened(container: Value) -> dict[Step, Value]:
    """An object or array, as what both are: steps that lead to values."""
    assert not isinstance(container, msgspec.Raw), "a text has nothing inside"
    return cast(dict[Step, Value], container)


class Document:
    """One JSON value being changed; ``text`` is what it has become.

    The text it is made of was accepted at the front door: no member stands twice.
    """

    def __init__(self, text: bytes) -> None:
        self.whole = Place([msgspec.Raw(text.strip())], 0)

    @property
    def text(self) -> bytes:
        return written(self.whole.value)


def written(value: Value) -> bytes:
    """The value as JSON text, its texts unchanged."""
    return msgspec.json.encode(value)


def plain(value: Value) -> Any:
    """The value decoded, as ``kintung.fhir.json.parse`` does: to compare it, never to write it."""
    return _PLAIN.decode(written(value))


def copied(value: Value) -> Value:
    """The value again, so that a change of one does not change the other."""
    return deepcopy(value)


def is_same(left: object, right: object) -> bool:
    """Are two decoded values equal as JSON: 1 is 1.0, and true is not 1?"""
    if isinstance(left, dict) and isinstance(right, dict):
        mine, other = cast(dict[str, Any], left), cast(dict[str, Any], right)
        return mine.keys() == other.keys() and all(is_same(mine[name], other[name]) for name in mine)
    if isinstance(left, list) and isinstance(right, list):
        items, others = cast(list[Any], left), cast(list[Any], right)
        return len(items) == len(others) and all(map(is_same, items, others))
    return left == right and isinstance(left, bool) is isinstance(right, bool)
