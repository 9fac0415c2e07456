"""A database and the plain store do the same random things and must give the same answers.

What is done is drawn from the seed of the run: units of several writes (some of which
fail, repeat a key, or come under an old grant), labels, grants, a clock that jumps, and
between them reads, searches, histories and page walks by readers of every kind. Every
answer is compared: bytes, order, totals, errors by their class, and the log at the end.
"""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest

from kintung.errors import KintungError, NotFound
from kintung.store.links import LinkChange, LinkKind
from kintung.store.port import Unit, View
from kintung.store.reader import Reader, Scope
from kintung.store.sql import clauses
from kintung.store.sql.search import conditions
from kintung.store.sql.search import plan as search_plans
from kintung.store.versions import Page, Paging, Position, Version
from kintung.store.writes import AuditRecord, Grant, Idempotency, Job, Outcome, Prepared, Relabel, Write
from tests.property.store import given
from tests.scale import counts, seeded
from tests.stores import ALL, DAY, HOUR, SECOND, SYSTEM, Adapter, Putting, Record, Step, in_order, opened

STEPS = counts(3000, 10_000)
RUNS = range(counts(1, 5))


class Walk(NamedTuple):
    """A search or history on its way through its pages; ``after`` by record."""

    ask: Callable[[View, int | None, Position | None], Page]
    what: str
    sequence: int | None = None
    after: tuple[Position | None, Position | None] = (None, None)


class Pair:
    """The plain store and another, and what was done to both."""

    def __init__(self, plain: Record, other: Record, rng: Random) -> None:
        self.records = (plain, other)
        self.rng = rng
        self.done: list[str] = []
        self.seen: Counter[str] = Counter()
        self.walks: list[Walk] = []
        self.patients: tuple[dict[int, str], dict[int, str]] = ({}, {})
        self.old_scopes: list[Scope] = []

    def both(self, what: str, call: Callable[[Record, int], Any]) -> tuple[Any, Any]:
        """Do the same to both and compare what comes of it; gives the answers as they are."""
        self.done.append(what)
        answers = tuple(_outcome(lambda place=place: call(self.records[place], place)) for place in (0, 1))
        plain, other = (self.plainly(answer, place) for place, answer in enumerate(answers))
        assert plain == other, "\n".join(
            ["the stores differ", f"  plain: {plain}", f"  other: {other}", "after:", *self.done[-12:]]
        )
        self.seen[what.split(maxsplit=1)[0]] += 1
        if isinstance(answers[0], Page):
            self.seen["pages"] += 1
            self.seen["pages that show something"] += bool(answers[0].entries)
            self.seen["pages that include something"] += bool(answers[0].included)
        if isinstance(answers[0], KintungError):
            self.seen[type(answers[0]).__name__] += 1
        return answers[0], answers[1]

    def plainly(self, answer: Any, place: int) -> Any:
        """An answer without what may differ: keys of patients, and how a store writes positions."""
        if isinstance(answer, Exception):
            return type(answer).__name__
        if isinstance(answer, Version):
            persons = sorted(self.patients[place].get(key, "not stored yet") for key in answer.patient_keys)
            return (*answer[:6], persons)
        if isinstance(answer, Page):
            position = answer.next and answer.next.sequence
            return (
                [self.plainly(version, place) for version in answer.entries],
                [self.plainly(version, place) for version in answer.included],
                answer.sequence,
                position,
                answer.total,
            )
        if isinstance(answer, list):
            return [self.plainly(each, place) for each in answer]
        return answer

    def learn(self, patient: str) -> None:
        """Remember the keys of a Patient that is stored."""
        for record, known in zip(self.records, self.patients, strict=True):
            (key,) = record.read(f"Patient/{patient}").patient_keys
            known[key] = patient


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except KintungError as error:
        return error


# -- what may be done -------------------------------------------------------------------


