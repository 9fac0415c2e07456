"""history: GET /{type}/{id}/_history, /{type}/_history and /_history.

Source: http://hl7.org/fhir/R4/http.html#history. ``_since`` and ``_count``; ``_at`` is not
offered.
"""

from kintung.consent import Policy, Right
from kintung.errors import NotFound, ValueInvalid
from kintung.fhir.search import count_of, span
from kintung.store.port import View
from kintung.web.fhir import pages
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.registry import Interaction, Reads
from kintung.web.fhir.request import Pairs, Request, not_offered
from kintung.web.site import Site


def history(site: Site, request: Request, view: View) -> Answer:
    """One page of versions, newest first; a deletion has no resource."""
    walked = pages.walk(site, request, request.path, request.pairs)
    since, count = _asked(site, walked.asked)
    try:
        page = view.history(
            request.access.reader,
            request.type or None,
            request.id or None,
            since=since,
            paging=walked.paging(count, total=True),
        )
    except NotFound:
        raise NotFound(f"{request.type}/{request.id} is not known.") from None
    base = request.base.encode()
    entries = [pages.history_entry(base, version) for version in page.entries]
    link = pages.links(site, request, request.path, walked, walked.asked, page)
    return pages.page_answer(pages.bundle(b"history", page.total, link, entries), page.entries)


def _asked(site: Site, pairs: Pairs) -> tuple[int | None, int]:
    """``_since`` in UTC microseconds, and ``_count``."""
    since, count = None, site.limits.search.default_count
    for name, value in pairs:
        if name == "_since":
            since = _since(value, site.offset_minutes)
        elif name == "_count":
            count = min(count_of(value), site.limits.search.count)
        else:
            raise not_offered(name)
    return since, count


def _since(value: str, offset_minutes: int) -> int:
    try:
        return span(value.replace(" ", "+"), offset_minutes)[0]
    except ValueError:
        raise ValueInvalid("_since is an instant such as 2022-10-19T11:15:00+08:00.", path="_since") from None


_DESCRIPTION = "Versions, newest first, a page at a time."

INTERACTIONS = tuple(
    Interaction(name, "GET", path, Reads(history), Right.VIEW, Policy.DISCLOSES, _DESCRIPTION, (name,))
    for name, path in (
        ("history-instance", "/{type}/{id}/_history"),
        ("history-type", "/{type}/_history"),
        ("history-system", "/_history"),
    )
)
