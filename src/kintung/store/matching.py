"""What a query means on one resource: for the plain store, and for what is not stored yet.

``kintung.fhir.search.holds`` says it for one criterion and one resource. Added here is what
needs the record: chains, sorting, and identifiers of vaulted systems, which are compared by
their normal form and never appear in an order.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple, Protocol

from kintung.fhir.search import (
    AllOf,
    AnyOf,
    Chain,
    Compartment,
    CompositeValue,
    Condition,
    Criterion,
    Everything,
    Extracted,
    Has,
    OfType,
    Parameter,
    Query,
    Sort,
    Target,
    Token,
    TokenValue,
    Value,
    bound_keys,
    holds,
    members,
)
from kintung.store.vault import VaultedSystems

_PAIR = "\0pair"
_VALUE = "\0value"
"""Systems of vaulted identifiers as they are compared here; no input holds NUL."""

SortValue = str | int | bytes
"""A value in its order; of two texts one, with NUL between, which sorts before every character."""


class Indexed(NamedTuple):
    """What a search may know of a current resource, made by ``indexed``; ``at`` is its lastUpdated.

    In ``rows`` numbers of the systems ``vaulted`` stand by their normal form only.
    """

    type: str
    id: str
    at: int
    rows: Extracted
    vaulted: VaultedSystems


class Around(Protocol):
    """What stands around a resource: all that is current and visible to the reader."""

    def at(self, type: str, id: str) -> Indexed | None:
        """The resource of that name, or None."""
        ...

    def of(self, type: str) -> Iterable[Indexed]:
        """Every resource of a type."""
        ...


def meets(query: Query, resource: Indexed, around: Around) -> bool:
    """Does a resource meet every condition of the query?"""
    if query.types and resource.type not in query.types:
        return False
    return all(_meets(condition, resource, around) for condition in query.criteria)


def _meets(  # noqa: PLR0911 - one case a condition
    condition: Condition, resource: Indexed, around: Around
) -> bool:
    match condition:
        case Criterion():
            return meets_one(condition, resource)
        case Chain(parameter, inner):
            return any(
                _meets(wanted, target, around)
                for type, id in referenced(parameter, resource.rows)
                for wanted_type, wanted in inner
                if wanted_type == type and (target := around.at(type, id)) is not None
            )
        case Has(type, parameter, inner):
            return any(
                _meets(inner, other, around)
                for other in around.of(type)
                if (resource.type, resource.id) in referenced(parameter, other.rows)
            )
        case Compartment(type, ids, parameter, itself):
            named = {(type, id) for id in ids}
            if itself and (resource.type, resource.id) in named:
                return True
            return not named.isdisjoint(referenced(parameter, resource.rows))
        case Everything():
            return _is_among(condition, resource, around)
        case AllOf(conditions):
            return all(_meets(each, resource, around) for each in conditions)
        case AnyOf(conditions):
            return any(_meets(each, resource, around) for each in conditions)


def _is_among(asked: Everything, resource: Indexed, around: Around) -> bool:
    """Is a resource in the compartment, or does one that is there lead to it?"""
    if resource.type == asked.apart or _is_cared_for(asked, resource, around):
        return _is_cared_for(asked, resource, around)
    return any(
        _is_cared_for(asked, other, around)
        for type in members(asked.compartment.type)
        for other in around.of(type)
        if (resource.type, resource.id) in {(type, id) for _, type, id in other.rows.references}
    )


def _is_cared_for(asked: Everything, resource: Indexed, around: Around) -> bool:
    """Is a resource in the compartment, and of care within the time?"""
    inside, care = asked.compartment, asked.care
    if resource.type not in members(inside.type) or not _meets(inside, resource, around):
        return False
    atoms = {branch.atom for branch in care.parameter.branches} if care else set[int]()
    dates = [(low, high) for atom, low, high in resource.rows.dates if atom in atoms]
    return care is None or not dates or any(low < care.high and high > care.low for low, high in dates)


def meets_one(condition: Condition, resource: Indexed) -> bool:
    """Does a resource meet a condition that is of itself (``is_of_itself``)?"""
    match condition:
        case Criterion():
            criterion = _normal(condition, resource.vaulted)
            return holds(criterion, resource.rows, id=resource.id, updated=resource.at)
        case AllOf(conditions):
            return all(meets_one(each, resource) for each in conditions)
        case AnyOf(conditions):
            return any(meets_one(each, resource) for each in conditions)
        case Chain() | Has() | Compartment() | Everything():
            raise AssertionError(f"{type(condition).__name__} is not of the resource itself")


def codes_asked(query: Query, vaulted: VaultedSystems) -> frozenset[str] | None:
    """Codes of which a resource has one among its tokens if it meets the query; None: it need not."""
    for criterion in query.criteria:
        if isinstance(criterion, Criterion) and criterion.modifier is None and not criterion.parameter.stored:
            codes = [
                value.code for value in _normal(criterion, vaulted).values if isinstance(value, TokenValue)
            ]
            if codes and None not in codes:
                return frozenset(code for code in codes if code is not None)
    return None


def referenced(parameter: Parameter, rows: Extracted) -> Iterator[tuple[str, str]]:
    """Type and id of each resource that a reference parameter leads to."""
    for atom, type, id in rows.references:
        if any(branch.atom == atom and branch.target in (None, type) for branch in parameter.branches):
            yield type, id


def sort_value(sort: Sort, resource: Indexed) -> SortValue | None:
    """The value a resource is sorted by: its least, or its greatest when descending.

    None when it has no value for the parameter; see "Values used" under ``_sort`` in
    ``docs/explanation/spec-readings.md``.
    """
    values = _sort_values(sort, resource)
    return max(values, default=None) if sort.descending else min(values, default=None)


def _sort_values(sort: Sort, resource: Indexed) -> Sequence[Any]:
    """Every value of the resource for one sort key: all of one Python type."""
    parameter, rows = sort.parameter, resource.rows
    atoms = {branch.atom for branch in parameter.branches}
    if parameter.stored is not None:
        return [resource.id if parameter.stored == "id" else resource.at]
    match parameter.kind:
        case "token" | "uri":
            return [
                f"{code or ''}\0{system or ''}"
                for atom, system, code in rows.tokens
                if atom in atoms and system not in (_PAIR, _VALUE)
            ]
        case "reference":
            return [f"{type}\0{id}" for type, id in referenced(parameter, rows)]
        case "date":
            return [high if sort.descending else low for atom, low, high in rows.dates if atom in atoms]
        case "string":
            return [f"{folded}\0{exact}" for atom, folded, exact in rows.strings if atom in atoms]
        case "number" | "quantity":
            spans = [bound_keys(low, high) for atom, _, _, low, high in rows.quantities if atom in atoms]
            return [high if sort.descending else low for low, high in spans]
        case "composite" | "special":
            raise AssertionError(f"{parameter.code} is no sort key")


def indexed(type: str, id: str, at: int, rows: Extracted, vaulted: VaultedSystems) -> Indexed:
    """What a search may know of a resource of which ``rows`` were extracted."""
    normal = rows._replace(
        tokens=list(_normal_tokens(rows.tokens, vaulted)),
        composites=[
            (atom, *pair)
            for atom, first, second in rows.composites
            for pair in product(_normal_parts(first, vaulted), _normal_parts(second, vaulted))
        ],
    )
    return Indexed(type, id, at, normal, vaulted)


def _normal_parts(part: tuple[Any, ...], vaulted: VaultedSystems) -> Iterable[tuple[Any, ...]]:
    """A part of a composite in the forms it is compared by: a token may be in several."""
    match part:
        case OfType(system, value):
            forms = [form[1:] for form in _normal_tokens([(0, system, value)], vaulted)]
            return [form for form in forms if form[1] is not None and form[0] != _PAIR]
        case (system, code) if not isinstance(part, Target):
            return [form[1:] for form in _normal_tokens([(0, system, code)], vaulted)]
        case _:
            return [part]


def _normal_tokens(tokens: Iterable[Token], vaulted: VaultedSystems) -> Iterator[Token]:
    for atom, system, code in tokens:
        rule = vaulted.of(system) if system else None
        if rule is None:
            yield atom, system, code
            continue
        yield atom, rule.uri, None
        if code is not None:
            value = rule.normalise(code)
            yield atom, _PAIR, f"{rule.uri}|{value}"
            yield atom, _VALUE, value


def _normal(criterion: Criterion, vaulted: VaultedSystems) -> Criterion:
    """The criterion with every normal form that an identifier searched for may stand in."""
    forms = [form for value in criterion.values for form in _forms(value, vaulted)]
    if not forms:
        return criterion
    values: tuple[Value, ...] = (*criterion.values, *forms)
    return Criterion(criterion.parameter, criterion.modifier, values)


def _forms(value: Value, vaulted: VaultedSystems) -> Iterator[Value]:
    if isinstance(value, CompositeValue):
        alternatives = product(*((part, *_forms(part, vaulted)) for part in value.parts))
        yield from (CompositeValue(parts) for parts in alternatives if parts != value.parts)
        return
    if not isinstance(value, TokenValue) or value.code is None:
        return
    if value.any_system:
        for form in vaulted.normal_forms(value.code):
            yield TokenValue(_VALUE, form, any_system=False)
        return
    rule = vaulted.of(value.system) if value.system else None
    if rule is not None:
        yield TokenValue(_PAIR, f"{rule.uri}|{rule.normalise(value.code)}", any_system=False)
