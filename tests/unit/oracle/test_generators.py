"""The generators repeat themselves from a seed, draw valid searches, and cover what they say."""

import gzip
import json
from itertools import islice
from random import Random
from typing import Any

import jsonschema_rs
import pytest

from tests.generators.resources import KINDS, as_json, resources
from tests.generators.searches import CELLS, FEATURES, Answer, Search, Searches, coverage, escape
from tests.oracle.search import Oracle, split, unescape
from tests.oracle.values import Held
from tests.shared_data import shared

NOW = 1_666_137_600_000_000
DAY = 86_400_000_000


@pytest.fixture(scope="module")
def held() -> list[Held]:
    return [Held(resource, NOW - DAY + n) for n, resource in enumerate(resources(Random(1), sets=2))]


def drawn(held: list[Held], seed: int, count: int) -> list[Search]:
    return list(islice(Searches(held, Random(seed), now=NOW), count))


def test_a_seed_decides_everything(held: list[Held]) -> None:
    assert resources(Random(1), sets=2) == [h.resource for h in held]
    assert resources(Random(2), sets=2) != [h.resource for h in held]
    assert drawn(held, 7, 200) == drawn(held, 7, 200)
    assert drawn(held, 7, 200) != drawn(held, 8, 200)


def test_a_run_covers_every_cell(held: list[Held]) -> None:
    oracle = Oracle(held, now=NOW)
    answers: list[Answer] = []
    for search in drawn(held, 3, 1500):
        assert oracle.covers(search.type, search.parameters)
        found = oracle.search(search.type, search.parameters)
        types = [search.type] if search.type else dict(search.parameters)["_type"].split(",")
        answers.append(Answer(search, len(found), sum(h.resource["resourceType"] in types for h in held)))
    reached = coverage(answers)
    assert reached.failures == [], str(reached)
    assert "searches" in str(reached)


def test_a_narrow_run_is_found_out() -> None:
    poor = coverage([Answer(Search("Patient", (("_id", "x"),), frozenset({CELLS[0]})), 0, 10)] * 50)
    assert len(poor.failures) == 2 + (len(CELLS) - 1) + len(FEATURES)
    broad = coverage([Answer(Search("Patient", ()), 10, 10)] * 50)
    assert [f for f in broad.failures if "match 2 to 90" in f]
    assert not [f for f in broad.failures if "have an answer" in f]


def test_only_what_the_caller_offers_is_asked(held: list[Held]) -> None:
    offered = {"Patient": {"gender": ("token", ()), "telecom": ("token", ())}}
    source = Searches(held, Random(1), now=NOW, parameters=offered)
    searches = [source.draw(("token", "", "")) for _ in range(50)]
    assert {search.type for search in searches} == {"Patient"}
    names = {name for search in searches for name, _ in search.parameters}
    assert {name.partition(":")[0] for name in names} <= {"gender", "telecom", "_sort", "_count", "_total"}


def test_a_parameter_without_a_table_gets_values_of_its_shape() -> None:
    slot = {"resourceType": "Slot", "id": "1", "start": "2013-01-14T10:00:00Z", "comment": "early"}
    offered = {"Slot": {"start": ("date", ()), "remark": ("string", ())}}
    source = Searches([Held(slot, NOW)], Random(1), now=NOW, parameters=offered)
    oracle_free = [source.draw(("string", "", "exact")) for _ in range(20)]
    assert any(("remark:exact", "early") in search.parameters for search in oracle_free)


def test_escapes_are_read_back() -> None:
    for text in ("a,b", "a|b", "a$b", "a\\b", "a\\,b", "\\", "plain"):
        assert split(escape(text), ",") == [escape(text)]
        assert unescape(escape(text)) == text


def test_a_query_string_is_percent_encoded() -> None:
    search = Search("Patient", (("name:exact", "a&b=ü %"), ("_count", "5")))
    assert search.query == "name:exact=a%26b%3D%C3%BC%20%25&_count=5"
    assert str(search) == "Patient?name:exact=a&b=ü %&_count=5"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    with gzip.open(shared("fhir-r4-definitions/fhir.schema.json.gz")) as file:
        return json.load(file)


@pytest.mark.parametrize("type", KINDS)
def test_resources_fit_the_published_schema(type: str, schema: dict[str, Any]) -> None:
    check = jsonschema_rs.validator_for(
        {"$schema": schema["$schema"], "$ref": f"#/definitions/{type}", "definitions": schema["definitions"]}
    )
    for resource in resources(Random(4), sets=3):
        if resource["resourceType"] == type:
            check.validate(json.loads(as_json(resource)))
