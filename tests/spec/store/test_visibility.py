"""What a Reader sees: the same answer in every read of the store."""

from collections.abc import Callable

import pytest

from kintung.errors import Deleted, NotFound, RuleFailed
from kintung.store.notices import Advance
from kintung.store.reader import Reader, Scope
from kintung.store.sql import clauses
from kintung.store.sql.search import conditions
from kintung.store.sql.search import plan as plans
from kintung.store.versions import OwnerKind, Ownership, Paging
from tests.records import binary, group, listing, observation, organization, patient, subscription, weight
from tests.stores import ALL, HOUR, NOBODY, SYSTEM, Record, names

WHO: dict[str, Callable[[Scope], Reader]] = {
    "all": lambda scope: ALL,
    "nobody": lambda scope: NOBODY,
    "public only": lambda scope: Reader("public"),
    "person 1": lambda scope: Reader("p1", persons=scope),
    "every person": lambda scope: Reader("persons", persons=True, public=False),
    "organisation a": lambda scope: Reader("a", organisations=frozenset({"a", "never-seen"})),
    "every organisation": lambda scope: Reader("organisations", organisations=True, public=False),
    "all but label R": lambda scope: Reader("unlabelled", True, True, True, frozenset({"R", "never-used"})),
    "person 1 but label R": lambda scope: Reader("p1u", persons=scope, hidden=frozenset({"R"})),
}
PUBLIC = ["Organization/a"]
OF_1 = ["Patient/1", "Observation/1", "Observation/1-labelled", "Binary/1", "Group/1"]
OF_2 = ["Patient/2", "Observation/2", "Binary/2"]
OF_BOTH = ["Group/12", "List/12"]
OF_A, OF_B, OF_NONE = ["Observation/a"], ["Observation/b"], ["Observation/none"]
OF_UNKNOWN = ["Binary/early"]
EVERYTHING = PUBLIC + OF_1 + OF_2 + OF_BOTH + OF_A + OF_B + OF_NONE + OF_UNKNOWN
SEEN = {
    "all": EVERYTHING,
    "nobody": [],
    "public only": PUBLIC,
    "person 1": PUBLIC + OF_1,
    "every person": OF_1 + OF_2 + OF_BOTH + OF_UNKNOWN,
    "organisation a": PUBLIC + OF_A,
    "every organisation": OF_A + OF_B + OF_NONE,
    "all but label R": [name for name in EVERYTHING if name != "Observation/1-labelled"],
    "person 1 but label R": PUBLIC + [name for name in OF_1 if name != "Observation/1-labelled"],
}


def given_everything(record: Record) -> Scope:
    """One resource of each ownership; gives the scope that holds person 1."""
    record.put(organization("a"))
    record.put(patient("1", "Chan"))
    record.put(patient("2", "Wong"))
    record.put(observation("1", of="1"), organisation="a")
    record.put(observation("1-labelled", of="1"))
    record.put(observation("2", of="2"), organisation="a")
    record.put(binary("1", of="Observation/1"))
    record.put(binary("2", of="Observation/2"))
    record.put(group("1", "1"), organisation="b")
    record.put(group("12", "1", "2"))
    record.put(listing("12", "Patient/1", "Observation/2"))
    record.put(observation("a", of=None), organisation="a")
    record.put(observation("b", of=None), organisation="b")
    record.put(observation("none", of=None))
    record.put(binary("early", of="Observation/not-here-yet"), organisation="a")
    record.label("Observation/1-labelled", "R", "S")
    return record.grant(1, "1")


