"""Build the search-parameter artefact, and the page that lists it, from the HL7 definitions.

    python scripts/build_search_parameters.py FOLDER [--check]

FOLDER holds SearchParameter.ndjson.gz and StructureDefinition.ndjson.gz of FHIR R4 (4.0.1).
Atom numbers of the artefact in the package are kept. ``--check`` writes nothing and fails when
a result would differ.
"""

import argparse
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from kintung.fhir.search.atoms import IN_BODIES, Atom, Either, Field, Having, Leaf, Only
from kintung.fhir.search.catalogue import ARTEFACT, Catalogue, Entry, TypeCatalogue
from kintung.fhir.search.compilation import Compiler
from kintung.fhir.search.elements import read_elements

ROOT = Path(__file__).resolve().parents[1]
PACKAGED = ROOT / "src" / "kintung" / "fhir" / "data" / ARTEFACT
PAGE = ROOT / "docs" / "reference" / "search-parameters.md"
SOURCE = "HL7 FHIR R4 4.0.1 definitions, CC0"

ERRATA = {
    "patient-extensions-Patient-mothersMaidenName": (
        "/patient-extensions-Patient-mothersMaidenName'",
        "/patient-mothersMaidenName'",
    )
}
"""Extensions that R4 names wrongly, and as later releases have them:
https://hl7.org/fhir/extensions/SearchParameter-patient-extensions-Patient-mothersMaidenName.html."""

Definition = dict[str, Any]


class Built(NamedTuple):
    """The artefact and what the page says of how it was made."""

    artefact: bytes
    catalogue: Catalogue
    passed_over: set[tuple[str, str, str]]


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the search-parameter artefact and its page.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    parameters = read_ndjson(arguments.folder / "SearchParameter.ndjson.gz")
    structures = read_ndjson(arguments.folder / "StructureDefinition.ndjson.gz")
    before = gzip.decompress(PACKAGED.read_bytes()) if PACKAGED.exists() else None
    built = build(parameters, structures, before)
    page = "".join(written(parameters, built))
    if arguments.check:
        return 0 if before == built.artefact and PAGE.exists() and PAGE.read_text() == page else 1
    if before != built.artefact:
        PACKAGED.write_bytes(gzip.compress(built.artefact, 9, mtime=0))
    PAGE.write_text(page)
    return 0


def build(parameters: list[Definition], structures: list[Definition], before: bytes | None) -> Built:
    """Return the artefact; atoms of ``before`` keep their numbers."""
    types = [
        definition["type"]
        for definition in structures
        if definition["kind"] == "resource"
        and definition.get("derivation") == "specialization"
        and not definition["abstract"]
    ]
    previous = msgspec.json.decode(before, type=Catalogue) if before else None
    compiler = Compiler([corrected(one) for one in compilable(parameters)], read_elements(structures), types)
    catalogue = compiler.catalogue(SOURCE, previous)
    return Built(msgspec.json.encode(catalogue), catalogue, compiler.passed_over)


def corrected(parameter: Definition) -> Definition:
    """The definition with what ``ERRATA`` corrects."""
    if parameter["id"] not in ERRATA:
        return parameter
    wrong, right = ERRATA[parameter["id"]]
    expression = parameter["expression"].replace(wrong, right)
    assert expression != parameter["expression"], parameter["id"]
    return parameter | {"expression": expression}


def compilable(parameters: list[Definition]) -> list[Definition]:
    """Leave out the parameters without an expression and the specification's own examples.

    Those answered by the text of each resource need no expression.
    """
    return [one for one in parameters if not is_without(one) and not is_example(one)]


def is_without(parameter: Definition) -> bool:
    return "expression" not in parameter and parameter["code"] not in IN_BODIES


def is_example(parameter: Definition) -> bool:
    return parameter["id"].startswith("example")


def read_ndjson(path: Path) -> list[Definition]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


HEAD = """# Search parameters

What can be searched, and which elements each parameter reads. How values are written and compared:
[How the standard is read](../explanation/spec-readings.md). Texts of any length are indexed, strings by their
first 255 characters. `name`, `family`, `given` and `phonetic` of Patient, Person, RelatedPerson and
Practitioner also find a name in its other forms, by rows that no parameter lists
([names](../explanation/names.md)).

<!-- Written by scripts/build_search_parameters.py; `make generate` writes it anew. -->

"""


def written(parameters: list[Definition], built: Built) -> Iterator[str]:
    """Yield the page."""
    types = {
        type: msgspec.json.decode(raw, type=TypeCatalogue) for type, raw in built.catalogue.types.items()
    }
    yield HEAD
    yield from _counts(parameters, types)
    yield from _absent(parameters)
    yield from _twice(parameters)
    yield from _passed_over(built.passed_over)
    yield from _composite(parameters)
    yield from _by_type(types)


def _counts(parameters: list[Definition], types: dict[str, TypeCatalogue]) -> Iterator[str]:
    with_expression = [one for one in parameters if "expression" in one]
    examples = [one for one in with_expression if is_example(one)]
    atoms = sum(len(found.atoms) for found in types.values())
    pairs = sum(len(found.parameters) for found in types.values())
    yield "| | |\n| --- | --- |\n"
    yield f"| SearchParameter resources read | {len(parameters):,} |\n"
    yield f"| with an expression | {len(with_expression):,} |\n"
    yield f"| examples of the specification, left out | {len(examples)} |\n"
    yield f"| compiled | {len(with_expression) - len(examples):,} |\n"
    yield f"| resource types | {len(types)} |\n"
    yield f"| parameters of types, common ones counted for each | {pairs:,} |\n"
    yield f"| atoms: sets of elements indexed together | {atoms:,} |\n\n"


