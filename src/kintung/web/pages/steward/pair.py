"""GET /steward/pairs/{one}/{other}: two source Patients side by side, and all that was said of them."""

from typing import NamedTuple

from kintung.store.links import Disclosed, Link, Said
from kintung.store.persons import pair_of
from kintung.store.port import View
from kintung.web.fhir.answer import Answer
from kintung.web.pages.catalogues import N_
from kintung.web.pages.page import page
from kintung.web.pages.registry import Asked
from kintung.web.pages.steward.comparison import VERDICTS, Row, Verdict, compare
from kintung.web.pages.steward.names import Shown, shown_name
from kintung.web.pages.steward.reasons import last_of_rule
from kintung.web.pages.steward.source import Source, source
from kintung.web.pages.steward.standing import (
    DECISIONS,
    KINDS,
    Decision,
    Standing,
    offered,
    standing,
    undoing,
)
from kintung.web.pages.steward.terms import terms
from kintung.web.site import Site

MOST_DISCLOSURES = 200
"""Disclosures of one page, the newest."""
ACTORS = {"unprotected": N_("Someone not signed in")}
"""Who is nobody in particular, in words."""
PLACES = {
    "find": N_("Find a person"), "record": N_("Summary and results"), "record-pdf": N_("Summary as PDF"),
    "record-timeline": N_("Timeline"), "record-item": N_("One thing of the record"),
    "record-content": N_("Content"), "steward-queue": N_("Pairs that wait"),
    "steward-find": N_("Find a record"), "steward-pair": N_("One person or two?"),
    "steward-decision": N_("Decide"),
}  # fmt: skip
"""Pages on which a record was shown, as they are called there; a call of the API has its own name."""


class Pair(NamedTuple):
    """A pair as it stands in one view."""

    one: Source
    other: Source
    names: tuple[Shown, Shown]
    link: Link
    standing: Standing
    rows: tuple[Row, ...]

    @property
    def keys(self) -> tuple[int, ...]:
        """Whose data it is, for the audit."""
        return tuple(sorted({*self.one.keys, *self.other.keys}))

    @property
    def path(self) -> str:
        return f"/steward/pairs/{self.one.id}/{self.other.id}"

    @property
    def is_whole(self) -> bool:
        """Are both there still? Of what was deleted nothing is decided."""
        return self.one.resource is not None and self.other.resource is not None

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each verdict."""
        return {verdict: sum(row.verdict is verdict for row in self.rows) for verdict in Verdict}


def pair_in(view: View, asked: Asked) -> Pair:
    """The pair that an address names, in the order it does.

    Raises:
        NotFound: either is absent, or hidden from who asks.
        RuleFailed: both are the same.
    """
    reader, ids = asked.access.reader, (asked.named["one"], asked.named["other"])
    pair_of(*ids)
    one, other = (source(view, reader, id) for id in ids)
    link = view.link(reader, *ids) or Link(*pair_of(*ids))
    return Pair(
        one,
        other,
        (shown_name(one), shown_name(other)),
        link,
        standing(link, is_one_person=other.id in one.person),
        compare(one.resource or {}, other.resource or {}),
    )


def pair(site: Site, asked: Asked, view: View) -> Answer:
    """The pair with its differences, its history, and what was disclosed through its link."""
    found = pair_in(view, asked)
    reader = asked.access.reader
    said: tuple[Said, ...] = view.said(reader, found.one.id, found.other.id)
    disclosed: tuple[Disclosed, ...] = view.disclosed(reader, found.one.id, found.other.id)
    done: Decision | None = DECISIONS.get(asked.first("done"))
    return page(
        site,
        asked,
        "steward/pair.html",
        found.keys,
        kept=("done",),
        pair=found,
        verdicts=VERDICTS,
        said=said[::-1],
        scored=terms(last_of_rule(said)),
        kinds=KINDS,
        terms=terms,
        disclosed=disclosed[-MOST_DISCLOSURES:][::-1],
        disclosures=len(disclosed),
        actors=ACTORS,
        places=PLACES,
        offered=offered(found.link) if found.is_whole else (),
        done=done,
        undo=undoing(done, found.link) if done is not None and found.is_whole else None,
    )
