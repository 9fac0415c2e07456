"""The link a record brings with it: one number of an identity document, one person.

Whatever writes Patients asks :class:`Feed` what is to be said of pairs with them, in the same commit.
A Patient is compared with every other that has the same strong identifier: one of an identity document,
well formed, its check digit right, seen at the counter of one of the two at least. Whether that settles it,
or the two records contradict each other, is a :data:`Judge`'s to say. When a Patient is written again or
deleted, what was found of it is judged again; what a steward decided stays.

A record that its own source says is replaced by another of that source is of the same person, as long as it
says so.

Concurrent feeds of one person make one person: what is looked for is a noted read of the unit, repeated
inside the commit lock.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from kintung.errors import Deleted, NotFound
from kintung.fhir.json import parse
from kintung.identity.matching.numbers import MOST_SAME, URIS, Numbers, strong_numbers
from kintung.identity.replacement import replaced_by
from kintung.store.links import LinkChange, LinkKind
from kintung.store.persons import Pair, pair_of
from kintung.store.port import View
from kintung.store.reader import Reader

BY = "rule"
"""Who says what a rule finds."""

Resource = dict[str, Any]
_EVERYBODY = Reader.everything("identity")
"""Links do not depend on what the writer may see; nor does its answer on links."""


class Finding(NamedTuple):
    """What a judge says of two Patients; ``score`` in hundredths, ``why`` without clinical content."""

    kind: LinkKind
    score: int = 0
    why: str = ""


Judge = Callable[[Resource, Resource], Finding]
"""Says what two Patients that share a number seen at a counter, or were found alike before, are to each
other."""


class Patient(NamedTuple):
    """A Patient that a unit writes; ``resource`` is None where it is deleted.

    ``replaced_by``: the Patient that it is replaced by from now on, by the word of who may say so
    (``kintung.identity.replacement``).
    """

    id: str
    resource: Resource | None
    is_new: bool
    replaced_by: str | None = None


class Feed:
    """What is to be said of pairs when Patients are written."""

    def __init__(self, judge: "Judge | None" = None) -> None:
        """``judge``: by default ``plain_judge``."""
        self._judge = judge or plain_judge

    def links(self, view: View, written: Sequence[Patient]) -> tuple[LinkChange, ...]:
        """What is said of pairs with the Patients that a unit writes."""
        if not written:
            return ()
        here = {patient.id: patient.resource for patient in written}
        numbers = {patient.id: _numbers(patient.resource) for patient in written}
        pairs: dict[Pair, None] = {}
        known: dict[Pair, None] = {}
        crowded: set[str] = set()
        for number, bearing in sorted(_by_number(numbers).items()):
            before = _bearers(view, number)
            now = None if before is None else {*bearing, *(id for id in before if id not in here)}
            if now is not None and len(now) <= MOST_SAME:
                pairs.update((pair_of(id, other), None) for id in bearing for other in now if other != id)
                continue
            crowded.add(number)
            if before is not None and len(before) <= MOST_SAME:  # until now it linked them
                known.update(self._found_among(view, before))
        for patient in written:
            if not patient.is_new:
                known.update((link.pair, None) for link in view.links_of(_EVERYBODY, patient.id))
            if patient.replaced_by not in (None, patient.id):
                known[pair_of(patient.id, patient.replaced_by)] = None
        found = {id: self._resource(view, here, id) for pair in pairs | known for id in pair}
        numbers.update((id, _numbers(found[id])) for id in found if id not in numbers)
        known.update((pair, None) for pair in pairs if _seen_in_common(*(numbers[id] for id in pair)))
        said = {frozenset((patient.id, patient.replaced_by)) for patient in written}
        return tuple(
            _replaced(pair)
            if frozenset(pair) in said or _still_replaced(view, pair, found)
            else self._change(pair, found, numbers, crowded)
            for pair in sorted(known)
        )

    def _found_among(self, view: View, bearers: Collection[str]) -> dict[Pair, None]:
        """Pairs of these that a rule found something of."""
        links = (link for id in bearers for link in view.links_of(_EVERYBODY, id))
        return {
            link.pair: None
            for link in links
            if link.found is not LinkKind.NOTHING and link.one in bearers and link.other in bearers
        }

    def _resource(self, view: View, here: Mapping[str, Resource | None], id: str) -> Resource | None:
        if id in here:
            return here[id]
        try:
            return parse(view.read(_EVERYBODY, "Patient", id).body)
        except (Deleted, NotFound):
            return None

    def _change(
        self,
        pair: Pair,
        found: Mapping[str, Resource | None],
        numbers: Mapping[str, Numbers],
        crowded: set[str],
    ) -> LinkChange:
        one, other = (found[id] for id in pair)
        if one is None or other is None:
            return LinkChange(*pair, LinkKind.NOTHING, BY, "one of the records was deleted")
        shared = _seen_in_common(*(numbers[id] for id in pair))
        if shared and shared <= crowded:
            return LinkChange(*pair, LinkKind.NOTHING, BY, "a number that too many records have")
        finding = self._judge(one, other)
        kind = finding.kind
        if kind is LinkKind.CERTAIN and not shared:
            kind = LinkKind.PROBABLE  # never by a score alone
        return LinkChange(*pair, kind, BY, finding.why, finding.score)


def _numbers(resource: Resource | None) -> Numbers:
    return strong_numbers((resource or {}).get("identifier"))


def _seen_in_common(one: Numbers, other: Numbers) -> frozenset[str]:
    """The numbers that two Patients share and that were seen at the counter of one at least."""
    return (one.verified & other.numbers) | (one.numbers & other.verified)


def is_replaced(one: Resource | None, other: Resource | None, pair: Pair) -> bool:
    """Does either record of a pair of Patients, by their ids, say that it is replaced by the other?"""
    if one is None or other is None:
        return False
    return replaced_by(one) == pair[1] or replaced_by(other) == pair[0]


def _still_replaced(view: View, pair: Pair, found: Mapping[str, Resource | None]) -> bool:
    """What was certain stays so while either record says so; who may begin to say it was asked then."""
    if not is_replaced(found[pair[0]], found[pair[1]], pair):
        return False
    link = view.link(_EVERYBODY, *pair)
    return link is not None and link.found is LinkKind.CERTAIN


def _replaced(pair: Pair) -> LinkChange:
    return LinkChange(
        *pair, LinkKind.CERTAIN, BY, "one replaces the other, by the word of who deposited both"
    )


def _by_number(numbers: Mapping[str, Numbers]) -> dict[str, dict[str, None]]:
    """Which of some Patients have each number."""
    found: dict[str, dict[str, None]] = {}
    for id, borne in numbers.items():
        for number in borne.numbers:
            found.setdefault(number, {})[id] = None
    return found


def _bearers(view: View, number: str) -> tuple[str, ...] | None:
    """Ids of Patients that have a number, verified or not, under any URI of its kind; None of too many."""
    kind, _, normal = number.partition(":")
    found = view.bearers(tuple((uri, normal) for uri in URIS[kind]), MOST_SAME + 1)
    return None if found is None else tuple(match.id for match in found)


def plain_judge(one: Resource, other: Resource) -> Finding:
    """A judge that knows numbers seen at both counters, and birth dates, alone."""
    if _numbers(one).verified.isdisjoint(_numbers(other).verified):
        return Finding(LinkKind.NOTHING, 0, "no verified number in common")
    born = [str(resource.get("birthDate") or "") for resource in (one, other)]
    if not born[0].startswith(born[1]) and not born[1].startswith(born[0]):
        return Finding(LinkKind.PROBABLE, 0, "a verified number in common, and another birth date")
    return Finding(LinkKind.CERTAIN, 0, "a verified number in common, and nothing against it")
