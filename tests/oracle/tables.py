"""Where each search parameter finds its values, written by hand from the R4 definitions.

A line reads: code, kind, then one or more places ``path:Type``. A path is walked through
lists by JSON element names (so ``value[x]`` is spelled out); ``[name=value]`` keeps the
elements of which that child has that value. ``is Patient`` at the end keeps references to
Patients only. The Type says how a value is read; see ``values.py``. A parameter on an
extension finds the value of the extension.

Source: https://hl7.org/fhir/R4/searchparameter-registry.html. Composite parameters and
those without an expression are not covered.
"""

import re
from typing import NamedTuple


class Place(NamedTuple):
    """A path in the JSON of a resource and the FHIR type found there."""

    path: str
    type: str


class Parameter(NamedTuple):
    """One search parameter of one resource type; ``only`` is a reference's target type."""

    code: str
    kind: str
    places: tuple[Place, ...]
    only: str | None


# Every resource has these; _id and _lastUpdated are not read from the body (values.py).
RESOURCE = """
_id           token  @id:id
_lastUpdated  date   @updated:instant
_profile      uri    meta.profile:canonical
_security     token  meta.security:Coding
_source       uri    meta.source:uri
_tag          token  meta.tag:Coding
"""

ADDRESS = """
address             string  address:Address
address-city        string  address.city:string
address-country     string  address.country:string
address-postalcode  string  address.postalCode:string
address-state       string  address.state:string
address-use         token   address.use:code
"""

PERSON = f"""
{ADDRESS}
email      token   telecom[system=email]:ContactPoint
gender     token   gender:code
phone      token   telecom[system=phone]:ContactPoint
phonetic   string  name:HumanName
telecom    token   telecom:ContactPoint
"""

CONFORMANCE = """
context           token      useContext.valueCodeableConcept:CodeableConcept
context-quantity  quantity   useContext.valueQuantity:Quantity useContext.valueRange:Range
context-type      token      useContext.code:Coding
date              date       date:dateTime
description       string     description:markdown
effective         date       effectivePeriod:Period
identifier        token      identifier:Identifier
jurisdiction      token      jurisdiction:CodeableConcept
name              string     name:string
publisher         string     publisher:string
status            token      status:code
title             string     title:string
url               uri        url:uri
version           token      version:string
"""

RELATED = """
composed-of       reference  relatedArtifact[type=composed-of].resource:canonical
derived-from      reference  relatedArtifact[type=derived-from].resource:canonical
predecessor       reference  relatedArtifact[type=predecessor].resource:canonical
successor         reference  relatedArtifact[type=successor].resource:canonical
"""

TEXT: dict[str, str] = {}

TEXT["Patient"] = f"""
{PERSON}
active                token      active:boolean
birthdate             date       birthDate:date
death-date            date       deceasedDateTime:dateTime
deceased              token      @deceased:boolean
family                string     name.family:string
general-practitioner  reference  generalPractitioner:Reference
given                 string     name.given:string
identifier            token      identifier:Identifier
language              token      communication.language:CodeableConcept
link                  reference  link.other:Reference
mothersMaidenName     string     \
    extension[url=http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName].valueString:string
name                  string     name:HumanName
organization          reference  managingOrganization:Reference
"""

TEXT["Practitioner"] = f"""
{PERSON}
active         token   active:boolean
communication  token   communication:CodeableConcept
family         string  name.family:string
given          string  name.given:string
identifier     token   identifier:Identifier
name           string  name:HumanName
"""

TEXT["RelatedPerson"] = f"""
{PERSON}
active        token      active:boolean
birthdate     date       birthDate:date
identifier    token      identifier:Identifier
name          string     name:HumanName
patient       reference  patient:Reference
relationship  token      relationship:CodeableConcept
"""

TEXT["PractitionerRole"] = """
active        token      active:boolean
date          date       period:Period
email         token      telecom[system=email]:ContactPoint
endpoint      reference  endpoint:Reference
identifier    token      identifier:Identifier
location      reference  location:Reference
organization  reference  organization:Reference
phone         token      telecom[system=phone]:ContactPoint
practitioner  reference  practitioner:Reference
role          token      code:CodeableConcept
service       reference  healthcareService:Reference
specialty     token      specialty:CodeableConcept
telecom       token      telecom:ContactPoint
"""

