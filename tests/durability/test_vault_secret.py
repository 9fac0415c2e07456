"""The secret of the vault is changed: killed anywhere, beside other nodes, and the old one is gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kintung.clock import SetClock
from kintung.errors import Unavailable
from kintung.store.keys import KeyStore
from kintung.store.units import rehearse
from tests.durability.dying import CHANGE
from tests.durability.nodes import Parts, assembled
from tests.durability.processes import mortal
from tests.durability.tables import tables
from tests.durability.writer import backend_of
from tests.records import observation, patient, weight
from tests.scale import counts
from tests.stores import ADAPTERS, ALL, START, SYSTEM, Record, opened

HKID = "https://kintung.org/fhir/sid/hkid"
MEDICAL = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NI"}]}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/record.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys.db"


@pytest.fixture
def parts(url: str, keys: Path) -> Iterator[Parts]:
    with assembled(backend_of(url, 10), keys, clock=SetClock(START, tick=1)) as parts:
        yield parts


def numbered(number: int) -> dict[str, object]:
    """A person with a vaulted number, of a type, and with one that is not vaulted."""
    return patient(
        f"p{number}",
        identifier=[
            {"system": HKID, "value": f"QZ{number:06}", "type": MEDICAL},
            {"system": "http://clinic.example/mrn", "value": f"m{number}"},
        ],
    )


def fill(record: Record, people: int) -> None:
    for number in range(people):
        record.put(numbered(number))
        record.put(weight(f"w{number}", f"p{number}", 60))
    by_number = {"identifier": {"system": HKID, "value": "QZ000000"}, "reference": "Patient/p0"}
    record.put(observation("named", "p0") | {"subject": by_number})


def every_search_finds(record: Record, number: int) -> None:
    value = f"qz{number:06}"
    assert record.found(f"Patient?identifier={HKID}|{value}") == [f"Patient/p{number}"]
    assert record.found(f"Patient?identifier={value}") == [f"Patient/p{number}"]
    assert record.found(f"Patient?identifier=m{number}") == [f"Patient/p{number}"]
    of_type = f"{MEDICAL['coding'][0]['system']}|NI|{value}"
    assert record.found(f"Patient?identifier:of-type={of_type}") == [f"Patient/p{number}"]
    assert f"Observation/w{number}" in record.found(f"Observation?subject.identifier={HKID}|{value}")
    if number == 0:
        assert record.found(f"Observation?subject:identifier={HKID}|{value}") == ["Observation/named"]


def secrets(keys: Path) -> tuple[bytes, ...]:
    store = KeyStore(keys, None)  # type: ignore[arg-type] - nothing is made here
    try:
        return store.vault_secrets()
    finally:
        store.close()


def is_nowhere(secret: bytes, folder: Path) -> bool:
    """No file of the key store holds a secret, whole or half."""
    texts = [path.read_bytes() for path in folder.glob("keys.db*")]
    return len(texts) > 0 and not any(half in text for text in texts for half in (secret[:16], secret[16:]))


def test_killed_at_any_statement_the_numbers_are_found_and_the_change_is_run_again(
    parts: Parts, url: str, keys: Path
) -> None:
    """Under the old secret or the new, never a part of each; what was cut off is ended by the next."""
    record = Record(parts.store, parts.scribe, SetClock(START, tick=1))
    fill(record, 3)
    before = secrets(keys)[0]
    statements = ended = 0
    with mortal(url, keys) as die:
        while die(statements, CHANGE):
            assert parts.findings() == []
            every_search_finds(record, statements % 3)
            with assembled(backend_of(url, 10), keys) as fresh:  # as one that starts now finds it
                assert fresh.findings() == []
                every_search_finds(Record(fresh.store, fresh.scribe, SetClock(START, tick=1)), 0)
            ended += len(secrets(keys)) == 1
            statements += 1
    print(f"killed at {statements} boundaries of one change of the secret")
    assert statements > 15
    assert ended == 0, "killed before the end, a change has two secrets"
    assert len(secrets(keys)) == 1
    assert secrets(keys)[0] != before
    assert is_nowhere(before, keys.parent)
    assert parts.findings() == []
    every_search_finds(record, 1)


def test_the_old_secret_is_destroyed_and_every_hash_is_another(parts: Parts, url: str, keys: Path) -> None:
    record = Record(parts.store, parts.scribe, SetClock(START, tick=1))
    fill(record, counts(5, 200))
    (before,), rows = secrets(keys), tables(url)

    assert parts.store.change_vault_secret(SYSTEM) == counts(5, 200) + 1

    (after,), now = secrets(keys), tables(url)
    assert after != before
    assert is_nowhere(before, keys.parent)
    for table, columns in (("ix_token", (1,)), ("ix_composite", (1, 2))):
        assert len(now[table]) == len(rows[table])
        hashes = [{row[c] for row in of[table] for c in columns if row[c] < 0} for of in (rows, now)]
        assert len(hashes[0]) == len(hashes[1]) > 0
        assert hashes[0].isdisjoint(hashes[1])
        plain = [sorted(row for row in of[table] if row[1] >= 0 and row[2] >= 0) for of in (rows, now)]
        assert plain[0] == plain[1]
    unchanged = set(rows) - {"ix_token", "ix_composite", "node"}
    assert {name: now[name] for name in unchanged} == {name: rows[name] for name in unchanged}
    assert parts.findings() == []


def test_a_node_beside_goes_on_and_loses_nothing(parts: Parts, url: str, keys: Path) -> None:
    """What another node prepared, or was reading, when the secret changed, is right all the same."""
    record = Record(parts.store, parts.scribe, SetClock(START, tick=1))
    fill(record, 4)
    changed = numbered(1) | {"identifier": [{"system": HKID, "value": "QZ000009"}]}
    unit = record.unit(record.putting(changed), record.putting(numbered(7)))
    with parts.store.view() as view:
        rehearsal = rehearse(unit, view)
        assert names_in(record, view, "QZ000002") == ["p2"]
        with assembled(backend_of(url, 10), keys) as other:
            assert other.store.change_vault_secret(SYSTEM) == 5
        assert names_in(record, view, "QZ000003") == ["p3"], "this reading is of before"

    every_search_finds(record, 3)
    receipt = parts.store.submit_rehearsed(unit, rehearsal).result(30)

    assert [done.version_id for done in receipt.done] == [2, 1]
    every_search_finds_person(record, 7)
    assert record.found(f"Patient?identifier={HKID}|QZ000009") == ["Patient/p1"]
    assert record.found(f"Patient?identifier={HKID}|QZ000001") == []
    assert parts.findings() == []


def names_in(record: Record, view, value: str) -> list[str]:
    return [match.id for match in view.match(ALL, record.query(f"Patient?identifier={HKID}|{value}"))]


def test_two_that_change_it_at_once_leave_one_secret(parts: Parts, url: str, keys: Path) -> None:
    record = Record(parts.store, parts.scribe, SetClock(START, tick=1))
    fill(record, 2)
    with assembled(backend_of(url, 10), keys) as other:
        for store in (other.store, parts.store, other.store):
            assert store.change_vault_secret(SYSTEM) == 3
    assert len(secrets(keys)) == 1
    assert parts.findings() == []
    every_search_finds(record, 1)


def test_a_key_store_of_before_is_refused(parts: Parts, url: str, keys: Path, tmp_path: Path) -> None:
    """Hashes under a secret that is not there would be found by nobody, and nobody would be told."""
    record = Record(parts.store, parts.scribe, SetClock(START, tick=1))
    fill(record, 1)
    old = tmp_path / "old" / "keys.db"
    old.parent.mkdir()
    for path in tmp_path.glob("keys.db*"):
        (old.parent / path.name).write_bytes(path.read_bytes())
    parts.store.change_vault_secret(SYSTEM)
    with pytest.raises(Unavailable, match="secret"), assembled(backend_of(url, 10), old):
        pass


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_every_store_changes_it(adapter, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with opened(adapter, tmp_path, lambda: request.getfixturevalue("postgres_url")) as record:
        fill(record, 2)
        assert record.store.change_vault_secret(SYSTEM) == 3
        assert list(record.store.check(SYSTEM)) == []
        every_search_finds(record, 0)
        every_search_finds(record, 1)
        record.put(numbered(1) | {"identifier": []})
        record.put(numbered(5))
        assert record.found(f"Patient?identifier={HKID}|QZ000001") == []
        every_search_finds_person(record, 5)
        assert list(record.store.check(SYSTEM)) == []


def every_search_finds_person(record: Record, number: int) -> None:
    assert record.found(f"Patient?identifier={HKID}|QZ{number:06}") == [f"Patient/p{number}"]
