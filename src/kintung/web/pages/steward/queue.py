"""GET /steward: the pairs that wait for a decision, longest waiting first."""

from typing import NamedTuple

from kintung.errors import NotFound
from kintung.store.links import Link
from kintung.store.port import View
from kintung.store.reader import Reader
from kintung.store.versions import Position
from kintung.web.cursor import Cursor
from kintung.web.fhir.answer import Answer
from kintung.web.pages.page import page
from kintung.web.pages.registry import Asked
from kintung.web.pages.steward.names import Shown, shown_name
from kintung.web.pages.steward.reasons import Reason, reason
from kintung.web.pages.steward.source import Source, source
from kintung.web.site import Site

EACH = 20
"""Pairs of one page."""
_PATH = "steward"


class Waiting(NamedTuple):
    """One pair of the list."""

    link: Link
    one: Source
    other: Source
    names: tuple[Shown, Shown]
    reason: Reason


def queue(site: Site, asked: Asked, view: View) -> Answer:
    """A page of what waits; each pair says why it does."""
    reader = asked.access.reader
    links = view.queue(reader, EACH + 1, _after(site, asked))
    waiting = [found for link in links[:EACH] if (found := _waiting(view, reader, link))]
    following = _cursor(site, asked, links[EACH - 1]) if len(links) > EACH else ""
    keys = {key for each in waiting for side in (each.one, each.other) for key in side.keys}
    return page(
        site,
        asked,
        "steward/queue.html",
        tuple(sorted(keys)),
        kept=("after",),
        waiting=waiting,
        following=following,
        is_first=not asked.first("after"),
    )


def _waiting(view: View, reader: Reader, link: Link) -> Waiting | None:
    try:
        one, other = source(view, reader, link.one), source(view, reader, link.other)
    except NotFound:
        return None
    said = view.said(reader, link.one, link.other)
    return Waiting(link, one, other, (shown_name(one), shown_name(other)), reason(link, said))


def _after(site: Site, asked: Asked) -> int:
    """The place to go on from; 0 for the first page."""
    text = asked.first("after")
    if not text:
        return 0
    return site.cursors.open(text, reader=asked.access.reader.name, path=_PATH).sequence


def _cursor(site: Site, asked: Asked, last: Link) -> str:
    """The place after a pair, sealed: numbers have gaps where pairs are hidden."""
    return site.cursors.seal(Cursor(asked.access.reader.name, _PATH, (), 0, last.number, Position((), 0)))
