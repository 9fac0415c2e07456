"""What only the text of a resource answers: found in the order of the search, up to a bound."""

from collections.abc import Callable
from typing import Any

import pytest

from kintung.errors import NotSupported, TooCostly
from kintung.fhir.search import SearchLimits, parse_query
from kintung.store.reader import Reader
from kintung.store.versions import Page, Paging
from tests.records import observation, patient
from tests.stores import ALL, Record, names, walk

NOTES = {
    "1": ("Bone <b>scan</b>", "Metastases in the liver"),
    "2": ("血壓高，需覆診", "血壓 高"),
    "3": ("<p>Liver</p><p>bone</p>", "Trombone &amp; caf&#233;"),
    "4": ("Nothing", "H<sub>2</sub>O"),
}


def noted(id: str, *, of: str = "1") -> dict[str, Any]:
    narrative, text = NOTES[id]
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{narrative}<!-- hidden > remark --> {text}</div>'
    return observation(id, of, text={"status": "additional", "div": div}, note=[{"text": f"note {id}"}])


@pytest.fixture
def notes(record: Record) -> Record:
    record.commit(*(record.putting(noted(id)) for id in NOTES))
    return record


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("_text=bone", "13"),
        ("_text=BONE liver", "13"),
        ("_text=(bone OR liver) and metastases", "1"),
        ("_text=metastases,nothing", "14"),
        ("_text=bone metastases OR nothing", "14"),
        ('_text="liver bone"', "3"),
        ('_text="bone liver"', ""),
        ("_text=one", ""),
        ("_text=metas", "1"),
        ("_text=hidden", ""),
        ("_text=div", ""),
        ("_text=cafe", "3"),
        ("_text=h2o", "4"),
        ("_text=血壓高", "2"),
        ("_text=壓高 需", "2"),
        ("_text=高壓", ""),
        ("_text=ｌｉｖｅｒ", "13"),
        ("_text=note", ""),
        ("_content=note", "1234"),
        ("_content=note liver", "13"),
        ("_content=weight", "1234"),
        ('_content="additional bone"', ""),
        ("_content=20", ""),
        ("_text=bone&_content=note&code=weight", "13"),
        ("_text=bone&subject=Patient/2", ""),
    ],
)
def test_narratives_and_contents(notes: Record, asked: str, found: str):
    assert sorted(notes.found(f"Observation?{asked}")) == [f"Observation/{id}" for id in found]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("code:text=head", "14"),
        ("code:text=headache", "14"),
        ("code:text=ache", ""),
        ("code:text=頭痛", "2"),
        ("code:text=頭 痛", "2"),
        ("code:text=severe headache", "1"),
        ("code:text=headache severe", ""),
        ("code:text=頭痛,severe", "12"),
        ("code:text=h-1", ""),
        ("combo-code:text=cuff", "3"),
        ("code:text=cuff", ""),
        ("identifier:text=accession", "3"),
        ("identifier:text=a-7", ""),
        ("category:text=x", ""),
    ],
)
def test_words_beside_codes(record: Record, asked: str, found: str):
    concepts: dict[str, dict[str, Any]] = {
        "1": {"text": "Severe headache"},
        "2": {"coding": [{"code": "h-1", "display": "劇烈頭痛"}, {"code": "h-2"}]},
        "3": {"text": "Pressure"},
        "4": {"coding": [{"code": "h-1", "display": "Headache"}], "text": "Pain"},
    }
    for id, concept in concepts.items():
        more: dict[str, Any] = {}
        if id == "3":
            more["component"] = [{"code": {"text": "Cuff size"}}]
            more["identifier"] = [{"type": {"text": "Accession ID"}, "value": "A-7"}]
        record.put(observation(id, "1", **more) | {"code": concept})

    assert sorted(record.found(f"Observation?{asked}")) == [f"Observation/{id}" for id in found]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("22.2820|114.1588|1|km", ["central"]),
        ("22.2820|114.1588|1", ["central"]),
        ("22.2820|114.1588", ["central", "tst"]),
        ("22.2820|114.1588|2000|m", ["central"]),
        ("22.2820|114.1588|1.7|[mi_us]", ["central", "tst"]),
        ("22.2820|114.1588|1.7|mi", ["central", "tst"]),
        ("22.2820|114.1588|1.7|km", ["central"]),
        ("22.2820|114.1588|31|km", ["central", "shenzhen", "tst"]),
        ("-16.8|-179.9|30|km", ["fiji"]),
        ("90|0|1|km,-16.8|-179.9|30|km", ["fiji"]),
        ("22.2820|114.1588|20100|km", ["central", "fiji", "shenzhen", "tst"]),
    ],
)
def test_locations_near_a_place(record: Record, asked: str, found: list[str]):
    places = {
        "central": (22.282, 114.1588),
        "tst": (22.2988, 114.1722),
        "shenzhen": (22.5431, 114.0579),
        "fiji": (-16.8, 179.9),
    }
    for id, (latitude, longitude) in places.items():
        position = {"latitude": latitude, "longitude": longitude}
        record.put({"resourceType": "Location", "id": id, "position": position})
    record.put({"resourceType": "Location", "id": "nowhere"})

    assert sorted(record.found(f"Location?near={asked}")) == [f"Location/{id}" for id in found]


# -- pages, totals, and the bound ----------------------------------------------------------

Search = Callable[[str, Paging], Page]


def ask(record: Record, asked: str, paging: Paging, bodies: int = 5_000, reader: Reader = ALL) -> Page:
    type, _, query = asked.partition("?")
    pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&"))]
    limits = SearchLimits(bodies=bodies)
    with record.store.view() as view:
        return view.search(reader, parse_query(type, pairs, now_micros=0, limits=limits), paging)


