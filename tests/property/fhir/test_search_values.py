"""What must hold of every number, date, text and search."""

import gzip
import json
import re
import unicodedata
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from kintung.errors import KintungError
from kintung.fhir.search import bound_keys, extract, parse_query, resource_types
from kintung.fhir.search.dates import span
from kintung.fhir.search.decimals import GREATEST_KEY, LEAST_KEY, decimal_key
from kintung.fhir.search.text import fold
from kintung.fhir.search.value_grammar import split, unescape
from kintung.fhir.structure import validate
from tests import scale
from tests.shared_data import shared


def neighbours(number: Decimal) -> list[Decimal]:
    """Return numbers that a careless key might confuse with this one."""
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    return [
        Decimal((sign, digits, exponent + 1)),
        Decimal((1 - sign, digits, exponent)),
        Decimal((sign, (*digits, 0), exponent - 1)),
        Decimal((sign, (*digits, 1), exponent - 1)),
        Decimal((sign, (0, *digits[:-1]), exponent)),
    ]


decimals = st.builds(
    lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
    st.sampled_from((0, 1)),
    st.lists(st.integers(0, 9), min_size=1, max_size=40),
    st.integers(-440, 400),
)
near = decimals.flatmap(lambda number: st.tuples(st.just(number), st.sampled_from(neighbours(number))))


@settings(max_examples=scale.counts(500, 20_000))
@given(st.tuples(decimals, decimals) | near)
@example((Decimal("0"), Decimal("-0.00")))
@example((Decimal("5.40"), Decimal("5.4")))
@example((Decimal("-1.5"), Decimal("-1")))
@example((Decimal("99"), Decimal("100")))
@example((Decimal("1E-400"), Decimal("0")))
def test_keys_are_ordered_as_the_numbers_are(pair: tuple[Decimal, Decimal]):
    left, right = pair
    left_key, right_key = decimal_key(left), decimal_key(right)

    assert (left_key < right_key) == (left < right)
    assert (left_key == right_key) == (left == right)
    assert LEAST_KEY < left_key < GREATEST_KEY
    assert bound_keys(left, None) == (left_key, GREATEST_KEY)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1E+40000", "1E-40000"])
def test_what_is_no_number_has_no_key(text: str):
    with pytest.raises(ValueError, match=r"finite|beyond"):
        decimal_key(Decimal(text))


years, months = st.integers(1, 9_999), st.integers(1, 12)


@settings(max_examples=scale.counts(200, 5_000))
@given(years, months, st.integers(-840, 840))
def test_a_month_is_tiled_by_its_days_and_a_year_by_its_months(year: int, month: int, offset: int):
    months_of_year = [span(f"{year:04}-{number:02}", offset) for number in range(1, 13)]
    start, end = months_of_year[month - 1]
    days = [
        span(f"{year:04}-{month:02}-{day:02}", offset)
        for day in range(1, (end - start) // 86_400_000_000 + 1)
    ]

    for whole, parts in ((span(f"{year:04}", offset), months_of_year), ((start, end), days)):
        assert (parts[0][0], parts[-1][1]) == whole
        assert all(before[1] == after[0] for before, after in pairwise(parts))


@settings(max_examples=scale.counts(200, 5_000))
@given(st.datetimes(), st.integers(0, 9), st.sampled_from(("Z", "+08:00", "-05:30", "+14:00", "")))
def test_finer_instants_lie_within_coarser_ones(at: Any, digits: int, zone: str):
    day = at.date().isoformat()
    minute = f"{day}T{at.hour:02}:{at.minute:02}"
    second = f"{minute}:{at.second:02}"
    fraction = f"{at.microsecond:06}{at.microsecond:06}"[:digits]
    finest = f"{second}.{fraction}" if fraction else second
    outer, *inner = (span(text + zone, 480) for text in (minute, second, finest))

    for lo, hi in inner:
        assert outer[0] <= lo < hi <= outer[1]
        outer = lo, hi


texts = st.text() | st.text(st.characters(codec="utf-8"), max_size=8)


@settings(max_examples=scale.counts(1_000, 50_000))
@given(texts)
@example("İstanbul")
@example("ǰ\u0345 ﷺ ΐ")
def test_folding_twice_is_folding_once(text: str):
    folded = fold(text)

    assert fold(folded) == folded
    assert folded == " ".join(folded.split())


def test_every_character_folds_to_what_folds_to_itself():
    assigned = [
        letter
        for letter in map(chr, range(0x110000))
        if unicodedata.category(letter) not in ("Cn", "Co", "Cs")
    ]

    assert [letter for letter in assigned if fold(fold(letter)) != fold(letter)] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Élan", "elan"),
        ("ＣＨＡＮ", "chan"),
        ("straße", "STRASSE"),
        ("e\u0301", "é"),
        (" a \u3000 b ", "A B"),
        ("ﬁ", "fi"),
        ("陳 大文", "陳大文"),
        ("陳\u3000大 文 ", "陳大文"),
        ("买买提·艾力", "买买提艾力"),
        ("买买提 ・ 艾力", "买买提‧艾力"),
        ("买买提．艾力", "买买提•艾力"),
        ("Ｃｈａｎ 陳 大文", "chan 陳大文"),
        ("\uf90a", "金"),
        ("㍿ 陳", "株式会社陳"),
        ("𠮷 野", "𠮷野"),
        ("佐々 木", "佐々木"),
    ],
)
def test_texts_that_read_alike_fold_alike(one: str, other: str):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("陈", "陳"),
        ("が", "か"),
        ("ก", "กี"),
        ("a b", "ab"),
        ("陳 a", "陳a"),
        ("a·b", "ab"),
        ("陳-大文", "陳大文"),
        ("김 철수", "김철수"),
        ("陳·", "陳"),
    ],
)
def test_texts_that_differ_stay_apart(one: str, other: str):
    assert fold(one) != fold(other)


