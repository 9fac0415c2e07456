"""What a store of the record gives back: versions, whose they are, and pages of them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


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