TEXT["Organization"] = f"""
{ADDRESS}
active      token      active:boolean
endpoint    reference  endpoint:Reference
identifier  token      identifier:Identifier
name        string     name:string alias:string
partof      reference  partOf:Reference
phonetic    string     name:string
type        token      type:CodeableConcept
"""

TEXT["Location"] = f"""
{ADDRESS}
endpoint            reference  endpoint:Reference
identifier          token      identifier:Identifier
name                string     name:string alias:string
operational-status  token      operationalStatus:Coding
organization        reference  managingOrganization:Reference
partof              reference  partOf:Reference
status              token      status:code
type                token      type:CodeableConcept
"""

TEXT["Observation"] = """
based-on                    reference  basedOn:Reference
category                    token      category:CodeableConcept
code                        token      code:CodeableConcept
combo-code                  token      code:CodeableConcept component.code:CodeableConcept
combo-data-absent-reason    token      dataAbsentReason:CodeableConcept \
    component.dataAbsentReason:CodeableConcept
combo-value-concept         token      valueCodeableConcept:CodeableConcept \
    component.valueCodeableConcept:CodeableConcept
combo-value-quantity        quantity   valueQuantity:Quantity valueSampledData:SampledData \
    component.valueQuantity:Quantity component.valueSampledData:SampledData
component-code              token      component.code:CodeableConcept
component-data-absent-reason  token    component.dataAbsentReason:CodeableConcept
component-value-concept     token      component.valueCodeableConcept:CodeableConcept
component-value-quantity    quantity   component.valueQuantity:Quantity component.valueSampledData:SampledData
data-absent-reason          token      dataAbsentReason:CodeableConcept
date                        date       effectiveDateTime:dateTime effectivePeriod:Period \
    effectiveTiming:Timing \
    effectiveInstant:instant
derived-from                reference  derivedFrom:Reference
device                      reference  device:Reference
encounter                   reference  encounter:Reference
focus                       reference  focus:Reference
gene-identifier             token      \
    extension[url=http://hl7.org/fhir/StructureDefinition/observation-geneticsGene].valueCodeableConcept:CodeableConcept
has-member                  reference  hasMember:Reference
identifier                  token      identifier:Identifier
method                      token      method:CodeableConcept
part-of                     reference  partOf:Reference
patient                     reference  subject:Reference is Patient
performer                   reference  performer:Reference
specimen                    reference  specimen:Reference
status                      token      status:code
subject                     reference  subject:Reference
value-concept               token      valueCodeableConcept:CodeableConcept
value-date                  date       valueDateTime:dateTime valuePeriod:Period
value-quantity              quantity   valueQuantity:Quantity valueSampledData:SampledData
value-string                string     valueString:string valueCodeableConcept.text:string
"""

TEXT["Condition"] = """
abatement-age        quantity   abatementAge:Age abatementRange:Range
abatement-date       date       abatementDateTime:dateTime abatementPeriod:Period
abatement-string     string     abatementString:string
asserter             reference  asserter:Reference
body-site            token      bodySite:CodeableConcept
category             token      category:CodeableConcept
clinical-status      token      clinicalStatus:CodeableConcept
code                 token      code:CodeableConcept
encounter            reference  encounter:Reference
evidence             token      evidence.code:CodeableConcept
evidence-detail      reference  evidence.detail:Reference
identifier           token      identifier:Identifier
onset-age            quantity   onsetAge:Age onsetRange:Range
onset-date           date       onsetDateTime:dateTime onsetPeriod:Period
onset-info           string     onsetString:string
patient              reference  subject:Reference is Patient
recorded-date        date       recordedDate:dateTime
severity             token      severity:CodeableConcept
stage                token      stage.summary:CodeableConcept
subject              reference  subject:Reference
verification-status  token      verificationStatus:CodeableConcept
"""

