"""Everything of a patient: 300 resources of seven types and what they lead to, in one page."""

import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import population
from bench.figures import Figure, Size, Times, short
from bench.population import ALL
from bench.watch import WATCH
from kintung.app import Node, open_node
from kintung.fhir.search import Everything, Query, compartment
from kintung.store.port import Unit
from kintung.store.reader import Reader
from kintung.store.versions import Paging
from kintung.store.writes import Grant, Prepared

GOAL = 0.008
RESOURCES = 300
"""Of each patient, the Patient among them."""
PRACTITIONERS = 40
MIXED = 300
"""Patients whose resources are committed in one random order, and of whom every other is asked for."""


def measure(size: Size) -> list[Figure]:
    patients = {Size.QUICK: 30, Size.NORMAL: 300, Size.LONG: 3_400}[size]
    rounds = 5 if size is Size.QUICK else 20
    population.FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(dir=population.FOLDER) as folder,
        open_node(population.url(Path(folder))) as node,
    ):
        expected = _fill(node, patients)
        readers = {
            "who may see all": ALL,
            "who may see half the patients": _reader_of(node, range(0, patients, 2)),
        }
        return [_measured(node, name, reader, expected, rounds) for name, reader in readers.items()]


def _fill(node: Node, patients: int) -> dict[int, set[str]]:
    """Commit the record, patients mixed; what is everything of each."""
    chance = random.Random(1)
    shared = [{"resourceType": "Organization", "id": "clinic", "name": "Clinic"}]
    shared += [{"resourceType": "Practitioner", "id": f"dr{n}"} for n in range(PRACTITIONERS)]
    population.commit(node, shared)
    expected: dict[int, set[str]] = {}
    for first in range(0, patients, MIXED):
        expected |= _fill_some(node, range(first, min(first + MIXED, patients)), chance)
    return expected


def _fill_some(node: Node, patients: range, chance: random.Random) -> dict[int, set[str]]:
    """Those of some patients, in one random order."""
    expected: dict[int, set[str]] = {}
    own: list[dict[str, Any]] = []
    for n in patients:
        resources = list(_record(n, chance))
        assert len(resources) == RESOURCES
        own += resources
        expected[n] = {f"{each['resourceType']}/{each['id']}" for each in resources} | set(_led(resources))
    own.sort(key=lambda each: each["resourceType"] != "Patient")
    rest = own[len(patients) :]
    chance.shuffle(rest)
    for start in range(0, len(own), 2_000):
        population.commit(node, (own[: len(patients)] + rest)[start : start + 2_000])
    return expected


def _record(n: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    """A Patient, 30 Encounters, and 269 that happened in them."""
    subject = {"reference": f"Patient/p{n}"}
    yield population.patient(n, chance) | {"managingOrganization": {"reference": "Organization/clinic"}}
    for place in range(30):
        seen_by = {"individual": {"reference": f"Practitioner/dr{chance.randrange(PRACTITIONERS)}"}}
        yield {"resourceType": "Encounter", "id": f"p{n}-e{place}", "status": "finished",
               "class": {"code": "AMB"}, "subject": subject, "participant": [seen_by],
               "period": {"start": _day(chance)}}  # fmt: skip
    for place in range(RESOURCES - 31):
        encounter = {"reference": f"Encounter/p{n}-e{place % 30}"}
        practitioner = {"reference": f"Practitioner/dr{chance.randrange(PRACTITIONERS)}"}
        match place % 10:
            case 7:
                yield {"resourceType": "Condition", "id": f"p{n}-c{place}", "subject": subject,
                       "encounter": encounter, "asserter": practitioner, "onsetDateTime": _day(chance),
                       "code": {"text": "Type 2 diabetes mellitus"}}  # fmt: skip
            case 8:
                yield {"resourceType": "MedicationRequest", "id": f"p{n}-m{place}", "status": "active",
                       "intent": "order", "subject": subject, "encounter": encounter,
                       "requester": practitioner, "authoredOn": _day(chance),
                       "medicationCodeableConcept": {"text": "Metformin 500 mg"}}  # fmt: skip
            case 9:
                yield {"resourceType": "Procedure", "id": f"p{n}-s{place}", "status": "completed",
                       "subject": subject, "encounter": encounter, "performedDateTime": _day(chance),
                       "performer": [{"actor": practitioner}]}  # fmt: skip
            case _:
                observed = population.observation(place, n, chance) | {"id": f"p{n}-o{place}"}
                yield observed | {"encounter": encounter, "performer": [practitioner]}


def _day(chance: random.Random) -> str:
    return f"20{chance.randrange(10, 26)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"


def _led(resources: list[dict[str, Any]]) -> Iterator[str]:
    """What the resources refer to."""
    waiting: list[Any] = list(resources)
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            if isinstance(reference := found.get("reference"), str):
                yield reference
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found


def _reader_of(node: Node, patients: range) -> Reader:
    grant = Grant(1, tuple(f"p{n}" for n in patients))
    node.store.commit(Unit(ALL, lambda _: Prepared(grants=(grant,))))
    return Reader("half", persons=node.store.scope(1), organisations=True)


def _measured(node: Node, name: str, reader: Reader, expected: dict[int, set[str]], rounds: int) -> Figure:
    """Every answer is proved before its time counts."""
    taken: list[float] = []
    for n in list(expected)[:MIXED:2] * rounds:
        query = Query((), (Everything(compartment("Patient", (f"p{n}",)), apart="Patient"),), count=1_000)
        began = WATCH.now()
        with node.store.view() as view:
            page = view.search(reader, query, Paging(query.count))
        taken.append(WATCH.now() - began)
        assert {f"{entry.type}/{entry.id}" for entry in page.entries} == expected[n]
        assert len(page.entries) == len(expected[n])
    times = Times.of(taken)
    return Figure(
        f"{RESOURCES} of {len(expected) * RESOURCES:,} resources, {name}",
        str(times),
        f"with what they lead to, {len(expected[0])} in one page; {len(taken)} asked",
        f"p50 ≤ {short(GOAL)}",
        times.p50 <= GOAL,
    )
