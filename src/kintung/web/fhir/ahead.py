"""The state of the record with what a transaction has written so far."""

from kintung.fhir.search import Query
from kintung.store.port import Current, Match, Ownership, Page, Position, Version, View
from kintung.store.reader import Reader


class Ahead:
    """A view that also knows the owners of what the transaction has written.

    A Binary may take its owner from a DocumentReference of the same transaction. All other
    questions are for the view: preconditions are met by the record as it was before.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self.owned: dict[tuple[str, str], Ownership] = {}

    @property
    def sequence(self) -> int:
        return self._view.sequence

    def owners_of(self, type: str, id: str) -> Ownership | None:
        return self.owned.get((type, id)) or self._view.owners_of(type, id)

    def current(self, reader: Reader, type: str, id: str) -> Current | None:
        return self._view.current(reader, type, id)

    def read(self, reader: Reader, type: str, id: str) -> Version:
        return self._view.read(reader, type, id)

    def vread(self, reader: Reader, type: str, id: str, version_id: int) -> Version:
        return self._view.vread(reader, type, id, version_id)

    def match(self, reader: Reader, query: Query, limit: int = 2) -> tuple[Match, ...]:
        return self._view.match(reader, query, limit)

    def history(
        self,
        reader: Reader,
        type: str | None = None,
        id: str | None = None,
        *,
        since: int | None = None,
        count: int,
        total: bool = True,
        sequence: int | None = None,
        after: Position | None = None,
    ) -> Page:
        return self._view.history(
            reader, type, id, since=since, count=count, total=total, sequence=sequence, after=after
        )

    def search(
        self,
        reader: Reader,
        query: Query,
        *,
        count: int,
        total: bool = False,
        sequence: int | None = None,
        after: Position | None = None,
    ) -> Page:
        return self._view.search(reader, query, count=count, total=total, sequence=sequence, after=after)
