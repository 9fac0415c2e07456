"""The raw files as lists of resources, read with the standard library only."""

import gzip
import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from tests.shared_data import shared

Resource = dict[str, Any]


def read_lines(path: Path) -> list[Any]:
    """One JSON value a line; numbers keep their digits as Decimal."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line, parse_float=Decimal) for line in lines]


@cache
def examples() -> list[Resource]:
    """The official R4 examples, under their own ids."""
    return read_lines(shared("fhir-r4-examples/examples.ndjson.gz"))


@cache
def synthea(patients: int = 100) -> list[Resource]:
    """The entries of the first Synthea bundles, in order.

    Ids stand more than once in the files (each bundle brings its own copy of an
    organisation), so every entry gets a new id and references follow it.
    """
    bundles = read_lines(shared("synthea-r4-100/bundles.ndjson.gz"))[:patients]
    return [resource for number, bundle in enumerate(bundles) for resource in resolved(bundle, f"s{number}")]


def resolved(bundle: Resource, name: str) -> list[Resource]:
    """The resources of a transaction Bundle with new ids, ``urn:uuid:`` references replaced."""
    literal = {
        entry["fullUrl"]: f"{entry['resource']['resourceType']}/{name}-{number}"
        for number, entry in enumerate(bundle["entry"])
    }
    found: list[Resource] = []
    for entry in bundle["entry"]:
        resource = _follow(entry["resource"], literal)
        resource["id"] = literal[entry["fullUrl"]].partition("/")[2]
        found.append(resource)
    return found


def _follow(element: Any, literal: dict[str, str]) -> Any:
    if isinstance(element, dict):
        return {
            name: literal.get(child, child)
            if name == "reference" and isinstance(child, str)
            else _follow(child, literal)
            for name, child in element.items()
        }
    if isinstance(element, list):
        return [_follow(child, literal) for child in element]
    return element
