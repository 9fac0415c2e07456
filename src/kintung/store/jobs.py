"""Doing what waits in the job table: at least once, by whoever holds the lease.

A job is queued by the commit it belongs to, so it exists exactly when its cause does. A
runner takes the next due one under a lease; what it does not finish before the lease runs
out, because it failed or died, is taken again, by any runner of any process. So a handler
must bear being called twice for one job.
"""

import logging
import threading
from collections.abc import Callable

from kintung.errors import KintungError
from kintung.store.port import Claimed, Store
from kintung.store.system import System

_log = logging.getLogger(__name__)

Handler = Callable[[Claimed], None]


class JobRunner:
    """Does the jobs of one kind in a thread of its own, one at a time, oldest first.

    It wakes when a commit of this process queues a job, and each time a lease may have run
    out: that is also how it meets jobs that other processes queued.
    """

    def __init__(self, store: Store, system: System, kind: str, handler: Handler, lease_micros: int) -> None:
        """Start; ``lease_micros`` is longer than the handler may take."""
        self._store = store
        self._system = system
        self._kind = kind
        self._handler = handler
        self._lease_micros = lease_micros
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name=f"kintung-job-{kind}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the job at hand and end."""
        self._stopped = True
        self._store.jobs_queued.ring()
        self._thread.join()

    def _work(self) -> None:
        seen = 0
        while not self._stopped:
            try:
                job = self._store.claim(self._system, self._kind, self._lease_micros)
            except KintungError:
                job = None  # the store cannot be written now; ask again when it may be
            if job is None:
                seen = self._store.jobs_queued.wait(seen, self._lease_micros / 1_000_000)
            else:
                self._do(job)

    def _do(self, job: Claimed) -> None:
        try:
            self._handler(job)
            self._store.finish(self._system, job.number)
        except Exception as error:  # noqa: BLE001 - a job that fails is tried again when its lease ends
            name = type(error).__name__
            _log.warning("job %d (%s) failed at attempt %d: %s", job.number, job.kind, job.attempts, name)
