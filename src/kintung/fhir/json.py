"""The JSON front door: what may enter, decided once.

FHIR R4 JSON (http://hl7.org/fhir/R4/json.html) is decoded to plain ``dict``, ``list``,
``str``, ``int``, ``bool``, ``None`` and, for every number written with a point or an
exponent, ``Decimal`` with its digits kept. What is stored is the accepted text (see
``kintung.fhir.splice``), never a text made again from the dict.

Every text is first decoded by msgspec and then checked by counting bytes, all at the
speed of C. Only when something is wrong, or looks so, ``_first_fault`` walks the tokens
to say what and where.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import (
    Clamped,
    Context,
    DecimalException,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
    Underflow,
)
from typing import Any, NamedTuple

import msgspec

from kintung.errors import BadInput, StructureInvalid, TooLong, ValueInvalid

MAX_DIGITS = 40
"""Significant digits a number may have."""

MAX_EXPONENT = 400
"""The first digit of a number stands at 10^400 at most, its last at 10^-400 at least."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one text: its bytes, the objects and arrays open at once, entries of a Bundle."""

    bytes: int = 64 * 1024 * 1024
    depth: int = 100
    entries: int = 10_000


LIMITS = Limits()

_RESOURCE_DEPTH = 3  # of Bundle.entry[i].resource: the Bundle, the array and the entry are open

# Decimal checks its own limits here, on the text, before anything is computed from it:
# too many digits signal Rounded, a first digit too high Overflow, a last digit too low
# Underflow or (for zero) Clamped. Etiny, the lowest place, is Emin - prec + 1.
_NUMBERS = Context(
    prec=MAX_DIGITS,
    Emax=MAX_EXPONENT,
    Emin=MAX_DIGITS - 1 - MAX_EXPONENT,
    traps=[Clamped, Inexact, InvalidOperation, Overflow, Rounded, Underflow],
)

_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=_NUMBERS.create_decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENTRIES: msgspec.json.Decoder[list[dict[str, Any]]] = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])

_DIGITS_ALIKE = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))
_LONG_INTEGER = b"0" * (MAX_DIGITS + 1)
_BRACKETS_ALIKE = bytes.maketrans(b"{}", b"[]")
_NOT_STRUCTURE = bytes(byte for byte in range(256) if byte not in b'"[]{}')
_QUOTED = re.compile(rb'"[^"]*+"')


def parse(raw: bytes, limits: Limits = LIMITS) -> dict[str, Any]:
    """Decode one JSON object.

    Raises:
        TooLong: over ``limits``, or a number of more than 40 significant digits or with
            digits beyond 10^±400.
        StructureInvalid: not JSON, not UTF-8, a byte order mark, a member name twice in
            one object, or not an object at the top.
        ValueInvalid: U+0000 or half of a surrogate pair in a string.

    ``path`` of the error is a FHIRPath; what is not JSON has a line and a column instead.
    """
    return _parse(raw, limits, None)


def _parse(raw: bytes, limits: Limits, at: str | None) -> dict[str, Any]:
    """``parse``; ``at`` is the path of this text in a larger one."""
    _check_size(raw, limits, at)
    try:
        value = _DECODER.decode(raw)
        suspect = _is_suspect(raw, value, limits)
    except (
        msgspec.MsgspecError,
        UnicodeDecodeError,
        DecimalException,
        RecursionError,
        OverflowError,
    ) as error:
        raise (_first_fault(raw, limits, at) or _not_json(raw, error, at)) from None
    if suspect and (fault := _first_fault(raw, limits, at)):
        raise fault
    if type(value) is not dict:
        raise StructureInvalid("The text is JSON, but not an object; a resource is one JSON object.", path=at)
    return value  # pyright: ignore[reportUnknownVariableType]


def _check_size(raw: bytes, limits: Limits, at: str | None) -> None:
    if len(raw) > limits.bytes:
        raise TooLong(
            f"The text has {len(raw)} bytes and the limit is {limits.bytes}; send it in smaller parts.",
            path=at,
        )


