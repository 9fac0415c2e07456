"""Chinese names and texts are found however they are spaced, and not by other characters."""

import pytest

from tests.records import observation, patient
from tests.stores import Record

PEOPLE = {
    "text": {"text": "陳大文"},
    "spaced": {"text": "陳 大文"},
    "wide": {"text": "陳\u3000大文"},
    "parts": {"family": "陳", "given": ["大文"]},
    "letters": {"family": "陳", "given": ["大", "文", "David"]},
    "long": {"text": "歐陽大文"},
    "dotted": {"text": "买买提·艾力"},
    "latin": {"text": "CHAN Tai Man", "family": "Chan", "given": ["Tai Man"]},
    "both": {"text": "陳大文 CHAN Tai Man"},
    "mixed": {"family": "Chan", "given": ["大文"]},
    "alone": {"family": "陳"},
}
ALL_OF_CHAN = "text spaced wide parts letters both"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        # A name as one word, however it is stored.
        ("name=陳大文", ALL_OF_CHAN),
        ("name=陳 大文", ALL_OF_CHAN),
        ("name=陳\u3000大文", ALL_OF_CHAN),
        ("name=陳·大文", ALL_OF_CHAN),
        ("name=陳大", ALL_OF_CHAN),
        ("name=陳", f"{ALL_OF_CHAN} alone"),
        ("phonetic=陳大文", ALL_OF_CHAN),
        # The family name does not end where the next character begins.
        ("name=陳大明", ""),
        ("name=陳文", ""),
        ("name=大文陳", ""),
        ("name=陈大文", ""),
        ("name=陽大文", ""),
        ("name:contains=陽 大文", "long"),
        ("name:contains=大文", f"{ALL_OF_CHAN} long mixed"),
        # Parts are values of their own still.
        ("name=大文", "parts mixed"),
        ("family=陳", "parts letters alone"),
        ("family=陳大文", ""),
        ("given=大文", "parts mixed"),
        ("name=David", "letters"),
        # Names without a family name.
        ("name=买买提艾力", "dotted"),
        ("name=买买提・艾力", "dotted"),
        ("name=买买提 艾力", "dotted"),
        ("name=艾力", ""),
        # Letter for letter.
        ("name:exact=陳大文", "text parts letters"),
        ("name:exact=陳 大文", "spaced"),
        ("name:exact=买买提艾力", ""),
        # Other letters: spaces count, width and case do not.
        ("name=chan tai man", "latin"),
        ("name=ＣＨＡＮ\u3000Ｔａｉ", "latin"),
        ("name=chantaiman", ""),
        ("name=陳大文 chan", "both"),
        ("name=陳大文chan", ""),
    ],
)
def test_names(record: Record, asked: str, found: str):
    for id, name in PEOPLE.items():
        record.put({"resourceType": "Patient", "id": id, "name": [name]})

    assert sorted(record.found(f"Patient?{asked}")) == sorted(f"Patient/{id}" for id in found.split())


def test_other_texts(record: Record):
    record.put(patient("1", address=[{"text": "九龍 旺角 Nathan Road", "city": "九 龍"}]))
    record.put(observation("1", of="1", valueString="陰性 ，待覆診"))

    assert record.found("Patient?address-city=九龍") == ["Patient/1"]
    assert record.found("Patient?address=九龍旺角 nathan") == ["Patient/1"]
    assert record.found("Patient?address=九龍旺角nathan") == []
    assert record.found("Observation?value-string:contains=待 覆 診") == ["Observation/1"]


def test_a_chain_and_the_order_go_by_the_name_in_one(record: Record):
    record.put({"resourceType": "Patient", "id": "1", "name": [{"family": "陳", "given": ["大文"]}]})
    record.put(observation("1", of="1"))

    assert record.found("Observation?subject:Patient.name=陳 大文") == ["Observation/1"]
    assert record.found("Patient?_has:Observation:subject:subject:Patient.name=陳大文") == ["Patient/1"]
    assert record.found("Patient?name=陳大文&_sort=name") == ["Patient/1"]
