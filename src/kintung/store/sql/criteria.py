"""What a criterion of a search means in SQL, on the index rows of one resource or of all.

It is asked in one of two ways. ``probe`` says whether the resource at hand meets it (a seek
into the index); ``keys`` lists all resources that do. Throughout, ``r`` is the resource and
``x`` an index row of it. The reader's predicate stands on each end of a chain; all else is
reached through ``r``, where the statement has it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeVar, cast

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
from kintung.store.sql.clauses import (
    ALWAYS,
    NEVER,
    SHORT,
    Clause,
    among,
    every,
    is_short,
    listed,
    query_of,
    some,
)
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NUMBERS, Names
from kintung.store.sql.visibility import StoredReader, visible
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
_BY_KEY = ("ix_reference", "ix_date", "ix_string", "ix_quantity")
"""Tables with an index that leads with the resource: a probe needs no value."""


MANY_ENDS = 256
"""Resources that a chain ends at, up to which they are listed before the search."""
_ALIKE = 8
"""Alternatives of one form that stand in the statement one by one."""
_FEW_POINTS = 8
"""Points of a criterion that are looked at to find the one that has rows."""

T = TypeVar("T")
Unit = tuple[str | None, str | None]
"""System and code searched for: no system for any, no code for all of a system."""


class Numbers(NamedTuple):
    """Terms, and systems whose terms are all meant."""

    found: Sequence[int]
    systems: Sequence[int] = ()


class Point(NamedTuple):
    """All index rows of one atom and one number: each resource once, in order of (patient_key, key)."""

    table: Literal["ix_token", "ix_reference"]
    atom: int
    number: int

    @property
    def where(self) -> Clause:
        column = "term" if self.table == "ix_token" else "target"
        return Clause(f"x.atom = ? AND x.{column} = ?", (self.atom, self.number))


class _Ends(NamedTuple):
    """References of these atoms that lead to these targets; to those of the query, when they are more."""

    atoms: Sequence[int]
    targets: Sequence[int]
    query: Clause | None = None


class _Alike(NamedTuple):
    """Alternatives that differ in their values alone: a list ``w``, and what holds of a row of it.

    SQLite plans each alternative of an OR, a millisecond each; a list is planned once.
    """

    listed: str
    holds: str
    values: tuple[object, ...]

    @classmethod
    def of(cls, clauses: Sequence[Clause]) -> "_Alike":
        row = f"({', '.join('?' * len(clauses[0].values))})"
        parts = clauses[0].text.split("?")
        holds = parts[0] + "".join(f"w.column{n}{part}" for n, part in enumerate(parts[1:], 1))
        values = tuple(value for clause in clauses for value in clause.values)
        return cls(f"(VALUES {', '.join([row] * len(clauses))}) w", holds, values)


class SortValue(NamedTuple):
    """An expression of ``r`` to sort by, NULL when it has none, and the join it needs."""

    value: Clause
    join: Clause | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """Compiles criteria and sort keys for one search, on one connection.

    What values stand for in the tables is asked once and remembered, for the count of a
    criterion, its keys, its probe, and every type a chain leads to: so not for longer than
    a search, between which a commit may number new terms.
    """

    db: Database
    names: Names
    vault: Vault
    known: dict[object, object] = field(default_factory=dict[object, object], compare=False)

    def probe(self, who: StoredReader, criterion: Criterion | Chain, r: str = "r") -> Clause:
        """Does the resource at alias ``r`` meet it?"""
        if isinstance(criterion, Chain):
            return self._probe_chain(who, criterion, r)
        if criterion.parameter.stored:
            return self._stored(criterion, r)
        negated = criterion.modifier == "not"
        if criterion.modifier == "missing":
            value = criterion.values[0]
            assert isinstance(value, Missing)
            negated = value.missing
            found = self._present(criterion.parameter, r)
        else:
            found = self._of_resource(_source(criterion), self._rows(criterion), r)
        return Clause(f"{found.text} IS {'' if negated else 'NOT '}NULL", found.values)

    def _probe_chain(self, who: StoredReader, chain: Chain, r: str) -> Clause:
        """By the targets, where they are few; else by what each reference of ``r`` leads to."""
        ends = self._chain_ends(who, chain)
        if all(end.query is None and is_short(end.targets) for end in ends):
            found = self._of_resource("ix_reference x", self._leading(ends), r)
            return Clause(f"{found.text} IS NOT NULL", found.values)
        return some(*(self._probe_link(who, chain.parameter, type, inner, r) for type, inner in chain.inner))

    def _probe_link(
        self, who: StoredReader, parameter: Parameter, type: str, inner: Criterion, r: str
    ) -> Clause:
        atoms = among("x.atom", [b.atom for b in parameter.branches if b.target in (None, type)])
        condition = every(
            atoms,
            Clause("t.type = ?", (TYPE_NUMBERS[type],)),
            Clause("t.deleted = 0"),
            visible(who, "t"),
            self.probe(who, inner, "t"),
        )
        return Clause(
            f"(SELECT 1 FROM {self._by_resource('ix_reference x')} CROSS JOIN entity e CROSS JOIN resource t"
            f" WHERE x.patient_key = {r}.patient_key AND x.key = {r}.key AND e.key = x.target"
            f" AND t.patient_key = e.patient_key AND t.key = e.key AND {condition.text} LIMIT 1) IS NOT NULL",
            condition.values,
        )

    def keys(self, who: StoredReader, criterion: Criterion | Chain) -> Clause:
        """A query of (patient_key, key) of all resources that meet it, with repetitions."""
        if isinstance(criterion, Chain):
            ends = self._chain_ends(who, criterion)
            rows = some(*(every(among("x.atom", end.atoms), self._led(end)) for end in ends))
            return Clause(f"SELECT x.patient_key, x.key FROM ix_reference x WHERE {rows.text}", rows.values)
        if criterion.parameter.stored:
            named = listed(self.db, "e.key", self._ids(criterion.values))
            return Clause(f"SELECT e.patient_key, e.key FROM entity e WHERE {named.text}", named.values)
        source = _source(criterion)
        few, alike = self._alternatives(criterion)
        wheres = [Clause(f"FROM {source} WHERE {few.text}", few.values)] if few != NEVER or not alike else []
        atoms = self._atoms(criterion.parameter)
        for each in alike:
            where = f"FROM {each.listed} CROSS JOIN {source} WHERE {atoms.text} AND {each.holds}"
            wheres.append(Clause(where, each.values + atoms.values))
        return Clause(
            " UNION ALL ".join(f"SELECT x.patient_key, x.key {where.text}" for where in wheres),
            tuple(value for where in wheres for value in where.values),
        )

    def _of_resource(self, source: str, rows: Clause, r: str) -> Clause:
        """A scalar: 1 when one of these index rows is of ``r``."""
        is_seek = source == "ix_reference x" and is_short(rows.values) and "SELECT" not in rows.text
        return Clause(
            f"(SELECT 1 FROM {source if is_seek else self._by_resource(source)} WHERE {rows.text}"
            f" AND x.patient_key = {r}.patient_key AND x.key = {r}.key LIMIT 1)",
            rows.values,
        )

    def _by_resource(self, source: str) -> str:
        """SQLite is told which index has the rows of a resource: it takes one of values for better."""
        table = source.partition(" x")[0]
        if self.db.dialect == "sqlite" and table in ("ix_date", "ix_reference"):
            return source.replace(f"{table} x", f"{table} x INDEXED BY {table}_of", 1)
        return source

    def point(self, who: StoredReader, criterion: Criterion | Chain) -> Point | None:
        """The one atom and number that say all of it; None when it takes several, or other rows."""
        asked = ("point", who, criterion)
        if asked not in self.known:
            found = [point for point in self._points(who, criterion) if self._has_rows(point)]
            self.known[asked] = found[0] if len(found) == 1 else None
        return cast(Point | None, self.known[asked])

    def _points(self, who: StoredReader, criterion: Criterion | Chain) -> Sequence[Point]:
        """Every point of a criterion whose rows lie at few; none when they lie otherwise."""
        if isinstance(criterion, Chain):
            return _few_points(self._chain_ends(who, criterion))
        if criterion.modifier is not None or criterion.parameter.stored is not None:
            return ()
        if criterion.parameter.kind == "reference":
            return _few_points(self._reference_ends(criterion))
        branches = criterion.parameter.branches
        if criterion.parameter.kind not in ("token", "uri") or any(branch.target for branch in branches):
            return ()
        terms = self._terms(criterion.values)
        if terms.systems or len(terms.found) * len(branches) > _FEW_POINTS:
            return ()
        return [Point("ix_token", branch.atom, number) for branch in branches for number in terms.found]

    def _has_rows(self, point: Point) -> bool:
        """A code without a system is a number in each system that has it: most are of other parameters."""
        where = point.where
        return bool(self.db.rows(f"SELECT 1 FROM {point.table} x WHERE {where.text} LIMIT 1", where.values))

    def _reference_ends(self, criterion: Criterion) -> list[_Ends]:
        """By the type that branches lead to."""
        targets = self._targets(criterion.values)
        branches = criterion.parameter.branches
        ends: list[_Ends] = []
        for wanted in dict.fromkeys(branch.target for branch in branches):
            atoms = [branch.atom for branch in branches if branch.target == wanted]
            number = None if wanted is None else TYPE_NUMBERS[wanted]
            ends.append(_Ends(atoms, tuple(key for key, type in targets if number in (None, type))))
        return ends

    def _leading(self, ends: Sequence[_Ends]) -> Clause:
        """Index rows ``x`` of references that lead to one of these."""
        return some(
            *(every(among("x.atom", end.atoms), listed(self.db, "x.target", end.targets)) for end in ends)
        )

    def _led(self, end: _Ends) -> Clause:
        """All targets, those past ``MANY_ENDS`` too."""
        if end.query is None:
            return listed(self.db, "x.target", end.targets)
        return Clause(f"x.target IN ({end.query.text})", end.query.values)

    def is_wide(self, who: StoredReader, criterion: Criterion | Chain) -> bool:
        """Does a chain end at more than ``MANY_ENDS``?"""
        if not isinstance(criterion, Chain):
            return False
        return any(end.query is not None for end in self._chain_ends(who, criterion))

    def _chain_ends(self, who: StoredReader, chain: Chain) -> Sequence[_Ends]:
        """What a chain may end at, looked up first while it is little: a hub is one seek then."""
        asked = ("ends", who, chain)
        if asked not in self.known:
            self.known[asked] = [
                self._chain_end(who, chain.parameter, type, inner) for type, inner in chain.inner
            ]
        return cast(Sequence[_Ends], self.known[asked])

    def _chain_end(self, who: StoredReader, parameter: Parameter, type: str, inner: Criterion) -> _Ends:
        """Targets that are visible, of that type, and meet the inner criterion."""
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
        found = self.db.rows(f"{ends.text} LIMIT {MANY_ENDS + 1:d}", ends.values)
        targets = tuple(dict.fromkeys(cast(int, key) for (key,) in found))
        return _Ends(atoms, targets, ends if len(found) > MANY_ENDS else None)

    def is_absent(self, parameter: Parameter) -> Clause:
        """Has the resource at alias ``r`` no value for it?"""
        found = self._present(parameter, "r")
        return Clause(f"{found.text} IS NULL", found.values)

    def _present(self, parameter: Parameter, r: str) -> Clause:
        """A scalar: 1 when the parameter has a row for ``r``."""
        atoms = self._atoms(parameter)
        if _TABLES[parameter.kind] in _BY_KEY:
            return self._of_resource(_from(parameter), atoms, r)
        inside = f"SELECT x.patient_key, x.key FROM {_from(parameter)} WHERE {atoms.text}"
        return Clause(f"(CASE WHEN ({r}.patient_key, {r}.key) IN ({inside}) THEN 1 END)", atoms.values)

    def _rows(self, criterion: Criterion) -> Clause:
        """Which index rows ``x`` meet one of the values."""
        few, alike = self._alternatives(criterion)
        if not alike:
            return few
        lists = [
            Clause(f"EXISTS (SELECT 1 FROM {each.listed} WHERE {each.holds})", each.values) for each in alike
        ]
        return some(few, every(self._atoms(criterion.parameter), some(*lists)))

    def _alternatives(self, criterion: Criterion) -> tuple[Clause, list[_Alike]]:
        """Which rows meet one of the values: those told one by one, and lists of many alike."""
        parameter = criterion.parameter
        if parameter.kind == "reference" and criterion.modifier is None:
            return self._leading(self._reference_ends(criterion)), []
        atoms = self._atoms(parameter)
        if criterion.modifier == "missing":
            return atoms, []
        if parameter.kind in ("token", "uri"):
            return every(atoms, self._in_terms(self._present_terms(criterion))), []
        shapes: dict[str, list[Clause]] = {}
        units = self._units(criterion.values)
        for value in _widest(criterion.values):
            clause = self._value(criterion, value, units)
            shapes.setdefault(clause.text, []).append(clause)
        few = [clause for clauses in shapes.values() if len(clauses) <= _ALIKE for clause in clauses]
        many = [clauses for clauses in shapes.values() if len(clauses) > _ALIKE and clauses[0].values]
        return every(atoms, some(*few)) if few else NEVER, [_Alike.of(clauses) for clauses in many]

    def _atoms(self, parameter: Parameter) -> Clause:
        anywhere = [b.atom for b in parameter.branches if b.target is None]
        options = [among("x.atom", anywhere)] if anywhere else []
        for target in sorted({b.target for b in parameter.branches if b.target is not None}):
            atoms = among("x.atom", [b.atom for b in parameter.branches if b.target == target])
            options.append(every(atoms, Clause("e.type = ?", (TYPE_NUMBERS[target],))))
        return some(*options)

    def _value(self, criterion: Criterion, value: Value, units: Mapping[Unit, Numbers]) -> Clause:
        match value:
            case DateValue():
                return _date(value, "x.low", "x.high")
            case StringValue():
                return self._string(criterion, value)
            case NumberValue():
                return every(self._any_unit(criterion.parameter), _number(value))
            case QuantityValue():
                return every(self._unit(criterion.parameter, value, units), _number(value))
            case _:
                raise AssertionError(f"{criterion.parameter.code} has no such value")

    def _unit(self, parameter: Parameter, value: QuantityValue, units: Mapping[Unit, Numbers]) -> Clause:
        if value.any_unit:
            return self._any_unit(parameter)
        return self._in_terms(units.get((value.system, value.code), Numbers(())))

    def _any_unit(self, parameter: Parameter) -> Clause:
        """The units there are, while they are few: amounts are in order within each."""
        asked = ("any unit", parameter.branches)
        if asked not in self.known:
            terms: dict[int, None] = {}
            for branch in parameter.branches:
                found = self.db.rows(_UNITS_OF, (branch.atom, branch.atom))
                terms.update((term, None) for (term,) in found)
            numbers = ", ".join(str(term) for term in sorted(terms))  # the same for every value of a list
            self.known[asked] = Clause(f"x.term IN ({numbers})") if terms and is_short(terms) else ALWAYS
        return cast(Clause, self.known[asked])

    def _in_terms(self, terms: Numbers) -> Clause:
        """The term of ``x`` is one of those found: one list, so that a probe is one seek a term."""
        if not terms.systems:
            return listed(self.db, "x.term", terms.found)
        of_system = listed(self.db, "t.system", terms.systems)
        single = query_of(self.db, terms.found)
        text = f"x.term IN (SELECT t.number FROM term t WHERE {of_system.text} UNION ALL {single.text})"
        return Clause(text, of_system.values + single.values)

    # -- what the values are in the tables ----------------------------------------------

    def _once(self, asked: tuple[str, Sequence[Value]], look: Callable[[Sequence[Value]], T]) -> T:
        if asked not in self.known:
            self.known[asked] = look(asked[1])
        return cast(T, self.known[asked])

    def _terms(self, values: Sequence[Value]) -> Numbers:
        """The terms that tokens or uris may stand in the index as."""
        return self._once(("terms", values), self._look_up_terms)

    def _look_up_terms(self, values: Sequence[Value]) -> Numbers:
        units: list[Unit] = []
        vaulted: list[int] = []
        for value in values:
            if isinstance(value, UriValue):
                units.append(("", value.uri))
                continue
            assert isinstance(value, TokenValue)
            units.append((None if value.any_system else value.system or "", value.code))
            vaulted += [term for term in self.vault.terms(value) if isinstance(term, int)]
        found = self._of_units(units).values()
        return Numbers(
            tuple(dict.fromkeys([number for numbers in found for number in numbers.found] + vaulted)),
            tuple(number for numbers in found for number in numbers.systems),
        )

    def _present_terms(self, criterion: Criterion) -> Numbers:
        """The terms of a long list that the parameter has anywhere: a probe is a seek for each."""
        terms = self._terms(criterion.values)
        if len(terms.found) <= _FEW_POINTS:
            return terms
        asked = ("present", criterion)
        if asked not in self.known:
            atoms = ", ".join(str(branch.atom) for branch in criterion.parameter.branches)
            present = self.db.lookup(
                "SELECT w.c0 FROM wanted w WHERE (SELECT 1 FROM ix_token x"
                f" WHERE x.atom IN ({atoms}) AND x.term = w.c0 LIMIT 1) IS NOT NULL",
                ("int",),
                [(number,) for number in terms.found],
            )
            self.known[asked] = Numbers(tuple(number for (number,) in present), terms.systems)
        return cast(Numbers, self.known[asked])

    def _units(self, values: Sequence[Value]) -> Mapping[Unit, Numbers]:
        """The terms of each unit that quantities are asked in."""
        return self._once(("units", values), self._look_up_units)

    def _look_up_units(self, values: Sequence[Value]) -> Mapping[Unit, Numbers]:
        quantities = (value for value in values if isinstance(value, QuantityValue))
        asked = ((value.system, value.code) for value in quantities if not value.any_unit)
        return self._of_units(list(dict.fromkeys(asked)))

    def _of_units(self, units: Sequence[Unit]) -> dict[Unit, Numbers]:
        """What there is of each (system, code): one query for each form of them."""
        found: dict[Unit, list[int]] = {}
        anywhere = [(code,) for system, code in units if system is None and code is not None]
        for code, number in self.db.lookup(
            "SELECT w.c0, t.number FROM wanted w CROSS JOIN term t WHERE t.code = w.c0", ("text",), anywhere
        ):
            found.setdefault((None, code), []).append(number)
        pairs = [(system, code) for system, code in units if system is not None and code is not None]
        for system, code, number in self.db.lookup(
            "SELECT w.c0, w.c1, t.number FROM wanted w CROSS JOIN system s CROSS JOIN term t"
            " WHERE s.uri = w.c0 AND t.system = s.number AND t.code = w.c1",
            ("text", "text"),
            pairs,
        ):
            found.setdefault((system, code), []).append(number)
        numbers = {unit: Numbers(tuple(of_unit)) for unit, of_unit in found.items()}
        whole = [(system,) for system, code in units if code is None]
        for system, number in self.db.lookup(
            "SELECT w.c0, s.number FROM wanted w CROSS JOIN system s WHERE s.uri = w.c0", ("text",), whole
        ):
            numbers[system, None] = Numbers((), (number,))
        return numbers

    def _targets(self, values: Sequence[Value]) -> Sequence[tuple[int, int]]:
        """(key, type) of what references may name; what was never referenced has none."""
        return self._once(("targets", values), self._look_up_targets)

    def _look_up_targets(self, values: Sequence[Value]) -> Sequence[tuple[int, int]]:
        wanted: dict[str, set[int]] = {}
        for value in values:
            assert isinstance(value, ReferenceValue)
            types = {TYPE_NUMBERS[name] for name in value.types} or set(TYPE_NUMBERS.values()) - {0}
            wanted.setdefault(value.id, set()).update(types)
        return tuple((key, type) for id, key, type in self._entities(wanted) if type in wanted[id])

    def _ids(self, values: Sequence[Value]) -> Sequence[int]:
        """Keys of what has one of these ids, of any type."""
        return self._once(("ids", values), self._look_up_ids)

    def _look_up_ids(self, values: Sequence[Value]) -> Sequence[int]:
        tokens = (value for value in values if isinstance(value, TokenValue))
        return tuple(key for _, key, _ in self._entities([token.code or "" for token in tokens]))

    def _entities(self, ids: Iterable[str]) -> list[Row]:
        """(id, key, type) of each."""
        return self.db.lookup(
            "SELECT e.id, e.key, e.type FROM wanted w CROSS JOIN entity e WHERE e.id = w.c0",
            ("text",),
            [(id,) for id in ids],
        )

    def _string(self, criterion: Criterion, value: StringValue) -> Clause:
        if criterion.modifier == "exact":
            return Clause("x.folded = ? AND x.exact = ?", (value.folded, value.text))
        if criterion.modifier == "contains":
            within = "instr" if self.db.dialect == "sqlite" else "strpos"
            return Clause(f"{within}(x.folded, ?) > 0", (value.folded,))
        return Clause("x.folded >= ? AND x.folded < ?", (value.folded, value.folded + "\U0010ffff\U0010ffff"))

    def _stored(self, criterion: Criterion, r: str) -> Clause:
        """``_id`` and ``_lastUpdated``: columns of the resource itself."""
        if criterion.parameter.stored == "id":
            met = listed(self.db, f"{r}.key", self._ids(criterion.values))
            return Clause(f"NOT ({met.text})", met.values) if criterion.modifier == "not" else met
        options: list[Clause] = []
        for value in criterion.values:
            match value:
                case Missing(missing):
                    return NEVER if missing else ALWAYS
                case DateValue():
                    options.append(_date(value, f"{r}.at", f"({r}.at + 1)"))
                case _:
                    raise AssertionError(f"{criterion.parameter.code} has no such value")
        return some(*options)

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
                f"(SELECT {column} FROM {self._by_resource(source)} WHERE {atoms.text}"
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


def _few_points(ends: Sequence[_Ends]) -> Sequence[Point]:
    if any(end.query is not None for end in ends):
        return ()
    if sum(len(end.targets) * len(end.atoms) for end in ends) > _FEW_POINTS:
        return ()
    return [
        Point("ix_reference", atom, target) for end in ends for target in end.targets for atom in end.atoms
    ]


def _source(criterion: Criterion) -> str:
    """The index rows ``x`` of a criterion; values of references know the types they lead to."""
    if criterion.parameter.kind == "reference" and criterion.modifier is None:
        return "ix_reference x"
    return _from(criterion.parameter)


_UNITS_OF = (
    "WITH RECURSIVE u(term) AS (SELECT min(x.term) FROM ix_quantity x WHERE x.atom = ? UNION ALL"
    " SELECT (SELECT min(x.term) FROM ix_quantity x WHERE x.atom = ? AND x.term > u.term)"
    f" FROM u WHERE u.term IS NOT NULL) SELECT term FROM u WHERE term IS NOT NULL LIMIT {SHORT + 1}"
)
"""The terms of an atom, one seek each."""


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
    if criterion.parameter.stored == "updated" or criterion.modifier == "not":
        return True
    return any(isinstance(value, Missing) and value.missing for value in criterion.values)


def updated_between(criterion: Criterion) -> tuple[int | None, int | None]:
    """Instants (microseconds) from which and before which all that meets ``_lastUpdated`` was updated."""
    starts: list[int | None] = []
    ends: list[int | None] = []
    for value in criterion.values:
        assert isinstance(value, DateValue)
        low, high = _UPDATED[value.prefix]
        starts.append(getattr(value, low) if low else None)
        ends.append(getattr(value, high) if high else None)
    known = [start for start in starts if start is not None]
    start = min(known) if len(known) == len(starts) else None
    known = [end for end in ends if end is not None]
    return start, max(known) if len(known) == len(ends) else None


_UPDATED: dict[str, tuple[str, str]] = {
    "eq": ("lo", "hi"),
    "ne": ("", ""),
    "gt": ("hi", ""),
    "sa": ("hi", ""),
    "ge": ("lo", ""),
    "lt": ("", "lo"),
    "eb": ("", "lo"),
    "le": ("", "hi"),
    "ap": ("lo", "hi"),
}
"""Which end of a date an instant of each prefix lies at or after, and before."""


_ONE_SIDED = {"gt": 1, "ge": 1, "sa": 1, "lt": -1, "le": -1, "eb": -1}
"""Prefixes of dates that hold on to all time, and the direction of it."""


def _widest(values: Sequence[Value]) -> list[Value]:
    """Without dates that hold of nothing that another of the same prefix does not hold of."""
    kept: list[Value] = []
    one_sided: dict[str, list[tuple[int, int, DateValue]]] = {}
    for value in values:
        if isinstance(value, DateValue) and (way := _ONE_SIDED.get(value.prefix)):
            one_sided.setdefault(value.prefix, []).append((way * value.lo, way * value.hi, value))
        else:
            kept.append(value)
    for bounds in one_sided.values():
        least = None
        for _, end, value in sorted(bounds, key=lambda bound: bound[:2]):
            if least is None or end < least:
                least = end
                kept.append(value)
    return kept


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
            return Clause(f"{high} > ? AND ({high} > ? OR {low} >= ?)", (start, end, start))
        case "le":
            return Clause(f"{low} < ? AND ({low} < ? OR {high} <= ?)", (end, start, end))
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
            return Clause("x.low >= ? AND x.low < ? AND x.high < ?", (low, high, high))
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
