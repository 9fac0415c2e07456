"""Make the packaged structure definitions from the FHIR R4 definitions of HL7 (CC0).

    python scripts/build_fhir_definitions.py DEFINITIONS_FOLDER [OUTPUT_FOLDER] [--check]

DEFINITIONS_FOLDER holds ``StructureDefinition.ndjson.gz``, ``ValueSet.ndjson.gz`` and
``CodeSystem.ndjson.gz``, one resource a line. The same input always gives the same bytes.
"""

import gzip
import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from kintung.fhir.structure.definitions import ARTEFACT, PRIMITIVES, Definitions, Element

CORE = "http://hl7.org/fhir/StructureDefinition/"
FHIR_TYPE = CORE + "structuredefinition-fhir-type"
ALSO_TARGETS = {
    "DeviceMetric.parent": "DeviceDefinition",
    "DeviceUseStatement.reasonReference": "Procedure",
    "MedicationRequest.dispenseRequest.performer": "Practitioner",
    "Observation.performer": "Encounter",
}
"""Targets that published examples of the standard use beside those of its definitions."""

ABSTRACT = ("DomainResource", "Resource")
PACKAGED = Path(__file__).resolve().parents[1] / "src/kintung/fhir/data"


class CannotExpand(Exception):
    """A value set rests on codes that HL7 does not publish with FHIR."""


