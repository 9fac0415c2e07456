"""The kinds of things that a timeline shows, by type of resource, and what each type is called."""

from collections.abc import Mapping
from typing import NamedTuple

from kintung.web.pages.catalogues import N_


class Kind(NamedTuple):
    """What may be asked for: ``label`` is a message. What is no ``usual`` kind is shown when asked for."""

    name: str
    label: str
    types: tuple[str, ...]
    is_usual: bool = False


TYPES: Mapping[str, Mapping[str, str]] = {
    "visits": {
        "Encounter": N_("Visit"),
        "EpisodeOfCare": N_("Episode of care"),
        "Appointment": N_("Appointment"),
        "AppointmentResponse": N_("Answer to an appointment"),
    },
    "documents": {
        "Composition": N_("Document"),
        "DiagnosticReport": N_("Report"),
        "DocumentManifest": N_("Set of documents"),
        "DocumentReference": N_("Document"),
        "ImagingStudy": N_("Imaging study"),
        "Media": N_("Picture or recording"),
        "QuestionnaireResponse": N_("Answered questionnaire"),
    },
    "procedures": {"Procedure": N_("Procedure")},
    "results": {
        "BodyStructure": N_("Part of the body"),
        "MolecularSequence": N_("Genetic sequence"),
        "Observation": N_("Result"),
        "Specimen": N_("Specimen"),
    },
    "immunisations": {
        "Immunization": N_("Immunisation"),
        "ImmunizationEvaluation": N_("Evaluation of an immunisation"),
        "ImmunizationRecommendation": N_("Recommended immunisation"),
    },
    "problems": {
        "AdverseEvent": N_("Adverse event"),
        "AllergyIntolerance": N_("Allergy"),
        "ClinicalImpression": N_("Clinical impression"),
        "Condition": N_("Problem"),
        "DetectedIssue": N_("Detected issue"),
        "FamilyMemberHistory": N_("Family history"),
        "Flag": N_("Alert"),
        "RiskAssessment": N_("Risk assessment"),
    },
    "medicines": {
        "MedicationAdministration": N_("Medicine given"),
        "MedicationDispense": N_("Medicine dispensed"),
        "MedicationRequest": N_("Prescription"),
        "MedicationStatement": N_("Medicine taken"),
    },
    "plans": {
        "CarePlan": N_("Care plan"),
        "CareTeam": N_("Care team"),
        "Device": N_("Device"),
        "DeviceRequest": N_("Order of a device"),
        "DeviceUseStatement": N_("Use of a device"),
        "Goal": N_("Goal"),
        "GuidanceResponse": N_("Guidance"),
        "NutritionOrder": N_("Order of a diet"),
        "RequestGroup": N_("Set of orders"),
        "ServiceRequest": N_("Order or referral"),
        "SupplyDelivery": N_("Delivery of supplies"),
        "SupplyRequest": N_("Order of supplies"),
        "Task": N_("Task"),
        "VisionPrescription": N_("Prescription of glasses"),
    },
    "messages": {"Communication": N_("Message"), "CommunicationRequest": N_("Message to be sent")},
    "groups": {"Group": N_("Group"), "List": N_("List")},
    "money": {
        "Account": N_("Account"),
        "ChargeItem": N_("Charge"),
        "Claim": N_("Claim"),
        "ClaimResponse": N_("Answer to a claim"),
        "Coverage": N_("Cover"),
        "CoverageEligibilityRequest": N_("Question on cover"),
        "CoverageEligibilityResponse": N_("Answer on cover"),
        "EnrollmentRequest": N_("Enrolment"),
        "ExplanationOfBenefit": N_("Explanation of benefit"),
        "Invoice": N_("Invoice"),
    },
    "others": {
        "Basic": N_("Other record"),
        "Consent": N_("Consent"),
        "MeasureReport": N_("Report of a measure"),
        "Patient": N_("Registration"),
        "Person": N_("Person"),
        "RelatedPerson": N_("Related person"),
        "ResearchSubject": N_("Part in research"),
        "Schedule": N_("Schedule"),
    },
}
"""By the name of the kind, what each type is called: messages."""
LEFT_OUT: Mapping[str, str] = {
    "AuditEvent": "It tells who looked at the record, and is no part of what the record says.",
    "Provenance": "It is told with the thing that it is of, as the source of that.",
}
"""Types of a Patient's compartment that have no place of their own, and why."""
NAMES: Mapping[str, str] = {type: name for of_kind in TYPES.values() for type, name in of_kind.items()}

_LABELS: Mapping[str, str] = {
    "visits": N_("Visits"),
    "documents": N_("Documents and reports"),
    "procedures": N_("Procedures"),
    "results": N_("Results"),
    "immunisations": N_("Immunisations"),
    "problems": N_("Problems, allergies, risks"),
    "medicines": N_("Medicines"),
    "plans": N_("Plans, goals, referrals"),
    "messages": N_("Messages"),
    "groups": N_("Lists and groups"),
    "money": N_("Cover and claims"),
    "others": N_("Registration, consent, others"),
}
_USUAL = ("visits", "documents", "procedures")
KINDS = tuple(Kind(name, _LABELS[name], tuple(types), name in _USUAL) for name, types in TYPES.items())
EVERYTHING = Kind("everything", N_("Everything"), tuple(NAMES))
OF_TYPE: Mapping[str, Kind] = {type: kind for kind in KINDS for type in kind.types}
