"""$lastn of generated records: each adapter answers as plain Python does on the JSON."""

from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

from tests import scale
from tests.oracle.values import HONG_KONG, span
from tests.postgres_cluster import Cluster
from tests.records import observation, patient
from tests.server.api import Api
from tests.server.api import api as opened

ASKED = scale.counts(30, 300)
CODES = ("a", "b", "c", "d")
CATEGORIES = ("vital-signs", "laboratory")

Resource = dict[str, Any]


def generated(rng: Random) -> list[Resource]:
    """Observations of two Patients: some of several codes, of a text alone, of one time, of none."""
    found: list[Resource] = []
    for n in range(50):
        codes = rng.sample(CODES, rng.choice((1, 1, 1, 2)))
        coded = {
            "coding": [
                {"system": rng.choice(("http://s", "http://s", "http://t")), "code": code} for code in codes
            ]
        }
        code = coded if n % 6 else {"text": rng.choice(("Weight", "weight"))}
        at = f"2022-0{rng.randint(1, 5)}" if n % 5 == 0 else f"2022-0{rng.randint(1, 5)}-1{rng.randint(0, 3)}"
        time = {"effectiveDateTime": at} if n % 7 else {}
        category = [{"coding": [{"code": rng.choice(CATEGORIES)}]}]
        found.append(
            observation(f"o{n}", rng.choice(("p1", "p2"))) | {"code": code, "category": category} | time
        )
    return found


def oracle(held: list[Resource], of: str, category: str, most: int) -> list[str]:
    """Newest commit first, then by time; groups are merged while two share a code."""
    matching = [
        each
        for each in reversed(held)
        if each["subject"]["reference"] == f"Patient/{of}"
        and each["category"][0]["coding"][0]["code"] == category
    ]
    groups: list[tuple[set[Any], list[Resource]]] = []
    for each in matching:
        own = _codes(each)
        joined = [group for group in groups if group[0] & own]
        groups = [group for group in groups if not group[0] & own]
        groups.append((own.union(*(g[0] for g in joined)), [r for g in joined for r in g[1]] + [each]))
    chosen: list[Resource] = []
    for _, group in groups:
        ordered = sorted(group, key=matching.index)
        ordered.sort(key=_end, reverse=True)
        least = _end(ordered[most - 1]) if len(ordered) > most else float("-inf")
        chosen += [
            each
            for place, each in enumerate(ordered)
            if place < most or (_end(each) == least and least > float("-inf"))
        ]
    chosen.sort(key=matching.index)
    chosen.sort(key=_end, reverse=True)
    return [each["id"] for each in chosen]


def _codes(resource: Resource) -> set[Any]:
    coded = resource["code"]
    return {(each["system"], each["code"]) for each in coded.get("coding", ())} or {coded["text"]}


def _end(resource: Resource) -> float:
    at = resource.get("effectiveDateTime")
    return span(at, HONG_KONG).high if at else float("-inf")


def asked(api: Api, query: str) -> list[str]:
    return [
        entry["resource"]["id"] for entry in api.get(f"Observation/$lastn?{query}").json().get("entry", ())
    ]


def test_the_last_of_each_code_are_the_same_in_every_store_and_for_the_oracle(
    tmp_path: Path, postgres: Cluster
) -> None:
    rng = scale.seeded("lastn")
    held = generated(rng)
    with ExitStack() as stack:
        urls = ("memory:", f"sqlite:///{tmp_path}/x.db", postgres.fresh_database())
        apis = [stack.enter_context(opened(url)) for url in urls]
        for api in apis:
            api.store(patient("p1"), patient("p2"), *held)
        for _ in range(ASKED):
            of, category, most = rng.choice(("p1", "p2")), rng.choice(CATEGORIES), rng.randint(1, 4)
            wanted = oracle(held, of, category, most)
            for url, api in zip(urls, apis, strict=True):
                assert asked(api, f"patient={of}&category={category}&max={most}") == wanted, (url, of, most)
            assert wanted
