"""Loading: items prepared by several processes, committed in order by one.

Each item goes the way a request goes: parsed, validated, prepared as a unit, committed with
an idempotency key. Preparing (three quarters of the work) is done in other processes on
their own reading of the record; what they read is asked again inside the commit lock, so an
item prepared on an older state is prepared again there. What a process could not prepare is
done here, after all before it: it may rest on them, or be refused.
"""

import gc
import os
import re
import signal
import traceback
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from kintung.app import Node, Settings, open_node
from kintung.cli.processes import end_with_parent
from kintung.cli.sources import Item
from kintung.consent import Access, Right
from kintung.errors import Issue, KintungError, NotFound, TimedOut, Unavailable
from kintung.fhir.json import parse
from kintung.store.port import Idempotency, Prepared, Read, Receipt, Rehearsal, Unit, View
from kintung.store.reader import Reader
from kintung.store.units import rehearse
from kintung.web.fhir.batch import Batch
from kintung.web.fhir.bundle import received
from kintung.web.fhir.create import create
from kintung.web.fhir.interactions import REGISTRY
from kintung.web.fhir.request import Request
from kintung.web.fhir.transaction import Transaction
from kintung.web.fhir.update import update
from kintung.web.site import Site, WebSettings

MOST_REASONS = 1_000
"""Reasons told apart; a file of another kind may be wrong in a new way on each line."""
_PLACE = re.compile(r"(?<=\[)[0-9]+(?=\])|(?<=\bline )[0-9]+|(?<=\bcolumn )[0-9]+")
"""The same fault at another place is not another reason."""

_ACCESS = Access(
    actor="load",
    organisation="",
    purpose="",
    reader=Reader.everything("load"),
    rights=frozenset({Right.DEPOSIT, Right.PLACE, Right.VIEW}),
    client="load",
)

CHUNK_BYTES = 256 * 1024
"""Items are handed to a process in chunks of about this size,"""
CHUNK_ITEMS = 250
"""or of this many: a load that is stopped waits for the chunks that are worked on."""
IN_FLIGHT = 6
"""Chunks on their way at once for each process."""
STRETCH = 500
"""So many items in a row that were not loaded before, and no more are asked about."""
IN_FLIGHT_BYTES = 64 * 1024 * 1024
"""No more is read ahead while this much is on its way: an item may be as large."""


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
        self.items += 1
        self._count(item, error.issues[0])

    def took_batch(self, item: Item, answered: bytes) -> None:
        """Count the entries of a batch, each done or refused for itself."""
        self.items += 1
        for entry in _answers.decode(answered).entry:
            if entry.response.status.startswith("2"):
                self.resources += 1
            else:
                self._count(item, entry.response.issue)

    def _count(self, item: Item, issue: Issue) -> None:
        """Count a refusal by its reason, and remember where the first of each was."""
        reason = _PLACE.sub("n", f"{issue.code}: {issue.message}")
        if reason not in self.refused and len(self.refused) >= MOST_REASONS:
            reason = "other reasons"
        self.refused[reason] += 1
        self.first_refused.setdefault(reason, f"{item.file} line {item.place}, {issue.path or 'whole'}")


