"""Names of codes: sourced, in three languages, each code once."""

from datetime import date

import pytest

from kintung.definitions.code_names import CodeName, CodeNames, code_names, load_code_names, name_in, name_of
from kintung.definitions.measurements import LOINC, measured
from kintung.errors import ValueInvalid


def test_each_is_named_in_three_languages_and_says_its_source() -> None:
    assert sum(len(group.codes) for group in code_names()) > 150
    for group in code_names():
        assert group.source
        for each in group.codes:
            assert all((each.code, each.en, each.zh_hk, each.zh_cn)), each


def test_what_measurements_are_is_known_by_their_codes() -> None:
    assert all(name_of(LOINC, code) is not None for code in measured())
    pressure = name_of(LOINC, "85354-9")
    assert pressure is not None
    assert (pressure.en, pressure.zh_hk) == ("Blood pressure", "血壓")
    assert name_of("http://elsewhere.example", "85354-9") is None
    assert name_in("status", "final") is not None
    assert name_in("text", "final") is None


HEAD = CodeName("1", "a", "b", "c")


@pytest.mark.parametrize(
    "group",
    [
        CodeNames(date(2026, 1, 1), "s", (HEAD, HEAD), systems=("x",)),
        CodeNames(date(2026, 1, 1), "s", (HEAD,)),
        CodeNames(date(2026, 1, 1), "s", (HEAD,), systems=("x",), elements=("y",)),
        CodeNames(date(2026, 1, 1), "", (HEAD,), systems=("x",)),
    ],
)
def test_what_cannot_be_meant_is_refused(group: CodeNames) -> None:
    with pytest.raises(ValueInvalid):
        load_code_names([group])
