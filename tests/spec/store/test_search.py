"""Search as the store answers it: order, pages, totals, chains, matches."""

import pytest

from kintung.store.reader import Reader
from tests.records import group, listing, observation, organization, patient, weight
from tests.stores import ALL, HOUR, Record, content, names

HKID = "https://kintung.org/fhir/sid/hkid"


def test_what_matches_is_found_as_it_was_put(record: Record):
    record.put(patient("1", "Chan"))
    record.put(patient("2", "Wong"))
    record.put(observation("1", of="1"))

    page = record.search("Patient?family=chan")

    assert [content(version) for version in page.entries] == [patient("1", "Chan")]


def test_the_newest_commit_comes_first(record: Record):
    for id in "123":
        record.put(patient(id))
    record.put(patient("2", "Wong"))

    assert record.found("Patient?") == ["Patient/2", "Patient/3", "Patient/1"]


def test_only_the_current_version_is_found(record: Record):
    record.put(patient("1", "Chan"))
    record.put(patient("1", "Wong"))

    assert record.found("Patient?family=Chan") == []
    assert record.found("Patient?family=Wong") == ["Patient/1"]


def test_what_was_deleted_is_not_found_until_it_is_put_again(record: Record):
    record.put(patient("1", "Chan"))
    record.delete("Patient/1")
    assert record.found("Patient?") == []
    assert record.found("Patient?family=Chan") == []
    assert record.found("Patient?family:missing=true") == []

    record.put(patient("1", "Lee"))

    assert record.found("Patient?family=Lee") == ["Patient/1"]


def test_a_search_of_all_types_finds_them_together(record: Record):
    record.put(patient("1"))
    record.put(organization("1"))
    record.put(observation("2", of="1"))

    assert record.found("?_id=1") == ["Organization/1", "Patient/1"]
    assert record.found("?_type=Patient,Observation") == ["Observation/2", "Patient/1"]


def test_criteria_are_anded_and_values_ored(record: Record):
    record.put(weight("1", "1", 60))
    record.put(weight("2", "1", 80))
    record.put(weight("3", "2", 60))

    assert record.found("Observation?subject=Patient/1,Patient/2&value-quantity=60") == [
        "Observation/3",
        "Observation/1",
    ]
    assert record.found("Observation?subject=Patient/1&value-quantity=gt70") == ["Observation/2"]


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("_sort=value-quantity", ["4", "3", "1", "2", "5"]),
        ("_sort=-value-quantity", ["2", "3", "1", "4", "5"]),
        ("_sort=subject,-value-quantity", ["2", "3", "1", "5", "4"]),
        ("_sort=-subject,value-quantity", ["4", "3", "1", "2", "5"]),
        ("_sort=-_id", ["5", "4", "3", "2", "1"]),
        ("_sort=_lastUpdated", ["1", "2", "3", "4", "5"]),
        ("", ["5", "4", "3", "2", "1"]),
    ],
)
def test_order(record: Record, sort: str, found: list[str]):
    """Resources without a value come last in both directions; ties are newest first."""
    for id, of, value in [("1", "1", 60), ("2", "1", 80), ("3", "1", 60), ("4", "2", 50)]:
        record.put(weight(id, of, value))
    record.put(observation("5", of="1"))

    assert record.found(f"Observation?{sort}") == [f"Observation/{id}" for id in found]


def test_several_values_sort_by_the_least_or_by_the_greatest(record: Record):
    for id, families in [("1", "BE"), ("2", "C"), ("3", "AD")]:
        record.put(patient(id) | {"name": [{"family": family} for family in families]})
    for id, codes in [("1", "be"), ("2", "c"), ("3", "ad")]:
        coding = [{"system": "http://example.org/codes", "code": code} for code in codes]
        record.put(observation(id, of="1") | {"code": {"coding": coding}})
    for id, several in [("1", "25"), ("2", "3"), ("3", "14")]:
        record.put(group(id, *several))

    for searched in ("Patient?_sort={}family", "Observation?_sort={}code", "Group?_sort={}member"):
        type = searched.partition("?")[0]
        assert record.found(searched.format("")) == [f"{type}/{id}" for id in "312"]
        assert record.found(searched.format("-")) == [f"{type}/{id}" for id in "132"]


