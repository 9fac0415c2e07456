"""What holds of matching whoever is compared."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kintung.identity.matching import (
    Result,
    blocking_keys,
    clusters,
    explain,
    likeness_keys,
    match,
    record,
    record_again,
    stored_keys,
)
from kintung.identity.matching.levels import COMPARISONS, CONTRADICTIONS, NOT_ON_CARD
from kintung.identity.matching.scores import is_seen
from tests.property.identity.matching.given import NUMBERS, PHONES, patients
from tests.scale import counts

RUN = settings(max_examples=counts(300, 10_000), deadline=None)


@RUN
@given(one=patients("a"), other=patients("b"))
def test_who_comes_first_is_all_one(one: dict[str, Any], other: dict[str, Any]) -> None:
    a, b = record(one), record(other)
    assert match(a, b) == match(b, a)
    assert explain(a, b) == explain(b, a)


@RUN
@given(one=patients("a"), other=patients("b"))
def test_certain_needs_one_number_on_both_and_no_contradiction(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    a, b = record(one), record(other)
    found = match(a, b)
    if found.result is Result.CERTAIN:
        agreed = set(zip((comparison.name for comparison in COMPARISONS), found.levels, strict=True))
        assert a.verified & b.verified or (is_seen(a, b) and agreed & NOT_ON_CARD)
        assert not CONTRADICTIONS.intersection(agreed)
    bare = {"identifier": [], "id": "a"}
    assert match(record(one | bare), b).result is not Result.CERTAIN


@RUN
@given(one=patients("a"), other=patients("b"), phone=st.sampled_from(PHONES), held=st.sampled_from(NUMBERS))
def test_what_agrees_besides_never_lowers_a_score(
    one: dict[str, Any], other: dict[str, Any], phone: dict[str, Any], held: dict[str, Any]
) -> None:
    def score(a: dict[str, Any], b: dict[str, Any]) -> float:
        return match(record(a), record(b)).score

    before = score(one, other)
    called = [each | {"telecom": [*each["telecom"], phone]} for each in (one, other)]
    assert score(*called) >= before
    numbered = [each | {"identifier": [*each["identifier"], held]} for each in (one, other)]
    assert score(*numbered) >= before - 1e-9


@RUN
@given(one=patients("a"))
def test_names_numbers_and_the_rest_may_stand_in_any_order(one: dict[str, Any]) -> None:
    turned = one | {member: one[member][::-1] for member in ("name", "identifier", "telecom", "address")}
    assert record(one) == record(turned)
    assert blocking_keys(record(one)) == blocking_keys(record(turned))


@RUN
@given(one=patients("a"), other=patients("b"))
def test_what_is_taken_again_is_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    for each in (one, other, one | {"id": "c"}, one | {"identifier": []}, one):
        assert record_again(each) == record(each)
    assert record_again(one, with_numbers=False) == record({**one, "identifier": []})


@RUN
@given(links=st.lists(st.tuples(*[st.sampled_from("abcdefgh")] * 2), max_size=12), seed=st.integers(0, 99))
def test_persons_do_not_depend_on_the_order_of_links(links: list[tuple[str, str]], seed: int) -> None:
    persons = clusters(links)
    turned = [(other, one) if index % 2 else (one, other) for index, (one, other) in enumerate(links)]
    shuffled = Random(seed).sample(turned, len(turned))
    assert clusters(shuffled) == persons
    assert all(persons[one] == persons[other] for one, other in links)
    assert all(persons[person] == person for person in persons.values())


@RUN
@given(one=patients("a"), other=patients("b"))
def test_who_shares_a_key_is_found_by_the_keys_that_are_stored(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """But for a whole name alone where the stored one has a birth date: without one, names are searched."""
    a, b = record(one), record(other)
    shared = likeness_keys(a) & likeness_keys(b)
    if b.birth is not None:
        shared = {key for key in shared if not key.startswith("g:") or key.count(":") > 2}
    assert bool(likeness_keys(a) & stored_keys(b)) == bool(shared)
    assert stored_keys(a) <= likeness_keys(a) <= blocking_keys(a)
