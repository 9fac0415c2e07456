"""Committing prepared items in their order, and counting what becomes of each."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager

from kintung.cli.loading.preparing import Chunk
from kintung.cli.loading.sources import Item
from kintung.cli.loading.tally import Tally
from kintung.cli.loading.units import batch_of, is_batch, prepared_elsewhere, refused, unit_of
from kintung.errors import KintungError, Unavailable
from kintung.store.writes import Receipt
from kintung.web.outcomes import status_of
from kintung.web.site import Site


class Committing:
    """Items that were handed over to be committed and are not counted yet."""

    def __init__(self, site: Site, tally: Tally) -> None:
        self._site = site
        self._tally = tally
        self._waiting: deque[tuple[Item, Future[Receipt]]] = deque()

    def hand_over(self, chunk: Chunk) -> None:
        """Have a chunk committed once it is prepared; count of those before it all but a chunk.

        Raises:
            Unavailable: the record cannot be written any more.
        """
        for item, ready in zip(chunk.items, chunk.ready(), strict=True):
            if ready is None:
                self.settle()
                self._do(item)
                continue
            unit = prepared_elsewhere(self._site, item)
            self._waiting.append((item, self._site.store.submit_rehearsed(unit, ready)))
        while len(self._waiting) > len(chunk.items) * 2:
            self._count()

    def settle(self) -> None:
        """Wait for all that was handed over; raises what ``hand_over`` raises."""
        while self._waiting:
            self._count()

    def _count(self) -> None:
        item, receipt = self._waiting[0]
        receipt.exception()  # a load that is stopped here still counts the item afterwards
        self._waiting.popleft()
        with self._tally.counting(item), self._on_record(item):
            self._tally.took(receipt.result())

    def _do(self, item: Item) -> None:
        """Prepare and commit an item here, on the state it meets."""
        with self._tally.counting(item), self._on_record(item):
            if is_batch(item):
                self._tally.took_batch(item, batch_of(self._site, item).do())
            else:
                self._tally.took(self._site.store.commit(unit_of(self._site, item)))

    @contextmanager
    def _on_record(self, item: Item) -> Generator[None]:
        """What is refused is audited: of an item where it is, not what it says."""
        try:
            yield
        except KintungError as error:
            if not isinstance(error, Unavailable):
                self._site.store.record(refused(item, status_of(error)))
            raise
