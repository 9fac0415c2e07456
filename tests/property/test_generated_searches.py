"""Generated searches: every store answers the same, and as the independent oracle does.

The corpus mixes the official examples, two Synthea patients and seeded resources with
values that are hard to search. The searches are drawn from values the corpus holds, over
all parameters the node offers; what the oracle's tables cover is asked of it too.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple

import pytest

from kintung.errors import TooCostly
from kintung.fhir import json as front_door
from kintung.fhir.search import (
    Extracted,
    Query,
    extract,
    in_compartment,
    parameters,
    parse_query,
    resource_types,
)
from kintung.fhir.search.dates import MAX_MICROS, MIN_MICROS
from kintung.fhir.search.match import rows_of
from kintung.fhir.search.text import fold
from kintung.fhir.structure import require_valid
from kintung.store.port import View
from kintung.store.sql.search import plan
from kintung.store.versions import Paging
from kintung.store.writes import Write
from tests import scale
from tests.generators.resources import Resource, as_json, resources
from tests.generators.searches import (
    CELLS,
    UNSORTED,
    Answer,
    Cell,
    Registry,
    Search,
    Searches,
    coverage,
    table,
)
from tests.oracle import compartments, values
from tests.oracle.corpus import examples, synthea
from tests.oracle.search import STRAYS, Oracle
from tests.oracle.tables import PARAMETERS
from tests.oracle.values import Held
from tests.postgres_cluster import Cluster
from tests.stores import ADAPTERS, ALL, HOUR, START, Record, names, opened, walk

SEARCHES = scale.counts(normal=1000, long=5000)
"""At least; so many more are drawn as the oracle still has to answer at the end."""
CHECKED = scale.counts(normal=250, long=1500)
"""Of the searches, how many the oracle answers too, spread over the whole run."""

TOGETHER = 20
"""Resources written in one commit: they share one ``lastUpdated``."""

LICENCES = "urn:oid:2.16.840.1.113883.4.3.25"
"""Driver licences of Massachusetts, in Synthea's records."""
VAULTED = (
    "http://hl7.org/fhir/sid/us-ssn",
    LICENCES,
    "http://standardhealthrecord.org/fhir/StructureDefinition/passportNumber",
)
"""Systems in the corpus whose identifiers the node keeps hashed."""


@cache
def corpus() -> tuple[Resource, ...]:
    """All resources, in the order they are written."""
    return (*examples(), *resources(scale.seeded("resources"), sets=3), *synthea(2))


@cache
def registry() -> Registry:
    """What the node offers: type -> code -> (kind, targets)."""
    return {
        type: {
            code: (found.kind, found.targets)
            for code, found in parameters(type).items()
            if found.answered != "bodies"
        }
        for type in resource_types()
    }


@dataclass(frozen=True)
class Filled:
    """The three stores with the corpus in them, and what the oracle holds of it."""

    records: Mapping[str, Record]
    held: tuple[Held, ...]
    now: int


def write(record: Record) -> tuple[Held, ...]:
    """Write the corpus, an hour between commits."""
    held: list[Held] = []
    waiting = iter(corpus())
    while batch := list(islice(waiting, TOGETHER)):
        record.clock.jump(HOUR)
        receipt = record.commit(*(putting(record, resource) for resource in batch))
        held += [Held(resource, done.at) for resource, done in zip(batch, receipt.done, strict=True)]
    return tuple(held)


def putting(record: Record, resource: Resource) -> Any:
    """The step that stores a resource under its id, every digit kept."""
    raw = as_json(resource).encode()
    parsed = front_door.parse(raw)

    def put(view: View) -> Write:
        type, id = resource["resourceType"], resource["id"]
        return record.scribe.put(view, ALL, type=type, id=id, raw=raw, resource=parsed, current=None)

    return put


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster) -> Iterator[Filled]:
    with ExitStack() as stack:
        records = {
            adapter: stack.enter_context(
                opened(adapter, tmp_path_factory.mktemp(adapter), postgres.fresh_database, tick=0)
            )
            for adapter in ADAPTERS
        }
        held = [write(record) for record in records.values()]
        assert held[0] == held[1] == held[2], "the commits were not given the same times"
        yield Filled(records, held[0], START + len(corpus()) * HOUR)


class Found(NamedTuple):
    """What a store answers: all names in order, the total, and the first pages of ``_count``.

    ``included`` are the names of what all together include, and ``beside`` what each page does;
    None when it is too much.
    """

    names: list[str]
    total: int | None
    pages: list[list[str]]
    included: list[str] | None = None
    beside: list[list[str]] | None = None


