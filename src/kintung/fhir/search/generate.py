"""Python source of the extractor of one resource type.

The leaves of all atoms form a tree of JSON members, so that what several parameters share is
walked once: ``Observation.component`` is one loop for its codes, values and reasons. The
source is made from the packaged artefact alone, and compiled when a type is first met.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kintung.fhir.search.atoms import Atom, Conversion, Either, Field, Having, Leaf, Only, Step, Table

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

    leaves: list[tuple[int, Table, Conversion]] = field(default_factory=list[tuple[int, Table, Conversion]])
    onward: dict[Step, "_Branch"] = field(default_factory=dict[Step, "_Branch"])

    def add(self, atom: int, table: Table, leaf: Leaf) -> None:
        branch = self
        for step in leaf.steps:
            branch = branch.onward.setdefault(step, _Branch())
        branch.leaves.append((atom, table, leaf.conversion))

    def primitive(self) -> bool:
        return any(conversion in _PRIMITIVE for _, _, conversion in self.leaves)


def source(name: str, atoms: Iterable[Atom]) -> str:
    """Return the source of ``name(resource, offset_minutes)``, which gives five lists of rows."""
    root = _Branch()
    for atom in atoms:
        for leaf in atom.leaves:
            root.add(atom.number, atom.table, leaf)
    return "\n".join(
        (
            f"def {name}(v0, offset_minutes):",
            "    tokens = []; references = []; dates = []; strings = []; quantities = []",
            *_lines(root, 0, 1),
            "    return tokens, references, dates, strings, quantities",
            "",
        )
    )


def _lines(branch: _Branch, value: int, depth: int) -> list[str]:
    """Return the statements for ``v<value>``, which is not None, at an indentation."""
    lines = [line for leaf in branch.leaves for line in _conversion(*leaf, value)]
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


def _conversion(  # noqa: PLR0911 - a table of forms
    atom: int, table: Table, conversion: Conversion, value: int
) -> list[str]:
    here = f"v{value}"
    match conversion:
        case "code":
            return [f"tokens.append(({atom}, None, bounded({here})))"]
        case "boolean" | "truth":
            return [f"tokens.append(({atom}, None, 'true' if {here} else 'false'))"]
        case "coding":
            return _pair(atom, here, "code")
        case "identifier" | "contact":
            return _pair(atom, here, "value")
        case "date":
            return [f"dates.append(({atom}, *span({here}, offset_minutes)))"]
        case "text":
            return [f"strings.append(({atom}, folded({here}), bounded({here})))"]
        case "canonical" if table == "references":
            return [f"canonical_reference(references, {atom}, {here})"]
        case _:
            zone = ", offset_minutes" if conversion in _ZONED else ""
            return [f"{_BY_FUNCTION[conversion]}({table}, {atom}, {here}{zone})"]


def _pair(atom: int, here: str, member: str) -> list[str]:
    return [
        f"s = {here}.get('system'); c = {here}.get({member!r})",
        f"if c is not None or s is not None: tokens.append(({atom}, bounded(s), bounded(c)))",
    ]
