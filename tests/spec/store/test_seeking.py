"""Who is found in the index and compared, on every adapter: what finds whom, bounded, within what is seen."""

from typing import Any

import pytest

from kintung.identity.matching import Result
from kintung.identity.matching.numbers import MOST_SAME
from kintung.identity.seeking import MOST_ALIKE, MOST_IN_VAIN, seek
from kintung.store.port import Unit
from kintung.store.reader import Reader
from kintung.store.sharing import MOST_SHARING
from kintung.store.writes import Grant, Prepared
from tests.patients import name, number, patient
from tests.stores import ALL, Record

CARD = number("hkid", "A123456(3)")
HAN, SPELLED = name("陳", "大文"), name("CHAN", "Tai Man")
PHONE = {"telecom": [{"system": "phone", "value": "+852 5123 4567"}]}


def found(record: Record, asked: dict[str, Any], reader: Reader = ALL, **how: bool) -> dict[str, Result]:
    with record.store.view() as view:
        sought = seek(view, reader, asked, **how)
    return {each.version.id: each.match.result for each in sought.found}


@pytest.mark.parametrize(
    "asked",
    [
        patient("", SPELLED, identifier=[number("hkid", "a1234563")]),
        patient("", HAN, identifier=[number("hk-birth-certificate", "A123456(3)")]),
        patient("", name("陈", "大文"), identifier=[number("hkid", "Ａ１２３４５６（３）")]),
    ],
)
def test_a_number_finds_however_it_is_written(record: Record, asked: dict[str, Any]):
    record.put(patient("a", HAN, identifier=[CARD]))
    record.put(patient("b", HAN, identifier=[number("hkid", "C123456(9)")]))

    assert found(record, asked) == {"a": Result.CERTAIN}
    assert found(record, asked, by_number_alone=True) == {"a": Result.CERTAIN}


@pytest.mark.parametrize(
    "asked",
    [
        patient("", HAN, SPELLED, **PHONE),
        patient("", SPELLED, HAN, telecom=[{"system": "phone", "value": "51234567"}]),
    ],
)
def test_likeness_finds_without_a_number(record: Record, asked: dict[str, Any]):
    record.put(patient("a", HAN, SPELLED, identifier=[CARD], **PHONE))

    assert found(record, asked) == {"a": Result.PROBABLE}
    assert found(record, asked, by_number_alone=True) == {}


def test_the_number_of_a_system_that_is_not_known_finds_as_it_is_written(record: Record):
    mine = {"system": "http://clinic.example/number", "value": "a,1|2$3\\4"}
    record.put(patient("a", HAN, SPELLED, identifier=[mine], **PHONE))

    asked = patient("", HAN, SPELLED, identifier=[mine], **PHONE)
    assert found(record, asked, by_number_alone=True) == {"a": Result.PROBABLE}


def test_who_bears_no_number_is_found_by_likeness_alone(record: Record):
    record.put(patient("a", HAN, identifier=[CARD], **PHONE))

    with record.store.view() as view:
        assert view.bearing(ALL, (), MOST_SAME) == ()
    assert found(record, patient("", HAN, **PHONE)) == {"a": Result.PROBABLE}


def test_nobody_is_certain_where_too_many_have_the_number(record: Record):
    for place in range(MOST_SAME + 1):
        record.put(patient(f"p{place}", HAN, identifier=[CARD]))

    with record.store.view() as view:
        sought = seek(view, ALL, patient("", HAN, identifier=[CARD]))
        assert not sought.is_whole
        record_of_few = seek(view, ALL, patient("", HAN, identifier=[number("hkid", "C123456(9)")]))
    assert record_of_few.is_whole


def test_who_is_as_like_is_compared_up_to_a_bound(record: Record):
    record.put(patient("c", HAN, **PHONE))
    for place in range(MOST_ALIKE + 1):
        record.put(patient(f"p{place}", HAN, SPELLED, **PHONE))

    some = found(record, patient("", HAN, SPELLED, **PHONE))
    assert len(some) == MOST_ALIKE
    assert "c" not in some


def test_a_key_of_too_many_finds_nobody(record: Record):
    for place in range(MOST_SHARING + 1):
        record.put(patient(f"p{place}", HAN, **PHONE, birthDate=f"19{place + 10}-05-06"))

    assert found(record, patient("", HAN, **PHONE, birthDate="1950-03-04")) == {}
    assert found(record, patient("", HAN, **PHONE, birthDate="1920-05-06")) == {"p10": Result.PROBABLE}


def test_few_are_compared_in_vain(record: Record):
    """Others of the day and surname share as many keys, and are newer than who has the name and telephone."""
    record.put(patient("a", HAN, **PHONE, birthDate="1950-03-09"))
    asked = patient("", HAN, SPELLED, **PHONE)
    alike = [name("陳", "美玲"), name("CHAN", "Mei Ling")]
    for place in range(MOST_IN_VAIN):
        assert found(record, asked) == {"a": Result.PROBABLE}
        record.put(patient(f"p{place}", *alike, gender="female"))

    assert found(record, asked) == {}


def test_no_birth_date_finds_by_name_and_by_address(record: Record):
    home = {"address": [{"line": ["3/F, 5 Queen Street"], "district": "Central"}]}
    record.put(patient("a", HAN, **home))
    record.put(patient("b", SPELLED, **home) | {"birthDate": "1951"})
    asked = patient("", HAN, SPELLED, **home)
    del asked["birthDate"]

    assert set(found(record, asked)) == {"a", "b"}


def test_who_is_not_seen_is_not_compared(record: Record):
    record.put(patient("a", HAN, identifier=[CARD]))
    record.put(patient("b", HAN, identifier=[CARD]))
    record.store.commit(Unit(ALL, lambda _: Prepared(grants=(Grant(1, ("b",)),))))
    reader = Reader("r", record.store.scope(1))

    assert set(found(record, patient("", HAN, identifier=[CARD]), reader)) == {"b"}
    assert found(record, patient("", HAN, identifier=[CARD]), Reader.nothing()) == {}


def test_who_was_deleted_is_not_found(record: Record):
    record.put(patient("a", HAN, identifier=[CARD]))
    record.delete("Patient/a")

    assert found(record, patient("", HAN, identifier=[CARD])) == {}
