"""The queue of notifications: who is told, what waits, and who works on it.

It stands in the database of the record, so that what follows from the log is queued in the
transaction that says how far the log has been followed. A row names a version of a resource and
holds nothing of it. A **lane** is a subscription and a resource: of a lane only the oldest row is
ever due. ADR 0018.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from kintung.definitions import Trigger
from kintung.store.reader import Reader
from kintung.store.system import System

NEVER = 2**62
"""When it is due what waits behind another of its lane, or is dead: UTC microseconds."""
BY_NODE = b"-"
"""What stands for an access beside a version that the node itself wrote."""

REQUESTED, ACTIVE, FAILING = 0, 1, 2
"""States of a subscriber: nothing but its handshake is sent; all is well; something was given up."""


class Subscriber(NamedTuple):
    """A Subscription in force.

    Attributes:
        version_id: of the Subscription that says what is wanted.
        events: numbers given so far to its notifications.
        access: of who deposited that version.
    """

    id: str
    version_id: int
    state: int
    events: int
    access: bytes


class Notice(NamedTuple):
    """What to tell a subscription of: one version of a resource, by the log entry that made it.

    ``sequence`` is 0 for the handshake, of which ``type`` and ``id`` are the Subscription's.
    ``at`` is the instant of the change, UTC microseconds.
    """

    subscription: str
    sequence: int
    type: str
    id: str
    version_id: int
    trigger: Trigger
    at: int


class Taken(NamedTuple):
    """A notice under way. ``attempts`` counts this one; ``event`` is 0 until a number is given.

    ``number`` and ``attempts`` together name it: who lost it meanwhile changes nothing.
    """

    number: int
    notice: Notice
    subscriber: Subscriber
    event: int
    attempts: int
    queued: int


class Dead(NamedTuple):
    """A notice that was given up; ``error`` says why, without anything of the resource."""

    number: int
    notice: Notice
    attempts: int
    queued: int
    error: str


class Tally(NamedTuple):
    """How much there is; ``oldest`` is when the longest waiting was queued, None when none waits."""

    subscribers: int
    waiting: int
    dead: int
    oldest: int | None


class Advance(NamedTuple):
    """What follows from a piece of the log.

    Attributes:
        was, now: the cursor before and after.
        said_was, said_now: the same of what was said of pairs (``Store.turned``).
        notices: those of a Subscription that is not in force are left out.
        begun: (id, version, access) of Subscriptions to be in force, each told by a handshake first.
        ended: ids of those in force no more; what waits for them is gone.
    """

    was: int
    now: int
    notices: Sequence[Notice] = ()
    begun: Sequence[tuple[str, int, bytes]] = ()
    ended: Collection[str] = ()
    said_was: int = 0
    said_now: int = 0


class Notices(Protocol):
    """The queue of one store. Every change is durable when the call returns; all raise Unavailable."""

    def lead(self, system: System, holder: str, lease_micros: int) -> int | None:
        """How far the log was followed, when ``holder`` may go on with it for that long; else None.

        To be asked again before the lease ends; when it has, another may lead.
        """
        ...

    def followed(self, system: System) -> int:
        """How far what was said of pairs was followed."""
        ...

    def resign(self, system: System, holder: str) -> None:
        """Lead no more, so that another need not wait for the lease to end."""
        ...

    def advance(self, system: System, holder: str, step: Advance) -> bool:
        """Move the cursor and queue what follows; False, and nothing, when another leads."""
        ...

    def access_of(self, system: System, id: str, version_id: int) -> bytes | None:
        """The access beside a version of a Subscription; None when it has none."""
        ...

    def subscribers(self, system: System) -> tuple[Subscriber, ...]:
        """All in force."""
        ...

    def take(self, system: System, lease_micros: int, busy: Collection[str] = ()) -> Taken | None:
        """The oldest notice that is due, of a subscription that is not ``busy``.

        It is due again when the lease ends, so that it is not lost with who took it.
        """
        ...

    def give_number(self, system: System, taken: Taken) -> int:
        """The number of its event among those of its subscription, from 1 on; the same when asked again."""
        ...

    def done(self, system: System, taken: Taken) -> None:
        """It is delivered, or must not be sent: the next of its lane becomes due."""
        ...

    def later(self, system: System, taken: Taken, due: int, error: str, *, all_of_it: bool) -> None:
        """Try again when due; with ``all_of_it`` nothing of the subscription is tried before."""
        ...

    def bury(self, system: System, taken: Taken, error: str) -> None:
        """Give it up; the next of its lane becomes due."""
        ...

    def mark(self, system: System, subscriber: Subscriber, state: int) -> None:
        """Set the state of a subscriber, unless it is at another version by now."""
        ...

    def end(self, system: System, subscriber: Subscriber) -> None:
        """In force no more, with all that waits for it, unless it is at another version by now."""
        ...

    def dead(self, system: System, limit: int = 1000) -> tuple[Dead, ...]:
        """The oldest that were given up."""
        ...

    def replay(self, system: System, numbers: Collection[int] | None = None) -> int:
        """Queue dead ones again, at the end of their lanes; None for all. How many that were."""
        ...

    def subscriber(self, reader: Reader, id: str) -> Subscriber | None:
        """A Subscription in force that the reader sees; its numbers tell of what its depositor sees."""
        ...

    def tally(self) -> Tally:
        """How much there is: numbers only, so nothing is asked for them."""
        ...
