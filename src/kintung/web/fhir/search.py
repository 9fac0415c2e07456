"""search: GET /{type}?…, POST /{type}/_search, GET ?…, POST /_search.

Source: http://hl7.org/fhir/R4/search.html. A parameter that is not understood is refused
unless the caller prefers ``handling=lenient``: what is passed over would widen the answer.
"""

from collections.abc import Callable, Iterator, Sequence

from kintung.consent import Policy, Right
from kintung.errors import Issue, TooLong, ValueInvalid
from kintung.fhir.search import Query, parse_query, query_pairs
from kintung.store.port import View
from kintung.store.versions import Page
from kintung.web.fhir import pages
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.headers import require_form_content, require_json_format
from kintung.web.fhir.registry import Interaction, Method, Reads
from kintung.web.fhir.request import HOW, Pairs, Request, decode_pairs
from kintung.web.outcomes import outcome
from kintung.web.site import Site


def search(site: Site, request: Request, view: View) -> Answer:
    """One page of what matches and the caller may see."""
    return answer(site, request, view, request.type, request.type)


def answer(
    site: Site,
    request: Request,
    view: View,
    path: str,
    type: str,
    narrowed: Callable[[Query], Query] = lambda query: query,
) -> Answer:
    """One page of a search at ``path`` (``Patient``), of ``type`` or "" for all; ``narrowed`` when read."""
    walked = pages.walk(site, request, path, _pairs(site, request))
    asked = parse_query(
        type or None,
        walked.asked,
        now_micros=walked.at,
        offset_minutes=site.offset_minutes,
        limits=site.limits.search,
        lenient=request.prefer.lenient,
        ignore=HOW,
        base=request.base,
        others=site.other_forms,
    )
    query = narrowed(asked)
    paging = walked.paging(query.count, total=query.total != "none" or query.count == 0)
    page = walked.counted(view.search(request.access.reader, query, paging))
    left_out = (*query.ignored, *map(_left_out, walked.ignored))
    names = tuple(issue.path or "" for issue in left_out)
    link = pages.links(site, request, path, walked, query_pairs(query), page, names)
    body = pages.bundle(b"searchset", page.total, link, _entries(request, query, page, left_out))
    return pages.page_answer(body, (*page.entries, *page.included))


def _pairs(site: Site, request: Request) -> Pairs:
    """What is asked: in the address, and in the body of a POST."""
    if request.method != "POST":
        return request.pairs
    if len(request.body) > site.limits.form:
        raise TooLong(f"The form is over the limit of {site.limits.form} bytes; ask for less at once.")
    require_form_content(request.headers.get(b"content-type"))
    try:
        form = request.body.decode()
    except UnicodeDecodeError:
        raise ValueInvalid("The form is not UTF-8.") from None
    pairs = decode_pairs(form)
    for name, value in pairs:
        if name == "_format":
            require_json_format(value)
    return (*request.pairs, *pairs)


def _left_out(name: str) -> Issue:
    """What a later page says of a parameter that page one left out."""
    return Issue("not-supported", f"{name!r} was left out on the first page.", name, severity="warning")


def _entries(request: Request, query: Query, page: Page, left_out: Sequence[Issue]) -> list[bytes]:
    base = request.base.encode()
    entries = [pages.found_entry(base, version, b"match", query.subset) for version in page.entries]
    beside = query.subset if query.subset is None or query.subset.form != "elements" else None
    entries += [pages.found_entry(base, version, b"include", beside) for version in page.included]
    said = (*left_out, *_of_total(query, page))
    if said:
        resource = outcome(said)
        entries.append(b'{"resource":%s,"search":{"mode":"outcome"}}' % resource)
    return entries


def _of_total(query: Query, page: Page) -> Iterator[Issue]:
    """An estimated total that was counted no further says so."""
    if query.most_counted is not None and page.total == query.most_counted:
        text = f"There are {page.total:,} matches or more; _total=accurate counts them all."
        yield Issue("informational", text, "_total", severity="information")


_DESCRIPTION = "Resources that match, a page at a time, newest change first unless sorted."

_ADDRESSES: tuple[tuple[str, Method, str, tuple[str, ...]], ...] = (
    ("search-type", "GET", "/{type}", ("search-type",)),
    ("search-type-post", "POST", "/{type}/_search", ()),
    ("search-system", "GET", "", ("search-system",)),
    ("search-system-post", "POST", "/_search", ()),
)

INTERACTIONS = tuple(
    Interaction(
        name,
        method,
        path,
        Reads(search),
        Right.VIEW,
        Policy.DISCLOSES,
        _DESCRIPTION,
        codes,
        may_be_later=True,
    )
    for name, method, path, codes in _ADDRESSES
)
