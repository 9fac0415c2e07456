"""What to look for instead of a day of birth: its year, which may be all that a record has."""

from typing import NamedTuple

from kintung.identity.typed import Typed
from kintung.web.pages.find.sought import sealed
from kintung.web.pages.registry import Asked
from kintung.web.site import Site


class Wider(NamedTuple):
    """The year that is left, and what would be looked for, sealed."""

    year: str
    sought: str


def wider(site: Site, asked: Asked, typed: Typed) -> Wider | None:
    """The same with the year of birth alone; None where no month was typed, or its year is not told.

    A day finds who is known to be born on it. Who is known to be born in its year may be: that is looked for
    when it is asked for.
    """
    dates = [date for birth in typed.births for date in birth.dates]
    years = {date[:4] for date in dates}
    if len(years) != 1 or all(date in years for date in dates):
        return None
    (year,) = years
    return Wider(year, sealed(site, asked, " ".join(filter(None, (typed.name, *typed.numbers, year)))))
