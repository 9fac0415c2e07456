"""The packaged artefact is what the script makes of the HL7 definitions, and numbers last."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kintung.errors import BadInput
from kintung.fhir.search.atoms import Field, Leaf, Only
from kintung.fhir.search.catalogue import Catalogue, TypeCatalogue, packaged
from kintung.fhir.search.compilation import Compiler
from kintung.fhir.search.elements import Element
from scripts.build_search_parameters import build, read_ndjson
from tests.shared_data import shared

CODE = Element(("code",), many=False, choice=False)
CONTACTS = Element(("ContactPoint",), many=True, choice=False)
ELEMENTS: Mapping[str, Mapping[str, Element]] = {
    "Thing": {"status": CODE, "form": CODE, "telecom": CONTACTS},
    "ContactPoint": {"system": CODE, "value": CODE},
}


def definition(code: str, expression: str) -> dict[str, Any]:
    return {
        "url": f"http://example.org/{code}",
        "code": code,
        "base": ["Thing"],
        "type": "token",
        "expression": expression,
    }


def compiled(previous: Catalogue | None, *definitions: dict[str, Any]) -> tuple[Catalogue, TypeCatalogue]:
    catalogue = Compiler(definitions, ELEMENTS, ["Thing"]).catalogue("test", previous)
    return catalogue, msgspec.json.decode(catalogue.types["Thing"], type=TypeCatalogue)


def number_of(things: TypeCatalogue, code: str) -> list[int]:
    return [atom for atom, _ in things.parameters[code].branches]


STATUS, FORM = definition("status", "Thing.status"), definition("form", "Thing.form")


def test_the_packaged_artefact_is_what_the_script_builds():
    folder = shared("fhir-r4-definitions")
    rebuilt = build(
        read_ndjson(folder / "SearchParameter.ndjson.gz"),
        read_ndjson(folder / "StructureDefinition.ndjson.gz"),
        packaged(),
    )

    assert json.loads(rebuilt.artefact) == json.loads(packaged())


def test_the_artefact_is_compressed_without_a_date():
    artefact = Path(__file__).parents[4] / "src/kintung/fhir/data/search-parameters.json.gz"

    assert artefact.read_bytes()[4:8] == bytes(4)


def test_a_new_parameter_leaves_the_numbers_of_others_alone():
    first, things = compiled(None, STATUS)
    _, later = compiled(first, FORM, STATUS)

    assert number_of(later, "status") == number_of(things, "status")
    assert number_of(later, "form") == [first.next]


def test_the_number_of_a_parameter_taken_away_is_not_given_to_another():
    first, things = compiled(None, STATUS)
    without, _ = compiled(first, FORM)
    again, both = compiled(without, FORM, STATUS)

    assert number_of(both, "status") == number_of(things, "status")
    assert number_of(both, "form") != number_of(both, "status")
    assert again.retired == {}


def test_a_list_that_others_take_in_part_is_cut_into_its_kinds():
    _, things = compiled(
        None,
        definition("telecom", "Thing.telecom"),
        definition("email", "Thing.telecom.where(system='email')"),
        definition("phone", "Thing.telecom.where(system='phone')"),
    )
    telecom = Field("telecom", many=True)

    assert {leaf for atom in things.atoms for leaf in atom.leaves} == {
        Leaf((telecom, Only("system", ("email",))), "contact"),
        Leaf((telecom, Only("system", ("phone",))), "contact"),
        Leaf((telecom, Only("system", ("email", "phone"), negate=True)), "contact"),
    }
    assert len(number_of(things, "telecom")) == 3
    assert set(number_of(things, "email")) < set(number_of(things, "telecom"))


def test_two_definitions_of_one_parameter_are_refused():
    with pytest.raises(BadInput, match="two parameters status"):
        compiled(None, STATUS, {**STATUS, "url": "http://example.org/other"})


@pytest.mark.parametrize(
    "expression",
    [
        "Thing.colour",
        "Thing.status.first()",
        "Thing.status[1]",
        "Thing.telecom.where(rank > 1)",
        "Thing.telecom.rank",
    ],
)
def test_an_expression_that_cannot_be_typed_is_refused(expression: str):
    with pytest.raises(BadInput):
        compiled(None, definition("x", expression))
