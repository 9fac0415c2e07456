"""How far the log of a node is linked: a run compares what was written since the last.

A run is remembered when all it found is said. One that was cut off is not, so the next takes
the same stretch of the log again and says nothing twice; what is written while a run goes on is
past its end, and the next run's.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from kintung.definitions.matching import matching_weights
from kintung.identity.linkage.batch import Batch
from kintung.identity.linkage.registering import Judge, register
from kintung.store.port import Store
from kintung.store.system import System


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the log, to linking: its last sequence number, and which Patients were written in it.

    ``patients`` is None for the whole log: every Patient counts.
    """

    end: int
    patients: frozenset[str] | None


def unlinked(store: Store, system: System) -> Stretch:
    """What was written since the last run that ended; all of the log where the weights were others."""
    place = store.reached(system, _name())
    with store.view() as view:
        end = view.sequence
    if place == 0:
        return Stretch(end, None)
    written: set[str] = set()
    while place < end and (entries := store.follow(system, place, opening=())):
        written.update(entry.id for entry in entries if entry.type == "Patient" and entry.sequence <= end)
        place = entries[-1].sequence
    return Stretch(end, frozenset(written))


def tell(
    store: Store,
    system: System,
    stretch: Stretch,
    batch: Batch,
    judge: Judge,
    *,
    said: Callable[[int], object] = lambda _: None,
) -> int:
    """Say in the registry what a batch found of a stretch, and remember that it is linked.

    Gives how many links changed.
    """
    found = ((link.one, link.other) for link in batch.links(new=True))
    changed = register(store, found, judge, said=said)
    store.reach(system, _name(), stretch.end)
    return changed


def _name() -> str:
    """Of the follower; another under other weights, by which every pair is to be judged again."""
    return f"linkage {hashlib.sha256(msgspec.json.encode(matching_weights())).hexdigest()[:16]}"
