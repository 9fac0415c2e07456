"""Words looked for in texts, and what the texts of a resource are."""

from typing import Any

import pytest

from kintung.fhir.search.narrative import content, narrative, told
from kintung.fhir.search.token_text import token_text
from kintung.fhir.search.words import AllOf, AnyOf, Phrase, Prose, phrase, said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bone", Phrase("bone")),
        ("Bone, LIVER!", AllOf((Phrase("bone"), Phrase("liver")))),
        ("a AND b", AllOf((Phrase("a"), Phrase("b")))),
        ("a or b c", AnyOf((Phrase("a"), AllOf((Phrase("b"), Phrase("c")))))),
        ('"a or b"', Phrase("a or b")),
        ('""a', Phrase("a")),
        (
            "(bone OR liver) and metastases",
            AllOf((AnyOf((Phrase("bone"), Phrase("liver"))), Phrase("metastases"))),
        ),
        ("2型 糖尿病", AllOf((Phrase("2型", spaced=False), Phrase("糖尿病", spaced=False)))),
        ('"2型 糖尿病"', Phrase("2型糖尿病", spaced=False)),
        ("5.4", Phrase("5 4")),
        ("under_score", Phrase("under score")),
        ("((a))", Phrase("a")),
    ],
)
def test_expressions(text: str, expected: object):
    assert said(text) == expected


@pytest.mark.parametrize(
    ("text", "asked", "found"),
    [
        ("Severe  headache", "headache", True),
        ("Severe headache", "ache", False),
        ("Severe headache", "severe head", True),
        ("Severe-headache", "SEVERE HEADACHE", True),
        ("Straße Nº 5", "strasse no 5", True),
        ("x\u0301 e\u0301", "x é", True),
        ("血壓 偏高", "血壓偏高", True),
        ("血壓（偏高）", "壓偏", True),
        ("ｶﾞﾙｼｱ", "ガルシア", True),
        ("か", "が", False),
        ("กี่ข", "กี่", True),
        ("ก", "กี", False),
        ("हिन्दी है", "हिन्दी", True),
        ("مُحَمَّد", "مُحَمَّد", True),
        ("bone", "bones", False),
    ],
)
def test_phrases(text: str, asked: str, found: bool):
    assert Prose([text]).says(phrase(asked)) == found


def test_words_of_two_texts_do_not_follow_each_other():
    prose = Prose(["severe", "headache 血", "壓"])

    assert not prose.says(phrase("severe headache"))
    assert not prose.says(phrase("血壓"))
    assert prose.says(said("headache severe"))


@pytest.mark.parametrize(
    ("div", "text"),
    [
        ("<div>a<br/>b</div>", "a b"),
        ("<p>H<sub class='x'>2</sub>O</p>", "H2O"),
        ("a &lt;b&gt; &amp;amp; &#x9673;", "a <b> &amp; 陳"),
        ("a<!-- <b> no -->c", "ac"),
        ("a<!-- unclosed", "a"),
        ("a < b > c", "a   c"),
        ("<bold>x</bold>y", "x y"),
        ("", ""),
    ],
)
def test_a_narrative_says_what_is_read(div: str, text: str):
    assert told(div).strip() == text


@pytest.mark.parametrize("piece", ["<", "<!--", "<!-- -->", "&", "&#", '<a "', "<b <i ", "_", "\u0301", "("])
def test_a_hostile_text_takes_time_in_proportion(piece: str):
    """A quadratic reading of so much would take hours."""
    Prose([told(piece * 100_000)])


def test_contents_are_all_strings_but_data():
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "text": {"status": "generated", "div": "<p>one</p>"},
        "contained": [{"resourceType": "Patient", "name": [{"given": ["two", None]}]}],
        "valueAttachment": {"data": "AAAA", "title": "three"},
        "valueQuantity": {"value": 5, "unit": "four"},
    }

    assert sorted(text.strip() for text in content(resource)) == sorted(
        ["Observation", "generated", "one", "Patient", "two", "three", "four"]
    )
    assert [text.strip() for text in narrative(resource)] == ["one"]
    assert list(narrative({"resourceType": "Observation"})) == []


def test_words_beside_codes():
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "meta": {"tag": [{"code": "t", "display": "Tag"}]},
        "code": {"text": "Code", "coding": [{"display": "Coding"}, {"code": "x"}]},
        "component": [{"code": {"text": "Part"}}],
        "identifier": [{"value": "1"}, {"type": {"text": "Kind", "coding": [{"display": "no"}]}}],
        "subject": {"identifier": {"type": {"text": "no"}}},
    }

    assert list(token_text(resource, "code")) == ["Code", "Coding"]
    assert sorted(token_text(resource, "combo-code")) == ["Code", "Coding", "Part"]
    assert list(token_text(resource, "identifier")) == ["Kind"]
    assert list(token_text(resource, "_tag")) == ["Tag"]
    assert list(token_text(resource, "status")) == []
