"""Make the synthetic sample that the package ships.

    make_sample.py [--seed 20221019] [--check]

Writes ``src/kintung/sample/bundles.ndjson.gz``: FHIR R4 transaction Bundles of invented
people in Hong Kong, Guangdong and Macao. The people are those of ``kintung synth``, each known to
several systems as these write; some of them have records of care. The same seed gives the same
text. With ``--check`` nothing is written; the exit status says whether the file is as it would be
made.

All of it is marked as synthetic: ``meta.tag`` HTEST on every resource, "Synthetic" in the
name of every organisation and place, telephone numbers and identity numbers where none is issued,
as ``docs/reference/definitions.md`` says.
"""

import argparse
import gzip
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from kintung.definitions.population import System, systems
from kintung.sample import HTEST, HTEST_SYSTEM, sample_bundles
from kintung.synth import appearances, seeded
from kintung.synth import people as population
from kintung.synth.appearances import draft
from kintung.synth.corruptions import befall
from kintung.synth.demography import AS_OF
from kintung.synth.people import Person

SEED = 20221019
PEOPLE = 200
IN_A_BUNDLE = 60
FIRST_DAY, LAST_DAY = date(2024, 1, 2), date(2026, 10, 30)
HONG_KONG_TIME = timezone(timedelta(hours=8))

SID = "https://kintung.org/fhir/sid/"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ATC = "http://www.whocc.no/atc"
CVX = "http://hl7.org/fhir/sid/cvx"
EN_REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"

Resource = dict[str, Any]
encode = msgspec.json.Encoder(decimal_format="number").encode


class Named(NamedTuple):
    """A name in both scripts: characters and romanisation."""

    han: str
    roman: str


class Code(NamedTuple):
    system: str
    code: str
    display: str


# --- who there is ---------------------------------------------------------------------------


def named(pairs: str) -> list[Named]:
    """Names from "陳 CHAN, 黃 WONG": characters, a space, romanisation."""
    return [Named(*pair.split(" ", 1)) for pair in pairs.split(", ")]


class Place(NamedTuple):
    """An invented organisation; ``kind`` is a code of organization-type."""

    number: str
    name: str
    han: str
    kind: str
    country: str


CENTRE = Place("ORG-01", "Synthetic Harbour Health Centre", "模擬海港健康中心", "prov", "HK")
CLINICS = (
    Place("ORG-02", "Synthetic Hillside Family Clinic", "模擬山邊家庭醫務所", "prov", "HK"),
    Place("ORG-03", "Synthetic Jetty Family Clinic", "模擬碼頭家庭醫務所", "prov", "HK"),
)
LABORATORY = Place("ORG-04", "Synthetic Bay Laboratory", "模擬灣區化驗所", "prov", "HK")
PAYER = Place("ORG-05", "Synthetic Subsidy Office", "模擬資助辦事處", "pay", "HK")
HOSPITAL = Place("ORG-08", "Synthetic Public Hospital", "模擬公立醫院", "prov", "HK")
GUANGZHOU = Place("ORG-09", "Synthetic Kapok Hospital, Guangzhou", "模拟红棉医院（广州）", "prov", "CN")
RIDGE = Place("ORG-10", "Synthetic Ridge Hospital, Macao", "模擬山崗醫院（澳門）", "prov", "MO")
SHENZHEN = Place("ORG-06", "Synthetic Pearl Hospital, Shenzhen", "模拟明珠医院（深圳）", "prov", "CN")
MACAO = Place("ORG-07", "Synthetic Lotus Clinic, Macao", "模擬蓮花診所（澳門）", "prov", "MO")
PLACES = (CENTRE, *CLINICS, LABORATORY, PAYER, SHENZHEN, MACAO, HOSPITAL, GUANGZHOU, RIDGE)
SYSTEMS = {system.number: system for system in systems().values()}


class Staff(NamedTuple):
    number: str
    family: Named
    given: Named
    role: Code
    place: Place


DOCTOR = Code(TERMINOLOGY + "practitioner-role", "doctor", "Doctor")
NURSE = Code(TERMINOLOGY + "practitioner-role", "nurse", "Nurse")
STAFF = (
    Staff("PR-01", Named("梁", "LEUNG"), Named("示範", "Si Fan"), NURSE, CENTRE),
    Staff("PR-02", Named("何", "HO"), Named("樣本", "Yeung Boon"), NURSE, CENTRE),
    Staff("PR-03", Named("黃", "WONG"), Named("示例", "Si Lai"), DOCTOR, CLINICS[0]),
    Staff("PR-04", Named("郭", "KWOK"), Named("模擬", "Mo Yi"), DOCTOR, CLINICS[0]),
    Staff("PR-05", Named("吳", "NG"), Named("試行", "Si Hang"), DOCTOR, CLINICS[1]),
    Staff("PR-06", Named("钟", "ZHONG"), Named("示范", "Shifan"), DOCTOR, SHENZHEN),
    Staff("PR-07", Named("林", "LAM"), Named("試用", "Si Iong"), DOCTOR, MACAO),
)


@dataclass(frozen=True)
class Known:
    """An invented person as one place knows them: the Patient it has, and what for it cares."""

    person: Person
    patient: Resource
    place: Place
    conditions: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        """The record number there."""
        return self.patient["identifier"][0]["value"]

    @property
    def staff(self) -> tuple[Staff, ...]:
        return tuple(member for member in STAFF if member.place == self.place)


# --- what is measured and given ----------------------------------------------------------------

