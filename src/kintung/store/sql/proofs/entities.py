"""Proof that every row leads to what it is of: no orphan, no entity in another's place."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from kintung.store.port import Finding
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NAMES, TYPE_NUMBERS
from kintung.store.sql.proofs.walk import Pages, Readable, name_of, walk
from kintung.store.versions import OwnerKind

_PATIENT = TYPE_NUMBERS["Patient"]


def prove_entities(backend: Readable) -> Iterator[Finding]:
    """Every entity, and every row that leads to one."""
    for lead in _LEADS:
        pages = Pages(lead.table, lead.columns, lead.join)

        def step(
            db: Database, after: Row, pages: Pages = pages, lead: _Lead = lead
        ) -> tuple[list[Finding], Row | None]:
            rows, place = pages.after(db, after)
            found = (lead.judge(*row) for row in rows)
            return [finding for finding in found if finding is not None], place

        yield from walk(backend, step, pages.start)
    yield from _scope_sizes(backend)


class _Lead(NamedTuple):
    """A table whose rows lead to others; ``judge`` is given the key, then ``columns``."""

    table: str
    columns: str
    join: str
    judge: Callable[..., Finding | None]


def _entity(key: int, type: int, id: str, patient_key: int, stored: int) -> Finding | None:
    where = name_of(key, type, id)
    if type not in TYPE_NAMES:
        return Finding("entities", "of a type that is not known", where)
    if not stored and patient_key:
        return Finding("entities", "has a patient key and no version in that place", where)
    return None


def _resource(
    patient_key: int, type: int, key: int, true_type: int | None, id: str | None, home: int | None
) -> Finding | None:
    if true_type is None:
        return Finding("entities", "resource row without an entity", f"key {key}")
    if (true_type, home) != (type, patient_key):
        return Finding("entities", "the resource row lies in another place", name_of(key, true_type, id))
    return None


def _version(
    patient_key: int, key: int, version_id: int, type: int | None, id: str | None, home: int | None
) -> Finding | None:
    if type is None:
        return Finding("entities", f"version {version_id} without an entity", f"key {key}")
    if home != patient_key:
        return Finding("entities", f"version {version_id} lies in another place", name_of(key, type, id))
    return None


def _owner(
    key: int,
    version_id: int,
    _owner: int,
    type: int | None,
    id: str | None,
    kind: int | None,
    person: int | None,
) -> Finding | None:
    where = name_of(key, type, id)
    if kind != OwnerKind.SEVERAL:
        return Finding("entities", f"owner row of version {version_id}, which has none", where)
    if person is None:
        return Finding("entities", f"owner row of version {version_id} names no Patient", where)
    return None


def _disclosure(_patient_key: int, audit: int, person: int | None, record: int | None) -> Finding | None:
    if person is None or record is None:
        return Finding(
            "entities", "a disclosure of no Patient or of no audit record", f"audit record {audit}"
        )
    return None


def _scope_person(scope: int, _patient_key: int, person: int | None, known: int | None) -> Finding | None:
    if person is None or known is None:
        return Finding("entities", "a member that is no Patient, or of no scope", f"scope {scope}")
    return None


def _scope_stated(
    scope: int, _patient_key: int, _denied: int, person: int | None, known: int | None
) -> Finding | None:
    return _scope_person(scope, _patient_key, person, known)


def _term(number: int, system: int | None) -> Finding | None:
    return Finding("entities", "of a system that is missing", f"term {number}") if system is None else None


def _person(column: str) -> str:
    return f"LEFT JOIN entity p ON p.key = x.{column} AND p.type = {_PATIENT:d}"


_OF_ENTITY = "LEFT JOIN entity e ON e.key = x.key"
_LEADS = (
    _Lead(
        "entity",
        "x.type, x.id, x.patient_key, EXISTS"
        " (SELECT 1 FROM version v WHERE v.patient_key = x.patient_key AND v.key = x.key)",
        "",
        _entity,
    ),
    _Lead("resource", "e.type, e.id, e.patient_key", _OF_ENTITY, _resource),
    _Lead("version", "e.type, e.id, e.patient_key", _OF_ENTITY, _version),
    _Lead(
        "owner",
        "e.type, e.id, v.kind, p.key",
        f"{_OF_ENTITY} LEFT JOIN version v ON v.patient_key = e.patient_key AND v.key = x.key"
        f" AND v.version_id = x.version_id {_person('patient_key')}",
        _owner,
    ),
    _Lead(
        "disclosure",
        "p.key, a.number",
        f"{_person('patient_key')} LEFT JOIN audit a ON a.number = x.audit",
        _disclosure,
    ),
    _Lead(
        "scope_person",
        "p.key, s.number",
        f"{_person('patient_key')} LEFT JOIN scope s ON s.number = x.scope",
        _scope_person,
    ),
    _Lead(
        "scope_stated",
        "p.key, s.number",
        f"{_person('patient_key')} LEFT JOIN scope s ON s.number = x.scope",
        _scope_stated,
    ),
    _Lead("term", "s.number", "LEFT JOIN system s ON s.number = x.system", _term),
)


def _scope_sizes(backend: Readable) -> Iterator[Finding]:
    with backend.reading() as db:
        rows = db.rows(
            "SELECT s.number FROM scope s WHERE s.size <>"
            " (SELECT count(*) FROM scope_person g WHERE g.scope = s.number) ORDER BY s.number"
        )
    for (number,) in rows:
        yield Finding("entities", "its size is not the number of its members", f"scope {number}")
