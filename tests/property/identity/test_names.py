"""What holds of every name, and of every character of the table."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from kintung.errors import KintungError
from kintung.identity.names import (
    SYSTEMS,
    folded,
    forms,
    from_private_use,
    given_spellings,
    jyutping,
    read_latin,
    readings,
    spellings,
    split,
    surname_spellings,
    surnames,
    surnames_spelled,
    telegraph,
    variants,
    without_title,
)
from kintung.identity.names.romanisation import Cantonese
from kintung.identity.names.table import characters

CANTONESE = get_args(Cantonese)
names = st.text(
    st.one_of(
        st.sampled_from(surnames()).map(lambda each: each[0]),
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
        st.characters(min_codepoint=0xE000, max_codepoint=0xFAFF),
        st.characters(min_codepoint=0x20000, max_codepoint=0x2FA1D),
        st.characters(),
    ),
    max_size=8,
)


def test_folding_any_character_twice_is_folding_it_once() -> None:
    assert [each for each in characters() if folded(folded(each)) != folded(each)] == []


@given(names)
def test_folding_a_name_twice_is_folding_it_once(name: str) -> None:
    assert folded(folded(name)) == folded(name)


def test_variants_are_those_that_fold_alike() -> None:
    for each in characters():
        assert {folded(other) for other in variants(each)} <= {folded(each)}
        assert folded(each) == each or folded(each) in variants(each)


def test_every_spelling_of_every_reading_leads_back_to_it() -> None:
    syllables = {reading for each in characters() for reading in jyutping(each)}
    lost = [
        (syllable, spelling)
        for syllable in syllables
        for system in CANTONESE
        for spelling in spellings(syllable, system)
        if syllable.rstrip("123456") not in readings(spelling, system)
    ]
    assert lost == []


@given(names)
def test_any_text_has_forms_or_is_refused_as_bad_input(name: str) -> None:
    try:
        found = forms(name)
    except KintungError:
        return
    assert found[0].kind == "written"
    assert all(form.text and form.why and form.rank > 0 for form in found)


@given(names)
def test_surname_and_given_name_are_the_whole_name(name: str) -> None:
    assert "".join(split(name)) == without_title(name)
    surname, given_name = split(name)
    for system in SYSTEMS:
        for spelled in (
            *surname_spellings(surname, system),
            *(s for c in given_name for s in given_spellings(c, system)),
        ):
            assert spelled == spelled.lower().strip() != ""
    assert all(code is None or len(code) == 4 for code in telegraph(name))


@given(names)
def test_conversion_from_private_use_loses_nothing(name: str) -> None:
    found = from_private_use(name)
    assert set(found.converted) | set(found.unknown) <= set(name)
    assert from_private_use(found.text).unknown == found.unknown
    assert from_private_use(found.text).converted == ()


@given(st.one_of(names, st.text(st.sampled_from("ACHNTaiou ngüé',-’"), max_size=12)))
def test_any_text_is_read_as_latin_or_refused_as_bad_input(name: str) -> None:
    try:
        found = read_latin(name)
    except KintungError:
        return
    words = sorted((*found.surname, *found.given, *found.others))
    assert words == sorted(word.text for word in found.words)


@given(st.sampled_from(surnames()), names)
def test_surname_is_found_by_each_of_its_spellings(surname: str, name: str) -> None:
    for system in SYSTEMS:
        for spelled in surname_spellings(surname, system):
            assert surname in surnames_spelled(spelled, system)
