"""Requests that are answered later: every store keeps them alike, and each is answered once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kintung.store.asynchronous import WAITING_MICROS, Found, Taken, Wanted
from tests.property.store.twins import Twins, twins_of
from tests.scale import counts, seeded
from tests.stores import ADAPTERS, HOUR, SECOND, Record, opened

STEPS = counts(600, 8_000)
LEASE = 30 * SECOND
MOST = 4


@pytest.fixture(params=["sqlite", "postgres"])
def twins(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Twins]:
    def url() -> str:
        return request.getfixturevalue("postgres_url")

    with twins_of(request.param, tmp_path, url, lambda record: record.store.asynchronous) as found:
        yield found


def test_all_stores_do_the_same(twins: Twins) -> None:
    draw = seeded("asynchronous")
    ids, under_way = list[str](), list[Taken]()
    done = refused = expired = 0
    for step in range(STEPS):
        id, client = draw.choice([*ids[-6:], "never"]), draw.choice("ab")
        match draw.choice(
            ("put", "put", "take", "take", "finish", "finish", "again", "cancel", "time", "sweep")
        ):
            case "put":
                ids.append(f"id{step}")
                wanted = Wanted(ids[-1], client, b"asked %d" % step, b"access")
                refused += not twins("put", wanted, MOST)
            case "take":
                taken = twins("take", LEASE)
                if taken is not None:
                    under_way.append(taken)
            case "finish" if under_way:
                taken = under_way.pop(draw.randrange(len(under_way)))
                until = twins.now + draw.choice((SECOND, HOUR))
                done += twins("finish", taken, b"answer of " + taken.asked, until)
            case "again":
                twins("again", id, client, b"access %d" % step)
            case "cancel" if draw.random() < 0.3:
                twins("cancel", id, client)
            case "time":
                twins.pass_time(draw.choice((SECOND, LEASE, LEASE, HOUR)))
            case "sweep":
                expired += twins("sweep")
            case _:
                pass  # who took it died
        for each in ids[-6:]:
            found = twins("look", each, client)
            assert found is None or found.answer in (None, b"answer of asked %d" % int(each[2:]))
        twins("waiting")
    assert min(done, refused, expired) > STEPS / 100


@pytest.fixture(params=ADAPTERS)
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Record]:
    with opened(request.param, tmp_path, lambda: request.getfixturevalue("postgres_url"), tick=0) as found:
        yield found


def test_of_another_client_nothing_is_there(record: Record) -> None:
    kept = record.store.asynchronous
    assert kept.put(Wanted("x", "a", b"asked", b"access"), 1)
    assert not kept.put(Wanted("y", "a", b"asked", b"access"), 1)
    assert kept.put(Wanted("z", "b", b"asked", b"access"), 1)
    assert (kept.look("x", "b"), kept.cancel("x", "b"), kept.again("x", "b", b"")) == (None, False, False)
    assert kept.look("x", "a") == Found(is_under_way=False, answer=None)


def test_what_died_is_taken_again_and_who_was_too_slow_changes_nothing(record: Record) -> None:
    kept = record.store.asynchronous
    kept.put(Wanted("x", "a", b"asked", b"access"), 1)
    slow = kept.take(LEASE)
    assert slow is not None
    assert slow == Taken("x", "a", b"asked", b"access", 1)
    assert kept.take(LEASE) is None
    assert kept.look("x", "a") == Found(is_under_way=True, answer=None)
    record.clock.jump(LEASE)
    assert kept.look("x", "a") == Found(is_under_way=False, answer=None)
    quick = kept.take(LEASE)
    assert quick is not None
    until = record.clock.now_micros() + HOUR
    assert not kept.finish(slow, b"late", until)
    assert kept.finish(quick, b"answer", until)
    assert not kept.finish(quick, b"twice", until)
    assert kept.look("x", "a") == Found(is_under_way=False, answer=b"answer")


def test_one_that_is_never_answered_expires(record: Record) -> None:
    kept = record.store.asynchronous
    kept.put(Wanted("x", "a", b"asked", b"access"), 1)
    for attempt in (1, 2, 3):
        taken = kept.take(LEASE)
        assert taken is not None
        assert taken.attempts == attempt
        record.clock.jump(LEASE)
    record.clock.jump(WAITING_MICROS)
    assert kept.take(LEASE) is None
    assert kept.look("x", "a") is None
    assert (kept.sweep(), kept.sweep(), kept.waiting()) == (1, 0, 0)


def test_an_answer_expires_at_its_instant(record: Record) -> None:
    kept = record.store.asynchronous
    kept.put(Wanted("x", "a", b"asked", b"access"), 1)
    taken = kept.take(LEASE)
    assert taken is not None
    assert kept.finish(taken, b"answer", record.clock.now_micros() + HOUR)
    record.clock.jump(HOUR - 1)
    assert kept.look("x", "a") is not None
    record.clock.jump(1)
    assert kept.look("x", "a") is None
    assert kept.put(Wanted("y", "a", b"asked", b"access"), 1), "the room is free again"


def test_what_is_done_again_has_its_answer_no_more(record: Record) -> None:
    kept = record.store.asynchronous
    kept.put(Wanted("x", "a", b"asked", b"access"), 1)
    taken = kept.take(LEASE)
    assert taken is not None
    kept.finish(taken, b"answer", record.clock.now_micros() + HOUR)
    assert kept.again("x", "a", b"narrower")
    assert kept.look("x", "a") == Found(is_under_way=False, answer=None)
    assert kept.take(LEASE) == Taken("x", "a", b"asked", b"narrower", 1)


def test_who_began_before_it_was_to_be_done_again_changes_nothing(record: Record) -> None:
    kept = record.store.asynchronous
    kept.put(Wanted("x", "a", b"asked", b"access"), 1)
    before = kept.take(LEASE)
    assert before is not None
    kept.again("x", "a", b"narrower")
    assert not kept.finish(before, b"of the wider access", record.clock.now_micros() + HOUR)
    after = kept.take(LEASE)
    assert after is not None
    assert after.attempts == before.attempts
    assert not kept.finish(before, b"of the wider access", record.clock.now_micros() + HOUR)
    assert kept.finish(after, b"answer", record.clock.now_micros() + HOUR)
