"""From SearchParameter and StructureDefinition resources to the catalogue.

Runs when the artefact is built (``scripts/build_search_parameters.py``). Atom numbers of the
previous artefact are kept; new atoms get new numbers, retired numbers are not given again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kintung.errors import BadInput
from kintung.fhir.fhirpath.expression import Name, Node, branches, parse
from kintung.fhir.search.atoms import TABLE, Atom, Field, Leaf, Only, Table
from kintung.fhir.search.catalogue import Catalogue, Component, Composite, Entry, TypeCatalogue
from kintung.fhir.search.elements import Elements
from kintung.fhir.search.lower import Focus, Typing

_STORED = frozenset(("_id", "_lastUpdated"))
"""The store holds these beside the resource; they need no rows."""

_ANY = 140
"""A reference parameter that names more target types than this may lead to any."""

_MISPRINTS: Mapping[str, Mapping[str, str]] = {
    "http://hl7.org/fhir/SearchParameter/DocumentReference-relationship": {
        "code": "target",
        "target": "code",
    },
}
"""Composites whose component expressions stand beside the wrong definitions (R4 errata)."""

_IDENTIFIER = Field("identifier")
"""Of a Reference: what a search with ``:identifier`` reads."""

User = tuple[str, str | None]
"""Who uses a leaf: (parameter code, or ``subject:identifier``; target type of its references)."""


@dataclass(slots=True)
class _Uses:
    """The leaves of one type and table, with the parameters that use each."""

    users: dict[Leaf, set[User]] = field(default_factory=lambda: defaultdict(set))

    def split_exclusive(self) -> None:
        """Where one parameter takes all of a list and others the items of one kind, split it.

        ``telecom`` and ``telecom.where(system='email')`` would index each address twice; after
        the split ``telecom`` is the union of the addresses of each kind named and of the rest.
        """
        narrowed: dict[tuple[Leaf, str], list[Leaf]] = defaultdict(list)
        for leaf in self.users:
            if leaf.steps and isinstance(only := leaf.steps[-1], Only) and not only.negate:
                narrowed[Leaf(leaf.steps[:-1], leaf.conversion), only.name].append(leaf)
        for (whole, name), parts in narrowed.items():
            users = self.users.pop(whole, None)
            if users is None:
                continue
            for part in parts:
                self.users[part] |= users
            values = sorted(
                value for part in parts if isinstance(only := part.steps[-1], Only) for value in only.values
            )
            rest = Leaf((*whole.steps, Only(name, tuple(values), negate=True)), whole.conversion)
            self.users[rest] |= users

    def groups(self) -> list[tuple[tuple[Leaf, ...], frozenset[User]]]:
        """Return the leaves that the same parameters use, together, and their users."""
        together: dict[frozenset[User], list[Leaf]] = defaultdict(list)
        for leaf, users in self.users.items():
            together[frozenset(users)].append(leaf)
        groups = [(tuple(sorted(leaves, key=str)), frozenset(users)) for users, leaves in together.items()]
        return sorted(groups, key=lambda group: str(group[0][0]))


class Compiler:
    """Compiles all parameters of all types into one catalogue."""

    def __init__(
        self, definitions: Sequence[Mapping[str, Any]], elements: Elements, types: Iterable[str]
    ) -> None:
        self._definitions = {definition["url"]: definition for definition in definitions}
        self._elements = elements
        self._types = sorted(types)
        self.passed_over: set[tuple[str, str, str]] = set()
        """(resource type, parameter, element type its table cannot hold), of all compiled so far."""

    def catalogue(self, source: str, previous: Catalogue | None) -> Catalogue:
        """Return the catalogue; atoms that ``previous`` has keep their numbers there."""
        numbers = _Numbers(previous)
        types = {type: msgspec.Raw(msgspec.json.encode(self._type(type, numbers))) for type in self._types}
        return Catalogue(source=source, next=numbers.next, types=types, retired=numbers.unused())

    def _type(self, type: str, numbers: "_Numbers") -> TypeCatalogue:
        typing = Typing(self._elements, type)
        uses: dict[Table, _Uses] = defaultdict(_Uses)
        composites: dict[str, Composite] = {}
        found = self._of_type(type)
        for code, definition in found.items():
            if definition["type"] == "composite":
                composites[code] = self._composite(typing, definition)
            elif definition["type"] != "special" and code not in _STORED:
                self._use(typing, definition, uses)
        atoms: list[Atom] = []
        readers: dict[str, list[tuple[int, str | None]]] = defaultdict(list)
        for table, used in sorted(uses.items()):
            used.split_exclusive()
            for leaves, users in used.groups():
                number = numbers.of(type, table, leaves)
                atoms.append(Atom(number, table, leaves))
                for code, target in users:
                    readers[code].append((number, target))
        entries = {
            code: _entry(found[code], readers[code], readers[f"{code}:identifier"]) for code in sorted(found)
        }
        return TypeCatalogue(tuple(atoms), entries, composites)

    def _of_type(self, type: str) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for definition in self._definitions.values():
            if type in definition["base"] or "Resource" in definition["base"]:
                if definition["code"] in found:
                    raise BadInput(f"{type} has two parameters {definition['code']}: leave one out")
                found[definition["code"]] = definition
        return found

    def _use(self, typing: Typing, definition: Mapping[str, Any], uses: dict[Table, _Uses]) -> None:
        code, table, root = definition["code"], TABLE[definition["type"]], Focus((), typing.resource)
        for node in _own(definition, typing.resource):
            for end, leaf in typing.leaves(node, table, root):
                uses[table].users[leaf].add((code, end.target))
                if leaf.conversion == "reference":
                    named = Leaf((*leaf.steps, _IDENTIFIER), "identifier")
                    uses["tokens"].users[named].add((f"{code}:identifier", None))
            for type in typing.passed_over(node, table, root):
                self.passed_over.add((typing.resource, code, type))

    def _composite(self, typing: Typing, definition: Mapping[str, Any]) -> Composite:
        root = Focus((), typing.resource)
        foci = [focus for node in _own(definition, typing.resource) for focus in typing.foci(node, root)]
        misprints = _MISPRINTS.get(definition["url"], {})
        components: list[Component] = []
        for component in definition["component"]:
            kind = self._definitions[component["definition"]]["type"]
            expression: str = component["expression"]
            # The foci of a composite are of types with the same components.
            context = Focus((), foci[0].type)
            ends = [
                end
                for node in branches(parse(misprints.get(expression, expression)))
                for end in typing.leaves(node, TABLE[kind], context)
            ]
            components.append(
                Component(
                    kind,
                    TABLE[kind],
                    tuple(leaf for end, leaf in ends if not end.root),
                    tuple(leaf for end, leaf in ends if end.root),
                )
            )
        return Composite(tuple(focus.steps for focus in foci), tuple(components))


class _Numbered(msgspec.Struct):
    """All that is read of a previous artefact, whose other parts may have had another form."""

    atoms: tuple[Atom, ...]


class _Numbers:
    """Gives atoms their numbers, the old ones again where the atom is the same."""

    def __init__(self, previous: Catalogue | None) -> None:
        self.next = previous.next if previous else 1
        self._known: dict[str, int] = dict(previous.retired) if previous else {}
        self._used: set[str] = set()
        if previous:
            for type, raw in previous.types.items():
                for atom in msgspec.json.decode(raw, type=_Numbered).atoms:
                    self._known[_key(type, atom.table, atom.leaves)] = atom.number

    def of(self, type: str, table: Table, leaves: tuple[Leaf, ...]) -> int:
        key = _key(type, table, leaves)
        if key not in self._known:
            self._known[key] = self.next
            self.next += 1
        self._used.add(key)
        return self._known[key]

    def unused(self) -> dict[str, int]:
        return {key: number for key, number in sorted(self._known.items()) if key not in self._used}


def _key(type: str, table: Table, leaves: tuple[Leaf, ...]) -> str:
    return f"{type} {table} " + " | ".join(map(str, leaves))


def _own(definition: Mapping[str, Any], type: str) -> list[Node]:
    """Return the branches of an expression that speak of this type."""
    all_branches = branches(parse(definition["expression"]))
    own = [node for node in all_branches if _root(node) in (type, "Resource") or len(definition["base"]) == 1]
    if not own:
        raise BadInput(f"{definition['url']} says nothing of {type}")
    return own


def _root(node: Node) -> str | None:
    while not isinstance(node, Name):
        inner = getattr(node, "of", None) or getattr(node, "left", None)
        if inner is None:
            return None
        node = inner
    return node.name


def _entry(
    definition: Mapping[str, Any],
    readers: list[tuple[int, str | None]],
    identifiers: list[tuple[int, str | None]],
) -> Entry:
    targets = definition.get("target", ())
    return Entry(
        url=definition["url"],
        kind=definition["type"],
        branches=tuple(sorted(readers, key=lambda reader: (reader[0], reader[1] or ""))),
        targets=() if len(targets) > _ANY else tuple(sorted(targets)),
        identifiers=tuple(sorted(atom for atom, _ in identifiers)),
    )
