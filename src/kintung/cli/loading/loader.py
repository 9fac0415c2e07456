"""Loading: items prepared by several processes, committed in order by one.

Each item goes the way a request goes: parsed, validated, prepared as a unit, committed with
an idempotency key. Preparing (three quarters of the work) is done in other processes on
their own reading of the record; what they read is asked again inside the commit lock, so an
item prepared on an older state is prepared again there. What a process could not prepare is
done here, after all before it: it may rest on them, or be refused.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from kintung.app import Node
from kintung.cli.loading.committing import Committing
from kintung.cli.loading.preparing import IN_FLIGHT, Prepare, here, in_order, in_processes
from kintung.cli.loading.sources import Item
from kintung.cli.loading.tally import Tally
from kintung.cli.loading.units import earlier, site_of
from kintung.errors import Unavailable

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
        self._store = node.store
        self._site = site_of(node, base_url)
        self._processes = (os.cpu_count() or 1) if processes is None else processes
        self._started = (url, keys, node.settings, base_url)

    def load(self, items: Iterable[Item], tally: Tally) -> None:
        """Load all items; a refused one is counted and stops nothing.

        Raises:
            Unavailable: the record cannot be written any more. What was counted stays.
        """
        committing = Committing(self._site, tally)
        fresh = self._fresh(items, tally)
        try:
            if self._processes:
                with in_processes(self._processes, self._started) as prepare:
                    _commit(fresh, prepare, self._processes * IN_FLIGHT, committing)
            else:
                _commit(fresh, here(self._site), 1, committing)
        finally:  # also when it is stopped: what was handed over is committed, and counted
            with suppress(Unavailable):
                committing.settle()

    def _fresh(self, items: Iterable[Item], tally: Tally) -> Iterator[Item]:
        """Pass over what was loaded before, until a long stretch of items was not.

        Only so that resuming is quick: an item that was loaded is recognised in its commit too.
        """
        missed = 0
        for item in items:
            if missed < STRETCH:
                asked = self._store.submit(earlier(item))
                if asked.exception() is None:
                    tally.took(asked.result())
                    missed = 0
                    continue
                missed += 1
            yield item


def _commit(items: Iterable[Item], prepare: Prepare, most: int, committing: Committing) -> None:
    """Have items prepared, ``most`` chunks of them ahead, and commit them in order."""
    for chunk in in_order(items, prepare, most):
        committing.hand_over(chunk)
    committing.settle()
