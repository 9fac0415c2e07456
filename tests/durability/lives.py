"""Resources that live: put, changed, deleted, put again and labelled at random, with a model beside."""

from collections.abc import Callable
from random import Random
from typing import Any

from kintung.definitions import owners
from kintung.errors import RuleFailed
from kintung.fhir.json import parse
from kintung.store.port import View
from kintung.store.versions import Method, Paging, Version
from kintung.store.writes import Done, Write
from tests.generators.resources import as_json, resources
from tests.records import binary, group, listing, patient
from tests.stores import ALL, Record

Step = Callable[[View], Write]


class Lives:
    """Random changes of one record, and what each version was when it was made."""

    def __init__(self, record: Record, random: Random) -> None:
        self.record = record
        self.random = random
        self.versions: dict[tuple[str, str, int], Version | None] = {}
        """Every version as it was first read; None for a deletion."""
        self.last: dict[tuple[str, str], int] = {}
        self.deleted: set[tuple[str, str]] = set()
        self.refused = 0
        self._drawn = [resource for _ in range(4) for resource in resources(random)]
        people = [resource["id"] for resource in self._drawn if resource["resourceType"] == "Patient"]
        self._drawn += [group(f"g{n % 5}", *random.sample(people, 3)) for n in range(20)]
        self._drawn += [
            listing(f"l{n % 5}", f"Patient/{random.choice(people)}", f"Group/g{n % 5}") for n in range(20)
        ]
        self._drawn += [binary(f"b{n % 5}", f"Group/g{random.randrange(5)}") for n in range(20)]
        self._drawn += [patient(id, random.choice(["Chan", "Wong"])) for id in people]

    def live(self, steps: int) -> None:
        """So many random changes, one or several in a unit."""
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        there = sorted(self.last.keys() - self.deleted)
        chance = self.random.random()
        if chance < 0.15 and there:
            type, id = self.random.choice(there)
            self._commit(self.record.deleting(f"{type}/{id}"))
        elif chance < 0.22 and there:
            type, id = self.random.choice(there)
            self.record.label(
                f"{type}/{id}", *self.random.sample(["R", "V", "PSY"], self.random.randrange(3))
            )
        else:
            chosen = self.random.sample(self._drawn, self.random.choice((1, 1, 2, 5)))
            self._commit(*map(self.putting, _of_one_unit(chosen)))

    def putting(self, resource: dict[str, Any]) -> Step:
        raw = as_json(resource).encode()
        type, id = resource["resourceType"], resource["id"]

        def put(view: View) -> Write:
            current = view.current(ALL, type, id)
            return self.record.scribe.put(
                view, ALL, type=type, id=id, raw=raw, resource=parse(raw), current=current, organisation="o"
            )

        return put

    def _commit(self, *steps: Step) -> None:
        try:
            receipt = self.record.commit(*steps)
        except RuleFailed:
            self.refused += 1
            return
        for done in receipt.done:
            self._remember(done)

    def _remember(self, done: Done) -> None:
        name = (done.type, done.id)
        self.last[name] = done.version_id
        with self.record.store.view() as view:
            page = view.history(ALL, done.type, done.id, paging=Paging(1))
        version = page.entries[0]
        assert version.version_id == done.version_id
        gone = version.method == Method.DELETE
        self.versions[(*name, done.version_id)] = None if gone else version
        (self.deleted.add if gone else self.deleted.discard)(name)


def _of_one_unit(chosen: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each resource once, and none that another takes its owners from.

    A transaction of the API writes such a source first and tells what comes after; the steps
    here all read the state before the unit.
    """
    unique = {f"{resource['resourceType']}/{resource['id']}": resource for resource in chosen}
    sources = {name for resource in chosen for name in owners(resource, resource["id"]).sources}
    return [resource for name, resource in unique.items() if name not in sources]
