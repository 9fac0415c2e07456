"""Named searches, page of 20, on records of different size, in the store and over HTTP.

Every page and total is first compared with what a plain loop over the generated resources
finds.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from bench import plans, population, wrk
from bench.figures import Figure, Size, Times, short
from bench.population import ALL, Shape
from bench.processes import serving
from bench.watch import WATCH
from kintung.app import Node, open_node
from kintung.fhir.search import Query, parse_query
from kintung.identity.name_search import name_forms
from kintung.store.versions import Paging

COUNT = 20
SMALL, MIDDLE, LARGE = Shape(1_000, 9), Shape(10_000, 9), Shape(100_000, 9)

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Search:
    """A search, and a plain reading of what it asks for."""

    name: str
    type: str
    asked: str
    meets: Callable[[Resource], bool]
    order: Callable[[Resource], Any] | None = None
    """Sort key, ascending; newest first without one."""
    total: bool = False
    hub: int = 0


def _code(code: str) -> Callable[[Resource], bool]:
    return lambda resource: resource["code"]["coding"][0]["code"] == code


def _number(resource: Resource) -> int:
    return int(resource["subject"]["reference"].removeprefix("Patient/p"))


SEARCHES = (
    Search("all of a type", "Observation", "", lambda _: True),
    Search("common code", "Observation", "code=http://loinc.org|4548-4", _code("4548-4")),
    Search(
        "code of one patient",
        "Observation",
        "subject=Patient/p7&code=http://loinc.org|4548-4",
        lambda r: _number(r) == 7 and _code("4548-4")(r),
    ),
    Search("one patient", "Observation", "subject=Patient/p7", lambda r: _number(r) == 7),
    Search(
        "common AND common, some",
        "Observation",
        "code=http://loinc.org|4548-4&status=amended",
        lambda r: _code("4548-4")(r) and r["status"] == "amended",
    ),
    Search(
        "common AND common, none",
        "Observation",
        "code=http://loinc.org|4548-4&code=http://loinc.org|718-7",
        lambda _: False,
    ),
    Search(
        "a day",
        "Observation",
        "date=2017-05-09",
        lambda r: r["effectiveDateTime"].startswith("2017-05-09"),
    ),
    Search(
        "since a date AND code",
        "Observation",
        "date=ge2025-06&code=http://loinc.org|4548-4",
        lambda r: r["effectiveDateTime"] >= "2025-06" and _code("4548-4")(r),
    ),
    Search(
        "newest by date of all",
        "Observation",
        "_sort=-date",
        lambda _: True,
        order=lambda r: _descending(r["effectiveDateTime"]),
    ),
    Search(
        "common code, total",
        "Observation",
        "code=http://loinc.org|4548-4&_total=accurate",
        _code("4548-4"),
        total=True,
    ),
    Search(
        "identifier, chained",
        "Observation",
        "subject:Patient.identifier=https://example.org/mrn|00000007",
        lambda r: _number(r) == 7,
    ),
    Search(
        "chain through a hub Organization",
        "Patient",
        "organization:Organization.name=Clinic 0",
        lambda r: r["managingOrganization"]["reference"] == "Organization/c0",
    ),
    Search("family name", "Patient", "family=cheung", lambda r: r["name"][0]["family"] == "Cheung"),
    Search("identifier", "Patient", "identifier=https://example.org/mrn|00000007", lambda r: r["id"] == "p7"),
)


def _descending(text: str) -> tuple[int, ...]:
    return tuple(-ord(letter) for letter in text)


def measure(size: Size) -> list[Figure]:
    shapes = (
        [SMALL] if size is Size.QUICK else [SMALL, MIDDLE] if size is Size.NORMAL else [SMALL, MIDDLE, LARGE]
    )
    found = {shape: _in_store(shape, 0.5 if size is Size.QUICK else 2.0) for shape in shapes}
    figures: list[Figure] = []
    least, most = shapes[0], shapes[-1]
    if size is Size.LONG:
        _explain(most, found[most])
    for search in SEARCHES:
        times, smallest = found[most][search.name], found[least][search.name]
        growth = times.p99 / smallest.p99
        figures.append(
            Figure(
                f"{search.name} ({most.size:,})",
                str(times),
                f"p99 {short(smallest.p99)} at {least.size:,}: {growth:.1f} ×" if most is not least else "",
                "p50 ≤ 5 ms, p99 ≤ 25 ms, ≤ 1.5 ×",
                times.p50 <= 5e-3 and times.p99 <= 25e-3 and growth <= 1.5,
            )
        )
    return [
        *figures,
        *_over_http(MIDDLE if size is not Size.QUICK else SMALL, 1 if size is Size.QUICK else 3),
    ]


def _in_store(shape: Shape, seconds: float) -> dict[str, Times]:
    """Each search again and again for so long, on a record whose answers were proved right."""
    resources = list(shape.resources())
    folder = population.record(shape)
    taken: dict[str, Times] = {}
    with open_node(population.url(folder)) as node:
        for search in SEARCHES:
            query = query_of(search)
            _prove(node, search, query, resources)
            taken[search.name] = _timed(node, query, seconds)
    return taken


def _explain(shape: Shape, taken: dict[str, Times]) -> None:
    """Write the plans of all searches into the reference."""
    with open_node(population.url(population.record(shape))) as node:
        found = [
            plans.Explained(
                search.name,
                f"{search.type}?{search.asked}",
                taken[search.name],
                plans.plans(node, ALL, query_of(search), COUNT),
            )
            for search in SEARCHES
        ]
    plans.write(shape.size, found)


def query_of(search: Search) -> Query:
    pairs = [pair.split("=", 1) for pair in search.asked.split("&") if pair]
    asked = [(name, value) for name, value in pairs]
    return parse_query(search.type, asked, now_micros=int(time.time() * 1e6), others=name_forms)


def expected(search: Search, resources: list[Resource]) -> list[Resource]:
    """What a search finds, in order, by a plain loop."""
    matching = [r for r in resources if r["resourceType"] == search.type and search.meets(r)][::-1]
    return sorted(matching, key=search.order) if search.order else matching


def _prove(node: Node, search: Search, query: Query, resources: list[Resource]) -> None:
    wanted = expected(search, resources)
    with node.store.view() as view:
        page = view.search(ALL, query, Paging(COUNT, total=search.total))
    ids = [entry.id for entry in page.entries]
    assert ids == [resource["id"] for resource in wanted[:COUNT]], f"{search.name}: a wrong page"
    assert page.total == (len(wanted) if search.total else None), f"{search.name}: a wrong total"


def _timed(node: Node, query: Query, seconds: float) -> Times:
    taken: list[float] = []
    total = query.total != "none"
    ends = time.perf_counter() + seconds
    while not taken or (len(taken) < 2_000 and time.perf_counter() < ends):
        began = WATCH.now()
        with node.store.view() as view:
            view.search(ALL, query, Paging(COUNT, total=total))
        taken.append(WATCH.now() - began)
    return Times.of(taken[1:] or taken)


def _over_http(shape: Shape, seconds: int) -> list[Figure]:
    """The same over HTTP, audited, one client."""
    figures: list[Figure] = []
    resources = list(shape.resources())
    with population.copy(shape) as folder, serving(population.url(folder)) as server:
        for search in SEARCHES:
            path = f"/fhir/{search.type}?{search.asked}&_count={COUNT}".replace("|", "%7C").replace(
                " ", "%20"
            )
            status, body = server.ask("GET", path)
            entries = msgspec.json.decode(body).get("entry", []) if status == 200 else []
            wanted = [resource["id"] for resource in expected(search, resources)[:COUNT]]
            assert [entry["resource"]["id"] for entry in entries] == wanted, f"{search.name}: {status}"
            load = wrk.load(server.port, [wrk.get(path)], connections=1, seconds=seconds)
            assert not load.failed, load
            figures.append(
                Figure(
                    f"HTTP {search.name} ({shape.size:,})",
                    load.latency(),
                    "one client, audited",
                    "p50 ≤ 5 ms, p99 ≤ 25 ms",
                    load.p50 <= 5e3 and load.p99 <= 25e3,
                )
            )
    return figures
