"""What is included beside the matches of a page: ``_include`` and ``_revinclude``, step by step.

Forward from the references of a resource (``ix_reference_of``), back from the references that
lead to it. The reader's predicate stands on every resource that is reached; one it does not
show is neither included nor gone on from.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from kintung.fhir.search import Include
from kintung.store.inclusion import MOST_INCLUDED, MOST_ROUNDS, too_far, too_many
from kintung.store.reader import Scope
from kintung.store.sql.clauses import ALWAYS, Clause, among, every, query_of, some, starting
from kintung.store.sql.database import Row
from kintung.store.sql.names import TYPE_NAMES, TYPE_NUMBERS
from kintung.store.sql.search.index_rows import by_resource
from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.search.plan import has_few_persons
from kintung.store.sql.visibility import StoredReader, visible

_COLUMNS = "r.patient_key, r.type, r.key, r.version_id, r.seq, r.kind"
_TYPE, _KEY, _SEQUENCE = 1, 2, 4
"""Places in a row: those of a page of matches begin alike."""

_REPEATED = 4
"""How many times as many rows as resources are fetched before the database is to drop those that
come again: it may have to find all of them first, which through a hub takes long."""


def included(
    lookups: Lookups, who: StoredReader, includes: Sequence[Include], matches: Sequence[Row]
) -> list[Row]:
    """All that the matches of a page include, newest first: rows as a page of matches has them.

    Raises:
        TooCostly: it is more, or further away, than a page may include.
    """
    known = {row[_KEY] for row in matches}
    found: list[Row] = []
    reached, asked = list(matches), includes
    for step in range(MOST_ROUNDS + 1):
        reached = _one_step(lookups, who, asked, reached, known)
        if not reached:
            break
        if step == MOST_ROUNDS:
            raise too_far(includes)
        found += reached
        if len(found) > MOST_INCLUDED:
            raise too_many(includes)
        asked = [include for include in includes if include.iterate]
    return sorted(found, key=lambda row: row[_SEQUENCE], reverse=True)


def _one_step(
    lookups: Lookups,
    who: StoredReader,
    includes: Sequence[Include],
    start: Sequence[Row],
    known: set[int],
) -> list[Row]:
    """What one step leads to that was not known before, and is from now on; not all when too many."""
    found: list[Row] = []
    for statement in statements(lookups, who, includes, start):
        for row in _rows(lookups, statement, len(known) + MOST_INCLUDED + 1):
            if row[_KEY] not in known:
                known.add(row[_KEY])
                found.append(row)
        if len(found) > MOST_INCLUDED:
            break
    return found


def _rows(lookups: Lookups, statement: Clause, most: int) -> Iterable[Row]:
    """The different rows of a statement, ``most`` of them when there are more."""
    limit = _REPEATED * most
    rows = lookups.db.rows(f"{statement.text} LIMIT {limit:d}", statement.values)
    different = set(rows)
    if len(rows) < limit or len(different) >= most:
        return different
    once = statement.text.replace(f"SELECT {_COLUMNS}", f"SELECT DISTINCT {_COLUMNS}", 1)
    return lookups.db.rows(f"{once} LIMIT {most:d}", statement.values)


def statements(
    lookups: Lookups, who: StoredReader, includes: Sequence[Include], start: Sequence[Row]
) -> Iterator[Clause]:
    """One for each type of where it starts, and forward or back; the same row may come again."""
    keys_by_type: dict[int, list[int]] = {}
    for row in start:
        keys_by_type.setdefault(row[_TYPE], []).append(row[_KEY])
    for type, keys in keys_by_type.items():
        forward = _forward(includes, TYPE_NAMES[type])
        if forward:
            yield _led_to(lookups, who, keys, forward)
        for source, atoms in _back(includes, TYPE_NAMES[type]).items():
            yield _leading_here(lookups, who, keys, source, sorted(atoms))


def _forward(includes: Iterable[Include], type: str) -> dict[str | None, set[int]]:
    """The atoms to follow from a resource of this type, by the type they must lead to."""
    atoms: dict[str | None, set[int]] = {}
    for include in includes:
        for parameter in () if include.reverse else include.parameters:
            for branch in parameter.branches if parameter.type == type else ():
                if include.target is None or branch.target in (None, include.target):
                    atoms.setdefault(include.target or branch.target, set()).add(branch.atom)
    return atoms


def _back(includes: Iterable[Include], type: str) -> dict[str, set[int]]:
    """The atoms by which resources, by their type, may refer to one of this type."""
    atoms: dict[str, set[int]] = {}
    for include in includes:
        if not include.reverse or include.target not in (None, type):
            continue
        for parameter in include.parameters:
            led = {branch.atom for branch in parameter.branches if branch.target in (None, type)}
            if led:
                atoms.setdefault(parameter.type, set()).update(led)
    return atoms


def _led_to(
    lookups: Lookups, who: StoredReader, keys: Sequence[int], forward: dict[str | None, set[int]]
) -> Clause:
    """What references of these resources lead to."""
    db = lookups.db
    all_atoms = sorted(set[int]().union(*forward.values()))
    to_types = [
        every(among("x.atom", sorted(atoms)), *_of_type("e.type", type)) for type, atoms in forward.items()
    ]
    of_those = Clause("f.key = w.key")
    referring = starting(db, Clause("wanted w"), of_those, to="entity f")
    same = Clause("x.patient_key = f.patient_key AND x.key = f.key")
    references = starting(
        db, referring, same, among("x.atom", all_atoms), to=by_resource(db, "ix_reference x")
    )
    entities = starting(db, references, Clause("e.key = x.target"), some(*to_types), "entity e")
    by = Clause("r.patient_key = e.patient_key AND r.type = e.type AND r.key = e.key")
    return _seen(lookups, who, keys, entities, by)


def _leading_here(
    lookups: Lookups, who: StoredReader, keys: Sequence[int], source: str, atoms: Sequence[int]
) -> Clause:
    """What of a type refers to these resources."""
    by_target = every(Clause("x.target = w.key"), among("x.atom", atoms), _of_persons(lookups, who))
    references = starting(lookups.db, Clause("wanted w"), by_target, to="ix_reference x")
    by = Clause("r.patient_key = x.patient_key AND r.type = ? AND r.key = x.key", (TYPE_NUMBERS[source],))
    return _seen(lookups, who, keys, references, by)


def _of_persons(lookups: Lookups, who: StoredReader) -> Clause:
    """Index rows ``x`` of the few persons a reader may see, and of no one person: a hub has many more."""
    scope = who.reader.persons
    if not isinstance(scope, Scope) or not has_few_persons(lookups, who):
        return ALWAYS
    persons = "SELECT g.patient_key FROM scope_person g WHERE g.scope = ? UNION ALL SELECT 0"
    return Clause(f"x.patient_key IN ({persons})", (scope.number,))


def _of_type(column: str, type: str | None) -> tuple[Clause, ...]:
    return () if type is None else (Clause(f"{column} = ?", (TYPE_NUMBERS[type],)),)


def _seen(lookups: Lookups, who: StoredReader, keys: Collection[int], start: Clause, by: Clause) -> Clause:
    """Those that are there and that the reader may see."""
    wanted = query_of(lookups.db, list(keys))
    seen = every(Clause("r.deleted = 0"), visible(who, "r"))
    found = starting(lookups.db, start, by, seen)
    return Clause(
        f"WITH wanted(key) AS ({wanted.text}) SELECT {_COLUMNS} FROM {found.text}",
        wanted.values + found.values,
    )