def test_spans_sort_by_their_start_or_by_their_end(record: Record):
    periods = {
        "1": {"start": "2020", "end": "2024"},
        "2": {"start": "2022", "end": "2022"},
        "3": {"start": "2021"},
    }
    bounds = {
        "1": {"comparator": "<", "value": 70},
        "2": {"value": 60},
        "3": {"comparator": ">=", "value": 50},
    }
    for id in "123":
        record.put(observation(id, of="1", effectivePeriod=periods[id], valueQuantity=bounds[id]))

    for sort in ("date", "value-quantity"):
        assert record.found(f"Observation?_sort={sort}") == [f"Observation/{id}" for id in "132"]
        assert record.found(f"Observation?_sort=-{sort}") == [f"Observation/{id}" for id in "312"]


@pytest.mark.parametrize(
    "sort", ["", "_sort=value-quantity", "_sort=-value-quantity,_id", "_sort=_lastUpdated"]
)
@pytest.mark.parametrize("count", [1, 2, 3, 7, 8])
def test_pages_together_are_the_whole(record: Record, sort: str, count: int):
    for number in range(6):
        record.put(weight(str(number), "1", 60 + number % 3))
    record.put(observation("none", of="1"))
    whole = record.found(f"Observation?{sort}")

    pages = list(record.pages(f"Observation?{sort}", count=count))

    assert [name for page in pages for name in names(page)] == whole
    assert [len(page.entries) for page in pages[:-1]] == [count] * (len(pages) - 1)
    assert pages[-1].entries
    assert pages[0].total == 7
    assert {page.sequence for page in pages} == {pages[0].sequence}


def test_a_page_of_nothing_still_counts(record: Record):
    record.put(patient("1"))

    page = record.search("Patient?", count=0, total=True)

    assert (page.entries, page.next, page.total) == ((), None, 1)


def test_the_total_is_counted_only_when_asked_for_and_on_page_one(record: Record):
    record.put(patient("1"))
    record.put(patient("2"))

    assert record.search("Patient?").total is None
    first, second = record.pages("Patient?", count=1)
    assert (first.total, second.total) == (2, None)


@pytest.mark.parametrize(
    "sort", ["", "&_sort=value-quantity", "&_sort=-value-quantity", "&_sort=_lastUpdated"]
)
def test_a_walk_is_true_of_its_first_page(record: Record, sort: str):
    """Unchanged: once. Created after: never. Changed after: at most once."""
    for number in range(6):
        record.put(weight(str(number), "1", 60))

    def change() -> None:
        record.clock.jump(HOUR)
        record.put(weight("0", "1", 99))
        record.put(weight("5", "1", 1))
        for kilograms in (1, 60, 98):
            record.put(weight(f"new-{kilograms}-{record.clock.now_micros()}", "1", kilograms))
        if record.found("Observation?_id=3"):
            record.delete("Observation/3")

    pages = list(record.pages(f"Observation?subject=Patient/1{sort}", count=2, between=change))

    walked = [name.removeprefix("Observation/") for page in pages for name in names(page)]
    assert len(walked) == len(set(walked))
    assert {"1", "2", "4"} <= set(walked) <= set("012345")
    assert pages[0].total == 6


def test_what_stops_matching_after_the_first_page_does_not_come(record: Record):
    for number in range(4):
        record.put(observation(str(number), of="1", code="weight"))

    def change() -> None:
        record.put(observation("0", of="1", code="height"))

    pages = list(record.pages("Observation?code=weight", count=2, between=change))

    assert [names(page) for page in pages] == [["Observation/3", "Observation/2"], ["Observation/1"]]


