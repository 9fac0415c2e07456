"""Bundles of requests: entries to requests, answers to entries, free of HTTP.

Source: http://hl7.org/fhir/R4/http.html#transaction and bundle.html.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import msgspec

from kintung.errors import Issue, KintungError, NotSupported, StructureInvalid, ValueInvalid
from kintung.fhir.json import BundleEntry, SplitBundle, split_bundle
from kintung.fhir.search import span
from kintung.fhir.structure import require_valid
from kintung.web.fhir.answer import Answer
from kintung.web.fhir.headers import FHIR_JSON, PLAIN, instant, last_modified
from kintung.web.fhir.request import Request
from kintung.web.site import Site

ORDER = ("DELETE", "POST", "PUT", "PATCH", "GET", "HEAD")
"""The order in which the standard has entries processed, whatever their place."""

_STORES = ("POST", "PUT")
_MINIMAL = b"return=minimal"
_PHRASES = {status.value: f"{status.value} {status.phrase}".encode() for status in HTTPStatus}
_FIELDS = {"ifMatch": b"if-match", "ifNoneMatch": b"if-none-match", "ifNoneExist": b"if-none-exist"}
_PLACES = {
    "If-Match": "request.ifMatch",
    "If-None-Match": "request.ifNoneMatch",
    "If-None-Exist": "request.ifNoneExist",
    "resourceType": "resource",
    "resource": "resource",
    "fullUrl": "fullUrl",
}
_OUTCOME = b'{"resourceType":"OperationOutcome"'


def received(site: Site, raw: bytes) -> SplitBundle:
    """Take a Bundle apart and check all of it that is not inside an entry's resource.

    Raises:
        BadInput: not a Bundle, over a limit, or not what its definition allows.
    """
    split = split_bundle(raw, site.limits.json)
    require_valid(split.envelope)
    return split


def entry_request(outer: Request, index: int, entry: BundleEntry) -> Request:
    """The request an entry carries; its caller, base and wishes are those of the whole.

    Raises:
        StructureInvalid: the entry has no request, or none with an address, or not the resource it is
            to store.
        ValueInvalid: its address is of another server.
    """
    asked = entry.request
    if asked is None:
        raise StructureInvalid("An entry of a batch or transaction needs a request.", path="request")
    if "url" not in asked:  # extensions alone satisfy its definition; "" is the base
        raise StructureInvalid("The request of an entry has a url.", path="request.url")
    url = str(asked["url"]).removeprefix(outer.base).lstrip("/")
    path, _, query = url.partition("?")
    if ":" in path:
        raise ValueInvalid("The address of an entry is under this server: Patient/1.", path="request.url")
    method = str(asked.get("method", ""))
    if entry.text is None and method in _STORES and not path.endswith("_search"):
        raise StructureInvalid(f"An entry with the method {method} needs a resource.", path="resource")
    return Request(
        method,
        unquote(path),
        query,
        _headers(outer, asked),
        outer.access,
        outer.base,
        entry.text or b"",
        entry.resource,
        f"{outer.part}#{index}",
    )


def _headers(outer: Request, asked: Mapping[str, Any]) -> dict[bytes, bytes]:
    """The preconditions of an entry as header fields. By default its answer is minimal."""
    headers = {field: str(asked[name]).encode() for name, field in _FIELDS.items() if name in asked}
    if "ifModifiedSince" in asked:
        headers[b"if-modified-since"] = last_modified(span(str(asked["ifModifiedSince"]), 0)[0])
    headers[b"prefer"] = outer.headers.get(b"prefer", _MINIMAL)
    key = outer.headers.get(b"idempotency-key")
    if key is not None:
        headers[b"idempotency-key"] = key
    return headers


def read_answer(request: Request, answer: Answer) -> Answer:
    """The answer to an entry that reads, as a Bundle may hold it: of HEAD without the resource.

    Raises:
        NotSupported: it is no FHIR resource.
    """
    if answer.body and dict(answer.headers).get(b"content-type") != FHIR_JSON:
        raise NotSupported("A Bundle holds FHIR resources; ask for this by itself.", path="request.url")
    return answer._replace(body=b"") if request.method == "HEAD" else answer


def at_entry(error: KintungError, index: int) -> KintungError:
    """The error with its paths leading through the entry it happened in; a copy, as others may hold it."""
    placed = type(error).__new__(type(error), *error.args)
    placed.__dict__.update(error.__dict__)
    placed.issues = tuple(
        Issue(issue.code, issue.message, _path(index, issue.path), issue.severity) for issue in error.issues
    )
    placed.path = placed.issues[0].path
    return placed


def _path(index: int, path: str | None) -> str:
    here = f"Bundle.entry[{index}]"
    if path is None:
        return here
    if path in _PLACES:
        return f"{here}.{_PLACES[path]}"
    first, dot, rest = path.partition(".")
    if first[:1].isupper():
        return f"{here}.resource{dot}{rest}"
    return f"{here}.{path}" if first == "request" else f"{here}.request.url"


def response(type: bytes, base: str, answers: Sequence[Answer]) -> Answer:
    """The Bundle of the answers, in the order of the requests."""
    prefix = f"{base}/".encode()
    entries = b",".join([_response_entry(prefix, answer) for answer in answers])
    body = b'{"resourceType":"Bundle","type":"%s"%s}' % (type, b',"entry":[%s]' % entries if entries else b"")
    keys = {key for answer in answers for key in answer.patient_keys}
    return Answer(200, PLAIN, body, tuple(keys))


def _response_entry(prefix: bytes, answer: Answer) -> bytes:
    said = [b'"status":"%s"' % _PHRASES[answer.status]]
    for name, value in answer.headers:
        if name == b"location":
            said.append(b'"location":%s' % _text(value.removeprefix(prefix)))
        elif name == b"etag":
            said.append(b'"etag":%s' % _text(value))
    if answer.at:
        said.append(b'"lastModified":"%s"' % instant(answer.at).encode())
    resource = b""
    if answer.body.startswith(_OUTCOME):
        said.append(b'"outcome":%s' % answer.body)
    elif answer.body:
        resource = b'"resource":%s,' % answer.body
    return b'{%s"response":{%s}}' % (resource, b",".join(said))


def _text(value: bytes) -> bytes:
    return msgspec.json.encode(value.decode("latin-1"))
