"""No token of an accepted text is lost, added, moved or respelled by splicing, but those stated (B3).

The oracle reads JSON with the standard library after each string token was replaced by
its own spelling in hexadecimal, so that escapes, digits and order all count.
"""

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kintung.fhir.json import parse
from kintung.fhir.splice import served, splice
from tests.shared_data import shared

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_OWNED = ("versionId", "lastUpdated", "_versionId", "_lastUpdated")


class Number(str):
    """A number as it was spelled."""


def spelled(text: str) -> list[tuple[str, Any]]:
    """An object as pairs of name and value, in order, every token as it was spelled."""
    hexadecimal = _STRING.sub(lambda token: f'"{token[0].encode().hex()}"', text)
    return json.loads(hexadecimal, object_pairs_hook=list, parse_float=Number, parse_int=Number)


def name(token: str) -> str:
    return json.loads(bytes.fromhex(token))


def kept(resource: list[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """What must come through: all but id, what the server owns in meta, and a meta that is empty then."""
    for key, value in resource:
        if name(key) == "meta":
            if meta := [(each, inner) for each, inner in value if name(each) not in _OWNED]:
                yield key, meta
        elif name(key) != "id":
            yield key, value


def check(raw: str) -> None:
    type = parse(raw.encode())["resourceType"]
    text, meta_at, _ = splice(raw.encode(), type=type, id="new", references={})
    assert list(kept(spelled(text.decode()))) == list(kept(spelled(raw)))
    body = served(text, meta_at, 7, 1)
    assert list(kept(spelled(body.decode()))) == list(kept(spelled(raw)))
    decoded = parse(body)
    assert decoded["id"] == "new"
    assert list(decoded["meta"])[:2] == ["versionId", "lastUpdated"]
    assert splice(body, type=type, id="new", references={}).text == text
    assert _STRING.sub("", body.decode()).split() == [_STRING.sub("", body.decode())]


def test_every_official_example_keeps_its_tokens():
    lines = (
        gzip.decompress(shared("fhir-r4-examples/examples.ndjson.gz").read_bytes()).decode().split("\n")[:-1]
    )
    assert len(lines) == 426
    for line in lines:
        check(line)


SPACE = st.sampled_from(["", "", " ", "\n  ", "\t\r\n"])
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
STRINGS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12).flatmap(
        lambda text: st.sampled_from([json.dumps(text), json.dumps(text, ensure_ascii=False)])
    ),
    st.sampled_from([r'"\u0041"', r'"\/"', r'"\"meta\":{"', r'"\\"', r'"\ud83d\ude00"', '"id"', '"[{,"']),
)


def objects(names: st.SearchStrategy[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON text of objects without repeated names."""
    pairs = st.lists(st.tuples(names, values), max_size=5, unique_by=lambda pair: json.loads(pair[0]))
    return st.builds(_write, pairs, SPACE, SPACE)


def _write(pairs: list[tuple[str, str]], before: str, after: str) -> str:
    return "{" + ",".join(f"{before}{key}{after}:{before}{value}{after}" for key, value in pairs) + "}"


VALUES = st.recursive(
    st.one_of(NUMBERS, STRINGS, st.sampled_from(["true", "false"])),
    lambda inner: st.one_of(
        st.builds(
            lambda items, space: f"[{space}{f',{space}'.join(items)}]", st.lists(inner, max_size=3), SPACE
        ),
        objects(st.sampled_from(['"a"', '"id"', '"meta"', r'"m\u0065ta"', '"versionId"', '"陳"']), inner),
    ),
    max_leaves=8,
)


METAS = objects(
    st.sampled_from(['"versionId"', '"lastUpdated"', r'"l\u0061stUpdated"', '"tag"', '"source"']), VALUES
)
MEMBERS = st.one_of(
    st.tuples(st.sampled_from(['"id"', r'"\u0069d"']), STRINGS),
    st.tuples(st.sampled_from(['"meta"', r'"\u006deta"']), METAS),
    st.tuples(st.sampled_from(['"a"', '"contained"', '"reference"', r'"x\"meta"', '"陳"']), VALUES),
)


@given(
    st.lists(MEMBERS, max_size=6, unique_by=lambda pair: json.loads(pair[0])),
    st.integers(0, 6),
    SPACE,
    SPACE,
)
def test_every_text_keeps_its_tokens(pairs: list[tuple[str, str]], type_at: int, before: str, after: str):
    pairs.insert(type_at, ('"resourceType"', '"Patient"'))
    check(_write(pairs, before, after))