@pytest.mark.parametrize("who", WHO)
def test_every_read_shows_what_the_reader_may_see(record: Record, who: str):
    reader = WHO[who](given_everything(record))
    seen = set(SEEN[who])

    for name in EVERYTHING:
        type, id = name.split("/")
        with record.store.view() as view:
            assert (view.current(reader, type, id) is not None) == (name in seen), name
            if name in seen:
                assert view.read(reader, type, id).id == id
                assert view.vread(reader, type, id, 1).id == id
                assert len(view.history(reader, type, id, paging=Paging(9)).entries) == 1
            else:
                with pytest.raises(NotFound):
                    view.read(reader, type, id)
                with pytest.raises(NotFound):
                    view.vread(reader, type, id, 1)
                with pytest.raises(NotFound):
                    view.history(reader, type, id, paging=Paging(9))
        assert record.found(f"{type}?_id={id}", reader) == ([name] if name in seen else [])
    assert set(record.found("?", reader)) == seen
    assert set(record.history("", reader)) == {f"{name}/1" for name in seen}
    with record.store.view() as view:
        assert view.history(reader, paging=Paging(1, total=True)).total == len(seen)
        assert len(view.match(reader, record.query("?"), limit=99)) == len(seen)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("sort", ["", "&_sort=_id", "&_sort=-subject", "&_sort=code"])
def test_pages_are_full_and_totals_are_of_what_is_seen(record: Record, who: str, sort: str):
    """S4: the reader comes before order and limit, so no page shows a gap where something is hidden."""
    reader = WHO[who](given_everything(record))
    seen = [name for name in SEEN[who] if name.startswith("Observation/")]

    pages = list(record.pages(f"Observation?status=final{sort}", reader, count=2))

    assert sorted(name for page in pages for name in names(page)) == sorted(seen)
    assert [len(page.entries) for page in pages[:-1]] == [2] * (len(pages) - 1)
    assert pages[0].total == len(seen)


def test_a_hidden_resource_answers_as_an_absent_one(record: Record):
    """S7."""
    reader = WHO["person 1"](given_everything(record))

    def said(name: str) -> str:
        with pytest.raises(NotFound) as error:
            record.read(name, reader)
        return str(error.value).replace(name.split("/")[1], "*")

    assert said("Patient/2") == said("Patient/3")


def test_what_was_deleted_is_gone_for_who_could_see_it_and_absent_for_others(record: Record):
    scope = record.grant(1, "1")
    record.put(patient("1"))
    record.put(patient("2"))
    record.delete("Patient/1")
    record.delete("Patient/2")
    reader = Reader("p1", persons=scope)

    with pytest.raises(Deleted):
        record.read("Patient/1", reader)
    with pytest.raises(NotFound):
        record.read("Patient/2", reader)
    assert record.history("Patient/1", reader) == ["Patient/1/2", "Patient/1/1"]
    with record.store.view() as view:
        assert view.current(reader, "Patient", "2") is None
        with pytest.raises(NotFound):
            view.history(reader, "Patient", "2", paging=Paging(9))
        with pytest.raises(NotFound):
            view.vread(reader, "Patient", "2", 1)
    assert record.history("", reader) == ["Patient/1/2", "Patient/1/1"]


def test_a_version_needs_its_own_owners_and_those_of_now(record: Record):
    """A Group of 1, then of 1 and 2, then of 1 again."""
    scope = record.grant(1, "1")
    reader = Reader("p1", persons=scope)
    record.put(group("g", "1"))
    assert record.history("Group/g", reader) == ["Group/g/1"]

    record.put(group("g", "1", "2"))

    with record.store.view() as view:
        with pytest.raises(NotFound):
            view.vread(reader, "Group", "g", 1)
        with pytest.raises(NotFound):
            view.history(reader, "Group", "g", paging=Paging(9))
    assert record.history("Group", reader) == []

    record.put(group("g", "1"))

    with record.store.view() as view:
        assert view.vread(reader, "Group", "g", 1).version_id == 1
        with pytest.raises(NotFound):
            view.vread(reader, "Group", "g", 2)
        page = view.history(reader, "Group", "g", paging=Paging(9, total=True))
    assert [version.version_id for version in page.entries] == [3, 1]
    assert page.total == 2


def test_a_label_hides_every_version_and_taking_it_off_shows_them_again(record: Record):
    """S12: narrowing removes history too."""
    reader = Reader("unlabelled", True, True, True, frozenset({"R"}))
    record.put(patient("1"))
    record.put(patient("1", "Wong"))
    record.label("Patient/1", "R")

    assert record.found("Patient?", reader) == record.history("", reader) == []
    with record.store.view() as view, pytest.raises(NotFound):
        view.vread(reader, "Patient", "1", 1)
    assert record.found("Patient?") == ["Patient/1"]

    record.label("Patient/1", "S")

    assert record.found("Patient?", reader) == ["Patient/1"]
    assert record.history("", reader) == ["Patient/1/2", "Patient/1/1"]


