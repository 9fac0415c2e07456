"""A history at a time: when a version in sight was replaced by one out of sight is not told."""

import pytest

from tests.leaks.readers import READER, given_a_reader_of
from tests.records import group, patient
from tests.server.api import Api, Resource


def seen(bundle: Resource) -> list[str]:
    return [entry["response"]["etag"] for entry in bundle.get("entry", [])]


@pytest.mark.parametrize("path", ["Group/g/_history", "Group/_history", "_history?_sort=_lastUpdated"])
def test_a_version_out_of_sight_replaces_none_in_sight(api: Api, path: str) -> None:
    """A Group of a, then of a and h, then of a again, read as of each instant between."""
    given_a_reader_of(api, "a")
    api.store(patient("a"), patient("h"))
    instants: list[str] = []
    for members in (("a",), ("a", "h"), ("a",)):
        api.store(group("g", *members))
        instants.append(api.get("Group/g").json()["meta"]["lastUpdated"])
    shown = [
        seen(api.get(f"{path}{'&' if '?' in path else '?'}_at={instant}", persona=READER).json())
        for instant in instants
    ]
    assert 'W/"1"' in shown[0]
    assert shown[1] == shown[0]
    assert 'W/"3"' in shown[2]
    assert 'W/"2"' not in shown[1] + shown[2]
