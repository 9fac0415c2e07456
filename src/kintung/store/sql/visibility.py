"""The Reader's predicate in SQL, for every alias of every statement.

``visible(reader, "r")`` is true of a row of ``resource`` the reader may see. The scope is
probed by a correlated scalar subquery: SQLite builds a Bloom filter over the whole scope
for EXISTS and for a join, 10 ms whatever the search; the scalar form it runs as one seek.
"""

from typing import NamedTuple

from kintung.store.reader import Reader, Scope
from kintung.store.sql.clauses import ALWAYS, NEVER, Clause, among, every
from kintung.store.versions import OwnerKind


class StoredReader(NamedTuple):
    """A Reader with organisations and labels as the numbers the tables hold."""

    reader: Reader
    organisations: bool | tuple[int, ...]
    hidden: int
    """Bit mask of labels."""


def visible(who: StoredReader, alias: str, *, labels_of: str | None = None) -> Clause:
    """True of the rows of ``alias`` (resource, or version) that the reader may see.

    ``labels_of`` names the alias of ``resource`` that has the labels, when ``alias`` has none.
    """
    if who.reader.sees_all:
        return ALWAYS
    if who.reader.sees_nothing:
        return NEVER
    return every(_unlabelled(who, labels_of or alias), _owned(who, alias))


def _unlabelled(who: StoredReader, alias: str) -> Clause:
    return Clause(f"({alias}.labels & ?) = 0", (who.hidden,)) if who.hidden else ALWAYS


def _owned(who: StoredReader, alias: str) -> Clause:
    reader = who.reader
    if reader.persons is True and who.organisations is True and reader.public:
        return ALWAYS
    person = _person(reader.persons, f"{alias}.patient_key")
    organisation = _organisation(who.organisations, f"{alias}.organisation")
    several = _several(reader.persons, alias)
    text = (
        f"CASE {alias}.kind WHEN {OwnerKind.PERSON:d} THEN {person.text}"
        f" WHEN {OwnerKind.PUBLIC:d} THEN {int(reader.public)}"
        f" WHEN {OwnerKind.ORGANISATION:d} THEN {organisation.text}"
        f" WHEN {OwnerKind.UNKNOWN:d} THEN {int(reader.persons is True)}"
        f" ELSE {several.text} END = 1"
    )
    return Clause(text, person.values + organisation.values + several.values)


def _person(persons: bool | Scope, column: str) -> Clause:
    if isinstance(persons, bool):
        return Clause(str(int(persons)))
    probe = f"SELECT 1 FROM scope_person g WHERE g.scope = ? AND g.patient_key = {column}"
    return Clause(f"coalesce(({probe}), 0)", (persons.number,))


def _organisation(organisations: bool | tuple[int, ...], column: str) -> Clause:
    if isinstance(organisations, bool):
        return Clause(str(int(organisations)))
    listed = among(column, organisations)
    return Clause(f"CASE WHEN {listed.text} THEN 1 ELSE 0 END", listed.values)


def _several(persons: bool | Scope, alias: str) -> Clause:
    """All owners of this version are visible: no owner row is outside the scope."""
    if isinstance(persons, bool):
        return Clause(str(int(persons)))
    inside = _person(persons, "o.patient_key")
    outside = (
        f"SELECT 1 FROM owner o WHERE o.key = {alias}.key AND o.version_id = {alias}.version_id"
        f" AND {inside.text} = 0"
    )
    return Clause(f"CASE WHEN EXISTS ({outside}) THEN 0 ELSE 1 END", inside.values)