def write(pair: Pair) -> None:
    """A unit of one to four writes, with all that may go along."""
    rng = pair.rng
    reader = _writer(pair)
    organisation = rng.choice(given.ORGANISATIONS)
    steps = [_step(pair, reader, organisation) for _ in range(rng.choice((1, 1, 1, 2, 4)))]
    idempotency = None
    if rng.random() < 0.15:
        idempotency = Idempotency(rng.choice("cd"), rng.choice("kl"), rng.choice((b"1" * 32, b"2" * 32)))
    jobs = (Job("send", rng.randbytes(3), pair.records[0].clock.now_micros()),) if rng.random() < 0.1 else ()
    relabels = (_relabel(rng),) if rng.random() < 0.05 else ()
    grants = (_grant(rng),) if rng.random() < 0.05 else ()
    what = f"write {[what for what, _ in steps]} as {reader} {idempotency} {relabels} {grants}"

    def commit(record: Record, _place: int) -> object:
        def prepare(view: View) -> Prepared:
            writes = in_order(view, [step(record) for _, step in steps])
            outcomes = tuple(Outcome(200, write=place) for place in range(len(writes)))
            return Prepared(writes, outcomes, relabels=relabels, grants=grants, jobs=jobs)

        return record.store.commit(Unit(reader, prepare, idempotency))

    pair.both(what, commit)


def _writer(pair: Pair) -> Reader:
    """Mostly one who may write anywhere; else one who sees some, now and then by an old grant."""
    rng = pair.rng
    if rng.random() < 0.7:
        return ALL
    if pair.old_scopes and rng.random() < 0.2:
        return Reader("someone", persons=rng.choice(pair.old_scopes))
    return given.reader(rng, pair.records[0].store)


def _step(pair: Pair, reader: Reader, organisation: str) -> tuple[str, Callable[[Record], Step]]:
    rng = pair.rng
    chance = rng.random()
    if chance < 0.15:
        name = given.name(rng)
        return f"delete {name}", lambda record: lambda view: _delete(record, view, reader, name)
    resource = given.resource(rng)
    # To insist on another version than the view shows is a fault of the writer: all it can come to
    # is a conflict, for one who sees everything.
    expected = rng.randint(0, 3) if chance < 0.2 and reader is ALL else None
    what = f"put {json.dumps(resource, ensure_ascii=False)}{'' if expected is None else f' after {expected}'}"
    return what, lambda record: Putting(record.scribe, resource, reader, organisation, expected)


def _delete(record: Record, view: View, reader: Reader, name: str) -> Write:
    current = view.current(reader, *name.split("/"))
    if current is None or current.deleted:
        raise NotFound(name)
    return record.deleting(name, reader)(view)


def _relabel(rng: Random) -> Relabel:
    type, id = given.name(rng).split("/")
    return Relabel(type, id, frozenset(rng.sample(given.LABELS, rng.randint(0, 2))))


def _grant(rng: Random) -> Grant:
    add, remove = (tuple(rng.sample(given.PATIENTS, rng.randint(0, 3))) for _ in range(2))
    deny, lift = (tuple(rng.sample(given.PATIENTS, rng.choice((0, 0, 0, 1)))) for _ in range(2))
    return Grant(rng.choice(given.SCOPES), add, remove, deny, lift)


def link(pair: Pair) -> None:
    """Something is said of pairs, in a unit that may write as well; decisions expect what was read."""
    rng = pair.rng
    said = [
        (*rng.choices(given.PATIENTS, k=2), rng.choice(list(LinkKind))) for _ in range(rng.choice((1, 1, 2)))
    ]
    is_late = rng.random() < 0.1
    score = rng.choice((0, 900, 1500))
    audit = AuditRecord("steward", "a", "", "link", "x", 200)

    def commit(record: Record, _place: int) -> object:
        def prepare(view: View) -> Prepared:
            changes: list[LinkChange] = []
            for one, other, kind in said:
                stands = view.link(ALL, one, other)
                expected = (stands.version if stands else 0) + is_late if kind.is_decision else None
                changes.append(LinkChange(one, other, kind, "s", f"why {kind}", score, expected))
            return Prepared(links=tuple(changes), audit=audit)

        return record.store.commit(Unit(ALL, prepare))

    pair.both(f"link {said}{' late' if is_late else ''}", commit)
    look_at_persons(pair)


