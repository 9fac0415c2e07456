"""Preparing items on a view of the record, in this process or in several beside it."""

import gc
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from kintung.app import Settings, open_node
from kintung.cli.loading.sources import Item
from kintung.cli.loading.units import is_batch, patient_of, site_of, unit_of
from kintung.cli.processes import end_with_parent
from kintung.errors import Unavailable
from kintung.store.ahead import Ahead
from kintung.store.port import Read, Rehearsal, Unit
from kintung.store.units import rehearse
from kintung.store.writes import Prepared
from kintung.web.site import Site

CHUNK_BYTES = 256 * 1024
"""Items are handed to a process in chunks of about this size,"""
CHUNK_ITEMS = 250
"""or of this many: a load that is stopped waits for the chunks that are worked on."""
IN_FLIGHT = 6
"""Chunks on their way at once for each process."""
IN_FLIGHT_BYTES = 64 * 1024 * 1024
"""No more is read ahead while this much is on its way: an item may be as large."""

Ready = Callable[[], list[Rehearsal | None]]
"""Waits for a chunk to be prepared; None stands for an item that is to be prepared again where it
is committed."""
Prepare = Callable[[list[Item]], Ready]
"""Begins to prepare a chunk."""
Started = tuple[str, Path | None, Settings, str]
"""What a process that prepares is told: database, key store, settings, the node's own address."""


class Chunk(NamedTuple):
    """Items that are prepared together."""

    items: list[Item]
    ready: Ready

    @property
    def size(self) -> int:
        return sum(len(item.raw) for item in self.items)


def in_order(items: Iterable[Item], prepare: Prepare, most: int) -> Iterator[Chunk]:
    """The items in chunks, in order; when one is given, up to ``most`` are begun, itself among them."""
    begun: deque[Chunk] = deque()
    size = 0
    for together in _chunks(items):
        begun.append(Chunk(together, prepare(together)))
        size += begun[-1].size
        while len(begun) >= most or size > IN_FLIGHT_BYTES:
            size -= begun[0].size
            yield begun.popleft()
    while begun:
        yield begun.popleft()


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


def here(site: Site) -> Prepare:
    """Prepare in this process."""

    def prepare(chunk: list[Item]) -> Ready:
        ready = _prepared(site, chunk)
        return lambda: ready

    return prepare


@contextmanager
def in_processes(number: int, started: Started) -> Generator[Prepare]:
    """Prepare in processes, which end with the block.

    Raises:
        Unavailable: one of them was killed.
    """
    pool = ProcessPoolExecutor(number, mp_context=get_context("spawn"), initializer=_start, initargs=started)

    def prepare(chunk: list[Item]) -> Ready:
        with _signals_held():
            sent = pool.submit(_prepare_packed, chunk)
        return lambda: [_unpacked(each) for each in sent.result()]

    try:
        yield prepare
    except BrokenProcessPool:
        raise Unavailable(
            "a process that prepares was killed, perhaps for want of memory; give fewer --processes."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _signals_held() -> Generator[None]:
    """Hold back what stops a load; a process started meanwhile never gets it, and ends with this one.

    Both come to every process of a group. One that prepares would show Ctrl-C as its own failure, and
    ended in the middle of what it sends, it would leave the load waiting for the rest for ever.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepared(site: Site, chunk: list[Item]) -> list[Rehearsal | None]:
    """The items as they are on one view of the record, each with those before it done."""
    units = [_unit(site, item) for item in chunk]
    accepted = (item for item, unit in zip(chunk, units, strict=True) if unit is not None)
    site.scribe.expect(id for item in accepted if (id := patient_of(item)) is not None)
    with site.store.view() as view:
        ahead = Ahead(view, site.scribe)
        return [_ready(unit, ahead) for unit in units]


def _unit(site: Site, item: Item) -> Unit | None:
    """The unit of an item; None for one that only the loading process can do, or refuse."""
    if is_batch(item):
        return None
    try:
        return unit_of(site, item)
    except Exception:  # noqa: BLE001 - it comes again where it is counted
        return None


def _ready(unit: Unit | None, ahead: Ahead) -> Rehearsal | None:
    try:
        ready = unit and rehearse(unit, ahead)
    except Exception:  # noqa: BLE001 - it comes again where it is counted
        return None
    if ready is not None:
        ahead.take(ready.prepared)
    return ready


# --- In the preparing processes -------------------------------------------------------

_process: list[Site] = []
_resources = ExitStack()


def _start(url: str, keys: Path | None, settings: Settings, base_url: str) -> None:
    end_with_parent(signal.SIGKILL)  # the others are held back here
    node = _resources.enter_context(open_node(url, keys=keys, settings=settings))
    _process.append(site_of(node, base_url))
    gc.disable()  # with tens of thousands of elements alive it halves the rate of decoding


def _prepare_packed(chunk: list[Item]) -> "list[_Packed | None]":
    packed = [_packed(ready) for ready in _prepared(_process[0], chunk)]
    gc.collect(1)  # now that little is left of the chunk
    return packed


# --- Between the processes ------------------------------------------------------------


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
