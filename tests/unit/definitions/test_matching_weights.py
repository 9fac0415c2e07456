"""The weights of matching: what is refused, and that those in force are for this version."""

import math
from datetime import date

import msgspec
import pytest

from kintung.definitions.matching import LevelWeight, MatchingWeights, load_weights, matching_weights
from kintung.errors import ValueInvalid
from kintung.identity.matching.levels import COMPARISONS
from kintung.identity.matching.weights import weights, weights_of


def changed(**members: object) -> MatchingWeights:
    return msgspec.structs.replace(matching_weights(), **members)


def test_the_latest_weights_are_in_force() -> None:
    later = changed(start=date(2030, 1, 1))
    assert load_weights({"a.yaml": matching_weights(), "b.yaml": later}) is later


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"surnames": {"陈": "0"}}, "is not above 0"),
        ({"surnames": {"陈": "1.1"}}, "at most 1"),
        ({"surnames": {"陈": "nan"}}, "is not above 0"),
        ({"certain": "much"}, "is not a number"),
        ({"certain": "1", "probable": "2"}, "probable is above"),
        ({"borne_out": "1"}, "certain is above"),
    ],
)
def test_what_is_no_share_or_score_is_refused(members: dict[str, object], message: str) -> None:
    with pytest.raises(ValueInvalid, match=message):
        load_weights({"a.yaml": changed(**members)})


def test_two_of_one_day_are_refused() -> None:
    with pytest.raises(ValueInvalid, match="one day"):
        load_weights({"a.yaml": matching_weights(), "b.yaml": matching_weights()})


def test_weights_of_other_levels_are_refused() -> None:
    without = {name: ladder for name, ladder in matching_weights().comparisons.items() if name != "sex"}
    with pytest.raises(ValueInvalid, match="not for the levels"):
        weights_of(changed(comparisons=without))
    more = matching_weights().comparisons | {"sex": {"same": LevelWeight("0.9", "0.5")}}
    with pytest.raises(ValueInvalid, match="not for the levels"):
        weights_of(changed(comparisons=more))


def test_no_partial_agreement_weighs_more_than_being_the_same() -> None:
    for comparison, bits in zip(COMPARISONS, weights().bits, strict=True):
        if not any(level.by_frequency for level in comparison.levels):
            assert max(bits.values()) <= bits["same"] + 1e-6, comparison.name


def test_shares_of_a_comparison_are_of_all_pairs() -> None:
    for name, ladder in matching_weights().comparisons.items():
        for which in ("m", "u"):
            total = sum(float(getattr(level, which)) for level in ladder.values())
            assert math.isclose(total, 1, abs_tol=0.001), (name, which)
