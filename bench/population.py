"""A synthetic record of any size, made from a seed through the real commit path.

Patients with Observations in random order, as a running clinic writes them: each commit
mixes patients. Made once for a size and kept in ``build/bench``.
"""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from kintung.app import Node, open_node
from kintung.fhir.json import parse
from kintung.store.port import AuditRecord, Grant, Outcome, Prepared, Rehearsal, Unit, View
from kintung.store.reader import Reader

FOLDER = Path("build/bench")
CODES = ("8480-6", "8462-4", "4548-4", "2339-0", "29463-7", "8302-2", "39156-5", "2093-3", "718-7", "6690-2")
FAMILIES = ("Chan", "Wong", "Lee", "Cheung", "Lam", "Ho", "Ng", "Leung", "Tsang", "Yip")
ALL = Reader.everything("bench")


def record(patients: int, observations: int, *, seed: int = 1) -> Path:
    """A folder with ``x.db`` and ``x.keys``: that many patients, each with that many Observations."""
    folder = FOLDER / f"{patients}x{observations}-{seed}"
    if (folder / "done").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open_node(url(folder)) as node:
        for batch in _batches(_resources(patients, observations, seed), 2_000):
            commit(node, batch)
        scopes = {1: patients // 2, 2: patients // 100, 3: max(1, patients // 2_000), 4: 1, 5: patients}
        for number, size in scopes.items():
            chosen = random.Random(seed + number).sample(range(patients), size)
            grant = Grant(number, tuple(f"p{n}" for n in chosen))
            node.store.commit(Unit(ALL, lambda _view, grant=grant: Prepared(grants=(grant,))))
    (folder / "done").touch()
    return folder


def url(folder: Path) -> str:
    return f"sqlite:///{folder.resolve()}/x.db"


def commit(node: Node, resources: list[dict[str, Any]]) -> None:
    """Commit new resources with ids of their own as one unit."""

    def prepare(view: View) -> Prepared:
        writes = tuple(
            node.scribe.put(
                view,
                ALL,
                type=resource["resourceType"],
                id=resource["id"],
                raw=(raw := msgspec.json.encode(resource)),
                resource=parse(raw),
                current=None,
                organisation="clinic",
            )
            for resource in resources
        )
        outcomes = tuple(Outcome(201, write=place) for place in range(len(writes)))
        return Prepared(writes, outcomes, AuditRecord("bench", "clinic", "TREAT", "load", "", 200))

    unit = Unit(ALL, prepare)
    with node.store.view() as view:
        rehearsal = Rehearsal(prepare(view), ())
    node.store.submit_rehearsed(unit, rehearsal).result()


def _resources(patients: int, observations: int, seed: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(seed)
    order = [n for n in range(patients) for _ in range(observations)]
    chance.shuffle(order)
    for n in range(patients):
        yield patient(n, chance)
    for number, n in enumerate(order):
        yield observation(number, n, chance)


def patient(n: int, chance: random.Random) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": f"p{n}",
        "identifier": [{"system": "https://example.org/mrn", "value": f"{n:08d}"}],
        "name": [{"family": chance.choice(FAMILIES), "given": [f"Given{chance.randrange(1000)}"]}],
        "gender": chance.choice(("male", "female")),
        "birthDate": f"{chance.randrange(1930, 2020)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}",
    }


def observation(number: int, n: int, chance: random.Random) -> dict[str, Any]:
    day = f"20{chance.randrange(10, 26)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": chance.choice(("final", "final", "final", "amended")),
        "category": [
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": chance.choice(CODES), "display": "A test"}]},
        "subject": {"reference": f"Patient/p{n}"},
        "effectiveDateTime": f"{day}T09:30:00+08:00",
        "valueQuantity": {
            "value": chance.randrange(10, 2000) / 10,
            "unit": "mmol/L",
            "system": "http://unitsofmeasure.org",
            "code": "mmol/L",
        },
    }


def _batches(resources: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for resource in resources:
        batch.append(resource)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
