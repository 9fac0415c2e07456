"""Words searched for in a text: ``(bone OR liver) and metastases``.

A word is found where a word of the text begins with it, folded; several words must all be
there, in any order, and what stands in quotation marks must stand together. Scripts written
without spaces have no words: there the letters must follow each other.

Source: http://hl7.org/fhir/R4/search.html#content and ``docs/explanation/spec-readings.md``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from unicodedata import category, normalize

from kintung.errors import TooLong, ValueInvalid
from kintung.fhir.search.text import HAN, fold

MOST_NESTED = 10
"""Parentheses within each other."""

_UNSPACED = re.compile(
    rf"[{HAN}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff]"
)
"""Chinese, Thai, Lao, Burmese, Khmer, Japanese."""
_KNOWN = 50_000
"""Characters whose folded form is remembered."""


class _Letters(dict[int, str]):
    """What each character is in a text made ready: folded, or a space where it parts words.

    Character by character is ten times as fast as ``fold`` where a text is not ASCII.
    """

    def __missing__(self, code: int) -> str:
        is_accent = 0x300 <= code < 0x370
        found = "" if is_accent else "".join(map(_lettered, fold(chr(code)) or " "))
        if len(self) < _KNOWN:
            self[code] = found
        return found


def _lettered(sign: str) -> str:
    """The sign itself where words are made of it: letters, digits, and marks on them."""
    return sign if sign.isalnum() or sign == "\0" or category(sign).startswith("M") else " "


_LETTERS = _Letters()
_PIECE = re.compile(r'"[^"]*"|[()]|[^\s()"]+|"')


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow each other, as ``Prose`` has them."""

    words: str
    spaced: bool = True


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of them are said."""

    parts: tuple["Said", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of them is said."""

    parts: tuple["Said", ...]


Said = Phrase | AllOf | AnyOf


class Prose:
    """Texts made ready to look for words in; words of two texts never follow each other."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._spaced = " " + _words(" \0 ".join(texts))

    @cached_property
    def _unspaced(self) -> str:
        return self._spaced.replace(" ", "")

    def says(self, said: Said) -> bool:
        """Is it there?"""
        match said:
            case Phrase(words, spaced):
                return f" {words}" in self._spaced if spaced else words in self._unspaced
            case AllOf(parts):
                return all(self.says(part) for part in parts)
            case AnyOf(parts):
                return any(self.says(part) for part in parts)


def phrase(text: str) -> Phrase:
    """Read a text that must stand as it is.

    Raises:
        ValueInvalid: nothing of it can be compared.
    """
    words = _words(text)
    if not words:
        raise ValueInvalid("the text holds no word")
    spaced = _UNSPACED.search(words) is None
    return Phrase(words if spaced else words.replace(" ", ""), spaced)


def said(text: str) -> Said:
    """Read words, ``OR`` and ``AND`` in any case, quotation marks and parentheses; AND binds closer.

    Raises:
        ValueInvalid: it cannot be read, or has no word.
        TooLong: parentheses within each other are more than ``MOST_NESTED``.
    """
    pieces = [piece for piece in _PIECE.findall(text) if _is_operator(piece) or piece == '"' or _words(piece)]
    if not any(map(_words, pieces)):
        raise ValueInvalid("the text holds no word")
    return _Reader(pieces).whole()


def phrases_of(found: Said) -> int:
    """How many phrases are looked for."""
    return 1 if isinstance(found, Phrase) else sum(map(phrases_of, found.parts))


def _words(text: str) -> str:
    return " ".join(normalize("NFC", text.translate(_LETTERS)).split())


def _is_operator(piece: str) -> bool:
    return piece in ("(", ")") or piece.upper() in ("AND", "OR")


class _Reader:
    """Reads the pieces of an expression from left to right."""

    def __init__(self, pieces: list[str]) -> None:
        self._pieces = pieces
        self._at = 0
        self._depth = 0

    def whole(self) -> Said:
        found = self._either()
        if self._next() is not None:
            raise ValueInvalid("a parenthesis is closed that was not opened")
        return found

    def _next(self) -> str | None:
        return self._pieces[self._at] if self._at < len(self._pieces) else None

    def _either(self) -> Said:
        parts = [self._together()]
        while (piece := self._next()) is not None and piece.upper() == "OR":
            self._at += 1
            parts.append(self._together())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _together(self) -> Said:
        parts = [self._one()]
        while (piece := self._next()) is not None and piece != ")" and piece.upper() != "OR":
            if piece.upper() == "AND":
                self._at += 1
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _one(self) -> Said:
        piece = self._next()
        self._at += 1
        if piece == "(":
            return self._nested()
        if piece == '"':
            raise ValueInvalid("a quotation mark is not closed")
        if piece is None or _is_operator(piece):
            raise ValueInvalid("a word is missing; AND and OR stand between words, or in quotation marks")
        return phrase(piece)

    def _nested(self) -> Said:
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise TooLong(f"at most {MOST_NESTED} parentheses within each other")
        found = self._either()
        if self._next() != ")":
            raise ValueInvalid("a parenthesis is not closed")
        self._at += 1
        self._depth -= 1
        return found
