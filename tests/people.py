"""Source Patients with numbers of identity documents, and what is said of pairs of them."""

from typing import Any

from kintung.identity import registry
from kintung.identity.feed import Feed, Judge, Patient
from kintung.identity.matching.numbers import VERIFIED
from kintung.identity.registry import Steward
from kintung.store.links import Link, LinkChange, LinkKind
from kintung.store.port import Unit, View
from kintung.store.writes import Outcome, Prepared, Receipt
from tests.records import Resource, patient
from tests.stores import ALL, Record

HKID = "https://kintung.org/fhir/sid/hkid"
STEWARD = Steward("steward", "registry", "HOPERAT", ALL)
CARDS = ("A123456(3)", "C123456(9)", "G123456(A)")
"""Numbers with the right check digit, of nobody."""


def with_card(id: str, card: str = CARDS[0], *, verified: bool = True, **more: Any) -> Resource:
    """A Patient whose identity card was seen at a counter, or only told of."""
    identifier: dict[str, Any] = {"system": HKID, "value": card}
    if verified:
        identifier["extension"] = [{"url": VERIFIED, "valueDateTime": "2022-10-19T09:00:00+08:00"}]
    return patient(id, identifier=[identifier], **({"birthDate": "1950-03-04"} | more))


def feed(record: Record, *resources: Resource, judge: Judge | None = None) -> Receipt:
    """Deposit Patients in one commit, as whatever writes them does."""
    return record.store.commit(feeding(record, *resources, judge=judge))


def feeding(record: Record, *resources: Resource, judge: Judge | None = None) -> Unit:
    """The unit of ``feed``."""

    def prepare(view: View) -> Prepared:
        news = [view.current(ALL, "Patient", each["id"]) is None for each in resources]
        written = [Patient(each["id"], each, new) for each, new in zip(resources, news, strict=True)]
        writes = tuple(record.putting(each)(view) for each in resources)
        outcomes = tuple(Outcome(200, write=place) for place in range(len(writes)))
        return Prepared(writes, outcomes, links=Feed(judge).links(view, written))

    return Unit(ALL, prepare)


def remove(record: Record, id: str) -> None:
    """Delete a Patient, as whatever deletes it does."""

    def prepare(view: View) -> Prepared:
        write = record.deleting(f"Patient/{id}")(view)
        links = Feed().links(view, [Patient(id, None, is_new=False)])
        return Prepared((write,), (Outcome(204, write=0),), links=links)

    record.store.commit(Unit(ALL, prepare))


def say(record: Record, kind: LinkKind, one: str, other: str, *, score: int = 0) -> Link | None:
    """Let a rule, or a steward with nothing to expect, say something of a pair."""
    change = LinkChange(one, other, kind, "test", f"it is {kind.name}", score)
    record.store.commit(Unit(ALL, lambda _: Prepared(links=(change,))))
    return link(record, one, other)


def link(record: Record, one: str, other: str) -> Link | None:
    with record.store.view() as view:
        return view.link(ALL, one, other)


def version(record: Record, one: str, other: str) -> int:
    """Of the pair as it stands."""
    found = link(record, one, other)
    return found.version if found is not None else 0


def person(record: Record, id: str) -> tuple[str, ...]:
    """All source Patients of a person."""
    with record.store.view() as view:
        return view.person(ALL, id)


def merge(record: Record, one: str, other: str) -> Link:
    return registry.merge(record.store, STEWARD, one, other, version=version(record, one, other))


def unmerge(record: Record, one: str, other: str) -> Link:
    return registry.unmerge(record.store, STEWARD, one, other, version=version(record, one, other))


def keep_apart(record: Record, one: str, other: str) -> Link:
    return registry.keep_apart(record.store, STEWARD, one, other, version=version(record, one, other))


def withdraw(record: Record, one: str, other: str) -> Link:
    return registry.withdraw(record.store, STEWARD, one, other, version=version(record, one, other))