class Loader:
    """Loads items into a node."""

    def __init__(
        self, node: Node, url: str, keys: Path | None, processes: int | None = None, base_url: str = ""
    ) -> None:
        """Args:
        processes: that prepare; 0 prepares in this one, None takes one for each processor.
        base_url: the node's own address; references under it are made local.
        """
        self._node = node
        self._site = _site(node, base_url)
        self._processes = (os.cpu_count() or 1) if processes is None else processes
        self._started = (url, keys, node.settings, base_url)

    def load(self, items: Iterable[Item], tally: Tally) -> None:
        """Load all items; a refused one is counted and stops nothing.

        Raises:
            Unavailable: the record cannot be written any more. What was counted stays.
        """
        committing: _Committing = deque()
        fresh = self._fresh(items, tally)
        try:
            if self._processes:
                self._with_processes(fresh, committing, tally)
            else:
                self._pipeline(self._prepare_here, 1, fresh, committing, tally)
        finally:  # also when it is stopped: what was handed over is committed, and counted
            with suppress(Unavailable):
                self._settle(committing, tally)

    def _fresh(self, items: Iterable[Item], tally: Tally) -> Iterator[Item]:
        """Pass over what was loaded before, until a long stretch of items was not.

        Only so that resuming is quick: an item that was loaded is recognised in its commit too.
        """
        missed = 0
        for item in items:
            if missed < STRETCH:
                earlier = self._node.store.submit(Unit(_ACCESS.reader, _not_now, _idempotency(item)))
                if earlier.exception() is None:
                    tally.took(earlier.result())
                    missed = 0
                    continue
                missed += 1
            yield item

    def _with_processes(self, items: Iterable[Item], committing: "_Committing", tally: Tally) -> None:
        pool = ProcessPoolExecutor(
            self._processes, mp_context=get_context("spawn"), initializer=_start, initargs=self._started
        )

        def prepare(chunk: list[Item]) -> _Ready:
            with _interrupts_held():  # a process started here would show Ctrl-C as its own failure
                sent = pool.submit(_prepare, chunk)
            return lambda: [_unpacked(each) for each in sent.result()]

        try:
            self._pipeline(prepare, self._processes * IN_FLIGHT, items, committing, tally)
        except BrokenProcessPool:
            raise Unavailable(
                "a process that prepares was killed, perhaps for want of memory; give fewer --processes."
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)

    def _prepare_here(self, chunk: list[Item]) -> "_Ready":
        prepared = _prepared(self._site, chunk)
        return lambda: prepared

    def _pipeline(
        self, prepare: "_Prepare", most: int, items: Iterable[Item], committing: "_Committing", tally: Tally
    ) -> None:
        """Have chunks prepared, ``most`` of them ahead, and commit them in order."""
        preparing: deque[_Chunk] = deque()
        ahead = 0
        for chunk in _chunks(items):
            preparing.append(_Chunk(chunk, prepare(chunk)))
            ahead += preparing[-1].size
            while len(preparing) >= most or ahead > IN_FLIGHT_BYTES:
                ahead -= preparing[0].size
                self._commit(preparing.popleft(), committing, tally)
        while preparing:
            self._commit(preparing.popleft(), committing, tally)
        self._settle(committing, tally)

    def _commit(self, chunk: "_Chunk", committing: "_Committing", tally: Tally) -> None:
        """Hand a prepared chunk to the committer; take the answers of those before it."""
        for item, ready in zip(chunk.items, chunk.ready(), strict=True):
            if ready is None:
                self._settle(committing, tally)
                self._one(item, tally)
                continue
            unit = Unit(_ACCESS.reader, _Later(self._site, item), _idempotency(item))
            committing.append((item, self._node.store.submit_rehearsed(unit, ready)))
        while len(committing) > len(chunk.items) * 2:
            _take(committing, tally)

    def _settle(self, committing: "_Committing", tally: Tally) -> None:
        while committing:
            _take(committing, tally)

    def _one(self, item: Item, tally: Tally) -> None:
        """Prepare and commit an item here, on the state it meets."""
        with _counted(item, tally):
            if _kind(item) == "batch":
                split = received(self._site, item.raw)
                answered = Batch(self._site, REGISTRY, _request(self._site, item), split).answer()
                tally.took_batch(item, answered.body)
            else:
                tally.took(self._node.store.commit(_unit(self._site, item)))


class _Chunk(NamedTuple):
    """Items that a process prepares."""

    items: list[Item]
    ready: "_Ready"

    @property
    def size(self) -> int:
        return sum(len(item.raw) for item in self.items)


_Committing = deque[tuple[Item, Future[Receipt]]]
"""Items that were handed over to be committed, in order."""
_Ready = Callable[[], list[Rehearsal | None]]
"""Waits for a chunk to be prepared; None stands for an item that is to be prepared again here."""
_Prepare = Callable[[list[Item]], _Ready]


class _Later:
    """``prepare`` of an item that another process prepared: reads it only when it must."""

    def __init__(self, site: Site, item: Item) -> None:
        self._site = site
        self._item = item

    def __call__(self, view: View) -> Prepared:
        return _unit(self._site, self._item).prepare(view)


def _take(committing: "_Committing", tally: Tally) -> None:
    item, future = committing.popleft()
    with _counted(item, tally):
        tally.took(future.result())


@contextmanager
def _counted(item: Item, tally: Tally) -> Generator[None]:
    """Count an item that is refused; let pass that the record cannot be written."""
    try:
        yield
    except KintungError as error:
        if isinstance(error, Unavailable) and not isinstance(error, TimedOut):
            raise
        tally.refuse(item, error)
    except Exception as error:  # noqa: BLE001 - a fault of ours with one item does not stop the rest
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name} line {where.lineno}"
        tally.refuse(item, KintungError(f"Unexpected {type(error).__name__} in {place}; please report it."))


