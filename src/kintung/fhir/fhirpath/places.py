"""Where in a document the elements stand that an expression leads to.

A patch asks not for values but for places. What it may write is what a path to an element
needs: members, ``[n]``, ``where()``, ``first()``, ``last()``, ``ofType()``, ``as``,
``extension()``, and in criteria ``exists()``, ``empty()``, ``not()``, ``=``, ``!=``,
``and``, ``or``. Source: http://hl7.org/fhirpath/N1/ and http://hl7.org/fhir/R4/fhirpath.html.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from kintung.errors import NotSupported, TooCostly
from kintung.fhir.document import Document, Place, Value, is_same, plain
from kintung.fhir.fhirpath.expression import (
    Binary,
    Call,
    Index,
    Literal,
    Member,
    Name,
    Node,
    This,
    Variable,
    parse,
)
from kintung.fhir.structure.definitions import Member as JsonMember
from kintung.fhir.structure.definitions import definitions, members

MOST_VISITED = 100_000
"""Elements that the expressions of one patch may look at."""


@dataclass(frozen=True, slots=True)
class Spot:
    """An element: where it stands and what it is.

    Attributes:
        place: of its value; an item of an array where the element repeats.
        type: a resource type, data type, primitive, or the path of a backbone element.
        member: the JSON member of the owner that it stands in; "" for the whole.
        owner: the element it is part of; None for the whole.
    """

    place: Place
    type: str
    member: str = ""
    owner: "Spot | None" = None

    @property
    def value(self) -> Value:
        return self.place.value


Item = Spot | str | int | bool
"""An element, or a value that an expression computes."""


@dataclass(slots=True)
class Finder:
    """Evaluates expressions on one document; ``visited`` elements count over all of them."""

    root: Spot
    visited: int = field(default=0, init=False)

    @classmethod
    def of(cls, document: Document, type: str) -> "Finder":
        """A finder for a document that holds a resource of this type."""
        return cls(Spot(document.whole, type))

    def find(self, expression: str) -> list[Spot]:
        """The elements an expression leads to, in their order.

        Raises:
            BadInput: it cannot be read.
            NotSupported: it uses a function that is not offered, or leads to no elements.
            TooCostly: it looks at more than ``MOST_VISITED``.
        """
        found = self._items(parse(expression), [self.root])
        if not all(isinstance(item, Spot) for item in found):
            raise NotSupported("The path of a patch leads to elements, not to values computed from them.")
        return cast(list[Spot], found)

    def _items(  # noqa: PLR0911 - one case a kind of node
        self, node: Node, focus: Sequence[Item]
    ) -> list[Item]:
        match node:
            case This():
                return list(focus)
            case Literal(value):
                return [value]
            case Variable("resource" | "context" | "rootResource"):
                return [self.root]
            case Name(name):
                is_type = [item for item in focus if isinstance(item, Spot) and item.type == name]
                return list(is_type) if is_type else self._children(focus, name)
            case Member(of, name):
                return self._children(self._items(of, focus), name)
            case Index(of, at):
                return self._items(of, focus)[at : at + 1]
            case Binary(operator, left, right):
                return self._binary(operator, left, right, focus)
            case Call(of, name, arguments):
                return self._call(name, arguments, self._items(of, focus))
            case _:
                raise NotSupported(f"%{node.name} is not offered in a path.")

    # -- elements -----------------------------------------------------------------------

    def _children(self, focus: Sequence[Item], name: str) -> list[Item]:
        found: list[Item] = []
        for item in focus:
            if isinstance(item, Spot):
                for child in children(item, name):
                    self._visit()
                    found.append(child)
        return found

    def _visit(self) -> None:
        self.visited += 1
        if self.visited > MOST_VISITED:
            raise TooCostly(f"The paths look at over {MOST_VISITED:,} elements; name them more exactly.")

    # -- operators and functions --------------------------------------------------------

    def _binary(self, operator: str, left: Node, right: Node, focus: Sequence[Item]) -> list[Item]:
        if operator in ("as", "is"):
            if not isinstance(right, Name):
                raise NotSupported(f"After {operator} stands the name of a type, as in value as Quantity.")
            typed = [item for item in self._items(left, focus) if _is_a(item, right.name)]
            return typed if operator == "as" else [bool(typed)]
        lefts, rights = self._items(left, focus), self._items(right, focus)
        if operator == "|":
            raise NotSupported("A union is not offered in the path of a patch; write an operation for each.")
        if operator in ("and", "or"):
            both = _truth(lefts), _truth(rights)
            return [all(both) if operator == "and" else any(both)]
        if not lefts or not rights:
            return []
        same = len(lefts) == len(rights) and all(
            is_same(_plain(a), _plain(b)) for a, b in zip(lefts, rights, strict=True)
        )
        return [same is (operator == "=")]

    def _call(  # noqa: PLR0911 - one case a function
        self, name: str, arguments: tuple[Node, ...], focus: list[Item]
    ) -> list[Item]:
        match name, arguments:
            case "where", (criterion,):
                return self._where(focus, criterion)
            case "exists", ():
                return [bool(focus)]
            case "exists", (criterion,):
                return [bool(self._where(focus, criterion))]
            case "empty", ():
                return [not focus]
            case "not", ():
                return [not _truth(focus)] if focus else []
            case "first", ():
                return focus[:1]
            case "last", ():
                return focus[-1:]
            case (("ofType" | "as"), (Name(type),)):
                return [item for item in focus if _is_a(item, type)]
            case "extension", (Literal(str() as url),):
                of_url = Binary("=", Name("url"), Literal(url))
                return self._where(self._children(focus, "extension"), of_url)
            case _:
                raise NotSupported(
                    f"{name}() is not offered in the path of a patch, or not with these arguments."
                )

    def _where(self, focus: Sequence[Item], criterion: Node) -> list[Item]:
        return [item for item in focus if _truth(self._items(criterion, [item]))]


def children(owner: Spot, name: str) -> Iterator[Spot]:
    """The elements of this name that an element has; a choice is named without its type."""
    value = owner.value
    if isinstance(value, dict):
        for member, known in _members(owner.type).items():
            if known.element.name == name and member in value:
                yield from _standing_in(Place(value, member), known.type, member, owner)
    elif name in ("id", "extension"):
        beside = _beside(owner)
        if beside is not None:
            yield from children(beside, name)


def _standing_in(place: Place, type: str, member: str, owner: Spot) -> Iterator[Spot]:
    value = place.value
    if not isinstance(value, list):
        yield Spot(place, _actual(type, value), member, owner)
        return
    for index in range(len(value)):
        item = Place(value, index)
        yield Spot(item, _actual(type, item.value), member, owner)


def _beside(primitive: Spot) -> Spot | None:
    """The ids and extensions of a primitive: the member ``_name`` beside it."""
    if primitive.owner is None:
        return None
    try:
        place = Place(primitive.owner.value, f"_{primitive.member}")
        if isinstance(place.value, list):
            place = Place(place.value, primitive.place.step)
        found = place.value
    except LookupError:
        return None
    return Spot(place, "Element", primitive.member, primitive.owner) if isinstance(found, dict) else None


def _members(type: str) -> Mapping[str, JsonMember]:
    return members(type) if type in definitions().types else {}


def _actual(type: str, value: Value) -> str:
    """A contained resource is of the type it says."""
    if type == "Resource" and isinstance(value, dict) and "resourceType" in value:
        return str(plain(value["resourceType"]))
    return type


def _is_a(item: Item, type: str) -> bool:
    return isinstance(item, Spot) and item.type == type


def _plain(item: Item) -> object:
    return plain(item.value) if isinstance(item, Spot) else item


def _truth(items: Sequence[Item]) -> bool:
    """Is it one value, and not false? What is there is true where a boolean is asked for."""
    return len(items) == 1 and _plain(items[0]) is not False
