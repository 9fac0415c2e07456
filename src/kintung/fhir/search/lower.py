"""From a parsed expression to typed leaves: which JSON members hold the values of a parameter.

Used when the artefact is built. Polymorphic elements become the JSON members of their types,
``HumanName`` and ``Address`` their parts, ``CodeableConcept`` its codings; what is left at the
end of each path is a conversion. An expression this cannot type is refused by name, so that
no parameter is lost in silence.

Source: the type tables of http://hl7.org/fhir/R4/search.html, sections 3.1.1.4.3 to 3.1.1.4.11.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from kintung.errors import BadInput
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
)
from kintung.fhir.search.atoms import Conversion, Either, Field, Having, Leaf, Only, Step, Table
from kintung.fhir.search.elements import Elements

_CONVERSIONS: Mapping[Table, Mapping[str, Conversion]] = {
    "tokens": {
        **dict.fromkeys(("code", "string", "id", "uri", "url", "oid", "uuid", "markdown"), "code"),
        "canonical": "canonical",
        "boolean": "boolean",
        "Coding": "coding",
        "Identifier": "identifier",
        "ContactPoint": "contact",
    },
    "references": {
        "Reference": "reference",
        "canonical": "canonical",
        **dict.fromkeys(("uri", "url", "oid", "uuid"), "address"),
        "Resource": "entry",
    },
    "dates": {
        **dict.fromkeys(("date", "dateTime", "instant"), "date"),
        "Period": "period",
        "Timing": "timing",
    },
    "strings": {
        **dict.fromkeys(("string", "markdown", "code", "id", "uri"), "text"),
        "HumanName": "whole name",
    },
    "quantities": {
        **dict.fromkeys(("Quantity", "Age", "Duration", "Count", "Distance", "SimpleQuantity"), "quantity"),
        "Money": "money",
        "Range": "range",
        "SampledData": "samples",
        **dict.fromkeys(("decimal", "integer", "positiveInt", "unsignedInt"), "number"),
    },
}

_PARTS: Mapping[tuple[Table, str], tuple[str, ...]] = {
    ("strings", "HumanName"): ("text", "family", "given", "prefix", "suffix"),
    ("strings", "Address"): ("text", "line", "city", "district", "state", "postalCode", "country"),
    ("tokens", "CodeableConcept"): ("coding",),
}
"""Types that are searched by their parts, each a value of its own."""


@dataclass(frozen=True, slots=True)
class Focus:
    """Where an expression has led so far: a path and the type of what stands there.

    ``target`` is the resource type a reference must lead to; ``root`` says that the path
    starts at the resource although the expression is relative to an element (``%resource``).
    """

    steps: tuple[Step, ...]
    type: str
    target: str | None = None
    root: bool = False


@dataclass(frozen=True, slots=True)
class Typing:
    """The typing of expressions on one resource type."""

    elements: Elements
    resource: str

    def leaves(self, node: Node, table: Table, context: Focus) -> list[tuple[Focus, Leaf]]:
        """Return the leaves of an expression, each with the focus it ends at.

        Raises:
            BadInput: the expression cannot be typed, or ends at a type the table cannot hold.
        """
        if isinstance(node, Binary) and node.operator == "and":
            return [self._truth(node, context)]
        found = [
            (ending, Leaf(ending.steps, conversion))
            for focus in self.foci(node, context)
            for ending, conversion in self._endings(focus, table)
        ]
        if not found:
            raise BadInput(f"{node} of {self.resource} ends at no type that {table} can hold")
        return found

    def passed_over(self, node: Node, table: Table, context: Focus) -> set[str]:
        """Return the types the expression may end at that the table cannot hold."""
        if isinstance(node, Binary) and node.operator == "and":
            return set()
        return {focus.type for focus in self.foci(node, context) if not any(self._endings(focus, table))}

    def foci(self, node: Node, context: Focus) -> list[Focus]:  # noqa: PLR0911 - one case a kind of node
        """Return where an expression leads from the context, one focus for each type."""
        match node:
            case Name(name) if name == context.type or name in (self.resource, "Resource"):
                return [context]
            case Name(name):
                return self._child(context, name)
            case Variable("resource"):
                return [Focus((), self.resource, root=True)]
            case Member(of, name):
                return [child for focus in self.foci(of, context) for child in self._child(focus, name)]
            case Index(of, 0):
                return [_first(focus) for focus in self.foci(of, context)]
            case Binary("|", left, right):
                return [*self.foci(left, context), *self.foci(right, context)]
            case Binary("as", left, Name(type)) | Call(left, "as" | "ofType", (Name(type),)):
                return _of_type(self.foci(left, context), type)
            case Call(of, "extension", (Literal(str() as url),)):
                return [
                    replace(
                        focus,
                        steps=(*focus.steps, Field("extension", many=True), Only("url", (url,))),
                        type="Extension",
                    )
                    for focus in self.foci(of, context)
                ]
            case Call(of, "where", (condition,)):
                return [_where(focus, condition) for focus in self.foci(of, context)]
            case _:
                raise BadInput(f"{node} of {self.resource} is more than search expressions may hold")

    def _child(self, focus: Focus, name: str) -> list[Focus]:
        element = self.elements.get(focus.type, {}).get(name)
        if element is None:
            raise BadInput(f"{focus.type} has no element {name}")
        return [
            replace(
                focus,
                steps=(*focus.steps, Field(_member(name, type) if element.choice else name, element.many)),
                type=type,
            )
            for type in element.types
        ]

    def _endings(self, focus: Focus, table: Table) -> Iterator[tuple[Focus, Conversion]]:
        """Yield what stands at the end of a path in the forms its table holds; maybe nothing."""
        parts = ("value",) if focus.type == "Extension" else _PARTS.get((table, focus.type), ())
        for part in parts:
            for child in self._child(focus, part):
                yield from self._endings(child, table)
        if conversion := _CONVERSIONS[table].get(focus.type):
            yield focus, conversion

    def _truth(self, node: Binary, context: Focus) -> tuple[Focus, Leaf]:
        """Type ``x.exists() and x != false``, the one condition that is itself a value."""
        match node:
            case Binary("and", Call(of, "exists", ()), Binary("!=", same, Literal(False))) if of == same:
                members = self.foci(of, context)
                names = tuple(focus.steps[-1].name for focus in members if isinstance(focus.steps[-1], Field))
                steps = (*members[0].steps[:-1], Either(names))
                return replace(context, steps=steps, type="boolean"), Leaf(steps, "truth")
            case _:
                raise BadInput(f"{node} of {self.resource} is more than search expressions may hold")


def _member(name: str, type: str) -> str:
    return name + type[0].upper() + type[1:]


def _first(focus: Focus) -> Focus:
    last = focus.steps[-1] if focus.steps else None
    if not isinstance(last, Field):
        raise BadInput(f"[0] does not follow an element of {focus.type}")
    return replace(focus, steps=(*focus.steps[:-1], Field(last.name, last.many, first=True)))


def _of_type(foci: list[Focus], type: str) -> list[Focus]:
    # One definition writes DateTime where dateTime is meant.
    return [focus for focus in foci if focus.type.lower() == type.lower()]


def _where(focus: Focus, condition: Node) -> Focus:
    match condition:
        case Binary("is", Call(This(), "resolve", ()), Name(type)):
            return replace(focus, target=type)
        case Binary("=", Name(name), Literal(str() as value)):
            return replace(focus, steps=(*focus.steps, Only(name, (value,))))
        case Call(This(), "hasExtension", (Literal(str() as url),)):
            return replace(focus, steps=(*focus.steps, Having(url)))
        case _:
            raise BadInput(f"where({condition}) is more than search expressions may hold")
