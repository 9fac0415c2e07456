"""A person appears in several systems as each of them writes; the truth of every record is told."""

from collections import Counter
from random import Random

import pytest

from kintung.definitions.corruptions import corruptions
from kintung.definitions.name_frequencies import surnames
from kintung.definitions.population import place_tables, shares, systems
from kintung.errors import BadInput
from kintung.fhir.structure import validate
from kintung.identity.identifiers import parse
from kintung.identity.names import folded
from kintung.sample import HTEST
from kintung.synth import appearances, people
from tests.unit.synth.given import SEED, some_people

PEOPLE = some_people()
VALIDATED = 3_000
CHANCE = Random(SEED)
MADE = [appearance for person in PEOPLE for appearance in appearances(person, CHANCE)]
TWICE = [a for person in PEOPLE for a in appearances(person, CHANCE, count=2, rates=2.0)]
CLEAN = [appearance for person in PEOPLE[:1_000] for appearance in appearances(person, Random(1), rates=0)]


def test_every_patient_is_valid_and_marked_as_test_data():
    assert [issue for appearance in MADE[:VALIDATED] for issue in validate(appearance.patient)] == []
    for appearance in MADE:
        assert appearance.patient["meta"]["tag"][0]["code"] == HTEST


def test_every_patient_has_an_id_of_its_own_and_a_truth():
    people_there = {person.id for person in PEOPLE}
    assert len({appearance.patient["id"] for appearance in MADE}) == len(MADE) == 3 * len(PEOPLE)
    for appearance in MADE:
        truth = appearance.truth()
        assert truth["id"] == appearance.patient["id"]
        assert truth["person"] in people_there
        assert set(truth["corruptions"]) <= corruptions().keys()
        assert truth["system"] in systems()


def test_numbers_without_corruption_are_those_of_the_person_in_a_known_system():
    """Whatever the brackets and re-issues, they are read as the person's own."""
    known = {person.id: person for person in PEOPLE}
    for appearance in CLEAN:
        own = set(known[appearance.person].numbers.values())
        for number in appearance.patient["identifier"][1:]:
            assert parse(number["system"], number["value"]).normal in own, number


def test_without_corruption_a_record_says_what_is_true():
    known = {person.id: person for person in PEOPLE}
    for appearance in CLEAN:
        person, patient = known[appearance.person], appearance.patient
        assert appearance.corruptions == ()
        assert (patient["birthDate"], patient["gender"]) == (person.born.isoformat(), person.sex)
        for name in patient["name"]:
            if name["extension"][0]["valueCode"] == "IDE":
                assert person.han
                assert folded(name["text"]) == folded("".join(person.han))


@pytest.mark.parametrize(
    "id", ["misspelt", "birth-year-off", "sex-code", "phone-absent", "address-changed", "old-record-number"]
)
def test_corruptions_come_at_their_rates_and_twice_at_twice(id: str):
    """Of all records, those of corruptions that may befall (nearly) every one."""
    rate = float(corruptions()[id].rate)
    for made, times in ((MADE, 1), (TWICE, 2)):
        share = sum(id in appearance.corruptions for appearance in made) / len(made)
        spread = (rate * times / len(made)) ** 0.5
        # A birth date or a telephone suffers one corruption only; few mainland records lack Latin names.
        assert 0.6 * rate * times - 4 * spread < share < rate * times + 4 * spread


def test_no_corruption_at_no_rates():
    assert all(appearance.corruptions == () for appearance in CLEAN)


def test_people_appear_in_several_systems_and_scripts():
    seen = Counter(appearance.system for appearance in MADE)
    assert seen.keys() == systems().keys()
    by_person: dict[str, set[str]] = {}
    for appearance in MADE:
        by_person.setdefault(appearance.person, set()).add(appearance.system)
    assert sum(len(there) > 1 for there in by_person.values()) > 0.95 * len(PEOPLE)
    sources = Counter(
        extension["valueCode"]
        for appearance in MADE
        for name in appearance.patient["name"]
        for extension in name["extension"]
        if extension["url"].endswith("name-source")
    )
    assert sources.keys() == {"HKIC", "HRP", "BIR", "MID", "EEP"}


@pytest.mark.parametrize("kind", ["public", "private", "across"])
def test_numbers_are_read_from_documents_as_often_as_said(kind: str):
    verified = Counter(
        "extension" in number
        for appearance in MADE
        if systems()[appearance.system].kind == kind
        for number in appearance.patient["identifier"][1:]
        if not number["system"].endswith("ehr-number")
    )
    share = float(shares()[f"verified-{kind}"].share)
    assert abs(verified[True] / verified.total() - share) < 0.02


def test_western_names_are_as_common_as_the_survey_found():
    chinese = [person for person in PEOPLE if person.region == "hong-kong" and person.han]
    assert abs(sum(bool(person.western) for person in chinese) / len(chinese) - 0.258) < 0.04
    assert abs(sum(bool(person.called) for person in chinese) / len(chinese) - 0.383) < 0.04


def test_chan_is_as_common_as_said():
    heads = [person for person in PEOPLE if person.region == "hong-kong" and person.han]
    share = sum(person.han is not None and person.han.surname == "陳" for person in heads) / len(heads)
    assert abs(share - 0.1011) < 0.03


def share_apart(found: Counter[str], expected: dict[str, float]) -> float:
    """Half the sum of what shares differ by: the part of the people who would have to be others."""
    total, whole = found.total(), sum(expected.values())
    return sum(abs(found[key] / total - share / whole) for key, share in expected.items()) / 2


@pytest.mark.parametrize(("region", "most"), [("hong-kong", 0.13), ("guangdong", 0.17)])
def test_surnames_come_by_their_shares(region: str, most: float):
    """A draw of as many from the table itself is nine and thirteen in a hundred apart."""
    found = Counter(person.han.surname for person in PEOPLE if person.region == region and person.han)
    assert share_apart(found, {han: float(share) for han, share in surnames(region).items()}) < most


@pytest.mark.parametrize("region", ["hong-kong", "macao", "guangdong"])
def test_places_come_by_their_people(region: str):
    """Families live in one place, so there are fewer draws than people."""
    found = Counter(person.address.place.han for person in PEOPLE if person.region == region)
    assert share_apart(found, {place.han: place.people for place in place_tables()[region].rows}) < 0.12


def test_systems_of_the_first_appearance_come_by_their_shares():
    for region in ("hong-kong", "guangdong"):
        first = [appearances(person, CHANCE, count=1)[0] for person in PEOPLE if person.region == region]
        expected = {system.id: float(system.seen[region]) for system in systems().values()}
        assert share_apart(Counter(each.system for each in first), expected) < 0.05


def test_the_same_seed_gives_the_same_people_and_leaves_chance_alone():
    import random  # noqa: PLC0415

    before = random.getstate()
    first = [a.patient for p in people(5, 200) for a in appearances(p, Random(3))]
    chance = Random(3)
    again = [a.patient for p in people(5, 200) for a in appearances(p, chance)]
    assert [a for p in people(5, 200) for a in [p]] == list(people(5, 200))
    assert first[:3] == again[:3]
    assert random.getstate() == before


@pytest.mark.parametrize(("count", "rates"), [(0, 1.0), (21, 1.0), (1, -0.1), (1, float("nan")), (1, 101.0)])
def test_what_cannot_be_made_is_refused(count: int, rates: float):
    with pytest.raises(BadInput):
        appearances(PEOPLE[0], Random(1), count=count, rates=rates)
