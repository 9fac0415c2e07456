"""Small integers for what repeats: resource types, organisations, labels, systems, terms, actors."""

from collections.abc import Iterable, Mapping
from typing import cast

from kintung.fhir.search import resource_types
from kintung.store.reader import Reader
from kintung.store.sql.database import Database
from kintung.store.sql.visibility import StoredReader

TYPE_NUMBERS = {name: number for number, name in enumerate(("", *sorted(resource_types())))}
"""Number of a resource type; 0 is the type of what is referenced by absolute address."""
TYPE_NAMES = {number: name for name, number in TYPE_NUMBERS.items()}

_NAME_COLUMN = {"organisation": "id", "label": "name", "system": "uri", "actor": "id"}
_MOST_TERMS = 200_000


class Names:
    """What a process remembers of the tables that only grow.

    Numbers never change once they are committed. Those given inside a commit are remembered
    at once and forgotten, with all others, when that commit fails.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[str, int]] = {name: {} for name in _NAME_COLUMN}
        self._terms: dict[tuple[str, str], int] = {}

    def forget(self) -> None:
        """A commit failed: what it numbered is not so."""
        for table in self._known.values():
            table.clear()
        self._terms.clear()

    def number(self, db: Database, table: str, name: str) -> int | None:
        """The number of an organisation, label, system or actor; None when it has none."""
        found = self._known[table].get(name)
        if found is None:
            rows = db.rows(f"SELECT number FROM {table} WHERE {_NAME_COLUMN[table]} = ?", (name,))
            if not rows:
                return None
            found = self._known[table][name] = cast(int, rows[0][0])
        return found

    def give(self, db: Database, table: str, name: str) -> int:
        """The number of a name, given now if it has none. Inside a commit only."""
        number = self.number(db, table, name)
        if number is None:
            number = self._next(db, table)
            db.insert(table, [(number, name)])
            self._known[table][name] = number
        return number

    def _next(self, db: Database, table: str) -> int:
        return cast(int, db.rows(f"SELECT coalesce(max(number), 0) + 1 FROM {table}")[0][0])

    def give_terms(self, db: Database, terms: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Numbers of (system, code) pairs, given now where there is none. Inside a commit only."""
        if len(self._terms) > _MOST_TERMS:
            self._terms.clear()
        numbers: dict[tuple[str, str], int] = {}
        unknown: list[tuple[str, str]] = []
        for term in dict.fromkeys(terms):
            number = self._terms.get(term)
            if number is None:
                unknown.append(term)
            else:
                numbers[term] = number
        if not unknown:
            return numbers
        systems = {system: self.give(db, "system", system) for system in dict.fromkeys(s for s, _ in unknown)}
        names = {(systems[system], code): (system, code) for system, code in unknown}
        found = db.lookup(
            "SELECT t.system, t.code, t.number FROM wanted w CROSS JOIN term t"
            " WHERE t.code = w.c1 AND t.system = w.c0",
            ("int", "text"),
            list(names),
        )
        missing = dict.fromkeys(names)
        for system, code, number in found:
            numbers[names[system, code]] = number
            del missing[system, code]
        rows = [
            (number, *pair) for number, pair in enumerate(missing, self._next(db, "term") if missing else 0)
        ]
        db.insert("term", rows)
        numbers.update((names[system, code], number) for number, system, code in rows)
        self._terms.update(numbers)
        return numbers

    def labels(self, db: Database, mask: int) -> tuple[str, ...]:
        """The names of the labels of a mask, sorted."""
        return labels_of(mask, label_names(db)) if mask else ()

    def stored(self, db: Database, reader: Reader) -> StoredReader:
        """The reader in the numbers of the tables."""
        if reader.organisations is True and not reader.hidden:  # as most are: nothing to look up
            return StoredReader(reader, True, 0)
        organisations = reader.organisations
        if not isinstance(organisations, bool):
            numbers = (self.number(db, "organisation", name) for name in sorted(organisations))
            organisations = tuple(number for number in numbers if number is not None)
        mask = 0
        for label in reader.hidden:
            bit = self.number(db, "label", label)
            mask |= 1 << bit if bit is not None else 0
        return StoredReader(reader, organisations, mask)


def label_names(db: Database) -> dict[int, str]:
    """All labels by number: there are never more than a mask has places."""
    return dict(db.rows("SELECT number, name FROM label"))


def labels_of(mask: int, names: Mapping[int, str]) -> tuple[str, ...]:
    """The labels whose bits are set in a mask, sorted by name."""
    return tuple(sorted(name for number, name in names.items() if mask >> number & 1))
