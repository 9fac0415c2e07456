"""Which source Patients are one person, and what that makes of links and scopes. Pure rules.

A person is what CERTAIN and MERGED links join. Where that would join a pair that a steward keeps apart,
its CERTAIN links count for nothing, only the MERGED ones do, and they wait for a steward: so the persons
follow from the links alone, in whatever order they were made. See ADR 0023.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from kintung.errors import Conflict, RuleFailed, VersionConflict
from kintung.store.links import Link, LinkChange, LinkKind

Pair = tuple[str, str]
"""Two ids of Patients, sorted."""

Node = TypeVar("Node", str, int)
"""A source Patient, by its id or by the key of a database."""


def pair_of(one: str, other: str) -> Pair:
    """The pair of two source Patients; raises RuleFailed when they are the same."""
    if one == other:
        raise RuleFailed(
            f"Patient/{one} is one source record; a link is between two.", path="Patient.link.other"
        )
    return (one, other) if one < other else (other, one)


# --- Persons --------------------------------------------------------------------------


def persons_of(links: Iterable[Link]) -> dict[str, frozenset[str]]:
    """The person of each source Patient that is not one alone."""
    links = list(links)
    apart = [link for link in links if link.decided is LinkKind.APART]
    found: dict[str, frozenset[str]] = {}
    for joined in _joined(link for link in links if link.is_linked):
        if any(link.one in joined and link.other in joined for link in apart):
            merged = (link for link in links if link.decided is LinkKind.MERGED and link.one in joined)
            for person in _joined(merged):
                found.update(dict.fromkeys(person, person))
        else:
            found.update(dict.fromkeys(joined, joined))
    return found


def _joined(links: Iterable[Link]) -> list[frozenset[str]]:
    """The sets of two or more that links join."""
    beside: defaultdict[str, list[str]] = defaultdict(list)
    for link in links:
        beside[link.one].append(link.other)
        beside[link.other].append(link.one)
    sets: list[frozenset[str]] = []
    met: set[str] = set()
    for start in beside:
        if start in met:
            continue
        reached, waiting = {start}, [start]
        while waiting:
            new = set(beside[waiting.pop()]) - reached
            reached |= new
            waiting += new
        met |= reached
        sets.append(frozenset(reached))
    return sets


def person_of(persons: Mapping[str, frozenset[str]], patient: str) -> frozenset[str]:
    """The person of a source Patient, itself where it has no link."""
    return persons.get(patient, frozenset((patient,)))


def waits(link: Link, persons: Mapping[str, frozenset[str]]) -> bool:
    """Is it for a steward to decide: a finding that does not make one person of them?"""
    is_open = link.decided is LinkKind.NOTHING and link.found is not LinkKind.NOTHING
    return is_open and link.other not in person_of(persons, link.one)


# --- Changes --------------------------------------------------------------------------


def said(
    links: Mapping[Pair, Link], changes: Sequence[LinkChange], number: int, at: int
) -> list[tuple[LinkChange, Link]]:
    """What changes, in order, and how each pair stands after it; what says nothing new is left out.

    Args:
        links: all pairs of the source Patients that are named, and of those linked to them.
        number: of the last thing said of any pair before.
        at: the instant of it all, UTC microseconds.

    Raises:
        RuleFailed: a link of a source Patient with itself.
        VersionConflict: the pair does not stand as who decides saw it.
        Conflict: what is decided stands already, or contradicts what other pairs were decided to be.
    """
    now = dict(links)
    done: list[tuple[LinkChange, Link]] = []
    for change in changes:
        pair = pair_of(change.one, change.other)
        before = now.get(pair) or Link(*pair)
        after = _after(before, change)
        if after == before:
            continue
        number += 1
        now[pair] = after._replace(version=before.version + 1, number=number, at=at)
        done.append((change, now[pair]))
        if change.kind.is_decision:
            _refuse_contradiction(now.values(), change)
    return done


def _after(before: Link, change: LinkChange) -> Link:
    """How a pair stands after something was said of it: still as before when that is nothing new."""
    kind = change.kind
    if change.expected is not None and change.expected != before.version:
        raise VersionConflict(
            f"Something else was said of Patient/{before.one} and Patient/{before.other} meanwhile;"
            " look at the pair again and decide anew."
        )
    if not kind.is_decision:
        score = change.score if kind is not LinkKind.NOTHING else 0
        return before._replace(found=kind, score=score)
    names = f"Patient/{before.one} and Patient/{before.other}"
    if kind is LinkKind.WITHDRAWN:
        if before.decided is LinkKind.NOTHING:
            raise Conflict(f"Nothing is decided of {names}; there is nothing to take back.")
        return before._replace(decided=LinkKind.NOTHING)
    if kind is before.decided:
        raise Conflict(f"{names} are {_WORDS[kind]} already.")
    if (before.decided, kind) == (LinkKind.APART, LinkKind.MERGED):
        raise Conflict(f"{names} are kept apart; take that decision back before you merge them.")
    return before._replace(decided=kind)


_WORDS = {LinkKind.MERGED: "merged", LinkKind.APART: "kept apart"}


def _refuse_contradiction(links: Iterable[Link], change: LinkChange) -> None:
    links = list(links)
    for joined in _joined(link for link in links if link.decided is LinkKind.MERGED):
        for link in links:
            if link.decided is LinkKind.APART and link.one in joined and link.other in joined:
                raise Conflict(  # which pair is not said: it may be hidden from who decides
                    f"With this of Patient/{change.one} and Patient/{change.other}, merges would make one"
                    " person of two that are kept apart; take one of these decisions back first."
                )


# --- Scopes ---------------------------------------------------------------------------


def expanded(
    person: Collection[Node], granted: Collection[Node], denied: Collection[Node]
) -> tuple[frozenset[Node], frozenset[tuple[Node, Node]]]:
    """What a scope that grants some source Patients and denies others holds of a person.

    A denial of one holds for all of the person. Given beside it are pairs (reached, granted): who is in
    the scope only because the other is granted.
    """
    stated = [patient for patient in person if patient in granted]
    if not stated or any(patient in denied for patient in person):
        return frozenset(), frozenset()
    others = [patient for patient in person if patient not in granted]
    return frozenset(person), frozenset((reached, origin) for reached in others for origin in stated)
