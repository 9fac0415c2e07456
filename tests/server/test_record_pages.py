"""The pages of a record over HTTP: who sees what, as it is and as it was, and what is put on record."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kintung.clock import SetClock
from kintung.consent import Right
from kintung.store.links import LinkChange, LinkKind
from kintung.store.memory import MemoryStore
from kintung.store.reader import Reader
from kintung.store.writes import Prepared
from kintung.web.about import About, Demo
from kintung.web.pages.record import person
from kintung.web.pages.record.timeline import EACH
from kintung.web.site import WebSettings
from tests import scale
from tests.records import organization
from tests.server.api import Api, persona
from tests.server.api import api as opened

ROOT = "http://record.example"
HKID = "https://kintung.org/fhir/sid/hkid"
DAY = 24 * 3_600 * 1_000_000
Resource = dict[str, Any]


def of(type: str, id: str, person: str = "p1", /, **more: Any) -> Resource:
    whose = "patient" if type in ("AllergyIntolerance", "Immunization") else "subject"
    return {"resourceType": type, "id": id, whose: {"reference": f"Patient/{person}"}, **more}


def coded(code: str, text: str = "", system: str = "http://loinc.org") -> Resource:
    return {"coding": [{"system": system, "code": code}], "text": text or code}


def status(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def amount(value: Any, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def pressure(id: str, day: str, systolic: float, diastolic: float, person: str = "p1") -> Resource:
    parts = [("8480-6", systolic), ("8462-4", diastolic)]
    component = [{"code": coded(code), "valueQuantity": amount(value, "mm[Hg]")} for code, value in parts]
    return of(
        "Observation", id, person, status="final", code=coded("85354-9", "BP"), effectiveDateTime=day,
        component=component,
    )  # fmt: skip


def measured(id: str, code: str, day: str, value: Any, unit: str, **more: Any) -> Resource:
    return of(
        "Observation", id, status="final", code=coded(code), effectiveDateTime=day,
        valueQuantity=amount(value, unit), **more,
    )  # fmt: skip


PATIENTS: list[Resource] = [
    {
        "resourceType": "Patient", "id": "p1", "birthDate": "1950-03-02", "gender": "male",
        "name": [{"text": "陳大文", "use": "official"}, {"family": "CHAN", "given": ["Tai Man"]}],
        "identifier": [{"system": HKID, "value": "A123456(3)"}],
        "managingOrganization": {"reference": "Organization/clinic"},
    },
    {
        "resourceType": "Patient", "id": "p2", "name": [{"text": "陈大文"}], "birthDate": "1950-03-02",
        "managingOrganization": {"reference": "Organization/hospital"},
    },
    {"resourceType": "Patient", "id": "p3", "name": [{"text": "何伯"}]},
]  # fmt: skip
RECORD: list[Resource] = [
    organization("clinic", "Clinic of Sha Tin") | {"address": [{"country": "HK"}]},
    organization("hospital", "Hospital of Futian") | {"address": [{"country": "CN"}]},
    *PATIENTS,
    of(
        "Condition", "c1", code=coded("I10", "Hypertension", "http://hl7.org/fhir/sid/icd-10"),
        clinicalStatus=status("condition-clinical", "active"), onsetDateTime="2020-05-01",
        verificationStatus=status("condition-ver-status", "provisional"),
    ),
    of(
        "Condition", "c2", code={"text": "Pneumonia"},
        clinicalStatus=status("condition-clinical", "resolved"),
        verificationStatus=status("condition-ver-status", "confirmed"),
    ),
    of(
        "Condition", "c3", code={"text": "Mistaken"},
        verificationStatus=status("condition-ver-status", "entered-in-error"),
    ),
    of("AllergyIntolerance", "a1", code={"text": "Penicillin"}, criticality="high",
       clinicalStatus=status("allergyintolerance-clinical", "active")),
    of("MedicationRequest", "m1", status="active", intent="order", authoredOn="2022-03-01",
       medicationCodeableConcept={"text": "Metformin 500 mg"}, dosageInstruction=[{"text": "Twice a day"}]),
    of("Immunization", "i1", "p2", status="completed", vaccineCode={"text": "Influenza"},
       occurrenceDateTime="2021-11-05"),
    pressure("b1", "2021-10-04", 152, 94),
    pressure("b2", "2022-01-17", 138, 86, "p2"),
    measured("h1", "4548-4", "2022-02-01", 7.4, "%",
             referenceRange=[{"low": amount(4.4, "%"), "high": amount(7.5, "%")}]),
    measured("g1", "2339-0", "2022-02-01", 100, "mg/dL"),
    measured("g2", "2339-0", "2022-03-01", 5, "spoons"),
    measured("t1", "8302-2", "2022-02-01", 170, "cm"),
    of("Encounter", "e1", status="finished", period={"start": "2022-01-17T09:00:00+08:00"},
       type=[{"text": "Follow-up"}], **{"class": {"code": "AMB"}}),
    of("DocumentReference", "d1", "p2", status="current", date="2021-06-01T09:00:00+08:00",
       content=[{"attachment": {"title": "Discharge letter"}}]),
    of("Condition", "x1", "p3", code={"text": "Someone else's"}),
]  # fmt: skip


@pytest.fixture
def api() -> Iterator[Api]:
    """One person of two records, and another; who sees all, the one, the other, and none."""
    with opened() as found:
        found.store(*RECORD)
        found.prepared(
            Prepared(links=(LinkChange("p1", "p2", LinkKind.CERTAIN, "rule", "number same +9.0", 900),))
        )
        readers = {
            "all": Reader.everything("all"), "p1": found.grant(1, "p1"), "p3": found.grant(2, "p3"),
            "none": Reader.nothing(),
        }  # fmt: skip
        for sight, reader in readers.items():
            found.personas[sight] = persona(sight, reader, Right.VIEW, organisation="clinic")
            found.personas[f"{sight}, no view"] = persona(sight, reader, Right.DEPOSIT, Right.STEWARD)
        yield found


def get(api: Api, path: str, who: str = "all", lang: str = "en") -> httpx.Response:
    return api.get(f"{ROOT}{path}", persona=who, headers={"accept-language": lang})


def said(page: httpx.Response, part: str = "main") -> str:
    """What a page says, in a line."""
    main = re.search(rf"<{part}\b.*?</{part}>", page.text, re.DOTALL)
    assert main is not None, page.text
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main[0])).split())


def part(page: httpx.Response, name: str) -> str:
    """What the section of a heading says."""
    found = re.search(rf'<section[^>]*aria-labelledby="h-{name}".*?</section>', page.text, re.DOTALL)
    assert found is not None, name
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", found[0])).split())


# --- Who it is of, and who sees it ----------------------------------------------------


def test_a_record_is_of_the_person_under_the_id_of_any_of_its_records(api: Api) -> None:
    for id in ("p1", "p2"):
        page = get(api, f"/record/{id}")
        assert page.status_code == 200
        text = said(page)
        for words in ("陳大文", "CHAN, Tai Man", "2 March 1950", "male", "2 records of one person",
                      "the same verified number, or their source says so", "Clinic of Sha Tin",
                      "Hospital of Futian", "72 years old"):  # fmt: skip
            assert words in text, (id, words)
        assert "A123***(*)" in text
        assert "A123456" not in page.text
        assert "何伯" not in text
        assert "Someone else" not in text


def test_a_record_of_one_says_so_and_that_nothing_is_recorded_is_not_none(api: Api) -> None:
    text = said(get(api, "/record/p3"))
    assert "One record" in text
    assert "No allergies recorded That nothing is recorded does not mean that there is nothing." in text
    assert "No results recorded" in text


VERIFIED = {
    "url": "https://kintung.org/fhir/StructureDefinition/identifier-verified",
    "valueDateTime": "2020-01-01",
}


def counted(id: str, keeper: str, *numbers: str) -> Resource:
    """A Patient whose documents were seen at a counter."""
    seen = [{"system": HKID, "value": number, "extension": [VERIFIED]} for number in numbers]
    return {
        "resourceType": "Patient", "id": id, "name": [{"text": "陳大文"}], "birthDate": "1950-03-02",
        "managingOrganization": {"reference": f"Organization/{keeper}"},
        **({"identifier": seen} if seen else {}),
    }  # fmt: skip


def joined(api: Api, one: str, other: str, kind: LinkKind) -> None:
    expected = None if kind is LinkKind.CERTAIN else 0
    api.prepared(Prepared(links=(LinkChange(one, other, kind, "somebody", "why", 900, expected=expected),)))


def header(page: httpx.Response) -> str:
    found = re.search(r'<header class="subject">.*?</header>', page.text, re.DOTALL)
    assert found is not None
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", found[0])).split())


def test_the_number_that_makes_records_one_is_named_masked_with_who_keeps_it(api: Api) -> None:
    api.store(counted("n1", "clinic", "G123456(A)"), counted("n2", "hospital", "g123456a"))
    joined(api, "n1", "n2", LinkKind.CERTAIN)
    api.personas["n1"] = persona("n1", api.grant(9, "n1"), Right.VIEW)
    for who in ("all", "n1"):
        text = header(get(api, "/record/n1", who))
        assert "Certain 2 records of one person: the same number, its document seen at a counter:" in text
        assert "Hong Kong identity card number G123***(*) (kept by Clinic of Sha Tin; Hospital" in text
        assert "G123456" not in text
        assert "steward" not in text


def test_a_steward_who_decided_is_said_with_the_day_and_without_a_name(api: Api) -> None:
    api.store(counted("n1", "clinic"), counted("n2", "hospital"))
    clock = api.node.clock
    assert isinstance(clock, SetClock)
    clock.jump(3 * DAY)
    joined(api, "n1", "n2", LinkKind.MERGED)
    text = header(get(api, "/record/n2"))
    assert "2 records of one person: a steward decided it, 22 Oct 2022 08:00" in text
    assert "somebody" not in text
    assert "number," not in text


@pytest.mark.parametrize(
    ("lang", "says"), [("zh-HK", "同一人的 2 份紀錄："), ("zh-CN", "同一人的 2 份记录：")]
)
def test_signs_between_chinese_words_are_as_wide_as_they_are(api: Api, lang: str, says: str) -> None:
    api.store(counted("n1", "clinic", "G123456(A)"), counted("n2", "hospital", "G123456(A)"),
              pressure("wide", "2022-10-01", 152, 86, "n1"))  # fmt: skip
    joined(api, "n1", "n2", LinkKind.CERTAIN)
    page = get(api, "/record/n1", lang=lang)
    text = header(page)
    assert says in text
    assert "G123***(*) （" in text
    assert not re.search("[\u4e00-\u9fff]\\s*[:;,(]|[:;,(]\\s*[\u4e00-\u9fff]", text), text
    assert "140 mmHg ；" in said(page)
    timeline = get(api, "/record/n1/timeline?kind=everything&from=2022-01-01", lang=lang)
    assert "152 mmHg 偏高 ；舒张压 86 mmHg" in said(timeline).replace("舒張壓", "舒张压")
    chosen = re.search(r"<p class=.on-paper chosen.>(.*?)</p>", timeline.text)
    assert chosen is not None
    assert chosen[1].endswith("2022年1月1日起</span>")
    assert chosen[1].count("；") == 1


def test_of_a_record_that_is_not_in_sight_nothing_is_said_of_what_links_it(api: Api) -> None:
    api.store(counted("n1", "clinic", "G123456(A)"), counted("n2", "hospital", "G123456(A)"))
    joined(api, "n1", "n2", LinkKind.CERTAIN)
    api.label("Patient/n2", "secret")
    clinic = Reader("clinic", persons=True, organisations=True, hidden=frozenset({"secret"}))
    api.personas["clinic"] = persona("clinic", clinic, Right.VIEW)
    text = header(get(api, "/record/n1", "clinic"))
    assert "One record" in text
    assert "seen at a counter" not in text
    assert "Hospital" not in text


def test_what_their_source_says_is_said_to_be_its_word(api: Api) -> None:
    over = counted("n2", "clinic") | {
        "active": False, "link": [{"other": {"reference": "Patient/n1"}, "type": "replaced-by"}]
    }  # fmt: skip
    api.store(counted("n1", "clinic"), over)
    joined(api, "n1", "n2", LinkKind.CERTAIN)
    assert "2 records of one person: their source says so" in header(get(api, "/record/n1"))


ADDRESSES = ("/record/{}", "/record/{}/timeline", "/record/{}/Condition/c1", "/record/{}?as-at=2022-10-19",
             "/record/{}/summary.pdf")  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_absent_and_hidden_are_alike_in_every_byte(api: Api, address: str) -> None:
    # Not compressed, else the length says which id was asked for.
    plain = {"accept-language": "en", "accept-encoding": "identity"}
    hidden, absent = (
        api.get(f"{ROOT}{address.format(id)}", persona="p3", headers=plain) for id in ("p1", "pp")
    )
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text.replace("p1", "pp") == absent.text
    assert {**hidden.headers} == {**absent.headers}
    assert get(api, address.format("p1"), "p1").status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("who", ["none", "all, no view"])
def test_who_sees_nothing_or_may_not_view_is_shown_nothing(api: Api, address: str, who: str) -> None:
    page = get(api, address.format("p1"), who)
    assert page.status_code == (404 if who == "none" else 403)
    assert "陳大文" not in page.text


@pytest.mark.parametrize("name", ["Condition/x1", "Condition/nothing", "Patient/p3", "Organization/clinic",
                                  "Nothing/c1", "Condition/c1..", "Observation/c1"])  # fmt: skip
def test_nothing_of_somebody_else_is_under_a_record(api: Api, name: str) -> None:
    assert get(api, f"/record/p1/{name}").status_code == 404


def test_what_is_labelled_is_on_no_page(api: Api) -> None:
    api.label("Condition/c1", "secret")
    clinic = Reader("clinic", persons=True, organisations=True, hidden=frozenset({"secret"}))
    api.personas["clinic"] = persona("clinic", clinic, Right.VIEW)
    for path in ("/record/p1", "/record/p1?as-at=2022-10-19"):
        assert "Hypertension" not in get(api, path, "clinic").text
        assert "Hypertension" in get(api, path).text
    assert get(api, "/record/p1/Condition/c1", "clinic").status_code == 404


def test_what_a_page_shows_is_on_record_of_all_whom_it_shows(api: Api) -> None:
    store = api.node.store
    assert isinstance(store, MemoryStore)
    for path, operation in (("/record/p2", "record"), ("/record/p2/summary.pdf", "record-pdf"),
                            ("/record/p2/timeline", "record-timeline"),
                            ("/record/p2/Condition/c1", "record-item")):  # fmt: skip
        get(api, path, "p1")
        told = store._state.audit[-1].record
        keys = [store._state.patient_keys[id] for id in ("p1", "p2")]
        assert (told.operation, told.status, sorted(told.patient_keys)) == (operation, 200, sorted(keys))
        assert told.about == store._state.patient_keys["p2"]
    get(api, "/record/p1", "p3")
    assert (store._state.audit[-1].record.status, store._state.audit[-1].record.patient_keys) == (404, ())


def test_a_record_that_is_larger_than_a_page_says_so_and_whose_it_is(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(person, "MOST", 3)
    for path in ("/record/p1", "/record/p1/timeline?kind=results"):
        text = said(get(api, path))
        assert "This record is larger than a page shows" in text
        assert "陳大文" in text
        assert "2 records of one person" in text


# --- Summary and results --------------------------------------------------------------


def test_the_summary_says_how_sure_it_is_where_it_is_from_and_what_is_over(api: Api) -> None:
    page = get(api, "/record/p1")
    problems = part(page, "problems")
    assert problems.startswith("Problems 1 Hypertension Probable 1 May 2020 Hong Kong · Clinic of Sha Tin")
    assert "1 in the past Pneumonia Certain Resolved" in problems
    assert "Mistaken" not in problems
    assert "Penicillin High risk" in part(page, "allergies")
    assert "Metformin 500 mg Twice a day 1 March 2022" in part(page, "medicines")
    assert "Influenza 5 November 2021 Mainland · Hospital of Futian" in part(page, "immunisations")
    assert "No alerts recorded" in part(page, "alerts")


def test_results_have_their_latest_value_their_chart_and_a_table_behind_it(api: Api) -> None:
    page = get(api, "/record/p1")
    pressure = part(page, "blood_pressure")
    assert pressure.startswith("Blood pressure 138 / 86 mmHg 17 January 2022 Mainland · Hospital of Futian")
    assert "Blood pressure: 2 values from 4 October 2021 to 17 January 2022." in pressure
    assert "4 October 2021 152 high 94 high Hong Kong · Clinic of Sha Tin" in pressure
    assert "Reference range: Systolic < 140 mmHg ; Diastolic < 90 mmHg" in pressure
    assert page.text.count('class="line n1"') == 1
    assert page.text.count("<figure>") == 3
    assert "Body height 170 cm" in said(page)


def test_what_the_patient_measured_is_marked_as_such(api: Api) -> None:
    for id, day, by in (("c", "2022-03-01", "Organization/clinic"), ("h", "2022-03-02", "Patient/p1")):
        api.store(pressure(id, day, 130, 80) | {"performer": [{"reference": by}]})
    table = part(get(api, "/record/p1"), "blood_pressure")
    assert "2 March 2022 130 80 By the patient" in table
    assert "1 March 2022 130 80 Hong Kong · Clinic of Sha Tin" in table


def test_the_range_an_observation_brings_is_shown_before_ours(api: Api) -> None:
    text = part(get(api, "/record/p1"), "hba1c")
    assert "7.4 %" in text
    assert "4.4–7.5 % (of the laboratory)" in text
    assert "high" not in text


def test_what_is_high_or_low_is_marked_wherever_a_value_stands(api: Api) -> None:
    """On the first page, the timeline and its own: with a sign, and a word for who does not see it."""
    low = {
        "coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "L"}
        ]
    }
    api.store(measured("k1", "2823-3", "2022-03-01", 3.1, "mmol/L", interpretation=[low]))
    first, whole = get(api, "/record/p1"), get(api, "/record/p1/timeline?kind=results")
    for page in (first, whole, get(api, "/record/p1/Observation/k1")):
        assert '<span class="low">3.1\u00a0mmol/L<span class="hidden"> low</span></span>' in page.text
    for page in (whole, get(api, "/record/p1/Observation/b1")):
        assert "152\u00a0mmHg high" in re.sub("<[^>]*>", "", page.text)
    assert "86\u00a0mmHg high" not in re.sub("<[^>]*>", "", whole.text)


def test_that_no_range_is_known_of_a_value_is_said_where_it_is_read_alone(api: Api) -> None:
    lacking = "no reference range known"
    assert f"170 cm {lacking}" in said(get(api, "/record/p1/Observation/t1")).replace("\u00a0", " ")
    for known in ("b1", "h1"):
        assert lacking not in get(api, f"/record/p1/Observation/{known}").text
    api.store(of("Observation", "n1", status="final", code=coded("5778-6"), valueString="clear"))
    assert lacking not in get(api, "/record/p1/Observation/n1").text


def test_the_marks_of_charts_are_explained_where_one_needs_it(api: Api) -> None:
    filled = "In a chart, a filled mark is outside the reference range."
    small = "A small mark is of a day of which no range is known."
    first = said(get(api, "/record/p1"))
    assert filled in first
    assert small not in first
    api.store(pressure("before", "2018-11-30", 120, 80))
    assert f"{filled} {small}" in said(get(api, "/record/p1"))
    api.store(measured("w1", "29463-7", "2022-03-01", 70, "kg", subject={"reference": "Patient/p3"}))
    weight = get(api, "/record/p3")
    assert '<path class="mark"' in weight.text
    assert filled not in said(weight)
    assert small not in said(weight), "of weight there is no range on any day"


def test_a_range_is_drawn_from_the_day_it_is_known_whatever_is_said_of_values_before(api: Api) -> None:
    high = {
        "coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "H"}
        ]
    }
    for id, day, more in (
        ("y1", "2017-05-01", {"interpretation": [high]}),
        ("y2", "2019-05-01", {}),
        ("y3", "2021-05-01", {}),
    ):
        api.store(measured(id, "4548-4", day, 6.5, "%", subject={"reference": "Patient/p3"}, **more))
    chart = re.search(r'<svg[^>]*aria-labelledby="chart-hba1c-title.*?</svg>', get(api, "/record/p3").text)
    assert chart is not None
    marks = [float(x) for x in re.findall(r'class="mark outside" transform="translate\((\S+) ', chart[0])]
    (bound,) = re.findall(r'class="limit" d="M(\S+) ', chart[0])
    assert len(marks) == 3, "the laboratory called the first one high"
    assert marks[0] < float(bound) < marks[1]


def test_a_value_is_converted_and_one_of_an_unknown_unit_is_in_the_table_alone(api: Api) -> None:
    page = get(api, "/record/p1")
    text = part(page, "glucose")
    assert "1 February 2022 5.6 written as 100 mg/dL" in text
    assert "1 March 2022 5 spoons not in the chart: its unit is not known" in text
    assert "Glucose: 1 values" in text
    assert "assumed" not in text.lower()


# --- Timeline -------------------------------------------------------------------------


def test_the_timeline_is_in_order_and_says_where(api: Api) -> None:
    text = said(get(api, "/record/p1/timeline"))
    visit = "17 January 2022 · Visit Follow-up Hong Kong · Clinic of Sha Tin"
    letter = "1 June 2021 · Document Discharge letter Mainland · Hospital of Futian"
    assert text.index(visit) < text.index(letter)
    assert "BP" not in text


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("kind=documents", ["Discharge letter"]),
        ("place=Clinic+of+Sha+Tin", ["Follow-up"]),
        ("from=2022-01-01", ["Follow-up"]),
        ("to=2021-12-31", ["Discharge letter"]),
        ("from=2021-06-01&to=2022-01-17", ["Follow-up", "Discharge letter"]),
        ("kind=visits&place=Hospital+of+Futian", []),
        ("kind=immunisations", ["Influenza"]),
        ("kind=nothing&place=", ["Follow-up", "Discharge letter"]),
    ],
)
def test_it_is_filtered_by_place_kind_and_time(api: Api, asked: str, shown: list[str]) -> None:
    page = get(api, f"/record/p1/timeline?{asked}")
    listed = re.findall(r"<strong>(.*?)</strong>", page.text)
    assert listed == shown
    assert ("Nothing recorded fits this choice" in page.text) == (not shown)


@pytest.mark.parametrize("more", ["", "&from=2000-01-01&to=2099-12-31"])
def test_a_long_timeline_comes_a_page_at_a_time(api: Api, more: str) -> None:
    for place in range(EACH):
        api.store(pressure(f"l{place}", f"2022-06-{place % 28 + 1:02d}", 120, 80))
    seen: list[str] = []
    address = f"/record/p1/timeline?kind=results{more}"
    while address:
        page = get(api, address)
        seen += re.findall(r'href="/record/p1/(Observation/\w+)"', page.text)
        further = re.search(r'href="([^"]*)" rel="next"', page.text)
        address = unescape(further[1]) if further else ""
    assert len(seen) == len(set(seen)) == EACH + 6


TOGETHER: list[Resource] = [
    {"resourceType": "List", "id": "l1", "status": "current", "mode": "working", "title": "Recall",
     "date": "2022-05-01", "entry": [{"item": {"reference": "Patient/p1"}}]},
    {"resourceType": "List", "id": "l2", "status": "current", "mode": "snapshot", "title": "Of one",
     "subject": {"reference": "Patient/p2"}},
    {"resourceType": "Group", "id": "g1", "type": "person", "actual": True, "name": "Class",
     "member": [{"entity": {"reference": f"Patient/{id}"}} for id in ("p1", "p3")]},
    {"resourceType": "Appointment", "id": "ap", "status": "booked", "description": "Review",
     "start": "2022-11-01T09:00:00+08:00", "end": "2022-11-01T09:15:00+08:00",
     "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}]},
]  # fmt: skip


def titles(page: httpx.Response) -> list[str]:
    return re.findall(r"<strong>(.*?)</strong>", page.text)


def test_what_is_of_several_together_is_on_the_timeline_of_each(api: Api) -> None:
    api.store(*TOGETHER)
    assert set(titles(get(api, "/record/p2/timeline?kind=groups"))) == {"Recall", "Of one", "Class"}
    assert titles(get(api, "/record/p3/timeline?kind=groups")) == ["Class"]
    assert titles(get(api, "/record/p1/timeline"))[0] == "Review"
    for name in ("List/l1", "List/l2", "Group/g1", "Appointment/ap"):
        assert get(api, f"/record/p1/{name}").status_code == 200


def test_who_does_not_see_all_of_them_sees_nothing_of_what_is_theirs_together(api: Api) -> None:
    api.store(*TOGETHER)
    page = get(api, "/record/p1/timeline?kind=groups", "p1")
    assert set(titles(page)) == {"Recall", "Of one"}
    assert "Class" not in page.text
    assert get(api, "/record/p1/Group/g1", "p1").status_code == 404


def test_what_is_of_several_is_shown_as_it_was_on_a_day(api: Api) -> None:
    clock = api.node.clock
    assert isinstance(clock, SetClock)
    api.store(*TOGETHER)
    clock.jump(2 * DAY)
    api.put("List/l1", TOGETHER[0] | {"title": "Recalled"})
    api.put("List/l2", TOGETHER[1] | {"subject": {"reference": "Patient/p3"}})
    api.store(TOGETHER[1] | {"id": "l3", "title": "Later"})
    assert set(titles(get(api, "/record/p1/timeline?kind=groups"))) == {"Recalled", "Class", "Later"}
    then = get(api, "/record/p1/timeline?kind=groups&as-at=2022-10-20")
    assert set(titles(then)) == {"Recall", "Class"}


def test_everything_is_shown_when_it_is_asked_for(api: Api) -> None:
    api.store(*TOGETHER, of("Goal", "go", lifecycleStatus="active", description={"text": "Walk more"}),
              of("Communication", "co", status="completed", sent="2022-05-02",
                 payload=[{"contentString": "Come at nine"}]))  # fmt: skip
    page = get(api, "/record/p1/timeline?kind=everything")
    shown = re.findall(r"<strong>(.*?)</strong>", page.text)
    for name in ("Walk more", "Come at nine", "Class"):
        assert name in shown
    assert titles(get(api, "/record/p1/timeline?kind=plans")) == ["Walk more"]
    assert "2 May 2022 · Message" in said(page)


# --- One thing ------------------------------------------------------------------------


def test_one_thing_shows_its_fields_its_history_its_source_and_its_json(api: Api) -> None:
    changed = next(each for each in RECORD if each["id"] == "m1") | {
        "dosageInstruction": [{"text": "Once a day"}],
        "meta": {"source": "http://clinic.example/m1"},
    }
    api.put("MedicationRequest/m1", changed)
    told = {"target": [{"reference": "MedicationRequest/m1"}], "agent": [{"who": {"display": "Dr Ho"}}]}
    api.store({"resourceType": "Provenance", "id": "v", "recorded": "2022-03-02T09:00:00+08:00", **told})
    page = get(api, "/record/p2/MedicationRequest/m1")
    fields = part(page, "fields")
    assert "Medicine Metformin 500 mg" in fields
    assert "How it is taken Once a day" in fields
    history = part(page, "history")
    change = "dosageInstruction[0].text Twice a day Once a day"
    assert f"version 2 {change} meta.source http://clinic.example/m1" in history
    assert "version 1 First stored here." in history
    source = part(page, "source")
    assert "It came from http://clinic.example/m1" in source
    assert "Provenance Dr Ho 2 March 2022" in source
    assert '"text": "Once a day"' in unescape(page.text)


def test_who_is_referred_to_is_named_as_far_as_in_sight(api: Api) -> None:
    names = [{"text": "梁示範"}, {"family": "LEUNG", "given": ["Si Fan"]}]
    api.store({"resourceType": "Practitioner", "id": "nurse", "name": names})
    api.store(of("Goal", "go", "p2", lifecycleStatus="active", startDate="2022-03-02",
                 description={"text": "Walk"}, expressedBy={"reference": "Practitioner/nurse"},
                 addresses=[{"reference": "Condition/c1"}]))  # fmt: skip
    page = get(api, "/record/p1/Goal/go")
    fields = part(page, "fields")
    assert "The patient 陳大文" in fields
    assert "LEUNG, Si Fan" in fields
    assert "Began 2 March 2022" in fields
    assert 'href="/record/p1/Condition/c1">Problem</a>' in page.text
    assert "梁示範" in part(get(api, "/record/p1/Goal/go", lang="zh-HK"), "fields")
    api.label("Practitioner/nurse", "secret")
    hidden = Reader("clinic", persons=True, organisations=True, hidden=frozenset({"secret"}))
    api.personas["clinic"] = persona("clinic", hidden, Right.VIEW)
    assert "Practitioner/nurse" in part(get(api, "/record/p1/Goal/go", "clinic"), "fields")


def test_a_narrative_is_shown_as_words_never_as_it_is(api: Api) -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p title="t">Told &lt;so&gt;</p></div>'
    api.store(of("Condition", "n1", code={"text": "<b>bold</b>"}, text={"status": "generated", "div": div}))
    page = get(api, "/record/p1/Condition/n1")
    assert "Told <so>" in part(page, "narrative")
    assert "<p title" not in page.text
    assert "<b>" not in page.text
    assert "<so>" not in page.text


SCAN: Resource = of(
    "DocumentReference", "scan", status="current",
    content=[
        {"attachment": {"contentType": "application/pdf", "url": "Binary/bytes", "title": "Scan"}},
        {"attachment": {"contentType": "text/html", "data": "PGI+SGk8L2I+", "title": "Note"}},
        {"attachment": {"contentType": "image/png", "url": "http://else.example/x.png", "title": "Photo"}},
        {"attachment": {"contentType": "text/plain", "url": "Binary/gone"}},
    ],
)  # fmt: skip
BYTES: Resource = {
    "resourceType": "Binary", "id": "bytes", "contentType": "application/pdf", "data": "JVBERg==",
    "securityContext": {"reference": "Patient/p1"},
}  # fmt: skip


def test_the_page_of_one_thing_says_whose_it_is_by_name_birth_and_sex(api: Api) -> None:
    api.store(pressure("one", "2022-03-02", 130, 80))
    back = re.search(r'<p class="back">.*?</p>', get(api, "/record/p1/Observation/one").text, re.DOTALL)
    assert back is not None
    words = " ".join(unescape(re.sub(r"<[^>]*>", " ", back[0])).split())
    assert words == "← 陳大文 born 2 March 1950 · male"


def test_a_title_alone_is_content_without_the_names_of_its_members(api: Api) -> None:
    api.store(of("DocumentReference", "d", status="current", content=[{"attachment": {"title": "X-ray"}}]))
    assert "Content X-ray" in part(get(api, "/record/p1/DocumentReference/d"), "fields")


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", "By the patient"), ("zh-Hant-HK", "病人自行提供"), ("zh-Hans-CN", "患者自行提供")],
)
def test_the_page_of_one_thing_says_from_whom_it_is_as_the_list_does(api: Api, lang: str, words: str) -> None:
    own = pressure("own", "2022-03-02", 130, 80) | {"performer": [{"reference": "Patient/p1"}]}
    api.store(own, pressure("other", "2022-03-03", 131, 81))
    assert words in said(get(api, "/record/p1/Observation/own", lang=lang))
    assert words not in said(get(api, "/record/p1/Observation/other", lang=lang))


@pytest.mark.parametrize(
    ("lang", "parts"),
    [("en", "Systolic: 130 mmHg"), ("zh-Hant-HK", "收縮壓：130 mmHg"), ("zh-Hans-CN", "收缩压：130 mmHg")],
)
def test_a_part_has_a_colon_as_wide_as_its_name(api: Api, lang: str, parts: str) -> None:
    api.store(pressure("one", "2022-03-02", 130, 80))
    assert parts in part(get(api, "/record/p1/Observation/one", lang=lang), "fields")


def test_what_is_attached_and_stored_here_is_opened(api: Api) -> None:
    api.store(BYTES, SCAN)
    page = get(api, "/record/p1/DocumentReference/scan?as-at=2022-10-19")
    attached = part(page, "attached")
    assert (
        "Scan application/pdf Note text/html Photo image/png Its content cannot be opened here." in attached
    )
    links = re.findall(r'href="(/record/p1/DocumentReference/scan/content/[^"]*)"', page.text)
    assert links == [f"/record/p1/DocumentReference/scan/content/{n}?as-at=2022-10-19" for n in (0, 1)]
    scan, note = (get(api, link) for link in links)
    assert (scan.content, scan.headers["content-type"]) == (b"%PDF", "application/pdf")
    assert (note.content, note.headers["content-type"]) == (b"<b>Hi</b>", "text/html")
    for each in (scan, note):
        assert each.headers["content-disposition"] == "attachment"
        assert each.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert each.headers["cache-control"] == "no-store"


def test_content_that_is_hidden_absent_or_of_another_is_not_opened(api: Api) -> None:
    api.store(BYTES, SCAN)
    api.store(of("DocumentReference", "theirs", "p3", status="current",
                 content=[{"attachment": {"url": "Binary/bytes"}}]))  # fmt: skip
    for path in ("scan/content/2", "scan/content/3", "scan/content/4", "scan/content/x", "scan/content/00001",
                 "none/content/0", "theirs/content/0"):  # fmt: skip
        assert get(api, f"/record/p1/DocumentReference/{path}").status_code == 404, path
    assert get(api, "/record/p1/Nothing/scan/content/0").status_code == 404
    assert get(api, "/record/p3/DocumentReference/theirs/content/0", "p3").status_code == 404
    assert (
        'href="/record/p3/DocumentReference/theirs/content/'
        not in get(api, "/record/p3/DocumentReference/theirs", "p3").text
    )
    hidden, absent = (get(api, f"/record/{id}/DocumentReference/scan/content/0", "p3") for id in ("p1", "pp"))
    assert hidden.text.replace("p1", "pp") == absent.text
    api.label("Binary/bytes", "secret")
    clinic = Reader("clinic", persons=True, organisations=True, hidden=frozenset({"secret"}))
    api.personas["clinic"] = persona("clinic", clinic, Right.VIEW)
    assert get(api, "/record/p1/DocumentReference/scan/content/0", "clinic").status_code == 404
    assert get(api, "/record/p1/DocumentReference/scan/content/1", "clinic").status_code == 200


def test_content_that_is_opened_is_on_record(api: Api) -> None:
    store = api.node.store
    assert isinstance(store, MemoryStore)
    api.store(BYTES, SCAN)
    get(api, "/record/p1/DocumentReference/scan/content/0")
    told = store._state.audit[-1].record
    assert (told.operation, told.status) == ("record-content", 200)
    assert told.patient_keys == (store._state.patient_keys["p1"],)


def test_what_was_deleted_is_gone(api: Api) -> None:
    api.delete("Condition/c1")
    assert get(api, "/record/p1/Condition/c1").status_code == 410
    assert get(api, "/record/p1/Condition/c1", "p3").status_code == 404
    assert "Hypertension" not in get(api, "/record/p1").text


# --- As it was ------------------------------------------------------------------------


def test_a_record_is_shown_as_it_was_known_on_a_day(api: Api) -> None:
    clock = api.node.clock
    assert isinstance(clock, SetClock)
    clock.jump(2 * DAY)
    api.delete("Condition/c2")
    api.put(
        "Condition/c1", next(each for each in RECORD if each["id"] == "c1") | {"code": {"text": "Changed"}}
    )
    api.store(of("Flag", "f1", status="active", code={"text": "Falls"}))
    now, then = get(api, "/record/p1"), get(api, "/record/p1?as-at=2022-10-20")
    assert ("Changed" in now.text, "Pneumonia" in now.text, "Falls" in now.text) == (True, False, True)
    assert ("Changed" in then.text, "Pneumonia" in then.text, "Falls" in then.text) == (False, True, False)
    assert "As it was known on 20 October 2022. What came later is not shown." in said(then)
    links = re.findall(r'href="(/record/[^"]*)"', then.text)
    assert links
    assert [link for link in links if "as-at=2022-10-20" not in link] == ["/record/p1"]  # Today
    assert "Hypertension" in get(api, "/record/p1/Condition/c1?as-at=2022-10-20").text
    assert "Hypertension" not in part(get(api, "/record/p1/Condition/c1"), "fields")
    assert get(api, "/record/p1/Flag/f1?as-at=2022-10-20").status_code == 404
    assert get(api, "/record/p1/Condition/c2?as-at=2022-10-20").status_code == 200


def test_before_it_was_stored_nothing_was_known_and_the_first_day_is_said(api: Api) -> None:
    for path in ("/record/p1", "/record/p1/timeline"):
        page = get(api, f"{path}?as-at=2020-01-01")
        assert page.status_code == 200
        assert "Nothing was known of this person on that day" in said(page)
        assert "The record begins on 19 October 2022." in said(page)
        assert "<h1>Not known on that day</h1>" in page.text
        assert "without a name" not in page.text.lower()
        assert f'href="{path}?as-at=2022-10-19"' in page.text
        assert "陳大文" not in page.text
        assert "One record" not in page.text


PAGES_OF_A_RECORD = ("/record/p1", "/record/p1/timeline", "/record/p1/Condition/c1")


@pytest.mark.parametrize("path", PAGES_OF_A_RECORD)
def test_a_day_is_chosen_on_each_page_by_a_form_and_left_by_a_link(api: Api, path: str) -> None:
    now, then = get(api, path), get(api, f"{path}?as-at=2022-10-19&lang=en")
    for page in (now, then):
        form = re.search(rf'<form method="get" action="{path}">.*?</form>', page.text, re.DOTALL)
        assert form is not None
        assert '<label for="at">' in form[0]
        assert '<input id="at" name="as-at" type="date"' in form[0]
        assert 'max="2022-10-19"' in form[0]
    assert 'name="lang" value="en"' in then.text
    assert f'<a class="button quiet" href="{path}?lang=en">Today</a>' in then.text
    assert ">Today<" not in now.text


@pytest.mark.parametrize("path", PAGES_OF_A_RECORD)
def test_the_bar_of_a_demo_has_the_day_and_asks_for_another(path: str) -> None:
    with opened(settings=WebSettings(about=About(demo=Demo()))) as found:
        found.store(*RECORD)
        for asked, on in ((path, "19 October 2022"), (f"{path}?as-at=2022-10-19", "19 October 2022")):
            page = found.get(f"{ROOT}{asked}", headers={"accept-language": "en"})
            assert f"as at {on}" in said(page, "aside")
            form = re.search(rf'<form method="get" action="{path}">.*?</form>', page.text, re.DOTALL)
            assert form is not None
            assert 'id="demo-at" name="as-at" type="date"' in form[0]
        clock = found.node.clock
        assert isinstance(clock, SetClock)
        clock.jump(2 * DAY)
        page = found.get(f"{ROOT}{path}?as-at=2022-10-20", headers={"accept-language": "en"})
        assert "as at 20 October 2022" in said(page, "aside")


def test_what_is_chosen_of_a_timeline_stays_with_another_day(api: Api) -> None:
    page = get(api, "/record/p1/timeline?kind=visits&from=2022-01-01&as-at=2022-10-19")
    form = re.search(r'<div class="as-at past">.*?</div>', page.text, re.DOTALL)
    assert form is not None
    assert 'name="kind" value="visits"' in form[0]
    assert 'href="/record/p1/timeline?kind=visits&amp;from=2022-01-01"' in form[0]


@pytest.mark.parametrize("path", PAGES_OF_A_RECORD)
@pytest.mark.parametrize(
    ("day", "told", "why"),
    [
        ("2022-10-20", "20 October 2022", "This day is still to come."),
        ("2022-13-01", "2022-13-01", "This is not a day."),
        ("<b>", "<b>", "not a day"),
    ],
)
def test_a_day_that_cannot_be_is_asked_for_again(api: Api, path: str, day: str, told: str, why: str) -> None:
    page = get(api, f"{path}?{httpx.QueryParams({'as-at': day})}")
    assert page.status_code == 400
    assert told in said(page)
    assert why in said(page)
    assert "陳大文" in said(page)
    assert 'aria-invalid="true" aria-describedby="at-wrong"' in page.text
    assert f'href="{path}">Today</a>' in page.text
    assert "Hypertension" not in page.text
    hidden = get(api, f"{path}?{httpx.QueryParams({'as-at': day})}", "p3")
    absent = get(api, f"{path}?{httpx.QueryParams({'as-at': day})}".replace("p1", "pp"), "p3")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text.replace("p1", "pp") == absent.text
    hidden_item = get(api, f"/record/p1/Condition/x1?{httpx.QueryParams({'as-at': day})}", "p1")
    assert hidden_item.status_code == 404


def test_what_was_not_stored_yet_says_so_to_who_sees_it_now(api: Api) -> None:
    clock = api.node.clock
    assert isinstance(clock, SetClock)
    clock.jump(2 * DAY)
    api.store(of("Flag", "f1", status="active", code={"text": "Falls"}))
    page = get(api, "/record/p1/Flag/f1?as-at=2022-10-20")
    assert page.status_code == 404
    assert "This was not in the record yet" in said(page)
    assert "Falls" not in page.text
    hidden, absent = (get(api, f"/record/p1/Flag/{id}?as-at=2022-10-20", "p3") for id in ("f1", "ff"))
    assert hidden.text.replace("f1", "ff") == absent.text


@pytest.mark.parametrize(
    "path",
    ["/record/p1?as-at=tomorrow", "/record/p1?as-at=2022-13-01", "/record/p1/timeline?from=x",
     "/record/p1/timeline?to=2022-02-30", "/record/p1/timeline?page=0", "/record/p1/timeline?page=x"],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(api: Api, path: str) -> None:
    assert get(api, path).status_code == 400


@settings(max_examples=scale.counts(60, 600), deadline=None)
@given(data=st.data())
def test_nothing_that_is_asked_is_a_fault_of_the_node(data: st.DataObject) -> None:
    words = st.text(max_size=12) | st.sampled_from(
        ["2022-01-01", "2022-10-19", "0001-01-01", "9999-12-31", "1", "9999", "visits"]
    )
    names = st.sampled_from(["as-at", "from", "to", "kind", "place", "page", "lang"])
    asked = data.draw(st.dictionaries(names, words, max_size=4))
    path = data.draw(st.sampled_from(["/record/p1", "/record/p1/timeline", "/record/p1/Condition/c1"]))
    page = get(_kept(), f"{path}?{httpx.QueryParams(asked)}")
    assert page.status_code in (200, 400, 404), (asked, page.text)


VALUES = st.one_of(
    st.integers(-(10**12), 10**12),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**6), max_value=10**6).map(
        float
    ),
    st.sampled_from([0, 1e-30, 1e30, 5e-300, 7.10]),
)
TIMES = st.sampled_from(
    ["0001-01-01", "9999-12-31T23:59:59-12:00", "9999-12-31", "9998", "2022", "2022-02", "2022-01-17",
     "2022-01-17T00:00:00Z", "1969-12-31T23:59:59.999Z", ""],
)  # fmt: skip
RESULTS = st.tuples(
    st.sampled_from(["8480-6", "4548-4", "2339-0", "33914-3", "29463-7"]),
    VALUES,
    st.sampled_from(["mm[Hg]", "%", "mmol/mol", "mg/dL", "mmol/L", "kg", "", "stone"]),
    TIMES,
    st.none() | VALUES,
)


@settings(max_examples=scale.counts(30, 300), deadline=None)
@given(results=st.lists(RESULTS, max_size=6))
def test_no_result_that_is_accepted_is_a_fault_of_the_page(results: list[tuple[Any, ...]]) -> None:
    with opened() as found:
        found.store({"resourceType": "Patient", "id": "p1"})
        for place, (code, value, unit, time, high) in enumerate(results):
            more: Resource = (
                {"referenceRange": [{"high": amount(high, unit or "1")}]} if high is not None else {}
            )
            it = measured(f"r{place}", code, time, value, unit or "1", **more)
            if not time:
                del it["effectiveDateTime"]
            if not unit:
                it["valueQuantity"] = {"value": value}
            found.put(f"Observation/r{place}", it)  # one that is not valid is refused
        found.personas["all"] = persona("all", Reader.everything("all"), Right.VIEW)
        for path in ("/record/p1", "/record/p1/timeline?kind=results"):
            page = get(found, path)
            assert page.status_code == 200, page.text


_KEPT: list[Api] = []


def _kept() -> Api:
    """One record for all examples: nothing of them changes it."""
    return _KEPT[0]


@pytest.fixture(scope="module", autouse=True)
def kept_record() -> Iterator[None]:
    with opened() as found:
        found.store(*RECORD)
        found.personas["all"] = persona("all", Reader.everything("all"), Right.VIEW)
        _KEPT.append(found)
        yield
        _KEPT.clear()


@pytest.mark.parametrize("lang", ["zh-Hant-HK", "zh-Hans-CN"])
def test_a_record_is_told_in_the_words_of_its_reader(api: Api, lang: str) -> None:
    text = said(get(api, "/record/p1", lang=lang))
    assert {"zh-Hant-HK": "血壓", "zh-Hans-CN": "血压"}[lang] in text
    assert {"zh-Hant-HK": "糖化血紅素", "zh-Hans-CN": "糖化血红蛋白"}[lang] in text
    assert "1950年3月2日" in text
