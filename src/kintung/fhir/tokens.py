"""A walk over the tokens of JSON text, with the path to each.

Slow beside the decoder (about 7 MB/s): meant for finding where a fault is, and for
changing single tokens of a text.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from kintung.fhir.limits import LIMITS

SOUGHT = 8 * 1024 * 1024
"""Bytes from the start in which the place of a fault is sought: a second and a half."""

STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_TOKEN = re.compile(
    rb"""[ \t\n\r]*+(?:
        (?P<string>%s)
      | (?P<number>-?[0-9][0-9.eE+-]*+)
      | (?P<open>[{\[])
      | (?P<close>[}\]])
      | (?P<comma>,)
      | (?P<other>:|true|false|null)
    )"""
    % STRING.pattern,
    re.VERBOSE | re.DOTALL,
)
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


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
            path[-1] = string_of(text[start:position])
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


def string_of(token: bytes) -> str:
    """The value of a string token; with a replacement character where it is none."""
    try:
        return msgspec.json.decode(token, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return token[1:-1].decode("utf-8", "replace")


def _step(name: str) -> str:
    """The FHIRPath step to a member; a name that is no identifier is not repeated."""
    return f".{name}" if _PLAIN_NAME.fullmatch(name) else ".`?`"


def fhirpath(raw: bytes, path: list[str | int]) -> str:
    """``path`` as FHIRPath from the type that ``raw`` names at its top.

    Where an object ends before a member of it is named, it leads to the object.
    """
    path = path[:-1] if path[-1:] == [""] else path
    steps = [f"[{step}]" if isinstance(step, int) else _step(step) for step in path]
    return _type_named(raw) + "".join(steps)


def _type_named(raw: bytes) -> str:
    for token in tokens(raw[:SOUGHT]):
        if len(token.path) > LIMITS.depth:
            break
        if token.kind == "string" and token.path == ["resourceType"]:
            name = string_of(raw[token.start : token.end])
            return name if _PLAIN_NAME.fullmatch(name) else "Resource"
    return "Resource"