def look_at_persons(pair: Pair) -> None:
    """All that a reader is told of persons and links."""
    rng = pair.rng
    reader, (one, other) = _asker(pair), rng.sample(given.PATIENTS, 2)
    limit, after = rng.randint(1, 3), rng.choice((0, rng.randint(0, 50)))
    values = rng.sample(("A1234563", "B987654(3)"), rng.randint(1, 2))
    numbers = tuple((given.HKID, value) for value in values)

    def ask(record: Record, _place: int) -> object:
        with record.store.view() as view:
            return (
                view.person(reader, one),
                view.link(reader, one, other),
                view.links_of(reader, one),
                view.queue(reader, limit, after),
                view.said(reader, one, other),
                view.disclosed(reader, one, other),
                view.bearers(numbers, limit),
            )

    answers, _ = pair.both(f"persons {one} {other} as {reader}", ask)
    names = ("person", "link", "links_of", "queue", "said", "disclosed", "bearers")
    pair.seen.update(f"{name} shows" for name, answer in zip(names, answers, strict=True) if answer)
    pair.seen["person of several"] += len(answers[0]) > 1
    look_at_what_is_known(pair)
    look_at_what_was_opened(pair)


def look_at_what_is_known(pair: Pair) -> None:
    """The record of one or two source Patients, as it is and as it was at any instant of it."""
    rng = pair.rng
    reader, patients = _asker(pair), rng.sample(given.PATIENTS, rng.choice((1, 1, 2)))
    types = rng.sample(given.TYPES, rng.randint(1, len(given.TYPES)))
    most = rng.choice((1, 2, 5, 1000))
    instants = [entry.at for entry in pair.records[0].store.follow(SYSTEM, 0, 100_000, opening=())]
    at = rng.choice((None, rng.choice(instants or [0]) + rng.choice((-1, 0, 1))))

    def ask(record: Record, _place: int) -> object:
        with record.store.view() as view:
            found = view.known(reader, patients, types, most=most, at=at)
        return found.is_cut, [version._replace(patient_keys=()) for version in found.versions]

    (is_cut, versions), _ = pair.both(f"known {patients} {types} at {at} most {most} as {reader}", ask)
    pair.seen["known is cut"] += is_cut
    pair.seen["known as it was"] += at is not None and bool(versions)
    pair.seen["known as it is"] += at is None and bool(versions)


def disclose(pair: Pair) -> None:
    """A reader of a scope is shown what it may see, and that is put on record."""
    rng = pair.rng
    scope = pair.records[0].store.scope(rng.choice(given.SCOPES))
    asked, about = rng.choice(given.PATIENTS), rng.random() < 0.3
    has_scope = rng.random() < 0.8
    opener = rng.choice((*_OPENERS, None))

    def commit(record: Record, place: int) -> object:
        by_id = {id: key for key, id in pair.patients[place].items()}
        with record.store.view() as view:
            shown = view.person(Reader("r", scope) if has_scope else ALL, asked)
        keys = tuple(by_id[id] for id in shown if id in by_id)
        told = AuditRecord("dr", "a", "TREAT", "read", "x", 200, patient_keys=keys)
        if has_scope:
            told = msgspec.structs.replace(told, scope=scope.number, epoch=scope.epoch)
        if about and asked in by_id:
            told = msgspec.structs.replace(told, about=by_id[asked])
        if opener is not None and asked in by_id:
            actor, organisation = opener
            told = msgspec.structs.replace(told, actor=actor, organisation=organisation, opened=by_id[asked])
        return record.store.record(told).result(30)

    pair.both(f"disclose {asked} of {scope} {about} {has_scope} {opener}", commit)


_OPENERS = (("dr", "a"), ("dr", ""), ("nurse", "a"))


def look_at_what_was_opened(pair: Pair) -> None:
    """Whose records an actor opened lately."""
    rng = pair.rng
    reader, opener, most = _asker(pair), rng.choice((*_OPENERS, ("dr", "x"))), rng.randint(1, 4)

    def ask(record: Record, _place: int) -> object:
        with record.store.view() as view:
            found = view.opened(reader, *opener, most)
        return [(each.at, each.patient._replace(patient_keys=())) for each in found]

    found, _ = pair.both(f"opened by {opener} most {most} as {reader}", ask)
    pair.seen["opened"] += bool(found)
    pair.seen["opened by several"] += len(found) > 1