def test_a_label_after_the_first_page_neither_repeats_nor_loses(record: Record):
    for number in range(4):
        record.put(patient(str(number)))

    pages = record.pages("Patient?", count=2, between=lambda: record.label("Patient/0", "R"))

    assert [name for page in pages for name in names(page)] == [f"Patient/{n}" for n in (3, 2, 1, 0)]


def test_a_chain_leads_through_a_reference(record: Record):
    record.put(patient("1", "Chan"))
    record.put(patient("2", "Wong"))
    record.put(observation("1", of="1"))
    record.put(observation("2", of="2"))

    assert record.found("Observation?subject:Patient.family=Chan") == ["Observation/1"]
    assert record.found("Observation?patient.family=Wong") == ["Observation/2"]


def test_an_untyped_chain_leads_to_every_type_that_has_the_parameter(record: Record):
    record.put(patient("1", identifier=[{"value": "N-1"}]))
    record.put(group("2", "1", identifier=[{"value": "N-1"}]))
    record.put(observation("1", of="1"))
    record.put({**observation("2", of=None), "subject": {"reference": "Group/2"}})

    assert record.found("Observation?subject.identifier=N-1") == ["Observation/2", "Observation/1"]


def test_a_chain_leads_to_what_its_target_is_now(record: Record):
    record.put(observation("1", of="1"))
    assert record.found("Observation?subject:Patient.family=Chan") == []
    record.put(patient("1", "Chan"))
    assert record.found("Observation?subject:Patient.family=Chan") == ["Observation/1"]
    record.put(patient("1", "Wong"))
    assert record.found("Observation?subject:Patient.family=Chan") == []
    assert record.found("Observation?subject:Patient.gender:missing=true") == ["Observation/1"]
    record.delete("Patient/1")
    assert record.found("Observation?subject:Patient.family=Wong") == []
    assert record.found("Observation?subject:Patient.gender:missing=true") == []
    assert record.found("Observation?subject:Patient.gender:not=male") == []


@pytest.mark.parametrize("written", ["A123456(3)", "a1234563", "Ａ123456（3）", " A 123456 (3)"])
def test_a_vaulted_identifier_is_found_however_it_is_written(record: Record, written: str):
    record.put(patient("1", identifier=[{"system": HKID, "value": "A123456(3)"}]))
    record.put(patient("2", identifier=[{"system": "http://example.org/mrn", "value": "A1234563"}]))
    record.put(patient("3", identifier=[{"system": HKID, "value": "B123456(0)"}]))
    record.put(observation("1", of="1"))

    assert record.found(f"Patient?identifier={HKID}|{written}") == ["Patient/1"]
    assert "Patient/1" in record.found(f"Patient?identifier={written}")
    assert record.found(f"Patient?identifier={HKID}|") == ["Patient/3", "Patient/1"]
    assert record.found(f"Observation?subject:Patient.identifier={HKID}|{written}") == ["Observation/1"]
    assert record.found(f"Patient?identifier:not={HKID}|{written}") == ["Patient/3", "Patient/2"]


def test_other_identifiers_are_compared_letter_for_letter(record: Record):
    record.put(patient("1", identifier=[{"system": "http://example.org/mrn", "value": "A123456(3)"}]))

    assert record.found("Patient?identifier=A123456(3)") == ["Patient/1"]
    assert record.found("Patient?identifier=a1234563") == []
    assert record.found(f"Patient?identifier={HKID}|A1234563") == []


