"""``_sort`` in SQL: what each key is of a resource ``r``, and what comes after a position.

Resources without a value come last in both directions.
"""

from collections.abc import Sequence
from typing import NamedTuple

from kintung.fhir.search import Parameter, Query, Sort
from kintung.store.sql.clauses import ALWAYS, Clause, every, some
from kintung.store.sql.database import Database
from kintung.store.sql.search.index_rows import BY_KEY, TABLES, atoms_of, by_resource, rows_of
from kintung.store.versions import Position


class SortValue(NamedTuple):
    """An expression of ``r`` to sort by, NULL when it has none, and the join it needs."""

    value: Clause
    join: Clause | None = None


def sort_value(db: Database, sort: Sort, name: str) -> SortValue:
    """What to sort ``r`` by; ``name`` is a name for the join, one for each key.

    Tables with an index by resource are asked for each ``r``; the values of the others are
    gathered once for all resources and joined.
    """
    parameter = sort.parameter
    if parameter.stored == "updated":
        return SortValue(Clause("r.at"))
    if parameter.stored == "id":
        return SortValue(Clause("(SELECT e.id FROM entity e WHERE e.key = r.key)"))
    table = TABLES[parameter.kind]
    column = _column(db, table, descending=sort.descending)
    atoms = atoms_of(parameter)
    source = _source(parameter, table)
    if table in BY_KEY:
        direction = " DESC" * sort.descending
        text = (
            f"(SELECT {column} FROM {by_resource(db, source)} WHERE {atoms.text}"
            f" AND x.patient_key = r.patient_key AND x.key = r.key ORDER BY 1{direction} LIMIT 1)"
        )
        return SortValue(Clause(text, atoms.values))
    best = "max" if sort.descending else "min"
    gathered = (
        f"SELECT x.patient_key, x.key, {best}({column}) AS best FROM {source}"
        f" WHERE {atoms.text} GROUP BY x.patient_key, x.key"
    )
    on = f"{name}.patient_key = r.patient_key AND {name}.key = r.key"
    join = Clause(f" LEFT JOIN ({gathered}) {name} ON {on}", atoms.values)
    return SortValue(Clause(f"{name}.best"), join)


def _column(db: Database, table: str, *, descending: bool) -> str:
    """Parts of a value are joined by U+0001, which no code, id or text holds."""
    between = "char(1)" if db.dialect == "sqlite" else "chr(1)"
    padded = "printf('%03d', e.type)" if db.dialect == "sqlite" else "lpad(e.type::text, 3, '0')"
    collate = "" if db.dialect == "sqlite" else ' COLLATE "C"'
    return {
        "ix_date": "x.high" if descending else "x.low",
        "ix_string": f"(x.folded || {between} || x.exact){collate}",
        "ix_token": f"(t.code || {between} || s.uri){collate}",
        "ix_reference": f"({padded} || e.id){collate}",
        "ix_quantity": "x.high" if descending else "x.low",
    }[table]


def _source(parameter: Parameter, table: str) -> str:
    source = rows_of(parameter)
    if table == "ix_token":
        return f"{source} JOIN term t ON t.number = x.term JOIN system s ON s.number = t.system"
    if table == "ix_reference" and source == f"{table} x":
        return f"{source} JOIN entity e ON e.key = x.target"
    return source


def beyond(sorts: Sequence[Sort], after: Position | None) -> Clause:
    """Rows that come after a position: later in the first key ``s0``, ``s1`` ... that differs."""
    if after is None:
        return ALWAYS
    options: list[Clause] = []
    equal: list[Clause] = []
    for n, (sort, value) in enumerate(zip(sorts, after.values, strict=True)):
        if value is None:
            equal.append(Clause(f"s{n} IS NULL"))
            continue
        later = Clause(f"(s{n} {'<' if sort.descending else '>'} ? OR s{n} IS NULL)", (value,))
        options.append(every(*equal, later))
        equal.append(Clause(f"s{n} = ?", (value,)))
    options.append(every(*equal, Clause("seq < ?", (after.sequence,))))
    return some(*options)


def is_newest_first(query: Query) -> bool:
    """Is it sorted by ``-_lastUpdated`` alone?"""
    return len(query.sort) == 1 and query.sort[0].descending and query.sort[0].parameter.stored == "updated"


def date_sorted_by(query: Query) -> int | None:
    """The atom of the one date that resources of one type are sorted by; None when it is otherwise."""
    if len(query.types) != 1 or len(query.sort) != 1:
        return None
    parameter = query.sort[0].parameter
    if parameter.kind != "date" or parameter.stored is not None or len(parameter.branches) != 1:
        return None
    return parameter.branches[0].atom
