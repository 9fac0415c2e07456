"""Bundles of results and of versions, a page at a time.

The bytes of each resource are joined in as they are stored; nothing is parsed.
Source: http://hl7.org/fhir/R4/bundle.html#searchset and #history.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from kintung.errors import ValueInvalid
from kintung.fhir.subset import Subset
from kintung.store.versions import Method, Page, Paging, Position, Version
from kintung.web.cursor import Cursor
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.headers import PLAIN, etag, instant
from kintung.web.fhir.request import HOW, Pairs, Request
from kintung.web.site import Site

CURSOR = "_cursor"
_VERBS = {
    Method.CREATE: (b"POST", b"201 Created"),
    Method.UPDATE: (b"PUT", b"200 OK"),
    Method.DELETE: (b"DELETE", b"204 No Content"),
    Method.LABEL: (b"PUT", b"200 OK"),
}


class Walk(NamedTuple):
    """A walk through pages: what was asked on page one, when, and where this page begins.

    ``how`` is how each page is to be answered (``HOW``): it stands beside a cursor, not in it.
    ``total`` and ``ignored`` are what page one counted, and the names it left out.
    """

    asked: Pairs
    at: int
    how: Pairs = ()
    sequence: int | None = None
    after: Position | None = None
    cursor: str = ""
    total: int | None = None
    ignored: tuple[str, ...] = ()

    def paging(self, count: int, *, total: bool) -> Paging:
        """The page to ask the store for."""
        return Paging(count, total, self.sequence, self.after)

    def counted(self, page: Page) -> Page:
        """The page with the total that page one had: of all pages, as of then."""
        return page._replace(total=self.total) if self.cursor else page


def walk(site: Site, request: Request, path: str, pairs: Pairs) -> Walk:
    """Begin a walk, or go on with the one a cursor names.

    Raises:
        ValueInvalid: the cursor cannot be used, or stands beside other parameters.
    """
    texts = [value for name, value in pairs if name == CURSOR]
    how = tuple(pair for pair in pairs if pair[0] in HOW)
    if not texts:
        return Walk(tuple(pair for pair in pairs if pair[0] not in HOW), site.clock.now_micros(), how)
    if len(texts) > 1 or any(name not in (CURSOR, *HOW) for name, _ in pairs):
        raise ValueInvalid("A cursor holds all that was asked; send it alone.", path=CURSOR)
    found = site.cursors.open(texts[0], reader=request.access.reader.name, path=path)
    return Walk(found.asked, found.at, how, found.sequence, found.after, texts[0], found.total, found.ignored)


def links(
    site: Site,
    request: Request,
    path: str,
    walked: Walk,
    used: Pairs,
    page: Page,
    ignored: tuple[str, ...] = (),
) -> bytes:
    """The ``link`` array: self, and next when there is more.

    ``used`` is what was understood, ``ignored`` the names of what was left out.
    """
    address = f"{request.base}/{path}" if path else request.base
    here = ((CURSOR, walked.cursor),) if walked.cursor else used
    found = [{"relation": "self", "url": _url(address, (*here, *walked.how))}]
    if page.next is not None:
        onward = Cursor(
            request.access.reader.name,
            path,
            used,
            walked.at,
            page.sequence,
            page.next,
            page.total,
            ignored,
        )
        there = (CURSOR, site.cursors.seal(onward))
        found.append({"relation": "next", "url": _url(address, (there, *walked.how))})
    return msgspec.json.encode(found)


def _url(address: str, pairs: Pairs) -> str:
    query = urlencode(pairs, quote_via=quote, safe="/:,|$")
    return f"{address}?{query}" if query else address


def bundle(type: bytes, total: int | None, link: bytes, entries: Sequence[bytes]) -> bytes:
    """A Bundle as JSON."""
    parts = [b'{"resourceType":"Bundle","type":"', type, b'"']
    if total is not None:
        parts.append(b',"total":%d' % total)
    parts.append(b',"link":' + link)
    if entries:
        parts += [b',"entry":[', b",".join(entries), b"]"]
    parts.append(b"}")
    return b"".join(parts)


def page_answer(body: bytes, versions: Iterable[Version]) -> Answer:
    """A page, with the keys of the persons it discloses."""
    keys = {key for version in versions for key in version.patient_keys}
    return Answer(200, PLAIN, body, tuple(keys))


def found_entry(base: bytes, version: Version, mode: bytes = b"match", subset: Subset | None = None) -> bytes:
    """An entry of a searchset; ``mode`` says why it is there (``match`` or ``include``)."""
    return b'{"fullUrl":"%s/%s/%s","resource":%s,"search":{"mode":"%s"}}' % (
        base,
        version.type.encode(),
        version.id.encode(),
        version.body if subset is None else subset.of(version.body),
        mode,
    )


def history_entry(base: bytes, version: Version, subset: Subset | None = None) -> bytes:
    """An entry of a history."""
    type, id = version.type.encode(), version.id.encode()
    verb, status = _VERBS[version.method]
    body = subset.of(version.body) if subset is not None and version.body else version.body
    return b'{"fullUrl":"%s/%s/%s",%s"request":{"method":"%s","url":"%s"},%s}' % (
        base,
        type,
        id,
        b'"resource":%s,' % body if body else b"",
        verb,
        type if version.method is Method.CREATE else b"%s/%s" % (type, id),
        b'"response":{"status":"%s","etag":%s,"lastModified":"%s"}'
        % (status, msgspec.json.encode(etag(version.version_id).decode()), instant(version.at).encode()),
    )
