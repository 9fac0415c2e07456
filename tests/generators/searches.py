"""Draws valid searches whose values really occur in a corpus.

Each search is built around a *witness*: a resource of the corpus that is meant to match
it, so that AND, chains and prefixes have answers; now and then a value is changed a
little, so that they also have none. The cells (kind of parameter, prefix, modifier) are
taken in turn: every legal one comes equally often.
"""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from math import isfinite
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.oracle.composites import COMPOSITES, has_identifiers, tuples, typed_identifiers
from tests.oracle.search import PREFIXES, amount_test, date_test, identifiers, said_in, string_test
from tests.oracle.tables import COMMON, PARAMETERS
from tests.oracle.texts import words
from tests.oracle.values import (
    HONG_KONG,
    Amount,
    Held,
    Reference,
    Span,
    Token,
    amounts,
    fold,
    references,
    rows,
    spans,
    tokens,
)

Cell = tuple[str, str, str]
"""Kind of parameter, prefix ("" for none), modifier ("" for none, ":Type" for any type)."""

Place = tuple[str, str]
"""A resource type and the code of one of its parameters."""

Registry = Mapping[str, Mapping[str, tuple[str, Sequence[str]]]]
"""Resource type -> code -> (kind, target types; none when any)."""

CELLS: tuple[Cell, ...] = (
    *((kind, prefix, "") for kind in ("date", "number", "quantity") for prefix in ("", *PREFIXES)),
    *((kind, "", "missing") for kind in ("date", "number", "quantity", "uri")),
    *(("string", "", modifier) for modifier in ("", "exact", "contains", "missing")),
    *(("token", "", modifier) for modifier in ("", "not", "missing")),
    *(("reference", "", modifier) for modifier in ("", ":Type", "missing", "identifier")),
    *(("uri", "", modifier) for modifier in ("", "below", "above")),
    *(("composite", "", modifier) for modifier in ("", "missing")),
    ("of-type", "", ""),
    *(("token", "", "text"), ("string", "", "_text"), ("string", "", "_content"), ("special", "", "")),
)
STORED = ("_id", "_lastUpdated")
"""Parameters every resource has a value for: ``:missing`` is not asked of them."""
IN_TEXTS: Mapping[Cell, str] = {
    ("token", "", "text"): ":text",
    ("string", "", "_text"): "_text",
    ("string", "", "_content"): "_content",
    ("special", "", ""): "near",
}
"""Cells that are read in the text of each resource, and the code of their places or its end."""
IDENTIFIER = ":identifier"
"""Ends the code of a place that has its values in the identifiers of references."""
KINDS = {kind for kind, _, _ in CELLS}
"""Of parameters; identifiers of a type are asked for as if ``identifier:of-type`` were one."""
UNSORTED = ("composite", "of-type")
FEATURES = (
    *("and", "or", "chain", "typed chain", "several links", "_has", "both ways"),
    *("missing", "sort", "count", "total", "system"),
    *("_include", "_revinclude", ":iterate", "wildcard"),
)
LINKS = 3
"""Links of one chain, forward and back, at most."""


def known_to_the_oracle() -> Registry:
    """The parameters of the oracle's tables, each with any target."""
    return {
        type: {code: (parameter.kind, ()) for code, parameter in parameters.items()}
        | dict.fromkeys(COMPOSITES.get(type, {}), ("composite", ()))
        for type, parameters in PARAMETERS.items()
    }


def with_typed_identifiers(registry: Registry) -> Registry:
    """The parameters, with those of ``:of-type`` as parameters of their own."""
    return {
        type: {
            **codes,
            **{f"{code}:of-type": ("of-type", ()) for code in codes if has_identifiers(type, code)},
        }
        for type, codes in registry.items()
    }


@dataclass(frozen=True)
class Search:
    """One search: parameters decoded, in order; ``type`` None asks the whole system."""

    type: str | None
    parameters: tuple[tuple[str, str], ...]
    cells: frozenset[Cell] = frozenset()
    features: frozenset[str] = frozenset()

    @property
    def query(self) -> str:
        """The percent-encoded query string."""
        return "&".join(f"{quote(name, safe=':')}={quote(value, safe='')}" for name, value in self.parameters)

    def __str__(self) -> str:
        return f"{self.type or ''}?" + "&".join(f"{name}={value}" for name, value in self.parameters)


