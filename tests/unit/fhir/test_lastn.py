"""Grouping by code, ties and order of the last observations."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.fhir.lastn import Observed, codes_of, last


def coded(*codes: str) -> frozenset[object]:
    return frozenset(("http://loinc.org", code) for code in codes)


@pytest.mark.parametrize(
    ("codes", "groups"),
    [
        (("a", "b", "c"), 3),
        (("a", "b", "ac"), 2),
        (("a", "b", "ab"), 1),
        (("ab", "cd", "bc", "e"), 2),
        (("a", "a", "a"), 1),
    ],
)
def test_codes_are_equal_by_way_of_others(codes: tuple[str, ...], groups: int) -> None:
    """The table of the standard, and one step more."""
    observed = [Observed(place, coded(*each)) for place, each in enumerate(codes)]

    assert len(last(observed, 1)) == groups


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ({"coding": [{"system": "s", "code": "a"}, {"code": "b"}], "text": "T"}, {("s", "a"), (None, "b")}),
        ({"text": "Text"}, {"Text"}),
        ({"coding": [{"system": "s"}], "text": "t e x t"}, {"t e x t"}),
        ({"coding": [{"display": "only"}]}, set()),
    ],
)
def test_what_an_observation_is_grouped_by(code: dict[str, object], wanted: set[object]) -> None:
    assert codes_of({"resourceType": "Observation", "code": code}) == wanted


def test_texts_are_equal_letter_for_letter() -> None:
    texts = [Observed(1, frozenset({text})) for text in ("textM", "Text", "t e x t", "Text")]

    assert last(texts, 1) == [0, 1, 2, 3], "the second and the last are of one time"
    assert last([*texts[:3], Observed(2, frozenset({"Text"}))], 1) == [3, 0, 2]


def test_what_is_of_the_same_time_as_the_last_taken_is_taken() -> None:
    observed = [Observed(at, coded("a")) for at in (1, 5, 3, 3, 2)]

    assert last(observed, 1) == [1]
    assert last(observed, 2) == [1, 2, 3]
    assert last(observed, 3) == [1, 2, 3]
    assert last(observed, 4) == [1, 2, 3, 4]


def test_what_has_no_time_comes_last_and_is_no_tie() -> None:
    observed = [Observed(at, coded("a")) for at in (None, None, 3)]

    assert last(observed, 1) == [2]
    assert last(observed, 2) == [2, 0]


def test_what_has_no_code_is_alone() -> None:
    assert last([Observed(1, frozenset()), Observed(2, frozenset())], 1) == [1, 0]


def test_numbers_and_texts_do_not_meet() -> None:
    assert len(last([Observed(1, frozenset({"a"})), Observed(2, frozenset({(None, "a")}))], 1)) == 2


OBSERVED = st.lists(
    st.builds(
        Observed,
        st.none() | st.integers(0, 5),
        st.frozensets(st.sampled_from("abcdef"), max_size=3).map(lambda codes: coded(*codes)),
    ),
    max_size=12,
)


@given(OBSERVED, st.integers(1, 4))
def test_it_is_what_a_plain_loop_gives(observed: list[Observed], most: int) -> None:
    """Groups are merged while any two share a code; of each the last, with ties."""
    groups = [({place}, set(one.codes)) for place, one in enumerate(observed)]
    while pair := next((p for p in combinations(groups, 2) if p[0][1] & p[1][1]), None):
        groups = [group for group in groups if group is not pair[0] and group is not pair[1]]
        groups.append((pair[0][0] | pair[1][0], pair[0][1] | pair[1][1]))
    wanted: set[int] = set()
    for places, _ in groups:
        for place in places:
            at = observed[place].effective
            later = [
                other
                for other in places
                if (observed[other].effective, at) != (None, None)
                and (at is None or (observed[other].effective or -1) > at)
            ]
            same = [
                other
                for other in places
                if at is None and observed[other].effective is None and other < place
            ]
            if len(later) + len(same) < most:
                wanted.add(place)
    found = last(observed, most)

    assert set(found) == wanted
    assert len(found) == len(wanted)
    ends = [observed[place].effective for place in found]
    assert ends == sorted(ends, key=lambda at: (at is None, -(at or 0)))