TEXT["Encounter"] = """
account              reference  account:Reference
appointment          reference  appointment:Reference
based-on             reference  basedOn:Reference
class                token      class:Coding
date                 date       period:Period
diagnosis            reference  diagnosis.condition:Reference
episode-of-care      reference  episodeOfCare:Reference
identifier           token      identifier:Identifier
length               quantity   length:Duration
location             reference  location.location:Reference
location-period      date       location.period:Period
part-of              reference  partOf:Reference
participant          reference  participant.individual:Reference
participant-type     token      participant.type:CodeableConcept
patient              reference  subject:Reference is Patient
practitioner         reference  participant.individual:Reference is Practitioner
reason-code          token      reasonCode:CodeableConcept
reason-reference     reference  reasonReference:Reference
service-provider     reference  serviceProvider:Reference
special-arrangement  token      hospitalization.specialArrangement:CodeableConcept
status               token      status:code
subject              reference  subject:Reference
type                 token      type:CodeableConcept
"""

TEXT["Procedure"] = """
based-on                reference  basedOn:Reference
category                token      category:CodeableConcept
code                    token      code:CodeableConcept
date                    date       performedDateTime:dateTime performedPeriod:Period
encounter               reference  encounter:Reference
identifier              token      identifier:Identifier
instantiates-canonical  reference  instantiatesCanonical:canonical
instantiates-uri        uri        instantiatesUri:uri
location                reference  location:Reference
part-of                 reference  partOf:Reference
patient                 reference  subject:Reference is Patient
performer               reference  performer.actor:Reference
reason-code             token      reasonCode:CodeableConcept
reason-reference        reference  reasonReference:Reference
status                  token      status:code
subject                 reference  subject:Reference
"""

TEXT["Immunization"] = """
date              date       occurrenceDateTime:dateTime
identifier        token      identifier:Identifier
location          reference  location:Reference
lot-number        string     lotNumber:string
manufacturer      reference  manufacturer:Reference
patient           reference  patient:Reference
performer         reference  performer.actor:Reference
reaction          reference  reaction.detail:Reference
reaction-date     date       reaction.date:dateTime
reason-code       token      reasonCode:CodeableConcept
reason-reference  reference  reasonReference:Reference
series            string     protocolApplied.series:string
status            token      status:code
status-reason     token      statusReason:CodeableConcept
target-disease    token      protocolApplied.targetDisease:CodeableConcept
vaccine-code      token      vaccineCode:CodeableConcept
"""

TEXT["MedicationRequest"] = """
authoredon              date       authoredOn:dateTime
category                token      category:CodeableConcept
code                    token      medicationCodeableConcept:CodeableConcept
date                    date       dosageInstruction.timing.event:dateTime
encounter               reference  encounter:Reference
identifier              token      identifier:Identifier
intended-dispenser      reference  dispenseRequest.performer:Reference
intended-performer      reference  performer:Reference
intended-performertype  token      performerType:CodeableConcept
intent                  token      intent:code
medication              reference  medicationReference:Reference
patient                 reference  subject:Reference is Patient
priority                token      priority:code
requester               reference  requester:Reference
status                  token      status:code
subject                 reference  subject:Reference
"""

TEXT["MedicationDispense"] = """
code              token      medicationCodeableConcept:CodeableConcept
context           reference  context:Reference
destination       reference  destination:Reference
identifier        token      identifier:Identifier
medication        reference  medicationReference:Reference
patient           reference  subject:Reference is Patient
performer         reference  performer.actor:Reference
prescription      reference  authorizingPrescription:Reference
receiver          reference  receiver:Reference
responsibleparty  reference  substitution.responsibleParty:Reference
status            token      status:code
subject           reference  subject:Reference
type              token      type:CodeableConcept
whenhandedover    date       whenHandedOver:dateTime
whenprepared      date       whenPrepared:dateTime
"""

TEXT["Medication"] = """
code             token      code:CodeableConcept
expiration-date  date       batch.expirationDate:dateTime
form             token      form:CodeableConcept
identifier       token      identifier:Identifier
ingredient       reference  ingredient.itemReference:Reference
ingredient-code  token      ingredient.itemCodeableConcept:CodeableConcept
lot-number       token      batch.lotNumber:string
manufacturer     reference  manufacturer:Reference
status           token      status:code
"""

