"""A View of a View: every question goes through to it, but for those that a subclass answers."""

from collections.abc import Collection, Sequence

from kintung.fhir.search import Query
from kintung.store.links import Disclosed, Link, Said
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.store.versions import (
    Current,
    Known,
    Match,
    Numbers,
    Opened,
    Ownership,
    Page,
    Paging,
    Sharing,
    Version,
)


class Through:
    """Answers as the view below it does."""

    def __init__(self, view: View) -> None:
        self._view = view

    @property
    def sequence(self) -> int:
        return self._view.sequence

    def current(self, reader: Reader, type: str, id: str) -> Current | None:
        return self._view.current(reader, type, id)

    def match(self, reader: Reader, query: Query, limit: int = 2) -> tuple[Match, ...]:
        return self._view.match(reader, query, limit)

    def owners_of(self, type: str, id: str) -> Ownership | None:
        return self._view.owners_of(type, id)

    def bearers(self, numbers: Numbers, most: int) -> tuple[Match, ...] | None:
        return self._view.bearers(numbers, most)

    def known(
        self,
        reader: Reader,
        patients: Sequence[str],
        types: Collection[str],
        *,
        most: int,
        at: int | None = None,
    ) -> Known:
        return self._view.known(reader, patients, types, most=most, at=at)

    def opened(self, reader: Reader, actor: str, organisation: str, most: int) -> tuple[Opened, ...]:
        return self._view.opened(reader, actor, organisation, most)

    def link(self, reader: Reader, one: str, other: str) -> Link | None:
        return self._view.link(reader, one, other)

    def links_of(self, reader: Reader, id: str) -> tuple[Link, ...]:
        return self._view.links_of(reader, id)

    def sharing(self, reader: Reader, keys: Collection[int], limit: int) -> list[Sharing]:
        return self._view.sharing(reader, keys, limit)

    def bearing(self, reader: Reader, numbers: Numbers, most: int) -> tuple[Version, ...] | None:
        return self._view.bearing(reader, numbers, most)

    def person(self, reader: Reader, id: str) -> tuple[str, ...]:
        return self._view.person(reader, id)

    def saw_through(self, reader: Reader, id: str, other: str) -> bool:
        return self._view.saw_through(reader, id, other)

    def queue(self, reader: Reader, limit: int, after: int = 0) -> tuple[Link, ...]:
        return self._view.queue(reader, limit, after)

    def said(self, reader: Reader, one: str, other: str) -> tuple[Said, ...]:
        return self._view.said(reader, one, other)

    def disclosed(self, reader: Reader, one: str, other: str) -> tuple[Disclosed, ...]:
        return self._view.disclosed(reader, one, other)

    def read(self, reader: Reader, type: str, id: str) -> Version:
        return self._view.read(reader, type, id)

    def vread(self, reader: Reader, type: str, id: str, version_id: int) -> Version:
        return self._view.vread(reader, type, id, version_id)

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
        return self._view.history(
            reader, type, id, since=since, at=at, oldest_first=oldest_first, paging=paging
        )

    def search(self, reader: Reader, query: Query, paging: Paging) -> Page:
        return self._view.search(reader, query, paging)
