"""The naming systems of the definitions as FHIR resources.

Source: http://hl7.org/fhir/R4/namingsystem.html. That a number of the system stands in the record
only sealed, and in its index as a keyed hash, is the extension ``VAULTED``.
"""

from typing import Any

from kintung.definitions import NamingSystem, naming_systems

VAULTED = "https://kintung.org/fhir/StructureDefinition/naming-system-vaulted"
"""URL of the extension; ``valueBoolean`` is always there, so that false is said and not left open."""
_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
_OID = "urn:oid:"


def resources() -> tuple[dict[str, Any], ...]:
    """A NamingSystem for each definition, vaulted or not; its id is that of the definition."""
    return tuple(map(_resource, naming_systems()))


def _resource(system: NamingSystem) -> dict[str, Any]:
    usage = {"usage": f"Values in normal form match {system.format}."} if system.format else {}
    own = [_unique_id(uri, preferred=place == 0) for place, uri in enumerate(system.uris)]
    return {
        "resourceType": "NamingSystem",
        "id": system.id,
        "extension": [{"url": VAULTED, "valueBoolean": system.vaulted}],
        "name": "".join(word.capitalize() for word in system.id.split("-")),
        "status": "active",
        "kind": "identifier",
        "date": system.start.isoformat(),
        "publisher": "Kintung",
        "type": {"coding": [{"system": _TYPES, "code": system.type}], "text": system.label.en},
        "description": f"{system.label.en} {system.label.zh_hk}. {system.source}",
        **usage,
        "uniqueId": own + [_family(prefix) for prefix in system.prefixes],
    }


def _unique_id(uri: str, *, preferred: bool) -> dict[str, Any]:
    oid = uri.startswith(_OID)
    found = {"type": "oid", "value": uri.removeprefix(_OID)} if oid else {"type": "uri", "value": uri}
    return found | ({"preferred": True} if preferred else {})


def _family(prefix: str) -> dict[str, Any]:
    comment = "The URIs of a family of systems begin with this, one for each country or state."
    return {"type": "other", "value": prefix, "comment": comment}
