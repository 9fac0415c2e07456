"""A part of a resource: what each form keeps, letter for letter."""

import json
from typing import Any

import pytest

from kintung.errors import BadInput, KintungError, NotSupported, TooLong, ValueInvalid
from kintung.fhir.json import parse
from kintung.fhir.structure import is_valid
from kintung.fhir.subset import TAG_SYSTEM, Subset, elements_of, is_subsetted, subset, summary_of

TAG = {"system": TAG_SYSTEM, "code": "SUBSETTED"}
RAW = b"""{"resourceType":"Observation","id":"o","meta":{"versionId":"1"},
"text":{"status":"empty","div":"<p/>"},
"extension":[{"url":"http://x","valueCode":"a"}],
"modifierExtension":[{"url":"http://y","valueBoolean":true}],"status":"final","_status":{"id":"s"},
"code":{"text":"\\u0041 weight"},"subject":{"reference":"Patient/1"},"issued":"2022-10-19T00:00:00Z",
"valueQuantity":{"value":60.500,"unit":"kg"},"note":[{"text":"Fasting"}],
"component":[{"code":{"text":"x"},"valueInteger":1,"interpretation":[{"text":"high"}]}]}"""


def names(form: str, *elements: str) -> list[str]:
    part = Subset(form, frozenset(elements)).of(RAW)  # type: ignore[arg-type]
    return list(json.loads(part))


HEAD = ["resourceType", "id", "meta"]
DUE = ["modifierExtension", "status", "_status", "code"]


@pytest.mark.parametrize(
    ("form", "elements", "expected"),
    [
        ("true", (), [*HEAD, *DUE, "subject", "issued", "valueQuantity", "component"]),
        ("text", (), [*HEAD, "text", *DUE]),
        (
            "data",
            (),
            [*HEAD, "extension", *DUE, "subject", "issued", "valueQuantity", "note", "component"],
        ),
        ("elements", ("note",), [*HEAD, *DUE, "note"]),
        ("elements", ("value",), [*HEAD, *DUE, "valueQuantity"]),
        ("elements", ("id",), [*HEAD, *DUE]),
    ],
)
def test_what_each_form_keeps(form: str, elements: tuple[str, ...], expected: list[str]) -> None:
    assert names(form, *elements) == expected


def test_what_is_kept_keeps_its_bytes() -> None:
    part = Subset("true").of(RAW)
    assert b'"value":60.500' in part
    assert b"\\u0041 weight" in part


def test_a_summary_goes_into_elements() -> None:
    component = parse(Subset("true").of(RAW))["component"]
    assert component == [{"code": {"text": "x"}, "valueInteger": 1}]


def test_what_loses_all_goes_unless_it_is_required() -> None:
    attachment = {"data": "aGVsbG8="}
    reference = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": attachment}],
    }
    photo = {"resourceType": "Practitioner", "photo": [attachment, {"title": "a"}]}
    raw = json.dumps(reference).encode()

    assert parse(Subset("true").of(raw))["content"] == [{"attachment": attachment}]
    part = parse(Subset("true").of(json.dumps(photo).encode()))
    assert "photo" not in part or part["photo"] == [{"title": "a"}]
    assert is_valid(part)


def test_a_part_is_tagged_once_beside_the_tags_there_are() -> None:
    other = {"system": "http://x", "code": "SUBSETTED"}
    raw = json.dumps({"resourceType": "Patient", "meta": {"tag": [other]}, "gender": "male"}).encode()
    part = Subset("data").of(raw)

    assert parse(part)["meta"]["tag"] == [other, TAG]
    assert Subset("data").of(part) == part
    assert (is_subsetted(parse(raw)), is_subsetted(parse(part))) == (False, True)


def test_elements_are_named_as_at_the_root() -> None:
    assert elements_of("value,value[x],valueQuantity,status", ("Observation",)) == {"value", "status"}
    assert elements_of("gender,status", ("Patient", "Observation")) == {"gender", "status"}
    assert elements_of("contentType", ()) == {"contentType"}


REFUSED: list[tuple[Any, type[KintungError]]] = [
    (lambda: elements_of("colour", ("Patient",)), NotSupported),
    (lambda: elements_of("status", ("Patient",)), NotSupported),
    (lambda: elements_of("name.family", ("Patient",)), NotSupported),
    (lambda: elements_of("", ("Patient",)), BadInput),
    (lambda: elements_of("id,", ("Patient",)), BadInput),
    (lambda: elements_of("id," * 100 + "id", ("Patient",)), TooLong),
    (lambda: summary_of("True"), ValueInvalid),
    (lambda: subset("true", frozenset(("id",))), BadInput),
    (lambda: subset("count", frozenset(("id",))), BadInput),
]


@pytest.mark.parametrize(("ask", "error"), REFUSED)
def test_what_is_refused(ask: Any, error: type[KintungError]) -> None:
    with pytest.raises(error) as refusal:
        ask()
    assert refusal.value.path in ("_elements", "_summary")


def test_a_whole_resource_is_no_part() -> None:
    assert subset(None, None) is subset("false", None) is subset("count", None) is None
    assert subset("false", frozenset(("id",))) == Subset("elements", frozenset(("id",)))
