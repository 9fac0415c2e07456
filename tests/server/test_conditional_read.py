"""Conditional read: http://hl7.org/fhir/R4/http.html#cread, wherever one version is shown."""

from typing import Any

import pytest

from tests.records import binary, patient
from tests.server.api import Api, outcome

NEXT = 1_000_000
"""Microseconds from one change to the next: a second, which is as fine as HTTP dates are."""


def given_two_versions(api: Api) -> list[dict[str, str]]:
    """Two versions of a Patient, a second and more apart; their header fields."""
    found: list[dict[str, str]] = []
    for family in ("Chan", "Wong"):
        api.store(patient("p", family))
        found.append(dict(api.get("Patient/p").headers))
        clock: Any = api.node.clock
        clock.jump(2 * NEXT)
    return found


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("place", [0, 1], ids=["older copy", "copy of now"])
def test_what_was_changed_since_is_sent_and_what_was_not_is_not(api: Api, method: str, place: int) -> None:
    versions = given_two_versions(api)
    for field, said in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
        answer = api.call(method, "Patient/p", headers={field: versions[place][said]})
        assert answer.status_code == (200, 304)[place], field
        assert answer.headers["etag"] == 'W/"2"'
        assert bool(answer.content) == (method == "GET" and place == 0)


def test_a_version_does_not_change(api: Api) -> None:
    first, second = given_two_versions(api)
    address = "Patient/p/_history/1"
    assert api.get(address, headers={"If-None-Match": first["etag"]}).status_code == 304
    assert api.get(address, headers={"If-None-Match": second["etag"]}).status_code == 200
    assert api.get(address, headers={"If-Modified-Since": first["last-modified"]}).status_code == 304
    assert api.get(address, headers={"If-Modified-Since": second["last-modified"]}).status_code == 304


@pytest.mark.parametrize(
    "fields", [{"If-None-Match": "*"}, {"If-Modified-Since": "Wed, 19 Oct 2050 00:00:00 GMT"}]
)
def test_a_copy_of_what_is_gone_is_not_confirmed(api: Api, fields: dict[str, str]) -> None:
    api.store(patient("p"))
    api.delete("Patient/p")
    assert outcome(api.get("Patient/p", headers=fields))[:2] == (410, "deleted")
    assert outcome(api.get("Patient/never", headers=fields))[:2] == (404, "not-found")
    assert outcome(api.get("Patient/p/_history/2", headers=fields))[:2] == (410, "deleted")
    assert api.get("Patient/p/_history/1", headers=fields).status_code == 304


def test_entries_of_a_bundle_are_read_on_the_same_conditions(api: Api) -> None:
    given_two_versions(api)
    asked = [{"ifNoneMatch": 'W/"2"'}, {"ifNoneMatch": 'W/"1"'}, {"ifModifiedSince": "2022-10-20"},
             {"ifModifiedSince": "2022-10-18T00:00:00Z"}]  # fmt: skip
    entries = [{"request": {"method": "GET", "url": "Patient/p", **condition}} for condition in asked]
    entries[2]["request"]["ifModifiedSince"] = "2022-10-20T00:00:00Z"
    for kind in ("batch", "transaction"):
        answer = api.post("", {"resourceType": "Bundle", "type": kind, "entry": entries}).json()
        assert [each["response"]["status"][:3] for each in answer["entry"]] == ["304", "200", "304", "200"]
        assert ["resource" in each for each in answer["entry"]] == [False, True, False, True]


def test_what_is_shown_raw_or_by_its_meta_is_read_on_the_same_conditions(api: Api) -> None:
    api.store(patient("p"), binary("b", "Patient/p"))
    for path in ("Binary/b", "Binary/b/_history/1", "Patient/p/$meta", "Patient/p/_history/1/$meta"):
        assert api.get(path, headers={"If-None-Match": 'W/"1"'}).status_code == 304
        assert api.get(path, headers={"If-None-Match": 'W/"2"'}).status_code == 200


def test_a_search_and_a_history_are_always_answered(api: Api) -> None:
    """They are not one version: nothing of theirs could be compared."""
    api.store(patient("p"))
    for path in ("Patient", "Patient/p/_history", "metadata"):
        plain = api.get(path)
        held = api.get(
            path, headers={"If-None-Match": "*", "If-Modified-Since": "Wed, 19 Oct 2050 00:00:00 GMT"}
        )
        assert (held.status_code, held.content) == (200, plain.content)
