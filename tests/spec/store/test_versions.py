"""Read, vread, history: what became of each version of a resource."""

import json

import pytest

from kintung.errors import Deleted, NotFound
from kintung.store.reader import Reader
from kintung.store.versions import Method, Page, Paging
from tests.records import observation, organization, patient, weight
from tests.stores import ALL, DAY, HOUR, START, Record, content, together, walk


def test_a_resource_is_read_as_it_was_put(record: Record):
    resource = {**patient("1"), "meta": {"tag": [{"code": "x"}]}, "birthDate": "1950"}

    done = record.put(resource)

    version = record.read("Patient/1")
    assert content(version) == resource
    assert version[:4] == ("Patient", "1", 1, done.at)
    assert version.method is Method.CREATE


def test_the_body_says_its_version_and_instant(record: Record):
    record.put(patient("1"))
    record.clock.jump(HOUR)
    record.put(patient("1", "Wong"))

    meta = json.loads(record.read("Patient/1").body)["meta"]

    assert meta["versionId"] == "2"
    assert meta["lastUpdated"].startswith("2022-10-19T01:00:00.")
    assert meta["lastUpdated"].endswith("Z")


def test_versions_count_from_one(record: Record):
    made = [record.put(patient("1", family)) for family in ("Chan", "Wong", "Lee")]

    assert [done.version_id for done in made] == [1, 2, 3]
    assert record.read("Patient/1").method is Method.UPDATE


def test_every_version_stays_as_it_was(record: Record):
    """D20: update, delete, undelete and a label change no earlier version."""
    first = patient("1", "Chan")
    record.put(first)
    with record.store.view() as view:
        before = view.vread(ALL, "Patient", "1", 1)

    record.put(patient("1", "Wong"))
    record.delete("Patient/1")
    record.put(patient("1", "Lee"))
    record.label("Patient/1", "R")

    with record.store.view() as view:
        assert view.vread(ALL, "Patient", "1", 1) == before
        assert content(view.vread(ALL, "Patient", "1", 4)) == patient("1", "Lee")


@pytest.mark.parametrize("name", ["Patient/2", "Observation/1", "Nothing/1"])
def test_what_was_never_put_is_not_found(record: Record, name: str):
    record.put(patient("1"))

    type, id = name.split("/")
    with record.store.view() as view:
        assert view.current(ALL, type, id) is None
        assert view.owners_of(type, id) is None
        with pytest.raises(NotFound):
            view.read(ALL, type, id)
        with pytest.raises(NotFound):
            view.vread(ALL, type, id, 1)
        with pytest.raises(NotFound):
            view.history(ALL, type, id, paging=Paging(10))


def test_a_patient_that_is_only_referenced_is_not_found(record: Record):
    record.put(observation("1", of="7"))

    with record.store.view() as view:
        assert view.current(ALL, "Patient", "7") is None
        with pytest.raises(NotFound):
            view.history(ALL, "Patient", "7", paging=Paging(10))


@pytest.mark.parametrize("version_id", [0, 2, -1, 2**40])
def test_a_version_that_was_never_made_is_not_found(record: Record, version_id: int):
    record.put(patient("1"))

    with record.store.view() as view, pytest.raises(NotFound):
        view.vread(ALL, "Patient", "1", version_id)


def test_a_deleted_resource_says_so_and_keeps_its_versions(record: Record):
    record.put(patient("1"))

    done = record.delete("Patient/1")

    assert done.version_id == 2
    with record.store.view() as view:
        with pytest.raises(Deleted):
            view.read(ALL, "Patient", "1")
        with pytest.raises(Deleted):
            view.vread(ALL, "Patient", "1", 2)
        assert content(view.vread(ALL, "Patient", "1", 1)) == patient("1")
        current = view.current(ALL, "Patient", "1")
    assert current is not None
    assert (current.version_id, current.deleted) == (2, True)


def test_a_deleted_resource_can_be_put_again(record: Record):
    record.put(patient("1"))
    record.delete("Patient/1")

    done = record.put(patient("1", "Lee"))

    assert done.version_id == 3
    assert record.read("Patient/1").method is Method.CREATE
    assert record.history("Patient/1") == ["Patient/1/3", "Patient/1/2", "Patient/1/1"]


def test_history_shows_the_newest_first_with_empty_deletions(record: Record):
    record.put(patient("1"))
    record.put(patient("1", "Wong"))
    record.delete("Patient/1")

    with record.store.view() as view:
        page = view.history(ALL, "Patient", "1", paging=Paging(10, total=True))

    assert [(version.version_id, version.method) for version in page.entries] == [
        (3, Method.DELETE),
        (2, Method.UPDATE),
        (1, Method.CREATE),
    ]
    assert page.entries[0].body == b""
    assert content(page.entries[1]) == patient("1", "Wong")
    assert page.total == 3
    assert page.next is None


def test_history_of_a_type_and_of_the_system(record: Record):
    record.put(patient("1"))
    record.put(weight("1", "1", 60))
    record.put(organization("1"))
    record.put(patient("1", "Wong"))

    assert record.history("Patient") == ["Patient/1/2", "Patient/1/1"]
    assert record.history() == ["Patient/1/2", "Organization/1/1", "Observation/1/1", "Patient/1/1"]


def test_history_of_a_type_nothing_was_put_of_is_empty(record: Record):
    record.put(patient("1"))

    assert record.history("Observation") == []


def test_a_label_is_no_version(record: Record):
    record.put(patient("1"))
    record.label("Patient/1", "R")

    assert record.history() == ["Patient/1/1"]
    assert record.read("Patient/1").version_id == 1


