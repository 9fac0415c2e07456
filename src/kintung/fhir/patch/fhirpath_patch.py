"""FHIRPath Patch: operations on elements of a resource, sent as Parameters.

Source: http://hl7.org/fhir/R4/fhirpatch.html. The elements are named by FHIRPath
(``kintung.fhir.fhirpath.places``); values keep the letters they were sent with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import msgspec

from kintung.errors import KintungError, RuleFailed, StructureInvalid, TooLong, ValueInvalid
from kintung.fhir.document import Document, Place, Value, copied, plain, written
from kintung.fhir.fhirpath.places import Finder, Spot, children
from kintung.fhir.limits import LIMITS, Limits
from kintung.fhir.patch.json_patch import MOST_OPERATIONS
from kintung.fhir.structure.definitions import Element, definitions, member_name

_NULL = msgspec.Raw(b"null")
_PARTS: Mapping[str, tuple[str, ...]] = {
    "add": ("name", "value"),
    "insert": ("index", "value"),
    "delete": (),
    "replace": ("value",),
    "move": ("source", "destination"),
}
"""What each type of operation needs beside a path."""


class Given(NamedTuple):
    """A value as it is sent.

    ``member`` is its ``value[x]`` (``valueCode``), "" for one that is made of ``parts``; ``beside``
    are the id and extensions of a primitive.
    """

    member: str
    value: Value | None
    beside: Value | None
    parts: tuple[tuple[str, "Given"], ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; what its type does not need is left as it is here."""

    type: str
    path: str
    name: str = ""
    value: Given | None = None
    index: int = 0
    source: int = 0
    destination: int = 0


# --- Reading --------------------------------------------------------------------------


def parse_fhirpath_patch(parameters: dict[str, Any], text: bytes) -> tuple[Operation, ...]:
    """Read a patch.

    Args:
        parameters: a valid Parameters resource.
        text: its text.

    Raises:
        StructureInvalid, ValueInvalid: it is not what an operation is made of; the path leads there.
        TooLong: over ``MOST_OPERATIONS``.
    """
    sent = parameters.get("parameter", ())
    if len(sent) > MOST_OPERATIONS:
        raise TooLong(f"A patch has at most {MOST_OPERATIONS:,} operations; send it in parts.")
    whole = Document(text).whole
    return tuple(_operation(_inside(whole, "parameter", number), number) for number in range(len(sent)))


def _operation(place: Place, number: int) -> Operation:
    here = _path(number)
    if _name(place, here) != "operation":
        raise StructureInvalid("Each parameter of a patch is named operation.", path=f"{here}.name")
    parts: dict[str, Place] = {}
    for part in _parts(place):
        name = _name(part, here)
        if name in parts:
            raise StructureInvalid(f"The part {name} is given twice.", path=f"{here}.part")
        parts[name] = part
    for name in ("type", "path"):
        if name not in parts:
            raise StructureInvalid(f"An operation needs the part {name}.", path=f"{here}.part")
    type = _text_part(parts["type"], here)
    if type not in _PARTS:
        known = ", ".join(_PARTS)
        raise ValueInvalid(f"The type of an operation is one of {known}.", path=f"{here}.part")
    for name in _PARTS[type]:
        if name not in parts:
            raise StructureInvalid(f"The operation {type} needs the part {name}.", path=f"{here}.part")

    def number_of(name: str) -> int:
        return _number_part(parts[name], here) if name in _PARTS[type] else 0

    return Operation(
        type,
        _text_part(parts["path"], here),
        _text_part(parts["name"], here) if type == "add" else "",
        _given(parts["value"], here) if "value" in _PARTS[type] else None,
        number_of("index"),
        number_of("source"),
        number_of("destination"),
    )


def _path(number: int) -> str:
    return f"Parameters.parameter[{number}]"


def _inside(place: Place, *steps: str | int) -> Place:
    for step in steps:
        place = Place(place.value, step)
    return place


def _name(place: Place, here: str) -> str:
    """The name of a parameter, of which the definition takes extensions alone."""
    try:
        return str(plain(_inside(place, "name").value))
    except LookupError:
        raise StructureInvalid("A parameter of a patch has a name.", path=f"{here}.name") from None


def _parts(place: Place) -> list[Place]:
    try:
        parts = _inside(place, "part").value
    except LookupError:
        return []
    return [Place(parts, index) for index in range(len(parts))]


