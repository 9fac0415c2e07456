"""JSON Patch: operations on places of a JSON text.

Source: RFC 6902 (the operations), RFC 6901 (the pointers), and
http://hl7.org/fhir/R4/http.html#patch. A member of an operation that the RFC does not name is
passed over, as its section 4 asks.
"""

import re
from collections.abc import Sequence

import msgspec

from kintung.errors import RuleFailed, StructureInvalid, TooLong, ValueInvalid
from kintung.fhir.document import Document, Place, Value, copied, is_same, plain, written
from kintung.fhir.json import parse_list
from kintung.fhir.limits import LIMITS, Limits

MOST_OPERATIONS = 1_000
"""Operations of one patch."""

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_END = "-"
_BARE_TILDE = re.compile("~(?![01])")


class Add(msgspec.Struct, frozen=True, tag_field="op", tag="add"):
    path: str
    value: msgspec.Raw


class Remove(msgspec.Struct, frozen=True, tag_field="op", tag="remove"):
    path: str


class Replace(msgspec.Struct, frozen=True, tag_field="op", tag="replace"):
    path: str
    value: msgspec.Raw


class Move(msgspec.Struct, frozen=True, tag_field="op", tag="move"):
    path: str
    source: str = msgspec.field(name="from")


class Copy(msgspec.Struct, frozen=True, tag_field="op", tag="copy"):
    path: str
    source: str = msgspec.field(name="from")


class Test(msgspec.Struct, frozen=True, tag_field="op", tag="test"):
    path: str
    value: msgspec.Raw


Operation = Add | Remove | Replace | Move | Copy | Test

_PATCH = msgspec.json.Decoder(list[Operation])


def parse_json_patch(raw: bytes, limits: Limits = LIMITS) -> tuple[Operation, ...]:
    """Read a patch.

    Raises:
        BadInput: it is not JSON that may enter (``kintung.fhir.json``), or not a list of
            operations; the path leads to the operation.
        TooLong: over ``MOST_OPERATIONS``.
    """
    if len(parse_list(raw, limits)) > MOST_OPERATIONS:
        raise TooLong(f"A patch has at most {MOST_OPERATIONS:,} operations; send it in parts.")
    try:
        operations = _PATCH.decode(raw)
    except msgspec.ValidationError as error:
        fault, _, place = str(error).partition(" - at `$")
        raise StructureInvalid(f"{fault}; see RFC 6902.", path=f"patch{place.rstrip('`')}") from None
    return tuple(operations)


def apply_json_patch(text: bytes, operations: Sequence[Operation], limits: Limits = LIMITS) -> bytes:
    """Return the text with all operations applied, in order.

    Args:
        text: JSON that was accepted at the front door; what comes back was not looked at there.

    Raises:
        ValueInvalid: a pointer leads nowhere, or an operation cannot be done there.
        RuleFailed: what a ``test`` asks for is not so.
        TooLong: the operations together write and compare more than ``limits.bytes``, or make
            what is deeper than can be followed.
    """
    document = Document(text)
    work = 0
    for number, operation in enumerate(operations):
        try:
            work += _apply(document, operation)
        except (ValueInvalid, RuleFailed) as refusal:
            raise type(refusal)(str(refusal), path=_path(number)) from None
        except RecursionError:
            raise TooLong(_too_deep(limits), path=_path(number)) from None
        if work > limits.bytes:
            raise TooLong(f"The patch changes over {limits.bytes:,} bytes.", path=_path(number))
    try:
        return document.text
    except RecursionError:
        raise TooLong(_too_deep(limits)) from None


def _too_deep(limits: Limits) -> str:
    return f"The patch makes a text of over {limits.depth} levels; what it adds is less deep."


def _path(number: int) -> str:
    return f"patch[{number}]"


def _apply(document: Document, operation: Operation) -> int:
    """Carry out one operation; returns the bytes it wrote or compared."""
    match operation:
        case Add(path, value):
            _insert(document, path, value)
            return len(bytes(value))
        case Replace(path, value):
            place = _place(document, path)
            _value(place, path)
            place.put(value)
            return len(bytes(value))
        case Remove(path):
            _take(document, path)
            return 0
        case Move(path, source):
            if path.startswith(f"{source}/"):
                raise ValueInvalid("A value cannot be moved into itself.")
            _insert(document, path, _take(document, source))
            return 0
        case Copy(path, source):
            value = _value(_place(document, source), source)
            _insert(document, path, copied(value))
            return len(written(value))
        case Test(path, value):
            found = _value(_place(document, path), path)
            if not is_same(plain(found), plain(value)):
                raise RuleFailed(f"The value at {_shown(path)} is not the one tested for.")
            return len(written(found))


def _value(place: Place, pointer: str) -> Value:
    try:
        return place.value
    except LookupError:
        raise _nowhere(pointer) from None


def _insert(document: Document, pointer: str, value: Value) -> None:
    place = _place(document, pointer)
    try:
        place.insert(value) if pointer else place.put(value)
    except LookupError:
        raise _nowhere(pointer) from None


def _take(document: Document, pointer: str) -> Value:
    if not pointer:
        raise ValueInvalid("The whole resource cannot be taken away by a patch; delete it.")
    try:
        return _place(document, pointer).take()
    except LookupError:
        raise _nowhere(pointer) from None


def _place(document: Document, pointer: str) -> Place:
    """The place a pointer names, whether or not something is there."""
    if pointer and not pointer.startswith("/"):
        raise ValueInvalid(f"The pointer {_shown(pointer)} does not begin with a slash (RFC 6901).")
    place = document.whole
    for written_step in pointer.split("/")[1:]:
        place = _inside(_value(place, pointer), written_step, pointer)
    return place


def _inside(container: Value, step: str, pointer: str) -> Place:
    if isinstance(container, list):
        if step == _END:
            return Place(container, len(container))
        if not _INDEX.fullmatch(step):
            raise ValueInvalid(f"{_shown(step)} in {_shown(pointer)} is no place in an array.")
        return Place(container, int(step))
    if not isinstance(container, dict):
        raise _nowhere(pointer)
    if _BARE_TILDE.search(step):
        raise ValueInvalid(f"A ~ in a pointer is written ~0 ({_shown(pointer)}).")
    return Place(container, step.replace("~1", "/").replace("~0", "~"))


def _nowhere(pointer: str) -> ValueInvalid:
    return ValueInvalid(f"There is nothing at {_shown(pointer)}.")


def _shown(pointer: str) -> str:
    """A pointer as a message may hold it; it names elements, and shows no value of the record."""
    return repr(pointer[:128])
