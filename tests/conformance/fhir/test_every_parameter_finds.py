"""Every official example is found by every search parameter for which it carries a value.

The values are the rows of ``extract``, which ``test_search_extraction`` compares with a
published FHIRPath engine; here each is written as a client would ask for it.
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
from kintung.store.port import Paging
from tests import scale
from tests.generators.resources import as_json
from tests.generators.searches import decimal
from tests.oracle.composites import COMPOSITES, has_identifiers, tuples, typed_identifiers
from tests.oracle.corpus import examples
from tests.oracle.values import Amount, Held, Span
from tests.postgres_cluster import Cluster
from tests.stores import ADAPTERS, ALL, START, Record, opened

SHARE = scale.counts(normal=3, long=1)
"""One in so many values is searched for."""
_SYNTAX = re.compile(r"([\\$,|])")
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
    return tuple(found)


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
    searched = carried()[scale.seed() % SHARE :: SHARE]
    missed: list[Carried] = []
    with record.store.view() as view:
        for each in searched:
            query = parse_query(each.type, [(each.name, each.value)], now_micros=START)
            page = view.search(ALL, query, Paging(1_000))
            if each.id not in {entry.id for entry in page.entries}:
                missed.append(each)
    kinds = Counter(each.kind for each in searched)
    print(
        f"\n{len(searched):,} searches for {len({(c.type, c.name) for c in searched}):,} parameters: {kinds}"
    )
    assert missed == []
    assert kinds["composite"] * SHARE > 100
    assert len(kinds) >= 8
