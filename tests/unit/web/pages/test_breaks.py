"""Where lines are broken: what may be, what stays whole, and that nothing is lost by it."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from kintung.web.pages.breaks import code, phrases, shell, type_name


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("經同意互通", "經同意互通"),
        ("One record, shared by consent", "One record, shared by consent"),
        (
            "一份紀錄，經同意互通",
            '<span class="phrase">一份紀錄，</span><span class="phrase">經同意互通</span>',
        ),
        ("<b>，</b>", '<span class="phrase">&lt;b&gt;，</span><span class="phrase">&lt;/b&gt;</span>'),
        ("", ""),
    ],
)
def test_chinese_is_broken_after_a_comma_first(text: str, written: str) -> None:
    assert phrases(text) == written


def shown(written: str) -> str:
    """``|`` where a line may be broken, brackets around what stays whole."""
    marked = written.replace("<wbr>", "|").replace('<span class="phrase">', "[").replace("</span>", "]")
    return unescape(marked)


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("GET /fhir/{type}/{id}/_history/{version}", "GET /fhir/|{type}/|{id}/|_history/|{version}"),
        ("GET /fhir/{type}/{id}/$validate", "GET /fhir/|{type}/|{id}/|$validate"),
        ("http://hl7.org/fhir/x", "http://|hl7.org/|fhir/|x"),
        ("tests/server/test_record_pages.py", "tests/|server/|test_|record_|pages.py"),
        ("a::b", "a::|b"),
        ("GET /fhir/Patient/$ihe-pix", "GET /fhir/|Patient/[$ihe-pix]"),
        ("1948-03-02", "[1948-03-02]"),
        ("read", "read"),
        ("", ""),
    ],
)
def test_a_code_is_broken_after_its_signs(text: str, broken: str) -> None:
    assert shown(code(text)) == broken


@pytest.mark.parametrize(
    ("line", "broken"),
    [
        ("curl -s http://x/fhir/metadata", "[curl] [-s] http://x/fhir/|metadata"),
        (
            "curl 'http://x/fhir/Observation?code=http://loinc.org%7C85354-9&_sort=-date'",
            "[curl] 'http://x/fhir/|Observation?[code=http://loinc.org|%7C85354-9&][_sort=-date']",
        ),
        ("'http://x/fhir/Patient/1/$everything'", "'http://x/fhir/|Patient/1/|$everything'"),
        ('\'{"a":"b","c":[{"d":1}]}\'', '[\'{"a":|"b",]["c":|[{"d":|1}]}\']'),
    ],
)
def test_a_line_of_a_shell_is_broken_between_its_parts(line: str, broken: str) -> None:
    assert shown(shell(line)) == broken


def test_the_name_of_a_type_is_broken_between_its_words() -> None:
    assert shown(type_name("MedicationRequest")) == "Medication|Request"
    assert shown(type_name("List")) == "List"


@given(st.text(max_size=60))
def test_nothing_is_lost_and_nothing_acts(text: str) -> None:
    for written in (phrases(text), code(text), shell(text), type_name(text)):
        assert re.sub('<wbr>|<span class="phrase">|</span>', "", written) == escape(text)
