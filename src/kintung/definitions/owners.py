"""Whose data a resource is.

Every R4 resource type has one rule, in ``ownership/*.yaml``; a type without one does not
load. Why ownership is not the Patient compartment, and what each kind means, is told in
``docs/explanation/ownership.md``.

What counts as naming an owner is a literal reference to a resource of this node
(``Patient/1``, ``Patient/1/_history/2``). Absolute URLs, ``urn:``, canonicals and logical
references (``identifier`` alone) name nobody here: http://hl7.org/fhir/R4/references.html.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias, cast

import msgspec

from kintung.definitions.reader import PACKAGE, read
from kintung.errors import ValueInvalid
from kintung.fhir.references import relative

RuleKind: TypeAlias = Literal["person", "several", "derived", "organisation", "public"]
Resource: TypeAlias = dict[str, Any]


class Owners(NamedTuple):
    """Whose a resource is.

    ``persons`` are ids of Patients of this node ("1" of ``Patient/1``), each once, in the
    order they are named. ``kind`` is

    - ``person``: exactly one person;
    - ``several``: two or more, and only who may see all of them may see it;
    - ``derived``: also of whoever owns ``sources`` (``Observation/5``), which only the
      store can say; ``persons`` holds those known without it, often none;
    - ``organisation``: nobody is named; it is the depositing organisation's alone;
    - ``public``: directory and conformance data, nobody's.
    """

    kind: RuleKind
    persons: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Rule(NamedTuple):
    """The rule of one resource type.

    ``elements`` are paths below the type, names joined by dots. Kind ``person`` takes the
    first that leads to an owner; ``several`` and ``derived`` take all of them together.
    References to the types in ``ignores`` lead to nobody.
    """

    type: str
    kind: RuleKind
    elements: tuple[str, ...]
    ignores: tuple[str, ...]
    reason: str


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the R4 StructureDefinition of a type says that bears on ownership.

    ``security`` is its security category, None for two types; ``subject`` are its elements
    mapped to ``FiveWs.subject``.
    """

    security: str | None
    subject: tuple[str, ...]


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    types: tuple[str, ...]
    reason: str
    elements: tuple[str, ...] = ()
    ignores: tuple[str, ...] = ()


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of ``ownership/``: the rules of one kind, in groups that share elements and reason."""

    kind: RuleKind
    rules: tuple[_Group, ...]


_Owned: TypeAlias = Callable[[Resource, str], Owners]

_PUBLIC = Owners("public")
_ORGANISATION = Owners("organisation")
_NAMES_OWNERS = ("person", "several", "derived")


def load_rules(rule_files: Iterable[RuleFile], types: Mapping[str, Evidence]) -> dict[str, Rule]:
    """Check the rules against the resource types of R4 and give them by type.

    Raises:
        ValueInvalid: a type has no rule, or two; a rule names no R4 type, has no reason, or
            has elements where its kind allows none; a ``public`` rule is given to a type
            whose security category is ``patient``.
    """
    rules: dict[str, Rule] = {}
    for file in rule_files:
        for group in file.rules:
            if bool(group.elements) != (file.kind in _NAMES_OWNERS) or not group.reason.strip():
                raise ValueInvalid(
                    f"the {file.kind} rule of {', '.join(group.types)} lacks elements or a reason"
                )
            for type in group.types:
                if type in rules:
                    raise ValueInvalid(f"{type} has two ownership rules")
                rules[type] = Rule(type, file.kind, group.elements, group.ignores, group.reason.strip())
    if missing := sorted(types.keys() - rules.keys()):
        raise ValueInvalid(f"no ownership rule for {', '.join(missing)}")
    if unknown := sorted(rules.keys() - types.keys()):
        raise ValueInvalid(f"ownership rules for what is no R4 resource type: {', '.join(unknown)}")
    for rule in rules.values():
        if rule.kind == "public" and types[rule.type].security == "patient":
            raise ValueInvalid(f"{rule.type} is of security category patient and cannot be public")
    return rules


def owners(resource: Resource, id: str = "") -> Owners:
    """Say whose ``resource`` is.

    Args:
        resource: structurally valid, references of its Bundle resolved.
        id: the id it is, or will be, stored under; a Patient is its own owner.

    Raises:
        ValueInvalid: its type is none of R4.
    """
    try:
        owned = _OWNED[resource["resourceType"]]
    except KeyError:
        raise ValueInvalid(
            "There is no ownership rule for this resource type.", path="resourceType"
        ) from None
    return owned(resource, id)


def ownership_rule(type: str) -> Rule:
    """Return the rule of an R4 resource type; raises KeyError for any other name."""
    return _RULES[type]


def ownership_rules() -> tuple[Rule, ...]:
    """Return all rules, by type."""
    return tuple(_RULES[type] for type in sorted(_RULES))


def r4_evidence() -> dict[str, Evidence]:
    """Return what the R4 definitions say of each of the 146 concrete resource types."""
    return msgspec.json.decode((PACKAGE / "ownership/r4.json").read_bytes(), type=dict[str, Evidence])


class _Names:
    """Collects the owners that references name, each once, in order."""

    __slots__ = ("_container", "_leads", "persons", "sources")

    def __init__(self, leads: frozenset[str], container: Resource) -> None:
        self.persons: dict[str, None] = {}
        self.sources: dict[str, None] = {}
        self._leads = leads
        self._container = container

    def add(self, reference: Resource) -> None:
        literal = reference.get("reference")
        if not isinstance(literal, str):
            return
        if literal.startswith("#"):
            self._add_contained(literal[1:])
        elif found := relative(literal):
            type, id = found
            if type == "Patient":
                self.persons[id] = None
            elif type in self._leads:
                self.sources[f"{type}/{id}"] = None

    def _add_contained(self, id: str) -> None:
        for contained in self._container.get("contained", ()):
            if contained.get("id") != id or contained["resourceType"] not in self._leads:
                continue
            found = owners(contained)
            self.persons.update(dict.fromkeys(found.persons))
            self.sources.update(dict.fromkeys(found.sources))

    def owners(self) -> Owners:
        persons = tuple(self.persons)
        if self.sources:
            return Owners("derived", persons, tuple(self.sources))
        if not persons:
            return _ORGANISATION
        return Owners("person" if len(persons) == 1 else "several", persons)


def _compile(rule: Rule, leads: frozenset[str]) -> _Owned:
    """Make the function that applies ``rule``; ``leads`` are the types whose owners can be asked for."""
    if rule.kind == "public":
        return lambda _resource, _id: _PUBLIC
    if rule.kind == "organisation":
        return lambda _resource, _id: _ORGANISATION
    if rule.type == "Patient":
        return _itself
    if rule.type == "Bundle":
        return _document
    leads = leads.difference(rule.ignores)
    if rule.kind == "person":
        in_turn = _in_turn(rule.elements, leads)
        simple = len(rule.elements) == 1 and "." not in rule.elements[0]
        return _one(rule.elements[0], in_turn) if simple else in_turn
    return _together(rule.elements, leads)


def _one(element: str, general: _Owned) -> _Owned:
    def one(resource: Resource, id: str) -> Owners:
        # Nearly every clinical resource: one element that says ``Patient/...``. 0.5 µs.
        try:
            found = relative(resource[element]["reference"])
        except (KeyError, TypeError):
            return general(resource, id)
        if found is None or found.type != "Patient":
            return general(resource, id)
        return Owners("person", (found.id,))

    return one


def _in_turn(elements: tuple[str, ...], leads: frozenset[str]) -> _Owned:
    paths = [element.split(".") for element in elements]

    def in_turn(resource: Resource, _id: str) -> Owners:
        for path in paths:
            names = _Names(leads, resource)
            for reference in _references(resource, path):
                names.add(reference)
            if names.persons or names.sources:
                return names.owners()
        return _ORGANISATION

    return in_turn


def _together(elements: tuple[str, ...], leads: frozenset[str]) -> _Owned:
    paths = [element.split(".") for element in elements]

    def together(resource: Resource, _id: str) -> Owners:
        names = _Names(leads, resource)
        for path in paths:
            for reference in _references(resource, path):
                names.add(reference)
        return names.owners()

    return together


def _itself(resource: Resource, id: str) -> Owners:
    # A contained Patient has no id in the store: it is asked without one and owns nothing.
    own = id or resource.get("id", "")
    return Owners("person", (own,)) if own else _ORGANISATION


def _document(bundle: Resource, _id: str) -> Owners:
    """A document is its subject's; any other Bundle is nobody's.

    When the Composition has a RESTful ``fullUrl``, a relative ``subject`` is relative to
    that server and not to this one (R4 Bundle, "Resolving references in Bundles"), so
    it names nobody here.
    """
    entries = bundle.get("entry")
    if bundle.get("type") != "document" or not entries:
        return _ORGANISATION
    composition = entries[0].get("resource", {})
    elsewhere = entries[0].get("fullUrl", "").startswith(("http://", "https://"))
    if composition.get("resourceType") != "Composition" or elsewhere:
        return _ORGANISATION
    return owners(composition)


def _references(resource: Resource, path: list[str]) -> list[Resource]:
    """The objects at ``path``, through arrays wherever there are any."""
    nodes = [resource]
    for name in path:
        below: list[Resource] = []
        for node in nodes:
            value = node.get(name)
            if isinstance(value, list):
                below += cast(list[Resource], value)
            elif value is not None:
                below.append(value)
        nodes = below
    return nodes


_RULES = load_rules(read("ownership", RuleFile).values(), r4_evidence())
_LEADS = frozenset(rule.type for rule in _RULES.values() if rule.kind in _NAMES_OWNERS) - {"Patient"}
_OWNED = {type: _compile(rule, _LEADS) for type, rule in _RULES.items()}
