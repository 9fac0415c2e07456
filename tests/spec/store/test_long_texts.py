"""Texts longer than a row of a database index may be: stored, found, changed and deleted everywhere."""

import string
from typing import Any

import pytest

from kintung.fhir.search import SearchLimits, parse_query
from kintung.identity.identifiers import vaulted_systems
from kintung.store.versions import Paging
from tests.records import patient
from tests.scale import seeded
from tests.stores import ALL, SYSTEM, Record, names

WIDE = SearchLimits(value_length=20_000)


def noise(name: str) -> str:
    """6,000 letters and digits that do not compress, the same for the same seed and name."""
    letters = string.ascii_letters + string.digits
    return "".join(seeded(name).choices(letters, k=6_000))


FAMILY, VALUE = noise("family"), noise("value")
SYSTEM_URI, ADDRESS, URL = (f"http://example.org/{noise(name)}" for name in ("system", "address", "url"))
OTHER = VALUE[:-1] + "-"
"""Differs from ``VALUE`` in the last character alone."""


def long_patient(id: str, family: str = FAMILY, value: str = VALUE) -> dict[str, Any]:
    return patient(
        id,
        family,
        identifier=[{"system": SYSTEM_URI, "value": value}],
        managingOrganization={"reference": ADDRESS},
        link=[{"other": {"reference": f"Patient/{noise('link')}"}, "type": "seealso"}],
    )


def questionnaire(id: str, url: str = URL) -> dict[str, Any]:
    return {"resourceType": "Questionnaire", "id": id, "status": "draft", "url": url}


def found(record: Record, type: str, name: str, value: str) -> list[str]:
    query = parse_query(type, [(name, value)], now_micros=record.clock.now_micros(), limits=WIDE)
    with record.store.view() as view:
        return names(view.search(ALL, query, Paging(1000)))


FINDS = [
    ("identifier", VALUE),
    ("identifier", f"{SYSTEM_URI}|{VALUE}"),
    ("identifier", f"{SYSTEM_URI}|"),
    ("identifier", f"{OTHER},{VALUE}"),
    ("identifier:not", OTHER),
    ("family", FAMILY[:3]),
    ("family", FAMILY[:255]),
    ("family", FAMILY.upper()),
    ("family:contains", FAMILY[100:200]),
    ("family:contains", FAMILY[200:255]),
    ("family:exact", FAMILY),
    ("organization", ADDRESS),
    ("link:missing", "false"),
]
FINDS_NOT = [
    ("identifier", OTHER),
    ("identifier", VALUE[:255]),
    ("identifier", f"|{VALUE}"),
    ("identifier", f"{SYSTEM_URI}x|{VALUE}"),
    ("identifier", f"{SYSTEM_URI[:-1]}|"),
    ("identifier:not", VALUE),
    ("family", FAMILY[1:5]),
    ("family:contains", FAMILY[260:320]),
    ("family:exact", FAMILY[:-1]),
    ("family:exact", FAMILY[:255]),
    ("family:exact", FAMILY.upper()),
    ("organization", ADDRESS[:-1]),
]


def test_long_texts_are_found_whole(record: Record):
    record.put(long_patient("1"))

    assert [pair for pair in FINDS if found(record, "Patient", *pair) != ["Patient/1"]] == []
    assert [pair for pair in FINDS_NOT if found(record, "Patient", *pair)] == []


def test_long_uris_are_found_whole(record: Record):
    record.put(questionnaire("1"))

    assert found(record, "Questionnaire", "url", URL) == ["Questionnaire/1"]
    assert found(record, "Questionnaire", "url", URL[:-1]) == []


def test_what_is_stored_together_with_long_texts_is_stored(record: Record):
    record.commit(record.putting(patient("1")), record.putting(long_patient("2")))

    assert record.found("Patient?_sort=family") == sorted(
        ["Patient/1", "Patient/2"], key=lambda name: "chan" if name == "Patient/1" else FAMILY.lower()
    )


def test_update_and_delete_remove_the_rows_of_long_texts(record: Record):
    record.put(long_patient("1"))
    record.put(long_patient("1", family=FAMILY[:-1] + "-", value=OTHER))
    record.put(questionnaire("1"))
    record.put(questionnaire("1", URL + "2"))
    assert found(record, "Patient", "identifier", VALUE) == []
    assert found(record, "Patient", "family:exact", FAMILY) == []
    assert found(record, "Patient", "identifier", OTHER) == ["Patient/1"]
    assert found(record, "Questionnaire", "url", URL) == []
    assert list(record.store.check(SYSTEM)) == []

    record.delete("Patient/1")

    for name, value in FINDS:
        assert found(record, "Patient", name, value.replace(VALUE, OTHER)) == []
    assert list(record.store.check(SYSTEM)) == []


def test_four_bytes_a_character_fit_too(record: Record):
    han = "".join(seeded("han").choices([chr(0x20000 + n) for n in range(40_000)], k=6_000))
    record.put(long_patient("1", family=han, value=han))

    assert found(record, "Patient", "family:exact", han) == ["Patient/1"]
    assert found(record, "Patient", "family", han) == ["Patient/1"]
    assert found(record, "Patient", "identifier", han) == ["Patient/1"]
    assert list(record.store.check(SYSTEM)) == []


@pytest.mark.parametrize("form", ["{value}", "{system}|{value}", "{system}|"])
def test_long_identifiers_that_are_hashed_are_found(record: Record, form: str):
    system = vaulted_systems()[0].uri
    record.put(patient("1", identifier=[{"system": system, "value": VALUE}]))

    assert found(record, "Patient", "identifier", form.format(system=system, value=VALUE)) == ["Patient/1"]
    assert found(record, "Patient", "identifier", OTHER) == []
    assert list(record.store.check(SYSTEM)) == []
