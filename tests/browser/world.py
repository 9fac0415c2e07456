"""The record that pages are shown on: invented people, and pairs of them that wait for a steward."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kintung.app import Node, open_node
from kintung.identity import registry
from kintung.identity.judge import matched
from kintung.identity.matching.numbers import VERIFIED
from kintung.identity.registry import Steward
from kintung.store.links import LinkChange, LinkKind
from kintung.store.port import Unit
from kintung.store.reader import Reader
from kintung.store.writes import Prepared
from tests.server.started import Started, started
from tests.stores import Record, SetClock

Resource = dict[str, Any]

HKID = "https://kintung.org/fhir/sid/hkid"
PERMIT = "https://kintung.org/fhir/sid/home-return-permit"


def _number(system: str, value: str, *, seen: bool = True) -> Resource:
    extension = [{"url": VERIFIED, "valueDateTime": "2022-10-19T09:00:00+08:00"}]
    return {"system": system, "value": value, **({"extension": extension} if seen else {})}


def _patient(id: str, names: list[Resource], born: str, sex: str, keeper: str, **more: Any) -> Resource:
    return {
        "resourceType": "Patient",
        "id": id,
        "name": names,
        "birthDate": born,
        "gender": sex,
        "managingOrganization": {"display": keeper},
        **more,
    }


CLINIC, HOSPITAL, CENTRE = "健樂家庭醫務所（示範）", "香港大學深圳醫院（示範）", "葵青地區康健中心（示範）"
PATIENTS = [
    _patient(
        "chan-clinic",
        [{"text": "陳大文", "use": "official"}, {"family": "CHAN", "given": ["Tai Man"]}],
        "1950-03-02",
        "male",
        CLINIC,
        identifier=[_number(HKID, "A123456(3)")],
        telecom=[{"system": "phone", "value": "+852 5123 4567"}],
        address=[{"text": "新界葵涌石蔭邨某樓 12 樓 3 室"}],
    ),
    _patient(
        "chan-shenzhen",
        [{"text": "陈大文"}, {"family": "Chen", "given": ["Dawen"]}],
        "1950-02-03",
        "male",
        HOSPITAL,
        identifier=[_number(PERMIT, "H99990001"), _number(HKID, "A123456(3)")],
        telecom=[{"system": "phone", "value": "5123 4567"}],
        address=[{"text": "深圳市福田区某路 8 号"}],
    ),
    _patient(
        "wong-a", [{"text": "黃小明"}], "1988-11-20", "male", CENTRE, identifier=[_number(HKID, "C123456(9)")]
    ),
    _patient(
        "wong-b", [{"text": "黃少明"}], "1988-11-20", "male", CLINIC, identifier=[_number(HKID, "G123456(A)")]
    ),
    _patient("lee-a", [{"family": "LEE", "given": ["Ka Yan", "Grace"]}], "1975", "female", CLINIC),
    _patient("lee-b", [{"text": "李嘉欣"}], "1975-06-30", "female", CENTRE),
    _patient("ho-a", [{"text": "何伯"}], "1936-01-01", "male", CENTRE),
    _patient("ho-b", [], "1936", "unknown", CLINIC),
]
WAITING = [("chan-clinic", "chan-shenzhen"), ("wong-a", "wong-b"), ("lee-a", "lee-b")]
"""Pairs that wait, whatever the rule thinks of them; the score and its terms are the rule's own."""
STEWARD = Steward("Steward A", "registry", "HOPERAT", Reader.everything())


def _of(type: str, id: str, person: str, /, **more: Any) -> Resource:
    whose = "patient" if type in ("AllergyIntolerance", "Immunization") else "subject"
    return {"resourceType": type, "id": id, whose: {"reference": f"Patient/{person}"}, **more}


