"""The links of a transaction: from one entry to another, and by criteria to the record.

Source: http://hl7.org/fhir/R4/http.html#trules and http://hl7.org/fhir/R4/bundle.html#references.
Conditional references are resolved when all else is known (``kintung.web.fhir.conditional``).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from kintung.consent import Access
from kintung.errors import KintungError, ValueInvalid
from kintung.fhir.references import ID, TYPE, Conditional, conditional
from kintung.fhir.search import Query
from kintung.fhir.splice import Links
from kintung.store.port import View
from kintung.web.fhir.bundle import at_entry
from kintung.web.fhir.conditional import After, Name, Written
from kintung.web.fhir.deposit import Target, criteria_of
from kintung.web.fhir.entries import OF_THE_BUNDLE, Planned
from kintung.web.fhir.request import decode_pairs
from kintung.web.site import Site

_RESTFUL = re.compile(rf"https?://.*/(?P<literal>(?P<type>{TYPE})/{ID})")


class _Criteria(NamedTuple):
    """A conditional reference: what it selects, and the first entry that has it."""

    query: Query
    number: int


class BundleLinks:
    """What the links of one transaction lead to, as far as they can be read without the record."""

    def __init__(self, site: Site, entries: Sequence[Planned]) -> None:
        """Read the links as sent.

        Raises:
            BadInput: one leads nowhere, or is by criteria that cannot be understood.
        """
        self._site = site
        self._conditional = self._conditional_references(entries)
        self._at = site.clock.now_micros() if self._conditional else 0

    def resolved(
        self,
        view: View,
        access: Access,
        entries: Sequence[Planned],
        targets: Mapping[int, Target],
        keep_time: Callable[[], None],
    ) -> Links:
        """What each link that changes becomes; the links in the parsed resources are changed.

        A link is set from its text as sent each time, so that preparing again is the same.

        Args:
            entries: as they are on the state they will change, with ``targets`` by their number.
            keep_time: raises when the time for the transaction has run out.
        """
        names = _names(entries, targets)
        own = {text: local for planned in entries for _, text, local in planned.step.own}
        links = Links(names, own)
        _set_links(entries, links)
        if self._conditional:
            written = _written(entries, targets, links)
            found = self._found(view, access, written, keep_time)
            links = Links({**names, **found}, own)
            _set_links(entries, links)
        return links

    def _conditional_references(self, entries: Sequence[Planned]) -> dict[str, _Criteria]:
        """The conditional references of all entries; refuses links that lead nowhere."""
        known = {planned.full_url for planned in entries}
        found: dict[str, _Criteria] = {}
        for planned in entries:
            for _, text in planned.references:
                search = conditional(text) if "?" in text else None
                if search and text not in found:
                    try:
                        found[text] = self._criteria(planned, search)
                    except KintungError as error:
                        raise at_entry(error, planned.number) from None
                elif text.startswith(OF_THE_BUNDLE) and text not in known:
                    message = f"No entry of the Bundle has the fullUrl {text[:80]}."
                    raise at_entry(ValueInvalid(message, path=f"{planned.step.type}"), planned.number)
        return found

    def _criteria(self, planned: Planned, search: Conditional) -> _Criteria:
        pairs = decode_pairs(search.query)
        query = criteria_of(self._site, planned.request, pairs, planned.step.type, search.type)
        return _Criteria(query, planned.number)

    def _found(
        self, view: View, access: Access, written: Mapping[Name, Written], keep_time: Callable[[], None]
    ) -> dict[str, str]:
        """What the conditional references become, where links inside the Bundle are set already."""
        after = After(
            view,
            access,
            written,
            at=self._at,
            offset_minutes=self._site.offset_minutes,
            vaulted=self._site.scribe.vaulted,
            keep_time=keep_time,
        )
        found: dict[str, str] = {}
        for text, (query, number) in self._conditional.items():
            try:
                found[text] = after.one(query)
            except KintungError as error:
                raise at_entry(error, number) from None
        return found


def _names(entries: Sequence[Planned], targets: Mapping[int, Target]) -> dict[str, str]:
    """What the links inside the Bundle become; refuses one that may mean either of two resources."""
    names: dict[str, str] = {}
    unclear: set[str] = set()
    for planned in sorted(entries, key=lambda each: each.number):
        if planned.full_url is None or planned.step.verb == "DELETE":
            continue
        for text, name in _names_of(planned, targets[planned.number]):
            if names.setdefault(text, name) == name:
                continue
            if text == planned.full_url:
                error = ValueInvalid("Another entry has this fullUrl; give each its own.", path="fullUrl")
                raise at_entry(error, planned.number)
            unclear.add(text)
    for planned in entries if unclear else ():
        for _, text in planned.references:
            if text in unclear:
                message = f"{text} may be either of two entries; write the fullUrl of the one meant."
                raise at_entry(ValueInvalid(message, path=planned.step.type), planned.number)
    return names


def _set_links(entries: Sequence[Planned], links: Links) -> None:
    for planned in entries:
        references = planned.links(links).of_references
        for holder, text in planned.references:
            holder["reference"] = references.get(text, text)


def _written(entries: Sequence[Planned], targets: Mapping[int, Target], links: Links) -> dict[Name, Written]:
    """What a transaction does, by type and id; without entries that do nothing."""
    found: dict[Name, Written] = {}
    for each in entries:
        step = each.step
        type, id, current, matched = targets[each.number]
        if (
            matched
            or step.verb == "PATCH"
            or (step.verb == "DELETE" and (current is None or current.deleted))
        ):
            continue
        found[type, id] = Written(
            each.number, step, is_new=step.verb == "POST" or id == step.fresh, links=each.links(links)
        )
    return found


def _names_of(planned: Planned, target: Target) -> Iterator[tuple[str, str]]:
    """What other entries may call a resource, and what it is called in the record.

    A new resource whose fullUrl is a RESTful address goes by its literal reference too:
    http://hl7.org/fhir/R4/bundle.html#references.
    """
    name = f"{target.type}/{target.matched.id if target.matched else target.id}"
    assert planned.full_url is not None
    yield planned.full_url, name
    literal = _RESTFUL.fullmatch(planned.full_url)
    if literal and planned.step.verb == "POST" and literal["type"] == target.type:
        yield literal["literal"], name
