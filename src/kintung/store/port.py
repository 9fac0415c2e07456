"""The port: what any store of the record promises, and the values it takes and gives.

Three adapters keep it: ``sqlite``, ``postgres`` and ``memory`` (the plain reference both
are compared with). All calls are synchronous; a write is answered through a Future that
is set after the commit is durable.

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
from enum import IntEnum
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from kintung.fhir.search import Query
from kintung.store.asynchronous import Asynchronous
from kintung.store.bell import Bell
from kintung.store.links import Disclosed, Link, LinkChange, Said, Turned
from kintung.store.notices import Notices
from kintung.store.reader import Reader, Scope
from kintung.store.system import System


class Method(IntEnum):
    """What made a log entry."""

    CREATE = 1
    UPDATE = 2
    DELETE = 3
    LABEL = 4


class OwnerKind(IntEnum):
    """Whose a resource is; see ``kintung.definitions.ownership``."""

    PUBLIC = 0
    PERSON = 1
    ORGANISATION = 2
    SEVERAL = 3
    UNKNOWN = 4
    """Persons', but not known whose: what it derives its owners from was not there."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """The owners of one version: ids of Patients, and the Organization that deposited it.

    ``persons`` has one id for PERSON, one or more for SEVERAL, none otherwise; they have no
    order, and a store gives them sorted.
    ``kind`` of types that may have several persons is SEVERAL even while there is one. What is
    UNKNOWN is seen only by who may see every person's, until it is written again.
    """

    kind: OwnerKind
    persons: tuple[str, ...] = ()
    organisation: str = ""


class Version(NamedTuple):
    """One version as it is served. ``body`` is b"" for a deletion; ``at`` in UTC microseconds."""

    type: str
    id: str
    version_id: int
    at: int
    method: Method
    body: bytes
    patient_keys: tuple[int, ...]
    """Keys of the persons whose data it is: for the audit only, never shown."""


class Current(NamedTuple):
    """The state of a resource as a Reader who sees it knows it."""

    version_id: int
    deleted: bool
    ownership: Ownership


class Match(NamedTuple):
    type: str
    id: str
    version_id: int


class Sharing(NamedTuple):
    """Who shares how many of the keys that were asked for."""

    keys: int
    opened: Callable[[], Version]
    """Opens the Patient, for as long as the view lasts: of most it is enough how many keys they share."""


Numbers = tuple[tuple[str, str], ...]
"""Identifiers by system and value."""


class Position(NamedTuple):
    """The place after the last entry of a page: its sort values and its sequence number.

    A value is an int, a str, bytes, or None where the entry has none; only the store that
    gave a position understands it.
    """

    values: tuple[object, ...]
    sequence: int


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a search or a history is asked for.

    Attributes:
        count: entries of the page at most; 0 asks for the total alone.
        total: say how many there are, on page one only.
        sequence, after: ``sequence`` and ``next`` of the page before, to go on from there;
            neither for page one.

    Source: http://hl7.org/fhir/R4/http.html#paging.
    """

    count: int
    total: bool = False
    sequence: int | None = None
    after: Position | None = None

    def __post_init__(self) -> None:
        assert (self.sequence is None) == (self.after is None), "a place without the T it belongs to"


class Page(NamedTuple):
    """One page of a search or a history: at most as many entries as asked for, fewer when they
    are large, and at least one while there are more.

    ``sequence`` is the T of page one: what the whole walk through the pages is true of.
    ``next`` is None on the last page. ``total`` is None unless it was asked for. ``included`` is
    what the entries of this page include, newest first, nothing twice and none of the entries:
    neither counted nor in ``total``.
    """

    entries: tuple[Version, ...]
    sequence: int
    next: Position | None
    total: int | None
    included: tuple[Version, ...] = ()


class Known(NamedTuple):
    """What was known of persons, newest version first; ``is_cut`` when there is more than is given."""

    versions: tuple[Version, ...]
    is_cut: bool


class Opened(NamedTuple):
    """A Patient whose record somebody opened, as it is now; ``at`` when last, UTC microseconds."""

    patient: Version
    at: int


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


class Sealed(NamedTuple):
    """A body as it is stored: compressed, sealed, with the place of the server's meta members."""

    blob: bytes
    meta_at: int
    digest: bytes
    """SHA-256 over ``blob``."""


Term = tuple[str, str] | int
"""A token as the index holds it: (system, code) with "" for none, or a keyed hash."""


KEY_ATOM = -5
"""Atom of the keys that alike resources share: of its rows the term is the key, zero or more, and no number
of a term. Atoms of the standard's parameters are above zero, those of names -1 to -4."""


def is_hash(term: Term) -> bool:
    """Whether a term is a keyed hash: those are below zero."""
    return isinstance(term, int) and term < 0