def _absent(parameters: list[Definition]) -> Iterator[str]:
    absent = sorted((one["id"], one["code"], one["type"]) for one in parameters if is_without(one))
    yield "## Without an expression\n\n"
    yield f"These {len(absent)} say nothing that can be extracted, and are refused:\n\n"
    yield "| id | code | kind |\n| --- | --- | --- |\n"
    for id, code, kind in absent:
        yield f"| {id} | `{code}` | {kind} |\n"
    yield "\n"


def _twice(parameters: list[Definition]) -> Iterator[str]:
    pairs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in parameters:
        for base in one.get("base", ()):
            pairs[base, one["code"]].append(one["id"])
    yield (
        "## Defined twice\n\n"
        "In each pair one definition is an example printed in the specification, with the same\n"
        "expression; the other, the published one, is taken. Any other pair stops the build.\n\n"
        "| type | code | taken | left out |\n| --- | --- | --- | --- |\n"
    )
    for (base, code), ids in sorted(pairs.items()):
        if len(ids) > 1:
            examples = [id for id in ids if id.startswith("example")]
            taken = [id for id in ids if id not in examples]
            yield f"| {base} | `{code}` | {', '.join(taken)} | {', '.join(examples)} |\n"
    yield "\n"


def _passed_over(passed_over: set[tuple[str, str, str]]) -> Iterator[str]:
    yield (
        "## Types a parameter passes over\n\n"
        "Polymorphic elements may hold types that their parameter's kind cannot:\n"
        "such a value is not found by it, and counts as missing.\n\n"
        "| type | code | not found |\n| --- | --- | --- |\n"
    )
    types: dict[tuple[str, str], list[str]] = defaultdict(list)
    for resource, code, type in sorted(passed_over):
        types[resource, code].append(type)
    for (resource, code), names in types.items():
        yield f"| {resource} | `{code}` | {', '.join(names)} |\n"
    yield "\n"


def _composite(parameters: list[Definition]) -> Iterator[str]:
    yield (
        "## Composite parameters\n\n"
        "A value is one for each component, joined by `$`, each written as for the parameter of the\n"
        "component: `code-value-quantity=8480-6$gt140`. They are no sort keys.\n\n"
        "| id | code | components |\n| --- | --- | --- |\n"
    )
    for one in sorted(compilable(parameters), key=lambda one: one["id"]):
        if one["type"] == "composite":
            components = [
                f"{part['definition'].rpartition('/')[2]}: `{part['expression'].replace('|', 'or')}`"
                for part in one["component"]
            ]
            yield f"| {one['id']} | `{one['code']}` | {'; '.join(components)} |\n"
    yield (
        "\n`DocumentReference-relationship` prints the expressions of its two components each\n"
        "beside the wrong definition; they are taken the other way round.\n\n"
    )


def _by_type(types: dict[str, TypeCatalogue]) -> Iterator[str]:
    common = set.intersection(*(set(found.parameters) for found in types.values()))
    some = next(iter(types.values()))
    yield "## Of every type\n\n"
    yield from _table(some, sorted(common))
    for type, found in sorted(types.items()):
        own = sorted(set(found.parameters) - common)
        yield f"## {type}\n\n"
        yield from _table(found, own) if own else ["None beside the common ones.\n\n"]


def _table(found: TypeCatalogue, codes: Sequence[str]) -> Iterator[str]:
    atoms = {atom.number: atom for atom in found.atoms}
    yield "| code | kind | elements | leads to |\n| --- | --- | --- | --- |\n"
    for code in codes:
        entry = found.parameters[code]
        yield f"| `{code}` | {entry.kind} | {_elements(entry, atoms)} | {_targets(entry)} |\n"
    yield "\n"


def _elements(entry: Entry, atoms: dict[int, Atom]) -> str:
    if entry.kind == "special" or (entry.kind == "string" and not entry.branches):
        return "read in the text of each resource"
    if not entry.branches:
        return "beside the resource" if entry.kind in ("token", "date") else ""
    paths = [_path(leaf) for number, _ in entry.branches for leaf in atoms[number].leaves]
    return ", ".join(f"`{path}`" for path in dict.fromkeys(paths))


def _path(leaf: Leaf) -> str:
    path = ""
    for step in leaf.steps:
        match step:
            case Field(name, _, first):
                path += f".{name}[0]" if first else f".{name}"
            case Only("url", (url,)):
                # The value of an extension may be of many types: one line says it.
                return f"{path}({url.rpartition('/')[2]}).value".lstrip(".")
            case Only(name, values, negate):
                path += f"({name}{' not' if negate else ''} {' or '.join(values)})"
            case Having(url):
                path += f"(with {url.rpartition('/')[2]})"
            case Either(names):
                path += "." + "/".join(names)
    return path.lstrip(".")


def _targets(entry: Entry) -> str:
    if entry.kind != "reference":
        return ""
    narrowed = {target for _, target in entry.branches}
    if None not in narrowed:
        return ", ".join(sorted(filter(None, narrowed)))
    return ", ".join(entry.targets) or "any"


if __name__ == "__main__":
    sys.exit(main())
