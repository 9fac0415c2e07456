"""80 reads and searches, 15 creates and 5 Bundles of a visit in a hundred requests, audited."""

from random import Random
from typing import Any

import msgspec

from bench import population, wrk
from bench.figures import Figure, Size
from bench.machine import fsync_note, memory
from bench.population import Shape
from bench.processes import serving
from bench.rows.http import creates

CONNECTIONS = 32
VISIT = 10
"""Resources in a Bundle."""
CODE = "http://loinc.org%7C4548-4"


def measure(size: Size) -> list[Figure]:
    patients = {Size.QUICK: 1_000, Size.NORMAL: 10_000, Size.LONG: 100_000}[size]
    shape = Shape(patients, 9)
    seconds = {Size.QUICK: 4, Size.NORMAL: 20, Size.LONG: 120}[size]
    requests = _requests(shape)
    with population.copy(shape) as folder, serving(population.url(folder)) as server:
        _prove(server.ask, shape)
        load = wrk.load(server.port, requests, connections=CONNECTIONS, seconds=seconds)
        held = " and ".join(f"{memory(pid)[1] / 2**20:,.0f}" for pid in server.workers())
    return [
        Figure(
            f"mixed on {shape.size:,} resources, {CONNECTIONS} clients, {seconds} s",
            str(load),
            fsync_note(),
            "≥ 1,000/s, p99 ≤ 100 ms",
            load.rate >= 1_000 and load.p99 <= 100e3,
        ),
        Figure("  refused or broken", f"{load.failed}", f"of {load.requests:,}", "none", load.failed == 0),
        Figure("  PSS of the workers after it", f"{held} MiB"),
    ]


def _requests(shape: Shape) -> list[bytes]:
    """2,000 requests in an order made from the seed."""
    chance = Random(1)
    patients = range(shape.patients)
    reads: list[bytes] = []
    for number in range(1_600):
        patient = chance.choice(patients)
        reads.append(
            wrk.get(
                (
                    f"/fhir/Observation/o{chance.randrange(shape.patients * shape.observations)}",
                    f"/fhir/Patient/p{patient}",
                    f"/fhir/Observation?subject=Patient/p{patient}&_count=20",
                    f"/fhir/Observation?subject=Patient/p{patient}&code={CODE}",
                )[number % 4]
            )
        )
    requests = [
        *reads,
        *creates(patients, 300),
        *(_visit(chance.choice(patients), chance) for _ in range(100)),
    ]
    chance.shuffle(requests)
    return requests


def _visit(patient: int, chance: Random) -> bytes:
    """A transaction of an Encounter and what was observed in it."""
    encounter: dict[str, Any] = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/p{patient}"},
    }
    resources = [encounter]
    for number in range(VISIT - 1):
        resource = population.observation(number, patient, chance)
        del resource["id"]
        resources.append(
            {**resource, "encounter": {"reference": "urn:uuid:6f1f9c1e-0000-4000-8000-000000000000"}}
        )
    entries = [
        {
            "fullUrl": f"urn:uuid:6f1f9c1e-0000-4000-8000-{number:012d}",
            "resource": resource,
            "request": {"method": "POST", "url": resource["resourceType"]},
        }
        for number, resource in enumerate(resources)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return wrk.post("/fhir", msgspec.json.encode(bundle))


def _prove(ask: Any, shape: Shape) -> None:
    """Each kind of request does what it is meant to, once."""
    body = _visit(3, Random(2)).partition(b"\r\n\r\n")[2]
    status, answer = ask("POST", "/fhir", body)
    assert (status, answer.count(b'"201 Created"')) == (200, VISIT), answer
    status, answer = ask("GET", "/fhir/Observation?subject=Patient/p3&_count=50")
    found = msgspec.json.decode(answer)["entry"]
    assert (status, len(found)) == (200, shape.observations + VISIT - 1)
