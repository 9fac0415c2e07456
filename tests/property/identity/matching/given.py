"""Patients drawn for the properties of matching: a few names, dates and numbers, often alike."""

from typing import Any

from hypothesis import strategies as st

from tests.patients import name, number

NAMES = [
    name("陳", "大文"),
    name("陈", "大文"),
    name("陳", "大明"),
    name("陳", "李美玲"),
    name("李", "美玲"),
    name("歐陽", "大文"),
    name("余", "大文"),
    name("餘", "大文"),
    name("CHAN", "Tai Man"),
    name("CHAN", "Tai-man", "David"),
    name("Chen", "Dawen"),
    name("AU YEUNG", "Tai Man"),
    name("Tai Man", "CHAN"),
    name("CHAN", "David"),
    name("CHAN", "Peter", "Tai Ming"),
    {"text": "LEE, Mei Ling"},
]
NUMBERS = [
    *(
        number("hkid", value, seen=seen)
        for value in ("A123456(3)", "G123456(A)", "A132456(3)")
        for seen in (True, False)
    ),
    number("home-return-permit", "H9999000101"),
    number("home-return-permit", "H99990001"),
    number("mainland-id", "11010519491231002X"),
    number("ehr-number", "12345678"),
]
BIRTHS = ["1950-03-04", "1950-04-03", "1950-03-05", "1950-01-01", "1950", "1950-03", "1981-11-09"]
PHONES = [{"system": "phone", "value": value} for value in ("91234567", "+86 13800138000", "+853 66234567")]
PLACES = [
    {"line": ["Flat A"], "district": "Sha Tin"},
    {"line": ["Flat B"], "district": "Sha Tin"},
    {"line": ["Flat B, 12/F, Block 3", "Harbour Estate"], "district": "Sha Tin"},
    {"line": ["Flat B, 12/F, Blk 3", "Harbour Estate"], "district": "Sha Tin"},
    {"city": "深圳市"},
]
SOURCES = [{"reference": "Organization/a"}, {"reference": "Organization/b"}, None]

_MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "name": st.lists(st.sampled_from(NAMES), max_size=2),
    "identifier": st.lists(st.sampled_from(NUMBERS), max_size=2),
    "birthDate": st.sampled_from([*BIRTHS, None]),
    "gender": st.sampled_from(["male", "female", None]),
    "telecom": st.lists(st.sampled_from(PHONES), max_size=2),
    "address": st.lists(st.sampled_from(PLACES), max_size=1),
    "managingOrganization": st.sampled_from(SOURCES),
}


@st.composite
def patients(draw: st.DrawFn, identity: str = "a") -> dict[str, Any]:
    """A Patient; what is drawn as None is left out."""
    drawn = {member: draw(strategy) for member, strategy in _MEMBERS.items()}
    return {"resourceType": "Patient", "id": identity} | {k: v for k, v in drawn.items() if v is not None}