class IndexRows(NamedTuple):
    """What the search index holds of one version, ready to store.

    A token of a vaulted system is a keyed hash under the secret that ``vault`` names. Composites
    and relations are as ``kintung.store.composites`` makes them.
    """

    tokens: list[tuple[int, Term]]
    references: list[tuple[int, str, str]]
    dates: list[tuple[int, int, int]]
    strings: list[tuple[int, str, str]]
    quantities: list[tuple[int, tuple[str, str], bytes, bytes]]
    composites: list[tuple[int, Term, Term, bytes, bytes]]
    relations: list[tuple[int, str, str, Term]]
    vault: str


class Write(NamedTuple):
    """One new version of one resource.

    ``expected`` is the version it follows as ``view.current`` showed it to the reader of the
    unit, 0 when it showed none; ``removes`` are the index rows of that version.
    """

    method: Method
    type: str
    id: str
    expected: int
    ownership: Ownership
    sealed: Sealed | None
    adds: IndexRows | None
    removes: IndexRows | None
    access: bytes = b""
    """By whose right what follows from this version is done, where it is kept: of Subscriptions."""


MOST_LABELS = 62
"""Labels that a record ever has: databases hold each as a bit of a signed 64-bit integer, from 1 on."""


class Relabel(NamedTuple):
    """A new set of security labels on a resource; its versions stay as they are.

    It hides or shows all of them. What is absent, or hidden from the reader of the unit and
    not written by it, is NotFound. A label that would be one too many for the record
    (``MOST_LABELS``) is RuleFailed, and so for ever: a label once given is never given up.
    """

    type: str
    id: str
    labels: frozenset[str]


class Grant(NamedTuple):
    """Source Patients (ids) granted to a scope, and no longer; its epoch grows by one.

    What is granted of one holds for all source Patients of the person, as long as they are one person.
    Who is denied is no part of the scope with all of the person, whatever is granted; ``lift`` ends that.
    Who stands in both ``add`` and ``remove`` is removed; in both ``deny`` and ``lift``, denied.
    """

    scope: int
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    lift: tuple[str, ...] = ()


class Job(NamedTuple):
    kind: str
    payload: bytes
    due: int
    """UTC microseconds."""


class AuditRecord(msgspec.Struct, frozen=True):
    """Who did what: one a request. Rendered as a BALP AuditEvent when read.

    ``request`` (method, path, parameters) is sealed before it is stored. ``patient_keys`` are
    those disclosed; the persons written to are added by the commit, and those a steward decides of.
    ``scope`` and ``epoch`` are those of the Scope it rests on, 0 for none. ``about`` is the key of the
    Patient whose person was asked for as a whole, 0 for none; ``opened`` is that of the Patient whose
    record somebody opened to read it.
    """

    actor: str
    organisation: str
    purpose: str
    operation: str
    request: str
    status: int
    grant: str = ""
    patient_keys: tuple[int, ...] = ()
    scope: int = 0
    epoch: int = 0
    about: int = 0
    opened: int = 0


class Outcome(NamedTuple):
    """What became of one entry of a unit: which write, or which resource it matched.

    ``status`` is the HTTP status of the entry; ``write`` the place in ``Prepared.writes`` or
    None when nothing was written.
    """

    status: int
    type: str = ""
    id: str = ""
    version_id: int = 0
    write: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a unit will do to the state it was prepared on."""

    writes: tuple[Write, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    audit: AuditRecord | None = None
    relabels: tuple[Relabel, ...] = ()
    grants: tuple[Grant, ...] = ()
    jobs: tuple[Job, ...] = ()
    links: tuple[LinkChange, ...] = ()


IDEMPOTENCY_MICROS = 7 * 24 * 3_600 * 1_000_000
"""How long the key of a request is remembered: seven days."""


class Idempotency(NamedTuple):
    """A key of a client (both ASCII) and the SHA-256 of the request it came with."""

    client: str
    key: str
    digest: bytes


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


class Done(NamedTuple):
    """What became of one entry, with the version and the instant the commit gave it.

    ``at`` is 0 when nothing was written.
    """

    status: int
    type: str
    id: str
    version_id: int
    at: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a commit. ``replayed``: the effect is of an earlier use of the same key.

    ``sequence`` is the last one the log had when this unit was done: all of it is within.
    """

    done: tuple[Done, ...]
    sequence: int
    at: int
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Logged:
    """What the log says of one entry; ``at`` in UTC microseconds."""

    sequence: int
    at: int
    method: Method
    type: str
    id: str
    version_id: int
    ownership: Ownership
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class LogEntry(Logged):
    """One entry of the log, as followers read it. ``body`` is b"" for a deletion or a label."""

    body: bytes


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
