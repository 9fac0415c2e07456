"""Random small resources, readers and searches over few names and values, so that they meet."""

from random import Random
from typing import Any

from kintung.store.port import Store
from kintung.store.reader import Reader
from tests.records import binary, group, listing, observation, organization, patient

Resource = dict[str, Any]

PATIENTS = ("1", "2", "3", "4", "5", "6")
SUFFIXES = ("", "-b", "-c")
"""Each patient has three Observations."""
ORGANISATIONS = ("a", "b", "")
LABELS = ("R", "V", "PSY")
SCOPES = (1, 2)
FAMILIES = (
    "Chan",
    "CHAN",
    "chan tai man",
    "陳",
    "陳大文",
    "陳 大文",
    "大　文",
    "陳·大文",
    "Wong",
    "Müller",
    "Muller",
    "O'Neil",
    "Straße",
    "%",
    "_a",
)
HKID = "https://kintung.org/fhir/sid/hkid"
MRN = "http://example.org/mrn"
IDENTIFIERS = (
    {"system": HKID, "value": "A123456(3)"},
    {"system": HKID, "value": "a1234563"},
    {"system": HKID, "value": "B987654(3)"},
    {"system": MRN, "value": "A1234563"},
    {"system": MRN, "value": "7"},
    {"value": "7"},
    {"system": MRN},
)
WRITTEN = (
    "A123456(3)",
    "a1234563",
    f"{HKID}|A123456(3)",
    f"{HKID}|A 123456(3)",
    "a123456(3)",
    f"{HKID}|",
    f"{MRN}|",
    f"{MRN}|7",
    "|7",
    "7",
)
CODES = ("weight", "height", "Weight")
SYSTEMS = ("http://example.org/codes", "http://example.org/other")
REMARKS = ("Body weight", "體重 六十公斤", "Weight of 陳大文, fasting", "Height")
DAYS = (
    "2022",
    "2022-10",
    "2022-10-19",
    "2022-10-19T08:00:00+08:00",
    "2022-10-19T00:00:00.5Z",
    "2021-12-31",
    "1950-02",
)
VALUES = ("60", "60.0", "60.5", "59.95", "-0.5", "0", "1e2", "100", "0.001")
PREFIXES = ("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
TYPES = (
    "Patient",
    "Observation",
    "Group",
    "List",
    "Binary",
    "Organization",
    "RiskAssessment",
    "ValueSet",
    "Device",
)


def name(rng: Random) -> str:
    """``Type/id`` of something that may be stored."""
    type = rng.choice((*TYPES, "Patient", "Patient", "Observation", "Observation"))
    return f"{type}/{rng.choice(PATIENTS)}{rng.choice(SUFFIXES) if type == 'Observation' else ''}"


def resource(rng: Random) -> Resource:
    """A resource to put."""
    return _MAKERS[rng.choices(list(_MAKERS), weights=[4, 8, 2, 2, 2, 2, 2, 1, 1])[0]](
        rng, rng.choice(PATIENTS)
    )


def _maybe(rng: Random, **members: Any) -> dict[str, Any]:
    return {key: value for key, value in members.items() if rng.random() < 0.6}


def _patient(rng: Random, id: str) -> Resource:
    identifiers = rng.sample(IDENTIFIERS, rng.randint(1, 2))
    optional = _maybe(
        rng,
        identifier=identifiers,
        birthDate=rng.choice(("1950", "1950-02", "1950-02-03", "2022-10-19")),
        gender=rng.choice(("male", "female")),
        active=rng.random() < 0.5,
        managingOrganization={"reference": f"Organization/{rng.choice(PATIENTS)}"},
        deceasedBoolean=rng.random() < 0.5,
    )
    made = patient(id, rng.choice(FAMILIES), **optional)
    if rng.random() < 0.3:
        made["name"].append({"family": rng.choice(FAMILIES), "given": [rng.choice(FAMILIES)]})
    return made


def _observation(rng: Random, id: str) -> Resource:
    coding: dict[str, str] = {"code": rng.choice(CODES), **_maybe(rng, system=rng.choice(SYSTEMS))}
    quantity: dict[str, Any] = {"value": float(rng.choice(VALUES)), "unit": rng.choice(("kg", "斤"))}
    quantity |= rng.choice(({}, {"system": "http://unitsofmeasure.org", "code": "kg"}, {"code": "kg"}))
    quantity |= rng.choice(({}, {}, {"comparator": rng.choice(("<", ">="))}))
    start, end = sorted(rng.choices(DAYS, k=2), key=lambda day: day[:10])
    period = rng.choice(({"start": start}, {"end": end}, {"start": start[:10], "end": end[:10]}))
    when = rng.choice(({"effectiveDateTime": start}, {"effectivePeriod": period}, {}))
    performers = [
        f"Patient/{rng.choice(PATIENTS)}",
        f"Organization/{rng.choice(PATIENTS)}",
        "http://else/Patient/1",
    ]
    performer: list[dict[str, Any]] = [
        {"reference": each, **_maybe(rng, identifier=rng.choice(IDENTIFIERS))}
        for each in rng.sample(performers, rng.randint(1, 2))
    ]
    if rng.random() < 0.2:
        performer.append({"identifier": rng.choice(IDENTIFIERS)})
    optional = _maybe(rng, valueQuantity=quantity, performer=performer)
    # An id belongs mostly to one patient, else most updates would be refused.
    of = rng.choice((id, id, id, rng.choice(PATIENTS), None))
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{rng.choice(REMARKS)}</p></div>'
    narrative = _maybe(rng, text={"status": "generated", "div": div})
    return observation(id + rng.choice(SUFFIXES), of, **when, **optional, **narrative) | {
        "code": {"coding": [coding], **_maybe(rng, text=rng.choice(REMARKS))},
        "status": rng.choice(("final", "amended")),
    }


def _group(rng: Random, id: str) -> Resource:
    return group(id, *rng.sample(PATIENTS, rng.randint(0, 3)))


def _list(rng: Random, id: str) -> Resource:
    items = [f"{rng.choice(('Patient', 'Observation', 'Group'))}/{rng.choice(PATIENTS)}" for _ in range(2)]
    return listing(id, *items[: rng.randint(1, 2)])


def _binary(rng: Random, id: str) -> Resource:
    return binary(id, rng.choice((f"Patient/{id}", f"Observation/{id}", f"Group/{id}", "Organization/1")))


def _organization(rng: Random, id: str) -> Resource:
    return organization(id, rng.choice(FAMILIES))


def _risk(rng: Random, id: str) -> Resource:
    prediction = [{"probabilityDecimal": float(rng.choice(VALUES))}]
    subject = {"reference": f"Patient/{id}"}
    return {
        "resourceType": "RiskAssessment",
        "id": id,
        "status": "final",
        "subject": subject,
        "prediction": prediction,
    }


def _value_set(rng: Random, id: str) -> Resource:
    url = f"http://example.org/{rng.choice(('x', 'y', 'X'))}"
    return {"resourceType": "ValueSet", "id": id, "status": "active", "url": url}


def _device(rng: Random, id: str) -> Resource:
    of = rng.choice(({"patient": {"reference": f"Patient/{id}"}}, {}))
    return {"resourceType": "Device", "id": id, "status": "active", **of}


_MAKERS = {
    "Patient": _patient,
    "Observation": _observation,
    "Group": _group,
    "List": _list,
    "Binary": _binary,
    "Organization": _organization,
    "RiskAssessment": _risk,
    "ValueSet": _value_set,
    "Device": _device,
}


def reader(rng: Random, store: Store) -> Reader:
    """Someone who asks: half of the time all or nearly all is theirs to see."""
    if rng.random() < 0.3:
        return Reader.everything()
    return Reader(
        "someone",
        persons=rng.choice(
            (True, False, *(store.scope(number) for number in SCOPES), store.scope(SCOPES[0]))
        ),
        organisations=rng.choice((True, False, frozenset("a"), frozenset({"a", "b", "never"}))),
        public=rng.random() < 0.8,
        hidden=frozenset(rng.sample(LABELS, rng.choice((0, 0, 1, 2)))),
    )


def search(rng: Random) -> str:
    """A search as it would be sent: of one type, or of several."""
    if rng.random() < 0.1:
        return "?" + rng.choice(
            (
                f"_id={rng.choice(PATIENTS)}",
                f"_type={','.join(rng.sample(TYPES, 2))}",
                f"_lastUpdated={rng.choice(PREFIXES)}2022-10-19",
                "_sort=-_lastUpdated,_id",
            )
        )
    type = rng.choice(("Patient",) * 4 + ("Observation",) * 6 + tuple(_CRITERIA))
    criteria = [_criterion(rng, type) for _ in range(rng.choice((0, 1, 1, 1, 2)))]
    sorts = rng.sample(_SORTS[type], rng.choice((0, 0, 1, 2)))
    if sorts:
        criteria.append("_sort=" + ",".join(rng.choice(("", "-")) + sort for sort in sorts))
    if rng.random() < 0.2:
        criteria += rng.sample(_INCLUDES.get(type, ("_include=*",)), 1)
        criteria += rng.sample(_ITERATED, rng.choice((0, 0, 1, 2)))
    return f"{type}?{'&'.join(criteria)}"


def _criterion(rng: Random, type: str) -> str:
    choices = (*_CRITERIA[type], "_id={id}", "_id={id},{id}", "_id:not={id}", "_lastUpdated={prefix}{day}")
    return rng.choice(choices).format(
        id=rng.choice(PATIENTS),
        family=rng.choice((*FAMILIES, "c", "tai", "ss", "zzz")).replace("%", "%25"),
        written=rng.choice(WRITTEN),
        prefix=rng.choice(PREFIXES),
        day=rng.choice((*DAYS, "2022-10-20")).replace("+", "%2B"),
        value=rng.choice(VALUES),
        unit=rng.choice(("", "", "|http://unitsofmeasure.org|kg", "||kg", "||斤")),
        code=rng.choice((*CODES, *(f"{system}|{code}" for system in SYSTEMS for code in CODES), "|weight")),
        system=rng.choice(SYSTEMS),
        word=rng.choice(("weight", "體重", "大文", "body", "fasting weight", "final")),
        missing=rng.choice(("true", "false")),
        state=rng.choice(("final", "amended")),
    )


_CRITERIA: dict[str, tuple[str, ...]] = {
    "Patient": (
        "family={family}",
        "family={family},{family}",
        "family:exact={family}",
        "family:contains={family}",
        "name={family}",
        "identifier={written}",
        "identifier={written}",
        "identifier:not={written}",
        "identifier:missing={missing}",
        "birthdate={prefix}{day}",
        "birthdate:missing={missing}",
        "gender=male",
        "gender:not=male",
        "active=true",
        "deceased=false",
        "organization=Organization/{id}",
        "organization.name={family}",
        "organization:missing={missing}",
        "organization:Organization.name:contains={family}",
        "_has:Observation:subject:code={code}",
        "_has:Observation:patient:status:not={state}",
        "_has:Observation:subject:performer.name={family}",
        "_has:Observation:subject:performer:identifier={written}",
        "_has:Observation:performer:subject:Patient.family={family}",
        "_has:Observation:subject:_has:List:item:_id={id}",
        "_has:Group:member:member:missing={missing}",
        "_has:Group:member:_id={id},{id}",
        "_list={id}",
    ),
    "Observation": (
        "code={code}",
        "code={code},{code}",
        "code:not={code}",
        "code={system}|",
        "combo-code={code}",
        "status={state}",
        "status:not={state}",
        "value-quantity={prefix}{value}{unit}",
        "value-quantity={prefix}{value}{unit}",
        "value-quantity:missing={missing}",
        "date={prefix}{day}",
        "date={prefix}{day}",
        "date:missing={missing}",
        "subject=Patient/{id}",
        "subject={id}",
        "subject:Patient={id}",
        "subject:missing={missing}",
        "patient={id},{id}",
        "performer=Organization/{id}",
        "performer={id}",
        "performer=http://else/Patient/1",
        "performer:identifier={written}",
        "code:text={word}",
        "code:text={word}&subject:Patient.family={family}",
        "_text={word}",
        "_text={word}&status={state}",
        "_content={word} OR fasting",
        "performer:identifier={written},{written}",
        "performer:missing={missing}",
        "subject:Patient.family={family}",
        "patient.identifier={written}",
        "patient.birthdate={prefix}{day}",
        "subject.identifier:not={written}",
        "performer.name={family}",
        "performer:Organization.name={family}",
        "performer:Patient.gender:missing={missing}",
        "subject:Patient.birthdate:missing={missing}",
        "patient.gender:not=male",
        "performer:Organization._id={id}",
        "subject:Patient.organization.name={family}",
        "subject:Patient.organization:missing={missing}",
        "subject:Patient._has:Observation:subject:code={code}",
        "subject:Group.member:Patient.family={family}",
        "_has:List:item:_has:List:item:status=current",
        "_list={id},{id}",
    ),
    "Group": (
        "member=Patient/{id}",
        "member:Patient.family={family}",
        "actual=true",
        "member:missing={missing}",
    ),
    "List": (
        "item:Observation.subject:Patient.family={family}",
        "item=Patient/{id}",
        "item=Observation/{id}",
        "item:Observation.code={code}",
        "item:Observation.performer:identifier={written}",
        "status=current",
    ),
    "Binary": (),
    "Organization": (
        "_has:Patient:organization:family={family}",
        "name={family}",
        "name:exact={family}",
        "name:contains={family}",
    ),
    "RiskAssessment": ("probability={prefix}{value}", "patient={id}", "probability:missing={missing}"),
    "ValueSet": (
        "url=http://example.org/x",
        "url=http://example.org/X,http://example.org/y",
        "status:not=draft",
    ),
    "Device": ("patient={id}", "patient:missing={missing}"),
}
_INCLUDES: dict[str, tuple[str, ...]] = {
    "Patient": (
        "_include=Patient:organization",
        "_revinclude=Observation:subject",
        "_revinclude=Observation:performer:Patient",
        "_revinclude=Group:member",
        "_revinclude=Observation:*",
    ),
    "Observation": (
        "_include=Observation:subject",
        "_include=Observation:patient",
        "_include=Observation:performer:Organization",
        "_include=Observation:*",
        "_include=*",
        "_revinclude=List:item",
    ),
    "Group": ("_include=Group:member", "_include=Group:member:Patient"),
    "List": ("_include=List:item", "_include=List:item:Observation"),
    "Organization": ("_revinclude=Patient:organization", "_revinclude=Observation:performer"),
}
_ITERATED = (
    "_include:iterate=*",
    "_include:iterate=Patient:organization",
    "_revinclude:iterate=Observation:subject",
    "_revinclude:iterate=List:item",
    "_include:iterate=Group:member",
)
_SORTS: dict[str, tuple[str, ...]] = {
    "Patient": (
        "family",
        "birthdate",
        "identifier",
        "gender",
        "_id",
        "_lastUpdated",
        "organization",
        "deceased",
    ),
    "Observation": ("code", "date", "value-quantity", "subject", "performer", "status", "_lastUpdated"),
    "Group": ("member", "_id"),
    "List": ("item", "_lastUpdated"),
    "Binary": ("_id", "_lastUpdated"),
    "Organization": ("name", "_id"),
    "RiskAssessment": ("probability", "patient"),
    "ValueSet": ("url", "status"),
    "Device": ("patient", "_id"),
}