@pytest.mark.parametrize(
    "sort", ["", "&_sort=date", "&_sort=-value-string", "&_sort=-_lastUpdated", "&_sort=_id"]
)
@pytest.mark.parametrize("count", [1, 4, 100])
def test_pages_together_are_the_whole(record: Record, sort: str, count: int):
    fill(record, 30)
    asked = f"Observation?code:text=even&status=final{sort}"
    whole = ask(record, asked, Paging(1000))

    assert len(whole.entries) == 15
    assert whole.next is None
    pages = list(walk(lambda paging: ask(record, asked, paging), Paging(count)))
    assert [name for page in pages for name in names(page)] == names(whole)
    assert [len(page.entries) for page in pages[:-1]] == [count] * (len(pages) - 1)
    assert pages[-1].entries


def fill(record: Record, many: int) -> None:
    """Observations of one day after another; the text of every second one is ``Even``."""
    record.commit(*(record.putting(_numbered(n)) for n in range(many)))


def _numbered(n: int) -> dict[str, Any]:
    dated = observation(str(n), "1", effectiveDateTime=f"2022-01-{n % 28 + 1:02}", valueString=str(n % 7))
    return dated | {"code": {"text": "Odd" if n % 2 else "Even"}}


def test_the_total_is_of_all_that_match(record: Record):
    fill(record, 9)

    assert ask(record, "Observation?code:text=even", Paging(2, total=True)).total == 5
    assert ask(record, "Observation?code:text=even", Paging(0, total=True)) == Page((), 10 - 1, None, 5)
    assert ask(record, "Observation?code:text=even", Paging(2)).total is None


def test_what_is_written_after_page_one_does_not_come(record: Record):
    fill(record, 6)
    first = ask(record, "Observation?code:text=even", Paging(1))
    record.put(observation("new", "1") | {"code": {"text": "Even"}})
    record.put(observation("2", "1") | {"code": {"text": "Odd"}})

    assert names(first) == ["Observation/4"]
    rest = Paging(10, sequence=first.sequence, after=first.next)
    assert names(ask(record, "Observation?code:text=even", rest)) == ["Observation/0"]


@pytest.mark.parametrize(
    ("bodies", "count", "found"),
    [
        # Of 10, the newest first: odd 9, even 8, odd 7, ...
        (10, 5, "86420"),
        (9, 4, "8642"),
        (2, 1, "8"),
        (1, 1, None),
        (3, 2, None),
        (4, 2, "86"),
        (9, 5, None),
        (10, 6, "86420"),
    ],
)
def test_a_page_opens_no_more_than_its_bound(record: Record, bodies: int, count: int, found: str | None):
    fill(record, 10)
    asked = "Observation?code:text=even"

    if found is None:
        with pytest.raises(TooCostly, match="narrow the search by patient, date, code or _lastUpdated"):
            ask(record, asked, Paging(count), bodies)
    else:
        page = ask(record, asked, Paging(count), bodies)
        assert names(page) == [f"Observation/{id}" for id in found]
        assert (page.next is None) == (found == "86420")


def test_each_page_has_the_bound_for_itself(record: Record):
    fill(record, 10)

    pages = walk(lambda paging: ask(record, "Observation?code:text=even", paging, bodies=3), Paging(1))
    assert [name for page in pages for name in names(page)] == [f"Observation/{id}" for id in "86420"]


@pytest.mark.parametrize("count", [0, 1])
def test_a_total_that_would_open_more_is_refused(record: Record, count: int):
    fill(record, 10)

    assert ask(record, "Observation?code:text=even", Paging(count, total=True), bodies=10).total == 5
    with pytest.raises(TooCostly, match="leave out _total"):
        ask(record, "Observation?code:text=even", Paging(count, total=True), bodies=9)


def test_a_large_text_counts_for_several(record: Record):
    for id in "12":
        record.put(observation(id, "1", note=[{"text": "long " * 4_000}]) | {"code": {"text": "Even"}})

    assert names(ask(record, "Observation?code:text=even", Paging(2), bodies=6)) == [
        "Observation/2",
        "Observation/1",
    ]
    with pytest.raises(TooCostly):
        ask(record, "Observation?code:text=even", Paging(2), bodies=5)


def test_what_is_hidden_is_neither_found_nor_counted(record: Record):
    for n in range(20):
        record.put(observation(str(n), "1" if n % 5 else "2") | {"code": {"text": "Even"}})
    record.put(patient("1"))
    record.grant(1, "2")
    reader = Reader("someone", persons=record.store.scope(1), organisations=True)
    asked = "Observation?code:text=even"

    assert names(ask(record, asked, Paging(10), 4, reader)) == [f"Observation/{n}" for n in (15, 10, 5, 0)]
    with pytest.raises(TooCostly):
        ask(record, asked, Paging(10), 3, reader)


def test_no_conditional_interaction_is_decided_by_a_text(record: Record):
    record.put(patient("1"))
    for asked in ("Observation?code:text=x", "Patient?_text=x", "Patient?_content=x", "Location?near=1|1"):
        type, _, pair = asked.partition("?")
        name, _, value = pair.partition("=")
        query = parse_query(type, [(name, value)], now_micros=0)
        with record.store.view() as view, pytest.raises(NotSupported, match="decides no conditional"):
            view.match(ALL, query)


def test_a_page_includes_what_its_entries_refer_to(record: Record):
    fill(record, 4)
    record.put(patient("1"))

    page = ask(record, "Observation?code:text=even&_include=Observation:subject", Paging(1))
    assert names(page) == ["Observation/2"]
    assert [f"{version.type}/{version.id}" for version in page.included] == ["Patient/1"]
    assert page.next is not None
