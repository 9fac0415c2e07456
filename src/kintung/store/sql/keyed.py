"""Who shares keys: the rows of each key up to a bound, of what the reader sees, counted by resource.

SQLite asks for one key after another, by one small statement; PostgreSQL for all at once, and does the
same inside.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from kintung.store.port import KEY_ATOM
from kintung.store.sharing import MOST_SHARING
from kintung.store.sql.clauses import Clause, every, starting
from kintung.store.sql.database import Database, Row
from kintung.store.sql.names import TYPE_NUMBERS
from kintung.store.sql.visibility import StoredReader, visible

_COLUMNS = "r.patient_key, r.type, r.key, r.version_id, r.seq, r.kind"
_SEQUENCE = 4


def likest(db: Database, who: StoredReader, keys: Collection[int]) -> list[tuple[int, Row]]:
    """Patients by how many of the keys they share, most first: rows as a page of matches has them."""
    counts = Counter[Row]()
    for rows in _by_key(db, who, keys):
        if len(rows) <= MOST_SHARING:
            counts.update(rows)
    found = [(count, row) for row, count in counts.items()]
    return sorted(found, key=lambda each: (each[0], each[1][_SEQUENCE]), reverse=True)


def _by_key(db: Database, who: StoredReader, keys: Collection[int]) -> Iterator[Sequence[Row]]:
    """Who has each key: one more than may count where there are more."""
    if db.dialect == "sqlite":
        of_one = of_key(db, who, "?")
        for key in keys:
            yield db.rows(of_one.text, (key, *of_one.values))
        return
    statement = of_keys(db, who, keys)
    rows = sorted(db.rows(statement.text, statement.values))
    for _, of_one in groupby(rows, key=lambda row: row[0]):
        yield [row[1:] for row in of_one]


def of_key(db: Database, who: StoredReader, key: str) -> Clause:
    """The statement of who has the key ``key``, which stands before all its values."""
    by = Clause(f"r.patient_key = x.patient_key AND r.type = {TYPE_NUMBERS['Patient']:d} AND r.key = x.key")
    source = starting(db, Clause("ix_token x"), by, Clause("r.deleted = 0"))
    where = every(Clause(f"x.atom = {KEY_ATOM:d} AND x.term = {key}"), visible(who, "r"))
    text = f"SELECT {_COLUMNS} FROM {source.text} WHERE {where.text} LIMIT {MOST_SHARING + 1:d}"
    return Clause(text, source.values + where.values)


def of_keys(db: Database, who: StoredReader, keys: Collection[int]) -> Clause:
    """For PostgreSQL: the key and who has it, for each of the keys."""
    of_one = of_key(db, who, "w.term")
    text = f"SELECT w.term, f.* FROM unnest(?::bigint[]) w(term) CROSS JOIN LATERAL ({of_one.text}) f"
    return Clause(text, (list(keys), *of_one.values))
