"""_pretty, fhirVersion and the modes of metadata."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.web.fhir.answer import Answer
from kintung.web.fhir.headers import FHIR_JSON
from kintung.web.fhir.presentation import MOST_INDENTED, Presentation, presentation
from tests.records import binary, observation, patient
from tests.server.api import Api, outcome

FORM = {"content-type": "application/x-www-form-urlencoded"}
WEIGHT = (
    b'{"resourceType":"Observation","id":"o","status":"final","code":{'
    b'"text":"a\\/b\\u00e9, \xe9\x99\xb3: {}"},"valueQuantity":{"value":1.50E+2}}'
)


def unlinked(answer: Any) -> Any:
    """What is shown, without the address it was asked at."""
    return {name: value for name, value in answer.json().items() if name != "link"}


@pytest.mark.parametrize(
    "path",
    [
        "Observation/o",
        "Observation",
        "_history",
        "metadata",
        "openapi.json",
        "Patient/never",
        "nowhere",
        "Observation?x=y",
    ],
)
def test_pretty_adds_white_space_alone(api: Api, path: str) -> None:
    api.put("Observation/o", WEIGHT)
    joint = "&" if "?" in path else "?"
    plain, pretty = api.get(path), api.get(f"{path}{joint}_pretty=true")
    assert (pretty.status_code, unlinked(pretty)) == (plain.status_code, unlinked(plain))
    assert pretty.text.startswith('{\n  "')
    for other in ("_pretty=false", "_pretty="):
        shown = api.get(f"{path}{joint}{other}")
        assert (unlinked(shown), "\n" in shown.text) == (unlinked(plain), False)


@pytest.mark.parametrize(
    "path", ["Patient?_count=1&", "_history?_count=1&", "Patient/p/$everything?_count=1&"]
)
def test_each_page_is_shown_as_the_first(api: Api, path: str) -> None:
    api.store(patient("q"), patient("p"), observation("o", "p"))
    page = api.get(f"{path}_format=json&_pretty=true", headers={"Accept": "text/html"})
    for _ in range(2):
        assert page.status_code == 200
        assert page.text.startswith('{\n  "')
        links = {link["relation"]: link["url"] for link in page.json()["link"]}
        assert all(link.endswith("_format=json&_pretty=true") for link in links.values())
        again = api.get(links["self"], headers={"Accept": "text/html"})
        assert again.json()["entry"] == page.json()["entry"]
        if "next" not in links:
            break
        page = api.get(links["next"], headers={"Accept": "text/html"})


def test_a_form_says_for_all_pages_how_they_are_shown(api: Api) -> None:
    api.store(patient("p"), patient("q"))
    first = api.post("Patient/_search", b"_count=1&_format=json", headers=FORM).json()
    onward = next(link["url"] for link in first["link"] if link["relation"] == "next")
    assert api.get(onward, headers={"Accept": "text/html"}).status_code == 200


def test_pretty_keeps_every_letter(api: Api) -> None:
    api.put("Observation/o", WEIGHT)
    for text in (
        api.get("Observation/o?_pretty=true").text,
        api.post("Observation/_search", b"_pretty=true", headers=FORM).text,
        api.get("Observation/o?_pretty=true", headers={"Accept-Encoding": "gzip"}).text,
    ):
        assert '"value": 1.50E+2' in text
        assert '"text": "a\\/b\\u00e9, 陳: {}"' in text


def test_a_stored_resource_is_shown_as_it_is_asked(api: Api) -> None:
    created = api.post("Patient?_pretty=true", {"resourceType": "Patient"})
    assert created.text.startswith('{\n  "resourceType": "Patient"')
    bundle = {"resourceType": "Bundle", "type": "batch"}
    assert api.post("?_pretty=true", bundle).text.startswith("{\n")


def test_content_is_not_indented(api: Api) -> None:
    api.store({**binary("b", "Patient/p"), "contentType": "application/json", "data": "e30="})
    assert api.get("Binary/b?_pretty=true").content == b"{}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_what_is_indented_is_the_same(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    shown = Presentation(is_indented=True).of(Answer(200, ((b"content-type", FHIR_JSON),), text))
    assert json.loads(shown.body) == value


def test_a_large_answer_stays_as_it_is() -> None:
    text = b"[" + b"1," * (MOST_INDENTED // 2) + b"1]"
    answer = Answer(200, ((b"content-type", FHIR_JSON),), text)
    assert Presentation(is_indented=True).of(answer) == answer


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_whatever_is_said_says_how_or_nothing(query: bytes, accept: bytes) -> None:
    for asked in (query, b"_pretty=true&" + query):
        presentation(asked, {b"accept": accept + b";fhirVersion=4.0"})


# --- the release ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "accept", "release"),
    [
        ("", "application/fhir+json; fhirVersion=4.0", "4.0"),
        ("", 'application/fhir+json;fhirVersion="4.0.1"', "4.0.1"),
        ("", "application/fhir+json; fhirVersion=5.0, application/fhir+json; fhirVersion=4.0; q=0.5", "4.0"),
        ("?_format=application/fhir%2Bjson;fhirVersion=4.0", "", "4.0"),
        ("?_format=json;%20fhirVersion=4.0", "application/fhir+json; fhirVersion=4.0.1", "4.0"),
        ("?_format=json", "application/fhir+json; fhirVersion=4.0", ""),
        ("", "application/fhir+json", ""),
        ("", "", ""),
    ],
)
def test_the_answer_is_in_the_release_asked_for(api: Api, query: str, accept: str, release: str) -> None:
    api.store(patient("p"))
    for path, status in (("Patient/p", 200), ("Patient", 200), ("metadata", 200), ("Patient/never", 404)):
        answer = api.get(f"{path}{query}", headers={"Accept": accept})
        assert answer.status_code == status
        said = f"; fhirVersion={release}" if release else ""
        assert answer.headers["content-type"] == f"{FHIR_JSON.decode()}{said}"


@pytest.mark.parametrize("release", ["3.0", "4.3", "5.0", "4", "4.0.2", "R4"])
def test_another_release_is_refused(api: Api, release: str) -> None:
    media = f"application/fhir+json; fhirVersion={release}"
    assert outcome(api.get("Patient", headers={"Accept": media}))[:2] == (406, "not-supported")
    assert outcome(api.get(f"Patient?_format=json;fhirVersion={release}"))[:2] == (406, "not-supported")
    sent = api.post("Patient", {"resourceType": "Patient"}, headers={"content-type": media})
    assert outcome(sent)[:2] == (415, "not-supported")
    r4 = media.replace(release, "4.0")
    assert api.post("Patient", {"resourceType": "Patient"}, headers={"content-type": r4}).status_code == 201


# --- metadata -------------------------------------------------------------------------


def test_the_statement_is_whole_in_every_mode_it_has(api: Api) -> None:
    whole = api.get("metadata").content
    for mode in ("full", "normative"):
        assert api.get(f"metadata?mode={mode}").content == whole
    assert outcome(api.get("metadata?mode=terminology")) == (400, "not-supported", "mode")
    assert outcome(api.get("metadata?mode=x")) == (400, "value", "mode")
    assert outcome(api.get("metadata?colour=red")) == (400, "not-supported", "colour")


def test_pretty_is_true_or_false(api: Api) -> None:
    api.store(patient("p"))
    for path in ("Patient/p", "Patient", "metadata", "openapi.json"):
        for value in ("maybe", "1", "TRUE"):
            assert outcome(api.get(f"{path}?_pretty={value}")) == (400, "value", "_pretty")


def test_the_openapi_document_takes_no_parameter_of_its_own(api: Api) -> None:
    assert outcome(api.get("openapi.json?x=1")) == (400, "not-supported", "x")


@pytest.mark.parametrize("release", ["3.0", "4.3", "5.0"])
def test_another_release_is_told_that_this_one_is_r4(api: Api, release: str) -> None:
    media = f"application/fhir+json; fhirVersion={release}"
    answers = [
        api.get(f"Patient?_format={media.replace('+', '%2B')}"),
        api.get("Patient", headers={"Accept": media}),
        api.post("Patient", {"resourceType": "Patient"}, headers={"content-type": media}),
        api.call("PATCH", "Patient/p", [], headers={"content-type": media}),
    ]
    assert [each.status_code for each in answers] == [406, 406, 415, 415]
    for each in answers:
        assert "FHIR R4 only" in each.text