def _is_suspect(raw: bytes, value: Any, limits: Limits) -> bool:
    """Whether well-formed text may break a rule; False is certain, True is to be looked into.

    A member name given twice loses a colon on the way through the dict, and an escaped
    colon gains one.
    """
    return (
        raw.count(b":") != _ENCODER.encode(value).count(b":")
        or b"\\u0000" in raw
        or b"\\u003a" in raw
        or b"\\u003A" in raw
        or _LONG_INTEGER in raw.translate(_DIGITS_ALIKE)
        or (raw.count(b"[") + raw.count(b"{") > limits.depth and _is_deeper(raw, limits.depth))
    )


def _is_deeper(raw: bytes, depth: int) -> bool:
    """Whether well-formed ``raw`` opens more than ``depth`` objects and arrays at once.

    Strings are removed first: without escapes and other text an empty pair of quotes is
    a whole string, and if all quotes go with such pairs, no string held a bracket. Then
    each round of removing ``[]`` takes away the innermost level.
    """
    if b"\\" in raw:
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    quoted = raw.translate(None, _NOT_STRUCTURE)
    brackets = quoted.replace(b'""', b"")
    if b'"' in brackets:
        brackets = _QUOTED.sub(b"", quoted)
    brackets = brackets.translate(_BRACKETS_ALIKE)
    for _ in range(depth):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


# --- Bundles ------------------------------------------------------------------------


class BundleEntry(NamedTuple):
    """One entry of a Bundle; ``text`` is the resource as sent, ``resource`` the same decoded."""

    full_url: str | None
    request: dict[str, Any] | None
    resource: dict[str, Any] | None
    text: bytes | None


class SplitBundle(NamedTuple):
    """A Bundle with its resources apart.

    ``envelope`` is the Bundle with an empty Parameters, which is valid, in place of each
    resource, so that it can be validated alone; ``entries`` are in the order of the text.
    """

    envelope: dict[str, Any]
    entries: list[BundleEntry]


def split_bundle(raw: bytes, limits: Limits = LIMITS) -> SplitBundle:
    """Decode a Bundle once, keeping the text of each ``Bundle.entry.resource``.

    Raises:
        TooLong, StructureInvalid, ValueInvalid: as ``parse`` does; also when the text is
            not a Bundle, or has more entries than ``limits.entries``.
    """
    _check_size(raw, limits, None)
    try:
        members = _MEMBERS.decode(raw)
        items = _ENTRIES.decode(members["entry"]) if "entry" in members else []
        envelope = {name: _DECODER.decode(value) for name, value in members.items() if name != "entry"}
    except (msgspec.MsgspecError, UnicodeDecodeError, DecimalException, RecursionError):
        _require_bundle(parse(raw, limits))
        raise StructureInvalid(
            "Bundle.entry is an array of objects; write each entry in { }, and all of them in [ ].",
            path="Bundle.entry",
        ) from None
    _require_bundle(envelope)
    if len(items) > limits.entries:
        raise TooLong(
            f"The Bundle has {len(items)} entries and the limit is {limits.entries}; send several Bundles.",
            path="Bundle.entry",
        )
    if "entry" in members:
        envelope["entry"] = items  # an empty array is for validation to refuse
    entries = _split_entries(raw, items, limits)
    if _is_envelope_suspect(raw, envelope, entries, limits) and (fault := _first_fault(raw, limits, None)):
        raise fault
    for entry, rest in zip(entries, items, strict=True):
        if entry.resource is not None:
            rest["resource"] = {"resourceType": "Parameters"}
    return SplitBundle(envelope, entries)


