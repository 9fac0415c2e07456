"""The three stores agree on who bears a number: whom a search by identifier finds, the newest first."""

from random import Random
from typing import Any

from kintung.fhir.search import escape, parse_query
from kintung.identity.seeking import seek
from kintung.store.reader import Reader
from kintung.store.versions import Numbers, Paging
from tests import scale
from tests.patients import name, patient
from tests.stores import ALL, NOBODY, Record

HKID, MRN = "https://kintung.org/fhir/sid/hkid", "http://example.org/mrn"
MOST = 3
LONG = "7" * 300
STORED = [
    (HKID, "A123456(3)"),
    (HKID, "a1234563"),
    (HKID, "B987654(3)"),
    ("https://kintung.org/fhir/sid/hk-birth-certificate", "A123456(3)"),
    (MRN, "A1234563"),
    (MRN, "a,b|c$d\\e"),
    (MRN, LONG),
    ("http://example.org/other", "A1234563"),
]
ASKED = [*STORED, (HKID, "A1234563"), (MRN, LONG + "8"), ("http://example.org/none", "7"), (MRN, "none")]
NAMES = [name("陳", "大文"), name("CHAN", "Tai Man"), name("李", "美玲")]
Resource = dict[str, Any]


def drawn(draw: Random, id: str) -> Resource:
    identifiers = [
        {"system": system, "value": value} for system, value in draw.sample(STORED, draw.randrange(3))
    ]
    return patient(id, draw.choice(NAMES), identifier=identifiers)


def by_search(record: Record, reader: Reader, numbers: Numbers) -> list[str]:
    """All whom a search finds that has the numbers as alternatives."""
    values = ",".join(f"{escape(system)}|{escape(value)}" for system, value in numbers)
    query = parse_query("Patient", [("identifier", values)], now_micros=0)
    with record.store.view() as view:
        return [version.id for version in view.search(reader, query, Paging(100)).entries]


def bearing(record: Record, reader: Reader, numbers: Numbers) -> list[str] | None:
    with record.store.view() as view:
        found = view.bearing(reader, numbers, MOST)
    return None if found is None else [version.id for version in found]


def sought(record: Record, reader: Reader, asked: Resource) -> list[tuple[str, float]]:
    with record.store.view() as view:
        return [(each.version.id, each.match.score) for each in seek(view, reader, asked).found]


def test_stores_agree_on_who_bears_a_number(records: list[Record]):
    draw = scale.seeded("bearing side by side")
    some, hidden = {f"p{place}" for place in range(0, 12, 3)}, {"p1", "p2", "p3"}
    for each in records:
        each.grant(1, *some)
    few = many = like = 0
    for _ in range(scale.counts(40, 1_000)):
        resource, is_gone = drawn(draw, f"p{draw.randrange(12)}"), draw.random() < 0.1
        for each in records:
            each.put(resource)
            if resource["id"] in hidden:
                each.label(f"Patient/{resource['id']}", "R")
            if is_gone:
                each.delete(f"Patient/{resource['id']}")
        numbers = tuple(draw.sample(ASKED, draw.randrange(1, 4)))
        asked = drawn(draw, "")
        for sight in (
            lambda _: ALL,
            lambda each: Reader("some", each.store.scope(1)),
            lambda _: Reader("r", persons=True, hidden=frozenset("R")),
            lambda _: NOBODY,
        ):
            wanted = by_search(records[0], sight(records[0]), numbers)
            likely = sought(records[0], sight(records[0]), asked)
            for each in records:
                assert by_search(each, sight(each), numbers) == wanted
                assert bearing(each, sight(each), numbers) == (wanted if len(wanted) <= MOST else None)
                assert sought(each, sight(each), asked) == likely
            few += 0 < len(wanted) <= MOST
            many += len(wanted) > MOST
            like += len(likely) > 1
    assert few
    assert many
    assert like
