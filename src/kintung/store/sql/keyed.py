"""Patients by what their rows lie under: who shares keys, counted, and who bears one of some numbers.

The rows of each key, or of each term of ``identifier``, up to a bound, of what the reader sees. SQLite
asks for one after another, by one small statement that stays prepared; PostgreSQL for all at once, and
does the same inside.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from kintung.fhir.search import parameters, token_of
from kintung.store.sharing import MOST_SHARING
from kintung.store.sql.clauses import Clause, every, starting
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.visibility import StoredReader, visible
from kintung.store.vault import Vault
from kintung.store.versions import Numbers
from kintung.store.writes import KEY_ATOM

_COLUMNS = "r.patient_key, r.type, r.key, r.version_id, r.seq, r.kind"
_SEQUENCE = 4
(IDENTIFIER_ATOM,) = (branch.atom for branch in parameters("Patient")["identifier"].branches)
"""Of identifiers there is one path, so that their rows are of one atom."""


def likest(db: Database, who: StoredReader, keys: Collection[int]) -> list[tuple[int, Row]]:
    """Patients by how many of the keys they share, most first: rows as a page of matches has them."""
    counts = Counter[Row]()
    for rows in _by_term(db, who, Under(KEY_ATOM, MOST_SHARING + 1), keys):
        if len(rows) <= MOST_SHARING:
            counts.update(rows)
    found = [(count, row) for row, count in counts.items()]
    return sorted(found, key=lambda each: (each[0], each[1][_SEQUENCE]), reverse=True)


def bearing(db: Database, who: StoredReader, terms: Collection[int], most: int) -> list[Row] | None:
    """Patients by any of the terms that an identifier stands as, newest first; None of more than ``most``."""
    found = set[Row]()
    for rows in _by_term(db, who, Under(IDENTIFIER_ATOM, most + 1), terms):
        found.update(rows)
        if len(found) > most:
            return None
    return sorted(found, key=lambda row: row[_SEQUENCE], reverse=True)


def terms_of(db: Database, vault: Vault, numbers: Numbers) -> list[int]:
    """The terms that identifiers stand in the index as: keyed hashes, or those of what is not vaulted."""
    terms: dict[int, None] = {}
    for system, value in numbers:
        token = token_of(system, value)
        hashed = [term for term in vault.terms(token) if isinstance(term, int)]
        terms.update(dict.fromkeys(hashed or (row[0] for row in db.rows(_TERM, (token.system, token.code)))))
    return list(terms)


_TERM = (
    "SELECT t.number FROM system s CROSS JOIN term t WHERE s.uri = ? AND t.code = ? AND t.system = s.number"
)


class Under(NamedTuple):
    """Of which atom rows are looked for, and how many of one term at most."""

    atom: int
    limit: int


def _by_term(
    db: Database, who: StoredReader, under: Under, terms: Collection[int]
) -> Iterator[Sequence[Row]]:
    """Who has each of the terms."""
    if db.dialect == "sqlite":
        of_one = of_term(db, who, under, "?")
        for term in terms:
            yield db.rows(of_one.text, (term, *of_one.values))
        return
    statement = of_terms(db, who, under, terms)
    rows = sorted(db.rows(statement.text, statement.values))
    for _, of_one in groupby(rows, key=lambda row: row[0]):
        yield [row[1:] for row in of_one]


def of_term(db: Database, who: StoredReader, under: Under, term: str) -> Clause:
    """The statement of who has the term ``term``, which stands before all its values."""
    by = Clause(f"r.patient_key = x.patient_key AND r.type = {TYPE_NUMBERS['Patient']:d} AND r.key = x.key")
    source = starting(db, Clause("ix_token x"), by, Clause("r.deleted = 0"))
    where = every(Clause(f"x.atom = {under.atom:d} AND x.term = {term}"), visible(who, "r"))
    text = f"SELECT {_COLUMNS} FROM {source.text} WHERE {where.text} LIMIT {under.limit:d}"
    return Clause(text, source.values + where.values)


def of_terms(db: Database, who: StoredReader, under: Under, terms: Collection[int]) -> Clause:
    """For PostgreSQL: the term and who has it, for each of the terms."""
    of_one = of_term(db, who, under, "w.term")
    text = f"SELECT w.term, f.* FROM unnest(?::bigint[]) w(term) CROSS JOIN LATERAL ({of_one.text}) f"
    return Clause(text, (list(terms), *of_one.values))