def test_a_label_stays_through_update_delete_and_undelete(record: Record):
    reader = Reader("unlabelled", True, True, True, frozenset({"R"}))
    record.put(patient("1"))
    record.label("Patient/1", "R")

    record.put(patient("1", "Wong"))
    assert record.found("Patient?", reader) == []
    record.delete("Patient/1")
    assert record.history("", reader) == []
    with pytest.raises(NotFound):
        record.read("Patient/1", reader)
    record.put(patient("1", "Lee"))
    assert record.found("Patient?", reader) == []


def test_a_chain_leads_only_to_what_the_reader_sees(record: Record):
    """S1, S6: the names of another patient do not answer through a reference to them."""
    reader = WHO["person 1"](given_everything(record))
    record.put(observation("1", of="1", performer=[{"reference": "Patient/2"}]))

    assert record.found("Observation?performer:Patient.family=Wong") == ["Observation/1"]
    assert record.found("Observation?performer:Patient.family=Wong", reader) == []
    assert record.found("Observation?performer:Patient.family:missing=false", reader) == []
    assert record.found("Observation?performer=Patient/2", reader) == ["Observation/1"]
    assert record.found("Observation?subject:Patient.family=Chan", reader) == [
        "Observation/1",
        "Observation/1-labelled",
    ]


def test_a_chain_does_not_lead_to_a_labelled_target(record: Record):
    reader = Reader("unlabelled", True, True, True, frozenset({"R"}))
    record.put(patient("1", "Chan"))
    record.put(observation("1", of="1"))
    record.label("Patient/1", "R")

    assert record.found("Observation?subject:Patient.family=Chan", reader) == []
    assert record.found("Observation?subject:Patient.family=Chan") == ["Observation/1"]


def test_a_grant_and_its_end_hold_from_the_next_read(record: Record):
    """A scope is read as it is now, whatever its epoch was when the reader was made."""
    record.put(patient("1"))
    record.put(patient("2"))
    reader = Reader("p", persons=record.grant(1, "1"))
    assert record.found("Patient?", reader) == ["Patient/1"]

    record.grant(1, "2")
    assert record.found("Patient?", reader) == ["Patient/2", "Patient/1"]

    record.grant(1, remove=["1"])
    assert record.found("Patient?", reader) == ["Patient/2"]
    with pytest.raises(NotFound):
        record.read("Patient/1", reader)


def test_each_page_is_authorised_as_of_now(record: Record):
    for number in range(4):
        record.put(patient(str(number)))
    reader = Reader("p", persons=record.grant(1, "0", "1", "2", "3"))

    pages = record.pages("Patient?", reader, count=2, between=lambda: record.grant(1, remove=["1"]))

    assert [names(page) for page in pages] == [["Patient/3", "Patient/2"], ["Patient/0"]]


def test_scopes_are_apart(record: Record):
    record.put(patient("1"))
    record.put(patient("2"))
    first, second = record.grant(1, "1"), record.grant(2, "2")

    assert record.found("Patient?", Reader("1", persons=first)) == ["Patient/1"]
    assert record.found("Patient?", Reader("2", persons=second)) == ["Patient/2"]
    assert record.found("Patient?", Reader("3", persons=record.store.scope(3))) == []


def test_a_person_may_be_granted_before_anything_of_theirs_is_stored(record: Record):
    reader = Reader("p1", persons=record.grant(1, "1"))

    record.put(observation("1", of="1"))

    assert record.found("Observation?", reader) == ["Observation/1"]


