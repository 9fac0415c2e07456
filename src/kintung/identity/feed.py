"""The link a record brings with it: one verified number of an identity document, one person.

Whatever writes Patients asks :class:`Feed` what is to be said of pairs with them, in the same commit.
A Patient is linked with every other that has the same verified strong identifier: one of an identity
document, well formed, its check digit right, seen at a counter. Whether the two records contradict each
other is a :data:`Judge`'s to say. When a Patient is written again or deleted, what was found of it is judged
again; what a steward decided stays.

A record that its own source says is replaced by another of that source is of the same person, as long as it
says so.

Concurrent feeds of one person make one person: what is looked for is a noted read of the unit, repeated
inside the commit lock.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kintung.errors import Deleted, NotFound
from kintung.fhir.json import parse
from kintung.fhir.search import Query, parse_query
from kintung.identity.matching.numbers import MOST_SAME, URIS, verified_numbers
from kintung.identity.replacement import replaced_by
from kintung.store.links import LinkChange, LinkKind
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
"""Says what two Patients that share a verified number, or were found alike before, are to each other."""


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
        numbers = {patient.id: strong_numbers(patient.resource) for patient in written}
        pairs: dict[tuple[str, str], None] = {}
        crowded: set[str] = set()
        for patient in written:
            id = patient.id
            others: list[str] = []
            for number in sorted(numbers[id]):
                bearers = self._bearers(view, number) | {id}
                if len(bearers) <= MOST_SAME:
                    others += bearers
                    continue
                crowded.add(number)
                if len(bearers) == MOST_SAME + 1:  # until now it linked them
                    pairs.update(self._found_among(view, bearers))
            others += [other for other in here if not numbers[id].isdisjoint(numbers[other])]
            if not patient.is_new:
                links = view.links_of(_EVERYBODY, id)
                others += [link.other if link.one == id else link.one for link in links]
            if patient.replaced_by is not None:
                others.append(patient.replaced_by)
            pairs.update(((min(id, other), max(id, other)), None) for other in others if other != id)
        found = {id: self._resource(view, here, id) for pair in pairs for id in pair}
        said = {frozenset((patient.id, patient.replaced_by)) for patient in written}
        return tuple(
            _replaced(pair)
            if frozenset(pair) in said or _still_replaced(view, pair, found)
            else self._change(pair, found, crowded)
            for pair in sorted(pairs)
        )

    def _bearers(self, view: View, number: str) -> set[str]:
        """Ids of Patients that have a number, verified or not: of too many, two more than may be."""
        return {match.id for match in view.match(_EVERYBODY, _with_number(number), MOST_SAME + 2)}

    def _found_among(self, view: View, bearers: set[str]) -> dict[tuple[str, str], None]:
        """Pairs of these that a rule found something of."""
        links = (link for id in bearers for link in view.links_of(_EVERYBODY, id))
        return {
            link.pair: None
            for link in links
            if link.found is not LinkKind.NOTHING and bearers.issuperset(link.pair)
        }

    def _resource(self, view: View, here: Mapping[str, Resource | None], id: str) -> Resource | None:
        if id in here:
            return here[id]
        try:
            return parse(view.read(_EVERYBODY, "Patient", id).body)
        except (Deleted, NotFound):
            return None

    def _change(
        self, pair: tuple[str, str], found: Mapping[str, Resource | None], crowded: set[str]
    ) -> LinkChange:
        one, other = (found[id] for id in pair)
        if one is None or other is None:
            return LinkChange(*pair, LinkKind.NOTHING, BY, "one of the records was deleted")
        shared = strong_numbers(one) & strong_numbers(other)
        if shared and shared <= crowded:
            return LinkChange(*pair, LinkKind.NOTHING, BY, "a number that too many records have")
        finding = self._judge(one, other)
        kind = finding.kind
        if kind is LinkKind.CERTAIN and not shared:
            kind = LinkKind.PROBABLE  # never by a score alone
        return LinkChange(*pair, kind, BY, finding.why, finding.score)


def strong_numbers(resource: Resource | None) -> frozenset[str]:
    """The verified strong identifiers of a Patient, by kind and normal form: ``hkid:A1234563``."""
    return verified_numbers((resource or {}).get("identifier"))


def is_replaced(one: Resource | None, other: Resource | None, pair: tuple[str, str]) -> bool:
    """Does either record of a pair of Patients, by their ids, say that it is replaced by the other?"""
    if one is None or other is None:
        return False
    return replaced_by(one) == pair[1] or replaced_by(other) == pair[0]


def _still_replaced(view: View, pair: tuple[str, str], found: Mapping[str, Resource | None]) -> bool:
    """What was certain stays so while either record says so; who may begin to say it was asked then."""
    if not is_replaced(found[pair[0]], found[pair[1]], pair):
        return False
    link = view.link(_EVERYBODY, *pair)
    return link is not None and link.found is LinkKind.CERTAIN


def _replaced(pair: tuple[str, str]) -> LinkChange:
    return LinkChange(
        *pair, LinkKind.CERTAIN, BY, "one replaces the other, by the word of who deposited both"
    )


def _with_number(number: str) -> Query:
    """Who has a number, under any URI of the systems that bear its kind."""
    kind, _, normal = number.partition(":")
    written = ",".join(f"{uri}|{normal}" for uri in URIS[kind])
    return parse_query("Patient", [("identifier", written)], now_micros=0)


def plain_judge(one: Resource, other: Resource) -> Finding:
    """A judge that knows numbers and birth dates alone."""
    if strong_numbers(one).isdisjoint(strong_numbers(other)):
        return Finding(LinkKind.NOTHING, 0, "no verified number in common")
    born = [str(resource.get("birthDate") or "") for resource in (one, other)]
    if not born[0].startswith(born[1]) and not born[1].startswith(born[0]):
        return Finding(LinkKind.PROBABLE, 0, "a verified number in common, and another birth date")
    return Finding(LinkKind.CERTAIN, 0, "a verified number in common, and nothing against it")
