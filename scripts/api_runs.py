"""Runs the requests of the API pages against a node, and shows what came back.

Each page has a node of its own, in memory, whose clock stands and whose ids are seeded, so that
the same code gives the same page. It holds the resources of ``docs/reference/api/parts/record.json``.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from api_parts import Asked

from tests.server.api import Api, api

_UNTOLD = frozenset({"cache-control", "content-length", "vary", "x-content-type-options"})
"""Header fields that every answer has, or most; the index tells of them."""
_LIST, _MEMBERS, _TEXT = 2, 14, 400
"""Elements of a list, members of an object and characters of a string that are shown."""
_LINES, _WIDTH = 120, 100
_FULL = frozenset({"issue", "part", "parameter", "link", "coding", "given"})
"""Lists that are shown whole."""
_CUT = "…"


@contextmanager
def node(record: Path) -> Iterator[Api]:
    """A node that holds the ``record``."""
    with api() as found:
        found.store(*json.loads(record.read_text("utf-8")))
        yield found


def ask(node: Api, asked: Asked) -> httpx.Response:
    """Run a request."""
    headers = {
        "accept-encoding": "identity",
        "content-type": "",
        **{name.lower(): value for name, value in asked.headers},
    }
    if not asked.body:
        headers.pop("content-type")
    return node.call(asked.method, asked.address, asked.body.encode() or None, headers=headers)


def exchange(node: Api, asked: Asked) -> tuple[int, str]:
    """Run a request; the status, and request and response as Markdown."""
    answer = ask(node, asked)
    fields = [f"{name}: {value}" for name, value in asked.headers]
    sent = "\n".join([f"{asked.method} /fhir{_joined(asked.address)} HTTP/1.1", *fields])
    if asked.body:
        sent += f"\n\n{asked.body}"
    kept = [(name.title(), value) for name, value in answer.headers.items() if name not in _UNTOLD]
    got = [f"HTTP/1.1 {answer.status_code} {_phrase(answer.status_code)}"]
    got += [f"{_field_name(name)}: {value}" for name, value in kept]
    body, is_cut = _body(answer)
    shown = "\n".join(got) + (f"\n\n{body}" if body else "")
    note = f"\n`{_CUT}` stands for what is left out here.\n" if is_cut else ""
    return answer.status_code, f"```http\n{sent}\n```\n\n```http\n{shown}\n```\n{note}"


def is_refused(node: Api, asked: Asked, name: str) -> bool:
    """Whether the request is refused because it has the parameter or header field ``name``."""
    answer = ask(node, asked)
    if answer.status_code != 400:
        return False
    issues = answer.json()["issue"]
    return any(issue["code"] == "not-supported" and issue.get("expression") == [name] for issue in issues)


def _phrase(status: int) -> str:
    """The words of RFC 9110, which Python came to have with 3.13."""
    return {413: "Content Too Large", 422: "Unprocessable Content"}.get(status, HTTPStatus(status).phrase)


def _joined(address: str) -> str:
    return address if not address or address[0] == "?" else f"/{address}"


def _field_name(name: str) -> str:
    return {"Etag": "ETag"}.get(name, name)


def _body(answer: httpx.Response) -> tuple[str, bool]:
    """The body as it is shown, and whether something was left out."""
    if not answer.content:
        return "", False
    if "json" not in answer.headers.get("content-type", ""):
        text = answer.text if answer.headers.get("content-type", "").startswith("text/") else ""
        return text[:_TEXT] or f"({len(answer.content)} bytes)", len(text) > _TEXT
    whole = answer.json()
    shown = _shortened(whole)
    lines = _printed(shown).splitlines()
    cut = [*lines[:_LINES], _CUT] if len(lines) > _LINES else lines
    return "\n".join(cut), len(lines) > _LINES or shown != whole


def _printed(value: Any, indent: str = "") -> str:
    """JSON, in which what fits into a line is in one."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent) + len(line) <= _WIDTH:
        return line
    deeper = indent + "  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_printed(each, deeper)}" for key, each in value.items()]
    else:
        parts = [_printed(each, deeper) for each in value]
    begin, end = "{}" if isinstance(value, dict) else "[]"
    return f"{begin}\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}{end}"


def _shortened(value: Any, name: str = "") -> Any:
    """JSON with long lists, objects and strings cut short."""
    if isinstance(value, dict):
        kept = list(value.items())
        shown = {key: _shortened(each, key) for key, each in kept[:_MEMBERS]}
        return shown | ({_CUT: _CUT} if len(kept) > _MEMBERS else {})
    if isinstance(value, list):
        shown = [_shortened(each) for each in (value if name in _FULL else value[:_LIST])]
        return [*shown, _CUT] if len(shown) < len(value) else shown
    if isinstance(value, str) and len(value) > _TEXT:
        return value[: _TEXT // 4] + _CUT
    return value
