"""What is foreseen of units that are prepared is what is seen once they are committed."""

from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest

from kintung.errors import Deleted, KintungError, NotFound, RuleFailed
from kintung.identity.feed import Feed, Patient
from kintung.store.ahead import Ahead
from kintung.store.port import Read, Rehearsal, Unit, View
from kintung.store.reader import Reader
from kintung.store.units import rehearse, still_so
from kintung.store.writes import Outcome, Prepared, Receipt, Write
from tests.people import CARDS, HKID, feeding, link, person, with_card
from tests.records import group, observation
from tests.scale import counts, seeded
from tests.stores import ALL, SYSTEM, Adapter, Record, opened

IDS = ("a", "b", "c", "d")
NAMES = (*(("Patient", id) for id in IDS), ("Observation", "o"), ("Group", "g"))
BEARERS = (*((card,) for card in CARDS), CARDS)
RUNS = counts(40, 400)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path):
    adapter: Adapter = request.param
    with opened(adapter, tmp_path, lambda: request.getfixturevalue("postgres_url")) as record:
        yield record


def unit(record: Record, rng: Random) -> Unit:
    """A unit of one to three writes of Patients with cards, what is theirs, and what is several's."""
    names = rng.sample(NAMES, rng.randint(1, 3))
    cards = [rng.choice(CARDS) for _ in names]
    deletes = [rng.random() < 0.25 for _ in names]
    of = rng.sample(IDS, 2)

    def write(view: View, type: str, id: str, card: str, *, is_deleted: bool) -> Write:
        if is_deleted and (now := view.current(ALL, type, id)) is not None and not now.deleted:
            return record.deleting(f"{type}/{id}")(view)
        if type == "Patient":
            return record.putting(with_card(id, card))(view)
        return record.putting(observation(id, of="a") if type == "Observation" else group(id, *of))(view)

    def prepare(view: View) -> Prepared:
        writes = tuple(
            write(view, *name, card, is_deleted=gone)
            for name, card, gone in zip(names, cards, deletes, strict=True)
        )
        patients = [
            Patient(each.id, None if each.adds is None else with_card(each.id, card), not each.expected)
            for each, card in zip(writes, cards, strict=True)
            if each.type == "Patient"
        ]
        outcomes = tuple(Outcome(200, write=place) for place in range(len(writes)))
        return Prepared(writes, outcomes, links=Feed().links(view, patients))

    return Unit(ALL, prepare)


def reads(most: int) -> list[Read]:
    """All that can be foreseen."""
    asked = [Read("current", (ALL, *name), None) for name in NAMES]
    asked += [Read("owners_of", name, None) for name in NAMES]
    return [*asked, *(Read("bearers", (tuple((HKID, c) for c in cards), most), None) for cards in BEARERS)]


def bodies(view: View) -> list[object]:
    """What of the Patients is compared when they are linked."""
    found: list[object] = []
    for id in IDS:
        try:
            version = view.read(ALL, "Patient", id)
        except (NotFound, Deleted) as error:
            found.append(type(error))
        else:
            found.append((version.version_id, version.body.partition(b'"lastUpdated":"')[0]))
    return found


def test_what_is_foreseen_is_what_comes(empty: Record) -> None:
    rng = seeded("ahead")
    for _ in range(RUNS):
        units = [unit(empty, rng) for _ in range(rng.randint(1, 4))]
        asked = reads(rng.randint(1, 5))
        with empty.store.view() as view:
            ahead = Ahead(view, empty.scribe)
            rehearsed: list[tuple[Unit, Rehearsal]] = []
            for each in units:
                try:
                    rehearsed.append((each, rehearse(each, ahead)))
                except RuleFailed:  # a Group of others than before
                    continue
                ahead.take(rehearsed[-1][1].prepared)
            foreseen = [read.ask(ahead) for read in asked]
            texts = bodies(ahead)
            assert ahead.knows(asked)
        for each, _ in rehearsed:
            empty.store.commit(each)
        with empty.store.view() as view:
            assert foreseen == [read.ask(view) for read in asked]
            assert texts == bodies(view)
    assert list(empty.store.check(SYSTEM)) == []


def again(_view: View) -> Prepared:
    raise RuleFailed("it was prepared again")


def committed(record: Record, rehearsed: Iterable[Rehearsal]) -> list[Receipt | KintungError]:
    """What comes of units that were prepared elsewhere, handed over together."""
    futures = [record.store.submit_rehearsed(Unit(ALL, again), each) for each in rehearsed]
    answers: list[Receipt | KintungError] = []
    for future in futures:
        error = future.exception(30)
        assert error is None or isinstance(error, KintungError)
        answers.append(error or future.result())
    return answers


def ahead_of_each_other(record: Record, *units: Unit) -> list[Rehearsal]:
    """Units prepared each on what those before it will have written."""
    with record.store.view() as view:
        ahead = Ahead(view, record.scribe)
        found: list[Rehearsal] = []
        for each in units:
            found.append(rehearse(each, ahead))
            ahead.take(found[-1].prepared)
    return found


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path):
    """The plain store always prepares where it commits."""
    with opened(request.param, tmp_path, lambda: request.getfixturevalue("postgres_url")) as record:
        yield record


def test_units_that_rest_on_each_other_are_prepared_once(database: Record) -> None:
    """Records of one person that come one after another, and a second version of one of them."""
    units = [feeding(database, with_card(id)) for id in "abc"]
    units += [feeding(database, with_card("d", CARDS[1])), feeding(database, with_card("d", CARDS[2]))]

    answers = committed(database, ahead_of_each_other(database, *units))

    assert [answer for answer in answers if not isinstance(answer, Receipt)] == []
    assert person(database, "b") == ("a", "b", "c")
    assert database.read("Patient/d").version_id == 2
    assert list(database.store.check(SYSTEM)) == []


def test_what_rests_on_a_unit_that_never_came_is_prepared_again(database: Record) -> None:
    cards = {"a": CARDS[0], "b": CARDS[0], "c": CARDS[1]}
    units = [feeding(database, with_card(id, card)) for id, card in cards.items()]
    _, second, other = ahead_of_each_other(database, *units)

    refused, done = committed(database, [second, other])

    assert isinstance(refused, RuleFailed)
    assert isinstance(done, Receipt)


def test_what_was_linked_meanwhile_is_asked_again(database: Record) -> None:
    """Two were prepared apart, each without the other."""
    apart = [ahead_of_each_other(database, feeding(database, with_card(id)))[0] for id in "ab"]

    first, second = committed(database, apart)

    assert isinstance(first, Receipt)
    assert isinstance(second, RuleFailed)


def test_a_reader_who_does_not_see_all_is_answered_by_the_tables(database: Record) -> None:
    """A unit of a group is staged when the next one asks: what hides it is in the tables alone."""
    some = Reader("some", persons=True, organisations=True, hidden=frozenset({"R"}))
    database.put(with_card("a"))
    database.label("Patient/a", "R")

    with database.store.view() as view:
        ahead = Ahead(view, database.scribe)
        ahead.take(rehearse(feeding(database, with_card("a", CARDS[1])), view).prepared)
        read = Read("current", (some, "Patient", "a"), None)
        assert not ahead.knows([read])
        assert read.ask(ahead) is None
        assert not still_so((read._replace(answer=1),), ahead)
        assert link(database, "a", "b") is None
