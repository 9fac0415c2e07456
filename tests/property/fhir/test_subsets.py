"""A part of any resource is valid, the same when it is cut again, and its values keep their bytes."""

import gzip
import json
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any, get_args

import msgspec
import pytest

from kintung.fhir.json import parse
from kintung.fhir.structure import is_valid
from kintung.fhir.structure.definitions import members
from kintung.fhir.subset import Form, Subset
from tests import scale
from tests.generators.resources import as_json, resources
from tests.shared_data import shared

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
FORMS: tuple[Form, ...] = get_args(Form)
ALWAYS = {"resourceType", "id", "meta"}


@cache
def texts() -> tuple[bytes, ...]:
    """The official examples, and seeded resources with values that are hard to keep."""
    official = gzip.decompress(shared("fhir-r4-examples/examples.ndjson.gz").read_bytes()).splitlines()
    seeded = [as_json(resource).encode() for resource in resources(scale.seeded("parts"), sets=2)]
    return tuple(msgspec.json.format(text, indent=-1) for text in (*official, *seeded))


@cache
def flags() -> dict[str, dict[str, tuple[bool, bool]]]:
    """Of each element at the root of each type: is it in the summary, and must it be kept always?

    Read from HL7's definitions themselves.
    """
    found: dict[str, dict[str, tuple[bool, bool]]] = {}
    with gzip.open(shared("fhir-r4-definitions/StructureDefinition.ndjson.gz")) as lines:
        for line in lines:
            definition = json.loads(line)
            if definition["kind"] != "resource" or definition.get("derivation") == "constraint":
                continue
            of_type = found.setdefault(definition["name"], {})
            for element in definition["snapshot"]["element"][1:]:
                name = element["path"].split(".", 1)[1]
                due = element["min"] > 0 or element.get("isModifier", False)
                of_type[name.removesuffix("[x]")] = (element.get("isSummary", False), due)
    return found


def expected(text: bytes, form: Form, elements: frozenset[str]) -> tuple[set[str], set[str]]:
    """The members at the root of a part, and those of them that must be there."""
    whole = _MEMBERS.decode(text)
    type = msgspec.json.decode(whole["resourceType"], type=str)
    kept, always = set[str](), {"meta"} | ALWAYS & whole.keys()
    for name in whole:
        if name in ALWAYS:
            continue
        element = members(type)[name.removeprefix("_")].element.name
        in_summary, due = flags()[type][element]
        asked = {
            "true": in_summary,
            "text": element == "text",
            "data": element != "text",
            "elements": element in elements,
        }[form]
        if asked or due:
            kept.add(name)
        if due:
            always.add(name)
    return kept | always, always


def drawn(text: bytes, rng: Random) -> Iterator[Subset]:
    """Each form once; elements that the resource has."""
    names = sorted({name.removeprefix("_") for name in _MEMBERS.decode(text)})
    type = json.loads(text)["resourceType"]
    for form in FORMS:
        picked = rng.sample(names, min(len(names), 3)) if form == "elements" else []
        known = {name: members(type)[name].element.name for name in names if name not in ALWAYS}
        yield Subset(form, frozenset(known.get(name, name) for name in picked))


def is_within(part: Any, whole: Any) -> bool:
    """Is a part made of what the whole has, in its order? Decoded with the text of each number."""
    if isinstance(part, dict) and isinstance(whole, dict):
        names = [name for name in whole if name in part]
        return names == list(part) and all(is_within(part[name], whole[name]) for name in part)
    if isinstance(part, list) and isinstance(whole, list):
        rest = iter(whole)
        return all(any(is_within(item, other) for other in rest) for item in part)
    return type(part) is type(whole) and part == whole


class Text(str):
    """The digits of a number."""


def read(text: bytes) -> Any:
    return json.loads(text, parse_float=Text, parse_int=Text)


def test_a_part_has_what_the_definitions_say_and_is_valid() -> None:
    rng = scale.seeded("subsets")
    invalid: list[str] = []
    emptied = 0
    for text in texts():
        whole = _MEMBERS.decode(text)
        for part in drawn(text, rng):
            cut = part.of(text)
            shown = f"{part.form} of {json.loads(text)['resourceType']}/{json.loads(text).get('id')}"
            kept = _MEMBERS.decode(cut)
            wanted, due = expected(text, part.form, part.elements)
            assert due <= kept.keys() <= wanted, shown
            assert kept.keys() == wanted or part.form == "true", shown
            emptied += len(wanted - kept.keys())
            if not is_valid(parse(cut)):
                invalid.append(shown)
            assert part.of(cut) == cut, shown
            without_meta = {name: value for name, value in read(cut).items() if name != "meta"}
            assert is_within(without_meta, {n: v for n, v in read(text).items() if n != "meta"}), shown
            if part.form != "true":
                same = [bytes(kept[name]) == bytes(whole[name]) for name in kept if name != "meta"]
                assert all(same), shown
    assert invalid == []
    assert emptied < len(texts()) / 20, "what is in a summary and has nothing that is in it is rare"


def test_the_tag_stands_beside_what_the_meta_has() -> None:
    for text in texts():
        before = read(text).get("meta", {})
        after = read(Subset("data").of(text))["meta"]
        tags = after.pop("tag")
        assert tags[:-1] == before.pop("tag", [])
        assert tags[-1]["code"] == "SUBSETTED"
        assert after == before


@pytest.mark.parametrize("form", FORMS)
def test_what_is_cut_twice_is_cut_once(form: Form) -> None:
    """Cutting by one form and then another leaves what either would."""
    for text in texts()[:: scale.counts(20, 1)]:
        first = Subset(form, frozenset(("id",))).of(text)
        other = Subset("data").of(first)
        assert Subset(form, frozenset(("id",))).of(Subset("data").of(text)) == other
