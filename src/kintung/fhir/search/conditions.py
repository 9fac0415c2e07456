"""From what a name asks and the alternatives of its value to a condition.

Source: http://hl7.org/fhir/R4/search.html, sections 3.1.1.4 and 3.1.1.5.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from kintung.errors import BadInput, NotSupported, TooLong, ValueInvalid
from kintung.fhir.search import composites, value_grammar
from kintung.fhir.search.asked import Asked, AskedForward, AskedLeaf, AskedReverse, target_of
from kintung.fhir.search.atoms import Kind
from kintung.fhir.search.catalogue import Component
from kintung.fhir.search.criteria import AnyOf, Chain, Condition, Criterion, Has, Modifier
from kintung.fhir.search.parameters import Parameter, shown
from kintung.fhir.search.values import Missing, ReferenceValue, StringValue, TokenValue, Value

_MODIFIERS: Mapping[Kind, tuple[Modifier, ...]] = {
    "token": ("missing", "not"),
    "string": ("missing", "exact", "contains"),
}
"""Modifiers beside ``:missing``, which every kind has; references have ``:Type`` and ``:identifier``."""

_BY_PATH: Mapping[str, Callable[[str], Iterable[Value]]] = {
    "below": lambda text: (value_grammar.uri_below(text),),
    "above": value_grammar.uris_above,
}
"""Modifiers of uris: they are read as values, and no store knows of them."""


OtherForms = Callable[[Parameter, Sequence[str]], Sequence[Condition]]
"""What texts asked for of a string parameter, without modifier, may also stand as in the index:
conditions on the resource itself, of which one may hold instead of what is asked. Given by who
knows the names of a place; the language knows none."""


def no_others(_parameter: Parameter, _texts: Sequence[str]) -> Sequence[Condition]:
    """Texts stand as they are."""
    return ()


@dataclass(frozen=True, slots=True)
class Conditions:
    """The reading of values in one search, and what they are read against.

    ``length`` bounds one alternative, in characters; the others are arguments of ``parse_query``.
    """

    now_micros: int
    offset_minutes: int
    base: str | None
    length: int
    others: OtherForms = no_others

    def condition(self, asked: Asked, alternatives: Sequence[str]) -> Condition:
        """What is asked of a resource, by any of the alternatives.

        Raises:
            NotSupported: a modifier is not offered for the parameter.
            ValueInvalid: a value is not of the kind the parameter takes.
            TooLong: a value is too long.
        """
        match asked:
            case AskedLeaf(parameter, modifier):
                return self._criterion(parameter, modifier, alternatives)
            case AskedReverse(type, parameter, inner):
                return Has(type, parameter, self.condition(inner, alternatives))
            case AskedForward(parameter, links):
                return self._chain(parameter, links, alternatives)

    def _chain(
        self, parameter: Parameter, links: Sequence[tuple[str, Asked]], alternatives: Sequence[str]
    ) -> Chain:
        inner: list[tuple[str, Condition]] = []
        refusals: list[BadInput] = []
        for type, asked in links:
            try:
                inner.append((type, self.condition(asked, alternatives)))
            except BadInput as refusal:
                # A name may be of different kinds in different targets; a value need fit one.
                refusals.append(refusal)
        if not inner:
            raise refusals[0]
        return Chain(parameter, tuple(inner))

    def _criterion(self, parameter: Parameter, modifier: str, alternatives: Sequence[str]) -> Condition:
        if not parameter.searchable:
            raise NotSupported(f"{parameter.kind} parameters are not offered yet")
        if AskedLeaf(parameter, modifier).is_in_bodies:
            raise NotSupported(
                f"{parameter.code} is read in the text of what is searched for; no chain or _has follows it"
            )
        if modifier == "missing" and parameter.stored is None:
            value = _missing(",".join(alternatives))
            if parameter.kind == "composite":
                return composites.composite_missing(parameter, missing=value.missing)
            return Criterion(parameter, "missing", (value,))
        if parameter.kind == "composite" and not modifier:
            return self._composite(parameter, alternatives)
        if modifier == "of-type" and parameter.of_type:
            asked = (composites.of_type(self.sized(text)) for text in alternatives)
            return Criterion(composites.of_type_parameter(parameter), None, tuple(dict.fromkeys(asked)))
        if modifier == "identifier" and parameter.kind == "reference":
            parameter, modifier = parameter.of_identifiers(), ""
        target = None
        own: Modifier | None = None
        if modifier in _MODIFIERS.get(parameter.kind, ()) and modifier != "missing":
            own = cast(Modifier, modifier)
        elif modifier and parameter.kind == "reference":
            target = target_of(parameter, modifier)
        elif modifier and not (parameter.kind == "uri" and modifier in _BY_PATH):
            raise NotSupported(f"modifier {shown(modifier)} is not offered for a {parameter.kind} parameter")
        values = (
            value for text in alternatives for value in self._values(parameter, target, own or modifier, text)
        )
        criterion = Criterion(parameter, own, tuple(dict.fromkeys(values)))
        if parameter.kind != "string" or own is not None:
            return criterion
        others = self.others(parameter, [value_grammar.unescape(text) for text in alternatives])
        return AnyOf((criterion, *others)) if others else criterion

    def _composite(self, parameter: Parameter, alternatives: Sequence[str]) -> Condition:
        def read(component: Component, text: str) -> Sequence[Value]:
            part = Parameter(parameter.type, parameter.code, component.kind, targets=component.targets)
            return tuple(self._values(part, None, "", text))

        found = (
            value
            for text in alternatives
            for value in composites.composite_values(parameter, self.sized(text), read)
        )
        return composites.composite_condition(parameter, list(dict.fromkeys(found)))

    def sized(self, text: str) -> str:
        """One alternative, which is neither empty nor too long."""
        if not text:
            raise ValueInvalid("a value is missing")
        if len(text) > self.length:
            raise TooLong(f"a value has at most {self.length} characters")
        return text

    def _values(self, parameter: Parameter, target: str | None, modifier: str, text: str) -> Iterable[Value]:
        text = self.sized(text)
        if parameter.kind == "uri" and modifier:
            return _BY_PATH[modifier](text)
        if parameter.kind != "reference":
            return (self._value(parameter, modifier, text),)
        found = value_grammar.references(text, (target,) if target else parameter.targets, self.base)
        return (_of_target(value, target) for value in found)

    def _value(self, parameter: Parameter, modifier: str, text: str) -> Value:
        match parameter.kind:
            case "token":
                token = value_grammar.token(text)
                return _stored_id(token) if parameter.stored else token
            case "uri":
                return value_grammar.uri(text)
            case "string":
                return _comparable(value_grammar.string(text), modifier)
            case "date":
                return value_grammar.date(text, self.now_micros, self.offset_minutes)
            case "number":
                return value_grammar.number(text)
            case "quantity":
                return value_grammar.quantity(text)
            case _:
                raise AssertionError(f"{parameter.kind} parameters are refused before")


def _of_target(value: ReferenceValue, target: str | None) -> ReferenceValue:
    if target is not None and value.types not in ((target,), ("",)):
        raise ValueInvalid(f"the value names {value.types[0]}, the modifier {target}")
    return value


def _missing(value: str) -> Missing:
    if value not in ("true", "false"):
        raise ValueInvalid(":missing takes true or false")
    return Missing(missing=value == "true")


def _stored_id(value: TokenValue) -> TokenValue:
    if value.code is None or value.system is not None:
        raise ValueInvalid("an id has no system")
    return TokenValue(None, value.code, any_system=True)


def _comparable(value: StringValue, modifier: str) -> StringValue:
    if modifier != "exact" and not value.folded:
        raise ValueInvalid("the text holds nothing to compare; accents and white space do not count")
    return value