def _given(place: Place, here: str) -> Given:
    """What a parameter holds: a ``value[x]``, or parts."""
    opened = place.value
    assert isinstance(opened, dict), "a parameter is an object"
    names = [name for name in opened if name.lstrip("_").startswith("value")]
    if not names:
        return Given("", None, None, tuple((_name(part, here), _given(part, here)) for part in _parts(place)))
    member = names[0].lstrip("_")
    value, beside = (Place(opened, name).value if name in opened else None for name in (member, f"_{member}"))
    return Given(member, value, beside)


def _text_part(place: Place, here: str) -> str:
    given = _given(place, here)
    value = plain(given.value) if given.value is not None else None
    if not isinstance(value, str):
        raise ValueInvalid(f"The part {_name(place, here)} holds a text.", path=f"{here}.part")
    return value


def _number_part(place: Place, here: str) -> int:
    given = _given(place, here)
    value = plain(given.value) if given.value is not None else None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueInvalid(f"The part {_name(place, here)} holds a place: 0, 1, 2 ...", path=f"{here}.part")
    return value


# --- Applying -------------------------------------------------------------------------


def apply_fhirpath_patch(
    text: bytes, type: str, operations: Sequence[Operation], limits: Limits = LIMITS
) -> bytes:
    """Return the text of a resource of this type with all operations applied, in order.

    Args:
        text: a resource that was accepted; what comes back was not validated.

    Raises:
        BadInput: a path cannot be read, or an operation cannot be done there.
        RuleFailed: a path leads to no element, or to several, where one is meant.
        TooCostly, TooLong: the paths look at too much, or the operations write over ``limits.bytes``.
    """
    document = Document(text)
    finder = Finder.of(document, type)
    work = 0
    for number, operation in enumerate(operations):
        try:
            _apply(finder, operation)
        except KintungError as refusal:
            raise refusal.__class__(str(refusal), path=_path(number)) from None
        except RecursionError:
            raise TooLong("The path of a patch has fewer steps.", path=_path(number)) from None
        work += _size(operation.value)
        if work > limits.bytes:
            raise TooLong(f"The patch writes over {limits.bytes:,} bytes.", path=_path(number))
    return document.text


def _size(given: Given | None) -> int:
    if given is None:
        return 0
    own = sum(len(written(value)) for value in (given.value, given.beside) if value is not None)
    return own + sum(_size(part) for _, part in given.parts)


def _apply(finder: Finder, operation: Operation) -> None:
    found = finder.find(operation.path)
    given = operation.value
    match operation.type:
        case "add":
            assert given is not None
            _add(_one(found, operation.path), operation.name, given)
        case "insert":
            assert given is not None
            items = _items(found, operation.path)
            items.insert(operation.index, *_value_of(items.element, given))
        case "delete":
            if found:
                _delete(_one(found, operation.path))
        case "replace":
            assert given is not None
            _replace(_one(found, operation.path), given)
        case _:
            items = _items(found, operation.path)
            items.insert(operation.destination, *items.take(operation.source))


def _one(found: Sequence[Spot], path: str) -> Spot:
    if len(found) != 1:
        raise RuleFailed(f"{_shown(path)} leads to {len(found) or 'no'} elements, and one is meant.")
    return found[0]


def _add(owner: Spot, name: str, given: Given) -> None:
    """Put a value at the end of a repeating element, or where there was none."""
    element = _element(owner.type, name)
    member = _member(element, given)
    holder = _members_of(owner)
    if element.max != 1:
        items = _Items(holder, member, element)
        items.insert(items.count, *_value_of(element, given))
    elif any(children(owner, element.name)):
        raise RuleFailed(f"{owner.type} has {element.name} already; replace it.")
    else:
        _put(holder, member, *_value_of(element, given))


def _replace(spot: Spot, given: Given) -> None:
    if spot.owner is None:
        raise ValueInvalid("The whole resource cannot be replaced by a patch; update it.")
    element = _element(spot.owner.type, spot.member)
    member = _member(element, given)
    holder = _members_of(spot.owner)
    if element.max != 1:
        items = _Items(holder, member, element)
        at = spot.place.step
        if not isinstance(at, int):
            raise ValueInvalid(f"{spot.member} repeats; an earlier operation put one value there.")
        items.take(at)
        items.insert(at, *_value_of(element, given))
        return
    if member != spot.member:
        _delete(spot)
    _put(holder, member, *_value_of(element, given))