PROBLEMS = {
    "hypertension": (
        Code(SNOMED, "59621000", "Essential hypertension"),
        Code(ICD_10, "I10", "Essential (primary) hypertension"),
    ),
    "diabetes": (
        Code(SNOMED, "44054006", "Diabetes mellitus type 2"),
        Code(ICD_10, "E11", "Type 2 diabetes mellitus"),
    ),
    "prediabetes": (
        Code(SNOMED, "15777000", "Prediabetes"),
        Code(ICD_10, "R73", "Elevated blood glucose level"),
    ),
    "lipids": (
        Code(SNOMED, "55822004", "Hyperlipidemia"),
        Code(ICD_10, "E78", "Disorders of lipoprotein metabolism and other lipidaemias"),
    ),
    "knee": (Code(SNOMED, "239873007", "Osteoarthritis of knee"), Code(ICD_10, "M17", "Gonarthrosis")),
}
MEDICINES = {
    "hypertension": (Code(ATC, "C08CA01", "amlodipine"), "5 mg", "Take one tablet every morning"),
    "diabetes": (Code(ATC, "A10BA02", "metformin"), "500 mg", "Take one tablet twice a day with meals"),
    "lipids": (Code(ATC, "C10AA01", "simvastatin"), "10 mg", "Take one tablet every night"),
}
VACCINES = {
    "adult": (
        Code(CVX, "140", "Influenza, seasonal, injectable, preservative free"),
        Code(CVX, "133", "Pneumococcal conjugate PCV 13"),
    ),
    "child": (
        Code(CVX, "20", "DTaP"),
        Code(CVX, "03", "MMR"),
        Code(CVX, "21", "varicella"),
        Code(CVX, "10", "IPV"),
    ),
}
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"
LANGUAGES = ("zh-Hant-HK", "zh-Hans-CN")
TRANSLATED = {
    "Synthetic Harbour Health Centre": ("模擬海港健康中心", "模拟海港健康中心"),
    "Synthetic Hillside Family Clinic": ("模擬山邊家庭醫務所", "模拟山边家庭诊所"),
    "Synthetic Jetty Family Clinic": ("模擬碼頭家庭醫務所", "模拟码头家庭诊所"),
    "Synthetic Bay Laboratory": ("模擬灣區化驗所", "模拟湾区检验所"),
    "Synthetic Subsidy Office": ("模擬資助辦事處", "模拟补贴办事处"),
    "Synthetic Public Hospital": ("模擬公立醫院", "模拟公立医院"),
    "Synthetic Kapok Hospital, Guangzhou": ("模擬紅棉醫院（廣州）", "模拟红棉医院（广州）"),
    "Synthetic Ridge Hospital, Macao": ("模擬山崗醫院（澳門）", "模拟山岗医院（澳门）"),
    "Synthetic Pearl Hospital, Shenzhen": ("模擬明珠醫院（深圳）", "模拟明珠医院（深圳）"),
    "Synthetic Lotus Clinic, Macao": ("模擬蓮花診所（澳門）", "模拟莲花诊所（澳门）"),
    "Glucose and lipids": ("血糖及血脂", "血糖和血脂"),
    "amlodipine 5 mg": ("氨氯地平 5 mg", "氨氯地平 5 mg"),
    "metformin 500 mg": ("二甲雙胍 500 mg", "二甲双胍 500 mg"),
    "simvastatin 10 mg": ("辛伐他汀 10 mg", "辛伐他汀 10 mg"),
    "Take one tablet every morning": ("每朝服一片", "每天早上服一片"),
    "Take one tablet twice a day with meals": ("每日兩次，每次一片，隨餐服", "每天两次，每次一片，随餐服"),
    "Take one tablet every night": ("每晚服一片", "每晚服一片"),
    "Dietitian and exercise coaching": ("營養師及運動指導", "营养师和运动指导"),
    "Blood pressure below 140/90 mmHg; HbA1c below 7 %": (
        "血壓低於 140/90 mmHg；糖化血紅素低於 7 %",
        "血压低于 140/90 mmHg；糖化血红蛋白低于 7 %",
    ),
    "Chronic disease co-care": ("慢性疾病共同治理", "慢性病共同管理"),
    "Blood pressure at home, twice a week": ("在家量度血壓，每星期兩次", "在家测量血压，每周两次"),
    "Glucose and lipids every six months": ("每六個月檢驗血糖及血脂", "每六个月检验血糖和血脂"),
    "Synthetic letter": ("模擬信件", "模拟信件"),
    "Synthetic diabetes class": ("模擬糖尿病小組", "模拟糖尿病小组"),
    "Recall for stool test": ("大便檢查召回名單", "粪便检查召回名单"),
    "Vaccination of parent and child": ("父母與子女接種疫苗", "父母与子女接种疫苗"),
    "Negative": ("陰性", "阴性"),
}
"""What is written in English, in the words of Hong Kong and of the mainland. Codes have names of the node."""

