"""The grammar of a search: from name and value pairs to a Query.

Source: http://hl7.org/fhir/R4/search.html, sections 3.1.1.3 to 3.1.1.5.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import cast, get_args

from kintung.errors import BadInput, Issue, KintungError, NotSupported, TooCostly, TooLong, ValueInvalid
from kintung.fhir.references import is_id
from kintung.fhir.search import value_grammar
from kintung.fhir.search.asked import Asked, AskedForward, AskedLeaf, Names, every_type, known_type
from kintung.fhir.search.atoms import IN_BODIES
from kintung.fhir.search.conditions import Conditions, OtherForms, no_others
from kintung.fhir.search.criteria import (
    AllOf,
    AnyOf,
    Chain,
    Condition,
    Criterion,
    Has,
    Include,
    Query,
    Sort,
    Total,
)
from kintung.fhir.search.dates import OFFSET_MINUTES
from kintung.fhir.search.in_bodies import InBody
from kintung.fhir.search.inclusion import inclusion, is_inclusion
from kintung.fhir.search.limits import SEARCH_LIMITS, SearchLimits
from kintung.fhir.search.near import Near, near
from kintung.fhir.search.parameters import shown
from kintung.fhir.search.token_text import has_text
from kintung.fhir.search.words import Said, phrase, phrases_of, said
from kintung.fhir.subset import Summary, elements_of, subset, summary_of

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""All but tab, line feed and carriage return: http://hl7.org/fhir/R4/datatypes.html#string."""

_RESULT = ("_sort", "_count", "_total", "_type", "_summary", "_elements", "_contained")
_STANDING = 5
"""What a parameter costs beside its alternatives."""


