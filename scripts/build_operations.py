"""Build the operations artefact from the HL7 definitions.

    python scripts/build_operations.py FOLDER [--check]

FOLDER holds OperationDefinition.ndjson.gz of FHIR R4 (4.0.1). Of each operation that takes its input by
its definition, what it may be sent is kept. ``--check`` writes nothing and fails when the result would
differ.
"""

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

from kintung.web.fhir.operation import ARTEFACT

PACKAGED = Path(__file__).resolve().parents[1] / "src" / "kintung" / "fhir" / "data" / ARTEFACT
OFFERED = ("Patient-everything", "Encounter-everything", "Observation-lastn", "Patient-match")


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the operations artefact.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    with gzip.open(arguments.folder / "OperationDefinition.ndjson.gz", "rt", encoding="utf-8") as lines:
        definitions = {definition["id"]: definition for definition in map(json.loads, lines)}
    result = json.dumps({definitions[id]["url"]: kept(definitions[id]) for id in OFFERED}, indent=1) + "\n"
    if PACKAGED.exists() and PACKAGED.read_text("utf-8") == result:
        return 0
    if not arguments.check:
        PACKAGED.write_text(result, "utf-8")
    return int(arguments.check)


def kept(definition: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters of the input: name, type, and whether it may come more than once."""
    return [
        {"name": each["name"], "type": each["type"], "repeats": each["max"] != "1"}
        for each in definition["parameter"]
        if each["use"] == "in"
    ]


if __name__ == "__main__":
    sys.exit(main())
