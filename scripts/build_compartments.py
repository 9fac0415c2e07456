"""Build the compartments artefact, and the page that lists it, from the HL7 definitions.

    python scripts/build_compartments.py FOLDER [--check]

FOLDER holds CompartmentDefinition.ndjson.gz of FHIR R4 (4.0.1). A definition that names what is no
reference parameter of its type, or one that leads elsewhere, stops the build. ``--check`` writes
nothing and fails when a result would differ.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kintung.fhir.search.compartments import ARTEFACT
from kintung.fhir.search.parameters import parameter

ROOT = Path(__file__).resolve().parents[1]
PACKAGED = ROOT / "src" / "kintung" / "fhir" / "data" / ARTEFACT
PAGE = ROOT / "docs" / "reference" / "compartments.md"

Members = Mapping[str, list[str]]

_ITSELF = "{def}"
"""Stands for a parameter where a resource is in its own compartment."""


class Refused(Exception):
    """A definition that cannot be compiled."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the compartments artefact and its page.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    with gzip.open(arguments.folder / "CompartmentDefinition.ndjson.gz", "rt", encoding="utf-8") as lines:
        found = compiled(map(json.loads, lines))
    results = {PACKAGED: artefact(found), PAGE: "".join(written(found))}
    if arguments.check:
        return int(
            any(not path.exists() or path.read_text("utf-8") != text for path, text in results.items())
        )
    for path, text in results.items():
        path.write_text(text, "utf-8")
    return 0


def compiled(definitions: Iterator[dict[str, Any]]) -> dict[str, Members]:
    """Return compartment type -> member type -> codes of its parameters, in order."""
    found = {
        definition["code"]: members(definition) for definition in definitions if definition["id"] != "example"
    }
    return dict(sorted(found.items()))


def members(definition: Mapping[str, Any]) -> Members:
    """Return the types that may be in a compartment, with the parameters that put them there.

    Raises:
        Refused: a parameter is no reference to the type of the compartment.
    """
    of_type: dict[str, list[str]] = {}
    for resource in definition["resource"]:
        codes = [code for code in resource.get("param", ()) if code != _ITSELF]
        for code in codes:
            asked = parameter(resource["code"], code)
            if asked.kind != "reference" or (asked.targets and definition["code"] not in asked.targets):
                raise Refused(f"{resource['code']}.{code} does not lead to {definition['code']}")
        if codes:
            of_type[resource["code"]] = codes
    return dict(sorted(of_type.items()))


def artefact(found: Mapping[str, Members]) -> str:
    return json.dumps(found, indent=1) + "\n"


HEAD = """# Compartments

`GET /Patient/1/Observation` searches the Observations that a Patient's compartment holds, `GET
/Patient/1/*` all that it holds ([how](api/interaction/search-compartment-type.md)). A resource is in the
compartment when one of these parameters leads to the Patient; the Patient is in its own. What a reader may
see does not follow from it: [Whose data a resource is](../explanation/ownership.md).

<!-- Written by scripts/build_compartments.py; `make generate` writes it anew. -->

"""


def written(found: Mapping[str, Members]) -> Iterator[str]:
    """Yield the page."""
    yield HEAD.rstrip("\n") + "\n"
    for type, of_type in found.items():
        yield f"\n## {type}\n\n| type | parameters |\n| --- | --- |\n"
        for member, codes in of_type.items():
            yield f"| {member} | {', '.join(f'`{code}`' for code in codes)} |\n"


if __name__ == "__main__":
    sys.exit(main())
