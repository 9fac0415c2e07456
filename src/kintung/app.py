"""The only place that wires adapters to domains: from a database URL to a node."""

import hashlib
import os
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from kintung.clock import Clock, Entropy, SystemClock, SystemEntropy
from kintung.errors import BadInput
from kintung.fhir.search import OFFSET_MINUTES, OtherForms, fingerprint
from kintung.identity import identifiers
from kintung.identity.feed import Feed
from kintung.identity.judge import matched
from kintung.identity.likeness import key_rows, likeness_fingerprint
from kintung.identity.name_search import name_forms, name_rows, names_fingerprint
from kintung.store.audit import AuditBook
from kintung.store.keys import KeyStore
from kintung.store.port import Store
from kintung.store.scribe import Scribe
from kintung.store.sealing import Sealer
from kintung.store.sql.database import unreadable_address
from kintung.store.sql.migrations import Facts
from kintung.store.sql.store import Backend, SqlStore
from kintung.store.system import System
from kintung.store.vault import Vaults, name_of
from kintung.subscriptions import Allowed, Outbound, Service, Told


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may set.

    Attributes:
        offset_minutes: zone of dates without one, minutes east of UTC; by default that of
            Hong Kong, Macao and Guangdong. Fixed for a database.
        read_seconds: the longest a reading statement may take.
        search_rows: what a search may have to look at; one estimated to need more is refused.
            A million take about a second.
        connections: as many as a process opens to a PostgreSQL server: one to write with, the
            others to read with.
    """

    offset_minutes: int = OFFSET_MINUTES
    read_seconds: float = 10.0
    search_rows: int = 10_000_000
    connections: int = 9


@dataclass(frozen=True, slots=True)
class Node:
    """One jurisdiction's record and what is needed to use it."""

    store: Store
    scribe: Scribe
    audit: AuditBook
    clock: Clock
    entropy: Entropy
    feed: Feed
    settings: Settings
    cursor_key: bytes
    asynchronous_key: bytes
    other_forms: OtherForms = name_forms


judge = matched
"""What the registry of a node says of two Patients."""


def system(purpose: str) -> System:
    """The capability of a part of the node that must bypass a person's Reader."""
    return System(purpose)


@contextmanager
def telling(node: Node, base: str, allowed: Allowed) -> Generator[None]:
    """Follow the log and tell subscribers, in threads of this process, until the end of the block.

    Args:
        base: address of the FHIR API as subscribers know it.
        allowed: where this node sends to.
    """
    told = Told(node.store, node.scribe, node.clock, node.entropy, system("subscriptions"), base, allowed)
    with closing(Service(told, Outbound(allowed))):
        yield


@contextmanager
def open_node(
    url: str,
    *,
    keys: Path | None = None,
    settings: Settings | None = None,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
) -> Generator[Node]:
    """Open the record at ``url`` and close it at the end of the block.

    Args:
        url: ``sqlite:///relative/or/absolute.db``, ``postgresql://...`` or ``memory:``.
        keys: the key store file; by default beside a SQLite file, else in the data folder.

    Raises:
        BadInput: the URL is of none of these kinds, or cannot be understood.
        Unavailable: the database cannot be opened.
    """
    settings = settings or Settings()
    clock = clock or SystemClock()
    entropy = entropy or SystemEntropy()
    key_store = KeyStore(keys or key_path(url), entropy)
    with closing(key_store):
        sealer = Sealer(key_store, entropy)
        vaults = Vaults(key_store, identifiers.VAULTED)
        scribe = Scribe(sealer, vaults, settings.offset_minutes, name_rows, key_rows)
        audit = AuditBook(key_store, entropy)
        store = _store(url, settings, key_store, sealer, scribe, vaults, audit, clock)
        with closing(store):
            yield Node(
                store,
                scribe,
                audit,
                clock,
                entropy,
                Feed(matched),
                settings,
                key_store.secret("cursor"),
                key_store.secret("asynchronous"),
            )


def _store(
    url: str,
    settings: Settings,
    keys: KeyStore,
    sealer: Sealer,
    scribe: Scribe,
    vaults: Vaults,
    audit: AuditBook,
    clock: Clock,
) -> Store:
    if url == "memory:":
        from kintung.store.memory import MemoryStore  # noqa: PLC0415 - heavy adapters load when asked for

        return MemoryStore(scribe, clock)
    return SqlStore(
        _backend(url, settings, _facts(settings, keys)),
        keys,
        sealer,
        scribe,
        vaults,
        audit,
        clock,
        settings.search_rows,
    )


def _backend(url: str, settings: Settings, facts: Facts) -> Backend:
    if url.startswith("sqlite:///"):
        from kintung.store.sqlite import SqliteBackend  # noqa: PLC0415

        path = sqlite_path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # the index holds names; SQLite gives its other files the same mode
        return SqliteBackend(path, read_seconds=settings.read_seconds, facts=facts)
    if _parts(url).scheme in ("postgresql", "postgres"):
        from kintung.store.postgres import PostgresBackend  # noqa: PLC0415

        return PostgresBackend(
            url, read_seconds=settings.read_seconds, connections=settings.connections, facts=facts
        )
    raise BadInput(
        f"{url.split(':', maxsplit=1)[0]}: is not a database; use sqlite:///file.db or postgresql://..."
    )


def _facts(settings: Settings, keys: KeyStore) -> Facts:
    """What the search index of a database rests on, and must go on resting on.

    With another key store its bodies could not be read, and what is new would be sealed
    under keys of the same numbers. With other vaulted systems, numbers stored in clear would
    not be found by their hashes, nor the other way round; nor under another secret of the vault,
    which while it is changed is one of two. With other tables of names, people would not be found
    by the forms their names had in these, nor, by other keys, who is like them.
    """
    return {
        "offset_minutes": str(settings.offset_minutes),
        "search": fingerprint(),
        "names": names_fingerprint(),
        "likeness": likeness_fingerprint(),
        "identifiers": identifiers.fingerprint(),
        "keys": hashlib.sha256(b"kintung key store " + keys.secret("own")).hexdigest(),
        "vault": tuple(map(name_of, keys.vault_secrets())),
    }


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - it is read here so that a false one is refused here
    except ValueError:
        raise unreadable_address() from None
    return parts


def sqlite_path(url: str) -> Path:
    """The file a ``sqlite:///`` URL names; three slashes are relative, four absolute."""
    return Path(url.removeprefix("sqlite:///"))


def data_folder() -> Path:
    """The user's data folder for Kintung (XDG_DATA_HOME, by default ~/.local/share)."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
    return Path(home) / "kintung"


def default_url() -> str:
    """The database used when none is named: a file in the user's data folder."""
    return f"sqlite:///{data_folder() / 'record.db'}"


def key_path(url: str) -> Path | None:
    """Where the keys of a database lie; None for a node in memory."""
    if url == "memory:":
        return None
    if url.startswith("sqlite:///"):
        path = sqlite_path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_name(f"{path.name}.keys")
    parts = _parts(url)
    place = f"{parts.hostname}:{parts.port}{parts.path}?{parts.query}"
    name = hashlib.sha256(place.encode()).hexdigest()[:16]
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.keys"
