"""Small valid resources, named by whose they are."""

from typing import Any

Resource = dict[str, Any]


def patient(id: str, family: str = "Chan", **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": id, "name": [{"family": family}], **more}


def observation(id: str, of: str | None, code: str = "weight", **more: Any) -> Resource:
    """An Observation of a Patient, or of nobody and so of the organisation that deposits it."""
    subject = {} if of is None else {"subject": {"reference": f"Patient/{of}"}}
    coded = {"coding": [{"system": "http://example.org/codes", "code": code}]}
    return {"resourceType": "Observation", "id": id, "status": "final", "code": coded, **subject, **more}


def weight(id: str, of: str, kilograms: float) -> Resource:
    quantity = {"value": kilograms, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    return observation(id, of, valueQuantity=quantity)


def group(id: str, *members: str, **more: Any) -> Resource:
    """Data of all its members together."""
    entities = [{"entity": {"reference": f"Patient/{member}"}} for member in members]
    return {"resourceType": "Group", "id": id, "type": "person", "actual": True, "member": entities, **more}


def listing(id: str, *items: str) -> Resource:
    """A List over resources: data of whoever owns any of them."""
    entries = [{"item": {"reference": item}} for item in items]
    return {"resourceType": "List", "id": id, "status": "current", "mode": "working", "entry": entries}


def binary(id: str, of: str) -> Resource:
    """Whoever owns the resource named owns this too."""
    return {
        "resourceType": "Binary",
        "id": id,
        "contentType": "text/plain",
        "securityContext": {"reference": of},
        "data": "aGVsbG8=",
    }


def organization(id: str, name: str = "Clinic") -> Resource:
    """Directory data, public."""
    return {"resourceType": "Organization", "id": id, "name": name}


def subscription(id: str) -> Resource:
    return {
        "resourceType": "Subscription",
        "id": id,
        "status": "requested",
        "reason": "to know",
        "criteria": "Patient?",
        "channel": {"type": "rest-hook", "endpoint": "https://ward.example/hook"},
    }
