"""The grammar of a search: from name and value pairs to a Query.

Source: http://hl7.org/fhir/R4/search.html, sections 3.1.1.3 to 3.1.1.5.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast, get_args

from kintung.errors import BadInput, Issue, KintungError, NotSupported, TooCostly, TooLong, ValueInvalid
from kintung.fhir.search import composites, name_grammar, value_grammar
from kintung.fhir.search.atoms import IN_BODIES, Kind
from kintung.fhir.search.catalogue import Component, resource_types
from kintung.fhir.search.criteria import (
    AllOf,
    Chain,
    Condition,
    Criterion,
    Has,
    Include,
    Modifier,
    Query,
    Sort,
    Total,
)
from kintung.fhir.search.dates import OFFSET_MINUTES
from kintung.fhir.search.in_bodies import InBody
from kintung.fhir.search.inclusion import inclusion, is_inclusion
from kintung.fhir.search.near import Near, near
from kintung.fhir.search.parameters import Parameter, nearest, parameters, shown, together
from kintung.fhir.search.token_text import has_text
from kintung.fhir.search.values import Missing, ReferenceValue, StringValue, TokenValue, Value
from kintung.fhir.search.words import Said, phrase, phrases_of, said
from kintung.fhir.subset import Summary, elements_of, subset, summary_of

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

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""All but tab, line feed and carriage return: http://hl7.org/fhir/R4/datatypes.html#string."""

_RESULT = ("_sort", "_count", "_total", "_type", "_summary", "_elements")


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """Bounds on what one search may ask.

    ``parameters`` and ``values`` (alternatives of one parameter) and ``value_length``
    (characters of one alternative) and ``length`` (characters of names and values together)
    refuse what is over; ``count`` is lowered to the limit; an ``estimated`` total ends there.
    ``cost`` bounds what all parameters ask together: each costs its different alternatives and
    ``_STANDING``, a chain that for each type it may lead to, a composite a multiple of that.
    ``links`` are those of one chain, forward and back. ``words`` are those looked for in texts,
    ``bodies`` what is opened for it (``Query.most_bodies``).
    """

    parameters: int = 100
    values: int = 500
    value_length: int = 4_096
    length: int = 1_000_000
    cost: int = 5_000
    links: int = 3
    sort_keys: int = 10
    words: int = 50
    bodies: int = 5_000
    count: int = 1_000
    estimated: int = 10_000
    default_count: int = 20


