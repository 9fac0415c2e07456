"""The queue of notifications does the same on every store, and keeps the order of each lane."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kintung.store.notices import ACTIVE, FAILING, REQUESTED, Advance, Notice, Taken
from tests.property.store.twins import Twins, twins_of
from tests.scale import counts, seeded
from tests.stores import SECOND, SYSTEM, opened

STEPS = counts(400, 6_000)
LEASE = 30 * SECOND


@pytest.fixture(params=["sqlite", "postgres"])
def twins(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Twins]:
    def url() -> str:
        return request.getfixturevalue("postgres_url")

    with twins_of(request.param, tmp_path, url, lambda record: record.store.notices, SYSTEM) as found:
        yield found


def test_all_queues_do_the_same_and_keep_the_order_of_a_lane(twins: Twins) -> None:
    draw = seeded("notices")
    sequence, cursor, under_way = 1, 0, list[Taken]()
    delivered: dict[tuple[str, str], list[int]] = {}
    for _ in range(STEPS):
        match draw.choice(
            ("lead", "advance", "advance", "take", "take", "end", "end", "replay", "time", "lead")
        ):
            case "lead":
                found = twins("lead", draw.choice("aaaaaaab"), LEASE)
                cursor = cursor if found is None else found
            case "advance":
                notices = [_notice(draw, sequence + place) for place in range(draw.randrange(4))]
                begun = [(id, sequence, b"access") for id in "xyz" if draw.random() < 0.05]
                ended = [id for id in "xyz" if draw.random() < 0.01]
                step = Advance(cursor + draw.choice((0, 0, 0, 1)), cursor + 4, notices, begun, ended)
                if twins("advance", draw.choice("aaaaaaab"), step):
                    sequence += len(notices)
                    cursor += 4
            case "take":
                taken = twins("take", LEASE, draw.choice(((), ("x",), ("x", "y", "z"))))
                if taken is not None:
                    under_way.append(taken)
            case "end" if under_way:
                taken = under_way.pop(draw.randrange(len(under_way)))
                _end(twins, draw, taken, delivered)
            case "replay":
                dead = twins("dead")
                some = [each.number for each in dead if draw.random() < 0.5]
                twins("replay", draw.choice((None, some, [0])))
            case _:
                twins.pass_time(draw.choice((SECOND, 40 * SECOND)))
        twins.alike(lambda queue: queue.tally())
        twins("subscribers")
        for subscriber in twins("subscribers"):
            if draw.random() < 0.2:
                twins("mark", subscriber, draw.choice((REQUESTED, ACTIVE, ACTIVE, FAILING)))
    assert sum(map(len, delivered.values())) > STEPS / 100


def _notice(draw: Random, sequence: int) -> Notice:
    handshake = draw.random() < 0.2
    return Notice(
        draw.choice("xyzw"),
        0 if handshake else sequence,
        "Observation",
        draw.choice("op"),
        sequence,
        "update",
        7,
    )


def _end(twins: Twins, draw: Random, taken: Taken, delivered: dict[tuple[str, str], list[int]]) -> None:
    match draw.choice(("done", "done", "done", "later", "all later", "bury", "number", "crash")):
        case "done":
            twins("done", taken)
            delivered.setdefault((taken.notice.subscription, taken.notice.id), []).append(taken.number)
        case "later":
            twins("later", taken, taken.queued + 5 * SECOND, "503", all_of_it=False)
        case "all later":
            twins("later", taken, taken.queued + 90 * SECOND, "503", all_of_it=True)
        case "bury":
            twins("bury", taken, "404")
        case "number":
            twins("give_number", taken)
        case _:
            pass  # its holder died: it is due again when the lease ends


@pytest.mark.parametrize("adapter", ["memory", "sqlite", "postgres"])
def test_of_a_lane_one_is_under_way_and_they_come_in_order(
    adapter: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Many takers, no lease that ends: what is delivered of a lane ascends, and nothing is left."""
    draw = seeded("lanes")
    with opened(adapter, tmp_path, lambda: request.getfixturevalue("postgres_url"), tick=0) as record:
        queue = record.store.notices
        assert queue.lead(SYSTEM, "a", LEASE) == 0
        notices = [_notice(draw, sequence)._replace(sequence=sequence) for sequence in range(1, 121)]
        begun = [(id, 1, b"access") for id in "xyzw"]
        assert queue.advance(SYSTEM, "a", Advance(0, 120, notices, begun))
        for subscriber in queue.subscribers(SYSTEM):
            queue.mark(SYSTEM, subscriber, ACTIVE)
        under_way, seen = list[Taken](), dict[tuple[str, str], list[int]]()
        while len(under_way) or queue.tally().waiting:
            taken = queue.take(SYSTEM, LEASE) if draw.random() < 0.7 else None
            if taken is not None:
                lane = (taken.notice.subscription, taken.notice.id)
                assert lane not in [(each.notice.subscription, each.notice.id) for each in under_way]
                under_way.append(taken)
            elif under_way:
                taken = under_way.pop(draw.randrange(len(under_way)))
                queue.done(SYSTEM, taken)
                seen.setdefault((taken.notice.subscription, taken.notice.id), []).append(
                    taken.notice.sequence
                )
        assert sum(map(len, seen.values())) == 120
        assert all(numbers == sorted(numbers) for numbers in seen.values())