def name(held: Held) -> tuple[str, str]:
    """Type and id."""
    return held.resource["resourceType"], held.resource["id"]


class Criterion(NamedTuple):
    name: str
    value: str
    cell: Cell
    features: frozenset[str]


class Searches:
    """An endless source of searches over one corpus; the same arguments give the same searches."""

    def __init__(
        self,
        held: Sequence[Held],
        rng: Random,
        *,
        now: int,
        parameters: Registry | None = None,
        offset: int = HONG_KONG,
    ) -> None:
        """Take the corpus in commit order.

        Args:
            held: the resources, references resolved.
            rng: the only source of chance.
            now: microseconds; where ``ap`` on dates is measured from.
            parameters: which parameters exist; those of the oracle when not given.
                Parameters the oracle has no table for get values of their shape from
                anywhere in the resource; kinds without a cell (special) are passed over.
            offset: minutes east of Greenwich for times without a zone.
        """
        self.rng = rng
        self.now = now
        self.offset = offset
        self.parameters = {
            type: {code: known for code, known in codes.items() if known[0] in KINDS}
            for type, codes in with_typed_identifiers(parameters or known_to_the_oracle()).items()
        }
        self.by_type: dict[str, list[Held]] = defaultdict(list)
        for resource in held:
            self.by_type[resource.resource["resourceType"]].append(resource)
        self.by_name = {name(h): h for h in held}
        self._rows: dict[tuple[int, str], list[Any]] = {}
        self._holders: dict[tuple[str, str], list[Held]] = {}
        self._places = self._find_places()
        self._referrers = self._find_referrers()
        self._referred: dict[tuple[str, str], list[tuple[Held, str]]] = defaultdict(list)
        for target, referrers in sorted(self._referrers.items()):
            for referrer, code in referrers:
                self._referred[name(referrer)].append((self.by_name[target], code))
        self._linked = self._narrowed(self._is_linked)
        self._common = self._narrowed(lambda _, code: code in COMMON)

    def __iter__(self) -> Iterator[Search]:
        for cell in itertools.cycle(CELLS):
            yield self.draw(cell)

    def draw(self, cell: Cell) -> Search:
        """One search with ``cell`` in its first criterion."""
        if cell in IN_TEXTS:
            return self._draw_in_texts(cell)
        drawn = self.rng.random()
        kind = IDENTIFIER if cell[2] == IDENTIFIER[1:] else cell[0]
        if drawn < 0.2 and self._linked[kind]:
            type, code = self._place(self._linked[kind], cell)
            target = self.rng.choice([h for h in self._holding(type, code) if self._is_linked_itself(h)])
            witness, criterion = self._far(target, self._criterion(target, code, cell))
            return self._completed(witness.resource["resourceType"], witness, [criterion])
        if drawn < 0.26 and self._common[kind] and cell[:1] + cell[2:] != ("date", "missing"):
            type, code = self._place(self._common[kind], cell)
            witness = self._any(type, code)
            return self._completed(None, witness, [self._criterion(witness, code, cell)])
        type, code = self._place(self._places[kind], cell)
        witness = self._any(type, code)
        if cell[2] == "missing" and self.rng.random() < 0.5:
            witness = self.rng.choice(self.by_type[type])
        return self._completed(type, witness, [self._criterion(witness, code, cell)])

    def _draw_in_texts(self, cell: Cell) -> Search:
        type, code = self._place(self._places[IN_TEXTS[cell]], cell)
        witness = self._any(type, code)
        row = self.rng.choice(self.values(witness, code))
        value = self._near(row) if code == "near" else escape(self._words(row, cell[2]))
        return self._completed(type, witness, [Criterion(code, value, cell, frozenset())])

    def _words(self, text: str, modifier: str) -> str:
        """Some words of a text, in one of the forms they may be searched in."""
        found = words(text)
        at = self.rng.randrange(len(found))
        some = [piece[: self.rng.randint(2, 12)] for piece in found[at : at + self.rng.randint(1, 3)]]
        are_operators = any(piece in ("and", "or") for piece in some)
        if modifier == "text" or are_operators or self.rng.random() < 0.3:
            phrase = " ".join([*found[at : at + len(some) - 1], some[-1]])
            return phrase if modifier == "text" else f'"{phrase.upper()}"'
        if self.rng.random() < 0.3:
            return f"{' '.join(some)} OR nobodysaysthis"
        return self.rng.choice((str, str.upper, spaced))(" ".join(some))

    def _near(self, position: Mapping[str, Any]) -> str:
        """A place some way from a position, and a distance that may reach it."""
        north, east = (self.rng.uniform(-0.3, 0.3) for _ in range(2))
        latitude = min(max(float(position["latitude"]) + north, -90), 90)
        longitude = min(max(float(position["longitude"]) + east, -180), 180)
        far = self.rng.choice(("", "|10", "|30|km", "|30000|m", "|20|mi", "|25|[mi_us]"))
        return f"{latitude:.4f}|{longitude:.4f}{far}"

    def _completed(self, type: str | None, witness: Held, criteria: list[Criterion]) -> Search:
        while self.rng.random() < (0.35 if len(criteria) == 1 else 0.2):
            criteria.append(self._another(witness, system=type is None))
        return self._assemble(type, witness, criteria)

    # -- which parameter, which resource ----------------------------------------------------

    def _find_places(self) -> dict[str, list[Place]]:
        """Kind -> places at which the corpus has values."""
        places: dict[str, list[Place]] = defaultdict(list)
        for type in sorted(self.by_type):
            for code, (kind, _) in sorted(self.parameters.get(type, {}).items()):
                if self._holding(type, code):
                    places[kind].append((type, code))
                if (
                    kind == "token"
                    and code in PARAMETERS.get(type, {})
                    and self._holding(type, f"{code}:text")
                ):
                    places[":text"].append((type, f"{code}:text"))
                if kind == "reference" and self._holding(type, code + IDENTIFIER):
                    places[IDENTIFIER].append((type, code + IDENTIFIER))
            for code in ("_text", "_content", "near"):
                if self._holding(type, code):
                    places[code].append((type, code))
        return places

    def _place(self, places: Sequence[Place], cell: Cell) -> Place:
        """A place, rather where there are several resources than one, and seldom a common parameter."""
        if cell[2] == "missing":
            places = [place for place in places if place[1] not in STORED]
        weights = [
            min(len(self.by_type[type]), 8)
            * min(len(self._holding(type, code)), 4)
            * (0.1 if code in COMMON else 1)
            for type, code in places
        ]
        return self.rng.choices(places, weights)[0]

    def _narrowed(self, keep: Callable[[str, str], bool]) -> dict[str, list[Place]]:
        return defaultdict(
            list, {kind: [place for place in places if keep(*place)] for kind, places in self._places.items()}
        )

    def _is_linked(self, type: str, code: str) -> bool:
        return any(self._is_linked_itself(held) for held in self._holding(type, code))

    def _is_linked_itself(self, held: Held) -> bool:
        return bool(self._referrers[name(held)] or self._referred[name(held)])

    def _holding(self, type: str, code: str) -> list[Held]:
        key = (type, code)
        if key not in self._holders:
            self._holders[key] = [h for h in self.by_type[type] if self.values(h, code)]
        return self._holders[key]

    def values(self, held: Held, code: str) -> list[Any]:
        """The rows of one parameter, by the oracle's table or by their shape."""
        type = held.resource["resourceType"]
        key = (id(held), code)
        if key not in self._rows:
            known = PARAMETERS.get(type, COMMON).get(code.removesuffix(IDENTIFIER))
            if code == "near":
                self._rows[key] = [held.resource["position"]] if "position" in held.resource else []
                return self._rows[key]
            if code in IN_TEXTS.values() or code.endswith(":text"):
                texts = said_in(held, code.removesuffix(":text"))
                self._rows[key] = [text for text in texts if words(text)][:20]
                return self._rows[key]
            if code.endswith(IDENTIFIER):
                self._rows[key] = identifiers(held, known) if known else []
                return self._rows[key]
            kind, targets = self.parameters[type][code]
            if kind == "composite":
                found = tuples(held, COMPOSITES[type][code], self.offset)
            elif kind == "of-type":
                found = typed_identifiers(held, code.partition(":")[0])
            elif known:
                found = rows(held, known, self.offset)
            else:
                found = shaped(held.resource, kind, self.offset)
            if targets:
                found = [row for row in found if row.type in ("", *targets)]
            self._rows[key] = found
        return self._rows[key]

    def _find_referrers(self) -> dict[tuple[str, str], list[tuple[Held, str]]]:
        """Target -> resources that refer to it, and by which parameter."""
        referrers: dict[tuple[str, str], list[tuple[Held, str]]] = defaultdict(list)
        for type, parameters in sorted(self.parameters.items()):
            for code, (kind, targets) in sorted(parameters.items()):
                if kind != "reference" or code not in PARAMETERS.get(type, {}):
                    continue
                for held in self._holding(type, code):
                    for row in self.values(held, code):
                        if row in self.by_name and (not targets or row.type in targets):
                            referrers[row].append((held, code))
        return referrers

    # -- criteria ---------------------------------------------------------------------------

    def _criterion(self, witness: Held, code: str, cell: Cell) -> Criterion:
        """One ``name=value`` in a cell, true of the witness unless a value was changed."""
        type = witness.resource["resourceType"]
        kind, _, modifier = cell
        if modifier == "missing":
            absent = not self.values(witness, code)
            return Criterion(f"{code}:missing", "true" if absent else "false", cell, frozenset({"missing"}))
        name, value = self._value(witness, code, cell)
        alternatives = [value]
        if self.rng.random() < (0.5 if modifier in ("exact", "contains") or kind == "uri" else 0.2):
            others = [self._value(self._any(type, code), code, cell) for _ in range(self.rng.randint(1, 3))]
            alternatives += [other for same, other in others if same == name]
        features = frozenset({"or"} if len(alternatives) > 1 else ())
        reached = cell if modifier != ":Type" or ":" in name else (kind, "", "")
        return Criterion(name, ",".join(alternatives), reached, features)

    def _any(self, type: str, code: str) -> Held:
        """A resource of a type that has a value for the parameter."""
        return self.rng.choice(self._holding(type, code))

    def _another(self, witness: Held, system: bool) -> Criterion:
        """A further criterion on the same witness, of any kind."""
        type = witness.resource["resourceType"]
        codes = sorted(COMMON if system else self.parameters[type])
        here = [code for code in codes if code in self.parameters[type] and self.values(witness, code)]
        if not system and self.rng.random() < 0.12:
            code = self.rng.choice([code for code in codes if code not in STORED and ":" not in code])
            return self._criterion(witness, code, (self.parameters[type][code][0], "", "missing"))
        code = self.rng.choice(here)
        kind = self.parameters[type][code][0]
        if kind == "token" and self.rng.random() < 0.15:
            return self._criterion(witness, code, (kind, "", "not"))
        return self._criterion(
            witness, code, self.rng.choice([c for c in CELLS if c[0] == kind and c[2] == ""])
        )

    def _far(self, held: Held, criterion: Criterion) -> tuple[Held, Criterion]:
        """A resource a few links away, and the criterion as it is asked of that."""
        for _ in range(self.rng.choice((1, 1, 2, LINKS))):
            before, after = self._referrers[name(held)], self._referred[name(held)]
            type = held.resource["resourceType"]
            if before and (not after or self.rng.random() < 0.6):
                held, code = self.rng.choice(before)
                if "chain" in criterion.features:
                    criterion = criterion._replace(features=criterion.features | {"several links"})
                criterion = self._chained(held, code, type, criterion)
            elif after:
                held, code = self.rng.choice(after)
                if "_has" in criterion.features:
                    criterion = criterion._replace(features=criterion.features | {"several links"})
                criterion = criterion._replace(
                    name=f"_has:{type}:{code}:{criterion.name}", features=criterion.features | {"_has"}
                )
            if {"chain", "_has"} <= criterion.features:
                criterion = criterion._replace(features=criterion.features | {"both ways"})
        return held, criterion

    def _chained(self, link: Held, code: str, target: str, criterion: Criterion) -> Criterion:
        """The criterion asked of a target of ``link``, with or without the target's type."""
        _, targets = self.parameters[link.resource["resourceType"]][code]
        parameter = criterion.name.partition(".")[0].partition(":")[0]
        kinds = {
            self.parameters[type][parameter][0]
            for type in (targets or self.parameters)
            if parameter in self.parameters.get(type, {})
        }
        typed = len(kinds) != 1 or self.rng.random() < 0.5
        name = f"{code}:{target}.{criterion.name}" if typed else f"{code}.{criterion.name}"
        features = criterion.features | {"chain"} | ({"typed chain"} if typed else frozenset())
        return Criterion(name, criterion.value, criterion.cell, features)

    def _value(self, witness: Held, code: str, cell: Cell) -> tuple[str, str]:
        """Parameter name with its modifier, and one alternative of the value."""
        kind, prefix, modifier = cell
        row = self.rng.choice(self.values(witness, code))
        pool = self.values(self._any(witness.resource["resourceType"], code), code)
        match kind:
            case "date":
                return code, self._date(row, pool, prefix)
            case "number" | "quantity":
                return code, self._amount(row, pool, prefix, kind)
            case "string":
                accented = [row for row in self.values(witness, code) if not row.isascii()]
                row = self.rng.choice(accented) if accented and self.rng.random() < 0.7 else row
                return f"{code}:{modifier}".removesuffix(":"), self._string(row, modifier)
            case "token":
                if code == "_id":
                    return f"_id:{modifier}".removesuffix(":"), row.code
                if modifier == "not":
                    return f"{code}:not", self._token(self.rng.choice(pool))
                return code, self._token(row)
            case "reference" if modifier == "identifier":
                return code, self._token(row)
            case "reference":
                return self._reference(code, row, modifier)
            case "composite":
                parts = COMPOSITES[witness.resource["resourceType"]][code].parts
                each = (self._part(part.kind, value) for (_, part), value in zip(parts, row, strict=True))
                return code, "$".join(each)
            case "of-type":
                type, number = row
                return code, "|".join(escape(text) for text in (type.system, type.code, number.code))
            case _:
                return f"{code}:{modifier}".removesuffix(":"), escape(self._uri(row, modifier))

    def _part(self, kind: str, row: Any) -> str:
        """One component of a composite."""
        prefix = self.rng.choice(("", "", *PREFIXES))
        match kind:
            case "date":
                return self._date(row, [row], prefix)
            case "number" | "quantity":
                return self._amount(row, [row], prefix, kind)
            case "string":
                return self._string(row, "")
            case "reference":
                return self._reference("", row, "")[1]
            case _:
                return self._token(row)

    def _tried(self, draw: Callable[[], str], fits: Callable[[str], bool]) -> str:
        """The first of a few draws that fits; nine times in ten, that is."""
        text = draw()
        if self.rng.random() < 0.1:
            return text
        for _ in range(12):
            if fits(text):
                break
            text = draw()
        return text

    # -- dates ------------------------------------------------------------------------------

    def _date(self, row: Span, pool: list[Span], prefix: str) -> str:
        exact = prefix in ("", "eq", "ap")

        def draw() -> str:
            near = row if exact or self.rng.random() < 0.2 else self.rng.choice(pool)
            return prefix + self._date_near(near)

        return self._tried(draw, lambda text: date_test(text, self.now, self.offset)(row))

    def _date_near(self, row: Span) -> str:
        ends = [int(end) for end in (row.low, row.high - 1) if isfinite(end)]
        steps = (0, 0, 0, 1, -1, 1_000_000, -1_000_000, 86_400_000_000, -86_400_000_000, 30 * 86_400_000_000)
        at = self.rng.choice(ends) + self.rng.choice(steps)
        zone = self.rng.choice(("Z", "+08:00", "-05:00", ""))
        minutes = {"Z": 0, "+08:00": 480, "-05:00": -300, "": self.offset}[zone]
        try:
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
            civil = moment.astimezone(timezone(timedelta(minutes=self.offset)))
            there = moment.astimezone(timezone(timedelta(minutes=minutes)))
        except OverflowError:
            return self.rng.choice(("0001", "2013", "9999"))
        match self.rng.randrange(9):
            case 0 | 1:
                return f"{civil.year:04}"
            case 2 | 3:
                return f"{civil.year:04}-{civil.month:02}"
            case 4 | 5:
                return f"{civil.year:04}-{civil.month:02}-{civil.day:02}"
            case 6:
                return there.isoformat(timespec="minutes")[:16] + zone
            case 7:
                return there.isoformat(timespec="seconds")[:19] + zone
            case _:
                digits = self.rng.choice(("milliseconds", "microseconds"))
                return there.isoformat(timespec=digits)[: 23 if digits == "milliseconds" else 26] + zone

    # -- numbers and quantities -------------------------------------------------------------

    def _amount(self, row: Amount, pool: list[Amount], prefix: str, kind: str) -> str:
        exact = prefix in ("", "eq", "ap")

        def draw() -> str:
            near = row if exact or self.rng.random() < 0.2 else self.rng.choice(pool)
            text = prefix + self._number_near(near)
            return text + self._unit(row) if kind == "quantity" else text

        return self._tried(draw, lambda text: amount_test(text)(row))

    def _number_near(self, row: Amount) -> str:
        ends = [end for end in (row.low, row.high) if isinstance(end, Fraction)]
        value = decimal(self.rng.choice(ends or [Fraction(100)]))  # both ends may be open
        match self.rng.randrange(8):
            case 0 | 1 | 2:
                value = shortened(value, self.rng.randint(1, 6))
            case 3:
                value += self.rng.choice((1, -1)) * Decimal(5).scaleb(exponent(value) - 1)
            case 4:
                value += self.rng.choice((1, -1, 10, -10))
            case 5:
                return f"{value:.2E}".replace("E+", "e")
            case _:
                pass
        return f"{value:f}"

    def _unit(self, row: Amount) -> str:
        forms = [""]
        if row.system and row.code:
            forms += [f"|{escape(row.system)}|{escape(row.code)}"] * 2
            forms += [f"|http://codes.example/units|{escape(row.code)}"] if self.rng.random() < 0.2 else []
        forms += [f"||{escape(unit)}" for unit in (row.code, row.unit) if unit]
        return self.rng.choice(forms)

    # -- strings, tokens, references --------------------------------------------------------

    def _string(self, row: str, modifier: str) -> str:
        def draw() -> str:
            if modifier == "exact":
                return escape(self._changed(row))
            start = self.rng.randrange(len(row)) if modifier == "contains" else 0
            text = row[start : start + self.rng.randint(1, max(1, min(len(row), 12)))]
            same = () if row.isascii() else (fold, fold, fold)
            case = self.rng.choice((str, str.upper, str.lower, str.swapcase, spaced, parted, *same))
            return escape(case(text))

        def fits(text: str) -> bool:
            return bool(fold(text)) and string_test(text, modifier)(row)

        text = self._tried(draw, fits)
        return text if fold(text) else escape(row)

    def _token(self, row: Token) -> str:
        if row.code is None:
            return f"{escape(row.system or '')}|"
        code = escape(self._changed(row.code))
        if row.system is None:
            return self.rng.choice((code, f"|{code}"))
        system = escape(row.system)
        return self.rng.choice((code, f"{system}|{code}", f"{system}|{code}", f"{system}|"))

    def _reference(self, code: str, row: Reference, modifier: str) -> tuple[str, str]:
        if modifier == ":Type" and row.type:
            return f"{code}:{row.type}", row.id
        if row.type:
            return code, self.rng.choice((f"{row.type}/{row.id}", f"{row.type}/{row.id}", row.id))
        return code, escape(row.id).replace("\\|", "|")  # the version of a canonical stays parted

    def _uri(self, row: str, modifier: str) -> str:
        if modifier == "below" and "/" in row:
            folder = row.rpartition("/")[0]
            return self.rng.choice((row, folder, f"{folder}/", folder.rpartition("/")[0] or folder))[:189]
        if modifier == "above":
            return self.rng.choice((row, f"{row}/", f"{row}/x", f"{row}/x/y", row.rpartition("/")[0] or row))
        return self._changed(row)[: 189 if modifier else None]

    def _changed(self, text: str) -> str:
        """The text, one time in twelve in another case."""
        return self.rng.choice((text.swapcase(), text.upper())) if self.rng.random() < 0.08 else text

    # -- the whole search -------------------------------------------------------------------

    def _assemble(self, type: str | None, witness: Held, criteria: list[Criterion]) -> Search:
        parameters = [(c.name, c.value) for c in criteria]
        features = {feature for c in criteria for feature in c.features}
        features |= {"and"} if len(criteria) > 1 else set()
        here = witness.resource["resourceType"]
        if type is None:
            features.add("system")
            others = self.rng.sample(sorted(self.by_type), 2)
            parameters.append(("_type", ",".join(dict.fromkeys([here, *others]))))
        if self.rng.random() < 0.3:
            features.add("sort")
            parameters.append(("_sort", self._order(type)))
        if self.rng.random() < 0.2:
            features.add("count")
            parameters.append(("_count", str(self.rng.choice((1, 2, 5, 20, 1000)))))
        if self.rng.random() < 0.2:
            features.add("total")
            parameters.append(("_total", self.rng.choice(("accurate", "estimate", "none"))))
        has_references = any(kind == "reference" for kind, _ in self.parameters[here].values())
        if has_references and self.rng.random() < 0.2:
            for _ in range(self.rng.choice((1, 1, 2))):
                asked, value = self._inclusion(witness)
                parameters.append((asked, value))
                features.add(asked.removesuffix(":iterate"))
                features |= {":iterate"} if asked.endswith(":iterate") else set()
                features |= {"wildcard"} if "*" in value else set()
        return Search(type, tuple(parameters), frozenset(c.cell for c in criteria), frozenset(features))

    def _inclusion(self, witness: Held) -> tuple[str, str]:
        """``_include`` or ``_revinclude`` by a reference that the witness has, or that leads to it."""
        here = witness.resource["resourceType"]
        back = self._referrers.get(name(witness), [])
        if back and self.rng.random() < 0.6:
            referrer, code = self.rng.choice(back)
            source, target, asked = referrer.resource["resourceType"], here, "_revinclude"
        else:
            codes = sorted(c for c, (kind, _) in self.parameters[here].items() if kind == "reference")
            led = [code for code in codes if self.values(witness, code)]
            code = self.rng.choice(led or codes)
            known = self.values(witness, code) if code in PARAMETERS.get(here, {}) else []
            allowed = self.parameters[here][code][1]
            targets = [row.type for row in known if row.type and row.type in (allowed or (row.type,))]
            source, target, asked = here, targets[0] if targets else "", "_include"
        modifier = self.rng.choice(("", "", ":iterate"))
        if self.rng.random() < 0.15:
            every = ("*", f"{source}:*") if asked == "_include" else (f"{source}:*",)
            return asked + modifier, self.rng.choice(every)
        narrowed = f":{target}" if target and self.rng.random() < 0.3 else ""
        return asked + modifier, f"{source}:{code}{narrowed}"

    def _order(self, type: str | None) -> str:
        codes: Sequence[str] = ("_lastUpdated", "_id")
        if type is not None:
            known = self.parameters[type].items()
            codes = sorted(code for code, (kind, _) in known if kind not in UNSORTED)
        drawn = self.rng.sample(codes, min(len(codes), self.rng.choice((1, 1, 2))))
        return ",".join(self.rng.choice(("", "-")) + code for code in drawn)


