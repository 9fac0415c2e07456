"""Search by readers who may see all, half, a hundredth, few and one of 100,000 patients.

The newest page of 20 and a code search, by each plan: walk-and-probe, grants first, and as
the planner chooses. Every page is first compared with a plain loop over the resources the
reader may see.
"""

import time
from collections.abc import Callable
from typing import Any

from bench import applications, population, wrk
from bench.applications import reader_of
from bench.figures import Figure, Size, Times, short
from bench.population import ALL, EVERYONE, FEW, HALF, HUNDREDTH, ONE, Shape
from bench.processes import started
from bench.rows.searches import SEARCHES, Search, expected, query_of
from bench.watch import WATCH
from kintung.app import Node, open_node
from kintung.fhir.search import Query
from kintung.store.reader import Reader
from kintung.store.sql.names import Names
from kintung.store.sql.search import Asked, Plan
from kintung.store.versions import Paging

COUNT = 20
LARGE, SMALL = Shape(100_000, 2), Shape(10_000, 9)
SCOPES = {"100 %": EVERYONE, "50 %": HALF, "1 %": HUNDREDTH, "0.05 %": FEW, "one": ONE}
ASKED = {search.name: search for search in SEARCHES if search.name in ("all of a type", "common code")}
WIDE = ("100 %", "50 %")


def measure(size: Size) -> list[Figure]:
    shape = SMALL if size is Size.QUICK else LARGE
    seconds = 0.5 if size is Size.QUICK else 2.0
    resources = list(shape.resources())
    figures: list[Figure] = []
    with open_node(population.url(population.record(shape))) as node:
        for search in ASKED.values():
            query = query_of(search)
            plain = _timed(lambda query=query: _page(node, ALL, query), seconds)
            figures.append(Figure(f"{search.name}: unfiltered ({shape.patients:,} patients)", str(plain)))
            for share, number in SCOPES.items():
                reader = reader_of(node, number)
                _prove(node, reader, search, query, shape.scope(number), resources)
                figures.append(_chosen(node, reader, query, share, plain, seconds))
                figures += _plans(node, reader, query, share, seconds)
    return [*figures, *_over_http(shape, 1 if size is Size.QUICK else 4)]


def _page(node: Node, reader: Reader, query: Query) -> tuple[str, ...]:
    with node.store.view() as view:
        return tuple(entry.id for entry in view.search(reader, query, Paging(COUNT)).entries)


def _prove(
    node: Node,
    reader: Reader,
    search: Search,
    query: Query,
    persons: frozenset[int],
    resources: list[dict[str, Any]],
) -> None:
    seen = [each for each in expected(search, resources) if _patient(each) in persons]
    assert _page(node, reader, query) == tuple(each["id"] for each in seen[:COUNT]), reader.name


def _patient(resource: dict[str, Any]) -> int:
    return int(resource["subject"]["reference"].removeprefix("Patient/p"))


def _chosen(node: Node, reader: Reader, query: Query, share: str, plain: Times, seconds: float) -> Figure:
    times = _timed(lambda: _page(node, reader, query), seconds)
    bound = max(2 * plain.p50, 150e-6)
    wide = share in WIDE
    return Figure(
        f"  {share}: as chosen, with bodies",
        str(times),
        f"{times.p50 / plain.p50:.2f} × unfiltered",
        f"p99 ≤ 2 ms{', p50 ≤ 2 × or 150 µs' if wide else ''}",
        times.p99 <= 2e-3 and (not wide or times.p50 <= bound),
    )


def _plans(node: Node, reader: Reader, query: Query, share: str, seconds: float) -> list[Figure]:
    """The statements of both plans alone: what either would have cost."""
    figures: list[Figure] = []
    store: Any = node.store
    with store.searcher() as searcher:
        asked = Asked(Names().stored(searcher.db, reader), query, COUNT + 1)
        pages: set[tuple[int, ...]] = set()
        for name in ("walk", "grants"):
            statement = searcher.page(asked, Plan(name))

            def run(statement: Any = statement) -> list[Any]:
                return searcher.db.rows(statement.text, statement.values)

            pages.add(tuple(row[4] for row in run()))
            times = _timed(run, seconds / 4)
            figures.append(Figure(f"  {share}: {name}, statement alone", str(times)))
        assert len(pages) == 1, "the plans find different pages"
    return figures


def _timed(work: Callable[[], object], seconds: float) -> Times:
    taken: list[float] = []
    ends = time.perf_counter() + seconds
    work()
    while len(taken) < 3 or (len(taken) < 2_000 and time.perf_counter() < ends):
        began = WATCH.now()
        work()
        taken.append(WATCH.now() - began)
    return Times.of(taken)


def _over_http(shape: Shape, seconds: int) -> list[Figure]:
    """The newest page for a reader of everyone, in turns with one who is not filtered."""
    path = f"/fhir/Observation?_count={COUNT}"
    plain, filtered = [wrk.get(path)], [wrk.get(path, f"x-scope: {EVERYONE}")]
    with (
        population.copy(shape) as folder,
        started(applications.command("scoped", population.url(folder))) as server,
    ):
        assert server.ask("GET", path)[0] == 200
        runs = [
            [wrk.load(server.port, asked, connections=1, seconds=seconds) for asked in (plain, filtered)]
            for _ in range(3)
        ]
    assert not any(load.failed for run in runs for load in run)
    free, bound = (sorted(run[place].p50 for run in runs)[1] / 1e6 for place in (0, 1))
    return [
        Figure(
            "HTTP, 100 %, newest page, one client",
            f"p50 {short(bound)}",
            f"{bound / free:.2f} × unfiltered ({short(free)}), median of 3 runs in turns",
            "≤ 1.05 ×",
            bound <= 1.05 * free,
        )
    ]
