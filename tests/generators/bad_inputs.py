"""Random requests of which little is right: broken bytes, broken trees, names and values nobody means.

What comes out may by chance be right; most of it is not.
"""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from urllib.parse import quote

from kintung.fhir.search import parameters, resource_types
from tests.generators import requests
from tests.generators.requests import Call

# fmt: off
NASTY: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, -(2**63) - 1, 10**39, 0.1, -0.0, "", " ", "\n", "\u0000", "\ud800",
    "'", '"', "';--", "%", "\\", "$", "|", ",", "\u202e", "\ufeff", "陳大文", "Ａ", "é", "e\u0301",
    "x" * 5_000, [], {}, [[]], [{}], {"": ""}, {"resourceType": "Patient"}, {"reference": "Patient/1"},
    {"reference": "#"},
    "2022-02-30", "0000", "9999-12-31T23:59:60Z", "2022-10-19T25:00:00+99:99", "1e999999", "NaN", "%00",
    "http://", "urn:uuid:", "javascript:alert(1)", "file:///etc/passwd", "${x}", "{{x}}", "__proto__",
    "Patient/../1",
)
NAMES = (
    "_id", "_lastUpdated", "_sort", "_count", "_total", "_summary", "_elements", "_include", "_revinclude",
    "_text", "_content", "_list", "_type", "_tag", "_profile", "_security", "_source", "_contained",
    "_cursor",
    "_filter", "_query", "_has", "_has:", "_has:Observation:subject:code", "_format", "_pretty", "_since",
    "_at", "__proto__", "constructor", "", ":", ".", "a.b.c.d.e", "subject:Patient.name:exact", "name:",
    "name:nothing", "near", "code-value-quantity", "component-code-value-quantity", "identifier:of-type",
    "subject:identifier", "code:text", "code:in", "code:below", "url:above", "date:missing", "'", "%",
    "x" * 300,
)
VALUES = (
    "", ",", ",,,", "|", "||", "|||", "a|b|c|d", "$", "$$", "\\", "\\,", "\\x", "'", "';drop table x", "%",
    "gt", "ge2022", "ap", "eb2022-13", "2022-10-19T", "1e400", "ge1e40", "5.4||", "5||mg", "nan", "-",
    "--date",
    "true", "false", "null", "Patient/1", "Patient/", "/1", "http://x", "#x", "Observation:subject", "*",
    "*:*",
    "Observation:subject:Nothing", "999999999999999999999", "-1", "0", "count", "text", "22.3|114.1|1|km",
    "_",
    "陳大文", "Ａ", "\u202e", "x" * 5_000, ",".join("abc" * 300), "a AND b", '"', "(", "urn:oid:1|1",
)
TYPES = tuple(sorted(resource_types()))
PATHS = (
    "", "metadata", "$x", "_search", "_history", "Patient", "Patient/1", "Patient/1/_history",
    "Patient/_search", "Patient/1/_history/1", "Patient/1/_history/x", "Patient/$validate",
    "Patient/1/$everything", "Patient/1/*", "Patient/1/Observation", "Observation/$lastn",
    "Patient/$everything", "Encounter/1/$everything", "$meta", "Patient/1/$meta-add", "Nothing",
    "Nothing/1",
    "Patient/..", "Patient/%00", "Patient//1", "patient/1", "é", "Patient/" + "x" * 65, "Patient/1/Nothing",
    "Binary/1", "Bundle", "Subscription", "openapi.json", "%2e%2e/x",
)
METHODS = ("GET", "GET", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "X")
FIELDS = (
    "accept", "content-type", "prefer", "if-match", "if-none-match", "if-modified-since", "if-none-exist",
    "idempotency-key", "content-encoding", "accept-encoding", "origin", "x-forwarded-for", "cookie",
    "range",
)
FIELD_VALUES = (
    "", "*", "*/*", "application/xml", "application/fhir+json; fhirVersion=5.0", "text/html", "gzip", "br",
    'W/"1"', 'W/"x"', '"', "W/", "1", "return=nothing", "respond-async", "handling=strict,handling=lenient",
    "identity;q=0", "x" * 200, "\xff", "a=b&c=d", "_id=1", "name=', '", "Thu, 01 Jan 1970", "null",
    "bytes=0-1",
)
# fmt: on
JSON = (("content-type", "application/fhir+json"),)