PRESSURE = Code(LOINC, "85354-9", "Blood pressure panel with all children optional")
SYSTOLIC = Code(LOINC, "8480-6", "Systolic blood pressure")
DIASTOLIC = Code(LOINC, "8462-4", "Diastolic blood pressure")
WEIGHT = Code(LOINC, "29463-7", "Body weight")
HEIGHT = Code(LOINC, "8302-2", "Body height")
BODY_MASS_INDEX = Code(LOINC, "39156-5", "Body mass index (BMI) [Ratio]")
HBA1C = Code(LOINC, "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood")
GLUCOSE = Code(LOINC, "15074-8", "Glucose [Moles/volume] in Blood")
CREATININE = Code(LOINC, "14682-9", "Creatinine [Moles/volume] in Serum or Plasma")
CHOLESTEROL = Code(LOINC, "14647-2", "Cholesterol [Moles/volume] in Serum or Plasma")
STOOL_BLOOD = Code(LOINC, "57905-2", "Hemoglobin.gastrointestinal [Presence] in Stool by Immunologic method")
SMOKING = Code(LOINC, "72166-2", "Tobacco smoking status NHIS")
CHECK_UP = Code(SNOMED, "185349003", "Encounter for check up")
FOLLOW_UP = Code(SNOMED, "390906007", "Follow-up encounter")
CONSULTATION = Code(SNOMED, "11429006", "Consultation")


# --- small pieces of FHIR --------------------------------------------------------------------------


def concept(*codes: Code, text: str | None = None) -> Resource:
    coding = [{"system": code.system, "code": code.code, "display": code.display} for code in codes]
    return ({"coding": coding} if coding else {}) | ({"text": text} if text else {})


def coded(system: str, code: str, display: str) -> Resource:
    return concept(Code(TERMINOLOGY + system, code, display))


def quantity(value: Decimal, unit: str, code: str) -> Resource:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": code}


def money(value: str) -> Resource:
    return {"value": Decimal(value), "currency": "HKD"}


def translated(value: Any) -> Any:
    """A part of a resource with the translations of its texts beside them."""
    if isinstance(value, list):
        return [translated(each) for each in value]
    if not isinstance(value, dict):
        return value
    written = {name: translated(each) for name, each in value.items()}
    beside = {
        f"_{name}": {"extension": [translation(*said) for said in zip(LANGUAGES, words, strict=True)]}
        for name, each in value.items()
        if isinstance(each, str) and (words := TRANSLATED.get(each))
    }
    return written | beside


def translation(language: str, content: str) -> Resource:
    parts = [{"url": "lang", "valueCode": language}, {"url": "content", "valueString": content}]
    return {"url": TRANSLATION, "extension": parts}


def identifier(system: str, type: str, value: str) -> Resource:
    return {
        "type": {"coding": [{"system": TERMINOLOGY + "v2-0203", "code": type}]},
        "system": system,
        "value": value,
    }


def ref(reference: str, display: str | None = None) -> Resource:
    return {"reference": reference} | ({"display": display} if display else {})


def at_place(place: Place) -> Resource:
    return ref(f"Organization?identifier={SID}sample-organization|{place.number}", place.name)


def by(staff: Staff) -> Resource:
    return ref(f"Practitioner?identifier={SID}sample-practitioner|{staff.number}")


def patient_of(person: Known) -> Resource:
    """A person of another Bundle, by their number there."""
    return ref(f"Patient?identifier={SID}sample-patient|{person.number}")


def names(family: Named, given: Named) -> list[Resource]:
    return [
        {
            "extension": [{"url": EN_REPRESENTATION, "valueCode": "ABC"}],
            "use": "official",
            "text": f"{family.roman}, {given.roman}",
            "family": family.roman,
            "given": [given.roman],
        },
        {
            "extension": [{"url": EN_REPRESENTATION, "valueCode": "IDE"}],
            "use": "official",
            "text": family.han + given.han,
            "family": family.han,
            "given": [given.han],
        },
    ]


def instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


