"""What the plain store holds: one value that a commit copies, changes, and puts in the place of the old."""

from dataclasses import dataclass, field
from typing import NamedTuple

from kintung.store.links import Link, LinkChange
from kintung.store.matching import Indexed
from kintung.store.persons import Pair
from kintung.store.versions import Logged
from kintung.store.writes import AuditRecord, IndexRows, Job, Receipt, Sealed

Name = tuple[str, str]
"""Type and id of a resource."""


@dataclass(frozen=True, slots=True)
class Entry(Logged):
    """One entry of the log, with what it stored. ``chained`` is the head of the hash chain after it."""

    sealed: Sealed | None
    adds: IndexRows | None
    found: Indexed | None
    chained: bytes = b""


class Persons(NamedTuple):
    """A scope: the source Patients now in it, and what was granted and denied."""

    ids: frozenset[str] = frozenset()
    epoch: int = 0
    granted: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    through: frozenset[tuple[str, str]] = frozenset()
    """Who is in it only because another of the person is granted, with that other."""


class Reached(NamedTuple):
    """From which epoch of a scope one was in it only because another was granted, and to which."""

    scope: int
    patient: str
    origin: str
    since: int
    until: int | None = None


class Uttered(NamedTuple):
    """Something said of a pair, and how that stood after it. ``chained`` as with entries."""

    change: LinkChange
    link: Link
    chained: bytes


class Remembered(NamedTuple):
    """What came of an idempotency key, and until when that is known."""

    digest: bytes
    receipt: Receipt
    until: int


class Audited(NamedTuple):
    at: int
    record: AuditRecord
    chained: bytes
    until: int = 0
    """The epoch of the scope of the record when this was stored."""


class Queued(NamedTuple):
    """A job; ``due`` moves on by the lease when it is claimed."""

    job: Job
    due: int
    attempts: int = 0


@dataclass(slots=True)
class State:
    """All that is stored. ``versions`` are those of the log by resource, oldest first."""

    log: list[Entry] = field(default_factory=list[Entry])
    versions: dict[Name, tuple[Entry, ...]] = field(default_factory=dict[Name, tuple[Entry, ...]])
    labels: dict[Name, frozenset[str]] = field(default_factory=dict[Name, frozenset[str]])
    patient_keys: dict[str, int] = field(default_factory=dict[str, int])
    scopes: dict[int, Persons] = field(default_factory=dict[int, Persons])
    remembered: dict[tuple[str, str], Remembered] = field(default_factory=dict[tuple[str, str], Remembered])
    audit: list[Audited] = field(default_factory=list[Audited])
    jobs: dict[int, Queued] = field(default_factory=dict[int, Queued])
    jobs_made: int = 0
    accesses: dict[tuple[str, int], bytes] = field(default_factory=dict[tuple[str, int], bytes])
    """Beside versions of Subscriptions, by id and version."""
    links: dict[Pair, Link] = field(default_factory=dict[Pair, Link])
    uttered: list[Uttered] = field(default_factory=list[Uttered])
    reached: list[Reached] = field(default_factory=list[Reached])
    at: int = 0
    """The instant of the last commit."""

    def begin(self, now: int) -> "State":
        """A copy to change; its instant is now, or that of the last commit when the clock went back."""
        state = self.copy()
        state.at = max(now, state.at)
        return state

    def copy(self) -> "State":
        """A state that changes without changing this one; what it holds never changes."""
        return State(
            log=self.log.copy(),
            versions=self.versions.copy(),
            labels=self.labels.copy(),
            patient_keys=self.patient_keys.copy(),
            scopes=self.scopes.copy(),
            remembered=self.remembered.copy(),
            audit=self.audit.copy(),
            jobs=self.jobs.copy(),
            jobs_made=self.jobs_made,
            accesses=self.accesses.copy(),
            links=self.links.copy(),
            uttered=self.uttered.copy(),
            reached=self.reached.copy(),
            at=self.at,
        )

    @property
    def sequence(self) -> int:
        return len(self.log)

    def labels_of(self, name: Name) -> frozenset[str]:
        return self.labels.get(name, frozenset())

    def patient_key(self, patient: str) -> int:
        """The key of a source Patient, allotted when it is first stored or referenced."""
        return self.patient_keys.setdefault(patient, len(self.patient_keys) + 1)