SEARCH_LIMITS = SearchLimits()
_STANDING = 5
"""What a parameter costs beside its alternatives."""
_PAIR = 2
"""What an alternative of a composite costs where it is asked of one row."""
_APART = 20
"""The same for each component that is asked by itself: a hundred such alternatives take a second."""


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
    includes: list[Include] = field(default_factory=list[Include])
    summary: Summary | None = None
    elements: frozenset[str] | None = None
    criteria: list[Condition] = field(default_factory=list[Condition])
    in_bodies: list[InBody] = field(default_factory=list[InBody])
    words: int = 0
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
        part = subset(draft.summary, draft.elements)
        if draft.includes and draft.summary == "text":
            raise BadInput(
                "a summary of text has nothing beside the matches; leave out what is included",
                path="_summary",
            )
        return Query(
            types=self.types,
            criteria=tuple(draft.criteria),
            sort=draft.sort,
            count=0 if draft.summary == "count" else draft.count,
            total=draft.total,
            includes=tuple(dict.fromkeys(draft.includes)),
            subset=part,
            used=tuple(draft.used),
            ignored=tuple(draft.ignored),
            in_bodies=tuple(draft.in_bodies),
            most_bodies=self.limits.bodies,
            most_counted=self.limits.estimated if draft.total == "estimate" else None,
        )

    def _read(self, name: str, value: str, draft: "_Draft") -> None:
        _check_text(name)
        _check_text(value)
        if name in _RESULT:
            try:
                draft.used.append((name, self._read_result(name, value, draft)))
            except NotSupported as refusal:
                if name != "_elements":
                    raise
                self._pass_over(name, refusal, draft)
            return
        if is_inclusion(name):
            self._read_inclusion(name, value, draft)
            return
        try:
            asked = self._asked(name)
        except NotSupported as refusal:
            self._pass_over(name, refusal, draft)
        else:
            alternatives = self._alternatives(value)
            draft.cost += (len(alternatives) + _STANDING) * asked.leaves
            if draft.cost > self.limits.cost:
                raise TooCostly(_what_to_do(asked, len(alternatives)))
            if isinstance(asked, _AskedLeaf) and asked.is_in_bodies:
                self._read_in_bodies(asked, alternatives, draft)
            else:
                condition = self._condition(asked, alternatives)
                draft.criteria += condition.conditions if isinstance(condition, AllOf) else (condition,)
            draft.used.append((name, value))

    def _pass_over(self, name: str, refusal: NotSupported, draft: "_Draft") -> None:
        """Leave a parameter out, and say so; raises the refusal unless that is what was preferred."""
        if not self.lenient:
            raise refusal
        draft.ignored.append(Issue(refusal.issue, str(refusal), _path(name), severity="warning"))

    def _read_inclusion(self, name: str, value: str, draft: "_Draft") -> None:
        try:
            draft.includes.append(inclusion(name, value, self.types))
        except NotSupported as refusal:
            self._pass_over(name, refusal, draft)
        else:
            draft.used.append((name, value))

    def _read_in_bodies(self, asked: "_AskedLeaf", alternatives: Sequence[str], draft: "_Draft") -> None:
        """Read what the text of each resource answers."""
        code = asked.parameter.code
        if asked.modifier not in ("", "text") or (asked.modifier and asked.parameter.answered == "bodies"):
            raise NotSupported(f"modifier {shown(asked.modifier)} is not offered for {code}")
        if asked.modifier and not any(has_text(type, code) for type in self.types or _every_type()):
            raise NotSupported("no text stands beside what it reads")
        values = tuple(self._in_body(code, text) for text in alternatives)
        draft.words += sum(1 if isinstance(value, Near) else phrases_of(value) for value in values)
        if draft.words > self.limits.words:
            raise TooLong(f"a search looks for at most {self.limits.words} words in texts")
        draft.in_bodies.append(InBody(code, values))

    def _in_body(self, code: str, text: str) -> Said | Near:
        if len(text) > self.limits.value_length:
            raise TooLong(f"a value has at most {self.limits.value_length} characters")
        if code == "near":
            return near(value_grammar.split(text, "|"))
        plain = value_grammar.unescape(text)
        return said(plain) if code in IN_BODIES else phrase(plain)

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
        elif name == "_summary":
            draft.summary = summary_of(value)
        elif name == "_elements":
            draft.elements = elements_of(value, self.types)
        return value

    def _sort(self, value: str) -> tuple[Sort, ...]:
        keys = value.split(",")
        if len(keys) > self.limits.sort_keys:
            raise TooLong(f"at most {self.limits.sort_keys} sort keys")
        return tuple(Sort(self._sort_key(key.removeprefix("-")), key.startswith("-")) for key in keys)

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

    def _sort_key(self, code: str) -> Parameter:
        found = self._parameter(code)
        if found.kind == "composite":
            raise NotSupported(f"{shown(code)} is a composite, which has no order; sort by a component")
        if found.answered == "bodies":
            raise NotSupported(f"{code} is read in each text, which gives no order")
        return found

    def _asked(self, name: str) -> "_Asked":
        """What the name of a parameter leads to, in the types searched.

        Raises:
            NotSupported: a parameter is unknown here.
            TooLong: there are more links than ``limits.links``.
            BadInput: it cannot be read.
        """
        if name == "_list":
            return _AskedReverse(
                "List", parameters("List")["item"], _AskedLeaf(parameters("List")["_id"], "")
            )
        path = name_grammar.path(name, self.limits.links)
        if not path.links:
            return _AskedLeaf(self._parameter(path.code), path.modifier)
        first, *rest = path.links
        if isinstance(first, name_grammar.Reverse):
            return self._reverse(first, path._replace(links=tuple(rest)), self.types)
        return self._forward(self._parameter(first.code), path)

    def _forward(self, parameter: Parameter, path: name_grammar.Path) -> "_Asked":
        """The first link of a path is to be followed from a reference."""
        first = path.links[0]
        if parameter.kind != "reference":
            raise NotSupported(f"{parameter.code} is a {parameter.kind}; only a reference can be chained")
        assert isinstance(first, name_grammar.Forward)
        targets = (_target(parameter, first.type),) if first.type else parameter.targets
        rest = path._replace(links=path.links[1:])
        found: list[tuple[str, _Asked]] = []
        refusals: list[NotSupported] = []
        for type in targets or _every_type():
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
        return _AskedForward(parameter, tuple(found))

    def _reverse(self, link: name_grammar.Reverse, path: name_grammar.Path, types: Sequence[str]) -> "_Asked":
        """What a resource of one of the types is referred to by."""
        parameter = parameters(_known_type(link.type, None)).get(link.code)
        if parameter is None or parameter.kind != "reference":
            raise NotSupported(f"{link.type} has no reference parameter {shown(link.code)}")
        if parameter.targets and types and not set(types) & set(parameter.targets):
            raise NotSupported(f"{link.code} of {link.type} does not lead to {', '.join(types)}")
        inner = self._within(link.type, path)
        if inner is None:
            raise NotSupported(f"{link.type} has no search parameter {shown(path.next_code)}")
        return _AskedReverse(link.type, parameter, inner)

    def _within(self, type: str, path: name_grammar.Path) -> "_Asked | None":
        """What the rest of a path asks of a resource of this type; None when it has no such parameter."""
        first = path.links[0] if path.links else None
        if isinstance(first, name_grammar.Reverse):
            return self._reverse(first, path._replace(links=path.links[1:]), (type,))
        parameter = parameters(type).get(path.next_code)
        if parameter is None or not parameter.searchable:
            return None
        return _AskedLeaf(parameter, path.modifier) if first is None else self._forward(parameter, path)

    def _alternatives(self, value: str) -> list[str]:
        """The different alternatives of a value, in the order first sent."""
        alternatives = value_grammar.split(value, ",")
        if len(alternatives) > self.limits.values:
            raise TooLong(f"at most {self.limits.values} alternatives, not {len(alternatives)}")
        return list(dict.fromkeys(alternatives))

    def _condition(self, asked: "_Asked", alternatives: Sequence[str]) -> Condition:
        match asked:
            case _AskedLeaf(parameter, modifier):
                return self._criterion(parameter, modifier, alternatives)
            case _AskedReverse(type, parameter, inner):
                return Has(type, parameter, self._condition(inner, alternatives))
            case _AskedForward(parameter, links):
                return self._chain(parameter, links, alternatives)

    def _chain(
        self, parameter: Parameter, links: Sequence[tuple[str, "_Asked"]], alternatives: Sequence[str]
    ) -> Chain:
        inner: list[tuple[str, Condition]] = []
        refusals: list[BadInput] = []
        for type, asked in links:
            try:
                inner.append((type, self._condition(asked, alternatives)))
            except BadInput as refusal:
                # A name may be of different kinds in different targets; a value need fit one.
                refusals.append(refusal)
        if not inner:
            raise refusals[0]
        return Chain(parameter, tuple(inner))

    def _criterion(self, parameter: Parameter, modifier: str, alternatives: Sequence[str]) -> Condition:
        if not parameter.searchable:
            raise NotSupported(f"{parameter.kind} parameters are not offered yet")
        if _AskedLeaf(parameter, modifier).is_in_bodies:
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
            asked = (composites.of_type(self._sized(text)) for text in alternatives)
            return Criterion(composites.of_type_parameter(parameter), None, tuple(dict.fromkeys(asked)))
        if modifier == "identifier" and parameter.kind == "reference":
            parameter, modifier = parameter.of_identifiers(), ""
        target = None
        own: Modifier | None = None
        if modifier in _MODIFIERS.get(parameter.kind, ()) and modifier != "missing":
            own = cast(Modifier, modifier)
        elif modifier and parameter.kind == "reference":
            target = _target(parameter, modifier)
        elif modifier and not (parameter.kind == "uri" and modifier in _BY_PATH):
            raise NotSupported(f"modifier {shown(modifier)} is not offered for a {parameter.kind} parameter")
        values = (
            value for text in alternatives for value in self._values(parameter, target, own or modifier, text)
        )
        return Criterion(parameter, own, tuple(dict.fromkeys(values)))

    def _composite(self, parameter: Parameter, alternatives: Sequence[str]) -> Condition:
        def read(component: Component, text: str) -> Sequence[Value]:
            part = Parameter(parameter.type, parameter.code, component.kind, targets=component.targets)
            return tuple(self._values(part, None, "", text))

        found = (
            value
            for text in alternatives
            for value in composites.composite_values(parameter, self._sized(text), read)
        )
        return composites.composite_condition(parameter, list(dict.fromkeys(found)))

    def _sized(self, text: str) -> str:
        """One alternative, which is neither empty nor too long."""
        if not text:
            raise ValueInvalid("a value is missing")
        if len(text) > self.limits.value_length:
            raise TooLong(f"a value has at most {self.limits.value_length} characters")
        return text

    def _values(self, parameter: Parameter, target: str | None, modifier: str, text: str) -> Iterable[Value]:
        text = self._sized(text)
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


@dataclass(frozen=True, slots=True)
class _AskedLeaf:
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
class _AskedForward:
    """A reference, and what is asked of each type it may lead to."""

    parameter: Parameter
    inner: tuple[tuple[str, "_Asked"], ...]

    @property
    def leaves(self) -> int:
        return sum(asked.leaves for _, asked in self.inner)


@dataclass(frozen=True, slots=True)
class _AskedReverse:
    """A reference of another type that leads here, and what is asked of what has it."""

    type: str
    parameter: Parameter
    inner: "_Asked"

    @property
    def leaves(self) -> int:
        return self.inner.leaves


_Asked = _AskedLeaf | _AskedForward | _AskedReverse
"""What a name asks before its values are read; ``leaves`` are the parameters compared with them."""


def _what_to_do(asked: _Asked, alternatives: int) -> str:
    narrower = (
        f"it leads to {len(asked.inner)} types: name the one meant, as in {asked.parameter.code}:Patient.name"
        if isinstance(asked, _AskedForward) and len(asked.inner) > 1
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


def _comparable(value: StringValue, modifier: str) -> StringValue:
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
