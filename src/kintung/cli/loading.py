"""Loading: items prepared by several processes, committed in order by one.

Each item goes the way a request goes: parsed, validated, prepared as a unit, committed with
an idempotency key. Preparing (three quarters of the work) is done in other processes on
their own reading of the record; what they read is asked again inside the commit lock, so an
item prepared on an older state is prepared again there.
"""

import gc
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from kintung.app import Node, Settings, open_node
from kintung.cli.sources import Item
from kintung.consent import Access, Right
from kintung.errors import KintungError
from kintung.fhir.json import parse
from kintung.store.port import Idempotency, Prepared, Receipt, Rehearsal, Unit, View
from kintung.store.reader import Reader
from kintung.store.units import rehearse
from kintung.web.fhir.batch import Batch
from kintung.web.fhir.bundle import received
from kintung.web.fhir.create import create
from kintung.web.fhir.entries import REGISTRY
from kintung.web.fhir.exchange import Request
from kintung.web.fhir.transaction import Transaction
from kintung.web.fhir.update import update
from kintung.web.site import Site, WebSettings

_ACCESS = Access(
    actor="load",
    organisation="",
    purpose="",
    reader=Reader.everything("load"),
    rights=frozenset({Right.DEPOSIT, Right.PLACE, Right.VIEW}),
    client="load",
)
_HEADERS = {b"prefer": b"return=minimal"}
_EXECUTED = ("transaction", "batch")

CHUNK_BYTES = 256 * 1024
"""Items are handed to a process in chunks of about this size."""
IN_FLIGHT = 6
"""Chunks on their way at once for each process."""


@dataclass(slots=True)
class Tally:
    """What became of the items so far."""

    items: int = 0
    resources: int = 0
    replayed: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    first_refused: dict[str, str] = field(default_factory=dict[str, str])

    def took(self, receipt: Receipt) -> None:
        self.items += 1
        self.resources += sum(1 for done in receipt.done if 200 <= done.status < 300)
        self.replayed += receipt.replayed

    def refuse(self, item: Item, error: KintungError) -> None:
        """Count a refusal by its reason, and remember where the first of each was."""
        self.items += 1
        reason = f"{error.issues[0].code}: {error.issues[0].message}"
        self.refused[reason] += 1
        self.first_refused.setdefault(reason, f"{item.file} line {item.place}, {error.path or 'whole'}")


class _Ready(NamedTuple):
    """An item as a process prepared it; ``error`` instead when it was refused."""

    rehearsal: Rehearsal | None
    error: KintungError | None


class Loader:
    """Loads items into a node."""

    def __init__(self, node: Node, url: str, keys: Path | None, processes: int | None = None) -> None:
        """Args:
        processes: that prepare; 0 prepares in this one, None takes one for each processor.
        """
        self._node = node
        self._site = _site(node)
        self._processes = (os.cpu_count() or 1) if processes is None else processes
        self._started = (url, keys, node.settings)

    def load(self, items: Iterable[Item], tally: Tally, show: Callable[[int], None]) -> None:
        """Load all items; a refused one is counted and stops nothing."""
        if not self._processes:
            for item in items:
                self._one(item, tally)
                show(tally.resources)
            return
        with ProcessPoolExecutor(
            self._processes, mp_context=get_context("spawn"), initializer=_start, initargs=self._started
        ) as pool:
            self._pipeline(pool, items, tally, show)

    def _pipeline(
        self, pool: ProcessPoolExecutor, items: Iterable[Item], tally: Tally, show: Callable[[int], None]
    ) -> None:
        preparing: deque[tuple[list[Item], Future[list[_Ready]]]] = deque()
        committing: deque[tuple[Item, Future[Receipt]]] = deque()
        for chunk in _chunks(items):
            preparing.append((chunk, pool.submit(_prepare, chunk)))
            if len(preparing) >= self._processes * IN_FLIGHT:
                self._commit_next(preparing, committing, tally)
                show(tally.resources)
        while preparing:
            self._commit_next(preparing, committing, tally)
            show(tally.resources)
        self._settle(committing, tally)

    def _commit_next(
        self,
        preparing: deque[tuple[list[Item], Future[list[_Ready]]]],
        committing: deque[tuple[Item, Future[Receipt]]],
        tally: Tally,
    ) -> None:
        """Hand one prepared chunk to the committer; take the answers of those before it."""
        chunk, future = preparing.popleft()
        for item, ready in zip(chunk, future.result(), strict=True):
            if ready.rehearsal is None:
                # It may rest on an item before it that was not committed when it was prepared.
                self._settle(committing, tally)
                self._one(item, tally)
                continue
            unit = Unit(_ACCESS.reader, _Later(self._site, item), _idempotency(item))
            committing.append((item, self._node.store.submit_rehearsed(unit, ready.rehearsal)))
        while len(committing) > len(chunk) * 2:
            _take(committing, tally)

    def _settle(self, committing: deque[tuple[Item, Future[Receipt]]], tally: Tally) -> None:
        while committing:
            _take(committing, tally)

    def _one(self, item: Item, tally: Tally) -> None:
        """Prepare and commit an item here, on the state it meets."""
        try:
            request = _request(item)
            if _executed(item.raw) == b"batch":
                answered = Batch(self._site, REGISTRY, request, received(self._site, item.raw)).answer()
                tally.items += 1
                tally.resources += answered.body.count(b'"status":"20')
                return
            tally.took(self._node.store.commit(_unit(self._site, item)))
        except KintungError as error:
            tally.refuse(item, error)