@contextmanager
def _interrupts_held() -> Generator[None]:
    """Hold Ctrl-C back; a process started meanwhile never gets it, and ends with this one."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += len(item.raw)
        if size >= CHUNK_BYTES or len(chunk) >= CHUNK_ITEMS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


# --- One item -------------------------------------------------------------------------


def _unit(site: Site, item: Item) -> Unit:
    """The unit of an item: a transaction done, a resource stored under its id or a new one."""
    if item.fault is not None:
        raise item.fault
    request = _request(site, item)
    if _kind(item) == "transaction":
        unit = Transaction(site, request, received(site, item.raw)).unit()
        return Unit(unit.reader, unit.prepare, _idempotency(item))
    resource = parse(item.raw)
    request.resource = resource
    type, id = str(resource.get("resourceType")), str(resource.get("id") or "")
    request.method, request.path = ("PUT", f"{type}/{id}") if id else ("POST", type)
    request.place({"type": type, "id": id})
    unit = (update if id else create)(site, request).unit
    return Unit(unit.reader, unit.prepare, _idempotency(item))


def _request(site: Site, item: Item) -> Request:
    """The request of an item; its key is for the entries of a batch, each a unit of its own."""
    headers = {b"prefer": b"return=minimal", b"idempotency-key": item.key.encode()}
    return Request("POST", "", "", headers, _ACCESS, site.settings.base_url, item.raw)


def _idempotency(item: Item) -> Idempotency:
    return Idempotency(_ACCESS.client, item.key, sha256(item.raw).digest())


def _not_now(_view: View) -> Prepared:
    """``prepare`` of a unit that is to be answered only if it was committed before."""
    raise NotFound("It was not loaded before.")


def _kind(item: Item) -> str:
    """The type of a Bundle, "" for anything else; what is wrong with it is said where it is parsed."""
    if b'"Bundle"' not in item.raw:
        return ""
    try:
        head = _heads.decode(item.raw)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return head.type if head.resource_type == "Bundle" else ""


def _site(node: Node, base_url: str) -> Site:
    return Site.of(node, WebSettings(base_url))


class _Head(msgspec.Struct, rename={"resource_type": "resourceType"}):
    resource_type: str = ""
    type: str = ""


class _Details(msgspec.Struct):
    text: str = ""


class _Issue(msgspec.Struct):
    code: str
    details: _Details = msgspec.field(default_factory=_Details)
    expression: tuple[str, ...] = ()


class _Outcome(msgspec.Struct):
    issue: tuple[_Issue, ...]


class _Response(msgspec.Struct):
    status: str
    outcome: _Outcome | None = None

    @property
    def issue(self) -> Issue:
        """Why the entry was refused."""
        if self.outcome is None:
            return Issue("processing", self.status)
        first = self.outcome.issue[0]
        return Issue(first.code, first.details.text, next(iter(first.expression), None))


class _Answered(msgspec.Struct):
    response: _Response


class _Answers(msgspec.Struct):
    """A batch-response, as far as it is counted."""

    entry: tuple[_Answered, ...] = ()


_heads = msgspec.json.Decoder(_Head)
_answers = msgspec.json.Decoder(_Answers)


def _prepared(site: Site, chunk: list[Item]) -> list[Rehearsal | None]:
    """The items as they are on one view of the record."""
    with site.store.view() as view:
        return [_ready(site, view, item) for item in chunk]


def _ready(site: Site, view: View, item: Item) -> Rehearsal | None:
    """The item prepared; None for one that only the loading process can do, or refuse."""
    if _kind(item) == "batch":
        return None
    try:
        return rehearse(_unit(site, item), view)
    except Exception:  # noqa: BLE001 - it comes again where it is counted
        return None


# --- In the preparing processes -------------------------------------------------------

_process: list[Site] = []
_resources = ExitStack()


def _start(url: str, keys: Path | None, settings: Settings, base_url: str) -> None:
    end_with_parent()
    node = _resources.enter_context(open_node(url, keys=keys, settings=settings))
    _process.append(_site(node, base_url))
    gc.disable()  # with tens of thousands of elements alive it halves the rate of decoding


def _prepare(chunk: list[Item]) -> "list[_Packed | None]":
    packed = [_packed(ready) for ready in _prepared(_process[0], chunk)]
    gc.collect(1)  # now that little is left of the chunk
    return packed


class _Packed(NamedTuple):
    """A Rehearsal on its way to the loading process: four times quicker packed than pickled."""

    prepared: bytes
    reads: tuple[Read, ...]
    sequence: int


_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder(Prepared)


def _packed(ready: Rehearsal | None) -> _Packed | None:
    return ready and _Packed(_packer.encode(ready.prepared), ready.reads, ready.sequence)


def _unpacked(sent: _Packed | None) -> Rehearsal | None:
    return sent and Rehearsal(_unpacker.decode(sent.prepared), sent.reads, sent.sequence)
