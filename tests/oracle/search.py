"""Answers a FHIR search by walking every resource: slow, and meant to be obviously right.

Source: https://hl7.org/fhir/R4/search.html with the readings in spec-readings.md.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle import texts
from tests.oracle.composites import COMPOSITES, Composite, has_identifiers, tuples, typed_identifiers
from tests.oracle.tables import COMMON, PARAMETERS, Parameter
from tests.oracle.values import (
    HONG_KONG,
    Amount,
    Held,
    Reference,
    Span,
    Token,
    fold,
    rows,
    span,
    target,
    tokens,
    walk,
)

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
RESULT_PARAMETERS = ("_sort", "_count", "_total", "_type", "_format")
INCLUSIONS = ("_include", "_revinclude", "_include:iterate", "_revinclude:iterate")


IN_TEXTS = ("_text", "_content", "near")
"""Parameters that are read in the text of each resource; tokens with ``:text`` are, too."""
STRAYS: Mapping[tuple[str, str], Collection[str]] = {
    ("MedicationRequest", "intended-dispenser"): ("Practitioner",),
    ("Observation", "performer"): ("Encounter",),
}
"""Types that examples refer to where the parameter allows others: no id alone and no chain leads there."""


def said_in(held: Held, code: str) -> list[str]:
    """The texts in which a parameter looks for words."""
    if code == "_text":
        return texts.narrative(held)
    if code == "_content":
        return list(texts.content(held.resource))
    parameter = PARAMETERS.get(held.resource["resourceType"], COMMON)[code]
    assert parameter.kind == "token", code
    return texts.beside_codes(held, parameter)


class Oracle:
    """Searches over resources held in commit order, oldest first, references resolved."""

    def __init__(
        self,
        held: Sequence[Held],
        *,
        now: int,
        offset: int = HONG_KONG,
        vaulted: Sequence[str] = (),
    ) -> None:
        """Take the current resources.

        Args:
            held: in commit order; a (type, id) may stand once.
            now: microseconds since 1970; ``ap`` on dates measures from it.
            offset: minutes east of Greenwich for times without a zone.
            vaulted: systems whose identifiers are kept hashed: they are found by their normal
                form, too, and ordered by their system alone. Systems with a rule of their own
                beyond the plain normal form (a check digit added, re-issues cut off) are not known here.
        """
        self.held = held
        self.now = now
        self.offset = offset
        self.vaulted = frozenset(vaulted)
        self._by_name = {(h.resource["resourceType"], h.resource["id"]): h for h in held}
        assert len(self._by_name) == len(held), "a resource is held twice"

    def search(
        self,
        type: str | None,
        parameters: Iterable[tuple[str, str]],
        among: Callable[[Held], bool] = lambda _: True,
    ) -> list[str]:
        """All matches as ``Type/id``: by ``_sort``, then newest commit first.

        ``type`` None searches the system, narrowed by ``_type``; ``among`` narrows it to a compartment.
        Pages and totals are the caller's: ``_count`` and ``_total`` are passed over.
        """
        parameters = list(parameters)
        types = [type] if type else None
        for name, value in parameters:
            if name == "_type":
                types = value.split(",")
        no_criteria = (*RESULT_PARAMETERS, *INCLUSIONS)
        criteria = [(name, value) for name, value in parameters if name not in no_criteria]
        found = [
            h
            for h in reversed(self.held)
            if (types is None or h.resource["resourceType"] in types)
            and among(h)
            and all(self.matches(h, name, value) for name, value in criteria)
        ]
        for name, value in parameters:
            if name == "_sort":
                found = self._sorted(found, value)
        return [f"{h.resource['resourceType']}/{h.resource['id']}" for h in found]

    def covers(self, type: str | None, parameters: Iterable[tuple[str, str]]) -> bool:
        """Whether the tables hold every parameter that can bear on a search."""
        known = COMMON if type is None else PARAMETERS.get(type, COMMON)
        for name, value in parameters:
            if name == "_sort":
                if not all(key.removeprefix("-") in known for key in value.split(",")):
                    return False
            elif name not in (*RESULT_PARAMETERS, *INCLUSIONS, *IN_TEXTS) and not self._name_covered(
                type, name
            ):
                return False
        return True

    def covers_included(self, parameters: Iterable[tuple[str, str]]) -> bool:
        """Whether the tables hold the parameters of every inclusion; of a wildcard they may not have all."""
        return all(
            ":" in value and value.split(":")[1] in PARAMETERS.get(value.split(":")[0], {})
            for name, value in parameters
            if name in INCLUSIONS
        )

    def _name_covered(self, type: str | None, name: str) -> bool:
        """Whether the tables hold every parameter on the way of a name."""
        known = COMMON if type is None else PARAMETERS.get(type, COMMON)
        if name.startswith("_has:"):
            _, other, code, rest = name.split(":", 3)
            return code in PARAMETERS.get(other, {}) and self._name_covered(other, rest)
        link, dot, rest = name.partition(".")
        code, _, wanted = link.partition(":")
        if code in COMPOSITES.get(type or "", {}):
            return True
        if wanted == "of-type":
            return has_identifiers(type or "", code)
        if code not in known or not dot:
            return code in known
        sources = [h for h in self.held if h.resource["resourceType"] == type]
        found = {row.type for h in sources for row in rows(h, known[code], self.offset)}
        targets = {wanted} if wanted else found - {""}
        return targets <= set(PARAMETERS) and all(
            self._name_covered(target, rest)
            for target in targets
            if wanted or _first(rest) in {*PARAMETERS[target], *COMPOSITES.get(target, {})}
        )

    # -- what a page includes -------------------------------------------------------------

    def included(self, matches: Sequence[str], parameters: Iterable[tuple[str, str]]) -> list[str]:
        """What the matches of a page include, newest commit first: all that is reached, however far."""
        inclusions = [(name, value) for name, value in parameters if name in INCLUSIONS]
        found = set(matches)
        reached = set(matches)
        while reached:
            reached = {end for each in inclusions for end in self._ends(reached, *each)} - found
            found |= reached
            inclusions = [(name, value) for name, value in inclusions if name.endswith(":iterate")]
        order = [f"{h.resource['resourceType']}/{h.resource['id']}" for h in reversed(self.held)]
        return [name for name in order if name in found - set(matches)]

    def _ends(self, start: Collection[str], name: str, value: str) -> Iterator[str]:
        """The other end of each reference that leads from one of the names, or to one of them."""
        source, code, *wanted = value.split(":")
        for held in self.held:
            if held.resource["resourceType"] != source:
                continue
            own = f"{source}/{held.resource['id']}"
            for row in rows(held, PARAMETERS[source][code], self.offset):
                led = f"{row.type}/{row.id}"
                if (row.type, row.id) not in self._by_name or (wanted and row.type != wanted[0]):
                    continue
                if name.startswith("_include") and own in start:
                    yield led
                if name.startswith("_revinclude") and led in start:
                    yield own

    # -- one criterion --------------------------------------------------------------------

    def matches(self, held: Held, name: str, value: str) -> bool:
        """Whether a resource meets one ``name=value``."""
        if name == "_list":
            return self._has(held, "List:item:_id", value)
        if name.startswith("_has:"):
            return self._has(held, name.removeprefix("_has:"), value)
        link, dot, rest = name.partition(".")
        if dot:
            return self._chain(held, link, rest, value)
        code, _, modifier = name.partition(":")
        composite = COMPOSITES.get(held.resource["resourceType"], {}).get(code)
        if composite is not None:
            return self._together(held, composite, modifier, value)
        if modifier == "of-type":
            return any(self._of_type(held, code, part) for part in split(value, ","))
        if code in IN_TEXTS or modifier == "text":
            return self._in_text(held, code, value)
        parameter = self._parameter(held, code)
        if modifier == "identifier":
            named = identifiers(held, parameter)
            return any(token_test(part, self.vaulted)(row) for part in split(value, ",") for row in named)
        found = rows(held, parameter, self.offset)
        if modifier == "missing":
            assert value in ("true", "false"), value
            return (value == "true") == (not found)
        strays = STRAYS.get((held.resource["resourceType"], code), ())
        tests = [self._test(parameter.kind, modifier, part, strays) for part in split(value, ",")]
        hit = any(test(row) for test in tests for row in found)
        return not hit if modifier == "not" else hit

    def _together(self, held: Held, composite: Composite, modifier: str, value: str) -> bool:
        """Whether values that stand in one element meet the parts of one alternative, each its own."""
        found = tuples(held, composite, self.offset)
        if modifier == "missing":
            return (value == "true") == (not found)
        assert modifier == "", modifier
        for alternative in split(value, ","):
            texts = split(alternative, "$")
            tests = [
                self._test(part.kind, "", text)
                for (_, part), text in zip(composite.parts, texts, strict=True)
            ]
            if any(all(test(row) for test, row in zip(tests, row, strict=True)) for row in found):
                return True
        return False

    def _of_type(self, held: Held, code: str, text: str) -> bool:
        """Whether an identifier with this value is of this type, whatever system numbers it."""
        system, type, value = (unescape(part) for part in split(text, "|"))
        for named, number in typed_identifiers(held, code):
            same = number.code == value or (
                number.system in self.vaulted and normal_form(number.code or "") == normal_form(value)
            )
            if named == (system, type) and same:
                return True
        return False

    def _in_text(self, held: Held, code: str, value: str) -> bool:
        """Whether the text of a resource says one of the alternatives."""
        parts = split(value, ",")
        if code == "near":
            places = [held.resource["position"]] if "position" in held.resource else []
            return any(texts.near_test(part)(place) for part in parts for place in places)
        found = said_in(held, code)
        if code in IN_TEXTS:
            return any(texts.words_test(unescape(part))(found) for part in parts)
        return any(texts.said(found, unescape(part)) for part in parts)

    def _chain(self, held: Held, link: str, rest: str, value: str) -> bool:
        """Whether any target of the reference meets the rest of the chain."""
        code, _, wanted = link.partition(":")
        strays = STRAYS.get((held.resource["resourceType"], code), ())
        for reference in rows(held, self._parameter(held, code), self.offset):
            found = self._by_name.get((reference.type, reference.id))
            if found is None or reference.type in strays or (wanted and reference.type != wanted):
                continue
            known = {*PARAMETERS.get(reference.type, COMMON), *COMPOSITES.get(reference.type, {})}
            if _first(rest) in ("_has", *known) and self.matches(found, rest, value):
                return True
        return False

    def _has(self, held: Held, asked: str, value: str) -> bool:
        """Whether any resource of the type refers here and meets the rest."""
        type, code, rest = asked.split(":", 2)
        own = (held.resource["resourceType"], held.resource["id"])
        for other in self.held:
            if other.resource["resourceType"] != type:
                continue
            found = rows(other, self._parameter(other, code), self.offset)
            if own in [(row.type, row.id) for row in found] and self.matches(other, rest, value):
                return True
        return False

    def _parameter(self, held: Held, code: str) -> Parameter:
        return PARAMETERS.get(held.resource["resourceType"], COMMON)[code]

    def _test(
        self, kind: str, modifier: str, text: str, strays: Collection[str] = ()
    ) -> Callable[[Any], bool]:
        match kind:
            case "token":
                assert modifier in ("", "not"), modifier
                return token_test(text, self.vaulted)
            case "reference":
                return reference_test(text, modifier, strays)
            case "uri":
                return uri_test(text, modifier)
            case "string":
                return string_test(text, modifier)
            case "date":
                assert modifier == "", modifier
                return date_test(text, self.now, self.offset)
            case _:
                assert modifier == "", modifier
                return amount_test(text)

    # -- order ----------------------------------------------------------------------------

    def _sorted(self, found: list[Held], order: str) -> list[Held]:
        """Order by the last key first: Python's sort keeps ties as they stand."""
        for key in reversed(order.split(",")):
            code, descending = key.removeprefix("-"), key.startswith("-")
            with_value: list[tuple[Any, Held]] = []
            without: list[Held] = []
            for held in found:
                parameter = self._parameter(held, code)
                values = [
                    self._sort_value(parameter.kind, row, descending)
                    for row in rows(held, parameter, self.offset)
                ]
                if values:
                    with_value.append((max(values) if descending else min(values), held))
                else:
                    without.append(held)
            with_value.sort(key=lambda pair: pair[0], reverse=descending)
            found = [held for _, held in with_value] + without
        return found

    def _sort_value(self, kind: str, row: Any, descending: bool) -> Any:
        match kind:
            case "token":
                code = "" if row.system in self.vaulted else row.code or ""
                return (code, row.system or "")
            case "string":
                return (comparable(row), row)
            case "date" | "number" | "quantity":
                return row.high if descending else row.low
            case _:
                return row


