"""What ``check`` proves: each kind of damage is made by hand and found, and nothing else is."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import apsw
import psycopg
import pytest

from kintung.clock import SeededEntropy, SetClock
from kintung.identity.identifiers import vaulted_systems
from kintung.store.keys import KeyStore
from kintung.store.port import Unit
from kintung.store.sealing import Sealer
from kintung.store.sql.database import Database
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.store import Backend
from kintung.store.sqlite import SqliteBackend
from kintung.store.versions import OwnerKind, Ownership
from kintung.store.writes import AuditRecord, Prepared
from tests.durability.damages import Damage, copied, found, key, made_sound, opened_at
from tests.durability.nodes import assembled
from tests.postgres_cluster import Cluster
from tests.records import binary, group, observation, organization, patient, weight
from tests.scale import counts, seeded
from tests.stores import ALL, START, Record

VAULTED = vaulted_systems()[0].uri


def fill(record: Record) -> None:
    """A small record with a row in every table; ten versions, one deletion, one label, two audit records."""
    record.put(patient("p1", "Chan", birthDate="1950-02-03"))
    typed = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NI"}]}
    record.put(patient("p2", "Wong", identifier=[{"type": typed, "system": VAULTED, "value": "A123456(3)"}]))
    record.put(organization("o", "Clinic"))
    record.put(weight("a", "p1", 60))
    record.put(weight("a", "p1", 61))
    record.put({**weight("a", "p1", 62), "effectiveDateTime": "2022-10-19", "note": [{"text": "secret"}]})
    record.put(observation("gone", "p1"))
    record.delete("Observation/gone")
    record.put(observation("n", None, performer=[{"reference": "Practitioner/absent"}]), organisation="o")
    record.put(group("g", "p1", "p2"))
    record.put(binary("b", "Observation/a"))
    record.label("Observation/a", "R")
    record.grant(1, "p1", "p2")
    key = record.read("Patient/p1").patient_keys
    audit = AuditRecord("doctor", "o", "TREAT", "read", "GET Patient/p1", 200, "", key, opened=key[0])
    for _ in range(2):
        record.store.commit(Unit(ALL, lambda _: Prepared(audit=audit)))


COMMITS = 15
"""What ``fill`` makes: eleven versions, a label, a grant, two audit records."""


def log_entry(number: int, name: str) -> str:
    return f"log entry {number} ({name})"


SCHEMA = [
    Damage("an index dropped", "DROP INDEX ix_date_of", ["schema | index ix_date_of | missing"], True),
    Damage("an index added", "CREATE INDEX more ON log (at)", ["schema | index more | not declared"], True),
    Damage("a table added", "CREATE TABLE more (a int)", ["schema | table more | not declared"], True),
    Damage(
        "a fingerprint of another version",
        "UPDATE node SET value = 'x' WHERE name = 'schema'",
        ["schema | node | the fingerprint is not that of this version"],
    ),
]

VERSIONS = [
    Damage(
        "a version gone from the middle",
        f"DELETE FROM version WHERE key = {key('a')} AND version_id = 2",
        [
            "chain | log entry 5 (Observation/a) | version 2 is missing",
            "versions | Observation/a | no version 2 before version 3",
        ],
        True,
    ),
    Damage(
        "the last version gone",
        f"DELETE FROM version WHERE key = {key('gone')} AND version_id = 2",
        [
            "chain | log entry 8 (Observation/gone) | version 2 is missing",
            "index | Observation/gone | index row of ix_reference missing (atom N)",
            "index | Observation/gone | index row of ix_token missing (atom N)",
            "index | Observation/gone | index row of ix_token missing (atom N)",
            "versions | Observation/gone | the resource row is of version 2, the last is 1",
        ],
    ),
    Damage(
        "all of a resource gone but its entity",
        f"DELETE FROM version WHERE key = {key('o')}; DELETE FROM resource WHERE key = {key('o')};"
        f"DELETE FROM ix_string WHERE key = {key('o')}",
        [
            "chain | log entry 3 (Organization/o) | version 1 is missing",
            "versions | Organization | its count is not that of its resources",
        ],
    ),
    Damage(
        "a resource row gone",
        f"DELETE FROM resource WHERE key = {key('n')}",
        [
            "versions | Observation/n | there is no resource row",
            "versions | Observation | its count is not that of its resources",
        ],
        True,
    ),
    Damage(
        "a resource row left behind",
        f"UPDATE resource SET version_id = 1 WHERE key = {key('a')}",
        ["versions | Observation/a | the resource row is of version 1, the last is 3"],
        True,
    ),
    *(
        Damage(
            f"another {column} in the resource row",
            f"UPDATE resource SET {column} = {value} WHERE key = {key('a')}",
            ["versions | Observation/a | the resource row is not what its last version says"],
        )
        for column, value in (("seq", "seq + 100"), ("at", "at + 1"), ("organisation", "7"))
    ),
    Damage(
        "another deleted in the resource row",
        f"UPDATE resource SET deleted = 1 WHERE key = {key('a')}",
        [
            "versions | Observation/a | the resource row is not what its last version says",
            "versions | Observation | its count is not that of its resources",
        ],
    ),
    Damage(
        "another count of a type",
        "UPDATE type_count SET current = current + 1 WHERE type = " + str(TYPE_NUMBERS["Organization"]),
        ["versions | Organization | its count is not that of its resources"],
        True,
    ),
    Damage(
        "labels taken off",
        f"UPDATE resource SET labels = 0 WHERE key = {key('a')}",
        ["versions | Observation/a | the labels are not those of the log"],
        True,
    ),
    Damage(
        "another instant in the log",
        "UPDATE log SET at = at + 1 WHERE seq = 5",
        [
            "chain | log entry 5 (Observation/a) | its instant is not that of its commit",
            "versions | Observation/a | version 2 is not what log entry 5 says",
        ],
    ),
    Damage(
        "another method",
        f"UPDATE version SET method = 1 WHERE key = {key('a')} AND version_id = 2",
        [
            "versions | Observation/a | version 2 is neither an update nor a deletion",
            "versions | Observation/a | version 2 is not what log entry 5 says",
        ],
    ),
    Damage(
        "a first version that is no creation",
        f"UPDATE version SET method = 2 WHERE key = {key('n')};UPDATE log SET method = 2 WHERE seq = 9",
        [
            "chain | commit 9 | the head is not that of its entries",
            "versions | Observation/n | version 1 is not a creation",
        ],
    ),
    Damage(
        "versions in another order",
        "UPDATE version SET at = at - 100 WHERE seq = 6; UPDATE resource SET at = at - 100 WHERE seq = 6",
        [
            "versions | Observation/a | version 3 is not what log entry 6 says",
            "versions | Observation/a | version 3 was committed before version 2",
        ],
    ),
    Damage(
        "another depositor of one version",
        "UPDATE version SET organisation = 1 WHERE seq = 5",
        [
            "chain | commit 5 | the head is not that of its entries",
            "versions | Observation/a | version 2 was deposited by another organisation",
            "versions | Observation/a | version 3 was deposited by another organisation",
        ],
    ),
]

BODIES = [
    Damage(
        "a body changed",
        f"UPDATE version SET body = (SELECT body FROM version WHERE seq = 1) WHERE key = {key('n')}",
        ["bodies | Observation/n | version 1: the body is not the one that was stored"],
        True,
    ),
    Damage(
        "a body of another resource in its place, digest and all",
        f"UPDATE version SET body = (SELECT body FROM version WHERE seq = 1),"
        f" digest = (SELECT digest FROM version WHERE seq = 1) WHERE key = {key('n')}",
        [
            "bodies | Observation/n | version 1: the body cannot be opened",
            "chain | commit 9 | the head is not that of its entries",
        ],
        True,
    ),
    Damage(
        "the place of meta moved",
        f"UPDATE version SET meta_at = meta_at + 1 WHERE key = {key('n')}",
        ["bodies | Observation/n | version 1: the place of its meta is wrong"],
    ),
    Damage(
        "a deletion with a body",
        "UPDATE version SET body = (SELECT body FROM version WHERE seq = 7) WHERE seq = 8",
        ["bodies | Observation/gone | version 2: a deletion has a body"],
    ),
]

CHAIN = [
    Damage(
        "a log entry gone",
        "DELETE FROM log WHERE seq = 5",
        [
            "chain | log entry 5 | missing",
            "versions | Observation/a | version 2 is not what log entry 5 says",
        ],
        True,
    ),
    Damage(
        "other labels in the log",
        "UPDATE log SET labels = 0 WHERE seq = 12",
        [
            "chain | commit 12 | the head is not that of its entries",
            "versions | Observation/a | the labels are not those of the log",
        ],
    ),
    Damage(
        "a label before it was given",
        "UPDATE log SET labels = 2 WHERE seq = 5",
        [
            "chain | commit 5 | the head is not that of its entries",
            "chain | log entry 5 (Observation/a) | its labels are not those the log gave before",
            "chain | log entry 6 (Observation/a) | its labels are not those the log gave before",
        ],
    ),
    Damage(
        "an audit record changed",
        "UPDATE audit SET record = (SELECT record FROM audit WHERE number = 2) WHERE number = 1",
        ["chain | commit 14 | the head is not that of its entries"],
        True,
    ),
    Damage(
        "an audit record made unreadable",
        "UPDATE audit SET record = (SELECT digest FROM version WHERE seq = 1) WHERE number = 1",
        [
            "chain | audit record 1 | cannot be read",
            "chain | commit 14 | the head is not that of its entries",
        ],
    ),
    Damage(
        "an audit record gone",
        "DELETE FROM audit WHERE number = 1",
        [
            "chain | audit record 1 | missing",
            "entities | audit record 1 | a disclosure of no Patient or of no audit record",
        ],
    ),
    Damage(
        "a disclosure gone",
        "DELETE FROM disclosure WHERE audit = 1",
        ["chain | commit 14 | the head is not that of its entries"],
        True,
    ),
    Damage(
        "a disclosure of another person",
        f"UPDATE disclosure SET patient_key = {key('p2')} WHERE audit = 1",
        ["chain | commit 14 | the head is not that of its entries"],
    ),
    Damage(
        "what was opened last gone",
        "DELETE FROM opened",
        [
            f"entities | audit record {number} | a record that was opened: it is not known as the last"
            for number in (1, 2)
        ],
    ),
    Damage(
        "what was opened before in the place of the last",
        "UPDATE opened SET audit = 1",
        ["entities | audit record 2 | a record that was opened: it is not known as the last"],
        True,
    ),
    Damage(
        "opened for another organisation",
        "UPDATE opened SET organisation = 0",
        [
            "entities | audit record 2 | a record that was opened: it is not what the audit record says",
            "entities | audit record 1 | a record that was opened: it is not known as the last",
            "entities | audit record 2 | a record that was opened: it is not known as the last",
        ],
    ),
    Damage(
        "a signature of nobody",
        "UPDATE chain SET signature = head WHERE number = 3",
        ["chain | commit 3 | the signature is not the node's"],
        True,
    ),
    Damage(
        "a head replaced",
        "UPDATE chain SET head = (SELECT head FROM chain WHERE number = 2) WHERE number = 3",
        [
            "chain | commit 3 | the head is not that of its entries",
            "chain | commit 3 | the signature is not the node's",
            "chain | commit 4 | the head is not that of its entries",
        ],
    ),
    Damage(
        "a commit gone from the middle",
        "DELETE FROM chain WHERE number = 13",
        ["chain | commit 14 | 1 commits before it are missing"],
        True,
    ),
    Damage(
        "a commit dated back",
        "UPDATE chain SET at = 1 WHERE number = 13",
        [
            "chain | commit 13 | is dated before the commit it follows",
            "chain | commit 13 | the head is not that of its entries",
        ],
    ),
    Damage(
        "the end cut off, rows and all",
        "DELETE FROM chain WHERE number = 15; DELETE FROM audit WHERE number = 2;"
        "DELETE FROM disclosure WHERE audit = 2; UPDATE opened SET audit = 1",
        ["chain | commit 14 | the log ends here; it once had 1 more"],
        True,
    ),
    Damage(
        "entries that belong to no commit",
        "DELETE FROM chain WHERE number > 11",
        [
            "chain | audit record 1 | belongs to no commit",
            "chain | audit record 2 | belongs to no commit",
            "chain | commit 11 | the log ends here; it once had 4 more",
            "chain | log entry 12 | belongs to no commit",
        ],
    ),
]

NAMES = [
    Damage(
        "the ids of two entities swapped",
        "UPDATE entity SET id = 'swap' WHERE id = 'o'; UPDATE entity SET id = 'o' WHERE id = 'b';"
        "UPDATE entity SET id = 'b' WHERE id = 'swap'",
        [
            "bodies | Binary/o | version 1: the body cannot be opened",
            "bodies | Organization/b | version 1: the body cannot be opened",
            "chain | commit 11 | the head is not that of its entries",
            "chain | commit 3 | the head is not that of its entries",
        ],
        True,
    ),
    Damage(
        "the id of what was deleted replaced, its bodies gone",
        f"DELETE FROM version WHERE key = {key('gone')} AND version_id = 1;"
        "UPDATE entity SET id = 'other' WHERE id = 'gone'",
        [
            "chain | commit 8 | the head is not that of its entries",
            "chain | log entry 7 (Observation/other) | version 1 is missing",
            "versions | Observation/other | no version 1 before version 2",
        ],
    ),
    Damage(
        "the type of an entity replaced",
        f"UPDATE entity SET type = {TYPE_NUMBERS['Location']} WHERE id = 'o'",
        [
            "bodies | Location/o | version 1: the body cannot be opened",
            "chain | commit 3 | the head is not that of its entries",
            "entities | Location/o | the resource row lies in another place",
            "versions | Location/o | there is no resource row",
            "versions | Location/o | version 1 is not what log entry 3 says",
        ],
        True,
    ),
    Damage(
        "the type of an entity replaced in every table",
        f"UPDATE resource SET type = {TYPE_NUMBERS['Location']} WHERE key = {key('o')};"
        f"UPDATE log SET type = {TYPE_NUMBERS['Location']} WHERE key = {key('o')};"
        f"UPDATE entity SET type = {TYPE_NUMBERS['Location']} WHERE id = 'o'",
        [
            "bodies | Location/o | version 1: the body cannot be opened",
            "chain | commit 3 | the head is not that of its entries",
            "versions | Location | its count is not that of its resources",
            "versions | Organization | its count is not that of its resources",
        ],
    ),
    Damage(
        "another name for an organisation",
        "UPDATE organisation SET id = 'other'",
        [
            "chain | commit 9 | the head is not that of its entries",
            "entities | audit record 2 | a record that was opened: it is not what the audit record says",
            "entities | audit record 1 | a record that was opened: it is not known as the last",
            "entities | audit record 2 | a record that was opened: it is not known as the last",
            "ownership | Observation/n | version 1: sealed under the key of another owner",
        ],
    ),
    Damage(
        "another name for a label",
        "UPDATE label SET name = 'V' WHERE name = 'R'",
        ["chain | commit 12 | the head is not that of its entries"],
        True,
    ),
]

MOVED = "; ".join(
    f"UPDATE {table} SET patient_key = {key('p2')} WHERE key = {key('n')}"
    for table in (
        "version",
        "resource",
        "log",
        "ix_token",
        "ix_reference",
        "ix_date",
        "ix_string",
        "ix_quantity",
    )
)
OWNERSHIP = [
    Damage(
        "an owner taken from a Group",
        f"DELETE FROM owner WHERE patient_key = {key('p2')}",
        ["ownership | Group/g | version 1: its owners are not those its body names"],
        True,
    ),
    Damage(
        "an owner row where there is one person",
        f"INSERT INTO owner VALUES ({key('a')}, 1, {key('p2')})",
        ["entities | Observation/a | owner row of version 1, which has none"],
    ),
    Damage(
        "an owner that is no Patient",
        f"UPDATE owner SET patient_key = {key('o')} WHERE patient_key = {key('p2')}",
        [
            "entities | Group/g | owner row of version 1 names no Patient",
            "ownership | Group/g | version 1: an owner is missing",
        ],
    ),
    Damage(
        "a person's data called the organisation's",
        "UPDATE version SET kind = 2 WHERE seq = 5",
        [
            "chain | commit 5 | the head is not that of its entries",
            "ownership | Observation/a | version 2: an owner is missing",
        ],
    ),
    Damage(
        "a resource given to a person in every table",
        f"{MOVED}; UPDATE entity SET patient_key = {key('p2')} WHERE key = {key('n')};"
        "UPDATE version SET kind = 1 WHERE seq = 9; UPDATE resource SET kind = 1 WHERE seq = 9",
        [
            "chain | commit 9 | the head is not that of its entries",
            "ownership | Observation/n | version 1: its owners are not those its body names",
        ],
        True,
    ),
    Damage(
        "derived from what has another owner",
        f"UPDATE version SET patient_key = {key('p2')} WHERE key = {key('b')};"
        f"UPDATE resource SET patient_key = {key('p2')} WHERE key = {key('b')};"
        f"UPDATE log SET patient_key = {key('p2')} WHERE key = {key('b')};"
        f"UPDATE entity SET patient_key = {key('p2')} WHERE key = {key('b')}",
        [
            "chain | commit 11 | the head is not that of its entries",
            "ownership | Binary/b | version 1: its owners are not those its body names",
        ],
    ),
]

INDEX_ROWS = {
    "ix_token": "(1, 1, {patient}, {key})",
    "ix_reference": "(1, 1, {patient}, {key})",
    "ix_date": "(1, 1, 2, {patient}, {key})",
    "ix_string": "(1, 'x', 'x', {patient}, {key})",
    "ix_quantity": "(1, 1, (SELECT low FROM ix_quantity), (SELECT high FROM ix_quantity), {patient}, {key})",
    "ix_composite": "(1, 1, 1, (SELECT low FROM ix_composite), (SELECT high FROM ix_composite),"
    " {patient}, {key})",
}
INDEX = [
    *(
        Damage(
            f"a row of {table} gone",
            f"DELETE FROM {table} WHERE key = {key('a')} AND atom ="
            f" (SELECT min(atom) FROM {table} WHERE key = {key('a')})",
            [f"index | Observation/a | index row of {table} missing (atom N)"],
            True,
        )
        for table in ("ix_token", "ix_reference", "ix_date", "ix_quantity")
    ),
    Damage(
        "a row of ix_composite gone",
        f"DELETE FROM ix_composite WHERE key = {key('p2')}",
        ["index | Patient/p2 | index row of ix_composite missing (atom N)"],
        True,
    ),
    Damage(
        "a value that stands with no term",
        f"UPDATE ix_composite SET second = 999999 WHERE key = {key('p2')}",
        [
            "entities | Patient/p2 | index row of ix_composite leads to term N, which is missing",
            "index | Patient/p2 | index row of ix_composite missing (atom N)",
            "index | Patient/p2 | index row of ix_composite that its body does not give (atom N)",
        ],
    ),
    Damage(
        "a row of ix_string gone",
        f"DELETE FROM ix_string WHERE key = {key('o')}",
        ["index | Organization/o | index row of ix_string missing (atom N)"],
        True,
    ),
    *(
        Damage(
            f"a row too many in {table}",
            f"INSERT INTO {table} VALUES {row.format(patient=key('p1'), key=key('a'))}",
            [f"index | Observation/a | index row of {table} that its body does not give (atom N)"],
            True,
        )
        for table, row in INDEX_ROWS.items()
    ),
    Damage(
        "a row that says something else",
        f"UPDATE ix_date SET high = high + 1 WHERE key = {key('a')}",
        [
            "index | Observation/a | index row of ix_date missing (atom N)",
            "index | Observation/a | index row of ix_date that its body does not give (atom N)",
        ],
        True,
    ),
    Damage(
        "a row under another person",
        f"UPDATE ix_date SET patient_key = {key('p2')} WHERE key = {key('a')}",
        [
            "index | Observation/a | index row of ix_date missing (atom N)",
            "index | Observation/a | index row of ix_date that its body does not give (atom N)",
        ],
    ),
    Damage(
        "a row left of what was deleted",
        f"INSERT INTO ix_date VALUES (1, 1, 2, {key('p1')}, {key('gone')})",
        ["index | Observation/gone | index row of ix_date that its body does not give (atom N)"],
    ),
]

ENTITIES = [
    Damage(
        "rows of nothing",
        "INSERT INTO ix_date VALUES (1, 1, 2, 0, 999); INSERT INTO ix_date VALUES (2, 1, 2, 0, 999)",
        ["entities | key 999 | index rows of ix_date of no resource"],
        True,
    ),
    Damage(
        "a reference target gone",
        "DELETE FROM entity WHERE id = 'absent'",
        [
            "entities | Observation/n"
            " | index row of ix_reference leads to reference target N, which is missing",
            "index | Observation/n | index row of ix_reference missing (atom N)",
            "index | Observation/n | index row of ix_reference that its body does not give (atom N)",
        ],
        True,
    ),
    Damage(
        "a unit gone from the terms",
        f"DELETE FROM term WHERE number = (SELECT max(term) FROM ix_quantity WHERE key = {key('a')})",
        [
            "entities | Observation/a | index row of ix_quantity leads to term N, which is missing",
            "index | Observation/a | index row of ix_quantity missing (atom N)",
            "index | Observation/a | index row of ix_quantity that its body does not give (atom N)",
        ],
    ),
    Damage(
        "a system gone",
        "DELETE FROM system WHERE uri = 'http://unitsofmeasure.org'",
        [
            "entities | term N | of a system that is missing",
            "index | Observation/a | index row of ix_quantity missing (atom N)",
            "index | Observation/a | index row of ix_quantity that its body does not give (atom N)",
        ],
    ),
    Damage(
        "an entity that leads elsewhere",
        f"UPDATE entity SET patient_key = {key('p2')} WHERE id = 'gone'",
        [
            "entities | Observation/gone | has a patient key and no version in that place",
            "entities | Observation/gone | the resource row lies in another place",
            "entities | Observation/gone | version 1 lies in another place",
            "entities | Observation/gone | version 2 lies in another place",
        ],
        True,
    ),
    Damage(
        "a referenced entity with a person's key",
        f"UPDATE entity SET patient_key = {key('p2')} WHERE id = 'absent'",
        ["entities | Practitioner/absent | has a patient key and no version in that place"],
    ),
    Damage(
        "an entity of no type",
        "UPDATE entity SET type = 999 WHERE id = 'o'",
        [
            "chain | commit 3 | the head is not that of its entries",
            "entities | type 999/o | of a type that is not known",
            "entities | type 999/o | the resource row lies in another place",
            "versions | type 999/o | version 1 is not what log entry 3 says",
        ],
    ),
    Damage(
        "an entity gone",
        "DELETE FROM entity WHERE id = 'o'",
        [
            "chain | log entry 3 (key N) | its entity is missing",
            "entities | key N | index rows of ix_string of no resource",
            "entities | key N | resource row without an entity",
            "entities | key N | version 1 without an entity",
            "versions | key N | version 1 is not what log entry 3 says",
        ],
    ),
    Damage(
        "a scope of another size",
        "UPDATE scope SET size = 7",
        ["entities | scope 1 | its size is not the number of its members"],
        True,
    ),
    Damage(
        "a member that is no Patient",
        f"UPDATE scope_person SET patient_key = {key('o')} WHERE patient_key = {key('p1')}",
        [
            "entities | scope 1 | a member that is no Patient, or of no scope",
            "persons | scope 1 key N | it does not hold what was granted of a person",
            "persons | scope 1 key N | it does not hold what was granted of a person",
        ],
        True,
    ),
    Damage(
        "a label without a place",
        "INSERT INTO label VALUES (99, 'x')",
        ["versions | label 99 | has no place among the labels of a resource"],
    ),
]

DAMAGES = [*SCHEMA, *VERSIONS, *BODIES, *CHAIN, *NAMES, *OWNERSHIP, *INDEX, *ENTITIES]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a filled SQLite record and its keys, to be copied."""
    return made_sound(fill, tmp_path_factory.mktemp("filled"))


