"""The part of FHIRPath that search parameters and patches are written in: text to tree.

    union, path, ``as``, ``is``, functions, indexer, ``=``, ``!=``, ``and``, ``or``, literals,
    ``%resource``

What a tree means is decided elsewhere (``kintung.fhir.search.lower``, ``places``); here nothing
is known of FHIR types. Source: http://hl7.org/fhirpath/N1/#grammar (precedence: path, ``is as``,
``|``, ``= !=``, ``and``, ``or``).
"""

import re
from dataclasses import dataclass

from kintung.errors import BadInput, TooLong


@dataclass(frozen=True, slots=True)
class Name:
    """An element, a type, or (first in an expression) the root resource type."""

    name: str


@dataclass(frozen=True, slots=True)
class Variable:
    """``%name``."""

    name: str


@dataclass(frozen=True, slots=True)
class This:
    """The context, where a function is called on nothing."""


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | int | bool


@dataclass(frozen=True, slots=True)
class Member:
    """``of.name``."""

    of: "Node"
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """``of.name(arguments)``."""

    of: "Node"
    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Index:
    """``of[at]``."""

    of: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    """``left operator right``: one of ``| as is = != and or``."""

    operator: str
    left: "Node"
    right: "Node"


Node = Name | Variable | This | Literal | Member | Call | Index | Binary

_TOKEN = re.compile(
    r"\s*(?:'(?:[^'\\]|\\.)*'|\d+|%?[A-Za-z_]\w*|!=|[=|.,()\[\]])",
    re.ASCII,
)
_PRECEDENCE = ({"or"}, {"and"}, {"=", "!="}, {"|"}, {"as", "is"})
"""Loosest first."""

MAX_LENGTH = 4_096
"""Characters of one expression."""

MAX_DEPTH = 20
"""Parentheses and arguments open at once."""


def parse(expression: str) -> Node:
    """Parse an expression.

    Raises:
        BadInput: it is not FHIRPath, or uses what is not read here.
        TooLong: over ``MAX_LENGTH`` or ``MAX_DEPTH``.
    """
    if len(expression) > MAX_LENGTH:
        raise TooLong(f"An expression has at most {MAX_LENGTH:,} characters.")
    reader = _Reader(expression)
    node = reader.binary(0)
    reader.finish()
    return node


def branches(node: Node) -> list[Node]:
    """Return the operands of the outermost unions, left to right."""
    if isinstance(node, Binary) and node.operator == "|":
        return [*branches(node.left), *branches(node.right)]
    return [node]


class _Reader:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._at = 0
        self._depth = 0
        self._next = ""
        self._advance()

    def finish(self) -> None:
        if self._next:
            raise self._refusal()

    def _refusal(self) -> BadInput:
        return BadInput(f"cannot read {self._next or 'the end'!r} in the expression {self._expression!r}")

    def _advance(self) -> str:
        """Take the next token; the one after it, or "" at the end, becomes the next."""
        taken = self._next
        rest = self._expression[self._at :].strip()
        found = _TOKEN.match(self._expression, self._at)
        self._next = found.group().strip() if found else rest[:1]
        if rest and found is None:
            raise self._refusal()
        self._at = found.end() if found else len(self._expression)
        return taken

    def _take(self, mark: str) -> bool:
        """Take the next token if it is this mark."""
        if self._next != mark:
            return False
        self._advance()
        return True

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise self._refusal()

    def binary(self, level: int) -> Node:
        if level == len(_PRECEDENCE):
            return self._path()
        self._depth += level == 0
        if self._depth > MAX_DEPTH:
            raise TooLong(f"An expression has at most {MAX_DEPTH} parentheses open at once.")
        node = self.binary(level + 1)
        while self._next in _PRECEDENCE[level]:
            operator = self._advance()
            node = Binary(operator, node, self.binary(level + 1))
        self._depth -= level == 0
        return node

    def _path(self) -> Node:
        node = self._term()
        while True:
            if self._take("."):
                node = self._invocation(node)
            elif self._take("["):
                if not self._next.isdigit():
                    raise self._refusal()
                node = Index(node, int(self._advance()))
                self._expect("]")
            else:
                return node

    def _term(self) -> Node:
        if self._take("("):
            node = self.binary(0)
            self._expect(")")
            return node
        if self._next.startswith("'"):
            return Literal(re.sub(r"\\(.)", r"\1", self._advance()[1:-1]))
        if self._next.isdigit():
            return Literal(int(self._advance()))
        if self._next in ("true", "false"):
            return Literal(self._advance() == "true")
        if self._next.startswith("%"):
            return Variable(self._advance()[1:])
        return self._invocation(This())

    def _invocation(self, of: Node) -> Node:
        if not self._next.isidentifier():
            raise self._refusal()
        name = self._advance()
        if not self._take("("):
            return Name(name) if of == This() else Member(of, name)
        arguments: list[Node] = []
        while not self._take(")"):
            if arguments:
                self._expect(",")
            arguments.append(self.binary(0))
        return Call(of, name, tuple(arguments))
