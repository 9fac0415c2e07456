"""Every message is in every catalogue, no catalogue has another, and values stand where they must."""

import ast
import re
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment
from opencc import OpenCC

import kintung.web.pages
from kintung.definitions import naming_systems
from kintung.definitions.code_names import code_names
from kintung.definitions.label import Wording
from kintung.definitions.seeds import seed_map
from kintung.identity.matching.levels import COMPARISONS
from kintung.web.fhir.interactions import INTERACTIONS
from kintung.web.pages.catalogues import FOLDER, messages
from kintung.web.pages.design import PIECES
from kintung.web.pages.language import Language
from kintung.web.pages.render import render

PACKAGE = Path(kintung.web.pages.__file__).parent
DOCS = Path(__file__).resolve().parents[4] / "docs"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
TRANSLATED = [language for language in Language if language is not Language.ENGLISH]
SAYING = "钱跟病人走"
"""Money follows the patient: the name of the idea, in the page of terms as it is."""
OF_HONG_KONG = (
    "纪录",
    "取览",
    "还原",
    "病人",
    "资讯",
    "讯息",
    "甚么",
    "载入",
    "储存",
    "连结",
    "透过",
    "户口",
    "电邮",
    "程式",
    "萤幕",
)
"""Hong Kong's words that mainland readers do not use, beside those of ``docs/reference/terms.md``."""
NOT_ENGLISH = {"Patient", "mmHg", "Metformin", "mg"}
"""What stands in templates and is no message: units, the name of a type, an example of a medicine."""


def used() -> set[str]:
    """Every English message of the templates and modules, of the levels of a score, the labels of numbers."""
    found = extract_from_dir(PACKAGE, METHODS, keywords={"_": None, "N_": None})
    told = {message for _, _, message, _, _ in found if isinstance(message, str)}
    assert len(told) > 50
    says = {level.says for comparison in COMPARISONS for level in comparison.levels}
    says |= {interaction.description for interaction in INTERACTIONS}
    return told | says | {system.label.en for system in naming_systems()}


def test_no_message_is_hidden_in_a_formatted_string() -> None:
    """There the search for messages does not see it, and its translation could be lost."""
    trees = ((path, ast.parse(path.read_text())) for path in Path(PACKAGE).rglob("*.py"))
    hidden = [
        (path.name, call.lineno)
        for path, tree in trees
        for text in ast.walk(tree)
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "N_"
    ]
    assert hidden == []


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


def wordings() -> list[Wording]:
    """What the definitions that pages show say in three languages themselves."""
    of_documents = [
        wording
        for each in seed_map().documents.values()
        for wording in (each.name, each.publisher, each.about)
    ]
    of_systems = [
        wording for each in seed_map().systems for wording in (each.system, each.says) if wording is not None
    ]
    of_codes = [Wording(each.en, each.zh_hk, each.zh_cn) for group in code_names() for each in group.codes]
    return [*of_documents, *of_systems, *of_codes]


def test_mainland_readers_get_their_words_in_their_characters() -> None:
    texts = [
        *said(catalogue(Language.MAINLAND)).values(),
        *(each.zh_cn.replace(SAYING, "") for each in wordings()),
    ]
    assert {word for word in OF_HONG_KONG if any(word in text for text in texts)} == set()
    ours = [(word, term.mainland) for term in terms() for word in term.of_hong_kong_alone]
    assert len(ours) > 50
    assert {
        text for text in texts for word, own in ours if word in text and not any(map(text.count, own))
    } == set()
    simplified = OpenCC("t2s").convert
    assert {
        text for text in texts if simplified(text) != text and "陳" not in text and "繁" not in text
    } == set()


# --- Terms ----------------------------------------------------------------------------


class Term(NamedTuple):
    """One line of ``docs/reference/terms.md``: several wordings of one column are alternatives."""

    english: str
    hong_kong: tuple[str, ...]
    mainland: tuple[str, ...]
    simplified: tuple[str, ...]

    @property
    def of_hong_kong_alone(self) -> set[str]:
        """Its simplified forms that the mainland's own words do not have in them."""
        return {each for each in self.simplified if not any(each in own for own in self.mainland)}

    def is_in(self, message: str) -> bool:
        """Does an English message speak of it?"""
        return (
            bool(self.english) and re.search(rf"\b{re.escape(self.english)}s?\b", plain(message)) is not None
        )


