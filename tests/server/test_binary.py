"""Binary as raw content: read, stored, safe in a browser, and a resource whenever FHIR is meant."""

import gzip
from base64 import b64encode
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.consent import Right
from kintung.errors import KintungError
from kintung.store.reader import Reader
from kintung.web.fhir.binary import brings_content, resource_of, wants_content
from kintung.web.fhir.request import Request
from kintung.web.limits import JsonLimits, Limits
from kintung.web.site import WebSettings
from tests.records import binary, patient
from tests.server.api import BASE, Api, Resource, outcome, persona
from tests.server.api import api as opened

FHIR = {"Accept": "application/fhir+json"}
PDF = b"%PDF-1.4\x00\xff"


def letter(id: str, data: bytes, media: str = "application/pdf", **more: object) -> Resource:
    held = {"data": b64encode(data).decode()} if data else {}
    return {"resourceType": "Binary", "id": id, "contentType": media, **held, **more}


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/pdf", "image/png", "text/html,application/xhtml+xml,*/*;q=0.8"]
)
def test_who_does_not_ask_for_fhir_gets_the_content(api: Api, accept: str) -> None:
    api.store(letter("b", PDF), letter("b", b"next", "text/plain; charset=utf-8"))
    for address, data, media in (
        ("Binary/b/_history/1", PDF, "application/pdf"),
        ("Binary/b", b"next", "text/plain; charset=utf-8"),
    ):
        answer = api.get(address, headers={"Accept": accept})
        assert (answer.status_code, answer.content) == (200, data)
        assert answer.headers["content-type"] == media
        shown = api.get(address, headers=FHIR)
        assert answer.headers["etag"] == shown.headers["etag"]
        head = api.call("HEAD", address, headers={"Accept": accept})
        assert (head.content, head.headers["content-length"]) == (b"", str(len(data)))
        unchanged = api.get(address, headers={"Accept": accept, "If-None-Match": answer.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("Binary/b", "application/fhir+json"),
        ("Binary/b", "application/json"),
        ("Binary/b", "text/html, application/fhir+json;q=0.1"),
        ("Binary/b?_format=json", "text/html"),
        ("Binary/b?_elements=data", "*/*"),
        ("Binary/b/_history/1?_format=application/fhir%2Bjson", "*/*"),
    ],
)
def test_who_asks_for_fhir_gets_the_resource(api: Api, path: str, accept: str) -> None:
    api.store(letter("b", PDF))
    answer = api.get(path, headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert answer.json()["data"] == b64encode(PDF).decode()
    assert "content-disposition" not in answer.headers


def test_fhir_in_xml_is_not_acceptable(api: Api) -> None:
    api.store(letter("b", PDF))
    for path, accept in (("Binary/b", "application/fhir+xml"), ("Binary/b?_format=xml", "*/*")):
        assert outcome(api.get(path, headers={"Accept": accept}))[:2] == (406, "not-supported")


def test_content_runs_nowhere(api: Api) -> None:
    """A page stored as a Binary is saved, not shown; were it shown, no script in it would run."""
    api.store(letter("b", b"<script>alert(1)</script>", "text/html"), letter("e", b""))
    headers = api.get("Binary/b").headers
    assert headers["content-type"] == "text/html"
    assert headers["content-disposition"] == "attachment"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cache-control"] == "no-store"
    empty = api.get("Binary/e")
    assert (empty.status_code, empty.content, empty.headers["content-length"]) == (200, b"", "0")
    assert empty.headers["content-type"] == "application/pdf"


@pytest.mark.parametrize(
    "media", ["not a type", "text/html\u00e9", "x", "text/plain; a", 'text/plain; a="\u0100"']
)
def test_a_type_that_is_none_is_never_a_header_field(api: Api, media: str) -> None:
    api.store(letter("b", PDF, media))
    assert api.get("Binary/b").headers["content-type"] == "application/octet-stream"


def test_content_is_stored_as_a_binary(api: Api) -> None:
    api.store(patient("p"))
    sent = {"content-type": "application/pdf", "X-Security-Context": "Patient/p"}
    created = api.post("Binary", PDF, headers=sent)
    assert created.status_code == 201
    id = created.json()["id"]
    stored = api.get(f"Binary/{id}", headers=FHIR).json()
    assert (stored["contentType"], stored["data"]) == ("application/pdf", b64encode(PDF).decode())
    assert stored["securityContext"] == {"reference": "Patient/p"}
    assert api.get(f"Binary/{id}").headers["x-security-context"] == "Patient/p"

    text = {**sent, "content-type": "text/plain;   charset=utf-8"}
    changed = api.put(f"Binary/{id}", "陳".encode(), headers=text)
    assert (changed.status_code, changed.headers["etag"]) == (200, 'W/"2"')
    assert api.get(f"Binary/{id}").content == "陳".encode()
    assert api.get(f"Binary/{id}").headers["content-type"] == "text/plain; charset=utf-8"
    stale = api.put(f"Binary/{id}", b"x", headers={**text, "If-Match": 'W/"1"'})
    assert outcome(stale)[:2] == (412, "conflict")


def test_content_that_is_a_persons_says_so_each_time(api: Api) -> None:
    api.store(patient("p"))
    sent = {"content-type": "application/pdf", "X-Security-Context": "Patient/p"}
    address = f"Binary/{api.post('Binary', PDF, headers=sent).json()['id']}"
    refused = api.put(address, PDF, headers={"content-type": "application/pdf"})
    assert outcome(refused) == (422, "business-rule", "Binary.securityContext")
    assert "X-Security-Context" in refused.text


def test_content_comes_as_gzip_too(api: Api) -> None:
    sent = {"content-type": "text/plain", "content-encoding": "gzip"}
    created = api.post("Binary", gzip.compress(b"x" * 9_000), headers=sent)
    assert api.get(f"Binary/{created.json()['id']}").content == b"x" * 9_000


def test_whose_content_is_says_x_security_context(api: Api) -> None:
    api.store(patient("a"), patient("b"))
    api.personas["of a"] = persona("of a", api.grant(1, "a"), Right.VIEW, Right.DEPOSIT)
    api.personas["of b"] = persona("of b", api.grant(2, "b"), Right.VIEW, Right.DEPOSIT)
    sent = {"content-type": "text/plain", "X-Security-Context": "Patient/a"}
    created = api.post("Binary", b"secret", headers=sent, persona="of a")
    address = f"Binary/{created.json()['id']}"
    assert api.get(address, persona="of a").content == b"secret"
    hidden, absent = (api.get(path, persona="of b") for path in (address, "Binary/never"))
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.text.replace(address, "Binary/never") == absent.text
    moved = api.put(address, b"mine", headers={**sent, "X-Security-Context": "Patient/b"}, persona="of b")
    assert moved.status_code == 404


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"content-type": "application/x-www-form-urlencoded"}, (415, "not-supported")),
        ({"content-type": "multipart/form-data; boundary=x"}, (415, "not-supported")),
        ({"content-type": "application/fhir+xml"}, (415, "not-supported")),
        ({"content-type": "plain"}, (415, "not-supported")),
        ({"content-type": "text/plain", "X-Security-Context": "two words"}, (400, "value")),
        (
            {"content-type": "text/plain", "X-Security-Context": "Patient?identifier=1"},
            (400, "not-supported"),
        ),
        ({"content-type": "application/fhir+json", "X-Security-Context": "Patient/p"}, (400, "value")),
        ({"content-type": "application/json"}, (400, "structure")),
    ],
)
def test_what_cannot_be_content_is_refused(
    api: Api, headers: dict[str, str], refusal: tuple[int, str]
) -> None:
    assert outcome(api.post("Binary", b"{}", headers=headers))[:2] == refusal


