"""A View of the record as it will be once units that are prepared are committed too.

Two ask it. What prepares many units at once prepares each on what those before it will have written, and
need not prepare again what rests on them. And a commit, which writes the units of a group together, asks it
whether what the next one read is still so. It answers what a unit that writes is most often asked again:
how a resource stands, whose it is, who bears a number; of other questions it says that it does not know
(:meth:`Ahead.knows`). It may be wrong where one of the units is refused after all: what was read is
asked again inside the commit lock, as ever.
"""

from collections.abc import Iterable
from dataclasses import replace

from kintung.fhir.splice import served
from kintung.store.port import Read, View
from kintung.store.reader import Reader
from kintung.store.refusals import deleted
from kintung.store.scribe import Scribe
from kintung.store.through import Through
from kintung.store.versions import Current, Match, Method, Numbers, Ownership, Version
from kintung.store.writes import Prepared, Write, is_hash


class Ahead(Through):
    """What a view shows, with what is taken on top of it."""

    def __init__(self, view: View, scribe: Scribe) -> None:
        super().__init__(view)
        self._scribe = scribe
        self._taken: list[Prepared] = []
        self._written: dict[tuple[str, str], Write] = {}
        self._bearers: dict[int, dict[str, None]] = {}
        """Ids of Patients by the keyed hash of each number that they are written with."""
        self._linked: set[str] = set()
        """Patients that something is said of, or that were never stored before."""
        self._is_plain = True
        """Is nothing taken but writes, and what rules say of pairs?"""

    def take(self, prepared: Prepared) -> None:
        """Show what was prepared as if it were committed."""
        self._taken.append(prepared)

    def clear(self) -> None:
        """What was taken is in the view, or never will be."""
        self._taken.clear()
        self._written.clear()
        self._bearers.clear()
        self._linked.clear()
        self._is_plain = True

    def knows(self, reads: Iterable[Read]) -> bool:
        """Are the answers to these questions what they would be after the commit?"""
        self._look()
        return self._is_plain and all(map(self._knows, reads))

    def _knows(self, read: Read) -> bool:
        match read.question:
            case "current":
                return read.about[0].sees_all
            case "owners_of" | "bearers":
                return True
            case "link":
                return self._linked.isdisjoint(read.about[1:])
            case "links_of":
                return not self._linked
            case "match":
                return not self._written

    @property
    def sequence(self) -> int:
        """That of the view; -1 while more is shown than it has."""
        return -1 if self._taken or self._written else self._view.sequence

    def current(self, reader: Reader, type: str, id: str) -> Current | None:
        write = self._write(type, id) if reader.sees_all else None
        if write is None:
            return self._view.current(reader, type, id)
        return Current(write.expected + 1, write.method is Method.DELETE, _as_stored(write.ownership))

    def owners_of(self, type: str, id: str) -> Ownership | None:
        write = self._write(type, id)
        return self._view.owners_of(type, id) if write is None else _as_stored(write.ownership)

    def bearers(self, numbers: Numbers, most: int) -> tuple[Match, ...] | None:
        self._look()
        if not self._written:
            return self._view.bearers(numbers, most)
        vault = self._scribe.vaults.current
        now = {id for number in numbers for id in self._bearers.get(vault.of_number(*number), ())}
        stored = self._view.bearers(numbers, most + len(self._written))
        if stored is None:
            return None
        found = [match for match in stored if ("Patient", match.id) not in self._written]
        found += [Match("Patient", id, self._written["Patient", id].expected + 1) for id in now]
        return tuple(sorted(found)) if len(found) <= most else None

    def read(self, reader: Reader, type: str, id: str) -> Version:
        write = self._write(type, id) if reader.sees_all else None
        if write is None:
            return self._view.read(reader, type, id)
        if write.sealed is None:
            raise deleted(type, id)
        text = self._scribe.open(write.sealed.blob, type, id)
        body = served(text, write.sealed.meta_at, write.expected + 1, 0)
        return Version(type, id, write.expected + 1, 0, write.method, body, ())

    def _write(self, type: str, id: str) -> Write | None:
        self._look()
        return self._written.get((type, id))

    def _look(self) -> None:
        """Look through what was taken: only once something is asked, which it often is not."""
        for prepared in self._taken:
            self._is_plain &= not (prepared.relabels or prepared.grants)
            self._linked.update(id for change in prepared.links for id in (change.one, change.other))
            for write in prepared.writes:
                self._written[write.type, write.id] = write
                if write.type == "Patient":
                    self._look_at_patient(write)
        self._taken.clear()

    def _look_at_patient(self, write: Write) -> None:
        if not write.expected:
            self._linked.add(write.id)
        for rows in (write.removes, write.adds):
            for _, term in rows.tokens if rows is not None else ():
                if isinstance(term, int) and is_hash(term):
                    bearers = self._bearers.setdefault(term, {})
                    if rows is write.adds:
                        bearers[write.id] = None
                    else:
                        bearers.pop(write.id, None)


def _as_stored(ownership: Ownership) -> Ownership:
    return replace(ownership, persons=tuple(sorted(set(ownership.persons))))