@dataclass
class Bundle:
    """A transaction being written; ``add`` gives the reference to what was added."""

    chance: random.Random
    entries: list[Resource] = field(default_factory=list)

    def add(self, type: str, /, **elements: Any) -> Resource:
        """Add a resource; elements that are None are left out."""
        url = UUID(int=self.chance.getrandbits(128), version=4).urn
        meta = {"tag": [{"system": HTEST_SYSTEM, "code": HTEST, "display": "test health data"}]}
        present = translated({name: value for name, value in elements.items() if value is not None})
        resource: Resource = {"resourceType": type, "meta": meta} | present
        self.entries.append(
            {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": type}}
        )
        return ref(url)

    def add_once(self, type: str, system: str, value: str, /, **elements: Any) -> Resource:
        """Add a resource unless one with this identifier exists."""
        own = {"system": SID + system, "value": value}
        reference = self.add(type, identifier=[own], **elements)
        self.entries[-1]["request"]["ifNoneExist"] = f"identifier={SID}{system}|{value}"
        return reference

    def written(self) -> bytes:
        return encode({"resourceType": "Bundle", "type": "transaction", "entry": self.entries})


# --- the shared Bundle ---------------------------------------------------------------------------


def directory(chance: random.Random) -> Bundle:
    """Organisations, places, services and staff; what all patients' Bundles refer to."""
    bundle = Bundle(chance)
    organisations = {place.number: add_place(bundle, place) for place in PLACES}
    for staff in STAFF:
        add_staff(bundle, staff, organisations[staff.place.number])
    bundle.add(
        "Questionnaire",
        url=f"{SID.removesuffix('sid/')}Questionnaire/sample-lifestyle",
        status="active",
        title="Lifestyle of synthetic people",
        item=[
            {"linkId": "smoke", "text": "Do you smoke? 你吸煙嗎？", "type": "boolean"},
            {"linkId": "exercise", "text": "Days of exercise in a week 每星期運動日數", "type": "integer"},
        ],
    )
    return bundle


def add_place(bundle: Bundle, place: Place) -> Resource:
    kind = "Payer" if place.kind == "pay" else "Healthcare Provider"
    organisation = bundle.add_once(
        "Organization",
        "sample-organization",
        place.number,
        active=True,
        type=[coded("organization-type", place.kind, kind)],
        name=place.name,
        alias=[place.han],
        address=[{"line": ["1 Synthetic Road"], "country": place.country}],
    )
    if place.kind == "pay":
        return organisation
    location = bundle.add(
        "Location",
        status="active",
        name=place.name,
        alias=[place.han],
        mode="instance",
        managingOrganization=organisation,
    )
    service = bundle.add(
        "HealthcareService",
        active=True,
        providedBy=organisation,
        location=[location],
        name=f"Care at {place.name}",
    )
    schedule = bundle.add("Schedule", active=True, actor=[service, location])
    opening = datetime.combine(LAST_DAY + timedelta(days=10), time(9), HONG_KONG_TIME)
    for half_hour in range(3):
        start = opening + timedelta(minutes=30 * half_hour)
        end = start + timedelta(minutes=30)
        bundle.add("Slot", schedule=schedule, status="free", start=instant(start), end=instant(end))
    return organisation


def add_staff(bundle: Bundle, staff: Staff, organisation: Resource) -> None:
    practitioner = bundle.add_once(
        "Practitioner",
        "sample-practitioner",
        staff.number,
        active=True,
        name=names(staff.family, staff.given),
    )
    bundle.add(
        "PractitionerRole",
        active=True,
        practitioner=practitioner,
        organization=organisation,
        code=[concept(staff.role)],
    )


def add_patient(bundle: Bundle, patient: Resource) -> Resource:
    """Add a Patient as ``kintung synth`` makes them; the node gives it an id of its own."""
    place = next(
        place for place in PLACES if place.number == patient["managingOrganization"]["identifier"]["value"]
    )
    elements = {name: value for name, value in patient.items() if name not in ("resourceType", "id", "meta")}
    return bundle.add("Patient", **elements | {"managingOrganization": at_place(place)})


# --- one person's record --------------------------------------------------------------------------


class Record:
    """Writes the record of one person into a Bundle."""

    def __init__(self, bundle: Bundle, person: Known) -> None:
        self.bundle = bundle
        self.person = person
        self.chance = bundle.chance
        self.patient = add_patient(bundle, person.patient)

    def visits(self, count: int) -> list[datetime]:
        """Days of visits, oldest first, at least three weeks apart, in opening hours."""
        step = (LAST_DAY - FIRST_DAY).days // count
        days = [FIRST_DAY + timedelta(days=step * n + self.chance.randrange(step - 21)) for n in range(count)]
        return [
            datetime.combine(
                day, time(9 + self.chance.randrange(8), 15 * self.chance.randrange(4)), HONG_KONG_TIME
            )
            for day in days
        ]

    def encounter(self, at: datetime, kind: Code, staff: Staff) -> Resource:
        end = at + timedelta(minutes=15 + 5 * self.chance.randrange(4))
        return self.bundle.add(
            "Encounter",
            status="finished",
            **{"class": {"system": TERMINOLOGY + "v3-ActCode", "code": "AMB", "display": "ambulatory"}},
            type=[concept(kind)],
            subject=self.patient,
            participant=[{"individual": by(staff)}],
            period={"start": instant(at), "end": instant(end)},
            serviceProvider=at_place(staff.place),
        )

    def observe(self, code: Code, at: datetime, category: str, **elements: Any) -> Resource:
        display = {
            "vital-signs": "Vital Signs",
            "laboratory": "Laboratory",
            "social-history": "Social History",
        }[category]
        return self.bundle.add(
            "Observation",
            status="final",
            category=[coded("observation-category", category, display)],
            code=concept(code),
            subject=self.patient,
            effectiveDateTime=instant(at),
            **elements,
        )

    def vital_signs(
        self, at: datetime, encounter: Resource, staff: Staff, progress: int, height: int, weight: Decimal
    ) -> None:
        """Blood pressure, weight and body mass index; treated pressure falls with ``progress``."""
        high = "hypertension" in self.person.conditions
        systolic = (156 - 4 * progress if high else 122) + self.chance.randrange(-6, 7)
        diastolic = (94 - 2 * progress if high else 76) + self.chance.randrange(-4, 5)
        shared = {"encounter": encounter, "performer": [by(staff)]}
        pressure = [(SYSTOLIC, systolic), (DIASTOLIC, diastolic)]
        self.observe(
            PRESSURE,
            at,
            "vital-signs",
            component=[
                {"code": concept(code), "valueQuantity": quantity(Decimal(value), "mmHg", "mm[Hg]")}
                for code, value in pressure
            ],
            **shared,
        )
        self.observe(WEIGHT, at, "vital-signs", valueQuantity=quantity(weight, "kg", "kg"), **shared)
        index = (weight * 10_000 / (height * height)).quantize(Decimal("0.1"))
        self.observe(
            BODY_MASS_INDEX, at, "vital-signs", valueQuantity=quantity(index, "kg/m2", "kg/m2"), **shared
        )

    def laboratory(self, at: datetime, encounter: Resource, staff: Staff, progress: int) -> None:
        """A request, a specimen, four results and the report on them."""
        request = self.bundle.add(
            "ServiceRequest",
            status="completed",
            intent="order",
            code=concept(text="Glucose and lipids"),
            subject=self.patient,
            encounter=encounter,
            authoredOn=instant(at),
            requester=by(staff),
            performer=[at_place(LABORATORY)],
        )
        drawn = at + timedelta(minutes=40)
        specimen = self.bundle.add(
            "Specimen",
            status="available",
            subject=self.patient,
            request=[request],
            collection={"collectedDateTime": instant(drawn)},
        )
        ill = "diabetes" in self.person.conditions
        tenths = (86 - 3 * progress if ill else 57) + self.chance.randrange(-3, 4)
        glucose, cholesterol = tenths - 4, self.chance.randrange(400, 640)
        values = (
            (HBA1C, Decimal(tenths).scaleb(-1), "%", (None, "6.4")),
            (GLUCOSE, Decimal(glucose).scaleb(-1), "mmol/L", ("3.9", "6.0")),
            (CREATININE, Decimal(65 + self.chance.randrange(30)), "umol/L", ("49", "104")),
            (CHOLESTEROL, Decimal(cholesterol).scaleb(-2), "mmol/L", (None, "5.2")),
        )
        results = [
            self.observe(
                code,
                drawn,
                "laboratory",
                encounter=encounter,
                performer=[at_place(LABORATORY)],
                valueQuantity=quantity(value, unit, unit),
                specimen=specimen,
                interpretation=[interpretation(value, *limits)],
                referenceRange=[reference_range(unit, *limits)],
            )
            for code, value, unit, limits in values
        ]
        self.bundle.add(
            "DiagnosticReport",
            status="final",
            category=[coded("v2-0074", "LAB", "Laboratory")],
            basedOn=[request],
            code=concept(text="Glucose and lipids"),
            subject=self.patient,
            encounter=encounter,
            effectiveDateTime=instant(drawn),
            issued=instant(drawn + timedelta(hours=20)),
            performer=[at_place(LABORATORY)],
            specimen=[specimen],
            result=results,
        )

    def condition(self, problem: str, at: datetime, encounter: Resource, staff: Staff) -> Resource:
        snomed, icd = PROBLEMS[problem]
        return self.bundle.add(
            "Condition",
            clinicalStatus=coded("condition-clinical", "active", "Active"),
            verificationStatus=coded("condition-ver-status", "confirmed", "Confirmed"),
            category=[coded("condition-category", "problem-list-item", "Problem List Item")],
            code=concept(icd) if self.person.place == SHENZHEN else concept(snomed, icd),
            subject=self.patient,
            encounter=encounter,
            onsetDateTime=at.date().isoformat(),
            recordedDate=instant(at),
            recorder=by(staff),
        )

    def medicine(
        self, problem: str, at: datetime, encounter: Resource, staff: Staff, reason: Resource
    ) -> None:
        code, strength, dose = MEDICINES[problem]
        self.bundle.add(
            "MedicationRequest",
            status="active",
            intent="order",
            medicationCodeableConcept=concept(code, text=f"{code.display} {strength}"),
            subject=self.patient,
            encounter=encounter,
            authoredOn=instant(at),
            requester=by(staff),
            reasonReference=[reason],
            dosageInstruction=[{"text": dose}],
            dispenseRequest={
                "numberOfRepeatsAllowed": 2,
                "expectedSupplyDuration": quantity(Decimal(84), "day", "d"),
            },
        )

    def vaccinate(self, vaccine: Code, on: date, staff: Staff, lot: int) -> None:
        self.bundle.add(
            "Immunization",
            status="completed",
            vaccineCode=concept(vaccine),
            patient=self.patient,
            occurrenceDateTime=on.isoformat(),
            primarySource=True,
            lotNumber=f"SYN{lot:04}",
            performer=[{"actor": by(staff)}],
        )

    def claim(self, at: datetime, encounter: Resource, staff: Staff, coverage: Resource, fee: str) -> None:
        self.bundle.add(
            "Claim",
            status="active",
            type=coded("claim-type", "professional", "Professional"),
            use="claim",
            patient=self.patient,
            created=at.date().isoformat(),
            insurer=at_place(PAYER),
            provider=at_place(staff.place),
            priority=coded("processpriority", "normal", "Normal"),
            insurance=[{"sequence": 1, "focal": True, "coverage": coverage}],
            item=[
                {
                    "sequence": 1,
                    "productOrService": concept(CONSULTATION),
                    "servicedDate": at.date().isoformat(),
                    "encounter": [encounter],
                    "unitPrice": money(fee),
                    "net": money(fee),
                }
            ],
            total=money(fee),
        )

    def coverage(self) -> Resource:
        return self.bundle.add(
            "Coverage",
            status="active",
            type=coded("v3-ActCode", "SUBSIDIZ", "subsidized health program"),
            beneficiary=self.patient,
            period={"start": FIRST_DAY.isoformat()},
            payor=[at_place(PAYER)],
        )

    def consent(self, at: datetime) -> None:
        """The person lets the health centre see and deposit for treatment."""
        self.bundle.add(
            "Consent",
            status="active",
            scope=coded("consentscope", "patient-privacy", "Privacy Consent"),
            category=[concept(Code(LOINC, "59284-0", "Consent Document"))],
            patient=self.patient,
            dateTime=instant(at),
            performer=[self.patient],
            organization=[at_place(self.person.place)],
            policy=[{"uri": "https://kintung.org/fhir/policy/sample-sharing"}],
            provision={
                "type": "permit",
                "period": {
                    "start": at.date().isoformat(),
                    "end": at.date().replace(year=at.year + 3).isoformat(),
                },
                "actor": [
                    {
                        "role": coded("v3-ParticipationType", "IRCP", "information recipient"),
                        "reference": at_place(CENTRE),
                    }
                ],
                "purpose": [{"system": HTEST_SYSTEM, "code": "TREAT", "display": "treatment"}],
            },
        )

    def plan(self, at: datetime, reasons: list[Resource], staff: Staff) -> None:
        """Who cares, what for, and what is to be reached."""
        team = self.bundle.add(
            "CareTeam",
            status="active",
            subject=self.patient,
            participant=[{"member": by(member)} for member in self.person.staff],
            managingOrganization=[at_place(self.person.place)],
        )
        goal = self.bundle.add(
            "Goal",
            lifecycleStatus="active",
            description=concept(text="Blood pressure below 140/90 mmHg; HbA1c below 7 %"),
            subject=self.patient,
            startDate=at.date().isoformat(),
            addresses=reasons,
        )
        self.bundle.add(
            "CarePlan",
            status="active",
            intent="plan",
            title="Chronic disease co-care",
            subject=self.patient,
            period={"start": at.date().isoformat()},
            author=by(staff),
            careTeam=[team],
            addresses=reasons,
            goal=[goal],
            activity=[
                {"detail": {"status": "in-progress", "description": "Blood pressure at home, twice a week"}},
                {"detail": {"status": "scheduled", "description": "Glucose and lipids every six months"}},
            ],
        )
        self.bundle.add(
            "EpisodeOfCare",
            status="active",
            diagnosis=[{"condition": reason} for reason in reasons],
            patient=self.patient,
            managingOrganization=at_place(self.person.place),
            period={"start": at.date().isoformat()},
            careManager=by(staff),
        )

    def refer(self, at: datetime, encounter: Resource, staff: Staff, reason: Resource) -> None:
        """A referral to the health centre and the Task that follows it."""
        request = self.bundle.add(
            "ServiceRequest",
            status="active",
            intent="order",
            code=concept(text="Dietitian and exercise coaching"),
            subject=self.patient,
            encounter=encounter,
            authoredOn=instant(at),
            requester=by(staff),
            performer=[at_place(CENTRE)],
            reasonReference=[reason],
        )
        self.bundle.add(
            "Task",
            status="accepted",
            intent="order",
            focus=request,
            **{"for": self.patient},
            authoredOn=instant(at),
            lastModified=instant(at + timedelta(days=2)),
            requester=by(staff),
            owner=at_place(CENTRE),
        )

    def lifestyle(self, at: datetime) -> None:
        smokes = self.chance.randrange(5) == 0
        status = Code(SNOMED, "77176002", "Smoker") if smokes else Code(SNOMED, "266919005", "Never smoker")
        self.observe(SMOKING, at, "social-history", valueCodeableConcept=concept(status))
        self.bundle.add(
            "QuestionnaireResponse",
            questionnaire=f"{SID.removesuffix('sid/')}Questionnaire/sample-lifestyle",
            status="completed",
            subject=self.patient,
            authored=instant(at),
            source=self.patient,
            item=[
                {"linkId": "smoke", "answer": [{"valueBoolean": smokes}]},
                {"linkId": "exercise", "answer": [{"valueInteger": self.chance.randrange(7)}]},
            ],
        )

    def allergy(self, at: datetime) -> None:
        self.bundle.add(
            "AllergyIntolerance",
            clinicalStatus=coded("allergyintolerance-clinical", "active", "Active"),
            verificationStatus=coded("allergyintolerance-verification", "confirmed", "Confirmed"),
            category=["food"],
            code=concept(Code(SNOMED, "227493005", "Cashew nuts")),
            patient=self.patient,
            recordedDate=instant(at),
        )

    def letter(self, at: datetime, staff: Staff) -> None:
        """A letter: the reference to a document, and the document in a Binary."""
        binary = self.bundle.add(
            "Binary",
            contentType="text/plain;charset=utf-8",
            securityContext=self.patient,
            data="U3ludGhldGljIGxldHRlciBhYm91dCBub2JvZHku",
        )
        self.bundle.add(
            "DocumentReference",
            status="current",
            type=concept(Code(LOINC, "11488-4", "Consult note")),
            subject=self.patient,
            date=instant(at),
            author=[by(staff)],
            content=[
                {
                    "attachment": {
                        "contentType": "text/plain",
                        "url": binary["reference"],
                        "title": "Synthetic letter",
                    }
                }
            ],
        )


def adult(record: Record, visits: int) -> None:
    """Co-care of a grown person over three years: visits, tests, medicines, claims."""
    person, chance = record.person, record.chance
    height, weight = 152 + chance.randrange(28), Decimal(chance.randrange(520, 880)).scaleb(-1)
    days = record.visits(visits)
    coverage = record.coverage()
    record.consent(days[0])
    record.lifestyle(days[0])
    reasons: list[Resource] = []
    for progress, at in enumerate(days):
        staff = chance.choice(person.staff)
        encounter = record.encounter(at, FOLLOW_UP if progress else CHECK_UP, staff)
        record.vital_signs(at, encounter, staff, progress, height, weight - progress * Decimal("0.4"))
        if progress % 3 == 0:
            record.laboratory(at, encounter, staff, progress)
        if progress == 0:
            record.observe(
                HEIGHT,
                at,
                "vital-signs",
                valueQuantity=quantity(Decimal(height), "cm", "cm"),
                encounter=encounter,
            )
            reasons = [record.condition(problem, at, encounter, staff) for problem in person.conditions]
        if progress in (0, 2):
            for problem, reason in zip(person.conditions, reasons, strict=True):
                if problem in MEDICINES:
                    record.medicine(problem, at, encounter, staff, reason)
        if progress == 1 and reasons:
            record.refer(at, encounter, staff, reasons[0])
        if progress % 2 == 1:
            record.claim(at, encounter, staff, coverage, chance.choice(("320.00", "450.00", "166.50")))
    if reasons:
        record.plan(days[0], reasons, person.staff[0])
    for year, vaccine in zip((2024, 2025), VACCINES["adult"], strict=True):
        record.vaccinate(
            vaccine, date(year, 11, 1 + chance.randrange(28)), person.staff[0], chance.randrange(10_000)
        )


def child(record: Record) -> None:
    """Vaccines and growth of a child."""
    chance, staff = record.chance, record.person.staff[0]
    for months, vaccine in zip((2, 12, 13, 18), VACCINES["child"], strict=True):
        on = record.person.person.born + timedelta(days=30 * months + chance.randrange(20))
        record.vaccinate(vaccine, on, staff, chance.randrange(10_000))
    for progress, at in enumerate(record.visits(3)):
        encounter = record.encounter(at, CHECK_UP, staff)
        shared = {"encounter": encounter, "performer": [by(staff)]}
        weight, height = Decimal(140 + 22 * progress).scaleb(-1), Decimal(98 + 6 * progress)
        record.observe(WEIGHT, at, "vital-signs", valueQuantity=quantity(weight, "kg", "kg"), **shared)
        record.observe(HEIGHT, at, "vital-signs", valueQuantity=quantity(height, "cm", "cm"), **shared)


def interpretation(value: Decimal, low: str | None, high: str | None) -> Resource:
    if high and value > Decimal(high):
        return coded("v3-ObservationInterpretation", "H", "High")
    if low and value < Decimal(low):
        return coded("v3-ObservationInterpretation", "L", "Low")
    return coded("v3-ObservationInterpretation", "N", "Normal")


def reference_range(unit: str, low: str | None, high: str | None) -> Resource:
    limits = (("low", low), ("high", high))
    return {name: quantity(Decimal(limit), unit, unit) for name, limit in limits if limit}


# --- everybody --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cast:
    """Who is cared for: grown people of Hong Kong, children with a parent among them, people across.

    The first three across are also the first three of Hong Kong.
    """

    grown: list[Known]
    children: dict[int, Known]
    """By the place of the parent among the grown."""
    across: list[Known]


def cast(everybody: list[Person], chance: random.Random) -> Cast:
    """Choose who is cared for among everybody, and what for."""
    problems = [
        tuple(line.split())
        for line in (
            "hypertension", "hypertension diabetes", "diabetes lipids", "prediabetes",
            "hypertension lipids", "knee", "hypertension diabetes lipids", "",
        )
    ]  # fmt: skip
    by_card = {card(person): person for person in everybody}
    parents: list[tuple[Person, Person]] = []
    for person in everybody:
        small = [by_card[other.number] for other in person.relatives if other.number in by_card]
        small = [other for other in small if 2 <= age(other) <= 8]
        taken = [child for _, child in parents]
        if person.region == "hong-kong" and age(person) >= 30 and small and small[0] not in taken:
            parents.append((person, small[0]))
    living = [person for person in everybody if not person.died and age(person) < 90]
    rest = [person for person in living if person.region == "hong-kong" and age(person) >= 44]
    crossing = [person for person in rest if person.han and "home-return-permit" in person.numbers]
    chosen = crossing[:4]
    with_child = {4: parents[0], 6: parents[1], 8: parents[2]}
    known = {person.id for pair in with_child.values() for person in pair} | {person.id for person in chosen}
    others = (person for person in rest if person.id not in known)
    grown: list[Known] = []
    for nth in range(19):
        person = with_child[nth][0] if nth in with_child else chosen[nth] if nth < 4 else next(others)
        place = (CENTRE, *CLINICS)[(nth + 1) % 3]
        grown.append(known_at(person, place, problems[(nth + 1) % 8], chance))
    children = {nth: known_at(small, grown[nth].place, (), chance) for nth, (_, small) in with_child.items()}
    across = [known_at(one.person, SHENZHEN, one.conditions[:1], chance, nth=1) for one in grown[:3]]
    guangdong = next(one for one in living if one.region == "guangdong" and age(one) >= 50)
    across.append(known_at(guangdong, SHENZHEN, ("hypertension", "diabetes"), chance))
    macao = [one for one in living if one.region == "macao" and one.han and age(one) >= 40]
    across += [known_at(one, MACAO, ("hypertension",), chance) for one in macao[:2]]
    return Cast(grown, children, across)


def card(person: Person) -> str:
    """The number of the card, the first of a person's numbers."""
    return next(iter(person.numbers.values()))


def age(person: Person) -> int:
    return AS_OF.year - person.born.year


def known_at(
    person: Person, place: Place, conditions: tuple[str, ...], chance: random.Random, *, nth: int = 0
) -> Known:
    """A person as a place knows them, with what went wrong there at the usual rates."""
    written = draft(person, system_of(place), nth, chance)
    befall(written, 1.0, chance)
    return Known(person, written.patient(), place, conditions)


def system_of(place: Place) -> System:
    return SYSTEMS[place.number]


def family(chance: random.Random, parent: Known, young: Known) -> Bundle:
    """A parent and a child in one Bundle, with an appointment over both."""
    bundle = Bundle(chance)
    grown, small = Record(bundle, parent), Record(bundle, young)
    adult(grown, 4)
    child(small)
    bundle.add(
        "RelatedPerson",
        active=True,
        patient=small.patient,
        relationship=[coded("v3-RoleCode", "PRN", "parent")],
        name=parent.patient["name"],
    )
    start = datetime.combine(LAST_DAY + timedelta(days=12), time(10, 30), HONG_KONG_TIME)
    bundle.add(
        "Appointment",
        status="booked",
        description="Vaccination of parent and child",
        start=instant(start),
        end=instant(start + timedelta(minutes=20)),
        participant=[
            {"actor": actor, "status": "accepted"}
            for actor in (grown.patient, small.patient, by(parent.staff[0]))
        ],
    )
    return bundle


def alone(chance: random.Random, person: Known, visits: int, nth: int) -> Bundle:
    """One grown person's Bundle; every third has an allergy, every fourth a letter."""
    bundle = Bundle(chance)
    record = Record(bundle, person)
    adult(record, visits)
    first = datetime.combine(FIRST_DAY, time(9), HONG_KONG_TIME)
    if nth % 3 == 0:
        record.allergy(first)
    if nth % 4 == 0:
        record.letter(first, person.staff[0])
    start = datetime.combine(LAST_DAY + timedelta(days=11 + nth), time(14), HONG_KONG_TIME)
    bundle.add(
        "Appointment",
        status="booked",
        start=instant(start),
        end=instant(start + timedelta(minutes=15)),
        participant=[
            {"actor": actor, "status": "accepted"} for actor in (record.patient, by(person.staff[0]))
        ],
    )
    return bundle


def together(chance: random.Random, grown: list[Known]) -> Bundle:
    """What is over several people: a class, its appointment, a recall list, a home monitor."""
    bundle = Bundle(chance)
    ill = [person for person in grown if "diabetes" in person.conditions]
    bundle.add(
        "Group",
        type="person",
        actual=True,
        name="Synthetic diabetes class",
        quantity=len(ill),
        managingEntity=at_place(CENTRE),
        member=[{"entity": patient_of(person)} for person in ill],
    )
    start = datetime.combine(LAST_DAY + timedelta(days=20), time(15), HONG_KONG_TIME)
    actors = [*map(patient_of, ill), by(STAFF[0])]
    bundle.add(
        "Appointment",
        status="booked",
        description="Diabetes class 糖尿病小組",
        start=instant(start),
        end=instant(start + timedelta(hours=1)),
        participant=[{"actor": actor, "status": "accepted"} for actor in actors],
    )
    bundle.add(
        "List",
        status="current",
        mode="working",
        title="Recall for stool test",
        entry=[{"item": patient_of(person)} for person in grown[4:9]],
    )
    monitor = bundle.add("Device", status="active", patient=patient_of(grown[1]), lotNumber="SYN-MONITOR")
    bundle.add("Provenance", target=[monitor], recorded=instant(start), agent=[{"who": by(STAFF[0])}])
    bundle.add(
        "Observation",
        status="final",
        category=[coded("observation-category", "laboratory", "Laboratory")],
        code=concept(STOOL_BLOOD),
        subject=patient_of(grown[4]),
        effectiveDateTime="2026-09",
        valueCodeableConcept=concept(text="Negative"),
    )
    return bundle


def elsewhere(chance: random.Random, everybody: list[Person], cared_for: Cast) -> Iterator[Bundle]:
    """Patients without more: another of each who is cared for, of the others one and two by turns."""
    cared = {one.person.id for one in (*cared_for.grown, *cared_for.children.values(), *cared_for.across)}
    patients: list[Resource] = []
    for nth, person in enumerate(everybody):
        before = 2 if person.id in cared else 0  # their record numbers go on
        count = 1 if person.id in cared else 1 + nth % 2
        written = appearances(person, chance, count=before + count)
        patients += [appearance.patient for appearance in written[before:]]
    for start in range(0, len(patients), IN_A_BUNDLE):
        bundle = Bundle(chance)
        for patient in patients[start : start + IN_A_BUNDLE]:
            add_patient(bundle, patient)
        yield bundle


def bundles(seed: int) -> Iterator[Bundle]:
    """The sample, Bundle by Bundle."""
    chance = seeded(seed)
    everybody = list(population(seed, PEOPLE))
    cared_for = cast(everybody, chance)
    yield directory(chance)
    for nth, person in enumerate(cared_for.grown):
        if nth in cared_for.children:
            yield family(chance, person, cared_for.children[nth])
        else:
            yield alone(chance, person, 5 + nth % 3, nth)
    for nth, person in enumerate(cared_for.across, len(cared_for.grown)):
        yield alone(chance, person, 3, nth)
    yield from elsewhere(chance, everybody, cared_for)
    yield together(chance, cared_for.grown)


def text(seed: int) -> bytes:
    """The sample as NDJSON."""
    return b"".join(bundle.written() + b"\n" for bundle in bundles(seed))


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the synthetic sample that the package ships")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    made = text(arguments.seed)
    if arguments.check:
        return int(gzip.decompress(sample_bundles().read_bytes()) != made)
    sample_bundles().write_bytes(gzip.compress(made, 9, mtime=0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
