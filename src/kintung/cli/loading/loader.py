"""Loading: items prepared by several processes, committed in order by one.

Each item goes the way a request goes: parsed, validated, prepared as a unit, committed with
an idempotency key. Preparing (three quarters of the work) is done in other processes on
their own reading of the record; what they read is asked again inside the commit lock, so an
item prepared on an older state is prepared again there. What a process could not prepare is
done here, after all before it: it may rest on them, or be refused.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

from kintung.app import Node
from kintung.cli.loading.preparing import (
    IN_FLIGHT,
    IN_FLIGHT_BYTES,
    Chunk,
    Prepare,
    Ready,
    chunks,
    interrupts_held,
    prepare_packed,
    prepared,
    start,
    unpacked,
)
from kintung.cli.loading.sources import Item
from kintung.cli.loading.tally import Tally, counted
from kintung.cli.loading.units import (
    ACCESS,
    Later,
    idempotency_of,
    kind_of,
    not_now,
    request_of,
    site_of,
    unit_of,
)
from kintung.errors import Unavailable
from kintung.store.port import Receipt, Unit
from kintung.web.fhir.batch import Batch
from kintung.web.fhir.bundle import received
from kintung.web.fhir.interactions import REGISTRY

STRETCH = 500
"""So many items in a row that were not loaded before, and no more are asked about."""


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
        self._site = site_of(node, base_url)
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
                earlier = self._node.store.submit(Unit(ACCESS.reader, not_now, idempotency_of(item)))
                if earlier.exception() is None:
                    tally.took(earlier.result())
                    missed = 0
                    continue
                missed += 1
            yield item

    def _with_processes(self, items: Iterable[Item], committing: "_Committing", tally: Tally) -> None:
        pool = ProcessPoolExecutor(
            self._processes, mp_context=get_context("spawn"), initializer=start, initargs=self._started
        )

        def prepare(chunk: list[Item]) -> Ready:
            with interrupts_held():  # a process started here would show Ctrl-C as its own failure
                sent = pool.submit(prepare_packed, chunk)
            return lambda: [unpacked(each) for each in sent.result()]

        try:
            self._pipeline(prepare, self._processes * IN_FLIGHT, items, committing, tally)
        except BrokenProcessPool:
            raise Unavailable(
                "a process that prepares was killed, perhaps for want of memory; give fewer --processes."
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)

    def _prepare_here(self, chunk: list[Item]) -> Ready:
        here = prepared(self._site, chunk)
        return lambda: here

    def _pipeline(
        self, prepare: Prepare, most: int, items: Iterable[Item], committing: "_Committing", tally: Tally
    ) -> None:
        """Have chunks prepared, ``most`` of them ahead, and commit them in order."""
        preparing: deque[Chunk] = deque()
        ahead = 0
        for chunk in chunks(items):
            preparing.append(Chunk(chunk, prepare(chunk)))
            ahead += preparing[-1].size
            while len(preparing) >= most or ahead > IN_FLIGHT_BYTES:
                ahead -= preparing[0].size
                self._commit(preparing.popleft(), committing, tally)
        while preparing:
            self._commit(preparing.popleft(), committing, tally)
        self._settle(committing, tally)

    def _commit(self, chunk: Chunk, committing: "_Committing", tally: Tally) -> None:
        """Hand a prepared chunk to the committer; take the answers of those before it."""
        for item, ready in zip(chunk.items, chunk.ready(), strict=True):
            if ready is None:
                self._settle(committing, tally)
                self._one(item, tally)
                continue
            unit = Unit(ACCESS.reader, Later(self._site, item), idempotency_of(item))
            committing.append((item, self._node.store.submit_rehearsed(unit, ready)))
        while len(committing) > len(chunk.items) * 2:
            _take(committing, tally)

    def _settle(self, committing: "_Committing", tally: Tally) -> None:
        while committing:
            _take(committing, tally)

    def _one(self, item: Item, tally: Tally) -> None:
        """Prepare and commit an item here, on the state it meets."""
        with counted(item, tally):
            if kind_of(item) == "batch":
                split = received(self._site, item.raw)
                tally.took_batch(item, Batch(self._site, REGISTRY, request_of(self._site, item), split).do())
            else:
                tally.took(self._node.store.commit(unit_of(self._site, item)))


_Committing = deque[tuple[Item, Future[Receipt]]]
"""Items that were handed over to be committed, in order."""


def _take(committing: "_Committing", tally: Tally) -> None:
    item, future = committing.popleft()
    with counted(item, tally):
        tally.took(future.result())
