"""The keys of a name: few, in one order, and what stands in them."""

import pytest

from kintung.fhir.search import parameters, resource_types
from kintung.fhir.search.catalogue import type_catalogue
from kintung.identity.name_search import name_forms, name_rows, names_fingerprint
from kintung.identity.name_search.rows import ATOMS


def keys(**name: object) -> list[str]:
    return [folded for _, folded, _ in name_rows({"resourceType": "Patient", "name": [name]})]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ({"family": "CHAN", "given": ["Tai Man"]}, ["taiman|chan|"]),
        ({"family": "CHAN", "given": ["Tai-man", "David"]}, ["taiman|chan|"]),
        ({"text": "CHAN, Tai Man David"}, ["taiman|chan|"]),
        ({"family": "Chen", "given": ["Dawen"]}, ["dawen|chen|"]),
        ({"family": "AU YEUNG", "given": ["Mei Yee"]}, ["meiyee|auyeung|"]),
        ({"family": "CHAN LEE", "given": ["Mei Ling"]}, ["meiling|chanlee|", "meiling|lee|"]),
        ({"family": "LYU", "given": ["Zhiqiang"]}, ["zhiqiang|lv|"]),
        # The last word of a name that was cut off is not all there.
        (
            {"family": "LEUNG", "given": ["Wing Yan Alexandrina Josephine Mar"]},
            ["wingyan|leung|"],
        ),
        ({"family": "歐陽", "given": ["美儀"]}, ["mei.ji.|au.joeng|", "~meiyi|ouyang|"]),
        ({"family": "余", "given": ["美玲"]}, ["mei.ling.|jyu|", "~meiling|yu|"]),
        (
            {"text": "陳李美玲"},
            ["mei.ling.|can.lei|", "~meiling|chenli|", "=美玲|", "mei.ling.|lei|", "=李美玲|"],
        ),
        # Who has no Chinese name has no keys, nor who has a surname or a given name alone.
        ({"family": "Smith", "given": ["John"]}, []),
        ({"family": "陳"}, []),
        ({"given": ["大文"]}, []),
        ({}, []),
    ],
)
def test_keys_of_a_name(name: dict[str, object], found: list[str]):
    assert keys(**name) == found


def test_persons_alone_have_keys():
    name = [{"family": "CHAN", "given": ["Tai Man"]}]
    for type in sorted(resource_types()):
        rows = name_rows({"resourceType": type, "name": name})
        assert bool(rows) == (type in ATOMS), type


def test_atoms_are_no_others():
    numbers = {atom.number for type in ATOMS for atom in type_catalogue(type).atoms}
    assert min(numbers) > 0 > max(ATOMS.values())
    assert len(set(ATOMS.values())) == len(ATOMS)


def test_forms_are_of_the_names_of_persons():
    asked = {
        (type, code)
        for type in sorted(resource_types())
        for code, parameter in parameters(type).items()
        if parameter.kind == "string" and name_forms(parameter, ["Chan Tai Man"])
    }
    assert asked == {
        (type, code)
        for type in ATOMS
        for code in ("name", "family", "given", "phonetic")
        if code in parameters(type) and code != "family"
    }
    assert name_forms(parameters("Patient")["family"], ["Chan"])


def test_the_fingerprint_is_of_the_packaged_tables():
    assert names_fingerprint() == names_fingerprint()
    assert len(names_fingerprint()) == 64
