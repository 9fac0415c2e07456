"""The tables of the record, once for both databases.

Resource types, organisations and labels stand as small integers. ``key`` is the number of
a (type, id) pair; ``patient_key`` the key of the Patient whose data a row is, 0 when it is
nobody's or several persons'. Rows of one patient lie together: the keys of ``resource`` and
``version`` lead with ``patient_key``. ``resource_walk`` holds all a walk asks of a resource it
passes over, so that only those of the page are looked up; ``resource_person`` is the same order
of one person's.

Every table has a retention class. ``reference`` tables are small or looked up by their own
key from anywhere (in a sharded database they stand on every shard); the others are cut by
``patient_key`` or by a key of their own and never joined but on it.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

VERSION = 1
"""Number of the last migration this code knows."""

ColumnType = Literal["int", "text", "blob"]


@dataclass(frozen=True, slots=True)
class Table:
    """A table: columns in order, the primary key, further indexes by name.

    ``grows_at_end`` keeps a table with an integer key in the order of that key (a rowid table).
    """

    name: str
    columns: tuple[tuple[str, ColumnType], ...]
    key: tuple[str, ...]
    retention: Literal["record", "audit", "node", "week"]
    indexes: tuple[tuple[str, tuple[str, ...], str], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    grows_at_end: bool = False
    reference: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)


def _columns(spec: str) -> tuple[tuple[str, ColumnType], ...]:
    kinds: dict[str, ColumnType] = {"i": "int", "t": "text", "b": "blob"}
    pairs = (word.split(":") for word in spec.split())
    return tuple((name, kinds[kind]) for name, kind in pairs)


TABLES: tuple[Table, ...] = (
    Table("node", _columns("name:t value:t"), ("name",), "node", reference=True),
    Table(
        "entity",
        _columns("key:i type:i id:t patient_key:i"),
        ("key",),
        "record",
        unique=(("id", "type"),),
        grows_at_end=True,
        reference=True,
    ),
    Table(
        "resource",
        _columns(
            "patient_key:i type:i key:i seq:i version_id:i at:i kind:i organisation:i labels:i deleted:i"
        ),
        ("patient_key", "type", "key"),
        "record",
        indexes=(
            (
                "resource_walk",
                ("type", "seq", "version_id", "kind", "organisation", "labels"),
                "deleted = 0",
            ),
            ("resource_person", ("patient_key", "type", "seq"), "deleted = 0"),
        ),
    ),
    Table(
        "version",
        _columns(
            "patient_key:i key:i version_id:i seq:i at:i method:i kind:i organisation:i"
            " meta_at:i digest:b body:b"
        ),
        ("patient_key", "key", "version_id"),
        "record",
    ),
    Table(
        "owner", _columns("key:i version_id:i patient_key:i"), ("key", "version_id", "patient_key"), "record"
    ),
    Table(
        "log",
        _columns("seq:i patient_key:i key:i type:i version_id:i method:i at:i labels:i"),
        ("seq",),
        "record",
        grows_at_end=True,
    ),
    Table(
        "chain",
        _columns("number:i at:i last_seq:i last_audit:i last_said:i head:b signature:b"),
        ("number",),
        "audit",
        grows_at_end=True,
    ),
    Table("audit", _columns("number:i record:b"), ("number",), "audit", grows_at_end=True),
    Table("disclosure", _columns("patient_key:i audit:i"), ("patient_key", "audit"), "audit"),
    Table("actor", _columns("number:i id:t"), ("number",), "audit", unique=(("id",),), reference=True),
    # The last audit record of each that says whose record an actor opened, asking for an organisation.
    Table(
        "opened",
        _columns("actor:i organisation:i patient_key:i audit:i"),
        ("actor", "organisation", "patient_key"),
        "audit",
        indexes=(("opened_lately", ("actor", "organisation", "audit"), ""),),
    ),
    Table("type_count", _columns("type:i current:i"), ("type",), "node", reference=True),
    Table("organisation", _columns("number:i id:t"), ("number",), "node", unique=(("id",),), reference=True),
    Table("label", _columns("number:i name:t"), ("number",), "node", unique=(("name",),), reference=True),
    Table("scope", _columns("number:i epoch:i size:i"), ("number",), "node", reference=True),
    Table("scope_person", _columns("scope:i patient_key:i"), ("scope", "patient_key"), "node"),
    # What was granted and denied; scope_person is what follows from it for all of each person.
    Table(
        "scope_stated",
        _columns("scope:i patient_key:i denied:i"),
        ("scope", "patient_key", "denied"),
        "node",
        indexes=(("scope_stated_of", ("patient_key", "scope"), ""),),
    ),
    # From which epoch a scope held one only because another (origin) is granted, until which; 0 for now.
    Table(
        "reach",
        _columns("scope:i patient_key:i origin:i since:i until:i"),
        ("patient_key", "origin", "scope", "since"),
        "audit",
    ),
    # Pairs of source Patients as they stand; ``one`` has the id that sorts first. See store/links.py.
    Table(
        "link",
        _columns("one:i other:i found:i score:i decided:i version:i number:i at:i waits:i"),
        ("one", "other"),
        "record",
        indexes=(("link_other", ("other", "one"), ""), ("link_waits", ("number",), "waits = 1")),
        reference=True,
    ),
    Table(
        "said",
        _columns("number:i one:i other:i version:i kind:i score:i at:i record:b"),
        ("number",),
        "record",
        unique=(("one", "other", "version"),),
        grows_at_end=True,
        reference=True,
    ),
    # Persons of several source Patients, each under the least of its keys.
    Table(
        "member",
        _columns("patient_key:i person:i"),
        ("patient_key",),
        "record",
        indexes=(("member_person", ("person", "patient_key"), ""),),
        reference=True,
    ),
    Table("system", _columns("number:i uri:t"), ("number",), "record", unique=(("uri",),), reference=True),
    Table(
        "term",
        _columns("number:i system:i code:t"),
        ("number",),
        "record",
        unique=(("code", "system"),),
        grows_at_end=True,
        reference=True,
    ),
    Table(
        "ix_token",
        _columns("atom:i term:i patient_key:i key:i"),
        ("atom", "term", "patient_key", "key"),
        "record",
    ),
    Table(
        "ix_reference",
        _columns("atom:i target:i patient_key:i key:i"),
        ("atom", "target", "patient_key", "key"),
        "record",
        indexes=(("ix_reference_of", ("patient_key", "key", "atom"), ""),),
    ),
    Table(
        "ix_date",
        _columns("atom:i low:i high:i patient_key:i key:i"),
        ("atom", "low", "high", "patient_key", "key"),
        "record",
        indexes=(
            ("ix_date_of", ("patient_key", "key", "atom"), ""),
            ("ix_date_late", ("atom", "high"), ""),
            ("ix_date_person", ("patient_key", "atom", "high"), ""),
        ),
    ),
    Table(
        "ix_string",
        _columns("atom:i folded:t exact:t patient_key:i key:i"),
        ("atom", "folded", "exact", "patient_key", "key"),
        "record",
        indexes=(("ix_string_of", ("patient_key", "key", "atom"), ""),),
    ),
    Table(
        "ix_quantity",
        _columns("atom:i term:i low:b high:b patient_key:i key:i"),
        ("atom", "term", "low", "high", "patient_key", "key"),
        "record",
        indexes=(("ix_quantity_of", ("patient_key", "key", "atom"), ""),),
    ),
    # Two values that stand together: see kintung.store.composites.
    Table(
        "ix_composite",
        _columns("atom:i first:i second:i low:b high:b patient_key:i key:i"),
        ("atom", "first", "second", "low", "high", "patient_key", "key"),
        "record",
        indexes=(("ix_composite_of", ("patient_key", "key", "atom"), ""),),
    ),
    Table(
        "idempotency",
        _columns("client:t key:b digest:b at:i receipt:b"),
        ("client", "key"),
        "week",
        indexes=(("idempotency_at", ("at",), ""),),
    ),
    Table(
        "job",
        _columns("number:i kind:t due:i attempts:i payload:b"),
        ("number",),
        "node",
        indexes=(("job_due", ("kind", "due"), ""),),
        grows_at_end=True,
    ),
    Table(
        "standing",
        _columns("key:i version_id:i access:b"),
        ("key", "version_id"),
        "record",
        reference=True,
    ),
    Table(
        "follower",
        _columns("name:t cursor:i given:i holder:t until:i"),
        ("name",),
        "node",
        reference=True,
    ),
    Table(
        "subscriber",
        _columns("id:t version_id:i state:i events:i access:b"),
        ("id",),
        "node",
        reference=True,
    ),
    Table(
        "notice",
        _columns(
            "number:i subscription:t type:t id:t version_id:i seq:i cause:t at:i queued:i due:i"
            " attempts:i event:i dead:i error:t"
        ),
        ("number",),
        "node",
        indexes=(
            ("notice_due", ("due", "number"), ""),
            ("notice_lane", ("subscription", "type", "id", "number"), ""),
        ),
        grows_at_end=True,
        reference=True,
    ),
    Table(
        "asynchronous",
        _columns("number:i id:t client:t asked:b access:b due:i until:i attempts:i done:i answer:b"),
        ("number",),
        "node",
        indexes=(
            ("asynchronous_client", ("client", "until"), ""),
            ("asynchronous_due", ("due", "number"), ""),
            ("asynchronous_until", ("until",), ""),
        ),
        unique=(("id",),),
        grows_at_end=True,
        reference=True,
    ),
)

BY_NAME = {table.name: table for table in TABLES}
INDEX_TABLES = ("ix_token", "ix_reference", "ix_date", "ix_string", "ix_quantity", "ix_composite")
"""Tables that can be made again from the bodies."""

FINGERPRINT = sha256(repr((VERSION, TABLES)).encode()).hexdigest()
"""Changes with any change of a table: a database with another one is migrated or refused."""

_SQLITE = {"int": "INTEGER", "text": "TEXT", "blob": "BLOB"}
_POSTGRES = {"int": "bigint", "text": 'text COLLATE "C"', "blob": "bytea"}


def ddl(dialect: Literal["sqlite", "postgres"]) -> list[str]:
    """The statements that make every table and index of an empty database."""
    statements: list[str] = []
    for table in TABLES:
        statements.append(_create(table, dialect))
        statements += [_index(table, *index) for index in table.indexes]
    return statements


def _create(table: Table, dialect: Literal["sqlite", "postgres"]) -> str:
    types = _SQLITE if dialect == "sqlite" else _POSTGRES
    rowid = dialect == "sqlite" and table.grows_at_end
    lines = [
        f"{name} {types[kind]}" + (" PRIMARY KEY" if rowid and (name,) == table.key else " NOT NULL")
        for name, kind in table.columns
    ]
    if not rowid:
        lines.append(f"PRIMARY KEY ({', '.join(table.key)})")
    lines += [f"UNIQUE ({', '.join(columns)})" for columns in table.unique]
    tail = "" if dialect == "postgres" else (" STRICT" if rowid else " STRICT, WITHOUT ROWID")
    return f"CREATE TABLE {table.name} ({', '.join(lines)}){tail}"


def _index(table: Table, name: str, columns: tuple[str, ...], where: str) -> str:
    condition = f" WHERE {where}" if where else ""
    return f"CREATE INDEX {name} ON {table.name} ({', '.join(columns)}){condition}"
