"""Write what the R4 definitions say that bears on ownership.

    make_ownership_evidence.py STRUCTURE_DEFINITIONS [--check]

STRUCTURE_DEFINITIONS is the NDJSON (gzipped) of the HL7 FHIR R4 StructureDefinitions (CC0).
For each of the 146 concrete resource types the file ``ownership/r4.json`` gets the security
category of the type and the elements mapped to ``FiveWs.subject``. With ``--check``
nothing is written; the exit status says whether the file is as it would be made.
"""

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "src/kintung/definitions/ownership/r4.json"
CORE = "http://hl7.org/fhir/StructureDefinition/"
SECURITY = CORE + "structuredefinition-security-category"


def evidence(definitions: Path) -> dict[str, dict[str, Any]]:
    """Give the evidence by resource type."""
    with gzip.open(definitions, "rt", encoding="utf-8") as lines:
        resources = [json.loads(line) for line in lines]
    concrete = [
        definition
        for definition in resources
        if definition["kind"] == "resource"
        and not definition["abstract"]
        and definition["url"] == CORE + definition["type"]
    ]
    return {
        definition["type"]: {"security": _security(definition), "subject": _subjects(definition)}
        for definition in sorted(concrete, key=lambda definition: definition["type"])
    }


def _security(definition: dict[str, Any]) -> str | None:
    return next(
        (item["valueCode"] for item in definition.get("extension", []) if item["url"] == SECURITY), None
    )


def _subjects(definition: dict[str, Any]) -> list[str]:
    return [
        element["path"].partition(".")[2]
        for element in definition["snapshot"]["element"]
        if any(mapping.get("map") == "FiveWs.subject" for mapping in element.get("mapping", []))
    ]


def written(found: dict[str, dict[str, Any]]) -> str:
    """The text of the file: one line a type."""
    lines = (f"{json.dumps(type)}: {json.dumps(about)}" for type, about in found.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description="Write what R4 says that bears on ownership")
    parser.add_argument("definitions", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    text = written(evidence(arguments.definitions))
    if arguments.check:
        return 0 if TARGET.read_text("utf-8") == text else 1
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
