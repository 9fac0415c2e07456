"""Reading: the View of the SQL stores."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple, TypeVar, cast

from kintung.fhir.search import Include, Query
from kintung.fhir.splice import served
from kintung.store.audit import AuditBook
from kintung.store.in_bodies import page_in_bodies, refuse_in_bodies
from kintung.store.inclusion import INCLUDED_BYTES, too_large
from kintung.store.links import Disclosed, Link, Said
from kintung.store.persons import Pair
from kintung.store.reader import Reader
from kintung.store.refusals import absent, deleted
from kintung.store.sealing import Sealer
from kintung.store.sql import known, opened, persons
from kintung.store.sql.clauses import Clause, every, starting
from kintung.store.sql.database import Database, Row
from kintung.store.sql.history import Walk, walk_of, within
from kintung.store.sql.keyed import bearing, likest, terms_of
from kintung.store.sql.names import TYPE_NAMES, TYPE_NUMBERS, Names
from kintung.store.sql.search import Asked, Lookups, Searcher
from kintung.store.sql.vaulting import vault_of
from kintung.store.sql.visibility import visible
from kintung.store.vault import Vaults
from kintung.store.versions import (
    Current,
    Known,
    LogEntry,
    Match,
    Method,
    Numbers,
    Opened,
    OwnerKind,
    Ownership,
    Page,
    Paging,
    Position,
    Sharing,
    Version,
)

PAGE_BYTES = 32 * 1024 * 1024
"""Bodies of one page: beyond it a page ends early, and the next goes on."""
SMALL_BYTES = 64 * 1024
FIRST_STEP = 8
"""Bodies fetched at once before it is known how large they are."""

FIRST_CANDIDATES = 64
MOST_CANDIDATES = 4_096
"""Rows found at once whose bodies are opened to see whether they match."""

EXPORT_ROWS = 500
"""Resources of one page of an export, and the keys it looks through: few first, more where few are found."""
LEAST_SPAN = 1_000
MOST_SPAN = 16_000


_Bodied = TypeVar("_Bodied", Version, LogEntry)


class SqlView:
    """A reading of the store on one connection, for as long as its transaction lasts."""

    __slots__ = ("_book", "_db", "_most_rows", "_names", "_sealer", "_vaults")

    def __init__(
        self, db: Database, names: Names, sealer: Sealer, vaults: Vaults, book: AuditBook, most_rows: int
    ) -> None:
        """``most_rows``: see ``Lookups``."""
        self._book = book
        self._db = db
        self._names = names
        self._sealer = sealer
        self._vaults = vaults
        self._most_rows = most_rows

    def searcher(self) -> Searcher:
        """For one search: what it looked up is not kept for the next."""
        return Searcher(Lookups(self._db, self._vaults, self._most_rows))

    @property
    def sequence(self) -> int:
        return cast(int, self._db.rows("SELECT coalesce(max(seq), 0) FROM log")[0][0])

    # -- one resource -------------------------------------------------------------------

    def current(self, reader: Reader, type: str, id: str) -> Current | None:
        row = self._find(
            reader, type, id, "r.version_id, r.deleted, r.kind, r.organisation, r.patient_key, r.key"
        )
        if row is None:
            return None
        version_id, deleted, *owned = row
        return Current(version_id, bool(deleted), self.ownership(version_id, *owned))

    def sharing(self, reader: Reader, keys: Collection[int], limit: int) -> list[Sharing]:
        who = self._names.stored(self._db, reader)
        found = likest(self._db, who, keys)[:limit]
        return [Sharing(count, partial(self._body, row)) for count, row in found]

    def _body(self, row: Row) -> Version:
        return self._bodies([row])[0]

    def bearing(self, reader: Reader, numbers: Numbers, most: int) -> tuple[Version, ...] | None:
        who = self._names.stored(self._db, reader)
        terms = terms_of(self._db, vault_of(self._db, self._vaults), numbers)
        rows = bearing(self._db, who, terms, most)
        return None if rows is None else tuple(self._opened(rows))

    def owners_of(self, type: str, id: str) -> Ownership | None:
        everything = Reader.everything()
        found = self.current(everything, type, id)
        return None if found is None else found.ownership

    def read(self, reader: Reader, type: str, id: str) -> Version:
        row = self._find(
            reader,
            type,
            id,
            "r.version_id, v.at, v.method, v.meta_at, v.body, r.kind, r.patient_key, r.key",
            _JOIN_CURRENT,
        )
        if row is None:
            raise absent(type, id)
        version = self.version(type, id, *row)
        if version.method == Method.DELETE:
            raise deleted(type, id)
        return version

    def vread(self, reader: Reader, type: str, id: str, version_id: int) -> Version:
        who = self._names.stored(self._db, reader)
        seen = every(visible(who, "r"), visible(who, "v", labels_of="r"))
        rows = self._db.rows(
            _by_id(_VERSION, _JOIN_VERSIONS, f"v.version_id = ? AND {seen.text}"),
            (id, TYPE_NUMBERS.get(type, -1), version_id, *seen.values),
        )
        if not rows:
            raise absent(type, id, version_id)
        version = self.version(type, id, *rows[0])
        if version.method == Method.DELETE:
            raise deleted(type, id)
        return version

    def _find(self, reader: Reader, type: str, id: str, columns: str, join: str = "") -> Row | None:
        seen = visible(self._names.stored(self._db, reader), "r")
        rows = self._db.rows(_by_id(columns, join, seen.text), (id, TYPE_NUMBERS.get(type, -1), *seen.values))
        return rows[0] if rows else None

    def ownership(
        self, version_id: int, kind: int, organisation: int, patient_key: int, key: int
    ) -> Ownership:
        """Names of the owners of a version."""
        match OwnerKind(kind):
            case OwnerKind.PERSON:
                persons = self._ids([patient_key])
            case OwnerKind.SEVERAL:
                persons = self._ids(self._owner_keys(key, version_id))
            case OwnerKind.PUBLIC | OwnerKind.ORGANISATION | OwnerKind.UNKNOWN:
                persons = ()
        deposited = ""
        if organisation:
            rows = self._db.rows("SELECT id FROM organisation WHERE number = ?", (organisation,))
            deposited = cast(str, rows[0][0])
        return Ownership(OwnerKind(kind), persons, deposited)

    def _ids(self, keys: Sequence[int]) -> tuple[str, ...]:
        found = (self._db.rows("SELECT id FROM entity WHERE key = ?", (key,)) for key in keys)
        return tuple(sorted(cast(str, rows[0][0]) for rows in found))

    def _owner_keys(self, key: int, version_id: int) -> tuple[int, ...]:
        rows = self._db.rows(
            "SELECT patient_key FROM owner WHERE key = ? AND version_id = ? ORDER BY patient_key",
            (key, version_id),
        )
        return tuple(row[0] for row in rows)

    def version(  # noqa: PLR0913, PLR0917 - the columns of a version
        self,
        type: str,
        id: str,
        version_id: int,
        at: int,
        method: int,
        meta_at: int,
        blob: bytes,
        kind: int,
        patient_key: int,
        key: int,
    ) -> Version:
        body = served(self._sealer.open(blob, type, id), meta_at, version_id, at) if blob else b""
        if kind == _SEVERAL:
            persons = self._owner_keys(key, version_id)
        else:
            persons = (patient_key,) if patient_key else ()
        return Version(type, id, version_id, at, _METHODS[method], body, persons)

    # -- persons ------------------------------------------------------------------------

    def bearers(self, numbers: Numbers, most: int) -> tuple[Match, ...] | None:
        vault = vault_of(self._db, self._vaults)
        return persons.bearers(self._db, [vault.of_number(*number) for number in numbers], most)

    def person(self, reader: Reader, id: str) -> tuple[str, ...]:
        members = persons.members(self._db, self._names.stored(self._db, reader), id)
        if members:
            return members if id in members else ()
        return (id,) if self._sees(reader, id) else ()

    def known(
        self,
        reader: Reader,
        patients: Sequence[str],
        types: Collection[str],
        *,
        most: int,
        at: int | None = None,
    ) -> Known:
        who = self._names.stored(self._db, reader)
        rows = known.rows(self._db, who, patients, types, most + 1, at)
        versions = tuple(of_one_page(self._opened(rows[:most])))
        return Known(versions, len(versions) < len(rows))

    def opened(self, reader: Reader, actor: str, organisation: str, most: int) -> tuple[Opened, ...]:
        who = self._names.stored(self._db, reader)
        by = opened.by(self._db, self._names, actor, organisation)
        rows = opened.rows(self._db, who, by, most) if by is not None else []
        instants = opened.instants(self._db, self._book, rows)
        return tuple(map(Opened, self._opened(rows), instants))

    def link(self, reader: Reader, one: str, other: str) -> Link | None:
        return persons.link(self._db, self._names.stored(self._db, reader), _pair(one, other))

    def links_of(self, reader: Reader, id: str) -> tuple[Link, ...]:
        return persons.links_of(self._db, self._names.stored(self._db, reader), id)

    def saw_through(self, reader: Reader, id: str, other: str) -> bool:
        own = self.person(reader, id)
        if isinstance(reader.persons, bool) or not own or self._sees(reader, other):
            return False
        labelled = not self._sees(replace(reader, persons=True), other)
        return not labelled and persons.reached(self._db, reader.persons.number, own, other)

    def queue(self, reader: Reader, limit: int, after: int = 0) -> tuple[Link, ...]:
        return persons.queue(self._db, self._names.stored(self._db, reader), limit, after)

    def said(self, reader: Reader, one: str, other: str) -> tuple[Said, ...]:
        if self.link(reader, one, other) is None:
            return ()
        return persons.said(self._db, self._book, _pair(one, other))

    def disclosed(self, reader: Reader, one: str, other: str) -> tuple[Disclosed, ...]:
        link = self.link(reader, one, other)
        return () if link is None else persons.disclosed(self._db, self._book, link)

    def _sees(self, reader: Reader, patient: str) -> bool:
        return self._find(reader, "Patient", patient, "r.key") is not None

    # -- many ---------------------------------------------------------------------------

    def history(
        self,
        reader: Reader,
        type: str | None = None,
        id: str | None = None,
        *,
        since: int | None = None,
        at: tuple[int, int] | None = None,
        oldest_first: bool = False,
        paging: Paging,
    ) -> Page:
        """Versions of a resource by its key, of a type by walking the whole log."""
        if id is not None and self.current(reader, type or "", id) is None:
            raise absent(type or "", id)
        count, last = paging.count, self._last(paging)
        who = self._names.stored(self._db, reader)
        walk = walk_of(self._db, type, id, oldest_first=oldest_first)
        span = within(self._db, who, walk, since, at, last)
        where = every(walk.scope, span, visible(who, "r"), visible(who, "v", labels_of="r"))
        entries: list[Version] = []
        size, reached, more = 0, last, None
        for row in self._walked(walk, where, paging.after, count + 1) if count else ():
            if len(entries) == count or size >= PAGE_BYTES:
                more = Position((), reached)
                break
            entries.append(self.version(TYPE_NAMES[row[8]], row[9], *row[:8]))
            size, reached = size + len(entries[-1].body), row[10]
        counted: int | None = None
        if paging.total and paging.after is None:
            statement = f"SELECT count(*) FROM {walk.counted} WHERE {where.text}"
            counted = self._db.rows(statement, where.values)[0][0]
        return Page(tuple(entries), last, more, counted)

    def _walked(self, walk: Walk, where: Clause, after: Position | None, most: int) -> Iterator[Row]:
        """Versions and their sequence numbers in the order of the walk, fetched as they are taken."""
        step = FIRST_STEP
        reached = None if after is None else after.sequence
        while most > 0:
            page = every(where, walk.after(reached))
            limit = min(step, most)
            rows = self._db.rows(
                f"SELECT {_VERSION}, e.type, e.id, v.seq FROM {walk.source}"
                f" WHERE {page.text} ORDER BY {walk.order} {walk.direction} LIMIT {limit:d}",
                page.values,
            )
            yield from rows
            if len(rows) < limit:
                return
            most -= limit
            reached = rows[-1][10]
            step = next_step(step, max(len(row[4] or b"") for row in rows))

    def search(self, reader: Reader, query: Query, paging: Paging) -> Page:
        who = self._names.stored(self._db, reader)
        searcher = self.searcher()
        asked = Asked(who, query, paging.count + 1, paging.sequence, paging.after)
        read = self._page_in_bodies if query.in_bodies else self._page
        page, rows = read(searcher, asked, paging)
        included = searcher.included(who, query, rows)
        return page._replace(included=tuple(_all_of_one_page(query.includes, self._opened(included))))

    def _page(self, searcher: Searcher, asked: Asked, paging: Paging) -> tuple[Page, list[Row]]:
        """What the index alone answers, and the rows of its entries."""
        count = paging.count
        rows = searcher.rows(asked) if count else []
        entries = tuple(of_one_page(self._opened(rows[:count])))
        given = len(entries)
        more = _place(rows[given - 1]) if len(rows) > given and given else None
        counted: int | None = None
        if paging.total and paging.after is None:
            statement = searcher.total(asked.who, asked.query)
            counted = asked.query.counted(self._db.rows(statement.text, statement.values)[0][0])
        return Page(entries, self._last(paging), more, counted), rows[:given]

    def _page_in_bodies(self, searcher: Searcher, asked: Asked, paging: Paging) -> tuple[Page, list[Row]]:
        """What only texts answer, and the rows of its entries."""
        rows: dict[tuple[str, str], Row] = {}

        def candidates() -> Iterator[tuple[Position, Version]]:
            for row, version in self._candidates(searcher, asked):
                rows[version.type, version.id] = row
                yield _place(row), version

        page = page_in_bodies(candidates(), asked.query, paging, self._last(paging))
        return page, [rows[version.type, version.id] for version in page.entries]

    def _candidates(self, searcher: Searcher, asked: Asked) -> Iterator[tuple[Row, Version]]:
        """All that meets a query as far as the index says it, in order: more at once the more are taken."""
        asked = replace(asked, limit=max(asked.limit, FIRST_CANDIDATES))
        while True:
            rows = searcher.rows(asked)
            yield from zip(rows, self._opened(rows), strict=True)
            if len(rows) < asked.limit:
                return
            asked = replace(asked, after=_place(rows[-1]), limit=min(8 * asked.limit, MOST_CANDIDATES))

    def _last(self, paging: Paging) -> int:
        """The sequence number that a walk through pages is true of: that of page one."""
        return self.sequence if paging.sequence is None else paging.sequence

    def _opened(self, rows: Sequence[Row]) -> Iterator[Version]:
        """The bodies of a page, opened as they are taken: few at once while they are large."""
        at, step = 0, FIRST_STEP
        while at < len(rows):
            found = self._bodies(rows[at : at + step])
            yield from found
            at += step
            step = next_step(step, max(len(version.body) for version in found))

    def _bodies(self, rows: Sequence[Row]) -> tuple[Version, ...]:
        wanted = [(row[0], row[2], row[3]) for row in rows]
        found = self._db.lookup(
            f"SELECT {_VERSION}, e.type, e.id FROM wanted w CROSS JOIN version v CROSS JOIN entity e"
            " WHERE v.patient_key = w.c0 AND v.key = w.c1 AND v.version_id = w.c2 AND e.key = v.key",
            ("int", "int", "int"),
            wanted,
        )
        by_key = {cast(int, row[7]): row for row in found}
        ordered = (by_key[row[2]] for row in rows)
        return tuple(self.version(TYPE_NAMES[row[8]], row[9], *row[:8]) for row in ordered)

    def export_page(
        self, type: str, place: "ExportPlace"
    ) -> tuple[tuple[Version, ...], "ExportPlace | None"]:
        """Current resources of a type in the order of their keys, and where the next page begins.

        A page may be empty though others follow. A key never changes, so that what is written
        between two pages comes once still.
        """
        number = TYPE_NUMBERS[type]
        if not place.after and not self._db.rows(_ANY_OF_TYPE, (number,)):
            return (), None  # rather than walk the keys of all other types
        last = cast(int, self._db.rows("SELECT coalesce(max(key), 0) FROM entity")[0][0])
        statement = exported(self._db, number, place)
        rows = self._db.rows(statement.text, statement.values)
        entries = tuple(of_one_page(self._opened(rows)))
        is_cut = len(entries) < len(rows) or len(rows) == EXPORT_ROWS
        reached = cast(int, rows[len(entries) - 1][2]) if is_cut else place.after + place.span
        if reached >= last:
            return entries, None
        return entries, ExportPlace(reached, _next_span(place.span, len(rows)))

    def match(self, reader: Reader, query: Query, limit: int = 2) -> tuple[Match, ...]:
        refuse_in_bodies(query)
        who = self._names.stored(self._db, reader)
        rows = self.searcher().rows(Asked(who, query, limit))
        return tuple(
            Match(
                TYPE_NAMES[type],
                self._db.rows("SELECT id FROM entity WHERE key = ?", (key,))[0][0],
                version_id,
            )
            for _, type, key, version_id, *_rest in rows
        )


def _pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def _place(row: Row) -> Position:
    """The place after a row of a page."""
    return Position(tuple(row[6:]), row[4])


class ExportPlace(NamedTuple):
    """Where a page of an export begins: after which key, and how many keys it looks through.

    Looking through a fixed span of keys costs the same whatever plan the database has for it,
    with statistics or without, and however rare the type is.
    """

    after: int = 0
    span: int = LEAST_SPAN


def exported(db: Database, type: int, place: ExportPlace) -> Clause:
    """The statement that finds the resources of a page."""
    by = Clause("r.patient_key = e.patient_key AND r.type = e.type AND r.key = e.key")
    source = starting(db, Clause("entity e"), by, Clause("r.deleted = 0"))
    text = (
        "SELECT r.patient_key, r.type, r.key, r.version_id, r.seq, r.kind"
        f" FROM {source.text} WHERE e.type = ? AND e.key > ? AND e.key <= ? ORDER BY e.key LIMIT ?"
    )
    return Clause(text, (*source.values, type, place.after, place.after + place.span, EXPORT_ROWS))


def _next_span(span: int, found: int) -> int:
    """Many keys at once while few are of the type."""
    if found == EXPORT_ROWS:
        return LEAST_SPAN
    return min(2 * span, MOST_SPAN) if found < EXPORT_ROWS // 4 else span


def next_step(step: int, largest: int) -> int:
    """How many bodies to fetch next, after some of which the largest has so many bytes."""
    return min(2 * step, 256) if largest <= SMALL_BYTES else 1


def of_one_page(versions: Iterable[_Bodied]) -> Iterator[_Bodied]:
    """At least one, and no more than fit one answer."""
    size = 0
    for version in versions:
        yield version
        size += len(version.body)
        if size >= PAGE_BYTES:
            return


def _all_of_one_page(includes: Iterable[Include], included: Iterable[Version]) -> Iterator[Version]:
    """All of them; raises TooCostly when they do not fit one answer."""
    size = 0
    for version in included:
        size += len(version.body)
        if size > INCLUDED_BYTES:
            raise too_large(includes)
        yield version


_ANY_OF_TYPE = "SELECT r.seq FROM resource r WHERE r.type = ? AND r.deleted = 0 ORDER BY r.seq LIMIT 1"
_METHODS = {int(method): method for method in Method}
_SEVERAL = int(OwnerKind.SEVERAL)
_VERSION = "v.version_id, v.at, v.method, v.meta_at, v.body, v.kind, v.patient_key, v.key"
_ENTITY_RESOURCE = (
    "entity e JOIN resource r ON r.patient_key = e.patient_key AND r.type = e.type AND r.key = e.key"
)
_JOIN_VERSIONS = " JOIN version v ON v.patient_key = r.patient_key AND v.key = r.key"
_JOIN_CURRENT = f"{_JOIN_VERSIONS} AND v.version_id = r.version_id"


@lru_cache(maxsize=64)
def _by_id(columns: str, join: str, seen: str) -> str:
    """The statement that finds one resource; put together for each kind of reader once."""
    return f"SELECT {columns} FROM {_ENTITY_RESOURCE}{join} WHERE e.id = ? AND e.type = ? AND {seen}"