@pytest.mark.parametrize("written", ["A123456(3)", f"{HKID}|a1234563", f"{HKID}|Ａ123456（3）"])
def test_a_reference_is_found_by_the_identifier_in_it(record: Record, written: str):
    """With a literal or without one; its system is vaulted wherever it stands."""
    named = {"identifier": {"system": HKID, "value": "A123456(3)"}}
    other = {"identifier": {"system": HKID, "value": "B123456(0)"}, "reference": "Patient/2"}
    record.put(patient("1"))
    record.put(observation("1", of=None, subject=named))
    record.put(observation("2", of="1", performer=[other, named | {"reference": "Patient/1"}]))
    record.put(observation("3", of="1", performer=[other]))
    record.put(listing("1", "Observation/2"))

    assert record.found(f"Observation?subject:identifier={written}") == ["Observation/1"]
    assert record.found(f"Observation?patient:identifier={written}") == ["Observation/1"]
    assert record.found(f"Observation?performer:identifier={written}") == ["Observation/2"]
    assert record.found(f"Observation?performer:identifier={HKID}|") == ["Observation/3", "Observation/2"]
    assert record.found(f"Observation?performer:identifier={written},B123456(0)") == [
        "Observation/3",
        "Observation/2",
    ]
    assert record.found(f"List?item:Observation.performer:identifier={written}") == ["List/1"]
    assert record.found(f"Patient?_has:Observation:subject:performer:identifier={written}") == ["Patient/1"]
    assert record.found(f"Observation?identifier={written}") == []


def test_the_order_says_nothing_of_vaulted_identifiers(record: Record):
    for id, value in [("1", "B123456(0)"), ("2", "A123456(3)"), ("3", "C123456(7)")]:
        record.put(patient(id, identifier=[{"system": HKID, "value": value}]))

    assert record.found("Patient?_sort=identifier") == ["Patient/3", "Patient/2", "Patient/1"]
    assert record.found("Patient?_sort=-identifier") == ["Patient/3", "Patient/2", "Patient/1"]


def test_match_gives_at_most_what_is_asked_for(record: Record):
    for id in "123":
        record.put(patient(id))
    record.put(patient("1"))

    with record.store.view() as view:
        assert view.match(ALL, record.query("Patient?family=Wong")) == ()
        assert view.match(ALL, record.query("Patient?_id=1")) == (("Patient", "1", 2),)
        assert view.match(ALL, record.query("Patient?")) == (("Patient", "1", 2), ("Patient", "3", 1))
        assert len(view.match(ALL, record.query("Patient?"), limit=9)) == 3


LONG = [
    "Patient?name={}&_id=1",
    "Patient?birthdate=ne2000-01-01,{}",
    "Patient?birthdate={}",
    "Patient?identifier={}",
    "Patient?_id={}",
    "Patient?identifier:not={}",
    "Observation?subject={}",
    "Observation?subject:Patient._id={}",
    "Observation?value-quantity={}",
    "Observation?code={}",
]
VALUES = {
    "name": "a{}",
    "birthdate": "ge{:04}-01-01",
    "identifier": "http://s{}|",
    "value-quantity": "{}|http://u{}|kg",
    "code": "{}",
}


@pytest.mark.parametrize("search", LONG)
def test_a_list_of_the_full_length_is_answered(record: Record, search: str):
    record.put(patient("1"))
    record.put(weight("2", "1", 60))
    name = search.partition("?")[2].partition("=")[0].partition(":")[0]
    form = VALUES.get(name, "p{}")
    fill = ",".join(form.replace("{:04}", f"{n + 1:04}").replace("{}", str(n)) for n in range(499))

    assert len(record.found(search.replace("{}", fill))) <= 1


