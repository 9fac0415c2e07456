"""What HTTP adds: addresses, methods, formats, encodings, header fields, the other pages."""

import asyncio
import gzip
import json

import pytest

from kintung.errors import TooLong
from kintung.fhir.json import Limits as JsonLimits
from kintung.web.limits import Bodies, Incoming, Limits
from tests.records import patient
from tests.server.api import Api, outcome

NEW = {"resourceType": "Patient"}


@pytest.mark.parametrize(
    "path",
    [
        "Parrot",
        "Parrot/1",
        "Patient/1/name",
        "Patient/1/_history/1/x",
        "patient",
        "$everything",
        "_x",
        "Patient/",
    ],
)
def test_an_unknown_address_is_404(api: Api, path: str) -> None:
    assert outcome(api.get(f"{path}?"))[:2] == (404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "metadata", "GET, HEAD, OPTIONS"),
        ("POST", "Patient/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("DELETE", "metadata", "GET, HEAD, OPTIONS"),
        ("PUT", "", "GET, HEAD, OPTIONS, POST"),
        ("GET", "Patient/$validate", "OPTIONS, POST"),
        ("TRACE", "Patient", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.call(method, path, b"{}")
    # ``Patient/$validate`` is also the address of a resource whose id cannot be.
    assert outcome(answer)[:2] == (405, "not-supported")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200),
        ("application/json;q=0.5, text/html", 200),
        ("*/*", 200),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("application/fhir+json; fhirVersion=5.0", 406),
        ("application/fhir+xml", 406),
        ("application/xml, application/json;q=0", 406),
        ("image/png", 406),
        ("", 200),
    ],
)
def test_accept_must_leave_room_for_json(api: Api, accept: str, status: int) -> None:
    api.store(patient("p"))
    answer = api.get("Patient/p", headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/fhir+json")


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("json", 200),
        ("application/fhir+json", 200),
        ("application/fhir%2Bjson", 200),
        ("xml", 406),
        ("", 406),
    ],
)
def test_format_is_heard_before_accept(api: Api, value: str, status: int) -> None:
    api.store(patient("p"))
    for path in ("Patient/p", "Patient", "Patient/p/_history", "metadata"):
        answer = api.get(f"{path}?_format={value}", headers={"Accept": "application/xml"})
        assert answer.status_code == status, path


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/fhir+json; charset=UTF-8", 201),
        ("application/json", 201),
        ("", 201),
        ("application/fhir+xml", 415),
        ("text/plain", 415),
        ("application/json; charset=big5", 415),
        ("application/fhir+json; fhirVersion=5.0", 415),
    ],
)
def test_a_body_is_json_in_utf8(api: Api, content_type: str, status: int) -> None:
    assert api.post("Patient", NEW, headers={"content-type": content_type}).status_code == status


def test_a_search_form_is_a_form(api: Api) -> None:
    refused = api.post("Patient/_search", b"{}", headers={"content-type": "application/json"})
    assert outcome(refused)[:2] == (415, "not-supported")
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert outcome(api.post("Patient/_search", b"family=\xff", headers=form))[:2] == (400, "value")
    assert outcome(api.post("Patient/_search", b"_format=xml", headers=form))[:2] == (406, "not-supported")
    long = b"family=" + b"a" * 40_000
    assert outcome(api.post("Patient/_search", long, headers=form))[:2] == (413, "too-long")


def test_gzip_goes_both_ways(api: Api) -> None:
    large = patient("p", "Chan" * 1_000)
    packed = gzip.compress(json.dumps(large).encode())
    stored = api.put("Patient/p", packed, headers={"Content-Encoding": "gzip"})
    assert stored.status_code == 201
    plain = api.get("Patient/p", headers={"Accept-Encoding": "identity"})
    zipped = api.get("Patient/p", headers={"Accept-Encoding": "gzip"})
    assert (plain.headers.get("content-encoding"), zipped.headers["content-encoding"]) == (None, "gzip")
    assert zipped.content == plain.content
    assert int(zipped.headers["content-length"]) < len(plain.content) / 10


@pytest.mark.parametrize(
    ("accept", "is_packed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("*;q=0, gzip;q=0.001", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("br, gzip; Q=0.000", False),
        ("*, gzip;q=0", False),
        ("xgzip", False),
        ("gzipped, br", False),
        ("", False),
    ],
)
def test_gzip_is_sent_to_who_takes_it(api: Api, accept: str, is_packed: bool) -> None:
    answer = api.get("metadata", headers={"Accept-Encoding": accept})
    assert ("content-encoding" in answer.headers) == is_packed


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        (b"no gzip", "gzip", (400, "invalid")),
        (gzip.compress(b'{"resourceType":"Patient"}', mtime=0)[:-9], "gzip", (400, "invalid")),
        (b"{}", "br", (415, "not-supported")),
        (gzip.compress(b'{"resourceType":', mtime=0) + gzip.compress(b'"Patient"}', mtime=0), "gzip", None),
        (b'{"resourceType":"Patient"}', "identity", None),
    ],
)
def test_an_encoding_is_what_it_says(
    api: Api, body: bytes, encoding: str, expected: tuple[int, str] | None
) -> None:
    answer = api.post("Patient", body, headers={"Content-Encoding": encoding})
    if expected is None:
        assert answer.status_code == 201
    else:
        assert outcome(answer)[:2] == expected


