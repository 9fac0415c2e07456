"""GET /record/{id}: who a person is, the summary of the record, and its results with their trends."""

from functools import partial
from typing import NamedTuple

from kintung.documents import Script
from kintung.store.port import View
from kintung.web.fhir.answer import Answer
from kintung.web.pages.catalogues import N_, messages
from kintung.web.pages.language import Language
from kintung.web.pages.page import page
from kintung.web.pages.record import results
from kintung.web.pages.record import summary as summaries
from kintung.web.pages.record.keepers import Origin
from kintung.web.pages.record.person import Known, known
from kintung.web.pages.record.results import Describe, Other, Trend
from kintung.web.pages.record.summary import Part
from kintung.web.pages.registry import Asked
from kintung.web.pages.render import civil_day
from kintung.web.site import Site

PDF = "summary.pdf"
"""The same on paper, under the address of the record."""


class Gathered(NamedTuple):
    """What the first page of a record shows, and the document of it."""

    found: Known
    parts: tuple[Part, ...]
    trends: tuple[Trend, ...]
    others: tuple[Other, ...]


def gathered(site: Site, asked: Asked, view: View, describe: Describe) -> Gathered:
    """A person with the summary and the results, as they are known now or were on a day.

    Args:
        describe: as :func:`kintung.web.pages.record.results.trends` takes it.

    Raises:
        NotFound, Deleted, ValueInvalid: as :func:`kintung.web.pages.record.person.known`.
    """
    found = known(site, asked, view, {*summaries.TYPES, *results.TYPES})
    trends = results.trends(found, asked.language, site.offset_minutes, describe)
    return Gathered(found, summaries.summary(found), trends, results.others(found, site.offset_minutes))


def script_of(language: Language) -> Script:
    """Whose shapes of the characters a language is written in on paper."""
    return "mainland" if language is Language.MAINLAND else "hong-kong"


def record(site: Site, asked: Asked, view: View) -> Answer:
    """The first page of a record.

    Raises:
        NotFound, Deleted, ValueInvalid: as :func:`gathered`.
    """
    language = asked.language
    found, parts, trends, others = gathered(site, asked, view, partial(_described, language))
    answer = page(
        site,
        asked,
        "record/record.html",
        found.keys,
        kept=("as-at",),
        person=found.person,
        demo_at=found.person.demo_at(),
        is_cut=found.is_cut,
        today=site.today.isoformat(),
        parts_of_summary=parts,
        trends=trends,
        legend=results.legend(trends),
        origins=_origins(parts, trends, others),
        others=others,
        shown=partial(results.shown, language=language),
        pdf=found.person.address(PDF) if site.press.is_ready(script_of(language)) else "",
    )
    return answer._replace(about=found.person.about, opened=found.person.key)


def _origins(
    parts: tuple[Part, ...], trends: tuple[Trend, ...], others: tuple[Other, ...]
) -> frozenset[Origin]:
    """Where all that is on the page is from: few, and each has a badge that is made once."""
    of_parts = {item.origin for part in parts for item in (*part.now, *part.past)}
    of_trends = {reading.origin for trend in trends for reading in trend.readings}
    return frozenset(of_parts | of_trends | {other.origin for other in others})


def _described(language: Language, title: str, count: int, first: str, last: str) -> str:
    """What a chart tells who cannot see it; the values are in the table beside it."""
    days = {"first": civil_day(first, language), "last": civil_day(last, language)}
    said = messages(language).gettext(_DESCRIPTION)
    return said % {"title": title, "count": count, **days}


_DESCRIPTION = N_("%(title)s: %(count)s values from %(first)s to %(last)s. The table below has each of them.")
