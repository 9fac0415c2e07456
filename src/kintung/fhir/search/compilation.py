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
from kintung.fhir.search.atoms import IN_BODIES, TABLE, Atom, Field, Leaf, Only, Pair, Part, Table
from kintung.fhir.search.catalogue import Catalogue, Component, Composite, Entry, Joint, TypeCatalogue
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

_PAIRED: frozenset[tuple[Table, Table]] = frozenset(
    (
        ("tokens", "tokens"),
        ("tokens", "quantities"),
        ("references", "tokens"),
        ("quantities", "quantities"),
    )
)
"""What a Pair may hold. Two quantities are two plain numbers: the row has room for one span."""

User = tuple[str, str | None]
"""Who uses a leaf: (parameter code, or ``subject:identifier``; target type of its references).

The component of a composite that stands in no list uses it as ``code$focus$place``.
"""


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
        joined = _Joined(type, numbers)
        found = self._of_type(type)
        for code, definition in found.items():
            if definition["type"] == "composite":
                self._join(typing, definition, uses, joined)
            elif definition["type"] != "special" and code not in _STORED | IN_BODIES:
                self._use(typing, definition, uses)
        atoms: list[Atom] = []
        readers: dict[str, list[tuple[int, str | None]]] = defaultdict(list)
        for table, used in sorted(uses.items()):
            used.split_exclusive()
            for leaves, users in used.groups():
                number = numbers.of(_key(type, table, leaves))
                atoms.append(Atom(number, table, leaves))
                for code, target in users:
                    readers[code].append((number, target))
        entries = {
            code: _entry(found[code], readers[code], readers[f"{code}:identifier"]) for code in sorted(found)
        }
        pairs = tuple(sorted(joined.pairs.values(), key=lambda pair: pair.number))
        return TypeCatalogue(tuple(atoms), entries, joined.composites(readers), pairs)

    def _of_type(self, type: str) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for definition in self._definitions.values():
            if {type, "Resource"} & set(definition["base"]) or self._is_of_domain(type, definition):
                if definition["code"] in found:
                    raise BadInput(f"{type} has two parameters {definition['code']}: leave one out")
                found[definition["code"]] = definition
        return found

    def _is_of_domain(self, type: str, definition: Mapping[str, Any]) -> bool:
        """Is it of all DomainResources, which are those with a narrative?"""
        return "DomainResource" in definition["base"] and "text" in self._elements[type]

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

    def _join(
        self,
        typing: Typing,
        definition: Mapping[str, Any],
        uses: dict[Table, _Uses],
        joined: "_Joined",
    ) -> None:
        """Where the values of a composite may stand together, and what holds them there.

        What stands together in an element that is in no list meets all components when it meets
        each by itself: they are atoms like any other. So is one that is read from the resource.
        """
        code = definition["code"]
        kinds = [self._component(component) for component in definition["component"]]
        foci = [
            focus
            for node in _own(definition, typing.resource)
            for focus in typing.foci(node, Focus((), typing.resource))
        ]
        for focus in foci:
            parts = self._parts(typing, definition, focus)
            in_list = any(isinstance(step, Field) and step.many for step in focus.steps)
            paired: list[int] = []
            joints: list[tuple[tuple[int, ...], str | int]] = []
            for place, (part, is_of_root) in enumerate(parts):
                if in_list and not is_of_root:
                    paired.append(place)
                    continue
                user = f"{code}${len(joined.foci[code])}${place}"
                joints.append(((place,), user))
                before = () if is_of_root else focus.steps
                for leaf in part.leaves:
                    uses[part.table].users[Leaf((*before, *leaf.steps), leaf.conversion)].add((user, None))
            if paired:
                joints.append((tuple(paired), joined.pair(focus, [parts[place][0] for place in paired])))
            joined.foci[code].append(joints)
        joined.components[code] = tuple(kinds)

    def _component(self, component: Mapping[str, Any]) -> Component:
        of = self._definitions[component["definition"]]
        return Component(of["type"], tuple(sorted(of.get("target", ()))))

    def _parts(self, typing: Typing, definition: Mapping[str, Any], focus: Focus) -> list[tuple[Part, bool]]:
        """The parts of a composite in one focus, and whether each is read from the resource."""
        misprints = _MISPRINTS.get(definition["url"], {})
        parts: list[tuple[Part, bool]] = []
        for component in definition["component"]:
            table = TABLE[self._component(component).kind]
            expression: str = component["expression"]
            ends = [
                end
                for node in branches(parse(misprints.get(expression, expression)))
                for end in typing.leaves(node, table, Focus((), focus.type))
            ]
            of_root = {end.root for end, _ in ends}
            if len(of_root) != 1:
                raise BadInput(f"{definition['url']} reads {expression} from two places at once")
            parts.append((Part(table, tuple(leaf for _, leaf in ends)), of_root.pop()))
        return parts


@dataclass(slots=True)
class _Joined:
    """The composites of one type in the making."""

    type: str
    numbers: "_Numbers"
    components: dict[str, tuple[Component, ...]] = field(default_factory=dict[str, tuple[Component, ...]])
    foci: dict[str, list[list[tuple[tuple[int, ...], str | int]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """For each focus its joints: the places of components with their user, or the number of their Pair."""
    pairs: dict[int, Pair] = field(default_factory=dict[int, Pair])

    def pair(self, focus: Focus, parts: Sequence[Part]) -> int:
        """Return the number of the Pair of two parts in the elements of a list."""
        steps = tuple(step for step in focus.steps if isinstance(step, Field))
        match parts:
            case [first, second] if (first.table, second.table) in _PAIRED and len(steps) == len(focus.steps):
                unnumbered = Pair(0, steps, (first, second))
            case _:
                raise BadInput(f"{self.type}: what stands together at {focus} has no place in the index")
        leaves = (*first.leaves, *second.leaves)
        if first.table == "quantities" and any(leaf.conversion != "number" for leaf in leaves):
            raise BadInput(f"{self.type}: {unnumbered} is no pair of plain numbers")
        number = self.numbers.of(f"{self.type} composites {unnumbered}")
        self.pairs[number] = Pair(number, steps, (first, second))
        return number

    def composites(self, readers: Mapping[str, Sequence[tuple[int, str | None]]]) -> dict[str, Composite]:
        """Return the composites, with the atoms that were made for their users."""

        def joint(places: tuple[int, ...], held: str | int) -> Joint:
            atoms = [held] if isinstance(held, int) else [number for number, _ in readers[held]]
            return Joint(places, tuple(sorted(atoms)))

        return {
            code: Composite(
                self.components[code],
                tuple(tuple(joint(*one) for one in joints) for joints in self.foci[code]),
            )
            for code in sorted(self.components)
        }


class _Numbered(msgspec.Struct):
    """All that is read of a previous artefact, whose other parts may have had another form."""

    atoms: tuple[Atom, ...]
    pairs: tuple[Pair, ...] = ()


class _Numbers:
    """Gives atoms their numbers, the old ones again where the atom is the same."""

    def __init__(self, previous: Catalogue | None) -> None:
        self.next = previous.next if previous else 1
        self._known: dict[str, int] = dict(previous.retired) if previous else {}
        self._used: set[str] = set()
        if previous:
            for type, raw in previous.types.items():
                found = msgspec.json.decode(raw, type=_Numbered)
                for atom in found.atoms:
                    self._known[_key(type, atom.table, atom.leaves)] = atom.number
                for pair in found.pairs:
                    self._known[f"{type} composites {pair}"] = pair.number

    def of(self, key: str) -> int:
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
