"""Python source of the extractor of one resource type.

The leaves of all atoms form a tree of JSON members, so that what several parameters share is
walked once: ``Observation.component`` is one loop for its codes, values and reasons. The
source is made from the packaged artefact alone, and compiled when a type is first met.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from kintung.fhir.search.atoms import (
    Atom,
    Conversion,
    Either,
    Field,
    Having,
    Leaf,
    Only,
    Pair,
    Part,
    Step,
    Table,
)

_BY_FUNCTION = {
    "reference": "reference",
    "canonical": "canonical_token",
    "address": "address",
    "entry": "entry",
    "whole name": "whole_name",
    "period": "period",
    "timing": "timing",
    "quantity": "quantity",
    "money": "money",
    "range": "range_",
    "samples": "samples",
    "number": "number",
}
_ZONED = frozenset(("period", "timing"))
_PRIMITIVE = frozenset(("code", "boolean", "canonical", "address", "date", "text", "number"))
"""A list of these may hold nulls, where only an extension was given."""


@dataclass(slots=True)
class _Branch:
    """What is done with the value a path leads to."""

    leaves: list["_End"] = field(default_factory=list["_End"])
    pairs: list[Pair] = field(default_factory=list[Pair])
    onward: dict[Step, "_Branch"] = field(default_factory=dict[Step, "_Branch"])

    def at(self, steps: Iterable[Step]) -> "_Branch":
        """The branch at the end of a path, made where there is none."""
        branch = self
        for step in steps:
            branch = branch.onward.setdefault(step, _Branch())
        return branch

    def add(self, atom: int, table: Table, leaf: Leaf, rows: str = "") -> None:
        """``rows`` is the list the rows of the leaf go to, if not the one of its table."""
        self.at(leaf.steps).leaves.append(_End(atom, table, leaf.conversion, rows or table))

    def primitive(self) -> bool:
        return any(leaf.conversion in _PRIMITIVE for leaf in self.leaves)


class _End(NamedTuple):
    """What becomes of a value, and the list its rows go to."""

    atom: int
    table: Table
    conversion: Conversion
    rows: str


def source(name: str, atoms: Iterable[Atom], pairs: Iterable[Pair] = ()) -> str:
    """Return the source of ``name(resource, offset_minutes)``, which gives six lists of rows."""
    root = _Branch()
    for atom in atoms:
        for leaf in atom.leaves:
            root.add(atom.number, atom.table, leaf)
    for pair in pairs:
        root.at(pair.focus).pairs.append(pair)
    return "\n".join(
        (
            f"def {name}(v0, offset_minutes):",
            "    tokens = []; references = []; dates = []; strings = []; quantities = []; composites = []",
            *_lines(root, 0, 1),
            "    return tokens, references, dates, strings, quantities, composites",
            "",
        )
    )


def _lines(branch: _Branch, value: int, depth: int) -> list[str]:
    """Return the statements for ``v<value>``, which is not None, at an indentation."""
    lines = [line for leaf in branch.leaves for line in _conversion(leaf, value)]
    lines += [line for pair in branch.pairs for line in _pair(pair, value)]
    for step, onward in branch.onward.items():
        lines += _step(step, onward, value)
    return ["    " * depth + line for line in lines]


def _step(step: Step, onward: _Branch, value: int) -> list[str]:
    here, there = f"v{value}", f"v{value + 1}"
    match step:
        case Field(name, many=True, first=first):
            items = f"{here}.get({name!r}, ()){'[:1]' if first else ''}"
            guard = [f"    if {there} is None: continue"] if onward.primitive() else []
            return [f"for {there} in {items}:", *guard, *_lines(onward, value + 1, 1)]
        case Field(name):
            return [
                f"{there} = {here}.get({name!r})",
                f"if {there} is not None:",
                *_lines(onward, value + 1, 1),
            ]
        case Only(name, values, negate):
            operator = "not in" if negate else "in"
            return [f"if {here}.get({name!r}) {operator} {values!r}:", *_lines(onward, value, 1)]
        case Having(url):
            found = f"any(e.get('url') == {url!r} for e in {here}.get('extension', ()))"
            return [f"if {found}:", *_lines(onward, value, 1)]
        case Either(names):
            members = ", ".join(f"{here}.get({name!r})" for name in names)
            return [
                f"{there} = any(e is not None and e is not False for e in ({members},))",
                *_lines(onward, value + 1, 0),
            ]


def _pair(pair: Pair, value: int) -> list[str]:
    """Rows of two values in ``v<value>``; the first is looked for where there is the second."""
    first, second = (f"p{value}{letter}" for letter in "ab")
    named = "Target(*a[1:])" if pair.parts[0].table == "references" else "a[1:]"
    return [
        *_part(pair.parts[1], second, value),
        f"if {second}:",
        *("    " + line for line in _part(pair.parts[0], first, value)),
        f"    composites.extend(({pair.number}, {named}, b[1:]) for a in {first} for b in {second})",
    ]


def _part(part: Part, rows: str, value: int) -> list[str]:
    """Statements that make a list of the rows of one value, of atom 0."""
    branch = _Branch()
    for leaf in part.leaves:
        branch.add(0, part.table, leaf, rows)
    return [f"{rows} = []", *_lines(branch, value, 0)]


def _conversion(end: _End, value: int) -> list[str]:  # noqa: PLR0911 - a table of forms
    atom, table, conversion, rows = end
    here = f"v{value}"
    match conversion:
        case "code":
            return [f"{rows}.append(({atom}, None, bounded({here})))"]
        case "boolean" | "truth":
            return [f"{rows}.append(({atom}, None, 'true' if {here} else 'false'))"]
        case "coding":
            return _token(end, here, "code")
        case "identifier":
            typed = (
                f"if c is not None and 'type' in {here}: of_type(composites, {atom}, {here}['type'], s, c)"
            )
            return [*_token(end, here, "value"), typed]
        case "contact":
            return _token(end, here, "value")
        case "date":
            return [f"{rows}.append(({atom}, *span({here}, offset_minutes)))"]
        case "text":
            return [f"{rows}.append(({atom}, folded({here}), bounded({here})))"]
        case "canonical" if table == "references":
            return [f"canonical_reference({rows}, {atom}, {here})"]
        case _:
            zone = ", offset_minutes" if conversion in _ZONED else ""
            return [f"{_BY_FUNCTION[conversion]}({rows}, {atom}, {here}{zone})"]


def _token(end: _End, here: str, member: str) -> list[str]:
    return [
        f"s = {here}.get('system'); c = {here}.get({member!r})",
        f"if c is not None or s is not None: {end.rows}.append(({end.atom}, bounded(s), bounded(c)))",
    ]
