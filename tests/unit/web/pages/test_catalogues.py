"""Every message is in every catalogue, no catalogue has another, and values stand where they must."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import kintung.web.pages
from kintung.definitions import naming_systems
from kintung.identity.matching.levels import COMPARISONS
from kintung.web.pages.catalogues import FOLDER, messages
from kintung.web.pages.language import Language

PACKAGE = Path(kintung.web.pages.__file__).parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
TRANSLATED = [language for language in Language if language is not Language.ENGLISH]
OF_HONG_KONG = ("纪录", "取览", "还原", "臨", "病人")
"""Hong Kong's words that mainland readers do not use: see the glossary."""


def used() -> set[str]:
    """Every English message of the templates and modules, of the levels of a score, the labels of numbers."""
    found = extract_from_dir(PACKAGE, METHODS, keywords={"_": None, "N_": None})
    told = {message for _, _, message, _, _ in found if isinstance(message, str)}
    assert len(told) > 50
    says = {level.says for comparison in COMPARISONS for level in comparison.levels}
    return told | says | {system.label.en for system in naming_systems()}


def catalogue(language: Language) -> Catalog:
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language.locale, abort_invalid=True)


def said(catalogue: Catalog) -> dict[str, str]:
    return {str(each.id): str(each.string or "") for each in catalogue if each.id and not each.fuzzy}


def values(text: str) -> set[str]:
    """What stands for a value."""
    return set(re.findall(r"%\((\w+)\)s", text))


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_message_is_untranslated_or_unused(language: Language) -> None:
    translated = {message for message, text in said(catalogue(language)).items() if text}
    assert (sorted(used() - translated), sorted(translated - used())) == ([], [])


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_is_chinese_and_has_the_values_of_its_message(language: Language) -> None:
    wrong = {
        message
        for message, text in said(catalogue(language)).items()
        if values(message) != values(text) or (text == message and message != "Kintung")
    }
    assert wrong == set()


def test_mainland_readers_get_their_words() -> None:
    texts = "".join(said(catalogue(Language.MAINLAND)).values())
    assert {word for word in OF_HONG_KONG if word in texts} == set()


def test_what_is_missing_is_shown_in_english() -> None:
    assert messages(Language.MAINLAND).gettext("no such message") == "no such message"


def test_a_planted_gap_is_found() -> None:
    planted = read_po(BytesIO(b'msgid "Merge"\nmsgstr ""\n'))
    assert said(planted) == {"Merge": ""}