# -- the value of a criterion ---------------------------------------------------------------


def _first(name: str) -> str:
    """The first code of a name."""
    return name.partition(".")[0].partition(":")[0]


def identifiers(held: Held, parameter: Parameter) -> list[Token]:
    """The identifiers that stand in the References of a parameter."""
    assert parameter.kind == "reference", parameter.code
    return [
        token
        for place in parameter.places
        if place.type == "Reference"
        for element in walk(held.resource, place.path)
        for token in tokens(element.get("identifier", {}), "Identifier")
    ]


def uri_test(text: str, modifier: str) -> Callable[[Any], bool]:
    """Equal letter for letter; ``:below`` and ``:above`` go by the steps of the path."""
    asked = unescape(text)
    if modifier == "":
        return lambda row: row == asked

    if modifier == "below":
        return lambda row: (
            row == asked or row[: len(asked.removesuffix("/")) + 1] == asked.removesuffix("/") + "/"
        )
    assert modifier == "above", modifier
    return lambda row: row == asked or is_above(row, asked)


def is_above(high: str, low: str) -> bool:
    """Is ``high`` a folder of the URL ``low``, written with or without its slash?"""
    scheme, _, rest = low.partition("://")
    steps = rest.split("/")
    folders = ["/".join(steps[:count]) for count in range(1, len(steps))]
    return high in [f"{scheme}://{folder}{end}" for folder in folders for end in ("", "/")]


