"""Counts of named searches over the raw files, each by a loop of its own.

Nothing here uses the oracle's tables or tests: a count is what a careful reader would
write for that one search. A node that holds the 100 Synthea bundles and the official
examples must answer the same numbers.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from tests.oracle.corpus import Resource, examples, synthea

Files = dict[str, list[Resource]]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
CVX = "http://hl7.org/fhir/sid/cvx"
TAG = "https://smarthealthit.org/tags"
HERE = timezone(timedelta(hours=8))


def raw_counts() -> list[tuple[str, int]]:
    """Each search (not yet percent-encoded) and the number of resources it finds."""
    files = by_type([*examples(), *synthea()])
    return [(search, count(files)) for search, count in COUNTS.items()]


def by_type(resources: Iterable[Resource]) -> Files:
    files: Files = {}
    for resource in resources:
        files.setdefault(resource["resourceType"], []).append(resource)
    return files


# -- small readers ------------------------------------------------------------------------


def many(value: Any) -> list[Any]:
    """An element as a list, empty when it is absent."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def codings(concepts: Any) -> Iterator[tuple[str | None, str | None]]:
    for concept in many(concepts):
        for coding in concept.get("coding", []):
            yield coding.get("system"), coding.get("code")


def has(concepts: Any, system: str, code: str) -> bool:
    return (system, code) in codings(concepts)


def has_code(concepts: Any, *wanted: str) -> bool:
    return any(code in wanted for _, code in codings(concepts))


def first_day(text: str) -> datetime:
    """The first instant of a date or time; civil dates are those of Hong Kong."""
    if "T" in text:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    year, month, day = ([int(part) for part in text.split("-")] + [1, 1])[:3]
    return datetime(year, month, day, tzinfo=HERE)


def after(text: str) -> datetime:
    """The first instant after a date or time."""
    start = first_day(text)
    match len(text):
        case 4:
            return start.replace(year=start.year + 1)
        case 7:
            return (start + timedelta(days=31)).replace(day=1)
        case 10:
            return start + timedelta(days=1)
        case _:
            return start + (timedelta(milliseconds=1) if "." in text else timedelta(seconds=1))


def within(text: str | None, start: str, end: str) -> bool:
    """Whether a date lies wholly in [start, end), both civil days."""
    return text is not None and first_day(start) <= first_day(text) and after(text) <= first_day(end)


def before(text: str | None, start: str) -> bool:
    return text is not None and first_day(text) < first_day(start)


def beyond(text: str | None, end: str) -> bool:
    """Whether a date reaches past ``end``, the first day after the one searched for."""
    return text is not None and after(text) > first_day(end)


