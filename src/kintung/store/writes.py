"""What a commit is made of, ready to store, and what became of it."""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from kintung.store.links import LinkChange
from kintung.store.versions import Method, Ownership


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