# -- text of values ---------------------------------------------------------------------------


def escape(text: str) -> str:
    """Protect what separates values: backslash, comma, bar, dollar."""
    for mark in ("\\", ",", "|", "$"):
        text = text.replace(mark, "\\" + mark)
    return text


def spaced(text: str) -> str:
    """The same words further apart."""
    return text.replace(" ", "  ")


def parted(text: str) -> str:
    """The same with something between two Chinese characters that does not count, or with nothing."""
    between = ("", " ", "\u3000", "·", " · ", "・")[len(text) % 6]
    return re.sub(r"(?<=[一-鿿])[ \u3000·]*(?=[一-鿿])", between, text)


def decimal(value: Fraction) -> Decimal:
    """The exact decimal of a fraction that came from one."""
    return Context(prec=1000).divide(Decimal(value.numerator), Decimal(value.denominator))


def exponent(value: Decimal) -> int:
    found = value.as_tuple().exponent
    assert isinstance(found, int)
    return found


def shortened(value: Decimal, digits: int) -> Decimal:
    """At most so many significant digits, cut or rounded."""
    rounding = ROUND_DOWN if digits % 2 else ROUND_HALF_EVEN
    return Context(prec=digits, rounding=rounding).plus(value)


def shaped(resource: Mapping[str, Any], kind: str, offset: int) -> list[Any]:
    """Rows of a kind read from every element that looks like one, for parameters without a table."""
    found: list[Any] = []
    waiting: list[Any] = [
        child for name, child in resource.items() if name not in ("contained", "text", "id", "meta")
    ]
    while waiting:
        element = waiting.pop()
        if isinstance(element, dict):
            found += _shaped(element, kind, offset)
            waiting += [child for name, child in element.items() if name != "extension"]
        elif isinstance(element, list):
            waiting += element
        elif isinstance(element, str):
            found += _shaped_text(element, kind, offset)
        elif kind == "number" and isinstance(element, int | Decimal) and not isinstance(element, bool):
            found += amounts(element, "decimal", offset)
        elif kind == "token" and isinstance(element, bool):
            found += tokens(element, "boolean", offset)
    return sorted(found, key=repr)


