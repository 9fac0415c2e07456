"""Every official example is found by every search parameter for which it carries a value.

The values are the rows of ``extract``, which ``test_search_extraction`` compares with a
published FHIRPath engine; here each is written as a client would ask for it. What is read in
texts is read by that engine, or by the oracle, and asked for in a few of its words.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import pytest

from kintung.fhir import json as front_door
from kintung.fhir.search import Extracted, Parameter, extract, parameters, parse_query
from kintung.fhir.search.dates import MIN_MICROS
from kintung.fhir.search.match import rows_of
from kintung.fhir.search.text import folded
from kintung.store.versions import Paging
from tests import scale
from tests.conformance.fhir.test_search_extraction import GAPS, branches_of
from tests.generators.resources import as_json
from tests.generators.searches import decimal
from tests.oracle.composites import COMPOSITES, has_identifiers, tuples, typed_identifiers
from tests.oracle.corpus import examples
from tests.oracle.texts import content, narrative, words
from tests.oracle.values import Amount, Held, Span
from tests.postgres_cluster import Cluster
from tests.stores import ADAPTERS, ALL, START, Record, opened

SHARE = scale.counts(normal=3, long=1)
"""One in so many values is searched for."""
SHARE_OF_TEXTS = scale.counts(normal=12, long=1)
"""The same of words, for which each search opens many resources."""
_SYNTAX = re.compile(r"([\\$,|])")
WORDS = ("token:text", "_text", "_content")
"""Kinds of what is carried that are words of a text."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Carried(NamedTuple):
    """An example, and a value it carries for a parameter, as it is asked for."""

    type: str
    id: str
    kind: str
    name: str
    value: str


@cache
def carried() -> tuple[Carried, ...]:
    found: list[Carried] = []
    for resource in examples():
        type, id = resource["resourceType"], resource["id"]
        rows = extract(front_door.parse(as_json(resource).encode()))
        for code, parameter in sorted(parameters(type).items()):
            for modifier, value in dict.fromkeys(values(parameter, rows, id)):
                found.append(Carried(type, id, parameter.kind, code + modifier, value))
            for modifier, value in dict.fromkeys(together(Held(resource, START), parameter)):
                found.append(Carried(type, id, "composite", code + modifier, value))
            for kind, name, value in dict.fromkeys(said(Held(resource, START), parameter)):
                found.append(Carried(type, id, kind, name, value))
    return tuple(found)


@cache
def sizes() -> Counter[str]:
    """How many examples there are of each type."""
    return Counter(resource["resourceType"] for resource in examples())


def together(held: Held, parameter: Parameter) -> Iterator[tuple[str, str]]:
    """What stands together, as the oracle reads it: for composites, and identifiers of a type."""
    if parameter.kind == "composite":
        composite = COMPOSITES[parameter.type][parameter.code]
        for row in tuples(held, composite):
            parts = (
                asked_of(part.kind, value) for (_, part), value in zip(composite.parts, row, strict=True)
            )
            yield "", "$".join(parts)
    elif has_identifiers(parameter.type, parameter.code):
        for type, number in typed_identifiers(held, parameter.code):
            yield ":of-type", f"{asked_of('token', type)}|{escaped(number.code or '')}"


def asked_of(kind: str, row: Any) -> str:
    """One row of the oracle as the value of a search that it meets."""
    if isinstance(row, Amount):
        ends = (decimal(end) if isinstance(end, Fraction) else None for end in (row.low, row.high))
        return asked(kind, (1, row.system, row.code, *ends))
    if isinstance(row, Span):
        return asked(kind, (1, int(row.low) if row.low > MIN_MICROS else MIN_MICROS, row.high))
    return asked(kind, (1, folded(row), row) if isinstance(row, str) else (1, *row))


def said(held: Held, parameter: Parameter) -> Iterator[tuple[str, str, str]]:
    """Kind, name and value of what the text of a resource answers."""
    resource, code = held.resource, parameter.code
    match parameter.kind, code:
        case "token", _:
            texts = (text for text in beside_codes(resource, parameter) if words(text))
            yield from (("token:text", f"{code}:text", asked) for text in texts for asked in within(text))
        case "string", "_text":
            for text in narrative(held):
                asked = [*together_in(text, 0), *together_in(text, 0.5), *together_in(text, 1)]
                yield from ((code, code, value) for value in (*asked, *in_any_order(text)))
        case "string", "_content":
            each = ({name: member} for name, member in resource.items())
            longest = [max(content(member), key=len, default="") for member in each]
            asked = [value for text in longest for value in together_in(text, 0.5)]
            yield from ((code, code, value) for value in (*asked, *in_any_order(max(longest, key=len))))
        case "special", "near" if "position" in resource:
            north, east = resource["position"]["latitude"], resource["position"]["longitude"]
            # A hundredth of a degree to the north are 1.112 km, or 0.691 miles.
            for distance in ("", "|1.112|km", "|1112|m", "|0.7|[mi_us]", "|0.7|mi"):
                yield code, code, f"{north + Decimal('0.01')}|{east}{distance}"
            yield code, code, f"{north}|{east}|0"
        case _:
            return