class _Later:
    """``prepare`` of an item that another process prepared: reads it only when it must."""

    def __init__(self, site: Site, item: Item) -> None:
        self._site = site
        self._item = item

    def __call__(self, view: View) -> Prepared:
        return _unit(self._site, self._item).prepare(view)


def _take(committing: deque[tuple[Item, Future[Receipt]]], tally: Tally) -> None:
    item, future = committing.popleft()
    try:
        tally.took(future.result())
    except KintungError as error:
        tally.refuse(item, error)


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += len(item.raw)
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


# --- One item -------------------------------------------------------------------------


def _unit(site: Site, item: Item) -> Unit:
    """The unit of an item: a transaction done, a resource stored under its id or a new one."""
    request = _request(item)
    if _executed(item.raw) == b"transaction":
        unit = Transaction(site, request, received(site, item.raw)).unit()
    else:
        resource = parse(item.raw)
        request.resource = resource
        type, id = str(resource.get("resourceType")), str(resource.get("id") or "")
        request.method, request.path = ("PUT", f"{type}/{id}") if id else ("POST", type)
        request.place({"type": type, "id": id})
        unit = (update if id else create)(site, request).unit
    return Unit(unit.reader, unit.prepare, _idempotency(item))


def _request(item: Item) -> Request:
    return Request("POST", "", "", _HEADERS, _ACCESS, "", item.raw)


def _idempotency(item: Item) -> Idempotency:
    return Idempotency(_ACCESS.client, item.key, sha256(item.raw).digest())


def _executed(raw: bytes) -> bytes | None:
    """transaction or batch, for a Bundle that is to be done and not to be stored."""
    if b'"Bundle"' not in raw:
        return None
    try:
        head = _HEAD.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None  # what is wrong with it is said where it is parsed
    return head.type.encode() if head.resource_type == "Bundle" and head.type in _EXECUTED else None


class _Head(msgspec.Struct, rename={"resource_type": "resourceType"}):
    resource_type: str = ""
    type: str = ""


_HEAD = msgspec.json.Decoder(_Head)


def _site(node: Node) -> Site:
    return Site.of(node, WebSettings(offset_minutes=node.settings.offset_minutes))


# --- In the preparing processes -------------------------------------------------------

_process: list[Site] = []
_resources = ExitStack()


def _start(url: str, keys: Path | None, settings: Settings) -> None:
    node = _resources.enter_context(open_node(url, keys=keys, settings=settings))
    _process.append(_site(node))
    gc.disable()  # with tens of thousands of elements alive it halves the rate of decoding


def _prepare(chunk: list[Item]) -> list[_Ready]:
    site = _process[0]
    ready: list[_Ready] = []
    with site.store.view() as view:
        for item in chunk:
            try:
                ready.append(_Ready(rehearse(_unit(site, item), view), None))
            except KintungError as error:
                ready.append(_Ready(None, error))
    gc.collect(1)
    return ready
