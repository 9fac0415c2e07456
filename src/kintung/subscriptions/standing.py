"""Subscriptions as they stand in the record: what each wants, and what the node says of it there."""

from typing import Any, NamedTuple

import msgspec

from kintung.clock import Clock, Entropy
from kintung.errors import Deleted, NotFound
from kintung.fhir.json import parse
from kintung.fhir.patch.json_patch import Add, Operation, Remove, apply_json_patch
from kintung.store.notices import BY_NODE
from kintung.store.port import Store, Unit, View
from kintung.store.reader import Reader
from kintung.store.scribe import Scribe
from kintung.store.system import System
from kintung.store.versions import Version
from kintung.store.writes import AuditRecord, Outcome, Prepared
from kintung.subscriptions.outbound import Allowed
from kintung.subscriptions.subscription import Subscription, subscription_of

READER = Reader.everything("subscriptions")
"""What the node itself sees: it matches what it follows, and shows nothing by this Reader."""
LINK = "Linkage"
"""The type of a notice of a pair of Patients, whose id is both of theirs; none is stored."""
_KEPT = 4_096
"""Subscriptions whose reading is kept."""


class Told(NamedTuple):
    """What all parts of the node's telling work with.

    Attributes:
        base: address of the FHIR API, without a slash at its end.
        allowed: where this node sends to.
    """

    store: Store
    scribe: Scribe
    clock: Clock
    entropy: Entropy
    system: System
    base: str
    allowed: Allowed


class Subscriptions:
    """Reads Subscriptions by version, and commits what the node says of them."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._read: dict[tuple[str, int], Subscription] = {}

    def of(self, id: str, version_id: int) -> Subscription:
        """What a version of a Subscription wants.

        Raises:
            RuleFailed: it wants what this node does not offer, or not any more.
            NotFound, Deleted: there is no such version.
        """
        found = self._read.get((id, version_id))
        if found is None:
            with self._told.store.lookup() as view:
                version = view.vread(READER, "Subscription", id, version_id)
            found = self.understood(parse(version.body), version.at)
            if len(self._read) >= _KEPT:
                self._read.clear()
            self._read[id, version_id] = found
        return found

    def understood(self, resource: dict[str, Any], at: int) -> Subscription:
        """What a Subscription that was stored at an instant wants; raises RuleFailed."""
        told = self._told
        return subscription_of(
            resource,
            told.allowed,
            now_micros=at,
            offset_minutes=told.scribe.offset_minutes,
            base=told.base,
        )

    def say(self, id: str, version_id: int, status: str, error: str = "") -> None:
        """Commit a new version with that status, unless it was deposited anew since ``version_id``.

        That is so when the last version is neither that one nor the node's own word: nobody else
        may say ``active`` or ``error``. What is so already is not said again.

        Raises:
            KintungError: it could not be stored.
        """
        told = self._told

        def prepare(view: View) -> Prepared:
            current = view.current(READER, "Subscription", id)
            if current is None or current.deleted:
                return Prepared()
            text = view.read(READER, "Subscription", id).body
            resource = parse(text)
            is_own = current.version_id > version_id and resource["status"] in ("active", "error")
            if not (is_own or current.version_id == version_id):
                return Prepared()
            if (resource["status"], resource.get("error", "")) == (status, error):
                return Prepared()
            said = apply_json_patch(text, _saying(resource, status, error))
            write = told.scribe.put(
                view,
                READER,
                type="Subscription",
                id=id,
                raw=said,
                resource=parse(said),
                current=current,
            )
            return Prepared(
                (write._replace(access=BY_NODE),),
                (Outcome(200, write=0),),
                AuditRecord("node", "", "", "subscription-status", f"PUT Subscription/{id} {status}", 200),
            )

        told.store.commit(Unit(READER, prepare))


def _saying(resource: dict[str, Any], status: str, error: str) -> list[Operation]:
    operations: list[Operation] = [Add("/status", msgspec.Raw(msgspec.json.encode(status)))]
    if error:
        operations.append(Add("/error", msgspec.Raw(msgspec.json.encode(error))))
    elif "error" in resource:
        operations.append(Remove("/error"))
    return operations


def last_of(view: View, reader: Reader, id: str) -> Version | None:
    """A Patient as it is, as a reader sees it; None when it is absent, hidden, or deleted."""
    try:
        return view.read(reader, "Patient", id)
    except (NotFound, Deleted):
        return None


def version_of(view: View, reader: Reader, type: str, id: str, version_id: int) -> Any:
    """A version as a reader sees it; None when it is absent, hidden, or a deletion."""
    try:
        return view.vread(reader, type, id, version_id)
    except (NotFound, Deleted):
        return None