def relabel(pair: Pair) -> None:
    change = Prepared(relabels=(_relabel(pair.rng),))
    pair.both(
        f"relabel {change.relabels}", lambda record, _: record.store.commit(Unit(ALL, lambda _: change))
    )


def grant(pair: Pair) -> None:
    change = Prepared(grants=(_grant(pair.rng),))
    pair.old_scopes = [pair.records[0].store.scope(number) for number in given.SCOPES]
    pair.both(f"grant {change.grants}", lambda record, _: record.store.commit(Unit(ALL, lambda _: change)))
    for number in given.SCOPES:
        pair.both(f"scope {number}", lambda record, _, number=number: record.store.scope(number))


def jump(pair: Pair) -> None:
    micros = pair.rng.choice((1, SECOND, HOUR, HOUR, DAY, -1, -HOUR))
    pair.both(f"jump {micros}", lambda record, _: record.clock.jump(micros))


def read(pair: Pair) -> None:
    name, reader, version_id = given.name(pair.rng), _asker(pair), pair.rng.randint(1, 4)
    type, id = name.split("/")

    def ask(record: Record, place: int) -> object:
        with record.store.view() as view:
            return [
                view.current(reader, type, id),
                view.owners_of(type, id),
                pair.plainly(_outcome(lambda: view.read(reader, type, id)), place),
                pair.plainly(_outcome(lambda: view.vread(reader, type, id, version_id)), place),
                view.sequence,
            ]

    def lookup(record: Record, place: int) -> object:
        with record.store.lookup() as view:
            return view.read(reader, type, id)

    pair.both(f"lookup {name} as {reader}", lookup)
    answers, _ = pair.both(f"read {name} {version_id} as {reader}", ask)
    pair.seen.update(answer for answer in answers if isinstance(answer, str))


def search(pair: Pair) -> None:
    text, reader = given.search(pair.rng), _asker(pair)
    query = pair.records[0].query(text)
    count, total = pair.rng.randint(0, 6), pair.rng.random() < 0.5

    def ask(view: View, sequence: int | None, after: Position | None) -> Page:
        return view.search(reader, query, Paging(count, total, sequence, after))

    _advance(pair, Walk(ask, f"search {text} count {count} as {reader}"))
    limit = pair.rng.randint(1, 3)

    def match(record: Record, _place: int) -> object:
        with record.store.view() as view:
            return view.match(reader, query, limit)

    pair.both(f"match {text} at most {limit} as {reader}", match)


def history(pair: Pair) -> None:
    rng = pair.rng
    type, id = given.name(rng).split("/")
    where: tuple[str | None, str | None] = rng.choice(((type, id), (type, id), (type, None), (None, None)))
    reader, count = _asker(pair), rng.randint(0, 6)
    now = pair.records[0].clock.now_micros()
    since = rng.choice((None, None, now - rng.choice((0, HOUR, DAY))))
    start = now - rng.choice((0, 1, SECOND, HOUR, DAY))
    at = rng.choice((None, (start, start + rng.choice((1, SECOND, HOUR)))))
    oldest_first = rng.random() < 0.3

    def ask(view: View, sequence: int | None, after: Position | None) -> Page:
        paging = Paging(count, total=True, sequence=sequence, after=after)
        return view.history(reader, *where, since=since, at=at, oldest_first=oldest_first, paging=paging)

    order = "oldest" if oldest_first else "newest"
    _advance(pair, Walk(ask, f"history {where} since {since} at {at} {order} count {count} as {reader}"))


def walk_on(pair: Pair) -> None:
    """The next page of a search or history begun earlier, whatever was written meanwhile."""
    if pair.walks:
        _advance(pair, pair.walks.pop(pair.rng.randrange(len(pair.walks))))


def _advance(pair: Pair, walk: Walk) -> None:
    def ask(record: Record, place: int) -> Page:
        with record.store.view() as view:
            return walk.ask(view, walk.sequence, walk.after[place])

    pages = pair.both(walk.what if walk.sequence is None else f"walk on: {walk.what}", ask)
    plain, other = pages
    if isinstance(plain, Page) and plain.next is not None:
        pair.walks.append(walk._replace(sequence=plain.sequence, after=(plain.next, other.next)))


