"""Units and numbers as people write them: every digit that was stored, and no unit made up."""

import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.definitions.measurements import UCUM, measurements
from kintung.definitions.units import Symbol, Units, load_units, symbols, words
from kintung.errors import ValueInvalid
from kintung.web.pages.language import Language
from kintung.web.pages.units import notation, number, quantity

LANGUAGES = st.sampled_from(list(Language))
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12)
PARTS = st.sampled_from(
    ["m", "u", "mol", "L", "g", "/", ".", "10*9", "10^-3", "[Hg]", "[IU]", "[foo]", "{INR}", "{1.73_m2}", "2",
     "-1", "%", " ", "(", ")", "B12", "毫克", "x10^9", "Cel", "eq"]
)  # fmt: skip
CODES = st.lists(PARTS, max_size=6).map("".join) | st.text(max_size=12)


def amount(value: Any, code: str, **more: Any) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": code, **more}


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("mm[Hg]", "mmHg"),
        ("mmol/L", "mmol/L"),
        ("%", "%"),
        ("kg/m2", "kg/m²"),
        ("10*9/L", "10⁹/L"),
        ("x10^9/L", "10⁹/L"),
        ("10*-3/uL", "10⁻³/µL"),
        ("umol/L", "µmol/L"),
        ("u[IU]/mL", "µIU/mL"),
        ("mL/min/{1.73_m2}", "mL/min/1.73 m²"),
        ("ng/mL{FEU}", "ng/mL FEU"),
        ("cm[H2O]", "cmH₂O"),
        ("Cel", "°C"),
        ("s-1", "s⁻¹"),
        ("meq/L", "mEq/L"),
        ("{INR}", "INR"),
        ("spoons", "spoons"),
        ("B12", "B12"),
        ("p.o.", "p.o."),
        ("毫克", "毫克"),
        ("[foo]", "[foo]"),
        ("mg/[", "mg/["),
    ],
)
def test_a_unit_is_in_its_usual_notation_and_an_unknown_one_as_it_was_given(code: str, written: str) -> None:
    assert notation(code) == written


def test_the_units_of_measurements_are_written_as_their_definitions_say() -> None:
    assert [(each.id, notation(each.unit)) for each in measurements()] == [
        (each.id, each.shown) for each in measurements()
    ]


@pytest.mark.parametrize(
    ("value", "language", "said"),
    [
        (amount(Decimal("6.50"), "mmol/L"), Language.ENGLISH, "6.50 mmol/L"),
        (amount(1234567, "10*9/L", comparator="<="), Language.MAINLAND, "≤ 1,234,567 × 10⁹/L"),
        (amount(84, "d", unit="day"), Language.HONG_KONG, "84 日"),
        (amount(84, "d", unit="day"), Language.MAINLAND, "84 天"),
        (amount(1, "d"), Language.ENGLISH, "1 day"),
        (amount(7, "{score}", unit="{score}"), Language.HONG_KONG, "7 分"),
        (amount(7, "{score}", unit="{score}"), Language.ENGLISH, "7 points"),
        ({"value": 5, "unit": "spoons"}, Language.HONG_KONG, "5 spoons"),
        ({"value": 5, "unit": "d"}, Language.ENGLISH, "5 d"),
        (amount(5, "1"), Language.ENGLISH, "5"),
        (amount(5, "mg", unit="毫克"), Language.ENGLISH, "5 毫克"),
        ({"unit": "mg"}, Language.ENGLISH, ""),
        ({"value": True}, Language.ENGLISH, ""),
        ("5 mg", Language.ENGLISH, ""),
    ],
)
def test_a_quantity_is_said_in_a_line(value: Any, language: Language, said: str) -> None:
    line = quantity(value, language)
    assert line.replace("\u00a0", " ") == said
    assert " " not in line.removesuffix(said.rpartition(" ")[2]), "nothing is broken from its number"


@given(code=CODES)
def test_a_notation_says_it_with_the_same_figures_and_is_its_own(code: str) -> None:
    def figures(text: str) -> str:
        plain = unicodedata.normalize("NFKC", text)
        return "".join(sign for sign in plain if sign in "0123456789")

    assert figures(notation(code)) == figures(code)
    assert notation(notation(code)) == notation(code)


@given(value=DECIMALS | st.integers(-(10**15), 10**15), language=LANGUAGES)
def test_a_number_has_every_digit_that_was_stored(value: Decimal | int, language: Language) -> None:
    said = number(value, language)
    assert Decimal(said.replace(",", "")) == value
    if "E" not in said and isinstance(value, Decimal) and "E" not in str(value):
        assert said.replace(",", "") == str(value)


@given(
    digits=st.text("0123456789", min_size=1, max_size=40), exponent=st.integers(-400, 400), language=LANGUAGES
)
def test_no_number_that_is_accepted_is_too_long_or_another(
    digits: str, exponent: int, language: Language
) -> None:
    value = Decimal(f"{digits}E{exponent}")
    said = number(value, language)
    assert Decimal(said.replace(",", "")) == value
    assert len(said) < 60


@given(
    value=st.dictionaries(
        st.sampled_from(["value", "unit", "code", "system", "comparator"]),
        st.none() | st.booleans() | st.integers() | DECIMALS | CODES | st.just(UCUM) | st.lists(st.none()),
    ),
    language=LANGUAGES,
)
def test_nothing_that_stands_in_a_quantity_is_a_fault(value: dict[str, Any], language: Language) -> None:
    assert isinstance(quantity(value, language), str)


def test_definitions_say_each_unit_once_and_in_three_languages() -> None:
    assert len(symbols()) > 15
    for each in words().values():
        assert all((each.one, each.en, each.zh_hk, each.zh_cn))
    twice = (Symbol("Cel", "°C"), Symbol("Cel", "C"))
    of = next(iter(measurements())).start
    for symbols_of, source in ((twice, "UCUM"), (twice[:1], "")):
        with pytest.raises(ValueInvalid):
            load_units([Units("units.ucum", of, source, symbols_of, ())])
