"""Why a pair waits, from what the rule said of it."""

import pytest

from kintung.store.links import Link, LinkKind, Said
from kintung.web.pages.steward.reasons import ASKED, HELD, NO_NUMBER, NUMBER, reason


def of(why: str, found: LinkKind = LinkKind.PROBABLE) -> tuple[str, list[str]]:
    why_it_waits = reason(Link("a", "b", found), (Said(1, found, 4000, "rule", why, 0),))
    return why_it_waits.why, [term.label for term in why_it_waits.against]


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("number same +20.4, given same +9.7, birth swapped +8.7", NUMBER),
        ("surname same +5.2, given same +9.7, birth same +14.6", NO_NUMBER),
        ("no verified number in common", "no verified number in common"),
        ("", ASKED),
    ],
)
def test_why_a_pair_waits_of_which_nothing_is_against(why: str, said: str) -> None:
    assert of(why) == (said, [])


def test_what_is_most_against_is_named_first() -> None:
    assert of("number same +20.4, sex differs -5.7, birth differs -11.2, given part -1.1") == (
        "",
        ["Date of birth", "Sex"],
    )


def test_a_link_held_back_by_a_decision_says_so() -> None:
    assert of("number same +20.4", LinkKind.CERTAIN) == (HELD, [])
