"""Reading: the View of the plain store. Everything that matches is put in order, then counted and cut."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from kintung.fhir.search import Criterion, Query, Sort, TokenValue, parameters, token_of
from kintung.fhir.splice import served
from kintung.store.in_bodies import page_in_bodies, refuse_in_bodies
from kintung.store.inclusion import INCLUDED_BYTES, too_large
from kintung.store.links import Disclosed, Link, Said
from kintung.store.matching import Indexed, meets, sort_value
from kintung.store.memory import persons
from kintung.store.memory.inclusion import included
from kintung.store.memory.state import Entry, Name, State
from kintung.store.memory.visibility import sees
from kintung.store.reader import Reader
from kintung.store.refusals import absent, deleted
from kintung.store.scribe import Scribe
from kintung.store.sharing import MOST_SHARING
from kintung.store.versions import (
    Current,
    Known,
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
from kintung.store.writes import KEY_ATOM, Term


class _Row(NamedTuple):
    """An entry, or the bookmark of a page that ended there, as it is put in order."""

    values: tuple[object, ...]
    sequence: int
    entry: Entry | None


class MemoryView:
    """A consistent reading of one state."""

    def __init__(self, state: State, scribe: Scribe) -> None:
        self._state = state
        self._scribe = scribe

    @property
    def sequence(self) -> int:
        return self._state.sequence

    def current(self, reader: Reader, type: str, id: str) -> Current | None:
        entry = self._visible(reader, (type, id))
        if entry is None:
            return None
        return Current(entry.version_id, entry.method is Method.DELETE, entry.ownership)

    def read(self, reader: Reader, type: str, id: str) -> Version:
        entry = self._visible(reader, (type, id))
        if entry is None:
            raise absent(type, id)
        return self._undeleted(entry)

    def vread(self, reader: Reader, type: str, id: str, version_id: int) -> Version:
        for entry in self._state.versions.get((type, id), ()):
            if entry.version_id == version_id and self._sees_version(reader, entry):
                return self._undeleted(entry)
        raise absent(type, id, version_id)

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
        assert type is not None or id is None, "an id without its type"
        if type is not None and id is not None and self._visible(reader, (type, id)) is None:
            raise absent(type, id)
        upto = self._upto(paging)
        rows = [
            _Row((), entry.sequence, entry)
            for entry in self._state.log
            if entry.method is not Method.LABEL
            and type in (None, entry.type)
            and id in (None, entry.id)
            and (since is None or entry.at >= since)
            and entry.sequence <= upto
            and self._sees_version(reader, entry)
            and (at is None or self._was_current(reader, entry, at, upto))
        ]
        return self._page(rows, (), paging, oldest_first=oldest_first)

    def search(self, reader: Reader, query: Query, paging: Paging) -> Page:
        upto = self._upto(paging)
        rows = [row for row in self._matching(reader, query) if row.sequence <= upto]
        if query.in_bodies:
            ordered = _ordered(rows, query.sort, paging.after)
            candidates = (
                (Position(row.values, row.sequence), self._version(row.entry))
                for row in ordered
                if row.entry is not None
            )
            page = page_in_bodies(candidates, query, paging, upto)
        else:
            page = self._page(rows, query.sort, paging)
            page = page._replace(total=None if page.total is None else query.counted(page.total))
        matches = [(version.type, version.id) for version in page.entries]
        names = included(query.includes, matches, self._around(reader))
        entries = [entry for name in names if (entry := self._visible(reader, name)) is not None]
        newest = sorted(entries, key=lambda entry: entry.sequence, reverse=True)
        versions = tuple(self._version(entry) for entry in newest)
        if sum(len(version.body) for version in versions) > INCLUDED_BYTES:
            raise too_large(query.includes)
        return page._replace(included=versions)

    def match(self, reader: Reader, query: Query, limit: int = 2) -> tuple[Match, ...]:
        refuse_in_bodies(query)
        rows = _in_order(self._matching(reader, query), query.sort)
        entries = [row.entry for row in rows if row.entry is not None]
        return tuple(Match(entry.type, entry.id, entry.version_id) for entry in entries[:limit])

    def sharing(self, reader: Reader, keys: Collection[int], limit: int) -> list[Sharing]:
        visible = (self._visible(reader, name) for name in self._state.versions if name[0] == "Patient")
        sharing = [(entry, _shared(entry, keys)) for entry in visible if entry is not None]
        kept = {key for key in keys if sum(key in shared for _, shared in sharing) <= MOST_SHARING}
        found = [(len(shared & kept), entry) for entry, shared in sharing if shared & kept]
        found.sort(key=lambda each: (each[0], each[1].sequence), reverse=True)
        return [Sharing(count, partial(self._version, entry)) for count, entry in found[:limit]]

    def bearing(self, reader: Reader, numbers: Numbers, most: int) -> tuple[Version, ...] | None:
        values = tuple(token_of(*number) for number in numbers)
        bears = Criterion(parameters("Patient")["identifier"], None, values)
        rows = _in_order(self._matching(reader, Query(("Patient",), (bears,))), ())
        if len(rows) > most:
            return None
        return tuple(self._version(row.entry) for row in rows if row.entry is not None)

    def owners_of(self, type: str, id: str) -> Ownership | None:
        versions = self._state.versions.get((type, id))
        return versions[-1].ownership if versions else None

    def bearers(self, numbers: Numbers, most: int) -> tuple[Match, ...] | None:
        values = tuple(TokenValue(*number, any_system=False) for number in numbers)
        bears = Criterion(parameters("Patient")["identifier"], None, values)
        found = self.match(Reader.everything(), Query(("Patient",), (bears,)), most + 1)
        return tuple(sorted(found)) if len(found) <= most else None

    def person(self, reader: Reader, id: str) -> tuple[str, ...]:
        return persons.person(self._state, self._sees_patient(reader), id)

    def known(
        self,
        reader: Reader,
        patients: Sequence[str],
        types: Collection[str],
        *,
        most: int,
        at: int | None = None,
    ) -> Known:
        found: list[Entry] = []
        for (type, _), versions in self._state.versions.items():
            if type not in types:
                continue
            then = [
                entry
                for entry in versions
                if entry.ownership.kind is OwnerKind.PERSON
                and entry.ownership.persons[0] in patients
                and (at is None or entry.at <= at)
                and self._sees_version(reader, entry)
            ]
            if then and then[-1].method is not Method.DELETE:
                found.append(then[-1])
        found.sort(key=lambda entry: entry.sequence, reverse=True)
        return Known(tuple(map(self._version, found[:most])), len(found) > most)

    def opened(self, reader: Reader, actor: str, organisation: str, most: int) -> tuple[Opened, ...]:
        ids = {key: id for id, key in self._state.patient_keys.items()}
        met: set[str] = set()
        found: list[Opened] = []
        for audited in reversed(self._state.audit):
            record = audited.record
            if not (record.opened and actor) or (record.actor, record.organisation) != (actor, organisation):
                continue
            id = ids[record.opened]
            patient = self._visible(reader, ("Patient", id))
            if id not in met and patient is not None and patient.method is not Method.DELETE:
                met.update(self.person(reader, id))
                found.append(Opened(self._version(patient), audited.at))
        return tuple(found[:most])

    def link(self, reader: Reader, one: str, other: str) -> Link | None:
        return persons.link(self._state, self._sees_patient(reader), one, other)

    def links_of(self, reader: Reader, id: str) -> tuple[Link, ...]:
        return persons.links_of(self._state, self._sees_patient(reader), id)

    def saw_through(self, reader: Reader, id: str, other: str) -> bool:
        own, sees = self.person(reader, id), self._sees_patient(reader)
        if isinstance(reader.persons, bool) or not own or sees(other):
            return False
        labelled = not self._sees_patient(replace(reader, persons=True))(other)
        return not labelled and persons.reached(self._state, reader.persons.number, own, other)

    def queue(self, reader: Reader, limit: int, after: int = 0) -> tuple[Link, ...]:
        return persons.queue(self._state, self._sees_patient(reader), limit, after)

    def said(self, reader: Reader, one: str, other: str) -> tuple[Said, ...]:
        return persons.said(self._state, self._sees_patient(reader), one, other)

    def disclosed(self, reader: Reader, one: str, other: str) -> tuple[Disclosed, ...]:
        return persons.disclosed(self._state, self._sees_patient(reader), one, other)

    def _sees_patient(self, reader: Reader) -> persons.Sees:
        return lambda id: self._visible(reader, ("Patient", id)) is not None

    def _visible(self, reader: Reader, name: Name) -> Entry | None:
        """The last version of a resource, a deletion too, if the reader sees it."""
        versions = self._state.versions.get(name)
        if not versions or not self._sees_version(reader, versions[-1]):
            return None
        return versions[-1]

    def _sees_version(self, reader: Reader, entry: Entry) -> bool:
        """Are the owners of this version and those of the current one visible, labels as of now?"""
        name = (entry.type, entry.id)
        labels = self._state.labels_of(name)
        last = self._state.versions[name][-1]
        return sees(reader, self._state, entry.ownership, labels) and sees(
            reader, self._state, last.ownership, labels
        )

    def _was_current(self, reader: Reader, entry: Entry, span: tuple[int, int], upto: int) -> bool:
        """Was it the last version the reader sees at some point of the half-open span?"""
        start, end = span
        return entry.at < end and not any(
            later.version_id > entry.version_id
            and later.at <= start
            and later.sequence <= upto
            and self._sees_version(reader, later)
            for later in self._state.versions[entry.type, entry.id]
        )

    def _matching(self, reader: Reader, query: Query) -> list[_Row]:
        """Every current resource that the reader sees and that meets the query, in no order."""

        around = self._around(reader)
        found: list[_Row] = []
        for name in self._state.versions:
            if query.types and name[0] not in query.types:
                continue
            entry = self._visible(reader, name)
            resource = _indexed(entry) if entry is not None else None
            if entry is not None and resource is not None and meets(query, resource, around):
                values = tuple(sort_value(sort, resource) for sort in query.sort)
                found.append(_Row(values, entry.sequence, entry))
        return found

    def _around(self, reader: Reader) -> "_Seen":
        """All that the reader sees."""

        def visible(name: Name) -> Entry | None:
            return self._visible(reader, name)

        return _Seen(self._state.versions, visible)

    def _upto(self, paging: Paging) -> int:
        """The sequence number that a walk through pages is true of: that of page one."""
        return self.sequence if paging.sequence is None else paging.sequence

    def _page(
        self, rows: list[_Row], sorts: Sequence[Sort], paging: Paging, *, oldest_first: bool = False
    ) -> Page:
        after = paging.after
        if oldest_first:  # of a history: by their sequence numbers alone
            ordered = sorted(rows, key=lambda row: row.sequence)
            ordered = [row for row in ordered if after is None or row.sequence > after.sequence]
        else:
            ordered = _ordered(rows, sorts, after)
        shown = ordered[: paging.count]
        more = 0 < paging.count < len(ordered)
        return Page(
            entries=tuple(self._version(row.entry) for row in shown if row.entry is not None),
            sequence=self._upto(paging),
            next=Position(shown[-1].values, shown[-1].sequence) if more else None,
            total=len(ordered) if paging.total and after is None else None,
        )

    def _undeleted(self, entry: Entry) -> Version:
        if entry.method is Method.DELETE:
            raise deleted(entry.type, entry.id)
        return self._version(entry)

    def _version(self, entry: Entry) -> Version:
        keys = tuple(self._state.patient_keys[person] for person in entry.ownership.persons)
        body = body_of(entry, self._scribe)
        return Version(entry.type, entry.id, entry.version_id, entry.at, entry.method, body, keys)


class _Seen(NamedTuple):
    """What a reader sees around a resource."""

    names: Iterable[Name]
    visible: Callable[[Name], Entry | None]

    def at(self, type: str, id: str) -> Indexed | None:
        entry = self.visible((type, id))
        return _indexed(entry) if entry is not None else None

    def of(self, type: str) -> Iterator[Indexed]:
        found = (self.at(*name) for name in self.names if name[0] == type)
        return (resource for resource in found if resource is not None)


def _shared(entry: Entry, keys: Collection[int]) -> set[Term]:
    """Which of the keys a resource has."""
    tokens = entry.adds.tokens if entry.adds is not None else ()
    return {key for atom, key in tokens if atom == KEY_ATOM and key in keys}


def _indexed(entry: Entry) -> Indexed | None:
    return None if entry.found is None else entry.found._replace(at=entry.at)


def body_of(entry: Entry, scribe: Scribe) -> bytes:
    """The bytes that are served; b"" for a deletion or a label."""
    if entry.sealed is None:
        return b""
    text = scribe.open(entry.sealed.blob, entry.type, entry.id)
    return served(text, entry.sealed.meta_at, entry.version_id, entry.at)


def _in_order(rows: Iterable[_Row], sorts: Sequence[Sort]) -> list[_Row]:
    """Newest first, then by each sort key from the last to the first: Python's sort is stable."""
    ordered = sorted(rows, key=lambda row: row.sequence, reverse=True)
    for place, sort in reversed(list(enumerate(sorts))):
        with_value = [row for row in ordered if row.values[place] is not None]
        without = [row for row in ordered if row.values[place] is None]
        with_value.sort(key=_value_at(place), reverse=sort.descending)
        ordered = with_value + without
    return ordered


def _value_at(place: int) -> Callable[[_Row], Any]:
    """The value of a row for one sort key: of one Python type in all rows that have it."""
    return lambda row: row.values[place]


def _ordered(rows: Iterable[_Row], sorts: Sequence[Sort], after: Position | None) -> list[_Row]:
    """What follows a bookmark, in order; all without one."""
    return _in_order(rows, sorts) if after is None else _in_order_after(after, rows, sorts)


def _in_order_after(after: Position, rows: Iterable[_Row], sorts: Sequence[Sort]) -> list[_Row]:
    """What follows a bookmark when it is put in order among the others."""
    bookmark = _Row(after.values, after.sequence, None)
    others = [row for row in rows if row.sequence != after.sequence]
    ordered = _in_order([bookmark, *others], sorts)
    return ordered[ordered.index(bookmark) + 1 :]
