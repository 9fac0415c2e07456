"""The keys that Patients lie under in the index."""

import pytest

from kintung.identity.likeness import asked_keys, key_rows, likeness_fingerprint
from kintung.identity.matching import record
from tests.patients import name, number, patient

HAN, SPELLED = name("陳", "大文"), name("CHAN", "Tai Man")


def test_only_patients_have_keys():
    stored = patient("a", HAN)
    assert key_rows(stored)
    assert not key_rows(stored | {"resourceType": "RelatedPerson"})


def test_keys_are_short_numbers_in_order():
    keys = key_rows(patient("a", HAN, SPELLED))
    assert list(keys) == sorted(set(keys))
    assert all(0 <= key < 1 << 47 for key in keys)


def test_a_number_gives_no_key():
    assert key_rows(patient("a", HAN, identifier=[number("hkid", "A123456(3)")])) == key_rows(
        patient("a", HAN)
    )
    assert not key_rows({"resourceType": "Patient", "identifier": [number("hkid", "A123456(3)")]})


def test_a_whole_name_is_a_key_where_there_is_no_birth_date():
    dated, undated = patient("a", HAN), {"resourceType": "Patient", "name": [HAN]}

    assert set(key_rows(dated)).isdisjoint(key_rows(undated))
    assert set(key_rows(undated)) < set(asked_keys(record(dated)))
    assert len(key_rows(undated)) == 1


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (patient("a", HAN), patient("b", name("陈", "大文")), True),
        (patient("a", HAN), patient("b", SPELLED), True),
        (patient("a", HAN), patient("b", HAN, birthDate="1950-04-03"), True),
        (patient("a", HAN), patient("b", HAN, birthDate="1981-11-09"), False),
        (patient("a", HAN), patient("b", name("李", "美玲")), False),
    ],
)
def test_who_is_alike_shares_a_key(one: dict[str, object], other: dict[str, object], alike: bool):
    assert set(asked_keys(record(one))).isdisjoint(key_rows(other)) is not alike


def test_the_fingerprint_is_that_of_the_tables():
    assert len(likeness_fingerprint()) == 64
    assert likeness_fingerprint() == likeness_fingerprint()
