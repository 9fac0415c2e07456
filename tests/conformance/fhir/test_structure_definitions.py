"""The packaged definitions are what the build script makes of the published ones."""

import gzip
import json
from importlib.resources import files

from kintung.fhir.structure.definitions import ARTEFACT, definitions, members
from scripts.build_fhir_definitions import ALSO_TARGETS, build, pack
from tests.shared_data import shared


def test_the_artefact_is_what_the_script_makes():
    packed = files("kintung.fhir").joinpath("data", ARTEFACT).read_bytes()
    rebuilt = pack(build(shared("fhir-r4-definitions")))
    assert gzip.decompress(rebuilt) == gzip.decompress(packed)
    assert rebuilt == pack(definitions())


def test_it_is_small():
    assert len(files("kintung.fhir").joinpath("data", ARTEFACT).read_bytes()) < 64 * 1024


def test_members_are_those_of_the_published_json_schema():
    """HL7's own JSON Schema of R4 names the same members of every type.

    It leaves out extensions of canonicals and of resource ids, which json.html allows
    for every primitive; and it gives ``modifierExtension`` to elements inside data types,
    which their definitions do not, and an extension to ``Extension.url``, which is an XML
    attribute.
    """
    with gzip.open(shared("fhir-r4-definitions/fhir.schema.json.gz")) as text:
        schema = json.load(text)["definitions"]
    compared = 0
    for type in definitions().types:
        top, *inner = type.split(".")
        name = "_".join((top, *map(capital, inner)))
        if name in schema:
            known = members(type)
            extended = {f"_{each}": member for each, member in known.items() if member.is_extensible}
            theirs = schema[name]["properties"].keys() - {"resourceType"}
            if type == "ExampleScenario.instance":
                theirs |= {"resourceType"}
            if type == "Extension":
                theirs -= {"_url"}
            if inner and top not in definitions().resources:
                theirs -= {"modifierExtension"}
            assert theirs <= known.keys() | extended.keys(), type
            left_out = (known.keys() | extended.keys()) - theirs
            assert {extended[each].type for each in left_out} <= {"canonical", "id"}, type
            compared += 1
    assert compared >= 490  # deeper elements have made-up names there


def capital(name: str) -> str:
    return name[0].upper() + name[1:]


def test_targets_added_for_published_examples_name_elements_that_exist():
    for path, target in ALSO_TARGETS.items():
        parent, _, name = path.rpartition(".")
        assert target in members(parent)[name].element.targets
