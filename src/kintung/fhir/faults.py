"""What is wrong with a text that the front door stopped at, and where.

``rule_broken`` is certain and takes 20 to 40 MB/s; ``first_fault`` walks the tokens for
the place, in the first 8 MB only, so that a large hostile text costs no more than a
large honest one.
"""

import json
import re
from decimal import DecimalException, InvalidOperation
from typing import Any

import msgspec

from kintung.errors import BadInput, StructureInvalid, TooLong, ValueInvalid
from kintung.fhir.limits import MAX_DIGITS, MAX_EXPONENT, NUMBERS, Limits
from kintung.fhir.tokens import SOUGHT, Token, fhirpath, string_of, tokens

_MARKS = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
_BYTE = re.compile(r"\(byte (\d+)\)")

_NUMBER_RULE = f"A number has over {MAX_DIGITS} significant digits, or digits beyond 10^±{MAX_EXPONENT}."
_DEPTH_RULE = "More than {} objects and arrays are open at once."
_NAME_RULE = "A member stands twice in one object; send it once."
_NUL_RULE = "A string holds the character U+0000."


def rule_broken(raw: bytes, limits: Limits) -> BadInput | None:
    """Which rule a well-formed text breaks, if any, without the place."""
    if is_deeper(raw, limits.depth):
        return TooLong(_DEPTH_RULE.format(limits.depth))
    if _NUL.search(raw):
        return ValueInvalid(_NUL_RULE)
    try:
        json.loads(raw, object_pairs_hook=_object, parse_int=_integer, parse_float=len)
    except BadInput as fault:
        return fault
    return None


def _object(members: list[tuple[str, Any]]) -> None:
    if len(dict(members)) < len(members):
        raise StructureInvalid(_NAME_RULE)


def _integer(text: str) -> None:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise TooLong(_NUMBER_RULE)


def is_deeper(raw: bytes, depth: int) -> bool:
    """Whether well-formed ``raw`` opens more than ``depth`` objects and arrays at once.

    Written one member a line, indented by a space a level, what stands in ``depth`` of
    them has ``depth`` spaces before it. Line ends in strings are escapes.
    """
    lines = msgspec.json.format(raw, indent=1)
    if b"\n" + b" " * depth not in lines:
        return False
    opens = rb'\n {%d}(?: |(?:"[^"\\]*+(?:\\.[^"\\]*+)*+": )?[\[{])' % depth
    return re.search(opens, lines) is not None


def first_fault(raw: bytes, limits: Limits) -> BadInput | None:
    """The first thing in ``raw`` that breaks a rule of the front door, syntax apart, and its place."""
    if raw.startswith(_MARKS):
        return StructureInvalid("The text starts with a byte order mark; send UTF-8 without one.")
    raw = raw[:SOUGHT]
    names: list[set[str]] = [set()]
    for token in tokens(raw):
        if token.kind == "open":
            if len(token.path) >= limits.depth:
                return TooLong(_DEPTH_RULE.format(limits.depth), path=fhirpath(raw, token.path))
            names.append(set())
        elif token.kind == "close":
            names.pop()
        elif fault := _token_fault(raw, token, names[-1]):
            return fault
    return None


def _token_fault(raw: bytes, token: Token, names: set[str]) -> BadInput | None:
    """What is wrong with one token; ``names`` are those met so far in its object."""
    text = raw[token.start : token.end]
    if token.kind == "number" and not _is_in_bounds(text):
        return TooLong(_NUMBER_RULE, path=fhirpath(raw, token.path))
    if token.kind in ("string", "name") and b"\\u" in text:
        if _SURROGATE.search(text) and not _is_decodable(text):
            return ValueInvalid(
                "A string holds half of a surrogate pair; both halves are needed.",
                path=fhirpath(raw, token.path),
            )
        if "\0" in string_of(text):
            return ValueInvalid(_NUL_RULE, path=fhirpath(raw, token.path))
    if token.kind == "name":
        name = str(token.path[-1])
        if name in names:
            return StructureInvalid(_NAME_RULE, path=fhirpath(raw, token.path))
        names.add(name)
    return None


def _is_in_bounds(text: bytes) -> bool:
    try:
        NUMBERS.create_decimal(text.decode())
    except DecimalException as error:
        return isinstance(error, InvalidOperation) and not _NUMBER.fullmatch(text)
    return True


def _is_decodable(token: bytes) -> bool:
    try:
        msgspec.json.decode(token)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True


def undecodable(raw: bytes, limits: Limits, error: Exception) -> BadInput:
    """Why the decoder stopped at ``raw`` with ``error``."""
    if fault := first_fault(raw, limits):
        return fault
    if isinstance(error, RecursionError):
        return TooLong(_DEPTH_RULE.format(limits.depth))
    if isinstance(error, DecimalException | msgspec.ValidationError):
        return TooLong(_NUMBER_RULE)
    return _not_json(raw, error)


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
    for token in tokens(raw[:byte] if byte < SOUGHT else b""):
        path = token.path
    return StructureInvalid(
        f"The text is {what} at line {line}, column {column}.",
        path=fhirpath(raw, path) if path else None,
    )


def _first_bad_byte(raw: bytes) -> int:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(raw)
