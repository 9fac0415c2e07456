"""D11, D18, D19, D20: time, index and history over long random lives of resources."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kintung.clock import SeededEntropy, SetClock
from kintung.errors import Deleted, Duplicate
from kintung.fhir.json import parse
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.schema import INDEX_TABLES
from kintung.store.versions import Paging
from kintung.store.writes import Idempotency, IndexRows
from tests.durability.lives import Lives
from tests.durability.nodes import Parts, assembled
from tests.durability.tables import Tables, tables
from tests.durability.writer import backend_of
from tests.records import patient, weight
from tests.scale import counts, seeded
from tests.stores import ADAPTERS, ALL, DAY, HOUR, START, Record, opened

STEPS = counts(150, 2_000)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/record.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def clock() -> SetClock:
    return SetClock(START, tick=1)


@pytest.fixture
def parts(url: str, tmp_path: Path, clock: SetClock) -> Iterator[Parts]:
    with assembled(backend_of(url, 10), tmp_path / "keys.db", clock=clock, entropy=SeededEntropy(1)) as parts:
        yield parts


def test_the_index_is_what_a_rebuild_gives(parts: Parts, url: str, clock: SetClock) -> None:
    """D19: after random changes, every index table equals, byte for byte, one made anew from the bodies."""
    record = Record(parts.store, parts.scribe, clock)
    lives = Lives(record, seeded("index"))

    lives.live(STEPS)

    stored = tables(url)
    assert rebuilt(parts, lives, stored) == {name: stored[name] for name in INDEX_TABLES}
    assert all(stored[name] for name in INDEX_TABLES)
    assert parts.findings() == []
    rows = sum(len(stored[name]) for name in INDEX_TABLES)
    print(f"D19: {len(lives.versions)} versions, {rows} index rows, as rebuilt ({lives.refused} refused)")


def rebuilt(parts: Parts, lives: Lives, stored: Tables) -> Tables:
    """The index tables made from the current bodies alone, with the numbers the record gave names."""
    entities = {(type, id): (key, home) for key, type, id, home in stored["entity"]}
    systems = dict(stored["system"])
    terms = {(systems[system], code): number for number, system, code in stored["term"]}
    made: dict[str, set[tuple[Any, ...]]] = {name: set() for name in INDEX_TABLES}
    for (type, id), last in lives.last.items():
        version = lives.versions[type, id, last]
        if version is None:
            continue
        rows: IndexRows = parts.scribe.index(parse(version.body))
        key, home = entities[TYPE_NUMBERS[type], id]
        tail = (home, key)
        made["ix_token"] |= {(a, t if isinstance(t, int) else terms[t], *tail) for a, t in rows.tokens}
        made["ix_reference"] |= {(a, entities[TYPE_NUMBERS[t], i][0], *tail) for a, t, i in rows.references}
        made["ix_date"] |= {(*row, *tail) for row in rows.dates}
        made["ix_string"] |= {(*row, *tail) for row in rows.strings}
        made["ix_quantity"] |= {(a, terms[unit], low, high, *tail) for a, unit, low, high in rows.quantities}
        made["ix_composite"] |= {
            (a, numbered(terms, first), numbered(terms, second), low, high, *tail)
            for a, first, second, low, high in rows.composites
        }
        made["ix_composite"] |= {
            (a, entities[TYPE_NUMBERS[t], i][0], numbered(terms, second), b"", b"", *tail)
            for a, t, i, second in rows.relations
        }
    return {name: sorted(rows) for name, rows in made.items()}


def numbered(terms: dict[tuple[str, str], int], term: Any) -> int:
    return term if isinstance(term, int) else terms[term]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_no_version_ever_changes(adapter: Any, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """D20: history and vread give every version as it was first read, whatever came after."""
    with opened(adapter, tmp_path, lambda: request.getfixturevalue("postgres_url")) as record:
        lives = Lives(record, seeded("history"))
        for _ in range(10):
            lives.live(STEPS // 10)
            unchanged(record, lives)
        with record.store.view() as view:
            whole = view.history(ALL, paging=Paging(len(lives.versions) + 1))
        assert len(whole.entries) == len(lives.versions)
        assert any(version is None for version in lives.versions.values())
        print(f"D20: {len(lives.versions)} versions unchanged, {len(lives.deleted)} of them deleted last")


def unchanged(record: Record, lives: Lives) -> None:
    with record.store.view() as view:
        for (type, id, number), version in lives.versions.items():
            if version is not None:
                assert view.vread(ALL, type, id, number) == version
                continue
            with pytest.raises(Deleted):
                view.vread(ALL, type, id, number)
        for (type, id), last in lives.last.items():
            page = view.history(ALL, type, id, paging=Paging(last + 1))
            assert [entry.version_id for entry in page.entries] == list(range(last, 0, -1))


def test_time_in_the_log_never_runs_back(parts: Parts, url: str, clock: SetClock) -> None:
    """D18: the clock jumps an hour either way between commits; order, instants and chain stay right."""
    record = Record(parts.store, parts.scribe, clock)
    lives = Lives(record, seeded("clock"))
    for _ in range(STEPS // 5):
        clock.jump(lives.random.choice((-HOUR, HOUR, -1, 0)))
        lives.live(3)

    stored = tables(url)
    instants = [row[6] for row in stored["log"]]
    assert instants == sorted(instants)
    assert [row[1] for row in stored["chain"]] == sorted(row[1] for row in stored["chain"])
    for type, id in lives.last:
        with parts.store.view() as view:
            page = view.history(ALL, type, id, paging=Paging(1000))
        assert [version.at for version in page.entries] == sorted(
            (version.at for version in page.entries), reverse=True
        )
    assert parts.findings() == []


def test_two_nodes_with_clocks_apart_keep_one_time(url: str, tmp_path: Path) -> None:
    """D18: one clock is an hour ahead; what the other commits next is not dated before."""
    keys, ahead, behind = tmp_path / "keys.db", SetClock(START + HOUR, tick=1), SetClock(START, tick=1)
    with (
        assembled(backend_of(url, 10), keys, clock=ahead) as one,
        assembled(backend_of(url, 10), keys, clock=behind) as two,
    ):
        records = [Record(one.store, one.scribe, ahead), Record(two.store, two.scribe, behind)]
        random = seeded("clocks apart")
        instants = [random.choice(records).put(patient("p", f"Chan{n}")).at for n in range(40)]

        assert instants == sorted(instants)
        assert instants[-1] >= START + HOUR
        assert one.findings() == two.findings() == []


def test_a_key_has_one_effect_on_two_nodes(url: str, tmp_path: Path) -> None:
    """D11: a replay on another node gives the same receipt; another body is refused; a week ends it."""
    keys, clock = tmp_path / "keys.db", SetClock(START, tick=1)
    with (
        assembled(backend_of(url, 10), keys, clock=clock) as one,
        assembled(backend_of(url, 10), keys, clock=clock) as two,
    ):
        first, second = Record(one.store, one.scribe, clock), Record(two.store, two.scribe, clock)
        key = Idempotency("clinic", "key", b"body")

        receipt = first.commit(first.putting(weight("w", "p", 60)), idempotency=key)
        again = second.commit(second.putting(weight("w", "p", 60)), idempotency=key)

        assert again.replayed
        assert again.done == receipt.done
        assert second.read("Observation/w").version_id == 1
        with pytest.raises(Duplicate):
            second.commit(second.putting(weight("w", "p", 61)), idempotency=key._replace(digest=b"other"))

        clock.jump(7 * DAY)
        late = second.commit(second.putting(weight("w", "p", 60)), idempotency=key)
        assert not late.replayed
        assert first.read("Observation/w").version_id == 2
        assert one.findings() == []
