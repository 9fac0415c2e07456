"""``_include`` and ``_revinclude`` as the store answers them: what comes beside the matches of a page."""

import pytest

from kintung.errors import TooCostly
from kintung.store import inclusion
from kintung.store.reader import Reader
from kintung.store.versions import Page
from tests.records import group, listing, observation, organization, patient
from tests.stores import ALL, Record, names


def beside(record: Record, search: str, reader: Reader = ALL) -> list[str]:
    """Names of what a search includes, in order."""
    return of_page(record.search(search, reader))


def of_page(page: Page) -> list[str]:
    return [f"{version.type}/{version.id}" for version in page.included]


def performed(id: str, of: str, *by: str) -> dict[str, object]:
    return observation(id, of, performer=[{"reference": each} for each in by])


@pytest.fixture
def clinic(record: Record) -> Record:
    """Two persons of one clinic, which is part of a cluster; each has Observations."""
    record.put(organization("cluster"))
    record.put(organization("clinic") | {"partOf": {"reference": "Organization/cluster"}})
    record.put(patient("1", "Chan", managingOrganization={"reference": "Organization/clinic"}))
    record.put(patient("2", "Wong", managingOrganization={"reference": "Organization/clinic"}))
    record.put(performed("1-a", "1", "Organization/clinic"))
    record.put(performed("1-b", "1", "Patient/2", "Organization/clinic"))
    record.put(performed("2-a", "2"))
    record.put(group("both", "1", "2"))
    record.put(listing("1", "Observation/1-a", "Patient/1"))
    return record


EXPECTED = {
    "Observation?_include=Observation:subject": ["Patient/2", "Patient/1"],
    "Observation?_id=1-a&_include=Observation:subject": ["Patient/1"],
    "Observation?_id=1-a&_include=Observation:patient": ["Patient/1"],
    "Observation?_id=1-b&_include=Observation:performer": ["Patient/2", "Organization/clinic"],
    "Observation?_id=1-b&_include=Observation:performer:Patient": ["Patient/2"],
    "Observation?_id=1-b&_include=Observation:subject:Group": [],
    "Observation?_id=1-a,1-b&_include=Observation:*": ["Patient/2", "Patient/1", "Organization/clinic"],
    "Observation?_id=1-b&_include=*": ["Patient/2", "Patient/1", "Organization/clinic"],
    "Observation?_id=1-b&_include=Observation:*:Organization": ["Organization/clinic"],
    "Observation?_id=2-a&_include=Observation:encounter": [],
    "Observation?_id=2-a&_include=Observation:subject&_include:iterate=Patient:organization": [
        "Patient/2",
        "Organization/clinic",
    ],
    "Observation?_id=2-a&_include:iterate=*": ["Patient/2", "Organization/clinic", "Organization/cluster"],
    "Organization?_id=clinic&_include=Organization:partof": ["Organization/cluster"],
    "Organization?_include=Organization:partof": [],
    "Patient?_id=1&_revinclude=Observation:subject": ["Observation/1-b", "Observation/1-a"],
    "Patient?_id=2&_revinclude=Observation:*": ["Observation/2-a", "Observation/1-b"],
    "Patient?_id=2&_revinclude=Observation:subject&_revinclude=Group:member": [
        "Group/both",
        "Observation/2-a",
    ],
    "Patient?_id=1&_revinclude=Observation:subject:Patient": ["Observation/1-b", "Observation/1-a"],
    "Patient?_id=1&_revinclude=Observation:subject&_revinclude:iterate=List:item": [
        "List/1",
        "Observation/1-b",
        "Observation/1-a",
    ],
    "Organization?_id=cluster&_revinclude=Organization:partof&_revinclude:iterate=Patient:organization": [
        "Patient/2",
        "Patient/1",
        "Organization/clinic",
    ],
    "List?_include=List:item": ["Observation/1-a", "Patient/1"],
    "?_type=List,Group&_include=List:item&_include=Group:member": [
        "Observation/1-a",
        "Patient/2",
        "Patient/1",
    ],
}  # fmt: skip


@pytest.mark.parametrize("search", EXPECTED)
def test_what_is_included(clinic: Record, search: str) -> None:
    assert beside(clinic, search) == EXPECTED[search]


def test_a_page_includes_for_its_own_matches_and_counts_them_alone(clinic: Record) -> None:
    search = "Observation?_include=Observation:subject&_include=Observation:performer"
    pages = list(clinic.pages(search, count=1))

    assert [names(page) for page in pages] == [["Observation/2-a"], ["Observation/1-b"], ["Observation/1-a"]]
    assert [of_page(page) for page in pages] == [
        ["Patient/2"],
        ["Patient/2", "Patient/1", "Organization/clinic"],
        ["Patient/1", "Organization/clinic"],
    ]
    assert [page.total for page in pages] == [3, None, None]


