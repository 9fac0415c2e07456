"""Every refusal is an OperationOutcome with a code, a text and a place, where there is one."""

import re
from pathlib import Path
from typing import Any

import pytest

from kintung.web.outcomes import STATUS
from tests.records import patient
from tests.server.api import Api, outcome

NEW = {"resourceType": "Patient"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
Call = tuple[str, str, Any, dict[str, str]]


def get(path: str, **headers: str) -> Call:
    return "GET", path, None, {name.replace("_", "-"): value for name, value in headers.items()}


def post(path: str, body: Any, **headers: str) -> Call:
    return "POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()}


def put(path: str, body: Any, **headers: str) -> Call:
    return "PUT", path, body, {name.replace("_", "-"): value for name, value in headers.items()}


AT: list[tuple[Call, int, str]] = [
    (get("Patient?a=%ff"), 400, "a"),
    (get("Patient?family=x&%ff=1"), 400, "%ff"),
    (get("Patient?%00=1"), 400, "Patient"),
    (get("Patient?a=%00"), 400, "a"),
    (get("?a=%00"), 400, "a"),
    (get("Patient?=x"), 400, "Patient"),
    (get("?=x"), 400, "Resource"),
    (get("?" + "&".join(["x"] * 1_001)), 400, "Resource"),
    (get("Patient?" + "&".join(["family=x"] * 100) + "&name=x"), 413, "name"),
    (get("Patient?family:zz=1"), 400, "family:zz"),
    (get("Patient?_sort=zz"), 400, "_sort"),
    (get("Patient?_count=x"), 400, "_count"),
    (get("Patient?birthdate=zz"), 400, "birthdate"),
    (get("Patient?_cursor=zz"), 400, "_cursor"),
    (get("Patient?_format=xml"), 406, "_format"),
    (get("Patient", accept="application/xml"), 406, "Accept"),
    (get("_history?_since=zz"), 400, "_since"),
    (get("Patient/p?_summary=count"), 400, "_summary"),
    *((method(path, body), 400, about)
      for method, path, about in (
          (post, "Patient", "Patient"), (put, "Patient/p", "Patient"), (post, "", "Bundle")
      )
      for body in (b"[]", b"1", b"", b"\xff", b"\xef\xbb\xbf{}")),
    (post("Patient", {}), 400, "Patient.resourceType"),
    (post("Patient", {"resourceType": "Group"}), 400, "Patient.resourceType"),
    (put("Patient/p", {"resourceType": 1}), 400, "Patient.resourceType"),
    (post("", {"resourceType": "Group"}), 400, "Bundle.resourceType"),
    (post("", {"resourceType": "Bundle", "type": "collection"}), 400, "Bundle.type"),
    (put("Patient/p", patient("q")), 400, "Patient.id"),
    (put("Patient/p", patient("p"), if_match="zz"), 400, "If-Match"),
    (put("Patient/p", patient("p"), if_match='W/"7"'), 412, "If-Match"),
    (post("Patient", NEW, if_match='W/"1"'), 400, "If-Match"),
    (post("Patient", NEW, if_none_exist="zz=1"), 400, "zz"),
    (post("Patient", NEW, if_none_exist="a=%ff"), 400, "a"),
    (post("Patient", NEW, idempotency_key=""), 400, "Idempotency-Key"),
    (post("Patient", NEW, content_type="text/xml"), 415, "Content-Type"),
    (post("Patient", NEW, content_encoding="br"), 415, "Content-Encoding"),
    (post("Patient", NEW, content_encoding="gzip"), 400, "Content-Encoding"),
    (post("Patient/_search", b"a=%ff", **FORM), 400, "a"),
    (post("Patient/_search", b"\xff", **FORM), 400, "Patient"),
    (post("_search", b"a" * 40_000, **FORM), 413, "Resource"),
    (get("metadata", x_long="a" * 70_000), 431, "x-long"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "status", "path"), AT, ids=lambda value: str(value)[:60] if type(value) is not int else None
)
def test_a_refusal_says_where(api: Api, call: Call, status: int, path: str) -> None:
    api.store(patient("p"))
    method, address, body, headers = call
    found = outcome(api.call(method, address, body, headers=headers))
    assert (found[0], found[2]) == (status, path)


NOWHERE: list[tuple[Call, int]] = [
    (get("Patient/none"), 404),
    (get("Parrot"), 404),
    (get("Patient/gone"), 410),
    (("PATCH", "metadata", b"{}", {}), 405),
    (get("Patient?family=" + "a" * 60_000), 414),
    (get("http://record.example/", accept="application/fhir+json"), 404),
    (get("http://record.example/nothing"), 404),
    (("POST", "http://record.example/metrics", b"", {}), 405),
]


@pytest.mark.parametrize(("call", "status"), NOWHERE, ids=lambda value: str(value)[:60])
def test_a_refusal_of_no_part_has_no_place(api: Api, call: Call, status: int) -> None:
    api.store(patient("gone"))
    api.delete("Patient/gone")
    method, address, body, headers = call
    answer = api.call(method, address, body, headers=headers)
    assert (outcome(answer)[0], outcome(answer)[2]) == (status, None)
    assert answer.headers["content-type"].startswith("application/fhir+json")


def test_the_page_says_which_statuses_have_no_place() -> None:
    """And that every other status was met above with one, but those that need another caller or state."""
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "api" / "index.md"
    (sentence,) = re.findall(r"Without a place are ([^:]*?) which are not about a part", page.read_text())
    without = {int(status) for status in re.findall(r"\d{3}", sentence)}
    assert {status for _, status in NOWHERE} <= without
    elsewhere = {409, 422}
    """``test_conditional.py`` and ``test_idempotency.py``, ``test_moving.py``"""
    assert {status for _, status, _ in AT} | without | elsewhere == set(STATUS.values())
