"""Composite parameters, and ``:of-type``: values that must stand together in one element.

``Observation.component-code-value-quantity`` asks for a code and a quantity of the same
component. What a composite asks becomes conditions on rows: values that stand in an element of
a list have rows of their own, in which they are together; values that stand in the resource
itself, or in an element there is one of, are together already, and each is asked of its own
rows. Sources: http://hl7.org/fhir/R4/search.html#composite and #token.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

from kintung.errors import ValueInvalid
from kintung.fhir.search import value_grammar
from kintung.fhir.search.catalogue import Component, Joint
from kintung.fhir.search.criteria import AllOf, AnyOf, Condition, Criterion
from kintung.fhir.search.parameters import Parameter
from kintung.fhir.search.values import CompositeValue, Missing, TokenValue, Value

_OF_TYPE = 3
"""Parts of a value of ``:of-type``."""


def composite_values(
    parameter: Parameter, text: str, read: Callable[[Component, str], Sequence[Value]]
) -> list[CompositeValue]:
    """Read ``value$value``, one for each component, each in the grammar of its kind.

    Args:
        text: one alternative, escapes kept.
        read: the values one component may mean by a text: a reference may mean two.

    Raises:
        ValueInvalid: it has another number of parts, or one of them cannot be read.
    """
    parts = value_grammar.split(text, "$")
    components = parameter.components
    if len(parts) != len(components) or not all(parts):
        form = "$".join(component.kind for component in components)
        raise ValueInvalid(f"a value has {len(components)} parts, joined by $: {form}")
    read_parts = (read(component, part) for component, part in zip(components, parts, strict=True))
    return [CompositeValue(values) for values in product(*read_parts)]


def composite_condition(parameter: Parameter, values: Sequence[CompositeValue]) -> Condition:
    """Some element of the parameter meets all parts of one of the values."""
    return _some([_in_focus(parameter, focus, values) for focus in parameter.foci])


def composite_missing(parameter: Parameter, *, missing: bool) -> Condition:
    """No element has a value for every component; or some element has."""
    each = [
        [_criterion(parameter, joint, (Missing(missing=missing),), missing=True) for joint in focus]
        for focus in parameter.foci
    ]
    if missing:
        return _every([_some(joints) for joints in each])
    return _some([_every(joints) for joints in each])


def of_type(text: str) -> CompositeValue:
    """Read ``system|code|value``: a type of identifiers, and the value of one.

    Raises:
        ValueInvalid: one of the three is not there.
    """
    parts = [value_grammar.unescape(part) for part in value_grammar.split(text, "|")]
    if len(parts) != _OF_TYPE or not all(parts):
        raise ValueInvalid("an identifier of a type is given as system|code|value, all three")
    system, code, value = (value_grammar.bounded(part) for part in parts)
    type = TokenValue(system, code, any_system=False)
    return CompositeValue((type, TokenValue(None, value, any_system=True)))


def of_type_parameter(parameter: Parameter) -> Parameter:
    """The typed identifiers of a token parameter: rows of its atoms, among the composites."""
    kinds = (Component("token"), Component("token"))
    return replace(parameter, kind="composite", components=kinds, of_type=False)


def _in_focus(parameter: Parameter, focus: Sequence[Joint], values: Sequence[CompositeValue]) -> Condition:
    """All joints of one focus hold for the same value.

    Values that differ in one joint alone are alternatives of that: ``code$1,code$2`` is one code.
    """
    groupings = [_grouped(focus, free, values) for free in range(len(focus))]
    groups = min(groupings, key=len)
    return _some(
        [
            _every([_criterion(parameter, joint, tuple(asked[n])) for n, joint in enumerate(focus)])
            for asked in groups
        ]
    )


def _grouped(
    focus: Sequence[Joint], free: int, values: Sequence[CompositeValue]
) -> list[list[dict[Value, None]]]:
    """For each group of values that agree in all but one joint, what is asked of each joint."""
    groups: dict[tuple[Value, ...], list[dict[Value, None]]] = {}
    for value in values:
        asked = [_of_joint(joint, value) for joint in focus]
        agreed = tuple(one for n, one in enumerate(asked) if n != free)
        group = groups.setdefault(agreed, [{} for _ in focus])
        for n, one in enumerate(asked):
            group[n][one] = None
    return list(groups.values())


def _of_joint(joint: Joint, value: CompositeValue) -> Value:
    parts = tuple(value.parts[place] for place in joint.places)
    return parts[0] if len(parts) == 1 else CompositeValue(parts)


def _criterion(
    parameter: Parameter, joint: Joint, values: tuple[Value, ...], *, missing: bool = False
) -> Criterion:
    return Criterion(parameter.joined(joint), "missing" if missing else None, values)


def _every(conditions: Sequence[Condition]) -> Condition:
    return conditions[0] if len(conditions) == 1 else AllOf(tuple(conditions))


def _some(conditions: Sequence[Condition]) -> Condition:
    return conditions[0] if len(conditions) == 1 else AnyOf(tuple(conditions))
