"""What the values of a search are in the tables: terms, units, and keys of resources."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple, TypeVar, cast

from kintung.fhir.search import (
    Criterion,
    Parameter,
    QuantityValue,
    ReferenceValue,
    TokenValue,
    UriBelow,
    UriValue,
    Value,
)
from kintung.store.sql.clauses import SHORT, Clause, listed, query_of
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.vaulting import vault_of
from kintung.store.vault import Vaults

_FEW_TERMS = 8
"""Terms that are probed without asking first which of them there are."""

_NEVER = object()
"""What was never asked; None is an answer."""

T = TypeVar("T")
Unit = tuple[str | None, str | None]
"""System and code searched for: no system for any, no code for all of a system."""


class Numbers(NamedTuple):
    """Terms, and systems whose terms are all meant."""

    found: Sequence[int]
    systems: Sequence[int] = ()


def among_terms(db: Database, column: str, terms: Numbers) -> Clause:
    """The column is one of the terms found: one list, so that a probe is one seek a term."""
    if not terms.systems:
        return listed(db, column, terms.found)
    of_system = listed(db, "t.system", terms.systems)
    single = query_of(db, terms.found)
    text = f"{column} IN (SELECT t.number FROM term t WHERE {of_system.text} UNION ALL {single.text})"
    return Clause(text, of_system.values + single.values)


@dataclass(frozen=True, slots=True)
class Lookups:
    """Looks values up for one search, on one connection.

    What was found is remembered, for the count of a criterion, its keys, its probe, and every
    type a chain leads to: so not for longer than a search, between which a commit may number
    new terms.
    """

    db: Database
    vaults: Vaults
    most_rows: int
    """Rows a search may be estimated to look at (``cost``)."""
    known: dict[object, object] = field(default_factory=dict[object, object], compare=False)

    def once(self, asked: object, look: Callable[[], T]) -> T:
        """What ``look`` found when this was first asked."""
        found = self.known.get(asked, _NEVER)
        if found is _NEVER:
            found = self.known[asked] = look()
        return cast(T, found)

    # -- terms --------------------------------------------------------------------------

    def terms(self, values: Sequence[Value]) -> Numbers:
        """The terms that tokens or uris may stand in the index as."""
        return self.once(("terms", values), lambda: self._look_up_terms(values))

    def _look_up_terms(self, values: Sequence[Value]) -> Numbers:
        units: list[Unit] = []
        vaulted: list[int] = []
        below: list[int] = []
        for value in values:
            if isinstance(value, UriValue | UriBelow):
                units.append(("", value.uri))
                below += self._look_up_below(value) if isinstance(value, UriBelow) else []
                continue
            assert isinstance(value, TokenValue)
            units.append((None if value.any_system else value.system or "", value.code))
            vaulted += self._look_up_vaulted(value)
        found = self._of_units(units).values()
        return Numbers(
            tuple(dict.fromkeys([number for numbers in found for number in numbers.found] + vaulted + below)),
            tuple(number for numbers in found for number in numbers.systems),
        )

    def _look_up_vaulted(self, value: TokenValue) -> list[int]:
        """The keyed hashes a token may stand as, under the secret of what is read."""
        systems = self.vaults.systems
        if value.code is None or not (value.any_system or (value.system and systems.of(value.system))):
            return []
        vault = self.once("vault", lambda: vault_of(self.db, self.vaults))
        return [term for term in vault.terms(value) if isinstance(term, int)]

    def _look_up_below(self, value: UriBelow) -> list[int]:
        """The terms of all uris under an address: they lie together."""
        beyond = value.folder[:-1] + chr(ord("/") + 1)
        found = self.db.rows(
            "SELECT t.number FROM term t WHERE t.code >= ? AND t.code < ?"
            " AND t.system = (SELECT s.number FROM system s WHERE s.uri = '')",
            (value.folder, beyond),
        )
        return [cast(int, number) for (number,) in found]

    def present_terms(self, criterion: Criterion) -> Numbers:
        """The terms of a long list that the parameter has anywhere: a probe is a seek for each."""
        terms = self.terms(criterion.values)
        if len(terms.found) <= _FEW_TERMS:
            return terms
        return self.once(("present", criterion), lambda: self._look_up_present(criterion.parameter, terms))

    def _look_up_present(self, parameter: Parameter, terms: Numbers) -> Numbers:
        atoms = ", ".join(str(branch.atom) for branch in parameter.branches)
        present = self.db.lookup(
            "SELECT w.c0 FROM wanted w WHERE (SELECT 1 FROM ix_token x"
            f" WHERE x.atom IN ({atoms}) AND x.term = w.c0 LIMIT 1) IS NOT NULL",
            ("int",),
            [(number,) for number in terms.found],
        )
        return Numbers(tuple(number for (number,) in present), terms.systems)

    # -- units --------------------------------------------------------------------------

    def units(self, values: Sequence[Value]) -> Mapping[Unit, Numbers]:
        """The terms of each unit that quantities are asked in."""
        return self.once(("units", values), lambda: self._look_up_units(values))

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

    def units_of(self, parameter: Parameter) -> Sequence[int]:
        """The terms of all units that the parameter has, sorted: a few more than ``SHORT`` at most."""
        terms: dict[int, None] = {}
        for branch in parameter.branches:
            found = self.db.rows(_UNITS_OF, (branch.atom, branch.atom))
            terms.update((term, None) for (term,) in found)
        return sorted(terms)

    def units_beside(self, atoms: Sequence[int], firsts: Sequence[int]) -> Sequence[int]:
        """The terms of all units that amounts beside one of these terms have, like ``units_of``."""
        terms: dict[int, None] = {}
        for atom, first in product(atoms, firsts):
            found = self.db.rows(_UNITS_BESIDE, (atom, first) * 2)
            terms.update((term, None) for (term,) in found)
        return sorted(terms)

    # -- keys ---------------------------------------------------------------------------

    def targets(self, values: Sequence[Value]) -> Sequence[tuple[int, int]]:
        """(key, type) of what references may name; what was never referenced has none."""
        return self.once(("targets", values), lambda: self._look_up_targets(values))

    def _look_up_targets(self, values: Sequence[Value]) -> Sequence[tuple[int, int]]:
        wanted: dict[str, set[int]] = {}
        for value in values:
            assert isinstance(value, ReferenceValue)
            types = {TYPE_NUMBERS[name] for name in value.types} or set(TYPE_NUMBERS.values()) - {0}
            wanted.setdefault(value.id, set()).update(types)
        return tuple((key, type) for id, key, type in self._entities(wanted) if type in wanted[id])

    def owners(self, type: str, ids: tuple[str, ...]) -> Sequence[int]:
        """Keys of the resources of a type that have these ids; what was never named has none."""
        return self.once(("owners", type, ids), lambda: self._look_up_owners(type, ids))

    def _look_up_owners(self, type: str, ids: tuple[str, ...]) -> Sequence[int]:
        return tuple(key for _, key, number in self._entities(ids) if number == TYPE_NUMBERS[type])

    def ids(self, values: Sequence[Value]) -> Sequence[int]:
        """Keys of what has one of these ids, of any type."""
        return self.once(("ids", values), lambda: self._look_up_ids(values))

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


_UNITS_OF = (
    "WITH RECURSIVE u(term) AS (SELECT min(x.term) FROM ix_quantity x WHERE x.atom = ? UNION ALL"
    " SELECT (SELECT min(x.term) FROM ix_quantity x WHERE x.atom = ? AND x.term > u.term)"
    f" FROM u WHERE u.term IS NOT NULL) SELECT term FROM u WHERE term IS NOT NULL LIMIT {SHORT + 1}"
)
"""The terms of an atom, one seek each."""

_UNITS_BESIDE = (
    "WITH RECURSIVE u(second) AS"
    " (SELECT min(x.second) FROM ix_composite x WHERE x.atom = ? AND x.first = ? UNION ALL"
    " SELECT (SELECT min(x.second) FROM ix_composite x"
    " WHERE x.atom = ? AND x.first = ? AND x.second > u.second)"
    f" FROM u WHERE u.second IS NOT NULL) SELECT second FROM u WHERE second IS NOT NULL LIMIT {SHORT + 1}"
)
"""The same beside one term."""
