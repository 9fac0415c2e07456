"""Everything of generated records: the three stores and plain Python answer the same, for any reader."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from random import Random
from typing import Any

import pytest

from kintung.fhir.search import (
    Criterion,
    DateValue,
    Everything,
    Query,
    care_between,
    compartment,
    members,
    parameters,
)
from kintung.store.reader import Reader
from kintung.store.versions import Page, Paging
from tests import scale
from tests.oracle import compartments
from tests.oracle.values import HONG_KONG, Held, span
from tests.postgres_cluster import Cluster
from tests.records import group, observation, organization, patient
from tests.stores import ADAPTERS, SECOND, START, Record, names, opened, walk

ASKED = scale.counts(40, 400)
PATIENTS = ("p0", "p1", "p2")
SECRET = "R"
SCOPE = 1
MONTHS = tuple(f"2022-0{month}" for month in range(1, 10))

Resource = dict[str, Any]


def record_of(rng: Random) -> Iterator[Resource]:
    """People, places, and what happened to people at places, in the order it is stored."""

    def to(type: str, *ids: str) -> Resource:
        return {"reference": f"{type}/{rng.choice(ids)}"}

    def day() -> Resource:
        return (
            {}
            if rng.random() < 0.3
            else {"effectiveDateTime": f"{rng.choice(MONTHS)}-{rng.randint(1, 28):02}"}
        )

    practitioners, places = ("d0", "d1", "d2", "d3", "never"), ("l0", "l1", "l2")
    for n in range(3):
        yield organization(f"g{n}")
        yield {
            "resourceType": "Location",
            "id": f"l{n}",
            "managingOrganization": to("Organization", "g0", "g1"),
        }
    for n in range(4):
        yield {"resourceType": "Practitioner", "id": f"d{n}"}
    for id in PATIENTS:
        yield patient(id, managingOrganization=to("Organization", "g0", "g1", "g2"))
    encounters = [f"e{n}" for n in range(9)]
    for id in encounters:
        yield {"resourceType": "Encounter", "id": id, "status": "finished", "class": {"code": "AMB"},
               "subject": to("Patient", *PATIENTS), "location": [{"location": to("Location", *places)}],
               "participant": [{"individual": to("Practitioner", *practitioners)}],
               "period": {"start": f"{rng.choice(MONTHS)}-02", "end": "2022-09-20"}}  # fmt: skip
    for n in range(24):
        performer = to("Patient", *PATIENTS) if n % 3 == 0 else to("Practitioner", *practitioners)
        more: Resource = {"encounter": to("Encounter", *encounters)} if n % 2 else {}
        yield observation(f"o{n}", rng.choice(PATIENTS), performer=[performer], **day(), **more)
    for n in range(8):
        yield {"resourceType": "Condition", "id": f"c{n}", "subject": to("Patient", *PATIENTS),
               "asserter": to("Practitioner", *practitioners), "encounter": to("Encounter", *encounters),
               "onsetDateTime": f"{rng.choice(MONTHS)}-11"}  # fmt: skip
    yield group("family", "p0", "p1")


class Oracle:
    """What is everything, said of the JSON; ``seen`` are the persons the reader sees, None for all."""

    def __init__(self, held: Mapping[str, Held], labelled: set[str], seen: set[str] | None) -> None:
        self.held = {
            name: each
            for name, each in held.items()
            if seen is None or (name not in labelled and self._owners(each.resource) <= seen)
        }

    def everything(self, type: str, ids: tuple[str, ...], care: tuple[float, float] | None) -> set[str]:
        """Of a resource, or of all source Patients of a person."""
        inside = {
            name: each
            for name, each in self.held.items()
            if any(compartments.holds(type, id, each) for id in ids)
            and (care is None or self._overlaps(each.resource, care))
        }
        led = {target for each in inside.values() for target in self._led(each.resource)}
        others = {name for name in led if type == "Patient" and name.startswith("Patient/")}
        return inside.keys() | (led - others) & self.held.keys()

    @staticmethod
    def _owners(resource: Resource) -> set[str]:
        match resource["resourceType"]:
            case "Patient":
                return {resource["id"]}
            case "Group":
                return {member["entity"]["reference"][8:] for member in resource["member"]}
            case _:
                return {resource["subject"]["reference"][8:]} if "subject" in resource else set()

    @staticmethod
    def _overlaps(resource: Resource, care: tuple[float, float]) -> bool:
        given = [resource[name] for name in ("effectiveDateTime", "onsetDateTime") if name in resource]
        given += (
            [f"{resource['period']['start']}/{resource['period']['end']}"] if "period" in resource else []
        )
        if not given:
            return True
        first, _, last = given[0].partition("/")
        return span(first, HONG_KONG).low < care[1] and span(last or first, HONG_KONG).high > care[0]

    def _led(self, element: Any) -> set[str]:
        if isinstance(element, list):
            return {name for each in element for name in self._led(each)}
        if not isinstance(element, dict):
            return set()
        own = {element["reference"]} if "reference" in element else set()
        return own | {name for each in element.values() for name in self._led(each)}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster) -> Iterator[dict[str, Record]]:
    with ExitStack() as stack:
        yield {
            adapter: stack.enter_context(
                opened(adapter, tmp_path_factory.mktemp(adapter), postgres.fresh_database, tick=0)
            )
            for adapter in ADAPTERS
        }


def test_everything_is_the_same_in_every_store_and_for_the_oracle(records: dict[str, Record]) -> None:
    rng = scale.seeded("everything")
    resources = list(record_of(rng))
    labelled = {f"Observation/o{n}" for n in rng.sample(range(24), 4)} | {"Encounter/e3"}
    gone = {f"Observation/o{n}" for n in rng.sample(range(24), 3)} | {"Practitioner/d3"}
    held: dict[str, Held] = {}
    for record in records.values():
        for resource in resources:
            record.clock.jump(SECOND)
            done = record.commit(record.putting(resource)).done[0]
            held[f"{resource['resourceType']}/{resource['id']}"] = Held(resource, done.at)
        for name in sorted(labelled):
            record.label(name, SECRET)
        for name in sorted(gone):
            record.delete(name)
        record.grant(SCOPE, "p0", "p1")
    current = {name: each for name, each in held.items() if name not in gone}
    oracles = {"all": Oracle(current, labelled, None), "some": Oracle(current, labelled, {"p0", "p1"})}
    found = 0
    for _ in range(ASKED):
        type = rng.choice(("Patient", "Patient", "Encounter"))
        among = PATIENTS if type == "Patient" else [f"e{n}" for n in range(9)]
        ids = tuple(rng.sample(among, rng.choice((1, 2)) if type == "Patient" else 1))
        care = _care(rng)
        who, types = (
            rng.choice(sorted(oracles)),
            rng.choice(((), (), ("Practitioner", "Observation"), ("Location",))),
        )
        since = rng.choice((None, None, START + rng.randint(1, len(resources)) * SECOND))
        wanted = {
            name
            for name in oracles[who].everything(type, ids, care)
            if (not types or name.partition("/")[0] in types)
            and (since is None or current[name].updated >= since)
        }
        newest_first = sorted(wanted, key=lambda name: list(held).index(name), reverse=True)
        apart = "Patient" if type == "Patient" else ""
        given = care_between(members(type), int(care[0]), int(care[1])) if care else None
        criteria: list[Any] = [Everything(compartment(type, ids), given, apart)]
        if since is not None:
            updated = parameters("Patient")["_lastUpdated"]
            criteria.append(Criterion(updated, None, (DateValue("ge", since, since + 1),)))
        query = Query(types, tuple(criteria))
        for adapter, record in records.items():
            scope = Reader(
                "some", persons=record.store.scope(SCOPE), organisations=True, hidden=frozenset({SECRET})
            )
            reader = Reader.everything() if who == "all" else scope
            whole, paged = asked(record, reader, query)
            assert names(whole) == newest_first, f"{adapter}: {who} {type} {ids} {care} {types} {since}"
            assert paged == newest_first, f"{adapter}, in pages"
            assert whole.total == len(newest_first)
        found += bool(wanted)
    assert found > ASKED // 2


def asked(record: Record, reader: Reader, query: Query) -> tuple[Page, list[str]]:
    """All at once, and the names of what comes in pages of four."""
    with record.store.view() as view:
        pages = walk(lambda paging: view.search(reader, query, paging), Paging(4))
        return view.search(reader, query, Paging(1000, total=True)), [
            name for page in pages for name in names(page)
        ]


def _care(rng: Random) -> tuple[float, float] | None:
    if rng.random() < 0.5:
        return None
    first, last = sorted(rng.choices(MONTHS, k=2))
    return span(first, HONG_KONG).low, span(last, HONG_KONG).high
