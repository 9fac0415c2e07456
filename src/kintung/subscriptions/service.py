"""The threads of one process that follow the log and deliver what is queued, until it is closed."""

import logging
import threading
import time
from collections.abc import Callable

from kintung.errors import KintungError
from kintung.store.bell import Bell
from kintung.subscriptions.delivery import Delivery
from kintung.subscriptions.follower import LEASE, Follower
from kintung.subscriptions.outbound import Outbound
from kintung.subscriptions.standing import Subscriptions, Told

PERIOD_SECONDS = 0.5
"""How often the log and the queue are looked at when nothing is known to be new."""
DELIVERERS = 4
"""Notifications under way at once, each to another subscription."""
_CLOSING_SECONDS = 3.0
"""How long what is under way is waited for at the end; it comes again else."""

_log = logging.getLogger(__name__)


class Service:
    """Follows and delivers while this process leads; another takes over when it dies."""

    def __init__(
        self, told: Told, outbound: Outbound, *, lease: int = LEASE, period_seconds: float = PERIOD_SECONDS
    ) -> None:
        """Start."""
        subscriptions = Subscriptions(told)
        self._follower = Follower(told, subscriptions, told.entropy.new_id(), lease)
        self._delivery = Delivery(told, subscriptions, outbound)
        self._period = period_seconds
        self._stopped = threading.Event()
        self._queued = Bell()
        self._threads = [threading.Thread(target=self._follow, name="kintung-follow", daemon=True)]
        self._threads += [
            threading.Thread(
                target=self._deliver, args=(number == 0,), name=f"kintung-deliver-{number}", daemon=True
            )
            for number in range(DELIVERERS)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Let another process lead, and end."""
        self._stopped.set()
        self._queued.ring()
        end = time.monotonic() + _CLOSING_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _follow(self) -> None:
        while not self._stopped.is_set():
            if self._done(self._follower.step):
                self._queued.ring()
            else:
                self._stopped.wait(self._period)
        self._done(self._follower.resign)

    def _deliver(self, is_first: bool) -> None:
        """Deliver; the first of the threads sees to heartbeats too."""
        heard = 0
        while not self._stopped.is_set():
            if self._follower.leads and self._done(self._delivery.step):
                continue
            if is_first and self._follower.leads:
                self._done(self._delivery.heartbeats)
            heard = self._queued.wait(heard, self._period)

    def _done(self, work: Callable[[], bool | None]) -> bool:
        """Do a piece of work; False when there is none, or when it failed and is to be tried again."""
        try:
            return bool(work())
        except KintungError as error:
            _log.info("subscriptions: %s", type(error).__name__)
        except Exception as error:  # noqa: BLE001 - the threads go on whatever happens
            _log.error("subscriptions: %s", type(error).__name__)
        return False