def _shaped(element: dict[str, Any], kind: str, offset: int) -> list[Any]:
    if kind == "token" and isinstance(element.get("code"), str):
        return tokens(element, "Coding", offset)
    if kind == "token" and isinstance(element.get("value"), str):
        return tokens(element, "Identifier", offset)
    if kind == "quantity" and isinstance(element.get("value"), int | Decimal):
        return amounts(element, "Money" if "currency" in element else "Quantity", offset)
    if kind == "reference" and isinstance(element.get("reference"), str):
        return references(element, "Reference", offset)
    return []


def _shaped_text(text: str, kind: str, offset: int) -> list[Any]:
    if kind == "date" and _is_date(text):
        return list(spans(text, "dateTime", offset))
    if (kind == "string" and text.strip() and len(text) < 60) or (
        kind == "uri" and text.startswith(("http:", "urn:"))
    ):
        return [text]
    return []


def _is_date(text: str) -> bool:
    try:
        spans(text, "dateTime")
    except (AssertionError, ValueError):
        return False
    return len(text) > 4


# -- what a run covered -------------------------------------------------------------------------


class Answer(NamedTuple):
    """How many resources a search found, of how many of its type."""

    search: Search
    matched: int
    of: int


@dataclass
class Coverage:
    """What a run of searches reached; ``failures`` is empty when the run was wide enough."""

    searches: int = 0
    non_empty: float = 0.0
    selective: float = 0.0
    cells: Counter[Cell] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        features = ", ".join(f"{count:,} with {name}" for name, count in sorted(self.features.items()))
        return (
            f"{self.searches:,} searches, of which {self.non_empty:.0%} found something and "
            f"{self.selective:.0%} matched 2 to 90 % of their type; {features}"
        )