def plain(text: str) -> str:
    """Lower case without accents, enough for the letters in these files."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def name_parts(person: Resource) -> Iterator[str]:
    for name in person.get("name", []):
        for key in ("text", "family", "given", "prefix", "suffix"):
            yield from many(name.get(key))


def address_values(resource: Resource, key: str) -> list[str]:
    return [address[key] for address in many(resource.get("address")) if key in address]


def linked(files: Files, type: str, reference: Any) -> Resource | None:
    """The resource of one type a Reference names."""
    if f"index {type}" not in files:
        files[f"index {type}"] = [{f"{type}/{r['id']}": r for r in files[type]}]
    address: str = (reference or {}).get("reference", "")
    return files[f"index {type}"][0].get(address)


def point(quantity: Any, code: str | None = None) -> Decimal | None:
    """The value of a quantity in a UCUM unit, when it is a plain number."""
    if quantity is None or "comparator" in quantity or "value" not in quantity:
        return None
    if code is not None and (quantity.get("system"), quantity.get("code")) != (UCUM, code):
        return None
    return Decimal(quantity["value"])


def of_unit(quantity: Any, unit: str) -> bool:
    return quantity is not None and unit in (quantity.get("code"), quantity.get("unit"))


def number(type: str, test: Callable[[Resource], bool]) -> Callable[[Files], int]:
    """Count the resources of a type that pass a test."""
    return lambda files: sum(1 for resource in files[type] if test(resource))


def number_linked(type: str, test: Callable[[Files, Resource], bool]) -> Callable[[Files], int]:
    """The same for a test that looks at other resources too."""
    return lambda files: sum(1 for resource in files[type] if test(files, resource))


# -- the tests that need more than a line ---------------------------------------------------


def of_a_man(files: Files, observation: Resource) -> bool:
    patient = linked(files, "Patient", observation.get("subject"))
    return patient is not None and patient.get("gender") == "male" and has_code(observation["code"], "8302-2")


def laboratory_of_the_old(files: Files, observation: Resource) -> bool:
    patient = linked(files, "Patient", observation.get("subject"))
    if patient is None or not has_code(observation.get("category"), "laboratory"):
        return False
    return before(patient.get("birthDate"), "1940")


def of_a_bostonian(files: Files, observation: Resource) -> bool:
    patient = linked(files, "Patient", observation.get("subject"))
    return patient is not None and any(
        plain(city).startswith("boston") for city in address_values(patient, "city")
    )


def at_lowell(files: Files, encounter: Resource) -> bool:
    provider = linked(files, "Organization", encounter.get("serviceProvider"))
    if provider is None:
        return False
    names = [*many(provider.get("name")), *many(provider.get("alias"))]
    return any(plain(name).startswith("lowell") for name in names)


def by_a_towne(files: Files, encounter: Resource) -> bool:
    people = [
        linked(files, "Practitioner", participant.get("individual"))
        for participant in many(encounter.get("participant"))
    ]
    families = [name.get("family", "") for person in people if person for name in many(person.get("name"))]
    return any(plain(family).startswith("towne") for family in families)


def for_a_condition(code: str, element: str) -> Callable[[Files, Resource], bool]:
    def test(files: Files, resource: Resource) -> bool:
        conditions = [linked(files, "Condition", reference) for reference in many(resource.get(element))]
        return any(c is not None and has_code(c.get("code"), code) for c in conditions)

    return test


def reports_cholesterol(files: Files, report: Resource) -> bool:
    results = [linked(files, "Observation", reference) for reference in many(report.get("result"))]
    return any(r is not None and has(r["code"], LOINC, "2093-3") for r in results)


def for_an_inpatient(files: Files, claim: Resource) -> bool:
    encounters = [
        linked(files, "Encounter", reference)
        for item in many(claim.get("item"))
        for reference in many(item.get("encounter"))
    ]
    return any(e is not None and e["class"].get("code") == "IMP" for e in encounters)


def by_a_woman(files: Files, benefit: Resource) -> bool:
    people = [linked(files, "Practitioner", m.get("provider")) for m in many(benefit.get("careTeam"))]
    return any(p is not None and p.get("gender") == "female" for p in people)


def has_coverage(benefit: Resource) -> bool:
    references = [insurance["coverage"].get("reference", "#") for insurance in many(benefit.get("insurance"))]
    return any(not reference.startswith("#") for reference in references)


def systolic_over_140(observation: Resource) -> bool:
    values = [point(c.get("valueQuantity"), "mm[Hg]") for c in many(observation.get("component"))]
    return any(value is not None and value > 140 for value in values)


def mentions_systolic(observation: Resource) -> bool:
    concepts = [observation["code"], *(c["code"] for c in many(observation.get("component")))]
    return has(concepts, LOINC, "8480-6")


def never_smoker(observation: Resource) -> bool:
    texts = [observation.get("valueString"), observation.get("valueCodeableConcept", {}).get("text")]
    return any(text is not None and plain(text).startswith("never") for text in texts)


def period_within(period: Any, start: str, end: str) -> bool:
    """Whether a Period with both ends lies in [start, end)."""
    if not period or "start" not in period or "end" not in period:
        return False
    return first_day(start) <= first_day(period["start"]) and after(period["end"]) <= first_day(end)


def done_after(procedure: Resource, end: str) -> bool:
    """Whether a Procedure reaches past a day; a Period without an end does."""
    period = procedure.get("performedPeriod", {})
    if "start" in period and "end" not in period:
        return True
    return beyond(procedure.get("performedDateTime") or period.get("end"), end)


def points_to(resource: Resource, element: str, *targets: str) -> bool:
    return any(reference.get("reference") in targets for reference in many(resource.get(element)))


def about(low: str, high: str, unit: str) -> Callable[[Resource], bool]:
    def test(observation: Resource) -> bool:
        quantity = observation.get("valueQuantity")
        if quantity is None or "value" not in quantity or not of_unit(quantity, unit):
            return False
        value, comparator = Decimal(quantity["value"]), quantity.get("comparator", "")
        reaches_up = ">" in comparator or value >= Decimal(low)
        reaches_down = "<" in comparator or value <= Decimal(high)
        return reaches_up and reaches_down

    return test


COUNTS: dict[str, Callable[[Files], int]] = {
    # people
    "Patient?gender=female": number("Patient", lambda p: p.get("gender") == "female"),
    "Patient?gender:not=male": number("Patient", lambda p: p.get("gender") != "male"),
    "Patient?birthdate=lt1950": number("Patient", lambda p: before(p.get("birthDate"), "1950")),
    "Patient?birthdate=ge1980-01-01&birthdate=lt1990-01-01": number(
        "Patient",
        lambda p: (
            (
                within(p.get("birthDate"), "1980-01-01", "1980-01-02")
                or beyond(p.get("birthDate"), "1980-01-02")
            )
            and before(p.get("birthDate"), "1990-01-01")
        ),
    ),
    "Patient?deceased=true": number(
        "Patient", lambda p: p.get("deceasedBoolean") is True or "deceasedDateTime" in p
    ),
    "Patient?deceased=false&gender=male": number(
        "Patient",
        lambda p: (
            p.get("deceasedBoolean") is not True and "deceasedDateTime" not in p and p.get("gender") == "male"
        ),
    ),
    "Patient?death-date=ge2010": number(
        "Patient",
        lambda p: (
            within(p.get("deceasedDateTime"), "2010", "2011") or beyond(p.get("deceasedDateTime"), "2011")
        ),
    ),
    "Patient?address-city=spring": number(
        "Patient", lambda p: any(plain(city).startswith("spring") for city in address_values(p, "city"))
    ),
    "Patient?address-city:exact=Boston": number("Patient", lambda p: "Boston" in address_values(p, "city")),
    "Patient?name:contains=ann": number(
        "Patient", lambda p: any("ann" in plain(part) for part in name_parts(p))
    ),
    "Patient?family=sch,o": number(
        "Patient",
        lambda p: any(plain(n.get("family", "")).startswith(("sch", "o")) for n in many(p.get("name"))),
    ),
    "Patient?given:exact=Bethany": number(
        "Patient", lambda p: any("Bethany" in n.get("given", []) for n in many(p.get("name")))
    ),
    "Patient?language=urn:ietf:bcp:47|es": number(
        "Patient",
        lambda p: any(has(c["language"], "urn:ietf:bcp:47", "es") for c in many(p.get("communication"))),
    ),
    "Patient?language:not=en-US": number(
        "Patient", lambda p: not any(has_code(c["language"], "en-US") for c in many(p.get("communication")))
    ),
    "Patient?identifier=http://hospital.smarthealthit.org|": number(
        "Patient",
        lambda p: any(
            i.get("system") == "http://hospital.smarthealthit.org" for i in many(p.get("identifier"))
        ),
    ),
    "Patient?phone:missing=true": number(
        "Patient", lambda p: not any(t.get("system") == "phone" for t in many(p.get("telecom")))
    ),
    "Patient?general-practitioner:missing=true": number("Patient", lambda p: "generalPractitioner" not in p),
    "Practitioner?gender=female": number("Practitioner", lambda p: p.get("gender") == "female"),
    "Practitioner?family:contains=ton": number(
        "Practitioner", lambda p: any("ton" in plain(n.get("family", "")) for n in many(p.get("name")))
    ),
    "Organization?name=saint": number(
        "Organization",
        lambda o: any(plain(n).startswith("saint") for n in [*many(o.get("name")), *many(o.get("alias"))]),
    ),
    "Organization?type=prov&address-state=ma": number(
        "Organization",
        lambda o: (
            has_code(o.get("type"), "prov")
            and any(plain(state).startswith("ma") for state in address_values(o, "state"))
        ),
    ),
    # observations
    f"Observation?code={LOINC}|8302-2": number("Observation", lambda o: has(o["code"], LOINC, "8302-2")),
    "Observation?code=8302-2,29463-7": number(
        "Observation", lambda o: has_code(o["code"], "8302-2", "29463-7")
    ),
    f"Observation?code={LOINC}|8302-2&value-quantity=gt170||cm": number(
        "Observation",
        lambda o: (
            has(o["code"], LOINC, "8302-2")
            and of_unit(o.get("valueQuantity"), "cm")
            and (point(o.get("valueQuantity")) or 0) > 170
        ),
    ),
    f"Observation?value-quantity=ge180|{UCUM}|cm": number(
        "Observation", lambda o: (point(o.get("valueQuantity"), "cm") or 0) >= 180
    ),
    f"Observation?value-quantity=6.3|{UCUM}|%": number(
        "Observation",
        lambda o: Decimal("6.25") <= (point(o.get("valueQuantity"), "%") or 0) < Decimal("6.35"),
    ),
    "Observation?value-quantity=ap100||mg/dL": number("Observation", about("90", "110", "mg/dL")),
    "Observation?value-quantity:missing=true": number(
        "Observation", lambda o: "value" not in o.get("valueQuantity", {})
    ),
    "Observation?category=vital-signs&date=2016": number(
        "Observation",
        lambda o: (
            has_code(o.get("category"), "vital-signs")
            and (
                within(o.get("effectiveDateTime"), "2016", "2017")
                or period_within(o.get("effectivePeriod"), "2016", "2017")
            )
        ),
    ),
    f"Observation?combo-code={LOINC}|8480-6": number("Observation", mentions_systolic),
    f"Observation?component-value-quantity=gt140|{UCUM}|mm[Hg]": number("Observation", systolic_over_140),
    f"Observation?code:not={LOINC}|72514-3": number(
        "Observation", lambda o: not has(o["code"], LOINC, "72514-3")
    ),
    "Observation?value-string=never": number("Observation", never_smoker),
    f"Observation?value-concept={SNOMED}|8517006": number(
        "Observation", lambda o: has(o.get("valueCodeableConcept"), SNOMED, "8517006")
    ),
    "Observation?subject.gender=male&code=8302-2": number_linked("Observation", of_a_man),
    "Observation?patient.birthdate=lt1940&category=laboratory": number_linked(
        "Observation", laboratory_of_the_old
    ),
    "Observation?subject:Patient.address-city=boston": number_linked("Observation", of_a_bostonian),
    "Observation?subject=Patient/f001": number(
        "Observation", lambda o: points_to(o, "subject", "Patient/f001")
    ),
    "Observation?subject:Patient=example": number(
        "Observation", lambda o: points_to(o, "subject", "Patient/example")
    ),
    # problems, encounters, procedures
    f"Condition?code={SNOMED}|444814009": number(
        "Condition", lambda c: has(c.get("code"), SNOMED, "444814009")
    ),
    "Condition?clinical-status=active": number(
        "Condition", lambda c: has_code(c.get("clinicalStatus"), "active")
    ),
    "Condition?onset-date=sa2014": number(
        "Condition",
        lambda c: "onsetDateTime" in c and first_day(c["onsetDateTime"]) >= first_day("2015"),
    ),
    "Condition?abatement-date:missing=true&clinical-status=active": number(
        "Condition",
        lambda c: (
            "abatementDateTime" not in c
            and "abatementPeriod" not in c
            and has_code(c.get("clinicalStatus"), "active")
        ),
    ),
    "Condition?patient=f001": number("Condition", lambda c: points_to(c, "subject", "Patient/f001")),
    "Encounter?class=EMER": number("Encounter", lambda e: e["class"].get("code") == "EMER"),
    "Encounter?class:not=AMB": number("Encounter", lambda e: e["class"].get("code") != "AMB"),
    "Encounter?date=2016": number("Encounter", lambda e: period_within(e.get("period"), "2016", "2017")),
    "Encounter?date=eb1990": number(
        "Encounter", lambda e: "end" in e.get("period", {}) and after(e["period"]["end"]) <= first_day("1990")
    ),
    f"Encounter?reason-code={SNOMED}|72892002&status=finished": number(
        "Encounter", lambda e: has(e.get("reasonCode"), SNOMED, "72892002") and e["status"] == "finished"
    ),
    "Encounter?service-provider.name=lowell": number_linked("Encounter", at_lowell),
    "Encounter?participant:Practitioner.family=towne": number_linked("Encounter", by_a_towne),
    "Procedure?date=gt2017": number("Procedure", lambda p: done_after(p, "2018")),
    "Procedure?reason-reference.code=72892002": number_linked(
        "Procedure", for_a_condition("72892002", "reasonReference")
    ),
    # medicines, reports, money
    f"Immunization?vaccine-code={CVX}|140&date=ne2015": number(
        "Immunization",
        lambda i: (
            has(i.get("vaccineCode"), CVX, "140")
            and "occurrenceDateTime" in i
            and not within(i["occurrenceDateTime"], "2015", "2016")
        ),
    ),
    "MedicationRequest?status:not=stopped": number(
        "MedicationRequest", lambda m: m.get("status") != "stopped"
    ),
    "MedicationRequest?authoredon=lt2000&intent=order": number(
        "MedicationRequest", lambda m: before(m.get("authoredOn"), "2000") and m["intent"] == "order"
    ),
    f"DiagnosticReport?result.code={LOINC}|2093-3": number_linked("DiagnosticReport", reports_cholesterol),
    "DiagnosticReport?issued=2016-12": number(
        "DiagnosticReport", lambda r: within(r.get("issued"), "2016-12", "2017-01")
    ),
    "Claim?created=ge2018": number(
        "Claim", lambda c: within(c.get("created"), "2018", "2019") or beyond(c.get("created"), "2019")
    ),
    "Claim?encounter.class=IMP": number_linked("Claim", for_an_inpatient),
    "Claim?priority=|normal": number("Claim", lambda c: (None, "normal") in codings(c.get("priority"))),
    "ExplanationOfBenefit?coverage:missing=true": number(
        "ExplanationOfBenefit", lambda b: not has_coverage(b)
    ),
    "ExplanationOfBenefit?care-team.gender=female": number_linked("ExplanationOfBenefit", by_a_woman),
    # plans
    "CarePlan?status=active&category=53950000": number(
        "CarePlan", lambda c: c["status"] == "active" and has_code(c.get("category"), "53950000")
    ),
    "CarePlan?activity-code=304510005,135892000": number(
        "CarePlan",
        lambda c: any(
            has_code(activity.get("detail", {}).get("code"), "304510005", "135892000")
            for activity in many(c.get("activity"))
        ),
    ),
    "CarePlan?condition.code=10509002": number_linked("CarePlan", for_a_condition("10509002", "addresses")),
    "Goal?achievement-status=in-progress": number(
        "Goal", lambda g: has_code(g.get("achievementStatus"), "in-progress")
    ),
    "Goal?lifecycle-status=accepted&target-date:missing=true": number(
        "Goal",
        lambda g: (
            g["lifecycleStatus"] == "accepted"
            and not any("dueDate" in target for target in many(g.get("target")))
        ),
    ),
    "AllergyIntolerance?category=food&criticality=low": number(
        "AllergyIntolerance", lambda a: "food" in a.get("category", []) and a.get("criticality") == "low"
    ),
    f"AllergyIntolerance?code={SNOMED}|419474003,{SNOMED}|232347008": number(
        "AllergyIntolerance",
        lambda a: any(
            has(concept, SNOMED, "419474003") or has(concept, SNOMED, "232347008")
            for concept in [a.get("code"), *(r.get("substance") for r in many(a.get("reaction")))]
        ),
    ),
    "ImagingStudy?modality=DX": number(
        "ImagingStudy",
        lambda i: any(series.get("modality", {}).get("code") == "DX" for series in many(i.get("series"))),
    ),
    # numbers, money and addresses of the examples
    "RiskAssessment?probability=lt0.01": number(
        "RiskAssessment",
        lambda r: any(
            "probabilityDecimal" in p and Decimal(p["probabilityDecimal"]) < Decimal("0.01")
            for p in many(r.get("prediction"))
        ),
    ),
    "MolecularSequence?variant-start=gt100": number(
        "MolecularSequence", lambda m: any(v.get("start", 0) > 100 for v in many(m.get("variant")))
    ),
    "ChargeItem?factor-override=0.8": number(
        "ChargeItem",
        lambda c: Decimal("0.75") <= Decimal(c.get("factorOverride", 0)) < Decimal("0.85"),
    ),
    "Invoice?totalgross=ge48|urn:iso:std:iso:4217|EUR": number(
        "Invoice",
        lambda i: (
            i.get("totalGross", {}).get("currency") == "EUR"
            and Decimal(i["totalGross"].get("value", 0)) >= 48
        ),
    ),
    "Questionnaire?url=http://hl7.org/fhir/Questionnaire/gcs": number(
        "Questionnaire", lambda q: q.get("url") == "http://hl7.org/fhir/Questionnaire/gcs"
    ),
    "PlanDefinition?status=draft,active&date=lt2017": number(
        "PlanDefinition", lambda p: p["status"] in ("draft", "active") and before(p.get("date"), "2017")
    ),
    # across types
    f"?_type=Patient,Practitioner&_tag={TAG}|synthea-5-2019": lambda files: sum(
        1
        for resource in [*files["Patient"], *files["Practitioner"]]
        for tag in many(resource.get("meta", {}).get("tag"))
        if (tag.get("system"), tag.get("code")) == (TAG, "synthea-5-2019")
    ),
}
"""Search -> how to count it. What stands after ``=`` is not percent-encoded."""
