"""What is in a compartment, said of the JSON of a resource, from tables of their own.

Source: http://hl7.org/fhir/R4/compartmentdefinition-patient.html and the four beside it. The tables name
the elements, not the search parameters; of each compartment the types that ``tables.py`` covers.
"""

from collections.abc import Sequence
from random import Random

from tests.oracle.values import Held, references, walk

_ELEMENTS = {
    "Patient": """
        AllergyIntolerance patient recorder asserter
        Appointment participant.actor
        CarePlan subject activity.detail.performer
        CareTeam subject participant.member
        Condition subject asserter
        Coverage policyHolder subscriber beneficiary payor
        DiagnosticReport subject
        DocumentReference subject author
        Encounter subject
        Group member.entity
        Immunization patient
        List subject source
        MedicationRequest subject
        Observation subject performer
        Patient link.other
        Procedure subject performer.actor
        ServiceRequest subject performer
    """,
    "Encounter": """
        CarePlan encounter
        Condition encounter
        DiagnosticReport encounter
        DocumentReference context.encounter
        MedicationRequest encounter
        Observation encounter
        Procedure encounter
        ServiceRequest encounter
    """,
    "Practitioner": """
        AllergyIntolerance recorder asserter
        Appointment participant.actor
        CarePlan activity.detail.performer
        DiagnosticReport performer
        Encounter participant.individual
        MedicationRequest requester
        Observation performer
        Patient generalPractitioner
        PractitionerRole practitioner
        Procedure performer.actor
        ServiceRequest performer requester
    """,
    "RelatedPerson": """
        Appointment participant.actor
        CarePlan activity.detail.performer
        Condition asserter
        Observation performer
        Patient link.other
    """,
    "Device": """
        Account subject
        DiagnosticReport subject
        Observation subject device
        ServiceRequest performer requester
    """,
}

MEMBERS: dict[str, dict[str, list[str]]] = {
    type: {line.split()[0]: line.split()[1:] for line in text.strip().splitlines()}
    for type, text in _ELEMENTS.items()
}
"""Compartment -> type of member -> elements that lead to its owner."""


def owners(held: Sequence[Held]) -> dict[str, list[str]]:
    """Compartment -> ids of what has one here, once more for each reference, and of what nobody knows."""
    found: dict[str, list[str]] = {type: ["nobody"] for type in MEMBERS}
    for each in held:
        if each.resource["resourceType"] in found:
            found[each.resource["resourceType"]].append(each.resource["id"])
        for type, of_type in MEMBERS.items():
            for path in of_type.get(each.resource["resourceType"], ()):
                found[type] += [id for named, id in _led(each, path) if named == type]
    return found


def holds(type: str, id: str, held: Held) -> bool:
    """Is the resource in the compartment of that owner? Itself, or by any of the elements."""
    own = held.resource["resourceType"]
    if (own, held.resource["id"]) == (type, id):
        return True
    return any((type, id) in _led(held, path) for path in MEMBERS[type].get(own, ()))


def _led(held: Held, path: str) -> list[tuple[str, str]]:
    """Local references of an element, as (type, id)."""
    elements = walk(held.resource, path)
    found = (reference for element in elements for reference in references(element, "Reference"))
    return [(reference.type, reference.id) for reference in found]


def parameters(rng: Random, member: str | None, owner: str) -> tuple[tuple[str, str], ...]:
    """What else is asked; of all types at once, or by ``_type`` of some that ``MEMBERS`` tells of."""
    asked: list[tuple[str, str]] = []
    if member is None and rng.random() < 0.5:
        types = sorted({owner, *MEMBERS[owner]})
        asked.append(("_type", ",".join(rng.sample(types, rng.randint(1, len(types))))))
    if rng.random() < 0.4:
        asked.append(("_sort", rng.choice(("_id", "-_id", "_lastUpdated", "-_lastUpdated"))))
    if rng.random() < 0.2:
        asked.append(("_lastUpdated", rng.choice(("gt2022-10-20", "lt2022-10-25", "ne2022-10-21"))))
    return tuple(asked)