def test_a_gzip_of_nothing_over_and_over_is_refused(api: Api) -> None:
    nothing = gzip.compress(b"", mtime=0) * 5_000
    answer = api.post("Patient", nothing, headers={"Content-Encoding": "gzip"})
    assert outcome(answer)[:2] == (413, "too-long")
    large = gzip.compress(b'{"resourceType":"Patient"', mtime=0) + gzip.compress(b" " * 50_000) * 30
    answer = api.post("Patient", large + gzip.compress(b"}", mtime=0), headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 201


def test_what_is_received_counts_too_where_it_inflates_to_nothing() -> None:
    empty_blocks = gzip.compress(b"", mtime=0)[:10] + b"\x00\x00\x00\xff\xff" * 300
    parts = [empty_blocks[at : at + 100] for at in range(0, len(empty_blocks), 100)]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    bodies = Bodies(Limits(json=JsonLimits(bytes=1_000)))
    with pytest.raises(TooLong):
        asyncio.run(bodies.read(Incoming(receive), {b"content-encoding": b"gzip"}))
    assert parts


def test_no_answer_is_kept_by_a_cache(api: Api) -> None:
    api.store(patient("p"))
    for answer in (
        api.get("Patient/p"),
        api.get("Patient/none"),
        api.get("Patient"),
        api.delete("Patient/p"),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_header_fields_sent_twice_are_one_list(api: Api) -> None:
    api.store(patient("p"))
    sent = [(b"If-None-Match", b'W/"7"'), (b"If-None-Match", b'W/"1"')]
    assert api.get("Patient/p", headers=sent).status_code == 304


def test_header_fields_have_a_limit(api: Api) -> None:
    assert outcome(api.get("metadata", headers={"x-long": "a" * 70_000}))[:2] == (431, "too-long")


def test_the_host_is_believed_only_when_it_is_one(api: Api) -> None:
    created = api.post("Patient", NEW, headers={"Host": "other.example:8080"})
    assert created.headers["location"].startswith("http://other.example:8080/fhir/Patient/")
    odd = api.post("Patient", NEW, headers={"Host": 'a"b<c>'})
    assert odd.headers["location"].startswith("http://localhost/fhir/Patient/")


def test_validate_says_what_is_wrong_and_stores_nothing(api: Api) -> None:
    sent = {"resourceType": "Patient", "gender": "x"}
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": sent}]}
    for path, body in (("$validate", sent), ("Patient/$validate", wrapped), ("Patient/p/$validate", sent)):
        answer = api.post(path, body)
        assert outcome(answer) == (200, "code-invalid", "Patient.gender")
    assert api.get("Patient?_total=accurate").json()["total"] == 0


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("Patient/$validate", b"{", "structure"),
        ("Patient/$validate", b"", "structure"),
        ("Patient/$validate", b"[" * 100_000, None),
        ("Patient/$validate", {"resourceType": "Group"}, "structure"),
        ("$validate", {"resourceType": "Parrot"}, None),
        ("$validate", {}, None),
        ("$validate", {"resourceType": "Parameters", "parameter": [{"name": "x"}]}, "structure"),
        ("$validate", {"resourceType": "Parameters", "parameter": 1}, None),
        ("Parameters/$validate", {"resourceType": "Parameters"}, "informational"),
        ("Patient/$validate", patient("p"), "informational"),
    ],
)
def test_validate_answers_200_whatever_came(api: Api, path: str, body: object, code: str | None) -> None:
    found = outcome(api.post(path, body))
    assert found[:2] == (200, code or found[1])


@pytest.mark.parametrize(
    ("name", "value"),
    [("profile", "http://example.org/p"), *(("mode", mode) for mode in ("create", "update", "delete", "x"))],
)
def test_what_is_not_checked_is_refused(api: Api, name: str, value: str) -> None:
    """200 would say that it was: 4xx, that the validation itself could not be performed."""
    kind = "valueUri" if name == "profile" else "valueCode"
    parameters = [{"name": "resource", "resource": NEW}, {"name": name, kind: value}]
    body = {"resourceType": "Parameters", "parameter": parameters}
    for path in ("$validate", "Patient/$validate", "Patient/p/$validate"):
        refusal = (400, "not-supported", "Parameters.parameter[1]")
        assert outcome(api.post(path, body)) == refusal
        for sent in (NEW, b"", b"{"):
            assert outcome(api.post(f"{path}?{name}={value}&_format=json", sent)) == (
                400,
                "not-supported",
                name,
            )
    assert outcome(api.post("Parameters/$validate", body))[0] == 200  # there it is what is validated


def test_a_parameter_of_validate_must_be_one_it_has(api: Api) -> None:
    assert outcome(api.post("$validate?colour=red", NEW)) == (400, "not-supported", "colour")


