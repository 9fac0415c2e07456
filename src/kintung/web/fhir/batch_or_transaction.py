"""batch and transaction: POST a Bundle to the base.

Source: http://hl7.org/fhir/R4/http.html#transaction.
"""

from kintung.consent import Policy
from kintung.errors import KintungError, NotSupported, ValueInvalid
from kintung.fhir.json import SplitBundle
from kintung.store.waiting import settle
from kintung.web.deadline import Deadline
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.audit import audit_record
from kintung.web.fhir.batch import Batch
from kintung.web.fhir.bundle import at_entry, read_answer, received, response
from kintung.web.fhir.failure import logged
from kintung.web.fhir.headers import idempotency_key
from kintung.web.fhir.perform import disclose, require_right
from kintung.web.fhir.registry import Carries, Interaction, Reads, Registry
from kintung.web.fhir.request import Request, refuse_parameters
from kintung.web.fhir.room import Room
from kintung.web.fhir.submission import answer
from kintung.web.fhir.transaction import Transaction
from kintung.web.site import Site


def carry(site: Site, registry: Registry, request: Request) -> Answer:
    """Do what a Bundle of type batch or transaction asks; waits until it is durable and audited."""
    deadline = Deadline(site.limits.bundle_seconds)
    split = _split(site, request)
    if split.envelope["type"] == "transaction":
        return _transaction(site, registry, request, split, deadline)
    return Batch(site, registry, request, split, deadline).answer()


def is_batch(site: Site, request: Request) -> bool:
    """Whether a Bundle is a batch, whose entries stand each for itself; raises what ``carry`` does first."""
    return _split(site, request).envelope["type"] == "batch"


def _split(site: Site, request: Request) -> SplitBundle:
    """A batch or a transaction, taken apart."""
    idempotency_key(request.headers.get(b"idempotency-key"))  # refused also where no entry uses it
    refuse_parameters(request)
    split = received(site, request.body)
    if split.envelope.get("type") not in ("transaction", "batch"):
        raise ValueInvalid(
            "A Bundle sent here is a batch or a transaction; store others at /Bundle.", path="Bundle.type"
        )
    return split


def _transaction(
    site: Site, registry: Registry, request: Request, split: SplitBundle, deadline: Deadline
) -> Answer:
    transaction = Transaction(site, request, split, deadline)
    receipt = settle(site.store.submit(transaction.unit()), site.limits.seconds)
    room = Room(site.limits.bundle_answer)
    answers: dict[int, Answer] = {}
    for (index, part), done in zip(transaction.written, receipt.done, strict=True):
        answers[index] = room.written(answer(site, part, done))
    for index, part in transaction.reads:
        try:
            deadline.keep()
            answers[index] = _read(site, registry, part, room)
        except KintungError as error:
            answers[index] = room.refused(at_entry(error, index))
        except Exception as error:  # noqa: BLE001 - what was written is stored, and is to be answered
            answers[index] = room.refused(at_entry(logged(site, error), index))
    whole = response(b"transaction-response", request.base, [answers[index] for index in sorted(answers)])
    if receipt.replayed:
        record = audit_record(request, "transaction", 200, whole.patient_keys)
        settle(site.store.record(record), site.limits.seconds)
    return whole


def _read(site: Site, registry: Registry, request: Request, room: Room) -> Answer:
    """Answer a GET entry on the state after the commit."""
    room.keep()
    interaction, parameters = registry.find(request.method, request.path)
    request = request.placed(parameters)
    require_right(request.access, interaction)
    if not isinstance(interaction.action, Reads):
        raise NotSupported("A transaction reads resources, histories and searches only.", path="request.url")
    found, record = disclose(site, interaction, interaction.action, request)
    shown = room.read(read_answer(request, found))
    settle(site.store.record(record), site.limits.seconds)
    return shown


INTERACTION = Interaction(
    "transaction",
    "POST",
    "",
    Carries(),
    None,
    Policy.CARRIES,
    "Do the requests of a Bundle: a transaction whole or not at all, a batch each for itself.",
    ("transaction", "batch"),
    may_be_later=True,
)
