"""One patient with 10,000 resources and an organisation with half of all, beside the median patient."""

from collections.abc import Sequence

from bench import population
from bench.figures import Figure, Size, Times, short
from bench.population import ALL, Shape
from bench.watch import WATCH
from kintung.app import Node, open_node
from kintung.fhir.search import Query, parse_query
from kintung.store.versions import Paging

COUNT = 20
SHAPE = Shape(1_000, 9, hot=10_000)
MILLION = Shape(99_000, 9, hot=10_000)
MEDIAN_PATIENTS = range(11, 211, 2)
"""Patients with nine resources each; none is managed by the large organisation."""

ASKED = {
    "newest of a patient": "subject=Patient/p{patient}",
    "a code of a patient": "subject=Patient/p{patient}&code=http://loinc.org|4548-4",
    "a patient's, by date": "subject=Patient/p{patient}&_sort=-date",
}
OF_ORGANISATION = {
    "patients of an organisation": ("Patient", "organization=Organization/c{organisation}"),
    "data of its patients": ("Observation", "patient.organization=Organization/c{organisation}"),
}


def measure(size: Size) -> list[Figure]:
    rounds = 3 if size is Size.QUICK else 20
    shapes = [SHAPE, MILLION] if size is Size.LONG else [SHAPE]
    return [figure for shape in shapes for figure in _of(shape, rounds)]


def _of(shape: Shape, rounds: int) -> list[Figure]:
    figures: list[Figure] = []
    with open_node(population.url(population.record(shape))) as node:
        for name, text in ASKED.items():
            usual = [_query("Observation", text.format(patient=n)) for n in MEDIAN_PATIENTS]
            hot = [_query("Observation", text.format(patient=0))] * len(usual)
            _prove(node, hot[0])
            figures.append(_beside(node, f"{name} ({shape.size:,})", hot, usual, rounds))
        for name, (type, text) in OF_ORGANISATION.items():
            usual = [_query(type, text.format(organisation=n)) for n in range(1, 41)]
            hot = [_query(type, text.format(organisation=0))] * len(usual)
            figures.append(_beside(node, f"{name}, half of all ({shape.size:,})", hot, usual, rounds))
    return figures


def _query(type: str, asked: str) -> Query:
    pairs = [tuple(pair.split("=", 1)) for pair in asked.split("&")]
    return parse_query(type, [(name, value) for name, value in pairs], now_micros=0)


def _prove(node: Node, query: Query) -> None:
    """Every entry is of the patient asked for."""
    with node.store.view() as view:
        page = view.search(ALL, query, Paging(COUNT))
    assert len(page.entries) == COUNT
    assert all(b'"reference":"Patient/p0"' in entry.body for entry in page.entries)


def _beside(node: Node, name: str, hot: Sequence[Query], usual: Sequence[Query], rounds: int) -> Figure:
    """In turns, so that both meet the same machine."""
    taken: dict[str, list[float]] = {"hot": [], "usual": []}
    for _ in range(rounds):
        for kind, queries in (("hot", hot), ("usual", usual)):
            for query in queries:
                began = WATCH.now()
                with node.store.view() as view:
                    view.search(ALL, query, Paging(COUNT))
                taken[kind].append(WATCH.now() - began)
    hottest, median = Times.of(taken["hot"]), Times.of(taken["usual"])
    return Figure(
        name,
        str(hottest),
        f"median: p50 {short(median.p50)}, p99 {short(median.p99)}; {hottest.p99 / median.p99:.1f} ×",
        "p99 ≤ 2 ×",
        hottest.p99 <= 2 * median.p99,
    )