OTHERWISE = {("ehealth", "eHealth record number"), ("record", "Mainland resident health record number")}
"""Messages in which the words of a term are part of another: 電子健康紀錄, 健康檔案."""
GLOSSARY = {"steward": "管理員", "record": "紀錄"}
"""Words of ``docs/glossary.md`` as pages of Hong Kong say them."""


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text.lower()).split())


def terms() -> list[Term]:
    page = (DOCS / "reference" / "terms.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|(.*?)\| `\w+` \| [FSB] \|$", page, re.MULTILINE)
    assert len(rows) == len(re.findall(r"^\| .* `\w+` ", page, re.MULTILINE))
    return [
        Term(
            plain(re.sub(r"\([^)]*\)|\+", "", english)),
            tuple(re.split("[/／]", hong_kong)),
            tuple(re.split("[/／]", mainland.strip() or simplified)),
            tuple(re.split("[/／]", simplified)),
        )
        for english, hong_kong, simplified, mainland in rows
    ]


def disagreeing(language: Language, catalogue: Mapping[str, str]) -> set[tuple[str, str]]:
    """Terms, and the messages with them whose translation has none of the term's wordings."""
    return {
        (term.english, message)
        for term in terms()
        for message, text in catalogue.items()
        if term.is_in(message)
        and not any(
            word in text for word in (term.hong_kong if language is Language.HONG_KONG else term.mainland)
        )
    }


@pytest.mark.parametrize("language", TRANSLATED)
def test_terms_are_those_of_the_page_of_terms(language: Language) -> None:
    assert len(terms()) == 220
    catalogued = said(catalogue(language))
    assert sum(term.is_in(message) for term in terms() for message in catalogued) > 5, "it looks"
    assert disagreeing(language, catalogued) - OTHERWISE == set()


def test_another_term_is_found() -> None:
    planted = {"Referral to a specialist": "介紹到專科"}
    assert disagreeing(Language.HONG_KONG, planted) == {("referral", "Referral to a specialist")}


def test_words_of_the_glossary_are_those_of_the_pages() -> None:
    page = (DOCS / "glossary.md").read_text()
    for english, chinese in GLOSSARY.items():
        assert re.search(rf"^\| \w*{chinese} \| {english}\b", page, re.MULTILINE)
        found = {
            message: text
            for message, text in said(catalogue(Language.HONG_KONG)).items()
            if english in message.split() and (english, message) not in OTHERWISE
        }
        assert found
        assert {message for message, text in found.items() if chinese not in text} == set()


# --- What is no message ---------------------------------------------------------------


def bare(template: str) -> set[str]:
    """English words that stand in a template as they are: outside of messages, of tags and of comments."""
    tokens = Environment(trim_blocks=True, lstrip_blocks=True).lex(template)
    text = "".join(value if kind == "data" else "\0" for _, kind, value in tokens)
    shown = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', text)
    return set(re.findall(r"[A-Za-z]{2,}", " ".join([re.sub(r"<[^<>]*>", " ", text), *shown])))


def test_no_template_says_what_is_not_translated() -> None:
    found = {
        str(file.relative_to(PACKAGE)): words
        for file in (PACKAGE / "templates").rglob("*.html")
        if (words := bare(file.read_text()) - NOT_ENGLISH)
    }
    assert found == {}


def test_a_bare_word_is_found() -> None:
    assert bare('{# no #}<p class="{{ no }}" title="Hint">Bare {{ _("not bare") }}&nbsp;</p>') == {
        "Hint",
        "Bare",
        "nbsp",
    }


@pytest.mark.parametrize("language", TRANSLATED)
def test_all_pieces_speak_chinese(language: Language) -> None:
    """What templates and macros say of themselves, shown; names, units and an example stay as they are."""
    shown = render("design.html", language, path="/design", **PIECES).decode()
    words = set(re.findall(r"[A-Za-z]{2,}", re.sub(r"<code>.*?</code>|<[^<>]*>", " ", shown)))
    assert words == {"English", "CHAN", "Tai", "Man", *NOT_ENGLISH} - {"Patient"}


def test_what_is_missing_is_shown_in_english() -> None:
    assert messages(Language.MAINLAND).gettext("no such message") == "no such message"


def test_a_planted_gap_is_found() -> None:
    planted = read_po(BytesIO(b'msgid "Merge"\nmsgstr ""\n'))
    assert said(planted) == {"Merge": ""}
