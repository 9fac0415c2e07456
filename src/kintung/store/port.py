"""The port: what any store of the record promises.

What it gives back is in ``versions``, what a commit writes in ``writes``. Three adapters keep it: ``sqlite``,
``postgres`` and ``memory`` (the plain reference both are compared with). All calls are synchronous; a write
is answered through a Future that is set after the commit is durable.

The one write is a **commit** of a :class:`Unit`. A unit does not say what to write but how
to find out: ``prepare(view)`` reads through the view it is given and returns a
:class:`Prepared`. The store calls it once outside the commit lock and records what it read.
Inside the lock the recorded reads are repeated; if one answers differently now, ``prepare``
is called again there, on the state it will change. So every precondition (``If-Match``,
conditional criteria, ownership of a source, the epoch of a grant) is rechecked inside, and
no caller writes a check twice.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from kintung.fhir.search import Query
from kintung.store.asynchronous import Asynchronous
from kintung.store.bell import Bell
from kintung.store.links import Disclosed, Link, Said, Turned
from kintung.store.notices import Notices
from kintung.store.reader import Reader, Scope
from kintung.store.system import System
from kintung.store.versions import (
    Current,
    Known,
    LogEntry,
    Match,
    Numbers,
    Opened,
    Ownership,
    Page,
    Paging,
    Sharing,
    Version,
)
from kintung.store.writes import AuditRecord, Idempotency, Prepared, Receipt


class View(Protocol):
    """A consistent reading of the store; every call takes the Reader it answers."""

    @property
    def sequence(self) -> int:
        """The last committed sequence number this view sees."""
        ...

    def current(self, reader: Reader, type: str, id: str) -> Current | None:
        """The state of a resource, or None when it is absent or hidden."""
        ...

    def read(self, reader: Reader, type: str, id: str) -> Version:
        """The current version.

        Raises:
            NotFound: absent, or hidden from the reader.
            Deleted: the last version is a deletion and the reader could see it.
        """
        ...

    def vread(self, reader: Reader, type: str, id: str, version_id: int) -> Version:
        """One version; raises NotFound, or Deleted when that version is a deletion."""
        ...

    def history(
        self,
        reader: Reader,
        type: str | None = None,
        id: str | None = None,
        *,
        since: int | None = None,
        at: tuple[int, int] | None = None,
        oldest_first: bool = False,
        paging: Paging,
    ) -> Page:
        """Versions, newest first, that the reader sees of an instance, a type or the system.

        A version is visible when its own owners and those of the current version are.

        Args:
            since: only versions at or after this instant, UTC microseconds.
            at: only versions current at some point of this half-open span, UTC microseconds. A
                version is current until the next one of its resource that the reader sees.
            oldest_first: turn the order round.

        Raises:
            NotFound: the instance is absent or hidden.
        """
        ...

    def search(self, reader: Reader, query: Query, paging: Paging) -> Page:
        """Current resources that match, in the order of the query (newest commit first).

        A resource that matches and does not change between the first page and the last
        comes exactly once; one created or changed after the first page does not come on
        later pages. What a page includes is as it is now.

        Raises:
            TooCostly: a page would include more than ``kintung.store.inclusion`` allows.
        """
        ...

    def match(self, reader: Reader, query: Query, limit: int = 2) -> tuple[Match, ...]:
        """At most ``limit`` visible matches, for conditional interactions."""
        ...

    def sharing(self, reader: Reader, keys: Collection[int], limit: int) -> list[Sharing]:
        """Current Patients that the reader sees and that share keys (``KEY_ATOM``), who shares most first.

        Of those that share as many the newest comes first. A key that more than ``MOST_SHARING`` of
        them have (``kintung.store.sharing``) counts for nobody.
        """
        ...

    def bearing(self, reader: Reader, numbers: Numbers, most: int) -> tuple[Version, ...] | None:
        """Current Patients that the reader sees and that have one of these identifiers, the newest first.

        None of more than ``most``. What a search by ``identifier`` finds, asked directly.
        """
        ...

    def owners_of(self, type: str, id: str) -> Ownership | None:
        """Owners of a resource others derive theirs from. For writing only: never an answer.

        Those of its last version, also when that is a deletion: nothing comes to be nobody's
        because its source was deleted. None when it was never stored.
        """
        ...

    def bearers(self, numbers: Numbers, most: int) -> tuple[Match, ...] | None:
        """Patients that have one of these identifiers, by id, whoever asks; None of more than ``most``.

        What a search by ``identifier`` finds, asked directly: it is asked for every new Patient. For
        writing only: never an answer.

        Args:
            numbers: of systems that are vaulted.
        """
        ...

    # Persons: see ``kintung.store.links``. Ids are of source Patients, pairs in any order.

    def person(self, reader: Reader, id: str) -> tuple[str, ...]:
        """The source Patients of the person that Patient ``id`` is of, itself among them, sorted.

        Those that the reader sees, deleted ones too; () when ``id`` is absent or hidden.
        """
        ...

    def known(
        self,
        reader: Reader,
        patients: Sequence[str],
        types: Collection[str],
        *,
        most: int,
        at: int | None = None,
    ) -> Known:
        """What is known of source Patients and is of one of them alone: each resource as it is, newest first.

        With ``at`` as it was then: of each resource the last version that the reader sees of those stored
        until that instant, UTC microseconds. A version is visible as in a history; what was deleted by then
        is not known. Whether one is a source Patient of a person is not asked here.

        Args:
            types: resource types; none is known of no type.
            most: how many at most; fewer of large ones.
        """
        ...

    def opened(self, reader: Reader, actor: str, organisation: str, most: int) -> tuple[Opened, ...]:
        """Persons whose records an actor opened when it asked for an organisation, the last opened first.

        By the audit (``AuditRecord.opened``). Each person once, by that of its Patients that was opened
        last; only by Patients that the reader sees now and that are not deleted. Who is one person is as
        of now. Nobody for an actor without a name.
        """
        ...

    def link(self, reader: Reader, one: str, other: str) -> Link | None:
        """How a pair stands; None when nothing was ever said of it, or either is absent or hidden."""
        ...

    def links_of(self, reader: Reader, id: str) -> tuple[Link, ...]:
        """All links of a source Patient of which the reader sees both, in the order of the other."""
        ...

    def saw_through(self, reader: Reader, id: str, other: str) -> bool:
        """Whether Patient ``other`` was in the scope of the reader by the person of ``id``, and is not now.

        Only because another is granted, who is of the person of ``id``, which the reader sees; and of
        what the labels of ``other`` do not hide. False for a reader without a scope.
        """
        ...

    def queue(self, reader: Reader, limit: int, after: int = 0) -> tuple[Link, ...]:
        """Links that wait for a steward and of which the reader sees both, longest waiting first.

        Args:
            after: ``number`` of the last link of the page before.
        """
        ...

    def said(self, reader: Reader, one: str, other: str) -> tuple[Said, ...]:
        """All that was ever said of a pair, oldest first; () when either is absent or hidden."""
        ...

    def disclosed(self, reader: Reader, one: str, other: str) -> tuple[Disclosed, ...]:
        """What was disclosed through the link of a pair, oldest first; () when either is absent or hidden.

        The sides are the persons of both when their own link is taken away. Disclosed through it is what
        a scope that granted only source Patients of the one side showed of the other, and what a request
        for everything of a person on the one side showed of the other; nothing while another link
        makes them one person.
        """
        ...


@dataclass(frozen=True, slots=True)
class Unit:
    """One atomic request to write."""

    reader: Reader
    prepare: Callable[[View], Prepared]
    idempotency: Idempotency | None = None


class Read(NamedTuple):
    """A question put to a view and what it answered; plain data, so it may cross processes."""

    question: Literal["current", "match", "bearers", "owners_of", "link", "links_of"]
    about: tuple[Any, ...]
    answer: object

    def ask(self, view: View) -> object:
        """What the view answers."""
        return getattr(view, self.question)(*self.about)


class Rehearsal(NamedTuple):
    """A unit prepared outside the lock, with what it read."""

    prepared: Prepared
    reads: tuple[Read, ...]
    sequence: int = -1
    """The last commit the view had seen: while it is still the last, all it read is still so."""


class Claimed(NamedTuple):
    number: int
    kind: str
    payload: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing ``check`` found broken: which proof failed, and where."""

    proof: Literal["index", "versions", "chain", "ownership", "schema", "bodies", "entities", "persons"]
    message: str
    where: str = ""


