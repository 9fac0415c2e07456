"""The desk where answers are put on record before they leave: what comes together, in one batch.

A commit costs nearly the same for one record as for many, and waking threads costs more than
writing a record. So while one batch is under way the next gathers here, on the event loop,
without a lock or a thread.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError, Future

from kintung.errors import KintungError, Unavailable
from kintung.store.port import Store
from kintung.store.writes import AuditRecord, Receipt

GATHER_SECONDS = 0.001
"""How long a batch is held for those that are likely to come."""

_REFUSAL = "What was asked could not be put on record, so it is not answered; try again later."


class _Batch:
    """Records that go together, and who waits for each. ``sent`` is its commit."""

    __slots__ = ("given_up", "records", "sent", "waiters")

    def __init__(self, given_up: asyncio.TimerHandle) -> None:
        self.records: list[AuditRecord] = []
        self.waiters: list[asyncio.Future[None]] = []
        self.sent: Future[Receipt] | None = None
        self.given_up = given_up


class Desk:
    """Puts audit records on record for one event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        store: Store,
        seconds: float,
        report: Callable[[Exception], object],
    ) -> None:
        """What is not under way after ``seconds`` is given up; ``report`` gets errors nobody foresaw."""
        self.loop = loop
        self._store = store
        self._seconds = seconds
        self._report = report
        self._gathering: _Batch | None = None
        self._under_way = 0
        self._last_size = 1
        self._sending: asyncio.Handle | None = None

    def put(self, record: AuditRecord) -> "asyncio.Future[None]":
        """A future that is done once the record is durable: to be awaited before the answer leaves.

        It raises Unavailable when that cannot be.
        """
        batch = self._gathering
        if batch is None:
            batch = self._gathering = self._begin()
        waiter = self.loop.create_future()
        batch.records.append(record)
        batch.waiters.append(waiter)
        if not self._under_way:
            self._send_soon(len(batch.records))
        return waiter

    def _begin(self) -> _Batch:
        batch = _Batch(self.loop.call_later(self._seconds, lambda: self._give_up(batch)))
        return batch

    def _send_soon(self, size: int) -> None:
        """Send the batch when it is as large as the last was, or after a moment.

        Not at once even then: what this turn of the loop still brings goes along. Who is alone
        is not kept waiting.
        """
        if self._sending is None or size == self._last_size:
            if self._sending is not None:
                self._sending.cancel()
            if size >= self._last_size:
                self._sending = self.loop.call_soon(self._send)
            else:
                self._sending = self.loop.call_later(GATHER_SECONDS, self._send)

    def _send(self) -> None:
        self._sending = None
        batch, self._gathering = self._gathering, None
        if batch is not None:
            self._last_size = len(batch.records)
            self._submit(batch)

    def _submit(self, batch: _Batch) -> None:
        self._under_way += 1
        try:
            batch.sent = self._store.record(*batch.records)
        except Exception as error:  # noqa: BLE001 - whatever happened, who waits is told
            self._land(batch, error)
            return
        if batch.sent.done():
            self._land(batch, _error_of(batch.sent))
        else:
            batch.sent.add_done_callback(lambda sent: self._landed(batch, sent))

    def _landed(self, batch: _Batch, sent: "Future[Receipt]") -> None:
        """Called on the thread that committed: the loop is woken once for the whole batch."""
        self.loop.call_soon_threadsafe(self._land, batch, _error_of(sent))

    def _land(self, batch: _Batch, error: BaseException | None) -> None:
        """A batch is durable, or was refused."""
        self._under_way -= 1
        batch.given_up.cancel()
        if error is None:
            for waiter in batch.waiters:
                if not waiter.done():  # who asked may have gone
                    waiter.set_result(None)
        elif isinstance(error, KintungError | CancelledError) or len(batch.records) == 1:
            self._refuse(batch, error)
        else:
            self._submit_alone(batch)
        if self._gathering is not None and not self._under_way:
            self._send_soon(len(self._gathering.records))

    def _submit_alone(self, batch: _Batch) -> None:
        """It failed for a reason nobody foresaw: only the record that caused it shall fail."""
        for record, waiter in zip(batch.records, batch.waiters, strict=True):
            alone = self._begin()
            alone.records.append(record)
            alone.waiters.append(waiter)
            self._submit(alone)

    def _give_up(self, batch: _Batch) -> None:
        """Too late; what is being committed is waited for all the same."""
        if batch.sent is not None:
            batch.sent.cancel()
        elif batch is self._gathering:
            self._gathering = None
            self._refuse(batch, CancelledError())

    def _refuse(self, batch: _Batch, error: BaseException) -> None:
        if not isinstance(error, KintungError | CancelledError):
            self._report(error if isinstance(error, Exception) else RuntimeError(type(error).__name__))
        for waiter in batch.waiters:
            if not waiter.done():
                waiter.set_exception(Unavailable(_REFUSAL))


def _error_of(sent: "Future[Receipt]") -> BaseException | None:
    """Why a commit failed; None when it is durable."""
    return CancelledError() if sent.cancelled() else sent.exception()
