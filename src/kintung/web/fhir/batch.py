"""batch: a Bundle whose entries are requests of their own.

Source: http://hl7.org/fhir/R4/http.html#transaction. Entries are processed in the standard's
order, DELETE first; one that is refused leaves the others alone. What the time or the size
of the answer leaves no room for is refused and not done. With an idempotency key each entry
that writes has one of its own, made of the key and its place.
"""

from concurrent.futures import Future
from typing import NamedTuple

from kintung.errors import KintungError, NotSupported
from kintung.fhir.json import SplitBundle
from kintung.store.port import Unit
from kintung.store.waiting import settle
from kintung.store.writes import Prepared, Receipt
from kintung.web.deadline import Deadline
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.audit import audit_record, is_on_record
from kintung.web.fhir.bundle import ORDER, at_entry, entry_request, read_answer, response
from kintung.web.fhir.failure import logged
from kintung.web.fhir.perform import disclose, require_right
from kintung.web.fhir.registry import (
    Carries,
    Interaction,
    Later,
    Reads,
    Recordless,
    Registry,
    Submission,
    Writes,
)
from kintung.web.fhir.request import Request
from kintung.web.fhir.room import Room
from kintung.web.fhir.submission import idempotency_of
from kintung.web.site import Site


class _Waiting(NamedTuple):
    """An entry whose commit is under way."""

    place: int
    interaction: Interaction
    request: Request
    submission: Submission
    receipt: Future[Receipt]


class Batch:
    """One batch while it is worked on."""

    def __init__(
        self,
        site: Site,
        registry: Registry,
        outer: Request,
        split: SplitBundle,
        deadline: Deadline | None = None,
    ) -> None:
        """``deadline``: until when entries are begun, by default for ever."""
        self._site = site
        self._deadline = deadline or Deadline()
        self._room = Room(site.limits.bundle_answer)
        self._registry = registry
        self._outer = outer
        self._entries = split.entries
        self._answers: dict[int, Answer] = {}
        self._records: list[Future[Receipt]] = []

    def answer(self) -> Answer:
        """Do every entry and give the Bundle of their answers; raises what ``do`` raises."""
        return response(b"batch-response", self._outer.base, self.do())

    def do(self) -> list[Answer]:
        """Do every entry and give the answer to each, in their order, all of it audited.

        Raises:
            Duplicate: its idempotency key came with another request; no entry is done.
        """
        self._claim_key()
        by_method: dict[str, list[int]] = {}
        for index, entry in enumerate(self._entries):
            by_method.setdefault(str((entry.request or {}).get("method")), []).append(index)
        for method in (*ORDER, *(by_method.keys() - set(ORDER))):
            waiting = [found for index in by_method.get(method, ()) if (found := self._begin(index))]
            for one in waiting:
                self._finish(one)
        for record in self._records:
            settle(record, self._site.limits.seconds)
        return [self._answers[index] for index in range(len(self._entries))]

    def _claim_key(self) -> None:
        """Put on record which Bundle the key is for: entries alone would not show that one was added."""
        idempotency = idempotency_of(self._outer)
        if idempotency is not None:
            claim = Unit(self._outer.access.reader, lambda _: Prepared(), idempotency)
            settle(self._site.store.submit(claim), self._site.limits.seconds)

    def _begin(self, index: int) -> _Waiting | None:
        """Answer an entry, or submit what it writes."""
        try:
            self._deadline.keep()
            request = entry_request(self._outer, index, self._entries[index])
            interaction, parameters = self._registry.find(request.method, request.path)
        except Exception as error:  # noqa: BLE001 - the other entries get their answers
            self._refuse(index, error)
            return None
        request = request.placed(parameters)
        try:
            return self._do(index, interaction, request)
        except Exception as error:  # noqa: BLE001
            self._refuse(index, error, interaction, request)
            return None

    def _do(self, index: int, interaction: Interaction, request: Request) -> _Waiting | None:
        require_right(request.access, interaction)
        match interaction.action:
            case Writes(submission):
                submitted = submission(self._site, request)
                return _Waiting(
                    index, interaction, request, submitted, self._site.store.submit(submitted.unit)
                )
            case Reads() as action:
                self._room.keep()
                answer, record = disclose(self._site, interaction, action, request)
                self._answers[index] = self._room.read(read_answer(request, answer))
                self._records.append(self._site.store.record(record))
            case Recordless(answer_of):
                self._room.keep()
                self._answers[index] = self._room.read(read_answer(request, answer_of(self._site, request)))
            case Carries():
                raise NotSupported("A batch may not hold another Bundle of requests.", path="request.url")
            case Later():
                raise NotSupported("What is answered later is asked for by itself.", path="request.url")
        return None

    def _finish(self, waiting: _Waiting) -> None:
        index, interaction, request, submission, receipt = waiting
        try:
            done = settle(receipt, min(self._site.limits.seconds, self._deadline.left))
            answer = self._room.written(submission.answer(done))
        except Exception as error:  # noqa: BLE001 - the other entries get their answers
            self._refuse(index, error, interaction, request)
            return
        if done.replayed:
            record = audit_record(request, interaction.name, answer.status, answer.patient_keys, answer.about)
            self._records.append(self._site.store.record(record))
        self._answers[index] = answer

    def _refuse(
        self,
        index: int,
        error: Exception,
        interaction: Interaction | None = None,
        request: Request | None = None,
    ) -> None:
        told = error if isinstance(error, KintungError) else logged(self._site, error)
        answer = self._room.refused(at_entry(told, index))
        if (
            interaction is not None
            and request is not None
            and is_on_record(told, writes=isinstance(interaction.action, Writes))
        ):
            self._records.append(
                self._site.store.record(audit_record(request, interaction.name, answer.status))
            )
        self._answers[index] = answer
