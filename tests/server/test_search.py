"""search and history over HTTP: bundles, links, cursors, refusals."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kintung.consent import Right
from kintung.store.reader import Reader
from kintung.web.limits import LIMITS
from kintung.web.site import WebSettings
from tests.records import observation, organization, patient
from tests.server.api import BASE, Api, Resource, ids, outcome, persona
from tests.server.api import api as opened

FORM = {"content-type": "application/x-www-form-urlencoded"}


def links(bundle: Resource) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle["link"]}


def walk(api: Api, path: str, **how: Any) -> list[Resource]:
    """Every page, by the next links."""
    pages = [api.get(path, **how).json()]
    while onward := links(pages[-1]).get("next"):
        pages.append(api.get(onward, **how).json())
    return pages


def ten(api: Api) -> None:
    api.store(*(patient(f"p{number}", f"Chan{number}") for number in range(10)))


def test_a_searchset_has_what_matches_newest_first(api: Api) -> None:
    api.store(patient("p1"), patient("p2", "Wong"), patient("p3"), organization("o1", "Chan"))
    found = api.get("Patient?family=chan&_total=accurate").json()
    assert (found["type"], found["total"], ids(found)) == ("searchset", 2, ["p3", "p1"])
    assert [each["fullUrl"] for each in found["entry"]] == [f"{BASE}/Patient/p3", f"{BASE}/Patient/p1"]
    assert links(found) == {"self": f"{BASE}/Patient?family=chan&_total=accurate"}


def test_an_empty_searchset_has_no_entries(api: Api) -> None:
    assert api.get("Patient").json() == {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "self", "url": f"{BASE}/Patient"}],
    }


def test_the_ways_to_ask_are_one(api: Api) -> None:
    ten(api)
    asked = "family=Chan1&_count=5"
    ways = [
        api.get(f"Patient?{asked}"),
        api.post("Patient/_search", asked.encode(), headers=FORM),
        api.post("Patient/_search?family=Chan1", b"_count=5", headers=FORM),
        api.get(f"?_type=Patient&{asked.replace('family', '_id').replace('Chan1', 'p1')}"),
        api.post("_search", b"_type=Patient&_id=p1", headers=FORM),
        api.post("Patient/_search?family=Chan1", b"", headers={"content-type": ""}),
    ]
    assert [(way.status_code, ids(way.json())) for way in ways] == [(200, ["p1"])] * len(ways)
    assert links(ways[1].json()) == links(ways[0].json()) == links(ways[2].json())


def test_pages_hold_every_match_once_and_say_where_the_next_is(api: Api) -> None:
    ten(api)
    pages = walk(api, "Patient?_count=3&_total=accurate&_sort=family")
    assert [ids(page) for page in pages] == [
        ["p0", "p1", "p2"],
        ["p3", "p4", "p5"],
        ["p6", "p7", "p8"],
        ["p9"],
    ]
    assert [page.get("total") for page in pages] == [10] * 4
    assert links(pages[1])["self"] == links(pages[0])["next"]
    parameters = parse_qs(urlsplit(links(pages[0])["next"]).query)
    assert list(parameters) == ["_cursor"]


def test_a_walk_by_post_goes_on_by_get(api: Api) -> None:
    ten(api)
    first = api.post("Patient/_search", b"_count=6", headers=FORM).json()
    assert ids(first) + ids(api.get(links(first)["next"]).json()) == [
        f"p{number}" for number in range(9, -1, -1)
    ]


def test_what_comes_after_page_one_does_not_come_on_later_pages(api: Api) -> None:
    ten(api)
    first = api.get("Patient?_count=8").json()
    api.store(patient("late"), patient("p1", "changed"))
    assert ids(api.get(links(first)["next"]).json()) == ["p0"]


def test_count_is_lowered_to_what_a_page_may_hold(api: Api) -> None:
    ten(api)
    self_link = links(api.get("Patient?_count=5000").json())["self"]
    assert self_link == f"{BASE}/Patient?_count=1000"
    assert len(ids(api.get("Patient?_count=99999999999999999999").json())) == 10


def test_count_zero_gives_the_total_alone(api: Api) -> None:
    ten(api)
    found = api.get("Patient?_count=0").json()
    assert (found["total"], "entry" in found) == (10, False)
    found = api.get("_history?_count=0").json()
    assert (found["total"], "entry" in found) == (10, False)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("colour=red", (400, "not-supported")),
        ("_include=Patient:name", (400, "not-supported")),
        ("_revinclude=*", (400, "not-supported")),
        ("_summary=yes", (400, "value")),
        ("_elements=colour", (400, "not-supported")),
        ("_has:Observation:subject=x", (400, "invalid")),
        ("birthdate=yesterday", (400, "value")),
        ("_count=-1", (400, "value")),
        ("_count=1&_count=2", (400, "invalid")),
        ("_sort=colour", (400, "not-supported")),
        ("_total=yes", (400, "value")),
        ("family=%FF", (400, "value")),
        ("family=a%00b", (400, "value")),
        ("family=", (400, "value")),
        ("_id=" + ",".join("a" * 501), (413, "too-long")),
        ("&".join(["_id=1"] * 101), (413, "too-long")),
        ("&".join(["_id=1"] * 1001), (400, "value")),
        ("_id=" + "a" * 60_000, (414, "too-long")),
        ("_format=xml", (406, "not-supported")),
    ],
)
def test_what_is_not_understood_is_refused(api: Api, query: str, expected: tuple[int, str]) -> None:
    ten(api)
    assert outcome(api.get(f"Patient?{query}"))[:2] == expected


def test_a_lenient_search_says_what_it_left_out(api: Api) -> None:
    api.store(patient("p1"))
    found = api.get("Patient?colour=red&family=Chan", headers={"Prefer": "handling=lenient"}).json()
    assert ids(found) == ["p1"]
    assert links(found)["self"] == f"{BASE}/Patient?family=Chan"
    left_out = found["entry"][1]
    assert left_out["search"]["mode"] == "outcome"
    assert left_out["resource"]["issue"][0]["severity"] == "warning"


def test_every_page_of_a_lenient_search_says_what_it_left_out(api: Api) -> None:
    ten(api)
    pages = walk(api, "Patient?colour=red&_count=4", headers={"Prefer": "handling=lenient"})
    assert [ids(page) for page in pages] == [["p9", "p8", "p7", "p6"], ["p5", "p4", "p3", "p2"], ["p1", "p0"]]
    for page in pages:
        said = page["entry"][-1]
        assert said["search"]["mode"] == "outcome"
        assert [issue["expression"] for issue in said["resource"]["issue"]] == [["colour"]]
    last = links(pages[1])["next"]
    assert api.get(last).json()["entry"][-1]["search"]["mode"] == "outcome"


def test_every_page_has_the_total_of_the_first(api: Api) -> None:
    ten(api)
    for path in ("Patient?_total=accurate&_count=4", "_history?_count=4"):
        first = api.get(path).json()
        api.store(patient(f"late-{first['total']}"))
        onward, totals = links(first).get("next"), [first["total"]]
        while onward:
            page = api.get(onward).json()
            totals.append(page["total"])
            onward = links(page).get("next")
        assert totals == [totals[0]] * 3


def test_what_is_included_stands_beside_the_matches(api: Api) -> None:
    api.store(patient("p1"), patient("p2"), observation("o1", "p1"), observation("o2", "p2"))
    asked = "Observation?_count=1&_total=accurate&_include=Observation:subject&_include:iterate=*"
    pages = walk(api, asked)
    found = [[(each["fullUrl"], each["search"]["mode"]) for each in page["entry"]] for page in pages]
    assert found == [
        [(f"{BASE}/Observation/o2", "match"), (f"{BASE}/Patient/p2", "include")],
        [(f"{BASE}/Observation/o1", "match"), (f"{BASE}/Patient/p1", "include")],
    ]
    assert [page["total"] for page in pages] == [2, 2]
    assert links(pages[0])["self"] == f"{BASE}/{asked.replace('*', '%2A')}"


def test_an_include_that_is_not_known_is_refused_or_left_out_with_a_word(api: Api) -> None:
    api.store(patient("p1"))
    asked = "Patient?_include=Patient:colour"
    assert outcome(api.get(asked)) == (400, "not-supported", "_include")
    found = api.get(asked, headers={"Prefer": "handling=lenient"}).json()
    assert (ids(found), links(found)["self"]) == (["p1"], f"{BASE}/Patient")
    assert found["entry"][1]["resource"]["issue"][0]["expression"] == ["_include"]


# --- cursors --------------------------------------------------------------------------


def cursor(api: Api, path: str = "Patient?_count=3", **how: Any) -> str:
    """A cursor that leads to page two."""
    return parse_qs(urlsplit(links(api.get(path, **how).json())["next"]).query)["_cursor"][0]


def test_a_cursor_says_nothing(api: Api) -> None:
    ten(api)
    text = cursor(api, "Patient?_count=3&family=Chan")
    assert "Chan" not in text
    assert cursor(api, "Patient?_count=3&family=Chan") != text, "no two are alike"


def test_a_cursor_that_cannot_be_used_is_refused_without_saying_why(api: Api) -> None:
    ten(api)
    api.personas["other"] = persona("other", Reader.everything("other"), Right.VIEW)
    good = cursor(api)
    damaged = [good[:-2], good[::-1], "A" + good[1:], "A" * len(good), "", "%F0%9F%90%BC", "x", good + "A"]
    answers = [api.get(f"Patient?_cursor={text}") for text in damaged if text[:1] != good[:1] or text != good]
    answers += [
        api.get(f"Patient?_cursor={good}", persona="other"),
        api.get(f"Observation?_cursor={good}"),
        api.get(f"_history?_cursor={good}"),
    ]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert outcome(answers[0]) == (400, "value", "_cursor")
    assert api.get(f"Patient?_cursor={good}&_format=json").status_code == 200
    for beside in ("_count=5", "family=x", f"_cursor={good}"):
        assert outcome(api.get(f"Patient?_cursor={good}&{beside}")) == (400, "value", "_cursor")


def test_each_page_is_authorised_as_of_now(api: Api) -> None:
    ten(api)
    reader = api.grant(1, *(f"p{number}" for number in range(10)))
    api.personas["doctor"] = persona("doctor", reader, Right.VIEW)
    onward = cursor(api, "Patient?_count=8", persona="doctor")
    api.label("Patient/p1", "R")
    hiding = Reader(reader.name, persons=reader.persons, hidden=frozenset({"R"}))
    api.personas["doctor"] = persona("doctor", hiding, Right.VIEW)
    assert ids(api.get(f"Patient?_cursor={onward}", persona="doctor").json()) == ["p0"]


# --- history --------------------------------------------------------------------------


def versions(bundle: Resource) -> list[tuple[str, str]]:
    """Method and etag of each entry."""
    return [(each["request"]["method"], each["response"]["etag"]) for each in bundle["entry"]]


def test_a_history_has_every_version_newest_first(api: Api) -> None:
    api.store(patient("p"), patient("p", "Wong"), patient("q"))
    api.delete("Patient/p")
    api.store(patient("p", "Lau"))
    found = api.get("Patient/p/_history").json()
    assert (found["type"], found["total"]) == ("history", 4)
    assert versions(found) == [("POST", 'W/"4"'), ("DELETE", 'W/"3"'), ("PUT", 'W/"2"'), ("POST", 'W/"1"')]
    assert ["resource" in each for each in found["entry"]] == [True, False, True, True]
    assert [each["response"]["status"][:3] for each in found["entry"]] == ["201", "204", "200", "201"]
    assert (
        found["entry"][0]["response"]["lastModified"] == found["entry"][0]["resource"]["meta"]["lastUpdated"]
    )
    assert found["entry"][1]["request"]["url"] == "Patient/p"
    assert api.get("Patient/_history").json()["total"] == 5 == api.get("_history").json()["total"]
    assert outcome(api.get("Patient/none/_history"))[:2] == (404, "not-found")


def test_history_pages_and_since(api: Api) -> None:
    ten(api)
    pages = walk(api, "Patient/_history?_count=4")
    assert [len(page["entry"]) for page in pages] == [4, 4, 2]
    assert len({each["fullUrl"] for page in pages for each in page["entry"]}) == 10
    at = api.get("Patient/p7").json()["meta"]["lastUpdated"]
    assert api.get(f"_history?_since={at}").json()["total"] == 3
    assert api.get("_history?_since=2022-10-19T08:00:00%2B08:00").json()["total"] == 10
    assert api.get("_history?_since=2030").json()["total"] == 0


def test_a_history_at_a_time_and_oldest_first(api: Api) -> None:
    api.store(patient("p"), patient("q"), patient("p", "Wong"))
    at = [each["response"]["lastModified"] for each in api.get("_history").json()["entry"]][::-1]
    oldest = api.get("_history?_sort=_lastUpdated").json()
    assert [each["response"]["lastModified"] for each in oldest["entry"]] == at
    assert api.get("_history?_sort=-_lastUpdated").json()["entry"] == oldest["entry"][::-1]
    then = api.get(f"Patient/p/_history?_at={at[1]}").json()
    assert (then["total"], versions(then)) == (1, [("POST", 'W/"1"')])
    assert versions(api.get(f"Patient/_history?_at={at[2]}").json()) == [("PUT", 'W/"2"'), ("POST", 'W/"1"')]
    pages = walk(api, "_history?_sort=_lastUpdated&_count=2&_at=2022")
    assert [each["response"]["lastModified"] for page in pages for each in page["entry"]] == at
    assert api.get("_history?_at=2021").json()["total"] == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("_list=1", "not-supported"),
        ("_sort=_id", "not-supported"),
        ("_sort=_lastUpdated,_id", "not-supported"),
        ("_at=ge2022", "value"),
        ("_at=2022-13", "value"),
        ("_at=2022&_at=2023", "value"),
        ("_since=2022&_since=2023", "value"),
        ("_since=now", "value"),
        ("_count=x", "value"),
        ("_cursor=x", "value"),
    ],
)
def test_what_a_history_does_not_take_is_refused(api: Api, query: str, code: str) -> None:
    api.store(patient("p"))
    for path in ("Patient/p/_history", "Patient/_history", "_history"):
        assert outcome(api.get(f"{path}?{query}"))[:2] == (400, code)


def test_bundles_of_results_are_valid(api: Api) -> None:
    api.store(patient("p"), observation("o", "p"))
    api.delete("Observation/o")
    for path in (
        "Patient?_total=accurate",
        "?_type=Patient",
        "_history",
        "Patient/p/_history",
        "Observation",
    ):
        found = api.get(path)
        checked = api.post("Bundle/$validate", found.content).json()
        assert checked["issue"][0]["severity"] == "information", (path, checked)


def test_an_estimated_total_says_where_it_ends() -> None:
    """Given more matches than are counted, when a total is estimated, then an entry says so."""
    limits = replace(LIMITS, search=replace(LIMITS.search, estimated=2))
    with opened(settings=WebSettings(limits=limits)) as node:
        node.store(patient("1"), patient("2"), patient("3"))
        estimated = node.get("Patient?_total=estimate&_count=1").json()
        few = node.get("Patient?_id=1&_total=estimate").json()
        accurate = node.get("Patient?_total=accurate").json()
    assert (estimated["total"], few["total"], accurate["total"]) == (2, 1, 3)
    (said,) = (entry for entry in estimated["entry"] if entry["search"]["mode"] == "outcome")
    (issue,) = said["resource"]["issue"]
    assert (issue["severity"], issue["code"]) == ("information", "informational")
    assert "2 matches or more" in issue["details"]["text"]
    assert all(entry["search"]["mode"] == "match" for entry in (*few["entry"], *accurate["entry"]))