@pytest.mark.parametrize("count", [1, 60, 400])
def test_a_list_finds_what_each_of_its_values_finds(record: Record, count: int):
    """Short lists and long ones are asked in different ways."""
    ids = [str(n) for n in range(3)]
    for id in ids:
        record.put(patient(id))
        record.put(weight(f"w{id}", id, 60 + int(id)))
    others = ",".join(f"x{n}" for n in range(count))

    assert record.found(f"Patient?_id={others},2,0") == ["Patient/2", "Patient/0"]
    assert record.found(f"Observation?_id={others},2") == []
    assert record.found(f"Observation?patient={others},1,0") == ["Observation/w1", "Observation/w0"]
    assert record.found(f"Observation?subject:Patient._id={others},1") == ["Observation/w1"]
    assert record.found(f"Observation?code={others},weight&_id=w0,w1") == [
        "Observation/w1",
        "Observation/w0",
    ]
    assert record.found(f"Observation?code={others},http://example.org/codes|&_id=w2") == ["Observation/w2"]
    unit = ",".join(f"60|http://x{n}|kg" for n in range(count))
    assert record.found(f"Observation?value-quantity={unit},62||kg") == ["Observation/w2"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("2022-10-19T10:00:00+08:00", "1"),
        ("ne2022-10-19T10:00:00+08:00", "20"),
        ("gt2022-10-19T10:00:00+08:00", "2"),
        ("sa2022-10-19T10:00:00+08:00", "2"),
        ("ge2022-10-19T10:00:00+08:00", "21"),
        ("lt2022-10-19T10:00:00+08:00", "0"),
        ("eb2022-10-19T10:00:00+08:00", "0"),
        ("le2022-10-19T10:00:00+08:00", "10"),
        ("2022-10-19T08:00:00+08:00,2022-10-19T11:00:00+08:00", "0"),
        ("lt2022-10-19T09:00:00+08:00,gt2022-10-19T11:00:00+08:00", "20"),
        ("gt2023", ""),
        ("lt2022", ""),
        ("2022", "210"),
    ],
)
def test_what_was_updated_then_is_found(record: Record, asked: str, found: str):
    for id in "012":
        record.put(patient(id))
        record.clock.jump(2 * HOUR)

    assert record.found(f"Patient?_lastUpdated={asked}") == [f"Patient/{id}" for id in found]
    assert record.search(f"Patient?_lastUpdated={asked}", total=True).total == len(found)


@pytest.mark.parametrize(
    "reader", [ALL, Reader("labels", persons=True, organisations=True, public=True, hidden=frozenset({"R"}))]
)
def test_a_total_counts_each_current_resource_once(record: Record, reader: Reader):
    """Who sees all is answered from the index, others from the resources."""
    twice = [{"family": "Chan", "given": ["Chan"]}, {"family": "Chan"}]
    record.put({**patient("1"), "name": twice})
    record.put(patient("2", "Chan"))
    record.put(patient("3", "Chan"))
    record.put(patient("3", "Wong"))
    record.put(patient("4", "Chan"))
    record.delete("Patient/4")
    record.put(weight("5", "1", 60))
    record.put(weight("6", "4", 60))

    searches = [
        "Patient?name=chan,ch",
        "Patient?name=wong",
        "Patient?name:missing=false",
        "Observation?subject:Patient.name=chan",
    ]
    assert [record.search(search, reader, total=True).total for search in searches] == [2, 1, 3, 1]
    assert record.search("?_tag=x,y", reader, total=True).total == 0


MANY = {
    "a date": ("date", [f"20{year}-{month:02d}" for year in range(10, 50) for month in range(1, 13)]),
    "since a date": ("date", [f"ge2022-10-{day:02d}" for day in range(19, 31)]),
    "an amount": ("value-quantity", [f"{n}.5|http://unitsofmeasure.org|kg" for n in range(480)]),
    "an amount of any unit": ("value-quantity", [f"{n}.5" for n in range(480)]),
    "more than an amount": ("value-quantity", [f"gt{n}||kg" for n in range(60, 540)]),
    "a code": ("code", [f"c{n}" for n in range(480)]),
    "a reference": ("subject", [f"Patient/{n}" for n in range(480)]),
    "a chained name": ("subject:Patient.name", [f"chan {n}" for n in range(480)]),
}


@pytest.mark.parametrize("name", MANY)
def test_many_alternatives_are_as_good_as_one(record: Record, name: str):
    parameter, values = MANY[name]
    record.put(patient("7", "Chan 7"))
    record.put(patient("x", "Wong"))
    record.put({**weight("found", "7", 70.5), **coded("c7"), "effectiveDateTime": "2022-10-19"})
    record.put({**weight("other", "x", 7.25), **coded("d"), "effectiveDateTime": "2009-10-19"})

    page = record.search(f"Observation?{parameter}={','.join(values)}", total=True)

    assert (names(page), page.total) == (["Observation/found"], 1)


def coded(code: str) -> dict[str, object]:
    return {"code": {"coding": [{"system": "http://example.org/codes", "code": code}]}}
