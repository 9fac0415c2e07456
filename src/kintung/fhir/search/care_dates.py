"""Care dates: the search parameters that say when care was given, by type.

``start`` and ``end`` of ``Patient/$everything`` "relate to care dates, not record currency dates", and
R4 leaves open which they are: http://hl7.org/fhir/R4/patient-operation-everything.html. What is not
listed (a Coverage, a RelatedPerson) is of all times, like what has no date.
"""

from collections.abc import Iterable
from functools import lru_cache

from kintung.fhir.search.criteria import Care
from kintung.fhir.search.parameters import Parameter, parameters

_CODES = """
Account period
AdverseEvent date
AllergyIntolerance date onset last-date
Appointment date
CarePlan date activity-date
CareTeam date
ChargeItem occurrence
Claim created
ClaimResponse created
ClinicalImpression date
Communication sent received
CommunicationRequest occurrence authored
Composition date period
Condition onset-date abatement-date recorded-date
Consent date
CoverageEligibilityRequest created
CoverageEligibilityResponse created
DetectedIssue identified
DeviceRequest event-date authored-on
DiagnosticReport date
DocumentManifest created
DocumentReference period date
Encounter date
EpisodeOfCare date
ExplanationOfBenefit created
FamilyMemberHistory date
Flag date
Goal start-date target-date
ImagingStudy started
Immunization date
ImmunizationEvaluation date
ImmunizationRecommendation date
Invoice date
List date
MeasureReport period
Media created
MedicationAdministration effective-time
MedicationDispense whenhandedover whenprepared
MedicationRequest authoredon date
MedicationStatement effective
NutritionOrder datetime
Observation date
Procedure date
QuestionnaireResponse authored
RequestGroup authored
ResearchSubject date
RiskAssessment date
Schedule date
ServiceRequest occurrence authored
Specimen collected
SupplyRequest date
VisionPrescription datewritten
"""
_BY_TYPE = {line.split()[0]: tuple(line.split()[1:]) for line in _CODES.strip().splitlines()}


def care_between(types: Iterable[str], low: int, high: int) -> Care:
    """Return the time of care from ``low`` to ``high``, UTC microseconds, half-open, for the types."""
    return Care(_dates(tuple(sorted(types))), low, high)


@lru_cache(maxsize=64)
def _dates(types: tuple[str, ...]) -> Parameter:
    branches = [
        branch
        for type in types
        for code in _BY_TYPE.get(type, ())
        for branch in parameters(type)[code].branches
    ]
    return Parameter("", "the date of care", "date", branches=tuple(dict.fromkeys(branches)), answered="rows")
