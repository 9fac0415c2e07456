"""What the registry is told of a pair."""

from kintung.identity.judge import matched
from kintung.store.links import LinkKind
from tests.patients import name, number, patient

HKID = number("hkid", "A123456(3)")


def test_a_judge_gives_the_result_and_why_without_any_value() -> None:
    finding = matched(
        patient("a", name("陳", "大文"), identifier=[HKID]),
        patient("b", name("陈", "大文"), identifier=[HKID]),
    )
    assert finding.kind is LinkKind.CERTAIN
    assert finding.score > 4000
    assert "given same +9" in finding.why
    assert not any(value in finding.why for value in ("陳", "大文", "A123456", "1950"))


def test_one_number_on_two_people_is_for_a_steward() -> None:
    finding = matched(
        patient("a", name("陳", "大文"), identifier=[HKID]),
        patient("b", name("李", "美玲"), identifier=[HKID], birthDate="1981-11-09"),
    )
    assert finding.kind is LinkKind.PROBABLE


def test_nothing_alike_is_nothing() -> None:
    assert matched(patient("a"), patient("b", birthDate="1981-11-09")).kind is LinkKind.NOTHING