def beside_codes(resource: dict[str, Any], parameter: Parameter) -> Iterator[str]:
    """The words beside the codes to which the engine is led by the expression of a token parameter."""
    if parameter.stored or parameter.url in GAPS:
        return
    for evaluate, _ in branches_of(parameter.url, resource["resourceType"]):
        for value in evaluate(resource):
            if not isinstance(value, dict):
                continue
            element = value.get("valueCodeableConcept", value) if "url" in value else value
            codings = element.get("coding", []) if {"coding", "text"} & element.keys() else [element]
            type = element.get("type", {})
            found = (
                element.get("text"),
                *(coding.get("display") for coding in codings),
                type.get("text") if isinstance(type, dict) else None,
            )
            yield from (text for text in found if text is not None)


def within(text: str) -> Iterator[str]:
    """A text as ``:text`` finds it: whole, and from a later word on to the beginning of its last."""
    yield escaped(text)
    later = words(text)[len(words(text)) // 2 :]
    yield " ".join([*later[:-1], later[-1][:3]])


def together_in(text: str, place: float) -> Iterator[str]:
    """Words that stand together at the beginning of a text (0), at its end (1) or between."""
    pieces = text.replace('"', " ").split()
    at = int(place * max(0, len(pieces) - 4))
    together = " ".join(pieces[at : at + 4])
    if words(together):
        yield f'"{escaped(together)}"'


def in_any_order(text: str) -> Iterator[str]:
    """Words from all over a text, the last one first."""
    each = [word for word in words(text) if word not in ("and", "or")]
    if each:
        yield " ".join(reversed(each[:: max(1, len(each) // 4)]))


def values(parameter: Parameter, rows: Extracted, id: str) -> Iterator[tuple[str, str]]:
    """Modifier and value, for each row of the parameter."""
    if parameter.kind in ("composite", "special") or parameter.code == "_lastUpdated":
        return
    for row in rows_of(parameter, rows, id=id, updated=START):
        is_whole = parameter.kind == "string" and row[1] == folded(str(row[2]))
        yield ":exact" if is_whole else "", asked(parameter.kind, row)


def asked(kind: str, row: tuple[Any, ...]) -> str:
    """One row as the value of a search that it meets."""
    match kind, row:
        case "token", (_, None, code):
            return escaped(code) if row[0] == 0 else f"|{escaped(code)}"
        case "token", (_, system, code):
            return f"{escaped(system)}|{escaped(code or '')}"
        case "uri", (_, _, uri):
            return escaped(uri)
        case "reference", (_, type, id):
            return f"{type}/{id}" if type else escaped(id)
        case "date", (_, low, high):
            return f"ge{instant(low)}" if low != MIN_MICROS else f"le{instant(high - 1)}"
        case "string", (_, beginning, exact):
            return escaped(exact if beginning == folded(exact) else beginning)
        case (("number" | "quantity"), (_, system, code, low, high)):
            number = f"ge{plain(low)}" if low is not None else f"le{plain(high)}"
            unit = f"|{escaped(system or '')}|{escaped(code)}" if code else ""
            return number + unit
        case _:
            raise AssertionError(f"{kind} has no such row: {row}")


def escaped(text: str) -> str:
    return _SYNTAX.sub(r"\\\1", text)


def instant(micros: int) -> str:
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds")


def plain(number: Decimal | None) -> str:
    return f"{number or Decimal(0):f}"


@pytest.fixture(scope="module", params=ADAPTERS)
def record(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Cluster
) -> Iterator[Record]:
    folder = tmp_path_factory.mktemp(request.param)
    with opened(request.param, folder, postgres.fresh_database) as record:
        record.commit(*(record.putting_text(as_json(resource)) for resource in examples()))
        yield record


def test_examples_are_found_by_what_they_carry(record: Record) -> None:
    """Given all examples, when one is asked for by a value it carries, then it is among what is found."""
    indexed = [each for each in carried() if each.kind not in WORDS]
    read = [each for each in carried() if each.kind in WORDS]
    searched = indexed[scale.seed() % SHARE :: SHARE] + read[scale.seed() % SHARE_OF_TEXTS :: SHARE_OF_TEXTS]
    missed: list[Carried] = []
    narrowed: Counter[str] = Counter()
    for each in searched:
        query = parse_query(each.type, [(each.name, each.value)], now_micros=START)
        with record.store.view() as view:  # one each: it has time for one request
            page = view.search(ALL, query, Paging(1_000))
        if each.id not in {entry.id for entry in page.entries}:
            missed.append(each)
        narrowed[each.kind] += len(page.entries) < sizes()[each.type]
    kinds = Counter(each.kind for each in searched)
    names = {(each.type, each.name) for each in searched}
    print(f"\n{len(searched):,} searches for {len(names):,} parameters: {dict(kinds)}")
    print(f"that did not find all of their type: {dict(narrowed)}")
    assert missed == []
    assert kinds["composite"] * SHARE > 100
    assert len(kinds) >= 8 + len((*WORDS, "near"))
    assert min(2 * narrowed[kind] - kinds[kind] for kind in WORDS) > 0