def test_content_is_taken_for_binaries_alone(api: Api) -> None:
    for path in ("Patient", "Binary/$validate", ""):
        assert outcome(api.post(path, b"x", headers={"content-type": "text/plain"}))[0] == 415
    assert outcome(api.put("Patient/p", b"x", headers={"content-type": "text/plain"}))[0] == 415
    assert outcome(api.put("Binary/not!an!id", b"x", headers={"content-type": "text/plain"}))[0] in (400, 404)


@pytest.fixture
def small() -> Iterator[Api]:
    with opened(settings=WebSettings(limits=Limits(json=JsonLimits(bytes=2_000)))) as found:
        yield found


def test_content_keeps_to_the_limit_of_a_body(small: Api) -> None:
    plain = {"content-type": "text/plain"}
    assert small.post("Binary", b"x" * 1_000, headers=plain).status_code == 201
    for size in (1_999, 2_001):
        assert outcome(small.post("Binary", b"x" * size, headers=plain))[:2] == (413, "too-long")


def test_in_a_bundle_a_binary_is_a_resource(api: Api) -> None:
    api.store(patient("p"), binary("b", "Patient/p"))
    entries = [{"request": {"method": "GET", "url": url}} for url in ("Binary/b", "Binary/b/_history/1")]
    for kind in ("batch", "transaction"):
        answer = api.post("", {"resourceType": "Bundle", "type": kind, "entry": entries}).json()
        assert [each["resource"]["resourceType"] for each in answer["entry"]] == ["Binary", "Binary"]
    assert api.get("Binary").json()["entry"][0]["resource"]["data"] == "aGVsbG8="


FIELDS = st.dictionaries(
    st.sampled_from([b"accept", b"content-type", b"x-security-context"]),
    st.one_of(
        st.binary(max_size=30),
        st.from_regex(rb"[a-z*]+/[a-z+*]+(; ?[a-z]+=\"?[a-z ]*\"?)?", fullmatch=True),
        st.sampled_from([b"text/plain", b"application/fhir+json", b"Patient/1"]),
    ),
)


@given(
    FIELDS, st.binary(max_size=40), st.sampled_from(["GET", "POST", "PUT"]), st.sampled_from(["", "b", "!"])
)
def test_any_fields_are_understood_or_refused(
    fields: dict[bytes, bytes], body: bytes, method: str, id: str
) -> None:
    access = persona("any", Reader.everything())
    path = f"Binary/{id}" if id else "Binary"
    request = Request(method, path, "", fields, access, BASE, body, type="Binary", id=id)
    wants_content(request)
    try:
        if brings_content(request):
            assert resource_of(request, body).startswith(b'{"resourceType":"Binary"')
    except KintungError:
        pass
