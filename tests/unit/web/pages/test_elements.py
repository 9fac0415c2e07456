"""What elements say in the language of a page: by a translation, by the name of a code, else as recorded."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.web.pages.language import Language, tongue
from kintung.web.pages.record.elements import TRANSLATION, concept, plain_code, told

HK, CN, EN = Language.HONG_KONG, Language.MAINLAND, Language.ENGLISH
SNOMED = "http://snomed.info/sct"


def translation(lang: str, content: str) -> dict[str, Any]:
    parts = [{"url": "lang", "valueCode": lang}, {"url": "content", "valueString": content}]
    return {"url": TRANSLATION, "extension": parts}


def beside(*translations: dict[str, Any]) -> dict[str, Any]:
    return {"extension": list(translations)}


DIABETES = {"system": SNOMED, "code": "44054006", "display": "Diabetes mellitus type 2"}
OWN = {"system": "http://clinic.example", "code": "dm", "display": "糖尿病二型"}
METFORMIN = {"system": "http://www.whocc.no/atc", "code": "A10BA02", "display": "metformin"}
SAID = {
    "text": "Walks well",
    "_text": beside(translation("zh-HK", "步行良好"), translation("zh-CN", "行走良好")),
}
OF_MAINLAND = {"text": "Walks well", "_text": beside(translation("zh-Hans", "行走良好"))}
ITS_DISPLAY = {
    "coding": [{"display": "Cough", "code": "1", "_display": beside(translation("zh", "咳嗽"))}]
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "language", "said"),
    [
        ({"coding": [DIABETES]}, HK, "二型糖尿病"),
        ({"coding": [DIABETES]}, CN, "2型糖尿病"),
        ({"coding": [DIABETES]}, EN, "Diabetes mellitus type 2"),
        ({"coding": [{**DIABETES, "display": ""}]}, EN, "Type 2 diabetes"),
        ({"coding": [OWN, DIABETES]}, HK, "糖尿病二型"),
        ({"coding": [OWN, DIABETES]}, EN, "Diabetes mellitus type 2"),
        ({"coding": [OWN]}, EN, "糖尿病二型"),
        ({"coding": [DIABETES], "text": "Diabetes mellitus type 2"}, HK, "二型糖尿病"),
        ({"coding": [METFORMIN], "text": "metformin 500 mg"}, HK, "metformin 500 mg（二甲雙胍）"),
        ({"coding": [DIABETES], "text": "糖尿病，有腎病"}, HK, "糖尿病，有腎病"),
        ({"coding": [DIABETES], "text": "糖尿病"}, EN, "糖尿病 (Diabetes mellitus type 2)"),
        (SAID, HK, "步行良好"),
        (SAID, CN, "行走良好"),
        (SAID, EN, "Walks well"),
        (OF_MAINLAND, HK, "行走良好"),
        (ITS_DISPLAY, CN, "咳嗽"),
        ({"coding": [{"system": "x", "code": "y", "display": "Unheard of"}]}, HK, "Unheard of"),
        ({"coding": [{"system": "x", "code": "y"}]}, HK, "y"),
        ({"text": "Free"}, HK, "Free"),
        (DIABETES, CN, "2型糖尿病"),
        ("AMB", HK, "AMB"),
        ({}, HK, ""),
        (None, HK, ""),
    ],
)
def test_a_concept_is_said_in_the_language_of_the_page_or_as_it_was_recorded(
    value: Any, language: Language, said: str
) -> None:
    assert concept(value, language) == said


def test_a_text_is_told_by_its_translation() -> None:
    name = {"name": "Clinic", "_name": beside(translation("zh-Hant-HK", "診所"))}
    assert [told(name, "name", each) for each in (HK, CN, EN)] == ["診所", "診所", "Clinic"]


def test_plain_codes_have_words_where_they_are_known() -> None:
    assert plain_code("status", "finished", HK) == "已完結"
    assert plain_code("status", "entered-in-error", EN) == "Entered in error"
    assert plain_code("status", "no-such", HK) == "no-such"
    assert plain_code("lotNumber", "active", HK) == "active"


@pytest.mark.parametrize(
    ("text", "language", "of"),
    [("Penicillin", HK, "en"), ("青黴素 Penicillin", HK, ""), ("青黴素", EN, HK.value),
     ("青黴素 P", EN, HK.value),
     ("青黴素 Penicillin", EN, ""), ("82 µmol/L", HK, ""), ("120", HK, ""), ("120", EN, ""), ("", CN, ""),
     ("Penicillin", EN, "")],
)  # fmt: skip
def test_what_is_not_in_the_script_of_the_page_is_marked(text: str, language: Language, of: str) -> None:
    assert tongue(text, language) == of


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.just(TRANSLATION),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["text", "_text", "coding", "display", "_display", "code", "system", "extension", "url",
                 "lang", "content", "valueCode", "valueString"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(value=JSON, language=st.sampled_from(list(Language)))
def test_nothing_that_may_stand_there_is_a_fault(value: Any, language: Language) -> None:
    assert isinstance(concept(value, language), str)
    assert isinstance(told(value, "text", language), str)


@given(text=st.text(min_size=1), language=st.sampled_from(list(Language)))
def test_a_text_without_codes_stays_as_it_was_recorded(text: str, language: Language) -> None:
    assert concept({"text": text}, language) == text
