"""Links and grants of the plain store: after each change all persons and all scopes are made anew."""

from collections.abc import Sequence

from kintung.store.links import LinkChange
from kintung.store.memory.chain import append_said
from kintung.store.memory.state import Persons, Reached, State
from kintung.store.persons import expanded, person_of, persons_of, said
from kintung.store.writes import Grant


def change_links(state: State, changes: Sequence[LinkChange]) -> None:
    """Keep what is said of pairs; a scope that holds others after it has a new epoch.

    Raises:
        Conflict, RuleFailed: a decision does not fit; see ``kintung.store.persons.said``.
    """
    for change, link in said(state.links, changes, len(state.uttered), state.at):
        for patient in link.pair:
            state.patient_key(patient)
        append_said(state, change, link)
        state.links[link.pair] = link
    for number, scope in list(state.scopes.items()) if changes else ():
        _expand(state, number, scope, scope.epoch)


def change_grant(state: State, grant: Grant) -> None:
    """What is granted and denied of a scope, which has a new epoch then."""
    scope = state.scopes.get(grant.scope, Persons())
    for patient in (*grant.add, *grant.remove, *grant.deny, *grant.lift):
        state.patient_key(patient)
    scope = scope._replace(
        granted=(scope.granted | set(grant.add)) - set(grant.remove),
        denied=(scope.denied - set(grant.lift)) | set(grant.deny),
    )
    _expand(state, grant.scope, scope, scope.epoch + 1)


def _expand(state: State, number: int, scope: Persons, epoch: int) -> None:
    """Find who is in a scope; it has one epoch more than it had when that, or through whom, is new."""
    persons = persons_of(state.links.values())
    parts = {person_of(persons, patient) for patient in scope.granted}
    found = [expanded(person, scope.granted, scope.denied) for person in parts]
    ids = frozenset[str]().union(*(reached for reached, _ in found))
    through = frozenset[tuple[str, str]]().union(*(through for _, through in found))
    if (ids, through) != (scope.ids, scope.through):
        epoch = scope.epoch + 1
    for place, reached in enumerate(state.reached):
        is_open = reached.scope == number and reached.until is None
        if is_open and (reached.patient, reached.origin) not in through:
            state.reached[place] = reached._replace(until=epoch)
    for patient, origin in through - scope.through:
        state.reached.append(Reached(number, patient, origin, epoch))
    state.scopes[number] = scope._replace(ids=ids, epoch=epoch, through=through)