def split(text: str, separator: str) -> list[str]:
    """Cut at separators that no backslash escapes; the escapes stay."""
    parts, current, index = [], "", 0
    while index < len(text):
        if text[index] == "\\":
            current += text[index : index + 2]
            index += 2
            continue
        if text[index] == separator:
            parts.append(current)
            current = ""
        else:
            current += text[index]
        index += 1
    return [*parts, current]


def unescape(text: str) -> str:
    r"""Read ``\,`` ``\|`` ``\$`` and ``\\`` as the character they protect."""
    result, index = "", 0
    while index < len(text):
        if text[index] == "\\" and text[index + 1 : index + 2] in (",", "|", "$", "\\"):
            index += 1
        result += text[index]
        index += 1
    return result


def prefix(text: str) -> tuple[str, str]:
    """Part a number or date from its prefix, ``eq`` when it has none."""
    return (text[:2], text[2:]) if text[:2] in PREFIXES else ("eq", text)


def token_test(text: str, vaulted: Collection[str] = ()) -> Callable[[Token], bool]:
    """``code``, ``|code``, ``system|`` or ``system|code``.

    Codes of ``vaulted`` systems are compared by their normal form.
    """
    parts = [unescape(part) for part in split(text, "|")]

    def same(row: Token, code: str) -> bool:
        if row.code is None or row.system not in vaulted:
            return row.code == code
        return normal_form(row.code) == normal_form(code)

    if len(parts) == 1:
        return lambda row: same(row, parts[0])
    system, code = parts
    return lambda row: (row.system or "") == system and (code == "" or same(row, code))


