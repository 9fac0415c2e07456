"""Doing what was accepted to be answered later, by the code that answers at once.

Source: http://hl7.org/fhir/R4/async.html. A request is done as the Access it was made with, whose Reader
is that of the moment; it is on record like one that is answered at once. One that fails because the record
cannot be read or written is begun again when its lease ends.
"""

import logging
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager

from kintung.consent import of_now, standing
from kintung.errors import KintungError, NotSupported, Unavailable
from kintung.store.asynchronous import Taken
from kintung.store.waiting import settle
from kintung.web.fhir.answer import Answer, refusal
from kintung.web.fhir.asynchronous import Answered, Sealing
from kintung.web.fhir.audit import TELLING, audit_record
from kintung.web.fhir.batch_or_transaction import carry
from kintung.web.fhir.bundle import response
from kintung.web.fhir.failure import logged
from kintung.web.fhir.perform import disclose, require_right
from kintung.web.fhir.registry import Carries, Interaction, Reads, Registry
from kintung.web.fhir.request import Request
from kintung.web.outcomes import status_of
from kintung.web.site import Site

LEASE = 90_000_000
"""Microseconds after which a request is begun again: who began it died. Longer than a Bundle may take."""
ATTEMPTS = 3
"""How often a request is begun; one that a worker dies of must not be the end of all."""
PERIOD_SECONDS = 0.5
"""How often the requests are looked at when none is known to be new: other workers accept them too."""
_CLOSING_SECONDS = 3.0
_MICROS = 1_000_000

_log = logging.getLogger(__name__)


class Work:
    """Does what is due, one request after the other."""

    def __init__(self, site: Site, registry: Registry) -> None:
        self._site = site
        self._registry = registry

    def step(self) -> bool:
        """Do the next request that is due; False when there is none now.

        Raises:
            KintungError: the record could not be read or written; the request comes again.
        """
        requests = self._site.store.asynchronous
        taken = requests.take(LEASE)
        if taken is None:
            requests.sweep()
            return False
        answered = self.answered(taken)
        kept_until = self._site.clock.now_micros() + int(self._site.limits.asynchronous_seconds * _MICROS)
        requests.finish(taken, answered, kept_until)
        return True

    def answered(self, taken: Taken) -> bytes:
        """Do what was asked; the answer as it is kept. Raises what ``step`` does."""
        sealing = Sealing(self._site.sealed, taken.id)
        request = self._request(taken, sealing)
        answer = self._answer(taken, request)
        whole = response(b"batch-response", request.base, [answer])
        return sealing.answered(Answered(request.access, request.described, whole.body, whole.patient_keys))

    def _request(self, taken: Taken, sealing: Sealing) -> Request:
        """What was asked, of an access whose scope is that of this moment."""
        asked = sealing.open_asked(taken.asked)
        access = of_now(standing(sealing.open_access(taken.access)), self._site.store.scope)
        headers = dict(asked.headers)
        return Request(asked.method, asked.path, asked.query, headers, access, asked.base, asked.body)

    def _answer(self, taken: Taken, request: Request) -> Answer:
        """The answer, on record; a refusal is one too."""
        try:
            if taken.attempts > ATTEMPTS:
                raise Unavailable(f"This was begun {ATTEMPTS} times and never came to its end; ask for less.")
            interaction, parameters = self._registry.find(request.method, request.path)
            return self._do(interaction, request.placed(parameters))
        except Unavailable as error:
            if taken.attempts <= ATTEMPTS:
                raise
            return refusal(error)
        except KintungError as error:
            return refusal(error)
        except Exception as error:  # noqa: BLE001 - whatever happens, the caller gets an answer
            return refusal(logged(self._site, error))

    def _do(self, interaction: Interaction, request: Request) -> Answer:
        try:
            require_right(request.access, interaction)
            match interaction.action:
                case Reads() as action:
                    answer, record = disclose(self._site, interaction, action, request)
                    settle(self._site.store.record(record), self._site.limits.seconds)
                    return answer
                case Carries():
                    return carry(self._site, self._registry, request)
                case _:
                    raise NotSupported("This is not answered later.")
        except TELLING as error:
            record = audit_record(request, interaction.name, status_of(error))
            settle(self._site.store.record(record), self._site.limits.seconds)
            raise


class Service:
    """The thread of one process that does what is due, until it is closed."""

    def __init__(self, work: Work, site: Site) -> None:
        """Start."""
        self._work = work
        self._queued = site.store.asynchronous.queued
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kintung-later", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; what is under way is waited for a moment, and begun again by another else."""
        self._stopped.set()
        self._queued.ring()
        self._thread.join(_CLOSING_SECONDS)

    def _run(self) -> None:
        heard = 0
        while not self._stopped.is_set():
            if not self._is_done():
                heard = self._queued.wait(heard, PERIOD_SECONDS)

    def _is_done(self) -> bool:
        """Do a request; False when there is none, or when it failed and is to be tried again."""
        try:
            return self._work.step()
        except KintungError as error:
            _log.info("asynchronous requests: %s", type(error).__name__)
        except Exception as error:  # noqa: BLE001 - the thread goes on whatever happens
            _log.error("asynchronous requests: %s", type(error).__name__)
        return False


@contextmanager
def answering_later(site: Site, registry: Registry) -> Generator[None]:
    """Do what was accepted, in a thread of this process, until the end of the block."""
    with closing(Service(Work(site, registry), site)):
        yield
