"""Proof of every version: its number, its log entry, its body, whose it is.

Versions are walked in the order they lie in, one person after the other. Those that are
current are handed to the proof of the index in the same reading.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple, cast

from kintung.errors import KintungError
from kintung.fhir.json import parse
from kintung.store.port import Finding
from kintung.store.scribe import Scribe, ownership_of
from kintung.store.sealing import Sealer, owner_label
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NAMES, TYPE_NUMBERS
from kintung.store.sql.proofs.index import Body, IndexProof
from kintung.store.sql.proofs.walk import Pages, Readable, name_of, walk
from kintung.store.sql.vaulting import vault_of
from kintung.store.versions import Method, OwnerKind, Ownership

VERSIONS_A_PAGE = 500
_MOST_KEYS = 50_000
_COLUMNS = (
    "x.seq, x.at, x.method, x.kind, x.organisation, x.meta_at, x.digest, x.body,"
    " e.type, e.id, e.patient_key, r.key,"
    " (SELECT max(w.version_id) FROM version w WHERE w.patient_key = x.patient_key AND w.key = x.key),"
    " l.patient_key, l.key, l.type, l.version_id, l.method, l.at"
)
_JOIN = (
    "LEFT JOIN entity e ON e.key = x.key"
    " LEFT JOIN resource r ON r.patient_key = x.patient_key AND r.type = e.type AND r.key = x.key"
    " LEFT JOIN log l ON l.seq = x.seq"
)


class _Stored(NamedTuple):
    """A version with the entity, the resource row and the log entry it belongs with."""

    patient_key: int
    key: int
    version_id: int
    seq: int
    at: int
    method: int
    kind: int
    organisation: int
    meta_at: int
    digest: bytes
    body: bytes
    type: int | None
    id: str | None
    home: int | None
    row: int | None
    """Its key when there is a resource row."""
    last: int
    """The last version of the resource."""
    logged: tuple[int, ...]
    """patient key, key, type, version, method and instant of the log entry."""

    @property
    def name(self) -> str:
        return name_of(self.key, self.type, self.id)


class VersionProof:
    """Walks all versions once."""

    def __init__(self, backend: Readable, sealer: Sealer, scribe: Scribe, index: IndexProof) -> None:
        self._backend = backend
        self._sealer = sealer
        self._scribe = scribe
        self._index = index
        self._before: _Stored | None = None
        self._key_owners: dict[bytes, str | None] = {}

    def prove(self) -> Iterator[Finding]:
        pages = Pages("version", _COLUMNS, _JOIN, VERSIONS_A_PAGE)

        def step(db: Database, after: Row) -> tuple[list[Finding], Row | None]:
            rows, place = pages.after(db, after)
            return self._page(db, [_Stored(*row[:16], logged=tuple(row[16:])) for row in rows]), place

        yield from walk(self._backend, step, pages.start)

    def _page(self, db: Database, versions: Sequence[_Stored]) -> list[Finding]:
        findings: list[Finding] = []
        owners = _OwnersThen(db, versions)
        vault = vault_of(db, self._scribe.vaults)
        current: list[Body] = []
        for version in versions:
            findings += self._numbered(version)
            if version.type not in TYPE_NAMES or version.id is None or version.home != version.patient_key:
                # Its body cannot be asked for by a name: the proof of the entities says so.
                self._index.skip(version.key)
                continue
            found, resource = self._opened(version)
            findings += found
            if resource is not None:
                findings += self._owned(version, resource, owners)
            if version.last != version.version_id:
                continue
            if version.row is None:
                findings.append(Finding("versions", "there is no resource row", version.name))
                self._index.skip(version.key)
            elif resource is not None:
                index = self._scribe.index(resource, vault)
                current.append(Body(version.name, version.patient_key, version.key, index))
            elif version.method != Method.DELETE:
                self._index.skip(version.key)
        return findings + self._index.expect(db, current)

    def _numbered(self, version: _Stored) -> list[Finding]:
        """Does it follow the version before it, in number and in the log?"""
        before = self._before
        self._before = version
        if before is not None and (before.patient_key, before.key) != (version.patient_key, version.key):
            before = None
        last = before.version_id if before else 0
        wrong: list[str] = []
        if version.version_id != last + 1:
            wrong.append(f"no version {last + 1} before version {version.version_id}")
        elif (before.method if before else Method.DELETE) == Method.DELETE:
            if version.method != Method.CREATE:
                wrong.append(f"version {version.version_id} is not a creation")
        elif version.method not in (Method.UPDATE, Method.DELETE):
            wrong.append(f"version {version.version_id} is neither an update nor a deletion")
        if before is not None and (version.seq <= before.seq or version.at < before.at):
            wrong.append(f"version {version.version_id} was committed before version {last}")
        if before is not None and version.organisation != before.organisation:
            wrong.append(f"version {version.version_id} was deposited by another organisation")
        entry = (
            version.patient_key,
            version.key,
            version.type,
            version.version_id,
            version.method,
            version.at,
        )
        if version.logged != entry:
            wrong.append(f"version {version.version_id} is not what log entry {version.seq} says")
        return [Finding("versions", message, version.name) for message in wrong]

    def _opened(self, version: _Stored) -> tuple[list[Finding], dict[str, Any] | None]:
        """The parsed body, or what is wrong with it."""

        def broken(message: str) -> tuple[list[Finding], None]:
            return [Finding("bodies", f"version {version.version_id}: {message}", version.name)], None

        type, id = TYPE_NAMES[cast(int, version.type)], cast(str, version.id)
        if version.method == Method.DELETE:
            return broken("a deletion has a body") if version.body or version.digest else ([], None)
        if sha256(version.body).digest() != version.digest:
            return broken("the body is not the one that was stored")
        try:
            text = self._sealer.open(version.body, type, id)
            resource = parse(text)
        except KintungError:
            return broken("the body cannot be opened")
        if (resource.get("resourceType"), resource.get("id")) != (type, id):
            return broken("the body is of another resource")
        if text[: version.meta_at][-8:] != b'"meta":{':
            return broken("the place of its meta is wrong")
        return [], resource

    def _owned(self, version: _Stored, resource: dict[str, Any], owners: "_OwnersThen") -> list[Finding]:
        """Do its kind, patient key, owner rows and data key follow from its body?"""
        stored = owners.of_version(version)
        if stored is None:
            return [Finding("ownership", f"version {version.version_id}: an owner is missing", version.name)]
        type, id = TYPE_NAMES[cast(int, version.type)], cast(str, version.id)
        wrong: list[str] = []
        # Units of one commit see each other, so a source may also be as the commit left it.
        moments = (owners.before, owners.at_end_of)
        named = (ownership_of(at(version.seq), type, id, resource, stored.organisation) for at in moments)
        if not any(_agree(stored, rule) for rule in named):
            wrong.append("its owners are not those its body names")
        elif self._sealed_for(version.body) != owner_label(stored, type, id):
            wrong.append("sealed under the key of another owner")
        return [
            Finding("ownership", f"version {version.version_id}: {message}", version.name)
            for message in wrong
        ]

    def _sealed_for(self, body: bytes) -> str | None:
        key = body[1:5]
        if key not in self._key_owners:
            if len(self._key_owners) > _MOST_KEYS:
                self._key_owners.clear()
            self._key_owners[key] = self._sealer.sealed_for(body)
        return self._key_owners[key]


def _agree(stored: Ownership, rule: Ownership) -> bool:
    """Is it owned as its body says? By one person also as by several: see ``Scribe.put``."""
    kinds = {rule.kind}
    if rule.kind is OwnerKind.PERSON:
        kinds.add(OwnerKind.SEVERAL)
    return stored.kind in kinds and stored.persons == tuple(sorted(rule.persons))


class _OwnersThen:
    """Who owned what, as the tables say, when a version was committed."""

    def __init__(self, db: Database, versions: Sequence[_Stored]) -> None:
        self._db = db
        several = [(v.key, v.version_id) for v in versions if v.kind == OwnerKind.SEVERAL]
        self._several: dict[tuple[int, int], list[int]] = {pair: [] for pair in several}
        rows = db.lookup(
            "SELECT o.key, o.version_id, o.patient_key FROM wanted w CROSS JOIN owner o"
            " WHERE o.key = w.c0 AND o.version_id = w.c1",
            ("int", "int"),
            several,
        )
        for key, version_id, patient_key in rows:
            self._several[key, version_id].append(patient_key)
        persons = {row[2] for row in rows} | {v.patient_key for v in versions}
        self._persons = self._ids(persons)
        organisations = sorted({v.organisation for v in versions})
        self._organisations: dict[int, str] = {0: ""}
        self._organisations.update(
            db.lookup(
                "SELECT o.number, o.id FROM wanted w CROSS JOIN organisation o WHERE o.number = w.c0",
                ("int",),
                [(number,) for number in organisations],
            )
        )

    def of_version(self, version: _Stored) -> Ownership | None:
        """The ownership the tables give a version; None when they name who is not there."""
        if version.kind not in list(OwnerKind) or version.organisation not in self._organisations:
            return None
        kind = OwnerKind(version.kind)
        keys: list[int] = []
        if kind == OwnerKind.SEVERAL:
            keys = self._several[version.key, version.version_id]
        elif kind == OwnerKind.PERSON:
            keys = [version.patient_key]
        if kind != OwnerKind.PERSON and version.patient_key:
            return None
        if not self._persons.keys() >= set(keys):
            return None
        persons = tuple(sorted(self._persons[key] for key in keys))
        return Ownership(kind, persons, self._organisations[version.organisation])

    def before(self, seq: int) -> "_OwnersAt":
        """Owners as they were just before a log entry."""
        return _OwnersAt(self._db, self, seq - 1)

    def at_end_of(self, seq: int) -> "_OwnersAt":
        """Owners as they were after the commit of a log entry: units of one commit see each other."""
        rows = self._db.rows("SELECT min(last_seq) FROM chain WHERE last_seq >= ?", (seq,))
        return _OwnersAt(self._db, self, rows[0][0] or seq)

    def persons(self, keys: Sequence[int]) -> tuple[str, ...]:
        return tuple(sorted(self._ids(set(keys)).values()))

    def _ids(self, keys: set[int]) -> dict[int, str]:
        """Ids of Patients by their keys; other keys have none."""
        found = self._db.lookup(
            "SELECT e.key, e.id FROM wanted w CROSS JOIN entity e WHERE e.key = w.c0 AND e.type = w.c1",
            ("int", "int"),
            [(key, TYPE_NUMBERS["Patient"]) for key in sorted(keys)],
        )
        return dict(found)


class _OwnersAt:
    """What ``View.owners_of`` answered when the log ended with ``seq``."""

    def __init__(self, db: Database, then: _OwnersThen, seq: int) -> None:
        self._db = db
        self._then = then
        self._seq = seq

    def __call__(self, type: str, id: str) -> Ownership | None:
        rows = self._db.rows(
            "SELECT v.patient_key, v.key, v.version_id, v.kind FROM entity e"
            " JOIN version v ON v.patient_key = e.patient_key AND v.key = e.key"
            " WHERE e.id = ? AND e.type = ? AND v.seq <= ? ORDER BY v.version_id DESC LIMIT 1",
            (id, TYPE_NUMBERS[type], self._seq),
        )
        if not rows:
            return None
        patient_key, key, version_id, kind = rows[0]
        keys = [patient_key] if kind == OwnerKind.PERSON else []
        if kind == OwnerKind.SEVERAL:
            found = self._db.rows(
                "SELECT patient_key FROM owner WHERE key = ? AND version_id = ?", (key, version_id)
            )
            keys = [row[0] for row in found]
        return Ownership(OwnerKind(kind), self._then.persons(keys))
