"""Whatever the seed and the rates: people are whole, records valid, and the truth is told."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kintung.definitions.corruptions import corruptions
from kintung.fhir.structure import validate
from kintung.synth import appearances, people, seeded
from kintung.synth.corruptions import CORRUPTIONS, befall
from kintung.synth.demography import apportioned, shares_of_groups
from tests.unit.synth.given import drafts

SEEDS = st.integers(0, 2**63 - 1)
RATES = st.floats(0, 100, allow_nan=False)
DRAFTS = drafts(300)


@given(SEEDS, st.integers(1, 60), st.integers(1, 20), RATES)
def test_every_person_appears_as_often_as_asked_with_the_truth_of_each(
    seed: int, count: int, times: int, rates: float
):
    chance, ids = seeded(seed), Counter[str]()
    for person in people(seed, count):
        made = appearances(person, chance, count=times, rates=rates)
        assert len(made) == times
        for appearance in made:
            ids[appearance.patient["id"]] += 1
            assert appearance.person == person.id
            assert len(set(appearance.corruptions)) == len(appearance.corruptions)
            assert set(appearance.corruptions) <= corruptions().keys()
            assert appearance.patient["name"]
        assert validate(made[0].patient) == []
    assert ids.total() == len(ids) == count * times


@given(SEEDS, st.sampled_from(DRAFTS), st.sampled_from(list(CORRUPTIONS)))
def test_a_corruption_that_could_not_be_left_the_record_alone(seed, draft, id):
    """And one that could changed the elements that its definition names, whatever the chance."""
    before, after = draft.copy(), draft.copy()
    changed = CORRUPTIONS[id](after, seeded(seed))
    one, other = before.patient(), after.patient()
    differing = {name for name in {*one, *other} if one.get(name) != other.get(name)}
    assert differing == (set(corruptions()[id].changes) if changed else set())


@given(SEEDS, st.sampled_from(DRAFTS), RATES)
def test_all_that_befalls_a_record_is_told(seed, draft, rates):
    """What differs from the record without errors are the elements of the corruptions told."""
    before, after = draft.copy(), draft.copy()
    told = befall(after, rates, seeded(seed))
    one, other = before.patient(), after.patient()
    differing = {name for name in {*one, *other} if one.get(name) != other.get(name)}
    assert differing <= {element for id in told for element in corruptions()[id].changes}


@given(SEEDS, st.integers(1, 3_000))
def test_any_population_is_within_a_person_of_the_tables(seed: int, count: int):
    groups = apportioned(seeded(seed))
    made = Counter(next(groups) for _ in range(count))
    assert all(abs(made[group] - share * count) < 2 for group, share in shares_of_groups().items())


@given(SEEDS)
def test_a_seed_says_it_all(seed: int):
    first, second = (
        [appearance.patient for person in people(seed, 5) for appearance in appearances(person, chance)]
        for chance in (seeded(seed), seeded(seed))
    )
    assert first == second