TEXT["DiagnosticReport"] = """
assessed-condition   reference  \
    extension[url=http://hl7.org/fhir/StructureDefinition/DiagnosticReport-geneticsAssessedCondition].valueReference:Reference
based-on             reference  basedOn:Reference
category             token      category:CodeableConcept
code                 token      code:CodeableConcept
conclusion           token      conclusionCode:CodeableConcept
date                 date       effectiveDateTime:dateTime effectivePeriod:Period
encounter            reference  encounter:Reference
identifier           token      identifier:Identifier
issued               date       issued:instant
media                reference  media.link:Reference
patient              reference  subject:Reference is Patient
performer            reference  performer:Reference
result               reference  result:Reference
results-interpreter  reference  resultsInterpreter:Reference
specimen             reference  specimen:Reference
status               token      status:code
subject              reference  subject:Reference
"""

TEXT["Claim"] = """
care-team      reference  careTeam.provider:Reference
created        date       created:dateTime
detail-udi     reference  item.detail.udi:Reference
encounter      reference  item.encounter:Reference
enterer        reference  enterer:Reference
facility       reference  facility:Reference
identifier     token      identifier:Identifier
insurer        reference  insurer:Reference
item-udi       reference  item.udi:Reference
patient        reference  patient:Reference
payee          reference  payee.party:Reference
priority       token      priority:CodeableConcept
procedure-udi  reference  procedure.udi:Reference
provider       reference  provider:Reference
status         token      status:code
subdetail-udi  reference  item.detail.subDetail.udi:Reference
use            token      use:code
"""

TEXT["ExplanationOfBenefit"] = """
care-team      reference  careTeam.provider:Reference
claim          reference  claim:Reference
coverage       reference  insurance.coverage:Reference
created        date       created:dateTime
detail-udi     reference  item.detail.udi:Reference
disposition    string     disposition:string
encounter      reference  item.encounter:Reference
enterer        reference  enterer:Reference
facility       reference  facility:Reference
identifier     token      identifier:Identifier
item-udi       reference  item.udi:Reference
patient        reference  patient:Reference
payee          reference  payee.party:Reference
procedure-udi  reference  procedure.udi:Reference
provider       reference  provider:Reference
status         token      status:code
subdetail-udi  reference  item.detail.subDetail.udi:Reference
"""

TEXT["Coverage"] = """
beneficiary    reference  beneficiary:Reference
class-type     token      class.type:CodeableConcept
class-value    string     class.value:string
dependent      string     dependent:string
identifier     token      identifier:Identifier
patient        reference  beneficiary:Reference
payor          reference  payor:Reference
policy-holder  reference  policyHolder:Reference
status         token      status:code
subscriber     reference  subscriber:Reference
type           token      type:CodeableConcept
"""

TEXT["CarePlan"] = """
activity-code           token      activity.detail.code:CodeableConcept
activity-date           date       activity.detail.scheduledTiming:Timing \
    activity.detail.scheduledPeriod:Period
activity-reference      reference  activity.reference:Reference
based-on                reference  basedOn:Reference
care-team               reference  careTeam:Reference
category                token      category:CodeableConcept
condition               reference  addresses:Reference
date                    date       period:Period
encounter               reference  encounter:Reference
goal                    reference  goal:Reference
identifier              token      identifier:Identifier
instantiates-canonical  reference  instantiatesCanonical:canonical
instantiates-uri        uri        instantiatesUri:uri
intent                  token      intent:code
part-of                 reference  partOf:Reference
patient                 reference  subject:Reference is Patient
performer               reference  activity.detail.performer:Reference
replaces                reference  replaces:Reference
status                  token      status:code
subject                 reference  subject:Reference
"""

TEXT["Goal"] = """
achievement-status  token      achievementStatus:CodeableConcept
category            token      category:CodeableConcept
identifier          token      identifier:Identifier
lifecycle-status    token      lifecycleStatus:code
patient             reference  subject:Reference is Patient
start-date          date       startDate:date
subject             reference  subject:Reference
target-date         date       target.dueDate:date
"""

TEXT["AllergyIntolerance"] = """
asserter             reference  asserter:Reference
category             token      category:code
clinical-status      token      clinicalStatus:CodeableConcept
code                 token      code:CodeableConcept reaction.substance:CodeableConcept
criticality          token      criticality:code
date                 date       recordedDate:dateTime
identifier           token      identifier:Identifier
last-date            date       lastOccurrence:dateTime
manifestation        token      reaction.manifestation:CodeableConcept
onset                date       reaction.onset:dateTime
patient              reference  patient:Reference
recorder             reference  recorder:Reference
route                token      reaction.exposureRoute:CodeableConcept
severity             token      reaction.severity:code
type                 token      type:code
verification-status  token      verificationStatus:CodeableConcept
"""

