"""What a chain means in SQL: ``subject:Patient.name=cheung``.

A chain is a criterion on the resources that references lead to. What it may **end** at is looked
up before the search while that is little: the chain is then a search for references, and a hub
is one seek. The reader's predicate stands on each end, and all else is reached through ``r``,
the resource that refers.
"""

from collections.abc import Sequence
from typing import cast

from kintung.fhir.search import Chain, Criterion, Parameter
from kintung.store.sql.clauses import Clause, among, every, is_short, listed, some, starting
from kintung.store.sql.database import Database
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.search import criteria
from kintung.store.sql.search.criteria import asks_all
from kintung.store.sql.search.index_rows import by_resource, of_resource
from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.search.references import Ends, leading
from kintung.store.sql.visibility import StoredReader, visible

MANY_ENDS = 256
"""Resources that a chain ends at, up to which they are listed before the search."""


def probe(lookups: Lookups, who: StoredReader, chain: Chain, r: str = "r") -> Clause:
    """By the targets, where they are few; else by what each reference of ``r`` leads to."""
    ends = ends_of(lookups, who, chain)
    if all(end.query is None and is_short(end.targets) for end in ends):
        found = of_resource(lookups.db, "ix_reference x", leading(lookups.db, ends), r)
        return Clause(f"{found.text} IS NOT NULL", found.values)
    return some(*(_followed(lookups, who, chain.parameter, type, inner, r) for type, inner in chain.inner))


def _followed(
    lookups: Lookups, who: StoredReader, parameter: Parameter, type: str, inner: Criterion, r: str
) -> Clause:
    """Does a reference of ``r`` lead to a resource ``t`` of the type that meets the inner criterion?"""
    db = lookups.db
    references = Clause(by_resource(db, "ix_reference x"))
    entities = starting(db, references, Clause("e.key = x.target"), to="entity e")
    by = Clause("t.patient_key = e.patient_key AND t.key = e.key AND t.type = ?", (TYPE_NUMBERS[type],))
    meeting = every(Clause("t.deleted = 0"), visible(who, "t"), criteria.probe(lookups, inner, "t"))
    targets = starting(db, entities, by, meeting, "resource t")
    atoms = among("x.atom", _atoms(parameter, type))
    return Clause(
        f"(SELECT 1 FROM {targets.text}"
        f" WHERE x.patient_key = {r}.patient_key AND x.key = {r}.key AND {atoms.text} LIMIT 1) IS NOT NULL",
        targets.values + atoms.values,
    )


def keys(lookups: Lookups, who: StoredReader, chain: Chain) -> Clause:
    """A query of (patient_key, key) of all resources with such a reference, with repetitions."""
    ends = ends_of(lookups, who, chain)
    rows = some(*(every(among("x.atom", end.atoms), _led(lookups.db, end)) for end in ends))
    return Clause(f"SELECT x.patient_key, x.key FROM ix_reference x WHERE {rows.text}", rows.values)


def _led(db: Database, end: Ends) -> Clause:
    """All targets, those past ``MANY_ENDS`` too."""
    if end.query is None:
        return listed(db, "x.target", end.targets)
    return Clause(f"x.target IN ({end.query.text})", end.query.values)


def is_wide(lookups: Lookups, who: StoredReader, chain: Chain) -> bool:
    """Does it end at more than ``MANY_ENDS``?"""
    return any(end.query is not None for end in ends_of(lookups, who, chain))


def ends_of(lookups: Lookups, who: StoredReader, chain: Chain) -> Sequence[Ends]:
    """What a chain may end at, by type."""
    return lookups.once(
        ("ends", who, chain),
        lambda: [_end(lookups, who, chain.parameter, type, inner) for type, inner in chain.inner],
    )


def _end(lookups: Lookups, who: StoredReader, parameter: Parameter, type: str, inner: Criterion) -> Ends:
    """Targets that are visible, of that type, and meet the inner criterion."""
    of_type = Clause("r.type = ?", (TYPE_NUMBERS[type],))
    seen = every(
        Clause("r.deleted = 0"),
        visible(who, "r"),
    )
    if asks_all(inner):
        where = every(of_type, seen, criteria.probe(lookups, inner))
        ends = Clause(f"SELECT r.key FROM resource r WHERE {where.text}", where.values)
    else:
        meeting = criteria.keys(lookups, inner)
        by = every(Clause("r.patient_key = k.patient_key AND r.key = k.key"), of_type)
        source = starting(lookups.db, Clause(f"({meeting.text}) k", meeting.values), by, seen)
        ends = Clause(f"SELECT r.key FROM {source.text}", source.values)
    found = lookups.db.rows(f"{ends.text} LIMIT {MANY_ENDS + 1:d}", ends.values)
    targets = tuple(dict.fromkeys(cast(int, key) for (key,) in found))
    return Ends(_atoms(parameter, type), targets, ends if len(found) > MANY_ENDS else None)


def _atoms(parameter: Parameter, type: str) -> list[int]:
    """The atoms of references that may lead to a type."""
    return [branch.atom for branch in parameter.branches if branch.target in (None, type)]