def _split_entries(raw: bytes, items: list[dict[str, Any]], limits: Limits) -> list[BundleEntry]:
    """Take the resources out of ``items``, leaving None, and decode the other members in place."""
    inner = replace(limits, depth=limits.depth - _RESOURCE_DEPTH)
    entries: list[BundleEntry] = []
    for index, item in enumerate(items):
        text = resource = None
        for name, value in item.items():
            if name == "resource":
                text = bytes(value)
                resource = _parse(text, inner, f"Bundle.entry[{index}].resource")
                item[name] = None
            else:
                try:
                    item[name] = _DECODER.decode(value)
                except (msgspec.MsgspecError, UnicodeDecodeError, DecimalException, RecursionError) as error:
                    raise (_first_fault(raw, limits, None) or _not_json(raw, error, None)) from None
        full_url, request = item.get("fullUrl"), item.get("request")
        entries.append(
            BundleEntry(
                full_url if type(full_url) is str else None,
                request if type(request) is dict else None,  # pyright: ignore[reportUnknownArgumentType]
                resource,
                text,
            )
        )
    return entries


def _is_envelope_suspect(
    raw: bytes, envelope: dict[str, Any], entries: list[BundleEntry], limits: Limits
) -> bool:
    """``_is_suspect`` for what stands outside the resources, which were looked at one by one."""
    text = _ENCODER.encode(envelope)
    inside = sum(entry.text.count(b":") for entry in entries if entry.text is not None)
    return (
        raw.count(b":") - inside != text.count(b":")
        or b"\\u003a" in raw
        or b"\\u003A" in raw
        or b"\\u0000" in text
        or _LONG_INTEGER in text.translate(_DIGITS_ALIKE)
        or _is_deeper(text, limits.depth)
    )


def _require_bundle(envelope: dict[str, Any]) -> None:
    if envelope.get("resourceType") != "Bundle":
        raise StructureInvalid(
            "The resource is not a Bundle; send it to the address of its type.", path="resourceType"
        )


# --- Tokens -------------------------------------------------------------------------

