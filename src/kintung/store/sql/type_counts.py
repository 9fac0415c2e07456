"""How many current resources there are of each type: kept with the log, for the planner.

Of all there are, whoever may see them: an answer never shows a number of it but to a Reader
who sees everything.
"""

from collections.abc import Mapping, Sequence

from kintung.store.sql.clauses import ALWAYS, Clause, among
from kintung.store.sql.database import Database
from kintung.store.sql.names import TYPE_NUMBERS


def count(db: Database, more: Mapping[int, int]) -> None:
    """Add to the counts, by type number; less than none is taken away."""
    changed = sorted((type, by) for type, by in more.items() if by)
    if not changed:
        return
    rows = ", ".join("(?, ?)" for _ in changed)
    db.run(
        f"INSERT INTO type_count (type, current) VALUES {rows}"
        " ON CONFLICT (type) DO UPDATE SET current = type_count.current + excluded.current",
        [value for pair in changed for value in pair],
    )


def how_many(types: Sequence[str]) -> Clause:
    """A query of one number: the current resources of some types together, of all for none."""
    of_types = among("n.type", [TYPE_NUMBERS[type] for type in types]) if types else ALWAYS
    text = f"SELECT CAST(coalesce(sum(n.current), 0) AS bigint) FROM type_count n WHERE {of_types.text}"
    return Clause(text, of_types.values)