@settings(max_examples=scale.counts(500, 20_000))
@given(st.lists(st.text(st.sampled_from("a,|$\\"), min_size=1, max_size=6), min_size=1, max_size=5))
def test_what_is_escaped_comes_back_whole(texts: list[str]):
    escaped = [re.sub(r"([,|$\\])", r"\\\1", text) for text in texts]

    assert [unescape(part) for part in split(",".join(escaped), ",")] == texts


TYPES = st.none() | st.sampled_from(sorted(resource_types())) | st.text(st.characters(), max_size=8)
CODES = (
    "name",
    "birthdate",
    "_id",
    "subject",
    "value-quantity",
    "probability",
    "url",
    "_type",
    "_sort",
    "_count",
)
NAMES = st.sampled_from(CODES) | st.builds(
    "{}{}{}".format,
    st.sampled_from(CODES),
    st.sampled_from((":", ".", ":Patient.", ".name:")),
    st.sampled_from(("missing", "not", "exact", "Patient", "name", "_id", "birthdate")) | st.text(max_size=4),
)
PIECES = st.sampled_from(
    (
        "eq",
        "ap",
        "ne",
        "2013",
        "-02",
        "-30",
        "T10:00",
        "Z",
        "+08:00",
        "|",
        ",",
        "\\",
        "$",
        "5.40",
        "e400",
        "1",
        "/",
    )
)
ANY = st.text(st.characters(), max_size=12)
"""Surrogates and controls too."""
VALUES = ANY | st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join)


@settings(max_examples=scale.counts(1_000, 100_000))
@given(TYPES, st.lists(st.tuples(NAMES | ANY, VALUES), max_size=4), st.booleans())
def test_a_search_is_read_or_refused_and_never_fails(
    type: str | None, pairs: list[tuple[str, str]], lenient: bool
):
    try:
        query = parse_query(type, pairs, now_micros=0, lenient=lenient)
    except KintungError as refusal:
        shown = [(issue.message, issue.path) for issue in refusal.issues]
        assert shown
        json.dumps(shown, ensure_ascii=False).encode()
    else:
        assert parse_query(type, query.used, now_micros=0) == replace(query, ignored=())


def test_every_official_example_can_be_extracted_in_every_zone():
    with gzip.open(shared("fhir-r4-examples/examples.ndjson.gz"), "rt") as lines:
        resources = [json.loads(line, parse_float=Decimal) for line in lines]

    for offset in (-720, 0, 480, 840):
        rows = [extract(resource, offset_minutes=offset) for resource in resources]
        assert sum(len(one.tokens) for one in rows) > 1_000


EDGES = st.builds(
    "{}-{}-{}T{}:{}:{}{}{}".format,
    st.sampled_from(("0000", "0001", "1900", "2024", "9999")),
    st.sampled_from(("00", "01", "02", "12", "13")),
    st.sampled_from(("00", "01", "29", "30", "31", "32")),
    st.sampled_from(("00", "23", "24")),
    st.sampled_from(("00", "59", "60")),
    st.sampled_from(("00", "59", "60", "61")),
    st.sampled_from(("", ".", ".1", ".123456789", "." + "1" * 30)),
    st.sampled_from(("", "Z", "+14:00", "-14:00", "+14:01", "+15:00", "+08:60", "+8:00")),
)


@settings(max_examples=scale.counts(500, 20_000))
@given(EDGES, st.sampled_from((4, 7, 10, 16, None)))
@example("2016-12-31T23:59:60+14:00", None)
def test_every_date_that_validation_accepts_has_a_span(text: str, length: int | None):
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    dated = {**observation, "effectiveDateTime": text[:length]}
    assume(validate(dated) == [])

    assert len(extract(dated).dates) == 1
