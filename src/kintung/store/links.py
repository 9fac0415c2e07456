"""Links between source Patients: what is said of a pair, by whom, and how the pair stands.

A person is a set of source Patients; ``kintung.store.persons`` says which. Source records keep their own
Patient and their own references: a link is beside them. Of a pair two things stand apart: what a rule
**found** in the two records (certain, probable, nothing) and what a steward **decided** (merged, apart).
A decision goes before a finding until it is withdrawn. All that was ever said of a pair is kept.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple


class LinkKind(IntEnum):
    """What is said of a pair."""

    NOTHING = 0
    """The rule finds no link (any more)."""
    PROBABLE = 1
    """The rule asks a steward; links nothing."""
    CERTAIN = 2
    """The rule links them."""
    MERGED = 3
    """A steward says that they are one person."""
    APART = 4
    """A steward says that they are two."""
    WITHDRAWN = 5
    """A steward takes the last decision back."""

    @property
    def is_decision(self) -> bool:
        """Is it a steward's, and not of a rule?"""
        return self >= LinkKind.MERGED


class LinkChange(NamedTuple):
    """Something said of two source Patients (ids, in any order).

    ``score`` is of a rule, in hundredths. ``why`` explains it, without clinical content; it is stored
    sealed. ``expected`` is ``Link.version`` as whoever decides saw it, 0 for a pair nothing was said of;
    None for a rule, which says what is so whatever was said before.
    """

    one: str
    other: str
    kind: LinkKind
    by: str
    why: str = ""
    score: int = 0
    expected: int | None = None


class Link(NamedTuple):
    """How a pair of source Patients stands; ``one`` sorts before ``other``.

    Attributes:
        found: NOTHING, PROBABLE or CERTAIN: what the rule said last, with its ``score``.
        decided: NOTHING, MERGED or APART: what stewards decided last.
        version: how often something was said of the pair.
        number: counts what is said of all pairs: the place of the last thing said of this one.
        at: when that was said, UTC microseconds.
    """

    one: str
    other: str
    found: LinkKind = LinkKind.NOTHING
    score: int = 0
    decided: LinkKind = LinkKind.NOTHING
    version: int = 0
    number: int = 0
    at: int = 0

    @property
    def pair(self) -> tuple[str, str]:
        return (self.one, self.other)

    @property
    def is_linked(self) -> bool:
        """Does it make them one person, as far as it depends on this pair?"""
        if self.decided is LinkKind.NOTHING:
            return self.found is LinkKind.CERTAIN
        return self.decided is LinkKind.MERGED


class Said(NamedTuple):
    """One thing that was said of a pair; ``version`` counts them, ``at`` in UTC microseconds."""

    version: int
    kind: LinkKind
    score: int
    by: str
    why: str
    at: int


class Turned(NamedTuple):
    """Something said of a pair, and whether they were linked before it and are after it.

    ``number`` counts what is said of all pairs, ``at`` in UTC microseconds.
    """

    number: int
    at: int
    one: str
    other: str
    was_linked: bool
    is_linked: bool


def linked_after(kinds: Iterable[LinkKind]) -> Iterator[bool]:
    """Whether a pair is linked after each thing that was ever said of it, oldest first."""
    link = Link("", "")
    for kind in kinds:
        if kind is LinkKind.WITHDRAWN:
            link = link._replace(decided=LinkKind.NOTHING)
        elif kind.is_decision:
            link = link._replace(decided=kind)
        else:
            link = link._replace(found=kind)
        yield link.is_linked


class Disclosed(NamedTuple):
    """A disclosure of a source Patient: where it stands in the audit, and nothing of what was disclosed."""

    audit: int
    patient: str
    at: int
    actor: str
    organisation: str
    purpose: str
    operation: str
