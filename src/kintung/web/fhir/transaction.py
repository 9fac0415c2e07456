"""transaction: a Bundle that is done whole or not at all.

Source: http://hl7.org/fhir/R4/http.html#trules. Free of HTTP: ``kintung load`` commits the
same :class:`Transaction`. The criteria of entries are met by the record as it was before the
transaction, less what the transaction deletes; of two entries with the same If-None-Exist the
second is answered with the first. ``kintung.web.fhir.links`` resolves what leads from one entry
to another. GET entries are answered after the commit, each for itself.
"""

from collections.abc import Mapping, Sequence

from kintung.definitions import owners
from kintung.errors import KintungError, ValueInvalid
from kintung.fhir.json import BundleEntry, SplitBundle
from kintung.fhir.search import Query
from kintung.fhir.splice import Links
from kintung.store.port import Unit, View
from kintung.store.versions import Match, Ownership
from kintung.store.writes import Outcome, Prepared, Write
from kintung.web.deadline import Deadline
from kintung.web.fhir.audit import audit_record
from kintung.web.fhir.bundle import ORDER, at_entry, entry_request
from kintung.web.fhir.deposit import Effect, Target, find, links_of, write
from kintung.web.fhir.entries import Planned, plan
from kintung.web.fhir.links import BundleLinks
from kintung.web.fhir.request import Request
from kintung.web.fhir.submission import idempotency_of, keys_shown
from kintung.web.site import Site

_READS = ("GET", "HEAD")


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
        self._planned: list[Planned] = []
        faults: list[KintungError] = []
        for index, entry in enumerate(split.entries):
            self._deadline.keep()
            try:
                self._read(index, entry)
            except KintungError as error:
                faults.append(at_entry(error, index))
        if faults:
            faults[0].issues = tuple(issue for fault in faults for issue in fault.issues)
            raise faults[0]
        self._planned.sort(key=lambda planned: ORDER.index(planned.step.verb))
        self._links = BundleLinks(site, self._planned)

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
        planned = [self._on(view, each, targets[each.number]) for each in self._planned]
        links = self._links.resolved(view, self._outer.access, planned, targets, self._deadline.keep)
        self._site.scribe.expect(_new_patients(planned, targets))
        written: dict[tuple[str, str], Ownership] = {}
        writes: list[Write] = []
        outcomes: dict[int, Outcome] = {}
        for each in _in_writing_order(planned, targets):
            effect = self._write(view, each, targets[each.number], links, written)
            outcome = effect.outcome
            if effect.write is not None:
                outcome = Outcome(outcome.status, outcome.type, outcome.id, write=len(writes))
                written[outcome.type, outcome.id] = effect.write.ownership
                writes.append(effect.write)
            outcomes[each.number] = outcome
        created = {(outcome.type, outcome.id) for outcome in outcomes.values() if outcome.status == 201}
        shown = {
            key
            for each in planned
            if outcomes[each.number][1:3] not in created  # what is not there yet is not read
            for key in keys_shown(view, each.request, each.step, targets[each.number])
        }
        audit = audit_record(self._outer, "transaction", 200, tuple(shown))
        changed = [
            (targets[each.number], each.step) for each in planned if outcomes[each.number].write is not None
        ]
        return Prepared(
            tuple(writes),
            tuple(outcomes[each.number] for each in self._by_index()),
            audit,
            links=links_of(self._site, view, self._outer.access, changed),
        )

    # --- Reading the entries ----------------------------------------------------------

    def _read(self, index: int, entry: BundleEntry) -> None:
        request = entry_request(self._outer, index, entry)
        if request.method in _READS:
            self.reads.append((index, request))
        else:
            self._planned.append(plan(self._site, index, request, entry.full_url))

    # --- On the state -----------------------------------------------------------------

    def _on(self, view: View, planned: Planned, target: Target) -> Planned:
        self._deadline.keep()
        try:
            return planned.on(view, target)
        except KintungError as error:
            raise at_entry(error, planned.number) from None

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

    def _write(
        self,
        view: View,
        planned: Planned,
        target: Target,
        links: Links,
        written: Mapping[tuple[str, str], Ownership],
    ) -> Effect:
        changed = None if planned.step.type == "Bundle" else planned.links(links)  # its links are its own
        self._deadline.keep()
        try:
            return write(self._site, view, self._outer.access, planned.step, target, changed, written)
        except KintungError as error:
            raise at_entry(error, planned.number) from None

    def _by_index(self) -> list[Planned]:
        return sorted(self._planned, key=lambda planned: planned.number)


def _new_patients(entries: Sequence[Planned], targets: Mapping[int, Target]) -> list[str]:
    """The ids of Patients that are to be there: their keys are one commit of the key store, not one each."""
    found = [(each.step.verb, targets[each.number]) for each in entries if each.step.type == "Patient"]
    return [
        target.id
        for verb, target in found
        if verb in ("POST", "PUT") and target.current is None and target.matched is None
    ]


def _in_writing_order(entries: Sequence[Planned], targets: Mapping[int, Target]) -> list[Planned]:
    """What takes its owners from others comes after those of them that are written too."""
    by_name = {
        f"{target.type}/{target.id}": planned
        for planned in entries
        if not (target := targets[planned.number]).matched
    }
    ordered: list[Planned] = []
    met: set[int] = set()
    waiting = [(planned, False) for planned in reversed(entries)]
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


def _take(taken: dict[tuple[str, str], str], target: Target, verb: str) -> None:
    name = (target.type, target.id)
    if name in taken:
        raise ValueInvalid(
            f"{target.type}/{target.id} is written twice in one transaction.", path="request.url"
        )
    taken[name] = verb


def _sources(planned: Planned, target: Target) -> tuple[str, ...]:
    """Resources an entry takes its owners from."""
    resource = planned.step.resource
    return owners(resource, target.id).sources if resource else ()
