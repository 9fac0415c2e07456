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
from dataclasses import dataclass
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

_DIGITS_ALIKE = bytes(0x30 if 0x30 <= byte <= 0x39 else byte for byte in range(256))
_LONG_INTEGER = b"0" * (MAX_DIGITS + 1)


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
    _check_size(raw, limits)
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
        raise (_first_fault(raw, limits) or _not_json(raw, error)) from None
    if suspect and (fault := _first_fault(raw, limits)):
        raise fault
    if type(value) is not dict:
        raise StructureInvalid("The text is JSON, but not an object; a resource is one JSON object.")
    return value  # pyright: ignore[reportUnknownVariableType]


def _check_size(raw: bytes, limits: Limits) -> None:
    if len(raw) > limits.bytes:
        raise TooLong(
            f"The text has {len(raw)} bytes and the limit is {limits.bytes}; send it in smaller parts."
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
        or (raw.count(b"[") + raw.count(b"{") > limits.depth and _may_be_deeper(raw, limits.depth))
    )


def _may_be_deeper(raw: bytes, depth: int) -> bool:
    """Whether well-formed ``raw`` may open more than ``depth`` objects and arrays at once.

    Written one member a line, indented by one space a level, a text so deep has a line
    that starts with ``depth`` spaces; line ends in strings are escapes.
    """
    return b"\n" + b" " * depth in msgspec.json.format(raw, indent=1)


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


class _EntryText(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw()


class _BundleText(msgspec.Struct):
    """Where the resources are in the text; all other members are skipped at the speed of C."""

    entry: list[_EntryText] = []


_TEXTS = msgspec.json.Decoder(_BundleText)
_STAND_IN = {"resourceType": "Parameters"}


def split_bundle(raw: bytes, limits: Limits = LIMITS) -> SplitBundle:
    """Decode a Bundle once, keeping the text of each ``Bundle.entry.resource``.

    Raises:
        TooLong, StructureInvalid, ValueInvalid: as ``parse`` does; also when the text is
            not a Bundle, its entries or their resources are not objects, or it has more
            entries than ``limits.entries``.
    """
    _check_size(raw, limits)
    try:
        texts = _TEXTS.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        _require_bundle(parse(raw, limits))
        raise StructureInvalid(
            "Bundle.entry is an array of objects; write each entry in { }, and all of them in [ ].",
            path="Bundle.entry",
        ) from None
    if len(texts.entry) > limits.entries:
        raise TooLong(
            f"The Bundle has {len(texts.entry)} entries and the limit is {limits.entries}; "
            "send several Bundles.",
            path="Bundle.entry",
        )
    whole = parse(raw, limits)
    _require_bundle(whole)
    entries: list[BundleEntry] = []
    stubs: list[dict[str, Any]] = []
    for index, (text, entry) in enumerate(zip(texts.entry, whole.get("entry", ()), strict=True)):
        resource = entry.get("resource")
        if resource is None and "resource" not in entry:
            stubs.append(entry)
        elif type(resource) is dict:
            stubs.append({**entry, "resource": _STAND_IN})
        else:
            raise StructureInvalid("A resource is one JSON object.", path=f"Bundle.entry[{index}].resource")
        full_url, request = entry.get("fullUrl"), entry.get("request")
        entries.append(
            BundleEntry(
                full_url if type(full_url) is str else None,
                request if type(request) is dict else None,
                resource,
                bytes(text.resource) if resource is not None else None,
            )
        )
    return SplitBundle({**whole, "entry": stubs} if "entry" in whole else whole, entries)


def _require_bundle(whole: dict[str, Any]) -> None:
    if whole.get("resourceType") != "Bundle":
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


def _first_fault(raw: bytes, limits: Limits) -> BadInput | None:
    """The first thing in ``raw`` that breaks a rule of the front door, syntax apart."""
    if raw.startswith(_MARKS):
        return StructureInvalid("The text starts with a byte order mark; send UTF-8 without one.")
    names: list[set[str]] = [set()]
    for token in tokens(raw):
        if token.kind == "open":
            if len(token.path) >= limits.depth:
                return TooLong(
                    f"More than {limits.depth} objects and arrays are open at once.",
                    path=_fhirpath(raw, token.path),
                )
            names.append(set())
        elif token.kind == "close":
            names.pop()
        elif fault := _token_fault(raw, token, names[-1]):
            return fault
    return None


def _token_fault(raw: bytes, token: Token, names: set[str]) -> BadInput | None:
    """What is wrong with one token; ``names`` are those met so far in its object."""
    text = raw[token.start : token.end]
    if token.kind == "number" and not _is_number_in_bounds(text):
        return TooLong(
            f"A number has over {MAX_DIGITS} significant digits, or digits beyond 10^±{MAX_EXPONENT}.",
            path=_fhirpath(raw, token.path),
        )
    if token.kind in ("string", "name") and b"\\u" in text:
        if _SURROGATE.search(text) and not _is_decodable(text):
            return ValueInvalid(
                "A string holds half of a surrogate pair; both halves are needed.",
                path=_fhirpath(raw, token.path),
            )
        if "\0" in _string(text):
            return ValueInvalid("A string holds the character U+0000.", path=_fhirpath(raw, token.path))
    if token.kind == "name":
        name = str(token.path[-1])
        if name in names:
            return StructureInvalid(
                "A member stands twice in one object; send it once.", path=_fhirpath(raw, token.path)
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


def _not_json(raw: bytes, error: Exception) -> StructureInvalid:
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
        path=_fhirpath(raw, path) if path else None,
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


def _fhirpath(raw: bytes, path: list[str | int]) -> str:
    """``path`` as FHIRPath from the type that ``raw`` names at its top."""
    steps = [f"[{step}]" if isinstance(step, int) else _step(step) for step in path]
    return _type_named(raw) + "".join(steps)


def _type_named(raw: bytes) -> str:
    for token in tokens(raw):
        if len(token.path) > LIMITS.depth:
            break
        if token.kind == "string" and token.path == ["resourceType"]:
            name = _string(raw[token.start : token.end])
            return name if _PLAIN_NAME.fullmatch(name) else "Resource"
    return "Resource"
