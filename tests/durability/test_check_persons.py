"""``check`` proves links, persons and scopes: each kind of damage is made by hand and found."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from kintung.store.links import LinkKind
from kintung.store.port import Unit
from kintung.store.writes import Grant, Prepared
from tests.durability.damages import Damage, copied, found, key, made_sound
from tests.people import keep_apart, merge, say
from tests.records import patient
from tests.stores import ALL, Record

PAIR = f"one = {key('a')} AND other = {key('b')}"
NOT_ITS_LINKS = "its person is not what its links make"
NOT_GRANTED = "persons | scope 1 key N | it does not hold what was granted of a person"


def fill(record: Record) -> None:
    """One person of two source Patients, a pair that waits, a pair kept apart, and a grant by a link."""
    for id in "abcd":
        record.put(patient(id))
    merge(record, "a", "b")
    say(record, LinkKind.PROBABLE, "b", "c", score=900)
    keep_apart(record, "a", "d")
    record.grant(1, "a", "c")
    record.store.commit(Unit(ALL, lambda _: Prepared(grants=(Grant(1, deny=("d",)),))))


DAMAGES = [
    Damage(
        "a pair that stands otherwise",
        f"UPDATE link SET decided = 4 WHERE {PAIR}",
        [
            "persons | Patient/a Patient/b | it does not stand as was said of it",
            f"persons | Patient/a | {NOT_ITS_LINKS}",
            f"persons | Patient/a | {NOT_ITS_LINKS}",
            f"persons | Patient/b | {NOT_ITS_LINKS}",
            f"persons | Patient/b | {NOT_ITS_LINKS}",
        ],
    ),
    Damage(
        "a pair that waits for nobody",
        "UPDATE link SET waits = 0 WHERE waits = 1",
        ["persons | Patient/b Patient/c | it waits for a steward and should not, or the reverse"] * 2,
    ),
    Damage(
        "a decision gone",
        f"DELETE FROM said WHERE {PAIR}",
        [
            "chain | what was said 1 | missing",
            "persons | Patient/a Patient/b | it does not stand as was said of it",
        ],
    ),
    Damage(
        "a decision of another kind",
        f"UPDATE said SET kind = 4 WHERE {PAIR}",
        [
            "chain | commit 5 | the head is not that of its entries",
            "persons | Patient/a Patient/b | it does not stand as was said of it",
        ],
    ),
    Damage(
        "who decided altered",
        f"UPDATE said SET record = x'00' WHERE {PAIR}",
        [
            "chain | commit 5 | the head is not that of its entries",
            "chain | what was said 1 | cannot be read",
        ],
    ),
    Damage(
        "a link gone",
        f"DELETE FROM link WHERE {PAIR}",
        [
            f"persons | Patient/a | {NOT_ITS_LINKS}",
            f"persons | Patient/a | {NOT_ITS_LINKS}",
            f"persons | Patient/b | {NOT_ITS_LINKS}",
            f"persons | Patient/b | {NOT_ITS_LINKS}",
            "persons | what was said 1 | it is of no link",
        ],
    ),
    Damage(
        "a person that others are taken for",
        f"UPDATE member SET person = {key('b')}",
        ["persons | key N | a person does not stand under the least of its keys"] * 2,
    ),
    Damage(
        "a grant gone that a scope still holds",
        f"DELETE FROM scope_stated WHERE patient_key = {key('c')}",
        [NOT_GRANTED],
    ),
    Damage(
        "one reached that the scope lost",
        f"DELETE FROM scope_person WHERE patient_key = {key('b')}",
        ["entities | scope 1 | its size is not the number of its members", *[NOT_GRANTED] * 3],
    ),
    Damage(
        "a denial gone unnoticed",
        f"UPDATE scope_stated SET denied = 0 WHERE patient_key = {key('d')}",
        [NOT_GRANTED],
    ),
    Damage("a reach forgotten", "DELETE FROM reach", [NOT_GRANTED] * 2),
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_sound(fill, tmp_path_factory.mktemp("persons"))


@pytest.fixture
def sqlite(filled: Path, tmp_path: Path) -> Iterator[Record]:
    with copied(filled, tmp_path) as record:
        yield record


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_damage_is_found_and_named(damage: Damage, sqlite: Record, tmp_path: Path) -> None:
    with apsw.Connection(str(tmp_path / "record.db")) as database:
        database.execute(damage.statements)

    assert found(sqlite) == sorted(damage.findings)