def work(pair: Pair) -> None:
    claimed, _ = pair.both("claim", lambda record, _: record.store.claim(SYSTEM, "send", HOUR))
    if claimed is not None and pair.rng.random() < 0.7:
        pair.both("finish", lambda record, _: record.store.finish(SYSTEM, claimed.number))


def follow(pair: Pair) -> None:
    limit = pair.rng.randint(1, 50)
    pair.both(f"follow {limit}", lambda record, _: _log(record, limit))


def _log(record: Record, limit: int) -> list[object]:
    entries: list[object] = []
    after = 0
    while piece := record.store.follow(SYSTEM, after, limit):
        entries += piece
        after = piece[-1].sequence
    return entries


def _asker(pair: Pair) -> Reader:
    return given.reader(pair.rng, pair.records[0].store)


DOINGS = {
    write: 40,
    search: 30,
    walk_on: 12,
    read: 12,
    history: 8,
    relabel: 4,
    grant: 5,
    link: 8,
    disclose: 8,
    look_at_persons: 4,
    jump: 4,
    work: 2,
    follow: 1,
}


# -- the test ---------------------------------------------------------------------------

LOW = {
    "FEW": 3,
    "FEW_PERSONS": 1,
    "MANY_PERSONS": 2,
    "STEPS_PER_PERSON": 1,
    "PROBED_PER_PERSON": 1,
    "STRETCH": 5,
    "STRETCH_OF_FORMS": 4,
    "STRETCH_OF_PERSON": 3,
    "FEW_OF_PERSON": 1,
    "COUNTED_OF_PERSON": 4,
    "COUNTED": 6,
    "FEWER": 2,
}
"""Of the planner's thresholds, those that would be out of reach."""


@pytest.fixture(params=["usual thresholds", "low thresholds"])
def plans(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With so few resources one plan would do for nearly all searches: low thresholds mix them."""
    if request.param == "low thresholds":
        for name, value in LOW.items():
            monkeypatch.setattr(search_plans, name, value)
        monkeypatch.setattr(conditions, "MANY_ENDS", 1)
        monkeypatch.setattr(conditions, "MANY_INDEXED", 2)
        monkeypatch.setattr(conditions, "MANY_REFERENCES", 2)
        monkeypatch.setattr(clauses, "SHORT", 1)
    return request.param


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("adapter", ["sqlite", "postgres"])
def test_a_database_answers_as_the_plain_store(
    request: pytest.FixtureRequest, tmp_path: Path, adapter: Adapter, plans: str, run: int
):
    with ExitStack() as stack:
        folders = [tmp_path / name for name in ("plain", adapter)]
        for folder in folders:
            folder.mkdir()
        plain, other = (
            stack.enter_context(
                opened(which, folder, lambda: request.getfixturevalue("postgres_url"), tick=0)
            )
            for which, folder in zip(("memory", adapter), folders, strict=True)
        )
        # The same draws for every adapter, so that one that differs stands out.
        pair = Pair(plain, other, seeded(f"side by side {plans} {run}"))
        for id in given.PATIENTS[:-2]:
            pair.both(f"put Patient/{id}", lambda record, _, id=id: record.put(given.patient(id)))
            pair.learn(id)

        for _ in range(STEPS):
            doing = pair.rng.choices(list(DOINGS), weights=list(DOINGS.values()))[0]
            doing(pair)

        follow(pair)
        exports = pair.both(
            "export", lambda record, _: sorted(record.store.export(SYSTEM), key=lambda v: v[:2])
        )
        assert exports[0]
        pair.both("check", lambda record, _: list(record.store.check(SYSTEM)))
    assert pair.seen["pages that show something"] >= 0.5 * pair.seen["pages"]
    assert pair.seen["pages that include something"] >= 10
    for refusal in ("NotFound", "Deleted", "VersionConflict", "RuleFailed", "Duplicate", "Unavailable"):
        assert pair.seen[refusal], f"{refusal} was never met"
    for shown in ("person", "link", "links_of", "queue", "said", "disclosed"):
        assert pair.seen[f"{shown} shows"] >= 5, f"{shown} shows nothing"
    assert pair.seen["person of several"] >= 5
    for shown in ("known is cut", "known as it was", "known as it is", "opened", "opened by several"):
        assert pair.seen[shown] >= 5, shown
    assert pair.seen["Conflict"] >= 5
