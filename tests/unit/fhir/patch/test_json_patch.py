"""JSON Patch on the text of a resource: RFC 6902, case by case, and what it leaves as it was."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kintung.errors import KintungError, RuleFailed, StructureInvalid, TooLong, ValueInvalid
from kintung.fhir.limits import Limits
from kintung.fhir.patch import apply_json_patch, parse_json_patch
from kintung.fhir.patch.json_patch import MOST_OPERATIONS


def patched(text: str, *operations: dict[str, Any]) -> str:
    return apply_json_patch(text.encode(), parse_json_patch(json.dumps(operations).encode())).decode()


# The examples of RFC 6902, appendix A, by their number.
EXAMPLES = [
    ("A.1", {"foo": "bar"}, {"op": "add", "path": "/baz", "value": "qux"}, {"foo": "bar", "baz": "qux"}),
    ("A.2", {"f": ["b", "z"]}, {"op": "add", "path": "/f/1", "value": "q"}, {"f": ["b", "q", "z"]}),
    ("A.3", {"baz": "qux", "foo": "bar"}, {"op": "remove", "path": "/baz"}, {"foo": "bar"}),
    ("A.4", {"f": ["b", "q", "z"]}, {"op": "remove", "path": "/f/1"}, {"f": ["b", "z"]}),
    ("A.5", {"baz": "qux"}, {"op": "replace", "path": "/baz", "value": "boo"}, {"baz": "boo"}),
    (
        "A.6",
        {"foo": {"bar": "baz", "w": "f"}, "q": {"c": "g"}},
        {"op": "move", "from": "/foo/w", "path": "/q/t"},
        {"foo": {"bar": "baz"}, "q": {"c": "g", "t": "f"}},
    ),
    (
        "A.7",
        {"f": ["all", "grass", "cows", "eat"]},
        {"op": "move", "from": "/f/1", "path": "/f/3"},
        {"f": ["all", "cows", "eat", "grass"]},
    ),
    ("A.8", {"f": ["a", 2, "c"]}, {"op": "test", "path": "/f/1", "value": 2}, {"f": ["a", 2, "c"]}),
    (
        "A.10",
        {"foo": "bar"},
        {"op": "add", "path": "/child", "value": {"g": {}}},
        {"foo": "bar", "child": {"g": {}}},
    ),
    ("A.11", {"f": 1}, {"op": "add", "path": "/b", "value": 2, "xyz": 123}, {"f": 1, "b": 2}),
    ("A.14", {"/": 9, "~1": 10}, {"op": "test", "path": "/~01", "value": 10}, {"/": 9, "~1": 10}),
    ("A.16", {"f": ["b"]}, {"op": "add", "path": "/f/-", "value": ["a", "d"]}, {"f": ["b", ["a", "d"]]}),
    ("whole", {"f": 1}, {"op": "replace", "path": "", "value": {"g": 2}}, {"g": 2}),
    ("copy", {"f": {"a": 1}}, {"op": "copy", "from": "/f", "path": "/g"}, {"f": {"a": 1}, "g": {"a": 1}}),
    ("over", {"f": 1}, {"op": "add", "path": "/f", "value": None}, {"f": None}),
    ("empty name", {"": 1}, {"op": "remove", "path": "/"}, {}),
]


@pytest.mark.parametrize(
    ("before", "operation", "after"), [e[1:] for e in EXAMPLES], ids=[e[0] for e in EXAMPLES]
)
def test_each_operation_does_what_the_rfc_says(before: Any, operation: dict[str, Any], after: Any) -> None:
    assert json.loads(patched(json.dumps(before), operation)) == after


REFUSED = [
    ("A.9 test", RuleFailed, {"op": "test", "path": "/baz", "value": "bar"}),
    ("A.12 nowhere", ValueInvalid, {"op": "add", "path": "/nix/bat", "value": "q"}),
    ("A.15 text is no number", RuleFailed, {"op": "test", "path": "/n", "value": "1"}),
    ("true is not 1", RuleFailed, {"op": "test", "path": "/n", "value": True}),
    ("past the end", ValueInvalid, {"op": "add", "path": "/l/3", "value": 1}),
    ("end holds nothing", ValueInvalid, {"op": "remove", "path": "/l/-"}),
    ("leading zero", ValueInvalid, {"op": "remove", "path": "/l/00"}),
    ("name in an array", ValueInvalid, {"op": "remove", "path": "/l/x"}),
    ("other digits", ValueInvalid, {"op": "remove", "path": "/l/\u0661"}),
    ("inside a text", ValueInvalid, {"op": "remove", "path": "/baz/0"}),
    ("no slash", ValueInvalid, {"op": "remove", "path": "baz"}),
    ("bare tilde", ValueInvalid, {"op": "add", "path": "/~2", "value": 1}),
    ("replace nothing", ValueInvalid, {"op": "replace", "path": "/nix", "value": 1}),
    ("remove all", ValueInvalid, {"op": "remove", "path": ""}),
    ("into itself", ValueInvalid, {"op": "move", "from": "/o", "path": "/o/p"}),
    ("from nowhere", ValueInvalid, {"op": "copy", "from": "/nix", "path": "/a"}),
    ("no value", StructureInvalid, {"op": "add", "path": "/a"}),
    ("no from", StructureInvalid, {"op": "move", "path": "/a"}),
    ("no path", StructureInvalid, {"op": "remove"}),
    ("other op", StructureInvalid, {"op": "spam", "path": "/a"}),
    ("no op", StructureInvalid, {"path": "/a"}),
]


@pytest.mark.parametrize(
    ("error", "operation"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_cannot_be_done_is_refused_with_its_place(
    error: type[KintungError], operation: dict[str, Any]
) -> None:
    fine = {"op": "test", "path": "/n", "value": 1.0}
    with pytest.raises(error) as refused:
        patched('{"baz":"qux","n":1,"l":[1,2],"o":{}}', fine, operation)
    assert str(refused.value.path).startswith("patch[1]")


def test_what_is_not_touched_keeps_its_letters() -> None:
    text = '{"b":{"d":1.0E+2,"e":"\\u0041\\/"},"a":[-0,1e-7,{"x":0.000000001}],"z":1.10}'
    change = {"op": "replace", "path": "/a/2/x", "value": 1}
    assert patched(text, change) == text.replace("0.000000001", "1")


def test_values_keep_the_digits_they_were_sent_with() -> None:
    patch = parse_json_patch(b'[{"op": "add", "path": "/v", "value": {"q":1.50}}]')
    assert apply_json_patch(b'{"a":1}', patch) == b'{"a":1,"v":{"q":1.50}}'


@pytest.mark.parametrize(
    "raw", [b"{}", b"[", b'[{"op":"add","op":"add","path":"","value":1}]', b"[NaN]", b"\xef\xbb\xbf[]"]
)
def test_what_is_no_patch_is_refused(raw: bytes) -> None:
    with pytest.raises(StructureInvalid):
        parse_json_patch(raw)


def test_a_patch_has_at_most_so_many_operations() -> None:
    one = {"op": "test", "path": "/a", "value": 1}
    assert patched('{"a":1}', *[one] * MOST_OPERATIONS) == '{"a":1}'
    with pytest.raises(TooLong):
        patched('{"a":1}', *[one] * (MOST_OPERATIONS + 1))


def test_a_text_that_doubles_is_stopped() -> None:
    double = {"op": "copy", "from": "/a", "path": "/a/-"}
    patch = parse_json_patch(json.dumps([double] * 100).encode())
    with pytest.raises(TooLong, match="1,000 bytes"):
        apply_json_patch(b'{"a":["0123456789"]}', patch, Limits(bytes=1_000))


@pytest.mark.parametrize(
    "last", [[], [{"op": "copy", "from": "/a", "path": "/b"}], [{"op": "test", "path": "", "value": 1}]]
)
def test_what_is_deeper_than_can_be_followed_is_refused(last: list[dict[str, Any]]) -> None:
    deeper = [{"op": "add", "path": "/a" * depth, "value": {}} for depth in range(1, MOST_OPERATIONS)]
    with pytest.raises(TooLong, match="100 levels"):
        patched("{}", *deeper, *last)


names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(st.sampled_from(["a", "b", "~", "/", ""]), values, max_size=4)


def pointers(value: Any, here: str = "") -> list[str]:
    """Every pointer into a value."""
    if isinstance(value, dict):
        inner = [(name.replace("~", "~0").replace("/", "~1"), one) for name, one in value.items()]
    else:
        inner = list(enumerate(value)) if isinstance(value, list) else []
    return [here] + [found for step, one in inner for found in pointers(one, f"{here}/{step}")]


@given(document=documents, data=st.data())
def test_a_value_taken_away_and_put_back_changes_nothing(
    document: dict[str, Any], data: st.DataObject
) -> None:
    every = [pointer for pointer in pointers(document) if pointer]
    if not every:
        return
    pointer = data.draw(st.sampled_from(every))
    text = json.dumps(document)
    value: Any = document
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    back = patched(text, {"op": "remove", "path": pointer}, {"op": "add", "path": pointer, "value": value})
    assert json.loads(back) == document


@given(document=documents, data=st.data())
def test_each_place_holds_what_a_test_finds_there(document: dict[str, Any], data: st.DataObject) -> None:
    pointer = data.draw(st.sampled_from(pointers(document)))
    moved = patched(json.dumps(document), {"op": "copy", "from": pointer, "path": "/copy"})
    original = patched(
        moved,
        {"op": "test", "path": "/copy", "value": json.loads(moved)["copy"]},
        {"op": "remove", "path": "/copy"},
    )
    assert json.loads(original) == document