def test_whose_a_resource_is(record: Record):
    given_everything(record)

    def owners(name: str) -> Ownership:
        with record.store.view() as view:
            current = view.current(ALL, *name.split("/"))
            assert current is not None
            assert view.owners_of(*name.split("/")) == current.ownership
        return current.ownership

    assert owners("Patient/1") == Ownership(OwnerKind.PERSON, ("1",))
    assert owners("Observation/1") == Ownership(OwnerKind.PERSON, ("1",), "a")
    assert owners("Binary/2") == Ownership(OwnerKind.PERSON, ("2",))
    assert owners("Group/1") == Ownership(OwnerKind.SEVERAL, ("1",), "b")
    assert owners("List/12") == Ownership(OwnerKind.SEVERAL, ("1", "2"))
    assert owners("Observation/a") == Ownership(OwnerKind.ORGANISATION, (), "a")
    assert owners("Organization/a") == Ownership(OwnerKind.PUBLIC)
    assert owners("Binary/early") == Ownership(OwnerKind.UNKNOWN, (), "a")


def test_owners_have_no_order(record: Record):
    record.put(group("g", "2", "1", "3"))

    with record.store.view() as view:
        current = view.current(ALL, "Group", "g")
    assert current is not None
    assert current.ownership.persons == ("1", "2", "3")


def test_a_deleted_source_still_says_whose_it_was(record: Record):
    """Else what derives from it would come to be nobody's, and more would see it."""
    record.put(observation("1", of="1"))
    record.delete("Observation/1")
    record.put(binary("1", of="Observation/1"))

    assert record.found("Binary?", Reader("p1", persons=record.grant(1, "1"))) == ["Binary/1"]
    assert record.found("Binary?", Reader("organisations", organisations=True)) == []


def test_what_comes_before_its_source_is_not_the_organisations(record: Record):
    """Else the organisation's readers would see a person's data, before and after the person is known."""
    record.put(binary("b", of="Observation/later"), organisation="a")
    record.put(binary("of-b", of="Binary/b"), organisation="a")
    organisations, everyone = Reader("organisations", organisations=True), Reader("persons", persons=True)
    person, other = Reader("p1", persons=record.grant(1, "1")), Reader("p2", persons=record.grant(2, "2"))

    assert record.found("Binary?", organisations) == []
    assert record.found("Binary?", person) == []
    assert record.found("Binary?_sort=_id", everyone) == ["Binary/b", "Binary/of-b"]

    record.put(observation("later", of="1"))
    assert record.found("Binary?", organisations) == record.found("Binary?", person) == []

    for name, source in (("b", "Observation/later"), ("of-b", "Binary/b"), ("b", "Observation/later")):
        record.put(binary(name, of=source))
    assert record.found("Binary?_sort=_id", person) == ["Binary/b", "Binary/of-b"]
    assert record.found("Binary?", organisations) == record.found("Binary?", other) == []
    assert record.history("Binary/b", person) == ["Binary/b/3", "Binary/b/2"]
    assert list(record.store.check(SYSTEM)) == []


def test_what_came_before_its_source_stays_its_persons(record: Record):
    record.put(binary("b", of="Observation/later"))
    record.put(observation("later", of="1"))
    record.put(observation("other", of="2"))
    record.put(binary("b", of="Observation/later"))

    unsecured = {name: value for name, value in binary("b", of="").items() if name != "securityContext"}
    for moved in (unsecured, binary("b", of="Observation/other"), binary("b", of="Observation/never")):
        with pytest.raises(RuleFailed):
            record.put(moved)
    record.put(binary("b", of="Patient/1"))  # the same person, named in another way
    record.delete("Binary/b")
    with pytest.raises(RuleFailed):
        record.put(binary("b", of="Observation/other"))


def test_what_is_of_several_persons_does_not_become_the_organisations(record: Record):
    about = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}}
    record.put(group("g", "1", "2"))
    record.put({**about, "subject": {"reference": "Group/g"}}, organisation="a")

    with pytest.raises(RuleFailed):
        record.put(about, organisation="a")


def test_a_source_that_is_nobodys_takes_no_owner_away(record: Record):
    record.put(observation("none", of=None), organisation="a")
    record.put(listing("1", "Patient/1", "Observation/none", "Observation/never-stored"), organisation="a")

    assert record.found("List?", Reader("a", organisations=frozenset({"a"}))) == []
    assert record.found("List?", Reader("p1", persons=record.grant(1, "1"))) == ["List/1"]


