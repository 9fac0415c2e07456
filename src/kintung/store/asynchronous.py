"""Requests that are answered later: what was asked, and its answer until it is fetched or has expired.

They stand in the database of the record, so that any worker may do what any other accepted. What was
asked, by whose access, and the answer are sealed before they come here; a row tells no more than that a
client asked something. Who takes one acts for who asked: nothing here bypasses a Reader. ADR 0021.
"""

from typing import NamedTuple, Protocol

from kintung.store.bell import Bell

NEVER = 2**62
"""When it is due what is answered: UTC microseconds."""
WAITING_MICROS = 24 * 3_600_000_000
"""For how long one that nobody answers is kept."""


class Wanted(NamedTuple):
    """A request to be answered later: a random id, whose it is, and what is sealed of it."""

    id: str
    client: str
    asked: bytes
    access: bytes


class Taken(NamedTuple):
    """One under way. ``attempts`` counts this one; id, access and attempts together name it: who lost
    it meanwhile changes nothing."""

    id: str
    client: str
    asked: bytes
    access: bytes
    attempts: int


class Found(NamedTuple):
    """How one stands; ``answer`` is None until there is one."""

    is_under_way: bool
    answer: bytes | None


class Asynchronous(Protocol):
    """The requests of one store that are answered later.

    Every change is durable when the call returns; all raise Unavailable. One that has expired is as
    absent as one that never was, and so is another client's.
    """

    queued: Bell
    """Rings after each request that this process accepted."""

    def put(self, wanted: Wanted, most: int) -> bool:
        """Accept one; False, and nothing, when its client has ``most`` that were not removed."""
        ...

    def look(self, id: str, client: str) -> Found | None:
        """How one of a client's stands."""
        ...

    def again(self, id: str, client: str, access: bytes) -> bool:
        """Throw the answer away and let the request be done by this access; False when there is none."""
        ...

    def cancel(self, id: str, client: str) -> bool:
        """Remove one, with its answer; False when there is none."""
        ...

    def take(self, lease_micros: int) -> Taken | None:
        """The oldest that is due; due again when the lease ends, so that it is not lost with who took it."""
        ...

    def finish(self, taken: Taken, answer: bytes, until: int) -> bool:
        """Keep the answer until an instant; False, and nothing, when it was cancelled, or taken since."""
        ...

    def sweep(self) -> int:
        """Remove what has expired; how many those were."""
        ...

    def waiting(self) -> int:
        """How many are not answered: a number only, so nothing is asked for it."""
        ...
