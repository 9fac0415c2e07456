"""A synthetic record of any size, made from a seed through the real commit path.

Organizations (the first manages half of all patients), Patients, and Observations in random
order, as a running clinic writes them: each commit mixes patients. Made once for a size and
kept in ``build/bench``; what is measured by writing works on a copy.
"""

import random
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from kintung.app import Node, open_node
from kintung.errors import Unavailable
from kintung.fhir.json import parse
from kintung.store.port import Rehearsal, Unit, View
from kintung.store.reader import Reader
from kintung.store.sql.schema import FINGERPRINT
from kintung.store.writes import AuditRecord, Grant, Outcome, Prepared

FOLDER = Path("build/bench")
CODES = ("8480-6", "8462-4", "4548-4", "2339-0", "29463-7", "8302-2", "39156-5", "2093-3", "718-7", "6690-2")
FAMILIES = ("Chan", "Wong", "Lee", "Cheung", "Lam", "Ho", "Ng", "Leung", "Tsang", "Yip")
ALL = Reader.everything("bench")
ORGANISATIONS = 50
HALF, HUNDREDTH, FEW, ONE, EVERYONE = 1, 2, 3, 4, 5
"""Numbers of the scopes: how many of the patients are in them."""
_MADE_BY = sha256(Path(__file__).read_bytes() + FINGERPRINT.encode()).hexdigest()[:8]
"""A record that this module, or the schema, would make otherwise is made anew."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a record is; ``hot`` more Observations are of the first patient alone."""

    patients: int
    observations: int
    hot: int = 0
    seed: int = 1

    @property
    def name(self) -> str:
        return f"{self.patients}x{self.observations}+{self.hot}-{self.seed}"

    @property
    def size(self) -> int:
        return ORGANISATIONS + self.patients * (1 + self.observations) + self.hot

    def scope(self, number: int) -> frozenset[int]:
        """The numbers of the patients in a scope."""
        sizes = {
            HALF: self.patients // 2,
            HUNDREDTH: max(1, self.patients // 100),
            FEW: max(1, self.patients // 2_000),
            ONE: 1,
            EVERYONE: self.patients,
        }
        chance = random.Random(self.seed + number)
        return frozenset(chance.sample(range(self.patients), sizes[number]))

    def resources(self) -> Iterator[dict[str, Any]]:
        """All resources in the order they are committed in."""
        chance = random.Random(self.seed)
        order = [n for n in range(self.patients) for _ in range(self.observations)] + [0] * self.hot
        chance.shuffle(order)
        for n in range(ORGANISATIONS):
            yield {"resourceType": "Organization", "id": f"c{n}", "name": f"Clinic {n}"}
        for n in range(self.patients):
            yield patient(n, chance)
        for number, n in enumerate(order):
            yield observation(number, n, chance)


def record(shape: Shape) -> Path:
    """A folder with ``x.db`` and ``x.db.keys`` of that shape, and the scopes."""

    def fill(folder: Path) -> None:
        with open_node(url(folder)) as node:
            for batch in batches(shape.resources()):
                commit(node, batch)
            for number in (HALF, HUNDREDTH, FEW, ONE, EVERYONE):
                grant = Grant(number, tuple(f"p{n}" for n in sorted(shape.scope(number))))
                node.store.commit(Unit(ALL, lambda _view, grant=grant: Prepared(grants=(grant,))))

    return made_once(shape.name, fill)


def made_once(name: str, fill: Callable[[Path], None]) -> Path:
    """A folder of that name with a record that this version can use, filled where there is none."""
    folder = FOLDER / f"{name}-{_MADE_BY}"
    if (folder / "done").exists() and _opens(folder):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fill(folder)
    (folder / "done").touch()
    return folder


def _opens(folder: Path) -> bool:
    """Is it a record that this version can use?"""
    try:
        with open_node(url(folder)):
            return True
    except Unavailable:
        return False


@contextmanager
def copied(folder: Path) -> Generator[Path]:
    """A copy of a record that was made once, to write to; gone with the block."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as place:
        yield Path(shutil.copytree(folder, Path(place) / "copy"))


def copy(shape: Shape) -> AbstractContextManager[Path]:
    """A copy of the record of that shape, to write to."""
    return copied(record(shape))


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


def patient(n: int, chance: random.Random) -> dict[str, Any]:
    born = f"{chance.randrange(1930, 2020)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
    return {
        "resourceType": "Patient",
        "id": f"p{n}",
        "identifier": [{"system": "https://example.org/mrn", "value": f"{n:08d}"}],
        "name": [{"family": chance.choice(FAMILIES), "given": [f"Given{chance.randrange(1000)}"]}],
        "gender": chance.choice(("male", "female")),
        "birthDate": born,
        "managingOrganization": {"reference": f"Organization/c{clinic_of(n)}"},
    }


def clinic_of(n: int) -> int:
    """Which Organization manages a patient: the first has half of all, the others share the rest."""
    return 0 if n % 2 == 0 else 1 + n // 2 % (ORGANISATIONS - 1)


def observation(number: int, n: int, chance: random.Random) -> dict[str, Any]:
    day = f"20{chance.randrange(10, 26)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}"
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": chance.choice(("final", "final", "final", "amended")),
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                    }
                ]
            }
        ],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": chance.choice(CODES), "display": "A test"}]
        },
        "subject": {"reference": f"Patient/p{n}"},
        "effectiveDateTime": f"{day}T09:30:00+08:00",
        "valueQuantity": {
            "value": chance.randrange(10, 2000) / 10,
            "unit": "mmol/L",
            "system": "http://unitsofmeasure.org",
            "code": "mmol/L",
        },
    }


def batches(resources: Iterator[dict[str, Any]], size: int = 2_000) -> Iterator[list[dict[str, Any]]]:
    """Resources by as many as one commit takes here."""
    while batch := list(islice(resources, size)):
        yield batch