class Store(Protocol):
    """A record store."""

    waits: bool
    """Reads may wait for another process: call them off the event loop."""
    jobs_queued: Bell
    """Rings after each commit of this process that queued a job."""
    notices: Notices
    """What waits to be told to subscribers."""
    asynchronous: Asynchronous
    """Requests that are answered later."""

    def view(self) -> AbstractContextManager[View]:
        """Open a consistent reading; keep it short."""
        ...

    def lookup(self) -> AbstractContextManager[View]:
        """A view for one question about one resource by its id: cheaper where a view costs.

        Two questions put to it may be answered from different states.
        """
        ...

    def submit(self, unit: Unit) -> Future[Receipt]:
        """Commit a unit with the next group; the Future is set once it is durable.

        It may wait for a disk, where the unit is the first of a person; ``submit_at_once``
        does not.

        The Future raises

        - what ``prepare`` raises;
        - NotFound when a write is for an id that is taken and hidden from the reader;
        - VersionConflict when a write does not follow the version the reader sees, or is the
          second for one resource: a unit writes a resource once; or a pair does not stand as a
          decision expects;
        - Conflict, RuleFailed when a decision on a pair contradicts others, or is of one Patient;
        - Duplicate when the idempotency key came with another request. A key is kept for
          seven days; a unit that fails does not use it up;
        - Unavailable when the scope of the reader has another epoch now, or the commit lock
          could not be had in time.
        """
        ...

    def submit_at_once(self, unit: Unit) -> Future[Receipt] | None:
        """``submit`` where that waits for no disk; else None, and nothing was submitted."""
        ...

    def submit_rehearsed(self, unit: Unit, rehearsal: Rehearsal) -> Future[Receipt]:
        """``submit`` what another process rehearsed on its own view of the same record."""
        ...

    def record(self, *audits: AuditRecord) -> Future[Receipt]:
        """Make audit records durable with the next group, before what they tell of leaves."""
        ...

    def commit(self, unit: Unit) -> Receipt:
        """``submit`` and wait."""
        ...

    def scope(self, number: int) -> Scope:
        """The scope of that number, with its epoch now."""
        ...

    def follow(
        self, system: System, after: int, limit: int = 1000, *, opening: Collection[str] | None = None
    ) -> tuple[LogEntry, ...]:
        """Log entries with sequence numbers over ``after``, in order; never skips a late one.

        Bodies are those of the types ``opening``, None for all; others come without.

        Fewer than ``limit`` when large bodies fill a page; none only at the end. One page is
        one short transaction. Raises TimedOut when it cannot be kept short.
        """
        ...

    def reached(self, system: System, name: str) -> int:
        """The last sequence number that a follower of that name is done with; 0 before its first."""
        ...

    def reach(self, system: System, name: str, sequence: int) -> None:
        """Remember that a follower is done with the log up to and with ``sequence``; it never goes back."""
        ...

    def turned(self, system: System, after: int, limit: int = 1000) -> tuple[Turned, ...]:
        """What was said of pairs of Patients with numbers over ``after``, in order; none at the end."""
        ...

    def export(self, system: System, types: Sequence[str] = ()) -> Iterator[Version]:
        """Every current resource, in short transactions; raises TimedOut when one cannot be kept short."""
        ...

    def check(self, system: System) -> Iterator[Finding]:
        """Prove the store sound; gives what is broken, nothing when all is well."""
        ...

    def change_vault_secret(self, system: System) -> int | None:
        """Hash every vaulted number again, under a new secret, and destroy the old one.

        One commit; readers go on, writers wait for it. Cut off anywhere, the index is whole
        under the old secret or the new, and to call it again goes on. Gives the number of
        resources that have such numbers; None when all but the last step of a change that
        was cut off had been done.

        Raises:
            Unavailable: a body cannot be opened, or the database or key store not written.
        """
        ...

    def claim(self, system: System, kind: str, lease_micros: int) -> Claimed | None:
        """Take the next due job of a kind, or one whose lease ran out.

        ``attempts`` counts this one. The number of a job is never given to another.
        """
        ...

    def finish(self, system: System, number: int) -> None:
        """The job is done."""
        ...

    def close(self) -> None: ...