def ask(record: Record, search: Search, now: int) -> Found:
    query = parse_query(search.type, search.parameters, now_micros=now)
    alone = replace(query, includes=())
    pages: list[list[str]] = []
    with record.store.view() as view:
        whole = view.search(ALL, alone, Paging(len(corpus()), total=True))
        assert whole.next is None
        if "count" in search.features:
            walked = walk(lambda paging: view.search(ALL, alone, paging), Paging(query.count))
            pages = [names(page) for page in islice(walked, 3)]
        if not query.includes:
            return Found(names(whole), whole.total, pages)
        included = with_includes(view, query, Paging(len(corpus())), most=1)
        beside = with_includes(view, query, Paging(query.count), most=2)
    assert included is None or included[0][0] == names(whole)
    return Found(
        names(whole),
        whole.total,
        pages,
        included[0][1] if included else None,
        [each for _, each in beside] if beside is not None else None,
    )


def with_includes(
    view: View, query: Query, paging: Paging, most: int
) -> list[tuple[list[str], list[str]]] | None:
    """The names of the matches and of what is included, page by page; None when that is too much."""
    walked = walk(lambda paging: view.search(ALL, query, paging), paging)
    try:
        return [
            (names(page), [f"{version.type}/{version.id}" for version in page.included])
            for page in islice(walked, most)
        ]
    except TooCostly:
        return None