def call(rng: Random) -> Call:
    """Draw a request."""
    form = rng.choice(list(_FORMS))
    drawn = _FORMS[form](rng)
    headers = drawn.headers
    if rng.random() < 0.2:
        headers = (*headers, (rng.choice(FIELDS), rng.choice(FIELD_VALUES)))
    return drawn._replace(form=form, headers=headers)


def _sent(rng: Random) -> Call:
    """A request with a body that would be right."""
    while (drawn := requests.call(rng)).body is None:
        pass
    return drawn


def _broken_bytes(rng: Random) -> Call:
    """A few bytes changed, cut out, put in or said twice."""
    drawn = _sent(rng)
    body = bytearray(drawn.body or b"")
    for _ in range(rng.randint(1, 4)):
        at, length = rng.randrange(len(body) + 1), rng.choice((1, 1, 2, 10))
        match rng.randrange(4):
            case 0:
                body[at : at + length] = rng.randbytes(length)
            case 1:
                del body[at : at + length]
            case 2:
                body[at:at] = rng.choice(
                    (b'"', b"{", b"}", b",", b"\x00", b"\xff", b"null", b"\xef\xbb\xbf", b"1e9")
                )
            case _:
                body[at:at] = body[at : at + 30]
    return drawn._replace(body=bytes(body))


def _broken_tree(rng: Random) -> Call:
    """JSON in which a place or two hold what does not belong there."""
    drawn = _sent(rng)
    try:
        tree = json.loads(drawn.body or b"")
    except ValueError:
        return drawn
    for _ in range(rng.randint(1, 3)):
        tree = _spoiled(rng, tree)
    return drawn._replace(
        body=json.dumps(tree, ensure_ascii=rng.random() < 0.5).encode(errors="surrogatepass")
    )


def _spoiled(rng: Random, node: Any) -> Any:
    """The tree with one thing changed, somewhere below."""
    if not node or not isinstance(node, dict | list) or rng.random() < 0.15:
        return rng.choice(NASTY)
    if isinstance(node, list):
        at = rng.randrange(len(node))
        return [*node[:at], _spoiled(rng, node[at]), *node[at + rng.choice((1, 1, 0)) :]]
    name = rng.choice(list(node))
    new = rng.choice((name, name, name, f"_{name}", "", "unknown", "extension", "contained"))
    return node | {new: _spoiled(rng, node[name])}


def _query(rng: Random) -> Call:
    """A search by names and values put together at random."""
    type = rng.choice(TYPES)
    own = list(parameters(type))
    pairs: list[str] = []
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        name = rng.choice((rng.choice(own), rng.choice(own), rng.choice(NAMES)))
        name += rng.choice(
            ("", "", "", ":exact", ":not", ":missing", ":of-type", ":text", ":identifier", ".name", ":x")
        )
        pairs.append(f"{quote(name)}={_written(rng, rng.choice(VALUES))}")
    path = rng.choice((type, type, "", f"{type}/_history", "Patient/1/Observation", "Observation/$lastn"))
    return Call("", rng.choice(("GET", "GET", "GET", "DELETE")), f"{path}?{'&'.join(pairs)}")


def _written(rng: Random, value: str) -> str:
    """Percent-encoded, mostly."""
    if rng.random() < 0.05:
        return rng.choice(("%", "%zz", "%ff%fe", "%00", "+", "%C0%80"))
    return quote(value, errors="surrogatepass")


