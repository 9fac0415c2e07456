"""What the name of a search parameter asks, before its value is read: of which types, by which links.

``subject.name`` asks each type a subject may be of that has a ``name``; ``_has`` asks back.
Source: http://hl7.org/fhir/R4/search.html, sections 3.1.1.3 and 3.1.1.5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kintung.errors import BadInput, NotSupported
from kintung.fhir.search import name_grammar
from kintung.fhir.search.catalogue import resource_types
from kintung.fhir.search.parameters import Parameter, nearest, parameters, shown, together

_PAIR = 2
"""What an alternative of a composite costs where it is asked of one row."""
_APART = 20
"""The same for each component that is asked by itself: a hundred such alternatives take a second."""


_NOT_OFFERED: Mapping[str, str] = {
    "_containedType": "resources inside others are not searched for; leave it out",
    "_filter": "filter expressions are not offered here; ask by parameters, chains and _has",
    "_query": "named queries are not offered here",
    "_score": "matches have no score here; sort by a parameter",
}
"""Names that R4 gives parameters of every search, or keys of ``_sort``, and what is said of them here."""


@dataclass(frozen=True, slots=True)
class AskedLeaf:
    """A parameter with its modifier, of the resource itself."""

    parameter: Parameter
    modifier: str

    @property
    def leaves(self) -> int:
        """A composite is compared in each place its values may stand together."""
        return sum(_PAIR if len(focus) == 1 else _APART * len(focus) for focus in self.parameter.foci) or 1

    @property
    def is_in_bodies(self) -> bool:
        """Does only the text of a resource answer it?"""
        parameter = self.parameter
        is_text = self.modifier == "text" and parameter.kind == "token" and parameter.stored is None
        return is_text or parameter.answered == "bodies"


@dataclass(frozen=True, slots=True)
class AskedForward:
    """A reference, and what is asked of each type it may lead to."""

    parameter: Parameter
    inner: tuple[tuple[str, "Asked"], ...]

    @property
    def leaves(self) -> int:
        return sum(asked.leaves for _, asked in self.inner)


@dataclass(frozen=True, slots=True)
class AskedReverse:
    """A reference of another type that leads here, and what is asked of what has it."""

    type: str
    parameter: Parameter
    inner: "Asked"

    @property
    def leaves(self) -> int:
        return self.inner.leaves


Asked = AskedLeaf | AskedForward | AskedReverse
"""What a name asks before its values are read; ``leaves`` are the parameters compared with them."""


@dataclass(frozen=True, slots=True)
class Names:
    """The reading of names in a search of some types, () for all; ``links`` are those of one chain."""

    types: tuple[str, ...]
    links: int

    def asked(self, name: str) -> "Asked":
        """What the name of a parameter leads to, in the types searched.

        Raises:
            NotSupported: a parameter is unknown here.
            TooLong: there are more links than ``links``.
            BadInput: it cannot be read.
        """
        if name == "_list":
            return AskedReverse("List", parameters("List")["item"], AskedLeaf(parameters("List")["_id"], ""))
        path = name_grammar.path(name, self.links)
        if not path.links:
            return AskedLeaf(self.parameter(path.code), path.modifier)
        first, *rest = path.links
        if isinstance(first, name_grammar.Reverse):
            return self._reverse(first, path._replace(links=tuple(rest)), self.types)
        return self._forward(self.parameter(first.code), path)

    def parameter(self, code: str) -> Parameter:
        """Return a parameter that all types searched have; path is left to the caller."""
        if code in _NOT_OFFERED:
            raise NotSupported(_NOT_OFFERED[code])
        if not self.types and code not in common():
            raise NotSupported(f"{shown(code)} is not a parameter of every type; narrow the search by _type")
        try:
            found = together(self.types or every_type(), code)
        except NotSupported as refusal:
            raise NotSupported(str(refusal)) from refusal
        if not found.searchable:
            raise NotSupported(f"{found.kind} parameters are not offered yet")
        return found

    def sort_key(self, code: str) -> Parameter:
        """A parameter to sort by; raises NotSupported."""
        found = self.parameter(code)
        if found.kind == "composite":
            raise NotSupported(f"{shown(code)} is a composite, which has no order; sort by a component")
        if found.answered == "bodies":
            raise NotSupported(f"{code} is read in each text, which gives no order")
        return found

    def _forward(self, parameter: Parameter, path: name_grammar.Path) -> "Asked":
        """The first link of a path is to be followed from a reference."""
        first = path.links[0]
        if parameter.kind != "reference":
            raise NotSupported(f"{parameter.code} is a {parameter.kind}; only a reference can be chained")
        assert isinstance(first, name_grammar.Forward)
        targets = (target_of(parameter, first.type),) if first.type else parameter.targets
        rest = path._replace(links=path.links[1:])
        found: list[tuple[str, Asked]] = []
        refusals: list[NotSupported] = []
        for type in targets or every_type():
            try:
                asked = self._within(type, rest)
            except NotSupported as refusal:
                refusals.append(refusal)
            else:
                found += [(type, asked)] if asked is not None else []
        if not found and refusals:
            raise refusals[0]
        if not found:
            where = ", ".join(targets[:5]) or "any type"
            what = shown(rest.next_code)
            raise NotSupported(f"{what} is not a parameter of what {parameter.code} leads to ({where})")
        return AskedForward(parameter, tuple(found))

    def _reverse(self, link: name_grammar.Reverse, path: name_grammar.Path, types: Sequence[str]) -> "Asked":
        """What a resource of one of the types is referred to by."""
        parameter = parameters(known_type(link.type, None)).get(link.code)
        if parameter is None or parameter.kind != "reference":
            raise NotSupported(f"{link.type} has no reference parameter {shown(link.code)}")
        if parameter.targets and types and not set(types) & set(parameter.targets):
            raise NotSupported(f"{link.code} of {link.type} does not lead to {', '.join(types)}")
        inner = self._within(link.type, path)
        if inner is None:
            raise NotSupported(f"{link.type} has no search parameter {shown(path.next_code)}")
        return AskedReverse(link.type, parameter, inner)

    def _within(self, type: str, path: name_grammar.Path) -> "Asked | None":
        """What the rest of a path asks of a resource of this type; None when it has no such parameter."""
        first = path.links[0] if path.links else None
        if isinstance(first, name_grammar.Reverse):
            return self._reverse(first, path._replace(links=path.links[1:]), (type,))
        parameter = parameters(type).get(path.next_code)
        if parameter is None or not parameter.searchable:
            return None
        return AskedLeaf(parameter, path.modifier) if first is None else self._forward(parameter, path)


def known_type(type: str, path: str | None) -> str:
    """A resource type; raises BadInput."""
    if type not in resource_types():
        hint = nearest(type, resource_types())
        raise BadInput(f"{shown(type)} is not a resource type of FHIR R4{hint}", path=path)
    return type


def target_of(parameter: Parameter, type: str) -> str:
    """A type that a reference may be asked to lead to; raises NotSupported."""
    if type not in (parameter.targets or resource_types()):
        raise NotSupported(f"{shown(type)} is not offered as a modifier of {parameter.code}")
    return type


@lru_cache(maxsize=1)
def every_type() -> tuple[str, ...]:
    """All resource types, by name."""
    return tuple(sorted(resource_types()))


@lru_cache(maxsize=1)
def common() -> frozenset[str]:
    """The codes of the parameters that every type has."""
    first, *others = (frozenset(parameters(type)) for type in every_type())
    return first.intersection(*others)