def test_nothing_comes_twice_and_circles_end(record: Record) -> None:
    record.put(listing("1", "List/2"))
    record.put(listing("2", "List/3", "List/2"))
    record.put(listing("3", "List/1"))

    assert beside(record, "List?_include:iterate=List:item") == []
    assert beside(record, "List?_id=1&_include:iterate=List:item") == ["List/3", "List/2"]
    assert beside(record, "List?_id=1&_revinclude:iterate=List:item") == ["List/3", "List/2"]


def test_what_was_deleted_is_not_included(clinic: Record) -> None:
    clinic.delete("Organization/clinic")
    clinic.delete("Observation/1-a")

    assert beside(clinic, "Patient?_id=1&_include=Patient:organization") == []
    assert beside(clinic, "Patient?_id=1&_revinclude=Observation:subject") == ["Observation/1-b"]


def test_later_pages_include_what_is_there_now(clinic: Record) -> None:
    def rename() -> None:
        clinic.put(patient("1", "Cheung"))

    search = "Observation?_id=1-a,1-b&_include=Observation:patient"
    pages = list(clinic.pages(search, count=1, between=rename))

    assert [[version.version_id for version in page.included] for page in pages] == [[1], [2]]


def test_what_is_hidden_is_neither_included_nor_gone_on_from(clinic: Record) -> None:
    reader = Reader("of 1", persons=clinic.grant(1, "1"))

    def included(search: str) -> list[str]:
        return beside(clinic, search, reader)

    assert included("Observation?_id=1-b&_include=Observation:performer") == ["Organization/clinic"]
    assert included("Organization?_id=clinic&_revinclude=Patient:organization") == ["Patient/1"]
    assert included("Patient?_id=1&_revinclude=Group:member") == []
    # From the Group that is hidden nothing leads on to its other member, or back to this one.
    assert included("Patient?_id=1&_revinclude=Group:member&_include:iterate=Group:member") == []
    clinic.label("Patient/1", "R")
    unlabelled = Reader("no R", True, True, True, frozenset({"R"}))
    search = "Observation?_id=1-a&_include=Observation:subject&_include:iterate=Patient:organization"
    assert beside(clinic, search, unlabelled) == []


def test_keys_of_included_persons_are_given_for_the_audit(clinic: Record) -> None:
    keys = {name: clinic.read(f"Patient/{name}").patient_keys for name in "12"}
    page = clinic.search("Observation?_id=1-b&_include=Observation:performer:Patient")

    assert [version.patient_keys for version in (*page.entries, *page.included)] == [keys["1"], keys["2"]]


def test_too_many_are_refused_and_only_for_who_may_see_them(record: Record) -> None:
    most = inclusion.MOST_INCLUDED
    record.put(organization("hub"))
    hub = {"reference": "Organization/hub"}
    for start in range(0, most + 1, 200):
        ids = [str(number) for number in range(start, min(start + 200, most + 1))]
        record.commit(*(record.putting(patient(id, managingOrganization=hub)) for id in ids))
    search = "Organization?_revinclude=Patient:organization"

    with pytest.raises(TooCostly):
        record.search(search)
    all_but_one = Reader("all but one", persons=record.grant(1, *map(str, range(most))))
    assert len(record.search(search, all_but_one).included) == most
    record.label("Patient/0", "R")
    assert len(record.search(search, Reader("no R", True, True, True, frozenset({"R"}))).included) == most


def test_resources_that_refer_here_often_are_counted_once(record: Record) -> None:
    """Their rows are more than resources may be included."""
    ids = [str(number) for number in range(120)]
    record.commit(*(record.putting(patient(id)) for id in ids))
    record.commit(*(record.putting(group(f"g{number}", *ids)) for number in range(80)))

    assert len(beside(record, "Patient?_revinclude=Group:member")) == 80
    assert len(beside(record, "Group?_include=Group:member")) == 120


def test_bodies_over_the_bound_are_refused(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    record.put(patient("1"))
    record.put(observation("1", "1"))
    body = len(record.read("Patient/1").body)
    search = "Observation?_include=Observation:subject"
    for module in ("kintung.store.sql.view", "kintung.store.memory.view"):
        monkeypatch.setattr(f"{module}.INCLUDED_BYTES", body)
    assert beside(record, search) == ["Patient/1"]
    for module in ("kintung.store.sql.view", "kintung.store.memory.view"):
        monkeypatch.setattr(f"{module}.INCLUDED_BYTES", body - 1)
    with pytest.raises(TooCostly):
        record.search(search)


def test_iterating_too_far_is_refused(record: Record) -> None:
    length = inclusion.MOST_ROUNDS + 2
    for number in range(length):
        record.put(listing(str(number), f"List/{number + 1}"))

    assert len(beside(record, "List?_id=1&_include:iterate=List:item")) == inclusion.MOST_ROUNDS
    with pytest.raises(TooCostly):
        record.search("List?_id=0&_include:iterate=List:item")
