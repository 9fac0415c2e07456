"""What a search asks of a resource, whether a criterion or a chain: how either is put in SQL."""

from kintung.fhir.search import Chain, Criterion
from kintung.store.sql.clauses import Clause
from kintung.store.sql.search import chains, criteria
from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.visibility import StoredReader

Condition = Criterion | Chain


def probe(lookups: Lookups, who: StoredReader, condition: Condition) -> Clause:
    """Does the resource at alias ``r`` meet it?"""
    if isinstance(condition, Chain):
        return chains.probe(lookups, who, condition)
    return criteria.probe(lookups, condition)


def keys(lookups: Lookups, who: StoredReader, condition: Condition) -> Clause:
    """A query of (patient_key, key) of all resources that meet it, with repetitions."""
    if isinstance(condition, Chain):
        return chains.keys(lookups, who, condition)
    return criteria.keys(lookups, condition)


def is_wide(lookups: Lookups, who: StoredReader, condition: Condition) -> bool:
    """Is it a chain with so many ends that they are not listed?"""
    return isinstance(condition, Chain) and chains.is_wide(lookups, who, condition)


def is_indexed(condition: Condition) -> bool:
    """Do index rows say all of it? They are of current resources of its types alone."""
    if isinstance(condition, Chain):
        return True
    return not criteria.asks_all(condition) and condition.parameter.stored is None


def is_updated(condition: Condition) -> bool:
    """Is it asked of the instant of the last update?"""
    return not isinstance(condition, Chain) and condition.parameter.stored == "updated"
