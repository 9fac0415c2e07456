"""Where each composite parameter finds values that stand together, written by hand from the R4 definitions.

A line reads: code, then the elements in which the values stand (``.`` for the resource itself),
then one part for each component: its kind and its places, as in ``tables.py``, from that element;
``^`` before a place reads it from the resource. Source:
https://hl7.org/fhir/R4/searchparameter-registry.html. The components of DocumentReference's
``relationship`` are taken the way its name says: the printed expressions are interchanged.
"""

import re
from itertools import product
from typing import Any, NamedTuple

from tests.oracle.tables import COMMON, PARAMETERS, Parameter, Place
from tests.oracle.values import HONG_KONG, Held, Token, rows, walk


class Composite(NamedTuple):
    """A composite parameter; a part is (is read from the resource, what it reads)."""

    code: str
    elements: tuple[str, ...]
    parts: tuple[tuple[bool, Parameter], ...]


USE_CONTEXT = """
context-type-quantity ; useContext ; token code:Coding ; quantity valueQuantity:Quantity valueRange:Range
context-type-value    ; useContext ; token code:Coding ; token valueCodeableConcept:CodeableConcept
"""

IN_CONTEXT = """
ActivityDefinition CapabilityStatement ChargeItemDefinition CodeSystem CompartmentDefinition ConceptMap
EffectEvidenceSynthesis EventDefinition Evidence EvidenceVariable ExampleScenario GraphDefinition
ImplementationGuide Library Measure MessageDefinition NamingSystem OperationDefinition PlanDefinition
Questionnaire ResearchDefinition ResearchElementDefinition RiskEvidenceSynthesis SearchParameter
StructureDefinition StructureMap TerminologyCapabilities TestScript ValueSet
"""

TEXT = dict.fromkeys(IN_CONTEXT.split(), USE_CONTEXT) | {
    "DocumentReference": """
relationship ; relatesTo ; reference target:Reference ; token code:code
""",
    "Group": """
characteristic-value ; characteristic ; token code:CodeableConcept ; \
    token valueCodeableConcept:CodeableConcept valueBoolean:boolean
""",
    "MolecularSequence": """
chromosome-variant-coordinate     ; variant ; token ^referenceSeq.chromosome:CodeableConcept ; \
    number start:integer ; number end:integer
chromosome-window-coordinate      ; referenceSeq ; token chromosome:CodeableConcept ; \
    number windowStart:integer ; number windowEnd:integer
referenceseqid-variant-coordinate ; variant ; token ^referenceSeq.referenceSeqId:CodeableConcept ; \
    number start:integer ; number end:integer
referenceseqid-window-coordinate  ; referenceSeq ; token referenceSeqId:CodeableConcept ; \
    number windowStart:integer ; number windowEnd:integer
""",
    "Observation": """
code-value-concept            ; . ; token code:CodeableConcept ; token valueCodeableConcept:CodeableConcept
code-value-date               ; . ; token code:CodeableConcept ; \
    date valueDateTime:dateTime valuePeriod:Period
code-value-quantity           ; . ; token code:CodeableConcept ; quantity valueQuantity:Quantity
code-value-string             ; . ; token code:CodeableConcept ; string valueString:string
combo-code-value-concept      ; . component ; token code:CodeableConcept ; \
    token valueCodeableConcept:CodeableConcept
combo-code-value-quantity     ; . component ; token code:CodeableConcept ; quantity valueQuantity:Quantity
component-code-value-concept  ; component ; token code:CodeableConcept ; \
    token valueCodeableConcept:CodeableConcept
component-code-value-quantity ; component ; token code:CodeableConcept ; quantity valueQuantity:Quantity
""",
}


def _parse_line(line: str) -> Composite:
    code, elements, *parts = (piece.strip() for piece in line.split(";"))
    return Composite(code, tuple(elements.split()), tuple(_part(code, part) for part in parts))


def _part(code: str, text: str) -> tuple[bool, Parameter]:
    kind, *places = re.split(r"\s+", text)
    is_of_root = places[0].startswith("^")
    found = (Place(*place.removeprefix("^").rsplit(":", 1)) for place in places)
    return is_of_root, Parameter(code, kind, tuple(found), None)


COMPOSITES: dict[str, dict[str, Composite]] = {
    type: {found.code: found for found in map(_parse_line, text.strip().split("\n"))}
    for type, text in TEXT.items()
}
"""Resource type -> code -> composite."""


def tuples(held: Held, composite: Composite, offset: int = HONG_KONG) -> list[tuple[Any, ...]]:
    """Every combination of the values that stand together in one element."""
    found: list[tuple[Any, ...]] = []
    for path in composite.elements:
        for element in [held.resource] if path == "." else walk(held.resource, path):
            inside = Held(element, held.updated)
            each = (rows(held if of_root else inside, part, offset) for of_root, part in composite.parts)
            found += product(*each)
    return found


def has_identifiers(type: str, code: str) -> bool:
    """Does the parameter read Identifiers, of which ``:of-type`` asks?"""
    parameter = PARAMETERS.get(type, COMMON).get(code)
    return parameter is not None and any(place.type == "Identifier" for place in parameter.places)


def typed_identifiers(held: Held, code: str) -> list[tuple[Token, Token]]:
    """Each identifier with a value under each coding of its type that has a system and a code."""
    parameter = PARAMETERS[held.resource["resourceType"]][code]
    return [
        (Token(coding["system"], coding["code"]), Token(identifier.get("system"), identifier["value"]))
        for place in parameter.places
        if place.type == "Identifier"
        for identifier in walk(held.resource, place.path)
        for coding in identifier.get("type", {}).get("coding", [])
        if "value" in identifier and "system" in coding and "code" in coding
    ]
