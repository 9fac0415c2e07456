"""$lastn: GET and POST /Observation/$lastn.

Source: http://hl7.org/fhir/R4/observation-operation-lastn.html. The Observations of one subject that a
search finds and the caller sees, of each code the last ``max``. What the caller does not see is neither
grouped nor counted.
"""

import re

from kintung.errors import NotSupported, TooCostly, ValueInvalid
from kintung.fhir.json import parse
from kintung.fhir.lastn import Observed, codes_of, last
from kintung.fhir.search import Criterion, Query, extract, parameters, parse_query, query_pairs
from kintung.store.port import View
from kintung.store.versions import Page, Paging, Version
from kintung.web.fhir import pages
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.operation import both_methods, pairs_of
from kintung.web.fhir.registry import Reads
from kintung.web.fhir.request import HOW, OF_PAGES, Pairs, Request
from kintung.web.outcomes import outcome
from kintung.web.site import Site

OPERATION = "http://hl7.org/fhir/OperationDefinition/Observation-lastn"
TYPE = "Observation"

MOST = 5_000
"""Observations that are looked at."""
MOST_BYTES = 32 * 1024 * 1024
"""Of their bodies."""

_MAX = re.compile(r"[1-9][0-9]{0,9}")
_AT_ONCE = 1_000


def lastn(site: Site, request: Request, view: View) -> Answer:
    """The last Observations of each code, newest first, in one Bundle."""
    sent = pairs_of(site, request, OPERATION, searches=True)
    asked = tuple(pair for pair in sent if pair[0] not in HOW)
    most = _most(asked)
    walked = pages.Walk(asked, site.clock.now_micros(), tuple(pair for pair in sent if pair[0] in HOW))
    query = _query(site, request, walked)
    found, page = _found(request, view, query)
    observed = [_observed(site, version) for version in found]
    shown = [found[place] for place in last(observed, most)]
    used = (*(pair for pair in asked if pair[0] == "max"), *query_pairs(query))
    link = pages.links(site, request, request.path, walked, used, page._replace(next=None))
    entries = [pages.found_entry(request.base.encode(), version) for version in shown]
    if query.ignored:
        entries.append(b'{"resource":%s,"search":{"mode":"outcome"}}' % outcome(query.ignored))
    return pages.page_answer(pages.bundle(b"searchset", len(shown), link, entries), shown)


def _most(asked: Pairs) -> int:
    text = dict(asked).get("max", "1")
    if not _MAX.fullmatch(text):
        raise ValueInvalid("max is a whole number from 1.", path="max")
    return int(text)


def _query(site: Site, request: Request, walked: pages.Walk) -> Query:
    """The search for what is grouped.

    Raises:
        NotSupported: a parameter that says how a search is answered.
        ValueInvalid: no subject is named, or several; or neither a category nor a code.
    """
    for name, _ in walked.asked:
        if name.partition(":")[0] in OF_PAGES:
            raise NotSupported("$lastn is answered whole, newest first; leave it out.", path=name[:64])
    query = parse_query(
        TYPE,
        [pair for pair in walked.asked if pair[0] != "max"],
        now_micros=walked.at,
        offset_minutes=site.offset_minutes,
        limits=site.limits.search,
        lenient=request.prefer.lenient,
        base=request.base,
    )
    plain = [each for each in query.criteria if isinstance(each, Criterion) and each.modifier is None]
    if not any(each.parameter.code in ("patient", "subject") and len(each.values) == 1 for each in plain):
        raise ValueInvalid("$lastn is of one subject: give patient or subject.", path="patient")
    if not any(_is_of_codes(name) for name, _ in query_pairs(query)):
        raise ValueInvalid("$lastn is of a category or of codes: give category or code.", path="category")
    return query


def _is_of_codes(name: str) -> bool:
    """Whether a parameter asks for a category or for codes, by value, by text or with what stands beside."""
    code, _, modifier = name.partition(":")
    return modifier in ("", "text") and "." not in code and (code == "category" or "code" in code)


def _found(request: Request, view: View, query: Query) -> tuple[list[Version], Page]:
    """All that the search finds, newest change first, and its first page.

    Raises:
        TooCostly: it is more than is looked at.
    """
    page = first = view.search(request.access.reader, query, Paging(_AT_ONCE))
    found = list(page.entries)
    while page.next is not None:
        if len(found) >= MOST or sum(len(version.body) for version in found) > MOST_BYTES:
            raise TooCostly(
                f"$lastn looks at {MOST:,} Observations and {MOST_BYTES // 1024**2} MB at most; ask for "
                "fewer by code, by category or by a span of dates."
            )
        page = view.search(
            request.access.reader, query, Paging(_AT_ONCE, sequence=page.sequence, after=page.next)
        )
        found += page.entries
    return found, first


def _observed(site: Site, version: Version) -> Observed:
    """What of an Observation decides its place; its time is that of ``_sort=-date``."""
    resource = parse(version.body, site.limits.json)
    atoms = {branch.atom for branch in parameters(TYPE)["date"].branches}
    dates = extract(resource, offset_minutes=site.offset_minutes).dates
    return Observed(max((high for atom, _, high in dates if atom in atoms), default=None), codes_of(resource))


_DESCRIPTION = "The last Observations of each code of one subject, newest first."

INTERACTIONS = both_methods(
    "lastn", "/{type}/$lastn", Reads(lastn), _DESCRIPTION, OPERATION, (TYPE,), may_be_later=True
)
