"""A record with subscribers, step by step: what is written, followed, delivered, and received."""

import json
from typing import Any

from kintung.clock import SeededEntropy
from kintung.consent import Access, Right, kept
from kintung.store.port import Unit, View
from kintung.store.reader import Reader
from kintung.store.writes import Done, Outcome, Prepared
from kintung.subscriptions import Delivery, Follower, Outbound, Subscriptions, Told, allowed
from kintung.subscriptions.subscription import BACKPORT, PROFILE
from tests.receivers import Got, Receiver
from tests.stores import ALL, SYSTEM, Record

BASE = "http://node.example.hk/fhir"
CHANGED = "https://kintung.org/fhir/SubscriptionTopic/resource-changed"

Resource = dict[str, Any]


def access_of(reader: Reader) -> Access:
    return Access("ward", "ward-7", "TREAT", reader, frozenset({Right.VIEW, Right.DEPOSIT}), "ward", "g1")


class Telling:
    """A record, its receiver, and what stands between them."""

    def __init__(self, record: Record, hook: Receiver, outbound: Outbound | None = None) -> None:
        self.record = record
        self.hook = hook
        self._entropy = SeededEntropy(7)
        self._allowed = allowed([hook.origin])
        self._outbound = outbound or Outbound(self._allowed)
        self.restart()

    def restart(self) -> None:
        """As after a kill: nothing is known but what is stored."""
        record = self.record
        told = Told(
            record.store, record.scribe, record.clock, self._entropy, SYSTEM, BASE, self._outbound.allowed
        )
        subscriptions = Subscriptions(told)
        self.follower = Follower(told, subscriptions, "only")
        self.delivery = Delivery(told, subscriptions, self._outbound)

    # -- what is written ----------------------------------------------------------------

    def subscribe(self, resource: Resource, reader: Reader = ALL) -> Done:
        """Deposit a Subscription by the right of a reader, as the API does."""
        access = access_of(reader)
        put = self.record.putting(resource, ALL, "ward-7")

        def prepare(view: View) -> Prepared:
            write = put(view)._replace(access=kept(access))
            return Prepared((write,), (Outcome(200, write=0),))

        return self.record.store.commit(Unit(ALL, prepare)).done[0]

    def plain(self, criteria: str = "Observation?status=final", id: str = "s", **channel: Any) -> Resource:
        """R4's own form."""
        hook = {
            "type": "rest-hook",
            "endpoint": f"{self.hook.origin}/hook",
            "payload": "application/fhir+json",
        }
        return {
            "resourceType": "Subscription",
            "id": id,
            "status": "requested",
            "reason": "test",
            "criteria": criteria,
            "channel": {name: value for name, value in (hook | channel).items() if value is not None},
        }

    def topic(
        self,
        filter: str = "Observation?status=final",
        id: str = "s",
        *,
        content: str = "id-only",
        topic: str = CHANGED,
        heartbeat: int = 0,
    ) -> Resource:
        """The form of the backport."""
        said = {"url": f"{BACKPORT}backport-payload-content", "valueCode": content}
        filters = {"url": f"{BACKPORT}backport-filter-criteria", "valueString": filter}
        resource = self.plain(topic, id, _payload={"extension": [said]})
        resource |= {"meta": {"profile": [PROFILE]}, "_criteria": {"extension": [filters]}}
        if heartbeat:
            period = {"url": f"{BACKPORT}backport-heartbeat-period", "valueUnsignedInt": heartbeat}
            resource["channel"] = resource["channel"] | {"extension": [period]}
        return resource

    # -- what is done -------------------------------------------------------------------

    def follow(self) -> None:
        """Follow the log to its end."""
        while self.follower.step():
            pass

    def deliver(self) -> None:
        """Try all that is due."""
        while self.delivery.step():
            pass

    def run(self) -> None:
        self.follow()
        self.deliver()
        self.follow()

    # -- what came of it ----------------------------------------------------------------

    @property
    def got(self) -> list[Got]:
        return self.hook.got

    def bundles(self) -> list[Resource]:
        """The bodies of what came."""
        return [json.loads(each.body) for each in self.got]

    def status(self, id: str = "s") -> tuple[str, str]:
        """Status and error of a Subscription as it stands in the record."""
        with self.record.store.view() as view:
            stored = json.loads(view.read(ALL, "Subscription", id).body)
        return stored["status"], stored.get("error", "")


def observation(id: str, status: str = "final", patient: str = "p", **members: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": id,
        "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{patient}"},
        **members,
    }


def parts(bundle: Resource) -> dict[str, Any]:
    """The parameters of the status that a notification begins with, by name."""
    found: dict[str, Any] = {}
    for each in bundle["entry"][0]["resource"]["parameter"]:
        values = [value for name, value in each.items() if name.startswith("value")]
        found[each["name"]] = values[0] if values else {part["name"]: _value(part) for part in each["part"]}
    return found


def _value(part: Resource) -> Any:
    return next(value for name, value in part.items() if name.startswith("value"))
