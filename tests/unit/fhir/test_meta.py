"""Profiles, tags and labels in meta: sets, and letters that stay."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.errors import StructureInvalid, ValueInvalid
from kintung.fhir.meta import (
    joined,
    labels_given,
    labels_of,
    meta_given,
    meta_of,
    with_labels,
    without_labels,
)

RESOURCE = b'{"resourceType":"Basic","id":"1","meta":{"versionId":"1"},"x":1.0E+2}'


def test_what_is_added_stands_at_the_end_and_nothing_else_changes() -> None:
    given = labels_given(b'{"tag":[{"code":"b","system":"s","display":"B"}],"profile":["http://p"]}')
    added = with_labels(RESOURCE, given)
    assert added == (
        b'{"resourceType":"Basic","id":"1","meta":{"versionId":"1","profile":["http://p"],'
        b'"tag":[{"code":"b","system":"s","display":"B"}]},"x":1.0E+2}'
    )
    assert with_labels(added, given) == added
    assert with_labels(added, labels_given(b'{"tag":[{"system":"s","code":"b","version":"2"}]}')) == added
    more = with_labels(added, labels_given(b'{"tag":[{"code":"b"}]}'))
    assert json.loads(meta_of(more))["tag"] == [
        {"code": "b", "system": "s", "display": "B"},
        {"code": "b"},
    ]
    assert without_labels(added, given) == RESOURCE
    assert without_labels(RESOURCE, given) == RESOURCE


def test_profiles_keep_what_stands_beside_them() -> None:
    resource = b'{"meta":{"profile":["http://a","http://b"],"_profile":[null,{"extension":[{"url":"u","valueCode":"c"}]}]}}'
    added = json.loads(with_labels(resource, labels_given(b'{"profile":["http://c","http://a"]}')))
    assert added["meta"]["profile"] == ["http://a", "http://b", "http://c"]
    assert [bool(each) for each in added["meta"]["_profile"]] == [False, True, False]
    left = json.loads(without_labels(resource, labels_given(b'{"profile":["http://a"]}')))
    assert left["meta"]["profile"] == ["http://b"]
    assert [bool(each) for each in left["meta"]["_profile"]] == [True]
    assert json.loads(without_labels(resource, labels_of(meta_of(resource)))) == {"meta": {}}


@pytest.mark.parametrize(
    "parameters",
    [
        b'{"resourceType":"Parameters"}',
        b'{"parameter":[{"name":"meta"}]}',
        b'{"parameter":[{"name":"mata","valueMeta":{}}]}',
        b'{"parameter":[{"name":"meta","valueMeta":{}},{"name":"meta","valueMeta":{}}]}',
        b'{"parameter":[{"name":"meta","valueString":"x"}]}',
    ],
)
def test_parameters_bring_one_meta(parameters: bytes) -> None:
    with pytest.raises(StructureInvalid):
        meta_given(parameters)


def test_a_tag_without_a_code_is_none_to_add() -> None:
    with pytest.raises(ValueInvalid):
        labels_given(b'{"tag":[{"display":"x"}]}')
    assert labels_of(b'{"tag":[{"display":"x"}]}').tags == {}


CODINGS = st.builds(
    lambda system, code: {**({"system": system} if system else {}), "code": code},
    st.sampled_from(["", "s", "t"]),
    st.sampled_from("abc"),
)
METAS = st.builds(
    lambda profile, tag: {**({"profile": profile} if profile else {}), **({"tag": tag} if tag else {})},
    st.lists(st.sampled_from(["http://a", "http://b", "http://c"]), unique=True),
    st.lists(CODINGS),
)


def sets(meta: dict[str, Any]) -> tuple[set[str], set[tuple[str, str]]]:
    labels = labels_of(json.dumps(meta).encode())
    return set(labels.profiles), set(labels.tags)


@given(METAS, METAS)
def test_adding_is_union_and_deleting_is_difference(has: dict[str, Any], sent: dict[str, Any]) -> None:
    resource = json.dumps({"resourceType": "Basic", "meta": has, "n": 1}).encode()
    given = labels_given(json.dumps(sent).encode())
    for change, combined in ((with_labels, set.union), (without_labels, set.difference)):
        after = json.loads(change(resource, given))
        assert sets(after.pop("meta")) == tuple(
            combined(mine, other) for mine, other in zip(sets(has), sets(sent), strict=True)
        )
        assert after == {"resourceType": "Basic", "n": 1}
    whole = json.loads(joined(labels_of(json.dumps(each).encode()) for each in (has, sent)))
    assert sets(whole) == tuple(map(set.union, sets(has), sets(sent)))