def test_the_statement_is_valid_and_complete(api: Api) -> None:
    answer = api.get("metadata")
    statement = answer.json()
    checked = api.post("CapabilityStatement/$validate", answer.content).json()
    assert checked["issue"][0]["severity"] == "information", checked
    assert statement["fhirVersion"] == "4.0.1"
    (rest,) = statement["rest"]
    assert {each["name"]: each["type"] for each in rest["searchParam"]} == {
        "_content": "string", "_id": "token", "_lastUpdated": "date", "_list": "string", "_profile": "uri",
        "_security": "token", "_source": "uri", "_tag": "token",
    }  # fmt: skip
    assert {each["versioning"] for each in rest["resource"]} == {"versioned"}  # If-Match may be left out
    assert statement["patchFormat"] == ["application/json-patch+json", "application/fhir+json"]
    resources = {each["type"]: each for each in statement["rest"][0]["resource"]}
    assert len(resources) == 146
    codes = [each["code"] for each in resources["Patient"]["interaction"]]
    assert sorted(codes) == [
        "create", "delete", "history-instance", "history-type", "patch", "read", "search-type", "update",
        "vread",
    ]  # fmt: skip
    parameters = {each["name"]: each["type"] for each in resources["Patient"]["searchParam"]}
    assert parameters["birthdate"] == "date"
    documented = {
        (type, each["name"])
        for type, resource in resources.items()
        for each in resource["searchParam"]
        if "documentation" in each
    }
    assert ("Patient", "name") in documented
    assert {type for type, _ in documented} == {"Patient", "Person", "Practitioner", "RelatedPerson"}
    base = "http://hl7.org/fhir"
    assert [each.removeprefix(f"{base}/") for each in statement["rest"][0]["compartment"]] == [
        f"CompartmentDefinition/{code}"
        for code in ("device", "encounter", "patient", "practitioner", "relatedPerson")
    ]
    operations = {
        (type, each["name"]): each["definition"].rpartition("/")[2]
        for type, resource in resources.items()
        for each in resource["operation"]
        if each["name"] in ("everything", "lastn")
    }
    assert operations == {
        ("Encounter", "everything"): "Encounter-everything",
        ("Patient", "everything"): "Patient-everything",
        ("Observation", "lastn"): "Observation-lastn",
    }
    assert {each["code"] for each in statement["rest"][0]["interaction"]} == {
        "transaction", "batch", "search-system", "history-system"
    }  # fmt: skip


def test_every_search_parameter_of_the_statement_can_be_asked(api: Api) -> None:
    (statement,) = api.get("metadata").json()["rest"]
    asked = 0
    for resource in statement["resource"][::12]:
        for parameter in resource["searchParam"]:
            answer = api.get(f"{resource['type']}?{parameter['name']}:missing=true&_count=0")
            # They are no index rows, which may be missing: columns, or the text itself.
            otherwise = parameter["name"] in ("_id", "_lastUpdated", "_text", "_content", "near")
            assert answer.status_code == (400 if otherwise else 200), (
                resource["type"],
                parameter,
                answer.text,
            )
            asked += 1
    assert asked > 100


def test_the_openapi_document_has_type_where_several_types_are_searched(api: Api) -> None:
    taking = {
        each["operationId"]
        for path in api.get("openapi.json").json()["paths"].values()
        for each in path.values()
        if any(parameter["name"] == "_type" for parameter in each.get("parameters", ()))
    }
    searches = {"search-system", "search-system-post", "search-compartment", "search-compartment-post"}
    assert {name for name in taking if name.startswith("search")} == searches


def test_the_other_pages(api: Api) -> None:
    api.get("Patient/none")
    assert api.get("http://record.example/healthz").text == "ok\n"
    metrics = api.get("http://record.example/metrics").text
    assert 'kintung_requests_total{interaction="read",status="404"} 1' in metrics
    assert api.get("http://record.example/nothing").status_code == 404
    assert api.get("http://record.example/fhirx").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "Patient/p?_total=accurate"),
        ("GET", "Patient/p?_include=Patient:link"),
        ("GET", "Patient/p/_history/1?_since=2022"),
        ("POST", "Patient?_id=p"),
        ("PUT", "Patient/p?_id=p"),
        ("DELETE", "Patient/p?_id=q"),
        ("POST", "?_type=Patient"),
    ],
)
def test_a_parameter_the_address_does_not_take_is_refused(api: Api, method: str, path: str) -> None:
    api.store(patient("p"))
    answer = api.call(method, path, patient("p") if method in ("POST", "PUT") else None)
    name = path.split("?")[1].split("=", maxsplit=1)[0]
    assert outcome(answer) == (400, "not-supported", name)
    assert api.get("Patient/p?_format=json&_pretty=true").headers["etag"] == 'W/"1"'


@pytest.mark.parametrize("path", ["metadata", "openapi.json"])
def test_what_is_offered_is_offered_where_it_was_asked(api: Api, path: str) -> None:
    said = [api.get(f"http://{host}/fhir/{path}").text for host in ("a.example", "b.example:8080")]
    assert said[0].count('"http://a.example/fhir"') == 1
    assert said[0].replace("a.example", "b.example:8080") == said[1]