TEXT["ImagingStudy"] = """
basedon      reference  basedOn:Reference
bodysite     token      series.bodySite:Coding
dicom-class  token      series.instance.sopClass:Coding
encounter    reference  encounter:Reference
endpoint     reference  endpoint:Reference series.endpoint:Reference
identifier   token      identifier:Identifier
instance     token      series.instance.uid:id
interpreter  reference  interpreter:Reference
modality     token      series.modality:Coding
patient      reference  subject:Reference is Patient
performer    reference  series.performer.actor:Reference
reason       token      reasonCode:CodeableConcept
referrer     reference  referrer:Reference
series       token      series.uid:id
started      date       started:dateTime
status       token      status:code
subject      reference  subject:Reference
"""

TEXT["ServiceRequest"] = """
authored                date       authoredOn:dateTime
based-on                reference  basedOn:Reference
body-site               token      bodySite:CodeableConcept
category                token      category:CodeableConcept
code                    token      code:CodeableConcept
encounter               reference  encounter:Reference
identifier              token      identifier:Identifier
instantiates-canonical  reference  instantiatesCanonical:canonical
instantiates-uri        uri        instantiatesUri:uri
intent                  token      intent:code
occurrence              date       occurrenceDateTime:dateTime occurrencePeriod:Period occurrenceTiming:Timing
patient                 reference  subject:Reference is Patient
performer               reference  performer:Reference
performer-type          token      performerType:CodeableConcept
priority                token      priority:code
replaces                reference  replaces:Reference
requester               reference  requester:Reference
requisition             token      requisition:Identifier
specimen                reference  specimen:Reference
status                  token      status:code
subject                 reference  subject:Reference
"""

TEXT["RiskAssessment"] = """
condition    reference  condition:Reference
date         date       occurrenceDateTime:dateTime
encounter    reference  encounter:Reference
identifier   token      identifier:Identifier
method       token      method:CodeableConcept
patient      reference  subject:Reference is Patient
performer    reference  performer:Reference
probability  number     prediction.probabilityDecimal:decimal prediction.probabilityRange:Range
risk         token      prediction.qualitativeRisk:CodeableConcept
subject      reference  subject:Reference
"""

TEXT["MolecularSequence"] = """
chromosome      token      referenceSeq.chromosome:CodeableConcept
identifier      token      identifier:Identifier
patient         reference  patient:Reference
referenceseqid  token      referenceSeq.referenceSeqId:CodeableConcept
type            token      type:code
variant-end     number     variant.end:integer
variant-start   number     variant.start:integer
window-end      number     referenceSeq.windowEnd:integer
window-start    number     referenceSeq.windowStart:integer
"""

TEXT["ChargeItem"] = """
account                  reference  account:Reference
code                     token      code:CodeableConcept
context                  reference  context:Reference
entered-date             date       enteredDate:dateTime
enterer                  reference  enterer:Reference
factor-override          number     factorOverride:decimal
identifier               token      identifier:Identifier
occurrence               date       occurrenceDateTime:dateTime occurrencePeriod:Period \
    occurrenceTiming:Timing
patient                  reference  subject:Reference is Patient
performer-actor          reference  performer.actor:Reference
performer-function       token      performer.function:CodeableConcept
performing-organization  reference  performingOrganization:Reference
price-override           quantity   priceOverride:Money
quantity                 quantity   quantity:Quantity
requesting-organization  reference  requestingOrganization:Reference
service                  reference  service:Reference
subject                  reference  subject:Reference
"""

TEXT["Invoice"] = """
account           reference  account:Reference
date              date       date:dateTime
identifier        token      identifier:Identifier
issuer            reference  issuer:Reference
participant       reference  participant.actor:Reference
participant-role  token      participant.role:CodeableConcept
patient           reference  subject:Reference is Patient
recipient         reference  recipient:Reference
status            token      status:code
subject           reference  subject:Reference
totalgross        quantity   totalGross:Money
totalnet          quantity   totalNet:Money
type              token      type:CodeableConcept
"""