def read(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(folder / f"{name}.ndjson.gz") as lines:
        for line in lines:
            yield json.loads(line)


def build(folder: Path) -> Definitions:
    """Read the definitions and keep what structure validation needs."""
    structures = [
        definition
        for definition in read(folder, "StructureDefinition")
        if definition["url"].startswith(CORE)
        and definition["kind"] in ("resource", "complex-type")
        and definition.get("derivation") != "constraint"
        and definition["name"] not in ABSTRACT
    ]
    types: dict[str, tuple[Element, ...]] = {}
    for definition in structures:
        types |= elements_of(definition)
    types["SimpleQuantity"] = tuple(each for each in types["Quantity"] if each.name != "comparator")
    expander = Expander(read(folder, "ValueSet"), read(folder, "CodeSystem"))
    bound = {each.value_set for elements in types.values() for each in elements if each.value_set}
    value_sets: dict[str, dict[str, tuple[str, ...]]] = {}
    unchecked: dict[str, str] = {}
    for url in sorted(bound):
        try:
            codes = expander.expand(url)
        except CannotExpand as reason:
            unchecked[url] = str(reason)
        else:
            systems = sorted({system for system, _ in codes})
            value_sets[url] = {
                system: tuple(sorted(code for of, code in codes if of == system)) for system in systems
            }
    return Definitions(
        version="4.0.1",
        resources=tuple(sorted(each["name"] for each in structures if each["kind"] == "resource")),
        types=dict(sorted(types.items())),
        value_sets=value_sets,
        unchecked=unchecked,
    )


def elements_of(definition: dict[str, Any]) -> dict[str, tuple[Element, ...]]:
    """The type itself and each backbone element in it, by path."""
    found: dict[str, list[Element]] = {definition["name"]: []}
    for element in definition["snapshot"]["element"][1:]:
        parent, _, name = element["path"].rpartition(".")
        if name.endswith("[x]") or element.get("max") != "0":
            found.setdefault(parent, []).append(element_of(element, definition["kind"]))
    return {path: tuple(elements) for path, elements in found.items()}


def element_of(element: dict[str, Any], kind: str) -> Element:
    parent, _, name = element["path"].rpartition(".")
    references = [each for each in element.get("type", ()) if each["code"] == "Reference"]
    targets = {profile.removeprefix(CORE) for each in references for profile in each.get("targetProfile", ())}
    if also := ALSO_TARGETS.get(element["path"]):
        targets.add(also)
    binding = element.get("binding", {})
    if kind == "resource" and name == "id" and "." not in parent:
        types = ("id",)
    else:
        types = tuple(type_code(each, element) for each in element.get("type", ())) or (
            element["contentReference"].removeprefix("#"),
        )
    return Element(
        name=name.removesuffix("[x]"),
        types=types,
        min=element["min"],
        max=0 if element["max"] == "*" else int(element["max"]),
        is_choice=name.endswith("[x]"),
        is_attribute="xmlAttr" in element.get("representation", ()),
        targets=() if "Resource" in targets else tuple(sorted(targets)),
        value_set=binding["valueSet"].partition("|")[0] if binding.get("strength") == "required" else None,
        is_summary=element.get("isSummary", False),
        is_modifier=element.get("isModifier", False),
    )


def type_code(type: dict[str, Any], element: dict[str, Any]) -> str:
    for extension in type.get("extension", ()):
        if extension["url"] == FHIR_TYPE:
            return extension["valueUrl"]
    code = type["code"]
    if code in ("BackboneElement", "Element"):
        return element["path"]
    if CORE + "SimpleQuantity" in type.get("profile", ()):
        return "SimpleQuantity"
    assert code[0].isupper() or code in PRIMITIVES, code
    return code


class Expander:
    """Value sets as sets of (system, code), from definitions alone."""

    def __init__(self, value_sets: Iterable[dict[str, Any]], code_systems: Iterable[dict[str, Any]]) -> None:
        self.value_sets = {each["url"]: each for each in value_sets}
        self.code_systems = {each["url"]: each for each in code_systems}

    def expand(self, url: str) -> set[tuple[str, str]]:
        url = url.partition("|")[0]
        if url not in self.value_sets:
            raise CannotExpand(f"{url} is not published with FHIR")
        compose = self.value_sets[url].get("compose", {})
        codes: set[tuple[str, str]] = set()
        for part in compose.get("include", ()):
            codes |= self.part(part)
        for part in compose.get("exclude", ()):
            codes -= self.part(part)
        return codes

    def part(self, part: dict[str, Any]) -> set[tuple[str, str]]:
        if "filter" in part:
            raise CannotExpand(f"a filter on {part['system']}")
        sets = [self.expand(each) for each in part.get("valueSet", ())]
        if "system" in part:
            sets.append(self.of_system(part))
        return set.intersection(*sets)

    def of_system(self, part: dict[str, Any]) -> set[tuple[str, str]]:
        system = part["system"]
        if "concept" in part:
            return {(system, concept["code"]) for concept in part["concept"]}
        definition = self.code_systems.get(system)
        if definition is None or definition["content"] != "complete":
            raise CannotExpand(f"the codes of {system} are not published with FHIR")
        return {(system, code) for code in all_codes(definition["concept"])}


def all_codes(concepts: list[dict[str, Any]]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from all_codes(concept.get("concept", []))


def pack(definitions: Definitions) -> bytes:
    """Compress without a time or a file name, so that equal definitions are equal bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as out:
        out.write(msgspec.json.encode(definitions))
    return packed.getvalue()


def main() -> None:
    """Write the artefact, or with ``--check`` exit 1 when it is not what the definitions give."""
    folder, *others = [argument for argument in sys.argv[1:] if argument != "--check"]
    artefact = (Path(others[0]) if others else PACKAGED) / ARTEFACT
    definitions = build(Path(folder))
    if "--check" in sys.argv:
        # The text is compared: zlib may compress it otherwise in another version.
        if gzip.decompress(artefact.read_bytes()) != msgspec.json.encode(definitions):
            sys.exit(f"{artefact.name} is not what the definitions give: run make generate")
        return
    artefact.write_bytes(pack(definitions))
    sizes = (
        f"{len(definitions.resources)} resource types, {len(definitions.types)} types and backbone elements"
    )
    print(f"{sizes}, {len(definitions.value_sets)} value sets; not checked:")
    for url, reason in definitions.unchecked.items():
        print(f"  {url}: {reason}")


if __name__ == "__main__":
    main()