def normal_form(number: str) -> str:
    """A number of an identity document as it is compared: ``s-999`` and ``Ｓ９９９`` are one.

    NFKC, capitals, only letters and digits; of signs alone, the signs. Source: "Normal form" in
    docs/reference/definitions.md.
    """
    signs = unicodedata.normalize("NFKC", number).upper()
    kept = re.sub(r"[\W_]", "", signs)
    return unicodedata.normalize("NFKC", kept or signs)


def reference_test(text: str, type: str, strays: Collection[str]) -> Callable[[Reference], bool]:
    """``Type/id``, ``id`` (with the modifier: of that type), or an address, which may look like an id.

    An id alone is of none of the types in ``strays``.
    """
    text = unescape(text)
    wanted = target(text)
    if wanted.type or ":" in text:
        return lambda row: row == wanted
    if type:
        return lambda row: row == Reference(type, text)
    return lambda row: row.id == text and row.type not in strays


def string_test(text: str, modifier: str) -> Callable[[str], bool]:
    text = unescape(text)
    match modifier:
        case "exact":
            return lambda row: row == text
        case "contains":
            return lambda row: comparable(text) in comparable(row)
        case "":
            return lambda row: comparable(row).startswith(comparable(text))
    raise AssertionError(f"no modifier of strings: {modifier}")


