"""The grammar of a search: from name and value pairs to a Query.

Source: http://hl7.org/fhir/R4/search.html, sections 3.1.1.3 to 3.1.1.5.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast, get_args

from kintung.errors import BadInput, Issue, KintungError, NotSupported, TooCostly, TooLong, ValueInvalid
from kintung.fhir.search import value_grammar
from kintung.fhir.search.atoms import Kind
from kintung.fhir.search.catalogue import resource_types
from kintung.fhir.search.criteria import Chain, Criterion, Modifier, Query, Sort, Total
from kintung.fhir.search.dates import OFFSET_MINUTES
from kintung.fhir.search.parameters import Parameter, nearest, parameters, shown, together
from kintung.fhir.search.values import Missing, ReferenceValue, StringValue, TokenValue, Value

_MODIFIERS: Mapping[Kind, tuple[Modifier, ...]] = {
    "token": ("missing", "not"),
    "string": ("missing", "exact", "contains"),
}
"""Modifiers beside ``:missing``, which every kind has, and ``:Type``, which references have."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""All but tab, line feed and carriage return: http://hl7.org/fhir/R4/datatypes.html#string."""

_RESULT = ("_sort", "_count", "_total", "_type")


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """Bounds on what one search may ask.

    ``parameters`` and ``values`` (alternatives of one parameter) and ``value_length``
    (characters of one alternative) and ``length`` (characters of names and values together)
    refuse what is over; ``count`` is lowered to the limit. ``cost`` bounds what all parameters
    ask together: each costs its different alternatives and ``_STANDING``, a chain that for
    each type it may lead to.
    """

    parameters: int = 100
    values: int = 500
    value_length: int = 4_096
    length: int = 1_000_000
    cost: int = 5_000
    sort_keys: int = 10
    count: int = 1_000
    default_count: int = 20


SEARCH_LIMITS = SearchLimits()
_STANDING = 5
"""What a parameter costs beside its alternatives."""


def parse_query(
    type: str | None,
    pairs: Sequence[tuple[str, str]],
    *,
    now_micros: int,
    offset_minutes: int = OFFSET_MINUTES,
    limits: SearchLimits = SEARCH_LIMITS,
    lenient: bool = False,
    ignore: Collection[str] = (),
    base: str | None = None,
) -> Query:
    """Parse the decoded pairs of a search.

    Args:
        type: the resource type searched, None at system level (``_type`` may narrow it).
        pairs: names and values, percent-decoded, in the order sent.
        now_micros: for the ``ap`` prefix of dates, microseconds since 1970 UTC.
        offset_minutes: zone of dates without one, minutes east of UTC.
        lenient: leave out parameters that are not known, saying so in ``Query.ignored``.
        ignore: names that are the caller's own business (``_format``, cursors).
        base: the node's own address, no slash at its end; references under it are local.

    Raises:
        NotSupported: a parameter, modifier or sort key is not offered here.
        ValueInvalid: a value is not of the kind its parameter takes.
        TooLong: over one of the limits.
        TooCostly: the parameters together ask for more than ``limits.cost``.
        BadInput: anything else that cannot be understood. ``path`` is the parameter's name.
    """
    if len(pairs) > limits.parameters:
        raise TooLong(
            f"a search has at most {limits.parameters} parameters, this one {len(pairs)}",
            path=_path(pairs[limits.parameters][0]),
        )
    length = sum(len(name) + len(value) for name, value in pairs)
    if length > limits.length:
        raise TooLong(f"a search has at most {limits.length:,} characters, this one {length:,}")
    own = [(name, value) for name, value in pairs if name not in ignore]
    types = _types(type, own)
    return _Reading(types, now_micros, offset_minutes, limits, lenient, base).query(own)


