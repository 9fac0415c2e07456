"""What a search starts from, decided before its statement is written.

Everything else is probed for each resource the statement meets:

- **walk**: newest first over the type, each resource probed; good when many match.
- **dates**: the same in order of a date, for ``_sort`` by it.
- **dateless**: what has no such date, after them.
- **candidates**: the keys of the criterion with the fewest index rows; good when few match.
- **merge**: the keys that several common criteria share, whose index rows are in one order.
- **grants**: the persons of the reader's scope; good for readers who may see little.

When all that matches is of one person, a walk, dates and a merge are of that person's rows alone.

A walk goes a stretch first. Who has found little by its end starts from elsewhere, when
there is something to start from, and else walks on. See ADR 0009.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from kintung.fhir.search import AnyOf, Chain, Compartment, Condition, Everything, Query
from kintung.store.reader import Scope
from kintung.store.sql.database import Database
from kintung.store.sql.search.conditions import FEW, count, has_range, is_of_forms, is_wide, keys
from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.search.points import is_of, one_person, points_of
from kintung.store.sql.visibility import StoredReader
from kintung.store.versions import Position

FEW_PERSONS = 256
"""Persons in a scope up to which they are visited without walking first."""
MANY_PERSONS = 10_000
"""Persons in a scope above which counting walks the type instead of visiting them."""
STEPS_PER_PERSON = 4
"""Rows walked for each person of a scope before its persons are visited (``make bench``)."""
PROBED_PER_PERSON = 1
"""The same when criteria are probed: fewer rows fill the page, and each costs more."""
STRETCH = 4_000
"""Rows walked before common criteria are merged: the walk takes 1.5 ms, and a page that a
quarter of it begins is filled by four times as much."""
STRETCH_OF_FORMS = 500
"""The same where a name is asked for in all its forms: each row costs 6 to 24 µs more."""
STRETCH_OF_PERSON = 1_000
"""The same of one person's rows, which no index covers: 1.5 ms too."""
BEGUN = 4
"""A page is begun when one in so many of its entries is found."""
FEWER = 8
"""How many times as many index rows a criterion has when it is better probed than merged:
a row merged takes 60 ns, a row probed 300 ns."""
FEW_OF_PERSON = 400
"""Index rows of one person up to which what they lead to is put in order: 2 µs each, for a page as much
as a walk that passes over 500 of 10,000 resources."""
COUNTED_OF_PERSON = 2_000
"""Index rows of one person up to which criteria are counted, and merged when there are several."""
MANY_FORMS = 8
"""How many times as many index rows of a name in all its forms are worth starting from: a walk takes 12 µs
for each Patient it asks for them, and a list of 8,000 is put in order in 15 ms."""
COUNTED = 20_000
"""Index rows up to which criteria are counted to decide that."""

PlanName = Literal["walk", "dates", "dateless", "candidates", "merge", "grants"]


