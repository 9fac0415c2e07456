"""Extractors against a published FHIRPath engine, on the official examples and on Synthea.

For every resource and parameter, the values the engine finds by the parameter's own
expression are turned into rows by the plain rules below, written from the tables of the
standard by the shape of the value alone, and compared with the rows of ``extract``.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models

from kintung.fhir.search import Parameter, extract, parameters
from kintung.fhir.search.dates import MAX_MICROS, MIN_MICROS, span
from kintung.fhir.search.lengths import bounded
from kintung.fhir.search.match import rows_of
from tests import scale
from tests.shared_data import shared

ITEM_SUBJECT = (
    "http://hl7.org/fhir/SearchParameter/questionnaireresponse-extensions-QuestionnaireResponse-item-subject"
)
GAPS = {
    ITEM_SUBJECT: "hasExtension() is not FHIRPath",
    "http://hl7.org/fhir/SearchParameter/Patient-deceased": "its value is the truth of the expression",
}
"""Parameters the engine cannot stand witness for, by url; each has a case of its own elsewhere."""

MAIDEN_NAME = "http://hl7.org/fhir/SearchParameter/patient-extensions-Patient-mothersMaidenName"
CORRECTED = {MAIDEN_NAME: ("/patient-extensions-Patient-mothersMaidenName", "/patient-mothersMaidenName")}
"""Expressions that name an extension there is none of, by url, and as later releases have them."""

TEXT_LIKE_A_DATE = {("f002", "activity-date"), ("f003", "activity-date")}
"""Examples (CarePlan) whose activity is scheduled by a string that happens to look like a date."""

RESOLVES = re.compile(r"\.where\(resolve\(\) is (\w+)\)")
"""The engine does not resolve; the type is read off the literal instead."""

CASTS = re.compile(r"\((?P<of>[\w.]+) as (?P<type>\w+)\)|\.as\((?P<called>\w+)\)")
"""The engine casts one value only; ofType says the same of many."""

Rows = set[tuple[Any, ...]]


@cache
def definitions() -> dict[str, dict[str, Any]]:
    with gzip.open(shared("fhir-r4-definitions/SearchParameter.ndjson.gz"), "rt") as lines:
        found = {definition["url"]: definition for definition in map(json.loads, lines)}
    for url, (wrong, right) in CORRECTED.items():
        assert wrong in found[url]["expression"], url
        found[url]["expression"] = found[url]["expression"].replace(wrong, right)
    return found


def examples() -> Iterator[dict[str, Any]]:
    with gzip.open(shared("fhir-r4-examples/examples.ndjson.gz"), "rt") as lines:
        for line in lines:
            yield json.loads(line, parse_float=Decimal)


def synthea(bundles: int) -> Iterator[dict[str, Any]]:
    with gzip.open(shared("synthea-r4-100/bundles.ndjson.gz"), "rt") as lines:
        for line, _ in zip(lines, range(bundles), strict=False):
            for entry in json.loads(line, parse_float=Decimal)["entry"]:
                yield entry["resource"]


@cache
def branches_of(url: str, type: str) -> list[tuple[Any, str | None]]:
    """Return the compiled branches that speak of a type, each with the target it asks for."""
    branches = [branch.strip() for branch in definitions()[url]["expression"].split(" | ")]
    own = [branch for branch in branches if re.match(rf"\(?({type}|Resource)\b", branch)] or branches
    return [
        (compiled(type, RESOLVES.sub("", branch)), asked.group(1) if asked else None)
        for branch in own
        for asked in [RESOLVES.search(branch)]
    ]


def compiled(type: str, branch: str) -> Any:
    def of_type(found: re.Match[str]) -> str:
        return f"{found['of'] or ''}.ofType({found['type'] or found['called']})"

    # The engine knows a resource by its own type only.
    own = branch.replace("Resource.", f"{type}.", 1) if branch.startswith("Resource.") else branch
    return fhirpathpy.compile(CASTS.sub(of_type, own), models["r4"])


def witnessed(resource: dict[str, Any], parameter: Parameter) -> Rows:
    """Return the rows of a parameter as the engine sees them."""
    rows: Rows = set()
    for evaluate, target in branches_of(parameter.url, resource["resourceType"]):
        for value in evaluate(resource):
            found = ROWS[parameter.kind](value)
            rows |= {row for row in found if target is None or row[0] == target}
    return rows


def token_rows(value: Any) -> Rows:
    if isinstance(value, bool):
        return {(None, "true" if value else "false")}
    if isinstance(value, str):
        return {(None, value)}
    if "url" in value:
        return {row for name, inner in value.items() if name.startswith("value") for row in token_rows(inner)}
    if {"coding", "text"} & value.keys():
        return {row for coding in value.get("coding", []) for row in token_rows(coding)}
    code = value.get("value", value.get("code"))
    if code is None and "system" not in value:
        return set()
    # A Quantity or Range among the values of Group.characteristic is no token.
    return {(value.get("system"), code)} if isinstance(code, str | None) and "low" not in value else set()


def uri_rows(value: Any) -> Rows:
    return {(None, value), (None, value.split("|")[0])}


def reference_rows(value: Any) -> Rows:
    if isinstance(value, dict):
        if "url" in value and "valueReference" in value:
            return reference_rows(value["valueReference"])
        if "resourceType" in value:
            return {(value["resourceType"], value["id"])} if "id" in value else set()
        if "reference" not in value:
            return set()
        return address_rows(value["reference"])
    return address_rows(value) | address_rows(value.split("|")[0])


def address_rows(text: str) -> Rows:
    if text.startswith("#"):
        return set()
    local = re.fullmatch(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]+)(/_history/.+)?", text)
    return {local.groups()[:2]} if local else {("", text)}


def date_rows(value: Any) -> Rows:
    if isinstance(value, dict):
        if "event" in value:
            spans = [span(event, 480) for event in value["event"]]
            return {(min(spans)[0], max(end for _, end in spans))}
        if "repeat" in value:
            return date_rows(value["repeat"].get("boundsPeriod", {}))
        lo = span(value["start"], 480)[0] if "start" in value else MIN_MICROS
        hi = span(value["end"], 480)[1] if "end" in value else MAX_MICROS
        return {(lo, hi)} if {"start", "end"} & value.keys() else set()
    text = str(value)
    # Some elements that a date parameter reads may be free text instead.
    return {span(text, 480)} if re.match(r"\d{4}(-|$)", text) else set()


PARTS = (
    "text", "family", "given", "prefix", "suffix",
    "line", "city", "district", "state", "postalCode", "country",
)  # fmt: skip


def string_rows(value: Any) -> Rows:
    if isinstance(value, dict):
        if "url" in value:
            return {
                row for name, inner in value.items() if name.startswith("value") for row in string_rows(inner)
            }
        parts = [value[part] for part in PARTS if part in value]
        texts = [text for part in parts for text in (part if isinstance(part, list) else [part])]
        return {(text,) for text in (*texts, *whole_name(value)) if text is not None}
    return {(value,)}


def whole_name(name: dict[str, Any]) -> list[str]:
    """A Chinese name of two parts, in one."""
    chinese = [
        part for part in (name.get("family"), *name.get("given", [])) if part and re.search("[一-鿿]", part)
    ]
    whole = "".join(chinese)
    is_told = whole == re.sub("[ ·]", "", name.get("text", ""))
    return [whole] if len(chinese) > 1 and chinese[0] == name.get("family") and not is_told else []


def quantity_rows(value: Any) -> Rows:
    if not isinstance(value, dict):
        return {(None, None, Decimal(value), Decimal(value))}
    if {"low", "high"} & value.keys():
        lo, hi = (value.get(end, {}).get("value") for end in ("low", "high"))
        return measured(value["low"] if lo is not None else value["high"], lo, hi)
    if "currency" in value:
        amount = Decimal(value["value"])
        return {("urn:iso:std:iso:4217", value["currency"], amount, amount)}
    if "origin" in value:
        origin, factor = Decimal(value["origin"]["value"]), Decimal(value.get("factor", 1))
        points = [origin + factor * Decimal(sample) for sample in value["data"].split()]
        return measured(value["origin"], min(points), max(points))
    if "value" not in value:
        return set()
    lo = None if "<" in value.get("comparator", "") else value["value"]
    hi = None if ">" in value.get("comparator", "") else value["value"]
    return measured(value, lo, hi)


def measured(unit_of: dict[str, Any], lo: Any, hi: Any) -> Rows:
    bounds = [None if bound is None else Decimal(bound) for bound in (lo, hi)]
    code, unit = unit_of.get("code"), unit_of.get("unit")
    rows: Rows = set()
    if code is not None or unit is None:
        rows.add((unit_of.get("system"), code, *bounds))
    if unit is not None and unit != code:
        rows.add((None, unit, *bounds))
    return rows


ROWS: dict[str, Callable[[Any], Rows]] = {
    "token": token_rows,
    "uri": uri_rows,
    "reference": reference_rows,
    "date": date_rows,
    "string": string_rows,
    "number": quantity_rows,
    "quantity": quantity_rows,
}


def extracted(resource: dict[str, Any], parameter: Parameter) -> Rows:
    rows = rows_of(parameter, extract(resource), id="", updated=0)
    return {row[2:] if parameter.kind == "string" else row[1:] for row in rows}


def shortened(rows: Rows) -> Rows:
    """The same rows with long texts as the index holds them."""
    return {tuple(bounded(part) if isinstance(part, str) else part for part in row) for row in rows}


def compare(resources: Iterator[dict[str, Any]]) -> tuple[int, int, list[str]]:
    """Return the number of comparisons, of rows in them, and what differs."""
    compared, counted, differing = 0, 0, list[str]()
    for resource in resources:
        for parameter in parameters(resource["resourceType"]).values():
            if (
                parameter.kind in ("composite", "special")
                or parameter.stored
                or parameter.answered == "bodies"
                or parameter.url in GAPS
            ):
                continue
            expected, actual = shortened(witnessed(resource, parameter)), extracted(resource, parameter)
            compared, counted = compared + 1, counted + len(expected)
            if (resource.get("id"), parameter.code) in TEXT_LIKE_A_DATE:
                assert actual == set()
            elif expected != actual:
                where = f"{resource['resourceType']}/{resource.get('id')} {parameter.code}"
                differing.append(f"{where}: missing {expected - actual}, too many {actual - expected}")
    return compared, counted, differing


def test_every_extractor_agrees_with_the_engine_on_the_official_examples():
    compared, counted, differing = compare(examples())

    assert differing == []
    assert compared > 8_000
    assert counted > 3_900


def test_every_extractor_agrees_with_the_engine_on_synthea():
    compared, counted, differing = compare(synthea(scale.counts(2, 100)))

    assert differing == []
    assert compared > 8_000
    assert counted > 2_500


@pytest.mark.parametrize("url", GAPS)
def test_a_gap_is_a_parameter_that_exists(url: str):
    assert url in definitions()