def _types(type: str | None, pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    listed = [value for name, value in pairs if name == "_type"]
    if type is not None:
        if listed:
            raise NotSupported("_type narrows a search of the whole system, not of one type", path="_type")
        return (_known_type(type, None),)
    if len(listed) > 1:
        raise BadInput("_type is given more than once; list the types with commas", path="_type")
    return tuple(dict.fromkeys(_known_type(name, "_type") for value in listed for name in value.split(",")))


def _known_type(type: str, path: str | None) -> str:
    if type not in resource_types():
        hint = nearest(type, resource_types())
        raise BadInput(f"{shown(type)} is not a resource type of FHIR R4{hint}", path=path)
    return type


@dataclass(slots=True)
class _Draft:
    """A Query in the making."""

    count: int
    cost: int = 0
    total: Total = "none"
    sort: tuple[Sort, ...] = ()
    criteria: list[Criterion | Chain] = field(default_factory=list[Criterion | Chain])
    used: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    ignored: list[Issue] = field(default_factory=list[Issue])


@dataclass(frozen=True, slots=True)
class _Reading:
    """The reading of one search: its types, and what values are read against."""

    types: tuple[str, ...]
    now_micros: int
    offset_minutes: int
    limits: SearchLimits
    lenient: bool
    base: str | None

    def query(self, pairs: Sequence[tuple[str, str]]) -> Query:
        draft = _Draft(count=self.limits.default_count)
        for name, value in pairs:
            try:
                self._read(name, value, draft)
            except KintungError as refusal:
                if refusal.path is not None:
                    raise
                # What was raised knows nothing of the name it was read for.
                raise refusal.__class__(f"{shown(name)}: {refusal}", path=_path(name)) from refusal
        return Query(
            types=self.types,
            criteria=tuple(draft.criteria),
            sort=draft.sort,
            count=draft.count,
            total=draft.total,
            used=tuple(draft.used),
            ignored=tuple(draft.ignored),
        )

    def _read(self, name: str, value: str, draft: "_Draft") -> None:
        _check_text(name)
        _check_text(value)
        if name in _RESULT:
            draft.used.append((name, self._read_result(name, value, draft)))
            return
        try:
            asked = self._asked(name)
        except NotSupported as refusal:
            if not self.lenient:
                raise
            draft.ignored.append(Issue(refusal.issue, str(refusal), _path(name), severity="warning"))
        else:
            alternatives = self._alternatives(value)
            draft.cost += (len(alternatives) + _STANDING) * max(len(asked.links), 1)
            if draft.cost > self.limits.cost:
                raise TooCostly(_what_to_do(asked, len(alternatives)))
            draft.criteria.append(self._criterion_or_chain(asked, alternatives))
            draft.used.append((name, value))

    def _read_result(self, name: str, value: str, draft: "_Draft") -> str:
        """Read a parameter of the answer and return its value as it was understood."""
        if any(name == earlier for earlier, _ in draft.used):
            raise BadInput("given more than once")
        if name == "_sort":
            draft.sort = self._sort(value)
        elif name == "_count":
            draft.count = min(count_of(value), self.limits.count)
            return str(draft.count)
        elif name == "_total":
            if value not in get_args(Total):
                raise ValueInvalid(f"{shown(value)} is none of {', '.join(get_args(Total))}")
            draft.total = cast(Total, value)
        return value

    def _sort(self, value: str) -> tuple[Sort, ...]:
        keys = value.split(",")
        if len(keys) > self.limits.sort_keys:
            raise TooLong(f"at most {self.limits.sort_keys} sort keys")
        return tuple(Sort(self._parameter(key.removeprefix("-")), key.startswith("-")) for key in keys)

    def _parameter(self, code: str) -> Parameter:
        """Return a parameter that all types searched have; path is left to the caller."""
        if not self.types and code not in _common():
            raise NotSupported(f"{shown(code)} is not a parameter of every type; narrow the search by _type")
        try:
            found = together(self.types or _every_type(), code)
        except NotSupported as refusal:
            raise NotSupported(str(refusal)) from refusal
        if not found.searchable:
            raise NotSupported(f"{found.kind} parameters are not offered yet")
        return found

    def _asked(self, name: str) -> "_Asked":
        """Take a name apart: ``code``, ``code:modifier``, ``code:Type.inner:modifier``.

        Raises:
            NotSupported: a parameter is unknown here, or a chain is longer than one link.
        """
        head, dot, tail = name.partition(".")
        code, _, modifier = head.partition(":")
        asked = _Asked(self._parameter(code), modifier)
        if not dot:
            return asked
        inner, _, inner_modifier = tail.partition(":")
        if "." in tail:
            raise NotSupported("chains of more than one link are not offered yet")
        if asked.parameter.kind != "reference":
            raise NotSupported(f"{code} is a {asked.parameter.kind}; only a reference can be chained")
        targets = (_target(asked.parameter, modifier),) if modifier else asked.parameter.targets
        links = tuple(
            found for type in targets or _every_type() if (found := parameters(type).get(inner)) is not None
        )
        if not any(link.searchable for link in links):
            where = ", ".join(targets[:5]) or "any type"
            raise NotSupported(f"{shown(inner)} is not a parameter of what {code} leads to ({where})")
        return _Asked(asked.parameter, inner_modifier, links)

    def _alternatives(self, value: str) -> list[str]:
        """The different alternatives of a value, in the order first sent."""
        alternatives = value_grammar.split(value, ",")
        if len(alternatives) > self.limits.values:
            raise TooLong(f"at most {self.limits.values} alternatives, not {len(alternatives)}")
        return list(dict.fromkeys(alternatives))

    def _criterion_or_chain(self, asked: "_Asked", alternatives: Sequence[str]) -> Criterion | Chain:
        if not asked.links:
            return self._criterion(asked.parameter, asked.modifier, alternatives)
        inner: list[tuple[str, Criterion]] = []
        refusals: list[BadInput] = []
        for link in asked.links:
            try:
                inner.append((link.type, self._criterion(link, asked.modifier, alternatives)))
            except BadInput as refusal:
                # A name may be of different kinds in different targets; a value need fit one.
                refusals.append(refusal)
        if not inner:
            raise refusals[0]
        return Chain(asked.parameter, tuple(inner))

    def _criterion(self, parameter: Parameter, modifier: str, alternatives: Sequence[str]) -> Criterion:
        if not parameter.searchable:
            raise NotSupported(f"{parameter.kind} parameters are not offered yet")
        if modifier == "missing" and parameter.stored is None:
            return Criterion(parameter, "missing", (_missing(",".join(alternatives)),))
        target = None
        own: Modifier | None = None
        if modifier in _MODIFIERS.get(parameter.kind, ()) and modifier != "missing":
            own = cast(Modifier, modifier)
        elif modifier and parameter.kind == "reference":
            target = _target(parameter, modifier)
        elif modifier:
            raise NotSupported(f"modifier {shown(modifier)} is not offered for a {parameter.kind} parameter")
        values = (value for text in alternatives for value in self._values(parameter, target, own, text))
        return Criterion(parameter, own, tuple(dict.fromkeys(values)))

    def _values(
        self, parameter: Parameter, target: str | None, modifier: Modifier | None, text: str
    ) -> Iterable[Value]:
        if not text:
            raise ValueInvalid("a value is missing")
        if len(text) > self.limits.value_length:
            raise TooLong(f"a value has at most {self.limits.value_length} characters")
        if parameter.kind != "reference":
            return (self._value(parameter, modifier, text),)
        found = value_grammar.references(text, (target,) if target else parameter.targets, self.base)
        return (_of_target(value, target) for value in found)

    def _value(self, parameter: Parameter, modifier: Modifier | None, text: str) -> Value:
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


@dataclass(frozen=True, slots=True)
class _Asked:
    """A parameter with its modifier; for a chain, the inner parameter of each target type."""

    parameter: Parameter
    modifier: str
    links: tuple[Parameter, ...] = ()


def _what_to_do(asked: _Asked, alternatives: int) -> str:
    narrower = (
        f"it leads to {len(asked.links)} types: name the one meant, as in {asked.parameter.code}:Patient.name"
        if len(asked.links) > 1
        else "split the search into several"
    )
    return (
        f"the search asks for too much at once; of {alternatives} alternatives here give fewer, or {narrower}"
    )


def _check_text(text: str) -> None:
    """Refuse what no stored text can hold: control characters, and surrogates that encode nothing."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueInvalid("the text holds a character that FHIR does not allow") from None
    if _CONTROL.search(text):
        raise ValueInvalid("the text holds a character that FHIR does not allow")


def _path(name: str) -> str:
    """Return a parameter's name as an issue may hold it, whatever was sent."""
    short = name[:64]
    return short if short.isprintable() else ascii(short)[1:-1]


def _target(parameter: Parameter, type: str) -> str:
    if type not in (parameter.targets or resource_types()):
        raise NotSupported(f"{shown(type)} is not offered as a modifier of {parameter.code}")
    return type


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


def _comparable(value: StringValue, modifier: Modifier | None) -> StringValue:
    if modifier != "exact" and not value.folded:
        raise ValueInvalid("the text holds nothing to compare; accents and white space do not count")
    return value


def count_of(value: str) -> int:
    """Read ``_count``; what is over any limit may come as a smaller number that still is.

    Raises:
        ValueInvalid: it is no whole number from 0.
    """
    if not (value.isascii() and value.isdigit()):
        raise ValueInvalid(f"{shown(value)} is not a count: 0 or more", path="_count")
    # Longer is over any limit; Python refuses to convert thousands of digits.
    significant = value.lstrip("0")
    return int(significant or "0") if len(significant) <= 9 else 999_999_999


@lru_cache(maxsize=1)
def _every_type() -> tuple[str, ...]:
    return tuple(sorted(resource_types()))


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    first, *others = (frozenset(parameters(type)) for type in _every_type())
    return first.intersection(*others)