def table(asked: Mapping[Cell, int], checked: Mapping[Cell, int], stores: Sequence[str]) -> str:
    """In how many searches each cell came, to each store and to the oracle, as a table in Markdown."""
    heads = ("parameter", "modifier", "prefix", *stores, "oracle")
    rows = [heads, tuple("---:" if head in (*stores, "oracle") else "---" for head in heads)]
    for (kind, prefix, modifier), cell in sorted((_shown(cell), cell) for cell in CELLS):
        counts = [f"{asked.get(cell, 0):,}"] * len(stores)
        rows.append((kind, modifier, prefix, *counts, f"{checked.get(cell, 0):,}"))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shown(cell: Cell) -> Cell:
    """A cell as the standard names it."""
    kind, prefix, modifier = cell
    if kind == "of-type":
        return "token", prefix, ":of-type"
    if kind == "special" or modifier.startswith("_"):
        return IN_TEXTS[cell], prefix, ""
    return kind, prefix, f":{modifier.lstrip(':')}" if modifier else ""


def coverage(answers: Iterable[Answer], *, least: int = 20) -> Coverage:
    """Measure a run: at least 60 % non-empty, 30 % selective, each cell and feature ``least`` times.

    A search is selective when it matches between 2 and 90 % of the resources of its type.
    """
    answers = list(answers)
    found = Coverage(searches=len(answers))
    for answer in answers:
        found.cells.update(answer.search.cells)
        found.features.update(answer.search.features)
    found.non_empty = sum(answer.matched > 0 for answer in answers) / len(answers)
    found.selective = sum(0.02 <= a.matched / max(a.of, 1) <= 0.9 for a in answers) / len(answers)
    if found.non_empty < 0.6:
        found.failures.append(f"only {found.non_empty:.1%} of the searches have an answer")
    if found.selective < 0.3:
        found.failures.append(f"only {found.selective:.1%} of the searches match 2 to 90 % of their type")
    found.failures += [
        f"cell {cell} came {found.cells[cell]} times" for cell in CELLS if found.cells[cell] < least
    ]
    found.failures += [
        f"{name} came {found.features[name]} times" for name in FEATURES if found.features[name] < least
    ]
    return found
