"""The three stores agree on who shares keys, and it is all whom the reader sees, up to the bound on a key."""

from random import Random
from typing import Any

import pytest

from kintung.identity.likeness import asked_keys, key_rows
from kintung.identity.matching import record
from kintung.store.reader import Reader
from tests import scale
from tests.patients import name, patient
from tests.stores import ALL, NOBODY, SYSTEM, Record

MOST = 2
NAMES = [
    name("陳", "大文"),
    name("陈", "大文"),
    name("CHAN", "Tai Man"),
    name("李", "美玲"),
    name("LEE", "Mei Ling"),
]
BIRTHS = ["1950-03-04", "1950-04-03", "1950-03-05", "1950"]
PHONES = ["51234567", "61234567", "91234567"]
Resource = dict[str, Any]


def drawn(draw: Random, id: str) -> Resource:
    """A Patient like many others; some have no birth date."""
    found = patient(id, *draw.sample(NAMES, draw.randrange(3)), birthDate=draw.choice(BIRTHS))
    if draw.random() < 0.2:
        del found["birthDate"]
    if draw.random() < 0.5:
        found["telecom"] = [{"system": "phone", "value": draw.choice(PHONES)}]
    return found


def sharing(record: Record, reader: Reader, keys: set[int], limit: int) -> list[tuple[int, str]]:
    with record.store.view() as view:
        return [(each.keys, each.opened().id) for each in view.sharing(reader, keys, limit)]


def expected(stored: dict[str, Resource], seen: set[str], keys: set[int]) -> list[tuple[int, str]]:
    """Who is seen and shares a key that few of the seen have; ``stored`` in the order it was written."""
    of = {id: keys.intersection(key_rows(each)) for id, each in stored.items() if id in seen}
    few = {key for key in keys if sum(key in each for each in of.values()) <= MOST}
    counted = [(len(each & few), id) for id, each in of.items() if each & few]
    return sorted(counted, key=lambda each: each[0])[::-1]


def test_stores_agree_on_who_shares_keys(records: list[Record], monkeypatch: pytest.MonkeyPatch):
    for module in ("memory.view", "sql.keyed"):
        monkeypatch.setattr(f"kintung.store.{module}.MOST_SHARING", MOST)
    draw = scale.seeded("sharing side by side")
    stored: dict[str, Resource] = {}
    some, hidden = {f"p{place}" for place in range(0, 20, 3)}, {"p1", "p2", "p3"}
    for each in records:
        each.grant(1, *some)
    found_any = crowded = 0
    for _ in range(scale.counts(40, 1_000)):
        id = f"p{draw.randrange(20)}"
        is_gone = id in stored and draw.random() < 0.2
        resource = drawn(draw, id)
        stored.pop(id, None)
        for each in records:
            if is_gone:
                each.delete(f"Patient/{id}")
            else:
                each.put(resource)
                if id in hidden:
                    each.label(f"Patient/{id}", "R")
        if not is_gone:
            stored[id] = resource
        keys = set(asked_keys(record(drawn(draw, ""))))
        for sight, seen in (
            (lambda _: ALL, set(stored)),
            (lambda each: Reader("some", each.store.scope(1)), some),
            (lambda _: Reader("r", persons=True, hidden=frozenset("R")), set(stored) - hidden),
            (lambda _: NOBODY, set[str]()),
        ):
            wanted = expected(stored, seen, keys)
            for each in records:
                assert sharing(each, sight(each), keys, 20) == wanted
                assert sharing(each, sight(each), keys, 2) == wanted[:2]
            found_any += bool(wanted)
        crowded += any(sum(key in key_rows(each) for each in stored.values()) > MOST for key in keys)
    assert found_any
    assert crowded
    for each in records:
        assert list(each.store.check(SYSTEM)) == []
