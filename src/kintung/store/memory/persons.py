"""Reading persons of the plain store: everything is looked at, and shown where the reader sees it."""

from collections.abc import Callable, Iterator

from kintung.store.links import Disclosed, Link, Said, Turned
from kintung.store.memory.state import Audited, State
from kintung.store.persons import person_of, persons_of, waits

Sees = Callable[[str], bool]
"""Does the reader see this Patient, as it is or deleted?"""


def person(state: State, sees: Sees, id: str) -> tuple[str, ...]:
    members = person_of(persons_of(state.links.values()), id)
    return tuple(sorted(filter(sees, members))) if sees(id) else ()


def link(state: State, sees: Sees, one: str, other: str) -> Link | None:
    found = state.links.get((min(one, other), max(one, other)))
    return found if found is not None and sees(one) and sees(other) else None


def links_of(state: State, sees: Sees, id: str) -> tuple[Link, ...]:
    found = [link for link in state.links.values() if id in link.pair and all(map(sees, link.pair))]
    return tuple(sorted(found, key=lambda link: link.pair))


def reached(state: State, scope: int, origins: tuple[str, ...], patient: str) -> bool:
    """Did a scope hold a Patient only because of one of these, and does not any more?"""
    return any(
        (each.scope, each.patient) == (scope, patient) and each.origin in origins and each.until is not None
        for each in state.reached
    )


def queue(state: State, sees: Sees, limit: int, after: int) -> tuple[Link, ...]:
    persons = persons_of(state.links.values())
    waiting = [link for link in state.links.values() if link.number > after and waits(link, persons)]
    seen = [link for link in waiting if all(map(sees, link.pair))]
    return tuple(sorted(seen, key=lambda link: link.number)[:limit])


def said(state: State, sees: Sees, one: str, other: str) -> tuple[Said, ...]:
    if link(state, sees, one, other) is None:
        return ()
    pair = (min(one, other), max(one, other))
    return tuple(
        Said(link.version, change.kind, change.score, change.by, change.why, link.at)
        for change, link, _ in state.uttered
        if link.pair == pair
    )


def turned(state: State) -> Iterator[Turned]:
    """What was said of all pairs from the first on, and what it made of each; whoever asks."""
    links: dict[tuple[str, str], Link] = {}
    for _, link, _ in state.uttered:
        before = links.get(link.pair)
        links[link.pair] = link
        was_linked = before is not None and before.is_linked
        yield Turned(link.number, link.at, *link.pair, was_linked, link.is_linked)


def disclosed(state: State, sees: Sees, one: str, other: str) -> tuple[Disclosed, ...]:
    found = link(state, sees, one, other)
    if found is None:
        return ()
    persons = persons_of(each for each in state.links.values() if each is not found)
    sides = person_of(persons, found.one), person_of(persons, found.other)
    if sides[0] == sides[1]:
        return ()
    shown = (
        Disclosed(
            number,
            patient,
            audited.at,
            audited.record.actor,
            audited.record.organisation,
            audited.record.purpose,
            audited.record.operation,
        )
        for number, audited in enumerate(state.audit, start=1)
        for own, across in (sides, sides[::-1])
        for patient in own
        if state.patient_keys[patient] in audited.record.patient_keys
        and _rests(state, audited, patient, own, across)
    )
    return tuple(sorted(shown, key=lambda each: (each.audit, each.patient)))


def _rests(state: State, audited: Audited, patient: str, own: frozenset[str], across: frozenset[str]) -> bool:
    """Did a disclosure of a source Patient rest on one across, and on none of its own side?"""
    record = audited.record
    if record.about in {state.patient_keys[each] for each in across}:
        return True
    epochs = range(record.epoch, audited.until + 1)
    return any(
        _reached_from(state, record.scope, epoch, patient, across)
        and not _reached_from(state, record.scope, epoch, patient, own)
        for epoch in epochs
    )


def _reached_from(state: State, scope: int, epoch: int, patient: str, origins: frozenset[str]) -> bool:
    return any(
        (each.scope, each.patient) == (scope, patient)
        and each.origin in origins
        and each.since <= epoch
        and (each.until is None or epoch < each.until)
        for each in state.reached
    )
