"""A process that races others for the same resources, and says what became of each try.

``python -m tests.durability.racer '{"url": ..., "race": "update", ...}'``: all threads start when
the line ``go`` comes; each answer is printed as one line of JSON, ``[thread, round, outcome]``.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kintung.clock import SetClock, SystemClock
from kintung.errors import VersionConflict
from kintung.fhir.search import parse_query
from kintung.store.port import Unit, View
from kintung.store.writes import Outcome, Prepared
from tests.durability.nodes import assembled
from tests.durability.writer import backend_of
from tests.records import patient, weight
from tests.stores import ALL, START, Record


@dataclass(frozen=True, slots=True)
class Race:
    """What is raced for."""

    url: str
    keys: str
    race: str
    """``update`` or ``create``."""
    name: str
    threads: int
    rounds: int


def update(record: Record, name: str, number: int) -> Iterator[Any]:
    """Update one Patient on ``If-Match`` of each version in turn; who wins a version says so."""
    version = 1
    while version <= number:
        family = f"{name}-{version}"

        def prepare(view: View, version: int = version, family: str = family) -> Prepared:
            current = view.current(ALL, "Patient", "raced")
            assert current is not None
            if current.version_id != version:
                raise VersionConflict(f"at {current.version_id}")
            write = record.putting(patient("raced", family))(view)
            return Prepared((write,), (Outcome(200, write=0),))

        try:
            receipt = record.store.commit(Unit(ALL, prepare))
        except VersionConflict:
            yield [version, "lost"]
        else:
            yield [version, "won", receipt.done[0].version_id, family]
        version = record.read("Patient/raced").version_id


def create(record: Record, name: str, number: int) -> Iterator[Any]:
    """Create a Patient for each identifier if none has it, alone and in a bundle; say which it is."""
    for turn in range(number):
        identifier = f"http://example.org/ids|{turn}"
        query = parse_query("Patient", [("identifier", identifier)], now_micros=START)
        new = patient(f"{name}-{turn}", identifier=[{"system": "http://example.org/ids", "value": str(turn)}])
        beside = weight(f"{name}-{turn}", f"{name}-{turn}", 60) if turn % 2 else None

        def prepare(view: View) -> Prepared:
            found = view.match(ALL, query)  # noqa: B023 - called within this turn
            assert len(found) <= 1
            if found:
                match = found[0]
                return Prepared((), (Outcome(200, match.type, match.id, match.version_id),))
            resources = [new, beside] if beside else [new]  # noqa: B023
            writes = tuple(record.putting(resource)(view) for resource in resources)
            return Prepared(writes, tuple(Outcome(201, write=place) for place in range(len(writes))))

        done = record.store.commit(Unit(ALL, prepare)).done
        yield [turn, done[0].status, done[0].id]


RACES: dict[str, Callable[[Record, str, int], Iterator[Any]]] = {"update": update, "create": create}


def race_threads(record: Record, race: Race, start: threading.Event) -> Iterator[list[Any]]:
    """Run the race on all threads; every answer, with the thread it came from."""

    def run(thread: int) -> list[list[Any]]:
        start.wait()
        return [
            [thread, *answer] for answer in RACES[race.race](record, f"{race.name}-{thread}", race.rounds)
        ]

    with ThreadPoolExecutor(race.threads) as threads:
        for answers in threads.map(run, range(race.threads)):
            yield from answers


def main() -> None:
    race = Race(**json.loads(sys.argv[1]))
    start = threading.Event()
    with assembled(backend_of(race.url, 10), Path(race.keys), clock=SystemClock()) as parts:
        record = Record(parts.store, parts.scribe, SetClock(START))
        print("ready", flush=True)
        assert sys.stdin.readline() == "go\n"
        start.set()
        for answer in race_threads(record, race, start):
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
