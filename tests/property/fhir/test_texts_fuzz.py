"""Whatever is asked of texts is read or refused, and whatever a text holds is read."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kintung.errors import KintungError
from kintung.fhir.search import parse_query
from kintung.fhir.search.narrative import told
from kintung.fhir.search.near import is_near, near
from kintung.fhir.search.words import Prose, phrase, said
from tests import scale

MANY = settings(max_examples=scale.counts(1_000, 50_000), deadline=None)
asked = st.text(st.sampled_from(list('ab OR AND()"|,\\$陳  .0123456789-+km[]')), max_size=30) | st.text(
    max_size=20
)
names = st.sampled_from(("_text", "_content", "near", "name:text", "type:text"))


@MANY
@given(names, asked)
def test_a_search_is_read_or_refused(name: str, text: str):
    try:
        found = parse_query("Location", [(name, text)], now_micros=0)
    except KintungError:
        return
    position = {"latitude": 22, "longitude": 114}
    resource = {"resourceType": "Location", "position": position, "name": text}
    for condition in found.in_bodies:
        condition.holds(resource)


@MANY
@given(st.text(), st.text(max_size=5))
def test_what_a_text_says_is_found_in_it(text: str, around: str):
    """A phrase is found in any text it stands in as words of their own."""
    try:
        wanted = phrase(text)
    except KintungError:
        return
    assert Prose([f"{around} {text} {around}"]).says(wanted)


@MANY
@given(st.text(st.sampled_from(list("<>!-&;#x0a\"' /bdiv陳")), max_size=60))
def test_any_narrative_is_read(div: str):
    Prose([told(div)])


numbers = st.decimals(allow_nan=False, allow_infinity=False) | st.integers()


@MANY
@given(numbers, numbers)
def test_any_position_is_near_or_far(latitude: Any, longitude: Any):
    place = near(["0", "0", "20100"])
    assert is_near(place, {"position": {"latitude": latitude, "longitude": longitude}}) == (
        abs(latitude) <= 90 and abs(longitude) <= 180
    )


@MANY
@given(asked)
def test_words_are_read_or_refused(text: str):
    try:
        said(text)
    except KintungError:
        return
