"""The day that a page of a record is as at: which can be asked for, and the page that says why one cannot."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from kintung.errors import NotFound
from kintung.fhir.references import is_id
from kintung.fhir.search import resource_types
from kintung.store.port import View
from kintung.web.fhir.answer import Answer
from kintung.web.pages.catalogues import N_
from kintung.web.pages.page import page
from kintung.web.pages.record.person import known, require_of
from kintung.web.pages.registry import Asked
from kintung.web.site import Site

NO_DAY = N_("This is not a day. Choose one such as 2025-03-01.")
TO_COME = N_("This day is still to come. Choose today, or a day before it.")

T = TypeVar("T")


def dated(show: Callable[[Site, Asked, View], T]) -> Callable[[Site, Asked, View], T | Answer]:
    """A page of a record that is as at a day; where that cannot be, the form that asks for another."""

    def shown(site: Site, asked: Asked, view: View) -> T | Answer:
        wrong = fault(asked.first("as-at"), site.today)
        return _again(site, asked, view, wrong) if wrong else show(site, asked, view)

    return shown


def fault(said: str, today: date) -> str:
    """A message of what is wrong with a day that is asked for, "" of a day that has been and of none."""
    try:
        return TO_COME if said and date.fromisoformat(said) > today else ""
    except ValueError:
        return NO_DAY


def _again(site: Site, asked: Asked, view: View, wrong: str) -> Answer:
    """Raises NotFound and Deleted as the page does that was asked for."""
    named = asked.named
    if "type" in named:
        if named["type"] not in resource_types() or not is_id(named["rid"]):
            raise NotFound("Nothing is here.")
        require_of(view, asked, named["type"], named["rid"])
    found = known(site, asked, view, (), is_now=True)
    answer = page(
        site,
        asked,
        "record/day.html",
        found.person.keys,
        status=400,
        person=found.person,
        here=asked.path,
        today=site.today.isoformat(),
        said=asked.first("as-at")[:_LONGEST],
        wrong=wrong,
    )
    return answer._replace(about=found.person.about)


_LONGEST = 20
"""Signs of what was asked for that are said again."""
