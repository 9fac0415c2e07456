"""The Synthea bundles as they are in the files, and proofs that a record holds just them.

Written with the standard library alone, so that nothing of the node is believed about itself.
"""

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.shared_data import shared

Resource = dict[str, Any]

ENTRIES = 31_409
BUNDLES = 100


def whole_file() -> Path:
    return shared("synthea-r4-100/bundles.ndjson.gz")


def lines(count: int = BUNDLES) -> list[bytes]:
    """The first bundles, one JSON text each."""
    with gzip.open(whole_file()) as file:
        return [line for _, line in zip(range(count), file, strict=False)]


def first(count: int, folder: Path) -> Path:
    """A file of the first bundles only; the one that was published when all are wanted."""
    if count == BUNDLES:
        return whole_file()
    file = folder / f"first-{count}.ndjson.gz"
    with gzip.open(file, "wb", compresslevel=1) as out:
        out.writelines(lines(count))
    return file


def smallest(count: int, folder: Path) -> Path:
    """A file of the bundles with the fewest entries."""
    file = folder / f"smallest-{count}.ndjson.gz"
    with gzip.open(file, "wb", compresslevel=1) as out:
        out.writelines(sorted(lines(), key=entries_of)[:count])
    return file


def entries_of(line: bytes) -> int:
    return len(json.loads(line)["entry"])


def sizes(count: int = BUNDLES) -> list[int]:
    """How many entries each of the first bundles has."""
    return [entries_of(line) for line in lines(count)]


def counts_published() -> dict[str, int]:
    """The number of resources of each type, as the description of the data lists them."""
    text = shared("synthea-r4-100/README.md").read_text()
    listed = re.search(r"entries: (.*?)\. ", text)
    assert listed is not None
    return {
        type: int(number.replace(",", "")) for type, number in re.findall(r"(\w+) ([\d,]+)(?:,|$)", listed[1])
    }


def exported(folder: Path) -> list[Resource]:
    """Every resource of an export; numbers keep their digits as text."""
    found: list[Resource] = []
    for file in sorted(folder.glob("*.ndjson")):
        of_type = [json.loads(line, parse_float=str) for line in file.read_text().splitlines()]
        assert {resource["resourceType"] for resource in of_type} == {file.stem}
        found += of_type
    return found


def in_files(count: int = BUNDLES) -> Iterator[dict[str, Resource]]:
    """The entries of each bundle by what the others call them (``urn:uuid:...``)."""
    for line in lines(count):
        bundle = json.loads(line, parse_float=str)
        yield {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}


def references(element: Any) -> Iterator[Resource]:
    """Every Reference with a literal reference, at any depth, that does not stay inside."""
    if isinstance(element, dict):
        if isinstance(element.get("reference"), str) and not element["reference"].startswith("#"):
            yield element
        for child in element.values():
            yield from references(child)
    elif isinstance(element, list):
        for child in element:
            yield from references(child)


def portraits(resources: dict[str, Resource]) -> Counter[str]:
    """What the resources say and to what they refer, each as a hash.

    Two sets of resources have the same portraits when they differ in ids alone: an id is
    left out, and a reference is what its target says. ``resources`` are by what references
    call them, and are taken apart; one that leads nowhere is a KeyError.
    """
    links = {name: [(r, r["reference"]) for r in references(each)] for name, each in resources.items()}
    for name, resource in resources.items():
        _leave_out_what_is_the_servers(resource)
        for reference, _ in links[name]:
            reference["reference"] = ""
    faces = {name: _hash(resource) for name, resource in resources.items()}
    for of_resource in links.values():
        for reference, target in of_resource:
            reference["reference"] = faces[target]
    return Counter(map(_hash, resources.values()))


def _leave_out_what_is_the_servers(resource: Resource) -> None:
    del resource["id"]
    meta = resource.get("meta", {})
    for name in ("versionId", "lastUpdated"):
        meta.pop(name, None)
    if not meta:
        resource.pop("meta", None)


def _hash(resource: Resource) -> str:
    return hashlib.sha256(json.dumps(resource).encode()).hexdigest()


def portraits_in_files(count: int = BUNDLES) -> Counter[str]:
    return sum((portraits(bundle) for bundle in in_files(count)), Counter[str]())


def assert_is_them(stored: Iterable[Resource], count: int = BUNDLES) -> None:
    """The record holds the first bundles: each entry once, in its first version, links kept."""
    resources = {f"{resource['resourceType']}/{resource['id']}": resource for resource in stored}
    assert len(resources) == sum(sizes(count))
    assert {resource["meta"]["versionId"] for resource in resources.values()} == {"1"}
    assert portraits(resources) == portraits_in_files(count)