def test_every_store_and_the_oracle_answer_the_same(filled: Filled) -> None:
    """Given the corpus in each store, when generated searches are asked, then all answers agree."""
    source = Searches(filled.held, scale.seeded("searches"), now=filled.now, parameters=registry())
    oracle = Oracle(filled.held, now=filled.now, vaulted=VAULTED)
    sizes = Counter(held.resource["resourceType"] for held in filled.held)
    answers: list[Answer] = []
    by_oracle: Counter[Cell] = Counter()
    checked_first: Counter[int] = Counter()
    checked = including = 0
    for place, search in enumerate(islice(source, 2 * SEARCHES)):
        if place >= SEARCHES and checked == CHECKED:
            break
        expected = ask(filled.records["memory"], search, filled.now)
        assert expected.total == len(expected.names), str(search)
        assert [name for page in expected.pages for name in page] == expected.names[
            : sum(map(len, expected.pages))
        ]
        for adapter in ("sqlite", "postgres"):
            assert ask(filled.records[adapter], search, filled.now) == expected, f"{adapter}: {search}"
        turn, first = divmod(place, len(CELLS))  # each cell has its share: the source takes them in turn
        due = checked < CHECKED and (turn + 1) * CHECKED // SEARCHES > checked_first[first]
        if due and oracle.covers(search.type, search.parameters):
            assert oracle.search(search.type, search.parameters) == expected.names, f"oracle: {search}"
            if expected.included is not None and oracle.covers_included(search.parameters):
                told = oracle.included(expected.names, search.parameters)
                assert told == expected.included, f"oracle: {search}"
                including += bool(told)
            checked += 1
            checked_first[first] += 1
            by_oracle.update(search.cells)
        answers.append(Answer(search, len(expected.names), sum(sizes[type] for type in types_of(search))))
    reached = coverage(answers, least=20 * SEARCHES // 5000)
    told = f"{checked:,} answered by the oracle too, {including:,} with what they include"
    print(f"\nOf {len(filled.held):,} resources {reached}; {told}.")
    print(table(reached.cells, by_oracle, ADAPTERS))
    assert {cell for cell in CELLS if by_oracle[cell] < CHECKED // 75} == set()
    assert including >= CHECKED // 25
    assert checked == CHECKED
    assert reached.failures == []


def test_what_must_stand_together_is_found_alike(filled: Filled) -> None:
    """Given the same, when composites and identifiers of a type are asked for, then the oracle agrees too."""
    source = Searches(filled.held, scale.seeded("composites"), now=filled.now, parameters=registry())
    oracle = Oracle(filled.held, now=filled.now, vaulted=VAULTED)
    cells = [cell for cell in CELLS if cell[0] in UNSORTED]
    asked = [source.draw(cell) for _ in range(scale.counts(normal=40, long=1000)) for cell in cells]
    found: Counter[str] = Counter()
    for search in asked:
        expected = ask(filled.records["memory"], search, filled.now)
        for adapter in ("sqlite", "postgres"):
            assert ask(filled.records[adapter], search, filled.now) == expected, f"{adapter}: {search}"
        if oracle.covers(search.type, search.parameters):
            assert oracle.search(search.type, search.parameters) == expected.names, f"oracle: {search}"
            found["by the oracle"] += 1
        found.update({kind for kind, _, _ in search.cells if expected.names})
    print(f"\n{len(asked)} searches; non-empty or checked: {dict(found)}")
    assert min(found[kind] for kind in (*UNSORTED, "by the oracle")) * 4 > len(asked) // len(cells)


@pytest.mark.parametrize(
    ("country", "value", "expected"),
    [
        ("U", f"{LICENCES}|s99955854", ["Patient/s0-0"]),
        ("", f"{LICENCES}|S-999 55854", ["Patient/s0-0"]),
        ("", "s99955854", ["Patient/s0-0"]),
        ("", "999 88 8619", ["Patient/s0-0"]),
        ("", f"{LICENCES}|s9995585", []),
    ],
)
def test_a_vaulted_number_is_found_however_it_is_written(
    filled: Filled, country: str, value: str, expected: list[str]
) -> None:
    """Searches of which the first was drawn once, when the oracle did not know the normal form."""
    asked = (*((("address-country", country),) if country else ()), ("identifier", value))
    oracle = Oracle(filled.held, now=filled.now, vaulted=VAULTED)
    for record in filled.records.values():
        assert ask(record, Search("Patient", asked), filled.now).names == expected
    assert oracle.search("Patient", asked) == expected


COMPARTMENTS = scale.counts(normal=150, long=1500)


def test_a_compartment_holds_the_same_in_every_store_and_for_the_oracle(
    filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given the corpus, when compartments of what is referred to are searched, then all answers agree.

    In turn a compartment of few counts as one of many, so that each plan is followed.
    """
    rng = scale.seeded("compartments")
    oracle = Oracle(filled.held, now=filled.now, vaulted=VAULTED)
    owners = compartments.owners(filled.held)
    found = 0
    for place in range(COMPARTMENTS):
        type = rng.choice(("Patient", *sorted(owners)))
        id = rng.choice(owners[type])
        member = rng.choice((None, type, *sorted(compartments.MEMBERS[type]), "Observation", "Encounter"))
        if member not in (None, type, *compartments.MEMBERS[type]):
            continue
        asked = compartments.parameters(rng, member, type)
        inside = [held for held in filled.held if compartments.holds(type, id, held)]
        search = Search(member, asked, features=frozenset({"count"} if place % 3 == 0 else ()))
        monkeypatch.setattr(plan, "FEW", 1 if place % 2 else 1_000)
        monkeypatch.setattr(plan, "STRETCH", 3 if place % 4 == 1 else 4_000)
        monkeypatch.setattr(plan, "STRETCH_OF_PERSON", 3 if place % 4 == 1 else 1_000)
        expected = ask_within(filled.records["memory"], search, filled.now, type, id)
        for adapter in ("sqlite", "postgres"):
            answer = ask_within(filled.records[adapter], search, filled.now, type, id)
            assert answer == expected, f"{adapter}: {type}/{id}/{search}"
        told = (type, *compartments.MEMBERS[type])
        known = [name for name in expected.names if name.partition("/")[0] in told]
        wanted = oracle.search(member, asked, among=lambda held, inside=inside: held in inside)
        assert known == wanted, f"oracle: {type}/{id}/{search}"
        found += bool(known)
    print(f"\n{found} of {COMPARTMENTS} found something")
    assert found > COMPARTMENTS // 4


def ask_within(record: Record, search: Search, now: int, type: str, id: str) -> Found:
    """What a store answers of a compartment."""
    query = in_compartment(parse_query(search.type, search.parameters, now_micros=now), type, id)
    with record.store.view() as view:
        whole = view.search(ALL, query, Paging(len(corpus()), total=True))
        walked = walk(lambda paging: view.search(ALL, query, paging), Paging(7))
        pages = [names(page) for page in islice(walked, 3)] if search.features else []
    return Found(names(whole), whole.total, pages)


def types_of(search: Search) -> list[str]:
    if search.type is not None:
        return [search.type]
    return dict(search.parameters)["_type"].split(",")


# -- the rows themselves ----------------------------------------------------------------------


def own_rows(held: Held, indexed: Extracted, code: str) -> list[Any]:
    """What the node indexes for one parameter, without the atom, comparable and sorted."""
    parameter = parameters(held.resource["resourceType"])[code]
    found = rows_of(parameter, indexed, id=held.resource["id"], updated=held.updated)
    ends: dict[Any, Any] = {MIN_MICROS: None, MAX_MICROS: None}
    if parameter.kind == "date":
        return ordered((ends.get(row[1], row[1]), ends.get(row[2], row[2])) for row in found)
    if parameter.kind == "string":
        return ordered(row[2] for row in found)
    return ordered(exact(row[1:]) for row in found)


def oracle_rows(held: Held, type: str, code: str) -> list[Any]:
    """The same from the oracle, in the same shapes."""
    found = values.rows(held, PARAMETERS[type][code])
    match PARAMETERS[type][code].kind:
        case "date":
            return ordered((finite(row.low), finite(row.high)) for row in found)
        case "token":
            return ordered((row.system, row.code) for row in found)
        case "uri":
            return ordered((None, row) for row in found)
        case "reference":
            return ordered((row.type, row.id) for row in found)
        case "number" | "quantity":
            return ordered(row for amount in found for row in by_unit(amount))
        case _:
            return ordered(shortened(text) for text in found)


def shortened(text: str) -> str:
    """A string as the node has it: over 255 characters, a beginning and a digest of the whole."""
    return text if len(text) <= 255 else f"{text[:190]}…{sha256(text.encode()).hexdigest()}"


def by_unit(amount: values.Amount) -> list[Any]:
    """A quantity as the node has it: one row for the code, one for a unit that differs from it."""
    low, high = finite(amount.low), finite(amount.high)
    units = [(amount.system, amount.code)] if amount.code is not None or amount.unit is None else []
    if amount.unit is not None and amount.unit != amount.code:
        units.append((None, amount.unit))
    return [(*unit, low, high) for unit in units]


def finite(end: Any) -> Any:
    """An end as the node has it: None when it is open."""
    return None if end in (float("inf"), float("-inf")) else end


def exact(row: Any) -> Any:
    """A quantity of the node with fractions for its decimals."""
    return tuple(Fraction(part) if isinstance(part, Decimal) else part for part in row)


def ordered(found: Any) -> list[Any]:
    """Each once, in an order that None does not disturb."""
    return sorted(set(found), key=repr)


def test_every_value_is_extracted() -> None:
    """Given each resource, when it is indexed, then each parameter has the values the oracle sees."""
    patients = scale.counts(normal=5, long=100)
    whole = [*examples(), *resources(scale.seeded("resources"), sets=scale.counts(3, 30)), *synthea(patients)]
    compared = 0
    for resource in whole:
        held, type = Held(resource, START), resource["resourceType"]
        indexed = extract(front_door.parse(as_json(resource).encode()))
        for code in PARAMETERS.get(type, {}):
            assert own_rows(held, indexed, code) == oracle_rows(held, type, code), (
                f"{type}/{resource['id']} {code}"
            )
            compared += 1
    print(f"\n{compared} parameters of {len(whole)} resources")
    assert compared > 10_000


def test_strays_of_the_corpus_are_those_the_oracle_knows() -> None:
    """Given each reference, when its type is none that the parameter leads to, then the oracle knows."""
    strays = {
        (held.resource["resourceType"], code, row.type)
        for held in (Held(resource, START) for resource in corpus())
        for code, parameter in PARAMETERS.get(held.resource["resourceType"], {}).items()
        for targets in [registry()[held.resource["resourceType"]][code][1]]
        if parameter.kind == "reference" and targets
        for row in values.rows(held, parameter)
        if row.type not in ("", *targets)
    }
    assert strays == {(*place, type) for place, types in STRAYS.items() for type in types}


def test_folding_is_the_same() -> None:
    """Given any letters, alone and in a row, when they are folded, then both foldings agree."""
    rng = scale.seeded("folding")
    letters = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    moving = [letter for letter in letters if values.fold(f"a{letter}b") != f"a{letter}b"]
    alone = rng.sample(letters, scale.counts(20_000, len(letters)))
    rows = ["".join(rng.choices(moving, k=rng.randint(2, 4))) for _ in range(scale.counts(20_000, 200_000))]
    named = [
        "".join(rng.choices("陳大文々金𠮷a· ·•‧∙⋅・．.\u3000", k=8))
        for _ in range(scale.counts(5_000, 50_000))
    ]
    different = [text for text in (*alone, *rows, *named) if fold(text) != values.fold(text)]
    assert different == []


def test_what_is_drawn_is_valid() -> None:
    for resource in resources(scale.seeded("valid"), sets=scale.counts(3, 30)):
        require_valid(front_door.parse(as_json(resource).encode()))