class Plan(NamedTuple):
    """What a statement starts from; ``start`` are the criteria of ``candidates`` and ``merge``.

    ``person`` is the patient key that all which matches has, when that is known.
    """

    name: PlanName
    start: tuple[Condition, ...] = ()
    person: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A page: who asks for what, how much, as the record was when, and from where on."""

    who: StoredReader
    query: Query
    limit: int = 0
    sequence: int | None = None
    after: Position | None = None


# -- before anything is read ------------------------------------------------------------


def plan_of(lookups: Lookups, who: StoredReader, query: Query) -> Plan:
    """What to start from, by counting the index rows of each criterion up to ``FEW``."""
    whole = next((each for each in query.criteria if isinstance(each, Everything)), None)
    if whole is not None:
        return Plan("candidates", (whole,))  # counting it costs what listing it does
    fewest, start = FEW + 1, None
    for condition in query.criteria:
        if not has_range(condition) or is_wide(lookups, who, condition):
            continue
        forms = MANY_FORMS if isinstance(condition, AnyOf) else 1
        size = -(-count(lookups.db, keys(lookups, who, condition), forms * FEW + 1) // forms)
        if size < fewest:
            fewest, start = size, condition
    if start is not None and fewest <= FEW_OF_PERSON:
        return Plan("candidates", (start,))
    person = one_person(lookups, who, query)
    if person is not None and len(query.types) == 1:
        return _plan_of_person(lookups, who, query, person, start)
    if start is None:
        start = _read_whole(lookups, who, query)
    if start is not None:
        return Plan("candidates", (start,))
    return Plan("grants" if has_few_persons(lookups, who) else "walk")


def _plan_of_person(
    lookups: Lookups, who: StoredReader, query: Query, person: int, start: Condition | None
) -> Plan:
    """When all that matches is one person's: what few of that person's rows have, else a walk of them.

    Args:
        start: a criterion of few rows among everybody's.
    """
    others = {
        condition: point
        for condition, point in points_of(lookups, who, query).items()
        if not is_of(lookups, who, condition, person)
    }
    most = COUNTED_OF_PERSON if len(others) > 1 else FEW_OF_PERSON
    sizes = {each: count(lookups.db, point.keys(person), most + 1) for each, point in others.items()}
    fewest = min(sizes.values(), default=most)
    merged = tuple(each for each, size in sizes.items() if size <= min(most, FEWER * fewest))
    if merged and (fewest <= FEW_OF_PERSON or len(merged) > 1):
        return Plan("merge", merged, person)
    if start is not None and not is_of(lookups, who, start, person):
        return Plan("candidates", (start,))
    return Plan("walk", person=person)


def has_few_persons(lookups: Lookups, who: StoredReader) -> bool:
    """Is the scope of the reader so small that its persons are visited first?"""
    size = _scope_size(lookups.db, who)
    return size is not None and size <= FEW_PERSONS


def visits_persons(lookups: Lookups, who: StoredReader) -> bool:
    """Is counting sooner done by visiting each person of the scope than by a walk?"""
    size = _scope_size(lookups.db, who)
    return size is not None and size <= MANY_PERSONS


def merge(lookups: Lookups, who: StoredReader, query: Query) -> Plan:
    """Start from what the criteria with the fewest rows share; walk when none has rows in order."""
    points = points_of(lookups, who, query)
    if not points:
        return Plan("walk")
    person = one_person(lookups, who, query)
    sizes = {c: count(lookups.db, point.keys(person), COUNTED) for c, point in points.items()}
    fewest = min(sizes.values())
    return Plan("merge", tuple(c for c, size in sizes.items() if size <= FEWER * fewest), person)


# -- after a stretch of a walk ----------------------------------------------------------


def stretch(lookups: Lookups, asked: Asked, plan: Plan) -> int | None:
    """Rows to walk before it is begun elsewhere, or is known to be costly; None when all of it matches.

    For a reader with a scope they cost what visiting all its persons would: that fills the
    page of who may see much, and who may see little loses little by it.
    """
    if plan.person is not None:
        return STRETCH_OF_PERSON
    size = _scope_size(lookups.db, asked.who)
    if size is not None:
        steps = PROBED_PER_PERSON if asked.query.criteria else STEPS_PER_PERSON
        return max(steps * size, 10 * asked.limit)
    if any(map(is_of_forms, asked.query.criteria)):
        return STRETCH_OF_FORMS
    return STRETCH if asked.query.criteria else None


def is_begun(found: int, limit: int) -> bool:
    """Is so much of the page found that the walk is worth going on with?"""
    return found * BEGUN >= limit


def elsewhere(lookups: Lookups, who: StoredReader, query: Query) -> Plan:
    """What to start from when a walk has not begun the page; the walk when there is nothing else."""
    if _scope_size(lookups.db, who) is not None and one_person(lookups, who, query) is None:
        return Plan("grants")
    plan = merge(lookups, who, query)
    if plan.name != "walk":
        return plan
    wide = _wide(lookups, who, query)
    start = wide[0] if wide else _listable(lookups, who, query)
    return Plan("candidates", (start,)) if start is not None else plan


# -- what it goes by --------------------------------------------------------------------


def _wide(lookups: Lookups, who: StoredReader, query: Query) -> list[Condition]:
    """Conditions that lead to so much that it was not counted, or to so many that what does was not."""
    return [each for each in query.criteria if isinstance(each, Chain) or is_wide(lookups, who, each)]


def _listable(lookups: Lookups, who: StoredReader, query: Query) -> Condition | None:
    """The criterion with the fewest index rows, when they are at most ``COUNTED``: a walk that found little
    has far to go. Of a name in all its forms ``MANY_FORMS`` times as many are as good: what else is asked for
    is probed sooner."""
    sizes = {
        condition: count(lookups.db, keys(lookups, who, condition), COUNTED + 1)
        for condition in query.criteria
        if has_range(condition) and not is_wide(lookups, who, condition)
    }
    listable = [condition for condition, size in sizes.items() if size <= COUNTED]
    worth = {condition: MANY_FORMS if is_of_forms(condition) else 1 for condition in listable}
    return min(listable, key=lambda condition: sizes[condition] / worth[condition], default=None)


def _read_whole(lookups: Lookups, who: StoredReader, query: Query) -> Condition | None:
    """A compartment that holds much: of several types no index is in the log's order, and of one type
    its rows are only when they lie at one point."""
    inside = next((each for each in query.criteria if isinstance(each, Compartment)), None)
    is_in_order = len(query.types) == 1 and inside in points_of(lookups, who, query)
    return None if is_in_order else inside


def _scope_size(db: Database, who: StoredReader) -> int | None:
    """Persons in the reader's scope; None for a reader without one."""
    persons = who.reader.persons
    if not isinstance(persons, Scope):
        return None
    rows = db.rows("SELECT size FROM scope WHERE number = ?", (persons.number,))
    return rows[0][0] if rows else 0
