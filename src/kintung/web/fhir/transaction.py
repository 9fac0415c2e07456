"""transaction: a Bundle that is done whole or not at all.

Source: http://hl7.org/fhir/R4/http.html#trules. Free of HTTP: ``kintung load`` commits the
same :class:`Transaction`. The criteria of entries are met by the record as it was before the
transaction, less what the transaction deletes; of two entries with the same If-None-Exist the
second is answered with the first. Conditional references are resolved when all else is known
(``kintung.web.fhir.conditional``). GET entries are answered after the commit, each for itself.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kintung.consent import Right
from kintung.definitions import owners
from kintung.errors import Forbidden, KintungError, NotSupported, ValueInvalid
from kintung.fhir.json import BundleEntry, SplitBundle
from kintung.fhir.references import ID, TYPE, Conditional, conditional
from kintung.fhir.search import Query
from kintung.fhir.splice import Links
from kintung.store.port import Match, Outcome, Ownership, Prepared, Unit, View, Write
from kintung.web.deadline import Deadline
from kintung.web.fhir.audit import audit_record
from kintung.web.fhir.bundle import ORDER, at_entry, entry_request
from kintung.web.fhir.conditional import After, Name, Written
from kintung.web.fhir.create import create_step
from kintung.web.fhir.delete import conditional_delete_step, delete_step
from kintung.web.fhir.deposit import (
    Effect,
    Step,
    Target,
    criteria_of,
    find,
    write,
)
from kintung.web.fhir.references import Reference, references_in
from kintung.web.fhir.registry import RESOURCE_TYPES
from kintung.web.fhir.request import Request, decode_pairs
from kintung.web.fhir.submission import idempotency_of, keys_shown
from kintung.web.fhir.update import conditional_update_step, update_step
from kintung.web.site import Site

_STEPS = {
    ("DELETE", True): delete_step,
    ("DELETE", False): conditional_delete_step,
    ("POST", False): create_step,
    ("PUT", True): update_step,
    ("PUT", False): conditional_update_step,
}
"""How a step is read, by method and whether the address has an id."""

_READS = ("GET", "HEAD")
_TYPES = frozenset(RESOURCE_TYPES)
_RESTFUL = re.compile(rf"https?://.*/(?P<literal>(?P<type>{TYPE})/{ID})")
_OF_THE_BUNDLE = ("urn:uuid:", "urn:oid:")


class _Planned(NamedTuple):
    """An entry that writes."""

    number: int
    request: Request
    step: Step
    full_url: str | None
    references: list[Reference]


class _Criteria(NamedTuple):
    """A conditional reference: what it selects, and the first entry that has it."""

    query: Query
    number: int


class Transaction:
    """A transaction, read and checked; ``prepare`` does it on the state it will change.

    ``reads`` are its GET entries with their place.
    """

    def __init__(
        self, site: Site, outer: Request, split: SplitBundle, deadline: Deadline | None = None
    ) -> None:
        """Read every entry.

        Args:
            deadline: until when it may be worked on, by default for ever; past it nothing is stored.

        Raises:
            BadInput: an entry cannot be understood; ``issues`` lists the faults of all entries.
            TimedOut: the time has run out; ``prepare`` raises it too.
        """
        self._site = site
        self._outer = outer
        self._deadline = deadline or Deadline()
        self.reads: list[tuple[int, Request]] = []
        self._planned: list[_Planned] = []
        faults: list[KintungError] = []
        for index, entry in enumerate(split.entries):
            self._deadline.keep()
            try:
                self._plan(index, entry)
            except KintungError as error:
                faults.append(at_entry(error, index))
        if faults:
            faults[0].issues = tuple(issue for fault in faults for issue in fault.issues)
            raise faults[0]
        self._planned.sort(key=lambda planned: ORDER.index(planned.step.verb))
        self._conditional = self._conditional_references()
        self._at = site.clock.now_micros() if self._conditional else 0

    @property
    def written(self) -> list[tuple[int, Request]]:
        """The entries that write with their place, in the order of the outcomes."""
        return [(planned.number, planned.request) for planned in self._by_index()]

    def unit(self) -> Unit:
        """The whole as one unit."""
        return Unit(self._outer.access.reader, self.prepare, idempotency_of(self._outer))

    def prepare(self, view: View) -> Prepared:
        """What the transaction does to the state ``view`` shows.

        Raises:
            KintungError: an entry is refused, and so is all; the path begins with the entry.
        """
        targets = self._find(view)
        references = self._references(view, targets)
        written: dict[tuple[str, str], Ownership] = {}
        writes: list[Write] = []
        outcomes: dict[int, Outcome] = {}
        for planned in self._in_writing_order(targets):
            effect = self._write(view, planned, targets[planned.number], references, written)
            outcome = effect.outcome
            if effect.write is not None:
                outcome = Outcome(outcome.status, outcome.type, outcome.id, write=len(writes))
                written[outcome.type, outcome.id] = effect.write.ownership
                writes.append(effect.write)
            outcomes[planned.number] = outcome
        created = {(outcome.type, outcome.id) for outcome in outcomes.values() if outcome.status == 201}
        shown = {
            key
            for planned in self._planned
            if outcomes[planned.number][1:3] not in created  # what is not there yet is not read
            for key in keys_shown(view, planned.request, targets[planned.number])
        }
        audit = audit_record(self._outer, "transaction", 200, tuple(shown))
        return Prepared(tuple(writes), tuple(outcomes[each.number] for each in self._by_index()), audit)

    # --- Reading the entries ----------------------------------------------------------

    def _plan(self, index: int, entry: BundleEntry) -> None:
        request = entry_request(self._outer, index, entry)
        if request.method in _READS:
            self.reads.append((index, request))
            return
        type, slash, id = request.path.partition("/")
        step_of = _STEPS.get((request.method, slash != ""))
        if step_of is None or type not in _TYPES or "/" in id or "$" in id or id.startswith("_"):
            raise NotSupported(
                f"A transaction takes create, update, delete and reads, not {request.method} {request.path}.",
                path="request.url",
            )
        if Right.DEPOSIT not in request.access.rights:
            raise Forbidden("This needs the right to deposit, which you do not have here.")
        request.place({"type": type, "id": id})
        step = step_of(self._site, request)
        self._planned.append(_Planned(index, request, step, entry.full_url, _references_as_sent(step)))

    def _conditional_references(self) -> dict[str, _Criteria]:
        """The conditional references of all entries; refuses links that lead nowhere."""
        known = {planned.full_url for planned in self._planned}
        found: dict[str, _Criteria] = {}
        for planned in self._planned:
            for _, text in planned.references:
                search = conditional(text) if "?" in text else None
                if search and text not in found:
                    try:
                        found[text] = self._criteria(planned, search)
                    except KintungError as error:
                        raise at_entry(error, planned.number) from None
                elif text.startswith(_OF_THE_BUNDLE) and text not in known:
                    message = f"No entry of the Bundle has the fullUrl {text[:80]}."
                    raise at_entry(ValueInvalid(message, path=f"{planned.step.type}"), planned.number)
        return found

    def _criteria(self, planned: _Planned, search: Conditional) -> _Criteria:
        pairs = decode_pairs(search.query)
        query = criteria_of(self._site, planned.request, pairs, planned.step.type, search.type)
        return _Criteria(query, planned.number)

    # --- On the state -----------------------------------------------------------------

    def _find(self, view: View) -> dict[int, Target]:
        """The target of each entry that writes; refuses two that mean the same resource."""
        access = self._outer.access
        targets: dict[int, Target] = {}
        taken: dict[tuple[str, str], str] = {}
        created: dict[Query, Target] = {}
        for planned in self._planned:
            self._deadline.keep()
            step = planned.step
            try:
                target = created.get(step.criteria) if step.verb == "POST" and step.criteria else None
                if target is not None:
                    targets[planned.number] = target
                    continue
                target = find(view, access, step)
                if target.matched and taken.get((target.type, target.matched.id)) == "DELETE":
                    target = Target(step.type, step.id)
                if not target.matched and target.id:
                    _take(taken, target, step.verb)
                    if step.verb == "POST" and step.criteria:
                        again = Match(target.type, target.id, 1)
                        created[step.criteria] = Target(target.type, target.id, matched=again)
                targets[planned.number] = target
            except KintungError as error:
                raise at_entry(error, planned.number) from None
        return targets

    def _references(self, view: View, targets: Mapping[int, Target]) -> Links:
        """What each link that changes becomes; the links in the parsed resources are changed.

        A link is set from its text as sent each time, so that preparing again is the same.
        """
        names = self._names(targets)
        own = {text: local for planned in self._planned for _, text, local in planned.step.own}
        references = Links(names, own)
        self._set_links(references)
        if self._conditional:
            references = Links({**names, **self._resolved(view, targets, references)}, own)
            self._set_links(references)
        return references

    def _names(self, targets: Mapping[int, Target]) -> dict[str, str]:
        """What the links inside the Bundle become; refuses one that may mean either of two resources."""
        names: dict[str, str] = {}
        unclear: set[str] = set()
        for planned in self._by_index():
            if planned.full_url is None or planned.step.verb == "DELETE":
                continue
            for text, name in _names_of(planned, targets[planned.number]):
                if names.setdefault(text, name) == name:
                    continue
                if text == planned.full_url:
                    error = ValueInvalid("Another entry has this fullUrl; give each its own.", path="fullUrl")
                    raise at_entry(error, planned.number)
                unclear.add(text)
        for planned in self._planned if unclear else ():
            for _, text in planned.references:
                if text in unclear:
                    message = f"{text} may be either of two entries; write the fullUrl of the one meant."
                    raise at_entry(ValueInvalid(message, path=planned.step.type), planned.number)
        return names

    def _resolved(self, view: View, targets: Mapping[int, Target], links: Links) -> dict[str, str]:
        """What the conditional references become, where links inside the Bundle are set already."""
        after = After(
            view,
            self._outer.access,
            _written(self._planned, targets),
            links,
            at=self._at,
            offset_minutes=self._site.offset_minutes,
            keep_time=self._deadline.keep,
        )
        found: dict[str, str] = {}
        for text, (query, number) in self._conditional.items():
            try:
                found[text] = after.one(query)
            except KintungError as error:
                raise at_entry(error, number) from None
        return found

    def _set_links(self, links: Links) -> None:
        references = links.of_references
        for planned in self._planned:
            for holder, text in planned.references:
                holder["reference"] = references.get(text, text)

    def _in_writing_order(self, targets: Mapping[int, Target]) -> list[_Planned]:
        """What takes its owners from others comes after those of them that are written too."""
        by_name = {
            f"{target.type}/{target.id}": planned
            for planned in self._planned
            if not (target := targets[planned.number]).matched
        }
        ordered: list[_Planned] = []
        met: set[int] = set()
        waiting = [(planned, False) for planned in reversed(self._planned)]
        while waiting:
            planned, sources_done = waiting.pop()
            if sources_done:
                ordered.append(planned)
            elif planned.number not in met:
                met.add(planned.number)
                sources = _sources(planned, targets[planned.number])
                waiting.append((planned, True))
                waiting += [(by_name[name], False) for name in sources if name in by_name]
        return ordered

    def _write(
        self,
        view: View,
        planned: _Planned,
        target: Target,
        references: Mapping[str, str],
        written: Mapping[tuple[str, str], Ownership],
    ) -> Effect:
        changed = None if planned.step.type == "Bundle" else references  # its links are its own
        self._deadline.keep()
        try:
            return write(self._site, view, self._outer.access, planned.step, target, changed, written)
        except KintungError as error:
            raise at_entry(error, planned.number) from None

    def _by_index(self) -> list[_Planned]:
        return sorted(self._planned, key=lambda planned: planned.number)


def _references_as_sent(step: Step) -> list[Reference]:
    if not step.resource or step.type == "Bundle":
        return []
    found = references_in(step.resource, step.raw)
    sent = {id(own.holder): own.text for own in step.own}
    return [Reference(holder, sent.get(id(holder), text)) for holder, text in found] if sent else found


def _take(taken: dict[tuple[str, str], str], target: Target, verb: str) -> None:
    name = (target.type, target.id)
    if name in taken:
        raise ValueInvalid(
            f"{target.type}/{target.id} is written twice in one transaction.", path="request.url"
        )
    taken[name] = verb


def _written(planned: list[_Planned], targets: Mapping[int, Target]) -> dict[Name, Written]:
    """What a transaction does, by type and id; without entries that do nothing."""
    found: dict[Name, Written] = {}
    for number, _, step, _, _ in planned:
        type, id, current, matched = targets[number]
        if matched or (step.verb == "DELETE" and (current is None or current.deleted)):
            continue
        found[type, id] = Written(number, step, is_new=step.verb == "POST" or id == step.fresh)
    return found


def _names_of(planned: _Planned, target: Target) -> Iterator[tuple[str, str]]:
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


def _sources(planned: _Planned, target: Target) -> tuple[str, ...]:
    """Resources an entry takes its owners from."""
    resource = planned.step.resource
    return owners(resource, target.id).sources if resource else ()
