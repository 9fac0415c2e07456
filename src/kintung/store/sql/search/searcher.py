"""Runs a search by its plan: a walk goes a stretch first, and starts elsewhere when it found little."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kintung.fhir.search import Query
from kintung.store.sql.database import Database, Row
from kintung.store.sql.search.cost import require_affordable, resources
from kintung.store.sql.search.date_order import dated_page
from kintung.store.sql.search.inclusion import included
from kintung.store.sql.search.lookups import Lookups
from kintung.store.sql.search.plan import Asked, Plan, PlanName, elsewhere, is_begun, merge, plan_of, stretch
from kintung.store.sql.search.sorting import date_sorted_by, is_newest_first
from kintung.store.sql.search.statements import Statement, page, total
from kintung.store.sql.visibility import StoredReader
from kintung.store.versions import Position


@dataclass(frozen=True, slots=True)
class Searcher:
    """One search on one connection."""

    lookups: Lookups

    @property
    def db(self) -> Database:
        return self.lookups.db

    def rows(self, asked: Asked) -> list[Row]:
        """One page: (patient_key, type, key, version_id, seq, kind, sort values ...) a row."""
        if is_newest_first(asked.query):
            return self._by_update(asked)
        plan = self.plan(asked.who, asked.query)
        if plan.name == "walk" and date_sorted_by(asked.query) is not None:
            return self._by_date(asked, plan.person)
        if plan.name == "walk" and not asked.query.sort:
            return self._walked(asked, plan)[0]
        if plan.name == "walk":
            require_affordable(self.lookups, asked.who, asked.query, plan.person)
            if plan.person is not None:
                plan = merge(self.lookups, asked.who, asked.query)
        return self._run(asked, plan)

    def included(self, who: StoredReader, query: Query, matches: Sequence[Row]) -> list[Row]:
        """What the matches of a page include, newest first, as rows of a page."""
        return included(self.lookups, who, query.includes, matches) if query.includes else []

    def plan(self, who: StoredReader, query: Query) -> Plan:
        """What a page starts from, and a total that the index alone does not say."""
        return plan_of(self.lookups, who, query)

    def page(self, asked: Asked, plan: Plan, far: int | None = None) -> Statement:
        """The statement of one page under a plan; ``far`` bounds the rows a walk visits."""
        statement = dated_page if plan.name == "dates" else page
        return statement(self.lookups, asked, plan, far)

    def total(self, who: StoredReader, query: Query) -> Statement:
        """The statement of how many match."""
        return total(self.lookups, who, query)

    def _run(self, asked: Asked, plan: Plan, far: int | None = None) -> list[Row]:
        statement = self.page(asked, plan, far)
        return self.db.rows(statement.text, statement.values)

    def _walked(self, asked: Asked, plan: Plan) -> tuple[list[Row], PlanName]:
        """Walk a stretch, and begin elsewhere when that has not even begun the page.

        Raises:
            TooCostly: it would go on through more than a search may look at.
        """
        if plan.name == "dates" and plan.person is not None:
            return self._run(asked, plan), plan.name
        far = stretch(self.lookups, asked, plan)
        if far is None:
            return self._run(asked, plan), plan.name
        rows = self._run(asked, plan, far)
        if len(rows) == asked.limit or self._was_all(asked, plan, far):
            return rows, plan.name
        begun = is_begun(len(rows), asked.limit)
        then = plan if begun else elsewhere(self.lookups, asked.who, asked.query)
        if then.name != "merge":
            require_affordable(self.lookups, asked.who, asked.query, then.person)
        if then != plan or not rows:
            return self._run(asked, then), then.name
        return rows + self._run(_rest(asked, rows), plan), plan.name

    def _was_all(self, asked: Asked, plan: Plan, far: int) -> bool:
        """Did a stretch of so many rows meet every resource there is?"""
        return plan.name == "walk" and plan.person is None and resources(self.lookups, asked.query) <= far

    def _by_update(self, asked: Asked) -> list[Row]:
        """Sorted by ``-_lastUpdated``, which is how a walk goes: the log never goes back in time."""
        after = None if asked.after is None else Position((), asked.after.sequence)
        rows = self.rows(replace(asked, query=replace(asked.query, sort=()), after=after))
        return [(*row, self.db.rows(_UPDATED_AT, row[:3])[0][0]) for row in rows]

    def _by_date(self, asked: Asked, person: int | None) -> list[Row]:
        """Those that have the date, in its order, then those that have none, newest first."""
        rows: list[Row] = []
        after = asked.after
        if after is None or after.values[0] is not None:
            rows, name = self._walked(asked, Plan("dates", person=person))
            if len(rows) == asked.limit or name != "dates":
                return rows
            after = None
        rest = replace(asked, limit=asked.limit - len(rows), after=after)
        return rows + self._run(rest, Plan("dateless", person=person))


def _rest(asked: Asked, rows: Sequence[Row]) -> Asked:
    """What is missing of a page, after the rows that were found of it."""
    return replace(asked, limit=asked.limit - len(rows), after=Position(tuple(rows[-1][6:]), rows[-1][4]))


_UPDATED_AT = "SELECT r.at FROM resource r WHERE r.patient_key = ? AND r.type = ? AND r.key = ?"
