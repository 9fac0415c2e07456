"""S10: what a subscriber gets is the same in every byte, whatever is stored that it may not see."""

from pathlib import Path

import pytest

from kintung.store.reader import Reader
from tests.leaks.plants import LEAKS_TOLD, Leak, planted
from tests.leaks.worlds import FEW, OPENING, PROFILES, Profile, World, opened_world
from tests.receivers import Got, Receiver, answering, receiver
from tests.spec.subscriptions.telling import Telling
from tests.stores import DAY, START

TYPES = ("Patient", "Observation", "Task", "Group", "List", "Binary", "Provenance")
LINKED = "https://kintung.org/fhir/SubscriptionTopic/patients-linked"
FILTERED = ("Observation?code:missing=false", "List?status=current", "Patient?gender=female")


def _told(
    folder: Path, profile: Profile, hook: Receiver, *, is_full: bool, sees_all: bool = False
) -> list[Got]:
    """What comes of the whole life of a world, with a receiver that is away for a while."""
    folder.mkdir()
    with opened_world(f"sqlite:///{folder}/record.db", profile, START, is_full=is_full) as world:
        telling = Telling(world.record, hook)
        reader = Reader.everything("r") if sees_all else profile.reader(world.node)
        for number, filter in enumerate((*TYPES, *FILTERED)):
            content = ("id-only", "full-resource")[number % 2]
            telling.subscribe(telling.topic(filter, f"s{number}", content=content), reader)
        telling.subscribe(telling.plain("Observation", "plain"), reader)
        linked = telling.topic("Patient?gender=female", "linked", topic=LINKED, content="full-resource")
        telling.subscribe(linked, reader)
        world.build()
        _deliver(world, telling, hook)
    return hook.got


def _deliver(world: World, telling: Telling, hook: Receiver) -> None:
    hook.answer = answering(503)
    telling.run()
    hook.answer = answering(200)
    while world.node.store.notices.tally().waiting:
        world.clock.jump(DAY // 24)
        telling.run()
    assert world.clock.now_micros() > OPENING


Shown = list[tuple[str, str, bytes]]


def _both(folder: Path, profile: Profile, *, sees_all: bool = False) -> tuple[Shown, Shown]:
    """What a subscriber gets in the bare and in the full world, but for its own address."""
    told: list[Shown] = []
    for name, is_full in (("bare", False), ("full", True)):
        with receiver() as hook:
            got = _told(folder / name, profile, hook, is_full=is_full, sees_all=sees_all)
        told.append([(each.method, each.path, each.body) for each in got])
    return told[0], told[1]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_what_is_hidden_moves_nothing_of_what_is_told(profile: Profile, tmp_path: Path) -> None:
    bare, full = _both(tmp_path, profile)
    assert len(bare) > 100
    assert any(b'"Linkage"' in body for _, _, body in bare)
    assert bare == full


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_without_the_predicate_the_worlds_are_told_apart(profile: Profile, tmp_path: Path) -> None:
    bare, full = _both(tmp_path, profile, sees_all=True)
    assert len(set(bare) ^ set(full)) > 0.3 * len(bare)


@pytest.mark.drill
@pytest.mark.parametrize("leak", LEAKS_TOLD, ids=lambda leak: leak.name)
def test_a_leak_planted_in_the_telling_is_found(leak: Leak, tmp_path: Path) -> None:
    with planted(leak):
        bare, full = _both(tmp_path, FEW)
    assert bare != full
