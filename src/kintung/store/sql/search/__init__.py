"""Search in SQL: from a Query and a Reader to one statement, or a few.

Each module knows those below it:

- ``searcher``: runs a search, and starts elsewhere when a walk has found little.
- ``date_order``, ``statements``: the statement of a page, or of a total.
- ``inclusion``: what a page includes beside its matches, with the reader's predicate of its own.
- ``matches``: its FROM and WHERE. The reader's predicate stands here, and at the ends of chains.
- ``plan``: what it starts from.
- ``points``: conditions whose index rows lie together in one order.
- ``conditions``: what they mean, however far they lead; ``criteria``: on the index rows of a resource.
- ``references``, ``prefixes``, ``sorting``, ``index_rows``: values, keys of the order, and where rows lie.
- ``lookups``: what values are in the tables, remembered for one search.
"""

from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.search.plan import Asked, Plan
from kintung.store.sql.search.searcher import Searcher

__all__ = ["Asked", "Lookups", "Plan", "Searcher"]
