"""What a criterion of a search means in SQL, on the index rows of one resource or of all.

It is asked in one of two ways. ``probe`` says whether the resource at hand meets it (a seek
into the index); ``keys`` lists all resources that do. Throughout, ``r`` is the resource and
``x`` an index row of it. The reader's predicate stands on each end of a chain; all else is
reached through ``r``, where the statement has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kintung.fhir.search import (
    Chain,
    Criterion,
    DateValue,
    Missing,
    NumberValue,
    Parameter,
    QuantityValue,
    ReferenceValue,
    Sort,
    StringValue,
    TokenValue,
    UriValue,
    Value,
    bound_keys,
)
from kintung.store.sql.database import Database
from kintung.store.sql.names import TYPE_NUMBERS, Names
from kintung.store.sql.visibility import ALWAYS, NEVER, Clause, StoredReader, among, every, some, visible
from kintung.store.vault import Vault

_TABLES = {
    "token": "ix_token",
    "uri": "ix_token",
    "reference": "ix_reference",
    "date": "ix_date",
    "string": "ix_string",
    "number": "ix_quantity",
    "quantity": "ix_quantity",
}
_BY_KEY = ("ix_date", "ix_string", "ix_quantity")
"""Tables with an index that leads with the resource: a probe needs no value."""


class SortValue(NamedTuple):
    """An expression of ``r`` to sort by, NULL when it has none, and the join it needs."""

    value: Clause
    join: Clause | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """Compiles criteria and sort keys for one connection."""

    db: Database
    names: Names
    vault: Vault

    def probe(self, who: StoredReader, criterion: Criterion | Chain) -> Clause:
        """Does the resource at alias ``r`` meet it?"""
        if isinstance(criterion, Chain):
            keys = self.keys(who, criterion)
            return Clause(f"(r.patient_key, r.key) IN ({keys.text})", keys.values)
        if criterion.parameter.stored:
            return self._stored(criterion)
        negated = criterion.modifier == "not"
        if criterion.modifier == "missing":
            value = criterion.values[0]
            assert isinstance(value, Missing)
            negated = value.missing
            found = self._present(criterion.parameter)
        else:
            rows = self._rows(criterion)
            found = Clause(
                f"(SELECT 1 FROM {_from(criterion.parameter)} WHERE {rows.text}"
                " AND x.patient_key = r.patient_key AND x.key = r.key LIMIT 1)",
                rows.values,
            )
        return Clause(f"{found.text} IS {'' if negated else 'NOT '}NULL", found.values)

    def keys(self, who: StoredReader, criterion: Criterion | Chain) -> Clause:
        """A query of (patient_key, key) of all resources that meet it, with repetitions."""
        if isinstance(criterion, Chain):
            ends = some(
                *(self._chain_end(who, criterion.parameter, type, inner) for type, inner in criterion.inner)
            )
            return Clause(f"SELECT x.patient_key, x.key FROM ix_reference x WHERE {ends.text}", ends.values)
        rows = self._rows(criterion)
        return Clause(
            f"SELECT x.patient_key, x.key FROM {_from(criterion.parameter)} WHERE {rows.text}", rows.values
        )

    def _chain_end(self, who: StoredReader, parameter: Parameter, type: str, inner: Criterion) -> Clause:
        """Index rows ``x`` whose target is visible, of that type, and meets the inner criterion."""
        atoms = [b.atom for b in parameter.branches if b.target in (None, type)]
        condition = every(
            Clause("r.type = ?", (TYPE_NUMBERS[type],)),
            Clause("r.deleted = 0"),
            visible(who, "r"),
        )
        if lists_all(inner):
            probe = self.probe(who, inner)
            ends = Clause(
                f"SELECT r.key FROM resource r WHERE {condition.text} AND {probe.text}",
                condition.values + probe.values,
            )
        else:
            keys = self.keys(who, inner)
            ends = Clause(
                f"SELECT r.key FROM ({keys.text}) k CROSS JOIN resource r"
                f" WHERE r.patient_key = k.patient_key AND r.key = k.key AND {condition.text}",
                keys.values + condition.values,
            )
        return every(among("x.atom", atoms), Clause(f"x.target IN ({ends.text})", ends.values))

    def _present(self, parameter: Parameter) -> Clause:
        """A scalar: 1 when the parameter has a row for ``r``."""
        atoms = self._atoms(parameter)
        if _TABLES[parameter.kind] in _BY_KEY:
            return Clause(
                f"(SELECT 1 FROM {_from(parameter)} WHERE {atoms.text}"
                " AND x.patient_key = r.patient_key AND x.key = r.key LIMIT 1)",
                atoms.values,
            )
        inside = f"SELECT x.patient_key, x.key FROM {_from(parameter)} WHERE {atoms.text}"
        return Clause(f"(CASE WHEN (r.patient_key, r.key) IN ({inside}) THEN 1 END)", atoms.values)

    def _rows(self, criterion: Criterion) -> Clause:
        """Which index rows ``x`` meet one of the values."""
        parameter = criterion.parameter
        atoms = self._atoms(parameter)
        if criterion.modifier == "missing":
            return atoms
        match parameter.kind:
            case "token" | "uri":
                return every(atoms, self._in_terms([self._terms(value) for value in criterion.values]))
            case "reference":
                targets = [key for value in criterion.values for key in self._targets(value)]
                return every(atoms, among("x.target", list(dict.fromkeys(targets))))
            case _:
                return every(atoms, some(*(self._value(criterion, value) for value in criterion.values)))

    def _atoms(self, parameter: Parameter) -> Clause:
        anywhere = [b.atom for b in parameter.branches if b.target is None]
        options = [among("x.atom", anywhere)] if anywhere else []
        for target in sorted({b.target for b in parameter.branches if b.target is not None}):
            atoms = among("x.atom", [b.atom for b in parameter.branches if b.target == target])
            options.append(every(atoms, Clause("e.type = ?", (TYPE_NUMBERS[target],))))
        return some(*options)

    def _value(self, criterion: Criterion, value: Value) -> Clause:
        match value:
            case DateValue():
                return _date(value, "x.low", "x.high")
            case StringValue():
                return self._string(criterion, value)
            case NumberValue() | QuantityValue():
                return every(self._unit(value), _number(value))
            case _:
                raise AssertionError(f"{criterion.parameter.code} has no such value")

    def _in_terms(self, found: Sequence[Sequence[int] | Clause]) -> Clause:
        """The term of ``x`` is one of those found: one list, so that a probe is one seek a term."""
        numbers = list(
            dict.fromkeys(number for terms in found if not isinstance(terms, Clause) for number in terms)
        )
        queries = [terms for terms in found if isinstance(terms, Clause)]
        if not queries:
            return among("x.term", numbers)
        queries += [Clause("SELECT ?", (number,)) for number in numbers]
        text = " UNION ALL ".join(query.text for query in queries)
        return Clause(f"x.term IN ({text})", tuple(value for query in queries for value in query.values))

    def _terms(self, value: Value) -> Sequence[int] | Clause:
        """Numbers of the terms a token or uri may stand in the index as; a query when many may."""
        if isinstance(value, UriValue):
            return self._numbers("t.code = ? AND t.system = ?", value.uri, self._system(""))
        assert isinstance(value, TokenValue)
        vaulted = [term for term in self.vault.terms(value) if isinstance(term, int)]
        if value.any_system:
            return [*self._numbers("t.code = ?", value.code), *vaulted]
        system = self._system(value.system or "")
        if value.code is None:
            return Clause("SELECT t.number FROM term t WHERE t.system = ?", (system,))
        return [*self._numbers("t.code = ? AND t.system = ?", value.code, system), *vaulted]

    def _numbers(self, where: str, *values: object) -> list[int]:
        return [row[0] for row in self.db.rows(f"SELECT t.number FROM term t WHERE {where}", values)]

    def _system(self, uri: str) -> int:
        """The number of a system; 0, which no term has, for one that was never seen."""
        return self.names.number(self.db, "system", uri) or 0

    def _unit(self, value: NumberValue | QuantityValue) -> Clause:
        if isinstance(value, NumberValue) or value.any_unit:
            return ALWAYS
        if value.system is None:
            return among("x.term", self._numbers("t.code = ?", value.code))
        system = self._system(value.system)
        if value.code is None:
            return self._in_terms([Clause("SELECT t.number FROM term t WHERE t.system = ?", (system,))])
        return among("x.term", self._numbers("t.code = ? AND t.system = ?", value.code, system))

    def _targets(self, value: Value) -> list[int]:
        """Keys of what a reference may name; what was never referenced has none."""
        assert isinstance(value, ReferenceValue)
        rows = self.db.rows("SELECT e.key, e.type FROM entity e WHERE e.id = ?", (value.id,))
        wanted = {TYPE_NUMBERS[name] for name in value.types}
        return [key for key, number in rows if (number in wanted if wanted else number > 0)]

    def _string(self, criterion: Criterion, value: StringValue) -> Clause:
        if criterion.modifier == "exact":
            return Clause("x.folded = ? AND x.exact = ?", (value.folded, value.text))
        if criterion.modifier == "contains":
            within = "instr" if self.db.dialect == "sqlite" else "strpos"
            return Clause(f"{within}(x.folded, ?) > 0", (value.folded,))
        return Clause(
            "x.folded >= ? AND x.folded < ? AND substr(x.folded, 1, ?) = ?",
            (value.folded, value.folded + "\U0010ffff\U0010ffff", len(value.folded), value.folded),
        )

    def _stored(self, criterion: Criterion) -> Clause:
        """``_id`` and ``_lastUpdated``: columns of the resource itself."""
        options: list[Clause] = []
        for value in criterion.values:
            match value:
                case Missing(missing):
                    return NEVER if missing else ALWAYS
                case DateValue():
                    options.append(_date(value, "r.at", "(r.at + 1)"))
                case TokenValue():
                    named = value.any_system or (value.system in (None, "") and value.code is not None)
                    rows = (
                        self.db.rows("SELECT e.key FROM entity e WHERE e.id = ?", (value.code,))
                        if named
                        else []
                    )
                    options.append(among("r.key", [row[0] for row in rows]))
                case _:
                    raise AssertionError(f"{criterion.parameter.code} has no such value")
        met = some(*options)
        return Clause(f"NOT ({met.text})", met.values) if criterion.modifier == "not" else met

    def sort_value(self, sort: Sort, name: str) -> SortValue:
        """What to sort ``r`` by; ``name`` is a name for the join, one for each key.

        Tables with an index by resource are asked for each ``r``; the values of the others are
        gathered once for all resources and joined.
        """
        parameter = sort.parameter
        if parameter.stored == "updated":
            return SortValue(Clause("r.at"))
        if parameter.stored == "id":
            return SortValue(Clause("(SELECT e.id FROM entity e WHERE e.key = r.key)"))
        table = _TABLES[parameter.kind]
        column = self._sort_column(table, descending=sort.descending)
        atoms = self._atoms(parameter)
        source = _sort_source(parameter, table)
        if table in _BY_KEY:
            direction = " DESC" * sort.descending
            text = (
                f"(SELECT {column} FROM {source} WHERE {atoms.text} AND x.patient_key = r.patient_key"
                f" AND x.key = r.key ORDER BY 1{direction} LIMIT 1)"
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

    def _sort_column(self, table: str, *, descending: bool) -> str:
        """Parts of a value are joined by U+0001, which no code, id or text holds."""
        between = "char(1)" if self.db.dialect == "sqlite" else "chr(1)"
        padded = "printf('%03d', e.type)" if self.db.dialect == "sqlite" else "lpad(e.type::text, 3, '0')"
        collate = "" if self.db.dialect == "sqlite" else ' COLLATE "C"'
        return {
            "ix_date": "x.high" if descending else "x.low",
            "ix_string": f"(x.folded || {between} || x.exact){collate}",
            "ix_token": f"(t.code || {between} || s.uri){collate}",
            "ix_reference": f"({padded} || e.id){collate}",
            "ix_quantity": "x.high" if descending else "x.low",
        }[table]


def _from(parameter: Parameter) -> str:
    table = _TABLES[parameter.kind]
    if any(branch.target is not None for branch in parameter.branches):
        return f"{table} x JOIN entity e ON e.key = x.target"
    return f"{table} x"


def _sort_source(parameter: Parameter, table: str) -> str:
    source = _from(parameter)
    if table == "ix_token":
        return f"{source} JOIN term t ON t.number = x.term JOIN system s ON s.number = t.system"
    if table == "ix_reference" and source == f"{table} x":
        return f"{source} JOIN entity e ON e.key = x.target"
    return source


def lists_all(criterion: Criterion | Chain) -> bool:
    """Can it not be asked by its index rows alone: what is absent has none."""
    if isinstance(criterion, Chain):
        return False
    if criterion.parameter.stored or criterion.modifier == "not":
        return True
    return any(isinstance(value, Missing) and value.missing for value in criterion.values)


def _date(value: DateValue, low: str, high: str) -> Clause:  # noqa: PLR0911 - one a prefix
    start, end = value.lo, value.hi
    match value.prefix:
        case "eq":
            return Clause(f"{low} >= ? AND {low} < ? AND {high} <= ?", (start, end, end))
        case "ne":
            return Clause(f"NOT ({low} >= ? AND {high} <= ?)", (start, end))
        case "gt":
            return Clause(f"{high} > ?", (end,))
        case "lt":
            return Clause(f"{low} < ?", (start,))
        case "ge":
            return Clause(f"({high} > ? OR ({low} >= ? AND {high} <= ?))", (end, start, end))
        case "le":
            return Clause(f"({low} < ? OR ({low} >= ? AND {high} <= ?))", (start, start, end))
        case "sa":
            return Clause(f"{low} >= ?", (end,))
        case "eb":
            return Clause(f"{high} <= ?", (start,))
        case "ap":
            return Clause(f"{low} < ? AND {high} > ?", (end, start))


def _number(value: NumberValue | QuantityValue) -> Clause:  # noqa: PLR0911 - one a prefix
    low, high = bound_keys(value.lo, value.hi)
    exact = bound_keys(value.value, value.value)[0]
    match value.prefix:
        case "eq":
            return Clause("x.low >= ? AND x.high < ?", (low, high))
        case "ne":
            return Clause("NOT (x.low >= ? AND x.high < ?)", (low, high))
        case "gt":
            return Clause("x.high > ?", (exact,))
        case "lt":
            return Clause("x.low < ?", (exact,))
        case "ge":
            return Clause("x.high >= ?", (exact,))
        case "le":
            return Clause("x.low <= ?", (exact,))
        case "sa":
            return Clause("x.low > ?", (exact,))
        case "eb":
            return Clause("x.high < ?", (exact,))
        case "ap":
            return Clause("x.low <= ? AND x.high >= ?", (high, low))