def test_history_since_an_instant_has_what_was_committed_then_or_later(record: Record):
    record.put(patient("1"))
    record.clock.jump(HOUR)
    second = record.put(patient("2"))
    record.put(patient("3"))

    assert record.history(since=second.at) == ["Patient/3/1", "Patient/2/1"]
    assert record.history(since=second.at + 1) == ["Patient/3/1"]
    assert record.history("Patient/1", since=second.at) == []
    assert record.history(since=START - HOUR) == ["Patient/3/1", "Patient/2/1", "Patient/1/1"]
    assert record.history(since=second.at + HOUR) == []


def test_history_is_paged_as_it_was_at_its_first_page(record: Record):
    for number in range(5):
        record.put(patient("1", f"Chan {number}"))

    def ask(paging: Paging) -> Page:
        with record.store.view() as view:
            return view.history(ALL, "Patient", "1", paging=paging)

    pages = walk(ask, Paging(2, total=True))
    first = next(pages)
    record.put(patient("1", "Later"))
    record.put(patient("2", "Other"))
    rest = list(pages)

    walked = [version.version_id for page in (first, *rest) for version in page.entries]
    assert walked == [5, 4, 3, 2, 1]
    assert first.total == 5
    assert [(page.sequence, page.total) for page in rest] == [(first.sequence, None)] * 2


def test_a_history_that_ends_with_its_page_has_no_next(record: Record):
    record.put(patient("1"))
    record.put(patient("2"))

    with record.store.view() as view:
        assert view.history(ALL, paging=Paging(2)).next is None
        assert view.history(ALL, paging=Paging(1)).next is not None


def test_a_view_stays_as_it_was_opened(record: Record):
    record.put(patient("1"))
    with record.store.view() as view:
        sequence = view.sequence
        version = view.read(ALL, "Patient", "1")

        together(lambda: record.put(patient("1", "Wong")), lambda: record.put(patient("2")))

        assert view.sequence == sequence
        assert view.read(ALL, "Patient", "1") == version
        assert view.current(ALL, "Patient", "2") is None
    assert record.read("Patient/1").version_id == 2


def test_a_lookup_answers_one_question_as_a_view_does(record: Record):
    record.put(patient("1"))
    record.put(patient("2"))
    record.delete("Patient/2")
    reader = Reader("p1", persons=record.grant(1, "1"))

    with record.store.lookup() as view:
        assert view.read(reader, "Patient", "1") == record.read("Patient/1")
    record.put(patient("1", "Wong"))
    with record.store.lookup() as view:
        assert content(view.read(reader, "Patient", "1")) == patient("1", "Wong")
    with record.store.lookup() as view, pytest.raises(NotFound):
        view.read(reader, "Patient", "2")
    with record.store.lookup() as view, pytest.raises(Deleted):
        view.read(ALL, "Patient", "2")


def test_one_patient_has_one_key_and_nobody_none(record: Record):
    record.put(observation("a", of="1"))
    record.put(patient("1"))
    record.put(patient("2"))
    record.put(organization("1"))
    record.put(observation("b", of=None), organisation="1")

    keys = {name: record.read(name).patient_keys for name in record.found("?")}

    assert keys["Observation/a"] == keys["Patient/1"]
    assert len(keys["Patient/1"]) == 1
    assert keys["Patient/1"] != keys["Patient/2"]
    assert 0 not in keys["Patient/1"] + keys["Patient/2"]
    assert keys["Organization/1"] == keys["Observation/b"] == ()


# -- as of a time -----------------------------------------------------------------------


def test_a_history_at_a_time_has_what_was_current_then(record: Record):
    """A Patient put, changed and deleted; another put between the two changes."""
    first = record.put(patient("1")).at
    between = record.put(patient("2")).at
    second = record.put(patient("1", "Wong")).at
    record.delete("Patient/1")
    gone = record.history()[0]

    assert record.history(at=(first, first + 1)) == ["Patient/1/1"]
    assert record.history("Patient", at=(first, between + 1)) == ["Patient/2/1", "Patient/1/1"]
    assert record.history("Patient/1", at=(between, second)) == ["Patient/1/1"]
    assert record.history("Patient/1", at=(between, second + 1)) == ["Patient/1/2", "Patient/1/1"]
    assert record.history(at=(second, second + 1)) == ["Patient/1/2", "Patient/2/1"]
    assert record.history(at=(second + DAY, second + 2 * DAY)) == [gone, "Patient/2/1"]
    assert gone == "Patient/1/3"
    assert record.history(at=(0, first)) == []


def test_since_and_at_both_hold(record: Record):
    first = record.put(patient("1")).at
    second = record.put(patient("2")).at

    assert record.history(at=(first, second + DAY)) == ["Patient/2/1", "Patient/1/1"]
    assert record.history(at=(first, second + DAY), since=second) == ["Patient/2/1"]


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize("where", [("Patient", "1"), ("Patient", None), (None, None)])
def test_a_history_pages_in_both_orders(
    record: Record, where: tuple[str | None, str | None], oldest_first: bool
):
    """Page by page it is what it is whole, whatever is written meanwhile."""
    for number in range(5):
        record.put(patient("1", f"Chan{number}"))
        record.put(patient(f"p{number}"))
    whole = record.history("/".join(filter(None, where)), oldest_first=oldest_first)

    def ask(paging: Paging) -> Page:
        with record.store.view() as view:
            page = view.history(ALL, *where, oldest_first=oldest_first, paging=paging)
        record.put(patient("1", "Later"))
        return page

    paged = [version for page in walk(ask, Paging(2)) for version in page.entries]
    assert [f"{version.type}/{version.id}/{version.version_id}" for version in paged] == whole
    instants = [version.at for version in paged]
    assert instants == sorted(instants, reverse=not oldest_first)
