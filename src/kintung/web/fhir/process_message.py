"""$process-message: POST /$process-message, for one event: the patient identity feed of IHE.

Sources: https://profiles.ihe.net/ITI/PMIR/ITI-93.html, http://hl7.org/fhir/R4/messaging.html and
http://hl7.org/fhir/R4/messageheader-operation-process-message.html. A message holds a history of Patients,
which is done like a transaction: whole or not at all. A merge in it is what a source says of its own
duplicate (``kintung.identity.replacement``); what a source may not say is refused here, so that who sends a
merge knows that it was done.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import msgspec

from kintung.clock import uuid_of
from kintung.consent import Policy, Right
from kintung.errors import KintungError, NotSupported, RuleFailed, StructureInvalid, ValueInvalid
from kintung.fhir.json import BundleEntry, SplitBundle
from kintung.fhir.structure import require_valid
from kintung.identity.replacement import Writer, is_own_of, named
from kintung.store.port import Unit, View
from kintung.store.writes import Idempotency, Prepared, Receipt
from kintung.web.deadline import Deadline
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.audit import audit_record
from kintung.web.fhir.bundle import at_entry, received
from kintung.web.fhir.headers import PLAIN, instant
from kintung.web.fhir.registry import Interaction, Submission, Writes
from kintung.web.fhir.request import Request, refuse_parameters
from kintung.web.fhir.submission import idempotency_of
from kintung.web.fhir.transaction import Transaction
from kintung.web.site import Site

OPERATION = "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message"
EVENT = "urn:ihe:iti:pmir:2019:patient-feed"
"""The one event that is taken."""
_HISTORY = 1
"""Place of the history in the message."""
_METHODS = ("POST", "PUT", "DELETE")


class Message:
    """A message that was read: whose it is, and what it changes."""

    def __init__(self, site: Site, request: Request) -> None:
        """Read it.

        Raises:
            BadInput: it is no message, of another event, or holds other things than Patients.
        """
        refuse_parameters(request)
        self._site = site
        self._request = request
        entries = _entries(site, request)
        self.id = _header(entries[0])["id"]
        text = entries[_HISTORY].text or b""
        try:
            split = received(site, text)
            _require_history(split)
            self._written = [entry.resource for entry in split.entries if entry.resource is not None]
            # An entry is told from others by its fullUrl, which in a history several versions may share.
            self._transaction = Transaction(site, request, split, Deadline(site.limits.bundle_seconds))
        except KintungError as error:
            raise at_entry(error, _HISTORY) from None
        self._digest = sha256(text).digest()

    def unit(self) -> Unit:
        """All of it as one unit. The same message sent again is done once."""
        key = idempotency_of(self._request) or Idempotency(
            self._request.access.client, f"message\n{self.id}", self._digest
        )
        return Unit(self._request.access.reader, self._prepare, key)

    def _prepare(self, view: View) -> Prepared:
        try:
            prepared = self._transaction.prepare(view)
            self._refuse_merges_of_others(view)
        except KintungError as error:
            raise at_entry(error, _HISTORY) from None
        keys = prepared.audit.patient_keys if prepared.audit is not None else ()
        return replace(prepared, audit=audit_record(self._request, "process-message", 200, keys))

    def _refuse_merges_of_others(self, view: View) -> None:
        """Refuse a merge with what is not known, or not of the same source; the two are alike.

        Raises:
            RuleFailed: see there; or a Patient is replaced by several, or is active still.
        """
        access = self._request.access
        writer = Writer(access.reader, access.organisation)
        resources = {str(resource.get("id")): resource for resource in self._written}
        for number, resource in enumerate(self._written):
            ids = named(resource)
            if not any(link.get("type") == "replaced-by" for link in resource.get("link", ())):
                continue
            if len(ids) != 1 or resource.get("active") is not False:
                message = "A Patient that is merged is not active, and is replaced by one other, by its id."
                raise at_entry(RuleFailed(message, path="Patient.link"), number)
            if not is_own_of(view, writer, ids[0], resources):
                raise at_entry(RuleFailed(_not_own(ids[0]), path="Patient.link"), number)


def _not_own(id: str) -> str:
    return (
        f"Patient/{id} is not a record that you deposited and that is there; a source merges its own records,"
        " those of several sources are for a steward."
    )


def process_message(site: Site, request: Request) -> Submission:
    """The unit that does what a message says, and the message that answers it."""
    message = Message(site, request)

    def answered(receipt: Receipt) -> Answer:
        return _response(site, request, message.id, receipt)

    return Submission(message.unit(), answered)


# --- What is sent ---------------------------------------------------------------------


def _entries(site: Site, request: Request) -> Sequence[BundleEntry]:
    split = received(site, request.body)
    if split.envelope.get("type") != "message":
        raise ValueInvalid("What is sent here is a Bundle of type message.", path="Bundle.type")
    types = [(entry.resource or {}).get("resourceType") for entry in split.entries]
    if types != ["MessageHeader", "Bundle"]:
        raise StructureInvalid(
            "A message of this event is a MessageHeader and a Bundle of type history.", path="Bundle.entry"
        )
    return split.entries


def _header(entry: BundleEntry) -> dict[str, Any]:
    """The MessageHeader, of the one event that is taken."""
    header = entry.resource or {}
    try:
        require_valid(header)
        if header.get("eventUri") != EVENT:
            raise NotSupported(f"The one event that is taken is {EVENT}.", path="MessageHeader.eventUri")
        if "id" not in header:
            raise StructureInvalid(
                "A message has an id, by which its answer says what it answers.", path="MessageHeader.id"
            )
    except KintungError as error:
        raise at_entry(error, 0) from None
    return header


def _require_history(split: SplitBundle) -> None:
    """Patients that were created, changed or deleted, and nothing else."""
    if split.envelope.get("type") != "history":
        raise ValueInvalid("What a message brings is a Bundle of type history.", path="Bundle.type")
    for number, entry in enumerate(split.entries):
        asked = entry.request or {}
        type = str(asked.get("url", "")).removeprefix("/").partition("?")[0].partition("/")[0]
        if asked.get("method") not in _METHODS or type != "Patient":
            message = "The feed is of Patients that are created, updated (PUT) or deleted."
            raise at_entry(NotSupported(message, path="request.url"), number)


# --- What is answered -----------------------------------------------------------------


def _response(site: Site, request: Request, answered: str, receipt: Receipt) -> Answer:
    """A message of one MessageHeader; ``focus`` has the Patients in the order of the history."""
    id = uuid_of(site.entropy.bytes(16))
    header: dict[str, Any] = {
        "resourceType": "MessageHeader",
        "id": id,
        "eventUri": EVENT,
        "source": {"endpoint": request.base},
        "response": {"identifier": answered, "code": "ok"},
    }
    focus = [{"reference": f"{done.type}/{done.id}"} for done in receipt.done if done.id]
    body = {
        "resourceType": "Bundle",
        "id": uuid_of(site.entropy.bytes(16)),
        "type": "message",
        "timestamp": instant(receipt.at),
        "entry": [
            {"fullUrl": f"urn:uuid:{id}", "resource": header | ({"focus": focus} if focus else {})},
        ],
    }
    return Answer(200, PLAIN, msgspec.json.encode(body))


INTERACTION = Interaction(
    "process-message",
    "POST",
    "/$process-message",
    Writes(process_message),
    Right.DEPOSIT,
    Policy.DEPOSITS,
    "Do what a message says, of one event: the patient identity feed of IHE (PMIR ITI-93).",
    operation=OPERATION,
)