def parse_query(  # noqa: PLR0913 - what a search is read against
    type: str | None,
    pairs: Sequence[tuple[str, str]],
    *,
    now_micros: int,
    offset_minutes: int = OFFSET_MINUTES,
    limits: SearchLimits = SEARCH_LIMITS,
    lenient: bool = False,
    ignore: Collection[str] = (),
    base: str | None = None,
    others: OtherForms = no_others,
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
        others: what texts may also stand as in the index.

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
    names = Names(_types(type, own), limits.links)
    conditions = Conditions(now_micros, offset_minutes, base, limits.value_length, others)
    return _Reading(names, conditions, limits, lenient).query(own)


def _types(type: str | None, pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    listed = [value for name, value in pairs if name == "_type"]
    if type is not None:
        if listed:
            raise NotSupported("_type narrows a search of the whole system, not of one type", path="_type")
        return (known_type(type, None),)
    if len(listed) > 1:
        raise BadInput("_type is given more than once; list the types with commas", path="_type")
    return tuple(dict.fromkeys(known_type(name, "_type") for value in listed for name in value.split(",")))


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
    """The reading of one search."""

    names: Names
    conditions: Conditions
    limits: SearchLimits
    lenient: bool

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
            types=self.names.types,
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
                if name not in ("_elements", "_contained"):
                    raise
                self._pass_over(name, refusal, draft)
            return
        if is_inclusion(name):
            self._read_inclusion(name, value, draft)
            return
        try:
            asked = self.names.asked(name)
        except NotSupported as refusal:
            self._pass_over(name, refusal, draft)
        else:
            alternatives = self._alternatives(value)
            if name == "_list":
                alternatives = [_id_of_list(text) for text in alternatives]
            draft.cost += (len(alternatives) + _STANDING) * asked.leaves
            if draft.cost > self.limits.cost:
                raise TooCostly(_what_to_do(asked, len(alternatives)))
            if isinstance(asked, AskedLeaf) and asked.is_in_bodies:
                self._read_in_bodies(asked, alternatives, draft)
            else:
                condition = self.conditions.condition(asked, alternatives)
                draft.cost += _other_forms(condition)
                if draft.cost > self.limits.cost:
                    raise TooCostly(_what_to_do(asked, len(alternatives)))
                draft.criteria += condition.conditions if isinstance(condition, AllOf) else (condition,)
            draft.used.append((name, value))

    def _pass_over(self, name: str, refusal: NotSupported, draft: "_Draft") -> None:
        """Leave a parameter out, and say so; raises the refusal unless that is what was preferred."""
        if not self.lenient:
            raise refusal
        draft.ignored.append(Issue(refusal.issue, str(refusal), _path(name), severity="warning"))

    def _read_inclusion(self, name: str, value: str, draft: "_Draft") -> None:
        try:
            draft.includes.append(inclusion(name, value, self.names.types))
        except NotSupported as refusal:
            self._pass_over(name, refusal, draft)
        else:
            draft.used.append((name, value))

    def _read_in_bodies(self, asked: AskedLeaf, alternatives: Sequence[str], draft: "_Draft") -> None:
        """Read what the text of each resource answers."""
        code = asked.parameter.code
        if asked.modifier not in ("", "text") or (asked.modifier and asked.parameter.answered == "bodies"):
            raise NotSupported(f"modifier {shown(asked.modifier)} is not offered for {code}")
        if asked.modifier and not any(has_text(type, code) for type in self.names.types or every_type()):
            raise NotSupported("no text stands beside what it reads")
        values = tuple(self._in_body(code, text) for text in alternatives)
        draft.words += sum(1 if isinstance(value, Near) else phrases_of(value) for value in values)
        if draft.words > self.limits.words:
            raise TooLong(f"a search looks for at most {self.limits.words} words in texts")
        draft.in_bodies.append(InBody(code, values))

    def _in_body(self, code: str, text: str) -> Said | Near:
        text = self.conditions.sized(text)
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
            draft.elements = elements_of(value, self.names.types)
        elif name == "_contained":
            _require_uncontained(value)
        return value

    def _sort(self, value: str) -> tuple[Sort, ...]:
        keys = value.split(",")
        if len(keys) > self.limits.sort_keys:
            raise TooLong(f"at most {self.limits.sort_keys} sort keys")
        return tuple(Sort(self.names.sort_key(key.removeprefix("-")), key.startswith("-")) for key in keys)

    def _alternatives(self, value: str) -> list[str]:
        """The different alternatives of a value, in the order first sent."""
        alternatives = value_grammar.split(value, ",")
        if len(alternatives) > self.limits.values:
            raise TooLong(f"at most {self.limits.values} alternatives, not {len(alternatives)}")
        return list(dict.fromkeys(alternatives))


def _other_forms(condition: Condition) -> int:
    """Values that were not asked for but that what is asked may stand as (``OtherForms``)."""
    match condition:
        case AnyOf((Criterion(parameter), *others)) if parameter.kind == "string":
            return sum(len(each.values) for each in others if isinstance(each, Criterion))
        case Chain(_, inner):
            return sum(_other_forms(each) for _, each in inner)
        case Has(_, _, inner):
            return _other_forms(inner)
        case _:
            return 0


def _require_uncontained(value: str) -> None:
    """Take the default of ``_contained``; raises NotSupported for others, ValueInvalid for what is none."""
    if value in ("true", "both"):
        raise NotSupported("resources inside others are not searched for; leave it out")
    if value != "false":
        raise ValueInvalid(f"{shown(value)} is none of true, false, both")


def _id_of_list(text: str) -> str:
    """The id of a List, which may be written with its type.

    Raises:
        NotSupported: it is one of the functional lists, such as ``$current-problems``.
        ValueInvalid: it is no id.
    """
    if text.startswith("$"):
        raise NotSupported("the functional lists are not offered; name a List by its id")
    id = text.removeprefix("List/")
    if not is_id(id):
        raise ValueInvalid("a List is named by its id, or as List/42")
    return id


def _what_to_do(asked: Asked, alternatives: int) -> str:
    narrower = (
        f"it leads to {len(asked.inner)} types: name the one meant, as in {asked.parameter.code}:Patient.name"
        if isinstance(asked, AskedForward) and len(asked.inner) > 1
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