_TOKEN = re.compile(
    rb"""[ \t\n\r]*+(?:
        (?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+")
      | (?P<number>-?[0-9][0-9.eE+-]*+)
      | (?P<open>[{\[])
      | (?P<close>[}\]])
      | (?P<comma>,)
      | (?P<other>:|true|false|null)
    )""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_MARKS = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")


class Token(NamedTuple):
    """A piece of JSON text: ``text[start:end]``.

    ``kind`` is ``open``, ``close``, ``name`` (of a member), ``string``, ``number`` or
    ``word``; ``path`` leads to it: member names and array indices from the top. The list
    is the walker's own and changes with the next token: copy what must last.
    """

    kind: str
    start: int
    end: int
    path: list[str | int]


def tokens(text: bytes) -> Iterator[Token]:
    """Walk JSON text in order; ends without a word where the text is no longer JSON.

    Meant for text already decoded, or for finding where a broken text broke: it takes
    time in proportion to the text and no recursion.
    """
    path: list[str | int] = []
    in_object: list[bool] = []
    names_next = False
    position = 0
    while match := _TOKEN.match(text, position):
        kind, (start, position) = match.lastgroup, match.span(match.lastgroup or 0)
        if kind == "string" and names_next:
            names_next = False
            path[-1] = _string(text[start:position])
            yield Token("name", start, position, path)
        elif kind == "open":
            yield Token("open", start, position, path)
            names_next = text[start] == 0x7B
            in_object.append(names_next)
            path.append("" if names_next else 0)
        elif kind == "close":
            if not path:
                return
            path.pop()
            in_object.pop()
            names_next = False
            yield Token("close", start, position, path)
        elif kind == "comma":
            if not path:
                return
            names_next = in_object[-1]
            last = path[-1]
            if isinstance(last, int):
                path[-1] = last + 1
        elif text[start] != 0x3A:
            yield Token("word" if kind == "other" else str(kind), start, position, path)


def _string(token: bytes) -> str:
    """The value of a string token; with a replacement character where it is none."""
    try:
        return msgspec.json.decode(token, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return token[1:-1].decode("utf-8", "replace")


def _first_fault(raw: bytes, limits: Limits, at: str | None) -> BadInput | None:
    """The first thing in ``raw`` that breaks a rule of the front door, syntax apart."""
    if raw.startswith(_MARKS):
        return StructureInvalid("The text starts with a byte order mark; send UTF-8 without one.", path=at)
    names: list[set[str]] = [set()]
    for token in tokens(raw):
        if token.kind == "open":
            if len(token.path) >= limits.depth:
                return TooLong(
                    f"More than {limits.depth} objects and arrays are open at once.",
                    path=_fhirpath(raw, token.path, at),
                )
            names.append(set())
        elif token.kind == "close":
            names.pop()
        elif fault := _token_fault(raw, token, names[-1], at):
            return fault
    return None


def _token_fault(raw: bytes, token: Token, names: set[str], at: str | None) -> BadInput | None:
    """What is wrong with one token; ``names`` are those met so far in its object."""
    text = raw[token.start : token.end]
    if token.kind == "number" and not _is_number_in_bounds(text):
        return TooLong(
            f"A number has over {MAX_DIGITS} significant digits, or digits beyond 10^±{MAX_EXPONENT}.",
            path=_fhirpath(raw, token.path, at),
        )
    if token.kind in ("string", "name") and b"\\u" in text:
        if _SURROGATE.search(text) and not _is_decodable(text):
            return ValueInvalid(
                "A string holds half of a surrogate pair; both halves are needed.",
                path=_fhirpath(raw, token.path, at),
            )
        if "\0" in _string(text):
            return ValueInvalid("A string holds the character U+0000.", path=_fhirpath(raw, token.path, at))
    if token.kind == "name":
        name = str(token.path[-1])
        if name in names:
            return StructureInvalid(
                "A member stands twice in one object; send it once.", path=_fhirpath(raw, token.path, at)
            )
        names.add(name)
    return None


def _is_number_in_bounds(text: bytes) -> bool:
    try:
        _NUMBERS.create_decimal(text.decode())
    except DecimalException as error:
        return isinstance(error, InvalidOperation) and not _NUMBER.fullmatch(text)
    return True


_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def _is_decodable(token: bytes) -> bool:
    try:
        msgspec.json.decode(token)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True


_BYTE = re.compile(r"\(byte (\d+)\)")


def _not_json(raw: bytes, error: Exception, at: str | None) -> StructureInvalid:
    """Say where text that is no JSON breaks, by line and column (both from 1, in bytes)."""
    if isinstance(error, UnicodeDecodeError):
        what, byte = "not UTF-8", _first_bad_byte(raw)
    else:
        what = "not JSON"
        found = _BYTE.search(str(error))
        byte = int(found[1]) if found else len(raw)
    line = raw.count(b"\n", 0, byte) + 1
    column = byte - raw.rfind(b"\n", 0, byte)
    path: list[str | int] = []
    for token in tokens(raw[:byte]):
        path = token.path
    return StructureInvalid(
        f"The text is {what} at line {line}, column {column}.",
        path=_fhirpath(raw, path, at) if path else at,
    )


def _first_bad_byte(raw: bytes) -> int:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(raw)


def _step(name: str) -> str:
    """The FHIRPath step to a member; a name that is no identifier is not repeated."""
    return f".{name}" if _PLAIN_NAME.fullmatch(name) else ".`?`"


def _fhirpath(raw: bytes, path: list[str | int], at: str | None) -> str:
    """``path`` as FHIRPath from ``at``, or from the type that ``raw`` names at its top."""
    steps = [f"[{step}]" if isinstance(step, int) else _step(step) for step in path]
    return (at or _type_named(raw)) + "".join(steps)


def _type_named(raw: bytes) -> str:
    for token in tokens(raw):
        if len(token.path) > LIMITS.depth:
            break
        if token.kind == "string" and token.path == ["resourceType"]:
            name = _string(raw[token.start : token.end])
            return name if _PLAIN_NAME.fullmatch(name) else "Resource"
    return "Resource"
