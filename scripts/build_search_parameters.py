"""Build the search-parameter artefact from the HL7 definitions.

    python scripts/build_search_parameters.py FOLDER [--check]

FOLDER holds SearchParameter.ndjson.gz and StructureDefinition.ndjson.gz of FHIR R4 (4.0.1).
Atom numbers of the artefact in the package are kept. ``--check`` writes nothing and fails when
the result would differ.
"""

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from kintung.fhir.search.catalogue import ARTEFACT, Catalogue
from kintung.fhir.search.compilation import Compiler
from kintung.fhir.search.elements import read_elements

PACKAGED = Path(__file__).parent.parent / "src" / "kintung" / "fhir" / "data" / ARTEFACT
SOURCE = "HL7 FHIR R4 4.0.1 definitions, CC0"


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the search-parameter artefact.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    before = gzip.decompress(PACKAGED.read_bytes()) if PACKAGED.exists() else None
    after = build(
        read_ndjson(arguments.folder / "SearchParameter.ndjson.gz"),
        read_ndjson(arguments.folder / "StructureDefinition.ndjson.gz"),
        before,
    )
    if arguments.check:
        return 0 if before == after else 1
    PACKAGED.parent.mkdir(exist_ok=True)
    PACKAGED.write_bytes(gzip.compress(after, 9, mtime=0))
    return 0


def build(parameters: list[dict[str, Any]], structures: list[dict[str, Any]], before: bytes | None) -> bytes:
    """Return the JSON of the artefact; atoms of ``before`` keep their numbers."""
    types = [
        definition["type"]
        for definition in structures
        if definition["kind"] == "resource"
        and definition.get("derivation") == "specialization"
        and not definition["abstract"]
    ]
    previous = msgspec.json.decode(before, type=Catalogue) if before else None
    compiler = Compiler(with_expression(parameters), read_elements(structures), types)
    return msgspec.json.encode(compiler.catalogue(SOURCE, previous))


def with_expression(parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the parameters without an expression and the specification's own examples."""
    return [
        definition
        for definition in parameters
        if "expression" in definition and not definition["id"].startswith("example")
    ]


def read_ndjson(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    sys.exit(main())