def _delete(spot: Spot) -> None:
    if spot.owner is None:
        raise ValueInvalid("The whole resource cannot be deleted by a patch; delete it.")
    holder = _members_of(spot.owner)
    at = spot.place.step
    if isinstance(at, int):
        _Items(holder, spot.member, _element(spot.owner.type, spot.member)).take(at)
    else:
        _put(holder, spot.member, None, None)


def _members_of(owner: Spot) -> dict[str, Any]:
    """The members of an element; an earlier operation may have put there what has none."""
    holder = owner.value
    if not isinstance(holder, dict):
        raise ValueInvalid(f"{owner.member or owner.type} has no elements here.")
    return holder


def _put(holder: dict[str, Any], member: str, value: Value | None, beside: Value | None) -> None:
    """Set a member, and what stands beside it if it is a primitive; None takes it away."""
    for name, what in ((member, value), (f"_{member}", beside)):
        if what is not None:
            holder[name] = what
        else:
            holder.pop(name, None)


@dataclass(frozen=True, slots=True)
class _Items:
    """The items of a repeating element, with the ids and extensions beside them."""

    holder: dict[str, Any]
    member: str
    element: Element

    @property
    def count(self) -> int:
        return len(self._list(self.member) or ())

    def _list(self, member: str) -> list[Any] | None:
        try:
            value = Place(self.holder, member).value
        except LookupError:
            return None
        if not isinstance(value, list):
            raise ValueInvalid(f"{member} repeats; an earlier operation put one value there.")
        return value

    def insert(self, at: int, value: Value | None, beside: Value | None) -> None:
        count = self.count
        if at > count:
            raise ValueInvalid(f"{self.member} has {count} items; {at} is past their end.")
        self.holder.setdefault(self.member, [])
        values, besides = self._list(self.member), self._list(f"_{self.member}")
        assert values is not None, "it was just made"
        values.insert(at, _NULL if value is None else value)
        if beside is not None and besides is None:
            besides = self.holder[f"_{self.member}"] = cast(list[Value], [_NULL] * count)
        if besides is not None:
            besides.insert(at, _NULL if beside is None else beside)

    def take(self, at: int) -> tuple[Value, Value | None]:
        values, besides = self._list(self.member), self._list(f"_{self.member}")
        if values is None or at >= len(values):
            raise ValueInvalid(f"{self.member} has {self.count} items; there is none at {at}.")
        taken = values.pop(at), besides.pop(at) if besides else None
        if not values:
            _put(self.holder, self.member, None, None)
        return taken


def _items(found: Sequence[Spot], path: str) -> _Items:
    """The list that the elements a path leads to are the items of."""
    owners = {id(spot.owner.value) for spot in found if spot.owner is not None}
    members = {spot.member for spot in found}
    if len(owners) != 1 or len(members) != 1 or found[0].owner is None:
        raise RuleFailed(f"{_shown(path)} does not lead to the items of one element.")
    owner, member = found[0].owner, found[0].member
    element = _element(owner.type, member)
    if element.max == 1:
        raise RuleFailed(f"{_shown(path)} does not repeat.")
    holder = _members_of(owner)
    return _Items(holder, member, element)


def _value_of(element: Element, given: Given) -> tuple[Value | None, Value | None]:
    """A value and what stands beside it, as JSON of this element."""
    if given.member:
        return _again(given.value), _again(given.beside)
    type = element.types[0]
    made: dict[str, Any] = {}
    for name, part in given.parts:
        _add(Spot(Place([made], 0), type), name, part)
    return made, None


def _again(value: Value | None) -> Value | None:
    return None if value is None else copied(value)


def _element(type: str, name: str) -> Element:
    """The element of a type, by its name or by that of a JSON member."""
    for element in definitions().types.get(type, ()):
        if name == element.name or name in [member_name(element, one) for one in element.types]:
            return element
    raise ValueInvalid(f"{type} has no element {_shown(name)}.")


def _member(element: Element, given: Given) -> str:
    """The JSON member a value goes to: that of its own type, where the element is a choice."""
    if not element.is_choice:
        return element.name
    member = element.name + given.member.removeprefix("value")
    if member not in [member_name(element, one) for one in element.types]:
        raise ValueInvalid(
            f"{element.name} cannot be {given.member.removeprefix('value') or 'made of parts'}."
        )
    return member


def _shown(text: str) -> str:
    return repr(text[:128])
