"""The tables of the oracle are whole, spelled as the standard spells, and the oracle stands alone."""

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.corpus import read_lines
from tests.oracle.tables import PARAMETERS, Parameter, Place
from tests.shared_data import shared

TESTS = Path(__file__).resolve().parents[2]

WHOLE = {
    *("Patient", "Observation", "Condition", "Encounter", "Procedure", "Immunization", "MedicationRequest"),
    *("DiagnosticReport", "Claim", "ExplanationOfBenefit", "CarePlan", "Goal", "AllergyIntolerance"),
    *("ImagingStudy", "Organization", "Practitioner"),
}
"""Types of which every parameter is covered."""

LEFT_OUT = {
    "amino-acid-change": "no extension of that URL is in the R4 definitions",
    "gene-amino-acid-change": "no extension of that URL is in the R4 definitions",
    "dna-variant": "no extension of that URL is in the R4 definitions",
    "gene-dnavariant": "no extension of that URL is in the R4 definitions",
}


def imported(path: Path) -> set[str]:
    """Every module a file names in an import."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            names.add(node.module or "")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            assert called not in ("__import__", "import_module", "exec", "eval"), f"{path.name}: {called}"
    return names


@pytest.mark.parametrize("pattern", ["oracle/*.py", "generators/resources.py", "generators/searches.py"])
def test_nothing_of_the_product_is_imported(pattern: str) -> None:
    reached = set(TESTS.glob(pattern))
    assert reached
    waiting = list(reached)
    while waiting:
        path = waiting.pop()
        for name in imported(path):
            assert name.split(".")[0] != "kintung", f"{path.name} imports {name}"
            if name.startswith("tests."):
                below = TESTS / Path(*name.split(".")[1:])
                module = below.with_suffix(".py") if not below.is_dir() else below / "__init__.py"
                assert module.exists(), f"{path.name} imports {name}"
                if module not in reached:
                    reached.add(module)
                    waiting.append(module)


def definitions(file: str) -> list[dict[str, Any]]:
    return read_lines(shared(f"fhir-r4-definitions/{file}.ndjson.gz"))


def test_every_parameter_stands_with_its_kind() -> None:
    wanted: dict[tuple[str, str], str] = {}
    for definition in definitions("SearchParameter"):
        if "expression" not in definition or definition["type"] in ("composite", "special"):
            continue
        if definition["id"].startswith("example"):
            continue
        for base in definition["base"]:
            for type in PARAMETERS if base == "Resource" else [base]:
                wanted[type, definition["code"]] = definition["type"]
    covered = {(type, code): p.kind for type, codes in PARAMETERS.items() for code, p in codes.items()}
    assert covered.items() <= wanted.items()
    absent = {code for type, code in wanted.keys() - covered.keys() if type in WHOLE}
    assert absent == set(LEFT_OUT)


def element_types() -> dict[str, set[str]]:
    """Path of each element (``Patient.name``) -> its type names, ``@`` a content reference's target."""
    types: dict[str, set[str]] = {}
    for definition in definitions("StructureDefinition"):
        if definition["kind"] not in ("resource", "complex-type"):
            continue
        if definition.get("derivation") == "constraint":
            continue
        for element in definition.get("snapshot", {}).get("element", []):
            names = {type["code"] for type in element.get("type", [])}
            if "contentReference" in element:
                names = {"@" + element["contentReference"].removeprefix("#")}
            types[element["path"]] = names
    return types


def types_at(elements: dict[str, set[str]], type: str, path: str) -> set[str]:
    """The types the definitions allow at an oracle path; empty when the path is misspelled."""
    at, names = type, {type}
    for step in path.split("."):
        at, names = child(elements, at, names, step)
    return {"string" if name.startswith("http://hl7.org/fhirpath/") else name for name in names}


def child(elements: dict[str, set[str]], at: str, names: set[str], step: str) -> tuple[str, set[str]]:
    for parent in [at, *(name.removeprefix("@") for name in names)]:
        if f"{parent}.{step}" in elements:
            return f"{parent}.{step}", elements[f"{parent}.{step}"]
        for path, choices in elements.items():
            if (
                path.startswith(f"{parent}.")
                and path.endswith("[x]")
                and path.count(".") == parent.count(".") + 1
            ):
                stem = path.rpartition(".")[2].removesuffix("[x]")
                for choice in choices:
                    if step == stem + choice[0].upper() + choice[1:]:
                        return f"{parent}.{step}", {choice}
    return at, set()


def test_every_place_is_in_the_definitions() -> None:
    elements = element_types()
    wrong: list[tuple[str, Parameter, Place]] = []
    for type, parameters in PARAMETERS.items():
        for parameter in parameters.values():
            for place in parameter.places:
                path = place.path.partition("[")[0] + place.path.partition("]")[2]
                if path.startswith("@"):
                    continue
                if place.type not in types_at(elements, type, path):
                    wrong.append((type, parameter, place))
    assert wrong == []
