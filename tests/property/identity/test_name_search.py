"""Any form of a name finds every form it must, none it must not, and no text breaks the search."""

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kintung.errors import KintungError
from kintung.fhir.search import extract, no_others, parse_query
from kintung.identity import identifiers
from kintung.identity.name_search import NameCode, matched_form, name_forms, name_rows
from kintung.identity.name_search.sought import MOST_SOUGHT, sought
from kintung.store.matching import indexed, meets_one
from tests import scale
from tests.oracle.spoken import NAMES, PLACES, Spoken

MANY = settings(max_examples=scale.counts(150, 20_000), deadline=None)
MOST_KEYS = 30

spoken = st.sampled_from(NAMES)
places = st.sampled_from(PLACES)
codes = st.sampled_from(("name", "family", "given"))
texts = (
    st.text(
        st.sampled_from(list("陳大文歐陽李美玲余餘chanTIMyeugkw -,.·'üÜＡ\ue000\ud840\U00020000")),
        max_size=45,
    )
    | st.text(max_size=20)
    | st.text(st.sampled_from(list("aeiou")), min_size=20, max_size=200)
)
human_names = st.fixed_dictionaries(
    {}, optional={"family": texts, "given": st.lists(st.none() | texts, max_size=3), "text": texts}
)


def recorded_letters(name: Spoken, place: str) -> list[dict[str, Any]]:
    """As a clinic records it in letters."""
    family, first, second = (getattr(each, place).title() for each in name)
    return [
        {"family": family.upper(), "given": [f"{first} {second}"]},
        {"family": family, "given": [f"{first}-{second.lower()}", "David"]},
        {"family": family, "given": [f"{first}{second.lower()}"]},
        {"text": f"{family.upper()}, {first} {second}"},
    ]


def recorded_characters(name: Spoken) -> list[dict[str, Any]]:
    """As a card and a permit have it."""
    whole = name.characters()
    return [*({"text": text} for text in whole), *({"family": t[0], "given": [t[1:]]} for t in whole)]


@MANY
@given(spoken, places)
def test_letters_find_characters_and_the_same_letters(name: Spoken, place: str):
    recorded = [*recorded_characters(name), *recorded_letters(name, place)]
    for asked, each in product(name.letters(place), recorded):
        assert matched_form(asked, each), (asked, each)


@MANY
@given(spoken, places)
def test_characters_find_characters_and_letters(name: Spoken, place: str):
    recorded = [*recorded_characters(name), *recorded_letters(name, place)]
    for asked, each in product(name.characters(), recorded):
        assert matched_form(asked, each), (asked, each)


@MANY
@given(spoken, spoken, places)
def test_another_name_is_not_found(name: Spoken, other: Spoken, place: str):
    """Nor are the letters of one place found by those of another."""
    if name == other:
        return
    recorded = [*recorded_characters(other), *recorded_letters(other, place)]
    for asked, each in product((*name.characters(), *name.letters(place)), recorded):
        assert not matched_form(asked, each), (asked, each)


@MANY
@given(codes, texts, human_names)
def test_no_text_breaks_the_search(code: NameCode, text: str, name: dict[str, Any]):
    """Bounded, the same twice, and wider than what is written, never narrower."""
    found = sought(code, text)
    assert len(found) <= MOST_SOUGHT
    assert found == sought(code, text)
    resource = {"resourceType": "Patient", "name": [name]}
    rows = name_rows(resource)
    assert len(rows) <= MOST_KEYS
    matched_form(text, name, code)


@MANY
@given(codes, texts.filter(lambda text: text.isprintable() and text.strip()), human_names)
def test_what_is_written_is_found_with_other_forms_and_without(
    code: NameCode, text: str, name: dict[str, Any]
):
    asked = [(code, text.replace("\\", "").replace(",", " ").replace("$", "").replace("|", ""))]
    try:
        plain, wide = (
            parse_query("Patient", asked, now_micros=0, others=others).criteria[0]
            for others in (no_others, name_forms)
        )
    except KintungError:
        return
    resource = {"resourceType": "Patient", "name": [name]}
    rows = extract(resource)
    rows = rows._replace(strings=[*rows.strings, *name_rows(resource)])
    patient = indexed("Patient", "a", 0, rows, identifiers.VAULTED)
    assert meets_one(wide, patient) >= meets_one(plain, patient)