def test_who_lost_the_lease_changes_nothing(twins: Twins) -> None:
    assert twins("lead", "a", LEASE) == 0
    assert twins("lead", "b", LEASE) is None
    twins.pass_time(LEASE)
    assert twins("lead", "b", LEASE) == 0
    notice = Notice("x", 1, "Observation", "o", 1, "create", 7)
    assert not twins("advance", "a", Advance(0, 1, [notice], [("x", 1, b"")]))
    assert twins("advance", "b", Advance(0, 1, [notice], [("x", 1, b"")]))
    assert not twins("advance", "b", Advance(0, 1, [notice])), "the same piece of the log twice"
    twins("resign", "b")
    assert twins("lead", "a", LEASE) == 1


def test_who_was_too_slow_changes_nothing(twins: Twins) -> None:
    twins("lead", "a", LEASE)
    notice = Notice("x", 0, "Subscription", "x", 1, "create", 7)
    twins("advance", "a", Advance(0, 1, [notice], [("x", 1, b"")]))
    slow = twins("take", LEASE)
    twins.pass_time(LEASE)
    quick = twins("take", LEASE)
    assert (quick.number, quick.attempts) == (slow.number, 2)
    twins("done", slow)
    twins("bury", slow, "no")
    assert twins.alike(lambda queue: queue.tally()) == (1, 1, 0, quick.queued)
    twins("done", quick)
    assert twins.alike(lambda queue: queue.tally()) == (1, 0, 0, None)


def test_before_its_handshake_nothing_is_sent_to_a_subscriber(twins: Twins) -> None:
    twins("lead", "a", LEASE)
    event = Notice("x", 2, "Observation", "o", 1, "create", 7)
    handshake = Notice("x", 0, "Subscription", "x", 1, "create", 7)
    twins("advance", "a", Advance(0, 2, [event, handshake], [("x", 1, b"who")]))
    taken = twins("take", LEASE)
    assert taken.notice == handshake
    assert taken.subscriber.access == b"who"
    assert twins("take", LEASE) is None
    twins("mark", taken.subscriber, ACTIVE)
    twins("done", taken)
    assert twins("take", LEASE).notice == event


def test_numbers_of_events_ascend_without_a_gap(twins: Twins) -> None:
    twins("lead", "a", LEASE)
    events = [Notice("x", n, "Observation", f"o{n}", 1, "create", 7) for n in (1, 2, 3)]
    twins("advance", "a", Advance(0, 3, events, [("x", 1, b"")]))
    twins("mark", twins("subscribers")[0], ACTIVE)
    first, second, third = (twins("take", LEASE) for _ in range(3))
    assert twins("give_number", second) == 1
    twins("done", first)  # it was hidden: nobody learns that it was
    assert twins("give_number", third) == 2
    assert twins("give_number", second) == 1