def _status(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def _result(id: str, person: str, day: str, *values: tuple[str, float, str], **more: Any) -> Resource:
    """An Observation by LOINC codes: of one value, or of components."""
    parts = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {
                "value": value,
                "unit": unit,
                "system": "http://unitsofmeasure.org",
                "code": unit,
            },
        }
        for code, value, unit in values
    ]
    panel = {"code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}, "component": parts}
    said = parts[0] if len(parts) == 1 else panel
    return _of("Observation", id, person, status="final", effectiveDateTime=day, **said, **more)


HO = "ho-a"
_ACTIVE = _status("condition-clinical", "active")
_SURE = _status("condition-ver-status", "confirmed")
RECORD: list[Resource] = [
    _of("AllergyIntolerance", "allergy", HO, code={"text": "青黴素 Penicillin"}, criticality="high",
        clinicalStatus=_status("allergyintolerance-clinical", "active"), recordedDate="2015-06-01",
        verificationStatus=_status("allergyintolerance-verification", "confirmed"),
        reaction=[{"manifestation": [{"text": "呼吸困難"}]}]),
    _of("Flag", "flag", "ho-b", status="active", code={"text": "獨居，容易跌倒"},
        period={"start": "2021-03-01"}),
    _of("Condition", "diabetes", HO, code={"text": "二型糖尿病 Diabetes mellitus type 2"},
        clinicalStatus=_ACTIVE, verificationStatus=_SURE, onsetDateTime="2016-05-28"),
    _of("Condition", "kidney", "ho-b", code={"text": "Chronic kidney disease stage 3a"},
        clinicalStatus=_ACTIVE, onsetDateTime="2021",
        verificationStatus=_status("condition-ver-status", "provisional")),
    _of("Condition", "lungs", HO, code={"text": "Pneumonia"}, verificationStatus=_SURE,
        clinicalStatus=_status("condition-clinical", "resolved"), onsetDateTime="2019-02"),
    _of("MedicationRequest", "metformin", HO, status="active", intent="order", authoredOn="2022-03-21",
        medicationCodeableConcept={"text": "metformin 500 mg"},
        dosageInstruction=[{"text": "Take one tablet twice a day with meals"}]),
    _of("Immunization", "flu", HO, status="completed", vaccineCode={"text": "季節性流感疫苗"},
        occurrenceDateTime="2021-11-07"),
    *(
        _result(f"pressure-{place}", HO if place % 3 else "ho-b",
                f"20{17 + place // 3}-{place % 3 * 4 + 1:02d}-11",
                ("8480-6", 128 + place * 7 % 31, "mm[Hg]"), ("8462-4", 76 + place * 5 % 23, "mm[Hg]"))
        for place in range(16)
    ),
    *(
        _result(f"sugar-{place}", HO, f"20{18 + place}-05-28", ("4548-4", value, "%"))
        for place, value in enumerate((7.9, 7.1, 6.8, 6.4))
    ),
    _result("fasting", HO, "2022-01-11", ("1558-6", 126, "mg/dL")),
    _result("spoons", HO, "2022-01-12", ("1558-6", 7, "spoons")),
    _result("kidneys", "ho-b", "2022-01-11", ("33914-3", 52, "mL/min/{1.73_m2}")),
    *(
        _of("Encounter", f"visit-{place}", HO if place % 2 else "ho-b", status="finished",
            type=[{"text": "覆診 Follow-up"}],
            period={"start": f"2021-{place % 12 + 1:02d}-{place + 1:02d}T09:00:00+08:00"},
            **{"class": {"code": "AMB"}})
        for place in range(24)
    ),
    *(
        {
            **_result(id, HO, day, (code, value, unit)),
            "performer": [{"display": "葵青地區康健中心化驗所（示範）"}],
        }
        for id, day, code, value, unit in (
            ("height", "2021-05-28", "8302-2", 168, "cm"),
            ("creatinine", "2022-01-11", "14682-9", 118, "umol/L"),
            ("platelets", "2022-01-11", "777-3", 213, "10*9/L"),
        )
    ),
    _of("Goal", "goal", HO, lifecycleStatus="active", startDate="2022-01-11",
        description={"text": "血壓低於 140/90 mmHg"}),
    {"resourceType": "List", "id": "recall", "status": "current", "mode": "working",
     "title": "大便檢查召回名單", "date": "2022-02-01", "entry": [{"item": {"reference": f"Patient/{HO}"}}]},
    _of("DocumentReference", "scan", HO, status="current", date="2020-03-01",
        content=[{"attachment": {"contentType": "text/plain", "data": "U3ludGhldGlj", "title": "掃描本"}},
                 {"attachment": {"contentType": "image/png", "url": "http://elsewhere.example/1.png",
                                 "title": "X-ray of the chest"}}]),
    _of("DocumentReference", "letter", "ho-b", status="current", date="2021-06-01T09:00:00+08:00",
        content=[{"attachment": {"title": "出院摘要"}}],
        text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>一切安好。</p></div>'}),
]  # fmt: skip
"""The record of Mr Ho, who is two source Patients."""


def asked(one: str, other: str) -> LinkChange:
    """What the rule would say of a pair if it asked a steward."""
    by_id = {patient["id"]: patient for patient in PATIENTS}
    found = matched(by_id[one], by_id[other])
    return LinkChange(one, other, LinkKind.PROBABLE, "rule", found.why, found.score)


def fill(node: Node, patients: list[Resource], links: list[LinkChange]) -> None:
    """Store Patients, and what a rule says of pairs of them."""
    record = Record(node.store, node.scribe, SetClock(0))
    record.commit(*(record.putting(patient) for patient in patients))
    node.store.commit(Unit(Reader.everything(), lambda _: Prepared(links=tuple(links))))


def many(count: int) -> tuple[list[Resource], list[LinkChange]]:
    """As many pairs of people with a number for a name."""
    patients = [
        _patient(
            f"m{place}{side}", [{"family": "PERSON", "given": [f"No {place}"]}], "1960", "female", CLINIC
        )
        for place in range(count)
        for side in "ab"
    ]
    links = [
        LinkChange(f"m{place}a", f"m{place}b", LinkKind.PROBABLE, "rule", "", 500) for place in range(count)
    ]
    return patients, links


@contextmanager
def world(folder: Path, *, more: int = 0) -> Iterator[Started]:
    """Serve the record with these pairs, one of them decided, and ``more`` pairs behind them."""
    url = f"sqlite:///{folder}/record.db"
    with open_node(url) as node:
        fill(node, PATIENTS, [asked(*pair) for pair in WAITING])
        fill(node, RECORD, [])
        letter = RECORD[-1] | {"description": "出院摘要（修訂）"}
        fill(node, [letter], [])
        registry.merge(node.store, STEWARD, "ho-a", "ho-b", version=0, why="同一會員證，電話核對")
        if more:
            fill(node, *many(more))
    with started(url) as served:
        yield served


def site(served: Started) -> str:
    """The address of a served node without the path of its API."""
    return served.base.removesuffix("/fhir")