def comparable(text: str) -> str:
    """What of a string is compared, but for ``:exact``: 255 characters, folded."""
    return fold(text)[:255]


def date_test(text: str, now: int, offset: int) -> Callable[[Span], bool]:
    """The table of prefixes: the span searched for is [s, e), the one found [l, h)."""
    sign, text = prefix(text)
    s, e = span(text, offset)
    margin = max(0, s - now, now - e) // 10
    return {
        "eq": lambda row: s <= row.low and row.high <= e,
        "ne": lambda row: not (s <= row.low and row.high <= e),
        "gt": lambda row: row.high > e,
        "lt": lambda row: row.low < s,
        "ge": lambda row: row.high > e or (s <= row.low and row.high <= e),
        "le": lambda row: row.low < s or (s <= row.low and row.high <= e),
        "sa": lambda row: row.low >= e,
        "eb": lambda row: row.high <= s,
        "ap": lambda row: row.low < e + margin and row.high > s - margin,
    }[sign]


def amount_test(text: str) -> Callable[[Amount], bool]:
    """``[prefix]number`` or ``[prefix]number|system|code``; the one found is [l, h]."""
    number, *units = split(text, "|")
    sign, number = prefix(number)
    v = Fraction(Decimal(number))
    exponent = Decimal(number).as_tuple().exponent
    assert isinstance(exponent, int), number
    half = Fraction(10) ** exponent / 2
    tenth = abs(v) / 10

    def equal(row: Amount) -> bool:
        return v - half <= row.low and row.high < v + half

    compare: Callable[[Amount], bool] = {
        "eq": equal,
        "ne": lambda row: not equal(row),
        "gt": lambda row: row.high > v,
        "lt": lambda row: row.low < v,
        "ge": lambda row: row.high >= v,
        "le": lambda row: row.low <= v,
        "sa": lambda row: row.low > v,
        "eb": lambda row: row.high < v,
        "ap": lambda row: row.low <= v + tenth and row.high >= v - tenth,
    }[sign]
    if not units:
        return compare
    system, code = (unescape(part) for part in units)
    return lambda row: compare(row) and unit_test(row, system, code)


def unit_test(row: Amount, system: str, code: str) -> bool:
    """``|system|code`` compares both, ``||code`` compares the code or the unit."""
    if system == "":
        return code in (row.code, row.unit)
    return row.system == system and code in ("", row.code)