def test_a_resource_derives_its_owners_from_one_of_the_same_unit(record: Record):
    record.commit(
        record.putting(observation("1", of="1")),
        record.putting(binary("1", of="Observation/1")),
        record.putting(group("1", "1", "2")),
        record.putting(listing("1", "Group/1", "Patient/3")),
    )

    assert record.found("?", Reader("p1", persons=record.grant(1, "1"))) == ["Binary/1", "Observation/1"]
    assert "List/1" in record.found("?", Reader("p", persons=record.grant(1, "2", "3")))
    assert record.found("?", Reader("organisations", organisations=True)) == []


def test_sorting_is_by_what_is_seen(record: Record):
    """A key of the order is of the visible resource itself; nothing hidden moves it."""
    reader = WHO["person 1"](given_everything(record))
    record.put(weight("x", "1", 60))
    before = record.found("Observation?_sort=-value-quantity", reader)

    record.put(weight("y", "2", 70))

    assert record.found("Observation?_sort=-value-quantity", reader) == before


def nothing_is_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """What links lead to is looked for from each resource that is walked."""
    monkeypatch.setattr(clauses, "SHORT", 0)
    monkeypatch.setattr(conditions, "MANY_ENDS", 0)
    monkeypatch.setattr(conditions, "MANY_INDEXED", 0)
    monkeypatch.setattr(conditions, "MANY_REFERENCES", 0)
    monkeypatch.setattr(plans, "FEW", -1)
    monkeypatch.setattr(plans, "BEGUN", 1000)


def test_a_chain_that_is_followed_ends_only_at_what_the_reader_sees(
    record: Record, monkeypatch: pytest.MonkeyPatch
):
    """Given a chain that is asked of each resource walked, when its target is hidden, then it is no match."""
    nothing_is_few(monkeypatch)
    for id in ("seen", "hidden"):
        record.put(observation(f"{id}-target", None), organisation="a")
        derived = {"derivedFrom": [{"reference": f"Observation/{id}-target"}]}
        record.put(observation(id, None, "other", **derived), organisation="a")
    record.label("Observation/hidden-target", "R")
    reader = Reader("unlabelled", True, True, True, frozenset({"R"}))
    search = "Observation?derived-from:Observation.code=weight"

    assert record.found(search, reader) == ["Observation/seen"]
    assert record.found(search, ALL) == ["Observation/hidden", "Observation/seen"]


@pytest.mark.parametrize("plan", ["listed", "followed"])
def test_what_refers_here_counts_only_while_the_reader_sees_it(
    record: Record, monkeypatch: pytest.MonkeyPatch, plan: str
):
    if plan == "followed":
        nothing_is_few(monkeypatch)
    for id in ("seen", "hidden"):
        record.put(observation(id, None), organisation="a")
        derived = {"derivedFrom": [{"reference": f"Observation/{id}"}]}
        record.put(observation(f"of-{id}", None, "other", **derived), organisation="a")
    record.label("Observation/of-hidden", "R")
    reader = Reader("unlabelled", True, True, True, frozenset({"R"}))
    search = "Observation?_has:Observation:derived-from:code=other"

    assert record.found(search, reader) == ["Observation/seen"]
    assert record.found(search, ALL) == ["Observation/hidden", "Observation/seen"]
    farther = "Observation?_has:Observation:derived-from:derived-from.code=weight"
    assert record.found(farther, reader) == ["Observation/seen"]


def test_a_subscription_in_force_is_shown_to_who_sees_it(record: Record) -> None:
    record.put(subscription("s"), organisation="a")
    record.label("Subscription/s", "R")
    queue = record.store.notices
    assert queue.lead(SYSTEM, "follower", HOUR) == 0
    assert queue.advance(SYSTEM, "follower", Advance(0, 1, (), [("s", 1, b"")]))
    scope = record.grant(1, "1")
    seen = {name for name, reader in WHO.items() if queue.subscriber(reader(scope), "s")}
    assert seen == {"all", "organisation a", "every organisation"}
    assert queue.subscriber(ALL, "never") is None
    record.put(patient("s", "Chan"))
    assert queue.subscriber(Reader("p1", persons=record.grant(2, "s")), "s") is None
