"""Patients as they are written here and there, for tests of matching. None is a real person."""

from typing import Any

SID = "https://kintung.org/fhir/sid/"
VERIFIED = "https://kintung.org/fhir/StructureDefinition/identifier-verified"
CODES = "https://kintung.org/fhir/StructureDefinition/chinese-commercial-code"


def number(system: str, value: str, *, seen: bool = True) -> dict[str, Any]:
    """An identifier, verified at a counter or not."""
    found: dict[str, Any] = {"system": SID + system, "value": value}
    if seen:
        found["extension"] = [{"url": VERIFIED, "valueDateTime": "2026-01-01"}]
    return found


def name(family: str, *given: str, codes: str = "") -> dict[str, Any]:
    """A HumanName."""
    found: dict[str, Any] = {"family": family, "given": list(given)}
    if codes:
        found["extension"] = [{"url": CODES, "valueString": codes}]
    return found


def patient(identity: str, *names: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A Patient born on 4 March 1950, male, of an organisation of its own, unless said otherwise."""
    return {
        "resourceType": "Patient",
        "id": identity,
        "name": list(names),
        "birthDate": "1950-03-04",
        "gender": "male",
        "managingOrganization": {"reference": f"Organization/of-{identity}"},
    } | members