@pytest.fixture
def sqlite(filled: Path, tmp_path: Path) -> Iterator[Record]:
    with copied(filled, tmp_path) as record:
        yield record


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_damage_is_found_and_named(damage: Damage, sqlite: Record, tmp_path: Path) -> None:
    """D19 and more: a broken row of any table is named, by its resource, on SQLite."""
    with apsw.Connection(str(tmp_path / "record.db")) as database:
        database.execute(damage.statements)

    assert found(sqlite) == sorted(damage.findings)


@pytest.fixture(scope="module")
def template(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The name of a filled PostgreSQL database, to be copied, and its keys."""
    url, keys = postgres.fresh_database(), tmp_path_factory.mktemp("keys") / "keys.db"
    with opened_at(url, keys) as record:
        fill(record)
        assert found(record) == []
    return url.split("?")[0].rsplit("/", 1)[1], keys


@pytest.mark.parametrize(
    "damage", [damage for damage in DAMAGES if damage.everywhere], ids=lambda damage: damage.name
)
def test_damage_is_found_on_postgresql(damage: Damage, postgres: Cluster, template: tuple[str, Path]) -> None:
    name, keys = template
    url = postgres.url("damaged")
    with psycopg.connect(postgres.url(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE damaged TEMPLATE {name}".encode())
    try:
        with opened_at(url, keys) as record:
            with psycopg.connect(url, autocommit=True) as database:
                database.execute(damage.statements.encode())
            assert found(record) == sorted(damage.findings)
    finally:
        with psycopg.connect(postgres.url(), autocommit=True) as server:
            server.execute(b"DROP DATABASE damaged")


def test_every_proof_has_a_damage() -> None:
    proofs = {finding.split(" ")[0] for damage in DAMAGES for finding in damage.findings}

    assert proofs == {"schema", "versions", "bodies", "chain", "ownership", "index", "entities", "persons"}
    assert proofs == {f.split(" ")[0] for d in DAMAGES if d.everywhere for f in d.findings}


def test_a_body_under_the_key_of_another_is_found(sqlite: Record, tmp_path: Path) -> None:
    """Erasing a person must reach every body of that person, and no other."""
    keys = KeyStore(tmp_path / "keys.db", SeededEntropy(3))
    sealer = Sealer(keys, SeededEntropy(3))
    with apsw.Connection(str(tmp_path / "record.db")) as database:
        row: Any = database.execute("SELECT body, meta_at FROM version WHERE seq = 4").fetchone()
        blob, meta_at = row
        text = sealer.open(blob, "Observation", "a")
        sealed = sealer.seal(text, meta_at, Ownership(OwnerKind.PERSON, ("p2",)), "Observation", "a")
        database.execute(
            "UPDATE version SET body = ?, digest = ? WHERE seq = 4", (sealed.blob, sealed.digest)
        )
    keys.close()

    assert found(sqlite) == [
        "chain | commit 4 | the head is not that of its entries",
        "ownership | Observation/a | version 1: sealed under the key of another owner",
    ]


def test_a_witness_of_another_head_is_found(sqlite: Record, tmp_path: Path) -> None:
    with apsw.Connection(str(tmp_path / "keys.db")) as keys:
        keys.execute("UPDATE witness SET head = x'00' WHERE number = ?", (COMMITS,))

    assert found(sqlite) == [f"chain | commit {COMMITS} | the head is not the one that was witnessed"]


class Busy:
    """A backend on which something is written before every reading."""

    def __init__(self, backend: Backend, write: Callable[[], object]) -> None:
        self._backend = backend
        self._write = write

    def reading(self) -> AbstractContextManager[Database]:
        self._write()
        return self._backend.reading()


def test_what_is_written_during_a_check_is_no_finding(tmp_path: Path) -> None:
    """The check reads in short transactions; what changes between them is not broken."""
    clock = SetClock(START, tick=1)
    random = seeded("during a check")
    with assembled(SqliteBackend(tmp_path / "record.db"), tmp_path / "keys.db", clock=clock) as parts:
        record = Record(parts.store, parts.scribe, clock)
        fill(record)
        writes: list[Callable[[], object]] = [
            lambda: record.put(weight("a", "p1", random.randrange(40, 90))),
            lambda: record.put(observation("n", None), organisation="o"),
            lambda: record.put(group("g", *random.sample(["p1", "p2", "p3"], 2))),
            lambda: record.label("Observation/a", *random.sample(["R", "V"], random.randrange(3))),
            lambda: record.put(weight(f"new{clock.now_micros()}", "p3", 63)),
            lambda: record.put(observation("gone", "p1")) and record.delete("Observation/gone"),
        ]
        busy = Busy(parts.backend, lambda: random.choice(writes)())  # noqa: PLW0108 - another each time

        for _ in range(counts(5, 50)):
            assert parts.findings(busy) == []
        assert parts.findings() == []


def test_a_walk_of_many_pages_finds_the_same(tmp_path: Path) -> None:
    """Damage at the borders of pages is found, and a border is no damage."""
    clock = SetClock(START, tick=1)
    with assembled(SqliteBackend(tmp_path / "record.db"), tmp_path / "keys.db", clock=clock) as parts:
        record = Record(parts.store, parts.scribe, clock)
        record.put(patient("p"))
        record.commit(*(record.putting(weight(f"w{number}", "p", number)) for number in range(1, 1001)))
        for _ in range(2):
            record.put(weight("w1", "p", 2))
        assert parts.findings() == []

        with apsw.Connection(str(tmp_path / "record.db")) as database:
            for number in range(498, 503):
                database.execute(f"DELETE FROM ix_date WHERE key = {key('p')}")
                database.execute(f"DELETE FROM ix_quantity WHERE key = {key(f'w{number}')}")
        found = parts.findings()

    assert [line.split(" | ")[1] for line in found] == [
        f"Observation/w{number}" for number in range(498, 503)
    ]