TEXT["Substance"] = """
category              token      category:CodeableConcept
code                  token      code:CodeableConcept ingredient.substanceCodeableConcept:CodeableConcept
container-identifier  token      instance.identifier:Identifier
expiry                date       instance.expiry:dateTime
identifier            token      identifier:Identifier
quantity              quantity   instance.quantity:Quantity
status                token      status:code
substance-reference   reference  ingredient.substanceReference:Reference
"""

TEXT["Questionnaire"] = f"""
{CONFORMANCE}
code          token  item.code:Coding
definition    uri    item.definition:uri
subject-type  token  subjectType:code
"""

TEXT["PlanDefinition"] = f"""
{CONFORMANCE}
{RELATED}
definition    reference  action.definitionCanonical:canonical action.definitionUri:uri
depends-on    reference  relatedArtifact[type=depends-on].resource:canonical library:canonical
topic         token      topic:CodeableConcept
type          token      type:CodeableConcept
"""

TEXT["Library"] = f"""
{CONFORMANCE}
{RELATED}
content-type  token      content.contentType:code
depends-on    reference  relatedArtifact[type=depends-on].resource:canonical
topic         token      topic:CodeableConcept
type          token      type:CodeableConcept
"""

TEXT["Group"] = """
actual           token      actual:boolean
characteristic   token      characteristic.code:CodeableConcept
code             token      code:CodeableConcept
exclude          token      characteristic.exclude:boolean
identifier       token      identifier:Identifier
managing-entity  reference  managingEntity:Reference
member           reference  member.entity:Reference
type             token      type:code
value            token      characteristic.valueCodeableConcept:CodeableConcept \
    characteristic.valueBoolean:boolean
"""

TEXT["Device"] = """
device-name   string     deviceName.name:string type.coding.display:string type.text:string
identifier    token      identifier:Identifier
location      reference  location:Reference
manufacturer  string     manufacturer:string
model         string     modelNumber:string
organization  reference  owner:Reference
patient       reference  patient:Reference
status        token      status:code
type          token      type:CodeableConcept
udi-carrier   string     udiCarrier.carrierHRF:string
udi-di        string     udiCarrier.deviceIdentifier:string
url           uri        url:uri
"""

TEXT["AuditEvent"] = """
action       token      action:code
address      string     agent.network.address:string
agent        reference  agent.who:Reference
agent-name   string     agent.name:string
agent-role   token      agent.role:CodeableConcept
altid        token      agent.altId:string
date         date       recorded:instant
entity       reference  entity.what:Reference
entity-name  string     entity.name:string
entity-role  token      entity.role:Coding
entity-type  token      entity.type:Coding
outcome      token      outcome:code
patient      reference  agent.who:Reference entity.what:Reference is Patient
policy       uri        agent.policy:uri
site         token      source.site:string
source       reference  source.observer:Reference
subtype      token      subtype:Coding
type         token      type:Coding
"""

TEXT["Specimen"] = """
accession     token      accessionIdentifier:Identifier
bodysite      token      collection.bodySite:CodeableConcept
collected     date       collection.collectedDateTime:dateTime collection.collectedPeriod:Period
collector     reference  collection.collector:Reference
container     token      container.type:CodeableConcept
container-id  token      container.identifier:Identifier
identifier    token      identifier:Identifier
parent        reference  parent:Reference
patient       reference  subject:Reference is Patient
status        token      status:code
subject       reference  subject:Reference
type          token      type:CodeableConcept
"""


def _parse_line(line: str) -> Parameter:
    line, _, only = line.partition(" is ")
    code, kind, *places = re.split(r"\s+", line.strip())
    return Parameter(code, kind, tuple(Place(*place.rsplit(":", 1)) for place in places), only or None)


def _parse(text: str) -> dict[str, Parameter]:
    parameters = [_parse_line(line) for line in text.splitlines() if line.strip()]
    by_code = {parameter.code: parameter for parameter in parameters}
    assert len(by_code) == len(parameters), "a code stands twice"
    return by_code


COMMON: dict[str, Parameter] = _parse(RESOURCE)
PARAMETERS: dict[str, dict[str, Parameter]] = {type: COMMON | _parse(text) for type, text in TEXT.items()}
"""Resource type -> code -> parameter."""