def _address(rng: Random) -> Call:
    method, path = rng.choice(METHODS), rng.choice(PATHS)
    query = f"?{quote(rng.choice(NAMES))}={_written(rng, rng.choice(VALUES))}" if rng.random() < 0.5 else ""
    body = (
        rng.choice((None, b"", b"{}", b"[]", b"x=y", b"\xff")) if method in ("POST", "PUT", "PATCH") else None
    )
    return Call("", method, path + query, body, JSON)


def _patch(rng: Random) -> Call:
    pointers = (
        "",
        "/",
        "/-",
        "/name/-1",
        "/name/9999999999",
        "/~2",
        "/name/0/given/0",
        "/id",
        "/meta",
        "x",
        "/" * 200,
    )
    operations = [
        {
            rng.choice(("op", "op", "op", "OP")): rng.choice(
                ("add", "remove", "replace", "move", "copy", "test", "x", 1)
            ),
            "path": rng.choice((*pointers, *NASTY)),
            "from": rng.choice(pointers),
            "value": rng.choice(NASTY),
        }
        for _ in range(rng.randint(0, 4))
    ]
    body = json.dumps(rng.choice((operations, operations, {"op": operations}, rng.choice(NASTY))))
    headers = (("content-type", rng.choice(("application/json-patch+json", "application/fhir+json"))),)
    return Call("", "PATCH", f"Patient/{rng.randint(1, 6)}", body.encode(errors="surrogatepass"), headers)


def _bundle(rng: Random) -> Call:
    entries = [
        {
            "fullUrl": rng.choice(("urn:uuid:1", "http://x/Patient/1", *NASTY)),
            "resource": rng.choice(({"resourceType": "Patient", "id": "1"}, *NASTY)),
            "request": {"method": rng.choice((*METHODS, *NASTY)), "url": rng.choice((*PATHS, *NASTY))},
        }
        for _ in range(rng.randint(0, 5))
    ]
    for entry in entries:
        for name in rng.sample(list(entry), rng.choice((0, 0, 1))):
            del entry[name]
    bundle = {
        "resourceType": "Bundle",
        "type": rng.choice(("batch", "transaction", "document", "x")),
        "entry": entries,
    }
    return Call("", "POST", "", json.dumps(bundle).encode(errors="surrogatepass"), JSON)


def _parameters(rng: Random) -> Call:
    """The input of an operation; what an element lacks may be said by an extension beside it."""
    names = ("_count", "_since", "_type", "max", "patient", "category", "id", "meta", "x", *NASTY)
    sent: list[dict[str, Any]] = []
    for _ in range(rng.randint(0, 3)):
        parameter = {
            "name": rng.choice(names),
            rng.choice(
                ("valueCode", "valueString", "valueInteger", "valueMeta", "resource", "part")
            ): rng.choice(("Patient", 1, "2022-10-19", {}, *NASTY)),
        }
        if rng.random() < 0.3:
            absent = rng.choice(list(parameter))
            del parameter[absent]
            parameter[f"_{absent}"] = {"extension": [{"url": "x", "valueCode": "a"}]}
        sent.append(parameter)
    body = {"resourceType": "Parameters", "parameter": sent}
    path = rng.choice([path for path in (*PATHS, "Subscription/1/$status") if "$" in path])
    return Call("", "POST", path, json.dumps(body).encode(errors="surrogatepass"), JSON)


def _noise(rng: Random) -> Call:
    return Call(
        "",
        rng.choice(("POST", "PUT", "PATCH")),
        rng.choice(PATHS),
        rng.randbytes(rng.choice((1, 10, 1_000))),
        JSON,
    )


_FORMS: dict[str, Callable[[Random], Call]] = {
    "bytes": _broken_bytes,
    "tree": _broken_tree,
    "query": _query,
    "address": _address,
    "patch": _patch,
    "bundle": _bundle,
    "parameters": _parameters,
    "noise": _noise,
}
FORMS: Sequence[str] = tuple(_FORMS)
